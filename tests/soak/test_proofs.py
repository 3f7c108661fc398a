"""The proofs at a small size, as a part of the ordinary suite; `make soak` runs them whole.

They share a server: to start it takes longer than most of them. L1, which leaves histories broken, and A3, which searches
all that the others left and ends the server, come last. They are not held to their time limits here, where other tests run
beside them.
"""

import os
import re
from pathlib import Path

import pytest

from patrol.people.permissions import Permission
from tests.soak import (  # noqa: F401 - they register themselves
    canary,
    crash,
    fuzz_api,
    history,
    images,
    json_bodies,
    naughty,
    openapi,
    racing,
    raw_http,
    sweeping,
    syncing,
    uploads,
    walk,
)
from tests.soak.proof import PROOFS, Setup, prove_on, some
from tests.soak.server import running

ENGINE = os.environ.get("XUNHE_TEST_ENGINE", "sqlite")
SERVER = os.environ.get("XUNHE_TEST_DATABASE_URL", "")
# W1 and P1 wait until the worker has nothing left to do; I3 and P4 leave it hundreds of patrols, so they come late.
SIZES = {
    "W1": 0.05, "P1": 0.01, "R1": 0.01, "I1": 0.01, "I2": 0.01, "U2": 0.01, "P2": 0.05, "P6": 0.05, "P3": 0.02, "E1": 0.01,
    "I3": 0.01, "P4": 0.01, "L1": 0.01, "A3": 0.1,
}


@pytest.fixture(scope="module")
def server():
    with running(ENGINE, SERVER) as started:
        yield started


@pytest.mark.parametrize("code", SIZES)
def test_proof(server, code):
    outcome = prove_on(server, code, Setup(ENGINE, SERVER, SIZES[code], timed=False, alone=False))
    assert not outcome.faults, "\n".join(some(outcome.faults))
    assert any(outcome.counts.values()), "nothing was tried"


def test_every_proof_is_run_here_or_too_slow_for_it():
    assert PROOFS.keys() - SIZES.keys() <= {"P7", "M1", "W2"}


def test_the_page_of_the_proofs_names_each_with_what_it_does_and_figures():
    page = (Path(__file__).resolve().parents[2] / "docs" / "proofs.md").read_text(encoding="utf-8")
    told = {code: (does, figures) for code, does, figures in re.findall(r"^\| ([A-Z]\d) \| (.+?) \| (.+) \|$", page, re.MULTILINE)}
    assert {code: does for code, (does, _) in told.items()} == {
        code: str(proof.prove.__doc__).split("\n\n")[0].replace("\n", " ") for code, proof in PROOFS.items()}
    assert [code for code, (_, figures) in told.items() if not re.search(r"\d", figures)] == []


def test_somebody_of_the_world_holds_what_each_route_asks_for():
    held = set().union(*openapi.WHO.values())
    # Closing what is major is a matter of severity: no route asks for it.
    assert {permission.value for permission in Permission} - held == {"issue:close_major"}

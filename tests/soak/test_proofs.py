"""The proofs at a small size, as a part of the ordinary suite; `make soak` runs them whole.

They share a server, but for what comes after L1, which leaves histories broken, and after A3, which ends the server. They
are not held to their time limits here, where other tests run beside them.
"""

import os
import re
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

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
SIZES = {
    "W1": 0.05, "R1": 0.01, "I1": 0.01, "I2": 0.01, "I3": 0.01, "U2": 0.01, "P2": 0.05, "P6": 0.05, "P3": 0.02,
    "P4": 0.01, "P1": 0.01, "E1": 0.01, "L1": 0.01, "A3": 0.1,
}

SPOILING = {"L1", "A3"}


@pytest.fixture(scope="module")
def servers():
    """A stack with the server in use, opened when a proof needs one."""
    with ExitStack() as stack:
        yield SimpleNamespace(stack=stack, in_use=None)


@pytest.mark.parametrize("code", SIZES)
def test_proof(servers, code):
    server = servers.in_use or servers.stack.enter_context(running(ENGINE, SERVER))
    servers.in_use = None if code in SPOILING else server
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

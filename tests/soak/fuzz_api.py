"""P7: schemathesis against the running service, as each role: no 5xx, and nothing that the description does not say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server

ROLES = (
    "anonymous", "citizen_chief", "patroller", "chief_of_this_reach", "office_of_this_region", "supervisor", "handler", "auditor", "admin",
)
MAX_EXAMPLES, MAX_TIME_S = 60, 240
# Each ends the very sign-in that the run uses, after which all else would only be 401.
LEFT_OUT = ("log_out", "change_my_password", "end_my_session")
# Kinds of failure that say nothing against the service, by schemathesis' name, each with the operations and the reason.
_ANY = "*"
TOLERATED: dict[str, dict[str, str]] = {
    "RejectedPositiveData": {
        # A schema cannot say that a code, a name or an id stands for something that exists, that a place lies in its
        # datum's box, that one of two fields is needed, or that a step must be in turn.
        _ANY: "rules of the domain refuse what has the right shape; the status is documented all the same",
    },
    "UnsupportedMethodResponse": {},
    "AcceptedNegativeData": {
        "GET /open311/v2/requests.{suffix}": "an empty parameter of a client's form counts as left out",
        "GET /open311/v2/servicerequestupdates.{suffix}": "an empty parameter of a client's form counts as left out",
        "POST /api/v1/photos": "an empty parameter of a client's form counts as left out",
        "POST /api/v1/public/complaints": "an empty parameter of a client's form counts as left out",
        "POST /api/v1/public/issues/{number}/follow": "no body at all counts as an empty one, and nothing in it is required",
        "PUT /api/v1/watch-list/issues/{issue_id}": "no body at all counts as an empty one, and nothing in it is required",
        "PUT /api/v1/watch-list/reaches/{reach_id}": "no body at all counts as an empty one, and nothing in it is required",
        "POST /api/v1/sync": "an item of the wrong shape gets its own result, the request never fails as a whole",
        "POST /api/v1/patrols/{patrol_id}/track": "a point of the wrong shape is put aside in the receipt, the batch is never refused for it",
    },
}
# It cannot make bodies of tus's own media type; the proof U2 and the tests of uploads send those.
UNTRIED = ("Serialization not possible",)
# gunicorn refuses longer lines before the application sees them, which no description can say of one operation.
_UNLIMITED = {"GUNICORN_CMD_ARGS": "--limit-request-line 0"}


@proves("P7", gunicorn=_UNLIMITED)
def the_description_is_true(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Run schemathesis with all checks as each role; only what is listed with a reason is tolerated."""
    outcome.counts = {"roles": 0, "operations": 0, "cases": 0, "tolerated": 0}
    for role in ROLES if setup.scale >= 0.1 else ("office_of_this_region",):
        _fuzz(server, role, setup, outcome)
        outcome.count("roles")


def _fuzz(server: Server, role: str, setup: Setup, outcome: Outcome) -> None:
    report = server.folder / f"report-{role}.json"
    ran = subprocess.run(_command(server, role, setup, report), cwd=server.folder, capture_output=True, text=True, check=False)
    if not outcome.must(report.exists(), f"{role}: schemathesis ended with {ran.returncode}: {ran.stdout[-800:]}{ran.stderr[-800:]}"):
        return
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    outcome.counts["operations"] = found["operations"]["tested"]
    outcome.count("cases", found["test_cases"]["generated"])
    errors = [error for error in found["errors"] if error["title"] not in UNTRIED]
    outcome.must(not errors, f"{role}: {errors[:3]}")
    details = server.folder.parent / f"{server.folder.name}-{role}.txt"
    bad = False
    for failure in found["failures"]:
        for operation in failure["operations"]:
            listed = TOLERATED.get(failure["type"], {})
            if operation in listed or _ANY in listed:
                outcome.count("tolerated")
                continue
            bad = True
            outcome.faults.append(f"{role}: {operation}: {failure['title']} (see {details})")
    if bad:
        details.write_text(ran.stdout, encoding="utf-8")


def _command(server: Server, role: str, setup: Setup, report: Path) -> list[str]:
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [
        program, "--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run",
        f"http://127.0.0.1:{server.port}/openapi.json", "--checks", "all", "--mode", "all",
        "--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure", "--max-examples", str(setup.times(MAX_EXAMPLES, least=2)),
        "--max-time", str(setup.times(MAX_TIME_S, least=20)), "--seed", str(setup.seed), "--no-color", "--generation-database", "none",
        "--warnings", "off", "--report-json-path", str(report),
    ]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    if role != "anonymous":
        command += ["--header", f"Authorization: Bearer {server.world.tokens[role]}"]
    return command

"""E1: several workers let late issues climb at once, and are killed in the middle: each rung is reached exactly once."""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random

from tests.access.world import HERE
from tests.soak.proof import Outcome, Setup, histories_must_be_sound, proves
from tests.soak.server import Server

SWEEPERS, LATEST_S, SETTLE_S, BATCH = 2, 0.25, 120, 6
LADDER = ("half_time", "day_before", "overdue", "letter", "listed", "talk")
ORDERS = ("letter", "listed", "talk")
MARK = "late for long"


@proves("E1")
def each_rung_is_reached_once(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Let two workers sweep through issues that are late by all rungs, and kill one after another at a random moment."""
    issues = setup.times(1_000, least=12)
    chief = server.caller("chief_of_this_reach")
    for _ in range(issues):
        reply = chief.post("/issues", {**HERE, "category": "C1", "severity": "serious", "description": MARK})
        outcome.must(reply.status == 201, f"a report got {reply.status}: {reply.body[:200]!r}")
    _let_be_late(server)
    kills = setup.times(100, least=2)
    told = json.loads(server.run(sys.executable, "-m", "tests.soak.sweeping", str(kills), str(setup.seed)))
    outcome.counts |= {"issues": issues, "killed workers": told["killed"], "rungs": 0, "missing": 0, "doubled": 0}
    # A dozen issues may be swept before the first blow falls.
    outcome.must(told["killed"] > 0 or issues < 100, "no worker was killed")
    outcome.faults += told["faults"]
    for name, statement, wanted in (
        ("escalations", "SELECT e.issue_id, e.code FROM escalations e JOIN issues i ON i.id = e.issue_id WHERE i.description = :it", LADDER),
        ("entries", "SELECT h.issue_id, h.rule FROM issue_history h JOIN issues i ON i.id = h.issue_id "
                    "WHERE i.description = :it AND h.verb = 'escalate'", LADDER),
        ("orders", "SELECT o.issue_id, o.rule FROM orders o JOIN issues i ON i.id = o.issue_id WHERE i.description = :it", ORDERS),
    ):  # fmt: skip
        _must_be_once(name, [(row[0], row[1]) for row in server.query(statement, it=MARK)], wanted, issues, outcome)
    _be_due_as_before(server)
    histories_must_be_sound(server, setup, outcome)


def _let_be_late(server: Server) -> None:
    """Move the due moments so far back that every rung of the default ladder has passed; nobody has swept since."""
    due, since = datetime.now(UTC) - timedelta(days=60), datetime.now(UTC) - timedelta(days=100)
    stored = (due, since) if server.engine == "postgresql" else tuple(f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in (due, since))
    server.change("CREATE TABLE due_before AS SELECT id, due_at FROM issues WHERE description = :it", it=MARK)
    server.change("UPDATE issues SET due_at = :due, next_escalation_at = :since WHERE description = :it", due=stored[0], since=stored[1], it=MARK)


def _be_due_as_before(server: Server) -> None:
    """Put the due moments back: the histories do not say that they were moved."""
    server.change("UPDATE issues SET due_at = (SELECT due_at FROM due_before WHERE due_before.id = issues.id) WHERE description = :it", it=MARK)
    server.change("DROP TABLE due_before")


def _must_be_once(name: str, rows: list[tuple[object, str]], wanted: tuple[str, ...], issues: int, outcome: Outcome) -> None:
    once = set(rows)
    outcome.count("rungs", len(rows) if name == "escalations" else 0)
    outcome.count("doubled", len(rows) - len(once))
    outcome.count("missing", issues * len(wanted) - len(once))
    outcome.must(len(rows) == len(once), f"{len(rows) - len(once)} {name} are there twice")
    outcome.must(len(once) == issues * len(wanted), f"{len(once)} {name} instead of {issues * len(wanted)}")
    outcome.must({code for _, code in rows} == set(wanted), f"{name} of other rungs: {sorted({code for _, code in rows})}")


# The workers, in processes that share a program but no connection ------------------------------------------------------


def main(kills: int, seed: int) -> None:
    """Keep so many workers sweeping, kill some and put new ones in their place, and let the last of them finish."""
    from patrol.application import create_app

    app, chance, killed, faults = create_app(), Random(seed), 0, []
    with app.app_context():
        from patrol.foundation.database import db

        db.session.remove()
        db.engine.dispose()
        workers = [_sweeper(app) for _ in range(SWEEPERS)]
        while killed < kills:
            time.sleep(chance.uniform(0, LATEST_S))
            place = chance.randrange(SWEEPERS)
            os.kill(workers[place], signal.SIGKILL)
            _, status = os.waitpid(workers[place], 0)
            if not os.WIFSIGNALED(status):
                # Nothing is left to sweep: there is nobody to be killed in the middle any more.
                faults += [f"a worker ended with {status}"] if status else []
                workers.pop(place)
                break
            killed += 1
            workers[place] = _sweeper(app)
        faults += [f"a worker ended with {status}" for status in (os.waitpid(worker, 0)[1] for worker in workers) if status]
        # What a worker held when it was killed was passed over by the other: the sweep of the next minute finds it.
        last = os.waitpid(_sweeper(app), 0)[1]
        faults += [f"the last worker ended with {last}"] if last else []
    json.dump({"killed": killed, "faults": faults}, sys.stdout)


def _sweeper(app: object) -> int:
    """Begin a process that sweeps in small batches until nothing is left that it could lock; return its id."""
    if child := os.fork():
        return child
    status = 1
    try:
        from patrol.foundation.transaction import transaction
        from patrol.issues.escalating import escalate_some

        seen = BATCH
        while seen:
            with transaction():
                seen, _ = escalate_some(app.extensions["settings"].timezone, BATCH)
        status = 0
    finally:
        os._exit(status)
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""M1: ten thousand random steps as random people; after each the service stands where the law, written twice, says."""

import json
import sys

from tests.access.world import POLICIES
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server

ROUNDS = 10_000


@proves("M1")
def random_steps_go_as_the_law_says(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Walk in a process of its own, whose clock moves, on the server's database; see `tests/issues/law.py`."""
    rounds, admin = setup.times(ROUNDS, least=50), server.caller("admin")
    # The prepared world's policies begin in 100 days, which so long a walk reaches; the law knows those of an installation.
    for kind in POLICIES:
        taken_back = admin.call("DELETE", f"/api/v1/policies/{kind}/{server.world.others[kind]}")
        outcome.must(taken_back.status == 200, f"the world's policy of {kind} stays: {taken_back.status}")
    told = json.loads(server.run(sys.executable, "-m", "tests.soak.walk", str(rounds), str(setup.seed)))
    outcome.counts, outcome.faults = told["counts"], told["faults"]
    outcome.must(outcome.counts["rounds"] == rounds, "the walk ended early")


def main(rounds: int, seed: int) -> None:
    from patrol.application import create_app
    from tests.issues.walking import Walk

    app = create_app()
    with app.app_context():
        # A code before that of the prepared world's district, so that the two never meet.
        walk = Walk(app.test_client(), seed, code="880100")
        walk.run(rounds)
    json.dump({"counts": walk.counts, "faults": walk.faults}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""The numbers by which coverage is judged, each with where it comes from. Pure."""

from dataclasses import dataclass
from typing import ClassVar

from patrol.patrols.thresholds import Thresholds

VERSION = "2026-11"


@dataclass(frozen=True, kw_only=True)
class CoveragePolicy(Thresholds):
    """The numbers of the rule, as a new installation starts with them. Unless a line says otherwise they were set by simulated walks of known truth (`make bench`).

    `docs/coverage.md` tells what they do. A change of any of them is another version of the policy.
    """

    # Beyond this they are no rule of the kind any more, and cells could become too many to reckon with.
    WIDEST: ClassVar[float | None] = 10.0

    version: str = VERSION

    # A patrol's reach is told apart to 25 m, the distance at which field systems record fixes (EarthRanger).
    cell_m: float = 25.0
    # The accuracy of a fix: phones in valleys claim better than they have (1.5 times); none is better than 10 m there
    # (Merry & Bettinger 2019 measured 7 to 13 m); one that says nothing is taken for 20 m, beyond 100 m a fix shows nothing.
    inflation: float = 1.5
    least_accuracy_m: float = 10.0
    assumed_accuracy_m: float = 20.0
    worst_accuracy_m: float = 100.0
    # A fix counts for the line within 30 m (somebody walks beside a river, not in it) and twice its accuracy, 50 to 120 m.
    base_radius_m: float = 30.0
    least_radius_m: float = 50.0
    most_radius_m: float = 120.0
    # The range of the answer: what would be covered if fixes counted within this much less and more.
    range_m: float = 20.0
    # Our own choice, not measured: a boat on a lake is credited with the nearest shore up to this far away.
    inside_m: float = 500.0
    # Cells between two fixes count when so little time and way lie between, the way along the reach being at most
    # `stretch` times the straight step and the radius of a fix.
    longest_bridge_s: float = 180.0
    longest_bridge_m: float = 300.0
    stretch: float = 2.5
    # Each fix is tried with this many that follow: all within a bridge's time up to two fixes a second.
    most_pairs: int = 400
    # Arms of a braided river: who walks beside one has seen the other where an island at most so wide lies between, for at
    # least so long. Our own choice: across a small river's bar one sees the far arm as well as the near one's far bank.
    arms_apart_m: float = 40.0
    arms_least_m: float = 100.0
    # Ends of lines that lie so near to another line meet it: survey lines are drawn by hand.
    meet_m: float = 5.0
    # Nothing on a patrol is faster (144 km/h); steps shorter than a second tell no speed.
    fastest_mps: float = 40.0
    least_step_s: float = 1.0
    # How places are chosen: the slack in distances off the line and along it, and the cost, in squared accuracies, that
    # no jump exceeds (after a silence a track may go on anywhere), that a change to another part has, and that passing a
    # fix by as astray has: two jumps, there and back, for each of them would outweigh what the fixes beside it show.
    off_slack_m: float = 10.0
    along_slack_m: float = 15.0
    most_for_a_jump: float = 12.0
    other_part: float = 2.0
    astray: float = 6.0


DEFAULT_POLICY = CoveragePolicy()

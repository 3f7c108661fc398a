"""Whether a spot check was done on the spot: what its position and its time say, less what receivers and clocks err. Pure."""

from dataclasses import dataclass
from datetime import datetime

from patrol.foundation.lengths import length
from patrol.foundation.texts import Text
from patrol.patrols.window import AHEAD

# A worse fix shows nothing, as in the coverage policy: it would put a phone everywhere at once.
WORST_ACCURACY_M = 100.0
FAR_FROM_PLACE, CLOCK = "far_from_place", "clock"
_FAR = Text("抽查地点距应查地点 {metres}，不计为现场抽查，请核对", "{metres} from the place to be checked: it does not count as done there, look into it")
_EARLY = Text("记录时间 {at} 早于抽查的安排，不计为现场抽查，请核对", "Recorded at {at}, before it was planned: it does not count as done there, look into it")
_LATE = Text("记录时间 {at} 晚于服务器收到的时间，不计为现场抽查，请核对", "Recorded at {at}, after the server received it: it does not count as done there, look into it")


@dataclass(frozen=True)
class Finding:
    """Something that a person should look at; the check was taken all the same."""

    code: str
    text: Text


def findings_of(
    *, distance_m: float, accuracy_m: float | None, recorded_at: datetime, planned_at: datetime, received_at: datetime, tolerance_m: float
) -> list[Finding]:
    """Return what speaks against a check having been done at its place, after it was planned; nothing when it was on site.

    Args:
        distance_m: from the issue or the reach.
        accuracy_m: of the fix, None when the phone did not tell.
        recorded_at: by the phone's clock, which may be off by five minutes either way.
        planned_at: when the check was chosen or drawn.
        received_at: when the server got it.
        tolerance_m: by which positions are off in routing.
    """
    unsure_m = accuracy_m if accuracy_m is not None and accuracy_m <= WORST_ACCURACY_M else 0.0
    found = [Finding(FAR_FROM_PLACE, _FAR.format(metres=length(round(distance_m))))] if distance_m > tolerance_m + unsure_m else []
    told = recorded_at.isoformat(timespec="seconds")
    if recorded_at < planned_at - AHEAD:
        found.append(Finding(CLOCK, _EARLY.format(at=told)))
    elif recorded_at > received_at + AHEAD:
        found.append(Finding(CLOCK, _LATE.format(at=told)))
    return found

"""What makes a report or its photos doubtful: pure rules. A doubt is a finding beside the issue and refuses nothing.

Distances and limits are the defaults of a new installation. Finding nothing proves nothing: photos often come
without position and time, and a chat program takes both away.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from patrol.evidence.likeness import distance as likeness_distance
from patrol.foundation.geometry import distance_m
from patrol.foundation.lengths import length
from patrol.foundation.texts import Text

VERSION = "2026-12.2"
# Cameras' positions are worse than phones' fixes: below 150 m nothing can be said, nor below 3 times the accuracy.
LEAST_DISTANCE_M, ACCURACIES = 150.0, 3.0
# The field's rule for proof: an after-photo is taken within 100 m of the issue. What the issue's own position errs, as it
# was stored, explains as much more; where that is a lot, nearness is neither shown nor refuted, and the finding says so.
AFTER_DISTANCE_M = 100.0
SHOW_TROUBLE = ("before", "other")
"""Kinds of photos that show what is wrong: as it was reported, and as its complainant calls it not fixed."""
_PROOFS = ("after", "check")
OLD_PHOTO = timedelta(days=3)
CLOCK_OFF = timedelta(days=1)
POOR_ACCURACY_M = 100.0
# Copies of a photo, rescaled or saved anew, differ in up to about 4 of the 64 bits; other photos in about 32. So few
# may also lie between two honest photos from one spot, which is what a pair from before and after should be.
ALIKE_BITS = 4
# By how much copies differ at most, as `likeness.difference` measures it: copies of drawn scenes that were saved anew,
# rescaled or brightened differ by up to 0.48, honest pairs from one spot by 0.94 and more.
COPY_DIFFERENCE = 0.6
# The smallest pictures that cameras of telephones took had 240 lines.
LEAST_SIDE_PX = 240


@dataclass(frozen=True, slots=True)
class Doubt:
    """One finding: its code, how grave (`info`, `warning`, `serious`), what was measured, and words for people."""

    code: str
    severity: str
    evidence: dict[str, Any]
    text: Text

    def as_data(self) -> dict[str, Any]:
        """Return plain JSON in both languages."""
        return {"code": self.code, "severity": self.severity, "evidence": self.evidence, **self.text._asdict(), "version": VERSION}


class Shot(NamedTuple):
    """What is known of one photo on the issue, brought by entry `seq` of its history; `kind` as on the issue.

    A `check` is a photo that a spot check brought: since the cure was reported, by `rectify`.
    `taken_at` (aware) and the position are by its Exif data, or what the device said beside it: `time_by` and `place_by`
    are `exif` or `device`. `since` is when the work that an after-photo proves could begin, `since_is` the step that
    said so (`dispatch`, `return` or, for who reported it, `report`). `is_blank`: it shows nothing. `lacks_pair`: it proves a
    cure, and is tied to none of the photos from before that there are.
    """

    id: UUID
    kind: str
    sha256: str
    likeness: str | None
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None
    seq: int = 1
    time_by: str = "exif"
    place_by: str = "exif"
    received_at: datetime | None = None
    since: datetime | None = None
    since_is: str = "dispatch"
    least_side_px: int | None = None
    is_blank: bool = False
    lacks_pair: bool = False


class Known(NamedTuple):
    """A photo seen elsewhere: on issue `number`, or on none (a check-in's, one that was only sent), or earlier on this one (None)."""

    id: UUID
    number: str | None
    sha256: str
    likeness: str | None
    taken_at: datetime | None = None
    received_at: datetime | None = None


# How much two originals' pictures differ (`likeness.difference`), by their digests; None while that cannot be told.
Difference = Callable[[str, str], float | None]


def _untold(_one: str, _other: str) -> float | None:
    return None


_CLOCK = Text(
    "设备时间与服务器时间相差 {days} 天", "The device's time and the server's differ by {days} days"
)
_POOR = Text("定位精度只有 {metres}", "The position is accurate to {metres} only")
_FAR = Text("照片位置距问题位置 {metres}", "The photo's position is {metres} from the issue's")
_UNSURE = Text(
    "照片位置距问题位置 {metres}，而问题的定位精度只有 {accuracy}，无法证明是同一地点",
    "The photo's position is {metres} from the issue's, which is accurate to {accuracy} only: nothing shows that it is the same place",
)
_OLD = Text("照片摄于上报前 {days} 天", "The photo was taken {days} days before the report")
_EARLY = {
    "dispatch": Text("整改后照片摄于派单之前", "The after-photo was taken before the issue was dispatched"),
    "return": Text("整改后照片摄于上次退回之前", "The after-photo was taken before the work was last returned"),
    "report": Text("整改后照片摄于上报之前", "The after-photo was taken before the issue was reported"),
    "rectify": Text("抽查照片摄于报告整改之前", "The spot check's photo was taken before the cure was reported"),
}
_KNOWN = {
    "dispatch": Text("整改后照片在派单之前已经存在", "The after-photo was there before the issue was dispatched"),
    "return": Text("整改后照片在上次退回之前已经存在", "The after-photo was there before the work was last returned"),
    "report": Text("整改后照片在上报之前已经存在", "The after-photo was there before the issue was reported"),
    "rectify": Text("抽查照片在报告整改之前已经存在", "The spot check's photo was there before the cure was reported"),
}
_USED = Text("照片与问题 {number} 的照片相同", "The photo is the same as one on issue {number}")
_LIKE = Text("照片与问题 {number} 的照片十分相似", "The photo looks very much like one on issue {number}")
_SAME = Text("整改后照片与先前的照片相同", "The after-photo is the same as an earlier one")
_SAME_CHECK = Text("抽查照片与先前的照片相同", "The spot check's photo is the same as an earlier one")
_ALIKE = Text(
    "整改后照片与先前的照片十分相似，且没有拍摄时间", "The after-photo looks very much like an earlier one, and nothing tells when it was taken"
)
_UNTOLD = {
    (True, True): Text("照片没有拍摄时间和位置，无从核对", "Nothing tells when and where the photo was taken"),
    (True, False): Text("照片没有拍摄时间，无从核对", "Nothing tells when the photo was taken"),
    (False, True): Text("照片没有位置，无从核对", "Nothing tells where the photo was taken"),
}
_UNPAIRED = Text("整改后照片未与整改前照片对应", "The after-photo is tied to none of the photos from before")
_TINY = Text("照片过小，短边只有 {side} 像素", "The photo is too small: its shorter side has {side} pixels")
_BLANK = Text("照片一片漆黑或空白", "The photo is black or blank")


def doubts_about_report(recorded_at: datetime, received_at: datetime, accuracy_m: float | None) -> list[Doubt]:
    """Return the doubts about a report itself: the device's clock, and the accuracy in metres."""
    found = []
    off = recorded_at - received_at
    # A report may wait for days in a phone without signal; only a clock that runs ahead is wrong for sure.
    if abs(off) > CLOCK_OFF:
        severity = "warning" if off > CLOCK_OFF else "info"
        facts = {"recorded_at": recorded_at.isoformat(), "received_at": received_at.isoformat()}
        found.append(Doubt("clock_off", severity, facts, _CLOCK.format(days=abs(off).days)))
    if accuracy_m is not None and accuracy_m > POOR_ACCURACY_M:
        found.append(Doubt("poor_accuracy", "info", {"accuracy_m": accuracy_m}, _POOR.format(metres=length(round(accuracy_m)))))
    return found


def doubts_about_photos(
    shots: Sequence[Shot], known: Iterable[Known], *, latitude: float, longitude: float, accuracy_m: float | None,
    recorded_at: datetime, difference: Difference = _untold,
) -> list[Doubt]:  # fmt: skip
    """Return the doubts about an issue's photos, beside `known` ones elsewhere, in the order of `shots`."""
    elsewhere, found = list(known), []
    for shot in shots:
        found += _misplaced(shot, latitude, longitude, accuracy_m)
        found += _mistimed(shot, recorded_at)
        earlier = [
            Known(other.id, None, other.sha256, other.likeness, other.taken_at) for other in shots if other.seq < shot.seq
        ]
        found += _copied(shot, earlier if shot.kind in _PROOFS else [], elsewhere, difference)
        found += _showing_little(shot)
    return found


def _misplaced(shot: Shot, latitude: float, longitude: float, accuracy_m: float | None) -> list[Doubt]:
    if shot.latitude is None or shot.longitude is None:
        return []
    away_m = distance_m(latitude, longitude, shot.latitude, shot.longitude)
    if shot.kind in _PROOFS:
        return _far_from_work(shot, away_m, accuracy_m or 0.0)
    threshold_m = max(LEAST_DISTANCE_M, ACCURACIES * min(accuracy_m or 0.0, POOR_ACCURACY_M))
    if away_m <= threshold_m:
        return []
    facts = {"photo_id": str(shot.id), "distance_m": round(away_m, 1), "threshold_m": threshold_m, "by": shot.place_by}
    return [Doubt("photo_far", "warning", facts, _FAR.format(metres=length(round(away_m))))]


def _far_from_work(shot: Shot, away_m: float, accuracy_m: float) -> list[Doubt]:
    """Return the doubt about where a photo that should prove the work was taken, by the issue's accuracy in metres as stored."""
    threshold_m = AFTER_DISTANCE_M + accuracy_m
    facts = {"photo_id": str(shot.id), "distance_m": round(away_m, 1), "threshold_m": threshold_m, "accuracy_m": accuracy_m, "by": shot.place_by}
    if away_m > threshold_m:
        return [Doubt("photo_far", "warning", facts, _FAR.format(metres=length(round(away_m))))]
    if away_m > AFTER_DISTANCE_M and accuracy_m > POOR_ACCURACY_M:
        return [Doubt("photo_place_unsure", "warning", facts, _UNSURE.format(metres=length(round(away_m)), accuracy=length(round(accuracy_m))))]
    return []


def _mistimed(shot: Shot, recorded_at: datetime) -> list[Doubt]:
    if shot.taken_at is None:
        return []
    facts: dict[str, Any] = {"photo_id": str(shot.id), "taken_at": shot.taken_at.isoformat(), "by": shot.time_by}
    if shot.kind in SHOW_TROUBLE and recorded_at - shot.taken_at > OLD_PHOTO:
        facts |= {"recorded_at": recorded_at.isoformat(), "threshold_days": OLD_PHOTO.days}
        return [Doubt("photo_old", "warning", facts, _OLD.format(days=(recorded_at - shot.taken_at).days))]
    if _is_too_early(shot):
        return [Doubt(f"{shot.kind}_photo_early", "serious", facts | _since(shot), _EARLY[shot.since_is])]
    return []


def _is_too_early(shot: Shot) -> bool:
    return shot.kind in _PROOFS and shot.taken_at is not None and shot.since is not None and _is_before(shot.taken_at, shot.since)


def _is_before(moment: datetime, since: datetime) -> bool:
    """Tell whether a photo is from before; Exif tells whole seconds only, and such a time is compared by these."""
    return moment < (since if moment.microsecond else since.replace(microsecond=0))


def _since(shot: Shot) -> dict[str, Any]:
    return {"since": shot.since.isoformat() if shot.since else None, "since_is": shot.since_is}


def _copied(shot: Shot, earlier: Iterable[Known], elsewhere: Iterable[Known], difference: Difference) -> list[Doubt]:
    severity = "serious" if shot.kind in _PROOFS else "warning"
    found = []
    for other in earlier:
        if is_copy(shot, other, difference):
            words = _SAME_CHECK if shot.kind == "check" else _SAME
            found.append(Doubt(f"{shot.kind}_photo_same", "serious", _pair(shot, other), words))
        elif shot.kind == "after" and shot.taken_at is None and _bits(shot, other) is not None:
            found.append(Doubt("after_photo_similar", "info", _pair(shot, other), _ALIKE))
    for other in elsewhere:
        same = is_copy(shot, other, difference)
        if other.number is None:
            if same and _was_there(shot, other):
                found.append(_known_before(shot, other))
        elif same:
            found.append(Doubt("photo_reused", severity, _pair(shot, other), _USED.format(number=other.number)))
        elif _bits(shot, other) is not None:
            found.append(Doubt("photo_similar", "info", _pair(shot, other), _LIKE.format(number=other.number)))
    itself = Known(shot.id, None, shot.sha256, shot.likeness, None, shot.received_at)
    if not _is_too_early(shot) and _was_there(shot, itself):
        found.append(_known_before(shot, itself))
    return found


def _was_there(shot: Shot, other: Known) -> bool:
    """Tell whether a copy of an after-photo is older than the work that it should prove."""
    moments = [moment for moment in (other.taken_at, other.received_at) if moment is not None]
    return shot.kind in _PROOFS and shot.since is not None and any(_is_before(moment, shot.since) for moment in moments)


def _known_before(shot: Shot, other: Known) -> Doubt:
    facts = _pair(shot, other) | _since(shot) | {"received_at": other.received_at.isoformat() if other.received_at else None}
    return Doubt(f"{shot.kind}_photo_known", "serious", facts, _KNOWN[shot.since_is])


def _showing_little(shot: Shot) -> list[Doubt]:
    found, facts = [], {"photo_id": str(shot.id)}
    if shot.least_side_px is not None and shot.least_side_px < LEAST_SIDE_PX:
        sizes = {"side_px": shot.least_side_px, "threshold_px": LEAST_SIDE_PX}
        found.append(Doubt("photo_tiny", "warning", facts | sizes, _TINY.format(side=shot.least_side_px)))
    if shot.is_blank:
        found.append(Doubt("photo_blank", "warning", facts, _BLANK))
    untold = (shot.taken_at is None, shot.latitude is None or shot.longitude is None)
    if shot.kind in _PROOFS and any(untold):
        found.append(Doubt(f"{shot.kind}_photo_untold", "info", facts | {"time": not untold[0], "place": not untold[1]}, _UNTOLD[untold]))
    if shot.lacks_pair:
        found.append(Doubt("after_photo_unpaired", "info", facts, _UNPAIRED))
    return found


def _pair(shot: Shot, other: Known) -> dict[str, Any]:
    return {"photo_id": str(shot.id), "other_photo_id": str(other.id), "issue": other.number, "bits": _bits(shot, other)}


def _bits(shot: Shot, other: Known) -> int | None:
    return bits_between(shot.sha256, shot.likeness, other.sha256, other.likeness)


def is_copy(shot: Shot, other: Known, difference: Difference) -> bool:
    """Tell whether two photos are one: the same file, or alike and taken at the same second, or alike to the last detail."""
    if shot.sha256 == other.sha256:
        return True
    if _bits(shot, other) is None:
        return False
    if shot.taken_at is not None and shot.taken_at == other.taken_at:
        return True
    differ = difference(shot.sha256, other.sha256)
    return differ is not None and differ <= COPY_DIFFERENCE


def bits_between(sha256: str, likeness: str | None, other_sha256: str, other_likeness: str | None) -> int | None:
    """Return in how many bits two photos differ that look alike (0 for the same file), else None."""
    if sha256 == other_sha256:
        return 0
    if likeness is None or other_likeness is None:
        return None
    bits = likeness_distance(likeness, other_likeness)
    return bits if bits <= ALIKE_BITS else None

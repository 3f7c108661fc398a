"""What makes a report or its photos doubtful: pure rules. A doubt is a finding beside the issue and refuses nothing.

Distances and limits are the defaults of a new installation. Finding nothing proves nothing: photos often come
without position and time, and a chat program takes both away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from patrol.evidence.likeness import distance as likeness_distance
from patrol.foundation.geometry import distance_m
from patrol.foundation.texts import Text

VERSION = "2026-11"
# Cameras' positions are worse than phones' fixes: below 150 m nothing can be said, nor below 3 times the accuracy.
LEAST_DISTANCE_M, ACCURACIES = 150.0, 3.0
OLD_PHOTO = timedelta(days=3)
CLOCK_OFF = timedelta(days=1)
POOR_ACCURACY_M = 100.0
# Copies of a photo, rescaled or saved anew, differ in up to about 4 of the 64 bits; other photos in about 32.
ALIKE_BITS = 4


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
    """What is known of one photo on the issue; `taken_at` by its Exif data, aware; `kind` as on the issue."""

    id: UUID
    kind: str
    sha256: str
    likeness: str | None
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None


class Known(NamedTuple):
    """A photo seen elsewhere: on issue `number`, or earlier on this one (`number` None)."""

    id: UUID
    number: str | None
    sha256: str
    likeness: str | None


_CLOCK = Text(
    "设备时间与服务器时间相差 {days} 天", "The device's time and the server's differ by {days} days"
)
_POOR = Text("定位精度只有 {metres} 米", "The position is accurate to {metres} m only")
_FAR = Text("照片位置距问题位置 {metres} 米", "The photo's position is {metres} m from the issue's")
_OLD = Text("照片摄于上报前 {days} 天", "The photo was taken {days} days before the report")
_EARLY = Text("整改后照片摄于派单之前", "The after-photo was taken before the issue was dispatched")
_USED = Text("照片与问题 {number} 的照片相同", "The photo is the same as one on issue {number}")
_SAME = Text("整改后照片与先前的照片相同", "The after-photo is the same as an earlier one")


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
        found.append(Doubt("poor_accuracy", "info", {"accuracy_m": accuracy_m}, _POOR.format(metres=round(accuracy_m))))
    return found


def doubts_about_photos(
    shots: Sequence[Shot], known: Iterable[Known], *, latitude: float, longitude: float, accuracy_m: float | None,
    recorded_at: datetime, dispatched_at: datetime | None,
) -> list[Doubt]:  # fmt: skip
    """Return the doubts about an issue's photos, beside `known` ones on other issues, in the order of `shots`."""
    elsewhere, found = list(known), []
    for at, shot in enumerate(shots):
        found += _misplaced(shot, latitude, longitude, accuracy_m)
        found += _mistimed(shot, recorded_at, dispatched_at)
        earlier = [Known(other.id, None, other.sha256, other.likeness) for other in shots[:at] if other.kind != "after"]
        found += _copied(shot, earlier if shot.kind == "after" else [], elsewhere)
    return found


def _misplaced(shot: Shot, latitude: float, longitude: float, accuracy_m: float | None) -> list[Doubt]:
    if shot.latitude is None or shot.longitude is None:
        return []
    away_m = distance_m(latitude, longitude, shot.latitude, shot.longitude)
    threshold_m = max(LEAST_DISTANCE_M, ACCURACIES * (accuracy_m or 0.0))
    if away_m <= threshold_m:
        return []
    facts = {"photo_id": str(shot.id), "distance_m": round(away_m, 1), "threshold_m": threshold_m}
    return [Doubt("photo_far", "warning", facts, _FAR.format(metres=round(away_m)))]


def _mistimed(shot: Shot, recorded_at: datetime, dispatched_at: datetime | None) -> list[Doubt]:
    if shot.taken_at is None:
        return []
    facts: dict[str, Any] = {"photo_id": str(shot.id), "taken_at": shot.taken_at.isoformat()}
    if shot.kind == "before" and recorded_at - shot.taken_at > OLD_PHOTO:
        facts |= {"recorded_at": recorded_at.isoformat(), "threshold_days": OLD_PHOTO.days}
        return [Doubt("photo_old", "warning", facts, _OLD.format(days=(recorded_at - shot.taken_at).days))]
    if shot.kind == "after" and dispatched_at is not None and shot.taken_at < dispatched_at:
        return [Doubt("after_photo_early", "serious", facts | {"dispatched_at": dispatched_at.isoformat()}, _EARLY)]
    return []


def _copied(shot: Shot, earlier: Iterable[Known], elsewhere: Iterable[Known]) -> list[Doubt]:
    same = [
        Doubt("after_photo_same", "serious", _pair(shot, other, bits), _SAME)
        for other in earlier if (bits := _bits(shot, other)) is not None
    ]  # fmt: skip
    severity = "serious" if shot.kind == "after" else "warning"
    return same + [
        Doubt("photo_reused", severity, _pair(shot, other, bits), _USED.format(number=other.number))
        for other in elsewhere if (bits := _bits(shot, other)) is not None
    ]  # fmt: skip


def _bits(shot: Shot, other: Known) -> int | None:
    return bits_between(shot.sha256, shot.likeness, other.sha256, other.likeness)


def _pair(shot: Shot, other: Known, bits: int) -> dict[str, Any]:
    return {"photo_id": str(shot.id), "other_photo_id": str(other.id), "issue": other.number, "bits": bits}


def bits_between(sha256: str, likeness: str | None, other_sha256: str, other_likeness: str | None) -> int | None:
    """Return in how many bits two photos differ that are copies of each other (0 for the same file), else None."""
    if sha256 == other_sha256:
        return 0
    if likeness is None or other_likeness is None:
        return None
    bits = likeness_distance(likeness, other_likeness)
    return bits if bits <= ALIKE_BITS else None

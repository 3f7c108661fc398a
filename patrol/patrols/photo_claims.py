"""What the photos of check-ins and checkpoints claim about time, place and origin, beside the check-in they are shown for. Pure.

Most photos lack something: pickers strip positions, chat programs everything. What is missing is unknown, not suspect.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from patrol.foundation.geometry import Datum, OutsideDatum, distance_m, to_wgs84
from patrol.patrols.facts import CheckInFact, PatrolFacts, PhotoFact, SeenElsewhere
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.seen import Seen, Severity

# Programs that change pictures, by a part of the name they leave in the file. Watermark cameras are not among them:
# districts prescribe them.
EDITORS = ("photoshop", "lightroom", "snapseed", "gimp", "picsart", "meitu", "美图", "xingtu", "醒图", "pixelmator", "affinity")
# A camera whose clock was never set begins at its maker's date; no phone of this product is older.
_CLOCK_WAS_SET = datetime(2015, 1, 1, tzinfo=UTC)
# Zones reach from 12 hours behind to 14 hours ahead of UTC.
_LATEST_ZONE, _EARLIEST_ZONE, _HALF_HOUR = timedelta(hours=12), timedelta(hours=14), timedelta(minutes=30)
# Camera and satellites that were set tell the same day, whatever the zone and how old the fix; zones differ by quarters of an hour.
_CLOCKS_AGREE, _QUARTER_S = timedelta(days=2), 900


def duplicated(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:  # noqa: ARG001 - rules have one shape.
    """The very file was shown before on another patrol; twice on this one is a slip rather than more."""
    own = {photo.id for photo in facts.photos}
    same = [seen for seen in facts.seen_elsewhere if seen.same_bytes]
    others = [seen for seen in same if seen.other_photo_id not in own]
    if others:
        return _told(Severity.HIGH, others, on="earlier_patrol")
    return _told(Severity.SOFT, same, on="this_patrol") if same else None


def alike(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Nearly the same picture was shown on another patrol some other day; the same weir looks alike, so this is soft."""
    own = {photo.id for photo in facts.photos}
    near = [
        seen for seen in facts.seen_elsewhere if not seen.same_bytes and seen.other_photo_id not in own
        and seen.distance <= policy.photo_alike_bits and seen.days_apart > policy.photo_alike_days
    ]  # fmt: skip
    return _told(Severity.SOFT, near, bits=min(seen.distance for seen in near)) if near else None


def _told(severity: Severity, pairs: Sequence[SeenElsewhere], **more: object) -> Seen:
    shown = [
        {"photo_id": str(pair.photo_id), "other_photo_id": str(pair.other_photo_id), "bits": pair.distance, "days_apart": pair.days_apart}
        for pair in pairs
    ]  # fmt: skip
    return Seen(severity, {"photos": len({pair.photo_id for pair in pairs}), "pairs": shown, **more})


def elsewhere(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The file's position is far from the check-in, by more than a Chinese map datum shifts or accuracy explains.

    That of a fix from before the photo says where the phone was then, and is soft however far.
    """
    far, grave = [], False
    for check_in, photo in _shown(facts):
        if photo.exif_latitude is None or photo.exif_longitude is None:
            continue
        limit_m = max(policy.exif_place_m, policy.exif_place_accuracies * (check_in.accuracy_m or 0.0))
        away_m = _away_m(check_in, photo.exif_latitude, photo.exif_longitude)
        if away_m > limit_m:
            far.append((away_m, _named(photo)))
            grave |= away_m > policy.exif_place_medium_m and not _has_old_fix(photo, policy, facts.zone)
    if not far:
        return None
    away_m, photo_named = max(far, key=lambda pair: pair[0])
    return Seen(Severity.MEDIUM if grave else Severity.SOFT, {"photos": len(far), "distance_m": round(away_m), **photo_named})


def _has_old_fix(photo: PhotoFact, policy: IntegrityPolicy, zone: tzinfo | None) -> bool:
    by_camera, fixed_at = _by_camera(photo, photo.exif_taken_at, zone), photo.exif_taken_at
    return by_camera is not None and fixed_at is not None and (by_camera - fixed_at).total_seconds() > policy.exif_time_s


def _away_m(check_in: CheckInFact, latitude: float, longitude: float) -> float:
    """Return the metres from the check-in, of the two readings of the file the nearer: WGS 84 and GCJ-02."""
    away_m = distance_m(check_in.latitude, check_in.longitude, latitude, longitude)
    try:
        shifted = to_wgs84(latitude, longitude, Datum.GCJ02)
    except OutsideDatum:
        return away_m
    return min(away_m, distance_m(check_in.latitude, check_in.longitude, *shifted))


def at_another_time(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """The file's time is not that of the check-in; without a zone, under no zone there is."""
    off = [(off_s, _named(p)) for c, p in _shown(facts) if (off_s := _off_s(c, p, facts.zone)) is not None and off_s > policy.exif_time_s]
    if not off:
        return None
    most_s, photo_named = max(off, key=lambda pair: pair[0])
    return Seen(Severity.SOFT, {"photos": len(off), "off_s": round(most_s), "minutes": round(most_s / 60), **photo_named})


def _off_s(check_in: CheckInFact, photo: PhotoFact, in_zone: tzinfo | None) -> float | None:
    """Return the seconds between photo and check-in, the least of what the file can mean, None when it does not say."""
    taken_at, local = _times(photo)
    off = [] if taken_at is None else [abs(taken_at - check_in.recorded_at)]
    if local is not None:
        zone = local - check_in.recorded_at
        nearest = min(max(round(zone / _HALF_HOUR) * _HALF_HOUR, -_LATEST_ZONE), _EARLIEST_ZONE)
        off.append(abs(zone - nearest))
    if (by_camera := _by_camera(photo, taken_at, in_zone)) is not None:
        off.append(abs(by_camera - check_in.recorded_at))
    return min(off).total_seconds() if off else None


def _times(photo: PhotoFact) -> tuple[datetime | None, datetime | None]:
    """Return what the file says of when it was taken: with a zone, and by a camera's clock as if it were UTC; None where that is unknown.

    A time with a zone is the surer one and counts alone. Times from before any phone count together, where two clocks that
    were set tell them: the satellites' and the camera's. One clock alone was never set.
    """
    taken_at, local = photo.exif_taken_at, _as_utc(photo.exif_local_time)
    if taken_at is not None and taken_at > _CLOCK_WAS_SET:
        return taken_at, None
    if local is None or local > _CLOCK_WAS_SET:
        return None, local
    if taken_at is None or abs(local - taken_at) > _CLOCKS_AGREE or (local - taken_at).total_seconds() % _QUARTER_S == 0:
        return None, None
    return taken_at, local


def _as_utc(local: str | None) -> datetime | None:
    """Return a camera's time ("2026:11:26 08:30:00", or with the dashes of ISO 8601) as if it were UTC; None for rubbish."""
    try:
        return datetime.fromisoformat((local or "").replace(":", "-", 2) if (local or "")[4:5] == ":" else local or "").replace(tzinfo=UTC)
    except ValueError:
        return None


def not_from_the_camera(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:  # noqa: ARG001 - one shape.
    """The app took the photo from the gallery, or a program that changes pictures wrote it."""
    named = []
    for photo in facts.photos:
        editor = next((name for name in EDITORS if name in (photo.software or "").lower()), None)
        if editor or photo.from_gallery:
            named.append(_named(photo) | {"software": photo.software, "camera": photo.camera, "from_gallery": photo.from_gallery})
    return Seen(Severity.SOFT, {"photos": len(named), "which": named}) if named else None


def older(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """A photo was taken before the patrol began; by a day or more it is no evidence of it."""
    early = []
    for photo in facts.photos:
        taken = [moment for moment in (photo.recorded_at, _latest(photo, facts.zone)) if moment is not None]
        if taken and (before_s := (facts.started_at - min(taken)).total_seconds()) > policy.photo_before_s:
            early.append((before_s, _named(photo)))
    if not early:
        return None
    most_s, photo_named = max(early, key=lambda pair: pair[0])
    severity = Severity.HIGH if most_s > policy.photo_before_high_s else Severity.MEDIUM
    return Seen(severity, {"photos": len(early), "before_s": round(most_s), "hours": round(most_s / 3600, 1), **photo_named})


def _latest(photo: PhotoFact, zone: tzinfo | None) -> datetime | None:
    """Return the latest moment at which the photo can have been taken, by its Exif times."""
    taken_at, local = _times(photo)
    moments = (taken_at, local and _later(local, _LATEST_ZONE), _by_camera(photo, taken_at, zone))
    return max((moment for moment in moments if moment is not None), default=None)


def _by_camera(photo: PhotoFact, taken_at: datetime | None, zone: tzinfo | None) -> datetime | None:
    """Return the camera's own time beside a surer one, `taken_at`, as cameras write it in `zone`; None where there is none of the two.

    The satellites' time is that of the receiver's last fix, which may be long before the photo, and it is right also where
    the phone's clock, by which the patrol began, is not.
    """
    local = _as_utc(photo.exif_local_time)
    return local.replace(tzinfo=zone) if taken_at and local and zone else None


def _later(moment: datetime, by: timedelta) -> datetime:
    """Return a moment so much later, itself where the calendar ends before: a camera may write its last day."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _shown(facts: PatrolFacts) -> list[tuple[CheckInFact, PhotoFact]]:
    """Return the photos of check-ins and checkpoints, each with its own; those of issues have no place and time to compare with."""
    check_ins = {check_in.id: check_in for check_in in facts.check_ins}
    answers = {point.number: point.answer for point in facts.checkpoints}
    pairs = [(check_ins.get(p.check_in_id) if p.check_in_id else answers.get(p.checkpoint or 0), p) for p in facts.photos]
    return [(shown_at, photo) for shown_at, photo in pairs if shown_at is not None]


def _named(photo: PhotoFact) -> dict[str, Any]:
    named = {"photo_id": str(photo.id), "check_in_id": None if photo.check_in_id is None else str(photo.check_in_id)}
    return named if photo.checkpoint is None else {**named, "checkpoint": photo.checkpoint}

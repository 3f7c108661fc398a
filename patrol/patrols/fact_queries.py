"""Loads what is known of a patrol into `PatrolFacts`, with the fixes, and what other patrols and photos say beside it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.orm import undefer

from patrol.foundation.database import db
from patrol.foundation.geometry import (
    Datum,
    Geometry,
    OutsideDatum,
    from_wkb,
    metres_per_mercator_unit,
    project,
    project_array,
    to_wgs84,
)
from patrol.patrols.checkpoint_queries import Checkpoint
from patrol.patrols.checkpoints import mark_of
from patrol.patrols.coverage import Coverage, cover
from patrol.patrols.datum_repairs import accepted_repairs, datum_of
from patrol.patrols.duty_lists import delegation_partners
from patrol.patrols.ending import NOT_POSSIBLE, counting_end
from patrol.patrols.examination_input import Companion, ExaminationInput, device_of
from patrol.patrols.facts import Batch, CheckInFact, CheckpointFact, DeviceUse, OtherPatrol, PatrolFacts, PhotoFact
from patrol.patrols.mark_queries import alike_before
from patrol.patrols.mislabelling import mislabelled_datum
from patrol.patrols.models import CheckIn, Patrol, PatrolReach
from patrol.patrols.motion import on_foot
from patrol.patrols.photo_sightings import seen_elsewhere
from patrol.patrols.track import NO_TRACK, Track, counting_beside
from patrol.patrols.track_marks import marks_of
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.track_queries import track_from, tracks_of
from patrol.waters.models import Reach

# So many earlier patrols are compared whatever their marks, the latest first: a replay is of something lately walked.
MOST_EARLIER = 20


def facts_of(given: ExaminationInput, *, now: datetime) -> PatrolFacts:
    """Return everything the rules look at, the coverage of each reach included; one that goes on ends with its last fix.

    With an accepted repair positions are those of the datum in which they were measured; whether they are mislabelled
    is always told of what was sent.
    """
    patrol, reaches = given.patrol, _shapes(given.patrol)
    batches = _batches_with_points(patrol.id)
    sent = track_from(patrol, batches)
    mislabelling = mislabelled_datum(sent, reaches, given.policy.datum)
    repair = mislabelling.datum if mislabelling and given.accepts_repair else None
    track = track_from(patrol, batches, repair) if repair else sent
    pauses_ms = given.pauses_ms
    marks = marks_of(track)
    overlapping, earlier = _others(given, marks)
    return PatrolFacts(
        patrol_id=patrol.id, person_id=patrol.person_id, mode=patrol.mode, started_at=patrol.started_at, ended_at=given.ended_at,
        received_at=patrol.received_at, now=now, track=track, pauses_ms=pauses_ms, no_signal_ms=given.no_signal_ms,
        reaches=reaches,
        coverages=_coverages(given, reaches, track), on_foot=_on_foot(given, reaches, track),
        check_ins=_check_ins(given.check_ins, reaches, repair), photos=_photos(given),
        seen_elsewhere=seen_elsewhere(patrol, given.photos),
        overlapping=overlapping, earlier=earlier,
        delays_s=[(row.received_at - row.last_recorded_at).total_seconds() for row in given.batches if row.last_recorded_at],
        batches=[Batch(row.received_at, row.last_recorded_at, row.sent_at) for row in given.batches if row.last_recorded_at],
        device_users=sorted({row.person_id for row in given.device_users}), device_uses=_device_uses(given, now),
        device_id=device_of(patrol), app_version=(patrol.device_details or {}).get("app_version"),
        untrusted=_untrusted(given, batches, repair), checkpoints=[_checkpoint(patrol.id, point) for point in given.counting_checkpoints],
        mislabelling=mislabelling, impossible_end=_impossible_end(given), marks=marks,
        zone=ZoneInfo(given.timezone),
    )  # fmt: skip


def _coverages(given: ExaminationInput, reaches: Sequence[Geometry], track: Track) -> list[Coverage]:
    boat, policy = given.patrol.mode == "boat", given.policy.coverage
    return [cover(reach, track, pauses_ms=given.pauses_ms, inside_counts=boat, policy=policy) for reach in reaches]


def _on_foot(given: ExaminationInput, reaches: Sequence[Geometry], track: Track) -> list[Coverage] | None:
    """Return what was covered without the fixes from a vehicle, None where there are none or no walk was declared."""
    walked = on_foot(track, given.policy.thresholds) if given.patrol.mode == "walk" else track
    return _coverages(given, reaches, walked) if len(walked) < len(track) else None


def _untrusted(given: ExaminationInput, batches: Sequence[TrackBatch], repair: Datum | None) -> Track | None:
    """Return the fixes that came from no trusted receiver, None where none is trusted.

    Of one fix that came both ways the one that counts in the track counts here: which came first decides nothing.
    """
    trusted = [given.trusts(batch.device_id, batch.received_at) for batch in batches]
    if not any(trusted):
        return None
    theirs, others = (track_from(given.patrol, [b for b, own in zip(batches, trusted, strict=True) if own is which], repair) for which in (True, False))
    return others.at(counting_beside(others, theirs))


def _checkpoint(patrol_id: UUID, point: Checkpoint) -> CheckpointFact:
    row, mark = point.answer, mark_of(patrol_id, point.number)
    answer = None if row is None else CheckInFact(mark, row.recorded_at, row.latitude, row.longitude, row.accuracy_m, row.distance_m, row.received_at)
    return CheckpointFact(point.number, point.place.key, point.result, answer)


def _impossible_end(given: ExaminationInput) -> tuple[datetime, datetime] | None:
    if given.patrol.end_reason != NOT_POSSIBLE:
        return None
    said = counting_end(given.ends)
    return said.ended_at, said.received_at


def _batches_with_points(patrol_id: UUID) -> Sequence[TrackBatch]:
    return db.session.scalars(
        select(TrackBatch).where(TrackBatch.patrol_id == patrol_id, TrackBatch.points.is_not(None))
        .options(undefer(TrackBatch.points)).order_by(TrackBatch.id)
    ).all()  # fmt: skip


def _shapes(patrol: Patrol) -> list[Geometry]:
    """Return the shapes of a patrol's reaches, in the order of the reaches."""
    rows = db.session.execute(select(Reach.id, Reach.geometry).where(Reach.id.in_([reach.id for reach in patrol.reaches])))
    stored = {row[0]: from_wkb(row[1]) for row in rows}
    return [stored[reach.id] for reach in patrol.reaches]


def _check_ins(rows: Iterable[CheckIn], reaches: Sequence[Geometry], repair: Datum | None) -> list[CheckInFact]:
    shapes = [shapely.transform(reach, project_array) for reach in reaches]
    found = []
    for row in rows:
        fact = _check_in(row, row.latitude, row.longitude, shapes)
        if repair is not None and datum_of(row.datum, repair) == repair:
            fact = min(fact, _repaired(row, shapes, repair) or fact, key=lambda fact: fact.distance_m or 0.0)
        found.append(fact)
    return found


def _check_in(row: CheckIn, latitude: float, longitude: float, shapes: Sequence[Geometry]) -> CheckInFact:
    point, unit_m = shapely.Point(project(latitude, longitude)), metres_per_mercator_unit(latitude)
    distance_m = min((float(shapely.distance(shape, point)) * unit_m for shape in shapes), default=None)
    return CheckInFact(row.id, row.recorded_at, latitude, longitude, row.accuracy_m, distance_m, row.received_at)


def _repaired(row: CheckIn, shapes: Sequence[Geometry], repair: Datum) -> CheckInFact | None:
    """Return a check-in as the repair of the track would have it: it may have come the same way, or from a map."""
    try:
        return _check_in(row, *to_wgs84(row.raw_latitude, row.raw_longitude, repair), shapes)
    except OutsideDatum:
        return None


def _photos(given: ExaminationInput) -> list[PhotoFact]:
    numbers = {mark_of(given.patrol.id, point.number): point.number for point in given.checkpoints}
    return [
        PhotoFact(
            id=photo.id, sha256=photo.sha256, check_in_id=None if on in numbers else on, checkpoint=numbers.get(on) if on else None,
            recorded_at=photo.recorded_at, likeness=photo.likeness,
            exif_taken_at=photo.exif_taken_at, exif_local_time=photo.exif_local_time, exif_latitude=photo.exif_latitude,
            exif_longitude=photo.exif_longitude, software=photo.exif_software,
            camera=photo.exif_camera, from_gallery=photo.from_gallery,
        )
        for photo, on in given.photos
    ]  # fmt: skip


def _device_uses(given: ExaminationInput, now: datetime) -> list[DeviceUse]:
    if not given.device_users:
        return []
    others, patrol = {use.person_id for use in given.device_users}, given.patrol
    partners = delegation_partners(patrol.person_id, others, day=given.day, at=patrol.started_at)
    return [
        DeviceUse(
            use.person_id, use.started_at, use.ended_at or now, delegated=use.person_id in partners, by_name=given.by_name, patrol_id=use.id,
        )
        for use in given.device_users
    ]  # fmt: skip


def _others(given: ExaminationInput, marks: Sequence[int]) -> tuple[list[OtherPatrol], list[OtherPatrol]]:
    """Return the overlapping patrols of the person, and earlier ones that may have been replayed, with their tracks."""
    earlier_ids = _earlier_ids(given.patrol, given.overlapping)
    alike = alike_before(given.patrol, marks, but=[row.id for row in given.overlapping])
    earlier_ids += [patrol_id for patrol_id in alike if patrol_id not in earlier_ids]
    wanted = [*(row.id for row in given.overlapping), *earlier_ids]
    if not wanted:
        return [], []
    patrols = {row.id: row for row in db.session.scalars(select(Patrol).where(Patrol.id.in_(wanted)))}
    tracks = tracks_of(list(patrols.values()), accepted_repairs(wanted))
    overlapping = [_other(patrols[row.id], tracks) for row in given.overlapping]
    return overlapping, [_other(patrols[patrol_id], tracks) for patrol_id in earlier_ids]


def _other(patrol: Patrol, tracks: dict[UUID, Track]) -> OtherPatrol:
    return OtherPatrol(patrol.id, patrol.person_id, patrol.started_at, patrol.ended_at, tracks.get(patrol.id, NO_TRACK))


def _earlier_ids(patrol: Patrol, overlapping: Sequence[Companion]) -> list[UUID]:
    """Return the patrols that were here before this one came, on its reaches or by its person, the latest first.

    Then those that began after it: a copy may come home before what it was copied from, and is then found of that.
    """
    return _nearest(patrol, select(Patrol.id, Patrol.started_at).where(
        Patrol.received_at < patrol.received_at, Patrol.id.not_in([patrol.id, *(row.id for row in overlapping)])
    ))  # fmt: skip


def _nearest(patrol: Patrol, among: Select[UUID, datetime]) -> list[UUID]:
    """Return, of patrols `among` which ids and starts are selected, those on the reaches of one or by its person.

    First those that began before it, the latest first, then those after it, the earliest first; so many of each.
    """
    on_reaches = select(PatrolReach.patrol_id).where(PatrolReach.reach_id.in_([reach.id for reach in patrol.reaches]))

    def nearest(began: ColumnElement[bool], *, descending: bool) -> Sequence[UUID]:
        def in_order(statement: Any, columns: Any) -> Any:
            at = columns.started_at.desc() if descending else columns.started_at
            return statement.order_by(at, columns.id).limit(MOST_EARLIER)

        found = union(*(
            select(in_order(among.where(began, of_whom), Patrol).subquery())
            for of_whom in (Patrol.person_id == patrol.person_id, Patrol.id.in_(on_reaches))
        )).subquery()  # fmt: skip
        return db.session.scalars(in_order(select(found.c.id), found.c)).all()

    return [
        *nearest(Patrol.started_at < patrol.started_at, descending=True), *nearest(Patrol.started_at >= patrol.started_at, descending=False),
    ]  # fmt: skip

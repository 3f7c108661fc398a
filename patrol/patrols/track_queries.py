"""Reads of tracks, pauses and phones' queues."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, undefer

from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.geometry import Datum
from patrol.foundation.paging import Order, Page, page_of
from patrol.patrols.datum_repairs import accepted_repairs, datum_of
from patrol.patrols.fixes import in_wgs84
from patrol.patrols.models import Patrol
from patrol.patrols.queries import NO_PATROL, visible_patrols
from patrol.patrols.track import Raw, Track, merged
from patrol.patrols.track_actions import track_in
from patrol.patrols.track_models import PatrolPause, PhoneQueue, TrackBatch
from patrol.patrols.window import window_ms
from patrol.people.actor import Actor
from patrol.people.models import AuditEntry, Person
from patrol.people.queries import region_with_code, regions_within

QUEUES_LATEST = Order("reported", (PhoneQueue.reported_at, PhoneQueue.id), descending=True)
# The act under which the audit log tells that somebody looked at another's track.
SEE_TRACK = "see_track"


def patrol_to_add_to(actor: Actor, patrol_id: UUID) -> Patrol:
    """Return a visible patrol alone, locked until the transaction ends. Raises NotFound (404)."""
    statement = (
        visible_patrols(actor, whole=False).where(Patrol.id == patrol_id)
        .with_for_update(of=Patrol).execution_options(populate_existing=True)
    )  # fmt: skip
    patrol = db.session.scalar(statement)
    if patrol is None:
        raise NotFound(NO_PATROL)
    return patrol


def track_of_patrol(patrol: Patrol) -> Track:
    """Return all stored fixes of a patrol, each once, WGS 84, cut to its time; none once they are purged.

    Where a reviewer accepted that they are in another datum than was declared, they are taken as in that one.
    """
    return tracks_of([patrol], accepted_repairs([patrol.id]))[patrol.id]


def tracks_of(patrols: Sequence[Patrol], repairs: Mapping[UUID, Datum]) -> dict[UUID, Track]:
    """Return the track of each of these patrols as `track_of_patrol`, with what `repairs` says of their datums."""
    batches: dict[UUID, list[TrackBatch]] = {patrol.id: [] for patrol in patrols}
    for batch in _with_points(batches):
        batches[batch.patrol_id].append(batch)
    return {patrol.id: track_from(patrol, batches[patrol.id], repairs.get(patrol.id)) for patrol in patrols}


def track_and_raw_of(patrol: Patrol) -> tuple[Track, list[Raw | None]]:
    """Return the track as `track_of_patrol`, and for each fix what the device sent, None where that was WGS 84.

    With an accepted repair the datum is the one as which the raw values are read.
    """
    sent: dict[tuple[int, float, float], Raw] = {}
    repair = accepted_repairs([patrol.id]).get(patrol.id)
    batches = _with_points([patrol.id])
    for batch in batches:
        if (datum := datum_of(batch.datum, repair)) is not Datum.WGS84:
            raw = track_in(batch)
            values = zip(raw.latitude.tolist(), raw.longitude.tolist(), strict=True)
            sent |= {key: Raw(latitude, longitude, datum) for key, (latitude, longitude) in zip(_keys(in_wgs84(raw, datum)), values, strict=True)}
    track = track_from(patrol, batches, repair)
    return track, [sent.get(key) for key in _keys(track)]


def _keys(track: Track) -> Iterator[tuple[int, float, float]]:
    return zip(track.recorded_ms.tolist(), track.latitude.tolist(), track.longitude.tolist(), strict=True)


def _with_points(patrol_ids: Collection[UUID]) -> Sequence[TrackBatch]:
    stored = select(TrackBatch).where(TrackBatch.patrol_id.in_(patrol_ids), TrackBatch.points.is_not(None))
    return db.session.scalars(stored.options(undefer(TrackBatch.points))).all()


def track_from(patrol: Patrol, batches: Iterable[TrackBatch], repair: Datum | None = None) -> Track:
    """Return the track in loaded batches of a patrol, with the accepted `repair` of its datum if there is one."""
    whole = merged([in_wgs84(track_in(batch), datum_of(batch.datum, repair)) for batch in batches])
    whole = whole.at(np.isfinite(whole.latitude))
    return whole.between(*window_ms(patrol.started_at, patrol.recorded_until))


def track_is_purged(patrol_id: UUID) -> bool:
    """Tell whether raw fixes of a patrol were deleted after the set time."""
    gone = select(TrackBatch.id).where(TrackBatch.patrol_id == patrol_id, TrackBatch.points.is_(None))
    return bool(db.session.scalar(select(gone.exists())))


def pauses_of(patrol_id: UUID) -> Sequence[PatrolPause]:
    """Return the pauses of a patrol in the order of time."""
    return db.session.scalars(
        select(PatrolPause).where(PatrolPause.patrol_id == patrol_id).order_by(PatrolPause.started_at, PatrolPause.id)
    ).all()


def own_patrols(actor: Actor) -> Iterator[Patrol]:
    """Yield every patrol of the actor, the earliest first, a page's worth at a time."""
    last: tuple[datetime, UUID] | None = None
    while True:
        statement = visible_patrols(actor).where(Patrol.person_id == actor.person_id)
        if last is not None:
            statement = statement.where(or_(Patrol.started_at > last[0], (Patrol.started_at == last[0]) & (Patrol.id > last[1])))
        rows = db.session.scalars(statement.order_by(Patrol.started_at, Patrol.id).limit(50)).all()
        yield from rows
        if len(rows) < 50:
            return
        last = rows[-1].started_at, rows[-1].id


def looks_at(patrol_id: UUID) -> Sequence[tuple[datetime, str | None]]:
    """Return when somebody else looked at a patrol's track and that person's name, the earliest first."""
    rows = db.session.execute(
        select(AuditEntry.at, Person.name).join(Person, Person.id == AuditEntry.actor_id, isouter=True)
        .where(AuditEntry.act == SEE_TRACK, AuditEntry.subject == str(patrol_id)).order_by(AuditEntry.at, AuditEntry.id)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def visible_queues(actor: Actor) -> Select[PhoneQueue]:
    """Select what is known of the queues on phones: one's own, and those of the people who work in one's subtree."""
    return (
        select(PhoneQueue).join(Person, Person.id == PhoneQueue.person_id)
        .where(or_(PhoneQueue.person_id == actor.person_id, Person.region_id.in_(regions_within(actor.region_path))))
        .options(joinedload(PhoneQueue.person))
    )  # fmt: skip


def list_queues(actor: Actor, *, region: str | None, waiting: bool | None, limit: int, cursor: str | None) -> Page[PhoneQueue]:
    """List queues, those heard of last first; `waiting` asks for those that hold something, or nothing."""
    statement = visible_queues(actor)
    if region:
        statement = statement.where(Person.region_id.in_(regions_within(region_with_code(region).path)))
    if waiting is not None:
        statement = statement.where(PhoneQueue.pending > PhoneQueue.settled if waiting else PhoneQueue.pending <= PhoneQueue.settled)
    return page_of(statement, QUEUES_LATEST, limit=limit, cursor=cursor)

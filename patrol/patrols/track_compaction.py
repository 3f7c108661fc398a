"""Live fixes come one by one, a row each: of a patrol that has settled they become one row, and nothing of any is lost.

What each delivery was, its id, digest and counts, stays in the row, so that a message sent again is known, and the
examination sees the same deliveries. Whatever needs the rows themselves takes them apart again.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import undefer

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.patrols.models import Patrol
from patrol.patrols.track import NO_TRACK, Source, joined
from patrol.patrols.track_encoding import decode, stored
from patrol.patrols.track_models import TrackBatch

# Nothing has arrived of it for so long, and it has ended. So few rows are not worth the work, more than so many are two.
SETTLED, LEAST_ROWS, MOST_ROWS = timedelta(days=1), 10, 5000
PATROLS_AT_ONCE = 200
# What live apps send; a phone of our own sends batches whose ids it knows and asks for.
LIVE = tuple(source.name.lower() for source in (Source.TRACCAR, Source.OSMAND, Source.OWNTRACKS))
_COUNTS = ("sent", "count", "duplicates", "outside", "ahead")


@each_hour
def compact_tracks() -> int:
    """Compact the live fixes of settled patrols, each in its own transaction; return how many rows fewer there are."""
    before, saved = clock.now() - SETTLED, 0
    single = _single()
    found = (
        select(TrackBatch.patrol_id).join(Patrol, Patrol.id == TrackBatch.patrol_id)
        .where(single, Patrol.ended_at.is_not(None))
        .group_by(TrackBatch.patrol_id, TrackBatch.source, TrackBatch.datum)
        .having(func.count() >= LEAST_ROWS, func.max(TrackBatch.received_at) < before).limit(PATROLS_AT_ONCE)
    )  # fmt: skip
    ids = db.session.scalars(found).unique().all()
    for patrol_id in ids:
        with transaction():
            saved += _compact(patrol_id, before)
    return saved


def _single() -> ColumnElement[bool]:
    # As the index ix_track_batches_single has it.
    return TrackBatch.members.is_(None) & TrackBatch.points.is_not(None) & (TrackBatch.count <= 1) & TrackBatch.source.in_(LIVE)


def _compact(patrol_id: UUID, before: datetime) -> int:
    db.session.execute(select(Patrol.id).where(Patrol.id == patrol_id).with_for_update())
    rows = db.session.scalars(
        select(TrackBatch).where(TrackBatch.patrol_id == patrol_id, _single(), TrackBatch.received_at < before)
        .order_by(TrackBatch.received_at, TrackBatch.id).options(undefer(TrackBatch.points))
    ).all()  # fmt: skip
    alike: dict[tuple[object, ...], list[TrackBatch]] = {}
    for row in rows:
        alike.setdefault((row.source, row.datum, row.device_id, orjson.dumps(row.units, option=orjson.OPT_SORT_KEYS).decode()), []).append(row)
    saved = 0
    for same in alike.values():
        for start in range(0, len(same), MOST_ROWS):
            part = same[start : start + MOST_ROWS]
            if len(part) >= LEAST_ROWS:
                db.session.add(compacted(part))
                db.session.execute(delete(TrackBatch).where(TrackBatch.id.in_([row.id for row in part])))
                saved += len(part) - 1
    return saved


def compacted(rows: Sequence[TrackBatch]) -> TrackBatch:
    """Return one row in place of several of one patrol, device, source, datum and units, with one fix at most each, points loaded."""
    first = rows[0]
    tracks = {row.id: decode(row.points, Source[row.source.upper()]) for row in rows if row.points is not None}
    ordered = sorted(rows, key=lambda row: (row.count == 0, tracks[row.id].recorded_ms[:1].tolist(), str(row.id)))
    track = joined([NO_TRACK, *(tracks[row.id] for row in ordered if row.count)])
    members = [[
        str(row.id), row.digest, [getattr(row, name) for name in _COUNTS], row.sent_at and row.sent_at.isoformat(), row.received_at.isoformat(),
        row.quarantined,
    ] for row in ordered]  # fmt: skip
    return TrackBatch(
        id=new_id(), patrol_id=first.patrol_id, source=first.source, datum=first.datum, units=dict(first.units), sent_at=None, device_id=first.device_id,
        # Raw fixes go after a set time: with the first of them that is due.
        received_at=min(row.received_at for row in rows), digest="", quarantined=[], members=zlib.compress(orjson.dumps(members), 6),
        **{name: sum(getattr(row, name) for row in rows) for name in _COUNTS} | stored(track),
    )  # fmt: skip


def deliveries_of(row: TrackBatch) -> list[TrackBatch]:
    """Return the rows that were compacted into one, as they were, belonging to no session; a plain row itself.

    The `points` of a compacted row must be loaded, and are in none of those returned once they are purged.
    """
    if row.members is None:
        return [row]
    track = None if row.points is None else decode(row.points, Source[row.source.upper()])
    found, at = [], 0
    for id_, digest, counts, sent_at, received_at, quarantined in orjson.loads(zlib.decompress(row.members)):
        one = dict(zip(_COUNTS, counts, strict=True))
        columns: dict[str, Any] = {"points": None, "first_recorded_at": None, "last_recorded_at": None}
        if track is not None:
            columns = stored(track.at(np.arange(at, at + one["count"])) if one["count"] else NO_TRACK)
        at += one["count"]
        found.append(TrackBatch(
            id=UUID(id_), patrol_id=row.patrol_id, source=row.source, datum=row.datum, units=dict(row.units), digest=digest,
            sent_at=datetime.fromisoformat(sent_at) if sent_at else None, received_at=datetime.fromisoformat(received_at),
            quarantined=quarantined, members=None, device_id=row.device_id, **one | columns,
        ))  # fmt: skip
    return found


def take_apart(patrol_id: UUID) -> None:
    """Put the rows of a locked patrol that were compacted back in place of those that hold them."""
    rows = db.session.scalars(
        select(TrackBatch).where(TrackBatch.patrol_id == patrol_id, TrackBatch.members.is_not(None), TrackBatch.points.is_not(None))
        .options(undefer(TrackBatch.points), undefer(TrackBatch.members))
    ).all()  # fmt: skip
    for row in rows:
        db.session.add_all(deliveries_of(row))
        db.session.delete(row)
    db.session.flush()


def compacted_delivery(patrol_id: UUID, batch_id: UUID) -> TrackBatch | None:
    """Return a delivery that was compacted, by its id, None when there is none."""
    rows = db.session.scalars(
        select(TrackBatch).where(TrackBatch.patrol_id == patrol_id, TrackBatch.members.is_not(None))
        .options(undefer(TrackBatch.points), undefer(TrackBatch.members))
    ).all()  # fmt: skip
    return next((one for row in rows for one in deliveries_of(row) if one.id == batch_id), None)

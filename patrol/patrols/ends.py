"""The ends that a patrol's person said are kept, and the patrol's own follows from them and its fixes. Nothing commits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation.database import db
from patrol.patrols.ending import NOT_POSSIBLE, counting_end
from patrol.patrols.models import Patrol, PatrolEnd
from patrol.patrols.track import Source
from patrol.patrols.track_encoding import decode
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.window import BY_PERSON, BY_SYSTEM, in_ms, latest_end, moment_of


def ends_of(patrol_id: UUID) -> Sequence[PatrolEnd]:
    """Return every end that was said of a patrol, the corrections in their order."""
    return db.session.scalars(
        select(PatrolEnd).where(PatrolEnd.patrol_id == patrol_id).order_by(PatrolEnd.revision, PatrolEnd.ended_at, PatrolEnd.id)
    ).all()


def settle_end(patrol: Patrol, ends: Sequence[PatrolEnd]) -> None:
    """Give a patrol the end that counts among those said, the same whatever the order in which they and the fixes came.

    One that cannot be, by the server's clock or the length of a patrol, gives way to the last fix before it.
    """
    said = counting_end(ends)
    latest = latest_end(started_at=patrol.started_at, begun_at=patrol.received_at, told_at=said.received_at)
    possible = said.ended_at <= latest
    patrol.ended_at = said.ended_at if possible else _last_fix(patrol, latest)
    patrol.ended_by, patrol.end_reason, patrol.summary = BY_PERSON, None if possible else NOT_POSSIBLE, said.summary


def follow_fixes(patrol: Patrol, batch: TrackBatch) -> None:
    """Let an end that is the last fix's, since nobody said a possible one, follow the fixes of a new batch."""
    before = patrol.ended_at
    if patrol.ended_by == BY_SYSTEM and before is not None and batch.last_recorded_at is not None:
        patrol.ended_at = max(before, end_by_fixes(patrol, batch.last_recorded_at, told_at=batch.received_at))
    elif patrol.end_reason == NOT_POSSIBLE:
        settle_end(patrol, ends_of(patrol.id))
    if patrol.ended_at != before:
        patrol.version += 1


def end_by_fixes(patrol: Patrol, last: datetime, *, told_at: datetime) -> datetime:
    """Return the end of a patrol of which nobody said one: its `last` fix, or the last that can be by what was known at `told_at`.

    One fix with the time of another year makes no patrol of years.
    """
    latest = latest_end(started_at=patrol.started_at, begun_at=patrol.received_at, told_at=told_at)
    return max(patrol.started_at, last) if last <= latest else _last_fix(patrol, latest)


def _last_fix(patrol: Patrol, latest: datetime) -> datetime:
    """Return when the last stored fix up to `latest` was recorded, else when the patrol began."""
    batches = db.session.scalars(
        select(TrackBatch).where(
            TrackBatch.patrol_id == patrol.id, TrackBatch.points.is_not(None), TrackBatch.first_recorded_at <= latest
        ).options(undefer(TrackBatch.points))
    )  # fmt: skip
    last_ms = in_ms(patrol.started_at)
    for batch in batches:
        assert batch.points is not None
        before = decode(batch.points, Source[batch.source.upper()]).between(last_ms, in_ms(latest)).recorded_ms
        last_ms = max(last_ms, int(before[-1])) if len(before) else last_ms
    return max(patrol.started_at, moment_of(last_ms))

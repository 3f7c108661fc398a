"""The marks of tracks in the database: kept at each examination, and looked up for tracks with many in common."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select

from patrol.foundation.database import db
from patrol.patrols.models import Patrol
from patrol.patrols.track_marks import LEAST_COMMON
from patrol.patrols.track_models import TrackMark

# So many tracks with marks in common are compared, those with the most first.
MOST_ALIKE = 20
# Any number that no other advisory lock of the database has.
_LOCK = 0x78756E6865


def alike_before(patrol: Patrol, marks: Sequence[int], *, but: Iterable[UUID]) -> list[UUID]:
    """Return the examined patrols that were here before this one came and have marks in common, the likest first."""
    return _found(_alike(patrol, marks, but).where(Patrol.received_at < patrol.received_at))


def alike_after(patrol: Patrol, marks: Sequence[int]) -> list[UUID]:
    """Return the examined patrols that came after this one and have marks in common: they may be copies of it."""
    return _found(_alike(patrol, marks, ()).where(Patrol.received_at > patrol.received_at))


def keep_marks(patrol_id: UUID, marks: Sequence[int]) -> bool:
    """Keep the marks of a track in place of those before; return whether that changed any. Does not commit.

    Of two tracks that are examined at once one sees the other's marks: those who write them wait for each other.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    known = db.session.scalars(select(TrackMark.mark).where(TrackMark.patrol_id == patrol_id).order_by(TrackMark.mark)).all()
    if list(known) == list(marks):
        return False
    delete_marks([patrol_id])
    if marks:
        db.session.execute(insert(TrackMark), [{"patrol_id": patrol_id, "mark": mark} for mark in marks])
    return True


def delete_marks(patrol_ids: Sequence[UUID]) -> None:
    """Delete the marks of these patrols' tracks. Does not commit."""
    db.session.execute(delete(TrackMark).where(TrackMark.patrol_id.in_(patrol_ids)))


def _alike(patrol: Patrol, marks: Sequence[int], but: Iterable[UUID]) -> Select[UUID]:
    return (
        select(TrackMark.patrol_id).join(Patrol, Patrol.id == TrackMark.patrol_id)
        .where(TrackMark.mark.in_(marks), TrackMark.patrol_id.not_in([patrol.id, *but]))
        .group_by(TrackMark.patrol_id).having(func.count() >= LEAST_COMMON)
        .order_by(func.count().desc(), TrackMark.patrol_id).limit(MOST_ALIKE)
    )  # fmt: skip


def _found(statement: Select[UUID]) -> list[UUID]:
    return list(db.session.scalars(statement).all())

"""What time does to patrols: forgotten ones are ended, old raw tracks go. Derived from stored rows, in small transactions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select, update

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.patrols.ending import NO_FIXES
from patrol.patrols.ends import end_by_fixes
from patrol.patrols.events import PatrolEnded
from patrol.patrols.mark_queries import delete_marks
from patrol.patrols.models import Patrol
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.window import BY_SYSTEM
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM
from patrol.people.retention import Kept, keep

AT_ONCE = 200
keep(Kept(
    "tracks", "Raw tracks of patrols; coverage, findings and figures made of them stay", ("track_batches", "track_marks"),
    "the patroller; who may see the patrol, and each look is written down", "{days} after their arrival, removed every hour", "TRACK_DAYS",
))  # fmt: skip


@each_hour
def end_forgotten_patrols() -> int:
    """End the patrols of which nothing has arrived for the set hours; return how many.

    What counts is when things arrived: a phone's clock may be wrong, and one that was offline for days is not
    forgotten. The end is the last fix, else the beginning; the person's own end will take its place.
    """
    hours, ended = current_app.extensions["settings"].open_patrol_hours, 0
    before = clock.now() - timedelta(hours=hours)
    lately = select(TrackBatch.id).where(TrackBatch.patrol_id == Patrol.id, TrackBatch.received_at >= before).exists()
    forgotten = (
        select(Patrol).where(Patrol.ended_at.is_(None), Patrol.received_at < before, ~lately)
        .order_by(Patrol.received_at).limit(AT_ONCE).with_for_update(of=Patrol)
    )  # fmt: skip
    while True:
        with transaction():
            patrols = db.session.scalars(forgotten).all()
            last = _last_fixes(patrols)
            for patrol in patrols:
                patrol.ended_at = end_by_fixes(patrol, last.get(patrol.id) or patrol.started_at, told_at=clock.now())
                patrol.ended_by, patrol.end_reason, patrol.version = BY_SYSTEM, NO_FIXES, patrol.version + 1
                events.record(PatrolEnded(patrol_id=patrol.id))
        ended += len(patrols)
        if len(patrols) < AT_ONCE:
            return ended


def _last_fixes(patrols: Sequence[Patrol]) -> dict[UUID, datetime | None]:
    rows = db.session.execute(
        select(TrackBatch.patrol_id, func.max(TrackBatch.last_recorded_at))
        .where(TrackBatch.patrol_id.in_([patrol.id for patrol in patrols])).group_by(TrackBatch.patrol_id)
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


@each_hour
def purge_tracks() -> int:
    """Delete the raw fixes that arrived longer ago than the set days, and the marks of their tracks; return of how many batches.

    All else stays.
    """
    before = clock.now() - timedelta(days=current_app.extensions["settings"].track_days)
    old = select(TrackBatch.id, TrackBatch.patrol_id).where(TrackBatch.points.is_not(None), TrackBatch.received_at < before).limit(AT_ONCE)
    purged = 0
    while True:
        with transaction():
            rows = db.session.execute(old).all()
            ids = [row[0] for row in rows]
            if ids:
                db.session.execute(update(TrackBatch).where(TrackBatch.id.in_(ids)).values(points=None))
                delete_marks(list({row[1] for row in rows}))
                note_audit(SYSTEM, "purge_tracks", "track_batches", batches=len(ids), received_before=before.isoformat())
        purged += len(ids)
        if len(ids) < AT_ONCE:
            return purged

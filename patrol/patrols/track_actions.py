"""Fixes are kept and pauses noted: one way in for every protocol. None of these commits."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Datum
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.ends import follow_fixes
from patrol.patrols.events import PatrolPaused, TrackArrived
from patrol.patrols.fixes import Fixes, in_wgs84
from patrol.patrols.models import Patrol
from patrol.patrols.ownership import refuse_foreign
from patrol.patrols.track import NO_TRACK, Source, Track, joined, new_in
from patrol.patrols.track_compaction import compacted_delivery, take_apart
from patrol.patrols.track_encoding import decode, stored
from patrol.patrols.track_models import NO_SIGNAL, PERSON, PatrolPause, TrackBatch
from patrol.patrols.window import AHEAD, LONGEST_PATROL, MOST_MARKS, in_ms, moment_of, window_ms
from patrol.people.actor import Actor

_ENDS_BEFORE = Text("结束时间早于开始时间", "It ends before it began")
_MARK_OUTSIDE = Text(
    "无信号的时段须在巡河时间之内：不早于巡河开始，不晚于开始后两天", "A time without signal lies within the patrol: not before its start, nor later than two days after it",
)  # fmt: skip
_TOO_MANY_MARKS = Text("每次巡河最多标记 {most} 个无信号时段", "A patrol has at most {most} times without signal")


def keep_fixes(
    *, patrol: Patrol, by: Actor, source: Source, datum: Datum, fixes: Fixes, batch_id: UUID, sent_at: datetime | None = None,
    units: Mapping[str, str] | None = None, device_id: UUID | None = None,
) -> tuple[TrackBatch, bool]:
    """Keep what is usable and new among `fixes`; return the batch and whether it is new.

    The patrol must be locked, so that of two batches with the same fixes one sees the other. A fix is left out only
    where it agrees with a stored one that is as good: the merged track is the same whatever came first.
    Raises Conflict (409) with both digests for a known batch with other content, Invalid for somebody else's patrol.
    """
    refuse_foreign(patrol, by, "patrol_id")
    digest = content_digest({"patrol_id": patrol.id, "source": source.name, "datum": datum, "points": fixes.digest, "units": units})
    known = db.session.get(TrackBatch, batch_id)
    if known is not None:
        refuse_other_content(batch_id, stored=known.digest, sent=digest)
        return known, False
    if source is not Source.APP and (known := compacted_delivery(patrol.id, batch_id)) is not None:
        return known, False
    fixes = _within(patrol, fixes, datum)
    there = in_wgs84(fixes.track, datum)
    is_new = new_in(there, _stored_beside(patrol, there)) if len(there) else np.zeros(0, bool)
    kept, now = fixes.track.at(is_new), clock.now()
    batch = TrackBatch(
        id=batch_id, patrol_id=patrol.id, source=source.name.lower(), datum=datum.value, units=dict(units or {}), sent=fixes.sent,
        duplicates=len(there) - len(kept), outside=0, ahead=int((kept.recorded_ms > in_ms(now + AHEAD)).sum()),
        sent_at=sent_at, received_at=now, digest=digest, quarantined=[[point.index, point.code] for point in fixes.aside],
        device_id=device_id,
        **stored(kept),
    )
    db.session.add(batch)
    db.session.flush()
    if len(kept):
        follow_fixes(patrol, batch)
    # Also of a delivery that brought nothing new: it goes into the examination, which else would stay out of date.
    events.record(TrackArrived(patrol_id=patrol.id, goes_on=patrol.ended_at is None))
    return batch, True


def take_out_what_lies_outside(patrol: Patrol) -> None:
    """Take the fixes outside the patrol's time out of what is stored, now that its end is known."""
    take_apart(patrol.id)
    first_ms, last_ms = window_ms(patrol.started_at, patrol.recorded_until)
    beyond = select(TrackBatch).where(
        TrackBatch.patrol_id == patrol.id, TrackBatch.points.is_not(None), TrackBatch.last_recorded_at > moment_of(last_ms)
    ).options(undefer(TrackBatch.points))  # fmt: skip
    for batch in db.session.scalars(beyond).all():
        track = track_in(batch)
        inside = track.between(first_ms, last_ms)
        batch.outside += len(track) - len(inside)
        for name, value in stored(inside).items():
            setattr(batch, name, value)
        events.record(TrackArrived(patrol_id=patrol.id, goes_on=False))


def track_in(batch: TrackBatch) -> Track:
    """Return the stored fixes of a batch as they were sent, in its own datum; its `points` must be loaded."""
    assert batch.points is not None
    return decode(batch.points, Source[batch.source.upper()])


def note_pause(
    *, patrol: Patrol, by: Actor, id: UUID, started_at: datetime, ended_at: datetime, cause: str = PERSON,  # noqa: A002
) -> tuple[PatrolPause, bool]:
    """Note under the client's id that a patrol paused, or its phone had no signal; return the pause and whether it is new.

    The patrol must be locked. Raises Conflict (409) for other content, Invalid (422) for somebody else's patrol, an end
    before the start, and marks of a lost signal that lie outside any time of the patrol or are too many.
    """
    refuse_foreign(patrol, by, "patrol_id")
    if ended_at < started_at:
        raise Invalid(_ENDS_BEFORE, errors={"ended_at": [_ENDS_BEFORE]})
    # A pause of the person has the digest that it had before there were other causes.
    other = {} if cause == PERSON else {"cause": cause}
    digest = content_digest({"patrol_id": patrol.id, "started_at": started_at, "ended_at": ended_at, **other})
    known = db.session.get(PatrolPause, id)
    if known is not None:
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    if cause == NO_SIGNAL:
        _refuse_unfit_mark(patrol, started_at, ended_at)
    pause = PatrolPause(
        id=id, patrol_id=patrol.id, cause=cause, started_at=started_at, ended_at=ended_at, received_at=clock.now(), digest=digest
    )
    db.session.add(pause)
    db.session.flush()
    events.record(PatrolPaused(patrol_id=patrol.id, goes_on=patrol.ended_at is None))
    return pause, True


def _refuse_unfit_mark(patrol: Patrol, started_at: datetime, ended_at: datetime) -> None:
    """Raise Invalid (422) for one mark too many, or one that no end of the patrol could make part of it.

    The end that was said is not asked: what it cuts off counts for nothing, whichever of the two came first.
    """
    longest_ms = round(LONGEST_PATROL.total_seconds() * 1000)
    first_ms, last_ms = window_ms(patrol.started_at, moment_of(in_ms(patrol.started_at) + longest_ms))
    if in_ms(started_at) < first_ms or in_ms(ended_at) > last_ms:
        raise Invalid(_MARK_OUTSIDE, errors={"started_at": [_MARK_OUTSIDE]})
    marks = select(PatrolPause.id).where(PatrolPause.patrol_id == patrol.id, PatrolPause.cause == NO_SIGNAL).limit(MOST_MARKS)
    if len(db.session.scalars(marks).all()) >= MOST_MARKS:
        fault = _TOO_MANY_MARKS.format(most=MOST_MARKS)
        raise Invalid(fault, errors={"cause": [fault]})


def _within(patrol: Patrol, fixes: Fixes, datum: Datum) -> Fixes:
    first_ms, last_ms = window_ms(patrol.started_at, patrol.recorded_until)
    fixes = fixes.without((fixes.track.recorded_ms < first_ms) | (fixes.track.recorded_ms > last_ms), "outside_patrol")
    return fixes.without(np.isnan(in_wgs84(fixes.track, datum).latitude), "outside_datum")


def _stored_beside(patrol: Patrol, track: Track) -> Track:
    """Return the stored fixes, WGS 84, of all batches whose time meets that of `track`: usually there are none."""
    meeting = select(TrackBatch).where(
        TrackBatch.patrol_id == patrol.id, TrackBatch.points.is_not(None),
        TrackBatch.first_recorded_at <= moment_of(int(track.recorded_ms[-1])),
        TrackBatch.last_recorded_at >= moment_of(int(track.recorded_ms[0])),
    ).options(undefer(TrackBatch.points))  # fmt: skip
    found = [in_wgs84(track_in(batch), Datum(batch.datum)) for batch in db.session.scalars(meeting)]
    return joined(found) if found else NO_TRACK

"""Handing out the seeds of checkpoints, and taking in what phones answer. None of these commits."""

import secrets
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.queries import arrived_photos
from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.geometry import distance_m
from patrol.foundation.positions import Position
from patrol.foundation.same_content import refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.checkpoint_models import CheckpointAnswer, CheckpointHandout
from patrol.patrols.checkpoint_queries import drawn_for, places_for
from patrol.patrols.events import CheckpointAnswered
from patrol.patrols.models import Patrol
from patrol.people.actor import Actor

_NOT_YOURS = Text("这次巡河不是您的", "This patrol is somebody else's")
_NOT_DRAWN = Text("这次巡河没有抽到第 {number} 个点位", "No checkpoint number {number} was drawn for this patrol")
_FOREIGN_PHOTO = Text("照片 {id} 不是您上传的", "The photo {id} is not yours")
_NEEDS_REASON = Text("无法到达时请说明原因", "A place that cannot be reached needs a reason")
_NEEDS_PHOTO = Text("请附一张现场照片，照片可稍后上传", "A photo taken there is needed; it may be uploaded later")


class NotDrawn(NotFound):
    """No checkpoint of this number was drawn, nor will be: what was handed out for a day never changes."""


def hand_out(*, by: Actor, today: date, days: int) -> list[CheckpointHandout]:
    """Return the seeds and places of `days` days from `today` on; what was handed out before stays as it was."""
    assert by.person_id
    wanted = [today + timedelta(days=n) for n in range(days)]
    there = {row.day: row for row in db.session.scalars(
        select(CheckpointHandout).where(CheckpointHandout.person_id == by.person_id, CheckpointHandout.day.in_(wanted))
    )}  # fmt: skip
    for day in wanted:
        if day in there:
            continue
        # A delegation or an appointment may begin in the days ahead.
        places = [place.as_data() for place in places_for(by, day)]
        there[day] = CheckpointHandout(person_id=by.person_id, day=day, seed=secrets.token_hex(32), places=places, made_at=clock.now())
        db.session.add(there[day])
    db.session.flush()
    return [there[day] for day in wanted]


def answer_checkpoint(
    patrol: Patrol, *, by: Actor, number: int, reached: bool, photo_id: UUID | None, reason: str | None, recorded_at: datetime,
    position: Position, digest: str, timezone: str,
) -> tuple[CheckpointAnswer, bool]:
    """Keep what was found at a checkpoint, its number counted from 1; return it and whether it is new.

    Raises NotDrawn (404) for a number that was not drawn, Conflict for another answer than before, Invalid for somebody
    else's patrol or photo, without a photo, and for a place not reached without a reason. The photo may arrive later.
    """
    if patrol.person_id != by.person_id:
        raise Invalid(_NOT_YOURS, errors={"id": [_NOT_YOURS]})
    drawn = drawn_for(patrol, timezone)
    if not 1 <= number <= len(drawn):
        raise NotDrawn(_NOT_DRAWN.format(number=number))
    known = db.session.get(CheckpointAnswer, (patrol.id, number))
    if known is not None:
        refuse_other_content(f"{patrol.id}/{number}", stored=known.digest, sent=digest)
        return known, False
    if not reached and not reason:
        raise Invalid(_NEEDS_REASON, errors={"reason": [_NEEDS_REASON]})
    if photo_id is None:
        raise Invalid(_NEEDS_PHOTO, errors={"photo_id": [_NEEDS_PHOTO]})
    if any(photo.owner_id != by.person_id for photo in arrived_photos([photo_id]).values()):
        fault = _FOREIGN_PHOTO.format(id=photo_id)
        raise Invalid(fault, errors={"photo_id": [fault]})
    place = drawn[number - 1]
    row = CheckpointAnswer(
        patrol_id=patrol.id, number=number, place=place.key, reached=reached, photo_id=photo_id, reason=reason, recorded_at=recorded_at,
        distance_m=distance_m(position.latitude, position.longitude, place.latitude, place.longitude),
        received_at=clock.now(), digest=digest, **position.columns(),
    )
    db.session.add(row)
    db.session.flush()
    events.record(CheckpointAnswered(patrol_id=patrol.id))
    return row, True

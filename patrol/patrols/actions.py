"""Patrols begin and end, people check in. None of these commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.models import Photo
from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.positions import Position
from patrol.foundation.same_content import refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.events import CheckedIn
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol
from patrol.patrols.placing import place_of
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.waters.models import Reach

_NOT_YOURS = Text("巡河记录 {id} 不是你的", "The patrol {id} is not yours")
_NO_REACHES = Text("没有这些河段:{ids}", "There are no such reaches: {ids}")
_NO_PERSON = Text("没有这个人员", "There is no such person")
_FOREIGN_PHOTOS = Text("照片 {ids} 不是你上传的", "The photos {ids} are not yours")
_ENDS_BEFORE = Text("结束时间早于开始时间", "It ends before it began")


@dataclass(frozen=True)
class AnnouncedPhoto:
    """A photo that a check-in names: by id, and by digest where the client knows it."""

    id: UUID
    sha256: str | None


def begin_patrol(
    *, by: Actor, id: UUID, reach_ids: Sequence[UUID], mode: str, started_at: datetime, on_behalf_of: UUID | None,  # noqa: A002
    device: str | None, digest: str,
) -> tuple[Patrol, bool]:
    """Begin a patrol under the client's id; return it and whether it is new. Raises Conflict for other content."""
    known = db.session.get(Patrol, id)
    if known is not None:
        _refuse_foreign(known, by, "id")
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    reaches = db.session.scalars(select(Reach).where(Reach.id.in_(reach_ids))).all()
    if missing := {str(reach_id) for reach_id in reach_ids} - {str(reach.id) for reach in reaches}:
        fault = _NO_REACHES.format(ids=", ".join(sorted(missing)))
        raise Invalid(fault, errors={"reach_ids": [fault]})
    if on_behalf_of is not None and db.session.get(Person, on_behalf_of) is None:
        raise Invalid(_NO_PERSON, errors={"on_behalf_of": [_NO_PERSON]})
    patrol = Patrol(
        id=id, person_id=by.person_id, on_behalf_of_id=on_behalf_of, region_id=reaches[0].region_id, mode=mode, device=device,
        started_at=started_at, received_at=clock.now(), digest=digest, version=1, reaches=list(reaches),
    )
    db.session.add(patrol)
    db.session.flush()
    return patrol, True


def finish_patrol(patrol: Patrol, *, by: Actor, ended_at: datetime, summary: str | None) -> Patrol:
    """End a patrol. Ending it again in the same way changes nothing; in another way it is a Conflict."""
    _refuse_foreign(patrol, by, "id")
    if ended_at < patrol.started_at:
        raise Invalid(_ENDS_BEFORE, errors={"ended_at": [_ENDS_BEFORE]})
    if patrol.ended_at is not None:
        refuse_other_content(
            patrol.id, stored=f"{patrol.ended_at.isoformat()} {patrol.summary}",
            sent=f"{ended_at.astimezone(patrol.ended_at.tzinfo).isoformat()} {summary}",
        )
        return patrol
    patrol.ended_at, patrol.summary, patrol.version = ended_at, summary, patrol.version + 1
    return patrol


_KNOWN = select(CheckIn.__table__.c.id).where(CheckIn.__table__.c.id == bindparam("id"))


def check_in(
    *, by: Actor, id: UUID, position: Position, recorded_at: datetime, sent_at: datetime | None, patrol_id: UUID | None,  # noqa: A002
    reach_id: UUID | None, checklist: dict[str, Any], note: str | None, announced: Sequence[AnnouncedPhoto],
    brought: Sequence[StoredPhoto], digest: str, tolerance_m: float,
) -> tuple[CheckIn, bool]:
    """Keep a check-in under the client's id; return it and whether it is new.

    Photos may have arrived before (`announced`, by id), come along (`brought`), or follow later. A photo that comes
    along gets an id made from the check-in's and its own digest, so that a repeated request finds it again.
    """
    # Nearly always there is none, and a question for the id alone costs a third.
    if db.session.execute(_KNOWN, {"id": id}).first() is not None:
        known = db.session.get_one(CheckIn, id)
        if known.person_id != by.person_id:
            raise Invalid(_NOT_YOURS.format(id=id), errors={"id": [_NOT_YOURS.format(id=id)]})
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    if patrol_id is not None and (patrol := db.session.get(Patrol, patrol_id)) is not None:
        _refuse_foreign(patrol, by, "patrol_id")
    _refuse_foreign_photos(announced, by)
    place = place_of(position, by=by, reach_id=reach_id, tolerance_m=tolerance_m)
    kept = [record_photo(photo, photo_id=uuid5(id, photo.sha256), owner_id=by.person_id, recorded_at=recorded_at,
                         latitude=position.latitude, longitude=position.longitude)[0] for photo in brought]
    names = dict.fromkeys([*announced, *(AnnouncedPhoto(photo.id, photo.sha256) for photo in kept)])
    row = CheckIn(
        id=id, patrol_id=patrol_id, person_id=by.person_id, region_id=place.region_id, reach_id=place.reach.id if place.reach else None,
        distance_m=place.distance_m, recorded_at=recorded_at, sent_at=sent_at, received_at=clock.now(),
        checklist=checklist, note=note, digest=digest, **position.columns(),
        photos=[CheckInPhoto(photo_id=name.id, position=index, sha256=name.sha256) for index, name in enumerate(names)],
    )
    db.session.add(row)
    db.session.flush()
    set_committed_value(row, "reach", place.reach)
    events.record(CheckedIn(check_in_id=row.id, reach_id=row.reach_id, person_id=row.person_id))
    return row, True


def _refuse_foreign(patrol: Patrol, by: Actor, field: str) -> None:
    if patrol.person_id != by.person_id:
        fault = _NOT_YOURS.format(id=patrol.id)
        raise Invalid(fault, errors={field: [fault]})


def _refuse_foreign_photos(announced: Sequence[AnnouncedPhoto], by: Actor) -> None:
    if not announced:
        return
    foreign = db.session.scalars(
        select(Photo.id).where(Photo.id.in_([name.id for name in announced]), Photo.owner_id.is_distinct_from(by.person_id))
    ).all()
    if foreign:
        fault = _FOREIGN_PHOTOS.format(ids=", ".join(map(str, foreign)))
        raise Invalid(fault, errors={"photos": [fault]})

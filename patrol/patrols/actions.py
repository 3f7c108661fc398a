"""Patrols begin and end, people check in. None of these commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid5

from sqlalchemy import insert, select

from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.events import PhotoReceived
from patrol.evidence.models import Photo
from patrol.evidence.queries import arrived_photos
from patrol.foundation import clock, events
from patrol.foundation.appending import append
from patrol.foundation.database import db, insert_unless_there, new_id
from patrol.foundation.errors import Conflict, Invalid
from patrol.foundation.positions import Position
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.delegating import delegation_in_force
from patrol.patrols.duty_lists import walkable_reaches
from patrol.patrols.ending import recorded_until
from patrol.patrols.ends import ends_of, settle_end
from patrol.patrols.events import CheckedIn, PatrolEnded
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol, PatrolEnd
from patrol.patrols.ownership import refuse_foreign
from patrol.patrols.placing import Place, place_of
from patrol.patrols.track_actions import take_out_what_lies_outside
from patrol.people.actor import Actor
from patrol.waters.models import Reach
from patrol.waters.nearby import ReachBeside

_NOT_YOUR_CHECK_IN = Text("编号 {id} 已被他人使用，请换用新编号", "The id {id} is somebody else's: send yours under a new one")
_NO_REACHES = Text("您的范围内没有这些在用的河段：{ids}", "You have no such reaches in use: {ids}")
_FOREIGN_PHOTOS = Text("照片 {ids} 不是您上传的", "The photos {ids} are not yours")
_OTHER_BYTES = Text(
    "照片 {id} 已上传，但内容不同：已存 {stored}，所报 {sent}", "The photo {id} has arrived with other content: {stored} is here, {sent} was announced"
)
_ENDED = Text(
    "巡河 {id} 已结束，内容与本次不同；如需更正，请以 If-Match 带上当前版本并写明 reason 再次提交",
    "The patrol {id} was ended otherwise: to correct that, send its ETag as If-Match and say the `reason`",
)
_ENDS_BEFORE = Text("结束时间早于开始时间", "It ends before it began")


@dataclass(frozen=True)
class AnnouncedPhoto:
    """A photo that a check-in names: by id, and by digest where the client knows it."""

    id: UUID
    sha256: str | None


def begin_patrol(
    *, by: Actor, id: UUID, reach_ids: Sequence[UUID], mode: str, started_at: datetime, on_behalf_of: UUID | None,  # noqa: A002
    device: str | None, device_details: dict[str, Any] | None = None, digest: str, timezone: str,
) -> tuple[Patrol, bool]:
    """Begin a patrol under the client's id; return it and whether it is new. It counts in its first reach's region.

    Raises Conflict for other content, Invalid for reaches that are retired or out of the person's sight, and for
    somebody else's duties without a delegation in force on the local day on which it began.
    """
    known = db.session.get(Patrol, id)
    if known is not None:
        refuse_foreign(known, by, "id")
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    day, delegation = clock.local_date(started_at, timezone), None
    if on_behalf_of is not None:
        delegation = delegation_in_force(by=by, principal_id=on_behalf_of, reach_ids=reach_ids, started_at=started_at, day=day)
    reaches = _reaches_to_walk(reach_ids, by, [on_behalf_of] if on_behalf_of else [], day)
    patrol = Patrol(
        id=id, person_id=by.person_id, on_behalf_of_id=on_behalf_of, region_id=reaches[0].region_id, mode=mode, device=device,
        device_details=device_details, started_at=started_at, received_at=clock.now(), digest=digest, version=1, reaches=sorted(reaches, key=lambda reach: reach.code),
        delegation=delegation,
    )
    db.session.add(patrol)
    db.session.flush()
    return patrol, True


def finish_patrol(
    patrol: Patrol, *, by: Actor, ended_at: datetime, summary: str | None, reason: str | None = None, revision: int | None = None,
) -> bool:  # fmt: skip
    """Keep an end of a locked patrol as its person says it; return whether it is new. Fixes beyond it leave the store.

    A correction has a `reason`, and a `revision` where a phone numbers them itself; without one it is the next. Every
    end is kept, and which of them counts does not depend on the order of their arrival (`ending.counting_end`). The
    person's word takes the place of an end that the system set.

    Raises Conflict (409) for another end than the one said before, without a reason, Invalid for one before the start.
    """
    refuse_foreign(patrol, by, "id")
    if ended_at < patrol.started_at:
        raise Invalid(_ENDS_BEFORE, errors={"ended_at": [_ENDS_BEFORE]})
    ends = list(ends_of(patrol.id))
    if said_before(ends, ended_at=ended_at, summary=summary, reason=reason):
        return False
    first = next((end for end in ends if end.reason is None), None)
    if reason is None and first is not None:
        stored, sent = ({"ended_at": at, "summary": said} for at, said in ((first.ended_at, first.summary), (ended_at, summary)))
        raise Conflict(_ENDED.format(id=patrol.id), digest_stored=content_digest(stored), digest_sent=content_digest(sent))
    number = 0 if reason is None else revision or max((end.revision for end in ends), default=0) + 1
    row = PatrolEnd(
        id=new_id(), patrol_id=patrol.id, revision=number, ended_at=ended_at, summary=summary, reason=reason, received_at=clock.now()
    )
    db.session.add(row)
    ends.append(row)
    patrol.recorded_until, patrol.version = recorded_until(ends), patrol.version + 1
    take_out_what_lies_outside(patrol)
    settle_end(patrol, ends)
    events.record(PatrolEnded(patrol_id=patrol.id))
    return True


def said_before(ends: Sequence[PatrolEnd], *, ended_at: datetime, summary: str | None, reason: str | None = None) -> bool:
    """Tell whether this very end is among those said."""
    return (ended_at, summary, reason) in {(end.ended_at, end.summary, end.reason) for end in ends}


class KeptCheckIn(NamedTuple):
    """A check-in as `check_in` leaves it; `reach` only of a new one, whose own relation is not loaded."""

    row: CheckIn
    is_new: bool
    reach: ReachBeside | None = None


def check_in(
    *, by: Actor, id: UUID, position: Position, recorded_at: datetime, sent_at: datetime | None, patrol_id: UUID | None,  # noqa: A002
    reach_id: UUID | None, checklist: dict[str, Any], note: str | None, announced: Sequence[AnnouncedPhoto],
    brought: Sequence[StoredPhoto], digest: str, tolerance_m: float, day: date | None = None, is_absent: bool = False,
) -> KeptCheckIn:
    """Keep a check-in under the client's id; return it, whether it is new, and on which reach a new one is.

    Photos may have arrived before (`announced`, by id), come along (`brought`), or follow later. A photo that comes
    along gets an id made from the check-in's and its own digest, so that a repeated request finds it again. Without a
    `reach_id`, `day` is the local day on which the person's appointments count. `is_absent` says that no such id was here
    a moment ago: it is then written with others, and if somebody was faster, that raises IntegrityError.
    """
    try:
        place = _fitting_place(position, by, patrol_id, reach_id, announced, tolerance_m, day)
    except Invalid:
        # What is here already was in order when it came, whatever may have changed since.
        if db.session.get(CheckIn, id) is None:
            raise
        return _repeated(id, by, digest)
    kept = [record_photo(photo, photo_id=uuid5(id, photo.sha256), owner_id=by.person_id, recorded_at=recorded_at,
                         latitude=position.latitude, longitude=position.longitude)[0] for photo in brought]
    names = dict.fromkeys([*announced, *(AnnouncedPhoto(photo.id, photo.sha256) for photo in kept)])
    row = _insert({
        "id": id, "patrol_id": patrol_id, "person_id": by.person_id, "region_id": place.region_id,
        "reach_id": place.reach.id if place.reach else None, "distance_m": place.distance_m, "recorded_at": recorded_at,
        "sent_at": sent_at, "received_at": clock.now(), "checklist": checklist, "note": note, "digest": digest,
        **position.columns(),
    }, [{"check_in_id": id, "photo_id": name.id, "position": at, "sha256": name.sha256} for at, name in enumerate(names)], is_absent)
    if row is None:
        return _repeated(id, by, digest)
    events.record(CheckedIn(check_in_id=row.id, patrol_id=row.patrol_id, reach_id=row.reach_id, person_id=row.person_id))
    return KeptCheckIn(row, True, place.reach)


def _fitting_place(
    position: Position, by: Actor, patrol_id: UUID | None, reach_id: UUID | None, announced: Sequence[AnnouncedPhoto],
    tolerance_m: float, day: date | None,
) -> Place:  # fmt: skip
    if patrol_id is not None and (patrol := db.session.get(Patrol, patrol_id)) is not None:
        refuse_foreign(patrol, by, "patrol_id")
    _refuse_unfit_photos(announced, by)
    return place_of(position, by=by, reach_id=reach_id, tolerance_m=tolerance_m, day=day)


def _insert(values: dict[str, Any], photos: list[dict[str, Any]], is_absent: bool) -> CheckIn | None:
    """Write a check-in and return it, None when its id is taken.

    It is not the session's, nor the mapper's: a row that nobody changes in their care would cost a tenth of the whole request.
    """
    if is_absent:
        append(CheckIn, values)
        for photo in photos:
            append(CheckInPhoto, photo)
    elif not insert_unless_there(CheckIn, values, alone=not photos and values["patrol_id"] is None):
        # A patrol has its examination asked for with each of its check-ins.
        return None
    elif photos:
        db.session.execute(insert(CheckInPhoto), photos)
    return cast("CheckIn", SimpleNamespace(**values, photos=[SimpleNamespace(**photo) for photo in photos]))


def _repeated(id: UUID, by: Actor, digest: str) -> KeptCheckIn:  # noqa: A002
    known = db.session.get_one(CheckIn, id)
    if known.person_id != by.person_id:
        raise Invalid(_NOT_YOUR_CHECK_IN.format(id=id), errors={"id": [_NOT_YOUR_CHECK_IN.format(id=id)]})
    refuse_other_content(id, stored=known.digest, sent=digest)
    return KeptCheckIn(known, False)


def _reaches_to_walk(reach_ids: Sequence[UUID], by: Actor, principals: list[UUID], day: date) -> list[Reach]:
    found = {reach.id: reach for reach in db.session.scalars(walkable_reaches(by, principals, day).where(Reach.id.in_(reach_ids)))}
    if missing := {str(reach_id) for reach_id in reach_ids if reach_id not in found}:
        fault = _NO_REACHES.format(ids=", ".join(sorted(missing)))
        raise Invalid(fault, errors={"reach_ids": [fault]})
    return [found[reach_id] for reach_id in dict.fromkeys(reach_ids)]


def _refuse_unfit_photos(announced: Sequence[AnnouncedPhoto], by: Actor) -> None:
    there = arrived_photos(name.id for name in announced)
    if foreign := [str(photo_id) for photo_id, photo in there.items() if photo.owner_id != by.person_id]:
        fault = _FOREIGN_PHOTOS.format(ids=", ".join(foreign))
        raise Invalid(fault, errors={"photos": [fault]})
    for name in announced:
        if name.sha256 and name.id in there and there[name.id].sha256 != name.sha256:
            stored = there[name.id].sha256
            fault = _OTHER_BYTES.format(id=name.id, stored=stored, sent=name.sha256)
            raise Invalid(fault, errors={"photos": [fault]}, digest_stored=stored, digest_sent=name.sha256)


@events.subscribe(PhotoReceived)
def refuse_unannounced_content(received: PhotoReceived) -> None:
    """Raise Conflict (409) when a check-in of the photo's own sender announced other content under its id."""
    announced = db.session.scalar(
        select(CheckInPhoto.sha256)
        .join(CheckIn, CheckIn.id == CheckInPhoto.check_in_id)
        .join(Photo, (Photo.id == CheckInPhoto.photo_id) & (Photo.owner_id == CheckIn.person_id))
        .where(CheckInPhoto.photo_id == received.photo_id, CheckInPhoto.sha256 != received.sha256)
        .limit(1)
    )
    if announced is not None:
        refuse_other_content(received.photo_id, stored=announced, sent=received.sha256)

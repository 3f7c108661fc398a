"""Changes of appointments and boards by hand. None of these commits."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import events
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.foundation.positions import Position
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Role
from patrol.waters.events import ReachHandedOver
from patrol.waters.models import Appointment, Reach, Signboard
from patrol.waters.periods import Period, is_reversed, overlap
from patrol.waters.terms import NO_CHIEF, answers_for_reach, is_chief_proper, post_name

_NO_REACH = Text("没有这个河段，或不在您的管辖范围内：{given}", "There is no such reach, or it is outside your area: {given}")
_NO_PERSON = Text("没有这个人员，或不在您的管辖范围内：{given}", "There is no such person, or not in your area: {given}")
_DISABLED = Text("{name} 的账号已停用", "The account of {name} is disabled")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_OVERLAPS = Text(
    "{name} 自 {start} 起已在该河段任“{title}”", "{name} already holds the post {title} at this reach from {start} on"
)
_NOT_HIS = Text("不在您的管辖范围内，不能更改", "It is outside your area: you cannot change it")
_SAME_PERSON = Text("接任者与现任是同一人", "The successor is the same person")
_BEFORE = Text("移交日期必须晚于任职开始日期 {start}", "The hand-over must come after the appointment's first day, {start}")
_ENDED = Text("任职已于 {end} 结束", "The appointment has ended on {end}")
_BOARD_TAKEN = Text("公示牌编号 {code} 已被使用", "The board code {code} is taken")


def appoint(
    *, by: Actor, reach: UUID | str, person: UUID | str, title: str, valid_from: date, valid_to: date | None,
    id: UUID | None = None,  # noqa: A002
) -> tuple[Appointment, bool]:
    """Make a person (id or user name) chief of a reach (id or code); return the appointment, and whether it is new.

    Raises Invalid for what the actor's area does not hold, for somebody without the role chief and for reversed days;
    Conflict when the same post overlaps or the id stands for something else.
    """
    of_reach, chief = _reach(reach, by), _person(person, by, "person_id" if isinstance(person, UUID) else "username")
    content = {"reach_id": of_reach.id, "person_id": chief.id, "title": title, "valid_from": valid_from, "valid_to": valid_to}
    earlier = db.session.get(Appointment, id, options=[joinedload(Appointment.reach), joinedload(Appointment.person)]) if id else None
    if earlier is not None:
        stored = {name: getattr(earlier, name) for name in content}
        if earlier.version > 1:
            # Its end was changed since; a phone or script that repeats the creation still means this appointment.
            content["valid_to"] = stored["valid_to"]
        refuse_other_content(id, stored=content_digest(stored), sent=content_digest(content))
        return earlier, False
    _refuse_no_chief(chief, title, "person_id" if isinstance(person, UUID) else "username")
    _refuse_period(of_reach, chief, title, (valid_from, valid_to))
    appointment = Appointment(
        id=id or new_id(), reach=of_reach, person=chief, title=title, valid_from=valid_from, valid_to=valid_to, version=1
    )
    db.session.add(appointment)
    db.session.flush()
    note_audit(by, "appoint", str(appointment.id), reach=of_reach.code, person=str(chief.id), title=title,
               valid_from=str(valid_from), valid_to=valid_to and str(valid_to))
    return appointment, True


def change_end(appointment: Appointment, *, by: Actor, valid_to: date | None) -> Appointment:
    """Let an appointment end on another day, None for until further notice.

    Raises NotAllowed (403) for one of a reach outside the actor's area, Invalid (422) for reversed days, Conflict (409) when the same post overlaps.
    """
    _refuse_foreign(appointment, by)
    _refuse_period(appointment.reach, appointment.person, appointment.title, (appointment.valid_from, valid_to), other_than=appointment.id)
    note_audit(by, "change_appointment", str(appointment.id), before=_day(appointment.valid_to), valid_to=_day(valid_to))
    appointment.valid_to = valid_to
    appointment.version += 1
    return appointment


def hand_over(appointment: Appointment, *, by: Actor, to: UUID | str, on: date) -> Appointment:
    """Let a successor (id or user name) take an appointment over on a day; return the successor's.

    The old one ends the day before, the new one lasts as long as the old one would have. Raises Invalid for a
    successor outside the area, disabled, the same or without the role chief, and for a day outside the appointment;
    NotAllowed (403) for a reach outside the area, Conflict (409) when the successor holds the same post already.
    """
    _refuse_foreign(appointment, by)
    successor = _person(to, by, "to_person_id" if isinstance(to, UUID) else "username")
    fault = None
    if on <= appointment.valid_from:
        fault = _BEFORE.format(start=appointment.valid_from)
    elif appointment.valid_to is not None and on > appointment.valid_to:
        fault = _ENDED.format(end=appointment.valid_to)
    if fault:
        raise Invalid(fault, errors={"on": [fault]})
    if successor.id == appointment.person_id:
        raise Invalid(_SAME_PERSON, errors={"to_person_id": [_SAME_PERSON]})
    _refuse_no_chief(successor, appointment.title, "to_person_id" if isinstance(to, UUID) else "username")
    period = (on, appointment.valid_to)
    _refuse_period(appointment.reach, successor, appointment.title, period)
    appointment.valid_to = on - timedelta(days=1)
    appointment.version += 1
    following = Appointment(
        id=new_id(), reach=appointment.reach, person=successor, title=appointment.title, valid_from=on, valid_to=period[1], version=1
    )
    db.session.add(following)
    db.session.flush()
    note_audit(by, "hand_over", str(appointment.id), to=str(following.id), on=str(on), reach=appointment.reach.code)
    events.record(ReachHandedOver(
        reach_id=appointment.reach_id, from_person_id=appointment.person_id, to_person_id=successor.id,
        title=appointment.title, on=on,
    ))
    return following


def put_up_board(
    *, by: Actor, code: str, reach: UUID | str, position: Position, id: UUID | None = None  # noqa: A002
) -> tuple[Signboard, bool]:
    """Add a board at a reach (id or code); return it, and whether it is new.

    Raises Conflict (409) for a taken code or id, Invalid (422) for a reach that the actor's area does not hold.
    """
    of_reach = _reach(reach, by)
    content: dict[str, Any] = {
        "code": code, "reach_id": of_reach.id, "latitude": position.latitude, "longitude": position.longitude,
    }
    earlier = db.session.get(Signboard, id, options=[joinedload(Signboard.reach)]) if id else None
    if earlier is not None:
        stored = {name: getattr(earlier, name) for name in content}
        refuse_other_content(id, stored=content_digest(stored), sent=content_digest(content))
        return earlier, False
    if db.session.scalar(select(Signboard.id).where(Signboard.code == code)) is not None:
        raise Conflict(_BOARD_TAKEN.format(code=code))
    board = Signboard(
        id=id or new_id(), code=code, reach=of_reach, latitude=position.latitude, longitude=position.longitude, version=1
    )
    db.session.add(board)
    db.session.flush()
    note_audit(by, "put_up_board", str(board.id), code=code, reach=of_reach.code)
    return board, True


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _reach(given: UUID | str, by: Actor) -> Reach:
    wanted = Reach.id == given if isinstance(given, UUID) else Reach.code == given
    reach = db.session.scalar(
        select(Reach).where(wanted, Reach.retired_at.is_(None)).options(joinedload(Reach.region))
    )
    if reach is None or not by.covers(reach.region.path):
        fault = _NO_REACH.format(given=given)
        raise Invalid(fault, errors={"reach_id" if isinstance(given, UUID) else "reach_code": [fault]})
    return reach


def _person(given: UUID | str, by: Actor, field: str) -> Person:
    wanted = Person.id == given if isinstance(given, UUID) else Person.username == given.strip().lower()
    person = db.session.scalar(select(Person).where(wanted).options(joinedload(Person.region)))
    if person is None or not by.covers(person.region.path):
        fault = _NO_PERSON.format(given=given)
    elif person.disabled_at is not None:
        fault = _DISABLED.format(name=person.name)
    else:
        return person
    raise Invalid(fault, errors={field: [fault]})


def _refuse_no_chief(person: Person, title: str, field: str) -> None:
    if answers_for_reach(title) and Role.CHIEF not in person.roles:
        fault = NO_CHIEF.format(name=person.name, title=post_name(title))
        raise Invalid(fault, errors={field: [fault]})


def _refuse_foreign(appointment: Appointment, by: Actor) -> None:
    # Somebody sees his own appointment outside his region, which does not make him the one to change it.
    path = db.session.scalar(select(Region.path).where(Region.id == appointment.reach.region_id))
    if path is None or not by.covers(path):
        raise NotAllowed(_NOT_HIS)


def _refuse_period(reach: Reach, person: Person, title: str, period: Period, *, other_than: UUID | None = None) -> None:
    if is_reversed(period):
        raise Invalid(_REVERSED, errors={"valid_to": [_REVERSED]})
    # Locked, so that of two overlapping appointments made at the same moment one comes second and sees the other.
    db.session.execute(select(Reach.id).where(Reach.id == reach.id).with_for_update())
    theirs = db.session.scalars(select(Appointment).where(Appointment.reach_id == reach.id, Appointment.person_id == person.id))
    for other in theirs:
        # Whoever is chief of a reach is so once, under whatever title.
        same_post = other.title == title or (is_chief_proper(other.title) and is_chief_proper(title))
        if same_post and other.id != other_than and overlap(period, (other.valid_from, other.valid_to)):
            raise Conflict(_OVERLAPS.format(name=person.name, start=other.valid_from, title=post_name(other.title)))

"""Who signs for a district: how a major issue ends, and what goes on the ledger ("office with the general chief").

The head of a district, its general chief (总河长), is whoever answers, as no deputy, for a reach of the county's level
there. Where no such chief can sign an issue, since none is appointed or each has worked on it, the chief of the next
level up does, and where there is none either, a supervisor over the place: nothing waits for somebody who is not there.
"""

from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from patrol.foundation.database import db
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.issues.four_eyes import is_own_work_of
from patrol.issues.lifecycle import Verb
from patrol.issues.models import Issue
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission as P
from patrol.people.permissions import Role
from patrol.people.queries import holds
from patrol.waters.models import Appointment, Reach
from patrol.waters.queries import answering
from patrol.waters.terms import DEPUTY, DEPUTY_TITLES, is_deputy

LEVELS = ("county", "city", "province")
"""The levels whose chiefs sign; the first that can."""
_MOST_NAMED = 3
_WHO_CAN = Text("{why}；本件现在可由 {names} 签字", "{why}; this one can be signed now by {names}")
_NOBODY_CAN = Text(
    "{why}；本件现在无人可以签字：请任命县级河长，或设督查员", "{why}; nobody can sign this one now: appoint a chief of the district, or a supervisor"
)


class Higher(NamedTuple):
    """Leave to sign, at and below `path`, what no chief of the `lower` levels can."""

    path: str
    lower: tuple[str, ...]


def signs_higher(actor: Actor, today: date) -> tuple[Higher, ...]:
    """Return where the actor signs what the chiefs below cannot: as a supervisor, or as the chief of a city or a province."""
    if not actor.may(P.CLOSE_MAJOR_ISSUE) or actor.person_id is None:
        return ()
    if actor.may(P.REVIEW_ISSUE) and actor.may(P.SUPERVISE_ISSUE):
        return (Higher(actor.region_path, LEVELS),)
    if Role.CHIEF not in actor.roles:
        return ()
    rows = db.session.connection().execute(_WATERS_ABOVE, {"me": actor.person_id, "today": today})
    places = sorted({(path, level) for path, level, title in rows if not is_deputy(title)})
    return tuple(Higher(path, LEVELS[: LEVELS.index(level)]) for path, level in places)


# Whoever may sign is asked at each answer, and so it is put together once.
_WATERS_ABOVE = planned_once(
    select(Region.path, Reach.level, Appointment.title).join(Reach, Reach.region_id == Region.id)
    .join(Appointment, Appointment.reach_id == Reach.id).join(Person, Person.id == Appointment.person_id)
    .where(
        Person.id == bindparam("me"), Reach.level.in_(LEVELS[1:]), Reach.retired_at.is_(None), answering(bindparam("today", type_=Date)),
    )
)  # fmt: skip


# It is put together anew each day: that takes longer than asking it.
@lru_cache(maxsize=32)
def is_left_to(higher: tuple[Higher, ...], today: date) -> ColumnElement[bool]:
    """Return the condition that an issue lies where one of `higher`, of which there is one, signs, and no chief of its lower levels can."""
    place = aliased(Region)
    lies_in = select(place.id).where(place.id == Issue.region_id).correlate(Issue)
    return or_(*(
        and_(
            lies_in.where(place.path.startswith(row.path, autoescape=True)).exists(),
            ~_able(_chiefs(row.lower, today, Person.id), today).correlate(Issue).exists(),
        ) for row in higher
    ))  # fmt: skip


def left_to(issue_ids: Collection[UUID], higher: tuple[Higher, ...], today: date) -> set[UUID]:
    """Return which of these stored issues are left to one of `higher`; one statement at most."""
    if not issue_ids or not higher:
        return set()
    return set(db.session.scalars(select(Issue.id).where(Issue.id.in_(issue_ids), is_left_to(higher, today))))


def who_can_sign(issue: Issue, today: date, verb: Verb | None = None) -> Sequence[Person]:
    """Return who can sign a stored issue: of the lowest level with somebody who did not work on it; supervisors where no chief can.

    To take it off the ledger (`verb`) checks nobody's work: whoever worked on it signs that, too.
    The chiefs of the issue's own water come first: whoever answers for it is asked and told before others of that level.
    """
    rank, own = case({level: n for n, level in enumerate(LEVELS)}, value=Reach.level), aliased(Reach)
    is_its_water = Reach.water_body_id == select(own.water_body_id).where(own.id == issue.reach_id).scalar_subquery()
    order = (rank, case((is_its_water, 0), else_=1), Person.username)
    able = _over_its_place if verb is Verb.RESUME else partial(_able, today=today)
    chiefs = db.session.execute(able(_chiefs(LEVELS, today, Person, rank)).where(Issue.id == issue.id).order_by(*order)).all()
    if chiefs:
        return list(dict.fromkeys(person for person, its in chiefs if its == chiefs[0][1]))
    above = select(Person).join(Region, Region.id == Person.region_id).where(holds(Role.SUPERVISOR), Person.disabled_at.is_(None))
    return db.session.scalars(able(above).where(Issue.id == issue.id).order_by(func.length(Region.path).desc(), Person.username)).all()


def saying_who(why: Text, issue: Issue, today: date, verb: Verb | None = None) -> Text:
    """Return the reason of a refused signature, and who can give it."""
    everybody = who_can_sign(issue, today, verb)
    able, more = everybody[:_MOST_NAMED], len(everybody) - _MOST_NAMED
    if not able:
        return _NOBODY_CAN.format(why=why)
    zh, en = ([f"{person.name}{before}{person.title}{after}" if person.title else person.name for person in able]
              for before, after in (("（", "）"), (" (", ")")))  # fmt: skip
    others = (f"等{len(everybody)}人", f" and {more} more") if more > 0 else ("", "")
    return _WHO_CAN.format(why=why, names=Text("、".join(zh) + others[0], ", ".join(en) + others[1]))


def _chiefs(levels: Sequence[str], today: date, *columns: Any) -> Select[Any]:
    """Select `columns` of the chiefs, no deputies, who answer today for reaches of these levels; `Region` is the reach's."""
    # The few reaches of these levels come first: taken for a join, the database went through the appointments of all chiefs.
    of_levels = select(Reach.id).where(Reach.level.in_(levels), Reach.retired_at.is_(None)).offset(0)
    is_deputy = or_(Appointment.title.regexp_match(DEPUTY), func.lower(Appointment.title).in_(DEPUTY_TITLES))
    return (
        select(*columns).select_from(Appointment).join(Reach, Reach.id == Appointment.reach_id).join(Region, Region.id == Reach.region_id)
        .join(Person, Person.id == Appointment.person_id)
        .where(Appointment.reach_id.in_(of_levels), answering(today), ~is_deputy, holds(Role.CHIEF))
    )  # fmt: skip


def _able(people: Select[Any], today: date) -> Select[Any]:
    """Narrow a selection of people with a region to those over an issue's place who did not work on it."""
    return _over_its_place(people).where(~is_own_work_of(Person.id, today))


def _over_its_place(people: Select[Any]) -> Select[Any]:
    place = aliased(Region)
    return people.join(place, place.path.startswith(Region.path)).where(place.id == Issue.region_id)

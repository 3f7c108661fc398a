"""Four eyes: who may not check an issue, since it is their own work, or that of somebody whom they stand in for.

Own work is what one leads or co-handles, or was put in charge of by a dispatch once, rectified, or took a step of at any time, and a charge
against oneself. People who act for each other are one
pair of eyes: whoever did so on any day from the issue's last dispatch until today, and along the whole chain: a deputy's
deputy sees with the principal's eyes too. It is one condition of the database,
for the steps that check or end it (verify, return, close, reject once accepted, suspend), the decisions on more time and on
reopening, spot checks, and the lists of what waits.
"""

from collections.abc import Callable, Collection
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from patrol.foundation.database import among_ids, db, ids_as_text
from patrol.foundation.postgresql import planned_once
from patrol.issues.accusation_models import AlsoAccused
from patrol.issues.history import HAND_OVER, REPORT_PART
from patrol.issues.lifecycle import Verb
from patrol.issues.models import CoHandler, HistoryEntry, Issue
from patrol.people.models import Person

Known = BindParameter[Any]
"""What stands for a value in a statement that is kept ready."""
StandIns = Callable[[ColumnElement[UUID], ColumnElement[date], date | Known], Select[UUID]]
WORK = (Verb.START.value, Verb.PROGRESS.value, Verb.RECTIFY.value, REPORT_PART)
"""The entries of a history by which somebody worked on the issue."""
NAMING = (Verb.DISPATCH.value, HAND_OVER)
"""The entries of a history by which somebody was put in charge."""
CHECKS = (Verb.VERIFY.value, Verb.CLOSE.value)
"""The entries by which somebody said that it is put right: what a look at it later may not confirm by the same eyes."""
_ways: list[StandIns] = []


def stands_in_through(way: StandIns) -> StandIns:
    """Register the decorated function of a higher room.

    Given somebody, as a column, it selects the ids of those who acted for that person, or for whom that person acted, on
    any local day from the one to the other, both included. The first day is an expression of the database.
    """
    _ways.append(way)
    return way


def is_own_work_of(
    person_id: UUID | InstrumentedAttribute[UUID] | Known, today: date | Known, *, verbs: Collection[str] = WORK, alone: bool = False
) -> ColumnElement[bool]:
    """Return the condition that an issue is somebody's own work; `today` is the local day on which it would be checked.

    Somebody is an id, or that column of the people selected. `verbs` are the entries of its history that make it so.
    `alone` says that the person `looks_alone`: the condition is the same then, and far simpler.
    """
    who: Any = literal(person_id, Issue.id.type) if isinstance(person_id, UUID) else person_id
    if alone:
        return _worked_on_by(who, verbs)
    # The day of UTC is never later than the local one: at most one more day of standing in counts.
    since: ColumnElement[Any] = func.date(func.coalesce(Issue.dispatched_at, Issue.received_at))
    eyes = select(who.label("id")).correlate(Person).cte("eyes", recursive=True, nesting=True)
    eyes = eyes.union(*(way(eyes.c.id, since, today).correlate(Issue) for way in _ways))
    # Whom a charge is about does not see it; who stands in for him in an office above would decide on it for him.
    also = select(AlsoAccused.issue_id).where(AlsoAccused.issue_id == Issue.id, AlsoAccused.person_id == eyes.c.id).correlate(Issue, eyes)
    about = or_(Issue.accused_id == eyes.c.id, also.exists())
    return select(eyes.c.id).where(or_(_worked_on_by(eyes.c.id, verbs, eyes), about)).correlate(Issue, Person).exists()


def _worked_on_by(who: Any, verbs: Collection[str], *beside: CTE) -> ColumnElement[bool]:
    """Return the condition, never unknown, that `who`, an expression that may be of a table `beside` the issue, worked on it."""
    helps = select(CoHandler.issue_id).where(CoHandler.issue_id == Issue.id, CoHandler.person_id == who)
    # A lead who was called back is named by the history alone, in JSON: there ids have hyphens, which SQLite's own have not.
    put = func.coalesce(HistoryEntry.changes["lead_id"].as_string(), "") + func.coalesce(HistoryEntry.changes["co_handlers"].as_string(), "")
    named = func.replace(put, "-", "").contains(func.replace(cast(who, String), "-", ""))
    told = select(HistoryEntry.id).where(
        HistoryEntry.issue_id == Issue.id,
        or_(and_(HistoryEntry.verb.in_(verbs), HistoryEntry.actor_id == who), and_(HistoryEntry.verb.in_(NAMING), named)),
    )
    return or_(
        func.coalesce(Issue.lead_id == who, False), func.coalesce(Issue.rectified_by_id == who, False),
        *(each.correlate(Issue, *beside).exists() for each in (helps, told)),
    )  # fmt: skip


def looks_alone(person_id: UUID, today: date) -> bool:
    """Tell whether somebody acts for nobody until `today`, and never has, and nobody for that person: a pair of eyes alone."""
    return not db.session.connection().execute(_ever_together(len(_ways)), {"me": person_id, "today": today}).scalar()


@cache
def _ever_together(_ways_known: int) -> Select[bool]:
    me, today, ever = bindparam("me", type_=Issue.id.type), bindparam("today", type_=Date), literal(date(1, 1, 1), Date)
    return planned_once(select(or_(false(), *(way(me, ever, today).exists() for way in _ways))))


def own_work(issue_ids: Collection[UUID], person_id: UUID | None, today: date, *, verbs: Collection[str] = WORK) -> set[UUID]:
    """Return which of these stored issues are somebody's own work; one statement. The system works on nothing.

    For a look-back `verbs` are `WORK` and `CHECKS`: whoever said that it is put right is not to say so again.
    """
    if person_id is None:
        return set()
    dialect = db.engine.dialect.name
    values = {"ids": ids_as_text(issue_ids, dialect), "me": person_id, "today": today}
    return set(db.session.scalars(_own_among(tuple(verbs), len(_ways), dialect), values))


@cache
def _own_among(verbs: tuple[str, ...], _ways_known: int, dialect: str) -> Select[UUID]:
    """Return the statement of `own_work`, put together once: that took longer than asking it."""
    me, today = bindparam("me", type_=Issue.id.type), bindparam("today", type_=Date)
    return planned_once(select(Issue.id).where(among_ids(Issue.id, dialect), is_own_work_of(me, today, verbs=verbs)))

"""The filters of an issue list as conditions, written so that each has an index to go by."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from patrol.foundation import clock
from patrol.foundation.database import db, held_while_reading, one_of
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Box
from patrol.foundation.paging import Order
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, Severity, Source
from patrol.issues.department_models import IssueSide
from patrol.issues.due import CLOCK_RUNS, WITHOUT_DUE
from patrol.issues.lifecycle import State
from patrol.issues.models import CoHandler, Issue
from patrol.issues.role_lists import RoleList
from patrol.issues.words import has_words, holding
from patrol.people.models import Region
from patrol.waters.models import Reach

NOW: BindParameter[datetime] = bindparam("now", callable_=clock.now, type_=Issue.due_at.type)
"""The moment at which a statement is run, in conditions that outlive it."""
_SUBTREE = "subtree"
_NO_REGION = Text("没有代码为 {code} 的行政区", "There is no region with the code {code}")
_NO_REACH = Text("没有这个河段：{reach}", "There is no such reach: {reach}")
_NO_CATEGORY = Text("没有这个问题类别：{code}", "There is no such category: {code}")
# Written as the partial index ix_issues_owing_plan has it, so that it can be chosen.
_OWES_PLAN: ColumnElement[bool] = literal_column("(issues.plan_reported_at IS NULL AND coalesce(issues.state, '') IN ('dispatched', 'in_progress'))")
_NUMBER = re.compile(r"(?:XH)?0*(\d{1,15})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a list of issues is narrowed to; whatever is None or empty does not narrow it.

    `category` is a code or the beginning of one, `region` a code (its subtree counts), `reach` an id or a code,
    `assigned_to` an account that leads or co-handles, `role_list` what the reader has to do. Moments are compared so: after and before include the moment itself.
    """

    state: Sequence[State] = ()
    source: Sequence[Source] = ()
    severity: Sequence[Severity] = ()
    category: str | None = None
    region: str | None = None
    reach: str | None = None
    role_list: RoleList | None = None
    assigned_to: UUID | None = None
    overdue: bool | None = None
    decision_late: bool | None = None
    plan_late: bool | None = None
    due_before: datetime | None = None
    review_before: date | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    bbox: Box | None = None
    q: str | None = None


def among(column: Any, ids: Select[UUID]) -> ColumnElement[bool]:
    """Return the condition that an id `column` is one of `ids`, such that an index on that column can be used.

    PostgreSQL does not use indexes for `IN (SELECT …)` beside an OR, but does for an array that it reads first.
    """
    if db.engine.dialect.name == "postgresql":
        return cast("ColumnElement[bool]", column == func.any(func.array(ids.scalar_subquery())))
    return cast("ColumnElement[bool]", column.in_(ids))


def handled_by(person_id: UUID) -> ColumnElement[bool]:
    """Return the condition that somebody leads or co-handles an issue."""
    helping = select(CoHandler.issue_id).where(CoHandler.person_id == person_id)
    return or_(Issue.lead_id == person_id, among(Issue.id, helping))


def is_joint_with(region_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Return the condition that an issue is a joint case with one of the regions as a side."""
    sides = select(IssueSide.issue_id).where(one_of(IssueSide.region_id, region_ids))
    # The flag spares nearly every row the search among the sides; the array lets the few be found by their ids.
    return and_(Issue.is_joint, among(Issue.id, sides))


def lies_in(region_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Return the condition that an issue lies in one of the regions, or is a joint case with one of them as a side."""
    return or_(one_of(Issue.region_id, region_ids), is_joint_with(region_ids))


def subtree_ids(path: str) -> list[UUID] | None:
    """Return the ids of the regions at and below `path`, None when that is every region there is."""
    held = held_while_reading()
    if held is None:
        return _subtree_ids(path)
    # Several lists of one answer ask for the same.
    if (_SUBTREE, path) not in held:
        held[_SUBTREE, path] = _subtree_ids(path)
    found: list[UUID] | None = held[_SUBTREE, path]
    return found


def _subtree_ids(path: str) -> list[UUID] | None:
    region, read = Region.__table__.c, db.session.connection()
    within = region.path.startswith(path, autoescape=True)
    if path == "/" or read.execute(select(region.id).where(~within).limit(1)).first() is None:
        return None
    return list(read.execute(select(region.id).where(within)).scalars())


def several_of(filters: Filters) -> dict[InstrumentedAttribute[Any], Sequence[Any]]:
    """Return the columns that a list is narrowed to some values of, except `state` and the region. Raises Invalid (422) as `conditions`."""
    found: dict[InstrumentedAttribute[Any], Sequence[Any]] = {}
    if filters.source:
        found[Issue.source] = filters.source
    if filters.severity:
        found[Issue.severity] = filters.severity
    if filters.category:
        found[Issue.category] = _codes(filters.category)
    if filters.reach:
        found[Issue.reach_id] = [_reach_id(filters.reach)]
    return found


def others(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of the filters on moments, places and being late."""
    found: list[ColumnElement[bool]] = []
    if filters.due_before:
        # Nothing is due before it came. The database cannot know, and would walk past all that came later.
        came = Issue.received_at <= filters.due_before
        found += [Issue.due_at <= filters.due_before, came, Issue.state.not_in(WITHOUT_DUE)]
    if filters.review_before:
        found.append(Issue.review_on <= filters.review_before)
    if filters.created_after:
        found.append(Issue.received_at >= filters.created_after)
    if filters.created_before:
        found.append(Issue.received_at <= filters.created_before)
    if filters.bbox:
        found += [
            Issue.latitude.between(filters.bbox.min_latitude, filters.bbox.max_latitude),
            Issue.longitude.between(filters.bbox.min_longitude, filters.bbox.max_longitude),
        ]
    if filters.decision_late is not None:
        found.append(decision_late() if filters.decision_late else or_(Issue.decide_by.is_(None), Issue.decide_by > clock.now()))
    if filters.plan_late is not None:
        found.append(plan_late() if filters.plan_late else or_(Issue.plan_due_at.is_(None), ~plan_late()))
    return found if filters.overdue is None else [*found, late() if filters.overdue else ~late()]


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of all filters except `state` and `list`.

    Raises Invalid (422) for a region, a reach or a category that is not.
    """
    found: list[ColumnElement[bool]] = [column.in_(values) for column, values in several_of(filters).items()]
    found += [handled_by(filters.assigned_to)] if filters.assigned_to else []
    found += [lies_in(ids)] if (ids := asked_regions(filters)) is not None else []
    return [*found, *others(filters), *([says(filters.q)] if filters.q and filters.q.strip() else [])]


def late() -> ColumnElement[bool]:
    """Return the condition that an issue is overdue now."""
    # The states are written out, not bound, so that the partial index of running clocks can be chosen.
    running = Issue.state.in_([literal(state.value, String, literal_execute=True) for state in CLOCK_RUNS])
    return and_(running, Issue.due_at <= NOW)


def decision_late() -> ColumnElement[bool]:
    """Return the condition that the office should have decided on an issue by now."""
    return Issue.decide_by <= NOW


def plan_late() -> ColumnElement[bool]:
    """Return the condition that a lead should have reported a plan by now."""
    return and_(_OWES_PLAN, Issue.plan_due_at <= NOW)


def _codes(prefix: str) -> list[str]:
    codes = [code for code in CATEGORIES if code.startswith(prefix)]
    if not codes:
        fault = _NO_CATEGORY.format(code=prefix)
        raise Invalid(fault, errors={"category": [fault]})
    return codes


def asked_regions(filters: Filters) -> list[UUID] | None:
    """Return the ids of the subtree that a list is narrowed to, None when to none. Raises Invalid (422) as `conditions`."""
    if not filters.region:
        return None
    path = db.session.scalar(select(Region.path).where(Region.code == filters.region))
    if path is None:
        fault = _NO_REGION.format(code=filters.region)
        raise Invalid(fault, errors={"region": [fault]})
    return subtree_ids(path)


def _reach_id(text: str) -> UUID:
    try:
        named = Reach.id == UUID(text)
    except ValueError:
        named = Reach.code == text
    reach_id = db.session.scalar(select(Reach.id).where(named))
    if reach_id is None:
        fault = _NO_REACH.format(reach=text)
        raise Invalid(fault, errors={"reach": [fault]})
    return reach_id


def number_in(q: str) -> int | None:
    """Return the running number that `q` certainly names ("XH0000123"), or None."""
    number = _NUMBER.fullmatch(q.strip())
    return int(number[1]) if number and q.strip()[:2].upper() == "XH" else None


def says(q: str, *, by_index: bool = True) -> ColumnElement[bool]:
    """Return the condition that the number is `q`, or that the description holds every word of it, whatever the case.

    `by_index` lets the database look the words up instead of reading descriptions.
    """
    if (certain := number_in(q)) is not None:
        return Issue.serial == certain
    words = and_(*(_holds(word, by_index) for word in q.split()))
    number = _NUMBER.fullmatch(q.strip())
    return or_(Issue.serial == int(number[1]), words) if number else words


def is_indexed(q: str) -> bool:
    """Tell whether some word of `q` can be looked up: it has two letters, and this database has the index."""
    return any(len(word) > 1 for word in q.split()) and (db.engine.dialect.name == "postgresql" or has_words())


def _holds(word: str, by_index: bool) -> ColumnElement[bool]:
    # Without capitals there is nothing to fold, which costs several times as much as the comparison.
    has_case = word.lower() != word.upper()
    contains = (Issue.description.icontains if has_case else Issue.description.contains)(word, autoescape=True)
    if not by_index or not is_indexed(word):
        return contains
    if db.engine.dialect.name == "postgresql":
        # Chinese words have two letters, too short for trigrams: the index ix_issues_words is over all pairs of letters.
        return and_(func.letter_pairs(Issue.description).op("@>", is_comparison=True)(func.letter_pairs(word)), contains)
    return and_(Issue.serial.in_(holding(word)), contains)


ORDERS: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "newest": (("received_at", "id"), True),
    "oldest": (("received_at", "id"), False),
    "due": (("due_at", "id"), False),
    "-due": (("due_at", "id"), True),
}
"""Each order's columns, and whether it goes downwards."""


_UNDATED = ".undated"


def parts_of(order: str) -> tuple[str, ...]:
    """Return the names of the orders that make up `order` behind each other: what shows no due date has none to be sorted by."""
    return (order, order + _UNDATED) if ORDERS[order][0][0] == Issue.due_at.key else (order,)


def has_due_dates(name: str) -> bool | None:
    """Tell whether a part holds the issues that show a due date, or those that do not; None for all."""
    return None if parts_of(name.removesuffix(_UNDATED)) == (name,) else not name.endswith(_UNDATED)


def order_of(name: str, entity: Any) -> Order:
    """Return the order `name`, or the part of one, over the columns of `entity`, Issue or an alias of it."""
    columns, descending = ORDERS[name.removesuffix(_UNDATED)]
    return Order(name, tuple(getattr(entity, column) for column in columns), descending)

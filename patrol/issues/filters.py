"""The filters of an issue list as conditions, written so that each has an index to go by."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, func, literal, or_, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Box
from patrol.foundation.paging import Order
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, Severity, Source
from patrol.issues.department_models import IssueSide
from patrol.issues.due import CLOCK_RUNS, WITHOUT_DUE
from patrol.issues.lifecycle import State
from patrol.issues.models import CoHandler, Issue
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.waters.models import Reach

_NO_REGION = Text("没有代码为 {code} 的行政区", "There is no region with the code {code}")
_NO_REACH = Text("没有这个河段:{reach}", "There is no such reach: {reach}")
_NO_CATEGORY = Text("没有这个问题类别:{code}", "There is no such category: {code}")
_NUMBER = re.compile(r"(?:XH)?0*(\d{1,15})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a list of issues is narrowed to; whatever is None or empty does not narrow it.

    `category` is a code or the beginning of one, `region` a code (its subtree counts), `reach` an id or a code,
    `assigned_to` an account that leads or co-handles. Moments are compared so: after and before include the moment itself.
    """

    state: Sequence[State] = ()
    source: Sequence[Source] = ()
    severity: Sequence[Severity] = ()
    category: str | None = None
    region: str | None = None
    reach: str | None = None
    assigned_to: UUID | None = None
    overdue: bool | None = None
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


def lies_in(region_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Return the condition that an issue lies in one of the regions, or is a joint case with one of them as a side."""
    sides = select(IssueSide.issue_id).where(IssueSide.region_id.in_(region_ids))
    # The flag spares nearly every row the search among the sides; the array lets the few be found by their ids.
    return or_(Issue.region_id.in_(region_ids), and_(Issue.is_joint, among(Issue.id, sides)))


def subtree_ids(path: str) -> list[UUID] | None:
    """Return the ids of the regions at and below `path`, None when that is every region there is."""
    outside = select(Region.id).where(~Region.path.startswith(path, autoescape=True)).limit(1)
    if path == "/" or db.session.scalar(outside) is None:
        return None
    return list(db.session.scalars(select(Region.id).where(Region.path.startswith(path, autoescape=True))))


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of all filters except `state`. Raises Invalid (422) for a region, reach, category that is not."""
    found: list[ColumnElement[bool]] = []
    if filters.source:
        found.append(Issue.source.in_(filters.source))
    if filters.severity:
        found.append(Issue.severity.in_(filters.severity))
    if filters.category:
        found.append(Issue.category.in_(_codes(filters.category)))
    if filters.region:
        found += _in_region(filters.region)
    if filters.reach:
        found.append(Issue.reach_id == _reach_id(filters.reach))
    if filters.assigned_to:
        found.append(handled_by(filters.assigned_to))
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
    if filters.q and filters.q.strip():
        found.append(_says(filters.q.strip()))
    return [*found, *_late(filters.overdue)]


def _late(overdue: bool | None) -> list[ColumnElement[bool]]:
    # The states are written out, not bound, so that the partial index of running clocks can be chosen.
    running = Issue.state.in_([literal(state.value, String, literal_execute=True) for state in CLOCK_RUNS])
    late = and_(running, Issue.due_at <= clock.now())
    return [] if overdue is None else [late if overdue else ~late]


def _codes(prefix: str) -> list[str]:
    codes = [code for code in CATEGORIES if code.startswith(prefix)]
    if not codes:
        fault = _NO_CATEGORY.format(code=prefix)
        raise Invalid(fault, errors={"category": [fault]})
    return codes


def _in_region(code: str) -> list[ColumnElement[bool]]:
    path = db.session.scalar(select(Region.path).where(Region.code == code))
    if path is None:
        fault = _NO_REGION.format(code=code)
        raise Invalid(fault, errors={"region": [fault]})
    ids = subtree_ids(path)
    return [] if ids is None else [lies_in(ids)]


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


def _says(q: str) -> ColumnElement[bool]:
    """Return the condition that the number is `q`, or that the description holds every word of it, whatever the case."""
    words = and_(*(_holds(word) for word in q.split()))
    number = _NUMBER.fullmatch(q)
    if number and q[:2].upper() == "XH":
        return Issue.serial == int(number[1])
    return or_(Issue.serial == int(number[1]), words) if number else words


def _holds(word: str) -> ColumnElement[bool]:
    contains = Issue.description.icontains(word, autoescape=True)
    if db.engine.dialect.name != "postgresql" or len(word) < 2:
        return contains
    # Chinese words have two letters, too short for trigrams: the index ix_issues_words is over all pairs of letters.
    return and_(func.letter_pairs(Issue.description).op("@>", is_comparison=True)(func.letter_pairs(word)), contains)


ORDERS: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "newest": (("received_at", "id"), True),
    "oldest": (("received_at", "id"), False),
    "due": (("due_at", "id"), False),
    "-due": (("due_at", "id"), True),
}
"""Each order's columns, and whether it goes downwards."""


def order_of(name: str, entity: Any) -> Order:
    """Return the order `name` over the columns of `entity`, Issue or an alias of it."""
    columns, descending = ORDERS[name]
    return Order(name, tuple(getattr(entity, column) for column in columns), descending)


def own_or(actor: Actor, wider: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that an issue is the actor's own business, or that `wider` holds."""
    assert actor.person_id
    return or_(wider, Issue.reporter_id == actor.person_id, handled_by(actor.person_id))

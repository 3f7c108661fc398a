"""Pages of issues, in any order and under any filters, and how many there are in each list of a role."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, false, func, literal, or_, select, union

from patrol.foundation.database import db
from patrol.foundation.paging import Page, Part, beyond, page_of_parts
from patrol.issues.branches import After, Branch, first_ids, is_split
from patrol.issues.deciding import LATE_CODE
from patrol.issues.due import CLOCK_RUNS, WITHOUT_DUE
from patrol.issues.filters import (
    Filters,
    asked_regions,
    handled_by,
    has_due_dates,
    is_indexed,
    is_joint_with,
    number_in,
    order_of,
    others,
    parts_of,
    says,
    several_of,
)
from patrol.issues.lifecycle import ENDED, State
from patrol.issues.listed import ListedIssue, listed
from patrol.issues.models import CoHandler, Issue
from patrol.issues.queries import narrowed, scope, scope_of
from patrol.issues.role_list_branches import Known, branches_of, known_of
from patrol.issues.role_lists import ListRow, RoleList, lists_for
from patrol.people.actor import Actor

WALKED = {"postgresql": 5_000, "sqlite": 2_000}
"""How many issues are read in the list's order for a word, before the index of words is asked instead.

The word of every eighth issue fills a page within some hundred, while the index would bring an eighth of all to sort.
"""
MOST_COUNTED = 500
"""How far the lists of a role are counted."""


def list_issues(actor: Actor, filters: Filters, *, order: str, limit: int, cursor: str | None) -> Page[ListedIssue]:
    """Return one page of the visible issues that pass, with all that an issue shows."""
    def part(name: str) -> Part[Issue]:
        def first(wanted: int, cursor: str | None) -> Select[Any]:
            after = partial(beyond, cursor) if cursor else None
            return ordered(actor, filters, name, limit=wanted, after=after)

        return Part(order_of(name, Issue), first)

    return page_of_parts([part(name) for name in parts_of(order)], limit=limit, cursor=cursor, read=listed)


def ordered(actor: Actor, filters: Filters, order: str, *, limit: int, after: After = None) -> Select[Any]:
    """Return the select of the first `limit` visible issues that pass, of a part of an order; the caller still orders it.

    `after` makes the condition by which a page goes on, for an order over an entity.
    """
    branches, by = _branches(actor, filters, has_due_dates(order)), order_of(order, Issue)
    if not branches:
        return select(Issue).where(false())
    if filters.q and _by_words(filters.q):
        return select(Issue).where(Issue.id.in_(_with_words(filters.q, branches, order, limit, after)))
    if len(branches) == 1 and not is_split(branches[0], by):
        return select(Issue).where(branches[0].condition())
    return select(Issue).where(Issue.id.in_(first_ids(branches, by, limit=limit, after=after)))


def _branches(actor: Actor, filters: Filters, dated: bool | None) -> list[Branch]:
    """Return the reasons for which an issue is in the list, each with all filters; only with a due date or only without, if `dated` says so."""
    several, conditions = several_of(filters), others(filters)
    # Only these can be late; without them the database walks back through all that arrived.
    states = filters.state or (CLOCK_RUNS if filters.overdue else tuple(LATE_CODE) if filters.decision_late else ())
    if states:
        several[Issue.state] = [state.value for state in states if dated is None or dated == (state not in WITHOUT_DUE)]
        if not several[Issue.state]:
            return []
    elif dated:
        conditions.append(Issue.state.not_in(WITHOUT_DUE))
    elif dated is False:
        several[Issue.state] = [state.value for state in WITHOUT_DUE]
    if filters.q and filters.q.strip() and not _by_words(filters.q):
        conditions.append(says(filters.q))
    person_id = filters.assigned_to
    if filters.role_list:
        reasons = branches_of(filters.role_list, actor)
        conditions += [handled_by(person_id)] if person_id else []
    elif person_id:
        helping = select(CoHandler.issue_id).where(CoHandler.person_id == person_id)
        reasons = [Branch({}, [Issue.lead_id == person_id], few=True), Branch({}, [Issue.id.in_(helping)], few=True)]
        visible = None if person_id == actor.person_id else scope(actor)
        conditions += [] if visible is None else [visible]
    else:
        reasons = scope_of(actor).reasons()
    if filters.plan_late:
        reasons = [replace(reason, few=True) for reason in reasons]
    ids = asked_regions(filters)
    if ids is None:
        return [branch for reason in reasons if (branch := reason.narrowed(several, conditions))]
    there = [branch for reason in reasons if (branch := reason.narrowed({**several, Issue.region_id: ids}, conditions))]
    # On a border, with a side there: few, whatever else they are in the list for.
    beside = [branch for reason in reasons if (branch := reason.narrowed(several, [*conditions, is_joint_with(ids)]))]
    return [*there, *(replace(branch, few=True) for branch in beside)]


def _by_words(q: str) -> bool:
    return number_in(q) is None and is_indexed(q)


def _with_words(q: str, branches: list[Branch], order: str, limit: int, after: After) -> Select[Any]:
    """Return the select of the ids of the first `limit` issues that say `q`.

    The beginning of the list is walked; only when that gives no full page, the index of words is asked. So a word costs
    no more than the cheaper way, whether it stands everywhere or nowhere, and the answer is the same either way.
    """
    by, passing = order_of(order, Issue), or_(*(branch.condition() for branch in branches))
    ahead = [after(by)] if after else []
    # Whether a row passes is told, not asked, within the walk: so the database cannot help walking, and stops when it has enough.
    says_so = and_(passing, says(q, by_index=False)).label("fits")
    begun = select(*by.columns, says_so).where(*ahead).order_by(*by.clauses()).limit(WALKED[db.engine.dialect.name]).subquery("begun")
    clauses = [begun.c[key.key].desc() if by.descending else begun.c[key.key] for key in by.columns]
    walked = select(*(begun.c[key.key] for key in by.columns)).where(begun.c.fits).order_by(*clauses).limit(limit).cte("walked")
    short = select(func.count()).select_from(walked).scalar_subquery() < limit
    # The OFFSET keeps the database from walking on in the order instead of asking the index.
    rest = select(*by.columns).where(short, *ahead, passing, says(q)).offset(0).subquery("looked_up")
    found = union(select(*walked.c), select(*rest.c)).subquery()
    keys = [found.c[key.key] for key in by.columns]
    return select(found.c.id).order_by(*(key.desc() if by.descending else key for key in keys)).limit(limit)


def counts(actor: Actor, filters: Filters) -> dict[str, int]:
    """Count the visible issues that pass, by each state asked for; without any, by each that is open or can be in the list."""
    found = defaultdict[str, int](int)
    states = filters.state or [state for state in State if state not in ENDED or (filters.role_list and state in LATE_CODE)]
    passing = narrowed(actor, filters)
    if filters.role_list:
        passing.append(or_(false(), *(branch.condition() for branch in branches_of(filters.role_list, actor))))
    rows = db.session.execute(select(Issue.state, func.count()).where(Issue.state.in_(states), *passing).group_by(Issue.state))
    found.update(rows.all())
    return {state.value: found[state.value] for state in states}


class OtherList(NamedTuple):
    """A list that a higher room has: its row, where it is read and by which query, and the select of the ids that somebody finds there."""

    row: ListRow
    path: str
    filter: str
    ids: Callable[[Actor], Select[UUID]]


class Counted(NamedTuple):
    """A list with how many things are in it; `more` says that there are more than were counted; `path` and `filter` give its rows."""

    name: str
    row: ListRow
    path: str
    filter: str
    number: int
    more: bool


_others: dict[str, OtherList] = {}


def register_list(name: str, other: OtherList) -> None:
    """Let a higher room's list be counted with those of issues."""
    _others[name] = other


def counted_lists(actor: Actor) -> list[Counted]:
    """Count what is in each list that the actor's roles have, all in one statement, up to `MOST_COUNTED` each."""
    found, statement = _counting(actor, known_of(actor, decides=RoleList.WAITING_FOR_ME in lists_for(actor.permissions)))
    numbers = db.session.connection().execute(statement).one() if found else ()
    return [
        Counted(*each, number=min(number, MOST_COUNTED), more=number > MOST_COUNTED) for each, number in zip(found, numbers, strict=True)
    ]


# Asked again and again by who has them open: put together anew it would take longer than counting.
@lru_cache(maxsize=64)
def _counting(actor: Actor, known: Known) -> tuple[list[tuple[str, ListRow, str, str]], Select[Any]]:
    """Return the lists of an actor of whom so much is known, and the statement that counts in each of them."""
    others = {name: other for name, other in _others.items() if other.row.for_any & actor.permissions}
    found: list[tuple[tuple[str, ListRow, str, str], ColumnElement[int]]] = [
        *(((name.value, row, "/api/v1/issues", f"list={name.value}"), _number_in(branches_of(name, actor, known)))
          for name, row in lists_for(actor.permissions).items()),
        *(((name, other.row, other.path, other.filter), _number_of(other.ids(actor))) for name, other in others.items()),
    ]  # fmt: skip
    return [each for each, _ in found], cast("Select[Any]", select(*(number for _, number in found)))


def _number_in(branches: Sequence[Branch]) -> ColumnElement[int]:
    if not branches:
        return literal(0)
    parts = [select(Issue.id).where(branch.condition()).limit(MOST_COUNTED + 1).subquery() for branch in branches]
    return _number_of(union(*(select(part.c.id) for part in parts)))


def _number_of(ids: Select[Any] | CompoundSelect[Any]) -> ColumnElement[int]:
    return select(func.count()).select_from(ids.limit(MOST_COUNTED + 1).subquery()).scalar_subquery()

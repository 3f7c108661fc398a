"""Reads of issues: every list starts from what the actor may see, and loads what an issue shows."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, false, func, or_, select, true, union_all
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from patrol.evidence.models import Photo
from patrol.evidence.visibility import photos_seen_through
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.geometry import box_around, distance_m
from patrol.foundation.paging import Order, Page, beyond, page_of
from patrol.foundation.texts import Text
from patrol.issues.allowed import ActorFacts, IssueFacts
from patrol.issues.categories import CATEGORIES, Severity, category_of
from patrol.issues.due import CLOCK_RUNS
from patrol.issues.filters import Filters, conditions, lies_in, order_of, own_or, subtree_ids
from patrol.issues.lifecycle import ENDED, State
from patrol.issues.models import Extension, HistoryEntry, Issue, IssuePart, IssuePhoto
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission as P
from patrol.waters.models import Appointment, Reach
from patrol.waters.queries import answering
from patrol.waters.terms import is_deputy

MOST_NEARBY = 5
_NO_ISSUE = Text("没有这个问题", "There is no such issue")
_CHARGES = tuple(code for code in CATEGORIES if code.startswith("F"))


def sees_charges(actor: Actor) -> bool:
    """Tell whether the actor reads what is said against chiefs: those who receive, review or audit, not the chiefs."""
    return any(actor.may(permission) for permission in (P.RECEIVE_ISSUE, P.REVIEW_ISSUE, P.SEE_AUDIT))


def scope(actor: Actor) -> ColumnElement[bool] | None:
    """Return the condition that the actor may see an issue, None when all may be seen.

    That is the actor's subtree of regions with the joint cases on its borders, what the actor's department was called in to, and what the actor reports,
    leads or co-handles. Charges against chiefs (F) in the subtree are only for those who decide on them.
    """
    if actor.person_id is None:
        return None
    ids = subtree_ids(actor.region_path)
    if ids is None and sees_charges(actor):
        return None
    area = true() if ids is None else lies_in(ids)
    called: ColumnElement[bool] = false()
    if actor.department and actor.may(P.HANDLE_ISSUE) and ids is not None:
        called = Issue.department == actor.department
    wider = or_(area, called) if ids is not None else area
    if not sees_charges(actor):
        wider = wider & Issue.category.not_in(_CHARGES)
    return own_or(actor, wider)


def visible_to(actor: Actor) -> Select[Issue]:
    """Select the issues that the actor may see."""
    condition = scope(actor)
    return select(Issue) if condition is None else select(Issue).where(condition)


@photos_seen_through("issues")
def photos_on_issues(actor: Actor) -> Select[UUID]:
    """Select the ids of the photos on issues that the actor may see; asked photo by photo, not gathered first."""
    if not actor.may(P.SEE_ISSUES):
        return select(IssuePhoto.photo_id).where(false())
    condition = scope(actor)
    on_issues = select(IssuePhoto.photo_id).where(IssuePhoto.photo_id == Photo.id).correlate(Photo)
    return on_issues if condition is None else on_issues.join(Issue, Issue.id == IssuePhoto.issue_id).where(condition)


def shown_parts(entity: Any) -> tuple[ORMOption, ...]:
    """Return the loading of what an issue shows in a list."""
    person = (Person.name, Person.title)
    return (
        joinedload(entity.region).load_only(Region.code, Region.name, Region.level, Region.path),
        joinedload(entity.reach).load_only(Reach.code, Reach.name), joinedload(entity.lead).load_only(*person),
        joinedload(entity.reporter).load_only(*person), *_kin_of(entity),
        selectinload(entity.co_handlers).load_only(*person), selectinload(entity.parts).joinedload(IssuePart.person).load_only(*person),
        selectinload(entity.photo_links).joinedload(IssuePhoto.photo)
        .load_only(Photo.recorded_at, Photo.exif_taken_at, Photo.received_at),
    )  # fmt: skip


def _kin_of(entity: Any) -> tuple[ORMOption, ...]:
    """Return the loading of the issues that one names by number; nothing is asked of the database where it names none."""
    return tuple(
        selectinload(part).load_only(Issue.serial) for part in (entity.merged_into, entity.relapse_of, entity.relapsed_in)
    )


def get_issue(actor: Actor, issue_id: UUID) -> Issue:
    """Return a visible issue with all that it shows. Raises NotFound (404)."""
    issue = db.session.scalar(_with_parts(visible_to(actor).where(Issue.id == issue_id)))
    if issue is None:
        raise NotFound(_NO_ISSUE)
    return issue


_ID_OF_ISSUE = select(Issue.__table__.c.id).where(Issue.__table__.c.id == bindparam("id"))


def find_issue(issue_id: UUID) -> Issue | None:
    """Return an issue with all that it shows, whoever asks, or None: for a create that may be a repetition."""
    # Nearly always there is none, and a question for the id alone costs a fifth.
    if db.session.scalar(_ID_OF_ISSUE, {"id": issue_id}) is None:
        return None
    return db.session.scalar(_with_parts(select(Issue).where(Issue.id == issue_id)))


def _with_parts(statement: Select[Issue]) -> Select[Issue]:
    return statement.options(
        joinedload(Issue.region), joinedload(Issue.reach).joinedload(Reach.region), joinedload(Issue.lead), joinedload(Issue.reporter),
        *_kin_of(Issue), selectinload(Issue.co_handlers), selectinload(Issue.parts).joinedload(IssuePart.person),
        selectinload(Issue.photo_links).joinedload(IssuePhoto.photo),
    )  # fmt: skip


def locked_issue(actor: Actor, issue_id: UUID) -> Issue:
    """Return a visible issue as `get_issue` does, locked until the transaction ends, as it stands now."""
    statement = _with_parts(visible_to(actor).where(Issue.id == issue_id))
    statement = statement.with_for_update(of=Issue).execution_options(populate_existing=True)
    issue = db.session.scalar(statement)
    if issue is None:
        raise NotFound(_NO_ISSUE)
    return issue


def narrowed(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions that the actor sees an issue and that it passes all filters except `state`."""
    condition = scope(actor)
    return [*conditions(filters), *([] if condition is None else [condition])]


def ordered(
    actor: Actor, filters: Filters, order: str, *, limit: int, after: Callable[[Order], ColumnElement[bool]] | None = None
) -> tuple[Select[Any], Any]:
    """Return the select of the first `limit` visible issues that pass, and the entity whose columns it has.

    The caller still orders it. `after` makes the condition by which a page goes on, for an order over an entity.

    Several states become one branch each, which ends after `limit` rows of the index that begins with the state. Asked
    for together, the database would walk past all the closed issues to the few that are open, or sort them all.
    """
    passing, states = narrowed(actor, filters), list(dict.fromkeys(filters.state))
    if filters.overdue and not states and order in {"newest", "oldest"}:
        # Only these can be late; without them the database walks back through all that arrived.
        states = list(CLOCK_RUNS)
    if len(states) < 2:
        return select(Issue).where(*passing, *(Issue.state == state for state in states)), Issue
    own_order = order_of(order, Issue)
    passing += [after(own_order)] if after else []
    firsts = [
        select(Issue.id).where(Issue.state == state, *passing).order_by(*own_order.clauses()).limit(limit).subquery()
        for state in states
    ]
    return select(Issue).where(Issue.id.in_(union_all(*(select(first.c.id) for first in firsts)))), Issue


def list_issues(actor: Actor, filters: Filters, *, order: str, limit: int, cursor: str | None) -> Page[Issue]:
    """Return one page of the visible issues that pass, with all that an issue shows."""
    after = partial(beyond, cursor) if cursor else None
    statement, entity = ordered(actor, filters, order, limit=limit + 1, after=after)
    return page_of(statement.options(*shown_parts(entity)), order_of(order, entity), limit=limit, cursor=cursor)


def list_nearby(actor: Actor, latitude: float, longitude: float, category: str) -> list[tuple[Issue, float]]:
    """Return visible open issues of the category within its radius, nearest first, with the distance in metres.

    They may be the same trouble: at most five. None for categories whose place proves nothing (radius 0).
    """
    radius_m = category_of(category).radius_m
    if not radius_m:
        return []
    box = box_around(latitude, longitude, radius_m)
    passing = [*narrowed(actor, Filters(bbox=box)), Issue.category == category, Issue.state.not_in(ENDED)]
    near = [
        (issue, distance_m(latitude, longitude, issue.latitude, issue.longitude))
        for issue in db.session.scalars(select(Issue).where(*passing).options(*shown_parts(Issue)))
    ]
    return sorted(((issue, away) for issue, away in near if away <= radius_m), key=lambda pair: pair[1])[:MOST_NEARBY]


def history_of(issue: Issue) -> Sequence[HistoryEntry]:
    """Return an issue's history from the beginning."""
    return db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue.id).order_by(HistoryEntry.seq)).all()


def extensions_of(issue: Issue) -> Sequence[Extension]:
    """Return every extension that was asked for on an issue, in order, with the people."""
    return db.session.scalars(
        select(Extension).where(Extension.issue_id == issue.id).order_by(Extension.n)
        .options(joinedload(Extension.asked_by), joinedload(Extension.decided_by))
    ).all()  # fmt: skip


def counts(actor: Actor, filters: Filters) -> dict[str, int]:
    """Count the visible issues that pass, by each state asked for; without any, by each open state."""
    found = defaultdict[str, int](int)
    states = filters.state or [state for state in State if state not in ENDED]
    rows = db.session.execute(
        select(Issue.state, func.count()).where(Issue.state.in_(states), *narrowed(actor, filters))
        .group_by(Issue.state)
    )  # fmt: skip
    found.update(rows.all())
    return {state.value: found[state.value] for state in states}


def districts_signed_by(actor: Actor, today: date) -> list[str]:
    """Return the paths of the regions whose major issues the actor may sign today: of which they are the county's chief."""
    if not actor.may(P.CLOSE_MAJOR_ISSUE) or actor.person_id is None:
        return []
    rows = db.session.execute(
        select(Region.path, Appointment.title).join(Reach, Reach.region_id == Region.id)
        .join(Appointment, Appointment.reach_id == Reach.id).join(Person, Person.id == Appointment.person_id)
        .where(Person.id == actor.person_id, Reach.level == "county", Reach.retired_at.is_(None), answering(today))
    )  # fmt: skip
    return sorted({path for path, title in rows if not is_deputy(title)})


def issue_facts(issue: Issue, now: datetime) -> IssueFacts:
    """Return what the law needs to know of a loaded issue at the moment `now`."""
    return IssueFacts(
        state=State(issue.state), severity=Severity(issue.severity), lead_id=issue.lead_id,
        co_handler_ids=frozenset(person.id for person in issue.co_handlers), department=issue.department,
        rectified_by=issue.rectified_by_id, declined=issue.declined_at is not None,
        dispatched_for=now - issue.dispatched_at if issue.dispatched_at else None,
        merged_for=now - issue.merged_at if issue.merged_at else None,
        open_parts=tuple(part.n for part in issue.parts if part.state == "open"),
    )  # fmt: skip


def actor_facts(actor: Actor, issue: Issue, districts: Sequence[str]) -> ActorFacts:
    """Return what the law needs to know of the actor beside this issue; `districts` as `districts_signed_by` gives them."""
    in_scope = actor.covers(issue.region.path)
    return ActorFacts(
        person_id=actor.person_id, permissions=actor.permissions, in_scope=in_scope,
        is_above=in_scope and actor.region_path != issue.region.path,
        department=actor.department, chief_of_district=any(issue.region.path.startswith(path) for path in districts),
    )  # fmt: skip

"""Reads of issues: every list starts from what the actor may see, and loads what an issue shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Row, Select, String, and_, bindparam, false, func, or_, select
from sqlalchemy.orm import joinedload, load_only, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from patrol.evidence.models import Photo
from patrol.evidence.visibility import photos_seen_through
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.geometry import box_around, distance_m
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.issues.accusations import CHARGES, is_charge, is_not_about
from patrol.issues.allowed import ActorFacts, IssueFacts
from patrol.issues.branches import Branch, Several, unindexed
from patrol.issues.categories import Severity, category_of
from patrol.issues.filters import Filters, among, conditions, is_joint_with, subtree_ids
from patrol.issues.lifecycle import ENDED, State
from patrol.issues.listed import KIN, AnyIssue
from patrol.issues.models import CoHandler, Extension, HistoryEntry, Issue, IssuePart, IssuePhoto
from patrol.issues.policies_held import STATE_COLUMNS, note_state
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.permissions import Permission as P
from patrol.waters.models import Appointment, Reach
from patrol.waters.queries import answering
from patrol.waters.terms import is_deputy

MOST_NEARBY = 5
_NO_ISSUE = Text("没有这个问题", "There is no such issue")
SEES_CHARGES = frozenset({P.RECEIVE_ISSUE, P.REVIEW_ISSUE, P.SEE_AUDIT})
"""Whoever holds one of these reads charges against chiefs: those who receive, review or audit, not the chiefs."""


def sees_charges(actor: Actor) -> bool:
    """Tell whether the actor reads what is said against chiefs in the actor's area."""
    return bool(actor.permissions & SEES_CHARGES)


@dataclass(frozen=True)
class Scope:
    """What an actor may see: `regions` (None: all) under `conditions`, and `own`, each with an index of its own."""

    regions: Sequence[UUID] | None
    conditions: Sequence[ColumnElement[bool]] = ()
    own: Sequence[ColumnElement[bool]] = ()

    def area(self, several: Several | None = None, *conditions: ColumnElement[bool]) -> Branch:
        """Return the issues of the regions that the actor may see, narrowed to `several` and `conditions`."""
        regions = {} if self.regions is None else {Issue.region_id: self.regions}
        return Branch({**regions, **(several or {})}, [*self.conditions, *conditions])

    def reasons(self) -> list[Branch]:
        """Return all for which the actor sees an issue."""
        return [self.area(), *(Branch({}, [each], few=True) for each in self.own)]


def scope_of(actor: Actor) -> Scope:
    """Return what the actor may see.

    That is the actor's subtree of regions with the joint cases on its borders, what the actor's department was called in
    to, and what the actor reports, leads or co-handles. Charges against chiefs (F) in the subtree, which is that above the
    accused, are only for those who decide on them, and never for the accused, whatever else that account is.
    """
    return scope_within(actor, None if actor.sees_all_regions or actor.person_id is None else subtree_ids(actor.region_path))


def scope_within(actor: Actor, region_ids: Sequence[UUID] | None) -> Scope:
    """Return what the actor may see, as `scope_of` does, whose subtree are the regions of these ids (None: all there are)."""
    if actor.person_id is None:
        return Scope(None)
    return _scope(actor.person_id, region_ids, _helping_department(actor), judges_charges=sees_charges(actor))


def _scope(person_id: Any, region_ids: Any, department: Any, *, judges_charges: bool) -> Scope:
    """Return the scope of whoever these are the facts of: values, or what stands for them in a statement kept ready."""
    not_accused, is_ordinary = is_not_about(person_id), Issue.category.not_in(CHARGES)
    if region_ids is None and judges_charges:
        return Scope(None, [not_accused])
    helping = select(CoHandler.issue_id).where(CoHandler.person_id == person_id)
    own = [Issue.reporter_id == person_id, Issue.lead_id == person_id, among(Issue.id, helping)]
    own = [and_(each, not_accused) for each in own]
    if region_ids is not None:
        own.append(and_(is_joint_with(region_ids), is_ordinary))
    if department is not None and region_ids is not None:
        own.append(and_(Issue.department == department, is_ordinary))
    return Scope(region_ids, [not_accused if judges_charges else is_ordinary], own)


def _helping_department(actor: Actor) -> str | None:
    """Return the department whose work the actor takes part in."""
    return actor.department if actor.department and actor.may(P.HANDLE_ISSUE) else None


def scope(actor: Actor) -> ColumnElement[bool] | None:
    """Return the condition that the actor may see an issue, None when all may be seen."""
    return _condition(scope_of(actor))


def _condition(found: Scope) -> ColumnElement[bool] | None:
    if found.regions is None and not found.conditions:
        return None
    return or_(found.area().condition(), *found.own)


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


@cache
def shown_parts(entity: Any) -> tuple[ORMOption, ...]:
    """Return what loads all that an issue of a list shows."""
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
    """Return the loading of the kin of a list's issues; nothing is asked of the database where they name none."""
    return tuple(selectinload(getattr(entity, name)).load_only(Issue.serial) for name in KIN)


def get_issue(actor: Actor, issue_id: UUID) -> Issue:
    """Return a visible issue with all that it shows. Raises NotFound (404)."""
    found = _find_visible(actor, issue_id, locked=False)
    if found is None:
        raise NotFound(_NO_ISSUE)
    return _with_collections(found[0], found[1:])


_ID_OF_ISSUE = planned_once(select(Issue.__table__.c.id).where(Issue.__table__.c.id == bindparam("id")))


def find_issue(issue_id: UUID) -> Issue | None:
    """Return an issue with all that it shows, whoever asks, or None: for a create that may be a repetition."""
    # Nearly always there is none, and a question for the id alone costs a fifth.
    if db.session.scalar(_ID_OF_ISSUE, {"id": issue_id}) is None:
        return None
    found = db.session.execute(select(Issue).where(Issue.id == issue_id).options(*_SINGLE).add_columns(*_HAS)).one()
    return _with_collections(found[0], found[1:])


_SINGLE = (
    joinedload(Issue.region), joinedload(Issue.reach).joinedload(Reach.region), joinedload(Issue.lead), joinedload(Issue.reporter),
)  # fmt: skip
# What is read only needs no more than is shown: each column more costs its share in the driver and the mapper.
_SHOWN = (
    joinedload(Issue.region).load_only(Region.code, Region.name, Region.level, Region.path, raiseload=True),
    joinedload(Issue.reach).load_only(Reach.code, Reach.name, raiseload=True),
    joinedload(Issue.lead).load_only(Person.name, Person.title, raiseload=True),
    joinedload(Issue.reporter).load_only(Person.name, Person.title, raiseload=True),
)  # fmt: skip
# Most issues have none of the one or the other; a question whether there are any spares the statement that would bring nothing.
_HAS = tuple(
    select(table.__table__.c.issue_id).where(table.__table__.c.issue_id == Issue.id).exists() for table in (CoHandler, IssuePart, IssuePhoto)
)
_HAS_NOW = planned_once(select(*(
    select(table.__table__.c.issue_id).where(table.__table__.c.issue_id == bindparam("id")).exists()
    for table in (CoHandler, IssuePart, IssuePhoto)
), *STATE_COLUMNS))  # fmt: skip
_COLLECTIONS = {name: planned_once(statement).execution_options(populate_existing=True) for name, statement in {
    "co_handlers": select(Person).join(CoHandler).where(CoHandler.issue_id == bindparam("id")).order_by(Person.username),
    "parts": select(IssuePart).where(IssuePart.issue_id == bindparam("id")).options(joinedload(IssuePart.person)).order_by(IssuePart.n),
    "photo_links": select(IssuePhoto).where(IssuePhoto.issue_id == bindparam("id")).options(joinedload(IssuePhoto.photo))
    .order_by(IssuePhoto.seq, IssuePhoto.position),
}.items()}  # fmt: skip


class _Shape(NamedTuple):
    """On what about the actor the condition of being visible depends, apart from values."""

    bounded: bool
    in_department: bool
    judges_charges: bool
    is_system: bool


def _find_visible(actor: Actor, issue_id: UUID, *, locked: bool) -> Row[Any] | None:
    """Return a visible issue's row: the issue, and when it is not `locked`, whether there are any of each collection."""
    department = _helping_department(actor)
    shape = _Shape(not actor.sees_all_regions, department is not None, sees_charges(actor), actor.person_id is None)
    values = {"issue_id": issue_id, "me": actor.person_id, "above": actor.region_path, "department": department}
    return db.session.execute(_one_visible(shape, db.engine.dialect.name, locked), values).first()


@cache
def _one_visible(shape: _Shape, _dialect: str, locked: bool) -> Select[Any]:
    """Return the statement for one issue. It is put together once for each shape: that took longer than asking it."""
    above = bindparam("above", type_=String)
    below = select(Region.id).where(func.substr(Region.path, 1, func.length(above)) == above)
    seen = Scope(None) if shape.is_system else _scope(
        bindparam("me", type_=Issue.id.type), below if shape.bounded else None,
        bindparam("department", type_=String) if shape.in_department else None, judges_charges=shape.judges_charges,
    )  # fmt: skip
    statement, condition = select(Issue).where(Issue.id == bindparam("issue_id")), _condition(seen)
    statement = statement if condition is None else statement.where(condition)
    statement = planned_once(statement)
    if locked:
        return statement.options(*_SINGLE).with_for_update(of=Issue).execution_options(populate_existing=True)
    return statement.options(*_SHOWN).add_columns(*_HAS)


def _with_collections(issue: Issue, has: Sequence[Any]) -> Issue:
    """Load what an issue has several of; `has` tells of co-handlers, parts and photos whether there are any."""
    for (name, statement), is_there in zip(_COLLECTIONS.items(), has, strict=True):
        set_committed_value(issue, name, list(db.session.scalars(statement, {"id": issue.id})) if is_there else [])
    named = {name: named_id for name in KIN if (named_id := getattr(issue, f"{name}_id")) is not None}
    # Most issues name none, and as options of the statement these three would cost a tenth of a step.
    if named:
        kin = {one.id: one for one in db.session.scalars(select(Issue).where(Issue.id.in_(named.values())).options(load_only(Issue.serial)))}
        for name, named_id in named.items():
            set_committed_value(issue, name, kin[named_id])
    return issue


def locked_issue(actor: Actor, issue_id: UUID) -> Issue:
    """Return a visible issue as `get_issue` does, locked until the transaction ends, as it stands now."""
    found = _find_visible(actor, issue_id, locked=True)
    if found is None:
        raise NotFound(_NO_ISSUE)
    # Asked again behind the lock: the statement that waited for it looks at what had been there before.
    *has, policies, regions = db.session.execute(_HAS_NOW, {"id": issue_id}).one()
    note_state(policies, regions)
    return _with_collections(found[0], has)


def narrowed(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions that the actor sees an issue and that it passes all filters except `state` and `list`."""
    condition = scope(actor)
    return [*conditions(filters), *([] if condition is None else [condition])]


def list_nearby(
    actor: Actor, latitude: float, longitude: float, category: str, *, closed_since: datetime
) -> list[tuple[Issue, float]]:
    """Return visible issues of the category within its radius that are open or were closed since, with the distance in metres.

    They may be the same trouble, or it may have come back: at most five, the open ones before the closed, nearest first
    among each. None for categories whose place proves nothing (radius 0).
    """
    radius_m = category_of(category).radius_m
    if not radius_m:
        return []
    box = box_around(latitude, longitude, radius_m)
    lately = and_(Issue.state == State.CLOSED.value, Issue.closed_at >= closed_since)
    passing = [*narrowed(actor, Filters(bbox=box)), unindexed(Issue.category) == category, or_(Issue.state.not_in(ENDED), lately)]
    near = [
        (issue, distance_m(latitude, longitude, issue.latitude, issue.longitude))
        for issue in db.session.scalars(select(Issue).where(*passing).options(*shown_parts(Issue)))
    ]
    within = [(issue, away) for issue, away in near if away <= radius_m]
    return sorted(within, key=lambda pair: (pair[0].state == State.CLOSED, pair[1]))[:MOST_NEARBY]


def history_of(issue: Issue) -> Sequence[HistoryEntry]:
    """Return an issue's history from the beginning."""
    return db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue.id).order_by(HistoryEntry.seq)).all()


def extensions_of(issue: Issue) -> Sequence[Extension]:
    """Return every extension that was asked for on an issue, in order, with the people."""
    return db.session.scalars(
        select(Extension).where(Extension.issue_id == issue.id).order_by(Extension.n)
        .options(joinedload(Extension.asked_by), joinedload(Extension.decided_by))
    ).all()  # fmt: skip


# Whoever may sign is asked at each answer, and so it is put together once.
_COUNTIES_OF = planned_once(
    select(Region.path, Appointment.title).join(Reach, Reach.region_id == Region.id)
    .join(Appointment, Appointment.reach_id == Reach.id).join(Person, Person.id == Appointment.person_id)
    .where(
        Person.id == bindparam("me"), Reach.level == "county", Reach.retired_at.is_(None), answering(bindparam("today", type_=Date)),
    )
)  # fmt: skip


def districts_signed_by(actor: Actor, today: date) -> list[str]:
    """Return the paths of the regions whose major issues the actor may sign today: of which they are the county's chief."""
    if not actor.may(P.CLOSE_MAJOR_ISSUE) or actor.person_id is None:
        return []
    rows = db.session.connection().execute(_COUNTIES_OF, {"me": actor.person_id, "today": today})
    return sorted({path for path, title in rows if not is_deputy(title)})


def issue_facts(issue: AnyIssue, now: datetime) -> IssueFacts:
    """Return what the law needs to know of a loaded issue at the moment `now`."""
    return IssueFacts(
        state=State(issue.state), severity=Severity(issue.severity), lead_id=issue.lead_id,
        co_handler_ids=frozenset(person.id for person in issue.co_handlers), department=issue.department,
        declined=issue.declined_at is not None,
        dispatched_for=now - issue.dispatched_at if issue.dispatched_at else None,
        merged_for=now - issue.merged_at if issue.merged_at else None,
        open_parts=tuple(part.n for part in issue.parts if part.state == "open"), is_charge=is_charge(issue.category),
    )  # fmt: skip


def actor_facts(actor: Actor, issue: AnyIssue, districts: Sequence[str], *, own_work: bool = False) -> ActorFacts:
    """Return what the law needs to know of the actor beside this issue; `districts` as `districts_signed_by` gives them.

    `own_work`, as `four_eyes.own_work` tells it, matters only to the steps that check others' work.
    """
    in_scope = actor.covers(issue.region.path)
    return ActorFacts(
        person_id=actor.person_id, permissions=actor.permissions, in_scope=in_scope,
        is_above=in_scope and actor.region_path != issue.region.path,
        department=actor.department, signs=any(issue.region.path.startswith(path) for path in districts),
        own_work=own_work,
    )  # fmt: skip

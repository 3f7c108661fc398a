"""Lists of delegations, warnings, policies and reminders; each starts from what the actor may see."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.four_eyes import Known, stands_in_through
from patrol.patrols.duty_models import Delegation, DelegationReach, DutyReminder, FrequencyPolicy, ReachWarning
from patrol.patrols.duty_periods import PeriodKind
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.paths import paths_up
from patrol.people.queries import region_with_code
from patrol.waters.models import Appointment, Reach
from patrol.waters.queries import in_force, seen_by, within

DELEGATIONS_LATEST = Order("delegations", (Delegation.valid_from, Delegation.id), descending=True)
WARNINGS_LATEST = Order("warnings", (ReachWarning.valid_from, ReachWarning.id), descending=True)
POLICIES_BY_LEVEL = Order("policies", (FrequencyPolicy.level, FrequencyPolicy.id))
REMINDERS_LATEST = Order("reminders", (DutyReminder.created_at, DutyReminder.id), descending=True)
_NO_DELEGATION = Text("没有这份委托", "There is no such delegation")
_NO_WARNING = Text("没有这条预警", "There is no such warning")
_NO_POLICY = Text("没有这条巡河频次规定", "There is no such frequency policy")


def visible_delegations(actor: Actor) -> Select[Delegation]:
    """Select the delegations by principals of the actor's subtree, and those to which they are a party."""
    return (
        select(Delegation)
        .join(Person, Person.id == Delegation.principal_id).join(Region, Region.id == Person.region_id)
        .where(or_(within(actor), Delegation.principal_id == actor.person_id, Delegation.deputy_id == actor.person_id))
        .options(joinedload(Delegation.principal), joinedload(Delegation.deputy), selectinload(Delegation.reaches))
    )  # fmt: skip


def list_delegations(
    actor: Actor, *, person: UUID | None = None, on: date | None = None, limit: int, cursor: str | None
) -> Page[Delegation]:
    """List delegations, the latest first: of one party, and on a day those not revoked that cover it."""
    statement = visible_delegations(actor)
    if person:
        statement = statement.where(or_(Delegation.principal_id == person, Delegation.deputy_id == person))
    if on:
        statement = statement.where(Delegation.valid_from <= on, Delegation.valid_to >= on, Delegation.revoked_at.is_(None))
    return page_of(statement, DELEGATIONS_LATEST, limit=limit, cursor=cursor)


def get_delegation(actor: Actor, delegation_id: UUID, *, lock: bool = False) -> Delegation:
    """Return a visible delegation. Raises NotFound (404)."""
    statement = visible_delegations(actor).where(Delegation.id == delegation_id)
    if lock:
        statement = statement.with_for_update(of=Delegation).execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound(_NO_DELEGATION)
    return row


def delegation_for(principal_id: UUID, deputy_id: UUID, reach_ids: Collection[UUID], *, day: date, at: datetime) -> Delegation | None:
    """Return a delegation in force on a local day and not revoked at the moment `at`, for all of these reaches."""
    named = select(DelegationReach.reach_id).where(DelegationReach.delegation_id == Delegation.id)
    for_all = ~exists(named.correlate(Delegation))
    for_these = [exists(named.where(DelegationReach.reach_id == reach_id).correlate(Delegation)) for reach_id in reach_ids]
    return db.session.scalar(
        select(Delegation)
        .where(
            Delegation.principal_id == principal_id, Delegation.deputy_id == deputy_id,
            Delegation.valid_from <= day, Delegation.valid_to >= day,
            or_(Delegation.revoked_at.is_(None), Delegation.revoked_at > at), or_(for_all, and_(*for_these)),
        )
        .order_by(Delegation.valid_from, Delegation.id).limit(1)
    )  # fmt: skip


@stands_in_through
def _act_for_each_other(person_id: ColumnElement[UUID], since: ColumnElement[date], until: date | Known) -> Select[UUID]:
    """Select who had leave to patrol for the person, or gave leave to that person, on any day from `since` to `until`."""
    principal, deputy = Delegation.principal_id, Delegation.deputy_id
    return select(case((principal == person_id, deputy), else_=principal)).where(
        or_(principal == person_id, deputy == person_id), Delegation.valid_from <= until, Delegation.valid_to >= since,
        or_(Delegation.revoked_at.is_(None), func.date(Delegation.revoked_at) >= since),
    )


def delegation_partners(person_id: UUID, others: Collection[UUID], *, day: date, at: datetime) -> set[UUID]:
    """Return those of `others` who might patrol for the person at a moment of a local day, or for whom the person might.

    What was revoked afterwards was in force then.
    """
    mine, theirs = Delegation.principal_id, Delegation.deputy_id
    rows = db.session.execute(
        select(mine, theirs).where(
            Delegation.valid_from <= day, Delegation.valid_to >= day, or_(Delegation.revoked_at.is_(None), Delegation.revoked_at > at),
            or_(and_(mine == person_id, theirs.in_(others)), and_(theirs == person_id, mine.in_(others))),
        )
    )  # fmt: skip
    return {one for row in rows for one in (row[0], row[1])} - {person_id}


def walkable_reaches(actor: Actor, principals: Collection[UUID] | Select[UUID], day: date) -> Select[Reach]:
    """Select the reaches in use that the actor may walk on a day: those he sees, and those of the `principals` he stands in for."""
    theirs = select(Appointment.reach_id).where(Appointment.person_id.in_(principals), in_force(day))
    return (
        select(Reach).join(Region, Region.id == Reach.region_id)
        .where(Reach.retired_at.is_(None), or_(seen_by(actor), Reach.id.in_(theirs)))
    )  # fmt: skip


def visible_warnings(actor: Actor) -> Select[ReachWarning]:
    """Select the warnings on reaches that the actor sees."""
    return (
        select(ReachWarning)
        .join(Reach, Reach.id == ReachWarning.reach_id).join(Region, Region.id == Reach.region_id)
        .where(seen_by(actor)).options(joinedload(ReachWarning.reach))
    )  # fmt: skip


def list_warnings(
    actor: Actor, *, reach: UUID | None = None, region: str | None = None, on: date | None = None, limit: int, cursor: str | None
) -> Page[ReachWarning]:
    """List warnings, the latest first: on a reach, in a region's subtree, in force on a day. Raises NotFound (404)."""
    statement = visible_warnings(actor)
    if reach:
        statement = statement.where(ReachWarning.reach_id == reach)
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    if on:
        statement = statement.where(ReachWarning.valid_from <= on, or_(ReachWarning.valid_to.is_(None), ReachWarning.valid_to >= on))
    return page_of(statement, WARNINGS_LATEST, limit=limit, cursor=cursor)


def get_warning(actor: Actor, warning_id: UUID, *, lock: bool = False) -> ReachWarning:
    """Return a visible warning. Raises NotFound (404)."""
    statement = visible_warnings(actor).where(ReachWarning.id == warning_id)
    if lock:
        statement = statement.with_for_update(of=ReachWarning).execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound(_NO_WARNING)
    return row


def visible_policies(actor: Actor) -> Select[FrequencyPolicy]:
    """Select the rows that hold everywhere, in the actor's subtree, or in a region above it."""
    return (
        select(FrequencyPolicy).outerjoin(Region, Region.id == FrequencyPolicy.region_id)
        .where(or_(FrequencyPolicy.region_id.is_(None), within(actor), Region.path.in_(paths_up(actor.region_path))))
        .options(joinedload(FrequencyPolicy.region))
    )  # fmt: skip


def list_policies(
    actor: Actor, *, level: str | None = None, on: date | None = None, limit: int, cursor: str | None
) -> Page[FrequencyPolicy]:
    """List frequency policies by level, every version, or those in force on a day."""
    statement = visible_policies(actor)
    if level:
        statement = statement.where(FrequencyPolicy.level == level)
    if on:
        statement = statement.where(
            FrequencyPolicy.withdrawn_at.is_(None), FrequencyPolicy.valid_from <= on, or_(FrequencyPolicy.valid_to.is_(None), FrequencyPolicy.valid_to >= on))
    return page_of(statement, POLICIES_BY_LEVEL, limit=limit, cursor=cursor)


def superseded_policies(today: date) -> set[UUID]:
    """Return the rows that have begun and gave way to a later one of the same place, colour, title, season and days."""
    rows = db.session.scalars(
        select(FrequencyPolicy)
        .where(FrequencyPolicy.withdrawn_at.is_(None), FrequencyPolicy.valid_from <= today, or_(FrequencyPolicy.valid_to.is_(None), FrequencyPolicy.valid_to >= today))
        .order_by(FrequencyPolicy.valid_from.desc(), FrequencyPolicy.id)
    )  # fmt: skip
    found: set[UUID] = set()
    subjects: set[tuple[object, ...]] = set()
    for row in rows:
        working = row.working_days_only or row.period == PeriodKind.WORKING_DAY
        subject = (row.region_id, row.level, row.title, row.colour, tuple(sorted(row.months)), tuple(sorted(row.weekdays)), working)
        if subject in subjects:
            found.add(row.id)
        subjects.add(subject)
    return found


def find_policy(actor: Actor, policy_id: UUID) -> FrequencyPolicy | None:
    """Return a visible policy, None without one."""
    return db.session.scalar(visible_policies(actor).where(FrequencyPolicy.id == policy_id))


def get_policy(actor: Actor, policy_id: UUID, *, lock: bool = False) -> FrequencyPolicy:
    """Return a visible policy. Raises NotFound (404)."""
    statement = visible_policies(actor).where(FrequencyPolicy.id == policy_id)
    if lock:
        statement = statement.with_for_update(of=FrequencyPolicy).execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound(_NO_POLICY)
    return row


def list_reminders(actor: Actor, *, limit: int, cursor: str | None) -> Page[DutyReminder]:
    """List the actor's own reminders that have been delivered, the latest first."""
    statement = select(DutyReminder).where(DutyReminder.person_id == actor.person_id, DutyReminder.noticed_at.is_not(None))
    return page_of(statement, REMINDERS_LATEST, limit=limit, cursor=cursor)

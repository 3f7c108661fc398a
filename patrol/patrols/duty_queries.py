"""Reads of duties: what is due from whom on which reach, and what was done."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, union
from sqlalchemy.orm import aliased, contains_eager, joinedload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.paging import Order, Page, page_of
from patrol.issues.due import chinese_calendar
from patrol.patrols import duties, tallying
from patrol.patrols.duties import Colour, Due, Policy, Warned
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.patrols.duty_periods import PeriodKind, Span, periods_due_in
from patrol.patrols.examination_models import Examination, ReachCoverage
from patrol.patrols.models import Patrol, PatrolReach
from patrol.patrols.tallying import Tally, Walk
from patrol.patrols.window import MOST_LEAD
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.queries import region_with_code
from patrol.waters.models import Appointment, Reach
from patrol.waters.queries import within

BY_REACH = Order("duties", (Appointment.reach_id, Appointment.id))


@dataclass(frozen=True)
class DutyPeriod:
    """What is due in one period, by which row, and what was done; `team_m` is the union (metres) of what anybody covered."""

    due: Due
    policy: FrequencyPolicy
    tally: Tally
    colour: Colour
    team_m: float


@dataclass(frozen=True)
class Duty:
    """The duties of one person on one reach, with the days in office."""

    person: Person
    reach: Reach
    in_office: list[Span]
    periods: list[DutyPeriod]


def all_policies() -> dict[UUID, FrequencyPolicy]:
    """Return the rows of policy, every version that was not withdrawn, by id; there are tens of them."""
    rows = select(FrequencyPolicy).where(FrequencyPolicy.withdrawn_at.is_(None)).options(joinedload(FrequencyPolicy.region))
    return {row.id: row for row in db.session.scalars(rows)}


def as_rule(row: FrequencyPolicy) -> Policy:
    """Return a row of policy as the rules take it."""
    return Policy(
        id=row.id, level=row.level, region_path=row.region.path if row.region else "/", title=row.title, colour=Colour[row.colour.upper()],
        months=frozenset(row.months), weekdays=frozenset(row.weekdays), working_days_only=row.working_days_only,
        period=PeriodKind(row.period), times=row.times, least_share=row.least_share, valid_from=row.valid_from, valid_to=row.valid_to,
    )


def visible_duties(actor: Actor, spans: Mapping[str | None, Span]) -> Select[Appointment]:
    """Select who is in office within the `spans`, one row for each person and reach: of the actor's subtree, and their own.

    `spans` are the days that matter by the level of the reach, under None for all other levels. Of several appointments
    of one person to one reach the one with the smallest id stands for all.
    """
    other = aliased(Appointment)
    earlier = exists().where(
        other.reach_id == Appointment.reach_id, other.person_id == Appointment.person_id, other.id < Appointment.id, _touches(other, spans)
    )
    return (
        select(Appointment)
        .join(Reach, Reach.id == Appointment.reach_id).join(Region, Region.id == Reach.region_id)
        .join(Person, Person.id == Appointment.person_id)
        .where(or_(within(actor), Appointment.person_id == actor.person_id))
        .where(_touches(Appointment, spans), Person.disabled_at.is_(None), Reach.retired_at.is_(None), ~earlier)
        .options(contains_eager(Appointment.reach).contains_eager(Reach.region), contains_eager(Appointment.person))
    )  # fmt: skip


def list_duties(
    actor: Actor, *, window: Span, person: UUID | None = None, reach: UUID | None = None, region: str | None = None, timezone: str,
    limit: int, cursor: str | None, policies: Mapping[UUID, FrequencyPolicy] | None = None,
) -> Page[Duty]:
    """List what is due in the periods of `window` from each person on each reach, and what was done.

    `policies` are other rows than those stored, for a trial. The number of queries does not depend on the rows. Raises NotFound (404) for an unknown region.
    """
    policies = all_policies() if policies is None else policies
    statement = visible_duties(actor, _spans_by_level(policies.values(), window))
    if person:
        statement = statement.where(Appointment.person_id == person)
    if reach:
        statement = statement.where(Appointment.reach_id == reach)
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    page = page_of(statement, BY_REACH, limit=limit, cursor=cursor)
    return Page(_counted(page.items, window, policies, timezone), page.next)


def _spans_by_level(policies: Iterable[FrequencyPolicy], window: Span) -> dict[str | None, Span]:
    """Return from which day on somebody's days in office matter: a quarter that ends in the window began before it."""
    found: dict[str | None, Span] = {None: window}
    for row in policies:
        periods, known = periods_due_in(PeriodKind(row.period), window), found.get(row.level, window)
        found[row.level] = Span(min(known.first, periods[0].first), max(known.last, periods[-1].last))
    return found


def _touches(appointment: Any, spans: Mapping[str | None, Span]) -> ColumnElement[bool]:
    levels = [level for level in spans if level is not None]
    return or_(*(
        and_(
            Reach.level == level if level is not None else Reach.level.not_in(levels), appointment.valid_from <= span.last,
            or_(appointment.valid_to.is_(None), appointment.valid_to >= span.first),
        )
        for level, span in spans.items()
    ))


def _counted(rows: Sequence[Appointment], window: Span, policies: Mapping[UUID, FrequencyPolicy], timezone: str) -> list[Duty]:
    if not rows:
        return []
    reach_ids = {row.reach_id for row in rows}
    rules = duties.by_precedence(map(as_rule, policies.values()))
    offices, warnings = _offices(reach_ids, {row.person_id for row in rows}), warnings_on(reach_ids)
    found = [(row, _due(row, window, rules, offices[row.reach_id, row.person_id], warnings[row.reach_id])) for row in rows]
    spans = [due.span for _, dues in found for due in dues]
    widest = Span(min((span.first for span in spans), default=window.first), max((span.last for span in spans), default=window.last))
    walks = _walks(reach_ids, widest, timezone)
    return [
        Duty(row.person, row.reach, [span for _, span in offices[row.reach_id, row.person_id]], [
            _period(row, due, policies[due.policy.id], warnings[row.reach_id], walks[row.reach_id]) for due in dues
        ])
        for row, dues in found
    ]  # fmt: skip


def _due(
    row: Appointment, window: Span, rules: Sequence[Policy], terms: Sequence[tuple[str, Span]], warnings: Sequence[Warned]
) -> list[Due]:
    """Return what is due, title by title: somebody may be deputy first and chief later."""
    found, reach = [], row.reach
    for title in dict.fromkeys(title for title, _ in terms):
        fitting = [rule for rule in rules if duties.fits(rule, level=reach.level, region_path=reach.region.path, title=title)]
        in_office = [span for its, span in terms if its == title]
        found += duties.required(window, in_office=in_office, rows=fitting, warnings=warnings, calendar=chinese_calendar())
    return found


def _period(
    row: Appointment, due: Due, policy: FrequencyPolicy, warnings: Sequence[Warned], walks: Sequence[tuple[UUID, Walk]]
) -> DutyPeriod:
    inside = [(person_id, walk) for person_id, walk in walks if walk.day in due.span]
    own = [walk for person_id, walk in inside if person_id == row.person_id]
    return DutyPeriod(
        due, policy, tallying.tally(own, due=due, length_m=row.reach.length_m),
        max(duties.colour_on(day, warnings) for day in due.days),
        tallying.metres(walk.covered for _, walk in inside if not walk.barred),
    )


def _offices(reach_ids: Collection[UUID], person_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], list[tuple[str, Span]]]:
    found: dict[tuple[UUID, UUID], list[tuple[str, Span]]] = defaultdict(list)
    rows = db.session.execute(
        select(Appointment.reach_id, Appointment.person_id, Appointment.title, Appointment.valid_from, Appointment.valid_to)
        .where(Appointment.reach_id.in_(reach_ids), Appointment.person_id.in_(person_ids))
        .order_by(Appointment.valid_from, Appointment.id)
    )
    for reach_id, person_id, title, first, last in rows:
        found[reach_id, person_id].append((title, Span(first, last or date.max)))
    return found


def warnings_on(reach_ids: Collection[UUID]) -> dict[UUID, list[Warned]]:
    """Return all warnings of these reaches, past ones too."""
    found: dict[UUID, list[Warned]] = defaultdict(list)
    for row in db.session.scalars(select(ReachWarning).where(ReachWarning.reach_id.in_(reach_ids))):
        found[row.reach_id].append(Warned(Colour[row.colour.upper()], row.valid_from, row.valid_to))
    return found


def _walks(reach_ids: Collection[UUID], span: Span, timezone: str) -> dict[UUID, list[tuple[UUID, Walk]]]:
    """Return the patrols on each reach within local days, each with the person for whom it may count.

    And those of a few hours later, which by a clock that ran ahead may belong to the last day.
    """
    start, end = clock.beginning_of_day(span.first, timezone), clock.end_of_day(span.last, timezone)
    named = union(
        select(PatrolReach.patrol_id, PatrolReach.reach_id).where(PatrolReach.reach_id.in_(reach_ids)),
        select(ReachCoverage.patrol_id, ReachCoverage.reach_id).where(ReachCoverage.reach_id.in_(reach_ids)),
    ).subquery()
    rows = db.session.execute(
        select(
            named.c.reach_id, Patrol.id, Patrol.person_id, Patrol.on_behalf_of_id, Patrol.started_at, Patrol.ended_at, Patrol.received_at,
            Examination.verdict, Examination.began_at, ReachCoverage.covered,
        )
        .join(Patrol, Patrol.id == named.c.patrol_id)
        .outerjoin(Examination, Examination.patrol_id == Patrol.id)
        .outerjoin(ReachCoverage, and_(ReachCoverage.patrol_id == Patrol.id, ReachCoverage.reach_id == named.c.reach_id))
        .where(Patrol.started_at >= start, Patrol.started_at < end + MOST_LEAD)
    )
    found: dict[UUID, list[tuple[UUID, Walk]]] = defaultdict(list)
    for reach_id, patrol_id, person_id, behalf_id, started_at, ended_at, received_at, verdict, began_at, covered in rows:
        intervals = tuple((float(low), float(high)) for low, high in covered or ())
        barred = tallying.barred_by(
            verdict, started_at=started_at, received_at=received_at, ended=ended_at is not None, began_at=began_at
        )
        began = began_at or started_at
        walk = Walk(
            patrol_id, began, clock.local_date(began, timezone), intervals, behalf_id is not None, barred, started_at - began if began_at else None
        )
        found[reach_id].append((behalf_id or person_id, walk))
    return found


def duties_of_everybody(window: Span, actor: Actor, timezone: str, handle: Callable[[Sequence[Duty]], None]) -> None:
    """Hand all duties of `window` to `handle`, a page of them at a time, for the worker."""
    cursor: str | None = None
    while True:
        page = list_duties(actor, window=window, timezone=timezone, limit=200, cursor=cursor)
        handle(page.items)
        if page.next is None:
            return
        cursor = page.next

"""The policies in memory, built once for each state of their tables: a request asks one small question whether it is current."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import SessionTransaction

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.keeping import Keeper, fresh_state
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity, Source
from patrol.issues.deadlines import ChineseCalendar, Limit, Stage, Unit
from patrol.issues.dispatching import Rule
from patrol.issues.escalation import DefaultRung
from patrol.issues.escalation_models import EscalationPolicy
from patrol.issues.policies import Dated, DayOrigin, Policies, RelapseRule
from patrol.issues.policy_models import CalendarOverride, DeadlinePolicy, DispatchPolicy, PolicyState
from patrol.issues.relapse_models import RelapsePolicy
from patrol.waters.models import RegisterVersion

_MEMO = "policies"


class HeldState(NamedTuple):
    """The state of the policies' tables, and that of the regions, by whose paths the ownership matrix is held."""

    policies: int | None
    regions: int | None


STATE_COLUMNS: tuple[ColumnElement[int], ...] = (
    select(PolicyState.__table__.c.state).scalar_subquery(), select(RegisterVersion.__table__.c.regions).scalar_subquery(),
)
"""What a statement that is asked anyway selects besides, so that `note_state` spares a question of its own."""


def note_state(policies: int | None, regions: int | None) -> None:
    """Let the transaction under way take this for the state of the tables: the values of `STATE_COLUMNS`."""
    session = db.session()
    if _memo(session.get_transaction()) is None:
        session.info[_MEMO] = (session.get_transaction(), HeldState(policies, regions))


def held_state() -> HeldState:
    """Return the state of the tables; within one transaction the same, asked for once."""
    session = db.session()
    memo = _memo(session.get_transaction())
    if memo is not None:
        return memo
    row = session.execute(select(*STATE_COLUMNS)).one()
    state = HeldState(row[0], row[1])
    session.info[_MEMO] = (session.get_transaction(), state)
    return state


def _memo(under_way: SessionTransaction | None) -> HeldState | None:
    noted: tuple[SessionTransaction | None, HeldState] | None = db.session().info.get(_MEMO)
    return noted[1] if noted is not None and noted[0] is not None and noted[0] is under_way else None


def current_policies() -> Policies:
    """Return the policies as they stand now; within one transaction the same."""
    return _held.get(held_state().policies)


def closed_lately_since(timezone: str) -> datetime:
    """Return the moment from which on a closing is recent: as long as a relapse counts as the same trouble (domain rule 13)."""
    return clock.now() - timedelta(days=current_policies().relapse_on(clock.today(timezone)).days)


def hold_policies() -> None:
    """Wait until nobody else is writing policies, and keep others from it until the transaction under way ends."""
    db.session.execute(select(PolicyState.id).where(PolicyState.id == 1).with_for_update())


def policies_changed() -> None:
    """Let every process know, once the transaction under way is committed, that policies have changed.

    The row stays locked until then, so that who numbers versions comes one after another.
    """
    row = db.session.get(PolicyState, 1, with_for_update=True, populate_existing=True)
    if row is None:
        row = PolicyState(id=1, state=fresh_state())
        db.session.add(row)
    row.state = fresh_state()
    db.session.flush()
    db.session().info.pop(_MEMO, None)


def _build() -> Policies:
    limits = db.session.scalars(
        select(DeadlinePolicy).where(DeadlinePolicy.withdrawn_at.is_(None)).order_by(DeadlinePolicy.valid_from)
    ).all()
    rules = db.session.scalars(
        select(DispatchPolicy).where(DispatchPolicy.withdrawn_at.is_(None)).order_by(DispatchPolicy.valid_from)
    ).all()
    relapses = db.session.scalars(select(RelapsePolicy).where(RelapsePolicy.withdrawn_at.is_(None)).order_by(RelapsePolicy.valid_from)).all()
    rungs = db.session.scalars(select(EscalationPolicy).where(EscalationPolicy.withdrawn_at.is_(None)).order_by(EscalationPolicy.valid_from)).all()
    return Policies(
        tuple(map(dated_limit, limits)), tuple(map(dated_rule, rules)), _calendar(),
        tuple(Dated((), row.valid_from, True, RelapseRule(row.days, row.radius_m)) for row in relapses),
        tuple(Dated(row.code, row.valid_from, row.enabled, DefaultRung(row.code, row.basis, row.amount, row.order_kind, row.name)) for row in rungs),
    )  # fmt: skip


def _calendar() -> ChineseCalendar:
    rows = db.session.scalars(
        select(CalendarOverride).where(CalendarOverride.withdrawn_at.is_(None)).order_by(CalendarOverride.version)
    ).all()
    latest = {row.day: row for row in rows}
    days: dict[str, dict[date, tuple[bool, Text]]] = {origin: {} for origin in DayOrigin}
    for day, row in latest.items():
        if row.enabled:
            days[row.origin][day] = (row.works, Text(row.name_zh, row.name_en))
    return ChineseCalendar(days[DayOrigin.LOCAL], days[DayOrigin.NOTICE])


def dated_limit(row: DeadlinePolicy) -> Dated[Limit]:
    """Return a row of deadlines as the rules take it."""
    limit = Limit(row.code, Stage(row.stage), Severity(row.severity), row.category, row.amount, Unit(row.unit), row.version)
    return Dated((row.stage, row.severity, row.category), row.valid_from, row.enabled, limit)


def dated_rule(row: DispatchPolicy) -> Dated[Rule]:
    """Return a row of dispatching as the rules take it."""
    rule = Rule(
        row.code, frozenset(map(Source, row.sources)), row.category, frozenset(map(Severity, row.severities)), row.confidence,
        row.straight, Text(row.reason_zh, row.reason_en), row.version, row.position,
    )  # fmt: skip
    return Dated(row.code, row.valid_from, row.enabled, rule)


_held: Keeper[Policies] = Keeper(_build)

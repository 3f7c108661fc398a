"""The sweep that lets late issues climb: each rung once, in order, by whichever worker gets there, after any downtime."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_minute
from patrol.issues.due import CLOCK_RUNS, chinese_calendar
from patrol.issues.escalation import RUNG_NAME, Rung, planned_moments
from patrol.issues.escalation_models import Escalation, EscalationPolicy, Order
from patrol.issues.events import IssueEscalated
from patrol.issues.history import ESCALATE, add_entry
from patrol.issues.models import Issue
from patrol.people.actor import SYSTEM

BATCH = 200
_ORDER_TEXT = Text("超期未办结，系统按规定发出{name}", "Overdue: {name}, sent by rule")


@each_minute
def escalate_all_due() -> int:
    """Let everything climb that is due to; return how many rungs were reached."""
    timezone, total = current_app.extensions["settings"].timezone, 0
    while True:
        with transaction():
            seen, climbed = escalate_some(timezone)
        total += climbed
        if seen < BATCH:
            return total


def escalate_some(timezone: str, limit: int = BATCH) -> tuple[int, int]:
    """Look at the issues that waited longest; return how many there were, and how many rungs they reached.

    The rows are locked, and those that another worker holds are passed over. `next_escalation_at` is where an issue got
    to: rungs before it lie behind, so that a reminder of a time long past is not sent when a due date moves.
    """
    now = clock.now()
    issues = db.session.scalars(
        select(Issue).where(Issue.next_escalation_at <= now, Issue.state.in_([state.value for state in CLOCK_RUNS]))
        .order_by(Issue.next_escalation_at).limit(limit).options(joinedload(Issue.lead))
        .with_for_update(of=Issue, skip_locked=True).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    if not issues:
        return 0, 0
    ladder = ladder_on(clock.local_date(now, timezone))
    climbed = sum(_climb(issue, ladder, now, ZoneInfo(timezone)) for issue in issues)
    return len(issues), climbed


def ladder_on(day: date) -> Sequence[EscalationPolicy]:
    """Return the rungs in force on a day."""
    rows = db.session.scalars(
        select(EscalationPolicy).where(EscalationPolicy.valid_from <= day).order_by(EscalationPolicy.valid_from)
    ).all()
    return [row for row in {row.code: row for row in rows}.values() if row.enabled]


def _climb(issue: Issue, ladder: Sequence[EscalationPolicy], now: datetime, zone: ZoneInfo) -> int:
    assert issue.next_escalation_at
    since, start = datetime.fromisoformat(issue.due_rule["since"]), issue.next_escalation_at
    planned = [
        (moment, rung) for moment, rung in planned_moments(ladder, since, issue.due_at, chinese_calendar(), zone) if moment >= start
    ]
    reached = [(moment, rung) for moment, rung in planned if moment <= now]
    for moment, rung in reached:
        _reach(issue, rung, moment, now)
    issue.next_escalation_at = next((moment for moment, _ in planned if moment > now), None)
    return len(reached)


def _reach(issue: Issue, rung: Rung, planned_at: datetime, now: datetime) -> None:
    changes = {"planned_at": {"from": None, "to": planned_at.isoformat()}}
    if rung.order_kind:
        name = RUNG_NAME.get(rung.code, Text(rung.code, rung.code))
        db.session.add(Order(
            issue_id=issue.id, kind=rung.order_kind, text=_ORDER_TEXT.format(name=name).zh, by_id=None, rule=rung.code,
            to_id=issue.lead_id, at=now,
        ))  # fmt: skip
        changes["order"] = {"from": None, "to": rung.order_kind}
    entry = add_entry(issue, verb=ESCALATE, by=SYSTEM, from_state=issue.state, rule=rung.code, changes=changes)
    db.session.add(Escalation(issue_id=issue.id, code=rung.code, due_at=issue.due_at, planned_at=planned_at, at=now))
    events.record(IssueEscalated(issue_id=issue.id, code=rung.code, seq=entry.seq))

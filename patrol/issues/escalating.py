"""The sweep that lets late issues climb: each rung once, in order, by whichever worker gets there, after any downtime."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import or_, select, update
from sqlalchemy.orm import load_only

from patrol.foundation import clock, events
from patrol.foundation.database import Base, db, new_id
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_minute
from patrol.issues.beside import rows_to_say
from patrol.issues.branches import unindexed
from patrol.issues.deciding import LATE_CODE, LATE_NAME, decision_moments
from patrol.issues.due import CLOCK_RUNS, chinese_calendar
from patrol.issues.escalation import DefaultRung, Rung, planned_moments
from patrol.issues.escalation_models import Escalation, EscalationPolicy, Order
from patrol.issues.events import IssueEscalated
from patrol.issues.history import ESCALATE, add_entry
from patrol.issues.models import Issue
from patrol.issues.plans import PLAN_LATE, plan_moments
from patrol.issues.policies import Dated, in_force
from patrol.issues.policies_held import current_policies
from patrol.issues.suspension import restored_lateness
from patrol.people.actor import SYSTEM

BATCH = 500
# What an issue's text, routing and findings say is not asked, and would be most of the work.
_NEEDED = (
    Issue.state, Issue.lead_id, Issue.due_at, Issue.due_rule, Issue.decide_by, Issue.review_on, Issue.milestones,
    Issue.plan_due_at, Issue.plan_reported_at, Issue.next_escalation_at, Issue.version, Issue.history_hash,
)
WAITING = [state.value for state in {*CLOCK_RUNS, *LATE_CODE}]
PLANNED_AT_ONCE = 1_000
_ORDER_TEXT = Text("超期未办结，系统按规定发出{name}", "Overdue: {name}, sent by rule")


@each_minute
def escalate_all_due() -> int:
    """Let everything climb that is due to; return how many rungs were reached."""
    timezone, total = current_app.extensions["settings"].timezone, 0
    plan_new_rungs(timezone)
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
        select(Issue).where(Issue.next_escalation_at <= now, unindexed(Issue.state).in_(WAITING))
        .order_by(Issue.next_escalation_at).limit(limit).options(load_only(*_NEEDED))
        .with_for_update(of=Issue, skip_locked=True).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    if not issues:
        return 0, 0
    ladder, reached = ladder_on(clock.local_date(now, timezone)), rungs_reached([issue.id for issue in issues])
    rows = [row for issue in issues for row in _climb(issue, ladder, reached, now, ZoneInfo(timezone))]
    # Nobody reads these in this transaction: saved in one statement a table, past the session, they cost a third less.
    db.session.bulk_save_objects(rows, preserve_order=False)
    return len(issues), sum(isinstance(row, Escalation) for row in rows)


def climb_first(issue: Issue, now: datetime, timezone: str) -> None:
    """Let a locked issue reach what is due before it moves on, as the sweep would have, which may have been away meanwhile.

    To be called before anything of the issue changes: a rung counts by the state, the lead and the dates that it had when
    its time came. No statement where nothing is due.
    """
    if issue.next_escalation_at is None or issue.next_escalation_at > now or issue.state not in WAITING:
        return
    start, day, zone = issue.next_escalation_at, clock.local_date(now, timezone), ZoneInfo(timezone)
    planned = planned_rungs(issue, current_policies().ladder_on(day), zone)
    if any(moment <= now and (moment >= start or rung.code == PLAN_LATE) for moment, rung, _ in planned):
        db.session.add_all(_climb(issue, ladder_on(day), rungs_reached([issue.id]), now, zone))


def ladder_on(day: date) -> Sequence[EscalationPolicy]:
    """Return the rungs in force on a day."""
    rows = db.session.scalars(
        select(EscalationPolicy).where(EscalationPolicy.valid_from <= day, EscalationPolicy.withdrawn_at.is_(None))
        .order_by(EscalationPolicy.valid_from)
    ).all()  # fmt: skip
    return in_force((Dated(row.code, row.valid_from, row.enabled, row) for row in rows), day)


def rung_names() -> dict[str, Text]:
    """Return what people call each rung that there is or was, by its code; of several versions the latest name."""
    rows = db.session.scalars(select(EscalationPolicy).order_by(EscalationPolicy.valid_from)).all()
    return {row.code: row.name for row in rows} | LATE_NAME


def order_texts(codes: Collection[str]) -> list[Text]:
    """Return what orders sent by the rungs of these codes say, by each version of them."""
    rows = db.session.scalars(select(EscalationPolicy).where(EscalationPolicy.code.in_(codes))).all() if codes else ()
    return [_ORDER_TEXT.format(name=row.name) for row in rows]


def plan_new_rungs(timezone: str) -> None:
    """Let the sweep look anew at all issues once another version of a rung has come into force.

    They are looked at from the beginning of its first day: a rung whose moment lies before it stays behind. A worker that
    is killed begins again, which changes nothing twice.
    """
    today = clock.today(timezone)
    new = select(EscalationPolicy.id, EscalationPolicy.valid_from).where(
        EscalationPolicy.planned_at.is_(None), EscalationPolicy.withdrawn_at.is_(None), EscalationPolicy.valid_from <= today
    )
    for policy_id, day in db.session.execute(new).all():
        begins, after = clock.beginning_of_day(day, timezone), None
        while True:
            with transaction():
                after = _look_anew(begins, after)
                if after is None:
                    db.session.get_one(EscalationPolicy, policy_id).planned_at = clock.now()
                    break


def _look_anew(begins: datetime, after: UUID | None) -> UUID | None:
    """Let the sweep look at one batch of issues from `begins` on; return the last one's id, None at the end."""
    waits = or_(Issue.next_escalation_at.is_(None), Issue.next_escalation_at > begins)
    batch = select(Issue.id).where(Issue.state.in_([state.value for state in CLOCK_RUNS]), waits).order_by(Issue.id).limit(PLANNED_AT_ONCE)
    ids = db.session.scalars(batch if after is None else batch.where(Issue.id > after)).all()
    db.session.execute(
        update(Issue).where(Issue.id.in_(ids), waits).values(next_escalation_at=begins), execution_options={"synchronize_session": False}
    )
    return ids[-1] if len(ids) == PLANNED_AT_ONCE else None


def rungs_reached(issue_ids: Sequence[UUID]) -> set[tuple[UUID, str, datetime]]:
    """Return the rungs that issues have reached: issue, code, and the due date that it counted to."""
    columns = (Escalation.issue_id, Escalation.code, Escalation.due_at)
    return {(row[0], row[1], row[2]) for row in db.session.execute(select(*columns).where(Escalation.issue_id.in_(issue_ids)))}


def keep_late(issue: Issue, *, due_at: datetime, stopped_at: datetime, now: datetime, timezone: str) -> None:
    """Let what was late when its clock stopped climb on from where it stood, although it has a new due date.

    To be called with the `due_at` from before, once the clock goes on. Otherwise whoever reports a cure that is none
    after each due date would never come to the graver rungs.
    """
    late_since, climbed = _late_before(issue.due_rule, due_at)
    if late_since is None and due_at > stopped_at:
        return
    zone = ZoneInfo(timezone)
    stopped, resumed = (moment.astimezone(zone).date() for moment in (stopped_at, now))
    last_day = ((late_since or due_at) - datetime.resolution).astimezone(zone).date()
    first = restored_lateness(last_day, stopped=stopped, resumed=resumed, calendar=chinese_calendar())
    reached = {code for _, code, due in rungs_reached([issue.id]) if due == due_at}
    note_late(issue, clock.beginning_of_day(first, timezone), {*climbed, *reached})


def note_late(issue: Issue, since: datetime, climbed: Collection[str]) -> None:
    """Keep with an issue's due date since when its lateness counts, and the rungs that it does not climb again."""
    late = {"due_at": issue.due_at.isoformat(), "at": since.isoformat(), "climbed": sorted(climbed)}
    issue.due_rule = {**issue.due_rule, "moved_late": late}


def late_at_once(issue: Issue, *, due_at: datetime, rule: Mapping[str, Any], now: datetime) -> None:
    """Let an issue climb whose due date now lies in the past, since its severity or category changed; `due_at` and `rule` are those before.

    That it is late is told at once, and graver orders count from then on, as after a recount; what was late already goes
    on from where it stood. Reminders of times past are not sent.
    """
    if issue.due_at == due_at or issue.due_at > now:
        return
    late_since, climbed = _late_before(rule, due_at)
    reached = {code for _, code, due in rungs_reached([issue.id]) if due == due_at}
    note_late(issue, min(now, late_since or due_at), {*climbed, *reached})
    issue.next_escalation_at = issue.due_at


def _late_before(rule: Mapping[str, Any], due_at: datetime) -> tuple[datetime | None, Collection[str]]:
    """Return since when lateness counts by a due date's `rule` where not from that date, and the rungs climbed for an earlier one."""
    moved = rule.get("moved_late")
    # It counts only for the due date with which it was noted.
    if moved is None or datetime.fromisoformat(moved["due_at"]) != due_at:
        return None, ()
    return datetime.fromisoformat(moved["at"]), moved["climbed"]


def _climb(
    issue: Issue, ladder: Sequence[EscalationPolicy], before: Collection[tuple[UUID, str, datetime]], now: datetime, zone: ZoneInfo
) -> list[Base]:
    """Let an issue reach the rungs that are due; return what is to be saved."""
    assert issue.next_escalation_at
    start = issue.next_escalation_at
    # A plan is late until it is there, wherever the ladder stands meanwhile: a date that moved hides no plan that was late by then.
    planned = [
        row for row in planned_rungs(issue, ladder, zone)
        if (row[0] >= start or row[1].code == PLAN_LATE) and (issue.id, row[1].code, row[2]) not in before
    ]  # fmt: skip
    issue.next_escalation_at = next((moment for moment, _, _ in planned if moment > now), None)
    return [row for moment, rung, due in planned if moment <= now for row in _reach(issue, rung, moment, due, now)]


def planned_rungs(issue: Issue, ladder: Sequence[Rung], zone: ZoneInfo) -> list[tuple[datetime, Rung, datetime]]:
    """Return moment, rung and the due date that it counts to, in order: the ladder's, that of the office when it has to decide, and that of a plan."""
    planned = [(moment, _late(code), moment) for moment, code in (*decision_moments(issue, zone), *plan_moments(issue))]
    if issue.state not in CLOCK_RUNS:
        return planned
    since, (late_since, climbed) = datetime.fromisoformat(issue.due_rule["since"]), _late_before(issue.due_rule, issue.due_at)
    moments = planned_moments(ladder, since, issue.due_at, chinese_calendar(), zone, late_since=late_since)
    return sorted([*planned, *((moment, rung, issue.due_at) for moment, rung in moments if rung.code not in climbed)], key=lambda row: row[0])


def _late(code: str) -> Rung:
    return DefaultRung(code, "", 0, None, LATE_NAME[code])


def _reach(issue: Issue, rung: Rung, planned_at: datetime, due_at: datetime, now: datetime) -> list[Base]:
    rows: list[Base] = [Escalation(issue_id=issue.id, code=rung.code, due_at=due_at, planned_at=planned_at, at=now)]
    changes, said = {"planned_at": {"from": None, "to": planned_at.isoformat()}}, {}
    if rung.order_kind:
        order = Order(
            id=new_id(), issue_id=issue.id, kind=rung.order_kind, text=_ORDER_TEXT.format(name=rung.name).zh, by_id=None, rule=rung.code,
            to_id=issue.lead_id, at=now,
        )  # fmt: skip
        rows.append(order)
        said = rows_to_say(order, "text", "at")
        changes["order"] = {"from": None, "to": rung.order_kind}
    entry = add_entry(issue, verb=ESCALATE, by=SYSTEM, from_state=issue.state, rule=rung.code, changes=changes, rows=said)
    events.record(IssueEscalated(issue_id=issue.id, code=rung.code, seq=entry.seq))
    return rows

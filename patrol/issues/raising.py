"""Raising an original's severity when a duplicate is merged into it, and taking that back with the merging. Never commits."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import SEVERITY_NAME, Severity
from patrol.issues.due import BESIDE, CLOCK_RUNS, count_due_again
from patrol.issues.escalating import climb_first, late_at_once
from patrol.issues.history import GIVE_BACK, TAKE_IN
from patrol.issues.lifecycle import ENDED
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.plans import grade_plan

_GRADES = list(Severity)
_NOT_UP = Text("原件现为“{now}”，只能提高", "The original is “{now}” now, and can only be raised")
_NO_LONGER = Text("原件已结案，不能再改严重程度", "The original is closed: its severity stays")


def raise_severity(original: Issue, severity: Severity, timezone: str) -> dict[str, Any]:
    """Raise the original's severity, as the office decided; its clock, while it runs, counts by the new one.

    Returns what changes. How the original stood is kept with its due date, for who undoes it. Raises Invalid (422) at
    `raise_severity` for one that is no higher, or an original that is closed.
    """
    now = Severity(original.severity)
    fault = _NO_LONGER if original.state in ENDED else None
    if fault is None and _GRADES.index(severity) <= _GRADES.index(now):
        fault = _NOT_UP.format(now=SEVERITY_NAME[now])
    if fault is not None:
        raise Invalid(fault, errors={"raise_severity": [fault]})
    climb_first(original, clock.now(), timezone)
    due_at, rule, climbs_from = original.due_at, original.due_rule, original.next_escalation_at
    original.severity = severity.value
    if original.state in CLOCK_RUNS:
        count_due_again(original, timezone)
        late_at_once(original, due_at=due_at, rule=rule, now=clock.now())
        original.due_rule = {**original.due_rule, "before_raise": {
            "severity": now.value, "due_at": due_at.isoformat(), "rule": rule, "raised_to": original.due_at.isoformat(),
            "climbs_from": climbs_from and climbs_from.isoformat(),
        }}  # fmt: skip
    planned = grade_plan(original, clock.now(), timezone)
    return {"severity": {"from": now.value, "to": severity.value}} | due_change(original, due_at, rule) | planned


def take_back_raise(original: Issue, number: str, timezone: str) -> dict[str, Any]:
    """Let an original stand as if the issue `number` had never been merged into it; return what changes, {} for nothing.

    What the office decided since stays: another severity, another due date, what another duplicate raised.
    """
    entries = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == original.id).order_by(HistoryEntry.seq)).all()
    severity = _severity_without(number, entries)
    if severity is None or severity == original.severity:
        return {}
    climb_first(original, clock.now(), timezone)
    changes: dict[str, Any] = {"severity": {"from": original.severity, "to": severity.value}}
    due_at, rule, waits_until = original.due_at, original.due_rule, original.next_escalation_at
    before = rule.get("before_raise")
    original.severity = severity.value
    if before and before["severity"] == severity and datetime.fromisoformat(before["raised_to"]) == due_at:
        original.due_at, original.due_rule = datetime.fromisoformat(before["due_at"]), before["rule"]
        # The ladder goes on from where it stood: rungs that were not reached because the date had moved are made up for.
        original.next_escalation_at = before["climbs_from"] and datetime.fromisoformat(before["climbs_from"])
    elif original.state not in ENDED:
        count_due_again(original, timezone)
        if original.state in CLOCK_RUNS:
            late_at_once(original, due_at=due_at, rule=rule, now=clock.now())
    of_due = {name: value for name, value in original.due_rule.items() if name not in BESIDE}
    original.due_rule = of_due | {name: rule[name] for name in BESIDE if name in rule}
    if original.state not in CLOCK_RUNS:
        original.next_escalation_at = waits_until
    elif original.decide_by is not None:
        # More time was asked for meanwhile: its own moment comes before the rung for which the ladder waits.
        original.next_escalation_at = min(filter(None, (original.next_escalation_at, original.decide_by)))
    return changes | due_change(original, due_at, rule) | grade_plan(original, clock.now(), timezone)


def due_change(issue: Issue, before: datetime, rule: dict[str, Any]) -> dict[str, Any]:
    """Return for the history how a due date moved from `before`, with both last days; {} when it stayed."""
    if issue.due_at == before:
        return {}
    return {
        "due_at": {"from": before.isoformat(), "to": issue.due_at.isoformat()},
        "last_day": {"from": rule["last_day"], "to": issue.due_rule["last_day"]},
    }


def _severity_without(number: str, entries: Iterable[HistoryEntry]) -> Severity | None:
    """Follow a history from its beginning: what the office set counts, what a duplicate raised only while it is merged."""
    rows = list(entries)
    left = {row.changes["duplicate"]["from"]: row.seq for row in rows if row.verb == GIVE_BACK and row.changes["duplicate"]["from"]}
    found: Severity | None = None
    for row in rows:
        change = row.changes.get("severity")
        if change is None or row.verb == GIVE_BACK:
            continue
        to = Severity(change["to"])
        if row.verb != TAKE_IN:
            found = to
        elif (by := row.changes["duplicate"]["to"]) != number and row.seq > left.get(by, 0):
            found = max(found or to, to, key=_GRADES.index)
    return found

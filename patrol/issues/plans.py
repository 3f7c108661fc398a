"""The plan of a cure (整改方案): by when the lead of a grave issue has to report one, as policy says. Never commits.

The clock begins with the dispatch, and runs while the issue is in work and no plan was reported. A new dispatch asks for a
plan anew; whoever takes over by a hand-over has the time that is left, as with the due date.
"""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from patrol.foundation.errors import NotAllowed
from patrol.issues.allowed import NOT_LEAD, leads
from patrol.issues.categories import Severity
from patrol.issues.deadlines import Deadline, Stage, Unit, count
from patrol.issues.due import WITHOUT_DUE, chinese_calendar, deadline_as_data
from patrol.issues.lifecycle import IN_WORK, State
from patrol.issues.listed import AnyIssue
from patrol.issues.models import Issue
from patrol.issues.policies_held import current_policies
from patrol.issues.queries import actor_facts, issue_facts
from patrol.issues.suspension import Pause, restored_due
from patrol.issues.taking import Taking

PLAN_LATE = "plan_late"
_KEPT = ("rule", "version", "unit", "last_day", "explanation")


def renew_plan(issue: Issue, before: State, now: datetime, timezone: str) -> dict[str, Any]:
    """Begin or end the clock of the plan of an issue that has just come into its state from another; return what changes, for its history."""
    state, was = State(issue.state), issue.plan_due_at
    if state is State.ACCEPTED:
        _forget(issue)
    elif state in IN_WORK and before not in (*IN_WORK, State.MERGED):
        if before is State.ACCEPTED:
            _forget(issue)
        # What became grave during a check or on the ledger has nothing to go on with.
        if issue.plan_due_at is None:
            _begin(issue, _asked(issue, now, timezone))
    return _change(issue, was)


def grade_plan(issue: Issue, now: datetime, timezone: str) -> dict[str, Any]:
    """Begin or end the clock of the plan of an issue whose severity has just changed; return what changes, for its history.

    It begins now: before nobody owed a plan. What is not in work begins it when work goes on.
    """
    was, asked = issue.plan_due_at, _asked(issue, now, timezone)
    if asked is None:
        _set(issue, None, None)
    elif issue.plan_due_at is None and issue.state in IN_WORK:
        _begin(issue, asked)
    look_at_plan(issue)
    return _change(issue, was)


def restore_plan(issue: Issue, because: Pause, *, stopped_at: datetime, now: datetime, timezone: str) -> dict[str, Any]:
    """Give back the time that was left for the plan when the clock stopped; what was late then stays late since its own moment."""
    was = issue.plan_due_at
    if was is None or was <= stopped_at or issue.plan_reported_at is not None:
        return {}
    rule = issue.due_rule["plan"]
    found = restored_due(
        was, date.fromisoformat(rule["last_day"]), Unit(rule["unit"]), stopped_at=stopped_at, resumed_at=now, calendar=chinese_calendar(),
        timezone=ZoneInfo(timezone), because=because,
    )  # fmt: skip
    said = [*rule["explanation"], *(text._asdict() for text in found.explanation)]
    _set(issue, found.due_at, {**rule, "last_day": found.last_day.isoformat(), "explanation": said})
    return _change(issue, was)


def report_plan(taking: Taking) -> None:
    """Take the progress that is being reported for the plan; a plan that is changed later was reported when it first was.

    Raises NotAllowed (403) for others than the lead.
    """
    issue = taking.issue
    if not leads(issue_facts(issue, taking.now), actor_facts(taking.by, issue, ())):
        raise NotAllowed(NOT_LEAD)
    taking.changes["plan"] = {"from": None, "to": True}
    if issue.plan_reported_at is None:
        taking.change("plan_reported_at", taking.now)


def owes_plan(issue: Issue) -> bool:
    """Tell whether the clock of the plan runs."""
    return issue.plan_due_at is not None and issue.plan_reported_at is None and issue.state in IN_WORK


def plan_moments(issue: Issue) -> list[tuple[datetime, str]]:
    """Return the moment (UTC) at which the lead is late with the plan, with its code; none where none is owed."""
    return [(issue.plan_due_at, PLAN_LATE)] if owes_plan(issue) and issue.plan_due_at else []


def look_at_plan(issue: Issue) -> None:
    """Let the sweep look at an issue no later than when its plan is late."""
    if owes_plan(issue):
        issue.next_escalation_at = min(filter(None, (issue.next_escalation_at, issue.plan_due_at)))


def shown_plan(issue: AnyIssue, now: datetime, language: str) -> dict[str, Any] | None:
    """Return by when a plan is to be reported and why then, when it was, and whether that was, or is, too late; None where none is asked or reported."""
    due, reported = None if issue.state in WITHOUT_DUE else issue.plan_due_at, issue.plan_reported_at
    if due is None and reported is None:
        return None
    said = issue.due_rule.get("plan") if due else None
    by_now = reported or (now if issue.state in IN_WORK else None)
    return {
        "due_at": due, "reported_at": reported, "late": due is not None and by_now is not None and due <= by_now,
        "rule": said["rule"] if said else None, "explanation": [text[language] for text in said["explanation"]] if said else [],
    }  # fmt: skip


def _asked(issue: Issue, since: datetime, timezone: str) -> tuple[Deadline, datetime] | None:
    policies, zone = current_policies(), ZoneInfo(timezone)
    limits = policies.limits_on(since.astimezone(zone).date())
    try:
        return count(Stage.PLAN, Severity(issue.severity), issue.category, since, policies.calendar, zone, limits), since
    except LookupError:
        # Most issues need no plan, and so no row is about them.
        return None


def _begin(issue: Issue, asked: tuple[Deadline, datetime] | None) -> None:
    if asked is not None:
        data = deadline_as_data(*asked)
        _set(issue, asked[0].due_at, {name: data[name] for name in _KEPT})


def _forget(issue: Issue) -> None:
    if issue.plan_due_at is not None:
        _set(issue, None, None)
    if issue.plan_reported_at is not None:
        issue.plan_reported_at = None


def _set(issue: Issue, moment: datetime | None, said: dict[str, Any] | None) -> None:
    if moment is None and issue.plan_due_at is None:
        return
    issue.plan_due_at = moment
    issue.due_rule = {name: value for name, value in issue.due_rule.items() if name != "plan"} | ({"plan": said} if said else {})
    look_at_plan(issue)


def _change(issue: Issue, was: datetime | None) -> dict[str, Any]:
    """Return for the history how the date of the plan moved, {} when it stayed."""
    now = issue.plan_due_at
    return {} if now == was else {"plan_due_at": {"from": was and was.isoformat(), "to": now and now.isoformat()}}

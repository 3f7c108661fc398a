"""When an issue is due, as stored with it: the moment, and everything that led to it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from patrol.foundation import clock
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.issues.deadlines import ChineseCalendar, Day, Deadline, Stage, Unit, count, due_said
from patrol.issues.lifecycle import State
from patrol.issues.models import Issue
from patrol.issues.policies import Policies
from patrol.issues.policies_held import current_policies
from patrol.issues.suspension import Pause, restored_due

CLOCK_RUNS = (State.SUBMITTED, State.ACCEPTED, State.DISPATCHED, State.IN_PROGRESS)
"""The states in which somebody must act before the due date; a rectified issue waits for others than its lead."""
WITHOUT_DUE = (State.REJECTED, State.MERGED, State.SUSPENDED)
"""The states in which no clock runs and none has a due date: what is on the ledger gets it back when work goes on."""

BESIDE = ("decision", "plan")
"""What is kept with the rule of the due date of moments beside it."""

_BY_OFFICE = "set_by_office"
_SET = Text("由河长办指定期限", "Set by the river chief office")
_BY_EXTENSION = "extension"
_EXTENDED = Text("由河长办批准延期", "Extended by the river chief office")
_KEPT = Text("已批准的延期保留：由{before}延至{until}，顺延至{due}", "The extension granted from {before} to {until} is kept: it ends on {due} local time")
_PAST = Text("期限必须晚于现在", "A due date must lie in the future")


def chinese_calendar() -> ChineseCalendar:
    """Return the calendar that due dates are counted by, as it stands now."""
    return current_policies().calendar


def count_due(issue: Issue, stage: Stage, since: datetime, timezone: str) -> None:
    """Set the issue's due date: `stage` must be reached within the limit of its severity, counted from `since`.

    The limits are those in force today, whatever day `since` is: a version counts for what is counted while it is in force.
    """
    policies = current_policies()
    deadline = count(
        stage, Severity(issue.severity), issue.category, since, policies.calendar, ZoneInfo(timezone),
        policies.limits_on(clock.today(timezone)),
    )  # fmt: skip
    take_deadline(issue, deadline, since)


def take_deadline(issue: Issue, deadline: Deadline, since: datetime) -> None:
    """Let an issue be due by a deadline counted from `since`, and keep with it what led to it."""
    issue.due_at, issue.due_rule = deadline.due_at, deadline_as_data(deadline, since) | _beside(issue)


class _Due(NamedTuple):
    """A due moment, and what is stored of how it came about."""

    at: datetime
    rule: dict[str, Any]


def count_due_again(issue: Issue, timezone: str) -> None:
    """Count the due date again from where it was counted last, because severity or category changed.

    Time that was granted meanwhile is kept: pauses of the clock and extensions follow in the order in which they came.
    """
    old, policies, zone = issue.due_rule, current_policies(), ZoneInfo(timezone)
    since = datetime.fromisoformat(old["since"])
    deadline = count(
        Stage(old["stage"]), Severity(issue.severity), issue.category, since, policies.calendar, zone,
        policies.limits_on(clock.today(timezone)),
    )  # fmt: skip
    due = _Due(deadline.due_at, deadline_as_data(deadline, since))
    for grant in old.get("grants", ()):
        due = _later(due, grant, zone) if grant["kind"] == _BY_EXTENSION else _after_pause(due, grant, issue, policies, timezone)
    issue.due_at, issue.due_rule = due.at, due.rule | _beside(issue)


def _beside(issue: Issue) -> dict[str, Any]:
    """Return why the office decides by when, and by when a plan is asked, which stay when the lead's date is counted again."""
    return {name: issue.due_rule[name] for name in BESIDE if name in issue.due_rule} if issue.due_rule else {}


def set_due(issue: Issue, moment: datetime, timezone: str) -> None:
    """Take over a due date that the office decided. Raises Invalid (422) for one in the past."""
    if moment <= clock.now():
        raise Invalid(_PAST, errors={"due_at": [_PAST]})
    _take_over(issue, moment, timezone, _BY_OFFICE, _SET)


def extend_due(issue: Issue, moment: datetime, timezone: str) -> None:
    """Take over the due date of a granted extension."""
    grant = {"kind": _BY_EXTENSION, "from": issue.due_at.isoformat(), "to": moment.isoformat()}
    _take_over(issue, moment, timezone, _BY_EXTENSION, _EXTENDED)
    issue.due_rule = _with_grant(issue.due_rule, grant)


def _take_over(issue: Issue, moment: datetime, timezone: str, rule: str, why: Text) -> None:
    issue.due_rule = {
        **issue.due_rule, "rule": rule, "version": None, "unit": None, "explanation": [why._asdict()], "days": [],
        "last_day": _last_day(moment, ZoneInfo(timezone)),
    }  # fmt: skip
    issue.due_at = moment


def restore_due(issue: Issue, because: Pause, *, stopped_at: datetime, now: datetime, timezone: str) -> None:
    """Give back the time that was left when the clock stopped; after a review at least what the policy's row says."""
    grant = {"kind": because.value, "from": stopped_at.isoformat(), "to": now.isoformat()}
    issue.due_at, issue.due_rule = _after_pause(_Due(issue.due_at, issue.due_rule), grant, issue, current_policies(), timezone)


def _after_pause(due: _Due, grant: dict[str, str], issue: Issue, policies: Policies, timezone: str) -> _Due:
    rule, because, zone = due.rule, Pause(grant["kind"]), ZoneInfo(timezone)
    stopped, resumed = (datetime.fromisoformat(grant[name]) for name in ("from", "to"))
    found = restored_due(
        due.at, date.fromisoformat(rule["last_day"]), Unit(rule["unit"]) if rule.get("unit") else None, stopped_at=stopped,
        resumed_at=resumed, calendar=policies.calendar, timezone=zone, because=because,
    )  # fmt: skip
    at, last_day, days, said, unit = found.due_at, found.last_day, found.days, found.explanation, rule.get("unit")
    if because is Pause.REVIEW:
        limits = policies.limits_on(clock.today(timezone))
        least = count(Stage.RETURN, Severity(issue.severity), issue.category, resumed, policies.calendar, zone, limits)
        if least.due_at > at:
            at, last_day, days, unit = least.due_at, least.last_day, least.days, least.limit.unit.value
            said = (*said, *least.explanation)
    changed = {
        **rule, "unit": unit, "last_day": last_day.isoformat(), "days": _days_as_data(days),
        "explanation": [*rule["explanation"], *(text._asdict() for text in said)],
    }  # fmt: skip
    return _Due(at, _with_grant(changed, grant))


def _later(due: _Due, grant: dict[str, str], zone: ZoneInfo) -> _Due:
    """Let a due date that was counted again end by as much later as an extension had granted."""
    before, until = (datetime.fromisoformat(grant[name]) for name in ("from", "to"))
    at = due.at + (until - before)
    shown = {name: due_said(moment, zone) for name, moment in (("before", before), ("until", until), ("due", at))}
    changed = {
        **due.rule, "unit": None, "last_day": _last_day(at, zone), "explanation": [*due.rule["explanation"], _KEPT.format(**shown)._asdict()],
    }  # fmt: skip
    return _Due(at, _with_grant(changed, grant))


def _with_grant(rule: Mapping[str, Any], grant: dict[str, str]) -> dict[str, Any]:
    return {**rule, "grants": [*rule.get("grants", ()), grant]}


def _last_day(due_at: datetime, zone: ZoneInfo) -> str:
    """Return the last local day in time: the due moment itself is the first that is too late."""
    return (due_at - datetime.resolution).astimezone(zone).date().isoformat()


def deadline_as_data(deadline: Deadline, since: datetime) -> dict[str, Any]:
    """Return what is stored with an issue of a deadline counted from `since`: the row of policy, the words, the days that counted."""
    return {
        "rule": deadline.rule, "version": deadline.limit.version, "stage": deadline.limit.stage.value, "unit": deadline.limit.unit.value, "since": since.isoformat(),
        "last_day": deadline.last_day.isoformat(), "explanation": [text._asdict() for text in deadline.explanation],
        "days": _days_as_data(deadline.days),
    }  # fmt: skip


def _days_as_data(days: Sequence[Day]) -> list[dict[str, Any]]:
    return [
        {"day": row.day.isoformat(), "works": row.works, "kind": row.kind.value, "name": row.name and row.name._asdict()}
        for row in days
    ]


def is_overdue(state: str, due: datetime, now: datetime) -> bool:
    """Tell whether somebody is late: the clock runs and the due moment, the first that is too late, has come."""
    return state in CLOCK_RUNS and due <= now


def shown_due(state: str, due: datetime, rule: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the members of an issue that tell its due date and why; none where there is none."""
    if state in WITHOUT_DUE:
        return {"due_at": None, "due_rule": None}
    return {
        "due_at": due,
        "due_rule": {
            "rule": rule["rule"], "version": rule.get("version"), "stage": rule["stage"], "last_day": rule["last_day"],
            "explanation": [text[language] for text in rule["explanation"]],
        },
    }  # fmt: skip

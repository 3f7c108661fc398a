"""By when the office has to decide: whom to put in charge, a cure to check, one to close, the ledger, a "not fixed", more time.

The lead's clock stands still meanwhile, but before a dispatch and while more time is asked for; whoever is late here is
the office. Never commits.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.issues.deadlines import DAYS_TO, Stage, count
from patrol.issues.lifecycle import IN_WORK, State
from patrol.issues.listed import AnyIssue
from patrol.issues.models import Extension, Issue
from patrol.issues.plans import PLAN_LATE
from patrol.issues.policies_held import current_policies

LATE_CODE = {
    State.ACCEPTED: "dispatch_late",
    State.RECTIFIED: "review_late", State.VERIFIED: "closing_late", State.SUSPENDED: "ledger_late", State.CLOSED: "reopening_late",
    State.DISPATCHED: "extension_late", State.IN_PROGRESS: "extension_late",
}  # fmt: skip
"""The states in which the office has to decide something, each with the code under which its being late is noted."""
LATE_NAME = {
    "dispatch_late": Text("派单超期", "The dispatch is late"),
    "review_late": Text("复核超期", "The check is late"), "closing_late": Text("结案超期", "The closing is late"),
    "ledger_late": Text("挂账复查或节点超期", "A review or a milestone of the ledger has passed"),
    "reopening_late": Text("“未整改到位”答复超期", "A “not fixed” waits too long"),
    "extension_late": Text("延期申请批复超期", "A request for more time waits too long"),
    PLAN_LATE: Text("整改方案超期", "The plan is late"),
}  # fmt: skip
"""What it is called to be late beside the ladder: the office with a decision, the lead with a plan."""
_LADDER_RUNS = (State.ACCEPTED, *IN_WORK)
_STAGE = {State.ACCEPTED: Stage.DISPATCH, State.RECTIFIED: Stage.REVIEW, State.VERIFIED: Stage.CLOSING}
_REVIEW = Text("挂账复查日：{day}", "To be reviewed on the ledger: {day}")
_MILESTONE = Text("挂账节点：{day}", "A milestone of the ledger: {day}")


def renew_decision(issue: Issue, before: State, now: datetime, timezone: str) -> None:
    """Set by when the office must decide on an issue that has just come into its state from another, or that it need not."""
    state = State(issue.state)
    if state in IN_WORK:
        # Only in work can more time be granted: what was asked for before a check or the ledger is decided on after it.
        if before not in IN_WORK:
            # A dispatch begins with no request: whoever led it before has had an answer.
            if before is not State.ACCEPTED and _asks_for_more_time(issue):
                decide_extension_by(issue, now, timezone)
            else:
                forget_extension(issue)
    elif state in _STAGE:
        # What was taken out of its original has the clock that it had before.
        if before is not State.MERGED or issue.decide_by is None:
            _count(issue, _STAGE[state], now, timezone)
    elif state is State.SUSPENDED:
        day, words = min(_days_of(issue), key=lambda found: found[0])
        said = [words.format(day=day), DAYS_TO.format(last=day)]
        _set(issue, clock.end_of_day(day, timezone), {"rule": "ledger", "explanation": [text._asdict() for text in said]})
    elif issue.decide_by is not None:
        _set(issue, None, None)


def answer_not_fixed(issue: Issue, asked_at: datetime | None, timezone: str) -> None:
    """Set by when a complainant's "not fixed" on a closed issue is decided; None: none waits any more."""
    if asked_at is None:
        _set(issue, None, None)
    else:
        _count(issue, Stage.REOPENING, asked_at, timezone)


def decide_extension_by(issue: Issue, asked_at: datetime, timezone: str) -> None:
    """Set by when a request for more time on an issue in work is decided, in working days from when it could be."""
    _count(issue, Stage.EXTENSION, asked_at, timezone)


def forget_extension(issue: Issue) -> None:
    """Let no request for more time wait on an issue any more."""
    if issue.decide_by is not None:
        _set(issue, None, None)


def _asks_for_more_time(issue: Issue) -> bool:
    asked = select(Extension.n).where(
        Extension.issue_id == issue.id, Extension.opening == issue.reopened_times, Extension.decided_at.is_(None)
    )
    return db.session.scalar(asked.limit(1)) is not None


def decision_moments(issue: Issue, timezone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Return the moments (UTC) at which the office is late on an issue, each with its code; of the ledger each of its days."""
    state = State(issue.state)
    if state not in LATE_CODE or issue.decide_by is None:
        return []
    days = sorted({day for day, _ in _days_of(issue)}) if state is State.SUSPENDED else []
    moments = [clock.end_of_day(day, timezone.key) for day in days] or [issue.decide_by]
    return [(moment, LATE_CODE[state]) for moment in moments]


def shown_decision(issue: AnyIssue, now: datetime, language: str) -> dict[str, Any] | None:
    """Return by when the office decides, why then, and whether it is late; None when nothing waits for it so."""
    if issue.decide_by is None:
        return None
    said = issue.due_rule.get("decision", {"rule": "", "explanation": []})
    return {
        "by": issue.decide_by, "late": issue.decide_by <= now, "rule": said["rule"],
        "explanation": [text[language] for text in said["explanation"]],
    }  # fmt: skip


def _count(issue: Issue, stage: Stage, since: datetime, timezone: str) -> None:
    policies, zone = current_policies(), ZoneInfo(timezone)
    day = since.astimezone(zone).date()
    found = count(stage, Severity(issue.severity), issue.category, since, policies.calendar, zone, policies.limits_on(day))
    _set(issue, found.due_at, {"rule": found.rule, "version": found.limit.version, "explanation": [text._asdict() for text in found.explanation]})


def _set(issue: Issue, moment: datetime | None, said: Mapping[str, Any] | None) -> None:
    issue.decide_by = moment
    kept = {name: value for name, value in issue.due_rule.items() if name != "decision"}
    issue.due_rule = kept | ({"decision": dict(said)} if said else {})
    if State(issue.state) in _LADDER_RUNS:
        # The lead's ladder goes on beside it: nothing lies between where that stands and its next rung.
        issue.next_escalation_at = min(filter(None, (issue.next_escalation_at, moment)), default=None)
    elif State(issue.state) in LATE_CODE:
        issue.next_escalation_at = moment


def _days_of(issue: Issue) -> list[tuple[date, Text]]:
    review = [(issue.review_on, _REVIEW)] if issue.review_on else []
    left = (row for row in issue.milestones or () if not row.get("done_at"))
    return [*review, *((date.fromisoformat(row["due_on"]), _MILESTONE) for row in left)]

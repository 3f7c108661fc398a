"""How late a due date the office may name when it dispatches: later than policy for a reason only, never without end, and only once.

No part of the work is due after the whole: the lead cannot finish before the parts are done, and one date holds (DOMAIN e, step 3).
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.issues.deadlines import Stage, count, due_said
from patrol.issues.lifecycle import Verb
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.policies_held import current_policies

TIMES_THE_LIMIT = 2
"""How many times the limit, counted from now, a named date may lie ahead."""
_TOO_FAR = Text("期限最迟为 {latest}：不得超过规定时限的两倍", "At the latest {latest}: no more than twice the limit")
_NEEDS_REASON = Text("期限晚于规定的 {due}，请说明理由", "It is later than {due}, the date by policy: say why")
_PART_AFTER = Text(
    "分项“{part}”的期限晚于问题的期限 {due}：请提前，或在派单时以 due_at 与 reason 推迟问题的期限",
    "The part “{part}” is due after the issue, {due}: name an earlier date, or set the issue's own later with `due_at` and `reason`",
)

_NOT_ANEW = Text(
    "此件曾派过单，重新派单不得推后期限（现为 {due}）；需要更多时间的，由责任人申请延期",
    "It was dispatched before, and dispatching it anew moves no date back ({due} now): more time is what its lead asks for",
)


def refuse_far_date(issue: Issue, moment: datetime, reason: str | None, *, now: datetime, timezone: str) -> None:
    """Raise Invalid (422) at `due_at` for a moment beyond twice the limit from `now`, at `reason` for one after policy's date without any.

    Policy's date is that of the issue's severity and category as they are now, counted from where its clock began; a later
    one that stands, since time was given back or granted, needs no reason again.
    """
    zone, policies = ZoneInfo(timezone), current_policies()
    limits = policies.limits_on(clock.local_date(now, timezone))

    def due_since(since: datetime) -> datetime:
        return count(Stage.RECTIFICATION, Severity(issue.severity), issue.category, since, policies.calendar, zone, limits).due_at

    latest = now + TIMES_THE_LIMIT * (due_since(now) - now)
    if moment > latest:
        words = _TOO_FAR.format(latest=due_said(latest, zone))
        raise Invalid(words, errors={"due_at": [words]})
    due = max(due_since(datetime.fromisoformat(issue.due_rule["since"])), issue.due_at)
    if moment > due and not (reason or "").strip():
        words = _NEEDS_REASON.format(due=due_said(due, zone))
        raise Invalid(words, errors={"reason": [words]})


def refuse_restarted_clock(issue: Issue, moment: datetime, timezone: str) -> None:
    """Raise Invalid (422) at `due_at` for a later moment than the due date that stands, when the issue was dispatched before.

    Passing an issue round gains no time: another grade or category counts from the old beginning, and more time is what the
    lead asks for. What is reopened begins anew.
    """
    reopened = select(func.max(HistoryEntry.seq)).where(HistoryEntry.issue_id == issue.id, HistoryEntry.verb == Verb.REOPEN.value)
    since = func.coalesce(reopened.scalar_subquery(), 0)
    before = select(HistoryEntry.id).where(
        HistoryEntry.issue_id == issue.id, HistoryEntry.verb == Verb.DISPATCH.value, HistoryEntry.seq > since
    )
    if moment > issue.due_at and db.session.scalar(before.limit(1)) is not None:
        words = _NOT_ANEW.format(due=due_said(issue.due_at, ZoneInfo(timezone)))
        raise Invalid(words, errors={"due_at": [words]})


def refuse_parts_after(issue: Issue, timezone: str) -> None:
    """Raise Invalid (422) at `co_handlers` for an open part with a date after the issue's."""
    for part in issue.parts:
        if part.state == "open" and part.due_at is not None and part.due_at > issue.due_at:
            words = _PART_AFTER.format(part=part.text[:40], due=due_said(issue.due_at, ZoneInfo(timezone)))
            raise Invalid(words, errors={"co_handlers": [words]})

"""More time for an issue: its lead asks before it is due, at most twice, and the office decides by a clock of its own. Never commits.

A request ends with whoever made it, and with the issue: when somebody else is to lead, or it ends, the system refuses it.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.issues import system_words
from patrol.issues.allowed import NOT_LEAD, OUT_OF_SCOPE, OWN_WORK, leads
from patrol.issues.beside import ASK_EXTENSION, GRANT_EXTENSION, REFUSE_EXTENSION, rows_to_say
from patrol.issues.deadlines import due_said
from patrol.issues.deciding import decide_extension_by, forget_extension
from patrol.issues.due import extend_due
from patrol.issues.escalating import climb_first
from patrol.issues.events import EntryNoted
from patrol.issues.four_eyes import own_work
from patrol.issues.history import add_entry
from patrol.issues.lifecycle import ENDED, IN_WORK, STATE_NAME, State
from patrol.issues.models import Extension, Issue
from patrol.issues.queries import actor_facts, extensions_of, issue_facts, locked_issue
from patrol.people.actor import SYSTEM, Actor

MOST_EXTENSIONS = 2
"""How often a lead may ask, granted or not; the published local rules allow two."""

_NOT_IN_WORK = Text("“{state}”时不能延期", "“{state}”: there is nothing to extend")
_TOO_LATE = Text("已到期，延期须在到期前申请", "It is due already: more time is asked for before that")
_NOT_LATER = Text("新期限必须晚于现在的期限", "The new date must lie after the present one")
_TOO_LONG = Text(
    "一次延期不得超过已给的办理时间，最晚可到{latest}", "It can ask for as much time as was given so far and no more: {latest} at the latest"
)
_ENOUGH = Text("已申请过{most}次延期，不能再申请", "More time was asked for {most} times already: there is no further time")
_WAITING = Text("上一次延期申请尚未决定", "The last request has not been decided yet")
_NONE = Text("没有这次延期申请", "There is no such request for more time")
_DECIDED = Text("此申请已有决定", "This request has been decided already")
_FOUR_EYES = Text("延期不能由申请人自己批准", "whoever asked for more time may not decide on it")
_OVER = Text("申请的期限已过：请不同意此申请", "The date asked for has passed: refuse the request")
_NO_MORE = Text("申请的期限不晚于现在的期限：请不同意此申请", "The date asked for is no later than the present one: refuse the request")
LEAD_CHANGED, ISSUE_ENDED = "lead_changed", "issue_ended"


def ask_extension(
    *, issue_id: UUID, by: Actor, until: datetime, reason: str, expected_version: int | None, timezone: str
) -> Issue:
    """Let the lead ask for time `until` a moment; return the issue, whose state and due date stay.

    Raises NotFound (404), Stale (412), NotAllowed (403) for others than the lead, Conflict (409) when it is not in work,
    late, waiting for a decision or asked for twice already, and Invalid (422) for a date that is no later, or further away than
    the time that was given so far is long.
    """
    issue, now = locked_issue(by, issue_id), clock.now()
    refuse_stale(expected_version, issue.version)
    if by.person_id is None or not leads(issue_facts(issue, now), actor_facts(by, issue, ())):
        raise NotAllowed(NOT_LEAD)
    _refuse_unless_in_work(issue)
    if issue.due_at <= now:
        raise Conflict(_TOO_LATE)
    _refuse_strange_date(issue, until, timezone)
    asked = extensions_of(issue)
    if any(row.decided_at is None and row.opening == issue.reopened_times for row in asked):
        raise Conflict(_WAITING)
    if sum(row.opening == issue.reopened_times for row in asked) >= MOST_EXTENSIONS:
        raise Conflict(_ENOUGH.format(most=MOST_EXTENSIONS))
    climb_first(issue, now, timezone)
    row = Extension(
        issue_id=issue.id, n=len(asked) + 1, opening=issue.reopened_times, until=until, reason=reason, asked_at=now,
        asked_by_id=by.person_id,
    )  # fmt: skip
    db.session.add(row)
    decide_extension_by(issue, now, timezone)
    changes = {"until": {"from": issue.due_at.isoformat(), "to": until.isoformat()}}
    add_entry(
        issue, verb=ASK_EXTENSION, by=by, from_state=issue.state, brought={"reason": reason}, changes=changes,
        rows=rows_to_say(row, "asked_at"),
    )  # fmt: skip
    events.record(EntryNoted(issue_id=issue.id, verb=ASK_EXTENSION, seq=issue.version))
    db.session.flush()
    return issue


def _refuse_strange_date(issue: Issue, until: datetime, timezone: str) -> None:
    if until <= issue.due_at:
        raise Invalid(_NOT_LATER, errors={"until": [_NOT_LATER]})
    latest = issue.due_at + (issue.due_at - datetime.fromisoformat(issue.due_rule["since"]))
    if until > latest:
        fault = _TOO_LONG.format(latest=due_said(latest, ZoneInfo(timezone)))
        raise Invalid(fault, errors={"until": [fault]})


def decide_extension(
    *, issue_id: UUID, n: int, by: Actor, granted: bool, reason: str, expected_version: int | None, timezone: str
) -> Issue:
    """Let the office decide on the `n`-th request; when granted, the issue is due at the date asked for.

    Raises NotFound (404), Stale (412), NotAllowed (403) out of the region, for one's own request or on one's own
    work, and Conflict (409) when it was decided before, when work on the issue has ended meanwhile, or when the date to grant
    has passed or is no later than the present one.
    """
    issue, now = locked_issue(by, issue_id), clock.now()
    refuse_stale(expected_version, issue.version)
    if not by.covers(issue.region.path):
        raise NotAllowed(OUT_OF_SCOPE)
    row = next((row for row in extensions_of(issue) if row.n == n), None)
    if row is None:
        raise NotFound(_NONE)
    if row.asked_by_id == by.person_id:
        raise NotAllowed(_FOUR_EYES)
    if own_work([issue.id], by.person_id, clock.local_date(now, timezone)):
        raise NotAllowed(OWN_WORK)
    if row.decided_at is not None or row.opening != issue.reopened_times:
        raise Conflict(_DECIDED)
    _refuse_unless_in_work(issue)
    if granted and row.until <= now:
        raise Conflict(_OVER)
    if granted and row.until <= issue.due_at:
        raise Conflict(_NO_MORE)
    climb_first(issue, now, timezone)
    row.granted, row.decision, row.decided_at, row.decided_by_id = granted, reason, now, by.person_id
    forget_extension(issue)
    _note_decision(issue, row, by, timezone)
    db.session.flush()
    return issue


def settle_request(issue: Issue) -> None:
    """Let the system refuse what the lead of a locked issue asked for and nobody decided, when it ends or the lead changed.

    One statement when there is none.
    """
    words, rule = (system_words.ENDED, ISSUE_ENDED) if issue.state in ENDED else (system_words.LEAD_CHANGED, LEAD_CHANGED)
    for row in extensions_of(issue):
        if row.decided_at is None and row.opening == issue.reopened_times:
            row.granted, row.decision, row.decided_at = False, words.zh, clock.now()
            if issue.state in IN_WORK:
                forget_extension(issue)
            add_entry(
                issue, verb=REFUSE_EXTENSION, by=SYSTEM, from_state=issue.state, rule=rule, brought={"reason": row.decision},
                rows=rows_to_say(row, "decided_at"),
            )  # fmt: skip
            # Of what has ended nobody is told that it is still due.
            if issue.state not in ENDED:
                events.record(EntryNoted(issue_id=issue.id, verb=REFUSE_EXTENSION, seq=issue.version))


def decision_in_both(row: Extension) -> Text | None:
    """Return the reason of a decision, None while there is none; the system's own, stored in Chinese, in both languages."""
    if row.decision is None:
        return None
    return Text(row.decision, row.decision) if row.decided_by_id else system_words.reason_in_both(REFUSE_EXTENSION, row.decision)


def _note_decision(issue: Issue, row: Extension, by: Actor, timezone: str) -> None:
    changes = {}
    if row.granted:
        before, last_day = issue.due_at, issue.due_rule["last_day"]
        extend_due(issue, row.until, timezone)
        changes["due_at"] = {"from": before.isoformat(), "to": row.until.isoformat()}
        changes["last_day"] = {"from": last_day, "to": issue.due_rule["last_day"]}
    verb = GRANT_EXTENSION if row.granted else REFUSE_EXTENSION
    add_entry(issue, verb=verb, by=by, from_state=issue.state, brought={"reason": row.decision}, changes=changes, rows=rows_to_say(row, "decided_at"))
    events.record(EntryNoted(issue_id=issue.id, verb=verb, seq=issue.version))


def _refuse_unless_in_work(issue: Issue) -> None:
    if issue.state not in IN_WORK:
        raise Conflict(_NOT_IN_WORK.format(state=STATE_NAME[State(issue.state)]))

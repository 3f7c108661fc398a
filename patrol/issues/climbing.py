"""Whether open issues still climb when they have to: what the sweep goes by, against what histories and policies say.

`next_escalation_at` is when the sweep looks at an issue next. It is worked out and in no entry; but whoever empties it, or
puts it off, lets an issue be late for ever without anybody being told. What it must be at the latest follows from facts
that are proved: the due date with how it came about, and the rungs that the history says were reached.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.issues.escalating import WAITING, ladder_on, planned_rungs
from patrol.issues.escalation import Basis
from patrol.issues.escalation_models import EscalationPolicy
from patrol.issues.history import UNREADABLE, is_rung
from patrol.issues.models import HistoryEntry, Issue

_BEGINS_LADDER = {"due_at", "due_rule", "decide_by", "review_on", "milestones"}
# A notice that is typed in later moves a rung that is counted in working days: by a long holiday and its make-up days.
_CALENDAR_MAY_MOVE = timedelta(days=16)
_PUT_OFF = Text(
    "升级检查时间应不晚于{latest}，现为{stored}，超期将不再上报", "it must climb by {latest}, and is looked at only {stored}: nobody would be told",
)
_NEVER = Text("从不", "never")


class PutOff(NamedTuple):
    """An issue that would not climb, or too late, and the entry from which on its ladder counts."""

    issue_id: UUID
    number: str
    seq: int
    text: Text


class _Ladder(NamedTuple):
    """The rungs in force, from what moment on each must have been looked at, and the zone of the days."""

    rungs: Sequence[EscalationPolicy]
    since: dict[str, datetime]
    zone: ZoneInfo


def put_off(timezone: str, batch: int = 500) -> Iterator[PutOff]:
    """Find the open issues whose next look by the sweep lies behind a rung that they have to reach.

    Nothing is said while a version of a rung waits for the sweep to plan it: then no issue has been looked at by it yet.
    """
    today = clock.today(timezone)
    if _some_wait_to_be_planned(today):
        return
    ladder = _Ladder(ladder_on(today), _counts_since(timezone), ZoneInfo(timezone))
    # They outlive the batches, after each of which the session forgets what it held.
    db.session.expunge_all()
    last: UUID | None = None
    while True:
        page = select(Issue.id).where(Issue.state.in_(WAITING)).order_by(Issue.id).limit(batch)
        ids = db.session.scalars(page if last is None else page.where(Issue.id > last)).all()
        if not ids:
            return
        last, found = ids[-1], _found_among(ids, ladder)
        db.session.rollback()
        db.session.expunge_all()
        yield from found


def _found_among(issue_ids: Sequence[UUID], ladder: _Ladder) -> list[PutOff]:
    """Look at issues together, or each alone where one of them or its history cannot be read: the check of the histories says that."""
    try:
        issues, entries = db.session.scalars(select(Issue).where(Issue.id.in_(issue_ids)).order_by(Issue.id)).all(), _entries_of(issue_ids)
        return [one for issue in issues if (one := _put_off(issue, entries[issue.id], ladder))]
    except UNREADABLE:
        return [one for issue_id in issue_ids for one in _found_among([issue_id], ladder)] if len(issue_ids) > 1 else []


def _some_wait_to_be_planned(today: date) -> bool:
    waiting = select(EscalationPolicy.id).where(
        EscalationPolicy.planned_at.is_(None), EscalationPolicy.withdrawn_at.is_(None), EscalationPolicy.valid_from <= today
    )
    return db.session.scalar(waiting.limit(1)) is not None


def _counts_since(timezone: str) -> dict[str, datetime]:
    """Return by code from when on a rung holds as it is: since its first day, or since another version was withdrawn."""
    columns = (EscalationPolicy.code, func.max(EscalationPolicy.valid_from), func.max(EscalationPolicy.withdrawn_at))
    today = clock.today(timezone)
    rows = db.session.execute(select(*columns).where(EscalationPolicy.valid_from <= today).group_by(EscalationPolicy.code))
    return {code: max(filter(None, (clock.beginning_of_day(day, timezone), withdrawn))) for code, day, withdrawn in rows}


def _entries_of(issue_ids: Sequence[UUID]) -> dict[UUID, list[Row[Any]]]:
    names = ("issue_id", "seq", "verb", "from_state", "to_state", "rule", "at", "facts", "changes")
    rows = db.session.execute(
        select(*(getattr(HistoryEntry, name) for name in names)).where(HistoryEntry.issue_id.in_(issue_ids)).order_by(HistoryEntry.seq)
    )
    found = defaultdict[UUID, list[Row[Any]]](list)
    for row in rows:
        found[row.issue_id].append(row)
    return found


def _put_off(issue: Issue, entries: Sequence[Row[Any]], ladder: _Ladder) -> PutOff | None:
    begun = next((entry for entry in reversed(entries) if _begins_ladder(entry)), None)
    if begun is None:
        return None
    reached = {(entry.rule, entry.changes["planned_at"]["to"]) for entry in entries if is_rung(entry)}
    since_begun = {entry.rule for entry in entries if is_rung(entry) and entry.seq > begun.seq}
    # How the due date came about may have been changed: the history says so, and nothing can be counted from it.
    planned = planned_rungs(issue, ladder.rungs, ladder.zone)
    for moment, rung, _ in planned:
        is_reached = (rung.code, moment.isoformat()) in reached or (isinstance(rung, EscalationPolicy) and rung.code in since_begun)
        if is_reached or moment < max(begun.at, ladder.since.get(rung.code, begun.at)):
            continue
        latest = moment + (_CALENDAR_MAY_MOVE if rung.basis in (Basis.WORKING_DAYS_BEFORE, Basis.WORKING_DAYS_AFTER) and rung.amount else timedelta())
        stored = issue.next_escalation_at
        if stored is None or stored > latest:
            words = _PUT_OFF.format(latest=moment.isoformat(), stored=stored.isoformat() if stored else _NEVER)
            return PutOff(issue.id, issue.number, begun.seq, words)
    return None


def _begins_ladder(entry: Row[Any]) -> bool:
    # Entries from before facts were said may have begun it.
    return entry.facts is None or entry.from_state != entry.to_state or bool(_BEGINS_LADDER & entry.facts.keys())

"""How much a phone still holds: the word that the phone itself said last, whatever the order in which its words arrived."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.track_models import PhoneQueue
from patrol.people.actor import Actor


class Told(Protocol):
    """What orders the words of a phone: its own count of them, and its clock; None where it does not say."""

    @property
    def report(self) -> int | None: ...
    @property
    def sent_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class PhoneReport:
    """One word of a phone: so many things, the oldest recorded then."""

    pending: int
    oldest: datetime | None = None
    report: int | None = None
    sent_at: datetime | None = None


def is_earlier(one: Told, than: Told) -> bool:
    """Tell whether the phone said `one` before the other; where it does not say, what arrives later was said later.

    Its count goes before its clock, which may be set back. A lower count under a later clock is a phone that was set up
    anew and counts from the start.
    """
    by_clock = None if one.sent_at is None or than.sent_at is None else one.sent_at < than.sent_at
    if one.report is None or than.report is None or one.report == than.report:
        return bool(by_clock)
    return one.report < than.report and by_clock is not False


def note_pending(told: PhoneReport, *, by: Actor, device: str) -> tuple[PhoneQueue, bool]:
    """Remember what a phone says it holds, in place of what it said before; return its latest word, and whether it is this one."""
    row = db.session.scalar(
        select(PhoneQueue).where(PhoneQueue.person_id == by.person_id, PhoneQueue.device == device)
        .with_for_update().execution_options(populate_existing=True)
    )  # fmt: skip
    if row is None:
        row = PhoneQueue(person_id=by.person_id, device=device)
        db.session.add(row)
    elif is_earlier(told, row):
        return row, False
    row.pending, row.oldest, row.report, row.sent_at, row.reported_at = told.pending, told.oldest, told.report, told.sent_at, clock.now()
    row.settled = 0
    db.session.flush()
    return row, True

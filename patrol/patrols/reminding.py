"""Reminders of duties: once a person and period at its half, and once on the day before its end. The worker runs it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patrol.foundation import clock, events, outbox, worker
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.patrols.duty_models import DutyReminder
from patrol.patrols.duty_periods import Span
from patrol.patrols.duty_queries import Duty, duties_of_everybody
from patrol.patrols.events import DutyReminded
from patrol.people.actor import SYSTEM

HALF, LAST_DAY = "half", "last_day"
# Nobody is reminded at night: the first run from this local hour on does it.
FIRST_HOUR = 8
Key = tuple[UUID, str, date, str]


@dataclass
class Undone:
    """What one person has to do in one period on all reaches together, and on which of them something is left."""

    last_day: date
    required: int = 0
    left: int = 0
    reaches: list[dict[str, Any]] = field(default_factory=list)


def kind_of_reminder(span: Span, today: date, *, required: int, left: int) -> str | None:
    """Tell which reminder a person gets today: on the last two days when anything is left, from the half on when half is."""
    if left <= 0 or today not in span:
        return None
    if today >= span.last - timedelta(days=1):
        return LAST_DAY
    halfway = 2 * ((today - span.first).days + 1) > (span.last - span.first).days + 1
    return HALF if halfway and 2 * left >= required else None


@worker.each_hour
def remind_when_day_has_begun() -> None:
    """Remind whoever has something left, from 8 o'clock local time on."""
    timezone = current_app.extensions["settings"].timezone
    local = clock.local(clock.now(), timezone)
    if local.hour >= FIRST_HOUR:
        remind(local.date(), timezone)


def remind(today: date, timezone: str) -> int:
    """Put one row into the outbox for each person and period to be reminded of today; return how many.

    Whoever has been reminded of it before is not again: the table's unique constraint says so. A second worker that
    runs at the same moment finds the rows of the first, and writes none.
    """
    found: dict[tuple[UUID, str, Span], Undone] = {}
    duties_of_everybody(Span(today, today), SYSTEM, timezone, lambda page: _gather(page, found))
    wanted: dict[Key, tuple[Span, Undone]] = {}
    for (person_id, period, span), undone in found.items():
        if kind := kind_of_reminder(span, today, required=undone.required, left=undone.left):
            wanted[person_id, period, span.first, kind] = span, undone
    for key in _known(wanted):
        wanted.pop(key, None)
    try:
        with transaction():
            for key, (span, undone) in wanted.items():
                _put(key, span, undone)
    except IntegrityError:
        return 0
    return len(wanted)


def _gather(page: Sequence[Duty], found: dict[tuple[UUID, str, Span], Undone]) -> None:
    for duty in page:
        for period in duty.periods:
            due = period.due
            undone = found.setdefault((duty.person.id, due.policy.period.value, due.span), Undone(due.span.last))
            left = max(due.required - len(period.tally.groups), 0)
            undone.required += due.required
            undone.left += left
            if left:
                undone.reaches.append({"id": str(duty.reach.id), "code": duty.reach.code, "name": duty.reach.name, "left": left})


def _known(wanted: Iterable[Key]) -> set[Key]:
    first_days = {key[2] for key in wanted}
    rows = db.session.execute(
        select(DutyReminder.person_id, DutyReminder.period, DutyReminder.first_day, DutyReminder.kind)
        .where(DutyReminder.first_day.in_(first_days))
    )
    return {(person_id, period, first_day, kind) for person_id, period, first_day, kind in rows}


def _put(key: Key, span: Span, undone: Undone) -> None:
    person_id, period, first_day, kind = key
    row = DutyReminder(
        id=new_id(), person_id=person_id, period=period, first_day=first_day, last_day=span.last, kind=kind, created_at=clock.now(),
        facts={"required": undone.required, "left": undone.left, "reaches": undone.reaches},
    )
    db.session.add(row)
    outbox.put("patrols.remind", reminder_id=str(row.id))


@outbox.delivers("patrols.remind")
def deliver_reminder(payload: dict[str, Any]) -> outbox.Write:
    """Show a reminder in the person's own list, and tell of it once."""
    reminder_id = UUID(payload["reminder_id"])

    def write() -> None:
        row = db.session.get_one(DutyReminder, reminder_id)
        if row.noticed_at is not None:
            return
        row.noticed_at = clock.now()
        events.record(DutyReminded(
            reminder_id=row.id, person_id=row.person_id, kind=row.kind, first_day=row.first_day, last_day=row.last_day, facts=row.facts,
        ))  # fmt: skip

    return write

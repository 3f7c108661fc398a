"""What is left of a deadline whose clock stands still, on the ledger or for a review, and when it ends after that.

A limit in days keeps its whole days: those after the local day on which the clock stopped, up to the last day, are
counted again from the day after the one on which it goes on. Hours, moments named by the office, and what was late
already, move by exactly as long as the clock stood still.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.deadlines import (
    DAYS_TO,
    HOURS_TO,
    UNIT_TEXT,
    Calendar,
    Day,
    DayKind,
    Unit,
    days_before,
    days_until,
    due_said,
    said_of,
)


class Pause(StrEnum):
    """Why a clock stands still: works are needed first, or somebody else has to look."""

    LEDGER = "ledger"
    REVIEW = "review"


_STOOD_STILL = {
    Pause.LEDGER: Text("{stopped}至{resumed}挂账，不计时", "On the ledger from {stopped} to {resumed}: the clock stood still"),
    Pause.REVIEW: Text("{stopped}至{resumed}等待复核，不计时", "Under review from {stopped} to {resumed}: the clock stood still"),
}
_LEFT = Text("剩余{amount}", "{amount} were left")


def stood_still(explanation: Sequence[Mapping[str, str]]) -> bool:
    """Tell from the stored words of a due date whether its clock has stood still: then no count from its start gives it back."""
    beginnings = tuple(text.en.partition("{")[0] for text in _STOOD_STILL.values())
    return any(text["en"].startswith(beginnings) for text in explanation)


class Restored(NamedTuple):
    """A deadline that goes on: the first moment that is too late (UTC), its last local day, and what led to it."""

    due_at: datetime
    last_day: date
    explanation: tuple[Text, ...]
    days: tuple[Day, ...]


def restored_due(
    due_at: datetime, last_day: date, unit: Unit | None, *, stopped_at: datetime, resumed_at: datetime,
    calendar: Calendar, timezone: ZoneInfo, because: Pause = Pause.LEDGER,
) -> Restored:  # fmt: skip
    """Return when an issue is due whose clock stood still; `unit` None is a moment that was named, or the end of a day that was."""
    if unit is None and due_at == datetime.combine(last_day + timedelta(days=1), time(), timezone):
        unit = Unit.CALENDAR_DAYS
    stopped, resumed = (moment.astimezone(timezone).date() for moment in (stopped_at, resumed_at))
    stood = _STOOD_STILL[because].format(stopped=stopped, resumed=resumed)
    if unit in (None, Unit.HOURS) or due_at <= stopped_at:
        moved = due_at + (resumed_at - stopped_at)
        local = moved.astimezone(timezone)
        return Restored(moved, local.date(), (stood, HOURS_TO.format(due=due_said(moved, timezone))), ())
    left = _days_left(stopped, last_day, unit, calendar)
    passed: Sequence[Day] = days_until(left, resumed, calendar) if unit is Unit.WORKING_DAYS else ()
    last = passed[-1].day if passed else resumed + timedelta(days=0 if unit is Unit.WORKING_DAYS else left)
    due = datetime.combine(last + timedelta(days=1), time(), timezone).astimezone(UTC)
    notable = tuple(row for row in passed if row.kind not in (DayKind.WEEKDAY, DayKind.WEEKEND))
    said = (stood, _LEFT.format(amount=UNIT_TEXT[unit].format(n=left)), *said_of(notable), DAYS_TO.format(last=last))
    return Restored(due, last, said, notable)


def restored_lateness(last_day: date, *, stopped: date, resumed: date, calendar: Calendar) -> date:
    """Return the first late local day of what was late when its clock stood still: the working days of the pause do not count.

    `last_day` was the last one in time. As many working days lie between the day returned and `resumed` as lay between
    it and `stopped`; the day on which the clock stopped is waited for again.
    """
    passed = sum(calendar.ruling(last_day + timedelta(days=n)).works for n in range(1, (stopped - last_day).days))
    return days_before(passed, resumed, calendar)


def _days_left(stopped: date, last_day: date, unit: Unit, calendar: Calendar) -> int:
    days = max((last_day - stopped).days, 0)
    if unit is Unit.CALENDAR_DAYS:
        return days
    return sum(calendar.ruling(stopped + timedelta(days=n)).works for n in range(1, days + 1))

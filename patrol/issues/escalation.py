"""When a late issue climbs to whom: one ladder of policy rows, in local working days. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from patrol.foundation.texts import Text
from patrol.issues.deadlines import Calendar, days_before, days_until


class Basis(StrEnum):
    """From what a rung is counted.

    Half of the time allowed, hours before the due moment, working days before the last day (at the beginning of such a
    day) or after it.
    """

    HALF = "half"
    HOURS_BEFORE = "hours_before"
    WORKING_DAYS_BEFORE = "working_days_before"
    WORKING_DAYS_AFTER = "working_days_after"


class Rung(Protocol):
    """One row of policy: its code, from what it is counted, how much, the order that comes with it, if any, and its name."""

    @property
    def code(self) -> str: ...
    @property
    def basis(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def order_kind(self) -> str | None: ...
    @property
    def name(self) -> Text: ...


class DefaultRung(NamedTuple):
    """A row that a new installation starts with."""

    code: str
    basis: str
    amount: int
    order_kind: str | None
    name: Text


# The ladder that most published rules share: reminders at half-time and the day before the last, the superior chief when it is overdue,
# a letter after three working days, listed supervision after ten, an admonitory talk after twenty.
DEFAULT_LADDER = (
    DefaultRung("half_time", Basis.HALF, 0, None, Text("时限过半提醒", "Half of the time is over")),
    DefaultRung("day_before", Basis.WORKING_DAYS_BEFORE, 1, None, Text("到期前一个工作日提醒", "The working day before the last")),
    DefaultRung("overdue", Basis.WORKING_DAYS_AFTER, 0, None, Text("超期，报上级河长", "Overdue: the superior chief is told")),
    DefaultRung("letter", Basis.WORKING_DAYS_AFTER, 3, "letter", Text("督办函", "Supervision letter")),
    DefaultRung("listed", Basis.WORKING_DAYS_AFTER, 10, "listed", Text("挂牌督办", "Listed supervision")),
    DefaultRung("talk", Basis.WORKING_DAYS_AFTER, 20, "talk", Text("约谈", "Admonitory talk")),
)  # fmt: skip


def planned_moments(
    ladder: Sequence[Rung], since: datetime, due: datetime, calendar: Calendar, timezone: ZoneInfo, *, late_since: datetime | None = None,
) -> list[tuple[datetime, Rung]]:  # fmt: skip
    """Return each rung with its moment (UTC), in order of time; equal moments keep the ladder's order.

    `late_since` is from when on working days after the due date are counted where that is not the due date itself: a recount
    moved it into the past, or it was late before its clock stood still.
    """
    late = late_since or due
    return sorted(((_moment_of(rung, since, due, late, calendar, timezone), rung) for rung in ladder), key=lambda pair: pair[0])


def _moment_of(rung: Rung, since: datetime, due: datetime, late: datetime, calendar: Calendar, timezone: ZoneInfo) -> datetime:
    if rung.basis == Basis.HALF:
        return since + (due - since) / 2
    if rung.basis == Basis.HOURS_BEFORE:
        return due - timedelta(hours=rung.amount)
    # The due moment is the first that is too late: the last day in time is that of the moment before.
    last_day = (due - datetime.resolution).astimezone(timezone).date()
    if rung.basis == Basis.WORKING_DAYS_BEFORE:
        return _midnight(days_before(rung.amount, last_day, calendar), timezone)
    if rung.amount == 0:
        return due
    late_day = (late - datetime.resolution).astimezone(timezone).date()
    after = days_until(rung.amount, late_day, calendar)[-1].day
    return _midnight(after + timedelta(days=1), timezone)


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), timezone).astimezone(UTC)

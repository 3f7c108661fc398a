"""The periods in which patrols are due and asked about: days, weeks, ten days, months and so on, in local days. Pure."""

import re
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text

LONGEST_WINDOW_DAYS = 100
# Periods beside them still have all their moments in the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 9998
_BAD_PERIOD = Text(
    "period 应为日 2026-11-20、周 2026-W48、月 2026-11 或季 2026-Q4", "period is a day 2026-11-20, a week 2026-W48, a month 2026-11 or a quarter 2026-Q4"
)
_BOTH_OR_NONE = Text("from 与 to 须一并给出，且不能与 period 同时使用", "Give from and to together, and not beside period")
_REVERSED = Text("to 早于 from", "to is before from")
_TOO_FAR = Text("只能查询 1900 至 9998 年", "Ask about the years 1900 to 9998")
_TOO_LONG = Text("一次最多查询 {days} 天，请缩短时间范围", "At most {days} days at a time: ask for a shorter span")


class PeriodKind(StrEnum):
    """In what a policy counts its times; of every month ten days run from the 1st, the 11th and the 21st."""

    DAY = "day"
    WORKING_DAY = "working_day"
    WEEK = "week"
    TEN_DAYS = "ten_days"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


class Span(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def days(self) -> list[date]:
        """Return every day of it."""
        return [self.first + timedelta(n) for n in range((self.last - self.first).days + 1)]

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


_MONTHS_OF = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.HALF_YEAR: 6, PeriodKind.YEAR: 12}


def period_with(kind: PeriodKind, day: date) -> Span:
    """Return the period of this kind that `day` lies in; weeks begin on Monday (ISO 8601)."""
    if kind in (PeriodKind.DAY, PeriodKind.WORKING_DAY):
        return Span(day, day)
    if kind is PeriodKind.WEEK:
        monday = day - timedelta(day.weekday())
        return Span(monday, monday + timedelta(6))
    if kind is PeriodKind.TEN_DAYS:
        first = min(day.day - 1, 20) // 10 * 10 + 1
        last = _end_of_months(day.year, day.month) if first == 21 else day.replace(day=first + 9)
        return Span(day.replace(day=first), last)
    months = _MONTHS_OF[kind]
    first_month = (day.month - 1) // months * months + 1
    return Span(date(day.year, first_month, 1), _end_of_months(day.year, first_month + months - 1))


def periods_due_in(kind: PeriodKind, window: Span) -> list[Span]:
    """Return the periods that belong to a window, each whole: those that end in it, else the one that runs at its end.

    So a week across two months counts in the month in which it ends, and the days of a quarter show the quarter.
    """
    found = []
    period = period_with(kind, window.first)
    while period.last <= window.last:
        found.append(period)
        period = period_with(kind, period.last + timedelta(1))
    return found or [period]


_SHAPES = {
    re.compile(r"(\d{4})-W(\d\d)"): PeriodKind.WEEK,
    re.compile(r"(\d{4})-Q([1-4])"): PeriodKind.QUARTER,
    re.compile(r"(\d{4})-(\d\d)"): PeriodKind.MONTH,
    re.compile(r"(\d{4})-(\d\d)-(\d\d)"): PeriodKind.DAY,
}


def window_of(period: str | None, first: date | None, last: date | None, *, today: date) -> Span:
    """Return the days that a caller asks about: a named period, `first` to `last`, or else the month of `today`.

    Raises Invalid (422) for a name that is none, for half of a span, a reversed one and one over 100 days.
    """
    if (first is None) != (last is None) or (period is not None and first is not None):
        raise Invalid(_BOTH_OR_NONE, errors={"from": [_BOTH_OR_NONE]})
    if period is not None:
        return _named(period)
    if first is None or last is None:
        return period_with(PeriodKind.MONTH, today)
    if last < first:
        raise Invalid(_REVERSED, errors={"to": [_REVERSED]})
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise Invalid(_TOO_FAR, errors={"from": [_TOO_FAR]})
    if (last - first).days >= LONGEST_WINDOW_DAYS:
        fault = _TOO_LONG.format(days=LONGEST_WINDOW_DAYS)
        raise Invalid(fault, errors={"to": [fault]})
    return Span(first, last)


def _named(period: str) -> Span:
    for shape, kind in _SHAPES.items():
        if match := shape.fullmatch(period):
            numbers = [int(number) for number in match.groups()]
            try:
                return period_with(kind, _day_in(kind, numbers))
            except (ValueError, OverflowError):
                break
    raise Invalid(_BAD_PERIOD, errors={"period": [_BAD_PERIOD]})


def _day_in(kind: PeriodKind, numbers: list[int]) -> date:
    if not FIRST_YEAR <= numbers[0] <= LAST_YEAR:
        raise ValueError(numbers[0])
    if kind is PeriodKind.WEEK:
        return date.fromisocalendar(numbers[0], numbers[1], 1)
    if kind is PeriodKind.QUARTER:
        return date(numbers[0], numbers[1] * 3, 1)
    return date(*numbers, *([1] * (3 - len(numbers))))


def _end_of_months(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(1)

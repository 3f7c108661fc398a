"""When an issue is due: limits by severity, counted in hours, calendar days or working days of the Chinese calendar.

Days are local days. The day on which the count begins is not counted; a limit in days ends at 24:00 of its last day,
so that whoever acts within that day is in time. Working days follow the State Council's yearly notice (holidays and
make-up days); for years whose notice is not known yet, Monday to Friday is assumed, without the holidays that have the
same date each year by law, and the explanation says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import chinese_calendar

from patrol.foundation.texts import Text
from patrol.issues.categories import Severity


class Unit(StrEnum):
    """What a limit is counted in."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


class Stage(StrEnum):
    """What has to be done by then.

    The office's answer to a new issue and its word on who is in charge, the cure (and at least how long there is for it
    after a return), the plan of one that is grave, and the office's check, closing, word on a citizen's "not fixed" and on a request for more time.
    """

    ACCEPTANCE = "acceptance"
    DISPATCH = "dispatch"
    RECTIFICATION = "rectification"
    RETURN = "return"
    REVIEW = "review"
    CLOSING = "closing"
    REOPENING = "reopening"
    EXTENSION = "extension"
    PLAN = "plan"


class Limit(NamedTuple):
    """One row of policy and its version; `category` is the first letters of a code, "" for all."""

    code: str
    stage: Stage
    severity: Severity
    category: str
    amount: int
    unit: Unit
    version: int = 1


_S, _A, _R = Severity, Stage.ACCEPTANCE, Stage.RECTIFICATION

# The first row that fits decides. What a new installation starts with: the common denominator of published local rules
# (Fujian 96133 and Lixian county: 10 working days; Lixian: 20 for grave ones; urgent intake within 2 hours in Beijing;
# 3 working days for the check, 5 for the call-back and what follows from it; a dispatch is decided within 1, what is urgent
# as fast as it is accepted, and so is more time). Only what is major needs a plan first: where no row fits, none is asked.
DEFAULT_LIMITS: tuple[Limit, ...] = (
    Limit("accept_urgent_2_h",   _A, _S.URGENT,  "",  2, Unit.HOURS),
    Limit("accept_general_1_wd", _A, _S.GENERAL, "",  1, Unit.WORKING_DAYS),
    Limit("accept_serious_1_wd", _A, _S.SERIOUS, "",  1, Unit.WORKING_DAYS),
    Limit("accept_major_1_wd",   _A, _S.MAJOR,   "",  1, Unit.WORKING_DAYS),
    Limit("dispatch_urgent_2_h",   Stage.DISPATCH, _S.URGENT,  "", 2, Unit.HOURS),
    Limit("dispatch_general_1_wd", Stage.DISPATCH, _S.GENERAL, "", 1, Unit.WORKING_DAYS),
    Limit("dispatch_serious_1_wd", Stage.DISPATCH, _S.SERIOUS, "", 1, Unit.WORKING_DAYS),
    Limit("dispatch_major_1_wd",   Stage.DISPATCH, _S.MAJOR,   "", 1, Unit.WORKING_DAYS),
    Limit("urgent_24_h",         _R, _S.URGENT,  "", 24, Unit.HOURS),
    Limit("general_10_wd",       _R, _S.GENERAL, "", 10, Unit.WORKING_DAYS),
    Limit("serious_20_wd",       _R, _S.SERIOUS, "", 20, Unit.WORKING_DAYS),
    Limit("major_60_d",          _R, _S.MAJOR,   "", 60, Unit.CALENDAR_DAYS),
    Limit("plan_major_10_wd", Stage.PLAN, _S.MAJOR, "", 10, Unit.WORKING_DAYS),
    *(Limit(f"{stage}_{severity}_{days}_wd", stage, severity, "", days, Unit.WORKING_DAYS)
      for stage, days in ((Stage.RETURN, 1), (Stage.REVIEW, 3), (Stage.CLOSING, 5), (Stage.REOPENING, 5), (Stage.EXTENSION, 1)) for severity in Severity),
)  # fmt: skip


class DayKind(StrEnum):
    """Why a day counts as a working day or not."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    LOCAL = "local"
    FIXED = "fixed"
    ASSUMED = "assumed"


class Day(NamedTuple):
    """One row of the calendar; `name` is the holiday's, or what the local decision says, None on ordinary days."""

    day: date
    works: bool
    kind: DayKind
    name: Text | None = None


class Calendar(Protocol):
    """What tells working days from others."""

    def ruling(self, day: date) -> Day: ...


LEAST_DAYS_OFF = 13
"""The public holidays of a year since 2025 (State Council decree 795): a yearly notice names at least so many days off."""

_NEW_YEAR, _LABOUR_DAY, _NATIONAL_DAY = (
    Text(holiday.chinese, holiday.value)
    for holiday in (chinese_calendar.Holiday.new_years_day, chinese_calendar.Holiday.labour_day, chinese_calendar.Holiday.national_day)
)
FIXED_HOLIDAYS: Mapping[tuple[int, int], Text] = {
    (1, 1): _NEW_YEAR, (5, 1): _LABOUR_DAY, (5, 2): _LABOUR_DAY, (10, 1): _NATIONAL_DAY, (10, 2): _NATIONAL_DAY, (10, 3): _NATIONAL_DAY,
}
"""The holidays that everybody has on the same date each year, by month and day (decree 795, article 2); the others follow the moon or the sun."""


@dataclass(frozen=True, slots=True)
class ChineseCalendar:
    """The national calendar of holidays and make-up days; above it its days as typed in from the notice, and local decisions."""

    local: Mapping[date, tuple[bool, Text]] = field(default_factory=dict)
    notice: Mapping[date, tuple[bool, Text]] = field(default_factory=dict)

    def ruling(self, day: date) -> Day:
        """Return the row for `day`; a year whose notice is not known gives rows of kind `ASSUMED`, and `FIXED` for holidays of fixed date."""
        if day in self.local:
            works, name = self.local[day]
            return Day(day, works, DayKind.LOCAL, name)
        if day in self.notice:
            works, name = self.notice[day]
            return Day(day, works, DayKind.MAKE_UP if works else DayKind.HOLIDAY, name)
        row = _national_ruling(day)
        if row.kind in _BEYOND_NOTICES and self._was_typed_in(day.year):
            ordinary = DayKind.WEEKDAY if row.works else DayKind.WEEKEND
            return row._replace(kind=DayKind.HOLIDAY if row.kind is DayKind.FIXED else ordinary)
        return row

    def knows(self, year: int) -> bool:
        """Tell whether the notice of a year is known, from the library or because it was typed in."""
        return _national_ruling(date(year, 1, 1)).kind not in _BEYOND_NOTICES or self._was_typed_in(year)

    def _was_typed_in(self, year: int) -> bool:
        # A few days off are a local matter or the beginning of the work; only a whole notice makes a year known.
        return sum(day.year == year and not works for day, (works, _) in self.notice.items()) >= LEAST_DAYS_OFF


_BEYOND_NOTICES = (DayKind.ASSUMED, DayKind.FIXED)


# The library goes through all the days it knows at each question: without memory 20 working days cost 2.6 ms, not 0.07.
@lru_cache(maxsize=4096)
def _national_ruling(day: date) -> Day:
    try:
        is_off, english = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        if name := FIXED_HOLIDAYS.get((day.month, day.day)):
            return Day(day, False, DayKind.FIXED, name)
        return Day(day, day.weekday() < 5, DayKind.ASSUMED)
    if english is None:
        return Day(day, not is_off, DayKind.WEEKEND if is_off else DayKind.WEEKDAY)
    name = Text(chinese_calendar.Holiday(english).chinese, english)
    return Day(day, not is_off, DayKind.HOLIDAY if is_off else DayKind.MAKE_UP, name)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due moment and everything that led to it.

    `due_at` is UTC and the first moment that is too late; `last_day` is the last local day in time; `days` are the rows
    of the calendar that were not ordinary weekdays or weekends, in order.
    """

    due_at: datetime
    last_day: date
    rule: str
    explanation: tuple[Text, ...]
    limit: Limit
    days: tuple[Day, ...]


def count(
    stage: Stage, severity: Severity, category: str, since: datetime, calendar: Calendar, timezone: ZoneInfo,
    limits: Sequence[Limit],
) -> Deadline:  # fmt: skip
    """Return by when an issue must have reached `stage`, counted from the aware moment `since` in local days of `timezone`.

    Raises `ValueError` when `since` is naive and `LookupError` when no row of `limits` fits.
    """
    return _deadline(_limit(stage, severity, category, limits), since, calendar, timezone)


def due_said(due: datetime, timezone: ZoneInfo) -> str:
    """Return a due moment in words, the one form in which people read it: midnight is the end of the last day in time, 24:00."""
    local = due.astimezone(timezone)
    if local.time() == time():
        return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"


def _deadline(limit: Limit, since: datetime, calendar: Calendar, timezone: ZoneInfo) -> Deadline:
    if since.tzinfo is None:
        raise ValueError("a deadline cannot be counted from a time without a zone")
    if limit.unit is Unit.HOURS:
        due = since.astimezone(UTC) + timedelta(hours=limit.amount)
        local = due.astimezone(timezone)
        said = (_rule_text(limit), HOURS_TO.format(due=due_said(due, timezone)))
        return Deadline(due, local.date(), limit.code, said, limit, ())
    # The weekday must be that of the place: Saturday 07:00 in China is still Friday in UTC.
    first = since.astimezone(timezone).date()
    passed: tuple[Day, ...] = ()
    last = first + timedelta(days=limit.amount)
    if limit.unit is Unit.WORKING_DAYS:
        passed = days_until(limit.amount, first, calendar)
        last = passed[-1].day
    due = datetime.combine(last + timedelta(days=1), time(), timezone).astimezone(UTC)
    notable = tuple(row for row in passed if row.kind not in (DayKind.WEEKDAY, DayKind.WEEKEND))
    texts = (
        _rule_text(limit), _COUNTED_FROM.format(first=first, zone=timezone.key), *said_of(notable),
        DAYS_TO.format(last=last),
    )  # fmt: skip
    return Deadline(due, last, limit.code, texts, limit, notable)


def _limit(stage: Stage, severity: Severity, category: str, limits: Sequence[Limit]) -> Limit:
    for limit in limits:
        if limit.stage == stage and limit.severity == severity and category.startswith(limit.category):
            return limit
    raise LookupError(f"no limit for {stage} of a {severity} issue of category {category}")


def days_until(working_days: int, first: date, calendar: Calendar) -> tuple[Day, ...]:
    """Return the rows after `first` up to and with the one that is the `working_days`-th working day."""
    rows: list[Day] = []
    while working_days > 0:
        first += timedelta(days=1)
        rows.append(calendar.ruling(first))
        working_days -= rows[-1].works
    return tuple(rows)


def days_before(working_days: int, last: date, calendar: Calendar) -> date:
    """Return the `working_days`-th working day before `last`."""
    while working_days > 0:
        last -= timedelta(days=1)
        working_days -= calendar.ruling(last).works
    return last


STAGE_TEXT = {
    Stage.ACCEPTANCE: Text("受理期限", "To be accepted or rejected within"),
    Stage.DISPATCH: Text("派单期限", "To be dispatched within"),
    Stage.RECTIFICATION: Text("整改期限", "To be rectified within"),
    Stage.RETURN: Text("退回后至少", "After a return at least"),
    Stage.REVIEW: Text("复核期限", "To be checked within"),
    Stage.CLOSING: Text("结案期限", "To be closed within"),
    Stage.REOPENING: Text("“未整改到位”的答复期限", "A “not fixed” is decided within"),
    Stage.EXTENSION: Text("延期申请的批复期限", "More time is decided on within"),
    Stage.PLAN: Text("整改方案报送期限", "The plan is reported within"),
}
UNIT_TEXT = {
    Unit.HOURS: Text("{n}小时", "{n} hours"),
    Unit.WORKING_DAYS: Text("{n}个工作日", "{n} working day(s)"),
    Unit.CALENDAR_DAYS: Text("{n}日", "{n} calendar days"),
}
_COUNTED_FROM = Text("自{first}次日起算（{zone}）", "Counted from the day after {first} (local days, {zone})")
HOURS_TO = Text("截止{due}", "Ends on {due} local time")
DAYS_TO = Text("截止{last} 24:00", "Ends on {last} at 24:00 local time")
_DAY_TEXT = {
    DayKind.HOLIDAY: Text("{days}放假（{name}），不计", "{days}: holiday ({name}), not counted"),
    DayKind.MAKE_UP: Text("{days}调休上班（{name}），计入", "{days}: make-up working day ({name}), counted"),
    DayKind.FIXED: Text(
        "{days}为日期固定的法定节假日（{name}），不计；当年放假安排尚不掌握",
        "{days}: holiday of fixed date ({name}), not counted; the other holidays of that year are not known yet",
    ),
    DayKind.ASSUMED: Text(
        "{days}的放假安排尚不掌握，按周一至周五计，固定日期的法定节假日（1月1日、5月1日至2日、10月1日至3日）除外",
        "{days}: holidays not known yet, Monday to Friday assumed except for holidays of fixed date (1 January, 1–2 May, 1–3 October)",
    ),
}
_LOCAL_TEXT = {
    True: Text("{days}本地规定上班（{name}），计入", "{days}: working day by local decision ({name}), counted"),
    False: Text("{days}本地规定放假（{name}），不计", "{days}: day off by local decision ({name}), not counted"),
}


def amount_text(limit: Limit) -> Text:
    """Return how long a limit is, in words."""
    return UNIT_TEXT[limit.unit].format(n=limit.amount)


def _rule_text(limit: Limit) -> Text:
    return Text("{stage}：{amount}", "{stage} {amount}").format(stage=STAGE_TEXT[limit.stage], amount=amount_text(limit))


def said_of(rows: Sequence[Day]) -> Iterator[Text]:
    """Say in words what `rows` did to the count, one text for each run of days of the same kind and name."""
    def alike(numbered: tuple[int, Day]) -> tuple[object, ...]:
        n, row = numbered
        return row.kind, row.kind is DayKind.ASSUMED or row.works, row.name, row.day.toordinal() - n

    for _, run in groupby(enumerate(rows), key=alike):
        same = [row for _, row in run]
        days, (_, works, kind, name) = [row.day for row in same], same[0]
        shown = f"{days[0]}" if len(days) == 1 else f"{days[0]} – {days[-1]}"
        yield (_LOCAL_TEXT[works] if kind is DayKind.LOCAL else _DAY_TEXT[kind]).format(days=shown, name=name)

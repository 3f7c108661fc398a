"""How often a chief must patrol a reach. Pure; policies and the calendar are arguments. What counts for it is in `tallying`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from uuid import UUID

from patrol.issues.deadlines import Calendar
from patrol.patrols.duty_periods import PeriodKind, Span, period_with, periods_due_in
from patrol.waters.terms import AIDE_TITLES, is_deputy

_MONDAY_TO_FRIDAY = frozenset(range(1, 6))
_PERIODS_A_YEAR = {
    PeriodKind.WEEK: 52, PeriodKind.TEN_DAYS: 36, PeriodKind.MONTH: 12, PeriodKind.QUARTER: 4, PeriodKind.HALF_YEAR: 2, PeriodKind.YEAR: 1,
}


class Colour(IntEnum):
    """The colour of a warning; of several at once the highest counts."""

    NONE = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One row of policy: `times` in every `period`, on the days it names, for reaches of a level.

    Attributes:
        region_path: of the subtree it holds in, "/" for everywhere.
        title: the appointment's title it holds for; None for chiefs proper.
        months: months of the year in which it holds.
        weekdays: ISO weekdays on which it holds, Monday is 1.
        least_share: of the reach's length, 0 to 1, that has to be covered for one time.
    """

    id: UUID
    level: str
    region_path: str
    title: str | None
    colour: Colour
    months: frozenset[int]
    weekdays: frozenset[int]
    working_days_only: bool
    period: PeriodKind
    times: int
    least_share: float
    valid_from: date
    valid_to: date | None

    @property
    def times_a_year(self) -> float:
        """About how often it asks in a year, for comparing rows of different periods; a year has some 250 working days."""
        days = len(self.weekdays) / 7
        if self.period is PeriodKind.WORKING_DAY or (self.period is PeriodKind.DAY and self.working_days_only):
            return self.times * 250 * len(self.weekdays & _MONDAY_TO_FRIDAY) / 5
        return self.times * (365 * days if self.period is PeriodKind.DAY else _PERIODS_A_YEAR[self.period])

    def holds_on(self, day: date, calendar: Calendar) -> bool:
        """Tell whether the row holds on a day: its version, season and days of the week; of warnings it knows nothing."""
        within = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        return within and self.is_day_of(day, calendar)

    def is_day_of(self, day: date, calendar: Calendar) -> bool:
        """Tell whether a day lies in the row's season and is one of its days of the week or working days."""
        if day.month not in self.months or day.isoweekday() not in self.weekdays:
            return False
        working = self.working_days_only or self.period is PeriodKind.WORKING_DAY
        return not working or calendar.ruling(day).works


def by_precedence(policies: Iterable[Policy]) -> list[Policy]:
    """Sort rows so that of each colour the first that holds stands: smallest region, named title, season, latest."""
    return sorted(policies, key=lambda row: (
        -len(row.region_path), row.title is None, len(row.months), -row.valid_from.toordinal(), -row.colour, str(row.id),
    ))


def most_asking(row: Policy) -> tuple[float, Colour]:
    """Return the key by which one row counts of those that stand, one for each colour: who asks most, then the higher colour."""
    return row.times_a_year, row.colour


def fits(policy: Policy, *, level: str, region_path: str, title: str) -> bool:
    """Tell whether a row is about such a reach and appointment. Aides and deputies have duties only where a row names them."""
    if policy.level != level or not region_path.startswith(policy.region_path):
        return False
    return title == policy.title or (policy.title is None and title not in AIDE_TITLES and not is_deputy(title))


def policy_on(day: date, colour: Colour, rows: Sequence[Policy], calendar: Calendar) -> Policy | None:
    """Return the row that counts on a day under a warning; `rows` fit the reach and are sorted by precedence.

    Of each colour up to the warning's the first that holds stands, "none" included, and of those the one that asks most
    counts (DOMAIN d, "highest wins"): a town's own usual row never makes a warning weaker, nor a warning duties fewer.
    """
    standing: dict[Colour, Policy] = {}
    for row in rows:
        if row.colour <= colour and row.colour not in standing and row.holds_on(day, calendar):
            standing[row.colour] = row
    return max(standing.values(), key=most_asking, default=None)


@dataclass(frozen=True)
class Warned:
    """A warning on a reach, from one day to another (both included), None until it is lifted."""

    colour: Colour
    valid_from: date
    valid_to: date | None


def colour_on(day: date, warnings: Iterable[Warned]) -> Colour:
    """Return the highest colour in force on a day."""
    return max((w.colour for w in warnings if w.valid_from <= day and (w.valid_to is None or day <= w.valid_to)), default=Colour.NONE)


@dataclass(frozen=True)
class Due:
    """What one row asks of one person on one reach in one period.

    `days` are those in office on which the row counted; `share` says how many of the period's `of_days` they are.
    """

    policy: Policy
    span: Span
    days: frozenset[date]
    of_days: int
    required: int


def required(
    window: Span, *, in_office: Sequence[Span], rows: Sequence[Policy], warnings: Sequence[Warned], calendar: Calendar
) -> list[Due]:
    """Return what is due in the periods that belong to `window`, in order; `rows` as `policy_on` wants them.

    The times of a period are spread evenly over its days; each falls to whoever is in office on its day and only where
    its row counts on that day. So successors share a period without anything being asked twice or forgotten, and a
    warning of three days asks for its share of those days only; that includes what the usual row would have asked on them.
    """
    periods = {(row.id, span): row for row in rows for span in periods_due_in(row.period, window)}
    if not periods:
        return []
    first, last = min(span.first for _, span in periods), max(span.last for _, span in periods)
    counting = {day: policy_on(day, colour_on(day, warnings), rows, calendar) for day in _days_in(in_office, Span(first, last))}
    found = []
    for (_, span), row in sorted(periods.items(), key=lambda item: (item[0][1], item[1].period, str(item[0][0]))):
        days = frozenset(day for day in span.days() if (chosen := counting.get(day)) and chosen.id == row.id)
        if days:
            marks, of_days = _marks(row, span, calendar)
            if row.colour:
                marks = _including(marks, _usual_marks(span, rows, calendar))
            found.append(Due(row, span, days, of_days, sum(mark in days for mark in marks)))
    return found


def _marks(row: Policy, span: Span, calendar: Calendar) -> tuple[list[date], int]:
    """Return the days of a period on which its times fall, evenly spread, and how many days it could be."""
    possible = [day for day in span.days() if row.is_day_of(day, calendar)]
    return [possible[(2 * n + 1) * len(possible) // (2 * row.times)] for n in range(row.times) if possible], len(possible)


def _usual_marks(span: Span, rows: Sequence[Policy], calendar: Calendar) -> list[date]:
    """Return the days of a span on which something would be due if nobody had warned, a day twice for two times."""
    usual = {day: policy_on(day, Colour.NONE, rows, calendar) for day in span.days()}
    periods = {(row.id, period_with(row.period, day)): row for day, row in usual.items() if row}
    return sorted(
        mark for (_, period), row in periods.items() for mark in _marks(row, period, calendar)[0]
        if (chosen := usual.get(mark)) and chosen.id == row.id
    )  # fmt: skip


def _including(marks: Sequence[date], usual: Sequence[date]) -> list[date]:
    """Move the marks nearest to the usual ones onto them: a warning of one day else could take away what was due on it."""
    free = list(marks)
    for day in usual:
        if free:
            free.remove(min(free, key=lambda mark: abs(mark - day)))
    return sorted([*usual, *free])


def _days_in(in_office: Sequence[Span], within: Span) -> set[date]:
    return {
        day for span in in_office if span.first <= within.last and span.last >= within.first
        for day in Span(max(span.first, within.first), min(span.last, within.last)).days()
    }  # fmt: skip


def latest_day_in_time(policy: Policy, today: date, calendar: Calendar) -> date:
    """Return the day since which a reach must have been walked to be in time: as many of the row's days ago as one time has."""
    days = sum(policy.is_day_of(day, calendar) for day in period_with(policy.period, today).days())
    # Rounded up, and at least one: on a holiday the working day before it is asked about.
    allowed = max(-(-days // policy.times), 1)
    day = today
    # Holidays and the winter of a seasonal row are passed over; a year is more than any of them.
    for _ in range(366):
        if allowed <= 0:
            break
        day -= timedelta(1)
        allowed -= policy.is_day_of(day, calendar)
    return day

"""How often a chief must patrol a reach, and which patrols count for it. Pure; policies and the calendar are arguments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import groupby
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.issues.deadlines import Calendar
from patrol.patrols.duty_periods import PeriodKind, Span, period_with, periods_due_in
from patrol.waters.terms import AIDE_TITLES, is_deputy

Interval = tuple[float, float]


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
    """Sort rows so that the first that holds counts: smallest region, highest colour, named title, season, latest."""
    return sorted(policies, key=lambda row: (
        -len(row.region_path), -row.colour, row.title is None, len(row.months), -row.valid_from.toordinal(), str(row.id),
    ))


def fits(policy: Policy, *, level: str, region_path: str, title: str) -> bool:
    """Tell whether a row is about such a reach and appointment. Aides and deputies have duties only where a row names them."""
    if policy.level != level or not region_path.startswith(policy.region_path):
        return False
    return title == policy.title or (policy.title is None and title not in AIDE_TITLES and not is_deputy(title))


def policy_on(day: date, colour: Colour, rows: Sequence[Policy], calendar: Calendar) -> Policy | None:
    """Return the row that counts on a day under a warning; `rows` fit the reach and are sorted by precedence.

    A row of a lower colour counts where there is none of the warning's own: a warning never makes duties fewer.
    """
    return next((row for row in rows if row.colour <= colour and row.holds_on(day, calendar)), None)


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
    warning of three days asks for its share of those days only.
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
            possible = [day for day in span.days() if row.is_day_of(day, calendar)]
            marks = [possible[(2 * n + 1) * len(possible) // (2 * row.times)] for n in range(row.times)]
            found.append(Due(row, span, days, len(possible), sum(mark in days for mark in marks)))
    return found


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


class Reason(StrEnum):
    """Why a patrol does not count."""

    UNFINISHED = "unfinished"
    NOT_EXAMINED = "not_examined"
    DOUBTFUL = "doubtful"
    INVALID = "invalid"
    NOT_THIS_REACH = "not_this_reach"
    TOO_SHORT = "too_short"
    SAME_DAY = "same_day"
    OUTSIDE_PERIOD = "outside_period"


REASON_TEXT: Mapping[Reason, Text] = {
    Reason.UNFINISHED: Text("尚未结束", "It has not been finished yet"),
    Reason.NOT_EXAMINED: Text("尚待核查轨迹", "Its track is still to be examined"),
    Reason.DOUBTFUL: Text("存疑，待复核认定", "It is doubtful: a reviewer has to decide"),
    Reason.INVALID: Text("核查认定无效", "It was found invalid"),
    Reason.NOT_THIS_REACH: Text("没有走到这个河段", "It did not touch this reach"),
    Reason.TOO_SHORT: Text("覆盖不足：与同期其他巡河合计 {covered_m} 米，需 {needed_m} 米", "Too short: {covered_m} m with the others of the period, {needed_m} m are needed"),
    Reason.SAME_DAY: Text("当天已计次，同一天不重复计", "The day has been counted already"),
    Reason.OUTSIDE_PERIOD: Text("当天不在任，或当天按另一条规定计次", "On that day the person was not in office, or another policy counted"),
}


@dataclass(frozen=True)
class Walk:
    """One patrol on one reach: where it covered it (metres along the reach), and whether its verdict lets it count."""

    patrol_id: UUID
    started_at: datetime
    day: date
    covered: tuple[Interval, ...]
    delegated: bool
    barred: Reason | None = None


@dataclass
class Tally:
    """How often a reach was walked in a period: the patrols that count, and why others do not.

    `covered_m` is the union of all that may count, `waiting_m` of those that are too short so far; `groups` are the
    patrols that made each time; `times_by_delegates` are those groups in which somebody else walked.
    """

    covered_m: float = 0.0
    waiting_m: float = 0.0
    groups: list[list[Walk]] = field(default_factory=list)
    left_out: list[tuple[Walk, Reason, float]] = field(default_factory=list)

    @property
    def times_by_delegates(self) -> int:
        return sum(any(walk.delegated for walk in group) for group in self.groups)


def tally(walks: Iterable[Walk], *, due: Due, length_m: float) -> Tally:
    """Count the walks of one person on one reach in one period; each counts once at most.

    The legs of a day are one walk, unless the row asks for several a day. A walk that covers enough counts by itself;
    shorter ones add up, by the union of what they covered, never by its sum, until together they cover enough.
    """
    needed_m, result = due.policy.least_share * length_m, Tally()
    fit: list[Walk] = []
    for walk in sorted(walks, key=lambda walk: (walk.started_at, str(walk.patrol_id))):
        reason = walk.barred or (None if walk.day in due.days else Reason.OUTSIDE_PERIOD)
        reason = reason or (None if walk.covered else Reason.NOT_THIS_REACH)
        if reason:
            result.left_out.append((walk, reason, needed_m))
        else:
            fit.append(walk)
    result.covered_m = metres(walk.covered for walk in fit)
    waiting: list[Walk] = []
    for legs in _units(fit, due.policy):
        if _enough(legs, needed_m):
            result.groups.append(legs)
            continue
        waiting += legs
        if _enough(waiting, needed_m):
            result.groups.append(waiting)
            waiting = []
    result.waiting_m = metres(walk.covered for walk in waiting)
    result.left_out += [(walk, Reason.TOO_SHORT, needed_m) for walk in waiting]
    _limit_each_day(result, due)
    return result


def _units(walks: list[Walk], policy: Policy) -> Iterable[list[Walk]]:
    several = policy.times > 1 and policy.period in (PeriodKind.DAY, PeriodKind.WORKING_DAY)
    return ([walk] for walk in walks) if several else (list(legs) for _, legs in groupby(walks, key=lambda walk: walk.day))


def _enough(walks: Sequence[Walk], needed_m: float) -> bool:
    # A millimetre forgives what floating point loses of a reach that was covered exactly as far as it had to be.
    return metres(walk.covered for walk in walks) >= needed_m - 0.001


def _limit_each_day(result: Tally, due: Due) -> None:
    """Let a row of several times a day count no more of them than it asks for."""
    extra = result.groups[due.policy.times:] if due.span.first == due.span.last else []
    result.left_out += [(walk, Reason.SAME_DAY, 0.0) for group in extra for walk in group]
    result.groups = [group for group in result.groups if group not in extra]


def union(several: Iterable[Iterable[Interval]]) -> list[Interval]:
    """Return the union of intervals, sorted and disjoint, in metres along a reach."""
    found: list[Interval] = []
    for low, high in sorted((low, high) for intervals in several for low, high in intervals if high > low):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def metres(several: Iterable[Iterable[Interval]]) -> float:
    """Return the metres of the union of intervals."""
    return sum(high - low for low, high in union(several))

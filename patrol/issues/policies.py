"""Which version of a policy counts on a day. Pure."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from patrol.foundation.texts import Text
from patrol.issues.deadlines import ChineseCalendar, Limit
from patrol.issues.dispatching import Rule
from patrol.issues.escalation import DefaultRung

T = TypeVar("T")


class Kind(StrEnum):
    """What policies there are."""

    DEADLINES = "deadlines"
    CALENDAR = "calendar"
    DISPATCH = "dispatch"
    ESCALATION = "escalation"
    RELAPSE = "relapse"
    LOOK_BACK = "look_back"


KIND_NAME = {
    Kind.DEADLINES: Text("办理时限", "Deadlines"), Kind.CALENDAR: Text("工作日历", "Calendar"),
    Kind.DISPATCH: Text("直接派单", "Dispatch"), Kind.ESCALATION: Text("超期升级", "Escalation"),
    Kind.RELAPSE: Text("反弹认定", "Relapses"), Kind.LOOK_BACK: Text("回头看抽取", "Look-backs"),
}  # fmt: skip


class DayOrigin(StrEnum):
    """Who says what a day is: the State Council's yearly notice, or the district."""

    NOTICE = "notice"
    LOCAL = "local"


class Dated(NamedTuple, Generic[T]):
    """One version: what it is about, since when and whether it counts, and the row as its rule takes it."""

    subject: Hashable
    valid_from: date
    enabled: bool
    row: T


def in_force(versions: Iterable[Dated[T]], day: date) -> list[T]:
    """Return the rows that count on `day`: of each subject the version that began last, unless it is a disabled one."""
    latest: dict[Hashable, Dated[T]] = {}
    for version in versions:
        held = latest.get(version.subject)
        if version.valid_from <= day and (held is None or held.valid_from <= version.valid_from):
            latest[version.subject] = version
    return [version.row for version in latest.values() if version.enabled]


class RelapseRule(NamedTuple):
    """So many days after a closing and metres from its place a new report of the same category is the old trouble come back."""

    days: int
    radius_m: int

    @property
    def code(self) -> str:
        """The name by which the system says that it acted by this row."""
        return f"relapse_{self.days}_d_{self.radius_m}_m"


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that issues are counted, dispatched and linked by: every version of each row, and the calendar."""

    limits: tuple[Dated[Limit], ...]
    rules: tuple[Dated[Rule], ...]
    calendar: ChineseCalendar = field(default_factory=ChineseCalendar)
    relapses: tuple[Dated[RelapseRule], ...] = ()
    ladder: tuple[Dated[DefaultRung], ...] = ()
    # Each step asks for those of today.
    _limits_by_day: dict[date, list[Limit]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def limits_on(self, day: date) -> Sequence[Limit]:
        """Return the limits in force on a day; those for a narrower category come first, and so decide."""
        if day not in self._limits_by_day:
            self._limits_by_day[day] = sorted(in_force(self.limits, day), key=lambda limit: -len(limit.category))
        return self._limits_by_day[day]

    def rules_on(self, day: date) -> list[Rule]:
        """Return the rules of dispatching in force on a day, in the order in which they are asked."""
        return sorted(in_force(self.rules, day), key=lambda rule: (rule.position, rule.code))

    def relapse_on(self, day: date) -> RelapseRule:
        """Return the rule of relapses in force on a day; the first one began long ago, so that there always is one."""
        [rule] = in_force(self.relapses, day)
        return rule

    def ladder_on(self, day: date) -> list[DefaultRung]:
        """Return the rungs in force on a day."""
        return in_force(self.ladder, day)

    def with_limit(self, version: Dated[Limit]) -> "Policies":
        """Return the same with one more version of a limit."""
        return replace(self, limits=(*self.limits, version))

    def with_rule(self, version: Dated[Rule]) -> "Policies":
        """Return the same with one more version of a rule."""
        return replace(self, rules=(*self.rules, version))

    def with_day(self, day: date, origin: DayOrigin, works: bool, name: Text, enabled: bool) -> "Policies":
        """Return the same with another word on one day; one that is not enabled leaves the day to the calendar known before."""
        local, notice = ({other: said for other, said in days.items() if other != day} for days in (self.calendar.local, self.calendar.notice))
        if enabled:
            (notice if origin is DayOrigin.NOTICE else local)[day] = (works, name)
        return replace(self, calendar=ChineseCalendar(local, notice))


def unknown_year(calendar: ChineseCalendar, today: date) -> int | None:
    """Return the year whose holidays should be known by `today` and are not: this one, or from 15 November the coming one."""
    years = [today.year, *([today.year + 1] if (today.month, today.day) >= NOTICE_IS_OUT else [])]
    return next((year for year in years if not calendar.knows(year)), None)


NOTICE_IS_OUT = (11, 15)
"""Month and day by which the State Council's notice for the coming year is usually out (2024: 25 October of the year before,
2025: 12 November, 2026: 4 November)."""

"""Which patrols count for a duty, and why others do not. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.patrols.duties import Due, Policy
from patrol.patrols.duty_periods import PeriodKind
from patrol.patrols.intervals import Interval
from patrol.patrols.window import is_ahead


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
    AHEAD_OF_TIME = "ahead_of_time"


REASON_TEXT: Mapping[Reason, Text] = {
    Reason.UNFINISHED: Text("尚未结束", "It has not been finished yet"),
    Reason.NOT_EXAMINED: Text("尚待核查轨迹", "Its track is still to be examined"),
    Reason.DOUBTFUL: Text("存疑，待复核认定", "It is doubtful: a reviewer has to decide"),
    Reason.INVALID: Text("核查认定无效", "It was found invalid"),
    Reason.NOT_THIS_REACH: Text("没有走到这个河段", "It did not touch this reach"),
    Reason.TOO_SHORT: Text(
        "覆盖不足：同期尚未计次的巡河合计 {covered_m} 米，需 {needed_m} 米",
        "Too short: all that does not count yet in the period makes {covered_m} m, {needed_m} m are needed",
    ),
    Reason.SAME_DAY: Text("当天已计次，同一天不重复计", "The day has been counted already"),
    Reason.AHEAD_OF_TIME: Text(
        "开始时间晚于服务器收到的时间，各批轨迹的发送时间（sent_at）也不能一致说明手机时钟快了多少，无法认定是哪一天走的",
        "It begins after the server received it, and the times of sending of its track do not agree on how far the clock was ahead: nobody can tell "
        "on which day it was walked",
    ),
    Reason.OUTSIDE_PERIOD: Text("当天不在任，或当天按另一条规定计次", "On that day the person was not in office, or another policy counted"),
}


_BARRED = {"doubtful": Reason.DOUBTFUL, "invalid": Reason.INVALID}


def barred_by(verdict: str | None, *, started_at: datetime, received_at: datetime, ended: bool, began_at: datetime | None = None) -> Reason | None:
    """Return why a patrol with this verdict, None before it was examined, counts for no duty on any reach, or None when it may.

    `began_at` is what its examination made of a start by a clock that ran ahead.
    """
    if began_at is None and is_ahead(started_at, received_at):
        return Reason.AHEAD_OF_TIME
    if verdict is None:
        return Reason.NOT_EXAMINED if ended else Reason.UNFINISHED
    return _BARRED.get(verdict)


@dataclass(frozen=True)
class Walk:
    """One patrol on one reach: where it covered it (metres along the reach), and whether its verdict lets it count.

    `day` and `started_at` are corrected where the phone's clock ran ahead by a known time, `ahead`.
    """

    patrol_id: UUID
    started_at: datetime
    day: date
    covered: tuple[Interval, ...]
    delegated: bool
    barred: Reason | None = None
    ahead: timedelta | None = None


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

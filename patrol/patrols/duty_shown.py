"""What answers show of duties, gaps, policies and reminders, in the caller's language."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.patrols.duties import Colour
from patrol.patrols.duty_models import DutyReminder, FrequencyPolicy
from patrol.patrols.duty_periods import PeriodKind, Span
from patrol.patrols.duty_queries import Duty, DutyPeriod
from patrol.patrols.gap_queries import Gap
from patrol.patrols.tallying import REASON_TEXT, Reason, Walk, metres
from patrol.waters.models import Reach
from patrol.waters.queries import ChiefOn
from patrol.waters.shown import brief_region, shown_chief
from patrol.waters.terms import LEVEL_NAME

_PERIODS = {
    PeriodKind.DAY: Text("每日", "a day"), PeriodKind.WORKING_DAY: Text("每个工作日", "each working day"), PeriodKind.WEEK: Text("每周", "a week"),
    PeriodKind.TEN_DAYS: Text("每旬", "in ten days"), PeriodKind.MONTH: Text("每月", "a month"), PeriodKind.QUARTER: Text("每季度", "a quarter"),
    PeriodKind.HALF_YEAR: Text("每半年", "in half a year"), PeriodKind.YEAR: Text("每年", "a year"),
}  # fmt: skip
_COLOURS = {
    Colour.YELLOW: Text("黄色预警", "yellow warning"), Colour.ORANGE: Text("橙色预警", "orange warning"), Colour.RED: Text("红色预警", "red warning"),
}
_RULE = Text("{level}河段，{period} {times} 次，每次覆盖不少于 {share}%", "A {level} reach: {times} × {period}, each over at least {share} % of it")
_WARNED = Text("因{colour}，按预警频次执行", "Because of the {colour}")
_SHARED = Text("本期 {of_days} 天中在任且适用 {days} 天，按天分摊", "In office and due on {days} of {of_days} days of the period: its share")
_CORRECTED = Text(
    "手机时钟快了约 {ahead} 分钟（按各批轨迹的发送与接收时间），按校正后的时间计入 {day}",
    "The phone's clock was about {ahead} minutes ahead, by the times of sending and receiving of its track: counted on {day}, as corrected",
)
_TOLD = Text("本期（{first} 至 {last}）还需巡河 {left} 次，共需 {required} 次", "From {first} to {last} {left} of {required} patrols are left to do")


def shown_policy(row: FrequencyPolicy, language: str) -> dict[str, Any]:
    """Return a row of policy with its source in one language; its region must be loaded."""
    members = ("id", "level", "title", "colour", "months", "weekdays", "working_days_only", "period", "times", "least_share",
               "valid_from", "valid_to", "version", "withdrawn_at")
    source = Text(row.source_zh, row.source_en).in_language(language)
    return {**{name: getattr(row, name) for name in members}, "region": row.region and brief_region(row.region), "source": source}


def shown_version(row: FrequencyPolicy, today: date, superseded: Collection[UUID]) -> dict[str, Any]:
    """Return a row of policy as who writes the next one needs it: its source in both languages, and where it stands."""
    standing = (
        "withdrawn" if row.withdrawn_at else "coming" if row.valid_from > today
        else "past" if row.id in superseded or (row.valid_to and row.valid_to < today) else "in_force"
    )  # fmt: skip
    return {
        **shown_policy(row, "zh"), "source": {"zh": row.source_zh, "en": row.source_en}, "added_at": row.added_at,
        "standing": standing, "withdrawable": standing == "coming",
    }  # fmt: skip


def shown_duty(duty: Duty, window: Span, language: str, today: date) -> dict[str, Any]:
    """Return what is due from one person on one reach, with its sums over the periods."""
    periods = [shown_period(period, language, today) for period in duty.periods]
    sums = {name: sum(period[name] for period in periods) for name in ("required", "done", "done_by_delegates", "counted", "left", "missed")}
    return {"person": duty.person, "reach": _shown_reach(duty.reach), "window": window._asdict(), **sums, "periods": periods}


def shown_period(period: DutyPeriod, language: str, today: date) -> dict[str, Any]:
    """Return one period with the patrols that count and why others do not.

    What is not done is `left` while a day remains on which it could be, and `missed` after the last of them.
    """
    due, tally = period.due, period.tally
    done, over = len(tally.groups), max(due.days) < today
    undone = max(due.required - done, 0)
    patrols = [_shown_walk(walk, number, None, language) for number, group in enumerate(tally.groups, 1) for walk in group]
    for walk, reason, needed_m in tally.left_out:
        text = REASON_TEXT[reason].format(covered_m=round(tally.waiting_m if reason is Reason.TOO_SHORT else 0), needed_m=round(needed_m))
        patrols.append(_shown_walk(walk, None, {"code": reason.value, "text": text.in_language(language)}, language))
    return {
        **due.span._asdict(), "days": len(due.days), "of_days": due.of_days, "policy": shown_policy(period.policy, language),
        "warning": period.colour.name.lower(), "why": [text.in_language(language) for text in _why(period)],
        "required": due.required, "done": done, "done_by_delegates": tally.times_by_delegates, "counted": min(done, due.required),
        "left": 0 if over else undone, "missed": undone if over else 0, "covered_m": tally.covered_m, "covered_by_all_m": period.team_m,
        "patrols": sorted(patrols, key=lambda patrol: (patrol["day"], str(patrol["id"]))),
    }  # fmt: skip


def _why(period: DutyPeriod) -> list[Text]:
    due, policy = period.due, period.policy
    said = [_RULE.format(
        level=LEVEL_NAME[policy.level], period=_PERIODS[due.policy.period], times=policy.times, share=round(policy.least_share * 100))]
    if due.policy.colour:
        said.append(_WARNED.format(colour=_COLOURS[period.colour]))
    if len(due.days) < due.of_days:
        said.append(_SHARED.format(days=len(due.days), of_days=due.of_days))
    return said


def _shown_walk(walk: Walk, counts_as: int | None, why_not: dict[str, str] | None, language: str) -> dict[str, Any]:
    corrected = walk.ahead and _CORRECTED.format(ahead=round(walk.ahead.total_seconds() / 60), day=walk.day).in_language(language)
    return {
        "id": walk.patrol_id, "corrected": corrected, "day": walk.day, "covered_m": metres([walk.covered]), "by_delegate": walk.delegated,
        "counts_as": counts_as, "why_not": why_not,
    }  # fmt: skip


def _shown_reach(reach: Reach) -> dict[str, Any]:
    return {
        "id": reach.id, "code": reach.code, "name": reach.name, "level": reach.level, "length_m": reach.length_m,
        "region": brief_region(reach.region),
    }  # fmt: skip


def shown_gap(gap: Gap, chiefs: Sequence[ChiefOn], language: str) -> dict[str, Any]:
    """Return a reach that was not patrolled in time, with who answers for it."""
    return {
        "reach": _shown_reach(gap.reach), "policy": shown_policy(gap.policy, language), "last_patrolled_at": gap.last_patrolled_at,
        "should_have_been_since": gap.latest_day_in_time, "covered_m": round(gap.covered_m, 1), "needed_m": round(gap.needed_m, 1),
        "chiefs": [shown_chief(chief) for chief in chiefs],
    }  # fmt: skip


def shown_reminder(row: DutyReminder, language: str) -> dict[str, Any]:
    """Return a reminder with its text."""
    text = _TOLD.format(first=row.first_day, last=row.last_day, left=row.facts["left"], required=row.facts["required"])
    members = {name: getattr(row, name) for name in ("id", "kind", "period", "first_day", "last_day", "noticed_at")}
    return {**members, **row.facts, "text": text.in_language(language)}

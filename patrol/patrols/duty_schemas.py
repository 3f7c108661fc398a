"""The JSON shapes of duties, frequency policies, warnings, delegations and reminders."""

from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.foundation.paging import PageArgs
from patrol.patrols.duty_periods import PeriodKind
from patrol.people.schemas import PersonBriefOut, RegionBriefOut
from patrol.waters.schemas import ChiefOut, ReachBriefOut
from patrol.waters.terms import LEVELS

COLOURS = ("none", "yellow", "orange", "red")
STANDINGS = ("past", "in_force", "coming", "withdrawn")
TRIGGERS = ("bulletin", "water_quality", "issue")
_REASON = ma.validate.Length(1, 500)
_REGION = ma.validate.Length(max=20)
_PERSON = {"description": "`me` or an id."}
_ALL_MONTHS, _ALL_WEEKDAYS = list(range(1, 13)), list(range(1, 8))


def _numbers(least: int, most: int) -> ma.fields.List[Any]:
    return ma.fields.List(
        ma.fields.Integer(strict=True, validate=ma.validate.Range(least, most)), validate=ma.validate.Length(1, most),
        load_default=lambda: list(range(least, most + 1)), metadata={"example": list(range(least, most + 1))},
    )


class SourceIn(ma.Schema):
    zh = ma.fields.String(required=True, validate=_REASON, metadata={"example": "清溪区河长办〔2026〕12号"})
    en = ma.fields.String(required=True, validate=_REASON, metadata={"example": "River chief office of Qingxi, 2026 no. 12"})


class SourceOut(ma.Schema):
    zh = ma.fields.String(required=True, metadata={"example": "清溪区河长办〔2026〕12号"})
    en = ma.fields.String(required=True, metadata={"example": "River chief office of Qingxi, 2026 no. 12"})


class FrequencyPolicyBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    level = ma.fields.String(required=True, metadata={"example": "village", "enum": list(LEVELS)})
    title = ma.fields.String(required=True, allow_none=True, metadata={"description": "Appointments of this title; null for chiefs proper."})
    region = ma.fields.Nested(RegionBriefOut, required=True, allow_none=True, metadata={"description": "null everywhere."})
    colour = ma.fields.String(required=True, metadata={"example": "none", "enum": list(COLOURS)})
    period = ma.fields.String(required=True, metadata={"example": "week", "enum": [kind.value for kind in PeriodKind]})
    times = ma.fields.Integer(required=True, metadata={"example": 1})
    least_share = ma.fields.Float(required=True, metadata={"example": 0.6, "description": "Of the reach's length, for one time."})
    source = ma.fields.String(required=True, metadata={"example": "《河长湖长履职规范（试行）》（水利部，2021年）"})


class FrequencyPolicyOut(FrequencyPolicyBriefOut):
    source = ma.fields.Nested(SourceOut, required=True)  # type: ignore[assignment]  # in both languages, where it is written
    months = ma.fields.List(ma.fields.Integer(), required=True, metadata={"example": _ALL_MONTHS})
    weekdays = ma.fields.List(ma.fields.Integer(), required=True, metadata={"example": _ALL_WEEKDAYS})
    working_days_only = ma.fields.Boolean(required=True)
    valid_from = ma.fields.Date(required=True, metadata={"example": "2021-01-01"})
    valid_to = ma.fields.Date(required=True, allow_none=True, metadata={"description": "The last day; null until further notice."})
    version = ma.fields.Integer(required=True)
    added_at = Moment(required=True, allow_none=True, metadata={"description": "null for rows of old."})
    withdrawn_at = Moment(required=True, allow_none=True, metadata={"description": "When it was taken back: it never counts."})
    standing = ma.fields.String(required=True, validate=ma.validate.OneOf(STANDINGS))
    withdrawable = ma.fields.Boolean(required=True)


class FrequencyPolicyIn(ma.Schema):
    level = ma.fields.String(required=True, validate=ma.validate.OneOf(LEVELS))
    title = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 40))
    region = ma.fields.String(load_default=None, allow_none=True, validate=_REGION, metadata={"example": "990100001"})
    colour = ma.fields.String(load_default="none", validate=ma.validate.OneOf(COLOURS))
    months = _numbers(1, 12)
    weekdays = _numbers(1, 7)
    working_days_only = ma.fields.Boolean(load_default=False)
    period = ma.fields.String(required=True, validate=ma.validate.OneOf([kind.value for kind in PeriodKind]))
    times = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, 100))
    least_share = ma.fields.Float(load_default=0.6, validate=ma.validate.Range(0, 1))
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-12-01"})
    valid_to = ma.fields.Date(load_default=None, allow_none=True)
    source = ma.fields.Nested(SourceIn, required=True)


class FrequencyPolicyEndIn(ma.Schema):
    valid_to = ma.fields.Date(required=True, allow_none=True)


class FrequencyPolicyArgs(PageArgs):
    level = ma.fields.String(load_default=None, validate=ma.validate.OneOf(LEVELS))
    on = ma.fields.Date(load_default=None, metadata={"description": "In force on this day.", "example": "2026-11-20"})


class ReachWarningIn(ma.Schema):
    reach_id = ma.fields.UUID(required=True)
    colour = ma.fields.String(required=True, validate=ma.validate.OneOf(COLOURS[1:]))
    trigger = ma.fields.String(required=True, validate=ma.validate.OneOf(TRIGGERS))
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-11-20"})
    valid_to = ma.fields.Date(load_default=None, allow_none=True)
    reason = ma.fields.String(required=True, validate=_REASON, metadata={"example": "氨氮连续两周超标"})


class ReachWarningOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    reach = ma.fields.Nested(ReachBriefOut, required=True)
    colour = ma.fields.String(required=True, metadata={"example": "orange", "enum": list(COLOURS[1:])})
    trigger = ma.fields.String(required=True, metadata={"example": "water_quality", "enum": list(TRIGGERS)})
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-11-20"})
    valid_to = ma.fields.Date(required=True, allow_none=True, metadata={"description": "The last day; null until it is lifted."})
    reason = ma.fields.String(required=True)
    raised_at = Moment(required=True)
    lifted_at = Moment(required=True, allow_none=True)
    version = ma.fields.Integer(required=True)


class ReachWarningArgs(PageArgs):
    reach = ma.fields.UUID(load_default=None)
    region = ma.fields.String(load_default=None, validate=_REGION)
    on = ma.fields.Date(load_default=None, metadata={"description": "In force on this day.", "example": "2026-11-20"})


class DelegationIn(ma.Schema):
    principal_id = ma.fields.UUID(required=True)
    deputy_id = ma.fields.UUID(required=True)
    reach_ids = ma.fields.List(ma.fields.UUID(), load_default=list, validate=ma.validate.Length(max=50),
                               metadata={"description": "None: all of the principal's reaches."})
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-11-01"})
    valid_to = ma.fields.Date(required=True, metadata={"example": "2026-11-30", "description": "At most 90 days in all."})
    reason = ma.fields.String(required=True, validate=_REASON, metadata={"example": "外出培训"})


class DelegationOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    principal = ma.fields.Nested(PersonBriefOut, required=True)
    deputy = ma.fields.Nested(PersonBriefOut, required=True)
    reaches = ma.fields.List(ma.fields.Nested(ReachBriefOut), required=True, metadata={"description": "None: all."})
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-11-01"})
    valid_to = ma.fields.Date(required=True, metadata={"example": "2026-11-30"})
    reason = ma.fields.String(required=True, metadata={"example": "外出培训"})
    created_by = ma.fields.UUID(required=True, attribute="created_by_id")
    created_at = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)
    version = ma.fields.Integer(required=True)


class DelegationArgs(PageArgs):
    person = ma.fields.String(load_default=None, metadata={"description": "Principal or deputy: `me` or an id."})
    on = ma.fields.Date(load_default=None, metadata={"description": "In force on this day.", "example": "2026-11-20"})


class SpanOut(ma.Schema):
    first = ma.fields.Date(required=True, metadata={"example": "2026-11-16"})
    last = ma.fields.Date(required=True, metadata={"example": "2026-11-22"})


class ReasonOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "too_short"})
    text = ma.fields.String(required=True, metadata={"example": "覆盖不足：与同期其他巡河合计 420 米，需 600 米"})


class DutyPatrolOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    day = ma.fields.Date(required=True, metadata={"example": "2026-11-18"})
    covered_m = ma.fields.Float(required=True, metadata={"example": 640.0, "description": "Of this reach."})
    by_delegate = ma.fields.Boolean(required=True)
    counts_as = ma.fields.Integer(required=True, allow_none=True, metadata={
        "example": 1, "description": "Which of the times it makes, alone or together with others; null when it does not count."})
    why_not = ma.fields.Nested(ReasonOut, required=True, allow_none=True)
    corrected = ma.fields.String(required=True, allow_none=True, metadata={
        "example": "手机时钟快了约 480 分钟（按各批轨迹的发送与接收时间），按校正后的时间计入 2026-11-18",
        "description": "Why `day` is not the one that the phone told: its clock ran ahead by a known time; null where the phone's day stands."})


_MISSED = "Not done, and no day remains. A patrol of those days that arrives or is judged later still counts, and takes it back."


class DutyPeriodOut(ma.Schema):
    first = ma.fields.Date(required=True, metadata={"example": "2026-11-16"})
    last = ma.fields.Date(required=True, metadata={"example": "2026-11-22"})
    days = ma.fields.Integer(required=True, metadata={"example": 7, "description": "On which the person is in office and the policy counts."})
    of_days = ma.fields.Integer(required=True, metadata={"example": 7, "description": "Of the whole period."})
    policy = ma.fields.Nested(FrequencyPolicyBriefOut, required=True)
    warning = ma.fields.String(required=True, metadata={"example": "none", "enum": list(COLOURS)})
    why = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["村级河段，每周 1 次"]})
    required = ma.fields.Integer(required=True, metadata={"example": 1})
    done = ma.fields.Integer(required=True, metadata={"example": 1})
    done_by_delegates = ma.fields.Integer(required=True, metadata={"example": 0, "description": "Of those done."})
    counted = ma.fields.Integer(required=True, metadata={"example": 1, "description": "Done, at most what is required."})
    left = ma.fields.Integer(required=True, metadata={"example": 0, "description": "To do: a day remains on which it can be done."})
    missed = ma.fields.Integer(required=True, metadata={"example": 0, "description": _MISSED})
    covered_m = ma.fields.Float(required=True, metadata={"example": 910.0, "description": "Union of the person's patrols."})
    covered_by_all_m = ma.fields.Float(required=True, metadata={"example": 960.0, "description": "Union of everybody's patrols."})
    patrols = ma.fields.List(ma.fields.Nested(DutyPatrolOut), required=True)


class DutyReachOut(ReachBriefOut):
    level = ma.fields.String(required=True, metadata={"example": "village"})
    length_m = ma.fields.Float(required=True, metadata={"example": 1000.0})
    region = ma.fields.Nested(RegionBriefOut, required=True)


class DutyOut(ma.Schema):
    person = ma.fields.Nested(PersonBriefOut, required=True)
    reach = ma.fields.Nested(DutyReachOut, required=True)
    window = ma.fields.Nested(SpanOut, required=True)
    required = ma.fields.Integer(required=True, metadata={"example": 4, "description": "The denominator."})
    done = ma.fields.Integer(required=True, metadata={"example": 3})
    done_by_delegates = ma.fields.Integer(required=True, metadata={"example": 1, "description": "Of those done."})
    counted = ma.fields.Integer(required=True, metadata={
        "example": 3, "description": "The numerator: done, at most what each period requires."})
    left = ma.fields.Integer(required=True, metadata={"example": 1, "description": "Of the periods in which days remain."})
    missed = ma.fields.Integer(required=True, metadata={"example": 0, "description": _MISSED})
    periods = ma.fields.List(ma.fields.Nested(DutyPeriodOut), required=True)


class DutyFilterArgs(ma.Schema):
    """What narrows a list of duties; an export takes the same."""

    person = ma.fields.String(load_default=None, metadata=_PERSON)
    reach = ma.fields.UUID(load_default=None)
    region = ma.fields.String(load_default=None, validate=_REGION)
    period = ma.fields.String(load_default=None, metadata={
        "example": "2026-11", "description": "`2026-W48`, `2026-11`, `2026-Q4` or `2026-11-20`; this month when nothing is said. The "
        "periods that end in it count, or where none does the one that runs at its end."})
    from_ = ma.fields.Date(load_default=None, data_key="from", metadata={"example": "2026-11-01"})
    to = ma.fields.Date(load_default=None, metadata={"example": "2026-11-30", "description": "At most 100 days in all."})


class DutyArgs(PageArgs, DutyFilterArgs):
    pass


class DutyGapOut(ma.Schema):
    reach = ma.fields.Nested(DutyReachOut, required=True)
    policy = ma.fields.Nested(FrequencyPolicyBriefOut, required=True)
    last_patrolled_at = Moment(required=True, allow_none=True, metadata={"description": "When a single patrol covered enough last; null: never."})
    should_have_been_since = ma.fields.Date(required=True, metadata={"example": "2026-11-13"})
    covered_m = ma.fields.Float(required=True, metadata={"example": 25.0, "description": "Union of everybody's patrols since then."})
    needed_m = ma.fields.Float(required=True, metadata={"example": 600.0, "description": "The share of the reach that the policy asks for."})
    chiefs = ma.fields.List(ma.fields.Nested(ChiefOut), required=True, metadata={"description": "Who answers today, the principal first."})


class DutyGapArgs(PageArgs):
    region = ma.fields.String(load_default=None, validate=_REGION)


class ReminderReachOut(ReachBriefOut):
    left = ma.fields.Integer(required=True, metadata={"example": 1})


class ReminderOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "half", "enum": ["half", "last_day"]})
    period = ma.fields.String(required=True, metadata={"example": "month"})
    first_day = ma.fields.Date(required=True, metadata={"example": "2026-11-01"})
    last_day = ma.fields.Date(required=True, metadata={"example": "2026-11-30"})
    required = ma.fields.Integer(required=True, metadata={"example": 4})
    left = ma.fields.Integer(required=True, metadata={"example": 2, "description": "When it was written."})
    reaches = ma.fields.List(ma.fields.Nested(ReminderReachOut), required=True)
    text = ma.fields.String(required=True, metadata={"example": "本期（2026-11-01 至 2026-11-30）还需巡河 2 次，共需 4 次"})
    noticed_at = Moment(required=True)


class ReminderArgs(PageArgs):
    pass

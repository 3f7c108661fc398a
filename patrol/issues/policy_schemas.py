"""Shapes of policies: one for what is written and read of each kind, and the answers of dry runs."""

from typing import Any

import marshmallow as ma

from patrol.foundation.http import FlatForm, UploadedFile
from patrol.foundation.moments import Moment
from patrol.foundation.patterns import Matches
from patrol.issues.categories import CATEGORIES, Severity, Source
from patrol.issues.deadlines import Stage, Unit
from patrol.issues.escalation import Basis
from patrol.issues.field_shapes import filled
from patrol.issues.lifecycle import ORDER_NAME
from patrol.issues.policies import DayOrigin, Kind

_F, _V = ma.fields, ma.validate
_CODE = Matches(r"^[a-z][a-z0-9_]*$", error="小写字母开头，只用小写字母、数字和下划线。\x1fLower case letters, digits and underscores, beginning with a letter.")
_NO_CATEGORY = "没有以此开头的类别。\x1fNo category begins like this."
MOST_UNITS = 2_000
MOST_SHOWN, MOST_DAYS = 100, 365


def _beginning_of_a_category(text: str) -> None:
    if not any(code.startswith(text) for code in CATEGORIES):
        raise ma.ValidationError(_NO_CATEGORY)


def _one_of(names: Any) -> ma.validate.OneOf:
    return _V.OneOf([str(name) for name in names])


def _several(names: Any) -> Any:
    return _F.List(_F.String(validate=_one_of(names)), required=True, validate=_V.Length(1, 20))


def _code(most: int) -> Any:
    return _F.String(required=True, validate=[_V.Length(1, most), _CODE], metadata={"example": "general_7_wd"})


def _category() -> Any:
    return _F.String(load_default="", validate=[_V.Length(max=8), _beginning_of_a_category],
                     metadata={"description": "The first letters of category codes; empty for all.", "example": "C"})


def _pair(most: int, zh: str, en: str) -> Any:
    made = type(f"Text{most}In", (ma.Schema,), {tongue: _F.String(required=True, validate=filled(most)) for tongue in ("zh", "en")})
    return _F.Nested(_PAIRS.setdefault(most, made), required=True, metadata={"example": {"zh": zh, "en": en}})


_PAIRS: dict[int, type[ma.Schema]] = {}


class VersionIn(ma.Schema):
    id = _F.UUID(required=True, metadata={"description": "The client's: the same id with the same content is the same version."})
    enabled = _F.Boolean(load_default=True, metadata={"description": "False: from then on there is no such row."})
    source = _pair(500, "区河长办〔2026〕12号", "District office, document 12 of 2026")


class DatedVersionIn(VersionIn):
    valid_from = _F.Date(required=True, metadata={"description": "The first local day; today or later, after every other version."})


class DeadlineVersionIn(DatedVersionIn):
    code = _code(40)
    stage = _F.String(required=True, validate=_one_of(Stage))
    severity = _F.String(required=True, validate=_one_of(Severity))
    category = _category()
    amount = _F.Integer(required=True, strict=True, validate=_V.Range(1, MOST_UNITS), metadata={"example": 7})
    unit = _F.String(required=True, validate=_one_of(Unit))


class CalendarVersionIn(VersionIn):
    day = _F.Date(required=True, metadata={"example": "2027-02-17"})
    works = _F.Boolean(required=True)
    origin = _F.String(required=True, validate=_one_of(DayOrigin), metadata={"description": "From the yearly notice, or a local decision."})
    name = _pair(100, "春节", "Spring Festival")


class DispatchVersionIn(DatedVersionIn):
    code = _code(40)
    position = _F.Integer(required=True, strict=True, validate=_V.Range(1, 10_000), metadata={"description": "The lowest that fits decides."})
    sources = _several(Source)
    category = _category()
    severities = _several(Severity)
    confidence = _F.String(load_default=None, allow_none=True, validate=_one_of(("high", "medium", "low")),
                           metadata={"description": "What the routing says of the place; null: any."})
    straight = _F.Boolean(required=True, metadata={"description": "True: to the chief at once; false: the office looks first."})
    reason = _pair(200, "一般投诉由河长办先受理", "a general complaint is received by the office first")


class EscalationVersionIn(DatedVersionIn):
    code = _code(20)
    basis = _F.String(required=True, validate=_one_of(Basis))
    amount = _F.Integer(required=True, strict=True, validate=_V.Range(0, MOST_UNITS))
    order_kind = _F.String(load_default=None, allow_none=True, validate=_V.OneOf(list(ORDER_NAME)))
    name = _pair(100, "督办函", "Supervision letter")


class RelapseVersionIn(DatedVersionIn):
    days = _F.Integer(required=True, strict=True, validate=_V.Range(1, 3_650), metadata={"description": "After the closing.", "example": 90})
    radius_m = _F.Integer(required=True, strict=True, validate=_V.Range(1, 5_000), metadata={"description": "From the closed issue's place.", "example": 50})


class LookBackVersionIn(DatedVersionIn):
    severity = _F.String(required=True, validate=_one_of(Severity))
    share_percent = _F.Float(required=True, validate=_V.Range(0, 100), metadata={"description": "Of the closed issues of the severity.", "example": 10.0})
    after_days = _F.Integer(required=True, strict=True, validate=_V.Range(1, 365), metadata={"description": "Drawn so many days after the closing.", "example": 30})
    within_days = _F.Integer(required=True, strict=True, validate=_V.Range(1, 90), metadata={"description": "To be done so many days after the drawing.", "example": 10})


BODY: dict[Kind, type[VersionIn]] = {
    Kind.DEADLINES: DeadlineVersionIn, Kind.CALENDAR: CalendarVersionIn, Kind.DISPATCH: DispatchVersionIn,
    Kind.ESCALATION: EscalationVersionIn, Kind.RELAPSE: RelapseVersionIn, Kind.LOOK_BACK: LookBackVersionIn,
}  # fmt: skip


def _answer(body: type[VersionIn]) -> type[ma.Schema]:
    members = {
        "version": _F.Integer(required=True), "added_at": Moment(required=True), "withdrawn_at": Moment(required=True, allow_none=True),
        "standing": _F.String(required=True, validate=_V.OneOf(["past", "in_force", "coming", "withdrawn"])),
        "withdrawable": _F.Boolean(required=True),
    }  # fmt: skip
    return type(body.__name__.replace("In", "Out"), (body,), members)


ANSWER: dict[Kind, type[ma.Schema]] = {kind: _answer(body) for kind, body in BODY.items()}


class PolicyKindOut(ma.Schema):
    kind = _F.String(required=True, metadata={"example": "deadlines"})
    name = _F.String(required=True)
    in_force = _F.List(_F.Dict(), required=True, metadata={"description": "Versions as `GET /policies/{kind}` gives them."})
    coming = _F.List(_F.Dict(), required=True)


class PolicyWarningOut(ma.Schema):
    code = _F.String(required=True, metadata={"example": "calendar_unknown"})
    text = _F.String(required=True)


class PoliciesOut(ma.Schema):
    today = _F.Date(required=True)
    kinds = _F.List(_F.Nested(PolicyKindOut), required=True)
    warnings = _F.List(_F.Nested(PolicyWarningOut), required=True)


class DryRunArgs(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    first = _F.Integer(load_default=20, validate=_V.Range(0, MOST_SHOWN), metadata={"description": "How many issues are shown."})


class DaysDryRunArgs(DryRunArgs):
    days = _F.Integer(load_default=30, validate=_V.Range(1, MOST_DAYS), metadata={"description": "What was reported, or drawn, in so many days."})


class DryRunOut(ma.Schema):
    applies = _F.String(required=True, metadata={"description": "What such a version applies to, in words."})
    looked_at = _F.Integer(required=True)
    cut_off = _F.Boolean(required=True, metadata={"description": "True: there are more than were looked at."})
    items = _F.List(_F.Dict(), required=True, metadata={"description": "The first ones that one may see: `issue`, `before`, `after`."})


class DueDryRunOut(DryRunOut):
    on = _F.Date(required=True, metadata={"description": "Counted by what is in force on this day."})
    moved = _F.Integer(required=True)
    earlier = _F.Integer(required=True)
    later = _F.Integer(required=True)
    late_at_once = _F.Integer(required=True)
    unchanged = _F.Integer(required=True)
    rungs = _F.Dict(keys=_F.String(), values=_F.Integer(), required=True,
                    metadata={"description": "How many of each rung of the ladder would be written at once.", "example": {"overdue": 57, "letter": 0}})
    kept = _F.Integer(required=True, metadata={"description": "Set or extended by a person, or stood still on the ledger: never counted again."})


class DispatchDryRunOut(DryRunOut):
    since = Moment(required=True)
    changed = _F.Integer(required=True)
    to_chief = _F.Integer(required=True)
    to_office = _F.Integer(required=True)


class RelapseDryRunOut(DryRunOut):
    since = Moment(required=True)
    linked_before = _F.Integer(required=True)
    linked_after = _F.Integer(required=True)
    changed = _F.Integer(required=True)


class EscalationDryRunOut(DryRunOut):
    begins = Moment(required=True)
    at_once = _F.Integer(required=True)
    later = _F.Integer(required=True)
    never = _F.Integer(required=True)
    reached = _F.Integer(required=True)


class ApplyIn(ma.Schema):
    id = _F.UUID(required=True)
    reason = _F.String(required=True, validate=filled(1000), metadata={"example": "区河长办〔2026〕12号"})


class ApplicationOut(ma.Schema):
    id = _F.UUID(required=True)
    on_day = _F.Date(required=True, metadata={"description": "Counted by what was in force on this day."})
    reason = _F.String(required=True)
    ordered_by = _F.Dict(required=True, allow_none=True)
    ordered_at = Moment(required=True)
    looked_at = _F.Integer(required=True)
    moved = _F.Integer(required=True)
    kept = _F.Integer(required=True)
    finished_at = Moment(required=True, allow_none=True, metadata={"description": "Null while the worker is at it."})


class CalendarFileIn(FlatForm):
    file = UploadedFile(required=True)
    dry_run = _F.Boolean(load_default=False)


class CalendarFaultOut(ma.Schema):
    row = _F.Integer(required=True)
    field = _F.String(required=True)
    message = _F.String(required=True)


class CalendarReportOut(ma.Schema):
    created = _F.Integer(required=True)
    unchanged = _F.Integer(required=True)
    days = _F.List(_F.Date(), required=True, metadata={"description": "What was or would be written."})
    errors = _F.List(_F.Nested(CalendarFaultOut), required=True)

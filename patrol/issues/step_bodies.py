"""The JSON shape of each step's body, made from the table of the lifecycle: what a step must, or may, bring."""

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.issues.categories import Severity
from patrol.issues.field_shapes import IssueField, a_due_date, filled
from patrol.issues.grounds import GROUNDS_OF
from patrol.issues.lifecycle import ORDER_NAME, STEPS, Step, Verb
from patrol.issues.schemas import MOST_PHOTOS
from patrol.people.departments import DEPARTMENTS

_F, _length = ma.fields, ma.validate.Length


def _text(most: int, **metadata: Any) -> Callable[[bool], ma.fields.Field[Any]]:
    return lambda required: _F.String(required=required, validate=_length(max=most), metadata=metadata)


class MilestoneIn(ma.Schema):
    """One thing that the works need, and by when."""

    text = _F.String(required=True, validate=filled(400), metadata={"example": "截污管道施工完成"})
    due_on = _F.Date(required=True, metadata={"example": "2026-09-30"})

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:  # noqa: ARG002
        """Load whole, although the body around it may lack fields."""
        return super().load(data, many=many, partial=False, unknown=unknown)


_FIELDS: dict[str, Callable[[bool], ma.fields.Field[Any]]] = {
    "note": _text(4000, example="已联系保洁队，今天下午清理"),
    "reason": _text(4000, example="照片中仍可见漂浮物"),
    "public_summary": _text(2000, description="What the public reads of the result."),
    "suggested_owner": _text(200, example="区城市管理局", description="Who should have it: a department, a post or a body."),
    "kind": _text(12, enum=list(ORDER_NAME), example="letter"),
    "text": _text(2000, example="请三日内完成整改并反馈"),
    "lead": _text(64, description="Id or user name; by default the chief of the place."),
    "approved_by": _text(64, description=(
        "Id or user name of the general chief who approves: of the ledger, or that what is major gets another severity. "
        "Left out, the general chief is told of the ledger; one who takes the step names nobody."
    )),
    "department": _text(40, enum=list(DEPARTMENTS)),
    "category": _text(8, example="C1"),
    "is_plan": lambda required: _F.Boolean(required=required, metadata={
        "description": "`note` and photos are the plan of the cure, which the lead reports. What is only dispatched is begun first (`start`)."}),
    "region": _text(20, description="A region's code: its office takes over."),
    "into": lambda required: IssueField(
        required=required, metadata={"description": "The original, by id or number: an issue that is not merged itself.", "example": "XH0000123"}
    ),
    "raise_severity": lambda required: _F.Enum(
        Severity, by_value=True, required=required, metadata={"description": "What the original becomes; only higher than it is."}
    ),
    "severity": lambda required: _F.Enum(Severity, by_value=True, required=required),
    "co_handlers": lambda required: _F.List(
        CoHandlerField(), required=required, validate=_length(max=20), metadata={"description": "Ids or user names, or parts of the work."},
    ),
    "due_at": lambda required: Moment(required=required, validate=a_due_date),
    "review_on": lambda required: _F.Date(required=required, metadata={"example": "2026-07-01"}),
    "milestones": lambda required: _F.List(_F.Nested(MilestoneIn), required=required, validate=_length(max=20)),
    "reach_id": lambda required: _F.UUID(required=required),
    "before_photo_id": lambda required: _F.UUID(required=required),
}


class ShareIn(ma.Schema):
    """A co-handler, a person or a department's handler, with a part of the work."""

    person = _F.String(validate=_length(1, 64), metadata={"description": "Id or user name."})
    department = _F.String(validate=_length(1, 40), metadata={"enum": list(DEPARTMENTS)})
    part = _F.String(validate=filled(2000), metadata={"example": "清运岸边固废"})
    due_at = Moment(validate=a_due_date, metadata={"description": "By default with the issue, and never after it."})

    @ma.validates_schema
    def _refuse_a_date_without_a_part(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "due_at" in data and "part" not in data:
            raise ma.ValidationError("有期限须写明分项内容。\x1fA date needs the part that is due.", "part")


class CoHandlerField(ma.fields.Nested):
    """A co-handler: an id or user name, or an object with the part of the work; loads as text or a dict."""

    def __init__(self) -> None:
        """Nest the object's shape."""
        super().__init__(ShareIn)

    def _load(self, value: Any, partial: Any = None) -> Any:  # noqa: ARG002
        if isinstance(value, str):
            if not 1 <= len(value) <= 64:
                raise ma.ValidationError("长度须为 1 到 64 个字符。\x1fMust have 1 to 64 characters.")
            return value
        return super()._load(value, partial=False)


class StepBody(ma.Schema):
    """Base of the steps' bodies. What is missing is said by the lifecycle, after it said whether the step is in turn."""

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:  # noqa: ARG002
        """Load without refusing missing fields."""
        return super().load(data, many=many, partial=True, unknown=unknown)


def takes_photos(step: Step) -> bool:
    """Tell whether photos may come with the step."""
    return "photos" in (*step.must, *step.may)


def body_of(step: Step) -> type[ma.Schema]:
    """Return the schema of what `step` brings. Photos are files under `photos` in a form, or `photo_ids`."""
    fields = {
        name: _FIELDS[name](name in step.must)
        for name in (*step.must, *step.one_of, *step.may) if name not in {"photos", "ground"}
    }  # fmt: skip
    if "ground" in step.must:
        fields["ground"] = _text(40, enum=list(GROUNDS_OF[step.verb]))(True)
    if takes_photos(step):
        needed = "At least one, here or as files under `photos`." if "photos" in step.must else "Photos sent before."
        fields["photo_ids"] = _F.List(
            _F.UUID(), load_default=list, validate=_length(max=MOST_PHOTOS), metadata={"description": needed}
        )
    return type(f"{step.verb.value.title()}In", (StepBody,), fields)


BODIES: Mapping[Verb, tuple[Step, type[ma.Schema]]] = {step.verb: (step, body_of(step)) for step in STEPS}
"""The row and the body of each verb."""

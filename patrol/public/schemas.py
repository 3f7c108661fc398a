"""The JSON shapes that callers without an account see."""

from typing import Any

import marshmallow as ma

from patrol.foundation.http import FlatForm, UploadedFile
from patrol.foundation.moments import Moment
from patrol.foundation.numbers import PlainFloat
from patrol.foundation.patterns import Matches
from patrol.foundation.positions import PositionIn
from patrol.foundation.texts import Text
from patrol.issues.field_shapes import a_public_category
from patrol.public.tracking_codes import SYMBOLS

MOST_FILES = 9
LEAST_WHEN_SATISFIED, MOST_WHEN_NOT = 3, 3
"""Points of a rating: of those who say that they are satisfied, and of those who say that they are not."""
_TOO_LOW = "选择“满意”时评分须为 3 至 5 分：请核对。\x1fWhoever is satisfied gives 3 to 5 points: please check."
_TOO_HIGH = "选择“不满意”时评分须为 1 至 3 分：请核对。\x1fWhoever is not satisfied gives 1 to 3 points: please check."
_BLANK = "不能只有空白。\x1fMay not be blank."
# A landline without its area code has seven digits; the emergency and hotline numbers that have fewer reach nobody.
_PHONE = r"^\s*(\(?\+?([\s()-]*\d){7,}[\s()-]*)?$"
_NO_PHONE = (
    "电话至少 7 位，只能含数字、空格、连字号和括号：请核对。"
    "\x1fA telephone number has at least 7 digits, and spaces, hyphens and brackets only: please check."
)
_NEEDS_PLACE = Text("请给出位置（latitude 和 longitude）或公示牌编号（board_code）", "Give a position (latitude and longitude) or a board_code")
_HALF_A_PLACE = Text("latitude 和 longitude 必须同时给出", "latitude and longitude belong together")
_CODE = {"example": "7K3D-0V9M-W2QH-5TXA", "description": f"{SYMBOLS} symbols; the only key to the complaint."}


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ma.ValidationError(_BLANK)


class WholeNumber(ma.fields.Integer):
    """An integer as JSON means it: 4 and 4.0, but neither 4.5 nor "4"."""

    def _validated(self, value: Any) -> Any:
        return super()._validated(int(value) if isinstance(value, float) and value.is_integer() else value)


class ContactIn(ma.Schema):
    name = ma.fields.String(validate=ma.validate.Length(max=100), metadata={"example": "李女士"})
    phone = ma.fields.String(
        validate=ma.validate.And(ma.validate.Length(max=40), Matches(_PHONE, error=_NO_PHONE)), metadata={"example": "13800000000"}
    )
    email = ma.fields.Email(validate=ma.validate.Length(max=200), metadata={"example": "li@example.org"})


class ComplaintIn(PositionIn, FlatForm):
    id = ma.fields.UUID(load_default=None, allow_none=True, metadata={"description": "Made by the client: a repeat is the same complaint."})
    category = ma.fields.String(required=True, validate=ma.validate.And(ma.validate.Length(1, 8), a_public_category), metadata={"example": "C1"})
    description = ma.fields.String(
        required=True, validate=ma.validate.And(ma.validate.Length(1, 2000), _not_blank),
        metadata={"example": "桥下漂着一大片垃圾，已经三天了。"},
    )
    latitude = PlainFloat(load_default=None, allow_none=True, validate=ma.validate.Range(-90, 90), metadata={"example": 29.60312})
    longitude = PlainFloat(load_default=None, allow_none=True, validate=ma.validate.Range(-180, 180), metadata={"example": 119.80745})
    board_code = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 40), metadata={
        "example": "QX-0001", "description": "Code on the signboard: stands for the position when there is none."})
    recorded_at = Moment(load_default=None, allow_none=True)
    contact = ma.fields.Nested(ContactIn, load_default=None, allow_none=True, metadata={"description": "Kept sealed; may be left out."})
    challenge = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=4000), metadata={
        "description": "The solved challenge of `GET /api/v1/public/challenge`, where one is asked for."})

    @ma.validates_schema(skip_on_field_errors=False)
    def _refuse_no_place(self, data: dict[str, Any], **_kwargs: Any) -> None:
        # Said together with the faults of fields, unless those are of the place itself.
        place = [data[name] for name in ("latitude", "longitude", "board_code") if name in data]
        if len(place) == 3 and (faults := faults_of_place(*place)):
            raise ma.ValidationError({name: [f"{fault.zh}\x1f{fault.en}"] for name, fault in faults.items()})


def faults_of_place(latitude: float | None, longitude: float | None, board_code: str | None) -> dict[str, Text]:
    """Return by field what is wrong with where a complaint says that it is: half a position, or neither one nor a board."""
    if latitude is None and longitude is None:
        return {} if board_code is not None else {"latitude": _NEEDS_PLACE, "longitude": _NEEDS_PLACE}
    missing = [name for name, value in (("latitude", latitude), ("longitude", longitude)) if value is None]
    return dict.fromkeys(missing, _HALF_A_PLACE)


class MorePhotosIn(FlatForm):
    photos: ma.fields.List[Any] = ma.fields.List(UploadedFile(), required=True, validate=ma.validate.Length(1, MOST_FILES))


class RatingIn(FlatForm):
    satisfied = ma.fields.Boolean(required=True)
    score = WholeNumber(required=True, strict=True, validate=ma.validate.Range(1, 5), metadata={"example": 4})
    comment = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=1000))

    @ma.validates_schema
    def _refuse_a_contradiction(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["satisfied"] and data["score"] < LEAST_WHEN_SATISFIED:
            raise ma.ValidationError(_TOO_LOW, "score")
        if not data["satisfied"] and data["score"] > MOST_WHEN_NOT:
            raise ma.ValidationError(_TOO_HIGH, "score")


class RevealIn(FlatForm):
    reason = ma.fields.String(
        required=True, validate=ma.validate.And(ma.validate.Length(1, 500), _not_blank),
        metadata={"example": "需向投诉人核实具体位置"},
    )


class PublicNameOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "990100"})
    name = ma.fields.String(required=True, metadata={"example": "清溪区河长办"})


class PublicPostOut(ma.Schema):
    title = ma.fields.String(required=True, metadata={"example": "镇级河长"})
    region = ma.fields.String(required=True, metadata={"example": "柳岸镇"})


class ComplaintOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    tracking_code = ma.fields.String(required=True, metadata=_CODE)
    state = ma.fields.String(required=True, metadata={"example": "submitted"})
    message = ma.fields.String(required=True, metadata={"example": "已收到，等待河长办受理。"})
    due_at = Moment(required=True, allow_none=True)
    office = ma.fields.Nested(PublicNameOut, required=True)
    reach = ma.fields.Nested(PublicNameOut, required=True, allow_none=True)


class PublicStepOut(ma.Schema):
    at = Moment(required=True)
    text = ma.fields.String(required=True, metadata={"example": "河长办已受理。"})


class PublicRejectionOut(ma.Schema):
    ground = ma.fields.String(required=True, metadata={"example": "不在本辖区"})
    reason = ma.fields.String(required=True)


class PublicPhotoOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(("before", "after", "other")), metadata={
        "description": "`other` are photos of \"not fixed\"."})
    kind_name = ma.fields.String(required=True, metadata={"example": "整改前"})
    ready = ma.fields.Boolean(required=True, metadata={"description": "Whether `thumb` and `screen` are there."})
    thumb = ma.fields.String(required=True)
    screen = ma.fields.String(required=True)


class RatingOut(ma.Schema):
    satisfied = ma.fields.Boolean(required=True)
    score = ma.fields.Integer(required=True)
    comment = ma.fields.String(required=True, allow_none=True)
    rated_at = Moment(required=True)


class CitizenMessagesOut(ma.Schema):
    sent = ma.fields.Integer(required=True)
    waiting = ma.fields.Integer(required=True)
    stuck = ma.fields.Integer(required=True, metadata={"description": "All attempts are used up."})


class CaseComplaintOut(ma.Schema):
    received_at = Moment(
        required=True, allow_none=True,
        metadata={"description": "Null for what the staff reported: then only others, whose complaints were merged into it, rated it."},
    )
    board_code = ma.fields.String(required=True, allow_none=True, metadata={"example": "QX-0001"})
    has_contact = ma.fields.Boolean(required=True)
    ratings = ma.fields.List(ma.fields.Nested(RatingOut), required=True, metadata={"description": "One a closing, the latest first."})
    messages = ma.fields.Nested(CitizenMessagesOut, required=True, metadata={"description": "What the complainant was told of, without any address."})


class NotFixedIn(FlatForm):
    reason = ma.fields.String(
        required=True, validate=ma.validate.And(ma.validate.Length(1, 1000), _not_blank),
        metadata={"example": "桥下还有一大片垃圾没有清走。"},
    )


class PublicReopeningOut(ma.Schema):
    asked_at = Moment(required=True)
    reason = ma.fields.String(required=True)
    message = ma.fields.String(required=True, metadata={"example": "您的申请已收到，将由整改人以外的人员核实后决定。"})
    decided_at = Moment(required=True, allow_none=True)
    granted = ma.fields.Boolean(required=True, allow_none=True)
    decision = ma.fields.String(required=True, allow_none=True, metadata={"description": "Why it was so decided."})


class PublicOriginalOut(ma.Schema):
    number = ma.fields.String(required=True, metadata={"example": "XH0000123"})
    at = Moment(required=True)
    message = ma.fields.String(required=True, metadata={"example": "与他人反映的同一问题（XH0000123）合并办理，以下为该件的进展。"})


class ProgressOut(ma.Schema):
    tracking_code = ma.fields.String(required=True, metadata=_CODE)
    number = ma.fields.String(required=True, metadata={"example": "XH0000123"})
    merged_into = ma.fields.Nested(PublicOriginalOut, required=True, allow_none=True, metadata={
        "description": "The same issue, reported by others, whose progress this is; null when it is dealt with on its own."})
    also_reported = ma.fields.Integer(required=True, metadata={"description": "How many others have reported the same, or follow it."})
    category = ma.fields.Nested(PublicNameOut, required=True, metadata={"example": {"code": "C1", "name": "水面漂浮物"}})
    state = ma.fields.String(required=True, metadata={"example": "in_progress"})
    state_name = ma.fields.String(required=True, metadata={"example": "处理中"})
    message = ma.fields.String(required=True, metadata={"example": "正在处理。"})
    description = ma.fields.String(required=True, allow_none=True, metadata={
        "example": "桥下漂着一大片垃圾", "description": "The complainant's own words; null for a follower."})
    received_at = Moment(required=True)
    due_at = Moment(required=True, allow_none=True)
    overdue = ma.fields.Boolean(required=True)
    office = ma.fields.Nested(PublicNameOut, required=True)
    post = ma.fields.Nested(PublicPostOut, required=True, allow_none=True, metadata={"description": "Whose turn it is, as a post."})
    reach = ma.fields.Nested(PublicNameOut, required=True, allow_none=True)
    steps = ma.fields.List(ma.fields.Nested(PublicStepOut), required=True)
    rejection = ma.fields.Nested(PublicRejectionOut, required=True, allow_none=True)
    public_summary = ma.fields.String(required=True, allow_none=True)
    photos = ma.fields.List(ma.fields.Nested(PublicPhotoOut), required=True)
    rating = ma.fields.Nested(RatingOut, required=True, allow_none=True)
    following = ma.fields.Boolean(required=True, metadata={"description": "The code of a follower (me too), not of the complainant."})
    messages = ma.fields.String(required=True, validate=ma.validate.OneOf(("none", "unconfirmed", "on", "ended")), metadata={
        "description": "Whether messages come: `unconfirmed` until the link sent to the address is opened."})
    can_add_photos = ma.fields.Boolean(required=True)
    can_rate = ma.fields.Boolean(required=True)
    can_say_not_fixed = ma.fields.Boolean(required=True)
    not_fixed_until = ma.fields.Date(required=True, allow_none=True, metadata={"description": "The last day to say so."})
    reopening = ma.fields.Nested(PublicReopeningOut, required=True, allow_none=True)


class ChallengeOut(ma.Schema):
    required = ma.fields.Boolean(required=True, metadata={"description": "Whether a complaint needs a solution."})
    parameters = ma.fields.Dict(required=True, allow_none=True, metadata={"description": "ALTCHA, version 2.", "example": {
        "algorithm": "SHA-256", "cost": 1, "keyLength": 32, "keyPrefix": "bd5d112a66339f7541e6c324d63a69b2",
        "nonce": "50cebee94c8978680dac78efec4859e1", "salt": "202cc099306718d8e127ac0506a2e217", "expiresAt": 1777600000}})
    signature = ma.fields.String(required=True, allow_none=True)
    expires_at = Moment(required=True, allow_none=True)
    largest_number = ma.fields.Integer(required=True, metadata={"example": 50000, "description": "The counter is at most this."})


class NoArgs(ma.Schema):
    """For an answer that is always of everything: whoever asks for a part is told so."""

    class Meta:
        unknown = ma.RAISE


class RevealedOut(ma.Schema):
    name = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    email = ma.fields.String(required=True, allow_none=True)

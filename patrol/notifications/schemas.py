"""The JSON shapes of messages, channels and webhooks."""

from typing import Any

import marshmallow as ma

from patrol.foundation.channels import Way
from patrol.foundation.moments import Moment
from patrol.foundation.paging import PageArgs

_KINDS = {"description": "Only these kinds of messages; null for all.", "example": ["issue.dispatch", "issue.return"]}


class _LocalTime(ma.fields.Time):
    """A time of day where the district lies, "22:00"."""

    def __init__(self, *, said: str = "Local time.", example: str = "22:00", **kwargs: Any) -> None:
        shown = {"description": said, "example": example, "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
        super().__init__(format="%H:%M", allow_none=True, metadata=shown, **kwargs)


class MessageArgs(PageArgs):
    unread = ma.fields.Boolean(load_default=False, metadata={"description": "Only what has not been read."})


class MessageOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "issue.dispatch"})
    title = ma.fields.String(required=True, metadata={"example": "您有新的问题要处理"})
    body = ma.fields.String(required=True, metadata={"example": "XH0000123，清溪柳岸段，漂浮垃圾。请在 2026-12-08 00:00 前整改完成。"})
    subject = ma.fields.Dict(required=True, metadata={"example": {"kind": "issue", "id": "0190b7a2-0000-7000-8000-000000000001"}})
    created_at = Moment(required=True)
    read_at = Moment(required=True, allow_none=True)


class ReadIn(ma.Schema):
    ids = ma.fields.List(ma.fields.UUID(), validate=ma.validate.Length(1, 200))
    until = Moment(metadata={"description": "All up to this moment."})

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("ids" in data) == ("until" in data):
            raise ma.ValidationError("ids 与 until 须填其中之一\x1fGive either ids or until", "ids")


class ReadOut(ma.Schema):
    read = ma.fields.Integer(required=True, metadata={"description": "How many had been unread."})
    unread = ma.fields.Integer(required=True)


class _ChannelChoices(ma.Schema):
    language = ma.fields.String(validate=ma.validate.OneOf(("zh", "en")))
    quiet_from = _LocalTime(said="From this local time on nothing goes out.")
    quiet_to = _LocalTime(example="07:00")
    digest_at = _LocalTime(said="Collect messages and send them together at this local time; null sends each at once.", example="18:00")
    kinds = ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 60)), allow_none=True, metadata=_KINDS)


class ChannelIn(_ChannelChoices):
    id = ma.fields.UUID(load_default=None, allow_none=True)
    region = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=20), metadata={
        "description": "Code: a channel of that region's office, for who manages notifications. Null: one's own.", "example": None})
    way = ma.fields.Enum(Way, by_value=True, required=True, metadata={"example": "mail"})
    address = ma.fields.String(required=True, validate=ma.validate.Length(1, 300), metadata={
        "description": "A mail address, or the key of a group robot (DingTalk: `secret@token` with signing).", "example": "li@river.example.cn"})


class ChannelChangesIn(_ChannelChoices):
    enabled = ma.fields.Boolean()


class ChannelOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    region = ma.fields.String(required=True, allow_none=True, metadata={"example": None})
    way = ma.fields.String(required=True, metadata={"example": "mail"})
    hint = ma.fields.String(required=True, metadata={"description": "A part of the address.", "example": "l…@river.example.cn"})
    language = ma.fields.String(required=True)
    quiet_from = _LocalTime(required=True)
    quiet_to = _LocalTime(required=True)
    digest_at = _LocalTime(required=True)
    kinds = ma.fields.List(ma.fields.String(), required=True, allow_none=True)
    enabled = ma.fields.Boolean(required=True)
    waiting = ma.fields.Integer(required=True, metadata={"description": "Messages still to go out."})
    last_error = ma.fields.String(required=True, allow_none=True)
    warnings = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "Why nothing goes out on it as things are.", "example": []})
    version = ma.fields.Integer(required=True)


class WebhookIn(ma.Schema):
    id = ma.fields.UUID(load_default=None, allow_none=True)
    region = ma.fields.String(required=True, validate=ma.validate.Length(1, 20), metadata={"example": "990100"})
    url = ma.fields.String(required=True, validate=ma.validate.Length(1, 500), metadata={"example": "https://city.example.cn/hooks/river"})
    kinds = ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 60)), load_default=None, allow_none=True, metadata=_KINDS)


class WebhookChangesIn(ma.Schema):
    enabled = ma.fields.Boolean(required=True)
    missed = ma.fields.String(load_default="send", validate=ma.validate.OneOf(("send", "drop")), metadata={
        "description": "On going on: send what happened meanwhile, in order, or drop it.", "example": "send"})


class WebhookArgs(PageArgs):
    deleted = ma.fields.Boolean(load_default=False, metadata={"description": "Those that were deleted, instead of those that there are."})


class WebhookOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    region = ma.fields.String(required=True, metadata={"example": "990100"})
    url = ma.fields.String(required=True)
    kinds = ma.fields.List(ma.fields.String(), required=True, allow_none=True)
    enabled = ma.fields.Boolean(required=True)
    paused = ma.fields.Integer(required=True, metadata={"description": "Events kept until it goes on.", "example": 0})
    created_at = Moment(required=True)
    deleted_at = Moment(required=True, allow_none=True)
    warnings = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "What to look at, said when it is set up or goes on.", "example": []})
    version = ma.fields.Integer(required=True)


class NewWebhookOut(WebhookOut):
    secret = ma.fields.String(metadata={"description": "Signs what is sent; shown this once."})


class WebhookDeliveryArgs(PageArgs):
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(("waiting", "delivered", "dead", "paused", "dropped")))


class WebhookDeliveryOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "issue.dispatch"})
    state = ma.fields.String(required=True, metadata={"example": "dead"})
    attempts = ma.fields.Integer(required=True, metadata={"description": "Since it last went out of a pause or was sent by hand."})
    last_status = ma.fields.Integer(required=True, allow_none=True)
    last_error = ma.fields.String(required=True, allow_none=True)
    next_attempt_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    delivered_at = Moment(required=True, allow_none=True)
    dropped_at = Moment(required=True, allow_none=True)
    ended_by = ma.fields.String(required=True, allow_none=True, validate=ma.validate.OneOf(("webhook_deleted",)), metadata={
        "description": "The act that ended it before it could go out: dead, and never sent again."})
    payload = ma.fields.Dict(required=True)


class OutboxArgs(PageArgs):
    state = ma.fields.String(load_default="stuck", validate=ma.validate.OneOf(("stuck", "waiting")), metadata={
        "description": "`stuck`: all attempts are used up. `waiting`: it is tried again by itself."})
    kind = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 60), metadata={"example": "evidence.derive"})


class OutboxRowOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"description": "What is to be done.", "example": "notifications.send"})
    state = ma.fields.String(required=True, metadata={"example": "stuck"})
    created_at = Moment(required=True)
    age_s = ma.fields.Integer(required=True, metadata={"description": "Seconds since it was written.", "example": 129600})
    attempts = ma.fields.Integer(required=True, metadata={"example": 12})
    last_error = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "Without addresses, keys and telephone numbers.", "example": "The message was not taken by E-mail"})
    next_attempt_at = Moment(required=True, allow_none=True)

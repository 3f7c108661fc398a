"""The JSON shapes of being told without an account."""

import marshmallow as ma

STATES = ("unconfirmed", "on", "ended")


class SubscriptionOut(ma.Schema):
    number = ma.fields.String(required=True, metadata={"example": "XH0000123"})
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(STATES))


class WithdrawnOut(ma.Schema):
    message = ma.fields.String(required=True, metadata={"example": "已取消关注，留下的联系方式已删除。"})

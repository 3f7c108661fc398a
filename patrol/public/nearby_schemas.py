"""The JSON shapes of suggestions and of following."""

import marshmallow as ma

from patrol.foundation.http import FlatForm
from patrol.foundation.moments import Moment
from patrol.foundation.positions import PositionIn
from patrol.public.schemas import ContactIn

_F = ma.fields


class PublicNearbyArgs(PositionIn):
    class Meta:
        unknown = ma.RAISE

    category = _F.String(required=True, validate=ma.validate.Length(1, 8), metadata={"example": "C1"})


class SuggestedPhotoOut(ma.Schema):
    screen = _F.String(required=True, metadata={"description": "Large: 1600 px."})
    thumb = _F.String(required=True)


class SuggestionOut(ma.Schema):
    number = _F.String(required=True, metadata={"example": "XH0000123"})
    category = _F.String(required=True, metadata={"example": "C1"})
    category_name = _F.String(required=True, metadata={"example": "水面漂浮物"})
    state = _F.String(required=True, metadata={"example": "in_progress"})
    message = _F.String(required=True, metadata={"example": "正在处理。"})
    open = _F.Boolean(required=True, metadata={"description": "False: closed within the days of the relapse policy."})
    received_at = Moment(required=True)
    also_reported = _F.Integer(required=True, metadata={"description": "How many have reported the same besides, or follow it."})
    distance_m = _F.Integer(required=True, metadata={"example": 40})
    photos = _F.List(_F.Nested(SuggestedPhotoOut), required=True)


class SuggestionsOut(ma.Schema):
    items = _F.List(_F.Nested(SuggestionOut), required=True, metadata={"description": "At most five, the open ones before those closed lately, each the nearest first."})


class FollowIn(FlatForm):
    id = _F.UUID(load_default=None, allow_none=True, metadata={"description": "Made by the client: a repeat is the same follow."})
    contact = _F.Nested(ContactIn, load_default=None, allow_none=True, metadata={"description": "Kept sealed; may be left out."})
    challenge = _F.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=4000))


class FollowOut(ma.Schema):
    id = _F.UUID(required=True)
    tracking_code = _F.String(required=True, metadata={"example": "7K3D-0V9M-W2QH-5TXA"})
    number = _F.String(required=True, metadata={"example": "XH0000123"})
    message = _F.String(required=True, metadata={"example": "正在处理。查询码是 7K3D-0V9M-W2QH-5TXA，请妥善保存。"})
    messages = _F.String(required=True, validate=ma.validate.OneOf(("none", "unconfirmed", "on", "ended")), metadata={
        "description": "Whether messages come: `none` also where a contact was left to which nothing can be sent, which is not kept."})

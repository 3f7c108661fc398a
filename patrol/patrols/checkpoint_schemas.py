"""The JSON shapes of random checkpoints."""

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.foundation.positions import PositionIn, PositionOut
from patrol.patrols.checkpoints import Result


class PlaceOut(ma.Schema):
    key = ma.fields.String(required=True, metadata={"example": "990100R01-V03@2"})
    kind = ma.fields.String(required=True, metadata={"example": "river", "enum": ["board", "river"]})
    reach_id = ma.fields.UUID(required=True)
    latitude = ma.fields.Float(required=True, metadata={"example": 29.60312})
    longitude = ma.fields.Float(required=True, metadata={"example": 119.80745})


class SeedArgs(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    days = ma.fields.Integer(load_default=7, validate=ma.validate.Range(1, 14), metadata={"description": "From today on."})


class SeedOut(ma.Schema):
    day = ma.fields.Date(required=True, metadata={"example": "2026-11-20"})
    seed = ma.fields.String(required=True, metadata={"example": "00" * 32, "description": "32 bytes, hex."})
    commitment = ma.fields.String(required=True, metadata={"example": "66" * 32, "description": "SHA-256 of the seed's bytes."})
    drawn = ma.fields.Integer(required=True, metadata={"example": 3, "description": "How many places a patrol draws."})
    draws_by = ma.fields.String(required=True, metadata={
        "example": "day", "enum": ["day", "patrol"], "description": "Whether the patrol's id goes into the draw: of older seeds only."})
    places = ma.fields.List(ma.fields.Nested(PlaceOut), required=True)


class SeedsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SeedOut), required=True)
    next = ma.fields.String(required=True, allow_none=True, metadata={"description": "Always null: these are all."})


class AnswerIn(PositionIn):
    reached = ma.fields.Boolean(required=True)
    photo_id = ma.fields.UUID(load_default=None, allow_none=True, metadata={"description": "Needed; the photo may arrive later."})
    reason = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=500), metadata={"example": "河水上涨，步道被淹"})
    recorded_at = Moment(required=True)


class AnswerOut(PositionOut):
    reached = ma.fields.Boolean(required=True)
    photo_id = ma.fields.UUID(required=True, allow_none=True)
    reason = ma.fields.String(required=True, allow_none=True)
    recorded_at = Moment(required=True)
    received_at = Moment(required=True)
    distance_m = ma.fields.Float(required=True, metadata={"example": 14.2, "description": "From the place."})


class CheckpointOut(ma.Schema):
    number = ma.fields.Integer(required=True, metadata={"example": 1})
    place = ma.fields.Nested(PlaceOut, required=True)
    result = ma.fields.String(required=True, metadata={
        "example": "shown", "enum": [result.value for result in Result], "description": "docs/checkpoints.md tells each."})
    answer = ma.fields.Nested(AnswerOut, required=True, allow_none=True)

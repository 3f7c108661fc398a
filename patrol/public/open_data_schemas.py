"""The JSON shapes of what is open to everybody: boards, the map of issues, and the figures."""

import marshmallow as ma

from patrol.issues.categories import SEVERITY_NAME
from patrol.public.schemas import PublicNameOut, PublicPostOut


class BoardPostOut(PublicPostOut):
    level = ma.fields.String(required=True, metadata={"example": "township"})


class BoardReachOut(PublicNameOut):
    level = ma.fields.String(required=True, metadata={"example": "village"})
    bank = ma.fields.String(required=True, metadata={"example": "both"})
    length_m = ma.fields.Float(required=True, metadata={"example": 1830.5})


class BoardWaterOut(PublicNameOut):
    kind = ma.fields.String(required=True, metadata={"example": "river"})
    target_class = ma.fields.String(required=True, allow_none=True, metadata={"example": "III"})


class PublicBoardOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "QX-0001"})
    latitude = ma.fields.Float(required=True, metadata={"example": 29.60312})
    longitude = ma.fields.Float(required=True, metadata={"example": 119.80745})
    reach = ma.fields.Nested(BoardReachOut, required=True)
    water_body = ma.fields.Nested(BoardWaterOut, required=True)
    region = ma.fields.Nested(PublicNameOut, required=True)
    office = ma.fields.Nested(PublicNameOut, required=True)
    posts = ma.fields.List(ma.fields.Nested(BoardPostOut), required=True)


class OpenMapArgs(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    bbox = ma.fields.String(load_default=None, validate=ma.validate.Length(max=200), metadata={
        "example": "119.7,29.5,119.9,29.7", "description": "min_longitude,min_latitude,max_longitude,max_latitude."})
    category = ma.fields.String(load_default=None, validate=ma.validate.Length(max=8), metadata={
        "description": "A code, or the first letters of several."})
    severity = ma.fields.String(load_default=None, validate=ma.validate.OneOf([severity.value for severity in SEVERITY_NAME]))
    limit = ma.fields.Integer(load_default=1000, validate=ma.validate.Range(1, 5000))


class MapPointOut(ma.Schema):
    type = ma.fields.String(required=True, metadata={"example": "Point"})
    coordinates = ma.fields.List(ma.fields.Float(), required=True, metadata={"example": [119.8075, 29.6031]})


class MapIssueOut(ma.Schema):
    category = ma.fields.String(required=True, metadata={"example": "C1"})
    category_name = ma.fields.String(required=True, metadata={"example": "水面漂浮物"})
    severity = ma.fields.String(required=True, metadata={"example": "general"})
    severity_name = ma.fields.String(required=True, metadata={"example": "一般"})
    state = ma.fields.String(required=True, metadata={"example": "in_progress"})
    message = ma.fields.String(required=True, metadata={"example": "正在处理。"})
    month = ma.fields.String(required=True, metadata={"example": "2026-05"})


class MapFeatureOut(ma.Schema):
    type = ma.fields.String(required=True, metadata={"example": "Feature"})
    geometry = ma.fields.Nested(MapPointOut, required=True)
    properties = ma.fields.Nested(MapIssueOut, required=True)


class OpenMapOut(ma.Schema):
    type = ma.fields.String(required=True, metadata={"example": "FeatureCollection"})
    features = ma.fields.List(ma.fields.Nested(MapFeatureOut), required=True)
    truncated = ma.fields.Boolean(required=True, metadata={"description": "Whether there are more than `limit`."})


class PublicShareOut(ma.Schema):
    numerator = ma.fields.Integer(required=True)
    denominator = ma.fields.Integer(required=True)


class PublicCountOut(ma.Schema):
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    count = ma.fields.Integer(required=True)


class CalledNotFixedOut(ma.Schema):
    asked = ma.fields.Integer(required=True)
    granted = ma.fields.Integer(required=True)
    refused = ma.fields.Integer(required=True)


class StatisticsOut(ma.Schema):
    received = ma.fields.Integer(required=True)
    open = ma.fields.Integer(required=True)
    rejected = ma.fields.Integer(required=True, metadata={"description": "Not taken up; never counted as cured."})
    merged = ma.fields.Integer(required=True)
    also_reported = ma.fields.Integer(required=True, metadata={"description": "Reports merged into others, and followers (\"me too\")."})
    suspended = ma.fields.Integer(required=True, metadata={"description": "Kept on the ledger because it needs works; open."})
    cured = ma.fields.Nested(PublicShareOut, required=True, metadata={
        "description": "Put right, checked by somebody else and not come back, of all that was neither rejected nor merged."})
    closed_in_time = ma.fields.Nested(PublicShareOut, required=True, metadata={"description": "Of the closed ones, by the date by which each was due when it was closed."})
    reopened = ma.fields.Nested(PublicShareOut, required=True, metadata={
        "description": "Reopened after a closing, closed again or not, of all that was ever closed."})
    relapsed = ma.fields.Nested(PublicShareOut, required=True, metadata={
        "description": "Whose trouble came back within the policy's days and metres, of the closed ones; not among the cured."})
    called_not_fixed = ma.fields.Nested(CalledNotFixedOut, required=True, metadata={
        "description": "By their complainants after a closing, and how that was decided."})
    satisfied = ma.fields.Nested(PublicShareOut, required=True, metadata={"description": "Of the citizens who rated."})
    by_state = ma.fields.List(ma.fields.Nested(PublicCountOut), required=True)
    by_category = ma.fields.List(ma.fields.Nested(PublicCountOut), required=True, metadata={
        "description": "By the code of the category; `other` for all that is no matter of a place: advice, and what is said against chiefs."})

"""The JSON shapes of tracks, pauses and phones' queues."""

from typing import Any

import marshmallow as ma

from patrol.foundation.geometry import Datum
from patrol.foundation.moments import Moment
from patrol.foundation.paging import PageArgs
from patrol.patrols.fixes import MOST_FIXES, POINT_FIELDS, Fixes, read_fixes
from patrol.patrols.track_models import NO_SIGNAL, PERSON
from patrol.patrols.window import MOST_MARKS
from patrol.people.schemas import PersonBriefOut

_F = ma.fields
_CAUSE = ma.validate.OneOf((PERSON, NO_SIGNAL))


class PointIn(ma.Schema):
    recorded_at = _F.String(required=True, metadata={"format": "date-time", "example": "2026-05-01T08:30:05+08:00"})
    latitude = _F.Float(required=True, metadata={"example": 29.6031274})
    longitude = _F.Float(required=True, metadata={"example": 119.8074518})
    accuracy_m = _F.Float(allow_none=True, metadata={"example": 6.4, "description": "Below zero means unknown."})
    altitude_m = _F.Float(allow_none=True, metadata={"example": 31.2})
    speed_mps = _F.Float(allow_none=True, metadata={"example": 1.25, "description": "Below zero means unknown."})
    bearing_deg = _F.Float(allow_none=True, metadata={"example": 71.5, "description": "Below zero means unknown."})
    mock = _F.Boolean(allow_none=True, metadata={"description": "Whether an app made the position up; null: not known."})


class Points(_F.List[Any]):
    """Documented as a list of points and read as columns: a schema for each of 500 points would cost more than the rest.

    A list that is too long, or an element that is no object or has unknown fields, is refused; a single point that
    cannot be used is not, it is put aside.
    """

    default_error_messages = {  # noqa: RUF012
        "no_object": "每个点须为对象。\x1fEach point is an object.",
        "unknown": "未知字段：{names}。\x1fUnknown fields: {names}.",
        "length": "每批 1 至 {most} 个点，请分批发送。\x1fA batch has 1 to {most} points: send more in parts.",
    }

    def __init__(self, **options: Any) -> None:
        """Take the options of any field."""
        super().__init__(_F.Nested(PointIn), **options)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Fixes:  # type: ignore[override]
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if not 1 <= len(value) <= MOST_FIXES:
            raise self.make_error("length", most=MOST_FIXES)
        if set(map(type, value)) != {dict}:
            raise self.make_error("no_object")
        if unknown := set().union(*value) - POINT_FIELDS:
            raise self.make_error("unknown", names=", ".join(sorted(unknown)))
        return read_fixes(value)


class TrackIn(ma.Schema):
    batch_id = _F.UUID(required=True)
    datum = _F.Enum(Datum, by_value=True, load_default=Datum.WGS84, metadata={"example": "wgs84"})
    sent_at = Moment(load_default=None, allow_none=True)
    points = Points(required=True, metadata={"minItems": 1, "maxItems": MOST_FIXES})


class QuarantinedOut(ma.Schema):
    index = _F.Integer(required=True, metadata={"description": "Place in what was sent, from 0."})
    code = _F.String(required=True, metadata={"example": "outside_patrol"})
    reason = _F.String(required=True, metadata={"example": "不在巡河时间内，坐标未保存"})


class TrackReceiptOut(ma.Schema):
    accepted = _F.Integer(required=True, metadata={"description": "New here, and durable."})
    duplicates = _F.Integer(required=True, metadata={"description": "Were here already."})
    quarantined = _F.List(_F.Nested(QuarantinedOut), required=True)
    missing = _F.List(_F.UUID(), required=True, metadata={"description": "Photos; a batch announces none."})


class PauseIn(ma.Schema):
    id = _F.UUID(required=True)
    started_at = Moment(required=True, metadata={"example": "2026-05-01T09:00:00+08:00"})
    ended_at = Moment(required=True, metadata={"example": "2026-05-01T09:20:00+08:00"})
    cause = _F.String(load_default=PERSON, validate=_CAUSE, metadata={
        "description": "`person`: she rests, nothing counts. `no_signal`: the phone had no signal of the satellites; it explains a "
        f"silence, covers nothing, and takes no fix out; at most {MOST_MARKS} a patrol.", "example": NO_SIGNAL})


class PauseOut(PauseIn):
    cause = _F.String(required=True, validate=_CAUSE, metadata={"example": NO_SIGNAL})
    received_at = Moment(required=True)


class LineArgs(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    tolerance_m = _F.Float(load_default=5.0, validate=ma.validate.Range(0, 1000), metadata={
        "description": "How far the line may stray from the track."})


class TrackFeatureOut(ma.Schema):
    type = _F.String(required=True, metadata={"example": "Feature"})
    id = _F.UUID(required=True)
    geometry = _F.Dict(required=True, allow_none=True, metadata={
        "description": "LineString of [longitude, latitude], Point for one fix, null for none.",
        "example": {"type": "LineString", "coordinates": [[119.80745, 29.60312], [119.80752, 29.60318]]}})
    properties = _F.Dict(required=True, metadata={
        "description": "With all fixes a list for each measure, in the order of the line; `raw` among them where a device sent another "
        "datum than WGS 84: what it sent, null for a fix in WGS 84.",
        "example": {"mode": "walk", "recorded_at": ["2026-05-01T00:30:05.000Z"], "accuracy_m": [6.4],
                    "raw": [{"latitude": 29.60066, "longitude": 119.81209, "datum": "gcj02"}]}})


class TrackFeaturesOut(ma.Schema):
    type = _F.String(required=True, metadata={"example": "FeatureCollection"})
    features = _F.List(_F.Nested(TrackFeatureOut), required=True)


class PhoneQueueArgs(PageArgs):
    region = _F.String(load_default=None, validate=ma.validate.Length(1, 20))
    waiting = _F.Boolean(load_default=None, metadata={"description": "Only phones that still hold something, or nothing."})


class PhoneQueueOut(ma.Schema):
    id = _F.UUID(required=True)
    person = _F.Nested(PersonBriefOut, required=True)
    device = _F.String(required=True, metadata={"example": "xunhe-pwa/3f2a"})
    pending = _F.Integer(required=True, metadata={"example": 37, "description": "How many things it held when it last spoke, what it sent then included."})
    left = _F.Integer(required=True, metadata={"example": 4, "description": "How many of them are still out there: those that this request did not settle."})
    oldest = Moment(required=True, allow_none=True, metadata={"description": "When the oldest of what it held was recorded."})
    reported_at = Moment(required=True)

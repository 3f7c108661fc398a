"""The JSON shapes of a phone's queue."""

from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment

_F = ma.fields
MOST_ITEMS = 500
KINDS = ("patrol", "track", "check_in", "issue", "pause", "finish", "checkpoint")


class SyncItemIn(ma.Schema):
    kind = _F.String(required=True, validate=ma.validate.OneOf(KINDS), metadata={"example": "check_in"})
    id = _F.UUID(required=True, metadata={
        "description": "The thing's own id; of a track the batch's, of a pause (or a time without signal) the pause's, of a finish and a checkpoint's answer the patrol's."})
    data = _F.Dict(required=True, metadata={
        "description": "What the thing's own route takes; a track and a pause name their `patrol_id` besides, a finish with a `reason` "
        "the phone's own `revision`, 1 for its first correction, a checkpoint its `number`.",
        "example": {"latitude": 29.60312, "longitude": 119.80745, "recorded_at": "2026-05-01T08:30:00+08:00"}})


class Items(_F.List[Any]):
    """Documented as a list of items and handed on as they came: a broken one gets its own result, the others pass."""

    def __init__(self, **options: Any) -> None:
        """Take the options of any field."""
        super().__init__(_F.Nested(SyncItemIn), **options)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return value


class SyncIn(ma.Schema):
    # Whatever an item holds, the others enter: one alone would keep the whole queue on the phone for ever.
    APART = "items"

    device = _F.String(required=True, validate=ma.validate.Length(1, 200), metadata={"example": "xunhe-pwa/3f2a"})
    pending = _F.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(0, 1_000_000), metadata={
        "description": "How many things the phone holds, those of this request included.", "example": 17})
    oldest = Moment(load_default=None, allow_none=True, metadata={"description": "When the oldest of them was recorded."})
    report = _F.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(0, 2**31 - 1), metadata={
        "description": "The phone's own count of its requests, one higher each time, so that one that was long under way overrides none "
        "that was sent after it; without it `sent_at` orders them, without either their arrival.", "example": 41})
    sent_at = Moment(load_default=None, allow_none=True, metadata={"description": "When the phone sends this, by its clock."})
    items = Items(load_default=list)


class SyncResultOut(ma.Schema):
    index = _F.Integer(required=True)
    kind = _F.String(required=True, allow_none=True, metadata={"example": "check_in"})
    id = _F.String(required=True, allow_none=True)
    status = _F.String(required=True, metadata={
        "enum": ["accepted", "duplicate", "conflict", "refused", "waiting"], "example": "accepted",
        "description": "`waiting`: what it belongs to is not here yet, send it again later; all else is settled."})
    receipt = _F.Dict(metadata={"description": "With accepted and duplicate: what the phone may delete.",
                                "example": {"accepted": 1, "duplicates": 0, "quarantined": [], "missing": []}})
    problem = _F.Dict(metadata={"description": "With the others: the problem document (RFC 9457) of the thing's own route."})


class SyncOut(ma.Schema):
    results = _F.List(_F.Nested(SyncResultOut), required=True)
    cursor = _F.Integer(required=True, allow_none=True, metadata={
        "description": f"The index of the first item that was not looked at, when there were more than {MOST_ITEMS}: go on there."})
    pending = _F.Integer(required=True, allow_none=True, metadata={"description": "What the phone holds by its latest word, as stored; null when it says nothing."})

"""The JSON shapes of the office's search for duplicates."""

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.issues.schemas import IssueOut, KinOut

_F = ma.fields


class DuplicateOut(IssueOut):
    score = _F.Float(required=True, metadata={"description": "0 to 1: how likely it is the same trouble.", "example": 0.82})
    distance_m = _F.Float(required=True, metadata={"example": 14.2})
    days_apart = _F.Float(required=True, metadata={"example": 1.5})
    text_score = _F.Float(required=True, metadata={"description": "0 to 1.", "example": 0.61})
    photo_score = _F.Float(required=True, allow_none=True, metadata={"description": "0 to 1; null with no photos to compare."})
    relapse = _F.Boolean(required=True, metadata={
        "description": "Closed before this was seen: the trouble came back, which is no duplicate."})
    reasons = _F.List(_F.String(), required=True, metadata={"example": ["相距14米，在类别半径100米以内", "类别相同"]})


class MergedOut(KinOut):
    received_at = Moment(required=True)
    merged_at = Moment(required=True)
    source = _F.String(required=True, metadata={"example": "citizen"})
    description = _F.String(required=True)


class DuplicatesOut(ma.Schema):
    ranking = _F.String(required=True, metadata={"description": "How the candidates are ranked."})
    items = _F.List(_F.Nested(DuplicateOut), required=True, metadata={"description": "At most ten, the likeliest first."})
    merged = _F.List(_F.Nested(MergedOut), required=True, metadata={"description": "What is merged into this issue already."})
    next = _F.String(required=True, allow_none=True)

"""The JSON shapes of asking for more time and of deciding on it."""

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.issues.field_shapes import a_due_date, filled
from patrol.people.schemas import PersonBriefOut

_F = ma.fields


class ExtensionIn(ma.Schema):
    until = Moment(required=True, validate=a_due_date, metadata={"example": "2026-04-01T00:00:00+08:00"})
    reason = _F.String(required=True, validate=filled(4000), metadata={"example": "连续降雨，打捞船无法作业"})


class ExtensionDecisionIn(ma.Schema):
    granted = _F.Boolean(required=True, metadata={"example": True})
    reason = _F.String(required=True, validate=filled(4000), metadata={"example": "情况属实"})


class ExtensionOut(ma.Schema):
    n = _F.Integer(required=True, metadata={"example": 1})
    until = Moment(required=True)
    reason = _F.String(required=True, metadata={"example": "连续降雨，打捞船无法作业"})
    asked_at = Moment(required=True)
    asked_by = _F.Nested(PersonBriefOut, required=True)
    granted = _F.Boolean(required=True, allow_none=True, metadata={"description": "Null: not decided yet."})
    decision = _F.String(required=True, allow_none=True, metadata={"description": "The reason of the decision."})
    decided_at = Moment(required=True, allow_none=True)
    decided_by = _F.Nested(PersonBriefOut, required=True, allow_none=True)

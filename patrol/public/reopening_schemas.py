"""The JSON shapes of reopening requests, as those read them who decide."""

import marshmallow as ma

from patrol.foundation.http import FlatForm
from patrol.foundation.moments import Moment
from patrol.foundation.paging import PageArgs
from patrol.issues.field_shapes import filled

_F = ma.fields


class ReopeningArgs(PageArgs):
    waiting = _F.Boolean(load_default=None, metadata={"description": "Only those that wait for a decision, or only decided ones."})


class DecisionIn(FlatForm):
    granted = _F.Boolean(required=True)
    reason = _F.String(required=True, validate=filled(1000), metadata={
        "example": "现场仍有垃圾，重新办理。", "description": "The complainant reads it."})


class ReopenedIssueOut(ma.Schema):
    id = _F.UUID(required=True)
    number = _F.String(required=True, metadata={"example": "XH0000123"})
    state = _F.String(required=True, metadata={"example": "closed"})
    category = _F.String(required=True, metadata={"example": "C1"})
    closed_at = Moment(required=True, allow_none=True)


class ReopeningOut(ma.Schema):
    id = _F.UUID(required=True)
    issue = _F.Nested(ReopenedIssueOut, required=True)
    reason = _F.String(required=True, metadata={"example": "桥下还有一大片垃圾没有清走。"})
    asked_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)
    decided_by_id = _F.UUID(required=True, allow_none=True)
    granted = _F.Boolean(required=True, allow_none=True)
    decision = _F.String(required=True, allow_none=True)
    version = _F.Integer(required=True)

"""The shapes of by when the office decides, and by when the lead reports a plan."""

import marshmallow as ma

from patrol.foundation.moments import Moment


class DecisionOut(ma.Schema):
    by = Moment(required=True, metadata={"description": "The first moment that is too late."})
    late = ma.fields.Boolean(required=True)
    rule = ma.fields.String(required=True, metadata={"example": "review_general_3_wd"})
    explanation = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["复核期限：3个工作日"]})


class PlanOut(ma.Schema):
    due_at = Moment(required=True, allow_none=True, metadata={"description": "The first moment that is too late; null where none is asked, or the clock stands still."})
    reported_at = Moment(required=True, allow_none=True)
    late = ma.fields.Boolean(required=True)
    rule = ma.fields.String(required=True, allow_none=True, metadata={"example": "plan_major_10_wd"})
    explanation = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["整改方案报送期限：10个工作日"]})

"""The shape of by when the office decides."""

import marshmallow as ma

from patrol.foundation.moments import Moment


class DecisionOut(ma.Schema):
    by = Moment(required=True, metadata={"description": "The first moment that is too late."})
    late = ma.fields.Boolean(required=True)
    rule = ma.fields.String(required=True, metadata={"example": "review_general_3_wd"})
    explanation = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["复核期限：3个工作日"]})

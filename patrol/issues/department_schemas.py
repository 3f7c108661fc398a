"""The JSON shapes of the ownership matrix and of parts."""

import marshmallow as ma

from patrol.foundation.paging import PageArgs
from patrol.issues.field_shapes import filled
from patrol.issues.ownership import Part
from patrol.issues.schemas import MOST_PHOTOS, CodedOut
from patrol.people.departments import DEPARTMENTS

_F, _length = ma.fields, ma.validate.Length


class OwnershipArgs(PageArgs):
    category = _F.String(load_default=None, validate=_length(1, 8), metadata={"description": "The rows that bear on this code."})
    region = _F.String(load_default=None, validate=_length(1, 20), metadata={"description": "The rows that bear on this region (code)."})
    on = _F.Date(load_default=None, metadata={"description": "In force on this local day; by default ended rows too."})


class OwnershipIn(ma.Schema):
    id = _F.UUID(load_default=None, allow_none=True, metadata={"description": "Made by the client; UUID v7 preferred."})
    category = _F.String(required=True, validate=_length(max=8), metadata={"description": "The beginning of codes; empty: all.", "example": "A3"})
    region = _F.String(load_default=None, allow_none=True, validate=_length(1, 20), metadata={"description": "A region's code; null: everywhere."})
    department = _F.String(required=True, validate=_length(1, 40), metadata={"enum": list(DEPARTMENTS)})
    part = _F.Enum(Part, by_value=True, load_default=Part.LEAD)
    valid_from = _F.Date(required=True)
    valid_to = _F.Date(load_default=None, allow_none=True, metadata={"description": "The last day."})
    source_zh = _F.String(required=True, validate=filled(300), metadata={"example": "区委编办〔2026〕3号"})
    source_en = _F.String(required=True, validate=filled(300), metadata={"example": "District staffing office, 2026 no. 3"})


class OwnershipEndIn(ma.Schema):
    reason = _F.String(required=True, validate=filled(2000), metadata={"example": "机构改革，职责划转"})
    on = _F.Date(load_default=None, metadata={"description": "The last day on which it holds; yesterday by default."})


class OwnershipOut(ma.Schema):
    id = _F.UUID(required=True)
    category = _F.String(required=True)
    region = _F.Nested(CodedOut, required=True, allow_none=True)
    department = _F.Nested(CodedOut, required=True)
    part = _F.String(required=True, metadata={"example": "lead"})
    valid_from = _F.Date(required=True)
    valid_to = _F.Date(required=True, allow_none=True)
    source = _F.String(required=True)
    precedent_of = _F.String(required=True, allow_none=True, metadata={"description": "The issue whose ruling this is.", "example": "XH0000123"})
    end_reason = _F.String(required=True, allow_none=True)
    version = _F.Integer(required=True)


class PartReportIn(ma.Schema):
    note = _F.String(required=True, validate=filled(4000), metadata={"example": "固废已清运完毕"})
    photo_ids = _F.List(_F.UUID(), load_default=list, validate=_length(max=MOST_PHOTOS))


class TakeBackIn(ma.Schema):
    reason = _F.String(required=True, validate=filled(4000), metadata={"example": "由责任人一并处理"})


class GroundOut(ma.Schema):
    step = _F.String(required=True, metadata={"example": "decline"})
    code = _F.String(required=True, metadata={"example": "other_department_by_law"})
    name = _F.String(required=True, metadata={"example": "依法属其他部门职责"})

"""The JSON shapes of the policies by which patrols are examined, and of what another version would change."""

from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.patrols.duty_schemas import STANDINGS, FrequencyPolicyIn, SourceIn, SourceOut, SpanOut
from patrol.people.schemas import PersonBriefOut
from patrol.waters.schemas import ReachBriefOut

_COUNTS = {"description": "Patrols by verdict.", "example": {"valid": 41, "partial": 6, "doubtful": 3}}
MOST_PATROLS = 100


def _thresholds() -> ma.fields.Dict:
    return ma.fields.Dict(keys=ma.fields.String(), required=True, metadata={
        "description": "By name; what is left out is as in the version before.", "example": {"geofence_m": 150.0}})


def _receivers() -> ma.fields.List[Any]:
    return ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 100)), load_default=None, allow_none=True, validate=ma.validate.Length(max=1000),
        metadata={
            "description": "Of the integrity policy: ids of registered devices (`POST /devices`) that pass on an external receiver's positions.",
            "example": ["0190b7a2-0000-7000-8000-000000000001"]})


class ExaminationPolicyIn(ma.Schema):
    id = ma.fields.UUID(required=True)
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-12-01", "description": "After today."})
    thresholds = _thresholds()
    trusted_receivers = _receivers()
    source = ma.fields.Nested(SourceIn, required=True)


class ExaminationPolicyOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "integrity"})
    code = ma.fields.String(required=True, metadata={"example": "2026-12/2", "description": "What examinations name."})
    version = ma.fields.Integer(required=True, metadata={"example": 2})
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-12-01", "description": "For patrols that begin on this local day or later."})
    thresholds = ma.fields.Dict(required=True, metadata={"example": {"geofence_m": 150.0}})
    trusted_receivers = ma.fields.List(ma.fields.String(), required=True)
    source = ma.fields.Nested(SourceOut, required=True)
    added_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)
    standing = ma.fields.String(required=True, validate=ma.validate.OneOf(STANDINGS), metadata={"description": "For patrols that begin today."})
    withdrawable = ma.fields.Boolean(required=True)


class ExaminationTrialIn(ma.Schema):
    thresholds = _thresholds()
    trusted_receivers = _receivers()
    patrols = ma.fields.Integer(load_default=50, strict=True, validate=ma.validate.Range(1, MOST_PATROLS), metadata={
        "description": "So many of the last ended patrols that the caller sees are examined."})


class VerdictChangeOut(ma.Schema):
    patrol_id = ma.fields.UUID(required=True)
    person = ma.fields.Nested(PersonBriefOut, required=True)
    started_at = Moment(required=True)
    before = ma.fields.String(required=True, metadata={"example": "valid"})
    after = ma.fields.String(required=True, metadata={"example": "partial"})
    reasons = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["用时 8 分钟，还差 2 分钟"]})


class ExaminationTrialOut(ma.Schema):
    looked_at = ma.fields.Integer(required=True, metadata={"example": 50})
    purged = ma.fields.Integer(required=True, metadata={"example": 0, "description": "Left out: their raw tracks are gone, and what was found stays."})
    changed = ma.fields.Integer(required=True, metadata={"example": 3})
    before = ma.fields.Dict(required=True, metadata=_COUNTS)
    after = ma.fields.Dict(required=True, metadata=_COUNTS)
    items = ma.fields.List(ma.fields.Nested(VerdictChangeOut), required=True, metadata={"description": "Those whose verdict would change."})


class FrequencyVersionIn(FrequencyPolicyIn):
    id = ma.fields.UUID(required=True)


class FrequencyTrialIn(FrequencyPolicyIn):
    class Meta:
        exclude = ("valid_from", "valid_to", "source")

    during = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 20), metadata={
        "example": "2026-11", "description": "The window that is counted, as `period` of `GET /duties`; this month when nothing is said."})


class DutySumsOut(ma.Schema):
    required = ma.fields.Integer(required=True, metadata={"example": 120})
    counted = ma.fields.Integer(required=True, metadata={"example": 96})


class DutyChangeOut(ma.Schema):
    person = ma.fields.Nested(PersonBriefOut, required=True)
    reach = ma.fields.Nested(ReachBriefOut, required=True)
    before = ma.fields.Nested(DutySumsOut, required=True)
    after = ma.fields.Nested(DutySumsOut, required=True)


class FrequencyTrialOut(ma.Schema):
    window = ma.fields.Nested(SpanOut, required=True)
    looked_at = ma.fields.Integer(required=True, metadata={"example": 80, "description": "Duties of one person on one reach."})
    whole = ma.fields.Boolean(required=True, metadata={"description": "False when the caller sees more duties than were counted."})
    changed = ma.fields.Integer(required=True, metadata={"example": 12})
    before = ma.fields.Nested(DutySumsOut, required=True)
    after = ma.fields.Nested(DutySumsOut, required=True)
    items = ma.fields.List(ma.fields.Nested(DutyChangeOut), required=True, metadata={"description": "Those that would change."})

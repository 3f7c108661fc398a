"""The JSON shapes of what happened to an issue, and of what can be done to it now."""

import marshmallow as ma

from patrol.foundation.moments import Moment

_F = ma.fields


class HistoryActorOut(ma.Schema):
    id = _F.UUID(required=True)
    name = _F.String(required=True)


class HistoryPhotoOut(ma.Schema):
    id = _F.UUID(required=True)
    sha256 = _F.String(required=True)
    kind = _F.String(required=True)
    facts = _F.String(metadata={"description": "SHA-256 over what was known of the photo beside its bytes: part of the entry's hash."})
    thumb = _F.String(required=True)
    screen = _F.String(required=True)


class HistoryEntryOut(ma.Schema):
    seq = _F.Integer(required=True)
    verb = _F.String(required=True, metadata={"example": "dispatch"})
    name = _F.String(required=True, metadata={"example": "派单"})
    from_state = _F.String(required=True, allow_none=True)
    to_state = _F.String(required=True)
    actor = _F.Nested(HistoryActorOut, required=True, allow_none=True,
                      metadata={"description": "Null: a citizen, or the system by `rule`."})
    rule = _F.String(required=True, allow_none=True)
    at = Moment(required=True)
    note = _F.String(required=True, allow_none=True)
    reason = _F.String(required=True, allow_none=True)
    ground = _F.String(required=True, allow_none=True)
    ground_name = _F.String(required=True, allow_none=True)
    changes = _F.Dict(required=True)
    photos = _F.List(_F.Nested(HistoryPhotoOut), required=True)
    previous_hash = _F.String(required=True)
    hash = _F.String(required=True)


class AllowedStepOut(ma.Schema):
    verb = _F.String(required=True)
    name = _F.String(required=True)
    target = _F.String(required=True, allow_none=True)
    must = _F.List(_F.String(), required=True)
    one_of = _F.List(_F.String(), required=True)
    may = _F.List(_F.String(), required=True)


class SignedByOthersOut(ma.Schema):
    verb = _F.String(required=True, metadata={"example": "resume"})
    name = _F.String(required=True, metadata={"example": "恢复办理"})
    reason = _F.String(required=True, metadata={"description": "Why the caller may not, and who can."})


class AllowedOut(ma.Schema):
    state = _F.String(required=True)
    allowed = _F.List(_F.String(), required=True)
    steps = _F.List(_F.Nested(AllowedStepOut), required=True)
    signed_by_others = _F.List(_F.Nested(SignedByOthersOut), required=True, metadata={
        "description": "What a major issue waits for that the caller may not sign: the district's chief does, or who stands in."})
    waiting_for_parts = _F.List(_F.Nested(SignedByOthersOut), required=True, metadata={
        "description": "What the caller could do but for open parts of co-handlers: whose they are, and what to do where a holder's account is disabled."})

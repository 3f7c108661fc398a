"""The JSON shapes of spot checks, draws and watch lists."""

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.foundation.paging import PageArgs
from patrol.foundation.positions import PositionIn
from patrol.people.schemas import PersonBriefOut
from patrol.supervision.actions import MOST_DRAWN, RESULTS

KINDS, STATES = ("look_back", "random", "chosen"), ("open", "done")
SHEET = ("water_clean", "bank_clean", "trace_of_the_problem", "board_in_order", "chief_reachable")
_ANSWERS = ("yes", "no", "not_checked")


class SpotCheckArgs(PageArgs):
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(STATES))
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf(KINDS))
    region = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20))
    reach = ma.fields.UUID(load_default=None)
    issue = ma.fields.UUID(load_default=None)
    assigned_to = ma.fields.String(load_default=None, metadata={"description": "`me` or an id."})
    overdue = ma.fields.Boolean(load_default=None)


class SpotCheckIn(ma.Schema):
    id = ma.fields.UUID(load_default=None, allow_none=True)
    issue_id = ma.fields.UUID(load_default=None, allow_none=True)
    reach_id = ma.fields.UUID(load_default=None, allow_none=True)
    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, 1000), metadata={"example": "群众多次反映反弹"})
    assigned_to = ma.fields.UUID(load_default=None, allow_none=True)
    due_on = ma.fields.Date(required=True, metadata={"example": "2026-12-10"})


class DrawIn(ma.Schema):
    id = ma.fields.UUID(required=True, metadata={"description": "The same id again is the same drawing."})
    region = ma.fields.String(required=True, validate=ma.validate.Length(1, 20), metadata={"example": "990100"})
    count = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, MOST_DRAWN), metadata={"example": 5})
    within_days = ma.fields.Integer(load_default=10, strict=True, validate=ma.validate.Range(1, 90))


class FinishCheckIn(PositionIn):
    result = ma.fields.String(required=True, validate=ma.validate.OneOf(RESULTS), metadata={"example": "cured"})
    sheet = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.OneOf(SHEET)), values=ma.fields.String(validate=ma.validate.OneOf(_ANSWERS)),
        load_default=dict, metadata={"example": {"water_clean": "yes", "trace_of_the_problem": "no"}},
    )
    note = ma.fields.String(required=True, validate=ma.validate.Length(1, 2000), metadata={"example": "水面干净，未见反弹"})
    recorded_at = Moment(required=True)
    photo_ids = ma.fields.List(ma.fields.UUID(), required=True, validate=ma.validate.Length(1, 9))


class SpotCheckOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "look_back"})
    state = ma.fields.String(required=True, metadata={"example": "open"})
    region = ma.fields.Dict(required=True, metadata={"example": {"code": "990100001", "name": "柳岸镇"}})
    reach = ma.fields.Dict(required=True, allow_none=True, metadata={"example": {"code": "R1-1", "name": "清溪柳岸段"}})
    issue = ma.fields.Dict(required=True, allow_none=True, metadata={"example": {"number": "XH0000123", "state": "closed"}})
    draw_id = ma.fields.UUID(required=True, allow_none=True)
    reason = ma.fields.String(required=True)
    assigned_to = ma.fields.Nested(PersonBriefOut, required=True, allow_none=True)
    due_on = ma.fields.Date(required=True)
    overdue = ma.fields.Boolean(required=True)
    created_at = Moment(required=True)
    result = ma.fields.String(required=True, allow_none=True, metadata={"example": "cured"})
    sheet = ma.fields.Dict(required=True, allow_none=True)
    note = ma.fields.String(required=True, allow_none=True)
    latitude = ma.fields.Float(required=True, allow_none=True)
    longitude = ma.fields.Float(required=True, allow_none=True)
    accuracy_m = ma.fields.Float(required=True, allow_none=True)
    distance_m = ma.fields.Float(required=True, allow_none=True, metadata={"description": "From the issue or the reach."})
    on_site = ma.fields.Boolean(required=True, allow_none=True, metadata={
        "description": "Whether place and time show that somebody was there; null until it is done. Only then a relapse reopens by itself."})
    findings = ma.fields.List(ma.fields.Dict(), required=True, metadata={
        "example": [{"code": "far_from_place", "text": "抽查地点距应查地点 5200 米"}]})
    recorded_at = Moment(required=True, allow_none=True)
    done_at = Moment(required=True, allow_none=True)
    done_by = ma.fields.Nested(PersonBriefOut, required=True, allow_none=True)
    photos = ma.fields.List(ma.fields.Dict(), required=True)
    version = ma.fields.Integer(required=True)


class DrawCandidateOut(ma.Schema):
    id = ma.fields.UUID(required=True, metadata={"description": "Of an issue (look-backs) or a reach (random)."})
    share_percent = ma.fields.Float(required=True, allow_none=True, metadata={"example": 5.0, "description": "Look-backs: of its severity."})
    weight = ma.fields.Float(required=True, allow_none=True, metadata={"example": 3.0, "description": "Random: of the reach."})


class DrawOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, metadata={"example": "random"})
    period = ma.fields.String(required=True)
    seed = ma.fields.String(required=True, metadata={"description": "With `facts` enough to draw again: docs/supervision.md."})
    candidates = ma.fields.List(ma.fields.Nested(DrawCandidateOut), required=True, metadata={
        "description": "Empty for look-backs drawn before their candidates were kept."})
    picked = ma.fields.List(ma.fields.UUID(), required=True)
    facts = ma.fields.Dict(required=True)
    drawn_at = Moment(required=True)


class WatchIn(ma.Schema):
    note = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=500))


class WatchOut(ma.Schema):
    kind = ma.fields.String(required=True, metadata={"example": "issue"})
    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True, metadata={"example": "XH0000123"})
    note = ma.fields.String(required=True, allow_none=True)
    facts = ma.fields.Dict(required=True, metadata={"example": {"state": "in_progress", "overdue": True}})
    created_at = Moment(required=True)

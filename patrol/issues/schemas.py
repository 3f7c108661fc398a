"""The JSON shapes of issues: what a report brings and how an issue, its history and its routing read."""

import marshmallow as ma

from patrol.foundation.clock import beginning_of_day, end_of_day, last_moment_of_day
from patrol.foundation.moments import Moment, MomentOrDay
from patrol.foundation.paging import PageArgs
from patrol.foundation.positions import PositionIn, PositionOut
from patrol.issues.categories import Severity, Source
from patrol.issues.decision_schemas import DecisionOut, PlanOut
from patrol.issues.field_shapes import BoxField, Several, SomebodyField, a_category, filled
from patrol.issues.filters import ORDERS
from patrol.issues.lifecycle import State
from patrol.issues.role_lists import RoleList
from patrol.people.schemas import PersonBriefOut, RegionBriefOut

MOST_PHOTOS = 9
_F = ma.fields


_ORIGIN = (
    "The reporter's own {what} on which it was seen. It may arrive later, as a phone without signal sends things in any order: `GET /issues/{{id}}/origin` "
    "tells whether it has."
)


class IssueIn(PositionIn):
    id = _F.UUID(load_default=None, allow_none=True, metadata={"description": "Made by the client; UUID v7 preferred."})
    category = _F.String(required=True, validate=ma.validate.And(ma.validate.Length(1, 8), a_category), metadata={"example": "C1"})
    severity = _F.Enum(Severity, by_value=True, load_default=None, allow_none=True)
    description = _F.String(required=True, validate=filled(4000), metadata={"example": "桥下漂着成片的生活垃圾"})
    recorded_at = Moment(load_default=None, allow_none=True, metadata={"example": "2026-05-01T08:30:00+08:00"})
    source = _F.Enum(Source, by_value=True, load_default=None, allow_none=True, metadata={
        "description": "Null: patrol; of who does not patrol inspection, of a bureau's staff department. What comes from outside is the office's "
                       "or a supervisor's to name."})
    patrol_id = _F.UUID(load_default=None, allow_none=True, metadata={"description": _ORIGIN.format(what="patrol")})
    check_in_id = _F.UUID(load_default=None, allow_none=True, metadata={"description": _ORIGIN.format(what="check-in")})
    photo_ids = _F.List(_F.UUID(), load_default=list, validate=ma.validate.Length(max=MOST_PHOTOS))


_DAY = "a plain local day"


class IssueFilterArgs(ma.Schema):
    """What narrows a list of issues; an export takes the same."""

    state = Several(_F.Enum(State, by_value=True), load_default=(), metadata={"description": "One or several."})
    source = Several(_F.Enum(Source, by_value=True), load_default=())
    severity = Several(_F.Enum(Severity, by_value=True), load_default=())
    category = _F.String(load_default=None, validate=ma.validate.Length(1, 8),
                         metadata={"description": "A code or its beginning: `A` finds `A32`."})
    region = _F.String(load_default=None, validate=ma.validate.Length(1, 20),
                       metadata={"description": "A region's code; all below it counts."})
    reach = _F.String(load_default=None, validate=ma.validate.Length(1, 40), metadata={"description": "Id or code."})
    assigned_to = SomebodyField(load_default=None, metadata={"description": "`me`, or an account's id or user name: leads or co-handles."})
    role_list = _F.Enum(RoleList, by_value=True, load_default=None, data_key="list",
                        metadata={"description": "What the caller has to do, as `/issues/lists` counts it."})
    overdue = _F.Boolean(load_default=None, metadata={"description": "The lead is late."})
    decision_late = _F.Boolean(load_default=None, metadata={"description": "The office is late to dispatch, check, close, review or answer."})
    plan_late = _F.Boolean(load_default=None, metadata={"description": "The lead is late to report a plan."})
    due_before = MomentOrDay(end_of_day, load_default=None, metadata={"description": f"Due at this moment or earlier; {_DAY} counts to its end.", "example": "2026-11-01"})
    review_before = _F.Date(load_default=None,
                            metadata={"description": "On the ledger, to be reviewed on this day or earlier."})
    created_after = MomentOrDay(beginning_of_day, load_default=None, metadata={
        "description": f"Received at this moment or later; {_DAY} counts from its beginning.", "example": "2026-11-01"})
    created_before = MomentOrDay(last_moment_of_day, load_default=None, metadata={
        "description": f"Received at this moment or earlier; {_DAY} counts to its end.", "example": "2026-11-30"})
    bbox = BoxField(load_default=None, metadata={"description": "min_longitude,min_latitude,max_longitude,max_latitude"})
    q = _F.String(load_default=None, validate=ma.validate.Length(max=100),
                  metadata={"description": "Words in the description, or the number."})


_ORDER = "Under `due` and `-due`, what shows no due date comes last."


class IssueListArgs(PageArgs, IssueFilterArgs):
    order = _F.String(load_default="newest", validate=ma.validate.OneOf(tuple(ORDERS)), metadata={"description": _ORDER})


class IssueExportArgs(IssueFilterArgs):
    order = _F.String(load_default="newest", validate=ma.validate.OneOf(tuple(ORDERS)), metadata={"description": _ORDER})


class NearbyArgs(PositionIn):
    category = _F.String(required=True, validate=ma.validate.Length(1, 8), metadata={"example": "C1"})


class ResponsibleArgs(PositionIn):
    on = _F.Date(load_default=None, metadata={"description": "The local day asked about; today by default."})
    category = _F.String(load_default=None, validate=ma.validate.Length(1, 8))


class IssueRegionOut(RegionBriefOut):
    id = _F.UUID(required=True)


class IssueReachOut(ma.Schema):
    id = _F.UUID(required=True)
    code = _F.String(required=True, metadata={"example": "QX-01-03"})
    name = _F.String(required=True, metadata={"example": "清溪柳岸段"})


class CandidateReachOut(IssueReachOut):
    level = _F.String(required=True, metadata={"example": "village"})
    bank = _F.String(required=True, metadata={"example": "both"})


class RoutedChiefOut(ma.Schema):
    id = _F.UUID(metadata={"description": "For staff only, as the name."})
    name = _F.String(metadata={"example": "王建国"})
    title = _F.String(required=True, metadata={"example": "村级河长"})


class CandidateOut(ma.Schema):
    reach = _F.Nested(CandidateReachOut, required=True)
    chief = _F.Nested(RoutedChiefOut, required=True, allow_none=True)
    distance_m = _F.Float(required=True, metadata={"example": 12.4})
    inside = _F.Boolean(required=True)
    within_tolerance = _F.Boolean(required=True)


class CodedOut(ma.Schema):
    code = _F.String(required=True, metadata={"example": "water"})
    name = _F.String(required=True, metadata={"example": "水利局"})


class OwnerOut(ma.Schema):
    department = _F.Nested(CodedOut, required=True)
    reason = _F.String(required=True, metadata={"description": "Why this department."})
    row_id = _F.UUID(required=True, metadata={"description": "The row of the ownership matrix."})
    category = _F.String(required=True)
    region = _F.String(required=True, allow_none=True)
    precedent_of = _F.String(required=True, allow_none=True)


class OwnershipAtOut(ma.Schema):
    lead = _F.Nested(OwnerOut, required=True, allow_none=True)
    co = _F.List(_F.Nested(OwnerOut), required=True)
    proposals = _F.List(_F.Nested(OwnerOut), required=True,
                        metadata={"description": "Precedents that a stronger row keeps from deciding."})


class ResponsibleOut(ma.Schema):
    rule = _F.String(required=True, metadata={"example": "nearest"})
    confidence = _F.Float(required=True, metadata={"example": 0.93})
    confidence_label = _F.String(required=True, metadata={"example": "high"})
    reasons = _F.List(_F.String(), required=True)
    candidates = _F.List(_F.Nested(CandidateOut), required=True)
    involved = _F.List(_F.Nested(CandidateOut), required=True)
    chief = _F.Nested(RoutedChiefOut, required=True, allow_none=True)
    office = _F.Nested(CodedOut, required=True, metadata={"description": "Whose office answers where no chief does."})
    department = _F.Nested(CodedOut, required=True, allow_none=True)
    ownership = _F.Nested(OwnershipAtOut, required=True, allow_none=True)
    on = _F.Date(required=True)


class PolicyOut(ma.Schema):
    rule = _F.String(required=True, metadata={"example": "patrol_to_chief"})
    version = _F.Integer(required=True, allow_none=True)
    straight = _F.Boolean(required=True)
    reason = _F.String(required=True)


class RoutingOut(ResponsibleOut):
    policy = _F.Nested(PolicyOut, required=True, allow_none=True)


class DueRuleOut(ma.Schema):
    rule = _F.String(required=True, metadata={"example": "general_10_wd"})
    version = _F.Integer(required=True, allow_none=True, metadata={"description": "Of the policy row; null where a person decided."})
    stage = _F.String(required=True, metadata={"example": "rectification"})
    last_day = _F.Date(required=True)
    explanation = _F.List(_F.String(), required=True)


class IssuePhotoOut(ma.Schema):
    id = _F.UUID(required=True)
    kind = _F.String(required=True, metadata={
        "example": "before", "description": "`before`, `during`, `after`, or `other`: from a complainant's \"not fixed\"."})
    recorded_at = Moment(required=True)
    before_photo_id = _F.UUID(required=True, allow_none=True)
    hidden = _F.Boolean(required=True, metadata={"description": "The office took it from the public; the history says why."})
    thumb = _F.String(required=True)
    screen = _F.String(required=True)


class FindingOut(ma.Schema):
    code = _F.String(required=True, metadata={"example": "photo_far"})
    severity = _F.String(required=True, metadata={"example": "warning"})
    text = _F.String(required=True)
    evidence = _F.Dict(required=True)
    version = _F.String(required=True)


class MilestoneOut(ma.Schema):
    n = _F.Integer(required=True, metadata={"example": 1})
    text = _F.String(required=True, metadata={"example": "截污管道施工完成"})
    due_on = _F.Date(required=True, metadata={"example": "2026-09-30"})
    done_at = Moment(required=True, allow_none=True)
    done_by = _F.Nested(PersonBriefOut, required=True, allow_none=True)
    note = _F.String(required=True, allow_none=True, metadata={"example": "截污管道已完工并通水"})


class GeneralChiefOut(PersonBriefOut):
    region = _F.Nested(RegionBriefOut, required=True, metadata={"description": "Where that chief's office is."})


class SuspensionOut(ma.Schema):
    since = Moment(required=True)
    review_on = _F.Date(required=True, metadata={"example": "2026-07-01"})
    milestones = _F.List(_F.Nested(MilestoneOut), required=True)
    approved_by = _F.Nested(GeneralChiefOut, required=True, allow_none=True, metadata={
        "description": "The general chief in whose name it is on the ledger."})
    reported_to = _F.Nested(GeneralChiefOut, required=True, allow_none=True, metadata={
        "description": "The general chief who was told, where the office named none."})


class PartOut(ma.Schema):
    n = _F.Integer(required=True, metadata={"example": 1})
    person = _F.Nested(PersonBriefOut, required=True)
    department = _F.Nested(CodedOut, required=True, allow_none=True)
    text = _F.String(required=True, metadata={"example": "清运岸边固废"})
    due_at = Moment(required=True, allow_none=True)
    state = _F.String(required=True, metadata={"example": "open"})
    late = _F.Boolean(required=True)
    note = _F.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class KinOut(ma.Schema):
    id = _F.UUID(required=True)
    number = _F.String(required=True, metadata={"example": "XH0000123"})


class IssueOut(PositionOut):
    id = _F.UUID(required=True)
    number = _F.String(required=True, metadata={"example": "XH0000123"})
    state = _F.String(required=True, metadata={"example": "dispatched"})
    category = _F.String(required=True, metadata={"example": "C1"})
    category_name = _F.String(required=True, metadata={"example": "水面漂浮物"})
    severity = _F.String(required=True, metadata={"example": "general"})
    source = _F.String(required=True, metadata={"example": "patrol"})
    description = _F.String(required=True)
    recorded_at = Moment(required=True)
    received_at = Moment(required=True)
    region = _F.Nested(IssueRegionOut, required=True)
    reach = _F.Nested(IssueReachOut, required=True, allow_none=True)
    lead = _F.Nested(PersonBriefOut, required=True, allow_none=True)
    co_handlers = _F.List(_F.Nested(PersonBriefOut), required=True)
    parts = _F.List(_F.Nested(PartOut), required=True)
    joint = _F.List(_F.Nested(CodedOut), required=True, metadata={"description": "The regions on the sides of a border."})
    department = _F.Nested(CodedOut, required=True, allow_none=True)
    routing = _F.Nested(RoutingOut, required=True)
    due_at = Moment(required=True, allow_none=True)
    due_rule = _F.Nested(DueRuleOut, required=True, allow_none=True)
    overdue = _F.Boolean(required=True)
    decision = _F.Nested(DecisionOut, required=True, allow_none=True, metadata={"description": "By when the office decides."})
    plan = _F.Nested(PlanOut, required=True, allow_none=True, metadata={"description": "By when the lead reports a plan, or when that was."})
    suspension = _F.Nested(SuspensionOut, required=True, allow_none=True,
                           metadata={"description": "Why no clock runs; null unless the state is `suspended`."})
    merged_into = _F.Nested(KinOut, required=True, allow_none=True, metadata={"description": "The original of a duplicate."})
    merged_at = Moment(required=True, allow_none=True)
    also_reported = _F.Integer(required=True, metadata={"description": "How many other reports are merged into this one."})
    followers = _F.Integer(required=True, metadata={
        "description": "How many citizens follow it or what is merged into it (\"me too\"). The public pages add these to the reports, as `also_reported`."})
    relapse_of = _F.Nested(KinOut, required=True, allow_none=True,
                           metadata={"description": "The closed issue whose trouble came back here."})
    relapsed_in = _F.Nested(KinOut, required=True, allow_none=True, metadata={
        "description": "Where the trouble came back after this one was closed, or the original of that: its cure did not hold."})
    photos = _F.List(_F.Nested(IssuePhotoOut), required=True)
    findings = _F.List(_F.Nested(FindingOut), required=True)
    allowed = _F.List(_F.String(), required=True, metadata={"example": ["start", "rectify"]})
    reporter = _F.Nested(PersonBriefOut, allow_none=True)
    dispatched_at = Moment(required=True, allow_none=True)
    rectified_at = Moment(required=True, allow_none=True)
    verified_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    returned_times = _F.Integer(required=True)
    reopened_times = _F.Integer(required=True)
    public_summary = _F.String(required=True, allow_none=True)
    patrol_id = _F.UUID(required=True, allow_none=True)
    check_in_id = _F.UUID(required=True, allow_none=True)
    version = _F.Integer(required=True)
    warnings = _F.List(_F.String(), metadata={
        "description": "In the answer to a merging: why the two may not be the same trouble; to a closing: that its citizen reads no result.",
        "example": ["两件相距520米，超过该类别的50米"]})


class NearbyIssueOut(IssueOut):
    distance_m = _F.Float(required=True)


class NamesOut(ma.Schema):
    zh = _F.String(required=True)
    en = _F.String(required=True)


class CategoryOut(ma.Schema):
    code = _F.String(required=True, metadata={"example": "A32"})
    parent = _F.String(required=True, allow_none=True)
    name = _F.String(required=True)
    names = _F.Nested(NamesOut, required=True)
    department = _F.Nested(CodedOut, required=True, allow_none=True)
    radius_m = _F.Integer(required=True)
    public = _F.Boolean(required=True)
    severity = _F.String(required=True)
    is_heading = _F.Boolean(required=True, metadata={"description": "A heading only groups others; no issue has it."})


class CountsOut(ma.Schema):
    counts = _F.Dict(keys=_F.String(), values=_F.Integer(), required=True)


class RoleListOut(ma.Schema):
    name = _F.String(required=True, metadata={"example": "mine_today"})
    title = _F.String(required=True, metadata={"example": "今日待办"})
    titles = _F.Nested(NamesOut, required=True)
    about = _F.String(required=True)
    count = _F.Integer(required=True)
    more = _F.Boolean(required=True, metadata={"description": "There are more; nobody counted further."})
    path = _F.String(required=True, metadata={"description": "What is read with `filter` as its query to get the rows.", "example": "/api/v1/issues"})
    filter = _F.String(required=True, metadata={"example": "list=mine_today"})


class PointOut(ma.Schema):
    type = _F.String(required=True, metadata={"example": "Point"})
    coordinates = _F.List(_F.Float(), required=True, metadata={"example": [119.80745, 29.60312]})


class IssueFeatureOut(ma.Schema):
    type = _F.String(required=True, metadata={"example": "Feature"})
    id = _F.UUID(required=True)
    geometry = _F.Nested(PointOut, required=True)
    properties = _F.Dict(required=True)


class IssueFeaturesOut(ma.Schema):
    type = _F.String(required=True, metadata={"example": "FeatureCollection"})
    features = _F.List(_F.Nested(IssueFeatureOut), required=True)

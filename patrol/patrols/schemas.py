"""The JSON shapes of patrols, check-ins and receipts."""

import marshmallow as ma

from patrol.foundation.clock import beginning_of_day, end_of_day
from patrol.foundation.moments import Moment, MomentOrDay
from patrol.foundation.paging import PageArgs
from patrol.foundation.patterns import Matches
from patrol.foundation.positions import PositionIn, PositionOut
from patrol.patrols.checklist import GROUPS, Answer
from patrol.patrols.checkpoint_schemas import CheckpointOut
from patrol.patrols.examination_models import NO_VERDICT
from patrol.patrols.finding_schemas import VERDICTS, ExaminationOut, FindingBriefOut
from patrol.patrols.integrity import RULE
from patrol.patrols.track_schemas import PauseOut
from patrol.people.schemas import PersonBriefOut
from patrol.waters.schemas import ReachBriefOut

MODES = ("walk", "boat", "vehicle", "drone")
_NOTE = ma.validate.Length(max=2000)


class NoticeOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={
        "description": "`clock_future` (the finding) or `far_from_reach`.", "example": "clock_future"})
    text = ma.fields.String(required=True, metadata={"example": "所记时间比服务器收到时晚约 365 天：…"})


class ReceiptOut(ma.Schema):
    accepted = ma.fields.Integer(required=True, metadata={"description": "New here, and durable."})
    duplicates = ma.fields.Integer(required=True, metadata={"description": "Were here already."})
    quarantined = ma.fields.List(ma.fields.Dict(), required=True, metadata={
        "description": "Photos whose id holds another's photo or other content; `index` counts the announced from 0.",
        "example": [{"index": 0, "photo_id": "0190b7a2-0000-7000-8000-000000000001", "reason": "…"}],
    })
    missing = ma.fields.List(ma.fields.UUID(), required=True, metadata={"description": "Photos announced, not arrived."})
    notices = ma.fields.List(ma.fields.Nested(NoticeOut), metadata={
        "description": "What to see to at once: it is recorded in the future, or far from the reach that it names. Left out when there is nothing."})


class DeviceDetails(ma.Schema):
    """What tells apart a fault of an app or a receiver from one of its bearer; all of it as the device says."""

    id = ma.fields.String(validate=ma.validate.Length(max=100), metadata={"example": "3f2a9c"})
    model = ma.fields.String(validate=ma.validate.Length(max=100), metadata={"example": "Redmi Note 12"})
    system = ma.fields.String(validate=ma.validate.Length(max=100), metadata={"example": "Android 14"})
    app = ma.fields.String(validate=ma.validate.Length(max=100), metadata={"example": "xunhe-pwa"})
    app_version = ma.fields.String(validate=ma.validate.Length(max=50), metadata={"example": "1.4.0"})
    receiver = ma.fields.String(validate=ma.validate.Length(max=100), metadata={
        "description": "An external receiver whose positions the device passes on."})


class PatrolIn(ma.Schema):
    reach_ids = ma.fields.List(ma.fields.UUID(), required=True, validate=ma.validate.Length(1, 50))
    mode = ma.fields.String(required=True, validate=ma.validate.OneOf(MODES))
    started_at = Moment(required=True)
    on_behalf_of = ma.fields.UUID(load_default=None, allow_none=True)
    device = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=200))
    device_details = ma.fields.Nested(DeviceDetails, load_default=None, allow_none=True)


class FinishIn(ma.Schema):
    ended_at = Moment(required=True)
    summary = ma.fields.String(load_default=None, allow_none=True, validate=_NOTE)
    reason = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 500), metadata={
        "description": "Why the end said before was wrong; with it If-Match.", "example": "手机时间错误，实际 10 点结束"})


class PatrolEndOut(ma.Schema):
    ended_at = Moment(required=True)
    summary = ma.fields.String(required=True, allow_none=True)
    reason = ma.fields.String(required=True, allow_none=True, metadata={"description": "Of a correction."})
    received_at = Moment(required=True)
    counts = ma.fields.Boolean(required=True, metadata={"description": "Whether it is the one in force."})


_PHOTO = '每张照片须为对象：{"id": "照片编号"}，可带 sha256。\x1fEach photo is an object: {"id": "…"}, with its sha256 where the phone knows it.'


class PhotoAnnouncedIn(ma.Schema):
    error_messages = {"type": _PHOTO}  # noqa: RUF012 - as marshmallow declares it, of the instance.

    id = ma.fields.UUID(required=True)
    sha256 = ma.fields.String(load_default=None, allow_none=True, validate=Matches(r"^[0-9a-f]{64}$"))


class CheckInFormIn(PositionIn):
    patrol_id = ma.fields.UUID(load_default=None, allow_none=True)
    reach_id = ma.fields.UUID(load_default=None, allow_none=True)
    recorded_at = Moment(required=True)
    sent_at = Moment(load_default=None, allow_none=True)
    checklist = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.OneOf(list(GROUPS))),
        values=ma.fields.String(validate=ma.validate.OneOf([answer.value for answer in Answer])),
        load_default=dict, metadata={"example": {"water": "normal", "surface": "abnormal"}},
    )
    note = ma.fields.String(load_default=None, allow_none=True, validate=_NOTE)


class CheckInIn(CheckInFormIn):
    photos = ma.fields.List(ma.fields.Nested(PhotoAnnouncedIn), load_default=list, validate=ma.validate.Length(max=20))


class CheckInNewFormIn(CheckInFormIn):
    id = ma.fields.UUID(load_default=None, allow_none=True)


class DelegationBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-11-01"})
    valid_to = ma.fields.Date(required=True, metadata={"example": "2026-11-30"})
    reason = ma.fields.String(required=True, metadata={"example": "外出培训"})


class PatrolOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    person = ma.fields.Nested(PersonBriefOut, required=True)
    on_behalf_of = ma.fields.UUID(required=True, allow_none=True)
    delegation = ma.fields.Nested(DelegationBriefOut, required=True, allow_none=True, metadata={
        "description": "By which somebody else's duty was done; null for one's own patrol."})
    reaches = ma.fields.List(ma.fields.Nested(ReachBriefOut), required=True)
    mode = ma.fields.String(required=True, metadata={"example": "walk"})
    device = ma.fields.String(required=True, allow_none=True)
    device_details = ma.fields.Nested(DeviceDetails, required=True, allow_none=True)
    started_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by = ma.fields.String(required=True, allow_none=True, metadata={
        "enum": ["person", "system", None], "description": "`system`: nobody ended it; `end_reason` says why it did."})
    end_reason = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "Why `ended_at` is not what the person said; null when it is."})
    summary = ma.fields.String(required=True, allow_none=True)
    received_at = Moment(required=True)
    verdict = ma.fields.String(allow_none=True, metadata={
        "description": "Of an ended patrol that was examined; in lists and details.", "example": "valid"})
    version = ma.fields.Integer(required=True)


class PatrolRowOut(PatrolOut):
    """A patrol in a list: what a reviewer goes by without opening each."""

    reasons = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "Of the verdict; none before the examination.", "example": ["河段至多覆盖 1750 米，距本判定要求的 60%（1873 米）还差 123 米"]})
    findings = ma.fields.List(ma.fields.Nested(FindingBriefOut), required=True, metadata={
        "description": "Of the latest examination, in the order of the rules; dismissed ones included."})


class CheckInPhotoOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    arrived = ma.fields.Boolean(required=True)
    thumb = ma.fields.String(required=True)
    screen = ma.fields.String(required=True)


class CheckInOut(PositionOut):
    id = ma.fields.UUID(required=True)
    patrol_id = ma.fields.UUID(required=True, allow_none=True)
    person = ma.fields.Nested(PersonBriefOut, required=True)
    reach = ma.fields.Nested(ReachBriefOut, required=True, allow_none=True)
    distance_m = ma.fields.Float(required=True, allow_none=True, metadata={"description": "From the reach."})
    recorded_at = Moment(required=True)
    received_at = Moment(required=True)
    checklist = ma.fields.Dict(required=True)
    note = ma.fields.String(required=True, allow_none=True)
    photos = ma.fields.List(ma.fields.Nested(CheckInPhotoOut), required=True)


class CheckInReceiptOut(CheckInOut):
    receipt = ma.fields.Nested(ReceiptOut, required=True)


class PatrolReceiptOut(PatrolOut):
    receipt = ma.fields.Nested(ReceiptOut, required=True)


class IssueBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    number = ma.fields.String(required=True)
    state = ma.fields.String(required=True)


class PatrolDetailOut(PatrolOut, ExaminationOut):
    pauses = ma.fields.List(ma.fields.Nested(PauseOut), required=True, metadata={
        "description": "In the order of time; with the cause `no_signal` the phone's marks of a lost signal."})
    ends = ma.fields.List(ma.fields.Nested(PatrolEndOut), required=True, metadata={
        "description": "Every end that the person said, corrections included; nothing is ever removed."})
    check_ins = ma.fields.List(ma.fields.Nested(CheckInOut), required=True, metadata={"description": "The latest 200."})
    check_ins_next = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "Cursor of the next ones, for `GET /check-ins?patrol=…`; null when these are all."})
    issues = ma.fields.List(ma.fields.Nested(IssueBriefOut), required=True)
    checkpoints = ma.fields.List(ma.fields.Nested(CheckpointOut), required=True, metadata={
        "description": "Places drawn for this patrol; none where the phone had got no seed for the day."})


class _WhenFilterArgs(ma.Schema):
    person = ma.fields.String(load_default=None, metadata={"description": "`me` or an id."})
    reach = ma.fields.UUID(load_default=None)
    region = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20))
    after = MomentOrDay(beginning_of_day, load_default=None, metadata={
        "description": "From this moment on; a plain local day counts from its beginning.", "example": "2026-11-01"})
    before = MomentOrDay(end_of_day, load_default=None, metadata={
        "description": "Before this moment; a plain local day counts to its end.", "example": "2026-11-30"})


class PatrolFilterArgs(_WhenFilterArgs):
    """What narrows a list of patrols; an export takes the same."""

    verdict = ma.fields.String(load_default=None, validate=ma.validate.OneOf((*VERDICTS, NO_VERDICT)), metadata={
        "description": "Of the latest examination; `none`: of those that go on or wait for the worker."})
    finding = ma.fields.String(load_default=None, validate=ma.validate.OneOf(tuple(RULE)), metadata={
        "description": "Code of a finding of the latest examination, dismissed ones included.", "example": "gap"})


class PatrolArgs(PageArgs, PatrolFilterArgs):
    pass


class CheckInArgs(PageArgs, _WhenFilterArgs):
    patrol = ma.fields.UUID(load_default=None)


class NamedOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    here = ma.fields.Boolean(required=True, metadata={"description": "The reporter's own has arrived; somebody else's under this id is not the one."})


class IssueOriginOut(ma.Schema):
    patrol = ma.fields.Nested(NamedOut, required=True, allow_none=True, metadata={"description": "null: the report names none."})
    check_in = ma.fields.Nested(NamedOut, required=True, allow_none=True, metadata={"description": "null: the report names none."})

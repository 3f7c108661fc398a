"""The JSON shapes of accounts, sign-ins and regions in short."""

import marshmallow as ma

from patrol.foundation.clock import beginning_of_day, last_moment_of_day
from patrol.foundation.moments import Moment, MomentOrDay
from patrol.foundation.paging import PageArgs
from patrol.foundation.patterns import Matches
from patrol.people.permissions import Role
from patrol.people.telephones import fault_of_phone

_USERNAME = ma.validate.And(
    ma.validate.Length(1, 64), Matches(r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$")
)


def _is_phone(text: str) -> None:
    if (fault := fault_of_phone(text)) is not None:
        raise ma.ValidationError(f"{fault.zh}\x1f{fault.en}")


_PHONE = ma.validate.And(ma.validate.Length(max=32), _is_phone)


class RegionBriefOut(ma.Schema):
    code = ma.fields.String(required=True, metadata={"example": "990100001"})
    name = ma.fields.String(required=True, metadata={"example": "柳岸镇"})
    level = ma.fields.String(required=True, metadata={"example": "township"})


class PersonBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True, metadata={"example": "王建国"})
    title = ma.fields.String(required=True, allow_none=True, metadata={"example": "镇级河长"})


class PersonOut(PersonBriefOut):
    username = ma.fields.String(required=True, metadata={"example": "wang.jianguo"})
    phone = ma.fields.String(required=True, allow_none=True)
    roles = ma.fields.List(ma.fields.String(), required=True, metadata={"example": ["chief"]})
    region = ma.fields.Nested(RegionBriefOut, required=True)
    department = ma.fields.String(required=True, allow_none=True)
    disabled_at = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    version = ma.fields.Integer(required=True)


class ChangedPersonOut(PersonOut):
    warnings = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "What the change leaves open: reaches for which nobody answers any more, or to which the account stays appointed without the role chief.",
        "example": ["“清溪上柳段”已没有河长：柳村长的账号已停用"]})


class PersonIn(ma.Schema):
    id = ma.fields.UUID()
    username = ma.fields.String(required=True, validate=_USERNAME)
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 100))
    roles = ma.fields.List(ma.fields.Enum(Role, by_value=True), required=True, validate=ma.validate.Length(min=1))
    region_code = ma.fields.String(required=True, validate=ma.validate.Length(1, 20))
    password = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=200), load_only=True)
    phone = ma.fields.String(load_default=None, allow_none=True, validate=_PHONE, metadata={"example": "13800000000"})
    title = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=100))
    department = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=40))


class PersonChangesIn(ma.Schema):
    name = ma.fields.String(validate=ma.validate.Length(1, 100))
    roles = ma.fields.List(ma.fields.Enum(Role, by_value=True), validate=ma.validate.Length(min=1))
    region_code = ma.fields.String(validate=ma.validate.Length(1, 20))
    password = ma.fields.String(validate=ma.validate.Length(max=200), load_only=True)
    phone = ma.fields.String(allow_none=True, validate=_PHONE, metadata={"example": "0572-6012345"})
    title = ma.fields.String(allow_none=True, validate=ma.validate.Length(max=100))
    department = ma.fields.String(allow_none=True, validate=ma.validate.Length(max=40))
    disabled = ma.fields.Boolean()


class PeopleArgs(PageArgs):
    region = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20))
    role = ma.fields.Enum(Role, by_value=True, load_default=None)
    q = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))


class LoginIn(ma.Schema):
    username = ma.fields.String(required=True, validate=ma.validate.Length(1, 64), metadata={"example": "chief"})
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 200), metadata={"example": "xunhe-demo"})
    device = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=200))


class RefreshIn(ma.Schema):
    refresh_token = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))


class TokenPairOut(ma.Schema):
    access_token = ma.fields.String(required=True)
    refresh_token = ma.fields.String(required=True)
    token_type = ma.fields.String(required=True, metadata={"example": "Bearer"})
    expires_in = ma.fields.Integer(required=True, metadata={"example": 1800, "description": "Seconds."})


class PasswordIn(ma.Schema):
    current_password = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    new_password = ma.fields.String(required=True, validate=ma.validate.Length(max=200))


class SignInOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    device = ma.fields.String(required=True, allow_none=True)
    started_at = Moment(required=True)
    refreshed_at = Moment(required=True)
    current = ma.fields.Boolean(required=True)


class SignInsOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SignInOut), required=True)


class ProfileReachOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    title = ma.fields.String(required=True, metadata={"example": "村级河长", "description": "The post in words."})


class ProfileOut(PersonOut):
    permissions = ma.fields.List(ma.fields.String(), required=True)
    reaches = ma.fields.List(ma.fields.Nested(ProfileReachOut), required=True)
    unread_messages = ma.fields.Integer(required=True)


class AuditArgs(PageArgs):
    act = ma.fields.String(load_default=None, validate=ma.validate.Length(max=60), metadata={"example": "reveal_reporter"})
    subject = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))
    after = MomentOrDay(beginning_of_day, load_default=None, metadata={
        "description": "At this moment or later; a plain local day counts from its beginning.", "example": "2026-11-01"})
    before = MomentOrDay(last_moment_of_day, load_default=None, metadata={
        "description": "At this moment or earlier; a plain local day counts to its end.", "example": "2026-11-30"})


class AuditEntryOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    at = Moment(required=True)
    actor = ma.fields.Nested(PersonBriefOut, required=True, allow_none=True, metadata={"description": "Null: the system."})
    act = ma.fields.String(required=True, metadata={"example": "reveal_reporter"})
    subject = ma.fields.String(required=True, metadata={"description": "What it was done to, mostly an id."})
    facts = ma.fields.Dict(required=True, metadata={"example": {"reason": "需向投诉人核实具体位置"}})

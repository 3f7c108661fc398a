"""The JSON shapes of the registers of waters."""

from typing import Any

import marshmallow as ma

from patrol.foundation.http import UploadedFile
from patrol.foundation.paging import PageArgs
from patrol.foundation.patterns import Matches
from patrol.foundation.positions import PositionIn
from patrol.people.schemas import PersonBriefOut, RegionBriefOut
from patrol.waters.import_columns import ImportKind
from patrol.waters.terms import BANKS, KINDS, LEVELS

# What one map window may hold: enough for a district, little enough for a phone.
DEFAULT_FEATURES, MOST_FEATURES = 1_000, 5_000
_BBOX = "min_longitude,min_latitude,max_longitude,max_latitude"


class BboxArgs(ma.Schema):
    bbox = ma.fields.String(load_default=None, validate=ma.validate.Length(max=200), metadata={
        "description": f"{_BBOX} in degrees.", "example": "119.7,29.5,119.9,29.7"})


class RegionFilter(ma.Schema):
    q = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))
    level = ma.fields.String(load_default=None, validate=ma.validate.OneOf(LEVELS))


class WaterBodyFilter(ma.Schema):
    q = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))
    kind = ma.fields.String(load_default=None, validate=ma.validate.OneOf(KINDS))


class ReachFilter(BboxArgs):
    region = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20), metadata={
        "description": "Code of a region: its subtree.", "example": "990100"})
    water_body = ma.fields.String(load_default=None, validate=ma.validate.Length(max=40), metadata={
        "description": "Code or id of a water body."})
    chief = ma.fields.String(load_default=None, validate=ma.validate.Length(max=36), metadata={
        "description": "`me` or a person's id: reaches to which they are appointed today.", "example": "me"})
    q = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))


class FeatureArgs(PageArgs):
    limit = ma.fields.Integer(load_default=DEFAULT_FEATURES, validate=ma.validate.Range(1, MOST_FEATURES))


class RegionArgs(PageArgs, RegionFilter): ...


class RegionFeatureArgs(FeatureArgs, RegionFilter): ...


class WaterBodyArgs(PageArgs, WaterBodyFilter): ...


class WaterBodyFeatureArgs(FeatureArgs, WaterBodyFilter): ...


class ReachArgs(PageArgs, ReachFilter): ...


class ReachFeatureArgs(FeatureArgs, ReachFilter): ...


class SignboardFilter(BboxArgs):
    reach = ma.fields.UUID(load_default=None)
    q = ma.fields.String(load_default=None, validate=ma.validate.Length(max=100))


class SignboardArgs(PageArgs, SignboardFilter): ...


class SignboardFeatureArgs(FeatureArgs, SignboardFilter): ...


class AppointmentArgs(PageArgs):
    on = ma.fields.Date(load_default=None, metadata={"description": "In force on this day.", "example": "2026-05-01"})
    reach = ma.fields.UUID(load_default=None)
    person = ma.fields.String(load_default=None, validate=ma.validate.Length(max=36), metadata={"description": "`me` or an id."})
    region = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20))


class RegionOut(RegionBriefOut):
    id = ma.fields.UUID(required=True)
    parent_code = ma.fields.String(required=True, allow_none=True, metadata={"example": "990100"})
    version = ma.fields.Integer(required=True)


class WaterBodyBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True, metadata={"example": "990100R01"})
    name = ma.fields.String(required=True, metadata={"example": "清溪"})
    kind = ma.fields.String(required=True, metadata={"example": "river", "enum": list(KINDS)})


class WaterBodyOut(WaterBodyBriefOut):
    target_class = ma.fields.String(required=True, allow_none=True, metadata={"example": "III"})
    version = ma.fields.Integer(required=True)


class ReachBriefOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True, metadata={"example": "990100R01-V03"})
    name = ma.fields.String(required=True, metadata={"example": "清溪柳岸村段"})


class ChiefOut(PersonBriefOut):
    post = ma.fields.String(required=True, metadata={"example": "chief", "description": "The appointment's title."})


class ReachOut(ReachBriefOut):
    level = ma.fields.String(required=True, metadata={"example": "village", "enum": list(LEVELS)})
    bank = ma.fields.String(required=True, metadata={"example": "both", "enum": list(BANKS)})
    tolerance_m = ma.fields.Float(required=True, allow_none=True, metadata={"example": 60.0})
    length_m = ma.fields.Float(required=True, metadata={"example": 1830.5})
    bbox = ma.fields.List(ma.fields.Float(), required=True, metadata={"description": _BBOX})
    region = ma.fields.Nested(RegionBriefOut, required=True)
    water_body = ma.fields.Nested(WaterBodyBriefOut, required=True)
    chiefs = ma.fields.List(ma.fields.Nested(ChiefOut), required=True, metadata={"description": "Today's, the principal first."})
    version = ma.fields.Integer(required=True)


class GapOut(ReachOut): ...


class SharedReachOut(ReachBriefOut):
    level = ma.fields.String(required=True)
    bank = ma.fields.String(required=True)
    region = ma.fields.Nested(RegionBriefOut, required=True)


class ConditionOut(ma.Schema):
    vacant = ma.fields.Boolean(required=True, metadata={"description": "Nobody is chief today."})
    boards = ma.fields.Integer(required=True)
    board_missing = ma.fields.Boolean(required=True)


class ReachDetailOut(ReachOut):
    geometry = ma.fields.Dict(required=True, metadata={"description": "A GeoJSON geometry (RFC 7946)."})
    shared_boundaries = ma.fields.List(ma.fields.Nested(SharedReachOut), required=True)
    condition = ma.fields.Nested(ConditionOut, required=True)


class FeatureOut(ma.Schema):
    type = ma.fields.Constant("Feature", required=True)
    id = ma.fields.String(required=True)
    geometry = ma.fields.Dict(required=True, allow_none=True)
    properties = ma.fields.Dict(required=True)


class FeatureCollectionOut(ma.Schema):
    """A GeoJSON document; `next` is the cursor of the next page."""

    type = ma.fields.Constant("FeatureCollection", required=True)
    features = ma.fields.List(ma.fields.Nested(FeatureOut), required=True)
    next = ma.fields.String(required=True, allow_none=True)


class AppointmentOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    reach = ma.fields.Nested(ReachBriefOut, required=True)
    person = ma.fields.Nested(PersonBriefOut, required=True)
    title = ma.fields.String(required=True, metadata={"example": "chief"})
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-01-01"})
    valid_to = ma.fields.Date(required=True, allow_none=True, metadata={"description": "The last day; null until further notice."})
    version = ma.fields.Integer(required=True)


class AppointmentDetailOut(AppointmentOut):
    warning = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "Who else is chief of the reach in these days. Several may be; mostly it is a successor without a hand-over."})


class _OfReachIn(ma.Schema):
    id = ma.fields.UUID()
    reach_id = ma.fields.UUID()
    reach_code = ma.fields.String(validate=ma.validate.Length(1, 40), metadata={"example": "990100R01-V03"})

    @ma.validates_schema
    def one_reach(self, data: dict[str, Any], **_: Any) -> None:
        if ("reach_id" in data) == ("reach_code" in data):
            raise ma.ValidationError("reach_id 与 reach_code 须填其中之一\x1fGive either reach_id or reach_code", "reach_id")


class AppointmentIn(_OfReachIn):
    person_id = ma.fields.UUID()
    username = ma.fields.String(validate=ma.validate.Length(1, 64), metadata={"example": "chief"})
    title = ma.fields.String(load_default="chief", validate=ma.validate.Length(1, 40))
    valid_from = ma.fields.Date(required=True, metadata={"example": "2026-01-01"})
    valid_to = ma.fields.Date(load_default=None, allow_none=True)

    @ma.validates_schema
    def one_person(self, data: dict[str, Any], **_: Any) -> None:
        if ("person_id" in data) == ("username" in data):
            raise ma.ValidationError("person_id 与 username 须填其中之一\x1fGive either person_id or username", "person_id")


class AppointmentChangesIn(ma.Schema):
    valid_to = ma.fields.Date(required=True, allow_none=True)


class HandOverIn(ma.Schema):
    to_person_id = ma.fields.UUID()
    username = ma.fields.String(validate=ma.validate.Length(1, 64), metadata={"example": "chief.town"})
    on = ma.fields.Date(required=True, metadata={"description": "The successor's first day.", "example": "2026-07-01"})

    @ma.validates_schema
    def one_successor(self, data: dict[str, Any], **_: Any) -> None:
        if ("to_person_id" in data) == ("username" in data):
            raise ma.ValidationError("to_person_id 与 username 须填其中之一\x1fGive either to_person_id or username", "to_person_id")


class SignboardIn(_OfReachIn, PositionIn):
    code = ma.fields.String(
        required=True, validate=[ma.validate.Length(1, 40), Matches(r"^[0-9A-Za-z._-]+$")], metadata={"example": "QX-0001"}
    )


class SignboardOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True, metadata={"example": "QX-0001"})
    reach = ma.fields.Nested(ReachBriefOut, required=True)
    latitude = ma.fields.Float(required=True)
    longitude = ma.fields.Float(required=True)
    distance_to_reach_m = ma.fields.Float(required=True, metadata={"example": 4.2})
    warning = ma.fields.String(required=True, allow_none=True, metadata={"description": "When it stands farther from its reach than routing tolerates."})
    version = ma.fields.Integer(required=True)


class ImportIn(ma.Schema):
    kind = ma.fields.Enum(ImportKind, by_value=True, required=True, metadata={"example": "reaches"})
    file = UploadedFile(required=True, metadata={"description": "CSV, XLSX or GeoJSON; its content decides which."})
    dry_run = ma.fields.Boolean(load_default=False, metadata={
        "description": "Write nothing, only report. The numbers are those of the rows without a fault."})


_ROW = "As the file shows it: in CSV and XLSX the headings are row 1 and the first data row is 2, empty rows count; the first feature of GeoJSON is 1."


class ImportFaultOut(ma.Schema):
    row = ma.fields.Integer(required=True, metadata={"description": _ROW})
    field = ma.fields.String(required=True)
    heading = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "The column as the file calls it, or would where it lacks it; null for what is of no column.", "example": "级别"})
    message = ma.fields.String(required=True)


class ImportChangeOut(ma.Schema):
    row = ma.fields.Integer(required=True, metadata={"description": _ROW})
    code = ma.fields.String(required=True)
    fields = ma.fields.List(ma.fields.String(), required=True)  # type: ignore[assignment]


class ImportReportOut(ma.Schema):
    created = ma.fields.Integer(required=True)
    updated = ma.fields.Integer(required=True)
    unchanged = ma.fields.Integer(required=True)
    errors = ma.fields.List(ma.fields.Nested(ImportFaultOut), required=True)
    more_errors = ma.fields.Integer(required=True, metadata={"description": "Further faults that `errors` leaves out."})
    changes = ma.fields.List(ma.fields.Nested(ImportChangeOut), required=True)
    more_changes = ma.fields.Integer(required=True)
    warnings = ma.fields.List(ma.fields.Nested(ImportFaultOut), required=True, metadata={"description": "To be looked at; no row is refused for it."})
    more_warnings = ma.fields.Integer(required=True)


class ImportProblemOut(ma.Schema):
    """The report of an import that wrote nothing; where the request itself is wrong, `errors` are lists by field."""

    type = ma.fields.String(required=True, metadata={"example": "urn:xunhe:problem:invalid"})
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True, metadata={"example": 422})
    detail = ma.fields.String(required=True)
    created = ma.fields.Integer()
    updated = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    errors = ma.fields.Raw()
    more_errors = ma.fields.Integer()
    changes = ma.fields.List(ma.fields.Nested(ImportChangeOut))
    more_changes = ma.fields.Integer()
    warnings = ma.fields.List(ma.fields.Nested(ImportFaultOut))
    more_warnings = ma.fields.Integer()

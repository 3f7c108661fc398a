"""The shapes of GeoReport v2: what a client asks and sends, under the standard's names, and what it is answered."""

from typing import Any

import marshmallow as ma

from patrol.foundation.moments import Moment
from patrol.issues.field_shapes import Several
from patrol.public.schemas import MOST_FILES

MOST_ROWS = 1000
_F, _length = ma.fields, ma.validate.Length
_WEB_ADDRESS = ma.validate.URL(schemes={"http", "https"}, require_tld=False)


class PlainArgs(ma.Schema):
    """What every call may bring: there is one jurisdiction, so that its id says nothing; a key is looked at where it counts."""

    class Meta:
        unknown = ma.RAISE

    jurisdiction_id = _F.String(load_default=None, metadata={"description": "One jurisdiction is served: ignored, as the standard allows."})
    api_key = _F.String(load_default=None, validate=_length(max=200), metadata={"description": "A partner system's key."})
    extensions = _F.String(load_default=None, metadata={"description": "Asks servers for more than the standard's fields: there are none."})


class PageArgs311(PlainArgs):
    start_date = Moment(load_default=None, metadata={"description": "With its zone; the range may not exceed 90 days."})
    end_date = Moment(load_default=None)
    page = _F.Integer(load_default=1, validate=ma.validate.Range(1, 1000))
    page_size = _F.Integer(load_default=MOST_ROWS, validate=ma.validate.Range(1, MOST_ROWS))


class RequestsArgs(PageArgs311):
    service_request_id = Several(_F.String(validate=_length(max=40)), load_default=(), validate=_length(max=MOST_ROWS), metadata={
        "description": "Comma list; overrides all other filters."})
    service_code = Several(_F.String(validate=_length(max=8)), load_default=(), metadata={"description": "Comma list."})
    status = Several(_F.String(validate=ma.validate.OneOf(("open", "closed"))), load_default=(), metadata={"description": "Comma list."})

    @ma.pre_load
    def _let_ids_override(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name not in _OVERRIDDEN} if data.get("service_request_id") else data


_OVERRIDDEN = frozenset({"service_code", "status", "start_date", "end_date"})
"""What counts for nothing beside `service_request_id`, and so is not looked at either."""


class ServiceRequestIn(ma.Schema):
    """A request sent by a client. What the standard lets a client add and this server does not know is passed over."""

    class Meta:
        unknown = ma.EXCLUDE

    api_key = _F.String(load_default=None, validate=_length(max=200), metadata={"description": "Or a solved `challenge`."})
    challenge = _F.String(load_default=None, validate=_length(max=4000), metadata={
        "description": "Without a key: the solved challenge of `GET /api/v1/public/challenge`."})
    service_code = _F.String(required=True, validate=_length(1, 8), metadata={"example": "C1"})
    latitude = _F.Float(data_key="lat", load_default=None, validate=ma.validate.Range(-90, 90), metadata={"example": 29.60312})
    longitude = _F.Float(data_key="long", load_default=None, validate=ma.validate.Range(-180, 180), metadata={"example": 119.80745})
    address_id = _F.String(load_default=None, validate=_length(max=40), metadata={"description": "The code on a signboard.", "example": "QX-0001"})
    address_string = _F.String(load_default=None, validate=_length(max=500), metadata={
        "description": "Without a position it must contain the name of one reach."})
    description = _F.String(load_default=None, validate=_length(max=4000), metadata={"example": "桥下漂着一大片垃圾"})
    attributes = _F.Dict(keys=_F.String(), values=_F.List(_F.String()), load_default=dict, metadata={
        "description": "Sent as `attribute[CODE]` and `attribute[CODE][]`."})
    first_name = _F.String(load_default="", validate=_length(max=50))
    last_name = _F.String(load_default="", validate=_length(max=50))
    phone = _F.String(load_default="", validate=_length(max=40))
    email = _F.Email(load_default=None, validate=_length(max=200))
    media_url = _F.List(_F.String(validate=ma.validate.And(_length(max=500), _WEB_ADDRESS)), load_default=list, validate=_length(max=MOST_FILES))
    account_id = _F.String(load_default=None, validate=_length(max=100), metadata={"description": "Answered as it came; not kept."})
    photo_files = _F.List(_F.Raw(), load_default=list, validate=_length(max=MOST_FILES), metadata={
        "description": "Files of a multipart form, under `media`, `media[]`, `photos`, `photo1` …"})


class UpdateIn(ma.Schema):
    """mySociety's extension: what a partner's user said of a request. Names are not kept."""

    class Meta:
        unknown = ma.EXCLUDE

    api_key = _F.String(load_default=None, validate=_length(max=200))
    service_request_id = _F.String(required=True, validate=_length(1, 40), metadata={"example": "XH0000123"})
    update_id = _F.String(required=True, validate=_length(1, 100), metadata={"example": "4711"})
    status = _F.String(load_default="", validate=_length(max=40), metadata={"example": "OPEN"})
    updated_datetime = Moment(load_default=None)
    description = _F.String(load_default="", validate=_length(max=3500))
    media_url = _F.List(_F.String(validate=ma.validate.And(_length(max=500), _WEB_ADDRESS)), load_default=list, validate=_length(max=MOST_FILES))


class FormatOut(ma.Schema):
    specification = _F.String(required=True, metadata={"example": "http://wiki.open311.org/GeoReport_v2"})
    url = _F.String(required=True, metadata={"example": "https://river.example.org/open311/v2"})
    changeset = _F.String(required=True, metadata={"example": "2026-11-26T00:00:00+08:00"})
    type = _F.String(required=True, metadata={"example": "production"})
    formats = _F.List(_F.String(), required=True)


class DiscoveryOut(ma.Schema):
    changeset = _F.String(required=True, metadata={"example": "2026-11-26T00:00:00+08:00"})
    contact = _F.String(required=True)
    key_service = _F.String(required=True)
    endpoints = _F.List(_F.Nested(FormatOut), required=True)


class ServiceOut(ma.Schema):
    service_code = _F.String(required=True, metadata={"example": "C1"})
    service_name = _F.String(required=True, metadata={"example": "水面漂浮物"})
    description = _F.String(required=True)
    metadata = _F.Boolean(required=True)
    type = _F.String(required=True, metadata={"example": "realtime"})
    keywords = _F.String(required=True)
    group = _F.String(required=True, metadata={"example": "保洁"})


class ValueOut(ma.Schema):
    key = _F.String(required=True, metadata={"example": "household"})
    name = _F.String(required=True)


class AttributeOut(ma.Schema):
    variable = _F.Boolean(required=True)
    code = _F.String(required=True, metadata={"example": "waste"})
    datatype = _F.String(required=True, metadata={"example": "multivaluelist"})
    required = _F.Boolean(required=True)
    datatype_description = _F.String(required=True, allow_none=True)
    order = _F.Integer(required=True)
    description = _F.String(required=True)
    values = _F.List(_F.Nested(ValueOut), required=True)


class DefinitionOut(ma.Schema):
    service_code = _F.String(required=True, metadata={"example": "A31"})
    attributes = _F.List(_F.Nested(AttributeOut), required=True)


class ReceiptOut311(ma.Schema):
    service_request_id = _F.String(metadata={"example": "XH0000123", "description": "Or `token`, never both."})
    token = _F.String(metadata={"description": "For services whose requests are not shown: the tracking code."})
    service_notice = _F.String(required=True)
    account_id = _F.String(required=True, allow_none=True)


class TokenOut(ma.Schema):
    service_request_id = _F.String(metadata={"example": "XH0000123"})
    token = _F.String(required=True, metadata={"example": "7K3D-0V9M-W2QH-5TXA"})


class ServiceRequestOut(ma.Schema):
    service_request_id = _F.String(required=True, metadata={"example": "XH0000123"})
    status = _F.String(required=True, metadata={"example": "open"})
    status_notes = _F.String(required=True)
    service_name = _F.String(required=True, metadata={"example": "水面漂浮物"})
    service_code = _F.String(required=True, metadata={"example": "C1"})
    description = _F.String(required=True, metadata={"description": "What and where in our words; a partner reads its own requests' text."})
    agency_responsible = _F.String(required=True)
    service_notice = _F.String(required=True, allow_none=True)
    requested_datetime = _F.String(required=True, metadata={"example": "2026-05-01T08:30:00+08:00"})
    updated_datetime = _F.String(required=True)
    expected_datetime = _F.String(required=True, allow_none=True)
    address = _F.String(required=True, allow_none=True)
    address_id = _F.String(required=True, allow_none=True)
    zipcode = _F.String(required=True, allow_none=True)
    lat = _F.Float(required=True)
    long = _F.Float(required=True)
    media_url = _F.String(required=True, allow_none=True)


class UpdateOut(ma.Schema):
    update_id = _F.String(required=True)
    service_request_id = _F.String(required=True, metadata={"example": "XH0000123"})
    status = _F.String(required=True, metadata={"example": "in_progress"})
    updated_datetime = _F.String(required=True)
    description = _F.String(required=True)
    media_url = _F.String(required=True, allow_none=True)
    external_status_code = _F.String(required=True, metadata={"example": "rectified"})


class UpdateReceiptOut(ma.Schema):
    update_id = _F.String(required=True)

"""Other people's apps over HTTP: registering devices, OsmAnd's and Traccar's form, OwnTracks, and GPX files.

Point streams are answered 2xx whatever a single point is like: a refusal for good would stay at the head of the phone's
queue and block what comes behind. Only an unknown key is refused.
"""

import hashlib
from collections import Counter
from typing import Any
from uuid import UUID

import marshmallow as ma
import structlog
from flask import Response, request

from patrol.foundation.errors import BadRequest, Invalid, UnsupportedKind
from patrol.foundation.geometry import Datum
from patrol.foundation.http import expected_version, refuse_stale, set_etag
from patrol.foundation.json_safety import LARGEST_JSON_BYTES, body_up_to, parse_json
from patrol.foundation.moments import Moment
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.texts import Text
from patrol.patrols import device_actions as actions
from patrol.patrols.api import room
from patrol.patrols.device_protocols import SPEED_UNITS, osmand_point, owntracks_points, traccar_key, traccar_points
from patrol.patrols.gpx import LARGEST_BYTES, gpx_points
from patrol.patrols.receipts import track_receipt
from patrol.patrols.track import Source
from patrol.patrols.track_queries import patrol_to_add_to
from patrol.patrols.track_schemas import QuarantinedOut, TrackReceiptOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

log = structlog.get_logger()
_GPX_KINDS = {"application/gpx+xml", "application/xml", "text/xml", "application/octet-stream"}
_NOT_GPX = Text("请以 multipart/form-data 的 file 或 application/gpx+xml 发送", "Send it as `file` of a form, or as application/gpx+xml")
_NO_FILE = Text("缺少文件 file", "The file is missing")
# A receipt names this many of a file's points that cannot be used; the counts are of all.
_MOST_NAMED = 200


class DeviceIn(ma.Schema):
    id = ma.fields.UUID(load_default=None, allow_none=True)
    label = ma.fields.String(required=True, validate=ma.validate.Length(1, 100), metadata={"example": "手机上的 OsmAnd"})
    speed_unit = ma.fields.String(load_default="mps", validate=ma.validate.OneOf(list(SPEED_UNITS)), metadata={
        "description": "Of OsmAnd's form: OsmAnd and GPSLogger send `mps`, Traccar's older client `knots`.", "example": "mps"})


class DeviceChangesIn(ma.Schema):
    is_receiver = ma.fields.Boolean(required=True)


class DeviceOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    label = ma.fields.String(required=True)
    speed_unit = ma.fields.String(required=True, metadata={"example": "mps"})
    is_receiver = ma.fields.Boolean(required=True)
    created_at = Moment(required=True)
    last_heard_at = Moment(required=True, allow_none=True)
    refused = ma.fields.Dict(required=True, metadata={
        "description": "What it sent and could not be kept, by reason.", "example": {"outside_patrol": 12}})


class NewDeviceOut(DeviceOut):
    key = ma.fields.String(metadata={"description": "The device's key, shown this once: `id` of OsmAnd's form, OwnTracks' password."})


class FileReceiptOut(TrackReceiptOut):
    quarantined = ma.fields.List(ma.fields.Nested(QuarantinedOut), required=True, metadata={
        "description": f"The first {_MOST_NAMED}; `put_aside` counts all."})
    put_aside = ma.fields.Dict(required=True, metadata={"description": "How many points could not be used, by code.", "example": {"no_time": 358}})


@room.route("/devices", may=P.PATROL)
@room.arguments(PageArgs, location="query")
@room.response(200, page_schema(DeviceOut))
def list_devices(args: dict[str, Any]) -> Page[Any]:
    """List one's devices of other makes, the latest first, and what could not be kept of what they sent."""
    return actions.list_own_devices(current_actor(), **args)


@room.route("/devices", may=P.PATROL, methods=("POST",), refuses=(409,))
@room.body(DeviceIn)
@room.response(201, NewDeviceOut)
@room.alt_response(200, schema=NewDeviceOut, description="It was registered already; the key is not shown again", success=True)
def add_device(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Register a device of one's own; the answer shows its key, once."""
    device, key = actions.add_device(by=current_actor(), **data)
    shown = {name: getattr(device, name) for name in DeviceOut().fields}
    return ({**shown, "key": key}, 201) if key else (shown, 200)


@room.route("/devices/<uuid:device_id>", may=P.PATROL, methods=("DELETE",))
@room.response(204)
def revoke_device(device_id: UUID) -> None:
    """Take a device's key away, at once."""
    actor = current_actor()
    actions.revoke_device(actions.own_device(actor, device_id), by=actor)


@room.route("/devices/<uuid:device_id>", may=P.MANAGE_DUTIES, methods=("PATCH",), if_match=True)
@room.body(DeviceChangesIn)
@room.response(200, DeviceOut)
def change_device(data: dict[str, Any], device_id: UUID) -> Any:
    """Say that a device of somebody in one's area is an external receiver, whose positions phones report as made up."""
    expected, actor = expected_version(), current_actor()
    device = actions.device_in_area(actor, device_id)
    refuse_stale(expected, device.version)
    actions.mark_receiver(device, by=actor, is_receiver=data["is_receiver"])
    set_etag(device.version)
    return device


@room.route("/ingest/osmand", may=None, refuses=(401,), writes=True)
@room.response(200, {"type": "string"}, content_type="text/plain")
def ingest_query() -> Response:
    """Take a position of OsmAnd, GPSLogger or Traccar Client as a query; always an empty 200."""
    return _keep_osmand(b"")


@room.route("/ingest/osmand", may=None, methods=("POST",), refuses=(401, 413))
@room.response(200, {"type": "string"}, content_type="text/plain")
def ingest_osmand() -> Response:
    """Take a position of OsmAnd, GPSLogger or Traccar Client as query, form or JSON; an empty 200, unreadable ones too."""
    return _keep_osmand(body_up_to(LARGEST_JSON_BYTES))


def _keep_osmand(body: bytes) -> Response:
    if body.lstrip()[:1] == b"{":
        _keep_traccar(body)
    else:
        values = request.values
        device, actor = actions.device_with_key(values.get("id") or values.get("deviceid"))
        point = osmand_point(values, speed_unit=device.speed_unit)
        actions.keep_from_device(device, [point], by=actor, source=Source.OSMAND, units={"speed": device.speed_unit})
    return Response("", mimetype="text/plain")


def _keep_traccar(body: bytes) -> None:
    """Keep what a message says. One that cannot be read is counted on its device, else it is only in the log.

    Traccar Client sends its oldest position until it is answered 2xx: what is refused for good stays at the head for ever.
    """
    try:
        key, points = traccar_points(parse_json(body))
    except (BadRequest, Invalid):
        key, points = traccar_key(body), []
        if key is None and "id" not in request.args and "deviceid" not in request.args:
            log.warning("unreadable_message_of_no_device", bytes=len(body))
            return
    device, actor = actions.device_with_key(key or request.args.get("id") or request.args.get("deviceid"))
    actions.keep_from_device(device, points, by=actor, source=Source.TRACCAR, unreadable=None if points else "unreadable")


@room.route("/ingest/owntracks", may=None, methods=("POST",), refuses=(401, 413))
@room.response(200, {"type": "array", "items": {}})
def ingest_owntracks() -> Response:
    """Take messages of OwnTracks' HTTP mode; the password is the device's key. The answer is an empty list."""
    device, actor = actions.device_with_key(request.authorization.password if request.authorization else None)
    try:
        points, reason = owntracks_points(parse_json(body)) if (body := body_up_to(LARGEST_JSON_BYTES)) else ([], None)
    except (BadRequest, Invalid):
        points, reason = [], "unreadable"
    actions.keep_from_device(device, points, by=actor, source=Source.OWNTRACKS, unreadable=reason, units={"speed": "kmh"})
    return Response("[]", mimetype="application/json")


@room.route("/patrols/<uuid:patrol_id>/gpx", may=P.PATROL, methods=("POST",), refuses=(400, 409, 413, 415, 422))
@room.doc(requestBody={"required": True, "content": {
    "multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": {
        "file": {"type": "string", "format": "binary"}, "datum": {"type": "string", "enum": [each.value for each in Datum]}}}},
    "application/gpx+xml": {"schema": {"type": "string", "format": "binary"}},
}})
@room.response(200, FileReceiptOut)
def add_gpx(patrol_id: UUID) -> dict[str, Any]:
    """Add the tracks of a GPX file to one's patrol. Points that came live already are duplicates; without time they prove nothing."""
    actor = current_actor()
    patrol = patrol_to_add_to(actor, patrol_id)
    content, datum = _gpx_sent()
    kept = actions.keep_file(patrol, gpx_points(content), by=actor, datum=datum, digest=hashlib.sha256(content).hexdigest() + datum)
    receipts = [(track_receipt(batch, is_new), start) for batch, is_new, start in kept]
    aside = [{**row, "index": row["index"] + start} for receipt, start in receipts for row in receipt["quarantined"]]
    totals = {name: sum(receipt[name] for receipt, _ in receipts) for name in ("accepted", "duplicates")}
    return {**totals, "quarantined": aside[:_MOST_NAMED], "put_aside": Counter(row["code"] for row in aside), "missing": []}


def _gpx_sent() -> tuple[bytes, Datum]:
    if request.mimetype == "multipart/form-data":
        file, said = request.files.get("file"), request.form.get("datum", Datum.WGS84.value)
        if file is None:
            raise Invalid(_NO_FILE, errors={"file": [_NO_FILE]})
        content = file.stream.read(LARGEST_BYTES + 1)
    elif request.mimetype in _GPX_KINDS:
        content, said = body_up_to(LARGEST_BYTES), request.args.get("datum", Datum.WGS84.value)
    else:
        raise UnsupportedKind(_NOT_GPX)
    if said not in set(Datum):
        fault = Text("坐标系应为 wgs84、gcj02 或 bd09", "The datum is wgs84, gcj02 or bd09")
        raise Invalid(fault, errors={"datum": [fault]})
    return content, Datum(said)

"""A service request at the HTTP door: the forms that clients send become the complaint that the public API takes."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from flask import current_app, request

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotAllowed
from patrol.foundation.geometry import Datum, from_wkb
from patrol.foundation.same_content import content_digest
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.public import open311_actions, open311_queries
from patrol.public.models import Complaint, PartnerKey
from patrol.public.open311_room import sent_values
from patrol.public.open311_services import lines_of, service_with_code
from patrol.public.reception import digests_of, receive_complaint

_ATTRIBUTE = re.compile(r"attribute\[([^\]]*)\](\[\d*\])?")
_LONGEST = 4000
RETRIED_FOR = timedelta(hours=1)
"""How long a client that read no answer sends the same again; the slowest known one tries every half hour."""
_NO_KEY = Text(
    "请提供 api_key，或附上已求解的 challenge（GET /api/v1/public/challenge）",
    "Send an api_key, or a solved challenge (GET /api/v1/public/challenge)",
)
_UNPLACED = Text(
    "请给出 lat 和 long，或公示牌编号 address_id，或写明河段名称的 address_string",
    "Send lat and long, or address_id (the code of a signboard), or an address_string that names a reach",
)
_TOO_LONG = Text("说明连同附加项不得超过 4000 字", "The description with its attributes may have 4000 letters at most")


def sent_request() -> dict[str, Any]:
    """Return what a client sent, with attributes gathered from `attribute[CODE]` and files from whatever field they are in."""
    values: dict[str, Any] = {}
    attributes: dict[str, list[str]] = {}
    for name, texts in sent_values().items():
        if match := _ATTRIBUTE.fullmatch(name):
            attributes.setdefault(match[1], []).extend(texts)
        else:
            values[name.removesuffix("[]")] = texts
    files = [file for name in request.files for file in request.files.getlist(name) if file.filename or file.content_length]
    return {**values, "attributes": attributes, "photo_files": files}


def receive_request(data: dict[str, Any]) -> tuple[Complaint, Issue]:
    """Keep a service request as loaded from `ServiceRequestIn`; return the complaint that it is, and its issue.

    A partner's key stands for the proof of work. The same content from the same partner within `RETRIED_FOR` is one
    request while that is open: the standard knows no ids made by clients, and some send again until they have read an
    answer. Later, or after it has ended, the same words are about something new.
    Raises NotFound (404) for an unknown service, NotAllowed (403) without a key or proof, Invalid (422) for the rest.
    """
    settings: Settings = current_app.extensions["settings"]
    category = service_with_code(data["service_code"])
    partner = open311_queries.partner_with_key(data["api_key"])
    # The standard asks for a key; what stands for one is a proof, and nothing does where no proof is asked of anybody.
    if partner is None and not (data["challenge"] and settings.challenge_cost):
        raise NotAllowed(_NO_KEY)
    text = _text_of(data, category.name.zh)
    place = _place_of(data)
    # What was read so far holds the database; storing photos is slow.
    db.session.rollback()
    contact = {
        "name": f"{data['last_name']} {data['first_name']}".strip(), "phone": data["phone"], "email": data["email"] or "",
    }  # fmt: skip
    complaint, issue, is_new = receive_complaint({
        "category": category.code, "description": text, **place, "datum": Datum.WGS84, "accuracy_m": None, "recorded_at": None,
        "id": _id_of(data, partner) if partner else None, "contact": contact, "challenge": data["challenge"],
        "photo_files": data["photo_files"],
    }, trusted=partner is not None)  # fmt: skip
    if partner is not None and is_new:
        open311_actions.note_partner(complaint, partner)
    return complaint, issue


def _id_of(data: dict[str, Any], partner: PartnerKey) -> UUID:
    """Return the id of the open request that this repeats, else one that is free.

    It follows from content and time, so that of two who send the same at once only one makes a request.
    """
    said = {name: value for name, value in data.items() if name not in {"api_key", "photo_files"}}
    digest, now = content_digest({**said, "photos": digests_of(data["photo_files"])}), clock.now()
    this_hour = int(now.timestamp() // RETRIED_FOR.total_seconds())
    for hour in (this_hour - 1, this_hour):
        free = uuid5(partner.id, f"{hour}\0{digest}")
        while (known := open311_queries.request_under(free)) is not None:
            received_at, is_open = known
            if is_open and received_at > now - RETRIED_FOR:
                return free
            free = uuid5(free, "again")
    return free


def _text_of(data: dict[str, Any], name: str) -> str:
    """Return what handlers read: the description, the answers to attributes, the address, and where photos lie elsewhere."""
    lines = [data["description"] or name, *lines_of(data["service_code"], data["attributes"])]
    if data["address_string"]:
        lines.append(f"地址：{data['address_string']}")
    lines += [f"照片：{address}" for address in data["media_url"]]
    text = "\n".join(lines)
    if len(text) > _LONGEST:
        raise Invalid(_TOO_LONG, errors={"description": [_TOO_LONG]})
    return text


def _place_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return position and board of a request; an address without both must name a reach, whose middle it then is."""
    place = {"latitude": data["latitude"], "longitude": data["longitude"], "board_code": data["address_id"]}
    if data["latitude"] is not None and data["longitude"] is not None:
        # A partner's own address id says nothing beside a position.
        return {**place, "board_code": None}
    if data["latitude"] is None and data["longitude"] is None and data["address_id"] is None:
        reach = open311_queries.reach_named_in(data["address_string"]) if data["address_string"] else None
        if reach is None:
            raise Invalid(_UNPLACED, errors={"lat": [_UNPLACED]})
        shape = from_wkb(reach.geometry)
        middle = shape.representative_point() if shape.geom_type.endswith("Polygon") else shape.interpolate(0.5, normalized=True)
        return {**place, "latitude": middle.y, "longitude": middle.x}
    return place

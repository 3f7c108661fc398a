"""What other people's apps send, read into points of our own: SI units, nothing guessed, nothing refused for one bad point. Pure.

OsmAnd's and Traccar's form (query or form fields), Traccar Client's JSON (version 9 on), OwnTracks' HTTP mode. Each
reader returns points for `read_fixes`; what it cannot read at all it leaves out of the point, and `read_fixes` says why
such a point is useless.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from patrol.foundation.numbers import number_in

KNOT_MPS, KMH_MPS = 1852 / 3600, 1 / 3.6
SPEED_UNITS = {"mps": 1.0, "knots": KNOT_MPS, "kmh": KMH_MPS}
# Below this an epoch counts seconds, from it on milliseconds: as Traccar's server decides.
_FIRST_MILLISECONDS = 2**31
_TRUE, _FALSE = {"true", "1"}, {"false", "0"}

# As `traccar_points` reads it, in bytes that are no JSON; keys are letters, digits, - and _.
_DEVICE_ID = re.compile(rb'"device_id"\s*:\s*"([0-9A-Za-z_-]{1,200})"')

Point = dict[str, Any]


def osmand_point(values: Mapping[str, str], *, speed_unit: str) -> Point:
    """Return the point in the fields of OsmAnd's form; `speed_unit` is the device's, since apps differ on one address.

    `timestamp` may be an epoch in seconds or milliseconds, or ISO 8601; a time without a zone stays one, which
    `read_fixes` puts aside: the server's own zone would be a guess.
    """
    speed = _number(values.get("speed"))
    # Traccar's own form has both in one field, too.
    latitude, _, longitude = values.get("location", "").partition(",")
    point: Point = {
        "recorded_at": _epoch_or_iso(values.get("timestamp")), "latitude": _number(values.get("lat", latitude)),
        "longitude": _number(values.get("lon", longitude)), "accuracy_m": _number(values.get("accuracy")),
        "altitude_m": _number(values.get("altitude")), "bearing_deg": _number(values.get("bearing") or values.get("heading")),
        "speed_mps": speed * SPEED_UNITS[speed_unit] if isinstance(speed, float) else speed, "mock": _flag(values.get("mock")),
    }  # fmt: skip
    return {name: value for name, value in point.items() if value is not None}


def traccar_points(body: Any) -> tuple[str | None, list[Point]]:
    """Return the device's key and the points in the JSON of Traccar Client 9 and later; speeds are metres a second.

    `location` is one or several; -1 means unknown, which `read_fixes` knows of negative measures.
    """
    if not isinstance(body, dict):
        return None, []
    key, found = body.get("device_id"), body.get("location")
    rows = found if isinstance(found, list) else [found]
    return (key if isinstance(key, str) else None), [_traccar_point(row) for row in rows if isinstance(row, dict)]


def traccar_key(body: bytes) -> str | None:
    """Return the device's key in a message of Traccar Client that is no readable JSON, None where it cannot be found."""
    found = _DEVICE_ID.search(body)
    return found[1].decode("ascii") if found else None


def _traccar_point(row: Mapping[str, Any]) -> Point:
    coords = row.get("coords")
    coords = coords if isinstance(coords, dict) else {}
    point: Point = {
        "recorded_at": _epoch_or_iso(row.get("timestamp")), "latitude": coords.get("latitude"), "longitude": coords.get("longitude"),
        "accuracy_m": coords.get("accuracy"), "altitude_m": coords.get("altitude"), "speed_mps": coords.get("speed"),
        "bearing_deg": coords.get("heading"), "mock": row.get("mock") if isinstance(row.get("mock"), bool) else None,
    }  # fmt: skip
    return {name: value for name, value in point.items() if value is not None}


def owntracks_points(body: Any) -> tuple[list[Point], str | None]:
    """Return the points of one OwnTracks message or a list of them, and a reason when something in it cannot be read.

    Only `location` is a point; transitions, waypoints, status and the like are answered and hold none. `vel` is in
    kilometres an hour. An encrypted message stays closed to us, and the reason says so.
    """
    points: list[Point] = []
    reason = None
    for message in body if isinstance(body, list) else [body]:
        kind = message.get("_type") if isinstance(message, dict) else None
        if kind == "location":
            velocity = message.get("vel")
            moving = isinstance(velocity, int | float) and not isinstance(velocity, bool) and velocity >= 0
            point: Point = {
                "recorded_at": _epoch_or_iso(message.get("tst")), "latitude": message.get("lat"), "longitude": message.get("lon"),
                "accuracy_m": message.get("acc"), "altitude_m": message.get("alt"), "bearing_deg": message.get("cog"),
                "speed_mps": velocity * KMH_MPS if moving else None,
            }  # fmt: skip
            points.append({name: value for name, value in point.items() if value is not None})
        elif kind == "encrypted":
            reason = "encrypted"
        elif not isinstance(kind, str):
            reason = reason or "unreadable"
    return points, reason


def _number(text: str | None) -> float | str | None:
    """Return a field's number; what is none stays the text that it was, which is then put aside as no number."""
    if text is None or not text.strip():
        return None
    try:
        return number_in(text)
    except ValueError:
        return text


def _flag(text: str | None) -> bool | None:
    return True if text in _TRUE else False if text in _FALSE else None


def _epoch_or_iso(value: Any) -> datetime | str | None:
    if isinstance(value, str):
        text = value.strip()
        try:
            value = number_in(text)
        except ValueError:
            return text or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value if abs(value) < _FIRST_MILLISECONDS else value / 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        # Infinite, no number, or beyond the calendar.
        return None

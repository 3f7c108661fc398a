"""What a camera wrote about a photo (Exif 2.32, CIPA DC-008): when, where, how it was held, with what.

These are claims of a device, stored beside the photo and compared with other facts later; nothing here is trusted, and
rubbish is simply absent. The reader is our own because it must be quiet and bounded: Pillow's gives up at the first
broken entry, and warns once for each, which is thousands of log lines for one hostile photo.
"""

import math
import re
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_EXIF_BYTES = 256 * 1024
MOST_ENTRIES = 512
MOST_VALUE_BYTES = 1_024
MOST_TEXT_LENGTH = 64

Value = bytes | tuple[float, ...]
Entries = dict[int, Value]

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _ORIENTATION, _SOFTWARE = 0x010F, 0x0110, 0x0112, 0x0131
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_LATITUDE, _LONGITUDE, _GPS_TIME, _GPS_DATE, _GPS_ERROR = 2, 4, 7, 29, 31
# Type number: bytes of one, letter of `struct`. Rationals are two numbers; 129 is the UTF-8 text of Exif 3.0.
_TYPES = {1: (1, ""), 2: (1, ""), 3: (2, "H"), 4: (4, "I"), 5: (8, "II"), 7: (1, ""), 9: (4, "i"), 10: (8, "ii"),
          129: (1, "")}
_MOMENT = re.compile(r"(\d{4})[:\-/](\d\d)[:\-/](\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_DAY = re.compile(r"(\d{4})[:\-/](\d\d)[:\-/](\d\d)", re.ASCII)
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d|Z")


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """A device's claims about one photo; whatever is missing or makes no sense is None."""

    taken_local: str | None = None
    """Wall-clock time at the camera, `2026-05-01T08:30:00`, in a zone that only `taken_offset` names."""
    taken_offset: str | None = None
    gps_at: datetime | None = None
    """The satellites' time of the fix, aware, in UTC, to the millisecond."""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    orientation: int | None = None
    """1 to 8: how the stored pixels must be turned to stand upright."""
    camera_make: str | None = None
    camera_model: str | None = None
    software: str | None = None


def read_facts(exif: bytes | None) -> PhotoFacts:
    """Read the facts from an Exif block, with or without the heading that it has in a JPEG. Never raises."""
    tiff = (exif or b"")[:MOST_EXIF_BYTES].removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return PhotoFacts()
    main = _entries(tiff, order, struct.unpack_from(order + "I", tiff, 4)[0])
    photo = _entries(tiff, order, _pointer(main, _EXIF_IFD))
    gps = _entries(tiff, order, _pointer(main, _GPS_IFD))
    latitude, longitude = _position(gps)
    return PhotoFacts(
        taken_local=_moment(photo.get(_TAKEN)),
        taken_offset=_offset(photo.get(_TAKEN_OFFSET)),
        gps_at=_gps_moment(gps),
        latitude=latitude, longitude=longitude,
        accuracy_m=_number(gps.get(_GPS_ERROR), lambda value: 0 < value <= 1_000_000),
        orientation=_orientation(main.get(_ORIENTATION)),
        camera_make=_text(main.get(_MAKE)), camera_model=_text(main.get(_MODEL)), software=_text(main.get(_SOFTWARE)),
    )


def _entries(tiff: bytes, order: str, start: int) -> Entries:
    """The readable entries of one directory (TIFF 6.0, section 2); the first of a tag counts."""
    found: Entries = {}
    if not 8 <= start <= len(tiff) - 2:
        return found
    count = struct.unpack_from(order + "H", tiff, start)[0]
    for at in range(start + 2, start + 2 + 12 * min(count, MOST_ENTRIES), 12):
        if at + 12 > len(tiff):
            break
        tag, kind, length = struct.unpack_from(order + "HHI", tiff, at)
        unit, letters = _TYPES.get(kind, (0, ""))
        size = unit * length
        if tag in found or not 0 < size <= MOST_VALUE_BYTES:
            continue
        where = at + 8 if size <= 4 else struct.unpack_from(order + "I", tiff, at + 8)[0]
        raw = tiff[where:where + size]
        if len(raw) == size:
            found[tag] = _numbers(raw, order, letters, length) if letters else raw
    return found


def _numbers(raw: bytes, order: str, letters: str, length: int) -> tuple[float, ...]:
    parts = struct.unpack(order + letters * length, raw)
    if len(letters) == 1:
        return parts
    return tuple(a / b if b else math.nan for a, b in zip(parts[::2], parts[1::2], strict=True))


def _pointer(entries: Entries, tag: int) -> int:
    """Where a directory starts; 0, which no directory can have, when the entry is missing or not a pointer."""
    value = entries.get(tag)
    return int(value[0]) if isinstance(value, tuple) and len(value) == 1 and math.isfinite(value[0]) else 0


def _number(value: Value | None, sensible: Callable[[float], bool]) -> float | None:
    if isinstance(value, tuple) and len(value) == 1 and math.isfinite(value[0]) and sensible(value[0]):
        return float(value[0])
    return None


def _orientation(value: Value | None) -> int | None:
    # Some programs write it as one byte.
    number = _number(tuple(value) if isinstance(value, bytes) else value, lambda turn: turn in range(1, 9))
    return None if number is None else int(number)


def _text(value: Value | None) -> str | None:
    """One clean line of at most 64 characters: no control, format or unassigned characters, no surplus blanks."""
    if not isinstance(value, bytes):
        return None
    raw = value.split(b"\0", 1)[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text)
    return " ".join(text.split())[:MOST_TEXT_LENGTH].rstrip() or None


def _moment(value: Value | None) -> str | None:
    match = _MOMENT.fullmatch(_text(value) or "")
    moment = match and _aware(*map(int, match.groups()))
    return moment.replace(tzinfo=None).isoformat() if moment else None


def _offset(value: Value | None) -> str | None:
    match = _OFFSET.fullmatch(_text(value) or "")
    return match[0].replace("Z", "+00:00") if match else None


def _gps_moment(gps: Entries) -> datetime | None:
    day, clock = _DAY.fullmatch(_text(gps.get(_GPS_DATE)) or ""), gps.get(_GPS_TIME)
    if not day or not isinstance(clock, tuple) or len(clock) != 3 or not all(map(math.isfinite, clock)):
        return None
    hour, minute, second = clock
    if hour % 1 or minute % 1:
        return None
    return _aware(*map(int, day.groups()), int(hour), int(minute), int(second), int(second % 1 * 1_000) * 1_000)


def _aware(*parts: int) -> datetime | None:
    try:
        return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None


def _position(gps: Entries) -> tuple[float, float] | tuple[None, None]:
    """Degrees; a phone without a fix writes 0, 0, a place in the sea that no river chief visits, so that is none."""
    latitude = _degrees(gps.get(_LATITUDE), gps.get(_LATITUDE - 1), b"NS", 90)
    longitude = _degrees(gps.get(_LONGITUDE), gps.get(_LONGITUDE - 1), b"EW", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return latitude, longitude


def _degrees(value: Value | None, side: Value | None, sides: bytes, most: int) -> float | None:
    """Read degrees, minutes and seconds; seconds, or minutes too, that are left out or unknown (0/0) are none."""
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3 or not isinstance(side, bytes) or side[:1] not in (
        sides[:1], sides[1:],
    ):
        return None
    known = value[:1]
    for part in value[1:]:
        if math.isnan(part):
            break
        known += (part,)
    if not all(map(math.isnan, value[len(known):])):
        return None
    whole, minutes, seconds = (*known, 0.0, 0.0)[:3]
    degrees = whole + minutes / 60 + seconds / 3600
    if not (whole >= 0 and 0 <= minutes <= 60 and 0 <= seconds <= 60 and degrees <= most):
        return None
    return round(-degrees if side[:1] == sides[1:] else degrees, 8)

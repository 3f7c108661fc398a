"""A track as GPX, as GeoJSON, and as the simplified line of a map."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import orjson
import shapely

from patrol.foundation.geometry import Floats, metres_per_mercator_unit, project_array
from patrol.patrols.models import Patrol
from patrol.patrols.track import Raw, Track
from patrol.patrols.window import moment_of

_GPX, _OURS = "http://www.topografix.com/GPX/1/1", "urn:xunhe:gpx:1"
# A millionth of a degree is 0.1 m; one digit more is kept because devices send it.
_DIGITS = 7
_MEASURES = ("accuracy_m", "altitude_m", "speed_mps", "bearing_deg")


def gpx_of(patrol: Patrol, track: Track, raw: Sequence[Raw | None]) -> bytes:
    """Return the track as a GPX 1.1 document; what GPX has no word for stands in extensions of our own.

    `raw` is for each fix what the device sent where that was not WGS 84.
    """
    ET.register_namespace("", _GPX)
    ET.register_namespace("xunhe", _OURS)
    root = ET.Element(f"{{{_GPX}}}gpx", version="1.1", creator="Xunhe")
    line = ET.SubElement(root, f"{{{_GPX}}}trk")
    ET.SubElement(line, f"{{{_GPX}}}name").text = str(patrol.id)
    segment = ET.SubElement(line, f"{{{_GPX}}}trkseg")
    for fix, sent in zip(_fixes(track), raw, strict=True):
        point = ET.SubElement(segment, f"{{{_GPX}}}trkpt", lat=f"{fix['latitude']:.{_DIGITS}f}", lon=f"{fix['longitude']:.{_DIGITS}f}")
        if fix["altitude_m"] is not None:
            ET.SubElement(point, f"{{{_GPX}}}ele").text = str(fix["altitude_m"])
        ET.SubElement(point, f"{{{_GPX}}}time").text = fix["recorded_at"]
        known = {name: fix[name] for name in ("accuracy_m", "speed_mps", "bearing_deg", "mock") if fix[name] is not None}
        if sent:
            known |= {"raw_latitude": sent.latitude, "raw_longitude": sent.longitude, "raw_datum": sent.datum.value}
        if known:
            extensions = ET.SubElement(point, f"{{{_GPX}}}extensions")
            for name, value in known.items():
                ET.SubElement(extensions, f"{{{_OURS}}}{name}").text = str(value).lower()
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _fixes(track: Track) -> Iterator[dict[str, Any]]:
    columns = _columns(track)
    for index in range(len(track)):
        yield {name: values[index] for name, values in columns.items()}


def _columns(track: Track) -> dict[str, list[Any]]:
    """Return the track as lists by name, null for what the device did not say."""
    return {
        "recorded_at": [moment_of(int(ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z") for ms in track.recorded_ms],
        "latitude": np.round(track.latitude, _DIGITS).tolist(), "longitude": np.round(track.longitude, _DIGITS).tolist(),
        **{name: [None if math.isnan(value) else value for value in getattr(track, name).tolist()] for name in _MEASURES},
        "mock": [{1: True, 0: False, -1: None}[value] for value in track.mock.tolist()],
    }


def feature_of(patrol: Patrol, track: Track, raw: Sequence[Raw | None], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the track as a GeoJSON feature; its properties hold a list for each measure, in the order of the line.

    `raw` is for each fix what the device sent where that was not WGS 84; it is left out where there is none.
    """
    columns = _columns(track)
    if any(raw):
        columns["raw"] = [sent and sent._asdict() for sent in raw]
    positions = [list(pair) for pair in zip(columns.pop("longitude"), columns.pop("latitude"), strict=True)]
    return _feature(patrol, positions, {**columns, **more})


def line_of(patrol: Patrol, track: Track, tolerance_m: float) -> dict[str, Any]:
    """Return the track simplified by Douglas and Peucker, straying at most `tolerance_m` metres, as a GeoJSON feature."""
    kept = track.at(_simplified(track, tolerance_m))
    positions = np.round(np.column_stack([kept.longitude, kept.latitude]), _DIGITS).tolist()
    return _feature(patrol, positions, {"fixes": len(track), "shown": len(kept), "tolerance_m": tolerance_m})


def _simplified(track: Track, tolerance_m: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the indices of the fixes that remain."""
    if len(track) < 3:
        return np.arange(len(track))
    degrees: Floats = np.column_stack([track.longitude, track.latitude])
    metres = project_array(degrees) * metres_per_mercator_unit(float(np.median(track.latitude)))
    # The fix's place rides along as the third coordinate, which simplifying looks at in no way.
    line = shapely.linestrings(np.column_stack([metres, np.arange(len(track))]))
    simple = shapely.simplify(line, tolerance_m, preserve_topology=False)
    found: np.ndarray[Any, np.dtype[np.int64]] = shapely.get_coordinates(simple, include_z=True)[:, 2].astype(np.int64)
    return found


def _feature(patrol: Patrol, positions: list[list[float]], properties: Mapping[str, Any]) -> dict[str, Any]:
    geometry: dict[str, Any] | None = None
    if positions:
        geometry = {"type": "LineString", "coordinates": positions} if len(positions) > 1 else {
            "type": "Point", "coordinates": positions[0]}
    about = {"mode": patrol.mode, "started_at": patrol.started_at, "ended_at": patrol.ended_at}
    return {"type": "Feature", "id": patrol.id, "geometry": geometry, "properties": {**about, **properties}}


def collection_of(features: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a GeoJSON feature collection piece by piece."""
    yield b'{"type":"FeatureCollection","features":['
    for index, feature in enumerate(features):
        yield (b"," if index else b"") + orjson.dumps(feature)
    yield b"]}"

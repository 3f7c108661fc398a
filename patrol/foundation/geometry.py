"""Positions, metres and shapes: datums, distances, Web Mercator, GeoJSON, WKB and boxes; the only source of metres."""

import math
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.degrees import looks_like
from patrol.foundation.texts import Text

Floats: TypeAlias = NDArray[np.float64]
Geometry: TypeAlias = Any  # Shapely ships no type information; the alias says what is meant.

# WGS 84 (EPSG:7030).
EQUATOR_RADIUS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)

# Web Mercator (EPSG:3857) ends where the map becomes a square.
MERCATOR_LATITUDE_LIMIT = 85.051_128_779_806_6

# GCJ-02 is published only as code; these are the constants that all open implementations share
# (eviltransform, gcoord, coordtransform): Krasovsky 1940 and the box outside which nothing is shifted.
_KRASOVSKY_A_M = 6_378_245.0
_KRASOVSKY_E2 = 0.006_693_421_622_965_943
CHINA_LATITUDES = (0.8293, 55.8271)
CHINA_LONGITUDES = (72.004, 137.8347)
_REASONS = {
    "Self-intersection": "自相交", "Ring Self-intersection": "环自相交", "Hole lies outside shell": "洞在外环之外", "Holes are nested": "洞互相嵌套",
    "Nested shells": "面互相嵌套", "Interior is disconnected": "内部不连通", "Duplicate Rings": "环重复",
}  # fmt: skip
_BD09_ANGLE = math.pi * 3000 / 180


class Datum(StrEnum):
    """What a pair of degrees was measured against; Chinese map software shifts positions by up to 700 m."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class BadGeometry(ValueError):
    """A shape, position or box that cannot be read; `text` says why, in both languages."""

    def __init__(self, text: Text) -> None:
        """Keep the message in both languages."""
        super().__init__(text.en)
        self.text = text


class OutsideDatum(BadGeometry):
    """A position that cannot exist: not on Earth, or declared as GCJ-02 or BD-09 where these are not defined."""


class Box(NamedTuple):
    """A box on the map in degrees, WGS 84; it never crosses the antimeridian."""

    min_longitude: float
    min_latitude: float
    max_longitude: float
    max_latitude: float


def to_wgs84(latitude: float, longitude: float, datum: Datum) -> tuple[float, float]:
    """Return (latitude, longitude) in WGS 84 of a position declared in `datum`, in degrees, exact to 1e-9 degrees.

    Raises:
        OutsideDatum: not finite, off the Earth, or GCJ-02 or BD-09 of a place outside the box in which they shift.
    """
    _on_earth(latitude, longitude)
    if datum is Datum.WGS84:
        return latitude, longitude
    # A first, generous look at the box keeps the iteration out of where it diverges.
    found = _unshift(latitude, longitude, datum, math) if _in_china(latitude, longitude, 0.1) else None
    if found is None or not _in_china(*found):
        text = Text("{datum} 坐标系只适用于中国，位置在其范围之外", "{datum} covers China only; the position is outside it")
        raise OutsideDatum(text.format(datum=datum.value.upper()))
    return float(found[0]), float(found[1])


def to_wgs84_array(latitudes: Floats, longitudes: Floats, datum: Datum) -> tuple[Floats, Floats]:
    """Return WGS 84 latitudes and longitudes of arrays of equal shape (n,); NaN where `to_wgs84` would refuse."""
    good = (np.abs(latitudes) <= 90) & (np.abs(longitudes) <= 180)
    lat, lon = np.where(good, latitudes, np.nan), np.where(good, longitudes, np.nan)
    if datum is Datum.WGS84:
        return lat, lon
    near = _in_china(lat, lon, 0.1)
    lat, lon = _unshift(np.where(near, lat, np.nan), np.where(near, lon, np.nan), datum, np)
    inside = _in_china(lat, lon)
    return np.where(inside, lat, np.nan), np.where(inside, lon, np.nan)


def from_wgs84(latitude: float, longitude: float, datum: Datum) -> tuple[float, float]:
    """Return (latitude, longitude) in `datum`; outside China GCJ-02 and BD-09 do not shift and neither does this.

    Raises:
        OutsideDatum: the position is not finite or off the Earth.
    """
    _on_earth(latitude, longitude)
    if datum is Datum.WGS84 or not _in_china(latitude, longitude):
        return latitude, longitude
    lat, lon = _shift(latitude, longitude, datum, math)
    return float(lat), float(lon)


def _on_earth(latitude: float, longitude: float) -> None:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise OutsideDatum(Text("经纬度超出范围", "The latitude or longitude is out of range"))


def _in_china(latitude: Any, longitude: Any, slack: float = 1e-8) -> Any:
    # The slack keeps a place on the very edge inside after it was shifted and shifted back.
    (south, north), (west, east) = CHINA_LATITUDES, CHINA_LONGITUDES
    tall = (latitude >= south - slack) & (latitude <= north + slack)
    return tall & (longitude >= west - slack) & (longitude <= east + slack)


def _shift(latitude: Any, longitude: Any, datum: Datum, m: Any) -> Any:
    """WGS 84 to `datum`, without the box; `m` is `math` for two floats or `numpy` for two arrays."""
    x, y, pi = longitude - 105.0, latitude - 35.0, m.pi
    fast = 20 * m.sin(6 * x * pi) + 20 * m.sin(2 * x * pi)
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * m.sqrt(abs(x)) + (2 / 3) * (
        fast + 20 * m.sin(y * pi) + 40 * m.sin(y / 3 * pi) + 160 * m.sin(y / 12 * pi) + 320 * m.sin(y * pi / 30)
    )  # fmt: skip
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * m.sqrt(abs(x)) + (2 / 3) * (
        fast + 20 * m.sin(x * pi) + 40 * m.sin(x / 3 * pi) + 150 * m.sin(x / 12 * pi) + 300 * m.sin(x / 30 * pi)
    )  # fmt: skip
    phi = latitude * (pi / 180)
    w = 1 - _KRASOVSKY_E2 * m.sin(phi) ** 2
    lat = latitude + north_m * 180 / pi * (w * m.sqrt(w)) / (_KRASOVSKY_A_M * (1 - _KRASOVSKY_E2))
    lon = longitude + east_m * 180 / pi * m.sqrt(w) / (_KRASOVSKY_A_M * m.cos(phi))
    if datum is Datum.GCJ02:
        return lat, lon
    radius = m.hypot(lon, lat) + 0.00002 * m.sin(lat * _BD09_ANGLE)
    angle = m.atan2(lat, lon) + 0.000003 * m.cos(lon * _BD09_ANGLE)
    return radius * m.sin(angle) + 0.006, radius * m.cos(angle) + 0.0065


def _unshift(latitude: Any, longitude: Any, datum: Datum, m: Any) -> Any:
    # The shift changes by less than 1 % of a step, so that each round of this fixed point gains two digits or more.
    lat, lon = latitude, longitude
    for _ in range(8):
        shifted_lat, shifted_lon = _shift(lat, lon, datum, m)
        lat, lon = lat + (latitude - shifted_lat), lon + (longitude - shifted_lon)
    return lat, lon


def distance_m(latitude1: float, longitude1: float, latitude2: float, longitude2: float) -> float:
    """Return the metres between two WGS 84 positions on the ellipsoid, within 0.01 % below 10,000 km (Lambert 1942)."""
    return float(_distance(latitude1, longitude1, latitude2, longitude2, math))


def distances_m(latitudes1: Floats, longitudes1: Floats, latitudes2: Floats, longitudes2: Floats) -> Floats:
    """Return `distance_m` for arrays that broadcast against each other."""
    found: Floats = _distance(latitudes1, longitudes1, latitudes2, longitudes2, np)
    return found


def _distance(latitude1: Any, longitude1: Any, latitude2: Any, longitude2: Any, m: Any) -> Any:
    # Lambert's formula: the great circle between the reduced latitudes, corrected by the flattening to first order.
    degree = m.pi / 180
    beta1 = m.atan((1 - FLATTENING) * m.tan(latitude1 * degree))
    beta2 = m.atan((1 - FLATTENING) * m.tan(latitude2 * degree))
    middle, half = (beta1 + beta2) / 2, (beta2 - beta1) / 2
    h = m.sin(half) ** 2 + m.cos(beta1) * m.cos(beta2) * m.sin((longitude2 - longitude1) * degree / 2) ** 2
    # The floor stands for less than a nanometre and the ceiling for a few metres at the antipode; both avoid 0 / 0.
    apart = h > 1e-33
    h = h + (h <= 1e-33) * 1e-33 - (h > 1 - 1e-12) * 1e-12
    angle = 2 * m.atan2(m.sqrt(h), m.sqrt(1 - h))
    x = (angle - m.sin(angle)) * (m.sin(middle) * m.cos(half)) ** 2 / (1 - h)
    y = (angle + m.sin(angle)) * (m.cos(middle) * m.sin(half)) ** 2 / h
    return apart * EQUATOR_RADIUS_M * (angle - FLATTENING / 2 * (x + y))


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Return Web Mercator (x, y) in its own units of a WGS 84 position; latitudes beyond 85.05 degrees are clamped."""
    latitude = min(max(latitude, -MERCATOR_LATITUDE_LIMIT), MERCATOR_LATITUDE_LIMIT)
    return EQUATOR_RADIUS_M * math.radians(longitude), EQUATOR_RADIUS_M * math.asinh(math.tan(math.radians(latitude)))


def project_array(coordinates: Floats) -> Floats:
    """Return Web Mercator (n, 2) x, y of (n, 2) longitudes and latitudes; suits `shapely.transform`."""
    latitudes = np.clip(coordinates[:, 1], -MERCATOR_LATITUDE_LIMIT, MERCATOR_LATITUDE_LIMIT)
    projected = np.empty((len(coordinates), 2))
    projected[:, 0] = np.radians(coordinates[:, 0])
    projected[:, 1] = np.arcsinh(np.tan(np.radians(latitudes)))
    projected *= EQUATOR_RADIUS_M
    return projected


def unproject(x: float, y: float) -> tuple[float, float]:
    """Return the WGS 84 (latitude, longitude) of a Web Mercator position."""
    return math.degrees(math.atan(math.sinh(y / EQUATOR_RADIUS_M))), math.degrees(x / EQUATOR_RADIUS_M)


def metres_per_mercator_unit(latitude: float) -> float:
    """Return how many metres a short Web Mercator unit is at a latitude: its cosine, on the mean local radius.

    Web Mercator treats the ellipsoid as a sphere; east to west and north to south the answer is off by up to 0.34 %
    in opposite directions, which is centimetres within a reach's tolerance. Latitudes beyond 85.05 degrees are clamped as
    `project` clamps them: a unit at the pole would have no length, and everything on Earth would lie beside it.
    """
    phi = math.radians(min(max(latitude, -MERCATOR_LATITUDE_LIMIT), MERCATOR_LATITUDE_LIMIT))
    return math.cos(phi) * math.sqrt(1 - ECCENTRICITY_SQUARED) / (1 - ECCENTRICITY_SQUARED * math.sin(phi) ** 2)


def length_m(geometry: Geometry) -> float:
    """Return the metres along a lon/lat line, or around a lon/lat polygon with its holes; 0 for points."""
    outlines = shapely.boundary(geometry) if shapely.get_dimensions(geometry) == 2 else geometry
    total = 0.0
    for part in shapely.get_parts(outlines):
        c = shapely.get_coordinates(part)
        total += float(distances_m(c[:-1, 1], c[:-1, 0], c[1:, 1], c[1:, 0]).sum())
    return total


def from_geojson(value: object) -> Geometry:
    """Return the Shapely geometry, lon/lat, of a parsed GeoJSON geometry (RFC 7946): a line, a polygon or several.

    Altitudes are read and dropped. Rings may wind either way, as RFC 7946 asks readers to accept.

    Raises:
        BadGeometry: another type or nesting, numbers that are no positions, too few points, rings that cross.
    """
    kind, coordinates = (value.get("type"), value.get("coordinates")) if isinstance(value, dict) else (None, None)
    match kind:
        case "LineString":
            return shapely.linestrings(_line(coordinates))
        case "MultiLineString":
            return shapely.multilinestrings([shapely.linestrings(_line(line)) for line in _several(coordinates)])
        case "Polygon":
            return _polygon(coordinates)
        case "MultiPolygon":
            return _valid(shapely.multipolygons([_polygon(polygon) for polygon in _several(coordinates)]))
    kinds = "LineString, MultiLineString, Polygon, MultiPolygon"
    raise BadGeometry(Text("图形类型须为其中之一：{kinds}", "The geometry must be one of {kinds}").format(kinds=kinds))


def to_geojson(geometry: Geometry) -> dict[str, Any]:
    """Return the GeoJSON geometry with its rings wound as RFC 7946 wants them, ready for a JSON writer."""
    return dict(shapely.geometry.mapping(shapely.orient_polygons(geometry)))


def _several(value: object) -> list[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise BadGeometry(Text("坐标的嵌套层次不对", "The coordinates are nested wrongly or are empty"))
    return list(value)


def _line(value: object) -> Floats:
    positions = [_position(position) for position in _several(value)]
    if len(set(positions)) < 2:
        raise BadGeometry(Text("一条线至少要有两个不同的点", "A line needs at least two different points"))
    return np.array(positions)


def _position(value: object) -> tuple[float, float]:
    if isinstance(value, list | tuple) and 2 <= len(value) <= 3:
        longitude, latitude = value[0], value[1]
        # The comparison also refuses NaN and infinity; a bool is an int to Python but not a number in JSON.
        numbers = all(type(number) in {int, float} and abs(number) < 1e5 for number in value)
        if numbers and -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return float(longitude), float(latitude)
        if (odd := looks_like(longitude, latitude, shown=repr(value)[:80])) is not None:
            raise BadGeometry(odd)
    text = Text("坐标须为 [经度，纬度]，单位为度：{shown}", "A position must be [longitude, latitude] in degrees: {shown}")
    raise BadGeometry(text.format(shown=repr(value)[:80]))


def _polygon(value: object) -> Geometry:
    rings = [_line(ring) for ring in _several(value)]
    if any(len(ring) < 4 or not np.array_equal(ring[0], ring[-1]) for ring in rings):
        raise BadGeometry(Text("面的环至少要有四个点并且首尾相同", "A ring needs at least four points and must be closed"))
    return _valid(shapely.Polygon(rings[0], rings[1:]))


def _valid(geometry: Geometry) -> Geometry:
    if not shapely.is_valid(geometry):
        text = Text("面的边界有误（自相交或重叠）：{reason}", "The polygon is not valid: {reason}")
        raise BadGeometry(text.format(reason=_reason_of(shapely.is_valid_reason(geometry))))
    return geometry


def _reason_of(said: str) -> Text:
    """Return what GEOS says is wrong with a polygon ("Self-intersection[119.9 29.7]"); in Chinese the place alone where its words are unknown."""
    what, _, place = said.rstrip("]").partition("[")
    return Text("，".join(filter(None, (_REASONS.get(what), place and f"位于 {place}"))), said)


def to_wkb(geometry: Geometry) -> bytes:
    """Return the geometry as two-dimensional little-endian WKB, the form in which it is stored."""
    return bytes(shapely.to_wkb(geometry, output_dimension=2, byte_order=1))


def from_wkb(data: bytes) -> Geometry:
    """Return the geometry of stored WKB.

    Raises:
        BadGeometry: the bytes are no WKB.
    """
    try:
        return shapely.from_wkb(bytes(data))
    except shapely.errors.ShapelyError as fault:
        raise BadGeometry(Text("图形数据已损坏", "The stored geometry is damaged")) from fault


def bounds(geometry: Geometry) -> Box:
    """Return the smallest box around a lon/lat geometry."""
    return Box(*(float(edge) for edge in shapely.bounds(geometry)))


def box_around(latitude: float, longitude: float, radius_m: float) -> Box:
    """Return a box around all that lies within `radius_m` of a WGS 84 position; a little too large, never too small."""
    # 110,574 m is the shortest degree of latitude and 111,320 m the longest degree of longitude, at the equator.
    up = radius_m / 110_574 * 1.001
    reach = min(abs(latitude) + up, 90.0)
    across = min(up / max(math.cos(math.radians(reach)), 1e-9), 360.0)
    west, south = max(longitude - across, -180.0), max(latitude - up, -90.0)
    return Box(west, south, min(longitude + across, 180.0), min(latitude + up, 90.0))


def parse_bbox(value: str) -> Box:
    """Return the box of "min_longitude,min_latitude,max_longitude,max_latitude" in degrees, the order of RFC 7946.

    Raises:
        BadGeometry: not four numbers on Earth, or a minimum above its maximum.
    """
    try:
        box = Box(*map(float, value.split(",")))
    except (TypeError, ValueError):
        box = Box(math.nan, math.nan, math.nan, math.nan)
    if -180 <= box.min_longitude <= box.max_longitude <= 180 and -90 <= box.min_latitude <= box.max_latitude <= 90:
        return box
    order = "min_longitude,min_latitude,max_longitude,max_latitude"
    raise BadGeometry(Text("范围须为 {order}，单位为度", "A box must be {order} in degrees").format(order=order))

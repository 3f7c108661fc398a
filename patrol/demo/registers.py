"""The rows of the demo district, one frozen class for each register that the product imports."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

METRES_PER_DEGREE_NORTH = 110_870.0
"""Length of one degree of latitude near 29.6 N (WGS 84); the whole district lies within 0.15 degrees of it."""
METRES_PER_DEGREE_EAST = 96_870.0
"""Length of one degree of longitude at 29.6 N (WGS 84)."""


@dataclass(frozen=True)
class Geometry:
    """A GeoJSON geometry (RFC 7946): its type, and nested tuples of `(longitude, latitude)` rounded to 6 digits."""

    type: str
    coordinates: tuple[Any, ...]

    def as_geojson(self) -> dict[str, Any]:
        """Return the geometry object of RFC 7946."""
        return {"type": self.type, "coordinates": self.coordinates}

    def vertices(self) -> Iterator[tuple[float, float]]:
        """Yield every `(longitude, latitude)`, part after part."""
        yield from _vertices(self.coordinates)

    def length_m(self) -> float:
        """Return the length of a line, or of a polygon's outline, in metres (flat, good to 0.3 % in the district)."""
        parts = {"Point": (), "LineString": (self.coordinates,)}.get(self.type, self.coordinates)
        if self.type == "MultiPolygon":
            parts = tuple(ring for polygon in self.coordinates for ring in polygon)
        return sum(distance_m(a, b) for part in parts for a, b in itertools.pairwise(part))


def _vertices(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], float):
        yield coordinates
    else:
        for part in coordinates:
            yield from _vertices(part)


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the flat distance between two `(longitude, latitude)` of the district, in metres."""
    return math.hypot((a[0] - b[0]) * METRES_PER_DEGREE_EAST, (a[1] - b[1]) * METRES_PER_DEGREE_NORTH)


@dataclass(frozen=True)
class Region:
    """A row of the region register; `level` is county, township or village; the district's `parent_code` is empty."""

    code: str
    name: str
    level: str
    parent_code: str
    geometry: Geometry


@dataclass(frozen=True)
class WaterBody:
    """A row of the water register; `kind` is river, lake, reservoir or small; `target_class` is I to V (GB 3838)."""

    code: str
    name: str
    kind: str
    target_class: str


@dataclass(frozen=True)
class Reach:
    """A row of the reach register; `bank` is left, right or both, seen downstream."""

    code: str
    name: str
    water_body_code: str
    region_code: str
    level: str
    bank: str
    tolerance_m: int
    geometry: Geometry


@dataclass(frozen=True)
class Signboard:
    """A river chief information board, standing on the bank of its reach."""

    code: str
    reach_code: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Person:
    """A row of the people register; `roles` and `department` are codes, an empty `department` means none."""

    username: str
    name: str
    phone: str
    roles: tuple[str, ...]
    region_code: str
    title: str
    department: str
    password: str


@dataclass(frozen=True)
class Appointment:
    """Who is chief of a reach from `valid_from` to `valid_to`, both days included; no `valid_to` means until now."""

    reach_code: str
    username: str
    title: str
    valid_from: date
    valid_to: date | None


Row = Region | WaterBody | Reach | Signboard | Person | Appointment


def columns(row: Row) -> dict[str, str | int | float]:
    """Return the row's columns as the import formats spell them: dates in ISO 8601, roles with commas, none empty."""
    return {field.name: _cell(getattr(row, field.name)) for field in fields(row) if field.name != "geometry"}


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(value)
    return value if isinstance(value, int | float) else str(value)


def feature(row: Region | Reach) -> Mapping[str, Any]:
    """Return the row as a GeoJSON feature whose properties are its columns."""
    return {"type": "Feature", "properties": columns(row), "geometry": row.geometry.as_geojson()}

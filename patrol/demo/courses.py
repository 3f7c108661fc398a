"""Where the water runs: meandering river lines that join one another, lakes and reservoirs, on a flat map in metres."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray

from patrol.demo.district import (
    CENTRE_LATITUDE,
    CENTRE_LONGITUDE,
    LAKES,
    OUTLINE_WAVES,
    RADIUS_KM,
    RESERVOIRS,
    RIVERS,
    STRETCH_EAST,
    Lake,
    Place,
    Reservoir,
    River,
)
from patrol.demo.registers import METRES_PER_DEGREE_EAST, METRES_PER_DEGREE_NORTH, Geometry

Line = NDArray[np.float64]
"""Points of a line, `(count, 2)`, metres east and north of the district's centre."""
VERTEX_SPACING_M = 55.0


@dataclass(frozen=True)
class Courses:
    """The waters of one district: river lines by name from source to mouth, still waters as polygons, the outline."""

    rivers: dict[str, Line]
    still_waters: dict[str, Any]
    outline: Any

    def registered_line(self, river: str, origin_km: Place) -> Geometry:
        """Return a river's whole course in degrees."""
        return in_degrees(shapely.LineString(self.rivers[river]), origin_km)


def draw_courses(rng: np.random.Generator, jitter_km: float = 0.0) -> Courses:
    """Return the district's waters; `jitter_km` moves the bends of the courses, so that districts differ."""
    outline = _outline()
    rivers: dict[str, Line] = {}
    for plan in RIVERS:
        course = np.array(plan.course) * 1000.0
        course[1:-1] += rng.normal(0.0, 1.0, course[1:-1].shape) * jitter_km * 1000.0
        line = _meandering(smooth(course), plan, rng)
        line = _inside(line, outline)
        rivers[plan.name] = _joined(line, rivers[plan.joins]) if plan.joins else line
    still_waters = {plan.name: _reservoir(plan, rivers[plan.river]) for plan in RESERVOIRS}
    still_waters |= {plan.name: _lake(plan, rng) for plan in LAKES}
    return Courses(rivers, still_waters, outline)


def in_degrees(shape: Any, origin_km: Place) -> Geometry:
    """Return a shape of the flat map as GeoJSON geometry, its district's centre moved by `origin_km`."""

    def degrees(points: Line) -> Line:
        east, north = points[:, 0] + origin_km[0] * 1000.0, points[:, 1] + origin_km[1] * 1000.0
        return np.column_stack(
            (
                np.round(CENTRE_LONGITUDE + east / METRES_PER_DEGREE_EAST, 6),
                np.round(CENTRE_LATITUDE + north / METRES_PER_DEGREE_NORTH, 6),
            )
        )

    mapped = shapely.geometry.mapping(shapely.transform(shape, degrees))
    return Geometry(mapped["type"], _plain(mapped["coordinates"]))


def _plain(coordinates: Any) -> Any:
    if isinstance(coordinates, tuple | list):
        return tuple(_plain(part) for part in coordinates)
    return float(coordinates)


def _outline() -> Any:
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    radius = 1.0 + sum(size * np.sin(waves * angle + phase) for waves, size, phase in OUTLINE_WAVES)
    radius = radius * RADIUS_KM * 1000.0
    return shapely.Polygon(np.column_stack((radius * np.cos(angle) * STRETCH_EAST, radius * np.sin(angle))))


def smooth(course: Line) -> Line:
    """Return the Catmull-Rom curve through the points of `course`, at about even steps."""
    padded = np.vstack((2 * course[0] - course[1], course, 2 * course[-1] - course[-2]))
    part = np.linspace(0, 1, 60, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * part + (2 * a - 5 * b + 4 * c - d) * part**2 + (3 * b - a - 3 * c + d) * part**3)
        )
    return _even(np.vstack([*pieces, course[-1:]]))


def _even(line: Line) -> Line:
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
    stations = np.linspace(0, along[-1], max(8, int(along[-1] / VERTEX_SPACING_M)))
    return np.column_stack([np.interp(stations, along, line[:, axis]) for axis in (0, 1)])


def normals(line: Line) -> Line:
    """Return the unit vectors that point to the left of `line` (seen along it), one for each vertex."""
    tangent: Line = np.gradient(line, axis=0)
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    return np.column_stack((-tangent[:, 1], tangent[:, 0]))


def _meandering(line: Line, plan: River, rng: np.random.Generator) -> Line:
    """Return `line` swinging from side to side: a slow swing whose length wanders, and a faster smaller one."""
    along = np.arange(len(line)) * VERTEX_SPACING_M
    swing = np.zeros(len(line))
    for wave_m, share in ((plan.meander_m * 8.5, 0.72), (plan.meander_m * 3.4, 0.2), (plan.meander_m * 1.7, 0.06)):
        phase = rng.uniform(0, 2 * np.pi) + 0.9 * np.sin(along / (wave_m * 1.7) + rng.uniform(0, 2 * np.pi))
        swing += share * np.sin(2 * np.pi * along / wave_m + phase)
    ends = np.clip(np.minimum(along, along[::-1]) / 900.0, 0, 1)
    return _even(line + normals(line) * (1.25 * swing * ends * plan.meander_m)[:, None])


def _joined(line: Line, parent: Line) -> Line:
    """Return `line` bent over its last kilometre towards `parent`, ending on a vertex of it where it first comes near."""
    aim = parent[np.argmin(_distances(parent, line[-1]))]
    along = np.arange(len(line))[::-1] * VERTEX_SPACING_M
    bend = np.clip(1.0 - along / 1000.0, 0, 1)[:, None] ** 2
    bent = line + bend * (aim - line[-1])
    gaps = np.array([_distances(parent, point).min() for point in bent])
    last = int(np.argmax(gaps < VERTEX_SPACING_M * 0.9))
    mouth = parent[np.argmin(_distances(parent, bent[last]))]
    return np.vstack((bent[:last], mouth))


def _distances(line: Line, point: Line) -> Line:
    return np.asarray(np.hypot(line[:, 0] - point[0], line[:, 1] - point[1]))


def _inside(line: Line, outline: Any) -> Line:
    """Return the longest part of `line` inside the district."""
    part = shapely.intersection(shapely.LineString(line), outline)
    longest = max(getattr(part, "geoms", [part]), key=lambda piece: piece.length)
    return np.asarray(longest.coords, dtype=np.float64)


def _reservoir(plan: Reservoir, river: Line) -> Any:
    start, end = int(plan.from_fraction * len(river)), int(plan.to_fraction * len(river))
    valley = river[start:end]
    width = np.linspace(0.12, 1.0, len(valley)) ** 0.8 * plan.width_m / 2
    width = width * (1 + 0.22 * np.sin(np.arange(len(valley)) * 0.9))
    dam = shapely.LineString(valley[-3:]).buffer(plan.width_m * 0.45, cap_style="flat")
    filled = shapely.union_all([shapely.Point(p).buffer(w, 12) for p, w in zip(valley, width, strict=True)] + [dam])
    return shapely.Polygon(filled.buffer(25).simplify(8).exterior)


def _lake(plan: Lake, rng: np.random.Generator) -> Any:
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.full(72, 1.0)
    for waves, size in ((2, 0.2), (3, 0.1), (5, 0.05), (8, 0.025)):
        radius += size * np.sin(waves * angle + rng.uniform(0, 2 * np.pi))
    ring = np.column_stack((1.25 * np.cos(angle), np.sin(angle))) * (radius * plan.radius_m)[:, None]
    return shapely.Polygon(ring + np.array(plan.place) * 1000.0)

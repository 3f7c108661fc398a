"""How the land is divided: villages as cells around their centres, townships of villages, one border along a river."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops

from patrol.demo.courses import Courses, Line, in_degrees, normals, smooth
from patrol.demo.district import (
    BORDER_NORTH,
    BORDER_RIVER,
    BORDER_SOUTH,
    DISTRICT_NAME,
    TOWNS,
    VILLAGE_NAMES,
    VILLAGE_SPACING_KM,
    Place,
)
from patrol.demo.registers import Region

RIPPLES = ((150.0, 2800.0, (0.3, 1.9)), (46.0, 1000.0, (2.2, 4.1)))
"""How borders sway off the straight line: size, wave length (both metres) and phases."""


@dataclass(frozen=True)
class Area:
    """A region on the flat map; `centre` is where its people live."""

    code: str
    name: str
    level: str
    parent_code: str
    shape: Any
    centre: Line


@dataclass(frozen=True)
class Territory:
    """The district, its townships and its villages, each parent before its children."""

    areas: tuple[Area, ...]

    def at_level(self, level: str) -> list[Area]:
        """Return the areas of one level, in the order of their codes."""
        return [area for area in self.areas if area.level == level]

    def registered(self, origin_km: Place) -> tuple[Region, ...]:
        """Return the areas as rows of the region register."""
        return tuple(
            Region(area.code, area.name, area.level, area.parent_code, in_degrees(area.shape, origin_km))
            for area in self.areas
        )


def divide_territory(code: str, name: str, courses: Courses, rng: np.random.Generator) -> Territory:
    """Return the district `code` divided so that the border river parts the townships on its two sides."""
    halves = _halves(courses)
    centres = _village_centres(courses, rng)
    cells: list[tuple[int, Line, Any]] = []
    for half in halves:
        own = centres[shapely.contains_xy(half, centres[:, 0], centres[:, 1])]
        towns = [i for i, town in enumerate(TOWNS) if half.contains(shapely.Point(np.array(town.seat) * 1000.0))]
        cells += [
            (_nearest_town(centre, towns), centre, cell) for centre, cell in zip(own, _cells(own, half), strict=True)
        ]
    names = iter(_names(name, rng))
    towns_areas, villages = [], []
    for number, town in enumerate(TOWNS):
        town_code = code + town.code
        own_cells = sorted((cell for cell in cells if cell[0] == number), key=lambda cell: -cell[1][1])
        shape = shapely.union_all([cell for _, _, cell in own_cells])
        towns_areas.append(Area(town_code, town.name, "township", code, _swayed(shape), np.array(town.seat) * 1000.0))
        for index, (_, centre, cell) in enumerate(own_cells):
            kind, first = ("社区", 1) if town.name.endswith("街道") and index < 2 else ("村", 201)
            village_code = f"{town_code}{first + index:03d}"
            villages.append(Area(village_code, next(names) + kind, "village", town_code, _swayed(cell), centre))
    whole = shapely.union_all([cell for _, _, cell in cells])
    district = Area(code, name, "county", "", _swayed(whole), np.zeros(2))
    return Territory((district, *towns_areas, *villages))


def _names(district_name: str, rng: np.random.Generator) -> list[str]:
    names = list(VILLAGE_NAMES)
    if district_name != DISTRICT_NAME:
        rng.shuffle(names)
    return names


def _nearest_town(centre: Line, towns: list[int]) -> int:
    return min(towns, key=lambda i: float(np.hypot(*(np.array(TOWNS[i].seat) * 1000.0 - centre))))


def _halves(courses: Courses) -> list[Any]:
    river = courses.rivers[BORDER_RIVER]
    ridge = smooth(np.vstack((river[-1:], np.array(BORDER_SOUTH) * 1000.0)))
    cut = np.vstack((np.array(BORDER_NORTH) * 1000.0, river, ridge[1:]))
    parts = shapely.ops.split(courses.outline, shapely.LineString(cut)).geoms
    return sorted(parts, key=lambda part: part.centroid.x)


def _village_centres(courses: Courses, rng: np.random.Generator) -> Line:
    """Return places for villages: first beside the rivers, then between them, never nearer than the set spacing."""
    beside = []
    for line in courses.rivers.values():
        sides = rng.choice((-1.0, 1.0), len(line)) * rng.uniform(220, 520, len(line))
        beside.append((line + normals(line) * sides[:, None])[10:-10:7])
    wild = rng.uniform(-14_500, 14_500, (900, 2))
    candidates = np.vstack((rng.permutation(np.vstack(beside)), wild))
    still = shapely.union_all([*courses.still_waters.values(), shapely.LineString(courses.rivers[BORDER_RIVER])])
    room = courses.outline.buffer(-900).difference(still.buffer(300))
    candidates = candidates[shapely.contains_xy(room, candidates[:, 0], candidates[:, 1])]
    chosen: list[Line] = []
    for place in candidates:
        if all(np.hypot(*(place - other)) > VILLAGE_SPACING_KM * 1000.0 for other in chosen):
            chosen.append(place)
    return np.array(chosen)


def _sway(points: Line) -> Line:
    return points + _offset(points)


def _offset(points: Line) -> Line:
    result = np.zeros_like(points)
    for size, wave, phases in RIPPLES:
        turn = 2 * np.pi / wave
        result[:, 0] += size * np.sin(points[:, 1] * turn + phases[0])
        result[:, 1] += size * np.sin(points[:, 0] * turn + phases[1])
    return result


def _unsway(points: Line) -> Line:
    """Return the points that `_sway` moves to `points`, found by iteration (the sway is a contraction)."""
    guess = points.copy()
    for _ in range(40):
        guess = points - _offset(guess)
    return guess


def _cells(centres: Line, half: Any) -> list[Any]:
    """Return the part of `half` nearest to each centre, on the map before swaying.

    Cells have straight sides there; `_swayed` bends them all alike afterwards, so that they still fit together and the
    sides that follow the border river come back to it.
    """
    bent_half = shapely.transform(half.segmentize(150.0), _unsway)
    points = shapely.MultiPoint(_unsway(centres))
    cells = shapely.voronoi_polygons(points, extend_to=bent_half, ordered=True).geoms
    return [shapely.intersection(cell, bent_half) for cell in cells]


def _swayed(shape: Any) -> Any:
    shape = shapely.transform(shape.segmentize(150.0), _sway)
    return shapely.normalize(shapely.simplify(shape, 3.0) if shape.is_valid else shape.buffer(0))

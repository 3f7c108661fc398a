"""The district on the map: its rivers, lakes, borders, towns, villages, reaches and signboards, made from a seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patrol.demo.courses import Courses, draw_courses
from patrol.demo.district import DISTRICT_CODE, DISTRICT_NAME, RIVERS
from patrol.demo.reaches import cut_reaches, place_signboards
from patrol.demo.registers import Geometry, Reach, Region, Signboard, WaterBody
from patrol.demo.territory import Territory, divide_territory

DISTRICT_GRID_KM = (34.0, 31.0)
"""How far apart districts of a larger landscape lie, east and north: more than a district's extent."""


@dataclass(frozen=True)
class Landscape:
    """All registers of the land; `river_lines` gives each river's whole course by water body code."""

    regions: tuple[Region, ...]
    water_bodies: tuple[WaterBody, ...]
    reaches: tuple[Reach, ...]
    signboards: tuple[Signboard, ...]
    river_lines: dict[str, Geometry]
    parent_rivers: dict[str, str]

    def region(self, code: str) -> Region:
        """Return the region with this code; `KeyError` when there is none."""
        return next(region for region in self.regions if region.code == code)


def landscape(scale: int = 1, seed: int = 2026) -> Landscape:
    """Return the landscape of `scale` districts (at least 1, at most 800); the first is Qingxi District, 990100.

    The same `scale` and `seed` give the same rows. About 170 reaches a district; for many more use `scattered_reaches`.
    """
    parts = [_one_district(number, seed) for number in range(scale)]
    return Landscape(
        tuple(row for part in parts for row in part.regions),
        tuple(row for part in parts for row in part.water_bodies),
        tuple(row for part in parts for row in part.reaches),
        tuple(row for part in parts for row in part.signboards),
        {code: line for part in parts for code, line in part.river_lines.items()},
        {code: parent for part in parts for code, parent in part.parent_rivers.items()},
    )


def _one_district(number: int, seed: int) -> Landscape:
    rng = np.random.default_rng((seed, number))
    code = str(int(DISTRICT_CODE) + number)
    name = DISTRICT_NAME if number == 0 else f"{DISTRICT_NAME[:-1]}{number + 1}区"
    side = 29
    origin = (DISTRICT_GRID_KM[0] * (number % side), DISTRICT_GRID_KM[1] * (number // side))
    courses: Courses = draw_courses(rng, jitter_km=0.0 if number == 0 else 0.35)
    territory: Territory = divide_territory(code, name, courses, rng)
    water_bodies, reaches = cut_reaches(code, origin, courses, territory, rng)
    river_codes = {row.name: row.code for row in water_bodies if row.kind == "river"}
    return Landscape(
        territory.registered(origin),
        water_bodies,
        reaches,
        place_signboards(code, reaches, rng),
        {river_codes[river]: courses.registered_line(river, origin) for river in courses.rivers},
        {river_codes[river.name]: river_codes[river.joins] for river in RIVERS if river.joins},
    )


@dataclass(frozen=True)
class ScatteredReaches:
    """Many reaches for a benchmark: `coordinates` is `(count, vertices, 2)` longitude and latitude in degrees."""

    codes: list[str]
    river_numbers: NDArray[np.int64]
    coordinates: NDArray[np.float64]


def scattered_reaches(
    count: int, seed: int = 2026, vertices: int = 16, reaches_per_river: int = 12
) -> ScatteredReaches:
    """Return `count` reaches of about 1.5 km that follow one another along random rivers over the province.

    Spread over 27.2 to 31.2 N, 118 to 122 E, so that 100,000 have about the density of Zhejiang's real rivers.
    """
    rng = np.random.default_rng(seed)
    rivers = -(-count // reaches_per_river)
    steps = reaches_per_river * (vertices - 1)
    turns = rng.normal(0.0, 0.16, (rivers, steps))
    heading = rng.uniform(0, 2 * np.pi, (rivers, 1)) + np.cumsum(turns - turns.mean(axis=1, keepdims=True), axis=1)
    step_m = 1500.0 / (vertices - 1)
    east = np.cumsum(np.cos(heading), axis=1) * step_m / 96_900.0
    north = np.cumsum(np.sin(heading), axis=1) * step_m / 110_900.0
    start = rng.uniform((118.0, 27.2), (122.0, 31.2), (rivers, 2))
    line = np.empty((rivers, steps + 1, 2))
    line[:, 0], line[:, 1:, 0], line[:, 1:, 1] = start, start[:, :1] + east, start[:, 1:] + north
    first = np.arange(reaches_per_river)[:, None] * (vertices - 1) + np.arange(vertices)
    coordinates = np.round(line[:, first].reshape(-1, vertices, 2)[:count], 6)
    codes = [f"99S{number:07d}" for number in range(count)]
    return ScatteredReaches(codes, np.arange(count) // reaches_per_river, coordinates)

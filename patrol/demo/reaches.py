"""Rivers, lakes and small waters cut into the reaches that county, township and village chiefs answer for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from patrol.demo.courses import Courses, Line, in_degrees, normals
from patrol.demo.district import (
    BANK_OFFSET_M,
    BORDER_RIVER,
    DITCH_NAMES,
    POND_NAMES,
    REACH_TOLERANCE_M,
    RESERVOIRS,
    RIVERS,
    Place,
    River,
)
from patrol.demo.registers import Reach, Signboard, WaterBody
from patrol.demo.territory import Area, Territory

SHORTEST_REACH_M = {"township": 450.0, "village": 300.0}
SHORTEST_PART_M = 130.0
COUNTY_REACH_M = 18_000.0
"""A longer river is cut in two for its county chiefs."""
SIGNBOARD_EVERY = 2
LONGEST_DITCH_M = 900.0

Rows = tuple[tuple[WaterBody, ...], tuple[Reach, ...]]


def cut_reaches(code: str, origin: Place, courses: Courses, territory: Territory, rng: np.random.Generator) -> Rows:
    """Return the water bodies and reaches of the district `code`; higher levels overlay the lower ones."""
    bodies: list[WaterBody] = []
    reaches: list[Reach] = []

    def add(body: WaterBody, pieces: Iterator[tuple[str, str, str, str, int, Any]]) -> None:
        counts: dict[str, int] = {}
        bodies.append(body)
        for name, region_code, level, bank, tolerance_m, shape in pieces:
            counts[level] = counts.get(level, 0) + 1
            reach_code = f"{body.code}-{level[0].upper()}{counts[level]:02d}"
            geometry = in_degrees(shape, origin)
            reaches.append(Reach(reach_code, name, body.code, region_code, level, bank, tolerance_m, geometry))

    for number, river in enumerate(RIVERS, 1):
        body = WaterBody(f"{code}R{number:02d}", river.name, "river", river.target_class)
        add(body, _river_pieces(river, code, courses, territory))
    reservoirs = {plan.name for plan in RESERVOIRS}
    for number, (name, shape) in enumerate(courses.still_waters.items(), 1):
        kind = "reservoir" if name in reservoirs else "lake"
        add(WaterBody(f"{code}L{number:02d}", name, kind, "II" if kind == "reservoir" else "III"),
            _still_pieces(name, shape, code, territory))  # fmt: skip
    for number, (name, village, shape) in enumerate(_small_waters(courses, territory, rng), 1):
        body = WaterBody(f"{code}S{number:02d}", name, "small", "IV" if number % 3 else "III")
        add(body, iter([(name, village.code, "village", "both", REACH_TOLERANCE_M["small"], shape)]))
    return tuple(bodies), tuple(reaches)


def _river_pieces(
    river: River, code: str, courses: Courses, territory: Territory
) -> Iterator[tuple[str, str, str, str, int, Any]]:
    line = courses.rivers[river.name]
    centre = shapely.LineString(line)
    if not river.joins or river.width_m >= 30:
        halves = [line[: len(line) // 2 + 1], line[len(line) // 2 :]] if centre.length > COUNTY_REACH_M else [line]
        for part, half in zip(("上游段", "下游段") if len(halves) == 2 else ("全段",), halves, strict=True):
            shape = shapely.LineString(half)
            yield river.name + part, code, "county", "both", REACH_TOLERANCE_M["county"], shape
    running = shapely.difference(centre, shapely.union_all(list(courses.still_waters.values())))
    banks = _banks(line) if river.name == BORDER_RIVER else {"both": running}
    for level in ("township", "village"):
        for bank, bank_line in banks.items():
            side = {"left": "左岸", "right": "右岸", "both": ""}[bank]
            for area in territory.at_level(level):
                shape = _part_inside(bank_line, area, SHORTEST_REACH_M[level])
                if shape is not None:
                    name = f"{river.name}{area.name}段{side}"
                    yield name, area.code, level, bank, REACH_TOLERANCE_M[level], shape


def _banks(line: Line) -> dict[str, Any]:
    """Return the two bank lines of a border river; both end where the river does."""
    side = normals(line) * BANK_OFFSET_M
    taper = np.clip(np.arange(len(line))[::-1] / 2, 0, 1)[:, None]
    return {"left": shapely.LineString(line + side * taper), "right": shapely.LineString(line - side * taper)}


def _part_inside(line: Any, area: Area, shortest_m: float) -> Any:
    """Return the part of `line` inside the area, or None when it is too short for a chief of its own."""
    inside = shapely.intersection(line, area.shape)
    if inside.length < shortest_m:
        return None
    merged = shapely.line_merge(inside)
    parts = [part for part in getattr(merged, "geoms", [merged]) if part.length >= SHORTEST_PART_M]
    parts.sort(key=lambda part: line.project(shapely.Point(part.coords[0])))
    if sum(part.length for part in parts) < shortest_m:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiLineString(parts)


def _still_pieces(
    name: str, shape: Any, code: str, territory: Territory
) -> Iterator[tuple[str, str, str, str, int, Any]]:
    yield name, code, "county", "both", REACH_TOLERANCE_M["county"], shape
    for level in ("township", "village"):
        area = max(territory.at_level(level), key=lambda candidate: candidate.shape.intersection(shape).area)
        yield (
            f"{name}{area.name}库区" if "库" in name else f"{name}{area.name}湖区",
            area.code,
            level,
            "both",
            (REACH_TOLERANCE_M[level]),
            shape,
        )


def _small_waters(courses: Courses, territory: Territory, rng: np.random.Generator) -> Iterator[tuple[str, Area, Any]]:
    villages = territory.at_level("village")
    chosen = rng.permutation(len(villages))
    for name, index in zip(POND_NAMES, chosen, strict=False):
        village = villages[index]
        angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        radius = rng.uniform(28, 62) * (1 + 0.16 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.08 * np.sin(3 * angle))
        place = village.centre + rng.uniform(120, 260) * np.array(
            [np.cos(rng.uniform(0, 6)), np.sin(rng.uniform(0, 6))]
        )
        ring = np.column_stack((1.2 * radius * np.cos(angle), radius * np.sin(angle)))
        yield village.name[:-1].removesuffix("社") + name, village, shapely.Polygon(ring + place)
    line = np.vstack(list(courses.rivers.values()))
    mouths = {i: line[np.argmin(np.hypot(*(line - villages[i].centre).T))] for i in chosen[len(POND_NAMES) :]}
    near = [i for i, mouth in mouths.items() if np.hypot(*(mouth - villages[i].centre)) < LONGEST_DITCH_M]
    for name, index in zip(DITCH_NAMES, near, strict=False):
        village, mouth = villages[index], mouths[index]
        start = village.centre + (village.centre - mouth) * 0.25 + rng.uniform(-80, 80, 2)
        share = np.linspace(0, 1, 14)[:, None]
        bend = np.sin(share * np.pi * rng.uniform(1.5, 2.6)) * np.sin(share * np.pi) * 35
        across = (mouth - start)[::-1] * (-1, 1) / np.hypot(*(mouth - start))
        yield (
            village.name[:-1].removesuffix("社") + name,
            village,
            shapely.LineString(start + (mouth - start) * share + across * bend),
        )


def place_signboards(code: str, reaches: tuple[Reach, ...], rng: np.random.Generator) -> tuple[Signboard, ...]:
    """Return a board for every county and township reach and for every second village reach, a few metres off its line."""
    boards: list[Signboard] = []
    for number, reach in enumerate(reaches):
        if reach.level == "village" and number % SIGNBOARD_EVERY:
            continue
        points = list(reach.geometry.vertices())
        longitude, latitude = points[int(rng.integers(len(points) // 4, max(len(points) // 2, 1) + 1))]
        east, north = rng.uniform(-0.00012, 0.00012, 2)
        place = round(latitude + float(north), 6), round(longitude + float(east), 6)
        boards.append(Signboard(f"{code}B{len(boards) + 1:03d}", reach.code, *place))
    return tuple(boards)

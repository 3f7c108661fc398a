"""Which reaches lie near a position: an immutable R-tree of all reaches in memory.

The tree holds pieces, not reaches: parts of multi-part shapes, stretches of long lines, tiles of large lakes. Small
pieces have tight boxes and cheap exact distances, so that the cost of a question follows what is near, not what is
long. It is built once before the processes fork and only read afterwards, so that they share its memory.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.geometry import (
    Floats,
    Geometry,
    distance_m,
    metres_per_mercator_unit,
    project,
    project_array,
    unproject,
)

# A phone that reports a worse accuracy than this does not know where it is; more would only collect far reaches.
ACCURACY_CAP_M = 200.0
# Segments of a line, or corners of a tile, in one piece: half of it or twice it costs the same in measurements.
PIECE_SEGMENTS = 24
TILE_CORNERS = 64


class IndexedReach(NamedTuple):
    """What the index needs of a reach: lon/lat geometry as WKB or Shapely geometry, and how far its tolerance goes."""

    id: UUID
    geometry: bytes | Geometry
    tolerance_m: float


class Candidate(NamedTuple):
    """A reach near the asked position; `inside` only for areas (lakes), whose distance is then 0."""

    reach_id: UUID
    distance_m: float
    inside: bool
    within_tolerance: bool


class ReachIndex:
    """All reaches by place; safe to share between threads and forked processes, since nothing in it changes."""

    def __init__(self, reaches: Iterable[IndexedReach]) -> None:
        """Build from reaches in any order; empty geometries are left out, for nothing is near them."""
        rows = list(reaches)
        self._ids = [row.id for row in rows]
        self._tolerances_m = [float(row.tolerance_m) for row in rows]
        self._widest_tolerance_m = max(self._tolerances_m, default=0.0)
        geometries = shapely.transform(_geometries(rows), project_array)
        self._pieces, self._reach_of = _pieces(geometries)
        self._is_area = shapely.get_dimensions(self._pieces) == 2
        self._tree = shapely.STRtree(self._pieces)

    def __len__(self) -> int:
        """Return the number of reaches that the index was built from."""
        return len(self._ids)

    def near(self, latitude: float, longitude: float, accuracy_m: float, limit: int = 24) -> list[Candidate]:
        """Return the reaches near a WGS 84 position, nearest first, equals by id.

        A reach is within tolerance when its distance is at most the accuracy (capped at `ACCURACY_CAP_M`) plus its own
        tolerance. Nearer reaches with a smaller tolerance are listed too, but never push one that is within out of the
        `limit`. Levels of administration lie on top of each other: five levels on two banks are ten candidates.
        """
        scale = metres_per_mercator_unit(latitude)
        x, y = project(latitude, longitude)
        accuracy_m = min(max(0.0, accuracy_m), ACCURACY_CAP_M)
        widest_m = accuracy_m + self._widest_tolerance_m
        r = widest_m / scale
        hits = self._tree.query(shapely.box(x - r, y - r, x + r, y + r))
        if not hits.size:
            return []
        distances = (shapely.distance(self._pieces[hits], shapely.Point(x, y)) * scale).tolist()
        nearest: dict[int, tuple[float, bool]] = {}
        for reach, away_m, area in zip(self._reach_of[hits].tolist(), distances, self._is_area[hits].tolist(), strict=True):
            if away_m <= widest_m and (reach not in nearest or away_m < nearest[reach][0]):
                nearest[reach] = (away_m, area and away_m == 0.0)
        found = [
            Candidate(self._ids[reach], away_m, inside, away_m <= accuracy_m + self._tolerances_m[reach])
            for reach, (away_m, inside) in nearest.items()
        ]
        if len(found) > limit:
            found = sorted(found, key=lambda c: (not c.within_tolerance, c.distance_m, c.reach_id))[:limit]
        found.sort(key=lambda c: (c.distance_m, c.reach_id))
        return found

    def nearest_any(self, latitude: float, longitude: float, max_m: float = 50_000.0) -> Candidate | None:
        """Return the nearest reach up to about `max_m` away, however far out of tolerance, to explain "3.2 km away".

        `within_tolerance` counts the reach's own tolerance only.
        """
        x, y = project(latitude, longitude)
        here = shapely.Point(x, y)
        hits = self._tree.query_nearest(here, max_distance=max(max_m, 1e-9) / metres_per_mercator_unit(latitude))
        if not hits.size:
            return None
        piece = min(hits.tolist(), key=lambda hit: self._ids[self._reach_of[hit]])
        reach = int(self._reach_of[piece])
        # Over kilometres the scale of the map changes with latitude: measure on the ellipsoid.
        there = shapely.get_coordinates(shapely.shortest_line(self._pieces[piece], here))[0]
        away_m = distance_m(latitude, longitude, *unproject(*there.tolist()))
        inside = bool(self._is_area[piece]) and bool(shapely.intersects(self._pieces[piece], here))
        away_m = 0.0 if inside else away_m
        return Candidate(self._ids[reach], away_m, inside, away_m <= self._tolerances_m[reach])


def _geometries(rows: list[IndexedReach]) -> NDArray[Any]:
    raw = np.empty(len(rows), dtype=object)
    raw[:] = [row.geometry for row in rows]
    stored = np.array([isinstance(row.geometry, bytes) for row in rows], dtype=bool)
    raw[stored] = shapely.from_wkb(raw[stored])
    return raw


def _pieces(geometries: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return the pieces of all geometries and, for each piece, the row of its reach."""
    parts, reach_of = shapely.get_parts(geometries, return_index=True)
    kept = ~shapely.is_empty(parts)
    parts, reach_of = parts[kept], reach_of[kept]
    corners, areas = shapely.get_num_coordinates(parts), shapely.get_dimensions(parts) == 2
    long, large = ~areas & (corners > PIECE_SEGMENTS + 1), areas & (corners > TILE_CORNERS)
    stretches, line_of = _stretches(parts[long])
    tiled = [(tile, row) for polygon, row in zip(parts[large], reach_of[large], strict=True) for tile in _tiles(polygon)]
    tiles = np.empty(len(tiled), dtype=object)
    tiles[:] = [tile for tile, _ in tiled]
    rest = ~(long | large)
    pieces = np.concatenate([parts[rest], stretches, tiles])
    rows = np.concatenate([reach_of[rest], reach_of[long][line_of], np.array([row for _, row in tiled], dtype=int)])
    return pieces, rows.astype(np.int32)


def _stretches(lines: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Cut each line into stretches of nearly equal numbers of segments; return them and the row of each one's line."""
    coordinates: Floats = shapely.get_coordinates(lines)
    vertices = shapely.get_num_coordinates(lines).astype(np.int64)
    segments = vertices - 1
    count = -(-segments // PIECE_SEGMENTS)
    line_of = np.repeat(np.arange(len(lines)), count)
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    start_of_line = (np.cumsum(vertices) - vertices)[line_of]
    first = start_of_line + nth * segments[line_of] // count[line_of]
    last = start_of_line + (nth + 1) * segments[line_of] // count[line_of]
    sizes = last - first + 1
    taken = np.arange(sizes.sum()) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
    return shapely.linestrings(coordinates[taken], indices=np.repeat(np.arange(len(sizes)), sizes)), line_of


def _tiles(polygon: Geometry) -> list[Geometry]:
    """Halve a polygon across its longer side until each tile has few corners; the tiles cover exactly the polygon."""
    tiles: list[Geometry] = []
    open_ = [polygon]
    while open_:
        part = open_.pop()
        west, south, east, north = shapely.bounds(part).tolist()
        # A tile of less than a metre that still has many corners is a spiked shape that halving does not help.
        if shapely.get_num_coordinates(part) <= TILE_CORNERS or max(east - west, north - south) < 1.0:
            tiles.append(part)
            continue
        middle_x, middle_y = (west + east) / 2, (south + north) / 2
        halves = (
            [(west, south, middle_x, north), (middle_x, south, east, north)] if east - west >= north - south
            else [(west, south, east, middle_y), (west, middle_y, east, north)]
        )  # fmt: skip
        for half in halves:
            open_ += [cut for cut in shapely.get_parts(_clip(part, half)) if shapely.get_dimensions(cut) == 2]
    return tiles


def _clip(polygon: Geometry, box: tuple[float, float, float, float]) -> Geometry:
    # Clipping by a rectangle is ten times as fast as intersecting, but may return invalid shapes at awkward corners.
    clipped = shapely.clip_by_rect(polygon, *box)
    return clipped if shapely.is_valid(clipped) else shapely.intersection(shapely.make_valid(polygon), shapely.box(*box))

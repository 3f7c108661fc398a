"""Where on a reach somebody stands: points along its line, clear of other waters, with the noise of a receiver."""

import random
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from patrol.demo.landscape import Landscape
from patrol.demo.registers import METRES_PER_DEGREE_EAST, METRES_PER_DEGREE_NORTH, Reach
from patrol.foundation.geometry import Datum, Floats, from_wgs84

CLEAR_OF_OTHERS_M = 170.0
_SQUASH = METRES_PER_DEGREE_EAST / METRES_PER_DEGREE_NORTH

Position = tuple[float, float]
"""Latitude and longitude in degrees."""


class Waterside:
    """Finds places at the waters of a landscape."""

    def __init__(self, land: Landscape) -> None:
        """Lay out the village reaches, on which people patrol and find things."""
        self.reaches = {reach.code: reach for reach in land.reaches if reach.level == "village"}
        self._lines = {code: self._flat(reach) for code, reach in self.reaches.items()}
        self._tree = shapely.STRtree(list(self._lines.values()))
        self._codes = list(self._lines)

    def place(self, reach_code: str, share: float, rng: random.Random, noise_m: float = 12.0) -> Position:
        """Return a place near the point at `share` (0 to 1) of the reach's length (of a lake's shore)."""
        point = self._lines[reach_code].interpolate(share, normalized=True)
        north = rng.gauss(0.0, noise_m / 2) / METRES_PER_DEGREE_NORTH
        east = rng.gauss(0.0, noise_m / 2) / METRES_PER_DEGREE_EAST
        return round(point.y + north, 6), round(point.x / _SQUASH + east, 6)

    def along(self, reach_code: str, shares: Floats) -> Floats:
        """Return local metres east and north, shape (n, 2), at shares of a reach's length; beyond 1 a shore goes on."""
        points = shapely.line_interpolate_point(self._lines[reach_code], self._on_line(reach_code, shares), normalized=True)
        metres: Floats = shapely.get_coordinates(points) * METRES_PER_DEGREE_NORTH
        return metres

    def length_m(self, reach_code: str) -> float:
        """Return the length of a reach's line, of a lake's shore, in metres."""
        return float(self._lines[reach_code].length * METRES_PER_DEGREE_NORTH)

    def is_ring(self, reach_code: str) -> bool:
        """Tell whether the reach is the shore of standing water, which one walks around."""
        return bool(self._lines[reach_code].is_closed)

    def share_nearest(self, reach_code: str, metres: Floats) -> tuple[float, float]:
        """Return the share of a reach's line nearest to local metres, shape (2,), and the distance there in metres."""
        line, point = self._lines[reach_code], shapely.Point(*(metres / METRES_PER_DEGREE_NORTH))
        return float(line.project(point, normalized=True)), float(line.distance(point) * METRES_PER_DEGREE_NORTH)

    def _on_line(self, reach_code: str, shares: Floats) -> Floats:
        return shares % 1.0 if self.is_ring(reach_code) else np.clip(shares, 0.0, 1.0)

    def is_clear(self, reach_code: str, place: Position) -> bool:
        """Tell whether no other village reach comes near, so that the reach surely answers for the place."""
        point = shapely.Point(place[1] * _SQUASH, place[0])
        near = self._tree.query(point, predicate="dwithin", distance=CLEAR_OF_OTHERS_M / METRES_PER_DEGREE_NORTH)
        return {self._codes[i] for i in near} <= {reach_code}

    def away_from_water(self, place: Position, rng: random.Random) -> Position:
        """Return a place some kilometres off that lies at no village reach."""
        for _ in range(200):
            moved = (round(place[0] + rng.uniform(-0.03, 0.03), 6), round(place[1] + rng.uniform(-0.03, 0.03), 6))
            if self.is_clear("", moved):
                return moved
        raise ValueError("no dry place nearby")

    def _flat(self, reach: Reach) -> Any:
        shape = shapely.geometry.shape(reach.geometry.as_geojson())
        line = shape.exterior if reach.geometry.type == "Polygon" else shape
        if line.geom_type == "MultiLineString":
            line = max(line.geoms, key=lambda part: part.length)
        return shapely.transform(line, lambda points: points * (_SQUASH, 1.0))


def as_gcj02(place: Position) -> Position:
    """Return a WGS 84 place (latitude, longitude) as maps in China show it (GCJ-02), which some telephones send."""
    latitude, longitude = from_wgs84(*place, Datum.GCJ02)
    return round(latitude, 6), round(longitude, 6)

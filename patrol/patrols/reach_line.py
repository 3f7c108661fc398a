"""A reach laid out for measuring: straight segments in local metres, their measure along the reach, and its cells. Pure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, Geometry, length_m, metres_per_mercator_unit, project_array

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class ReachLine:
    """One reach of `length_m` metres, made of `n` straight segments in the order of their measure.

    Several lines (a braided river) follow one another in measure, each a part of its own. A lake is its shore, a ring:
    its measure begins again where it ends. Local coordinates are metres east and north of some place near.
    """

    length_m: float
    is_ring: bool
    scale: float
    start: Floats
    end: Floats
    segment_measure: Floats
    segment_part: Indices
    stretch: float
    cell_m: float

    @classmethod
    def of(cls, geometry: Geometry, *, cell_m: float) -> "ReachLine":
        """Lay out a line, lines, a polygon or polygons in WGS 84 degrees (longitude, latitude)."""
        lines, is_ring = _lines_of(geometry)
        middle_latitude = float(np.mean(shapely.bounds(geometry)[[1, 3]]))
        scale = metres_per_mercator_unit(middle_latitude)
        starts, ends, parts = [], [], []
        for number, line in enumerate(lines):
            points = shapely.get_coordinates(shapely.segmentize(shapely.transform(line, project_array), cell_m / scale)) * scale
            starts.append(points[:-1])
            ends.append(points[1:])
            parts.append(np.full(len(points) - 1, number, dtype=np.int64))
        start, end = np.concatenate(starts), np.concatenate(ends)
        lengths = np.hypot(*(end - start).T)
        whole_m = sum(length_m(line) for line in lines)
        # Web Mercator knows metres to a few thousandths here; the measure ends where the exact length says.
        stretch = whole_m / lengths.sum() if lengths.sum() > 0 else 1.0
        measure = np.concatenate([[0.0], np.cumsum(lengths * stretch)[:-1]])
        return cls(float(whole_m), is_ring, scale, start, end, measure, np.concatenate(parts), stretch, cell_m)

    def local(self, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
        """Return positions of shape (n,) in degrees as local metres."""
        xy = project_array(np.column_stack([longitude, latitude])) * self.scale
        return xy[:, 0], xy[:, 1]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Find segments near points."""
        return shapely.STRtree(shapely.linestrings(np.stack([self.start, self.end], axis=1)))

    def projected(self, x: Floats, y: Floats, segment: Indices) -> tuple[Floats, Floats]:
        """Return for each point and segment where the point falls onto it: measure, and distance, in metres."""
        ax, ay = self.start[segment].T
        dx, dy = (self.end[segment] - self.start[segment]).T
        square = np.maximum(dx * dx + dy * dy, 1e-12)
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / square, 0.0, 1.0)
        off_m = np.hypot(x - (ax + along * dx), y - (ay + along * dy))
        return self.segment_measure[segment] + along * np.sqrt(square) * self.stretch, off_m

    def local_minima(self, fix: Indices, segment: Indices, off_m: Floats) -> NDArray[np.bool_]:
        """Tell which of the pairs (sorted by fix, then segment) are nearer than both neighbours along the line."""
        if not len(fix):
            return np.zeros(0, dtype=bool)
        follows = (np.diff(fix) == 0) & (np.diff(segment) == 1) & (np.diff(self.segment_part[segment]) == 0)
        before = np.concatenate([[np.inf], np.where(follows, off_m[:-1], np.inf)])
        after = np.concatenate([np.where(follows, off_m[1:], np.inf), [np.inf]])
        # Two neighbouring segments share a point: equal distances are one minimum, the later segment's.
        return (off_m <= before) & (off_m < after)

    def along(self, first_m: Floats, second_m: Floats) -> Floats:
        """Return the way along the reach between measures, on a ring the shorter one."""
        way = np.abs(second_m - first_m)
        return np.minimum(way, self.length_m - way) if self.is_ring else way

    @property
    def cell_count(self) -> int:
        """How many cells the reach has; the last may be shorter."""
        return max(1, int(np.ceil(self.length_m / self.cell_m - 1e-9)))

    @cached_property
    def cell_lengths(self) -> Floats:
        """Metres of each cell."""
        edges = np.minimum(np.arange(self.cell_count + 1) * self.cell_m, self.length_m)
        return np.diff(edges)

    def cell_of(self, measure_m: Floats) -> Indices:
        """Return the cells in which measures lie."""
        return np.minimum((measure_m / self.cell_m).astype(np.int64), self.cell_count - 1)

    def mark(self, cells: NDArray[np.bool_], first_m: Floats, second_m: Floats) -> None:
        """Set the cells between measures, both included; on a ring those of the shorter way."""
        low, high = np.sort(np.stack([self.cell_of(first_m), self.cell_of(second_m)]), axis=0)
        around = self.is_ring & (np.abs(second_m - first_m) > self.length_m / 2)
        change = np.zeros(self.cell_count + 1, dtype=np.int64)
        np.add.at(change, low[~around], 1)
        np.add.at(change, high[~around] + 1, -1)
        # The shorter way passes the beginning: from the higher cell to the end, and from the start to the lower one.
        np.add.at(change, high[around], 1)
        change[-1] -= int(around.sum())
        change[0] += int(around.sum())
        np.add.at(change, low[around] + 1, -1)
        cells |= np.cumsum(change)[:-1] > 0

    def intervals(self, cells: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
        """Return the runs of set cells as intervals of measure."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(np.int8)))
        return tuple(
            (float(first * self.cell_m), float(min(last * self.cell_m, self.length_m))) for first, last in edges.reshape(-1, 2)
        )


def _lines_of(geometry: Geometry) -> tuple[list[Geometry], bool]:
    if shapely.get_dimensions(geometry) == 2:
        shores = [polygon.exterior for polygon in shapely.get_parts(geometry)]
        return [shapely.LineString(shore.coords) for shore in shores], len(shores) == 1
    merged = shapely.line_merge(geometry, directed=True) if shapely.get_num_geometries(geometry) > 1 else geometry
    lines = [line for line in shapely.get_parts(merged) if shapely.length(line) > 0]
    return lines or [shapely.get_parts(merged)[0]], False

"""A reach laid out for measuring: straight segments in local metres, their measure along the reach, and its cells. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, Geometry, distances_m, metres_per_mercator_unit, project_array

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ReachLine:
    """One reach, made of `n` straight segments of at most a cell's length, in the order of their measure.

    Several lines (a braided river) follow one another in measure, each a part of its own with its own cells. A closed
    line, and each shore of a lake and its islands, is a ring: its measure begins again where it ends. Places (`start`,
    `end`, `area`) are local metres east and north; lengths and measures are metres on the ellipsoid.

    Attributes:
        scale: metres of one Web Mercator unit here.
        start, end: (n, 2) where segments begin and end.
        segment_m: (n,) metres of each.
        segment_part: (n,) number of its part, from 0.
        ring: for each part whether it closes.
        cell_m: metres of a cell; the last of each part may be shorter.
        area: the water of a reach given as polygons, else None.
    """

    scale: float
    start: Floats
    end: Floats
    segment_m: Floats
    segment_part: Indices
    ring: Flags
    cell_m: float
    area: Geometry | None

    @classmethod
    def of(cls, geometry: Geometry, *, cell_m: float) -> "ReachLine":
        """Lay out a line, lines, a polygon or polygons in WGS 84 degrees (longitude, latitude)."""
        scale = metres_per_mercator_unit(float(np.mean(shapely.bounds(geometry)[[1, 3]])))
        lines = _lines_of(geometry)
        exact_m = np.concatenate([distances_m(line[:-1, 1], line[:-1, 0], line[1:, 1], line[1:, 0]) for line in lines])
        start, end = np.concatenate([line[:-1] for line in lines]), np.concatenate([line[1:] for line in lines])
        part = np.repeat(np.arange(len(lines)), [len(line) - 1 for line in lines])
        # Each segment is cut into equal pieces no longer than a cell, straight in degrees as GeoJSON says (RFC 7946, 3.1.1):
        # nearest places are then found by short pieces.
        pieces = np.maximum(1, np.ceil(exact_m / cell_m).astype(np.int64))
        whole = np.repeat(np.arange(len(pieces)), pieces)
        number = np.arange(len(whole)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        way, share = end[whole] - start[whole], 1 / pieces[whole]
        places = [project_array(start[whole] + way * (at * share)[:, None]) * scale for at in (number, number + 1)]
        ring = np.array([np.array_equal(line[0], line[-1]) and len(line) > 3 for line in lines])
        area = shapely.transform(geometry, project_array) if shapely.get_dimensions(geometry) == 2 else None
        if area is not None:
            area = shapely.transform(area, lambda xy: xy * scale)
            shapely.prepare(area)
        return cls(scale, places[0], places[1], (exact_m / pieces)[whole], part[whole], ring, cell_m, area)

    @cached_property
    def part_lengths(self) -> Floats:
        """Metres of each part."""
        lengths: Floats = np.zeros(len(self.ring))
        np.add.at(lengths, self.segment_part, self.segment_m)
        return lengths

    @cached_property
    def length_m(self) -> float:
        """Metres of the reach, as `geometry.length_m` has them."""
        return float(self.segment_m.sum())

    @cached_property
    def segment_measure(self) -> Floats:
        """Measure at which each segment begins."""
        return np.cumsum(self.segment_m) - self.segment_m

    def local(self, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
        """Return positions of shape (n,) in degrees as local metres."""
        xy = project_array(np.column_stack([longitude, latitude])) * self.scale
        return xy[:, 0], xy[:, 1]

    def inside(self, x: Floats, y: Floats) -> Flags:
        """Tell which places lie on the water of a reach given as polygons; none does for a line."""
        found: Flags = np.zeros(len(x), dtype=bool) if self.area is None else shapely.contains_xy(self.area, x, y)
        return found

    @cached_property
    def drawn(self) -> Geometry:
        """The parts as lines in local metres, one for each."""
        last = np.flatnonzero(np.diff(self.segment_part, append=-1))
        part = np.concatenate([self.segment_part, self.segment_part[last]])
        order = np.argsort(part, kind="stable")
        return shapely.linestrings(np.concatenate([self.start, self.end[last]])[order], indices=part[order])

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Find segments near points."""
        return shapely.STRtree(shapely.linestrings(np.stack([self.start, self.end], axis=1)))

    def projected(self, x: Floats, y: Floats, segment: Indices) -> tuple[Floats, Floats]:
        """Return for each point and segment where the point falls onto it: measure, and distance, in metres."""
        ax, ay = self.start[segment].T
        dx, dy = (self.end[segment] - self.start[segment]).T
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        off_m = np.hypot(x - (ax + along * dx), y - (ay + along * dy))
        return self.segment_measure[segment] + along * self.segment_m[segment], off_m

    def on(self, measure_m: Floats, segment: Indices) -> Floats:
        """Return the places (n, 2) at measures on their segments, in local metres."""
        share = (measure_m - self.segment_measure[segment]) / self.segment_m[segment]
        places: Floats = self.start[segment] + (self.end[segment] - self.start[segment]) * share[:, None]
        return places

    def local_minima(self, fix: Indices, segment: Indices, off_m: Floats) -> Flags:
        """Tell which of the pairs (sorted by fix, then segment) are nearer than both neighbours along the line."""
        if not len(fix):
            return np.zeros(0, dtype=bool)
        follows = (np.diff(fix) == 0) & (np.diff(segment) == 1) & (np.diff(self.segment_part[segment]) == 0)
        before = np.concatenate([[np.inf], np.where(follows, off_m[:-1], np.inf)])
        after = np.concatenate([np.where(follows, off_m[1:], np.inf), [np.inf]])
        # Two neighbouring segments share a point: equal distances are one minimum, the later segment's.
        return (off_m <= before) & (off_m < after)

    def along(self, first_m: Floats, second_m: Floats, part: Indices) -> Floats:
        """Return the way along the reach between measures in the same part, on a ring the shorter one."""
        way = np.abs(second_m - first_m)
        return np.where(self.ring[part], np.minimum(way, self.part_lengths[part] - way), way)

    @cached_property
    def _part_cells(self) -> Indices:
        """Number of the first cell of each part, and of all cells at the end."""
        counts = np.maximum(1, np.ceil(self.part_lengths / self.cell_m - 1e-9).astype(np.int64))
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def cell_edges(self) -> tuple[Floats, Floats]:
        """Measures at which cells begin and end."""
        first, end_m = self._part_cells, np.cumsum(self.part_lengths)
        part = np.repeat(np.arange(len(self.ring)), np.diff(first))
        start_m = (end_m - self.part_lengths)[part] + (np.arange(first[-1]) - first[part]) * self.cell_m
        return start_m, np.append(np.where(np.diff(part) == 0, start_m[1:], end_m[part[:-1]]), self.length_m)

    @property
    def no_cells(self) -> Flags:
        """Return one flag for each cell, none set."""
        return np.zeros(self._part_cells[-1], dtype=bool)

    def cell_of(self, measure_m: Floats, part: Indices) -> Indices:
        """Return the cells of their part in which measures lie."""
        within = measure_m - (np.cumsum(self.part_lengths) - self.part_lengths)[part]
        number = np.maximum(within / self.cell_m, 0).astype(np.int64)
        cells: Indices = np.minimum(self._part_cells[part] + number, self._part_cells[part + 1] - 1)
        return cells

    def mark(self, cells: Flags, first_m: Floats, second_m: Floats, part: Indices) -> None:
        """Set the cells between measures in the same part, both included; on a ring those of the shorter way."""
        low, high = np.sort(np.stack([self.cell_of(first_m, part), self.cell_of(second_m, part)]), axis=0)
        around = self.ring[part] & (np.abs(second_m - first_m) > self.part_lengths[part] / 2)
        # The shorter way passes the beginning: from the higher cell to the part's end, and from its start to the lower.
        begins = np.concatenate([low[~around], high[around], self._part_cells[part[around]]])
        ends = np.concatenate([high[~around] + 1, self._part_cells[part[around] + 1], low[around] + 1])
        change = np.bincount(begins, minlength=len(cells) + 1) - np.bincount(ends, minlength=len(cells) + 1)
        cells |= np.cumsum(change)[:-1] > 0

    def intervals(self, cells: Flags) -> tuple[tuple[float, float], ...]:
        """Return the runs of set cells as intervals of measure."""
        begin, end = self.cell_edges
        edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(np.int8)))
        return tuple((float(begin[first]), float(end[last - 1])) for first, last in edges.reshape(-1, 2))


def _lines_of(geometry: Geometry) -> list[Floats]:
    """Return the coordinates of the parts in their own order: shores and islands of a lake, or lines."""
    parts = shapely.get_parts(geometry)
    if shapely.get_dimensions(geometry) == 2:
        return [_without_repeats(ring) for ring in shapely.get_rings(parts)]
    lines: list[Floats] = []
    for line in map(_without_repeats, parts):
        if lines and np.array_equal(lines[-1][-1], line[0]):
            # One line drawn in pieces is one part: walking past the seam must not end a bridge.
            lines[-1] = np.concatenate([lines[-1], line[1:]])
        else:
            lines.append(line)
    return _chained([line for line in lines if len(line) > 1]) or [shapely.get_coordinates(parts[0])[:2]]


def _chained(lines: list[Floats]) -> list[Floats]:
    """Join lines wherever just two ends meet, in whatever order and direction they were drawn.

    River data often comes in pieces that follow no order. The first piece of a chain says which way its measure runs.
    Where arms part or meet three ends lie together: which of them goes on is not guessed.
    """
    meeting: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        for end in (line[0], line[-1]):
            meeting[tuple(end.tolist())].append(number)
    found, left = [], dict.fromkeys(range(len(lines)))

    def onward(chain: list[Floats]) -> list[Floats]:
        while True:
            end = chain[-1][-1]
            following = [number for number in meeting[tuple(end.tolist())] if number in left]
            if not following or len(meeting[tuple(end.tolist())]) != 2:
                return chain
            piece = lines[following[0]]
            del left[following[0]]
            chain.append((piece if np.array_equal(piece[0], end) else piece[::-1])[1:])

    while left:
        number = next(iter(left))
        del left[number]
        chain = onward([lines[number]])
        before = onward([lines[number][::-1]])[1:]
        found.append(np.concatenate([*(piece[::-1] for piece in before[::-1]), *chain]))
    return found


def _without_repeats(line: Geometry) -> Floats:
    points: Floats = shapely.get_coordinates(line)
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = np.any(np.diff(points, axis=0) != 0, axis=1)
    return points[keep]

"""Where the parts of a reach meet, and the ways that lead from one part to another. Pure."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush

import numpy as np
import shapely

from patrol.foundation.geometry import Floats, Geometry
from patrol.patrols.coverage_policy import CoveragePolicy
from patrol.patrols.reach_line import Indices, ReachLine

# Nearer to its end than so many times the distance of a meeting a line does not meet itself: it is only that end.
_ITSELF = 10
Place = tuple[int, float]


@dataclass(frozen=True)
class Meetings:
    """Where ends of parts meet other parts: columns of equal length, measures in metres along the reach.

    `joints` are lines that close what was not drawn quite together, in local metres.
    """

    part: Indices
    measure_m: Floats
    other_part: Indices
    other_m: Floats
    joints: Geometry

    @classmethod
    def of(cls, line: ReachLine, policy: CoveragePolicy) -> "Meetings":
        """Return where an end lies within `meet_m` of another part.

        Two ends that meet nothing are those of arms that the reach's own end cuts, or of lines along both banks: a joint
        is between them where they lie no farther apart than arms may. No way leads over it.
        """
        open_parts = np.intersect1d(np.flatnonzero(~line.ring), line.segment_part)
        first = np.searchsorted(line.segment_part, open_parts)
        last = np.searchsorted(line.segment_part, open_parts, side="right") - 1
        part = np.concatenate([open_parts, open_parts])
        place = np.concatenate([line.start[first], line.end[last]])
        at_m = np.concatenate([line.segment_measure[first], line.segment_measure[last] + line.segment_m[last]])
        end, segment = line.tree.query(shapely.points(place), "dwithin", distance=policy.meet_m)
        other_m, off_m = line.projected(place[end, 0], place[end, 1], segment)
        # A line that runs round an island and ends on itself meets itself there.
        elsewhere = (line.segment_part[segment] != part[end]) | (np.abs(other_m - at_m[end]) > _ITSELF * policy.meet_m)
        end, segment, other_m, off_m = end[elsewhere], segment[elsewhere], other_m[elsewhere], off_m[elsewhere]
        order = np.lexsort((off_m, line.segment_part[segment], end))
        end, segment, other_m = end[order], segment[order], other_m[order]
        other = line.segment_part[segment]
        # Of several pieces of one part the nearest.
        nearest = np.append(True, (np.diff(end) != 0) | (np.diff(other) != 0))[: len(end)]
        end, segment, other, other_m = end[nearest], segment[nearest], other[nearest], other_m[nearest]
        free = np.setdiff1d(np.arange(len(part)), end)
        one, two = (free[side] for side in np.triu_indices(len(free), 1))
        near = (part[one] != part[two]) & (np.hypot(*(place[one] - place[two]).T) <= policy.arms_apart_m)
        pairs = np.concatenate([np.stack([place[end], line.on(other_m, segment)], axis=1), np.stack([place[one[near]], place[two[near]]], axis=1)])
        drawn = np.hypot(*(pairs[:, 1] - pairs[:, 0]).T) > 0
        return cls(part[end], at_m[end], other, other_m, shapely.linestrings(pairs[drawn]))

    @cached_property
    def doors(self) -> dict[Place, list[Place]]:
        """For each (part, measure) of a meeting those at which one is then as well."""
        found: dict[Place, list[Place]] = {}
        columns = (self.part, self.measure_m, self.other_part, self.other_m)
        for part, at_m, other, other_m in zip(*(column.tolist() for column in columns), strict=True):
            found.setdefault((part, at_m), []).append((other, other_m))
            found.setdefault((other, other_m), []).append((part, at_m))
        return found

    @cached_property
    def ways(self) -> dict[tuple[int, int], list[tuple[float, float]]]:
        """For each two parts that meet, in either order, the measures of their meetings on each."""
        found: dict[tuple[int, int], list[tuple[float, float]]] = {}
        for (part, at_m), others in self.doors.items():
            for other, other_m in others:
                found.setdefault((part, other), []).append((at_m, other_m))
        return found

    def route(self, line: ReachLine, start: Place, end: Place) -> tuple[list[tuple[int, float, float]], float] | None:
        """Return the shortest way from one place of the reach to another, in stretches (part, from_m, to_m), and its metres.

        None where no way leads from the one to the other.
        """
        came_from: dict[Place, Place] = {}
        heap = [(0.0, start, start)]
        while heap:
            way_m, at, before = heappop(heap)
            if at in came_from:
                continue
            came_from[at] = before
            if at == end:
                break
            for following, further_m in self._onward(line, at, end):
                if following not in came_from:
                    heappush(heap, (way_m + further_m, following, at))
        else:
            return None
        stretches = []
        while at != start:
            before = came_from[at]
            if before[0] == at[0]:
                stretches.append((at[0], before[1], at[1]))
            at = before
        return stretches[::-1], way_m

    @cached_property
    def _stops(self) -> dict[int, list[float]]:
        found: dict[int, list[float]] = {}
        for part, at_m in sorted(self.doors):
            found.setdefault(part, []).append(at_m)
        return found

    def _onward(self, line: ReachLine, at: Place, end: Place) -> Iterator[tuple[Place, float]]:
        """Yield the next meetings along the part on either side, and the other parts that meet here; on its part the end."""
        part, at_m = at
        stops = self._stops.get(part, [])
        number = bisect_left(stops, at_m)
        beside = {stops[index % len(stops)] for index in (number - 1, number, number + 1) if line.ring[part] or 0 <= index < len(stops)} if stops else set()
        for stop_m in sorted(beside | ({end[1]} if end[0] == part else set())):
            yield (part, stop_m), float(line.along(np.array(at_m), np.array(stop_m), np.array(part)))
        for door in self.doors.get(at, ()):
            yield door, 0.0

"""How much of a reach a track shows to be walked: bounded linear referencing on cells. Pure; docs/coverage.md tells more.

Each fix is put onto the reach at every place where the line comes nearest to it (a meander's neck has two), and the most
likely sequence of such places is chosen. Cells under it are covered, and cells between two fixes when little time and
way lie between. Where the recorder was silent for longer and the track goes on beyond, cells are *unobserved*: nobody
knows. A mere buffer round the track would credit a whole reach to two fixes at its ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from patrol.foundation.geometry import Floats, Geometry
from patrol.patrols.coverage_policy import DEFAULT_POLICY, CoveragePolicy
from patrol.patrols.fix_places import Places, likeliest, usable
from patrol.patrols.intervals import Interval, cut, gaps, joined, total, without_pauses
from patrol.patrols.reach_arms import arms_of
from patrol.patrols.reach_line import Flags, Indices, ReachLine
from patrol.patrols.reach_meetings import Meetings
from patrol.patrols.track import Track

__all__ = ["ALGORITHM", "DEFAULT_POLICY", "Coverage", "CoveragePolicy", "cover", "union"]

ALGORITHM = "cells-6"


@dataclass(frozen=True)
class Coverage:
    """What a track shows of one reach, in metres along it; the three parts are disjoint and make up `length_m`.

    `low` and `high` are what is covered when fixes count within 20 m less and 20 m more: `low` lies within `covered`,
    and `covered` within `high`.
    """

    length_m: float
    covered: tuple[Interval, ...]
    unobserved: tuple[Interval, ...]
    low: tuple[Interval, ...]
    high: tuple[Interval, ...]

    @property
    def covered_m(self) -> float:
        """Metres that were walked."""
        return total(self.covered)

    @property
    def unobserved_m(self) -> float:
        """Metres that lie in a gap of the recording."""
        return total(self.unobserved)

    @property
    def low_m(self) -> float:
        """Metres that were walked at least."""
        return total(self.low)

    @property
    def high_m(self) -> float:
        """Metres that were walked at most."""
        return total(self.high)

    @property
    def not_visited(self) -> tuple[Interval, ...]:
        """What is neither covered nor unobserved."""
        return gaps(joined([*self.covered, *self.unobserved]), self.length_m)

    @property
    def not_visited_m(self) -> float:
        """Metres where nobody was."""
        return total(self.not_visited)

    @property
    def share(self) -> float:
        """Covered part of the reach, 0 to 1."""
        return self.covered_m / self.length_m if self.length_m else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON, metres to the decimetre."""
        intervals = {name: [[round(a, 1), round(b, 1)] for a, b in getattr(self, name)] for name in ("covered", "unobserved", "not_visited")}
        return {
            "algorithm": ALGORITHM,
            "length_m": round(self.length_m, 1), "covered_m": round(self.covered_m, 1), "unobserved_m": round(self.unobserved_m, 1),
            "not_visited_m": round(self.not_visited_m, 1), "low_m": round(self.low_m, 1), "high_m": round(self.high_m, 1),
            "intervals": intervals,
        }  # fmt: skip


def cover(
    geometry: Geometry, track: Track, *, pauses_ms: Sequence[tuple[int, int]] = (), inside_counts: bool = False,
    policy: CoveragePolicy = DEFAULT_POLICY,
) -> Coverage:  # fmt: skip
    """Return how much of a reach (line, lines or polygon in WGS 84 degrees) the track shows to be walked.

    Out-and-back and loops count once. Of a braided river the arm across a narrow island counts as seen, and water that is
    drawn twice as walked once. A lake's reach
    runs along its shores, those of islands too, and closes. Fixes in a pause, fixes with an accuracy worse than 100 m and
    spikes are left out of the sum; nothing is changed in the track. What was passed in a pause was not walked: nothing is
    bridged over a pause, and a pause is no gap of the recording.

    Args:
        geometry: the reach.
        track: fixes in the order of time.
        pauses_ms: (start, end) of each pause, milliseconds since 1970 UTC, in any order.
        inside_counts: whether a fix on a lake's water counts for the nearest shore up to 500 m away. True suits boats,
            which look at the shore from the water; on foot such a fix is an error or a ferry.
        policy: the numbers of the rule.
    """
    line = ReachLine.of(geometry, cell_m=policy.cell_m)
    meetings = Meetings.of(line, policy)
    arms = arms_of(line, meetings, policy)
    fixes = usable(track, pauses_ms, policy)
    # The places are chosen once, with all that may count: what is low lies within what is covered, and that within high.
    chosen = likeliest(line, Places.of(line, fixes, policy, inside_counts=inside_counts), policy, meetings.ways)
    pauses_s = joined([(start / 1000, end / 1000) for start, end in pauses_ms if start <= end])
    found = [chosen.at(chosen.spare_m + slack_m >= 0) for slack_m in (0.0, -policy.range_m, policy.range_m)]
    covered, low, high = (arms.seen_from(_walked(line, meetings, each, pauses_s, policy)) for each in found)
    silent = arms.seen_from(_silent(line, meetings, found[0], fixes.recorded_ms / 1000.0, pauses_s, policy)) & ~covered
    return Coverage(line.length_m, *(line.intervals(cells) for cells in (covered, silent, low, high)))


def union(coverages: Sequence[Coverage]) -> Coverage:
    """Return what several tracks show together of one reach: each metre once, never the sum. Raises ValueError for none.

    What one left unobserved and another covered is covered. The range is the union of the ranges.
    """
    if not coverages:
        raise ValueError("a union needs at least one coverage")
    length_m = coverages[0].length_m
    covered, low, high = (joined([part for each in coverages for part in getattr(each, name)]) for name in ("covered", "low", "high"))
    open_parts = gaps(covered, length_m)
    unobserved = joined([piece for each in coverages for interval in each.unobserved for piece in cut(interval, open_parts)])
    return Coverage(length_m, covered, unobserved, low, high)


def _walked(line: ReachLine, meetings: Meetings, chosen: Places, pauses_s: Sequence[Interval], policy: CoveragePolicy) -> Flags:
    """Return the cells of these fixes, and those between any two of them that are near in time and way.

    Every pair counts for itself, whatever lies between: one more fix never takes away what two others show. The way from
    one part to another leads through the place where they meet.
    """
    cells, at_s = line.no_cells, chosen.at_s
    cells[line.cell_of(chosen.measure_m, chosen.part)] = True
    leg = np.searchsorted([end for _, end in pauses_s], at_s)
    stretches: list[tuple[Floats, Floats, Indices]] = []
    for apart in range(1, min(policy.most_pairs, len(at_s) - 1) + 1):
        first = np.flatnonzero(at_s[apart:] - at_s[:-apart] <= policy.longest_bridge_s)
        if not len(first):
            break
        first = first[leg[first] == leg[first + apart]]
        second = first + apart
        step_m = np.hypot(chosen.x[second] - chosen.x[first], chosen.y[second] - chosen.y[first])
        radius_m = np.maximum(chosen.radius_m[first], chosen.radius_m[second])
        longest_m = np.minimum(policy.longest_bridge_m, policy.stretch * step_m + radius_m)
        begin_m, end_m, part, other = chosen.measure_m[first], chosen.measure_m[second], chosen.part[first], chosen.part[second]
        near = (part == other) & (line.along(begin_m, end_m, part) <= longest_m)
        line.mark(cells, begin_m[near], end_m[near], part[near])
        across = np.flatnonzero(part != other)
        for one, two in set(zip(part[across].tolist(), other[across].tolist(), strict=True)):
            pair = across[(part[across] == one) & (other[across] == two)]
            for here_m, there_m in meetings.ways.get((one, two), ()):
                to_m, from_m = np.full(len(pair), here_m), np.full(len(pair), there_m)
                way_m = line.along(begin_m[pair], to_m, part[pair]) + line.along(from_m, end_m[pair], other[pair])
                short = way_m <= longest_m[pair]
                stretches += [(begin_m[pair[short]], to_m[short], part[pair[short]]), (from_m[short], end_m[pair[short]], other[pair[short]])]
    if stretches:
        line.mark(cells, *(np.concatenate(column) for column in zip(*stretches, strict=True)))
    return cells


def _silent(
    line: ReachLine, meetings: Meetings, chosen: Places, recorded_s: Floats, pauses_s: Sequence[Interval], policy: CoveragePolicy
) -> Flags:  # fmt: skip
    """Return the cells between two fixes on the reach, between which the recorder was silent long enough to have gone there.

    Silence is measured between all usable fixes, not only those on the reach: a track that goes on elsewhere is no gap.
    Time in a pause does not count. Between two parts the cells are those of the shortest way along the reach.
    """
    cells = line.no_cells
    if len(chosen.fix) < 2:
        return cells
    awake_s = without_pauses(recorded_s, pauses_s)
    silence_s = np.maximum.reduceat(np.diff(awake_s)[: chosen.fix[-1]], chosen.fix[:-1])
    begin_m, end_m, part, other = chosen.measure_m[:-1], chosen.measure_m[1:], chosen.part[:-1], chosen.part[1:]
    along_m = line.along(begin_m, end_m, part)
    gap = ((silence_s > policy.longest_bridge_s) | (along_m > policy.longest_bridge_m)) & (part == other)
    gap &= along_m <= policy.fastest_mps * silence_s
    line.mark(cells, begin_m[gap], end_m[gap], part[gap])
    for index in np.flatnonzero((part != other) & (silence_s > policy.longest_bridge_s)).tolist():
        start, end = (int(part[index]), float(begin_m[index])), (int(other[index]), float(end_m[index]))
        stretches, way_m = meetings.route(line, start, end) or ([], 0.0)
        if way_m <= policy.fastest_mps * silence_s[index]:
            for on, from_m, to_m in stretches:
                line.mark(cells, np.array([from_m]), np.array([to_m]), np.array([on]))
    return cells

"""How much of a reach a track shows to be walked: bounded linear referencing on cells. Pure.

Each fix is put onto the reach at every place where the line comes nearest to it (a meander's neck has two), and the most
likely sequence of such places is chosen. Cells under it are covered, and cells between two fixes when little time and
way lie between. Where the recorder was silent for longer and the track goes on beyond, cells are *unobserved*: nobody
knows. A mere buffer round the track would credit a whole reach to two fixes at its ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, Geometry
from patrol.patrols.reach_line import ReachLine
from patrol.patrols.track import Track

ALGORITHM = "cells-1"
Interval = tuple[float, float]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class CoveragePolicy:
    """The numbers of the rule, from simulated walks with known truth (`make bench`): see docs/coverage.md.

    A fix counts for the line within `base_radius_m` plus twice its accuracy, at least `least_radius_m`, at most
    `most_radius_m`. Phones in valleys claim better accuracies than they have, hence `inflation`.
    """

    cell_m: float = 25.0
    base_radius_m: float = 30.0
    least_radius_m: float = 50.0
    most_radius_m: float = 120.0
    range_m: float = 20.0
    assumed_accuracy_m: float = 20.0
    least_accuracy_m: float = 10.0
    inflation: float = 1.5
    worst_accuracy_m: float = 100.0
    longest_bridge_s: float = 180.0
    longest_bridge_m: float = 300.0
    stretch: float = 2.5
    fastest_mps: float = 40.0


DEFAULT_POLICY = CoveragePolicy()


@dataclass(frozen=True)
class Coverage:
    """What a track shows of one reach, in metres along it; the three parts are disjoint and make up `length_m`.

    `low_m` and `high_m` are what is covered when fixes count within 20 m less and 20 m more.
    """

    length_m: float
    covered: tuple[Interval, ...]
    unobserved: tuple[Interval, ...]
    low_m: float
    high_m: float

    @property
    def covered_m(self) -> float:
        """Metres that were walked."""
        return _total(self.covered)

    @property
    def unobserved_m(self) -> float:
        """Metres that lie in a gap of the recording."""
        return _total(self.unobserved)

    @property
    def not_visited(self) -> tuple[Interval, ...]:
        """What is neither covered nor unobserved."""
        return _gaps(_joined([*self.covered, *self.unobserved]), self.length_m)

    @property
    def not_visited_m(self) -> float:
        """Metres where nobody was."""
        return _total(self.not_visited)

    @property
    def share(self) -> float:
        """Covered part of the reach, 0 to 1."""
        return self.covered_m / self.length_m if self.length_m else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON, metres to the decimetre."""
        intervals = {name: [[round(a, 1), round(b, 1)] for a, b in getattr(self, name)] for name in ("covered", "unobserved", "not_visited")}
        return {
            "length_m": round(self.length_m, 1), "covered_m": round(self.covered_m, 1), "unobserved_m": round(self.unobserved_m, 1),
            "not_visited_m": round(self.not_visited_m, 1), "low_m": round(self.low_m, 1), "high_m": round(self.high_m, 1),
            "intervals": intervals,
        }  # fmt: skip


def cover(
    geometry: Geometry, track: Track, *, pauses_ms: Sequence[tuple[int, int]] = (), policy: CoveragePolicy = DEFAULT_POLICY
) -> Coverage:
    """Return how much of a reach (line, lines or polygon in WGS 84 degrees) the track shows to be walked.

    Out-and-back and loops count once. A lake's reach runs along its shore and closes. Fixes in a pause, fixes with an
    accuracy worse than 100 m and spikes are left out of the sum; nothing is changed in the track.
    """
    line = ReachLine.of(geometry, cell_m=policy.cell_m)
    usable = _usable(track, pauses_ms, policy)
    if not len(usable):
        return Coverage(line.length_m, (), (), 0.0, 0.0)
    found = _Candidates.of(line, usable, policy)
    middle, low, high = (_credited(line, found.within(slack_m), policy) for slack_m in (0.0, -policy.range_m, policy.range_m))
    covered, silent = middle
    low_m, high_m = (float(line.cell_lengths[cells].sum()) for cells, _ in (low, high))
    covered_m = float(line.cell_lengths[covered].sum())
    return Coverage(
        line.length_m, line.intervals(covered), line.intervals(silent & ~covered), min(low_m, covered_m), max(high_m, covered_m)
    )


def union(coverages: Sequence[Coverage]) -> Coverage:
    """Return what several tracks show together of one reach: each metre once, never the sum. Raises ValueError for none.

    What one left unobserved and another covered is covered. The range is that of the union of at least its widest part.
    """
    if not coverages:
        raise ValueError("a union needs at least one coverage")
    length_m = coverages[0].length_m
    covered = _joined([interval for each in coverages for interval in each.covered])
    open_parts = _gaps(covered, length_m)
    unobserved = _joined([cut for each in coverages for interval in each.unobserved for cut in _cut(interval, open_parts)])
    covered_m = _total(covered)
    low_m = max(each.low_m for each in coverages)
    high_m = min(length_m, max(covered_m, sum(each.high_m for each in coverages)))
    return Coverage(length_m, covered, unobserved, min(low_m, covered_m), high_m)


def _usable(track: Track, pauses_ms: Sequence[tuple[int, int]], policy: CoveragePolicy) -> Track:
    keep = np.isfinite(track.latitude) & np.isfinite(track.longitude) & ~(track.accuracy_m > policy.worst_accuracy_m)
    for start, end in pauses_ms:
        keep &= (track.recorded_ms < start) | (track.recorded_ms > end)
    return track.at(keep)


@dataclass(frozen=True)
class _Candidates:
    """Places on the line for fixes: columns of equal length, sorted by fix, then along the line."""

    fix: Places
    measure_m: Floats
    part: Places
    off_m: Floats
    radius_m: Floats
    at_s: Floats
    x: Floats
    y: Floats
    sigma_m: Floats

    @classmethod
    def of(cls, line: ReachLine, track: Track, policy: CoveragePolicy) -> "_Candidates":
        """Return every local minimum of the distance to the line, within the widest radius of each fix."""
        x, y = line.local(track.latitude, track.longitude)
        at_s = track.recorded_ms / 1000.0
        claimed = np.where(np.isnan(track.accuracy_m), policy.assumed_accuracy_m, track.accuracy_m)
        sigma_m = np.maximum(claimed * policy.inflation, policy.least_accuracy_m)
        radius_m = np.clip(policy.base_radius_m + 2 * claimed, policy.least_radius_m, policy.most_radius_m)
        good = ~_spikes(x, y, at_s, policy.fastest_mps)
        index = np.flatnonzero(good)
        fix, segment = line.tree.query(shapely.points(x[index], y[index]), "dwithin", distance=radius_m[index] + policy.range_m)
        order = np.lexsort((segment, fix))
        fix, segment = index[fix[order]], segment[order]
        measure_m, off_m = line.projected(x[fix], y[fix], segment)
        nearest = line.local_minima(fix, segment, off_m)
        fix, segment, measure_m, off_m = fix[nearest], segment[nearest], measure_m[nearest], off_m[nearest]
        return cls(fix, measure_m, line.segment_part[segment], off_m, radius_m[fix], at_s[fix], x[fix], y[fix], sigma_m[fix])

    def within(self, slack_m: float) -> "_Candidates":
        """Return those within the radius of their fix and `slack_m` more."""
        return self.at(np.flatnonzero(self.off_m <= self.radius_m + slack_m))

    def at(self, index: Places) -> "_Candidates":
        """Return those at these indices."""
        return _Candidates(*(column[index] for column in vars(self).values()))


def _spikes(x: Floats, y: Floats, at_s: Floats, fastest_mps: float) -> NDArray[np.bool_]:
    """Tell which fixes lie apart from both neighbours by more than anything can move there and back."""
    spikes = np.zeros(len(x), dtype=bool)
    if len(x) >= 3:
        speed = np.hypot(np.diff(x), np.diff(y)) / np.maximum(np.diff(at_s), 0.001)
        spikes[1:-1] = (speed[:-1] > fastest_mps) & (speed[1:] > fastest_mps)
    return spikes


def _credited(line: ReachLine, found: _Candidates, policy: CoveragePolicy) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells are covered, and which lie in gaps of the recording."""
    covered, silent = np.zeros(line.cell_count, dtype=bool), np.zeros(line.cell_count, dtype=bool)
    if not len(found.fix):
        return covered, silent
    chosen = found.at(_likeliest(line, found))
    measure_m, part, at_s, x, y, radius_m = chosen.measure_m, chosen.part, chosen.at_s, chosen.x, chosen.y, chosen.radius_m
    covered[line.cell_of(measure_m)] = True
    first, second = _pairs(at_s, policy.longest_bridge_s)
    step_m = np.hypot(x[second] - x[first], y[second] - y[first])
    along_m = line.along(measure_m[first], measure_m[second])
    near = (along_m <= policy.longest_bridge_m) & (along_m <= policy.stretch * step_m + radius_m[second]) & (part[first] == part[second])
    line.mark(covered, measure_m[first][near], measure_m[second][near])
    before, after = np.arange(len(at_s) - 1), np.arange(1, len(at_s))
    along_m, silence_s = line.along(measure_m[before], measure_m[after]), at_s[after] - at_s[before]
    gap = ((silence_s > policy.longest_bridge_s) | (along_m > policy.longest_bridge_m)) & (part[before] == part[after])
    gap &= along_m <= policy.fastest_mps * silence_s
    line.mark(silent, measure_m[before][gap], measure_m[after][gap])
    return covered, silent


def _pairs(at_s: Floats, longest_s: float) -> tuple[Places, Places]:
    """Return all pairs of fixes, earlier and later, at most `longest_s` apart.

    Not only neighbours are paired: one odd fix between two good ones must not take away what these show.
    """
    last = np.searchsorted(at_s, at_s + longest_s, side="right")
    # A dense recording pairs each fix with the next few and then with ever farther ones: the same cells, far fewer pairs.
    offsets = np.unique(np.concatenate([np.arange(1, 13), np.rint(np.geomspace(13, 400, 24)).astype(np.int64)]))
    first = np.repeat(np.arange(len(at_s)), len(offsets))
    second = first + np.tile(offsets, len(at_s))
    keep = second < last[first]
    return first[keep], second[keep]


def _likeliest(line: ReachLine, found: _Candidates) -> Places:
    """Return the indices of the chosen candidates, one for each fix that has any: the cheapest way along them (Viterbi).

    A place costs the square of its distance in terms of the accuracy; going from one to the next costs how much the way
    along the line differs from the straight step, also in terms of the accuracy.
    """
    starts = np.flatnonzero(np.diff(found.fix, prepend=-1))
    ends = np.append(starts[1:], len(found.fix))
    emission = ((found.off_m / (found.sigma_m + 10.0)) ** 2).tolist()
    measure, part, scale = found.measure_m.tolist(), found.part.tolist(), (found.sigma_m + 15.0).tolist()
    xs, ys, ring_m = found.x, found.y, line.length_m if line.is_ring else 0.0
    steps = np.hypot(np.diff(xs[starts], prepend=xs[0]), np.diff(ys[starts], prepend=ys[0])).tolist()
    best, came_from = list(emission), [-1] * len(measure)
    previous = range(0)
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        here = range(start, end)
        if number:
            for j in here:
                cost, source = _cheapest(j, previous, best, measure, part, steps[number], scale[j], ring_m)
                best[j] += cost
                came_from[j] = source
        previous = here
    chosen, j = [], min(previous, key=best.__getitem__)
    while j >= 0:
        chosen.append(j)
        j = came_from[j]
    return np.array(chosen[::-1], dtype=np.int64)


# However odd a jump is, it never costs more than this: after a silence the track may go on anywhere.
_MOST_FOR_A_JUMP, _OTHER_PART = 12.0, 2.0


def _cheapest(
    j: int, previous: range, best: list[float], measure: list[float], part: list[int], step_m: float, scale_m: float, ring_m: float
) -> tuple[float, int]:
    least, source = np.inf, -1
    for i in previous:
        if part[i] != part[j]:
            cost = _OTHER_PART
        else:
            along_m = abs(measure[j] - measure[i])
            if ring_m:
                along_m = min(along_m, ring_m - along_m)
            cost = min(abs(along_m - step_m) / scale_m, _MOST_FOR_A_JUMP)
        if best[i] + cost < least:
            least, source = best[i] + cost, i
    return least, source


def _total(intervals: Sequence[Interval]) -> float:
    return float(sum(end - start for start, end in intervals))


def _joined(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _gaps(intervals: Sequence[Interval], length_m: float) -> tuple[Interval, ...]:
    gaps, at = [], 0.0
    for start, end in intervals:
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    return (*gaps, (at, length_m)) if at < length_m else tuple(gaps)


def _cut(interval: Interval, windows: Sequence[Interval]) -> list[Interval]:
    return [(max(interval[0], a), min(interval[1], b)) for a, b in windows if max(interval[0], a) < min(interval[1], b)]

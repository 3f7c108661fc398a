"""Where along a reach the fixes of a track lie: usable ones, the places each may belong to, the likeliest of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import shapely

from patrol.foundation.geometry import Floats
from patrol.patrols.coverage_policy import CoveragePolicy
from patrol.patrols.reach_line import Flags, Indices, ReachLine
from patrol.patrols.track import Track


def usable(track: Track, pauses_ms: Sequence[tuple[int, int]], policy: CoveragePolicy) -> Track:
    """Return the fixes with a position and an accuracy of some use that were recorded outside the pauses."""
    keep = np.isfinite(track.latitude) & np.isfinite(track.longitude) & ~(track.accuracy_m > policy.worst_accuracy_m)
    for start, end in pauses_ms:
        keep &= (track.recorded_ms < start) | (track.recorded_ms > end)
    return track.at(keep)


def sigmas(track: Track, policy: CoveragePolicy) -> Floats:
    """Return the accuracy in metres to reckon with for each fix: what it claims, inflated, never too good."""
    claimed_m = np.where(np.isnan(track.accuracy_m), policy.assumed_accuracy_m, track.accuracy_m * policy.inflation)
    return np.maximum(claimed_m, policy.least_accuracy_m)


def spikes(x: Floats, y: Floats, at_s: Floats, sigma_m: Floats, policy: CoveragePolicy) -> Flags:
    """Tell which fixes lie apart from both neighbours by more than anything can move, accuracies subtracted.

    Where neighbours contradict each other in turn (a faked and a true position alternate) nobody knows who is right:
    then none is a spike, so that wild fixes do not take good ones away.
    """
    wild = np.zeros(len(x), dtype=bool)
    if len(x) >= 3:
        passed_s = np.diff(at_s)
        step_m = np.hypot(np.diff(x), np.diff(y)) - sigma_m[1:] - sigma_m[:-1]
        jump = (step_m > policy.fastest_mps * passed_s) & (passed_s >= policy.least_step_s)
        wild[1:-1] = jump[:-1] & jump[1:]
        wild[1:-1] &= ~(wild[:-2] | wild[2:])
    return wild


@dataclass(frozen=True)
class Places:
    """Places on the line that fixes may belong to: columns of equal length, sorted by fix, then along the line.

    `fix` is the index among the usable fixes; `spare_m` tells by how much the place is nearer than the fix's radius.
    """

    fix: Indices
    measure_m: Floats
    part: Indices
    off_m: Floats
    spare_m: Floats
    radius_m: Floats
    at_s: Floats
    x: Floats
    y: Floats
    sigma_m: Floats

    @classmethod
    def of(cls, line: ReachLine, track: Track, policy: CoveragePolicy, *, inside_counts: bool) -> "Places":
        """Return every local minimum of the distance to the line, within the widest radius of each fix."""
        x, y = line.local(track.latitude, track.longitude)
        at_s, sigma_m = track.recorded_ms / 1000.0, sigmas(track, policy)
        radius_m = np.clip(policy.base_radius_m + 2 * sigma_m, policy.least_radius_m, policy.most_radius_m)
        reach_m = np.where(line.inside(x, y), policy.inside_m, radius_m) if inside_counts else radius_m
        index = np.flatnonzero(~spikes(x, y, at_s, sigma_m, policy))
        fix, segment = line.tree.query(shapely.points(x[index], y[index]), "dwithin", distance=reach_m[index] + policy.range_m)
        order = np.lexsort((segment, fix))
        fix, segment = index[fix[order]], segment[order]
        measure_m, off_m = line.projected(x[fix], y[fix], segment)
        nearest = line.local_minima(fix, segment, off_m)
        fix, segment, measure_m, off_m = fix[nearest], segment[nearest], measure_m[nearest], off_m[nearest]
        return cls(
            fix, measure_m, line.segment_part[segment], off_m, reach_m[fix] - off_m, radius_m[fix], at_s[fix], x[fix], y[fix],
            sigma_m[fix],
        )  # fmt: skip

    def at(self, which: Indices | Flags) -> "Places":
        """Return those at these indices, or under this mask."""
        return Places(*(column[which] for column in vars(self).values()))


def likeliest(
    line: ReachLine, found: Places, policy: CoveragePolicy, ways: Mapping[tuple[int, int], Sequence[tuple[float, float]]]
) -> Places:  # fmt: skip
    """Return one place for each fix that has any: the cheapest way along them (Viterbi).

    A place costs the square of its distance in terms of the accuracy; going from one to the next costs how much the way
    along the line differs from the straight step, also in terms of the accuracy. `ways` are, for two parts, the measures
    on each where they meet: the way from one to the other leads through there. The way may pass a fix by at a cost, so that
    stray ones do not draw those beside them to where they lie; such a fix is put onto its own nearest place.
    """
    if not len(found.fix):
        return found
    starts = np.flatnonzero(np.diff(found.fix, prepend=-1))
    ends = np.append(starts[1:], len(found.fix))
    own = ((found.off_m / (found.sigma_m + policy.off_slack_m)) ** 2).tolist()
    measure, part, scale = found.measure_m.tolist(), found.part.tolist(), (found.sigma_m + policy.along_slack_m).tolist()
    around = np.where(line.ring, line.part_lengths, np.inf)[found.part].tolist()
    x, y = found.x.tolist(), found.y.tolist()
    best, came_from = own.copy(), [-1] * len(own)
    nearest = [min(range(start, end), key=own.__getitem__) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    # The ways that are still open: what each costs so far, and the place where it last was.
    opened: list[tuple[float, int]] = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        for j in range(start, end) if opened else ():
            least, source = np.inf, -1
            for so_far, i in opened:
                step = sqrt((x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2)
                if part[i] == part[j]:
                    way = abs(measure[j] - measure[i])
                    cost = so_far + min(abs(min(way, around[j] - way) - step) / scale[j], policy.most_for_a_jump)
                else:
                    cost = so_far + policy.other_part
                    # Beside a tributary's mouth both lines are near: it is entered where they meet, not from bank to bank.
                    if meet := ways.get((part[i], part[j])):
                        way = min(abs(measure[i] - here) + abs(measure[j] - there) for here, there in meet)
                        cost += min(abs(way - step) / scale[j], policy.most_for_a_jump)
                if cost < least:
                    least, source = cost, i
            best[j] += least
            came_from[j] = source
        passed_by = policy.astray + own[nearest[number]]
        here = [(best[j], j) for j in range(start, end)]
        # What is dearer than a jump from here leads hardly anywhere cheaper: the ways that stay open are few.
        most = min(here)[0] + policy.most_for_a_jump
        opened = here + [(so_far + passed_by, i) for so_far, i in opened if so_far + passed_by < most]
    chosen, j = nearest, min(opened)[1]
    number_of = np.repeat(np.arange(len(starts)), ends - starts).tolist()
    while j >= 0:
        chosen[number_of[j]] = j
        j = came_from[j]
    return found.at(np.array(chosen, dtype=np.int64))

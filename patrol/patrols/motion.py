"""How a patrol moved: speeds that the accuracy of the fixes cannot explain away, jumps, and the mode they tell of. Pure."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, distance_m, metres_per_mercator_unit, project_array
from patrol.foundation.texts import Text
from patrol.patrols.facts import PatrolFacts
from patrol.patrols.integrity_policy import IntegrityPolicy
from patrol.patrols.seen import Seen, Severity
from patrol.patrols.track import Track

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Course:
    """The usable fixes of a track in the order of time, columns of equal length.

    Attributes:
        at_s: seconds since 1970 UTC by the device's clock.
        x: local metres east.
        y: local metres north.
        accuracy_m: what the device told, or what the policy assumes.
    """

    at_s: Floats
    x: Floats
    y: Floats
    accuracy_m: Floats

    def __len__(self) -> int:
        return len(self.at_s)

    def at(self, which: NDArray[np.bool_] | Indices) -> "Course":
        """Return the fixes that `which` picks, a mask or indices."""
        return Course(self.at_s[which], self.x[which], self.y[which], self.accuracy_m[which])

    def between_m(self, first: Indices, second: Indices) -> Floats:
        """Return the metres between fixes, less what the accuracies of both may account for, at least 0."""
        apart = np.hypot(self.x[second] - self.x[first], self.y[second] - self.y[first])
        less: Floats = np.maximum(apart - self.accuracy_m[first] - self.accuracy_m[second], 0.0)
        return less


def course_of(track: Track, policy: IntegrityPolicy) -> Course:
    """Return the course of a track without fixes worse than the policy's worst accuracy and lone spikes."""
    usable = usable_fixes(track, policy)
    xy = local_metres(usable.latitude, usable.longitude)
    accuracy_m = np.where(np.isfinite(usable.accuracy_m), usable.accuracy_m, policy.assumed_accuracy_m)
    course = Course(usable.recorded_ms / 1000.0, xy[:, 0], xy[:, 1], accuracy_m)
    if len(course) < 3:
        return course
    speed = np.hypot(np.diff(course.x), np.diff(course.y)) / np.maximum(np.diff(course.at_s), 0.001)
    there_and_back = np.hypot(course.x[2:] - course.x[:-2], course.y[2:] - course.y[:-2]) <= policy.gap_m
    spike = np.zeros(len(course) + 2, dtype=bool)
    spike[2:-2] = (speed[:-1] > policy.teleport_mps) & (speed[1:] > policy.teleport_mps) & there_and_back
    # Several in a row are no spikes of the receiver but a device that is in two places: they stay and show.
    return course.at(~(spike[1:-1] & ~spike[:-2] & ~spike[2:]))


def usable_fixes(track: Track, policy: IntegrityPolicy) -> Track:
    """Return the fixes that have a place and no accuracy worse than the policy's worst."""
    return track.at(np.isfinite(track.latitude) & np.isfinite(track.longitude) & ~(track.accuracy_m > policy.worst_accuracy_m))


def local_metres(latitude: Floats, longitude: Floats, near: float | None = None) -> Floats:
    """Return positions of shape (n,) in degrees as metres (n, 2) of a plane that is true near the latitude `near`."""
    if not len(latitude):
        return np.empty((0, 2))
    scale = metres_per_mercator_unit(float(np.median(latitude)) if near is None else near)
    metres: Floats = project_array(np.column_stack([longitude, latitude])) * scale
    return metres


def without_pauses(track: Track, facts: PatrolFacts) -> Track:
    """Return the track without what was recorded while the person rested."""
    keep = np.ones(len(track), dtype=bool)
    for start, end in facts.pauses_ms:
        keep &= (track.recorded_ms < start) | (track.recorded_ms > end)
    return track.at(keep)


def window_speeds(course: Course, policy: IntegrityPolicy) -> tuple[Floats, Floats]:
    """Return starts (seconds) and speeds (m/s) of windows of about a minute; each is net way less the accuracies.

    A window is from a fix to the first one at least `speed_window_s` later, and left out where the recorder was silent
    for so long that it would pass `speed_longest_window_s`.
    """
    first, second = _windows(course, policy)
    return course.at_s[first], _speeds(course, first, second)


def _windows(course: Course, policy: IntegrityPolicy) -> tuple[Indices, Indices]:
    second = np.searchsorted(course.at_s, course.at_s + policy.speed_window_s)
    first = np.flatnonzero(second < len(course))
    keep = course.at_s[second[first]] - course.at_s[first] <= policy.speed_longest_window_s
    return first[keep], second[first[keep]]


def _speeds(course: Course, first: Indices, second: Indices) -> Floats:
    speeds: Floats = course.between_m(first, second) / (course.at_s[second] - course.at_s[first])
    return speeds


def on_foot(track: Track, policy: IntegrityPolicy) -> Track:
    """Return the track without fixes that nobody was at on foot: every window that begins or ends at them is a vehicle's.

    A receiver's excursion takes none of the fixes beside it away, since windows between these are slow. Of a fix without
    any window, as after a silence, nothing is known, and it stays.
    """
    course = course_of(track, policy)
    first, second = _windows(course, policy)
    fast = _speeds(course, first, second) > policy.mode_median_mps
    carried, walked = np.zeros(len(course), dtype=bool), np.zeros(len(course), dtype=bool)
    for end in (first, second):
        carried[end[fast]] = walked[end[~fast]] = True
    return track.at(~np.isin(track.recorded_ms / 1000.0, course.at_s[carried & ~walked]))


def way_m(course: Course, step_s: float = 30.0) -> float:
    """Return the metres of the way: noise of somebody who stands still adds nothing.

    From place to place, the next one being that which lies farther off than both accuracies could make it seem.
    """
    if not len(course):
        return 0.0
    which = np.append(first_of_each(course.at_s, step_s), len(course) - 1)
    xs, ys, accuracies = (column[which].tolist() for column in (course.x, course.y, course.accuracy_m))
    total, (x0, y0, a0) = 0.0, (xs[0], ys[0], accuracies[0])
    for x, y, accuracy in zip(xs, ys, accuracies, strict=True):
        apart = float(np.hypot(x - x0, y - y0))
        if apart > max(20.0, a0 + accuracy):
            total, x0, y0, a0 = total + apart, x, y, accuracy
    return total


def first_of_each(at_s: Floats, step_s: float) -> Indices:
    """Return the indices of the first of times (n,), in order, within each step from the first time on.

    However long the silences: one fix may be of another year.
    """
    return np.flatnonzero(np.diff((at_s - at_s[0]) // step_s, prepend=-1))


def too_fast(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Speed above the mode's for longer than a window: somebody was carried, or the positions were."""
    walking = facts.mode == "walk"
    soft, hard = (policy.walk_soft_mps, policy.walk_hard_mps) if walking else (policy.ride_soft_mps, policy.ride_hard_mps)
    starts, speeds = window_speeds(course_of(without_pauses(facts.track, facts), policy), policy)
    longest_s, peak = _longest_run(starts, speeds, soft, policy.speed_longest_window_s)
    if longest_s < policy.speed_window_s:
        return None
    severity = Severity.MEDIUM if walking or peak > hard else Severity.SOFT
    evidence = {"longest_s": round(longest_s), "peak_mps": round(peak, 1), "limit_mps": soft, "mode": facts.mode}
    return Seen(severity, evidence)


def _longest_run(starts: Floats, speeds: Floats, limit: float, most_apart_s: float) -> tuple[float, float]:
    """Return the seconds of the longest run of windows above the limit, and the median speed of that run."""
    above = speeds > limit
    if not above.any():
        return 0.0, 0.0
    # A run ends where a window is slow and where the recorder was silent.
    breaks = np.diff(above.astype(np.int8), prepend=0) == 1
    breaks[1:] |= np.diff(starts) > most_apart_s
    number = np.cumsum(breaks)[above]
    began, ended = np.full(number.max() + 1, np.inf), np.full(number.max() + 1, -np.inf)
    np.minimum.at(began, number, starts[above])
    np.maximum.at(ended, number, starts[above])
    longest = int(np.argmax(ended - began))
    return float(ended[longest] - began[longest]), float(np.median(speeds[above][number == longest]))


def teleported(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """Jumps that nothing on the ground makes and that do not come back, along the track or between two check-ins."""
    jumps = _track_jumps(facts, policy) + _check_in_jumps(facts, policy)
    if not jumps:
        return None
    far_m, seconds, where = max(jumps)
    return Seen(Severity.HIGH, {"jumps": len(jumps), "distance_m": round(far_m), "seconds": round(seconds), "where": where})


def _track_jumps(facts: PatrolFacts, policy: IntegrityPolicy) -> list[tuple[float, float, str]]:
    course = course_of(facts.track, policy)
    before = np.arange(len(course) - 1)
    far_m, seconds = course.between_m(before, before + 1), np.diff(course.at_s)
    jumping = np.flatnonzero((far_m > policy.teleport_m) & (far_m > policy.teleport_mps * seconds))
    # The fixes at hand before the first jump are those of a receiver that has not found its satellites yet.
    jumping = jumping[jumping + 1 >= policy.teleport_least_fixes]
    return [(float(far_m[i]), float(seconds[i]), "track") for i in jumping if not _comes_back(course, int(i), policy)]


def _comes_back(course: Course, before: int, policy: IntegrityPolicy) -> bool:
    """Tell whether the track is soon back from, or was just before at, where it jumps between `before` and the next."""
    after = before + 1
    later = slice(after + 1, np.searchsorted(course.at_s, course.at_s[after] + policy.teleport_return_s, side="right"))
    sooner = slice(np.searchsorted(course.at_s, course.at_s[before] - policy.teleport_return_s), before)
    back = np.hypot(course.x[later] - course.x[before], course.y[later] - course.y[before])
    from_there = np.hypot(course.x[sooner] - course.x[after], course.y[sooner] - course.y[after])
    near = policy.gap_m
    return bool((back <= near).any() or (from_there <= near).any())


def _check_in_jumps(facts: PatrolFacts, policy: IntegrityPolicy) -> list[tuple[float, float, str]]:
    told = [c for c in facts.check_ins if not (c.accuracy_m or 0.0) > policy.worst_accuracy_m]
    told.sort(key=lambda c: (c.recorded_at, c.id))
    jumps = []
    for first, second in pairwise(told):
        seconds = (second.recorded_at - first.recorded_at).total_seconds()
        unsure_m = sum(policy.assumed_accuracy_m if c.accuracy_m is None else c.accuracy_m for c in (first, second))
        far_m = distance_m(first.latitude, first.longitude, second.latitude, second.longitude) - unsure_m
        if far_m > policy.teleport_m and far_m > policy.teleport_mps * seconds:
            jumps.append((far_m, seconds, "check_ins"))
    return jumps


def carried(facts: PatrolFacts, policy: IntegrityPolicy) -> Seen | None:
    """A vehicle where a walk was declared: most of what was covered was driven along, or for five minutes nobody walks so fast.

    Somebody may have run, up to a speed; beyond that it is grave. Such minutes are soft where hardly anything was covered
    by them: somebody walked, and drove home with the recorder on.
    """
    if facts.mode != "walk":
        return None
    covered_m, on_foot_m = (sum(each.covered_m for each in some) for some in (facts.coverages, facts.on_foot or facts.coverages))
    driven_m = covered_m - on_foot_m
    if driven_m > max(policy.mode_driven_m, policy.mode_driven_share * covered_m):
        _, speeds = window_speeds(course_of(without_pauses(facts.track, facts), policy), policy)
        fast = speeds[speeds > policy.mode_median_mps]
        runs = bool(len(fast)) and float(np.median(fast)) <= policy.walk_hard_mps
        evidence = {"covered_m": round(covered_m), "on_foot_m": round(on_foot_m), "declared": facts.mode}
        return Seen(Severity.MEDIUM if runs else Severity.HIGH, evidence, _DRIVEN_ALONG)
    gained = driven_m > policy.mode_little_share * covered_m or not on_foot_m
    return _fast_for_minutes(facts, policy, Severity.MEDIUM if gained else Severity.SOFT)


_DRIVEN_ALONG = Text(
    "申报为步行，但覆盖的 {covered_m}中，以步行速度经过的只有 {on_foot_m}",
    "Declared as a walk, but of {covered_m} that were covered only {on_foot_m} were passed at a walker's pace",
)


def _fast_for_minutes(facts: PatrolFacts, policy: IntegrityPolicy, severity: Severity) -> Seen | None:
    starts, speeds = window_speeds(course_of(without_pauses(facts.track, facts), policy), policy)
    if not len(starts):
        return None
    last = np.searchsorted(starts, starts + policy.mode_window_s)
    fast = np.concatenate([[0], np.cumsum(speeds > policy.mode_median_mps)])
    first = np.arange(len(starts))
    spans_s = starts[last - 1] - starts + policy.speed_window_s
    mostly = (fast[last] - fast[first]) * 2 > last - first
    carried_at = np.flatnonzero(mostly & (spans_s >= policy.mode_window_s))
    if not len(carried_at):
        return None
    medians = [float(np.median(speeds[i:last[i]])) for i in carried_at[:: max(1, len(carried_at) // 20)]]
    return Seen(severity, {"median_mps": round(max(medians), 1), "window_s": policy.mode_window_s, "declared": facts.mode})

"""What a track says of the patrol itself: how long, how far, how fast; noise and pauses taken out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from patrol.foundation.geometry import Floats, distance_m, distances_m, metres_per_mercator_unit, project_array
from patrol.patrols.coverage_policy import DEFAULT_POLICY, CoveragePolicy
from patrol.patrols.fix_places import sigmas, spikes, usable
from patrol.patrols.intervals import joined, without_pauses
from patrol.patrols.reach_line import Indices
from patrol.patrols.track import Track

# Speeds are told over a minute: over the seconds between two fixes a walker's step is smaller than the error.
SPEED_OVER_S, LONGEST_SPEED_S = 60.0, 180.0
# Slower than this between two anchors is standing about (a walker does 1.3 m/s); at most so many values make a profile.
STANDING_MPS, MOST_VALUES = 0.3, 60


@dataclass(frozen=True)
class Summary:
    """Figures of one track.

    Attributes:
        fixes, used: how many there are, and how many were reckoned with (no pauses, no spikes, accuracy within 100 m).
        distance_m: the way while moving, from anchor to anchor: the next fix farther off than twice its error.
        duration_s: first to last used fix, without pauses.
        moving_s: the part of it in which the anchors went on at more than 0.3 m/s.
        median_mps, p95_mps: of speeds over a minute, the accuracies subtracted: what was driven at least, None when
            there is no minute.
        profile: the mean of these speeds in at most 60 equal slices of the duration; None where nothing was recorded.
    """

    fixes: int
    used: int
    distance_m: float
    duration_s: float
    moving_s: float
    median_mps: float | None
    p95_mps: float | None
    profile: tuple[float | None, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON: whole metres and seconds, speeds to the centimetre a second."""
        return {
            "fixes": self.fixes, "used": self.used, "distance_m": round(self.distance_m), "duration_s": round(self.duration_s),
            "moving_s": round(self.moving_s), "median_mps": _rounded(self.median_mps), "p95_mps": _rounded(self.p95_mps),
            "speed_profile_mps": [_rounded(speed) for speed in self.profile],
        }  # fmt: skip


def summarised(track: Track, *, pauses_ms: Sequence[tuple[int, int]] = (), policy: CoveragePolicy = DEFAULT_POLICY) -> Summary:
    """Return the figures of a track; what was passed in a pause counts neither as way nor as time."""
    pauses_s = joined([(start / 1000, end / 1000) for start, end in pauses_ms if start <= end])
    used = _clean(track, pauses_ms, policy)
    if not len(used):
        return Summary(len(track), 0, 0.0, 0.0, 0.0, None, None, ())
    at_s = used.recorded_ms / 1000.0
    leg = np.searchsorted([end for _, end in pauses_s], at_s)
    awake_s = without_pauses(at_s, pauses_s)
    distance, moving_s = _way(used, leg, awake_s, policy)
    middle_s, speeds = _speeds(used, leg, awake_s, policy)
    duration_s = float(awake_s[-1] - awake_s[0])
    median, p95 = np.percentile(speeds, [50, 95]).tolist() if len(speeds) else (None, None)
    return Summary(
        len(track), len(used), distance, duration_s, moving_s, median, p95, _profile(middle_s - awake_s[0], speeds, duration_s)
    )  # fmt: skip


def _clean(track: Track, pauses_ms: Sequence[tuple[int, int]], policy: CoveragePolicy) -> Track:
    fixes = usable(track, pauses_ms, policy)
    if not len(fixes):
        return fixes
    xy = project_array(np.column_stack([fixes.longitude, fixes.latitude])) * metres_per_mercator_unit(float(np.median(fixes.latitude)))
    return fixes.at(~spikes(xy[:, 0], xy[:, 1], fixes.recorded_ms / 1000.0, sigmas(fixes, policy), policy))


def _way(track: Track, leg: Indices, awake_s: Floats, policy: CoveragePolicy) -> tuple[float, float]:
    """Return metres and moving seconds from anchor to anchor; the error of a fix standing still makes no way."""
    latitude, longitude, least_m = track.latitude.tolist(), track.longitude.tolist(), (2 * sigmas(track, policy)).tolist()
    whole_m, moving_s, anchor = 0.0, 0.0, 0
    for here in range(1, len(track)):
        if leg[here] != leg[anchor]:
            anchor = here
            continue
        step_m = distance_m(latitude[anchor], longitude[anchor], latitude[here], longitude[here])
        last = here == len(track) - 1 or leg[here + 1] != leg[here]
        if step_m < least_m[here] and not (last and step_m > least_m[here] / 2):
            continue
        passed_s = float(awake_s[here] - awake_s[anchor])
        if step_m > STANDING_MPS * passed_s:
            whole_m += step_m
            moving_s += passed_s
        anchor = here
    return whole_m, moving_s


def _speeds(track: Track, leg: Indices, awake_s: Floats, policy: CoveragePolicy) -> tuple[Floats, Floats]:
    """Return the middle of each stretch of about a minute, on the clock without pauses, and its least speed."""
    second = np.searchsorted(awake_s, awake_s + SPEED_OVER_S)
    first = np.flatnonzero(second < len(awake_s))
    second = second[first]
    passed_s = awake_s[second] - awake_s[first]
    keep = (leg[first] == leg[second]) & (passed_s <= LONGEST_SPEED_S)
    first, second, passed_s = first[keep], second[keep], passed_s[keep]
    accuracy_m = np.where(np.isnan(track.accuracy_m), policy.assumed_accuracy_m, track.accuracy_m)
    step_m = distances_m(track.latitude[first], track.longitude[first], track.latitude[second], track.longitude[second])
    speeds = np.maximum(step_m - accuracy_m[first] - accuracy_m[second], 0.0) / passed_s
    return (awake_s[first] + awake_s[second]) / 2, speeds


def _profile(middle_s: Floats, speeds: Floats, duration_s: float) -> tuple[float | None, ...]:
    count = min(MOST_VALUES, int(duration_s // SPEED_OVER_S))
    if not count:
        return ()
    slot = np.minimum((middle_s / duration_s * count).astype(np.int64), count - 1)
    sums, counts = np.bincount(slot, speeds, count), np.bincount(slot, minlength=count)
    return tuple(float(total / number) if number else None for total, number in zip(sums, counts, strict=True))


def _rounded(speed: float | None) -> float | None:
    return None if speed is None else round(speed, 2)

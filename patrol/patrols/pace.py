"""How far and how fast somebody went on patrol, without the pauses. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, distances_m
from patrol.patrols.track import Track
from patrol.patrols.window import in_ms

# Positions are averaged over this time, so that a receiver's noise is not taken for a way.
SLOT_S = 30.0
# Slower than this from one slot to the next it is as likely the noise of a parked phone. Over a longer silence nobody
# knows which way was taken.
MOVING_MPS, LONGEST_SILENCE_S = 0.5, 180.0
# Who goes slower, feeling the way along a bank, shows over a longer time: so far within so long, beyond twice what the
# accuracies of both ends may account for. Set by simulated walks at 0.3 m/s and parked phones.
SLOW_LEG_S, SLOW_LEG_M, ASSUMED_ACCURACY_M = 300.0, 30.0, 20.0
WORST_ACCURACY_M = 100.0
MOST_VALUES = 60


def pace_of(track: Track, started_at: datetime, ended_at: datetime, pauses_ms: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Return `distance_m`, `duration_s` without pauses, `median_mps` and `p95_mps` while moving, and a `profile`.

    The profile are at most 60 mean speeds (m/s) over equal parts of the time from the first to the last fix, None where
    nothing was recorded. Speeds are None when nobody moved.
    """
    places = _places(track, pauses_ms)
    at_s, latitude, longitude, _ = places
    seconds = np.diff(at_s)
    metres = distances_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    speeds = metres / np.maximum(seconds, 1.0)
    heard = seconds <= LONGEST_SILENCE_S
    moving = heard & (speeds >= MOVING_MPS)
    for first, last, leg_m in _slow_legs(places, heard):
        speeds[first:last], moving[first:last] = leg_m / (at_s[last] - at_s[first]), True
        metres[first:last] = speeds[first:last] * seconds[first:last]
    start_ms, end_ms = in_ms(started_at), in_ms(ended_at)
    return {
        "distance_m": round(float(metres[moving].sum()), 1),
        "duration_s": round(max(0, end_ms - start_ms - _covered_ms(start_ms, end_ms, pauses_ms)) / 1000, 1),
        "median_mps": _percentile(speeds[moving], 50), "p95_mps": _percentile(speeds[moving], 95),
        "profile": _profile(at_s, np.where(moving, speeds, 0.0), heard),
    }  # fmt: skip


def _slow_legs(places: Sequence[Floats], heard: NDArray[np.bool_]) -> Iterator[tuple[int, int, float]]:
    """Yield first and last place and the straight metres of legs that were gone slower than `MOVING_MPS`.

    Each is the shortest that the accuracies cannot explain, and begins where the one before ended.
    """
    at_s, latitude, longitude, accuracy_m = places
    first = 0
    for last in range(1, len(at_s)):
        if not heard[last - 1]:
            first = last
            continue
        first += int(np.searchsorted(at_s[first:last], at_s[last] - SLOW_LEG_S))
        begins = np.arange(first, last)
        apart_m = distances_m(latitude[begins], longitude[begins], latitude[last], longitude[last])
        sure = np.flatnonzero(apart_m > np.maximum(SLOW_LEG_M, 2 * (accuracy_m[begins] + accuracy_m[last])))
        if len(sure):
            begin, leg_m = first + int(sure[-1]), float(apart_m[sure[-1]])
            if leg_m < MOVING_MPS * (at_s[last] - at_s[begin]):
                yield begin, last, leg_m
            first = last


def _places(track: Track, pauses_ms: Sequence[tuple[int, int]]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the mean time (s), latitude, longitude and accuracy (m) of each 30 s with usable fixes outside the pauses."""
    usable = ~(track.accuracy_m > WORST_ACCURACY_M)
    for first, last in pauses_ms:
        usable &= (track.recorded_ms < first) | (track.recorded_ms > last)
    slots = (track.recorded_ms[usable] / 1000 // SLOT_S).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    if not len(starts):
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    counts = np.diff(np.append(starts, len(slots)))
    accuracy_m = np.where(np.isnan(track.accuracy_m), ASSUMED_ACCURACY_M, track.accuracy_m)
    at_s, latitude, longitude, accuracy_m = (
        np.add.reduceat(column[usable], starts) / counts for column in (track.recorded_ms / 1000, track.latitude, track.longitude, accuracy_m)
    )
    return at_s, latitude, longitude, accuracy_m


def _covered_ms(start_ms: int, end_ms: int, pauses_ms: Sequence[tuple[int, int]]) -> int:
    total, at = 0, start_ms
    for first, last in sorted(pauses_ms):
        low, high = max(first, at), min(last, end_ms)
        if high > low:
            total, at = total + high - low, high
    return total


def _percentile(speeds: Floats, percent: float) -> float | None:
    return round(float(np.percentile(speeds, percent)), 2) if len(speeds) else None


def _profile(at_s: Floats, speeds: Floats, heard: NDArray[np.bool_]) -> list[float | None]:
    if not len(speeds):
        return []
    edges = np.linspace(at_s[0], at_s[-1], min(MOST_VALUES, len(speeds)) + 1)
    middle = (at_s[:-1] + at_s[1:]) / 2
    part = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, len(edges) - 2)
    values = [speeds[heard & (part == number)] for number in range(len(edges) - 1)]
    return [round(float(value.mean()), 2) if len(value) else None for value in values]

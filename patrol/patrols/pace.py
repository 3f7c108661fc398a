"""How far and how fast somebody went on patrol, without the pauses. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats, distances_m
from patrol.patrols.track import Track
from patrol.patrols.window import in_ms

# Positions are averaged over this time, so that a receiver's noise is not taken for a way.
SLOT_S = 30.0
# Slower than this it is as likely the noise of a parked phone. Over a longer silence nobody knows which way was taken.
MOVING_MPS, LONGEST_SILENCE_S = 0.5, 180.0
WORST_ACCURACY_M = 100.0
MOST_VALUES = 60


def pace_of(track: Track, started_at: datetime, ended_at: datetime, pauses_ms: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Return `distance_m`, `duration_s` without pauses, `median_mps` and `p95_mps` while moving, and a `profile`.

    The profile are at most 60 mean speeds (m/s) over equal parts of the time from the first to the last fix, None where
    nothing was recorded. Speeds are None when nobody moved.
    """
    at_s, latitude, longitude = _places(track, pauses_ms)
    seconds = np.diff(at_s)
    metres = distances_m(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    speeds = metres / np.maximum(seconds, 1.0)
    heard = seconds <= LONGEST_SILENCE_S
    moving = heard & (speeds >= MOVING_MPS)
    start_ms, end_ms = in_ms(started_at), in_ms(ended_at)
    return {
        "distance_m": round(float(metres[moving].sum()), 1),
        "duration_s": round(max(0, end_ms - start_ms - _covered_ms(start_ms, end_ms, pauses_ms)) / 1000, 1),
        "median_mps": _percentile(speeds[moving], 50), "p95_mps": _percentile(speeds[moving], 95),
        "profile": _profile(at_s, np.where(moving, speeds, 0.0), heard),
    }  # fmt: skip


def _places(track: Track, pauses_ms: Sequence[tuple[int, int]]) -> tuple[Floats, Floats, Floats]:
    """Return the mean time (s), latitude and longitude of each 30 s in which there are usable fixes outside the pauses."""
    usable = ~(track.accuracy_m > WORST_ACCURACY_M)
    for first, last in pauses_ms:
        usable &= (track.recorded_ms < first) | (track.recorded_ms > last)
    slots = (track.recorded_ms[usable] / 1000 // SLOT_S).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    if not len(starts):
        return np.empty(0), np.empty(0), np.empty(0)
    counts = np.diff(np.append(starts, len(slots)))
    at_s, latitude, longitude = (
        np.add.reduceat(column, starts) / counts
        for column in (track.recorded_ms[usable] / 1000, track.latitude[usable], track.longitude[usable])
    )
    return at_s, latitude, longitude


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

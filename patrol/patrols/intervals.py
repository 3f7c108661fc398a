"""Sums and cuts of intervals, of measure along a reach or of time. Pure."""

from collections.abc import Sequence

import numpy as np

from patrol.foundation.geometry import Floats

Interval = tuple[float, float]


def total(intervals: Sequence[Interval]) -> float:
    """Return the length of disjoint intervals together."""
    return float(sum(end - start for start, end in intervals))


def joined(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return their union, sorted and disjoint."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def gaps(intervals: Sequence[Interval], length_m: float) -> tuple[Interval, ...]:
    """Return what sorted intervals leave open between 0 and `length_m`."""
    found, at = [], 0.0
    for start, end in intervals:
        if start > at:
            found.append((at, start))
        at = max(at, end)
    return (*found, (at, length_m)) if at < length_m else tuple(found)


def cut(interval: Interval, windows: Sequence[Interval]) -> list[Interval]:
    """Return the parts of an interval that lie within windows."""
    return [(max(interval[0], a), min(interval[1], b)) for a, b in windows if max(interval[0], a) < min(interval[1], b)]


def without_pauses(at_s: Floats, pauses_s: Sequence[Interval]) -> Floats:
    """Return times in seconds on a clock that stands still in disjoint pauses."""
    awake_s = at_s.copy()
    for start, end in pauses_s:
        awake_s -= np.clip(at_s, start, end) - start
    return awake_s

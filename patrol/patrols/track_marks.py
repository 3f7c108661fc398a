"""Marks by which a copy of a track is looked up, however many patrols lie between: a few numbers of each track. Pure.

They only choose what the rule `replayed_track` compares. Of two kinds of marks, places and paces, those with the smallest
hashes are kept: two tracks that have much in common keep many of the same, whatever else is in either.
"""

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats
from patrol.patrols.track import Track

Marks = NDArray[np.int64]
_Hashes = NDArray[np.uint64]

# How many of each kind are kept, and how many two tracks have in common at least that are compared for it.
MOST_PLACES, MOST_PACES, LEAST_COMMON = 16, 24, 4
# About 100 m. A pace is told by so many times from one line of this grid to the next, each to a tenth of it.
_GRID_DEG, _TIMES, _BINS = 0.001, 3, 9.0
# A jump over more lines than that, 5 km, is no way.
_MOST_CROSSED = 50
# Steps and factors of splitmix64 (Steele, Lea and Flood 2014), a mixer without collisions.
_STEP, _FACTORS = np.uint64(0x9E3779B97F4A7C15), ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def marks_of(track: Track) -> list[int]:
    """Return the marks of a track, at most `MOST_PLACES + MOST_PACES` whole numbers of 64 bits, in order.

    Places are its coordinates to a millionth of a degree, in whatever order of time. Paces are where it crossed the lines
    of a grid, and how long it took from each to the next: they stay as they are when a track is shifted in time, cut,
    thinned out, rounded, or shaken by a metre. Few walks of one path have three such times in common.
    """
    placed = track.at(np.isfinite(track.latitude) & np.isfinite(track.longitude))
    if len(placed) < 2:
        return []
    places = _mixed(*(np.rint(degrees * 1e6).astype(np.int64) for degrees in (placed.latitude, placed.longitude)))
    at_s = placed.recorded_ms / 1000.0
    paces = np.concatenate([_paces(at_s, degrees, axis) for axis, degrees in enumerate((placed.latitude, placed.longitude))])
    kept = [np.unique(places)[:MOST_PLACES], np.unique(paces)[:MOST_PACES]]
    return sorted({int(mark) for mark in np.concatenate(kept).view(np.int64)})


def _paces(at_s: Floats, degrees: Floats, axis: int) -> _Hashes:
    """Return a hash for each run of lines crossed one after the other, with the logarithms of the times between them."""
    grid = degrees / _GRID_DEG
    cell = np.floor(grid).astype(np.int64)
    crossed = np.abs(np.diff(cell))
    crossed[crossed > _MOST_CROSSED] = 0
    segment = np.repeat(np.arange(len(crossed)), crossed)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    line = np.where(cell[segment + 1] > cell[segment], cell[segment] + 1 + number, cell[segment] - number)
    share = (line - grid[segment]) / (grid[segment + 1] - grid[segment])
    when_s = at_s[segment] + share * (at_s[segment + 1] - at_s[segment])
    # A receiver's noise crosses the same line to and fro: that is once.
    fresh = np.ones(len(line), dtype=bool)
    fresh[1:] = np.diff(line) != 0
    line, when_s = line[fresh], when_s[fresh]
    count = len(line) - _TIMES
    if count < 1:
        return np.zeros(0, np.uint64)
    bins = np.rint(_BINS * np.log(np.maximum(np.diff(when_s), 0.01))).astype(np.int64)
    runs = [column[place : place + count] for column, places in ((line, _TIMES + 1), (bins, _TIMES)) for place in range(places)]
    return _mixed(np.full(count, axis, np.int64), *runs)


def _mixed(*columns: NDArray[np.int64]) -> _Hashes:
    """Return a hash of each row of these columns of equal length."""
    mixed: _Hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.view(np.uint64)) + _STEP
        for shift, factor in _FACTORS:
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return mixed

"""A track as columns: the fixes of a patrol in the order of their time, whatever way they came in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Datum, Floats

Milliseconds = NDArray[np.int64]
Small = NDArray[np.int8]


class Source(IntEnum):
    """Which way a fix came in; of one fix that came twice the way with the smaller number counts, it knows more."""

    APP = 0
    TRACCAR = 1
    OSMAND = 2
    OWNTRACKS = 3
    GPX = 4


class Raw(NamedTuple):
    """The degrees of a fix as a device sent them, in `datum`."""

    latitude: float
    longitude: float
    datum: Datum


@dataclass(frozen=True)
class Track:
    """`n` fixes, each column of length `n`, in the order of `recorded_ms`; what a device did not say is NaN or -1.

    Attributes:
        recorded_ms: when by the device's clock, milliseconds since 1970 UTC.
        latitude: degrees, WGS 84.
        longitude: degrees, WGS 84.
        accuracy_m: radius of the likely error, metres.
        altitude_m: metres.
        speed_mps: metres a second as the device measured it, not as the positions give it.
        bearing_deg: degrees clockwise from north.
        mock: 1 the device says that an app made the position up, 0 it says not, -1 it says nothing.
        source: values of `Source`.
    """

    recorded_ms: Milliseconds
    latitude: Floats
    longitude: Floats
    accuracy_m: Floats
    altitude_m: Floats
    speed_mps: Floats
    bearing_deg: Floats
    mock: Small
    source: Small

    def __len__(self) -> int:
        return len(self.recorded_ms)

    def at(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Track":
        """Return the track of the fixes that `which` picks, a mask or indices."""
        return Track(*(getattr(self, column.name)[which] for column in fields(self)))

    def between(self, first_ms: int, last_ms: int) -> "Track":
        """Return the fixes recorded from `first_ms` to `last_ms`, both included."""
        low, high = np.searchsorted(self.recorded_ms, [first_ms, last_ms + 1])
        return self.at(np.arange(low, high))


def track_of(
    recorded_ms: Sequence[int] | Milliseconds, latitude: Sequence[float] | Floats, longitude: Sequence[float] | Floats, *,
    accuracy_m: Sequence[float] | Floats | None = None, altitude_m: Sequence[float] | Floats | None = None,
    speed_mps: Sequence[float] | Floats | None = None, bearing_deg: Sequence[float] | Floats | None = None,
    mock: Sequence[int] | Small | None = None, source: Source = Source.APP,
) -> Track:
    """Return the track of these columns, put into the order of time; columns left out are unknown throughout."""
    count = len(recorded_ms)
    unknown = np.full(count, np.nan)

    def floats(values: Sequence[float] | Floats | None) -> Floats:
        return unknown if values is None else np.asarray(values, dtype=np.float64)

    track = Track(
        np.asarray(recorded_ms, dtype=np.int64), floats(latitude), floats(longitude), floats(accuracy_m), floats(altitude_m),
        floats(speed_mps), floats(bearing_deg), np.full(count, -1, np.int8) if mock is None else np.asarray(mock, np.int8),
        np.full(count, source, np.int8),
    )
    return track.at(np.argsort(track.recorded_ms, kind="stable"))


NO_TRACK = track_of([], [], [])
# Half a millionth of a degree, and what computing with it and turning it into another datum adds.
_ROUNDED_DEG = 0.51e-6


def merged(tracks: Sequence[Track]) -> Track:
    """Return one track of all fixes, each once, the same whatever the order and the cut of `tracks`.

    Two fixes are one when time (to the millisecond) and place agree: to a millionth of a degree (0.1 m), or where one is
    the other rounded to that: a phone that sends live and later uploads its file tells of each twice, and programs round a
    half up or down. Other fixes of one moment at different places stay two.
    """
    if not tracks:
        return NO_TRACK
    whole = joined(tracks)
    return whole.at(_without_rounded(whole, _each_once(whole)))


def new_in(arriving: Track, stored: Track) -> NDArray[np.bool_]:
    """Return which of the `arriving` fixes need to be stored beside the `stored` ones: not those that agree with a better one.

    Those that are merely another's rounded are: of three in a row nobody knows beforehand which two `merged` will keep.
    """
    return _arriving(_each_once(joined([stored, arriving])), stored, arriving)


def counting_beside(arriving: Track, stored: Track) -> NDArray[np.bool_]:
    """Return which of the `arriving` fixes `merged([stored, arriving])` keeps."""
    whole = joined([stored, arriving])
    return _arriving(_without_rounded(whole, _each_once(whole)), stored, arriving)


def _arriving(kept: NDArray[np.int64], stored: Track, arriving: Track) -> NDArray[np.bool_]:
    is_new = np.zeros(len(arriving), dtype=bool)
    is_new[kept[kept >= len(stored)] - len(stored)] = True
    return is_new


def joined(tracks: Sequence[Track]) -> Track:
    """Return the fixes of one track or more behind each other, as they are."""
    return Track(*(np.concatenate([getattr(track, column.name) for track in tracks]) for column in fields(Track)))


def _each_once(whole: Track) -> NDArray[np.int64]:
    """Return the indices of the best fix of each moment and millionth of a degree, in the order of time."""
    keys = (np.rint(whole.longitude * 1e6), np.rint(whole.latitude * 1e6), whole.recorded_ms)
    order = np.lexsort((*_preference(whole), *keys))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    return order[first]


def _preference(whole: Track) -> tuple[NDArray[Any], ...]:
    """Return the columns for `lexsort`, the last one first: the source, then all others, so that chance never decides."""
    rest = [np.nan_to_num(getattr(whole, name), nan=np.inf) for name in ("bearing_deg", "speed_mps", "altitude_m", "accuracy_m")]
    return whole.longitude, whole.latitude, -whole.mock, *rest, whole.source


def _without_rounded(whole: Track, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices `kept`, one a cell, without fixes within a rounding's error of a better one of the same moment."""
    shared = np.zeros(len(kept), dtype=bool)
    meets = np.diff(whole.recorded_ms[kept]) == 0
    shared[:-1] |= meets
    shared[1:] |= meets
    # Outside a datum's area there is no place.
    shared &= np.isfinite(whole.latitude[kept])
    if not shared.any():
        return kept
    places = np.flatnonzero(shared)
    some = whole.at(kept[places])
    columns = [column.tolist() for column in (some.recorded_ms, some.latitude, some.longitude)]
    counting: dict[tuple[int, int, int], tuple[float, float]] = {}
    worse = []
    for index in np.lexsort(_preference(some)).tolist():
        at_ms, latitude, longitude = (column[index] for column in columns)
        row, column = round(latitude * 1e6), round(longitude * 1e6)
        beside = [counting.get((at_ms, row + down, column + right)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        if any(near and abs(near[0] - latitude) <= _ROUNDED_DEG and abs(near[1] - longitude) <= _ROUNDED_DEG for near in beside):
            worse.append(places[index])
        else:
            counting[at_ms, row, column] = latitude, longitude
    return np.delete(kept, worse)

"""A track as columns: the fixes of a patrol in the order of their time, whatever way they came in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats

Milliseconds = NDArray[np.int64]
Small = NDArray[np.int8]


class Source(IntEnum):
    """Which way a fix came in; of one fix that came twice the way with the smaller number counts, it knows more."""

    APP = 0
    TRACCAR = 1
    OSMAND = 2
    OWNTRACKS = 3
    GPX = 4


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


def merged(tracks: Sequence[Track]) -> Track:
    """Return one track of all fixes, each once, the same whatever the order and the cut of `tracks`.

    Two fixes are one when time (to the millisecond) and place (to a millionth of a degree, 0.1 m) agree: a phone that
    sends live and later uploads its file tells of each twice. Two fixes of one moment at different places stay two.
    """
    if not tracks:
        return NO_TRACK
    whole = joined(tracks)
    return whole.at(_each_once(whole))


def new_in(arriving: Track, stored: Track) -> NDArray[np.bool_]:
    """Return which of the `arriving` fixes `merged([stored, arriving])` keeps: the others need not be stored."""
    kept = _each_once(joined([stored, arriving]))
    is_new = np.zeros(len(arriving), dtype=bool)
    is_new[kept[kept >= len(stored)] - len(stored)] = True
    return is_new


def joined(tracks: Sequence[Track]) -> Track:
    """Return the fixes of one track or more behind each other, as they are."""
    return Track(*(np.concatenate([getattr(track, column.name) for track in tracks]) for column in fields(Track)))


def _each_once(whole: Track) -> NDArray[np.int64]:
    """Return the indices of the fixes that `merged` keeps, in the order of time."""
    keys = (np.rint(whole.longitude * 1e6), np.rint(whole.latitude * 1e6), whole.recorded_ms)
    # Within one key the order is that of the source, then of all other columns, so that chance never decides.
    rest = [np.nan_to_num(getattr(whole, name), nan=np.inf) for name in ("bearing_deg", "speed_mps", "altitude_m", "accuracy_m")]
    order = np.lexsort((whole.longitude, whole.latitude, -whole.mock, *rest, whole.source, *keys))
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    return order[first]

"""Fixes as bytes: each column exactly as it came, on a decimal grid where it lies on one, compressed together. Pure.

The bytes are one version byte and a zlib stream of the columns in the order of `Track`'s. A column begins with its kind:
nothing known at all, raw float64, or whole steps of a decimal grid. Steps are stored as differences, byte by byte
(all lowest bytes first), which zlib takes down to little more than the noise of a receiver.
"""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patrol.foundation.geometry import Floats
from patrol.patrols.track import Source, Track
from patrol.patrols.window import moment_of

VERSION = 1
# The count of fixes; of each column its kind, decimal digits, bytes a step, and whether some values are unknown.
_COUNT, _HEAD = struct.Struct("<I"), struct.Struct("<BBBB")
_UNKNOWN, _RAW, _GRID = 0, 1, 2
FLOATS = ("latitude", "longitude", "accuracy_m", "altitude_m", "speed_mps", "bearing_deg")
# Devices send degrees on grids of 1e-6 to 1e-8, everything else on coarser ones.
_FINEST_DIGITS = 9
# Above it not every whole number is a float.
_LARGEST_STEP = 2.0**53


class UnknownVersion(ValueError):
    """Bytes that a newer version of this module wrote."""


def encode(track: Track) -> bytes:
    """Return the bytes of a track of n fixes; its `source` is not in them. Any float64 comes back bit by bit, NaN as NaN."""
    parts = [_COUNT.pack(len(track)), _steps(track.recorded_ms, 0, b"")]
    parts += [_column(getattr(track, name)) for name in FLOATS]
    parts.append(_steps(track.mock.astype(np.int64), 0, b""))
    return bytes([VERSION]) + zlib.compress(b"".join(parts), 6)


def stored(track: Track) -> dict[str, Any]:
    """Return what a row keeps of a track: its bytes, how many fixes, and when the first and the last were recorded."""
    first, last = (moment_of(int(track.recorded_ms[end])) for end in (0, -1)) if len(track) else (None, None)
    return {"points": encode(track), "count": len(track), "first_recorded_at": first, "last_recorded_at": last}


def decode(data: bytes, source: Source) -> Track:
    """Return the track that `encode` was given. Raises UnknownVersion."""
    if data[0] != VERSION:
        raise UnknownVersion(f"track bytes of version {data[0]}")
    reader = _Reader(zlib.decompress(data[1:]))
    recorded_ms = reader.whole()
    floats = {name: reader.floats() for name in FLOATS}
    mock = reader.whole().astype(np.int8)
    return Track(recorded_ms=recorded_ms, mock=mock, source=np.full(len(recorded_ms), source, np.int8), **floats)


def _column(values: Floats) -> bytes:
    known = ~np.isnan(values)
    if not known.any():
        return _HEAD.pack(_UNKNOWN, 0, 0, 0)
    mask = b"" if known.all() else np.packbits(known).tobytes()
    present = values[known]
    for digits in range(_FINEST_DIGITS + 1):
        steps = np.rint(present * 10.0**digits)
        if not np.all(np.abs(steps) < _LARGEST_STEP):
            break
        whole = steps.astype(np.int64)
        # Compared as bits: minus zero is equal to zero but not the same.
        if np.array_equal((whole / 10.0**digits).view(np.int64), present.view(np.int64)):
            return _steps(whole, digits, mask)
    return _HEAD.pack(_RAW, 0, 8, bool(mask)) + mask + _by_byte(present.view(np.int64), 8)


def _steps(values: NDArray[np.int64], digits: int, mask: bytes) -> bytes:
    # Differences wrap around at 64 bits and so does their sum, which makes any whole numbers come back.
    differences = np.diff(values, prepend=np.int64(0))
    later = differences[1:]
    low, high = int(later.min(initial=0)), int(later.max(initial=0))
    width = next(width for width in (1, 2, 4, 8) if -(1 << (8 * width - 1)) <= low and high < 1 << (8 * width - 1))
    first = struct.pack("<q", int(values[0])) if len(values) else b""
    return _HEAD.pack(_GRID, digits, width, bool(mask)) + mask + first + _by_byte(later, width)


def _by_byte(values: NDArray[np.int64], width: int) -> bytes:
    return values.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T.tobytes()


class _Reader:
    """Takes the columns off the front of the unpacked bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, _COUNT.size
        [self._count] = _COUNT.unpack_from(data)

    def whole(self) -> NDArray[np.int64]:
        _, _, width, _ = self._head()
        return self._sums(self._count, width)

    def floats(self) -> Floats:
        kind, digits, width, masked = self._head()
        values: Floats = np.full(self._count, np.nan)
        if kind == _UNKNOWN:
            return values
        known = np.ones(self._count, dtype=bool)
        if masked:
            known = np.unpackbits(np.frombuffer(self._take((self._count + 7) // 8), np.uint8), count=self._count).astype(bool)
        number = int(known.sum())
        values[known] = self._integers(number, 8).view(np.float64) if kind == _RAW else self._sums(number, width) / 10.0**digits
        return values

    def _head(self) -> tuple[int, int, int, int]:
        kind, digits, width, masked = _HEAD.unpack(self._take(_HEAD.size))
        return kind, digits, width, masked

    def _sums(self, number: int, width: int) -> NDArray[np.int64]:
        if number == 0:
            return np.zeros(0, np.int64)
        first = np.frombuffer(self._take(8), "<i8").astype(np.int64)
        return np.cumsum(np.concatenate([first, self._integers(number - 1, width)]), dtype=np.int64)

    def _integers(self, number: int, width: int) -> NDArray[np.int64]:
        columns = np.frombuffer(self._take(number * width), np.uint8).reshape(width, number)
        return np.ascontiguousarray(columns.T).view(f"<i{width}").reshape(number).astype(np.int64)

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size:self._at]

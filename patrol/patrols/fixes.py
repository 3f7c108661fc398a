"""What a device sent as fixes: read column by column, what cannot be used put aside with a reason. Pure.

A batch is never refused for one point: a permanent refusal would block a phone's queue behind it.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from patrol.foundation.geometry import Datum, Floats, to_wgs84_array
from patrol.foundation.texts import Text
from patrol.patrols.track import Source, Track

MOST_FIXES = 5000
# What a point may say; what it measures is a number or left out.
MEASURES = ("accuracy_m", "altitude_m", "speed_mps", "bearing_deg")
POINT_FIELDS = frozenset({"recorded_at", "latitude", "longitude", *MEASURES, "mock"})
# Traccar and others send -1 where they know nothing; below zero these three mean nothing anyway.
_NEVER_NEGATIVE = frozenset({"accuracy_m", "speed_mps", "bearing_deg"})
_FIRST_MS, _LAST_MS = (int(datetime(*day, tzinfo=UTC).timestamp() * 1000) for day in ((2000, 1, 1), (9999, 12, 31)))
_NUMBERS: frozenset[type] = frozenset({int, float, type(None)})

# Why a point was put aside, in the order in which the first reason found is the one told.
REASONS: dict[str, Text] = {
    "no_time": Text("没有可读的时间，无法证明到过", "It has no time that can be read, and so proves nothing"),
    "no_time_zone": Text("时间没有时区", "Its time has no time zone"),
    "absurd_time": Text("时间不在 2000 年至 9999 年之间", "Its time does not lie between the years 2000 and 9999"),
    "bad_coordinates": Text("经纬度缺失或超出范围", "Its latitude or longitude is missing or out of range"),
    "bad_value": Text("精度、海拔、速度、方向或模拟标记不是所要求的类型", "A measure is not a number, or `mock` neither true nor false"),
    "outside_datum": Text("坐标不在所报坐标系的适用范围内", "It lies outside the area of the declared datum"),
    "outside_patrol": Text("不在巡河时间内，坐标未保存", "It lies outside the time of the patrol; its coordinates were not kept"),
}


@dataclass(frozen=True)
class Aside:
    """A point that cannot be used: its place in what was sent, from 0, and a code of `REASONS`."""

    index: int
    code: str


@dataclass(frozen=True)
class Fixes:
    """`sent` points as they came: the usable ones as a track of raw degrees, the others in `aside`.

    Attributes:
        track: n usable fixes in the order of time; degrees in the datum that the device declared, not converted.
        places: for each of them, its place in what was sent.
        aside: the others, by place.
        sent: how many points came.
        digest: SHA-256 (hex) of the points as sent.
    """

    track: Track
    places: NDArray[np.int64]
    aside: tuple[Aside, ...]
    sent: int
    digest: str

    def __len__(self) -> int:
        return self.sent

    def without(self, unusable: NDArray[np.bool_], code: str) -> "Fixes":
        """Return the fixes with the `unusable` ones, a mask over the track, put aside for the reason `code`."""
        if not unusable.any():
            return self
        more = [Aside(int(place), code) for place in self.places[unusable]]
        aside = sorted([*self.aside, *more], key=lambda point: point.index)
        return replace(self, track=self.track.at(~unusable), places=self.places[~unusable], aside=tuple(aside))


def read_fixes(points: Sequence[Mapping[str, Any]], *, source: Source = Source.APP) -> Fixes:
    """Return the fixes in `points`, each with `POINT_FIELDS`; `recorded_at` is RFC 3339 or a datetime. Nothing is guessed."""
    count = len(points)
    faults = np.full(count, "", dtype="U20")
    recorded_ms = _times([point.get("recorded_at") for point in points], faults)
    latitude, _ = _numbers([point.get("latitude") for point in points])
    longitude, _ = _numbers([point.get("longitude") for point in points])
    _mark(faults, ~((np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)), "bad_coordinates")
    measures = {name: _measure(name, [point.get(name) for point in points], faults) for name in MEASURES}
    mock = _mock([point.get("mock") for point in points], faults)
    whole = Track(
        recorded_ms=recorded_ms, latitude=latitude, longitude=longitude, mock=mock, source=np.full(count, source, np.int8), **measures
    )
    usable = np.flatnonzero(faults == "")
    places = usable[np.argsort(recorded_ms[usable], kind="stable")]
    aside = tuple(Aside(int(place), str(faults[place])) for place in np.flatnonzero(faults != ""))
    return Fixes(whole.at(places), places, aside, count, _digest(points))


def in_wgs84(track: Track, datum: Datum) -> Track:
    """Return the track with WGS 84 degrees in place of those in `datum`; NaN outside the datum's area."""
    latitude, longitude = to_wgs84_array(track.latitude, track.longitude, datum)
    return replace(track, latitude=latitude, longitude=longitude)


def _digest(points: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(orjson.dumps(points, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).hexdigest()


def _mark(faults: NDArray[np.str_], wrong: NDArray[np.bool_], code: str) -> None:
    faults[wrong & (faults == "")] = code


def _numbers(values: list[Any]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return floats, NaN for what is not there, and which of the values are there but are no finite numbers."""
    if set(map(type, values)) <= _NUMBERS:
        numbers = np.array(values, dtype=np.float64)
        return np.where(np.isinf(numbers), np.nan, numbers), np.isinf(numbers)
    good = [value if type(value) in _NUMBERS else math.inf for value in values]
    return _numbers(good)


def _measure(name: str, values: list[Any], faults: NDArray[np.str_]) -> Floats:
    numbers, wrong = _numbers(values)
    _mark(faults, wrong, "bad_value")
    return np.where(numbers < 0, np.nan, numbers) if name in _NEVER_NEGATIVE else numbers


def _mock(values: list[Any], faults: NDArray[np.str_]) -> NDArray[np.int8]:
    told: dict[Any, int] = {True: 1, False: 0, None: -1}
    if not set(map(type, values)) <= {bool, type(None)}:
        _mark(faults, np.array([type(value) not in {bool, type(None)} for value in values]), "bad_value")
        values = [value if type(value) is bool else None for value in values]
    return np.array([told[value] for value in values], dtype=np.int8)


def _times(values: list[Any], faults: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return milliseconds since 1970, finer parts rounded; 0 for what has no usable time."""
    moments = [_moment(value) for value in values]
    _mark(faults, np.array([moment is None for moment in moments], dtype=bool), "no_time")
    _mark(faults, np.array([moment is not None and moment.tzinfo is None for moment in moments], dtype=bool), "no_time_zone")
    seconds = np.array([moment.timestamp() if moment is not None and moment.tzinfo else 0.0 for moment in moments])
    recorded_ms: NDArray[np.int64] = np.rint(seconds * 1000).astype(np.int64)
    _mark(faults, (recorded_ms < _FIRST_MS) | (recorded_ms > _LAST_MS), "absurd_time")
    return recorded_ms


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None

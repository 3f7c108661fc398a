"""What the phones record on the patrols: fixes with the errors of a receiver, sent in batches as an app sends them."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from patrol.demo.positions import Waterside, as_gcj02
from patrol.demo.records import Patrol, dated_id
from patrol.demo.walks import Kind
from patrol.demo.ways import degrees_of
from patrol.foundation.geometry import Floats
from patrol.patrols.fixes import MEASURES

FIXES_A_BATCH = 300
# The error of a receiver wanders: what it is now it mostly still is a minute later.
ERROR_LASTS_S = 60.0
WANDERING_SHARE = 0.75
OFFLINE_SHARE = 0.08
VALLEY_FLOOR_M, RISE = 42.0, 0.004


@dataclass(frozen=True)
class Recording:
    """The fixes of a patrol as columns of one length; NaN is what the phone does not know, `mock` -1 what it does not tell.

    `measures` are named as in a point of the product; degrees are in whatever the phone measures in.
    """

    recorded_ms: NDArray[np.int64]
    degrees: Floats
    measures: Mapping[str, Floats]
    mock: int

    def points(self, first: int, last: int) -> list[dict[str, Any]]:
        """Return the fixes from `first` to before `last` as a phone sends them."""
        columns = {name: values[first:last].tolist() for name, values in self.measures.items()}
        rows = zip(self.recorded_ms[first:last].tolist(), self.degrees[first:last].tolist(), strict=True)
        return [
            {"recorded_at": datetime.fromtimestamp(at_ms / 1000, UTC), "latitude": latitude, "longitude": longitude,
             "mock": None if self.mock < 0 else self.mock == 1,
             **{name: None if values[index] != values[index] else values[index] for name, values in columns.items()}}
            for index, (at_ms, (latitude, longitude)) in enumerate(rows)
        ]  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """The fixes from `first` to before `last` of a recording, sent under the batch's id at `sent_at`."""

    id: UUID
    sent_at: datetime
    recording: Recording
    first: int
    last: int

    @property
    def points(self) -> list[dict[str, Any]]:
        """The fixes as the body of a request has them."""
        return self.recording.points(self.first, self.last)


def recording_of(patrol: Patrol, waterside: Waterside) -> Recording:
    """Return what the patrol's phone records, the same every time."""
    walk, rng = patrol.walk, np.random.default_rng(patrol.walk.seed)
    after_s = np.arange(0.0, walk.duration_s, walk.every_s)
    after_s += np.clip(rng.normal(0.0, 0.25, len(after_s)), 0.0, 1.0)
    for begins, ends in walk.silences:
        after_s = after_s[(after_s < begins) | (after_s > ends)]
    course_s, course_m = np.array(walk.course).T
    along_m = np.interp(after_s, course_s, course_m)
    ahead_m = np.interp(after_s + 2.0, course_s, course_m)
    way = walk.way(waterside)
    places, heading = way.at(along_m), way.at(along_m + 4.0) - way.at(along_m)
    speed_mps, bearing_deg = (ahead_m - along_m) / 2.0, np.degrees(np.arctan2(heading[:, 0], heading[:, 1])) % 360.0
    start_ms = round(patrol.started_at.timestamp() * 1000)
    if walk.kind == Kind.MOCKED:
        errors, measures = np.zeros_like(places), _made_up(along_m, walk.duration_s)
    else:
        errors, measures = _errors(after_s, walk.every_s, rng), {}
        measures = _measured(errors, along_m, speed_mps, bearing_deg, rng)
    degrees = np.round(degrees_of(places + errors), 6)
    if walk.datum == "gcj02" or walk.kind == Kind.MISLABELLED:
        degrees = np.array([as_gcj02((latitude, longitude)) for latitude, longitude in degrees.tolist()])
    return Recording(start_ms + np.rint(after_s * 1000).astype(np.int64), degrees, measures, _mock_flag(patrol))


def batches_of(patrol: Patrol, waterside: Waterside) -> Iterator[Batch]:
    """Yield the batches in which the phone sends the track: as they fill, or, without a network, all of them later."""
    recording, rng = recording_of(patrol, waterside), random.Random(patrol.walk.seed ^ patrol.id.int)  # noqa: S311 - invented
    offline = rng.random() < OFFLINE_SHARE
    back = patrol.ended_at + timedelta(minutes=rng.uniform(10, 100))
    for first in range(0, len(recording.recorded_ms), FIXES_A_BATCH):
        last = min(first + FIXES_A_BATCH, len(recording.recorded_ms))
        filled = datetime.fromtimestamp(int(recording.recorded_ms[last - 1]) / 1000, UTC)
        sent_at = (back if offline else filled) + timedelta(seconds=rng.uniform(2, 7))
        yield Batch(dated_id(sent_at, rng), sent_at, recording, first, last)


def _mock_flag(patrol: Patrol) -> int:
    if not patrol.phone.tells_mock:
        return -1
    return int(patrol.walk.kind == Kind.MOCKED)


def _errors(after_s: Floats, every_s: float, rng: np.random.Generator) -> Floats:
    """Return metres east and north, shape (n, 2), by which the receiver errs: mostly a wandering, the rest a jitter."""
    sigma_m = rng.uniform(2.5, 6.0)
    wandering = np.column_stack([_wandering(len(after_s), every_s, rng) for _ in range(2)])
    jitter = rng.normal(size=(len(after_s), 2))
    found: Floats = sigma_m * (np.sqrt(WANDERING_SHARE) * wandering + np.sqrt(1 - WANDERING_SHARE) * jitter)
    return found


def _wandering(count: int, every_s: float, rng: np.random.Generator) -> Floats:
    """Return `count` values of variance 1, each like its neighbours: white noise under a fading memory."""
    kernel = np.exp(-np.arange(0.0, 5 * ERROR_LASTS_S, every_s) / ERROR_LASTS_S)
    noise = rng.normal(size=count + len(kernel) - 1)
    return np.convolve(noise, kernel / np.sqrt((kernel**2).sum()), mode="valid")


def _measured(
    errors: Floats, along_m: Floats, speed_mps: Floats, bearing_deg: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return what a receiver tells beside its place: an accuracy like its errors, and no bearing where it stands still."""
    count = len(along_m)
    accuracy_m = np.clip(np.hypot(*errors.T) * rng.uniform(0.5, 0.9) + rng.uniform(3.5, 8.0) + rng.exponential(1.5, count), 3.0, 45.0)
    speed = np.maximum(0.0, speed_mps * rng.normal(1.0, 0.06, count) + rng.normal(0.0, 0.08, count))
    altitude_m = VALLEY_FLOOR_M + RISE * along_m + 4.0 * _wandering(count, 12.0, rng)
    bearing = np.where(speed < 0.4, np.nan, np.round((bearing_deg + rng.normal(0.0, 9.0, count)) % 360.0, 0) % 360.0)
    values = (np.round(accuracy_m, 1), np.round(altitude_m, 1), np.round(speed, 2), bearing)
    return dict(zip(MEASURES, values, strict=True))


def _made_up(along_m: Floats, duration_s: float) -> dict[str, Floats]:
    """Return what an app that invents positions tells: the same of every fix."""
    pace_mps = round(float(along_m[-1]) / duration_s, 2)
    return {name: np.full(len(along_m), value) for name, value in zip(MEASURES, (5.0, 0.0, pace_mps, np.nan), strict=True)}

"""Random checkpoints: which places of a reach a patrol has to show, the same draw on phone and server. Pure.

A phone gets the day's seed beforehand and makes the patrol's id itself, so that it can draw without signal; the server
repeats the draw from what it handed out. `docs/checkpoints.md` tells the steps with test vectors.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import shapely

from patrol.foundation.geometry import Geometry, length_m, project_array, unproject

DRAWN = 3
SPACING_M = 500
MOST_RIVER_PLACES = 20
# Outside of it a fix is not at the place, less its own accuracy: catalogue of checks, row 16 (geofence of 100 m).
RADIUS_M = 100.0


@dataclass(frozen=True)
class Place:
    """Somewhere to be shown: a board or a point of the river; `key` names it in the draw. Degrees, WGS 84."""

    key: str
    kind: str
    reach_id: UUID
    latitude: float
    longitude: float

    def as_data(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"key": self.key, "kind": self.kind, "reach_id": str(self.reach_id), "latitude": self.latitude, "longitude": self.longitude}


def place_of_data(data: dict[str, Any]) -> Place:
    """Return the place of `Place.as_data`."""
    return Place(**{**data, "reach_id": UUID(data["reach_id"])})


def river_places(reach_id: UUID, code: str, shape: Geometry) -> list[Place]:
    """Return points spread evenly along a lon/lat line, or around a lake: one for each 500 m, at least one, at most 20."""
    outlines = shapely.boundary(shape) if shapely.get_dimensions(shape) == 2 else shape
    parts = [part for part in shapely.get_parts(outlines) if not shapely.is_empty(part)]
    lengths = [length_m(part) for part in parts]
    count = min(max(int(sum(lengths) // SPACING_M), 1), MOST_RIVER_PLACES)
    ends, found = np.cumsum(lengths), []
    for number in range(count):
        at_m = sum(lengths) * (number + 0.5) / count
        index = int(np.searchsorted(ends, at_m))
        share = (at_m - (ends[index] - lengths[index])) / lengths[index]
        point = shapely.line_interpolate_point(shapely.transform(parts[index], project_array), share, normalized=True)
        latitude, longitude = unproject(point.x, point.y)
        found.append(Place(f"{code}@{number + 1}", "river", reach_id, round(latitude, 6), round(longitude, 6)))
    return found


def draw(seed: bytes, patrol_id: UUID, places: Iterable[Place], count: int = DRAWN) -> list[Place]:
    """Return the `count` places that this patrol has to show, in order; all of them where there are fewer."""
    secret = hmac.digest(seed, patrol_id.bytes, "sha256")
    return sorted(places, key=lambda place: (hashlib.sha256(secret + place.key.encode()).digest(), place.key))[:count]


def commitment(seed: bytes) -> str:
    """Return the SHA-256 (hex) of a seed, which shows later that it was not exchanged."""
    return hashlib.sha256(seed).hexdigest()


class Result(StrEnum):
    """What a checkpoint shows."""

    SHOWN = "shown"
    ELSEWHERE = "elsewhere"
    UNREACHABLE = "unreachable"
    OPEN = "open"


def result_of(reached: bool | None, *, distance_m: float, accuracy_m: float | None) -> Result:
    """Judge one answer, None for none: at the place within 100 m and the fix's accuracy, elsewhere, or not to be reached."""
    if reached is None:
        return Result.OPEN
    if not reached:
        return Result.UNREACHABLE
    return Result.SHOWN if distance_m - (accuracy_m or 0.0) <= RADIUS_M else Result.ELSEWHERE


_VECTOR_PLACES = ("B0001", "R001@1", "R001@2", "R001@3", "R001@4")
_VECTORS = ((bytes(32), UUID(int=1)), (bytes(range(32)), UUID("0190b7a2-0000-7000-8000-000000000001")))


def checkpoints_document() -> str:
    """Render docs/checkpoints.md: how a phone draws, and vectors to test it with."""
    lines = [
        "# Random checkpoints", "",
        "Generated from `patrol/patrols/checkpoints.py`. `GET /api/v1/me/checkpoint-seeds` gives a phone the seed (32 bytes, hex) and the "
        "places of each day ahead. Without signal the phone draws the places that a patrol has to show:", "",
        "1. `secret = HMAC-SHA256(key = seed of the local day on which the patrol began, message = the 16 bytes of the patrol's id)`",
        "2. of the day's places keep those on the patrol's reaches; sort them by `SHA256(secret + key in UTF-8)`, bytes in rising order",
        f"3. the first {DRAWN} are the checkpoints, numbered from 1", "",
        "`PUT /api/v1/patrols/{id}/checkpoints/{n}` or an item `checkpoint` of `POST /api/v1/sync` brings the answer: reached, or "
        "why not with a photo. The server draws again from what it "
        "handed out. `commitment` is the SHA-256 of the seed. A seed is known beforehand, or nobody could draw without signal: checkpoints "
        "are evidence for a patrol, their absence is none against it.", "",
        f"Test vectors, with the places {', '.join(f'`{key}`' for key in _VECTOR_PLACES)}:", "",
        "| seed | patrol | commitment | drawn |", "|---|---|---|---|",
    ]  # fmt: skip
    places = [Place(key, "river", UUID(int=0), 0.0, 0.0) for key in _VECTOR_PLACES]
    for seed, patrol_id in _VECTORS:
        keys = ", ".join(f"`{place.key}`" for place in draw(seed, patrol_id, places))
        lines.append(f"| `{seed.hex()}` | `{patrol_id}` | `{commitment(seed)}` | {keys} |")
    return "\n".join(lines) + "\n"

"""Random checkpoints: which places of a reach a patrol has to show, the same draw on phone and server. Pure.

A phone gets the day's seed beforehand, so that it can draw without signal; the server repeats the draw from what it
handed out. Nothing that the phone makes itself goes into it, or it would try until a draw suits (decision 20).
`docs/checkpoints.md` tells the steps with test vectors.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import shapely

from patrol.foundation.geometry import Geometry, length_m, project_array, unproject

DRAWN = 3
SPACING_M = 500
MOST_RIVER_PLACES = 20
# Outside of it a fix is not at the place, less its own accuracy: catalogue of checks, row 16 (geofence of 100 m).
RADIUS_M = 100.0
# A worse fix shows nothing, as in the coverage policy: an accuracy of kilometres would put a phone everywhere at once.
WORST_ACCURACY_M = 100.0
# What a draw depends on besides the seed: the day alone. Seeds handed out before that was so draw by the patrol's id.
BY_DAY, BY_PATROL = "day", "patrol"


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


def draw(seed: bytes, places: Iterable[Place], count: int = DRAWN, *, patrol_id: UUID | None = None) -> list[Place]:
    """Return the `count` places that a patrol has to show, in order; all of them where there are fewer.

    `patrol_id` is for seeds that draw by patrol only.
    """
    secret = seed if patrol_id is None else hmac.digest(seed, patrol_id.bytes, "sha256")
    return sorted(places, key=lambda place: (hashlib.sha256(secret + place.key.encode()).digest(), place.key))[:count]


def commitment(seed: bytes) -> str:
    """Return the SHA-256 (hex) of a seed, which shows later that it was not exchanged."""
    return hashlib.sha256(seed).hexdigest()


def mark_of(patrol_id: UUID, number: int) -> UUID:
    """Return the id by which a checkpoint of a patrol is told from its other checkpoints and check-ins."""
    return uuid5(patrol_id, f"checkpoint {number}")


class Result(StrEnum):
    """What a checkpoint shows."""

    SHOWN = "shown"
    ELSEWHERE = "elsewhere"
    UNREACHABLE = "unreachable"
    NO_PHOTO = "no_photo"
    OPEN = "open"


def result_of(reached: bool | None, *, distance_m: float, accuracy_m: float | None, has_photo: bool) -> Result:
    """Judge one answer, None for none: at the place within 100 m and the fix's accuracy, elsewhere, or not to be reached.

    Without a photo of its own that has arrived an answer shows nothing yet.
    """
    if reached is None:
        return Result.OPEN
    if not has_photo:
        return Result.NO_PHOTO
    if not reached:
        return Result.UNREACHABLE
    unsure_m = accuracy_m if accuracy_m is not None and accuracy_m <= WORST_ACCURACY_M else 0.0
    return Result.SHOWN if distance_m - unsure_m <= RADIUS_M else Result.ELSEWHERE


MISSED = (Result.OPEN, Result.NO_PHOTO, Result.ELSEWHERE)


_VECTOR_PLACES = ("B0001", "R001@1", "R001@2", "R001@3", "R001@4")
_VECTORS = (bytes(32), bytes(range(32)))


def checkpoints_document() -> str:
    """Render docs/checkpoints.md: how a phone draws, and vectors to test it with."""
    lines = [
        "# Random checkpoints", "",
        "Generated from `patrol/patrols/checkpoints.py`. `GET /api/v1/me/checkpoint-seeds` gives a phone the seed (32 bytes, hex) and the "
        "places of each day ahead. Without signal the phone draws the places that a patrol has to show:", "",
        "1. of the places of the local day on which the patrol began keep those on the patrol's reaches",
        "2. sort them by `SHA256(seed of that day + key in UTF-8)`, bytes in rising order",
        f"3. the first {DRAWN} are the checkpoints, numbered from 1", "",
        "Nothing that the phone chooses goes into the draw: every patrol of a person on a day and the same reaches has the same checkpoints, "
        "so that no other id, start or second attempt draws others ([why](decisions/0020-checkpoints-of-the-day.md)). A row whose `draws_by` is "
        "`patrol` was handed out before; its key of step 2 is "
        "`HMAC-SHA256(key = seed, message = the 16 bytes of the patrol's id)` instead of the seed.", "",
        "`PUT /api/v1/patrols/{id}/checkpoints/{n}` or an item `checkpoint` of `POST /api/v1/sync` brings the answer: reached, or "
        "why not; a photo of its own belongs to either, and is named under `missing` until it is here. The server draws again from what it "
        "handed out. `commitment` is the SHA-256 of the seed.", "",
        "| result | |", "|---|---|",
        f"| `shown` | the photo is here, and the position within {RADIUS_M:.0f} m and the accuracy of the fix (one worse than {WORST_ACCURACY_M:.0f} m gives nothing) |",
        "| `unreachable` | the reason and the photo are here |", "| `elsewhere` | it was reached, the phone says, from too far away |",
        "| `no_photo` | answered; its photo is not here, or shows another checkpoint or another patrol's check-in already |", "| `open` | not answered |", "",
        "The last three lead to the finding `checkpoint_missed`, which a person judges; alone it makes no patrol doubtful. One that is `open` does so "
        "only where the seed had been handed out when the patrol began: where the phone first asked for it on the way or afterwards, the places "
        "are shown as `open` and no finding follows, since nobody knew of them; an answer is judged all the same.", "",
        f"Test vectors, with the places {', '.join(f'`{key}`' for key in _VECTOR_PLACES)}:", "",
        "| seed | commitment | drawn |", "|---|---|---|",
    ]  # fmt: skip
    places = [Place(key, "river", UUID(int=0), 0.0, 0.0) for key in _VECTOR_PLACES]
    for seed in _VECTORS:
        keys = ", ".join(f"`{place.key}`" for place in draw(seed, places))
        lines.append(f"| `{seed.hex()}` | `{commitment(seed)}` | {keys} |")
    return "\n".join(lines) + "\n"

"""Which reach a check-in belongs to, and how far from it the person stood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import shapely
from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation import geometry
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.positions import Position
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.waters.models import Reach
from patrol.waters.queries import chiefs_on, near_reaches, region_at
from patrol.waters.reach_index import Candidate
from patrol.waters.terms import LEVELS

_NO_REACH = Text("没有这个河段", "There is no such reach")
# What an accuracy that the device did not tell is taken as, as in routing.
UNKNOWN_ACCURACY_M = 50.0
# What even a good accuracy cannot tell apart, as in routing: half the width of a small river.
LEAST_MARGIN_M = 15.0


@dataclass(frozen=True)
class Place:
    """Where a check-in belongs."""

    reach: Reach | None
    region_id: UUID
    distance_m: float | None


def place_of(position: Position, *, by: Actor, reach_id: UUID | None, tolerance_m: float, day: date | None = None) -> Place:
    """Return the place: the reach that the person named, else one within tolerance, else the region alone.

    The same water is drawn once for each level. Reaches hardly farther than the nearest, by at most half the accuracy
    or 15 m, whichever is more, count as equally near; among these go first the ones to which the person is appointed
    on the local `day` (None: nobody's appointments are asked for), then the lowest level, then the nearest.
    """
    if reach_id is not None:
        reach = db.session.scalar(select(Reach).where(Reach.id == reach_id).options(undefer(Reach.geometry)))
        if reach is None:
            raise Invalid(_NO_REACH, errors={"reach_id": [_NO_REACH]})
        return Place(reach, reach.region_id, round(distance_to(reach, position), 1))
    accuracy_m = position.accuracy_m if position.accuracy_m is not None else UNKNOWN_ACCURACY_M
    near = near_reaches(position.latitude, position.longitude, accuracy_m=accuracy_m, tolerance_m=tolerance_m)
    within = [pair for pair in near if pair[0].within_tolerance]
    if within:
        farthest_m = within[0][0].distance_m + max(LEAST_MARGIN_M, accuracy_m / 2)
        candidate, reach = _fittest([pair for pair in within if pair[0].distance_m <= farthest_m], by=by, day=day)
        return Place(reach, reach.region_id, round(candidate.distance_m, 1))
    region = region_at(position.latitude, position.longitude)
    return Place(None, region.id if region else by.region_id, None)  # type: ignore[arg-type]


def _fittest(alike: Sequence[tuple[Candidate, Reach]], *, by: Actor, day: date | None) -> tuple[Candidate, Reach]:
    own: set[UUID] = set()
    if len(alike) > 1 and day is not None:
        chiefs = chiefs_on([reach.id for _, reach in alike], day)
        own = {reach_id for reach_id, answering in chiefs.items() if any(chief.person_id == by.person_id for chief in answering)}
    return min(alike, key=lambda pair: (pair[1].id not in own, -LEVELS.index(pair[1].level), pair[0].distance_m))


def distance_to(reach: Reach, position: Position) -> float:
    """Return the metres from `position` to the reach, 0 inside a lake."""
    x, y = geometry.project(position.latitude, position.longitude)
    shape = shapely.transform(geometry.from_wkb(reach.geometry), geometry.project_array)
    return float(shapely.distance(shape, shapely.Point(x, y))) * geometry.metres_per_mercator_unit(position.latitude)

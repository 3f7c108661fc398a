"""Which reach a check-in belongs to, and how far from it the person stood."""

from dataclasses import dataclass
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
from patrol.waters.queries import near_reaches, region_at

_NO_REACH = Text("没有这个河段", "There is no such reach")
# What an accuracy that the device did not tell is taken as, as in routing.
UNKNOWN_ACCURACY_M = 50.0


@dataclass(frozen=True)
class Place:
    """Where a check-in belongs."""

    reach: Reach | None
    region_id: UUID
    distance_m: float | None


def place_of(position: Position, *, by: Actor, reach_id: UUID | None, tolerance_m: float) -> Place:
    """Return the place: the reach that the person named, else the nearest one within tolerance, else the region alone."""
    if reach_id is not None:
        reach = db.session.scalar(select(Reach).where(Reach.id == reach_id).options(undefer(Reach.geometry)))
        if reach is None:
            raise Invalid(_NO_REACH, errors={"reach_id": [_NO_REACH]})
        return Place(reach, reach.region_id, round(distance_to(reach, position), 1))
    accuracy_m = position.accuracy_m if position.accuracy_m is not None else UNKNOWN_ACCURACY_M
    for candidate, reach in near_reaches(position.latitude, position.longitude, accuracy_m=accuracy_m, tolerance_m=tolerance_m):
        if candidate.within_tolerance:
            return Place(reach, reach.region_id, round(candidate.distance_m, 1))
    region = region_at(position.latitude, position.longitude)
    return Place(None, region.id if region else by.region_id, None)  # type: ignore[arg-type]


def distance_to(reach: Reach, position: Position) -> float:
    """Return the metres from `position` to the reach, 0 inside a lake."""
    x, y = geometry.project(position.latitude, position.longitude)
    shape = shapely.transform(geometry.from_wkb(reach.geometry), geometry.project_array)
    return float(shapely.distance(shape, shapely.Point(x, y))) * geometry.metres_per_mercator_unit(position.latitude)

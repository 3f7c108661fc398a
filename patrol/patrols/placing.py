"""Which reach a check-in belongs to, and how far from it the person stood."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.positions import Position
from patrol.foundation.texts import Text
from patrol.issues.routing import LEAST_MARGIN_M, UNKNOWN_ACCURACY_M
from patrol.people.actor import Actor
from patrol.waters.board_places import metres_to
from patrol.waters.models import Reach
from patrol.waters.nearby import ReachBeside, reaches_beside
from patrol.waters.queries import region_at
from patrol.waters.reach_index import Candidate
from patrol.waters.terms import LEVELS

_NO_REACH = Text("没有这个河段", "There is no such reach")


@dataclass(frozen=True)
class Place:
    """Where a check-in belongs."""

    reach: ReachBeside | None
    region_id: UUID
    distance_m: float | None


def place_of(position: Position, *, by: Actor, reach_id: UUID | None, tolerance_m: float, day: date | None = None) -> Place:
    """Return the place: the reach that the person named, else one within tolerance, else the region alone.

    The same water is drawn once for each level. Reaches hardly farther than the nearest, by at most half the accuracy
    or 15 m, whichever is more, count as equally near; among these go first the ones to which the person was appointed
    on the local `day` of the check-in (None: nobody's appointments are asked for), then the lowest level, then the nearest.
    """
    if reach_id is not None:
        return _place_on(reach_id, position)
    accuracy_m = position.accuracy_m if position.accuracy_m is not None else UNKNOWN_ACCURACY_M
    near = reaches_beside(
        position.latitude, position.longitude, accuracy_m=accuracy_m, tolerance_m=tolerance_m, person_id=by.person_id, day=day
    )
    within = [pair for pair in near if pair[0].within_tolerance]
    if within:
        farthest_m = within[0][0].distance_m + max(LEAST_MARGIN_M, accuracy_m / 2)
        candidate, reach = _fittest([pair for pair in within if pair[0].distance_m <= farthest_m])
        return Place(reach, reach.region_id, round(candidate.distance_m, 1))
    region = region_at(position.latitude, position.longitude).region
    return Place(None, region.id if region else by.region_id, None)  # type: ignore[arg-type]


def _place_on(reach_id: UUID, position: Position) -> Place:
    reach = db.session.scalar(select(Reach).where(Reach.id == reach_id).options(undefer(Reach.geometry)))
    if reach is None:
        raise Invalid(_NO_REACH, errors={"reach_id": [_NO_REACH]})
    named = ReachBeside(reach.id, reach.code, reach.name, reach.level, reach.region_id, is_own=False)
    return Place(named, reach.region_id, round(distance_to(reach, position), 1))


def _fittest(alike: Sequence[tuple[Candidate, ReachBeside]]) -> tuple[Candidate, ReachBeside]:
    return min(alike, key=lambda pair: (not pair[1].is_own, -LEVELS.index(pair[1].level), pair[0].distance_m))


def distance_to(reach: Reach, position: Position) -> float:
    """Return the metres from `position` to the reach, 0 inside a lake."""
    return metres_to(reach.geometry, position.latitude, position.longitude)

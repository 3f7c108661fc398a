"""Reads of checkpoints: what a patrol had to show, and what it showed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import undefer

from patrol.evidence.models import Photo
from patrol.evidence.visibility import photos_seen_through
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.geometry import from_wkb
from patrol.patrols.checkpoint_models import CheckpointAnswer, CheckpointHandout
from patrol.patrols.checkpoints import Place, Result, draw, place_of_data, result_of, river_places
from patrol.patrols.duty_lists import walkable_reaches
from patrol.patrols.duty_models import Delegation
from patrol.patrols.models import Patrol
from patrol.patrols.queries import visible_patrols
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.waters.models import Appointment, Reach, Signboard
from patrol.waters.queries import in_force

MOST_REACHES = 100


@dataclass(frozen=True)
class Checkpoint:
    """One place that a patrol has to show, its answer if there is one, and what that shows."""

    number: int
    place: Place
    answer: CheckpointAnswer | None

    @property
    def result(self) -> Result:
        """What the answer shows."""
        if self.answer is None:
            return Result.OPEN
        return result_of(self.answer.reached, distance_m=self.answer.distance_m, accuracy_m=self.answer.accuracy_m)


def places_for(actor: Actor, day: date) -> list[Place]:
    """Return the places where the actor may have to show himself: on his own reaches, his principals' and his region's."""
    principals = select(Delegation.principal_id).where(
        Delegation.deputy_id == actor.person_id, Delegation.valid_from <= day, Delegation.valid_to >= day, Delegation.revoked_at.is_(None)
    )
    his = select(Appointment.reach_id).where(
        in_force(day), or_(Appointment.person_id == actor.person_id, Appointment.person_id.in_(principals))
    )
    reaches = db.session.scalars(
        walkable_reaches(actor, principals, day).where(or_(Reach.region_id == actor.region_id, Reach.id.in_(his)))
        .options(undefer(Reach.geometry)).order_by(Reach.code).limit(MOST_REACHES)
    ).all()
    boards = db.session.scalars(select(Signboard).where(Signboard.reach_id.in_([reach.id for reach in reaches])).order_by(Signboard.code))
    found = [Place(board.code, "board", board.reach_id, board.latitude, board.longitude) for board in boards]
    for reach in reaches:
        found += river_places(reach.id, reach.code, from_wkb(reach.geometry))
    return found


def drawn_for(patrol: Patrol, timezone: str) -> list[Place]:
    """Return the places drawn for a patrol, its reaches loaded; none where nothing was handed out for that day."""
    handout = db.session.get(CheckpointHandout, (patrol.person_id, clock.local_date(patrol.started_at, timezone)))
    if handout is None:
        return []
    on_it = {reach.id for reach in patrol.reaches}
    places = [place for place in map(place_of_data, handout.places) if place.reach_id in on_it]
    return draw(bytes.fromhex(handout.seed), patrol.id, places)


def checkpoints_of(patrol: Patrol, timezone: str) -> list[Checkpoint]:
    """Return the checkpoints of a patrol, its reaches loaded, with their answers; the examination takes them from here."""
    answers = {row.number: row for row in _answers(patrol.id)}
    return [Checkpoint(number, place, answers.get(number)) for number, place in enumerate(drawn_for(patrol, timezone), 1)]


def _answers(patrol_id: UUID) -> Sequence[CheckpointAnswer]:
    return db.session.scalars(select(CheckpointAnswer).where(CheckpointAnswer.patrol_id == patrol_id)).all()


@photos_seen_through("checkpoints")
def _photos_of_checkpoints(actor: Actor) -> Select[UUID]:
    """Select the photos of checkpoints on visible patrols; only those that the patrol's own person sent count."""
    if not actor.may(P.SEE_PATROLS):
        return select(Photo.id).where(false())
    seen = visible_patrols(actor).with_only_columns(Patrol.id, maintain_column_froms=True).options()
    return (
        select(Photo.id)
        .join(CheckpointAnswer, CheckpointAnswer.photo_id == Photo.id)
        .join(Patrol, and_(Patrol.id == CheckpointAnswer.patrol_id, Patrol.person_id == Photo.owner_id))
        .where(Patrol.id.in_(seen))
    )

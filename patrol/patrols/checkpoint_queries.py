"""Reads of checkpoints: what a patrol had to show, and what it showed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select, union
from sqlalchemy.orm import aliased, undefer

from patrol.evidence.models import Photo
from patrol.evidence.queries import arrived_photos
from patrol.evidence.visibility import photos_seen_through
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.geometry import from_wkb
from patrol.patrols.checkpoint_models import CheckpointAnswer, CheckpointHandout
from patrol.patrols.checkpoints import BY_PATROL, Place, Result, draw, place_of_data, result_of, river_places
from patrol.patrols.duty_lists import walkable_reaches
from patrol.patrols.duty_models import Delegation
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol
from patrol.patrols.queries import visible_patrols
from patrol.patrols.window import AHEAD
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.waters.models import Appointment, Reach, Signboard
from patrol.waters.queries import in_force

MOST_REACHES = 100


@dataclass(frozen=True)
class Checkpoint:
    """One place that a patrol has to show, its answer if there is one, and what that shows.

    `has_photo`: a photo of the patrol's person is here that shows no earlier checkpoint, and no check-in of another patrol.
    `known_at_start`: the seed had been handed out when the patrol began.
    """

    number: int
    place: Place
    answer: CheckpointAnswer | None
    has_photo: bool
    known_at_start: bool

    @property
    def result(self) -> Result:
        """What the answer shows."""
        if self.answer is None:
            return Result.OPEN
        return result_of(
            self.answer.reached, distance_m=self.answer.distance_m, accuracy_m=self.answer.accuracy_m, has_photo=self.has_photo
        )


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
    handout = _handout_of(patrol, timezone)
    if handout is None:
        return []
    on_it = {reach.id for reach in patrol.reaches}
    places = [place for place in map(place_of_data, handout.places) if place.reach_id in on_it]
    return draw(bytes.fromhex(handout.seed), places, patrol_id=patrol.id if handout.draws_by == BY_PATROL else None)


def _handout_of(patrol: Patrol, timezone: str) -> CheckpointHandout | None:
    return db.session.get(CheckpointHandout, (patrol.person_id, clock.local_date(patrol.started_at, timezone)))


def checkpoints_of(patrol: Patrol, timezone: str) -> list[Checkpoint]:
    """Return the checkpoints of a patrol, its reaches loaded, with their answers; the examination takes them from here."""
    handout, drawn = _handout_of(patrol, timezone), drawn_for(patrol, timezone)
    known = handout is not None and handout.made_at <= patrol.started_at + AHEAD
    answers = {row.number: row for row in _answers(patrol.id)} if drawn else {}
    firsts: dict[UUID, int] = {}
    for number, row in sorted(answers.items()):
        if row.photo_id:
            firsts.setdefault(row.photo_id, number)
    there = arrived_photos(firsts)
    used = _shown_elsewhere(patrol.id, firsts) if firsts else set()
    own = {firsts[photo_id] for photo_id, photo in there.items() if photo.owner_id == patrol.person_id and photo_id not in used}
    return [Checkpoint(number, place, answers.get(number), number in own, known) for number, place in enumerate(drawn, 1)]


def _shown_elsewhere(patrol_id: UUID, photo_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these photos that an earlier answer on another patrol, or a check-in off this one, shows under the same id."""
    mine, other = aliased(CheckpointAnswer), aliased(CheckpointAnswer)
    sooner = or_(other.received_at < mine.received_at, and_(other.received_at == mine.received_at, other.patrol_id < mine.patrol_id))
    answers = select(mine.photo_id).join(other, other.photo_id == mine.photo_id).where(
        mine.patrol_id == patrol_id, other.patrol_id != patrol_id, sooner
    )
    check_ins = select(CheckInPhoto.photo_id).join(CheckIn, CheckIn.id == CheckInPhoto.check_in_id).where(
        CheckInPhoto.photo_id.in_(photo_ids), CheckIn.patrol_id.is_distinct_from(patrol_id)
    )
    return {photo_id for photo_id in db.session.scalars(union(answers, check_ins)) if photo_id}


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

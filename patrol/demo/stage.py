"""What the demo is played on: the acts, and all that they need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.demo.positions import Waterside
from patrol.demo.records import Photo as PhotoToBe
from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.queries import actor_of
from patrol.waters.models import Reach


@dataclass(frozen=True)
class Act:
    """One thing that happened: when, in which order among those of one moment, and how it is done."""

    at: datetime
    order: int
    play: Callable[[], None]


@dataclass
class Stage:
    """What the acts need: the settings, the stored photos by id, the waters, and who is who in the database.

    `skipped` tells of steps that the product refused, because it had sent the issue another way than the story thought.
    """

    settings: Settings
    photos: Mapping[UUID, StoredPhoto]
    waterside: Waterside
    issue_ids: dict[UUID, UUID] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @cached_property
    def actors(self) -> dict[str, Actor]:
        """Everybody by user name."""
        people = db.session.scalars(select(Person).options(joinedload(Person.region)))
        return {person.username: actor_of(person, person.region) for person in people}

    def actor_with_id(self, person_id: UUID | None) -> Actor:
        """Return who has this id."""
        return next(actor for actor in self.actors.values() if actor.person_id == person_id)

    @cached_property
    def reach_ids(self) -> dict[str, UUID]:
        """Every reach's id by its code."""
        return {row.code: row.id for row in db.session.execute(select(Reach.code, Reach.id))}

    @property
    def place_and_time(self) -> dict[str, Any]:
        """The settings that routing and deadlines want as arguments."""
        return {"tolerance_m": float(self.settings.routing_tolerance_m), "timezone": self.settings.timezone}

    def recorded(self, photos: Sequence[PhotoToBe], owner: Actor | None) -> list[Photo]:
        """Write the rows of photos that somebody took."""
        return [
            record_photo(
                self.photos[photo.id], photo_id=photo.id, kind=photo.phase, owner_id=owner.person_id if owner else None,
                recorded_at=photo.recorded_at, latitude=photo.latitude, longitude=photo.longitude,
            )[0]
            for photo in photos
        ]

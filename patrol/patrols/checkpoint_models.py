"""Random checkpoints: what was handed out to a phone for a day, and what it answered on a patrol."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base
from patrol.patrols.checkpoints import BY_DAY


class CheckpointHandout(Base):
    """The seed and the places that somebody's phone got for a day; never changed once handed out.

    `seed` is 32 bytes in hex; `places` are those of `checkpoints.Place`, so that the draw can be repeated whatever
    becomes of the registers. `draws_by` is day or patrol: whether the patrol's id goes into the draw.
    """

    __tablename__ = "checkpoint_seeds"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    seed: Mapped[str] = mapped_column(String(64))
    places: Mapped[list[Any]] = mapped_column(JSON)
    draws_by: Mapped[str] = mapped_column(String(6), default=BY_DAY)
    made_at: Mapped[datetime]


class CheckpointAnswer(Base):
    """What was found at the checkpoint of this number, counted from 1: reached, or why it could not be reached.

    `place` is the key of the place drawn, `distance_m` how far from it the phone was, in metres.
    """

    __tablename__ = "checkpoint_answers"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(80))
    distance_m: Mapped[float]
    reached: Mapped[bool]
    photo_id: Mapped[UUID | None] = mapped_column(index=True)
    reason: Mapped[str | None] = mapped_column(String(500))
    recorded_at: Mapped[datetime]
    received_at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]
    raw_latitude: Mapped[float]
    raw_longitude: Mapped[float]
    datum: Mapped[str] = mapped_column(String(8))
    accuracy_m: Mapped[float | None]
    digest: Mapped[str] = mapped_column(String(64))

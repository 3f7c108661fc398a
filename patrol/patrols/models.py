"""Patrols and the check-ins made on them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.patrols.duty_models import Delegation
from patrol.people.models import Person
from patrol.waters.models import Reach


class Patrol(Base):
    """One patrol of one person. `digest` is over what the client sent when it made the patrol.

    `ended_by` says whether its person ended it (`person`) or the system (`system`); `end_reason` why `ended_at` is not what
    the person said. `recorded_until` is the earliest end that the person ever said: fixes beyond it do not belong to it.
    """

    __tablename__ = "patrols"
    __table_args__ = (Index("ix_patrols_started_at", "started_at", "id"), Index("ix_patrols_person", "person_id", "started_at"),
                      Index("ix_patrols_device", "device", "person_id"),
                      Index("ix_patrols_open", "received_at", postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    on_behalf_of_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), index=True)
    mode: Mapped[str] = mapped_column(String(10))
    device: Mapped[str | None] = mapped_column(String(200))
    device_details: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(10))
    end_reason: Mapped[str | None] = mapped_column(String(40))
    recorded_until: Mapped[datetime | None]
    summary: Mapped[str | None] = mapped_column(String(2000))
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)

    person: Mapped[Person] = relationship(foreign_keys=[person_id], lazy="raise_on_sql")
    reaches: Mapped[list[Reach]] = relationship(secondary="patrol_reaches", order_by=Reach.code, lazy="raise_on_sql")
    delegation: Mapped[Delegation | None] = relationship(secondary="delegated_patrols", lazy="raise_on_sql")


class PatrolEnd(Base):
    """An end that a patrol's person said; rows are only added. A correction has a `reason` and a `revision` above 0."""

    __tablename__ = "patrol_ends"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), index=True)
    revision: Mapped[int]
    ended_at: Mapped[datetime]
    summary: Mapped[str | None] = mapped_column(String(2000))
    reason: Mapped[str | None] = mapped_column(String(500))
    received_at: Mapped[datetime]


class PatrolReach(Base):
    """A reach that a patrol set out to walk."""

    __tablename__ = "patrol_reaches"

    patrol_id: Mapped[UUID] = mapped_column(ForeignKey("patrols.id"), primary_key=True)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"), primary_key=True, index=True)


class CheckIn(Base):
    """Somebody was at a place at a time and saw what the checklist says.

    `latitude`, `longitude` are WGS 84; the raw values stand beside them as the device sent them, with their datum.
    """

    __tablename__ = "check_ins"
    __table_args__ = (
        Index("ix_check_ins_recorded_at", "recorded_at", "id"),
        Index("ix_check_ins_person", "person_id", "recorded_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patrol_id: Mapped[UUID | None] = mapped_column(index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), index=True)
    reach_id: Mapped[UUID | None] = mapped_column(ForeignKey("reaches.id"), index=True)
    distance_m: Mapped[float | None]
    recorded_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]
    raw_latitude: Mapped[float]
    raw_longitude: Mapped[float]
    datum: Mapped[str] = mapped_column(String(8))
    accuracy_m: Mapped[float | None]
    checklist: Mapped[dict[str, Any]]
    note: Mapped[str | None] = mapped_column(String(2000))
    digest: Mapped[str] = mapped_column(String(64))

    person: Mapped[Person] = relationship(lazy="raise_on_sql")
    reach: Mapped[Reach | None] = relationship(lazy="raise_on_sql")
    photos: Mapped[list["CheckInPhoto"]] = relationship(order_by="CheckInPhoto.position", lazy="raise_on_sql")


class CheckInPhoto(Base):
    """A photo that a check-in announces. It may arrive before or after: the id is no foreign key."""

    __tablename__ = "check_in_photos"

    check_in_id: Mapped[UUID] = mapped_column(ForeignKey("check_ins.id"), primary_key=True)
    photo_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    position: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))

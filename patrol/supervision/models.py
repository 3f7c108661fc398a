"""Spot checks: what was drawn or chosen to be looked at on the spot, and what was found there; and what is watched."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.issues.models import Issue
from patrol.people.models import Person, Region
from patrol.waters.models import Reach


class Draw(Base):
    """One drawing: its seed, from what it drew and what it drew, so that anybody can draw it again."""

    __tablename__ = "spot_check_draws"
    __table_args__ = (UniqueConstraint("kind", "period"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    period: Mapped[str] = mapped_column(String(60))
    region_id: Mapped[UUID | None] = mapped_column(ForeignKey("regions.id"), index=True)
    seed: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]]
    drawn_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    drawn_at: Mapped[datetime]


class SpotCheck(Base):
    """Something to look at on the spot by a day, and what was found: a reach, or an issue."""

    __tablename__ = "spot_checks"
    __table_args__ = (Index("ix_spot_checks_state", "state", "due_on", "id"), Index("ix_spot_checks_due", "due_on", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), index=True)
    reach_id: Mapped[UUID | None] = mapped_column(ForeignKey("reaches.id"), index=True)
    issue_id: Mapped[UUID | None] = mapped_column(ForeignKey("issues.id"), index=True)
    draw_id: Mapped[UUID | None] = mapped_column(ForeignKey("spot_check_draws.id"), index=True)
    reason: Mapped[str] = mapped_column(String(1000))
    assigned_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    due_on: Mapped[date]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    result: Mapped[str | None] = mapped_column(String(20))
    sheet: Mapped[dict[str, Any] | None]
    note: Mapped[str | None] = mapped_column(String(2000))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    raw_latitude: Mapped[float | None]
    raw_longitude: Mapped[float | None]
    datum: Mapped[str | None] = mapped_column(String(8))
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float | None]
    recorded_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    version: Mapped[int] = mapped_column(default=1)

    region: Mapped[Region] = relationship(lazy="raise_on_sql")
    reach: Mapped[Reach | None] = relationship(lazy="raise_on_sql")
    issue: Mapped[Issue | None] = relationship(lazy="raise_on_sql")
    assigned_to: Mapped[Person | None] = relationship(foreign_keys=[assigned_to_id], lazy="raise_on_sql")
    done_by: Mapped[Person | None] = relationship(foreign_keys=[done_by_id], lazy="raise_on_sql")
    photos: Mapped[list["SpotCheckPhoto"]] = relationship(order_by="SpotCheckPhoto.position", lazy="raise_on_sql")


class SpotCheckPhoto(Base):
    """A photo taken at a spot check."""

    __tablename__ = "spot_check_photos"

    spot_check_id: Mapped[UUID] = mapped_column(ForeignKey("spot_checks.id"), primary_key=True)
    photo_id: Mapped[UUID] = mapped_column(ForeignKey("photos.id"), primary_key=True, index=True)
    position: Mapped[int]


class Watch(Base):
    """An issue or a reach on somebody's watch list, and why."""

    __tablename__ = "watches"
    __table_args__ = (UniqueConstraint("person_id", "subject_id"), Index("ix_watches_person", "person_id", "created_at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    subject_kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[UUID]
    note: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]

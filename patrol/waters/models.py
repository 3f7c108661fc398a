"""Water bodies, reaches, who is chief of which reach on which day, and the boards on the bank."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.people.models import Person, Region


class WaterBody(Base):
    """A river, lake, reservoir or small water body."""

    __tablename__ = "water_bodies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    target_class: Mapped[str | None] = mapped_column(String(8))
    geometry: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    version: Mapped[int] = mapped_column(default=1)


class Reach(Base):
    """A stretch of water for which somebody answers: a line, or the area of a lake. Geometry is WKB, WGS 84.

    The box (`west` … `north`, degrees) stands beside the geometry for lists by map window.
    """

    __tablename__ = "reaches"
    __table_args__ = (Index("ix_reaches_box", "west", "east", "south", "north"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    water_body_id: Mapped[UUID] = mapped_column(ForeignKey("water_bodies.id"), index=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), index=True)
    level: Mapped[str] = mapped_column(String(20))
    bank: Mapped[str] = mapped_column(String(10), default="both")
    tolerance_m: Mapped[float | None]
    length_m: Mapped[float]
    geometry: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    water_body: Mapped[WaterBody] = relationship(lazy="raise_on_sql")
    region: Mapped[Region] = relationship(lazy="raise_on_sql")


class Appointment(Base):
    """Somebody is chief of a reach from one day to another, both included; `valid_to` None means until further notice."""

    __tablename__ = "appointments"
    __table_args__ = (UniqueConstraint("reach_id", "person_id", "title", "valid_from"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    title: Mapped[str] = mapped_column(String(40), default="chief")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    reach: Mapped[Reach] = relationship(lazy="raise_on_sql")
    person: Mapped[Person] = relationship(lazy="raise_on_sql")


class Signboard(Base):
    """An information board on the bank; its code stands in the QR code that citizens scan."""

    __tablename__ = "signboards"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    reach_id: Mapped[UUID] = mapped_column(ForeignKey("reaches.id"), index=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    version: Mapped[int] = mapped_column(default=1)

    reach: Mapped[Reach] = relationship(lazy="raise_on_sql")


class RegisterVersion(Base):
    """One row that names the state of the registers held in memory: they are built anew when their number changes.

    The numbers are random, see `register.py`.
    """

    __tablename__ = "register_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reaches: Mapped[int] = mapped_column(BigInteger)
    regions: Mapped[int] = mapped_column(BigInteger)

"""Devices of other makes that report positions for somebody: known by a key that is kept as a hash."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base
from patrol.people.models import Person


class Device(Base):
    """One app or tracker of one person. `refused` counts what it sent and could not be kept, by reason; no place is kept.

    `is_receiver` says that positions come from an external receiver, which phones report as made up.
    """

    __tablename__ = "devices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    label: Mapped[str] = mapped_column(String(100))
    speed_unit: Mapped[str] = mapped_column(String(6))
    key_digest: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    is_receiver: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_heard_at: Mapped[datetime | None]
    refused: Mapped[dict[str, Any]]
    revoked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    person: Mapped[Person] = relationship(lazy="raise_on_sql")

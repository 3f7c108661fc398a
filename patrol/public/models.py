"""Complaints of citizens: the tracking code, the contact (encrypted, apart), the rating."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from patrol.foundation.database import Base, new_id
from patrol.foundation.sealing import keeps_sealed


class Complaint(Base):
    """A citizen's complaint. It keeps no address and no user agent; the tracking code is the only key to it."""

    __tablename__ = "complaints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), unique=True)
    tracking_code: Mapped[str] = mapped_column(String(24), unique=True)
    board_code: Mapped[str | None] = mapped_column(String(40))
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))


class ReporterContact(Base):
    """How to reach a complainant: a Fernet token over JSON, in a table of its own from the first day."""

    __tablename__ = "reporter_contacts"

    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


keeps_sealed(ReporterContact.sealed)


class Rating(Base):
    """What the citizen says of a result, once for each closing: `closing` is how often the issue had been reopened."""

    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("complaint_id", "closing"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"))
    closing: Mapped[int]
    satisfied: Mapped[bool]
    score: Mapped[int]
    comment: Mapped[str | None] = mapped_column(String(1000))
    rated_at: Mapped[datetime]


class SpentChallenge(Base):
    """A proof of work that was used: it buys one write only."""

    __tablename__ = "spent_challenges"

    signature: Mapped[str] = mapped_column(String(128), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)

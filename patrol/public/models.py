"""Complaints of citizens, who follows them, what is said of a result, and what partner systems sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.foundation.sealing import keeps_sealed
from patrol.issues.models import Issue


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
    """What the citizen says of an issue's result, once for each closing: `closing` is how often it had been reopened.

    `issue_id` is the issue that was closed: the complaint's own, or the original into which that was merged then.
    """

    __tablename__ = "ratings"
    __table_args__ = (UniqueConstraint("complaint_id", "issue_id", "closing"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"))
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
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


class ReopeningRequest(Base):
    """A complainant's word that a closed issue is not cured, once a closing, and what somebody else decided about it.

    `issue_id` is what was closed, an original if the complaint was merged into it; `closing` is how often it had been
    reopened when it was said; `version` is 1 while it waits, 2 when decided. `decided_by_id` is None where a rule
    reopened the issue.
    """

    __tablename__ = "reopening_requests"
    __table_args__ = (
        UniqueConstraint("complaint_id", "issue_id", "closing"),
        Index("ix_reopening_requests_asked_at", "asked_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"))
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    closing: Mapped[int]
    reason: Mapped[str] = mapped_column(String(1000))
    digest: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    granted: Mapped[bool | None]
    decision: Mapped[str | None] = mapped_column(String(1000))
    version: Mapped[int] = mapped_column(default=1)

    issue: Mapped[Issue] = relationship(lazy="raise_on_sql")


class ComplaintEntry(Base):
    """Which complaint an entry of an issue's history came from, or answers: later photos, a "not fixed", its refusal.

    Several complainants share the history of an original into which theirs were merged. Entries from before this was
    written down may have no row: then only that one of them did it is known.
    """

    __tablename__ = "complaint_entries"

    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), index=True)


class Follow(Base):
    """Somebody without an account who follows an issue that others reported ("me too"), by a code of their own.

    One that is withdrawn stays as a row, so that its id and code stay taken.
    """

    __tablename__ = "follows"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    tracking_code: Mapped[str] = mapped_column(String(24), unique=True)
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    withdrawn_at: Mapped[datetime | None]


class FollowerContact(Base):
    """How to reach a follower: sealed as a complainant's contact is, and apart from the follow for the same reason."""

    __tablename__ = "follower_contacts"

    follow_id: Mapped[UUID] = mapped_column(ForeignKey("follows.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


keeps_sealed(FollowerContact.sealed)


class PartnerKey(Base):
    """A key by which a partner system writes over Open311 without a proof of work; known here only by its SHA-256."""

    __tablename__ = "partner_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PartnerComplaint(Base):
    """Which partner sent a complaint: to it alone the complaint's own words and exact place are shown again."""

    __tablename__ = "partner_complaints"

    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), primary_key=True)
    key_id: Mapped[UUID] = mapped_column(ForeignKey("partner_keys.id"), index=True)


class PartnerUpdate(Base):
    """What a partner's user said of an issue, under the partner's own `update_id`; it changes no state."""

    __tablename__ = "partner_updates"
    __table_args__ = (UniqueConstraint("key_id", "update_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key_id: Mapped[UUID] = mapped_column(ForeignKey("partner_keys.id"))
    update_id: Mapped[str] = mapped_column(String(100))
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    status: Mapped[str] = mapped_column(String(40))
    said_at: Mapped[datetime]
    received_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))

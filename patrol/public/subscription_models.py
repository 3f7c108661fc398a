"""Who without an account wants to be told of a case, and each turn of it that was told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.foundation.outbox import keeps_row


class Subscription(Base):
    """A complainant or a follower who left a contact and is told of each turn; the contact itself is sealed elsewhere.

    `address_key` is a keyed hash by which messages to one address come together; it goes when the subscription ends. A
    follower's is `confirmed_at` the moment somebody reading the address said yes; until then nothing but that is asked.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("(complaint_id IS NULL) <> (follow_id IS NULL)", name="one_case"),
        Index("ix_subscriptions_address", "address_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    complaint_id: Mapped[UUID | None] = mapped_column(ForeignKey("complaints.id"), unique=True)
    follow_id: Mapped[UUID | None] = mapped_column(ForeignKey("follows.id"), unique=True)
    way: Mapped[str] = mapped_column(String(4))
    language: Mapped[str] = mapped_column(String(2))
    address_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Notice(Base):
    """One turn of a case for one subscription: entry `seq` of the issue's history, or 0 for the question whether to write at all.

    It names no address and holds no words: both are looked up when it is sent.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("subscription_id", "issue_id", "seq"),
        Index("ix_notices_waiting", "subscription_id", postgresql_where=text("sent_at IS NULL"), sqlite_where=text("sent_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscriptions.id"))
    issue_id: Mapped[UUID] = mapped_column(ForeignKey("issues.id"), index=True)
    seq: Mapped[int]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"), index=True)

    subscription: Mapped[Subscription] = relationship(lazy="raise_on_sql")


keeps_row(Notice.outbox_id)

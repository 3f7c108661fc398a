"""Messages to people, the ways on which they also reach them, and webhooks to other systems."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from patrol.foundation.database import Base, new_id
from patrol.foundation.outbox import OutboxRow, keeps_row
from patrol.foundation.sealing import keeps_sealed
from patrol.people.models import Person, Region

_IS_OPEN = "delivered_at IS NULL AND dropped_at IS NULL"


class Message(Base):
    """Something that one person should know. `cause` names what led to it, so that it is told exactly once.

    The text is made when it is read, in the reader's language, from the template of `kind` and `facts`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("person_id", "cause"),
        Index("ix_messages_person", "person_id", "created_at", "id"),
        Index("ix_messages_unread", "person_id", postgresql_where=text("read_at IS NULL"), sqlite_where=text("read_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    cause: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[UUID]
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Channel(Base):
    """A way on which messages also go out: a person's own, or one of a region's office.

    The address is sealed. Between `quiet_from` and `quiet_to` (local time) nothing goes out. With `digest_at` messages
    are collected and go out together at that local time each day. `kinds` None means all.
    """

    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("(person_id IS NULL) <> (region_id IS NULL)", name="owner"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    region_id: Mapped[UUID | None] = mapped_column(ForeignKey("regions.id"), index=True)
    way: Mapped[str] = mapped_column(String(10))
    sealed_address: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(2))
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    digest_at: Mapped[time | None]
    kinds: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    person: Mapped[Person | None] = relationship(lazy="raise_on_sql")
    region: Mapped[Region | None] = relationship(lazy="raise_on_sql")


class Delivery(Base):
    """One message on one channel: due, then sent. The outbox row behind it counts the attempts."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("channel_id", "cause"),
        Index("ix_deliveries_waiting", "channel_id", "due_at", postgresql_where=text("sent_at IS NULL"),
              sqlite_where=text("sent_at IS NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"))
    cause: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    outbox_id: Mapped[UUID] = mapped_column(ForeignKey("outbox.id"), index=True)

    channel: Mapped[Channel] = relationship(lazy="raise_on_sql")
    outbox: Mapped[OutboxRow] = relationship(lazy="raise_on_sql")


class Webhook(Base):
    """An address of another system that wants to hear of a region's events; its secret signs what is sent.

    One that was deleted hears nothing any more and has no secret; what it was sent stays to be read.
    """

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_id: Mapped[UUID] = mapped_column(ForeignKey("regions.id"), index=True)
    url: Mapped[str] = mapped_column(String(500))
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    region: Mapped[Region] = relationship(lazy="raise_on_sql")


class WebhookDelivery(Base):
    """One event for one webhook: `waiting`, `delivered`, or `dead` when the outbox row has used up its attempts.

    Without a row of the outbox it is `paused`: its webhook is switched off. What is not wanted any more when that goes on
    is `dropped`. `ended_by` names the act that ended it before it could go out (`webhook_deleted`): such a one is `dead` too.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "cause"), Index("ix_webhook_deliveries_at", "webhook_id", "created_at", "id"),
        Index("ix_webhook_deliveries_open", "webhook_id", "created_at", "id", postgresql_where=text(_IS_OPEN),
              sqlite_where=text(_IS_OPEN)),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    cause: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(20))
    last_status: Mapped[int | None]
    outbox_id: Mapped[UUID | None] = mapped_column(ForeignKey("outbox.id"), index=True)

    webhook: Mapped[Webhook] = relationship(lazy="raise_on_sql")
    outbox: Mapped[OutboxRow | None] = relationship(lazy="raise_on_sql")


keeps_sealed(Channel.sealed_address)
keeps_sealed(Webhook.sealed_secret)
keeps_row(Delivery.outbox_id)
keeps_row(WebhookDelivery.outbox_id)

"""How long staff's messages and what became of them are kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, or_, select

from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.notifications.models import Delivery, Message, WebhookDelivery
from patrol.people.retention import Kept, keep


def old_messages(settings: Settings, now: datetime) -> Select[Any]:
    """Select messages of long ago, read or not."""
    return select(Message.id).where(Message.created_at < now - timedelta(days=settings.message_days)).order_by(Message.id)


def sent_deliveries(settings: Settings, now: datetime) -> Select[Any]:
    """Select deliveries that went out long ago; what never went out stays visible."""
    return select(Delivery.id).where(Delivery.sent_at < now - timedelta(days=settings.delivered_days)).order_by(Delivery.id)


def delivered_calls(settings: Settings, now: datetime) -> Select[Any]:
    """Select webhook calls that were taken long ago, or happened long ago and never went out: their webhook was off, or was deleted then.

    Those that all attempts were used up for stay, to be sent again by hand.
    """
    before = now - timedelta(days=settings.delivered_days)
    at_rest = and_(WebhookDelivery.outbox_id.is_(None), WebhookDelivery.created_at < before)
    ended = and_(WebhookDelivery.ended_by.is_not(None), WebhookDelivery.dropped_at < before)
    return select(WebhookDelivery.id).where(or_(WebhookDelivery.delivered_at < before, at_rest, ended)).order_by(WebhookDelivery.id)


def _remover(model: Any) -> Any:
    def remove(ids: Sequence[Any]) -> None:
        db.session.execute(delete(model).where(model.id.in_(ids)))

    return remove


keep(Kept(
    "messages", "Messages to staff: kind, case number, place, who acted and why", ("messages",), "their reader", "{days} after they were written",
    "MESSAGE_DAYS", old_messages, _remover(Message),
))  # fmt: skip
keep(Kept(
    "deliveries", "Messages on staff's channels", ("deliveries",), "nobody; the channel's owner sees how many wait",
    "{days} after they went out; what waits stays", "DELIVERED_DAYS", sent_deliveries, _remover(Delivery),
))  # fmt: skip
keep(Kept(
    "webhook_deliveries", "Events for other systems, without words or names", ("webhook_deliveries",), "who manages notifications",
    "{days} after they were taken, or after they happened while their webhook was off, or after that was deleted; other dead ones stay",
    "DELIVERED_DAYS", delivered_calls, _remover(WebhookDelivery),
))  # fmt: skip
keep(Kept(
    "channels", "Staff's channels and other systems' webhooks: addresses and secrets, sealed", ("channels", "webhooks"),
    "their owner sees a part of the address", "for good; they can be switched off, and a deleted webhook's secret is gone at once",
))  # fmt: skip

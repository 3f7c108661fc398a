"""Reads of messages, channels, webhooks and their deliveries; each starts from what the actor may see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select, true
from sqlalchemy.orm import joinedload

from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.accusations import charges_against
from patrol.notifications.models import Channel, Delivery, Message, Webhook, WebhookDelivery
from patrol.notifications.resting import is_paused
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.people.queries import regions_within

NEWEST = Order("newest", (Message.created_at, Message.id), descending=True)
CHANNELS = Order("id", (Channel.id,))
WEBHOOKS = Order("id", (Webhook.id,))
NEWEST_DELIVERIES = Order("newest", (WebhookDelivery.created_at, WebhookDelivery.id), descending=True)
NEXT_ATTEMPT = Order("next_attempt", (OutboxRow.available_at, OutboxRow.id))
_NO_ROW = Text("发件箱中没有这一项", "There is no such row of the outbox")
_NO_CHANNEL = Text("没有这个通知渠道", "There is no such channel")
_NO_WEBHOOK = Text("没有这个 Webhook", "There is no such webhook")
_NO_DELIVERY = Text("没有这条通知", "There is no such delivery")


def list_messages(actor: Actor, *, unread: bool, limit: int, cursor: str | None) -> Page[Message]:
    """List one's own messages, the newest first."""
    statement = select(Message).where(Message.person_id == actor.person_id)
    if unread:
        statement = statement.where(Message.read_at.is_(None))
    return page_of(statement, NEWEST, limit=limit, cursor=cursor)


def count_unread(person_id: UUID) -> int:
    """Count the messages that somebody has not read."""
    return db.session.scalar(select(func.count()).where(Message.person_id == person_id, Message.read_at.is_(None))) or 0


def visible_channels(actor: Actor) -> Select[Channel]:
    """Select one's own channels and, for who manages them, those of the offices in one's area."""
    own = Channel.person_id == actor.person_id
    of_area = Channel.region_id.in_(regions_within(actor.region_path))
    seen = or_(own, of_area) if actor.may(P.MANAGE_NOTIFICATIONS) else own
    return select(Channel).where(seen).options(joinedload(Channel.region))


def list_channels(actor: Actor, *, limit: int, cursor: str | None) -> Page[Channel]:
    """List the channels that one may set, in the order in which they were made."""
    return page_of(visible_channels(actor), CHANNELS, limit=limit, cursor=cursor)


def get_channel(actor: Actor, channel_id: UUID) -> Channel:
    """Return one visible channel, locked. Raises NotFound (404)."""
    statement = visible_channels(actor).where(Channel.id == channel_id).with_for_update(of=Channel)
    channel = db.session.scalar(statement.execution_options(populate_existing=True))
    if channel is None:
        raise NotFound(_NO_CHANNEL)
    return channel


def waiting_on(channel_ids: Sequence[UUID]) -> dict[UUID, tuple[int, str | None]]:
    """Return for each channel how many messages wait to go out, and the last error of an attempt, if any."""
    rows = db.session.execute(
        select(Delivery.channel_id, func.count(), func.max(OutboxRow.last_error))
        .join(OutboxRow, OutboxRow.id == Delivery.outbox_id)
        .where(Delivery.channel_id.in_(channel_ids), Delivery.sent_at.is_(None)).group_by(Delivery.channel_id)
    )  # fmt: skip
    return {channel_id: (count, error) for channel_id, count, error in rows}


def list_outbox(*, state: str, kind: str | None, limit: int, cursor: str | None) -> Page[OutboxRow]:
    """List what has not left the process, `stuck` or `waiting`, in the order of its next attempt: what is stuck longest first.

    Rows of the outbox belong to the service and to no region: whoever may see them sees all, and never what is in them.
    """
    given_up = OutboxRow.attempts >= MOST_ATTEMPTS
    statement = select(OutboxRow).where(OutboxRow.delivered_at.is_(None), given_up if state == "stuck" else ~given_up)
    if kind:
        statement = statement.where(OutboxRow.kind == kind)
    return page_of(statement, NEXT_ATTEMPT, limit=limit, cursor=cursor)


def get_outbox_row(row_id: UUID) -> OutboxRow:
    """Return one row of the outbox, locked. Raises NotFound (404)."""
    row = db.session.get(OutboxRow, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_NO_ROW)
    return row


def visible_webhooks(actor: Actor) -> Select[Webhook]:
    """Select the webhooks of the regions in one's area, deleted ones too."""
    return select(Webhook).where(Webhook.region_id.in_(regions_within(actor.region_path))).options(joinedload(Webhook.region))


def list_webhooks(actor: Actor, *, deleted: bool, limit: int, cursor: str | None) -> Page[Webhook]:
    """List the webhooks of one's area: those that there are, or those that were deleted."""
    statement = visible_webhooks(actor).where(Webhook.deleted_at.is_not(None) if deleted else Webhook.deleted_at.is_(None))
    return page_of(statement, WEBHOOKS, limit=limit, cursor=cursor)


def get_webhook(actor: Actor, webhook_id: UUID, *, or_deleted: bool = False) -> Webhook:
    """Return one visible webhook, locked; a deleted one only `or_deleted`, to read what it was sent. Raises NotFound (404)."""
    statement = visible_webhooks(actor).where(Webhook.id == webhook_id).with_for_update(of=Webhook)
    if not or_deleted:
        statement = statement.where(Webhook.deleted_at.is_(None))
    webhook = db.session.scalar(statement.execution_options(populate_existing=True))
    if webhook is None:
        raise NotFound(_NO_WEBHOOK)
    return webhook


def _not_about(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that an event tells of no charge against the actor."""
    against = charges_against(actor.person_id) if actor.person_id else ()
    return and_(true(), *(not_(WebhookDelivery.cause.startswith(f"issue:{issue_id}:")) for issue_id in against))


def list_deliveries(webhook: Webhook, actor: Actor, *, state: str | None, limit: int, cursor: str | None) -> Page[WebhookDelivery]:
    """List a webhook's events, the newest first, all or those in one of the states of `state_of`; without charges against the actor."""
    statement = (
        select(WebhookDelivery).outerjoin(OutboxRow, OutboxRow.id == WebhookDelivery.outbox_id)
        .where(WebhookDelivery.webhook_id == webhook.id, _not_about(actor)).options(joinedload(WebhookDelivery.outbox))
    )  # fmt: skip
    given_up, open_ = OutboxRow.attempts >= MOST_ATTEMPTS, WebhookDelivery.delivered_at.is_(None)
    ended = open_ & WebhookDelivery.ended_by.is_not(None)
    conditions: dict[str, Any] = {
        "delivered": WebhookDelivery.delivered_at.is_not(None), "dead": ended | (open_ & given_up), "waiting": open_ & ~ended & ~given_up,
        "paused": is_paused(), "dropped": WebhookDelivery.dropped_at.is_not(None) & ~ended,
    }  # fmt: skip
    if state:
        statement = statement.where(conditions[state])
    return page_of(statement, NEWEST_DELIVERIES, limit=limit, cursor=cursor)


def state_of(delivery: WebhookDelivery) -> str:
    """Return `delivered`, `dropped`, `paused` (kept for a webhook at rest), `dead` (all attempts used up, or ended) or `waiting`."""
    if delivery.delivered_at is not None:
        return "delivered"
    if delivery.ended_by is not None:
        return "dead"
    if delivery.outbox is None:
        return "dropped" if delivery.dropped_at else "paused"
    return "dead" if delivery.outbox.attempts >= MOST_ATTEMPTS else "waiting"


def get_delivery(webhook: Webhook, actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    """Return one event of a webhook, its attempts loaded. Raises NotFound (404)."""
    delivery = db.session.scalar(
        select(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook.id, _not_about(actor))
        .options(joinedload(WebhookDelivery.outbox), joinedload(WebhookDelivery.webhook))
    )  # fmt: skip
    if delivery is None:
        raise NotFound(_NO_DELIVERY)
    return delivery

"""Webhooks that are switched off: what happens meanwhile is kept, and goes out in order once they go on, or is dropped."""

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, tuple_, update

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_minute
from patrol.notifications.models import Webhook, WebhookDelivery

BATCH = 500
"""How many events one transaction lets go: each of them is a row of the outbox."""


def is_paused() -> ColumnElement[bool]:
    """Return the condition that an event is kept for a webhook at rest."""
    return _is_open() & WebhookDelivery.outbox_id.is_(None)


def _is_open() -> ColumnElement[bool]:
    # As the index has it: a webhook has few open events among its many delivered ones.
    return WebhookDelivery.delivered_at.is_(None) & WebhookDelivery.dropped_at.is_(None)


def goes_in_order() -> ColumnElement[bool]:
    """Return the condition that an event was kept for a webhook at rest, or came behind such a one, and is still tried."""
    still_tried = select(OutboxRow.id).where(
        OutboxRow.id == WebhookDelivery.outbox_id, OutboxRow.attempts < MOST_ATTEMPTS, OutboxRow.payload["in_order"].as_boolean()
    )
    return _is_open() & still_tried.exists()


def hold_behind_earlier(delivery: WebhookDelivery) -> None:
    """Let an event that was kept wait for those before it that are still tried. Raises NotYet until their next attempt."""
    mine = tuple_(literal(delivery.created_at, WebhookDelivery.created_at.type), literal(delivery.id, WebhookDelivery.id.type))
    next_attempt_at = db.session.scalar(
        select(OutboxRow.available_at).join(WebhookDelivery, WebhookDelivery.outbox_id == OutboxRow.id)
        .where(
            WebhookDelivery.webhook_id == delivery.webhook_id, _is_open(), OutboxRow.attempts < MOST_ATTEMPTS,
            tuple_(WebhookDelivery.created_at, WebhookDelivery.id) < mine,
        )
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc()).limit(1)
    )  # fmt: skip
    if next_attempt_at is not None:
        # At the same moment the earlier row of the outbox comes first.
        raise outbox.NotYet(max(next_attempt_at, clock.now()))


def paused_by_webhook(webhook_ids: list[UUID]) -> dict[UUID, int]:
    """Return how many events are kept for each of the webhooks; those without any are missing."""
    rows = db.session.execute(
        select(WebhookDelivery.webhook_id, func.count()).where(WebhookDelivery.webhook_id.in_(webhook_ids), is_paused())
        .group_by(WebhookDelivery.webhook_id)
    )  # fmt: skip
    return dict(rows.all())


def pause(delivery_id: UUID) -> None:
    """Keep an event whose webhook was switched off before it could go out."""
    db.session.execute(
        update(WebhookDelivery).where(WebhookDelivery.id == delivery_id, WebhookDelivery.delivered_at.is_(None)).values(outbox_id=None)
    )


def drop_paused(webhook: Webhook) -> int:
    """Give up all that is kept for a webhook; it stays to be seen, and can be sent by hand. Return how many they were."""
    statement = update(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id, is_paused())
    return db.session.connection().execute(statement.values(dropped_at=clock.now())).rowcount


def end_all_open(webhook: Webhook, *, ended_by: str) -> int:
    """End all that has not gone out to a webhook, whatever became of it so far; it stays to be seen with the reason. Return how many."""
    open_ones = WebhookDelivery.webhook_id == webhook.id, _is_open()
    rows, now = select(WebhookDelivery.outbox_id).where(*open_ones), clock.now()
    db.session.execute(
        update(OutboxRow).where(OutboxRow.id.in_(rows), OutboxRow.delivered_at.is_(None)).values(delivered_at=now),
        execution_options={"synchronize_session": False},
    )
    statement = update(WebhookDelivery).where(*open_ones).values(dropped_at=now, ended_by=ended_by)
    return db.session.connection().execute(statement).rowcount


def send_paused(webhook: Webhook) -> None:
    """Let the worker send what is kept for a webhook that goes on."""
    outbox.put("notifications.resume", webhook_id=str(webhook.id))


@outbox.delivers("notifications.resume")
def resume(payload: dict[str, Any]) -> outbox.Write:
    """Let go what a webhook missed; only the writing half does anything."""
    return partial(let_go, UUID(payload["webhook_id"]))


def let_go(webhook_id: UUID) -> None:
    """Give the oldest kept events of a webhook to the outbox in the order in which they happened, and the rest after them."""
    webhook = db.session.get_one(Webhook, webhook_id, with_for_update=True, populate_existing=True)
    if webhook.disabled_at is not None:
        return
    kept = db.session.scalars(
        select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id, is_paused())
        .order_by(WebhookDelivery.created_at, WebhookDelivery.id).limit(BATCH).with_for_update()
    ).all()  # fmt: skip
    for row in kept:
        row.outbox_id = outbox.put("notifications.call", webhook_id=str(webhook_id), cause=row.cause, in_order=True)
    if len(kept) == BATCH:
        send_paused(webhook)


@each_minute
def let_go_what_was_left() -> None:
    """Let go what was kept in the very moment in which a webhook went on: its own row of the outbox may have missed it."""
    left = db.session.scalars(
        select(WebhookDelivery.webhook_id).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(is_paused(), Webhook.disabled_at.is_(None)).distinct()
    ).all()  # fmt: skip
    for webhook_id in left:
        with transaction():
            let_go(webhook_id)

"""Webhooks over HTTP: where events go, what became of them, and sending one again."""

from typing import Any
from uuid import UUID

from patrol.foundation.database import db
from patrol.foundation.http import expected_version, refuse_stale, set_etag
from patrol.foundation.outgoing import Standing, refuse_inner, standing_of
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.plain_errors import shown_error
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.notifications import actions, queries
from patrol.notifications.api import room, settings
from patrol.notifications.models import Webhook, WebhookDelivery
from patrol.notifications.resting import paused_by_webhook
from patrol.notifications.schemas import (
    NewWebhookOut,
    WebhookArgs,
    WebhookChangesIn,
    WebhookDeliveryArgs,
    WebhookDeliveryOut,
    WebhookIn,
    WebhookOut,
)
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

_NOT_FOUND = Text(
    "现在找不到该地址的主机：请核对地址；能找到之前，消息会一次次重试，约六小时后停发",
    "The host of this address cannot be found now: check it. Until it can, events are tried again and again and given up after about six hours",
)


def _shown(row: Webhook, paused: int, standing: Standing = Standing.OUTSIDE) -> dict[str, Any]:
    names = ("id", "url", "kinds", "created_at", "deleted_at", "version")
    return {
        **{name: getattr(row, name) for name in names}, "region": row.region.code, "enabled": row.disabled_at is None, "paused": paused,
        "warnings": [_NOT_FOUND.in_language(language())] if standing is Standing.UNKNOWN else [],
    }  # fmt: skip


def _shown_now(row: Webhook, standing: Standing = Standing.OUTSIDE) -> dict[str, Any]:
    return _shown(row, paused_by_webhook([row.id]).get(row.id, 0), standing)


def _shown_delivery(row: WebhookDelivery) -> dict[str, Any]:
    state, error = queries.state_of(row), row.outbox.last_error if row.outbox else None
    return {
        **{name: getattr(row, name) for name in ("id", "kind", "last_status", "created_at", "delivered_at", "dropped_at", "ended_by", "payload")},
        "state": state, "attempts": row.outbox.attempts if row.outbox else 0, "last_error": error and shown_error(error, language()),
        "next_attempt_at": row.outbox.available_at if row.outbox and state == "waiting" else None,
    }  # fmt: skip


@room.route("/webhooks", may=P.MANAGE_NOTIFICATIONS)
@room.arguments(WebhookArgs, location="query")
@room.response(200, page_schema(WebhookOut))
def list_webhooks(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the webhooks of one's area."""
    page = queries.list_webhooks(current_actor(), **args)
    paused = paused_by_webhook([row.id for row in page.items])
    return Page([_shown(row, paused.get(row.id, 0)) for row in page.items], page.next)


@room.route("/webhooks", may=P.MANAGE_NOTIFICATIONS, methods=("POST",), refuses=(404, 409))
@room.body(WebhookIn)
@room.response(201, NewWebhookOut)
@room.alt_response(200, schema=NewWebhookOut, description="It was there already; the secret is not shown again", success=True)
def add_webhook(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Let another system hear of what happens in a region; the answer shows the signing secret, once."""
    # Before the transaction's first statement: nothing is locked while a name server takes its time.
    standing = standing_of(data["url"])
    webhook, secret = actions.add_webhook(
        by=current_actor(), field_keys=settings().field_key, inside=settings().webhooks_inside, standing=standing, **data
    )
    set_etag(webhook.version)
    if secret is None:
        return _shown_now(queries.get_webhook(current_actor(), webhook.id), standing), 200
    return {**_shown(webhook, 0, standing), "secret": secret}, 201


@room.route("/webhooks/<uuid:webhook_id>", may=P.MANAGE_NOTIFICATIONS, methods=("PATCH",), if_match=True)
@room.body(WebhookChangesIn)
@room.response(200, WebhookOut)
def change_webhook(data: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Let a webhook rest, or go on; what happened meanwhile is kept and sent then, in order, unless it is dropped."""
    expected, actor = expected_version(), current_actor()
    standing = _standing_of(webhook_id) if data["enabled"] else Standing.OUTSIDE
    webhook = queries.get_webhook(actor, webhook_id)
    refuse_stale(expected, webhook.version)
    refuse_inner(standing, inside=settings().webhooks_inside, field="enabled")
    actions.enable_webhook(webhook, by=actor, enabled=data["enabled"], missed=data["missed"])
    set_etag(webhook.version)
    return _shown_now(webhook, standing)


def _standing_of(webhook_id: UUID) -> Standing:
    url = queries.get_webhook(current_actor(), webhook_id).url
    # As when it is added: nothing is locked meanwhile.
    db.session.rollback()
    return standing_of(url)


@room.route("/webhooks/<uuid:webhook_id>", may=P.MANAGE_NOTIFICATIONS, methods=("DELETE",), if_match=True)
@room.response(204)
def delete_webhook(webhook_id: UUID) -> None:
    """Delete a webhook: what has not gone out is `dead`, its secret is forgotten, and what it was sent stays to be read."""
    expected, actor = expected_version(), current_actor()
    webhook = queries.get_webhook(actor, webhook_id)
    refuse_stale(expected, webhook.version)
    actions.delete_webhook(webhook, by=actor, field_keys=settings().field_key)


@room.route("/webhooks/<uuid:webhook_id>/deliveries", may=P.MANAGE_NOTIFICATIONS)
@room.arguments(WebhookDeliveryArgs, location="query")
@room.response(200, page_schema(WebhookDeliveryOut))
def list_deliveries(args: dict[str, Any], webhook_id: UUID) -> Page[dict[str, Any]]:
    """List what was sent, waits, is kept for a webhook at rest (`paused`), was dropped, or was given up (`dead`), the newest first."""
    actor = current_actor()
    page = queries.list_deliveries(queries.get_webhook(actor, webhook_id, or_deleted=True), actor, **args)
    return Page([_shown_delivery(row) for row in page.items], page.next)


@room.route("/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/replay", may=P.MANAGE_NOTIFICATIONS, methods=("POST",), refuses=(409,))
@room.response(200, WebhookDeliveryOut)
def replay_delivery(webhook_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Send an event by hand that was given up, waits, is paused or was dropped, also while its webhook is switched off."""
    actor = current_actor()
    delivery = queries.get_delivery(queries.get_webhook(actor, webhook_id, or_deleted=True), actor, delivery_id)
    return _shown_delivery(actions.replay(delivery, by=actor))

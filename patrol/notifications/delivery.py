"""The two ways out: messages on a channel, events to a webhook. Each is tried by the outbox until it is taken."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import urllib3
from flask import current_app
from sqlalchemy import select, update

from patrol.foundation import channels, clock, outbox, outgoing
from patrol.foundation.channels import Way
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.quiet import end_of_quiet
from patrol.foundation.sealing import unseal
from patrol.foundation.texts import Text
from patrol.notifications.models import Channel, Delivery, Webhook, WebhookDelivery
from patrol.notifications.resting import hold_behind_earlier, pause
from patrol.notifications.templates import words_of

# Robots of group chats take at most about 2,000 bytes a message; mail has no such bound.
MOST_TOGETHER = 20
_DIGEST = Text("巡河：{count} 条消息", "Xunhe: {count} messages")
_ANSWERED = Text("对方系统回答 {status}", "The other system answered {status}")


@outbox.delivers("notifications.send")
def send_on_channel(payload: dict[str, Any]) -> outbox.Write:
    """Send what is due on one channel, several messages as one digest; the writing half marks them as sent.

    The row's own message is always among them, however many wait in vain, and what another worker is sending is not; what
    went out together is delivered together.
    Raises Unavailable when the channel does not take it; the outbox tries again. A disabled channel sends nothing.
    Quiet hours are looked at again: a worker that was down, or a channel that failed for hours, must not wake anybody.
    """
    settings = current_app.extensions["settings"]
    channel = db.session.get_one(Channel, UUID(payload["channel_id"]))
    cause = payload.get("cause")
    found = _waiting_on(channel, cause)
    if not found or channel.disabled_at is not None:
        return lambda: None
    _hold_in_quiet_hours(channel, settings.timezone)
    waiting = _taken(found, cause)
    if not waiting:
        return lambda: None
    words = [words_of(row.kind, row.facts, channel.language, settings.timezone) for row in waiting]
    title, body = words[0]
    if len(words) > 1:
        title = _DIGEST.format(count=len(words)).in_language(channel.language)
        body = "\n\n".join(f"{one}\n{text}" for one, text in words)
    address = unseal(channel.sealed_address, settings.field_key)["address"]
    ids, outbox_ids = [row.id for row in waiting], [row.outbox_id for row in waiting]
    way = Way(channel.way)
    # Nothing of the database is held while the other side takes its time.
    db.session.rollback()
    channels.send(way, address, title=title, body=body, mail_url=settings.mail_url)
    return partial(_mark_sent, ids, outbox_ids)


def _waiting_on(channel: Channel, cause: str | None) -> Sequence[tuple[UUID, str]]:
    """Return row of the outbox and cause of what is due on a channel, the longest waiting first; that of `cause` is not left out."""
    rows = db.session.execute(
        select(Delivery.outbox_id, Delivery.cause)
        .where(Delivery.channel_id == channel.id, Delivery.sent_at.is_(None), Delivery.due_at <= clock.now())
        .order_by(Delivery.cause != cause, Delivery.due_at, Delivery.id).limit(MOST_TOGETHER)
    ).all()  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def _taken(found: Sequence[tuple[UUID, str]], cause: str | None) -> Sequence[Delivery]:
    """Return what is this worker's to send of what was found: that of `cause`, and whatever no other worker is sending."""
    own = [outbox_id for outbox_id, its in found if its == cause]
    taken = outbox.take_along([outbox_id for outbox_id, its in found if its != cause])
    return db.session.scalars(
        select(Delivery).where(Delivery.outbox_id.in_([*own, *taken]), Delivery.sent_at.is_(None)).order_by(Delivery.due_at, Delivery.id)
    ).all()


def _hold_in_quiet_hours(channel: Channel, timezone: str) -> None:
    now = clock.now()
    until = end_of_quiet(
        now, quiet_from=channel.quiet_from, quiet_to=channel.quiet_to, digest_at=channel.digest_at, timezone=timezone
    )
    if until > now:
        raise outbox.NotYet(until)


def _mark_sent(ids: list[UUID], outbox_ids: list[UUID]) -> None:
    db.session.execute(update(Delivery).where(Delivery.id.in_(ids), Delivery.sent_at.is_(None)).values(sent_at=clock.now()))
    outbox.went_along(outbox_ids)


def signature(body: bytes, secret: str, sent_at: int) -> str:
    """Return the value of `Xunhe-Signature`: `t=` Unix seconds, `v1=` hex HMAC-SHA256 over `t`, a dot, and the body.

    The time is signed too, so that a receiver can refuse what was recorded and sent again later.
    """
    mac = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256)
    return f"t={sent_at},v1={mac.hexdigest()}"


@outbox.delivers("notifications.call")
def call_webhook(payload: dict[str, Any]) -> outbox.Write:
    """Post one event to one webhook; the writing half notes that it was taken.

    Raises Unavailable for any answer but 2xx and for a host that cannot be reached; the outbox tries again. Receivers
    know a repetition by the delivery's id. While the webhook is switched off the event is kept, unless somebody sends it
    `by_hand`; what was kept goes out `in_order`.
    """
    settings = current_app.extensions["settings"]
    webhook = db.session.get_one(Webhook, UUID(payload["webhook_id"]))
    row = db.session.scalars(
        select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.cause == payload["cause"])
    ).one()
    if row.delivered_at is not None or webhook.deleted_at is not None:
        return lambda: None
    if webhook.disabled_at is not None and not payload.get("by_hand"):
        return partial(pause, row.id)
    if payload.get("in_order"):
        hold_behind_earlier(row)
    body = orjson.dumps({"id": str(row.id), "kind": row.kind, **row.payload})
    secret, url = unseal(webhook.sealed_secret, settings.field_key)["secret"], webhook.url
    headers = {
        "Content-Type": "application/json", "User-Agent": "Xunhe", "Xunhe-Delivery": str(row.id), "Xunhe-Event": row.kind,
        "Xunhe-Signature": signature(body, secret, int(clock.now().timestamp())),
    }  # fmt: skip
    delivery_id = row.id
    db.session.rollback()
    try:
        status = outgoing.post(url, body, headers, inside=settings.webhooks_inside)
    except urllib3.exceptions.HTTPError as error:
        raise Unavailable(Text(type(error).__name__, type(error).__name__)) from error
    if not 200 <= status < 300:
        raise Unavailable(_ANSWERED.format(status=status))
    return partial(_mark_delivered, delivery_id, status)


def _mark_delivered(delivery_id: UUID, status: int) -> None:
    row = db.session.get_one(WebhookDelivery, delivery_id, populate_existing=True)
    row.delivered_at, row.last_status = clock.now(), status

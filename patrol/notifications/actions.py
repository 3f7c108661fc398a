"""Reading messages, and setting up channels and webhooks. None of these commits."""

import secrets
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import update

from patrol.foundation import clock, outbox
from patrol.foundation.channels import Way, refuse_bad_address
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid
from patrol.foundation.outgoing import Standing, refuse_bad_url, refuse_inner
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.sealing import seal
from patrol.foundation.texts import Text
from patrol.notifications.models import Channel, Message, Webhook, WebhookDelivery
from patrol.notifications.resting import drop_paused, end_all_open, send_paused
from patrol.notifications.templates import EVENT_KINDS, TEMPLATES
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.queries import covered_region

_NO_KIND = Text("没有这类消息：{kinds}；可用：{known}", "There are no messages of the kind {kinds}; there are {known}")
_QUIET_PAIR = Text("quiet_from 与 quiet_to 须同时填写", "Give both quiet_from and quiet_to, or neither")
_DELETED = Text("这个 Webhook 已删除，请换用新编号另建", "This webhook was deleted: set up another one under a new id")
_ENDED = Text("这个 Webhook 已删除，不能再发送", "Its webhook was deleted: nothing more can be sent")
WEBHOOK_DELETED = "webhook_deleted"
_DELIVERED = Text("这条通知已送达，不必重发", "It has been delivered: there is nothing to send again")


def mark_read(*, by: Actor, ids: Sequence[UUID] | None, until: datetime | None) -> int:
    """Mark one's messages as read: those with `ids`, or all created up to `until`; return how many were unread."""
    statement = update(Message).where(Message.person_id == by.person_id, Message.read_at.is_(None))
    statement = statement.where(Message.id.in_(ids)) if ids is not None else statement.where(Message.created_at <= until)
    return db.session.connection().execute(statement.values(read_at=clock.now())).rowcount


def add_channel(
    *, by: Actor, id: UUID | None, region: str | None, way: Way, address: str, language: str, quiet_from: time | None,  # noqa: A002
    quiet_to: time | None, digest_at: time | None, kinds: Sequence[str] | None, field_keys: Sequence[str],
) -> tuple[Channel, bool]:  # fmt: skip
    """Add a channel of one's own, or of the office of a `region` (code) in one's area; return it and whether it is new.

    Raises Invalid for a bad address, unknown kinds, half of the quiet hours; Conflict for the same id with other content.
    """
    content = {
        "region": region, "way": way, "address": address, "language": language, "quiet_from": quiet_from, "quiet_to": quiet_to,
        "digest_at": digest_at, "kinds": kinds, "person": None if region else by.person_id,
    }  # fmt: skip
    sent = content_digest({name: value and str(value) for name, value in content.items()})
    if id is not None and (known := db.session.get(Channel, id)) is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        return known, False
    refuse_bad_address(way, address)
    _refuse_bad_choice(kinds, quiet_from, quiet_to)
    owner = covered_region(region, by) if region else None
    channel = Channel(
        id=id or new_id(), person_id=None if owner else by.person_id, region=owner, way=way.value,
        sealed_address=seal({"address": address}, field_keys), hint=_hint(address), language=language, quiet_from=quiet_from,
        quiet_to=quiet_to, digest_at=digest_at, kinds=list(kinds) if kinds is not None else None, digest=sent,
        created_at=clock.now(), version=1,
    )  # fmt: skip
    db.session.add(channel)
    db.session.flush()
    note_audit(by, "add_channel", str(channel.id), way=way.value, region=region)
    return channel, True


def change_channel(channel: Channel, *, by: Actor, changes: dict[str, Any]) -> Channel:
    """Change language, quiet hours, digest, kinds, or whether a channel is `enabled`. Raises Invalid as `add_channel`."""
    enabled = changes.pop("enabled", None)
    for name, value in changes.items():
        setattr(channel, name, value)
    _refuse_bad_choice(channel.kinds, channel.quiet_from, channel.quiet_to)
    if enabled is not None:
        channel.disabled_at = None if enabled else channel.disabled_at or clock.now()
    channel.version += 1
    note_audit(by, "change_channel", str(channel.id), changed=sorted(changes), enabled=enabled)
    return channel


def add_webhook(
    *, by: Actor, id: UUID | None, region: str, url: str, kinds: Sequence[str] | None, field_keys: Sequence[str], inside: bool,  # noqa: A002
    standing: Standing = Standing.UNKNOWN,
) -> tuple[Webhook, str | None]:  # fmt: skip
    """Add a webhook for a region (code) of one's area; return it with its secret, None when it was there already.

    The secret is shown this once. Raises Invalid for a bad address, one whose `standing` is in the inner network unless
    `inside`, or unknown kinds; Conflict for another content.
    """
    sent = content_digest({"region": region, "url": url, "kinds": kinds})
    if id is not None and (known := db.session.get(Webhook, id)) is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        if known.deleted_at is not None:
            raise Conflict(_DELETED)
        return known, None
    refuse_bad_url(url, inside=inside)
    refuse_inner(standing, inside=inside)
    _refuse_bad_choice(kinds, None, None, known=EVENT_KINDS)
    secret = secrets.token_urlsafe(32)
    webhook = Webhook(
        id=id or new_id(), region=covered_region(region, by), url=url, sealed_secret=seal({"secret": secret}, field_keys),
        kinds=list(kinds) if kinds is not None else None, created_by_id=by.person_id, digest=sent, created_at=clock.now(), version=1,
    )  # fmt: skip
    db.session.add(webhook)
    db.session.flush()
    note_audit(by, "add_webhook", str(webhook.id), region=region, url=url)
    return webhook, secret


def enable_webhook(webhook: Webhook, *, by: Actor, enabled: bool, missed: str) -> Webhook:
    """Let a webhook rest, or go on. What it missed is sent then, in order; with `missed` "drop" it is given up, visibly."""
    webhook.disabled_at = None if enabled else webhook.disabled_at or clock.now()
    webhook.version += 1
    facts: dict[str, Any] = {}
    if enabled and missed == "drop":
        facts["dropped"] = drop_paused(webhook)
    elif enabled:
        send_paused(webhook)
    note_audit(by, "change_webhook", str(webhook.id), enabled=enabled, **facts)
    return webhook


def delete_webhook(webhook: Webhook, *, by: Actor, field_keys: Sequence[str]) -> None:
    """Let a webhook hear nothing any more, for good: what has not gone out is dead, for that reason, and its secret is forgotten.

    What it was sent stays to be read.
    """
    now = clock.now()
    webhook.deleted_at, webhook.disabled_at, webhook.version = now, webhook.disabled_at or now, webhook.version + 1
    webhook.sealed_secret = seal({}, field_keys)
    note_audit(by, "delete_webhook", str(webhook.id), url=webhook.url, ended=end_all_open(webhook, ended_by=WEBHOOK_DELETED))


def replay(delivery: WebhookDelivery, *, by: Actor) -> WebhookDelivery:
    """Send a webhook's event by hand, with a new set of attempts: given up, kept, dropped or still waiting.

    It goes out although the webhook may be switched off. Raises Conflict when it has been delivered or its webhook deleted.
    """
    if delivery.webhook.deleted_at is not None:
        raise Conflict(_ENDED)
    if delivery.delivered_at is not None:
        raise Conflict(_DELIVERED)
    row = delivery.outbox
    if row is not None and row.delivered_at is None:
        outbox.try_again(row.id, by_hand=True)
    else:
        delivery.dropped_at = None
        delivery.outbox_id = outbox.put(
            "notifications.call", webhook_id=str(delivery.webhook_id), cause=delivery.cause, by_hand=True
        )
        db.session.flush()
        db.session.refresh(delivery, ["outbox"])
    note_audit(by, "replay_webhook", str(delivery.webhook_id), delivery=str(delivery.id))
    return delivery


def retry(row: outbox.OutboxRow, *, by: Actor) -> outbox.OutboxRow:
    """Try a row of the outbox again now, with a new set of attempts. Raises Conflict when it has been delivered."""
    if row.delivered_at is not None:
        raise Conflict(_DELIVERED)
    outbox.try_again(row.id)
    note_audit(by, "retry_outbox", str(row.id), kind=row.kind)
    return row


def _refuse_bad_choice(
    kinds: Sequence[str] | None, quiet_from: time | None, quiet_to: time | None, known: Sequence[str] = tuple(TEMPLATES)
) -> None:
    if unknown := sorted(set(kinds or ()) - set(known)):
        fault = _NO_KIND.format(kinds=", ".join(unknown), known=", ".join(known))
        raise Invalid(fault, errors={"kinds": [fault]})
    if (quiet_from is None) != (quiet_to is None):
        raise Invalid(_QUIET_PAIR, errors={"quiet_from": [_QUIET_PAIR]})


def _hint(address: str) -> str:
    """Return as much of an address as its owner needs to know it again."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}…@{host}"[:40] if at and "." in host else f"…{address[-4:]}"

"""Two systems of the district that want to hear of cases: one that lately cannot be reached, and one that was switched off.

Both addresses end in a name that nobody can own (RFC 2606), so that the demo calls nobody.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.demo.stage import Act, Stage
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow, pause_after
from patrol.foundation.outgoing import NO_HOST
from patrol.foundation.plain_errors import plain_error
from patrol.foundation.transaction import transaction
from patrol.notifications.actions import add_webhook, enable_webhook
from patrol.notifications.models import Webhook, WebhookDelivery

_DISTRICT = "990100"
COMMAND_CENTRE, HOTLINE = UUID("0199c3a0-0000-7000-8000-000000000001"), UUID("0199c3a0-0000-7000-8000-000000000002")
_WEBHOOKS = (
    (COMMAND_CENTRE, "https://command.qingxi.example/xunhe", ["issue.letter", "issue.listed", "issue.talk"]),
    (HOTLINE, "https://hotline.qingxi.example/xunhe", ["issue.close"]),
)
LINKED_DAYS, OFF_DAYS, GIVEN_UP = 30, 6, 2
"""For how many days the systems are linked and one is switched off; how many events of the other are given up."""
UNTIL_GIVEN_UP = sum((pause_after(attempts) for attempts in range(1, MOST_ATTEMPTS)), timedelta())
_NO_HOST = plain_error(Unavailable(NO_HOST))
_A_MOMENT = timedelta(seconds=8)


def partner_acts(stage: Stage, midnight: datetime) -> Iterator[Act]:
    """Yield how the district's office links both systems, and switches the second one off some days before `midnight`."""
    yield Act(midnight - timedelta(days=LINKED_DAYS, hours=-9), 0, partial(_link, stage))
    yield Act(midnight - timedelta(days=OFF_DAYS, hours=-16), 0, partial(_switch_off, stage))


def _link(stage: Stage) -> None:
    for webhook_id, url, kinds in _WEBHOOKS:
        add_webhook(
            by=stage.actors["office"], id=webhook_id, region=_DISTRICT, url=url, kinds=kinds, field_keys=stage.settings.field_key, inside=False,
        )  # fmt: skip


def _switch_off(stage: Stage) -> None:
    enable_webhook(db.session.get_one(Webhook, HOTLINE), by=stage.actors["office"], enabled=False, missed="send")


def take_calls() -> None:
    """Let the systems have taken what was sent to them so far. Commits."""
    with transaction():
        for call in _open_calls():
            assert call.outbox
            call.delivered_at = call.outbox.delivered_at = call.created_at + _A_MOMENT
            call.outbox.created_at = call.outbox.available_at = call.created_at
            call.last_status = 200


def lose_last_calls() -> None:
    """Let the command centre have missed its last events: the older ones are given up, the others are still tried. Commits."""
    now = clock.now()
    with transaction():
        calls = db.session.scalars(
            select(WebhookDelivery).where(WebhookDelivery.webhook_id == COMMAND_CENTRE).options(joinedload(WebhookDelivery.outbox))
            .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id)
        ).all()  # fmt: skip
        given_up = 0
        for call in calls:
            assert call.outbox
            if given_up == GIVEN_UP:
                break
            given_up += now - call.created_at > UNTIL_GIVEN_UP
            call.delivered_at = call.last_status = None
            _fail(call.outbox, now - call.created_at)


def _fail(row: OutboxRow, age: timedelta) -> None:
    """Let a row of that age have been tried in vain, after each pause."""
    attempts, next_attempt_at = 1, row.created_at + pause_after(1)
    while attempts < MOST_ATTEMPTS and next_attempt_at < row.created_at + age:
        attempts += 1
        next_attempt_at += pause_after(attempts)
    row.delivered_at, row.last_error, row.attempts, row.available_at = None, _NO_HOST, attempts, next_attempt_at


def _open_calls() -> list[WebhookDelivery]:
    waiting = select(WebhookDelivery).where(WebhookDelivery.delivered_at.is_(None), WebhookDelivery.outbox_id.is_not(None))
    return list(db.session.scalars(waiting.options(joinedload(WebhookDelivery.outbox))))

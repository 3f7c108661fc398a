"""What could not leave the process, over HTTP: messages, webhooks, derived images, whatever is in the outbox; and trying it again."""

from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.plain_errors import shown_error, without_secrets
from patrol.foundation.problems import language
from patrol.notifications import actions, queries
from patrol.notifications.api import room
from patrol.notifications.schemas import OutboxArgs, OutboxRowOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


def _shown(row: OutboxRow) -> dict[str, Any]:
    stuck = row.attempts >= MOST_ATTEMPTS
    return {
        **{name: getattr(row, name) for name in ("id", "kind", "created_at", "attempts")}, "state": "stuck" if stuck else "waiting",
        "age_s": int((clock.now() - row.created_at).total_seconds()),
        "last_error": row.last_error and without_secrets(shown_error(row.last_error, language())), "next_attempt_at": None if stuck else row.available_at,
    }  # fmt: skip


@room.route("/outbox", may=P.MANAGE_OUTBOX)
@room.arguments(OutboxArgs, location="query")
@room.response(200, page_schema(OutboxRowOut))
def list_outbox(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List what is stuck, or waits: kind, age, attempts and the last error. What is in it stays hidden."""
    page = queries.list_outbox(**args)
    return Page([_shown(row) for row in page.items], page.next)


@room.route("/outbox/<uuid:row_id>/retry", may=P.MANAGE_OUTBOX, methods=("POST",), refuses=(404, 409))
@room.response(200, OutboxRowOut)
def retry_outbox_row(row_id: UUID) -> dict[str, Any]:
    """Try again what is stuck or waits, now and with a new set of attempts."""
    return _shown(actions.retry(queries.get_outbox_row(row_id), by=current_actor()))

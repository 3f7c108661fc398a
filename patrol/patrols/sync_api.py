"""A phone's whole queue in one request."""

from typing import Any

from flask import Response, current_app

from patrol.foundation.http import answer
from patrol.patrols.api import room
from patrol.patrols.phone_queues import PhoneReport, note_pending
from patrol.patrols.sync import run_queue
from patrol.patrols.sync_schemas import MOST_ITEMS, SyncIn, SyncOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


@room.route("/sync", may=P.PATROL, methods=("POST",))
@room.body(SyncIn)
@room.response(200, SyncOut)
def sync(data: dict[str, Any]) -> Response:
    """Enter a phone's queue in its order, with a result for each item; never fails for one of them."""
    items, by, held, is_latest = data["items"], current_actor(), None, False
    if data["pending"] is not None:
        told = PhoneReport(data["pending"], **{name: data[name] for name in ("oldest", "report", "sent_at")})
        held, is_latest = note_pending(told, by=by, device=data["device"])
    results = run_queue(items, by=by, settings=current_app.extensions["settings"])
    if held and is_latest:
        held.settled = min(held.pending, sum(result["status"] != "waiting" for result in results))
    return answer({"results": results, "cursor": MOST_ITEMS if len(items) > MOST_ITEMS else None, "pending": held and held.pending})

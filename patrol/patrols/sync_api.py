"""A phone's whole queue in one request."""

from typing import Any

from flask import current_app

from patrol.patrols.api import room
from patrol.patrols.sync import note_pending, run_queue
from patrol.patrols.sync_schemas import MOST_ITEMS, SyncIn, SyncOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


@room.route("/sync", may=P.PATROL, methods=("POST",))
@room.body(SyncIn)
@room.response(200, SyncOut)
def sync(data: dict[str, Any]) -> dict[str, Any]:
    """Enter a phone's queue in its order, with a result for each item; never fails for one of them."""
    items, by = data["items"], current_actor()
    note_pending(by=by, device=data["device"], pending=data["pending"], oldest=data["oldest"])
    results = run_queue(items, by=by, settings=current_app.extensions["settings"])
    return {"results": results, "cursor": MOST_ITEMS if len(items) > MOST_ITEMS else None, "pending": data["pending"]}

"""What was found on the spot, proved by the history of the issue that was looked at: result, words, photos, place and time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from patrol.foundation.database import db
from patrol.issues.beside import SPOT, Columns, Near, differing, proves, untold
from patrol.issues.chain import Entry
from patrol.issues.facts import ROWS, Difference, Said, fact
from patrol.issues.history import SPOT_CHECK
from patrol.supervision.models import SpotCheck, SpotCheckPhoto

PROVED = (
    "kind", "reason", "due_on", "draw_id", "assigned_to_id", "created_by_id", "created_at", "result", "sheet", "note", "latitude", "longitude",
    "raw_latitude", "raw_longitude", "datum", "accuracy_m", "distance_m", "recorded_at", "done_at", "done_by_id",
)  # fmt: skip
"""The columns of a check that is done, as new entries say them to the letter; of older ones what they told besides is proved."""


def check_to_say(check: SpotCheck) -> dict[str, dict[str, Any]]:
    """Return a check that was just done as its entry says it among its facts."""
    return {f"{SPOT} {check.id}": {name: fact(getattr(check, name)) for name in PROVED}}


@proves
def _differences(entries: Mapping[UUID, Sequence[Entry]]) -> Mapping[UUID, Difference]:
    """Return for each issue the first check that says something else than its entry, is gone, or that no entry tells of."""
    told = {issue_id: dict(_told(own)) for issue_id, own in entries.items()}
    stored = _stored(list(entries), [check_id for said in told.values() for check_id in said])
    found = defaultdict[UUID, list[Difference]](list)
    for issue_id, said in told.items():
        for check_id, columns in said.items():
            if one := differing((SPOT, check_id), columns, stored.get(check_id)):
                found[issue_id].append(one)
    for check_id, row in stored.items():
        if row.state == "done" and row.issue_id in entries and check_id not in told[row.issue_id]:
            found[row.issue_id].append(untold((SPOT, check_id), entries[row.issue_id][-1].seq))
    return {issue_id: min(several, key=lambda one: one.seq) for issue_id, several in found.items()}


def _told(entries: Sequence[Entry]) -> Iterator[tuple[str, Columns]]:
    for entry in entries:
        if entry.verb == SPOT_CHECK:
            changes, check_id = entry.details["changes"], entry.details["changes"]["spot_check"]["to"]
            columns = {
                "issue_id": str(entry.issue_id), "state": "done", "result": changes["result"]["to"], "note": entry.details["note"],
                "done_at": Near(entry.happened_at), "done_by_id": fact(entry.actor_id), "photos": [photo["id"] for photo in entry.details["photos"]],
            } | (entry.details.get("facts") or {}).get(ROWS, {}).get(f"{SPOT} {check_id}", {})  # fmt: skip
            yield check_id, {name: Said(entry.seq, value) for name, value in columns.items()}


def _stored(issue_ids: Sequence[UUID], check_ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the checks of these issues, and those that their entries tell of wherever they are, with their photos, by id."""
    named = or_(SpotCheck.issue_id.in_(issue_ids), SpotCheck.id.in_([UUID(check_id) for check_id in check_ids]))
    rows = {str(row.id): SimpleNamespace(**row._asdict(), photos=[]) for row in db.session.execute(select(*SpotCheck.__table__.c).where(named))}
    photos = (
        select(SpotCheckPhoto.spot_check_id, SpotCheckPhoto.photo_id).where(SpotCheckPhoto.spot_check_id.in_([UUID(check_id) for check_id in rows]))
        .order_by(SpotCheckPhoto.spot_check_id, SpotCheckPhoto.position)
    )  # fmt: skip
    for check_id, photo_id in db.session.execute(photos) if rows else ():
        rows[str(check_id)].photos.append(str(photo_id))
    return rows

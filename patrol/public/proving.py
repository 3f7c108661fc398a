"""What a complainant called not fixed, and how that was answered, proved by the history of the issue."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from patrol.foundation.database import db
from patrol.issues.beside import NOT_FIXED, Columns, Near, differing, proves, untold
from patrol.issues.chain import Entry
from patrol.issues.facts import ROWS, Difference, Said, fact
from patrol.issues.history import ASK_REOPENING, REFUSE_REOPENING
from patrol.issues.lifecycle import Verb
from patrol.public.models import ReopeningRequest

ASKED = ("closing", "reason", "digest", "asked_at")
ANSWERED = ("granted", "decision", "decided_at", "decided_by_id")
"""The columns that are proved. Whose complaint it was is not among them: case files hold the entries, and name no complainant."""
CUT = "…"
"""Ends an answer that was too long to be kept whole beside the history."""


def request_to_say(request: ReopeningRequest, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return columns of a request as an entry says them among its facts."""
    return {f"{NOT_FIXED} {request.id}": {name: fact(getattr(request, name)) for name in names}}


@proves
def _differences(entries: Mapping[UUID, Sequence[Entry]]) -> Mapping[UUID, Difference]:
    """Return for each issue the first request that says something else than the entries, is gone, or that none tells of.

    Requests from before entries said which they are prove nothing, and neither does it that there are some.
    """
    stored: dict[UUID, dict[str, Row[Any]]] = {issue_id: {} for issue_id in entries}
    for row in db.session.execute(select(*ReopeningRequest.__table__.c).where(ReopeningRequest.issue_id.in_(entries))):
        stored[row.issue_id][str(row.id)] = row
    found = {}
    for issue_id, own in entries.items():
        if own and (several := list(_differing(own, stored[issue_id]))):
            found[issue_id] = min(several, key=lambda one: one.seq)
    return found


def _differing(entries: Sequence[Entry], stored: Mapping[str, Row[Any]]) -> list[Difference]:
    said, whole = _replayed(entries, stored)
    found = [one for key, columns in said.items() if (one := differing((NOT_FIXED, key), columns, stored.get(key)))]
    return found + [untold((NOT_FIXED, key), entries[-1].seq) for key in sorted(stored.keys() - said.keys()) if whole]


def _replayed(entries: Sequence[Entry], stored: Mapping[str, Row[Any]]) -> tuple[dict[str, Columns], bool]:
    """Return each request as the entries leave it, by id, and whether they tell of all."""
    said, waiting, whole = dict[str, Columns](), dict[str, None](), True
    for entry in entries:
        rows = {name.partition(" ")[2]: columns for name, columns in (entry.details.get("facts") or {}).get(ROWS, {}).items()
                if name.startswith(f"{NOT_FIXED} ")}  # fmt: skip
        if entry.verb == ASK_REOPENING:
            whole = whole and bool(rows)
            waiting |= dict.fromkeys(rows)
            rows = {key: columns | dict.fromkeys(ANSWERED) for key, columns in rows.items()}
        elif entry.verb == REFUSE_REOPENING:
            waiting = {key: None for key in waiting if key not in rows}
        elif entry.verb == Verb.REOPEN:
            rows, waiting = {key: _granted(entry, stored.get(key)) for key in waiting}, {}
        for key, columns in rows.items():
            said[key] = said.get(key, {}) | {name: Said(entry.seq, value) for name, value in columns.items()}
    return said, whole


def _granted(entry: Entry, row: Row[Any] | None) -> dict[str, Any]:
    """Return the answer of what a reopening granted: the reason of that, or what of it is for the complainant."""
    reason = entry.details["reason"] or ""
    kept = row is not None and row.decision is not None and row.decision.removesuffix(CUT) in reason
    decision = row.decision if row is not None and kept else reason
    return {"granted": True, "decision": decision, "decided_at": Near(entry.happened_at), "decided_by_id": fact(entry.actor_id)}

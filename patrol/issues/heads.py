"""The heads of the histories, written down once a day outside of the database: what a rewrite of it cannot change.

A history that is rewritten from some entry on, its head on the issue included, is sound by itself. A head that was
exported before shows it: the entry of that number must still have that hash.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from flask import current_app
from sqlalchemy import func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.models import HistoryEntry
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM

# How far back a worker that was down makes up for days without a file.
MOST_DAYS_BACK = 14
_BATCH = 5_000


class LostHead(NamedTuple):
    """A head that was exported on `day` and is no longer in the history."""

    day: str
    issue_id: UUID
    seq: int


@each_hour
def export_heads_of_past_days() -> int:
    """Write the file of each past day that has none yet; return how many were written."""
    settings = current_app.extensions["settings"]
    today = clock.today(settings.timezone)
    days = [today - timedelta(days=back) for back in range(MOST_DAYS_BACK, 0, -1)]
    return sum(export_heads(day, settings.heads, settings.timezone) for day in days)


def export_heads(day: date, folder: Path, timezone: str) -> bool:
    """Write the last entry of every history that grew on a local `day` to a file; False when there is one already.

    The file is JSON lines: an issue's id, number of the entry and hash in each, then a line with their count and the
    SHA-256 over all lines before it. That digest also stands in the audit log.
    """
    path = folder / f"{day.isoformat()}.jsonl"
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    digest, count, draft = hashlib.sha256(), 0, path.with_suffix(".part")
    with draft.open("wb") as file:
        for head in _heads_of(day, timezone):
            line = orjson.dumps(head) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
        file.write(orjson.dumps({"day": day.isoformat(), "count": count, "sha256": digest.hexdigest()}) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    with transaction():
        note_audit(SYSTEM, "export_heads", day.isoformat(), count=count, sha256=digest.hexdigest())
    return True


def _heads_of(day: date, timezone: str) -> Iterator[dict[str, object]]:
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    newest = (
        select(HistoryEntry.issue_id, func.max(HistoryEntry.seq).label("seq"))
        .where(HistoryEntry.at >= start, HistoryEntry.at < end).group_by(HistoryEntry.issue_id).subquery()
    )  # fmt: skip
    rows = db.session.execute(
        select(HistoryEntry.issue_id, HistoryEntry.seq, HistoryEntry.hash)
        .join(newest, (HistoryEntry.issue_id == newest.c.issue_id) & (HistoryEntry.seq == newest.c.seq))
        .order_by(HistoryEntry.issue_id).execution_options(yield_per=_BATCH)
    )  # fmt: skip
    for issue_id, seq, entry_hash in rows:
        yield {"id": str(issue_id), "seq": seq, "hash": entry_hash}


def lost_heads(folder: Path) -> Iterator[LostHead]:
    """Compare every exported head with the history; yield those that are no longer in it.

    Raises ValueError for a file that is not what was exported: cut, or changed.
    """
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        last = orjson.loads(lines[-1]) if lines else {}
        if last.get("count") != len(lines) - 1 or last.get("sha256") != hashlib.sha256(b"".join(lines[:-1])).hexdigest():
            raise ValueError(f"{path.name} is not what was exported")
        heads = [orjson.loads(line) for line in lines[:-1]]
        for start in range(0, len(heads), _BATCH):
            yield from _lost_of(path.stem, heads[start : start + _BATCH])


def _lost_of(day: str, heads: Sequence[dict[str, str | int]]) -> Iterator[LostHead]:
    ids = [UUID(str(head["id"])) for head in heads]
    stored = {
        (issue_id, seq): entry_hash
        for issue_id, seq, entry_hash in db.session.execute(
            select(HistoryEntry.issue_id, HistoryEntry.seq, HistoryEntry.hash).where(HistoryEntry.issue_id.in_(ids)))
    }  # fmt: skip
    for issue_id, head in zip(ids, heads, strict=True):
        if stored.get((issue_id, int(head["seq"]))) != head["hash"]:
            yield LostHead(day, issue_id, int(head["seq"]))

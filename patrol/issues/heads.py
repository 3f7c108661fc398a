"""The heads of the histories, written down once a day outside of the database: what a rewrite of it cannot change.

A history that is rewritten from some entry on, its head on the issue included, is sound by itself. A head that was
exported before shows it: the entry of that number must still have that hash. The files together name every case there
was: the first one all, each later one those whose history grew since the file before, whose digest it holds.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from flask import current_app
from sqlalchemy import func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.counting import SETTLED
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM
from patrol.people.models import AuditEntry

_BATCH = 5_000


class Faulty(NamedTuple):
    """What was exported on `day` and is not so any more: in words, with the issue where it is one's."""

    day: str
    text: str
    issue_id: UUID | None = None
    seq: int | None = None


@each_hour
def export_heads_of_past_days() -> int:
    """Write the file of the day that ended last, unless it is there; return how many were written.

    A worker that was down makes up for all the days in one file.
    """
    settings = current_app.extensions["settings"]
    ended = clock.local_date(clock.now() - SETTLED, settings.timezone) - timedelta(days=1)
    return int(export_heads(ended, settings.heads, settings.timezone))


def export_heads(day: date, folder: Path, timezone: str) -> bool:
    """Write the last entry of every history that grew since the file before to the file of a local `day`.

    False when there is one of that day, or of a later one. The file is JSON lines: an issue's id and number, the entry's
    number and hash in each, then a line with their count, the SHA-256 over them, the moment up to which they are, how
    many cases there were then, and the SHA-256 of the last line of the file before (null in the first, and after one
    that counted no cases: that names all). The digest of the lines also stands in the audit log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, before = folder / f"{day.isoformat()}.jsonl", max(folder.glob("*.jsonl"), default=None)
    if before is not None and before >= path:
        return False
    last_line, until = before and _last_line(before), min(clock.end_of_day(day, timezone), clock.now()).astimezone(UTC)
    since = orjson.loads(last_line).get("until") if last_line else None
    digest, count, draft = hashlib.sha256(), 0, path.with_suffix(".part")
    with draft.open("wb") as file:
        for head in _heads_between(since and datetime.fromisoformat(since), until):
            line = orjson.dumps(head) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
        cases = db.session.scalar(select(func.count()).select_from(Issue).where(Issue.received_at < until))
        file.write(orjson.dumps({
            "day": day.isoformat(), "count": count, "sha256": digest.hexdigest(), "until": until.isoformat(), "cases": cases,
            "before": hashlib.sha256(last_line).hexdigest() if last_line and since else None,
        }) + b"\n")  # fmt: skip
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    with transaction():
        note_audit(SYSTEM, "export_heads", day.isoformat(), count=count, cases=cases, sha256=digest.hexdigest())
    return True


def _heads_between(since: datetime | None, until: datetime) -> Iterator[dict[str, object]]:
    grown = HistoryEntry.at < until if since is None else (HistoryEntry.at >= since) & (HistoryEntry.at < until)
    newest = select(HistoryEntry.issue_id, func.max(HistoryEntry.seq).label("seq")).where(grown).group_by(HistoryEntry.issue_id).subquery()
    rows = db.session.execute(
        select(HistoryEntry.issue_id, Issue.serial, HistoryEntry.seq, HistoryEntry.hash)
        .join(newest, (HistoryEntry.issue_id == newest.c.issue_id) & (HistoryEntry.seq == newest.c.seq))
        .join(Issue, Issue.id == HistoryEntry.issue_id)
        .order_by(HistoryEntry.issue_id).execution_options(yield_per=_BATCH)
    )  # fmt: skip
    for issue_id, serial, seq, entry_hash in rows:
        yield {"id": str(issue_id), "number": number_of(serial), "seq": seq, "hash": entry_hash}


def faults_of_heads(folder: Path) -> Iterator[Faulty]:
    """Compare every exported file with the histories; yield each head that is no longer there, and each day whose cases are not as many.

    Raises ValueError for a file that is not what was exported (cut, changed, or after one that is), and for one that is
    gone although the audit log or the next file says that it was there.
    """
    paths = sorted(folder.glob("*.jsonl"))
    gone = _exported_days() - {path.stem for path in paths}
    if gone:
        raise ValueError(f"{min(gone)}.jsonl is gone from {folder}")
    before, counted, since = None, 0, None
    for path in paths:
        summary, last_line = _summary_of(path), _last_line(path)
        if summary.get("before") not in {None, before}:
            raise ValueError(f"{path.name} is not what was exported: the file before it is another one")
        for heads in _batches_of(path, summary["count"]):
            yield from _lost_of(path.stem, heads)
        if "until" in summary:
            until = datetime.fromisoformat(summary["until"])
            counted += _cases_between(since, until)
            since = until
            if counted != summary["cases"]:
                yield Faulty(path.stem, f"{summary['cases']} cases on {path.stem}, now {counted} / 当日共有{summary['cases']}件，现为{counted}件")
        before = hashlib.sha256(last_line).hexdigest()


def _exported_days() -> set[str]:
    """Return the days whose files the audit log knows."""
    return set(db.session.scalars(select(AuditEntry.subject).where(AuditEntry.act == "export_heads")))


def _cases_between(since: datetime | None, until: datetime) -> int:
    conditions = [Issue.received_at < until, *([Issue.received_at >= since] if since else [])]
    return db.session.scalar(select(func.count()).select_from(Issue).where(*conditions)) or 0


def _last_line(path: Path) -> bytes:
    """Return a file's last line, however long the file is; empty for an empty file."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2_000))
        return (file.read().splitlines(keepends=True) or [b""])[-1]


def _summary_of(path: Path) -> dict[str, Any]:
    """Return what a file's last line says of it; raises ValueError when it does not fit the lines before."""
    digest, count, held = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        for line in file:
            if held:
                digest.update(held)
                count += 1
            held = line
    try:
        summary = orjson.loads(held)
    except orjson.JSONDecodeError:
        summary = {}
    if summary.get("count") != count or summary.get("sha256") != digest.hexdigest() or summary.get("day") != path.stem:
        raise ValueError(f"{path.name} is not what was exported")
    return dict(summary)


def _batches_of(path: Path, count: int) -> Iterator[Sequence[dict[str, Any]]]:
    with path.open("rb") as file:
        lines = (orjson.loads(line) for line in islice(file, count))
        while heads := list(islice(lines, _BATCH)):
            yield heads


def _lost_of(day: str, heads: Sequence[dict[str, Any]]) -> Iterator[Faulty]:
    ids = [UUID(head["id"]) for head in heads]
    places = {(issue_id, head["seq"]) for issue_id, head in zip(ids, heads, strict=True)}
    columns = (HistoryEntry.issue_id, HistoryEntry.seq, HistoryEntry.hash)
    stored = {(row[0], row[1]): row[2] for row in db.session.execute(select(*columns).where(HistoryEntry.issue_id.in_(ids)))
              if (row[0], row[1]) in places}  # fmt: skip
    serials = dict(db.session.execute(select(Issue.id, Issue.serial).where(Issue.id.in_(ids))).all())
    for issue_id, head in zip(ids, heads, strict=True):
        seq, number = head["seq"], head.get("number")
        if issue_id not in serials:
            words = f"the entry {seq} exported on {day} is gone with its whole case {number} / 已导出的案件整件丢失"
        elif stored.get((issue_id, seq)) != head["hash"]:
            words = f"the entry {seq} exported on {day} is gone or rewritten / 已导出的记录丢失或被改写"
        elif number is not None and number_of(serials[issue_id]) != number:
            words = f"exported on {day} as {number}, now {number_of(serials[issue_id])} / 编号被改动"
        else:
            continue
        yield Faulty(day, words, issue_id, seq)


def missing_numbers() -> Iterator[tuple[str, str]]:
    """Yield the first and the last of each run of numbers below the highest that no issue has."""
    before = func.coalesce(func.lag(Issue.serial).over(order_by=Issue.serial), 0).label("before")
    numbers = select(Issue.serial, before).subquery()
    for serial, last in db.session.execute(select(numbers).where(numbers.c.serial > numbers.c.before + 1).order_by(numbers.c.serial)):
        yield number_of(last + 1), number_of(serial - 1)

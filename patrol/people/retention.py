"""What is kept ends: each kind of data has a row that says how long it stays and finds what is over its time.

Rooms register their rows; the worker removes once a day, in small transactions that each write their count into the audit
log, so that it can be killed at any moment and run again. `docs/retention.md` is generated from the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import Select, delete, func, select

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.service import document_named
from patrol.foundation.settings import SETTINGS, Settings
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM

log = structlog.get_logger()
AT_ONCE = 200


@dataclass(frozen=True)
class Kept:
    """One kind of data: what it is, in which `tables`, who sees it, and when it goes.

    `expired` selects the keys of what is over its time, given the settings and the present moment, best in the order of the
    keys, which begin with the time; `remove` deletes those with given keys. `{days}` in `how_long` stands for the days of
    `setting`. Rows without the two only tell of what is removed elsewhere, or kept for good.
    """

    kind: str
    what: str
    tables: tuple[str, ...]
    seen_by: str
    how_long: str
    setting: str | None = None
    expired: Callable[[Settings, datetime], Select[Any]] | None = None
    remove: Callable[[Sequence[Any]], None] | None = None


_kept: dict[str, Kept] = {}


def keep(row: Kept) -> None:
    """Register a kind of data."""
    _kept[row.kind] = row


def kinds_kept() -> list[Kept]:
    """Return every kind of data, in the order in which they are removed: what names others before what is named."""
    return list(_kept.values())


def count_expired() -> dict[str, int]:
    """Count what a run would remove now, by kind."""
    settings, now = current_app.extensions["settings"], clock.now()
    counts = {}
    for row in kinds_kept():
        if row.expired is not None:
            found = row.expired(settings, now).order_by(None).subquery()
            counts[row.kind] = db.session.scalar(select(func.count()).select_from(found)) or 0
    return counts


def run_retention() -> dict[str, int]:
    """Remove what is over its time and return how much, by kind. Running it again, or after it was killed, goes on."""
    settings, now = current_app.extensions["settings"], clock.now()
    return {row.kind: _remove_all(row, settings, now) for row in kinds_kept() if row.expired is not None}


def _remove_all(row: Kept, settings: Settings, now: datetime) -> int:
    assert row.expired is not None
    assert row.remove is not None
    removed = 0
    while True:
        with transaction():
            keys = db.session.scalars(row.expired(settings, now).limit(AT_ONCE)).all()
            if keys:
                row.remove(keys)
                note_audit(SYSTEM, "remove_expired", row.kind, count=len(keys))
        removed += len(keys)
        if len(keys) < AT_ONCE:
            return removed


_last_run: list[date] = []


@each_hour
def run_daily() -> None:
    """Run once on each local day, and after each start of the worker."""
    today = clock.today(current_app.extensions["settings"].timezone)
    if _last_run[-1:] != [today]:
        counts = run_retention()
        _last_run[:] = [today]
        log.info("retention", **{kind: count for kind, count in counts.items() if count})


def delivered_outbox_rows(settings: Settings, now: datetime) -> Select[Any]:
    """Select the outbox rows whose delivery is long past."""
    return outbox.delivered_before(now - timedelta(days=settings.delivered_days))


def remove_outbox_rows(ids: Sequence[Any]) -> None:
    """Delete rows of the outbox."""
    db.session.execute(delete(outbox.OutboxRow).where(outbox.OutboxRow.id.in_(ids)))


@document_named("retention.md")
def retention_document() -> str:
    """Render the table of docs/retention.md."""
    defaults = {row.name: row.default for row in SETTINGS}
    lines = [
        "# What is kept, and how long", "",
        "Generated from the rows that the rooms register with `patrol/people/retention.py`. The worker removes once a day what is over its time; "
        "`flask retention run --dry-run` says what that would be now, `flask retention run` does it. Each removal stands in the audit log as a "
        "count, with nothing personal.", "",
        "| what | where | how long | who sees it |", "|---|---|---|---|",
    ]  # fmt: skip
    for row in sorted(_kept.values(), key=lambda row: row.kind):
        days = f"{defaults[row.setting]} days (`XUNHE_{row.setting}`)" if row.setting else ""
        lines.append(f"| {row.what} | {', '.join(f'`{table}`' for table in row.tables)} | {row.how_long.format(days=days)} | {row.seen_by} |")
    return "\n".join(lines) + "\n"

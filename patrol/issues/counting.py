"""The worker's count of each day that ended: a row a region, from the histories alone, so that it can be counted again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.figure_models import DailyFigures
from patrol.issues.figures import COUNTED, COUNTS, Standing, Told, figures_of
from patrol.issues.models import HistoryEntry, Issue
from patrol.people.models import Region

SETTLED = timedelta(minutes=10)
"""A day is counted, and its heads are exported, so long after it ended: what began in it has been saved by then."""
_BATCH = 500
MOST_DAYS_AT_ONCE = 400
"""How many days one run catches up with: a new installation of an old database takes some hours for years."""


@each_hour
def count_past_days() -> int:
    """Count each day that ended since the last one counted; return how many. Of two workers the second finds the first one's rows."""
    timezone = current_app.extensions["settings"].timezone
    ended = clock.local_date(clock.now() - SETTLED, timezone) - timedelta(days=1)
    last = db.session.scalar(select(func.max(DailyFigures.day)))
    first = last + timedelta(days=1) if last else _first_day(timezone) or ended
    counted = 0
    for number in range(min((ended - first).days + 1, MOST_DAYS_AT_ONCE)):
        try:
            with transaction():
                write_day(first + timedelta(days=number), timezone)
            counted += 1
        except IntegrityError:
            continue
    return counted


def count_again(first: date, last: date, timezone: str) -> Iterator[tuple[date, int]]:
    """Count days again that were counted; yield each with how many of its rows had said something else."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        with transaction():
            before = _said_of(day)
            if not before:
                continue
            db.session.execute(delete(DailyFigures).where(DailyFigures.day == day))
            write_day(day, timezone)
            after = _said_of(day)
            different = sum(before.get(region_id, ()) != row for region_id, row in after.items())
        yield day, different


def write_day(day: date, timezone: str) -> None:
    """Write a day's row for every region; what happened is read from the histories."""
    start, end = (clock.beginning_of_day(each, timezone) for each in (day, day + timedelta(days=1)))
    figures, now = figures_of(_histories(start, end), start, end), clock.now()
    for region_id in db.session.scalars(select(Region.id).order_by(Region.id)):
        db.session.add(DailyFigures(day=day, region_id=region_id, counted_at=now, **{name: figures[region_id][name] for name in COUNTS}))
    db.session.flush()


def _first_day(timezone: str) -> date | None:
    first: datetime | None = db.session.scalar(select(func.min(HistoryEntry.at)))
    return first and first.astimezone(ZoneInfo(timezone)).date()


def _said_of(day: date) -> dict[UUID, Sequence[int]]:
    columns = [getattr(DailyFigures, name) for name in COUNTS]
    rows = db.session.execute(select(DailyFigures.region_id, *columns).where(DailyFigures.day == day))
    return {row[0]: tuple(row[1:]) for row in rows}


def _histories(start: datetime, end: datetime) -> Iterator[tuple[Standing, Sequence[Told]]]:
    """Yield the history until `end` of each issue of which something counts between the two moments."""
    touched = select(HistoryEntry.issue_id).where(HistoryEntry.at >= start, HistoryEntry.at < end, HistoryEntry.verb.in_(COUNTED)).distinct()
    ids = db.session.scalars(touched).all()
    for begin in range(0, len(ids), _BATCH):
        batch = ids[begin:begin + _BATCH]
        standing = {row[0]: Standing(*row[1:]) for row in db.session.execute(
            select(Issue.id, Issue.category, Issue.region_id, Issue.due_at).where(Issue.id.in_(batch)))}  # fmt: skip
        told = defaultdict[UUID, list[Told]](list)
        columns = (HistoryEntry.issue_id, HistoryEntry.verb, HistoryEntry.from_state, HistoryEntry.at, HistoryEntry.facts)
        rows = select(*columns).where(HistoryEntry.issue_id.in_(batch), HistoryEntry.at < end).order_by(HistoryEntry.issue_id, HistoryEntry.seq)
        for row in db.session.execute(rows):
            told[row[0]].append(Told(*row[1:]))
        yield from ((standing[issue_id], told[issue_id]) for issue_id in batch)

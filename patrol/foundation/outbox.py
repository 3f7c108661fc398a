"""What must be done outside the transaction is a row first; the worker delivers it, at least once.

A deliverer has two halves, so that no slow work holds the database: `prepare(payload)` reads and computes, and returns
the writing half, which runs in one transaction with the mark that the row is delivered. Both must bear repetition.
A deliverer that may not deliver now raises NotYet.

Who delivers a row claims it first (`claims`), for as long as it takes; a row whose worker died is due again by itself. What
goes out together with a row's own message is claimed as well, by `take_along`: nothing is in two digests.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Index, Select, String, func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from patrol.foundation import clock
from patrol.foundation.appending import append
from patrol.foundation.claims import Claim, Claimable, is_free
from patrol.foundation.database import Base, db, new_id
from patrol.foundation.plain_errors import plain_error

log = structlog.get_logger()
Write = Callable[[], None]
Deliverer = Callable[[dict[str, Any]], Write]

_deliverers: dict[str, Deliverer] = {}
_referring: list[InstrumentedAttribute[Any]] = []
_hand_over: list[Callable[[list[UUID]], None]] = []
# After this many failures a row waits for a person; with the pauses below that is after about six hours.
MOST_ATTEMPTS = 12
LONGEST_PAUSE = timedelta(hours=6)
# What was written on another computer, whose clock is ahead, is due at once all the same.
CLOCKS_APART = timedelta(seconds=2)
_under_way: ContextVar[Claim] = ContextVar("delivery_under_way")


class NotYet(Exception):
    """Raised by a deliverer: the row waits until the moment `until`, and this was no attempt."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class OutboxRow(Claimable, Base):
    """One thing to deliver; `attempts`, `last_error` and `available_at` tell how that went so far."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "available_at", postgresql_where=text("delivered_at IS NULL"),
              sqlite_where=text("delivered_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(500))


def put(kind: str, *, not_before: datetime | None = None, **payload: Any) -> UUID:
    """Add a row to the transaction under way and return its id; `payload` must be plain JSON.

    A row with a moment `not_before` is left to the sweep of that minute.
    """
    if kind not in _deliverers:
        raise LookupError(f"nobody delivers {kind}")
    row_id, now = new_id(), clock.now()
    append(OutboxRow, {
        "id": row_id, "kind": kind, "payload": payload, "created_at": now, "available_at": not_before or now, "delivered_at": None,
        "attempts": 0, "last_error": None, "claimed_by": None, "claimed_until": None,
    })  # fmt: skip
    if not_before is None or not_before <= now:
        db.session().info.setdefault("outbox", []).append(row_id)
    return row_id


def keeps_row(column: InstrumentedAttribute[Any]) -> None:
    """Note that `column` names a row of the outbox, which is kept as long as that."""
    if column not in _referring:
        _referring.append(column)


def delivered_before(moment: datetime) -> Select[UUID]:
    """Select the rows that were delivered before `moment` and that nothing names any more, the oldest first by their ids."""
    named = [select(column).where(column == OutboxRow.id).exists() for column in _referring]
    return select(OutboxRow.id).where(OutboxRow.delivered_at < moment, *(~one for one in named)).order_by(OutboxRow.id)


def delivers(kind: str) -> Callable[[Deliverer], Deliverer]:
    """Register the decorated function as the deliverer of rows of `kind`."""

    def register(deliverer: Deliverer) -> Deliverer:
        _deliverers[kind] = deliverer
        return deliverer

    return register


def written_now() -> list[UUID]:
    """Return the ids of the rows that the transaction under way has written, and forget them."""
    return list(db.session().info.pop("outbox", []))


def forget() -> None:
    """Drop what was written: the transaction did not happen."""
    db.session().info.pop("outbox", None)


def mark() -> int:
    """Return how many rows the transaction under way has written."""
    return len(db.session().info.get("outbox", []))


def back_to(mark: int) -> None:
    """Drop what was written after `mark`."""
    del db.session().info.get("outbox", [])[mark:]


def hand_over_with(enqueue: Callable[[list[UUID]], None]) -> None:
    """Set how committed rows reach the worker's queue."""
    _hand_over[:] = [enqueue]


def hand_over(ids: list[UUID]) -> None:
    """Tell the worker of committed rows. A queue that is away only delays them until the sweep."""
    if not ids or not _hand_over:
        return
    try:
        _hand_over[0](ids)
    except Exception as error:  # noqa: BLE001 - the rows are safe; any fault of the queue is logged, none may fail the request
        log.warning("queue_away", error=str(error), rows=len(ids))


def waiting(at: datetime) -> Select[UUID]:
    """Select the rows due for delivery at the moment `at` that nobody delivers yet, oldest first."""
    return (
        select(OutboxRow.id)
        .where(OutboxRow.delivered_at.is_(None), OutboxRow.available_at <= at, OutboxRow.attempts < MOST_ATTEMPTS, is_free(OutboxRow, at))
        .order_by(OutboxRow.available_at, OutboxRow.id)
    )


def try_again(row_id: UUID, **more: Any) -> None:
    """Give a row that has used up its attempts a new set of them, from now on; `more` is added to its payload."""
    row = db.session.get_one(OutboxRow, row_id, with_for_update=True, populate_existing=True)
    if row.delivered_at is None:
        row.attempts, row.available_at, row.payload = 0, clock.now(), row.payload | more
        db.session().info.setdefault("outbox", []).append(row.id)


def due_rows(limit: int = 500, *, written_after: datetime | None = None) -> Sequence[UUID]:
    """Return the ids of at most `limit` rows due now, oldest first; of those written after a moment only what was not tried yet."""
    rows = waiting(clock.now()).limit(limit)
    if written_after is not None:
        # No row is available before it is written; said of that column too, the index of what waits finds them.
        rows = rows.where(OutboxRow.available_at > written_after, OutboxRow.created_at > written_after, OutboxRow.attempts == 0)
    return db.session.scalars(rows).all()


def pending_and_stuck() -> tuple[int, int]:
    """Count the rows still to be delivered, and those among them that have used up their attempts."""
    undelivered = select(func.count()).where(OutboxRow.delivered_at.is_(None))
    pending = db.session.scalar(undelivered.where(OutboxRow.attempts < MOST_ATTEMPTS)) or 0
    return pending, db.session.scalar(undelivered.where(OutboxRow.attempts >= MOST_ATTEMPTS)) or 0


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after this many failures: 10 s doubled each time, at most six hours."""
    return min(timedelta(seconds=10 * 2 ** max(attempts - 1, 0)), LONGEST_PAUSE)


def deliver(row_id: UUID) -> bool:
    """Deliver one row; return whether it is delivered now. A failure is noted on the row with the next attempt's time.

    A row that has used up its attempts, waits for the next one, or is being delivered by another worker is left as it is,
    however often it was handed over.
    """
    from patrol.foundation.transaction import transaction  # noqa: PLC0415 - transaction hands rows to this module

    read = select(OutboxRow.kind, OutboxRow.payload, OutboxRow.available_at, OutboxRow.attempts, OutboxRow.delivered_at)
    found = db.session.execute(read.where(OutboxRow.id == row_id)).first()
    # Whatever comes of it, nothing stays open: on SQLite a read keeps every other worker from committing.
    db.session.rollback()
    if found is None or found.delivered_at is not None:
        return True
    # It was handed over more than once, and used up its attempts meanwhile: now a person has to look.
    if found.attempts >= MOST_ATTEMPTS or found.available_at > clock.now() + CLOCKS_APART:
        return False
    claim = Claim(OutboxRow)
    with transaction():
        # As it was read: else somebody has tried it in between, and it waits for its next attempt.
        taken = claim.take([row_id], OutboxRow.available_at == found.available_at, OutboxRow.delivered_at.is_(None))
    if not taken:
        return False
    token = _under_way.set(claim)
    try:
        with claim.kept():
            return _deliver_claimed(row_id, claim, found.kind, found.payload)
    finally:
        _under_way.reset(token)


def _deliver_claimed(row_id: UUID, claim: Claim, kind: str, payload: dict[str, Any]) -> bool:
    from patrol.foundation.transaction import transaction  # noqa: PLC0415 - transaction hands rows to this module

    try:
        write = _deliverers[kind](payload)
        db.session.rollback()
        with transaction():
            row = _locked(row_id)
            if row.delivered_at is None:
                write()
                row.delivered_at, row.last_error = clock.now(), None
            claim.let_go(row)
    except NotYet as held:
        db.session.rollback()
        with transaction():
            row = _locked(row_id)
            if row.delivered_at is None and claim.holds(row):
                row.available_at = held.until
            claim.let_go(row)
        return False
    except Exception as error:  # noqa: BLE001 - whatever goes wrong belongs on the row, where the office can see it
        db.session.rollback()
        log.warning("delivery_failed", kind=kind, row=str(row_id), error=repr(error))
        with transaction():
            row = _locked(row_id)
            if row.delivered_at is None and claim.holds(row):
                row.attempts += 1
                row.last_error = plain_error(error)
                row.available_at = clock.now() + pause_after(row.attempts)
            claim.let_go(row)
        return False
    return True


def went_along(row_ids: Sequence[UUID]) -> None:
    """Mark rows as delivered that went out together with a message: none of them stays stuck. For a writing half."""
    rows = update(OutboxRow).where(OutboxRow.id.in_(row_ids), OutboxRow.delivered_at.is_(None))
    db.session.execute(rows.values(delivered_at=clock.now(), last_error=None))


def _locked(row_id: UUID) -> OutboxRow:
    return db.session.get_one(OutboxRow, row_id, with_for_update=True, populate_existing=True)


def take_along(row_ids: Sequence[UUID]) -> list[UUID]:
    """Claim further rows for the delivery under way, whose message theirs go out with; return those that nobody else delivers.

    For the first half of a deliverer, which has changed nothing and reads anew after it what has gone out before. The
    second half marks as delivered what went out; if it does not come to that, they wait as they did.
    """
    from patrol.foundation.transaction import transaction  # noqa: PLC0415 - transaction hands rows to this module

    if not row_ids:
        return []
    with transaction():
        return _under_way.get().take(row_ids)

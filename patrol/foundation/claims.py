"""Rows that one worker works at are nobody else's meanwhile: its claim goes on while it works, and ends by itself when it dies.

A claim is two columns of a row, so that nothing is locked while a mail server takes its time. It names its holder and a
moment soon to come, which a thread beside the work moves on; a worker that was killed moves nothing on any more.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Mapped

from patrol.foundation import clock
from patrol.foundation.database import db, new_id

log = structlog.get_logger()
CLAIM = timedelta(seconds=30)
"""How long after its worker's last sign of life a row is nobody else's."""
PROLONGED_EACH_S = CLAIM.total_seconds() / 4
"""How often a worker gives a sign of life: two that fail, since the database is busy, lose nothing."""


class Claimable:
    """The columns of a table whose rows are worked at by one worker at a time."""

    claimed_by: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]


def is_free(model: type[Claimable], at: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody works at a row at the moment `at`."""
    return or_(model.claimed_until.is_(None), model.claimed_until <= at)


class Claim:
    """The rows of one table that one piece of work holds: `take` some, have them `kept` while it goes on, `let_go` of them."""

    def __init__(self, model: Any) -> None:
        self._model, self._holder, self._ids = model, new_id(), list[UUID]()

    def take(self, ids: Sequence[UUID], *conditions: ColumnElement[bool]) -> list[UUID]:
        """Claim those of the rows that nobody else holds and that meet the conditions; return their ids. Within a transaction."""
        now = clock.now()
        free = is_free(self._model, now) | (self._model.claimed_by == self._holder)
        if not self._hold_until(now + CLAIM, ids, free, *conditions):
            return []
        held = select(self._model.id).where(self._model.id.in_(ids), self._model.claimed_by == self._holder)
        taken = list(db.session.connection().execute(held).scalars()) if len(ids) > 1 else list(ids)
        self._ids += taken
        return taken

    def _hold_until(self, moment: datetime, ids: Sequence[UUID], *conditions: ColumnElement[bool]) -> int:
        # What another transaction has locked is being delivered or claimed by it: nobody waits, and so none for each other.
        free = select(self._model.id).where(self._model.id.in_(ids), *conditions).with_for_update(skip_locked=True, key_share=True)
        statement = update(self._model).where(self._model.id.in_(free)).values(claimed_by=self._holder, claimed_until=moment)
        return db.session.connection().execute(statement).rowcount

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let the claim go on, whatever is taken meanwhile included, for as long as the body runs."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        over = Event()
        keeper = Thread(target=self._keep, args=(app, over), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep(self, app: Flask, over: Event) -> None:
        from patrol.foundation.transaction import transaction  # noqa: PLC0415 - transaction hands rows to the outbox, which claims them

        while not over.wait(PROLONGED_EACH_S):
            with app.app_context():
                try:
                    with transaction():
                        self._hold_until(clock.now() + CLAIM, list(self._ids), self._model.claimed_by == self._holder)
                except Exception as error:  # noqa: BLE001 - the next sign of life comes in time, and what is lost is delivered twice, not never
                    log.warning("claim_not_prolonged", error=repr(error))

    def holds(self, row: Claimable) -> bool:
        """Tell whether a row, read just now, is still this claim's: nobody took it after the claim had ended unseen."""
        return row.claimed_by == self._holder

    def let_go(self, row: Any) -> None:
        """Free what is still held, within the transaction under way, in which `row` was read and locked."""
        if self.holds(row):
            row.claimed_by = row.claimed_until = None
        if others := [row_id for row_id in self._ids if row_id != row.id]:
            held = update(self._model).where(self._model.id.in_(others), self._model.claimed_by == self._holder)
            db.session.connection().execute(held.values(claimed_by=None, claimed_until=None))

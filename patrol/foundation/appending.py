"""Rows that are only ever added: written by one plain statement a table, when the session is flushed or committed.

The rows of the history and of the outbox are most of what a request writes, and nobody changes one while it is new. As
objects of the session they cost several times what writing them does.
"""

from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, event, insert
from sqlalchemy.orm import Session

from patrol.foundation.database import Base, db, refuse_write_while_reading

_WAITING = "appended"


def append(model: type[Base], values: dict[str, Any]) -> None:
    """Add a row to the transaction under way; `values` names every column of the model's table that has no default.

    A query finds it after the next flush of something changed. A table that refers to no other is written before
    what the session itself writes, since that may refer to it, every other one after it. Raises RuntimeError where a
    request only reads.
    """
    refuse_write_while_reading()
    db.session().info.setdefault(_WAITING, []).append((model.__table__, values))


@cache
def _insertion(table: Table) -> Insert:
    return insert(table)


def _write(session: Session, *, independent_only: bool = False) -> None:
    waiting: list[tuple[Table, dict[str, Any]]] = session.info.get(_WAITING, [])
    if not waiting:
        return
    by_table, later = dict[Table, list[dict[str, Any]]](), []
    for table, values in waiting:
        if independent_only and table.foreign_keys:
            later.append((table, values))
        else:
            by_table.setdefault(table, []).append(values)
    session.info[_WAITING] = later
    for table, rows in by_table.items():
        session.connection().execute(_insertion(table), rows if len(rows) > 1 else rows[0])


@event.listens_for(Session, "before_flush")
def _write_what_is_referred_to(session: Session, *_details: object) -> None:
    _write(session, independent_only=True)


@event.listens_for(Session, "after_flush")
def _write_what_refers(session: Session, _context: object) -> None:
    _write(session)


@event.listens_for(Session, "before_commit")
def _write_the_rest(session: Session) -> None:
    # A session in which no object changed is not flushed. Before a savepoint is released this is said of it, too.
    session.flush()
    _write(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _undone: object) -> None:
    session.info.pop(_WAITING, None)


def forget() -> None:
    """Drop what was appended and not written: of a session that has not asked the database yet no rollback tells."""
    db.session().info.pop(_WAITING, None)


def write_appended() -> None:
    """Write what was appended so far: before a savepoint, whose failing must not take it along."""
    db.session.flush()
    _write(cast("Session", db.session()))

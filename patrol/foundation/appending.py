"""Rows written past the unit of work, by one plain statement a table.

The rows of the history and of the outbox are most of what a request writes, and nobody changes one while it is new. As
objects of the session they cost several times what writing them does; so does a new issue.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Column, Insert, Select, Table, bindparam, event, insert, inspect, select
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningInsert

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


def store(thing: Base) -> None:
    """Write the row of a new object past the unit of work, from where on the session holds it; flush what else there is.

    Its relations are not looked at: those that matter stand in its columns, and rows beside it are added by themselves.
    What the database makes up (a serial number) is set on it. Raises RuntimeError where a request only reads.
    """
    if inspect(thing).transient:
        _write_new(thing)
    db.session.flush()


def _write_new(thing: Base) -> None:
    refuse_write_while_reading()
    made = _plan_of(type(thing))
    held = thing.__dict__
    values = {name: held[name] if held.get(name) is not None else default() for name, default in made.columns.items()}
    session = cast("Session", db.session())
    connection = session.connection()
    if connection.dialect.insert_returning:
        row = connection.execute(made.returning, values).one()
    else:
        # SQLite before 3.35, which Enterprise Linux 9 has.
        connection.execute(_insertion(made.table), values)
        row = connection.execute(made.selection, values).one()
    # Where the database makes up nothing, what it returns is the key, which is known.
    for name, value in {**values, **dict(zip(made.made_up, row, strict=False))}.items():
        # What was never set is said as well: the session would ask the database for it.
        if name not in held or held[name] is not value:
            set_committed_value(thing, name, value)
    make_transient_to_detached(thing)
    session.add(thing)


class _Plan(NamedTuple):
    """How a new object is written: what each column has when nothing is set, and which ones the database makes up."""

    table: Table
    columns: Mapping[str, Callable[[], Any]]
    made_up: tuple[str, ...]
    returning: ReturningInsert[Any]
    selection: Select[Any]


@cache
def _plan_of(model: type[Base]) -> _Plan:
    table = cast("Table", model.__table__)
    made_up = [column for column in table.c if column.default is not None and column.default.is_clause_element]
    columns = {column.key: _default_of(column) for column in table.c if column not in made_up}
    told = made_up or list(table.primary_key)
    selection = select(*told).where(*(key == bindparam(key.key, type_=key.type) for key in table.primary_key))
    return _Plan(table, columns, tuple(column.key for column in made_up), insert(table).returning(*told), selection)


def _default_of(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    # SQLAlchemy wraps a function of no arguments so that it takes the statement's context.
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


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

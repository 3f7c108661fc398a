"""PostgreSQL's driver, without what it does for nothing: descriptions that nobody reads, and plans made anew each time."""

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine, Executable, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import ExecuteStyle

NEVER = 2**62
"""After how many executions the driver prepares a statement by itself."""
_PLANNED_ONCE, _STANDS_ALONE = "planned_once", "stands_alone"
_Statement = TypeVar("_Statement", bound=Executable)


def planned_once(statement: _Statement) -> _Statement:
    """Let PostgreSQL keep the plan of a statement that is kept ready, whatever its values; inserts of a row are so anyway.

    Planning was three quarters of the database's work for a read by id, and half of it for a step. What is narrowed by
    values that decide the way (a list's filters, a box, a span of time) is planned for them each time.
    """
    return statement.execution_options(**{_PLANNED_ONCE: True})


def standing_alone(statement: _Statement) -> _Statement:
    """Let PostgreSQL run a statement by itself where its transaction has not begun: no BEGIN goes before it, no COMMIT behind it.

    For reads that lock nothing, which see at READ COMMITTED what they would see inside, and for a write that nothing else
    has to be kept together with: it is durable when it returns. Two of five round trips of a check-in fall away.
    """
    return statement.execution_options(**{_STANDS_ALONE: True})


def keep_plans(engine: Engine) -> None:
    """Make `engine` prepare what is `planned_once`, and nothing else, and begin no transaction for what is `standing_alone`."""

    @event.listens_for(engine, "do_execute")
    def on_execute(cursor: psycopg.Cursor[Any], statement: str, values: Any, context: DefaultExecutionContext) -> bool:
        # Inserts of many rows have a text for each number of rows.
        is_one_row = context.isinsert and context.execute_style is ExecuteStyle.EXECUTE
        is_kept = is_one_row or _PLANNED_ONCE in context.execution_options
        raw = cursor.connection
        if _STANDS_ALONE in context.execution_options and not raw.autocommit and _is_idle(raw):
            raw.autocommit = True
            try:
                cursor.execute(statement, values, prepare=is_kept)
            finally:
                # Of a connection that was lost nothing more can be asked, and why it was is being raised.
                if _is_idle(raw):
                    raw.autocommit = False
            return True
        if is_kept:
            cursor.execute(statement, values, prepare=True)
        return is_kept


def _is_idle(raw: psycopg.Connection[Any]) -> bool:
    return raw.pgconn.transaction_status == TransactionStatus.IDLE


class _Columns(Sequence[tuple[Any, ...]]):
    """The columns of a result as DB-API describes them, each looked up when somebody asks for it."""

    def __init__(self, result: PGresult) -> None:
        self._result = result

    def __len__(self) -> int:
        return self._result.nfields

    @overload
    def __getitem__(self, index: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Any, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Any, ...] | list[tuple[Any, ...]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        name = self._result.fname(at) or b""
        return (name.decode(), self._result.ftype(at), None, None, None, None, None)


class LeanCursor(psycopg.RawCursor[Any]):
    """psycopg's cursor, without an object of eight calls for each column of each result.

    SQLAlchemy asks whether there is a description each time, and reads it only when it meets a statement first: of a
    step's Python calls the descriptions were a tenth.
    """

    @property
    def description(self) -> _Columns | None:  # type: ignore[override]  # psycopg promises a list of its own kind of object
        """The columns of the result, None where the statement gave none."""
        found = self.pgresult
        return _Columns(found) if found is not None and found.nfields else None

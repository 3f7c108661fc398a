"""The one database handle, the base every table class inherits, and how what only reads goes about its statements."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    any_,
    bindparam,
    event,
    func,
    literal,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON, TypeDecorator
from uuid_utils.compat import uuid7

from patrol.foundation.postgresql import NEVER, LeanCursor, keep_plans, standing_alone
from patrol.foundation.settings import Settings, UnusableSetting

BUSY_TIMEOUT_S = 20

# Set by `transaction()`: whether the transaction that begins in this context is going to write.
will_write: ContextVar[bool] = ContextVar("will_write", default=False)
# Set by `reading()`: whether what begins in this context only reads.
only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)
_held: ContextVar[dict[Any, Any] | None] = ContextVar("held_while_reading", default=None)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC without zone in the database, refused when naive."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What values are in Python; a TypeDecorator does not say so by itself."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """As SQLAlchemy puts it together from the above, with one call for a moment instead of three where the driver gives one."""
        if dialect.name != "postgresql":
            return super().result_processor(dialect, coltype)
        return lambda value: None if value is None else value.replace(tzinfo=UTC)


class SecondsBetween(FunctionElement[float]):
    """How many seconds the first of two moments lies after the second."""

    type = Float()
    inherit_cache = True


@compiles(SecondsBetween, "postgresql")
def _seconds_on_postgresql(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    later, earlier = (compiler.process(clause, **options) for clause in element.clauses)
    return f"extract(epoch FROM {later} - {earlier})"


@compiles(SecondsBetween, "sqlite")
def _seconds_on_sqlite(element: SecondsBetween, compiler: Any, **options: Any) -> str:
    later, earlier = (compiler.process(clause, **options) for clause in element.clauses)
    return f"((julianday({later}) - julianday({earlier})) * 86400.0)"


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table class inherits this, not db.Model: it is typed and its table name is written out."""

    # Given as a registry: Flask-SQLAlchemy 3.1.1 cannot copy a base that sets type_annotation_map itself.
    registry = registry(
        metadata=MetaData(naming_convention=NAMES), type_annotation_map={datetime: UtcDateTime, dict[str, Any]: JSON}
    )


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False, "join_transaction_mode": "create_savepoint"},
)


def new_id() -> UUID:
    """Return a fresh UUID version 7: ids of one client rise with time, which keeps the indexes' hot end small."""
    return uuid7()


def insert_unless_there(model: type[Base], values: dict[str, Any], *, alone: bool = False) -> bool:
    """Insert one row of the model's table unless its primary key is taken; return whether it was inserted.

    `alone` says that nothing else is written with it: on PostgreSQL it needs no transaction then (`standing_alone`).

    The constraint decides, so no two who bring the same id at once can both be told that theirs is new: the later one
    waits for the earlier one's commit, and then finds that row.
    """
    connection = db.session.connection()
    insertion = _insertion(model, connection.dialect.name)
    result = connection.execute(standing_alone(insertion) if alone else insertion, values)
    return result.rowcount == 1


@cache
def _insertion(model: type[Base], dialect: str) -> Insert:
    table = cast("Table", model.__table__)
    keys = list(table.primary_key)
    if dialect == "postgresql":
        made: Insert = postgresql.insert(table).on_conflict_do_nothing(index_elements=keys)
    else:
        made = sqlite.insert(table).on_conflict_do_nothing(index_elements=keys)
    return made.execution_options(preserve_rowcount=True)


def one_of(column: Any, ids: Collection[UUID] | Select[UUID]) -> ColumnElement[bool]:
    """Return the condition that a column's id is one of `ids`, which PostgreSQL gets as one value where they are known.

    As many values, each of them would be written into the statement anew, and again for each reason that an area is asked for.
    """
    if not isinstance(ids, Select) and db.engine.dialect.name == "postgresql":
        return cast("ColumnElement[bool]", column == any_(literal(list(ids), postgresql.ARRAY(Uuid))))
    return cast("ColumnElement[bool]", column.in_(ids))


def among_ids(column: Any, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a column's id is among those given as `ids`, made by `ids_as_text` for the same dialect.

    A list of bound values would be written into each statement anew, on which more goes than on asking it.
    """
    ids = bindparam("ids", type_=String)
    if dialect == "postgresql":
        return cast("ColumnElement[bool]", column == any_(sql_cast(ids, postgresql.ARRAY(Uuid))))
    return cast("ColumnElement[bool]", column.in_(select(func.json_each(ids).table_valued("value").c.value)))


def ids_as_text(ids: Iterable[UUID], dialect: str) -> str:
    """Return ids as the one value that `among_ids` takes."""
    if dialect == "postgresql":
        return f"{{{','.join(map(str, ids))}}}"
    return orjson.dumps([each.hex for each in ids]).decode()


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Return what Flask-SQLAlchemy passes to create_engine for this database; each thread may hold a connection."""
    options: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value).decode(), "json_deserializer": orjson.loads,
        # Statements' values are what people wrote; none of it belongs into a log.
        "hide_parameters": True,
    }
    if url.startswith("sqlite"):
        return options | {"connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}}
    # A list's filters decide its plan, so only what is `planned_once` is prepared; compiling plans costs more than answers
    # of 50 rows.
    connect = {"connect_timeout": 5, "options": "-c jit=off", "cursor_factory": LeanCursor, "prepare_threshold": NEVER}
    return options | {
        "pool_size": threads + 2, "max_overflow": 10, "connect_args": connect,
        # As the database writes its parameters, and LeanCursor takes them.
        "paramstyle": "numeric_dollar", "use_native_hstore": False,
    }  # fmt: skip


@contextmanager
def reading() -> Iterator[None]:
    """Let the statements of the body only read, each for itself: no transaction is begun for them.

    At PostgreSQL's usual isolation, READ COMMITTED, each statement sees what is committed when it starts, inside a
    transaction or not; without one, two of a request's round trips fall away. On SQLite it is the same then. Objects
    changed in the body are never written: the flush raises RuntimeError. A write is `transaction()`, which begins anew.
    """
    token, held = only_reads.set(True), _held.set({})
    try:
        yield
    finally:
        only_reads.reset(token)
        _held.reset(held)


def held_while_reading() -> dict[Any, Any] | None:
    """Return what may be remembered until the body of `reading()` ends, since nothing changes there; None outside of one."""
    return None if will_write.get() else _held.get()


def refuse_write_while_reading() -> None:
    """Raise RuntimeError inside `reading()`."""
    if only_reads.get() and not will_write.get():
        raise RuntimeError("a route that reads has changed something: it must say writes=True")


@event.listens_for(Session, "before_flush")
def _refuse_write(*_details: object) -> None:
    refuse_write_while_reading()


def prepare_postgresql(engine: Engine) -> None:
    """Make `engine` send no BEGIN where a request only reads (`reading()`), and stream by cursors that take `$1` as well."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.server_cursor_factory = psycopg.RawServerCursor

    keep_plans(engine)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if "isolation_level" in connection.get_execution_options():
            return  # Who asked for a level of their own, such as a VACUUM, has it already.
        alone = only_reads.get() and not will_write.get()
        raw = connection.connection.dbapi_connection
        if raw is not None and raw.autocommit != alone:
            raw.autocommit = alone


def begin_anew() -> None:
    """Let what follows in the session read everything anew, in a transaction of its own that begins with its first statement.

    Where PostgreSQL was asked for plain rows only, each statement by itself (`reading()`), there is nothing to be forgotten,
    and the connection goes on: giving it back and taking one again cost a twentieth of a small write.
    """
    session = db.session()
    if not session.in_transaction():
        return
    if db.engine.dialect.name == "postgresql" and not session.identity_map and not session.new:
        raw = session.connection().connection.dbapi_connection
        if raw is not None and raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE:
            raw.autocommit = False
            return
    session.rollback()


def database_config(settings: Settings) -> dict[str, Any]:
    """Return Flask-SQLAlchemy's configuration keys."""
    url = settings.sqlalchemy_url
    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableSetting(f"XUNHE_DATA cannot be used: {error} / 设置 XUNHE_DATA 无效：无法建立文件夹 {folder}") from error
    return {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": engine_options(url, settings.threads)}

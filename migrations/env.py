"""Alembic's environment. Migrations never import the application: our own column types are written as plain ones."""

from contextlib import contextmanager

from alembic import context
from flask import current_app


def render_item(kind, item, _autogen_context):
    if kind == "type" and type(item).__module__.startswith("patrol."):
        return f"sa.{item.impl!r}"
    return False


def include_name(name, kind, _parents):
    """Leave out the indexes of words, which models cannot say: over an expression on PostgreSQL, a virtual table on SQLite."""
    return not (kind == "index" and name == "ix_issues_words") and not (kind == "table" and str(name).startswith("issue_words"))


@contextmanager
def references_not_enforced(connection):
    """Let SQLite rebuild a table that others refer to, which it does by dropping the old one, so references are not enforced meanwhile.

    The setting counts for transactions that begin after it.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        connection.rollback()
        raw.execute("PRAGMA foreign_keys = ON")


def refuse_broken_references(*, ctx, **_details) -> None:
    """Raise RuntimeError, which undoes the migration, where a row of SQLite refers to one that is not there."""
    broken = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() if ctx.dialect.name == "sqlite" else []
    if broken:
        named = ", ".join(sorted({f"{table} -> {parent}" for table, _, parent, _ in broken}))
        raise RuntimeError(f"the migration would leave {len(broken)} rows that refer to rows that are gone: {named}")


def run_migrations() -> None:
    migrate = current_app.extensions["migrate"]
    with migrate.db.engine.connect() as connection, references_not_enforced(connection):
        context.configure(
            connection=connection, target_metadata=migrate.db.metadata, render_item=render_item, compare_type=True,
            include_name=include_name, on_version_apply=refuse_broken_references,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run_migrations()

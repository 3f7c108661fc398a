"""Alembic's environment. Migrations never import the application: our own column types are written as plain ones."""

from alembic import context
from flask import current_app


def render_item(kind, item, _autogen_context):
    if kind == "type" and type(item).__module__.startswith("patrol."):
        return f"sa.{item.impl!r}"
    return False


def include_name(name, kind, _parents):
    """Leave out the indexes of words, which models cannot say: over an expression on PostgreSQL, a virtual table on SQLite."""
    return not (kind == "index" and name == "ix_issues_words") and not (kind == "table" and str(name).startswith("issue_words"))


def run_migrations() -> None:
    migrate = current_app.extensions["migrate"]
    with migrate.db.engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=migrate.db.metadata, render_item=render_item, compare_type=True,
            include_name=include_name,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run_migrations()

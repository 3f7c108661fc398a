"""The database's migrations: which one this code needs, which one the database has, and the commands that bring it on.

Alembic takes ten megabytes of each process and is needed by none that serves. So it is loaded when somebody migrates.
"""

import re
from pathlib import Path
from typing import Any

import click
import structlog
from flask import Flask, current_app
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.texts import Text

log = structlog.get_logger()

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
_FOLLOWS = re.compile(r"""^down_revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
# What the engines say of a table or a column that is not there: SQLite in words, PostgreSQL by number.
_NOT_THERE = re.compile(r"no such (table|column)|has no column named")
_NOT_THERE_STATES = {"42P01", "42703"}
UNMIGRATED = Text(
    "数据库尚未建表或版本过旧，须由管理员运行 flask --app app db upgrade",
    "The database has no tables yet, or old ones: the administrator must run `flask --app app db upgrade`",
)
UNMIGRATED_PLACE = Text(
    "数据库 {database} 尚未建表或版本过旧：请先运行 flask --app app db upgrade；如果不是这个数据库，请检查 XUNHE_DATA 和 XUNHE_DATABASE_URL",
    "The database {database} has no tables yet, or old ones: run `flask --app app db upgrade` first. If it should be another one, see to "
    "XUNHE_DATA and XUNHE_DATABASE_URL",
)


class Unmigrated(Unavailable):
    """The database lacks tables or columns that a migration of this code makes."""

    kind = "unmigrated"

    def __init__(self) -> None:
        """Say what to run, and nothing of where the database lies: callers of the API read it."""
        super().__init__(UNMIGRATED)


def newest_migration() -> str | None:
    """Return the newest migration that this code comes with: the one that no other follows, None when there are several."""
    revisions, followed = _revisions()
    newest = revisions - followed
    return newest.pop() if len(newest) == 1 else None


def _revisions() -> tuple[set[str], set[str]]:
    """Return the migrations of this code, and those of them that another one follows."""
    revisions, followed = set[str](), set[str]()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        revisions.update(_REVISION.findall(source))
        followed.update(_FOLLOWS.findall(source))
    return revisions, followed


def applied_migration() -> str | None:
    """Return the newest migration that the database has."""
    applied: str | None = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    return applied


def lacks_migrations() -> bool:
    """Tell whether `flask db upgrade` would bring the database on. One that newer code has migrated lacks nothing.

    Raises OperationalError when the database does not answer.
    """
    # What failed before has ended the transaction, and a statement on a table that is not there would end this one.
    db.session.rollback()
    has_any = inspect(db.session.connection()).has_table("alembic_version")
    applied = db.session.scalar(text("SELECT version_num FROM alembic_version")) if has_any else None
    db.session.rollback()
    revisions, followed = _revisions()
    return applied is None or applied in revisions & followed


def is_unmigrated(error: DBAPIError) -> bool:
    """Tell whether a statement failed because a table or a column is not there yet that a migration makes."""
    state = getattr(error.orig, "sqlstate", None)
    not_there = state in _NOT_THERE_STATES if state else _NOT_THERE.search(str(error.orig)) is not None
    return not_there and lacks_migrations()


def tell_unmigrated() -> bool:
    """Write a line into the log when the database lacks migrations, and tell whether it does."""
    if lacks := lacks_migrations():
        words = UNMIGRATED_PLACE.format(database=current_app.extensions["settings"].database_shown)
        log.error("migrations_missing", zh=words.zh, en=words.en)
    return lacks


def connect_migrations(app: Flask) -> None:
    """Give the app `flask db`, and Flask-Migrate its place among the extensions, both loaded on their first use."""
    app.extensions["migrate"] = _Waiting(app)
    app.cli.add_command(_MigrationCommands("db", help="Bring the database to the tables that this code needs."))


def _load(app: Flask) -> Any:
    from flask_migrate import Migrate  # noqa: PLC0415 - brings Alembic along

    Migrate(app, db, directory="migrations", compare_type=True)
    return app.extensions["migrate"]


class _Waiting:
    """Stands where Flask-Migrate is looked for; whatever is asked of it loads the real one into its place."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(_load(self._app), name)


class _MigrationCommands(click.Command):
    """The commands of Flask-Migrate, which take over as soon as one of them is called."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        from flask_migrate.cli import db as commands  # noqa: PLC0415 - brings Alembic along

        context: click.Context = commands.make_context(*arguments, **more)
        return context

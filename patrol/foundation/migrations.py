"""The database's migrations: which one this code needs, which one the database has, and the commands that bring it on.

Alembic takes ten megabytes of each process and is needed by none that serves. So it is loaded when somebody migrates.
"""

import re
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import text

from patrol.foundation.database import db

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
_FOLLOWS = re.compile(r"""^down_revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)


def newest_migration() -> str | None:
    """Return the newest migration that this code comes with: the one that no other follows, None when there are several."""
    revisions, followed = set[str](), set[str]()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        revisions.update(_REVISION.findall(source))
        followed.update(_FOLLOWS.findall(source))
    newest = revisions - followed
    return newest.pop() if len(newest) == 1 else None


def applied_migration() -> str | None:
    """Return the newest migration that the database has."""
    applied: str | None = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    return applied


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

"""The command that loads the demo district."""

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from patrol.demo.loading import load_district
from patrol.evidence.derivation import photo_store
from patrol.foundation.database import Base, db
from patrol.foundation.settings import Settings
from patrol.foundation.transaction import transaction
from patrol.people.models import Region

commands = AppGroup("demo", help="The demo district.")


@commands.command("load")
@click.option("--if-empty", is_flag=True, help="Do nothing when the database holds anything, or XUNHE_DEMO is not 1.")
@click.option("--reset", is_flag=True, help="Delete everything first. Only with XUNHE_DEMO=1.")
@with_appcontext
def load(if_empty: bool, reset: bool) -> None:
    """Load the demo district into an empty database."""
    settings: Settings = current_app.extensions["settings"]
    empty = db.session.scalar(select(Region.id).limit(1)) is None
    db.session.rollback()
    if if_empty and (not settings.demo or not empty):
        return
    if not settings.demo:
        raise click.ClickException("the demo's accounts have a known password: set XUNHE_DEMO=1 / 请设置 XUNHE_DEMO=1")
    if reset:
        _delete_everything()
    elif not empty:
        raise click.ClickException("the database is not empty: `make demo` resets it / 数据库不是空的")
    counts = load_district(settings=settings, store=photo_store(), say=click.echo)
    for line in counts.skipped:
        click.echo(f"skipped: {line}", err=True)


def _delete_everything() -> None:
    with transaction():
        for table in reversed(Base.metadata.sorted_tables):
            db.session.execute(table.delete())

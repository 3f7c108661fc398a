"""The command that loads the demo district."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from patrol.demo.loading import load_district
from patrol.demo.pictures import PICTURE_KINDS, draw_photo
from patrol.evidence.derivation import photo_store
from patrol.foundation import clock
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
        _delete_everything(settings)
    elif not empty:
        raise click.ClickException("the database is not empty: `make demo` resets it / 数据库不是空的")
    counts = load_district(settings=settings, store=photo_store(), say=click.echo)
    for line in counts.skipped:
        click.echo(f"skipped: {line}", err=True)


@commands.command("draw")
@click.argument("kind", type=click.Choice(PICTURE_KINDS))
@click.option("--after", is_flag=True, help="The same place with the trouble gone.")
@click.option("--seed", default=1, help="Another number gives another place.")
@click.option("--latitude", default=29.6, help="Where it is taken, WGS 84: stands in the photo.")
@click.option("--longitude", default=119.8)
@click.option("--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True)
@with_appcontext
def draw(kind: str, after: bool, seed: int, latitude: float, longitude: float, output: Path) -> None:
    """Draw a photo of trouble on a river, taken now, to try the product with."""
    output.write_bytes(draw_photo(
        kind, seed, recorded_at=clock.now(), latitude=latitude, longitude=longitude, phase="after" if after else "before"))
    click.echo(f"{output} written")


def _delete_everything(settings: Settings) -> None:
    """Empty all tables, and make them anew with the rows that an installation begins with: policies are such rows."""
    from flask_migrate import downgrade, upgrade  # noqa: PLC0415 - brings Alembic along

    with transaction():
        for table in reversed(Base.metadata.sorted_tables):
            db.session.execute(table.delete())
    db.session.remove()
    downgrade(revision="base")
    upgrade()
    # The heads of what is deleted on purpose would all be called lost.
    for path in settings.heads.glob("*.jsonl"):
        path.unlink()

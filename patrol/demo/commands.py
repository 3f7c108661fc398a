"""The command that loads the demo district."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from patrol.demo.loading import load_district
from patrol.demo.pictures import PICTURE_KINDS, draw_photo
from patrol.evidence.derivation import photo_store
from patrol.foundation import clock
from patrol.foundation.database import Base, db
from patrol.foundation.settings import Settings
from patrol.foundation.shell import CommandGroup
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.people.models import Region

_UNDER_WAY = Text(
    "另一个窗口正在装入演示数据，请等它完成（几分钟）后再试。",
    "The demo is being loaded in another window: wait until that has ended (some minutes), then try again.",
)
_BROKEN_OFF = Text(
    "上次装入演示数据时中断，数据不完整。请运行 make demo 重新装入（会清空这个数据库），再运行 make run。",
    "The last load of the demo was broken off, and the district is not whole. Run `make demo` to load it anew (this empties the database), then `make run`.",
)

commands = CommandGroup("demo", help="The demo district.")


@commands.command("load")
@click.option("--if-empty", is_flag=True, help="Do nothing when the database holds anything, or XUNHE_DEMO is not 1.")
@click.option("--reset", is_flag=True, help="Delete everything first. Only with XUNHE_DEMO=1.")
@with_appcontext
def load(if_empty: bool, reset: bool) -> None:
    """Load the demo district into an empty database."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.demo:
        if if_empty:
            return
        raise click.ClickException("the demo's accounts have a known password: set XUNHE_DEMO=1 / 请设置 XUNHE_DEMO=1")
    with alone(settings) as whole:
        empty = db.session.scalar(select(Region.id).limit(1)) is None
        db.session.rollback()
        if if_empty and not empty:
            if not whole:
                raise click.ClickException(f"{_BROKEN_OFF.zh}\n{_BROKEN_OFF.en}")
            return
        if reset:
            _delete_everything(settings)
        elif not empty:
            raise click.ClickException("the database is not empty: `make demo` resets it / 数据库不是空的")
        with noted_as_unfinished(settings):
            counts = load_district(settings=settings, store=photo_store(), say=click.echo)
    for line in counts.skipped:
        click.echo(f"skipped: {line}", err=True)


@contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """Keep every other load from this data folder off until the end; tell whether the last one came to its end.

    Raises ClickException when another load is under way.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "demo.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"{_UNDER_WAY.zh}\n{_UNDER_WAY.en}") from None
        note = _note_of(settings)
        yield not note.exists() or note.read_text() != _digest_of(settings)


@contextmanager
def noted_as_unfinished(settings: Settings) -> Iterator[None]:
    """Leave a note of this database beside it until the body has come to its end: half a district must not pass for a whole one."""
    note = _note_of(settings)
    note.write_text(_digest_of(settings))
    yield
    note.unlink()


def _note_of(settings: Settings) -> Path:
    return settings.data / "demo.unfinished"


def _digest_of(settings: Settings) -> str:
    # The address may hold a password.
    return hashlib.sha256(settings.sqlalchemy_url.encode()).hexdigest()


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

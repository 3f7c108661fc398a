"""Commands for the photo store."""

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from patrol.evidence.derivation import photo_store
from patrol.evidence.models import Photo
from patrol.evidence.queries import known_digests
from patrol.foundation import outbox
from patrol.foundation.database import db
from patrol.foundation.service import ready_when
from patrol.foundation.shell import CommandGroup
from patrol.foundation.transaction import transaction

commands = CommandGroup("evidence", help="The photo store.")


@ready_when("store")
def store_works() -> bool:
    """Tell whether a photo could be stored now."""
    photo_store().check()
    return True


@commands.command("sweep")
@with_appcontext
def sweep() -> None:
    """Delete files that no photo knows: left by requests that ended between the file and the row."""
    for key in photo_store().sweep_orphans(known_digests):
        click.echo(key)


@commands.command("rederive")
@click.option("--all", "every", is_flag=True, help="Also those that are derived already.")
@with_appcontext
def rederive(every: bool) -> None:
    """Ask the worker to derive the sizes again of what lacks them."""
    statement = select(Photo.sha256).distinct()
    if not every:
        statement = statement.where(Photo.derived_at.is_(None))
    with transaction():
        digests = db.session.scalars(statement).all()
        for sha256 in digests:
            outbox.put("evidence.derive", sha256=sha256)
    click.echo(f"{len(digests)} to derive")

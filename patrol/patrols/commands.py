"""Commands for patrols."""

from datetime import datetime

import click
from flask.cli import with_appcontext

from patrol.foundation.clock import home_timezone
from patrol.foundation.database import db
from patrol.foundation.shell import CommandGroup
from patrol.foundation.transaction import transaction
from patrol.patrols.duty_beginning import begin_duties
from patrol.patrols.examining import examine_all
from patrol.patrols.track_compaction import compact_tracks
from patrol.patrols.track_upkeep import end_forgotten_patrols, purge_tracks
from patrol.people.actor import SYSTEM

commands = CommandGroup("patrols", help="Patrols and their tracks.")


@commands.command("purge-tracks")
@with_appcontext
def purge() -> None:
    """Delete raw tracks older than XUNHE_TRACK_DAYS, as the worker does every hour. What was reckoned from them stays."""
    click.echo(f"{purge_tracks()} batches purged")


@commands.command("end-forgotten")
@with_appcontext
def end_forgotten() -> None:
    """End the patrols of which nothing arrived for XUNHE_OPEN_PATROL_HOURS, as the worker does every hour."""
    click.echo(f"{end_forgotten_patrols()} patrols ended")


@commands.command("compact-tracks")
@with_appcontext
def compact() -> None:
    """Put the live fixes of settled patrols, a row each, into one row a patrol, as the worker does every hour."""
    click.echo(f"{compact_tracks()} rows fewer")


@commands.command("examine")
@click.option("--all", "which", flag_value="all", help="Every patrol that has ended, even where nothing has changed.")
@click.option("--stale", "which", flag_value="stale", help="Those whose input or algorithm has changed, and those never examined.")
@click.option("--new", "which", flag_value="new", default=True, help="Those never examined (default).")
@with_appcontext
def examine(which: str) -> None:
    """Examine patrols anew in this process, as the worker does when something arrives. Purged tracks keep what was found."""
    click.echo(f"{examine_all(which)} patrols looked at")


@commands.command("begin-duties")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--dry-run", is_flag=True, help="Write nothing, only report.")
@with_appcontext
def begin(day: datetime, dry_run: bool) -> None:
    """Reckon duties from the first DAY of use (2026-11-01): nothing was due before, however long ago chiefs were appointed."""
    with transaction():
        rows = begin_duties(day.date(), by=SYSTEM, timezone=home_timezone())
        for row in rows:
            click.echo(f"{row.level} {row.title or 'chief'} {row.colour}: {row.times} a {row.period} from {row.valid_from}")
        if dry_run:
            db.session.rollback()
    click.echo(f"{len(rows)} rows begin on {day:%Y-%m-%d}" + (": nothing was written" if dry_run else ""))

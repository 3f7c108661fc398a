"""Commands for patrols."""

import click
from flask.cli import AppGroup, with_appcontext

from patrol.patrols.track_upkeep import end_forgotten_patrols, purge_tracks

commands = AppGroup("patrols", help="Patrols and their tracks.")


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

"""The command that removes what is over its time."""

import click
from flask.cli import with_appcontext

from patrol.foundation.shell import CommandGroup
from patrol.foundation.texts import NOTHING_WRITTEN
from patrol.people import retention

commands = CommandGroup("retention", help="What is kept, and what goes.")


@commands.command("run")
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would go.")
@with_appcontext
def run(dry_run: bool) -> None:
    """Remove what is over its time, by kind: the worker does the same once a day.

    A rehearsal counts under each kind what is over its time by that rule: what goes along with another kind is in both.
    """
    counts = retention.count_expired() if dry_run else retention.run_retention()
    for kind, count in counts.items():
        click.echo(f"{kind}: {count} {'would go' if dry_run else 'removed'}")
    if dry_run:
        click.echo(f"{NOTHING_WRITTEN.en} / {NOTHING_WRITTEN.zh}")

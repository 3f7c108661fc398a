"""Commands for issues: checking the histories; the generated document of the lifecycle."""

import click
from flask.cli import AppGroup, with_appcontext

from patrol.foundation import service
from patrol.issues.history import broken_chains
from patrol.issues.lifecycle import lifecycle_document

commands = AppGroup("issues", help="Issues and their histories.")
service.document_named("lifecycle.md")(lifecycle_document)


@commands.command("verify")
@with_appcontext
def verify() -> None:
    """Hash every history anew; name each broken one with the place of its first fault, and exit 1 if there is one."""
    sound = broken = 0
    for found in broken_chains():
        if found is None:
            sound += 1
            continue
        broken += 1
        click.echo(f"{found.number} {found.issue_id}: {found.fault.kind} at {found.fault.seq}: "
                   f"{found.fault.text.en} / {found.fault.text.zh}")
    click.echo(f"{sound} histories sound, {broken} broken")
    if broken:
        raise SystemExit(1)

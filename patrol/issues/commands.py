"""Commands for issues: checking the histories; the generated document of the lifecycle."""

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from patrol.foundation import service
from patrol.issues.heads import lost_heads
from patrol.issues.history import broken_chains
from patrol.issues.lifecycle_document import lifecycle_document

commands = AppGroup("issues", help="Issues and their histories.")
service.document_named("lifecycle.md")(lifecycle_document)


@commands.command("verify")
@with_appcontext
def verify() -> None:
    """Hash every history anew, and compare with the heads exported each day; exit 1 when anything is not what was written.

    Names each broken history with the place of its first fault.
    """
    sound = broken = 0
    for found in broken_chains():
        if found is None:
            sound += 1
            continue
        broken += 1
        click.echo(f"{found.number} {found.issue_id}: {found.fault.kind} at {found.fault.seq}: "
                   f"{found.fault.text.en} / {found.fault.text.zh}")
    click.echo(f"{sound} histories sound, {broken} broken")
    lost = 0
    try:
        for head in lost_heads(current_app.extensions["settings"].heads):
            lost += 1
            click.echo(f"{head.issue_id}: the entry {head.seq} exported on {head.day} is gone or rewritten / 已导出的记录丢失或被改写")
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if lost:
        click.echo(f"{lost} exported heads lost")
    if broken or lost:
        raise SystemExit(1)

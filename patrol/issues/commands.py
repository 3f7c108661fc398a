"""Commands for issues: checking the histories; the generated document of the lifecycle."""

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from patrol.foundation import service
from patrol.foundation.database import db
from patrol.issues.heads import faults_of_heads, missing_numbers
from patrol.issues.history import broken_chains
from patrol.issues.lifecycle_document import lifecycle_document

commands = AppGroup("issues", help="Issues and their histories.")
service.document_named("lifecycle.md")(lifecycle_document)


@commands.command("verify")
@with_appcontext
def verify() -> None:
    """Check every history, every issue against its history, and both against the heads exported each day.

    Names each broken history, or changed field, with the place of its first fault, each case that is gone, and the
    numbers that no case has; exits with 1 when anything is not what was written.
    """
    if sum((_verify_histories(), _verify_heads(), _verify_numbers())):
        raise SystemExit(1)


def _verify_histories() -> int:
    sound = broken = 0
    for found in broken_chains():
        if found is None:
            sound += 1
            continue
        broken += 1
        click.echo(f"{found.number} {found.issue_id}: {found.fault.kind} at {found.fault.seq}: "
                   f"{found.fault.text.en} / {found.fault.text.zh}" + (f" ({found.difference.values()})" if found.difference else ""))
    click.echo(f"{sound} histories sound, {broken} broken")
    return broken


def _verify_heads() -> int:
    faults = 0
    try:
        for fault in faults_of_heads(current_app.extensions["settings"].heads):
            faults += 1
            click.echo(f"{fault.issue_id}: {fault.text}" if fault.issue_id else fault.text)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if faults:
        click.echo(f"{faults} exported heads lost")
    return faults


def _verify_numbers() -> int:
    """Name the numbers without a case. PostgreSQL's sequence also skips one when a report fails while it is saved: no fault is counted there."""
    runs = list(missing_numbers())
    for first, last in runs:
        click.echo(f"no case has the number {first}" + (f" to {last}" if last != first else "") + " / 编号缺失")
    if runs and db.engine.dialect.name == "postgresql":
        click.echo("a report that failed while it was being saved leaves such a gap too: only the exported heads tell")
        return 0
    return len(runs)

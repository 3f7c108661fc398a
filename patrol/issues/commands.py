"""Commands for issues: checking the histories; the generated document of the lifecycle."""

from datetime import datetime

import click
from flask import current_app
from flask.cli import with_appcontext

from patrol.evidence.derivation import photo_store
from patrol.foundation import service
from patrol.foundation.database import db
from patrol.foundation.shell import CommandGroup
from patrol.issues.climbing import put_off
from patrol.issues.counting import count_again
from patrol.issues.heads import faults_of_heads, missing_numbers
from patrol.issues.history import broken_chains
from patrol.issues.lifecycle_document import lifecycle_document
from patrol.issues.originals import lost_originals

commands = CommandGroup("issues", help="Issues and their histories.")
service.document_named("lifecycle.md")(lifecycle_document)


@commands.command("verify")
@click.option("--photos", is_flag=True, help="Also read and hash every photo's original in the store; else their digests in the rows count.")
@with_appcontext
def verify(photos: bool) -> None:
    """Check every history, every issue and the rows beside it against its history, and both against the heads exported each day.

    Names each broken history, or changed field, with the place of its first fault, each case that is gone, the numbers
    that no case has, and each open issue that would not climb when it is late; exits with 1 when anything is not what was written.
    """
    if sum((_verify_histories(), _verify_heads(), _verify_numbers(), _verify_climbing(), _verify_originals() if photos else 0)):
        raise SystemExit(1)


@commands.command("count-days")
@click.argument("first", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", type=click.DateTime(["%Y-%m-%d"]))
@with_appcontext
def count_days(first: datetime, last: datetime) -> None:
    """Count the figures of days again that the worker counted, from the histories; exits with 1 when a stored row said something else."""
    days = wrong = 0
    for day, different in count_again(first.date(), last.date(), current_app.extensions["settings"].timezone):
        days, wrong = days + 1, wrong + different
        if different:
            click.echo(f"{day}: {different} rows had said something else / 有{different}行与历史不符，已更正")
    click.echo(f"{days} days counted again, {wrong} rows corrected")
    if wrong:
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


def _verify_climbing() -> int:
    faults = 0
    for found in put_off(current_app.extensions["settings"].timezone):
        faults += 1
        click.echo(f"{found.number} {found.issue_id}: put_off at {found.seq}: {found.text.en} / {found.text.zh}")
    return faults


def _verify_originals() -> int:
    sound = lost = 0
    for found in lost_originals(photo_store()):
        if found is None:
            sound += 1
            continue
        lost += 1
        click.echo(f"{found.number} {found.issue_id}: photo {found.photo_id} at {found.seq}: {found.text.en} / {found.text.zh}")
    click.echo(f"{sound} photos' originals sound, {lost} changed or gone")
    return lost


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

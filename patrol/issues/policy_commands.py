"""Policies from the command line, as the system itself: what is in force, a new version, the yearly notice of holidays."""

from pathlib import Path
from typing import Any

import click
import marshmallow as ma
import orjson
from flask.cli import with_appcontext

from patrol.foundation import clock
from patrol.foundation.shell import CommandGroup
from patrol.foundation.texts import NOTHING_WRITTEN
from patrol.foundation.transaction import transaction
from patrol.issues import policy_actions, policy_queries
from patrol.issues.calendar_files import import_calendar
from patrol.issues.policies import Kind
from patrol.issues.policy_schemas import BODY
from patrol.people.actor import SYSTEM

commands = CommandGroup("policies", help="Deadlines, calendar, dispatching, escalation, and how patrols are examined and asked for.")
_NOT_FIGURES = {*policy_queries.COMMON, *policy_actions.PAIRS, "standing", "withdrawable"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@commands.command("list")
@with_appcontext
def list_command() -> None:
    """Print what is in force today and what comes, and what to see to."""
    told = policy_queries.overview(clock.today(clock.home_timezone()), "en", actor=SYSTEM)
    for group in told["kinds"]:
        for row in [*group["in_force"], *group["coming"]]:
            switched = "" if row.get("enabled", True) else " (off)"
            said = ", ".join(f"{name} {value}" for name, value in row.items() if name not in _NOT_FIGURES)
            click.echo(f"{group['kind']} · {row['standing']} · version {row['version']}{switched}: {said}")
    for warning in told["warnings"]:
        click.echo(f"! {warning['text']}", err=True)


@commands.command("add")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Write nothing, only say whether it could be written.")
@with_appcontext
def add_command(kind: str, file: Path, dry_run: bool) -> None:
    """Add a version from a JSON file with the body that `POST /policies/KIND` takes."""
    try:
        data: dict[str, Any] = BODY[Kind(kind)]().load(orjson.loads(file.read_bytes()))
    except (ma.ValidationError, orjson.JSONDecodeError) as error:
        raise click.ClickException(str(error)) from error
    if dry_run:
        data.pop("id")
        row, word = policy_actions.draft(Kind(kind), by=SYSTEM, today=clock.today(clock.home_timezone()), **data), "would become"
    else:
        with transaction():
            row, is_new = policy_actions.add_version(Kind(kind), by=SYSTEM, timezone=clock.home_timezone(), **data)
        word = "is now" if is_new else "was already"
    click.echo(f"it {word} version {row.version}, from {row.valid_from} on")
    if dry_run:
        click.echo(f"{NOTHING_WRITTEN.en} / {NOTHING_WRITTEN.zh}")


@commands.command("import-calendar")
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Write nothing, only report.")
@with_appcontext
def import_calendar_command(file: Path, dry_run: bool) -> None:
    """Write the days of a CSV or XLSX file into the calendar, all or nothing: columns day, works, name (日期, 上班, 名称)."""
    with transaction():
        report = import_calendar(file.read_bytes(), by=SYSTEM, timezone=clock.home_timezone(), dry_run=dry_run)
    for fault in report.errors:
        click.echo(f"row {fault.row} · {fault.field}: {fault.message.en} / {fault.message.zh}", err=True)
    click.echo(f"{report.created} created, {report.unchanged} unchanged, {len(report.errors)} errors")
    if dry_run:
        click.echo(f"{NOTHING_WRITTEN.en} / {NOTHING_WRITTEN.zh}")
    if report.errors:
        raise SystemExit(1)

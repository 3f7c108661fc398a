"""Importing registers from the command line, as the system itself."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from patrol.foundation.shell import Command
from patrol.foundation.texts import NOTHING_WRITTEN
from patrol.people.actor import SYSTEM
from patrol.waters.import_columns import ImportKind
from patrol.waters.imports import run_import


@click.command("import", cls=Command)
@click.argument("kind", type=click.Choice([kind.value for kind in ImportKind]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Write nothing, only report.")
@with_appcontext
def import_command(kind: str, file: Path, dry_run: bool) -> None:
    """Import a register from CSV, XLSX or GeoJSON, all or nothing."""
    report = run_import(ImportKind(kind), file.read_bytes(), by=SYSTEM, dry_run=dry_run, most_passwords=None)
    for fault in report.errors:
        heading = report.headings.get(fault.field)
        click.echo(f"row {fault.row} · {heading.zh if heading else fault.field}: {fault.message.en} / {fault.message.zh}", err=True)
    for warning in report.warnings:
        click.echo(f"! row {warning.row}: {warning.message.en} / {warning.message.zh}", err=True)
    for change in report.changes:
        click.echo(f"row {change.row} · {change.code}: {', '.join(change.fields)}")
    click.echo(f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged, {len(report.errors)} errors")
    if dry_run:
        click.echo(f"{NOTHING_WRITTEN.en} / {NOTHING_WRITTEN.zh}")
    if report.errors:
        raise SystemExit(1)

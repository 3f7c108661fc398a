"""Commands for what complainants say of themselves."""

from typing import BinaryIO

import altcha
import click
import orjson
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from patrol.foundation import sealing
from patrol.foundation.errors import Refusal
from patrol.foundation.transaction import transaction
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM

commands = AppGroup("public", help="Complaints and the data of complainants.")


@commands.command("rotate-field-key")
@with_appcontext
def rotate_field_key() -> None:
    """Seal every complainant's contact, and all else that is encrypted, anew under the first key of XUNHE_FIELD_KEY.

    Put the new key before the old one, run this, then take the old one out.
    """
    try:
        with transaction():
            counts = sealing.rotate_field_key(current_app.extensions["settings"].field_key)
            note_audit(SYSTEM, "rotate_field_key", "field_key", **counts)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.detail.en} / {refusal.detail.zh}") from refusal
    for table, count in counts.items():
        click.echo(f"{table}: {count} sealed under the first key")


@commands.command("solve-challenge")
@click.argument("challenge", type=click.File("rb"), default="-")
def solve_challenge(challenge: BinaryIO) -> None:
    """Print the solution of a challenge, as GET /api/v1/public/challenge gives it: to try the public API by hand."""
    given = orjson.loads(challenge.read())
    if given["required"]:
        asked = altcha.Challenge.from_dict({"parameters": given["parameters"], "signature": given["signature"]})
        if (solution := altcha.solve_challenge(asked)) is not None:
            click.echo(altcha.Payload(asked, solution).to_base64())

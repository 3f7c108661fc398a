"""Commands for what complainants say of themselves."""

from typing import BinaryIO

import altcha
import click
import orjson
from flask import current_app
from flask.cli import with_appcontext

from patrol.foundation import sealing
from patrol.foundation.shell import CommandGroup
from patrol.foundation.transaction import transaction
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM
from patrol.public import open311_actions

commands = CommandGroup("public", help="Complaints and the data of complainants.")


@commands.command("rotate-field-key")
@with_appcontext
def rotate_field_key() -> None:
    """Seal every complainant's contact, and all else that is encrypted, anew under the first key of XUNHE_FIELD_KEY.

    Put the new key before the old one, run this, then take the old one out.
    """
    with transaction():
        counts = sealing.rotate_field_key(current_app.extensions["settings"].field_key)
        note_audit(SYSTEM, "rotate_field_key", "field_key", **counts)
    for table, count in counts.items():
        click.echo(f"{table}: {count} sealed under the first key")


@commands.command("partner-key")
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Let the partner's key open nothing any more.")
@with_appcontext
def partner_key(name: str, revoke: bool) -> None:
    """Make the api_key by which the partner system NAME reports over Open311, and print it: it is not shown again."""
    said = "revoked"
    with transaction():
        if revoke:
            open311_actions.revoke_partner_key(name)
        else:
            said = open311_actions.make_partner_key(name)
        note_audit(SYSTEM, "revoke_partner_key" if revoke else "make_partner_key", name)
    click.echo(said)


@commands.command("solve-challenge")
@click.argument("challenge", type=click.File("rb"), default="-")
def solve_challenge(challenge: BinaryIO) -> None:
    """Print the solution of a challenge, as GET /api/v1/public/challenge gives it: to try the public API by hand."""
    given = orjson.loads(challenge.read())
    if given["required"]:
        asked = altcha.Challenge.from_dict({"parameters": given["parameters"], "signature": given["signature"]})
        if (solution := altcha.solve_challenge(asked)) is not None:
            click.echo(altcha.Payload(asked, solution).to_base64())

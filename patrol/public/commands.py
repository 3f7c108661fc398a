"""Commands for what complainants say of themselves."""

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from patrol.foundation.errors import Refusal
from patrol.foundation.transaction import transaction
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM
from patrol.public import contacts

commands = AppGroup("public", help="Complaints and the data of complainants.")


@commands.command("rotate-field-key")
@with_appcontext
def rotate_field_key() -> None:
    """Seal every complainant's contact anew under the first key of XUNHE_FIELD_KEY.

    Put the new key before the old one, run this, then take the old one out.
    """
    try:
        with transaction():
            count = contacts.rotate_field_key(current_app.extensions["settings"].field_key)
            note_audit(SYSTEM, "rotate_field_key", "reporter_contacts", contacts=count)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.detail.en} / {refusal.detail.zh}") from refusal
    click.echo(f"{count} contacts sealed under the first key")

"""Commands for accounts: the first one, and keys."""

import click
from cryptography.fernet import Fernet
from flask.cli import with_appcontext
from sqlalchemy import select

from patrol.foundation import service
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import NotFound
from patrol.foundation.shell import CommandGroup
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.people.actions import add_person, change_person
from patrol.people.actor import SYSTEM
from patrol.people.models import Person, Region
from patrol.people.permissions import PERMISSION_NAME, ROLE_MAY, Permission, Role

_NOBODY = Text("没有用户名为 {username} 的账号", "There is no account with the user name {username}")

commands = CommandGroup("people", help="Accounts.")


@commands.command("add")
@click.argument("username")
@click.option("--name", required=True, help="Name as people read it.")
@click.option("--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]), default=("admin",))
@click.option("--region", "region_code", required=True, help="Code of the region the account works in.")
@click.option("--region-name", help="Makes the region, as the top of the tree, when there is none with that code.")
@click.option("--password", envvar="XUNHE_NEW_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
@with_appcontext
def add(username: str, name: str, roles: tuple[str, ...], region_code: str, region_name: str | None, password: str) -> None:
    """Create an account, the very first one for instance."""
    with transaction():
        if region_name and db.session.scalar(select(Region.id).where(Region.code == region_code)) is None:
            db.session.add(Region(id=new_id(), code=region_code, name=region_name, level="county", path=f"/{region_code}/"))
            db.session.flush()
        add_person(by=SYSTEM, username=username, name=name, roles=[Role(role) for role in roles],
                   region_code=region_code, password=password)
    click.echo(f"{username} may sign in")


@commands.command("set-password")
@click.argument("username")
@click.option("--password", envvar="XUNHE_NEW_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
@with_appcontext
def set_password(username: str, password: str) -> None:
    """Give an account a new password and sign it out everywhere, for an admin who forgot it; the audit log shows it."""
    with transaction():
        person = db.session.scalar(select(Person).where(Person.username == username.strip().lower()).with_for_update())
        if person is None:
            raise NotFound(_NOBODY.format(username=username))
        change_person(person, by=SYSTEM, changes={"password": password})
        is_disabled = person.disabled_at is not None
    click.echo(f"{person.username} has a new password" + (", but the account is disabled" if is_disabled else ""))


@commands.command("make-field-key")
def make_field_key() -> None:
    """Print a fresh key for XUNHE_FIELD_KEY."""
    click.echo(Fernet.generate_key().decode())


@service.document_named("permissions.md")
def permissions_document() -> str:
    """Render docs/permissions.md: the table of roles and permissions."""
    roles = list(Role)
    lines = ["# Permissions", "", "Which role may do what at all. Generated from `patrol/people/permissions.py`.", "",
             "| permission | allows to | " + " | ".join(roles) + " |", "|---|---|" + "---|" * len(roles)]
    for permission in Permission:
        cells = ["yes" if permission in ROLE_MAY[role] else "" for role in roles]
        lines.append(f"| `{permission}` | {PERMISSION_NAME[permission].en} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"

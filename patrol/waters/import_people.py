"""The plan for accounts."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.admins import LAST_ADMIN, active_admins, left_alone
from patrol.people.models import Person, Region
from patrol.people.passwords import fault_of_password, hash_password
from patrol.people.permissions import Role
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import NO_REGION, Planned, found, named, regions_by_code

_TAKEN = Text("用户名 {username} 已被您管辖范围之外的账号使用", "The user name {username} is taken by an account outside your area")
_MANY_PASSWORDS = Text(
    "一次最多设置 {most} 个密码，请分批导入，或在服务器上用 flask import", "At most {most} passwords at once: import in parts, or with flask import on the server"
)
_KEPT = Text(
    "导入不会更改已有账号的密码，{username} 的密码保持不变。如需更改：由本人修改（POST /me/password），或由管理员重设（PATCH /people/编号）",
    "An import changes no password of an account that has one: that of {username} stays. To change it, the person does so "
    "(POST /me/password), or an admin gives a new one (PATCH /people/ID)",
)


def new_hashes(rows: list[ImportRow], by: Actor, faults: list[Fault], most: int | None) -> dict[str, str]:
    """Return by user name the hashes of the passwords for accounts that have none yet; adds poor ones to `faults`.

    An account's own password stays: importing an old list again must not undo what people have changed since.
    One password takes 50 ms, so that this belongs before the transaction. Raises Invalid for more than `most`.
    """
    given = [row for row in rows if row.values.get("password")]
    if most is not None and len(given) > most:
        fault = _MANY_PASSWORDS.format(most=most)
        raise Invalid(fault, errors={"file": [fault]})
    # Accounts outside the actor's area are refused later; until then nobody may learn whether a password is theirs.
    stored = {
        person.username: person.password_hash
        for person in found(select(Person).options(joinedload(Person.region)), Person.username, named(given, "username"))
        if by.covers(person.region.path)
    }
    db.session.rollback()
    hashes = {}
    for row in given:
        username, password = row.values.get("username", ""), row.values["password"]
        if stored.get(username):
            continue
        if (poor := fault_of_password(password)) is not None:
            faults.append(Fault(row.number, "password", poor))
        elif not row.unreadable:
            hashes[username] = hash_password(password)
    return hashes


def plan_people(rows: list[ImportRow], by: Actor, faults: list[Fault], hashes: dict[str, str]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` user names and regions outside the actor's area."""
    people = found(select(Person).options(joinedload(Person.region)), Person.username, named(rows, "username"))
    stored = {person.username: person for person in people}
    regions = regions_by_code(select(Region), named(rows, "region_code"), by)
    planned = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name != "password"}
        username, region_code, wrong = values.get("username", ""), values.pop("region_code", None), []
        existing = stored.get(username)
        if region_code is not None and region_code not in regions:
            wrong.append(Fault(row.number, "region_code", NO_REGION.format(code=region_code)))
        if existing is not None and not by.covers(existing.region.path):
            wrong.append(Fault(row.number, "username", _TAKEN.format(username=username)))
        faults += wrong
        if wrong or row.unreadable:
            continue
        values |= {"role_names": values.pop("roles"), "region_id": regions[region_code].id}
        # Hashing takes so long that the account may have got a password meanwhile.
        if username in hashes and (existing is None or not existing.password_hash):
            values["password_hash"] = hashes[username]
        derived = {"created_at": clock.now()} if existing is None else {}
        planned.append(Planned(row.number, username, Person, existing, values, derived))
    faults += _last_admins(planned, {region.id: region.path for region in regions.values()})
    return planned


def kept_passwords(rows: list[ImportRow], planned: list[Planned]) -> list[Fault]:
    """Return a warning for each row whose password is not taken over, since the account has one.

    Whether it is another one is not looked at: nobody may try out the passwords of others by imports.
    """
    given = {row.number for row in rows if row.values.get("password")}
    return [
        Fault(item.row, "password", _KEPT.format(username=item.code)) for item in planned
        if item.row in given and item.existing is not None and "password_hash" not in item.values
    ]  # fmt: skip


def _last_admins(planned: list[Planned], paths: dict[UUID, str]) -> list[Fault]:
    """Return a fault for each row that takes the role admin, or the area, from the last admin whose area it is."""
    changed = {item.existing.id: item for item in planned if item.existing is not None and Role.ADMIN in item.existing.roles}
    if not changed:
        return []
    before = active_admins()
    after = before | {
        person_id: paths[item.values["region_id"]] for person_id, item in changed.items()
        if person_id in before and Role.ADMIN in item.values["role_names"]
    }  # fmt: skip
    for person_id, item in changed.items():
        if Role.ADMIN not in item.values["role_names"]:
            after.pop(person_id, None)
    return [
        Fault(changed[person_id].row, "roles", LAST_ADMIN.format(name=changed[person_id].existing.name))
        for person_id in left_alone(before, after) if person_id in changed
    ]  # fmt: skip

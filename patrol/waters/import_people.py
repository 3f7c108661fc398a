"""The plans for accounts and appointments."""

import itertools
from collections import defaultdict
from datetime import date
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
from patrol.people.passwords import hash_password
from patrol.people.permissions import Role
from patrol.waters.import_columns import Fault, ImportRow
from patrol.waters.import_plan import NO_REGION, Planned, found, regions_by_code
from patrol.waters.import_waters import no_reach, visible_by_code
from patrol.waters.models import Appointment
from patrol.waters.periods import is_reversed, overlap
from patrol.waters.terms import NO_CHIEF, answers_for_reach

_TAKEN = Text("用户名 {username} 已被您管辖范围之外的账号使用", "The user name {username} is taken by an account outside your area")
_NO_PERSON = Text("没有用户名为 {username} 的人员，或不在您的管辖范围内", "There is nobody called {username}, or not in your area")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_OVERLAPS = Text(
    "与同一人在同一河段的同一职务重叠（自 {start} 起）", "It overlaps the same person's same post at this reach (from {start} on)"
)
_MANY_PASSWORDS = Text(
    "一次最多设置 {most} 个密码，请分批导入，或在服务器上用 flask import", "At most {most} passwords at once: import in parts, or with flask import on the server"
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
        for person in found(select(Person).options(joinedload(Person.region)), Person.username, [row.values["username"] for row in given])
        if by.covers(person.region.path)
    }
    db.session.rollback()
    hashes = {}
    for row in given:
        username, password = row.values["username"], row.values["password"]
        if stored.get(username):
            continue
        try:
            hashes[username] = hash_password(password)
        except Invalid as refusal:
            faults.append(Fault(row.number, "password", refusal.detail))
    return hashes


def plan_people(rows: list[ImportRow], by: Actor, faults: list[Fault], hashes: dict[str, str]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` user names and regions outside the actor's area."""
    people = found(select(Person).options(joinedload(Person.region)), Person.username, [row.values["username"] for row in rows])
    stored = {person.username: person for person in people}
    regions = regions_by_code(select(Region), {row.values["region_code"] for row in rows}, by)
    planned = []
    for row in rows:
        values = {name: value for name, value in row.values.items() if name != "password"}
        username, region_code = values["username"], values.pop("region_code")
        existing = stored.get(username)
        if region_code not in regions:
            faults.append(Fault(row.number, "region_code", NO_REGION.format(code=region_code)))
        elif existing is not None and not by.covers(existing.region.path):
            faults.append(Fault(row.number, "username", _TAKEN.format(username=username)))
        else:
            values |= {"role_names": values.pop("roles"), "region_id": regions[region_code].id}
            if username in hashes:
                values["password_hash"] = hashes[username]
            derived = {"created_at": clock.now()} if existing is None else {}
            planned.append(Planned(row.number, username, Person, existing, values, derived))
    faults += _last_admins(planned, {region.id: region.path for region in regions.values()})
    return planned


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


def plan_appointments(rows: list[ImportRow], by: Actor, faults: list[Fault]) -> list[Planned]:
    """Return what shall become of each row; adds to `faults` unknown reaches and people, and impossible periods."""
    reaches = visible_by_code({row.values["reach_code"] for row in rows}, by)
    people = {
        person.username: person
        for person in found(select(Person).options(joinedload(Person.region)), Person.username, {row.values["username"] for row in rows})
        if by.covers(person.region.path)
    }
    stored = {
        (row.reach_id, row.person_id, row.title, row.valid_from): row
        for row in found(select(Appointment), Appointment.reach_id, [reach.id for reach in reaches.values()])
    }
    planned = []
    for row in rows:
        reach, person = reaches.get(row.values["reach_code"]), people.get(row.values["username"])
        if reach is None:
            faults.append(no_reach(row))
        if person is None:
            faults.append(Fault(row.number, "username", _NO_PERSON.format(username=row.values["username"])))
        if reach is None or person is None:
            continue
        values = {name: value for name, value in row.values.items() if name not in {"reach_code", "username"}}
        values |= {"reach_id": reach.id, "person_id": person.id}
        existing = stored.get((reach.id, person.id, values["title"], values["valid_from"]))
        if is_reversed((values["valid_from"], values.get("valid_to"))):
            faults.append(Fault(row.number, "valid_to", _REVERSED))
        elif existing is None and answers_for_reach(values["title"]) and Role.CHIEF not in person.roles:
            faults.append(Fault(row.number, "username", NO_CHIEF.format(name=person.name, title=values["title"])))
        else:
            planned.append(Planned(row.number, f"{reach.code}/{person.username}", Appointment, existing, values))
    faults += _overlaps(planned, list(stored.values()))
    return planned


def _overlaps(planned: list[Planned], stored: list[Appointment]) -> list[Fault]:
    """Return a fault for each row whose period has days in common with another of the same post."""
    replaced = {item.existing.id for item in planned if item.existing is not None}
    posts: dict[tuple[UUID, UUID, str], list[tuple[date, date | None, int]]] = defaultdict(list)
    for kept in stored:
        if kept.id not in replaced:
            posts[kept.reach_id, kept.person_id, kept.title].append((kept.valid_from, kept.valid_to, 0))
    for item in planned:
        values = item.values
        end = values.get("valid_to", item.existing and item.existing.valid_to)
        posts[values["reach_id"], values["person_id"], values["title"]].append((values["valid_from"], end, item.row))
    faults = []
    for periods in posts.values():
        periods.sort(key=lambda period: period[0])
        for (start, end, row), (next_start, next_end, next_row) in itertools.pairwise(periods):
            # Two stored ones are no fault of this file.
            if (row or next_row) and overlap((start, end), (next_start, next_end)):
                faults.append(Fault(next_row or row, "valid_from", _OVERLAPS.format(start=start if next_row else next_start)))
    return faults

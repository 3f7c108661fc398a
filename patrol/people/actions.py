"""Every change to accounts. None of these commits."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.foundation import clock, events
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.admins import LAST_ADMIN, active_admins, left_alone
from patrol.people.departments import DEPARTMENTS
from patrol.people.events import HandlingLost
from patrol.people.models import AuditEntry, Person, Region
from patrol.people.passwords import hash_password
from patrol.people.permissions import Permission, Role
from patrol.people.queries import region_meant
from patrol.people.sign_in import count_failures, end_sign_ins, forget_failures

_TAKEN = Text("用户名 {username} 已被使用", "The user name {username} is taken")
_OUTSIDE = Text("行政区 {code} 不在您的管辖范围内", "The region {code} is outside your area")
_NO_DEPARTMENT = Text("没有代码为 {code} 的部门", "There is no department with the code {code}")
_WRONG_PASSWORD = Text("当前密码不正确", "The present password is wrong")
_NOT_YOURSELF = Text("不能停用自己的账号", "You cannot disable your own account")


class WrongPassword(Invalid):
    """The present password was wrong; the failure is counted."""

    keeps_changes = True


def note_audit(by: Actor, act: str, subject: str, **facts: Any) -> None:
    """Write down in the audit log that `by` did `act` to `subject`."""
    db.session.add(AuditEntry(id=new_id(), at=clock.now(), actor_id=by.person_id, act=act, subject=subject, facts=facts))


def add_person(
    *, by: Actor, username: str, name: str, roles: list[Role], region_code: str, password: str | None = None,
    phone: str | None = None, title: str | None = None, department: str | None = None, id: UUID | None = None,  # noqa: A002
) -> Person:
    """Create an account in a region of the actor's area.

    Raises Conflict (409) when the user name is taken, Invalid (422) for a region outside the area, an unknown department or a poor password.
    """
    region = _region_in_scope(region_code, by)
    username = username.strip().lower()
    if db.session.scalar(select(Person.id).where(Person.username == username)) is not None:
        raise Conflict(_TAKEN.format(username=username))
    person = Person(
        id=id or new_id(), username=username, name=name, phone=phone, title=title, department=_known(department),
        region=region, role_names=sorted(roles), password_hash=hash_password(password) if password else None,
        created_at=clock.now(), version=1,
    )
    db.session.add(person)
    db.session.flush()
    note_audit(by, "add_person", str(person.id), username=username, roles=person.role_names, region=region.code)
    return person


def same_person(person: Person, *, by: Actor, sent: dict[str, Any]) -> Person:
    """Return the account that was made under the sent id, when it is what is sent again.

    Compared is what the account holds now, without the password: a repeat after a change is other content. Raises
    Conflict (409) with both digests for other content, Invalid (422) for a region outside the actor's area.
    """
    _region_in_scope(sent["region_code"], by)
    fields = ("name", "phone", "title", "department")
    stored = {name: getattr(person, name) for name in fields} | {
        "username": person.username, "roles": person.role_names, "region_code": person.region.code}
    wanted = {name: sent.get(name) for name in fields} | {
        "username": sent["username"].strip().lower(), "roles": sorted(sent["roles"]), "region_code": sent["region_code"]}
    refuse_other_content(person.id, stored=content_digest(stored), sent=content_digest(wanted))
    return person


def change_person(person: Person, *, by: Actor, changes: dict[str, Any]) -> Person:
    """Change an account; disabling it or giving a new password ends its sign-ins at once.

    Raises Conflict (409) when nobody would be left who may manage the accounts of an admin's area, NotAllowed (403) for disabling oneself, and
    Invalid (422) as `add_person`.
    """
    if changes.get("disabled") and person.id == by.person_id:
        raise NotAllowed(_NOT_YOURSELF)
    admins = active_admins() if changes.keys() & {"roles", "region_code", "disabled"} and Role.ADMIN in person.roles else {}
    before = {"roles": person.role_names, "disabled": person.disabled_at is not None}
    could_handle = _can_handle(person)
    for field in ("name", "phone", "title"):
        if field in changes:
            setattr(person, field, changes[field])
    if "department" in changes:
        person.department = _known(changes["department"])
    if "roles" in changes:
        person.role_names = sorted(changes["roles"])
    if "region_code" in changes:
        person.region = _region_in_scope(changes["region_code"], by)
    if "password" in changes:
        person.password_hash = hash_password(changes["password"])
    if "disabled" in changes:
        person.disabled_at = (person.disabled_at or clock.now()) if changes["disabled"] else None
    if person.id in admins:
        _refuse_last_admin(person, admins)
    if changes.get("disabled") or "password" in changes:
        end_sign_ins(person.id)
    if could_handle and not _can_handle(person):
        events.record(HandlingLost(person_id=person.id))
    person.version += 1
    note_audit(by, "change_person", str(person.id), fields=sorted(changes), before=before,
               roles=person.role_names, disabled=person.disabled_at is not None)
    return person


def _refuse_last_admin(person: Person, before: dict[UUID, str]) -> None:
    stays = person.disabled_at is None and Role.ADMIN in person.roles
    after = {admin_id: path for admin_id, path in before.items() if admin_id != person.id}
    if left_alone(before, after | ({person.id: person.region.path} if stays else {})):
        raise Conflict(LAST_ADMIN.format(name=person.name))


def _can_handle(person: Person) -> bool:
    return person.disabled_at is None and Permission.HANDLE_ISSUE in person.permissions


def refuse_wrong_password(subjects: dict[str, str]) -> None:
    """Count a wrong present password as a failed sign-in and raise WrongPassword (422)."""
    count_failures(subjects)
    raise WrongPassword(_WRONG_PASSWORD, errors={"current_password": [_WRONG_PASSWORD]})


def change_own_password(person: Person, *, by: Actor, checked_hash: str | None, new_hash: str, subjects: dict[str, str]) -> None:
    """Give oneself a new password, already hashed; all other devices are signed out.

    `checked_hash` is the one that the present password was found to fit. Raises WrongPassword (422) when it has been
    replaced since.
    """
    if person.password_hash != checked_hash:
        refuse_wrong_password(subjects)
    forget_failures(subjects)
    person.password_hash = new_hash
    person.version += 1
    end_sign_ins(person.id, keep=by.sign_in_id)
    note_audit(by, "change_own_password", str(person.id))


def _known(department: str | None) -> str | None:
    if department is not None and department not in DEPARTMENTS:
        fault = _NO_DEPARTMENT.format(code=department)
        raise Invalid(fault, errors={"department": [fault]})
    return department


def _region_in_scope(code: str, by: Actor) -> Region:
    region = region_meant(code, "region_code")
    if not by.covers(region.path):
        fault = _OUTSIDE.format(code=code)
        raise Invalid(fault, errors={"region_code": [fault]})
    return region

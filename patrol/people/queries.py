"""Reads of accounts and regions."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import AuditEntry, Person, Region, SignIn, Token
from patrol.people.permissions import Role, permissions_of
from patrol.people.tokens import digest_of

BY_USERNAME = Order("username", (Person.username,))
NEWEST_AUDIT = Order("newest", (AuditEntry.at, AuditEntry.id), descending=True)
_NO_PERSON = Text("没有这个人员", "There is no such person")
_NO_REGION = Text("没有代码为 {code} 的行政区", "There is no region with the code {code}")
_NOT_COVERED = Text("行政区 {code} 不在您的辖区内", "The region {code} is not in your area")

# Asked by every request, and so put together once, over tables: the mapper's share of the work falls away.
_token, _sign_in, _person, _region = (model.__table__.c for model in (Token, SignIn, Person, Region))
_elsewhere = Region.__table__.alias("elsewhere").c
# Whoever works at the only root has every region below it; asking each region's path would cost the more the more there are.
_SEES_ALL = _region.parent_id.is_(None) & ~select(_elsewhere.id).where(_elsewhere.parent_id.is_(None), _elsewhere.id != _region.id).exists()
_ACTOR = planned_once(
    select(
        _person.id, _person.name, _person.role_names, _person.department, _region.id, _region.path, _sign_in.id, _person.title, _SEES_ALL
    )
    .select_from(Token.__table__)
    .join(SignIn.__table__, _sign_in.id == _token.sign_in_id)
    .join(Person.__table__, _person.id == _sign_in.person_id)
    .join(Region.__table__, _region.id == _person.region_id)
    .where(
        _token.digest == bindparam("digest"), _token.kind == "access", _token.expires_at > bindparam("now"),
        _sign_in.ended_at.is_(None), _person.disabled_at.is_(None),
    )
)


def actor_with_token(token: str) -> Actor | None:
    """Return who holds the access token, or None when it is unknown, expired, or its account disabled."""
    row = db.session.connection().execute(_ACTOR, {"digest": digest_of(token), "now": clock.now()}).first()
    if row is None:
        return None
    roles = frozenset(Role(name) for name in row[2])
    return Actor(
        person_id=row[0], name=row[1], roles=roles, permissions=permissions_of(roles), department=row[3],
        region_id=row[4], region_path=row[5], sign_in_id=row[6], title=row[7], sees_all_regions=bool(row[8]),
    )


def actor_of(person: Person, region: Region) -> Actor:
    """Return the actor that a loaded account would be, for commands and the demo."""
    return Actor(
        person_id=person.id, name=person.name, roles=person.roles, permissions=person.permissions,
        department=person.department, region_id=region.id, region_path=region.path, title=person.title,
    )


def person_with_username(username: str) -> Person | None:
    """Return the account of that name (case does not matter), its region loaded."""
    return db.session.scalar(
        select(Person).where(Person.username == username.strip().lower()).options(joinedload(Person.region))
    )


def holds(role: Role) -> ColumnElement[bool]:
    """Return the condition that an account has this role, enabled or not."""
    return cast(Person.role_names, String).contains(f'"{role.value}"')


def visible_people(actor: Actor) -> Select[Person]:
    """Select the accounts that work in the actor's subtree of regions."""
    return (
        select(Person)
        .join(Region, Region.id == Person.region_id)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .options(joinedload(Person.region))
    )


def list_people(
    actor: Actor, *, region: str | None = None, role: Role | None = None, q: str | None = None, limit: int, cursor: str | None
) -> Page[Person]:
    """List accounts by username, filtered by region subtree (code), role, and text in name or username.

    Raises NotFound (404) for a region that is not there.
    """
    statement = visible_people(actor)
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    if role:
        statement = statement.where(holds(role))
    if q:
        statement = statement.where(Person.name.icontains(q, autoescape=True) | Person.username.icontains(q, autoescape=True))
    return page_of(statement, BY_USERNAME, limit=limit, cursor=cursor)


def get_person(actor: Actor, person_id: UUID, *, lock: bool = False) -> Person:
    """Return one visible account. Raises NotFound (404) otherwise."""
    statement = visible_people(actor).where(Person.id == person_id)
    if lock:
        statement = statement.with_for_update(of=Person).execution_options(populate_existing=True)
    person = db.session.scalar(statement)
    if person is None:
        raise NotFound(_NO_PERSON)
    return person


def person_with_id(person_id: UUID) -> Person | None:
    """Return the account that a client made under this id, whoever asks, its region loaded."""
    return db.session.get(Person, person_id, options=[joinedload(Person.region)])


def own_account(actor: Actor, *, lock: bool = False) -> Person:
    """Return the actor's own account, its region loaded; `lock` keeps others from changing it meanwhile."""
    statement = select(Person).where(Person.id == actor.person_id).options(joinedload(Person.region))
    if lock:
        statement = statement.with_for_update(of=Person).execution_options(populate_existing=True)
    return db.session.scalars(statement).one()


_kept_from: list[Callable[[Actor], Collection[str]]] = []


def keeps_from_audit(subjects: Callable[[Actor], Collection[str]]) -> Callable[[Actor], Collection[str]]:
    """Register the decorated function of a higher room: it gives the subjects of which an actor reads nothing in the audit log."""
    _kept_from.append(subjects)
    return subjects


def list_audit(
    actor: Actor, *, act: str | None = None, subject: str | None = None, after: datetime | None = None,
    before: datetime | None = None, limit: int, cursor: str | None,
) -> Page[dict[str, Any]]:
    """List what people of the actor's subtree of regions and the system did, the newest first.

    `after` and `before` include the moment itself.
    """
    here = select(Person.id).join(Region, Region.id == Person.region_id).where(
        Region.path.startswith(actor.region_path, autoescape=True)
    )  # fmt: skip
    statement = select(AuditEntry).where(AuditEntry.actor_id.is_(None) | AuditEntry.actor_id.in_(here))
    if kept := [subject for subjects in _kept_from for subject in subjects(actor)]:
        statement = statement.where(AuditEntry.subject.not_in(kept))
    if act:
        statement = statement.where(AuditEntry.act == act)
    if subject:
        statement = statement.where(AuditEntry.subject == subject)
    if after:
        statement = statement.where(AuditEntry.at >= after)
    if before:
        statement = statement.where(AuditEntry.at <= before)
    page = page_of(statement, NEWEST_AUDIT, limit=limit, cursor=cursor)
    ids = {entry.actor_id for entry in page.items if entry.actor_id}
    people = {person.id: person for person in db.session.scalars(select(Person).where(Person.id.in_(ids)))}
    return Page([
        {"id": entry.id, "at": entry.at, "actor": people[entry.actor_id] if entry.actor_id else None,
         "act": entry.act, "subject": entry.subject, "facts": entry.facts}
        for entry in page.items
    ], page.next)  # fmt: skip


def open_sign_ins(person_id: UUID) -> Sequence[SignIn]:
    """Return the devices on which somebody is signed in, the latest first."""
    return db.session.scalars(
        select(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None)).order_by(SignIn.refreshed_at.desc())
    ).all()


def region_with_code(code: str) -> Region:
    """Return the region with `code`. Raises NotFound (404) when there is none."""
    region = db.session.scalar(select(Region).where(Region.code == code))
    if region is None:
        raise NotFound(_NO_REGION.format(code=code))
    return region


def region_meant(code: str, field: str) -> Region:
    """Return the region with `code`. Raises Invalid (422) at `field` when there is none."""
    try:
        return region_with_code(code)
    except NotFound as unknown:
        raise Invalid(unknown.detail, errors={field: [unknown.detail]}) from unknown


def covered_region(code: str, by: Actor) -> Region:
    """Return the region with `code` of the actor's area. Raises NotFound (404), and Invalid (422) at `region` for one outside it."""
    region = region_with_code(code)
    if not by.covers(region.path):
        fault = _NOT_COVERED.format(code=code)
        raise Invalid(fault, errors={"region": [fault]})
    return region


def regions_within(path: str) -> Select[UUID]:
    """Select the ids of the regions of the subtree at `path`."""
    return select(Region.id).where(Region.path.startswith(path, autoescape=True))

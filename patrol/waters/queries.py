"""Reads of the registers: who answers on a day, and what an account may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import joinedload, undefer

from patrol.foundation import clock
from patrol.foundation.database import UtcDateTime, among_ids, db, ids_as_text
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.geometry import Box, from_wkb
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Person, Region
from patrol.people.queries import region_with_code
from patrol.waters.boundaries import is_shared, may_share
from patrol.waters.models import Appointment, Reach, WaterBody
from patrol.waters.register import current_region_map
from patrol.waters.terms import AIDE_TITLES, is_deputy

REACH_BY_CODE = Order("code", (Reach.code,))
# A little more than the 30 m within which boundaries count as shared, in degrees, up to 70 degrees north.
_BESIDE_DEGREES = 0.001
_NO_REACH = Text("没有这个河段", "There is no such reach")
_NO_WATER_BODY = Text("没有编码或标识为 {water} 的水体", "There is no water body with the code or id {water}")
_NO_REGION = Text("还没有行政区：请先导入", "There are no regions yet: import them first")


@dataclass(frozen=True, slots=True)
class ChiefOn:
    """Somebody whose account was enabled at the end of the day asked about and who answers for a reach on it; `title` is the appointment's.

    `person` is the account, where it was asked for.
    """

    person_id: UUID
    name: str
    title: str
    person_title: str | None
    region_id: UUID
    region_path: str
    person: Person | None = None


# Bound one by one: a list of any length would be written anew into the statement for each request.
_AIDES = [literal(title) for title in AIDE_TITLES]


def in_force(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Return the condition that an appointment holds on `day`; both its first and its last day count."""
    return and_(Appointment.valid_from <= day, or_(Appointment.valid_to.is_(None), Appointment.valid_to >= day))


def answering(day: date | BindParameter[date], *, over: BindParameter[datetime] | None = None) -> ColumnElement[bool]:
    """Return the condition that an appointment makes its person (joined) answer on `day`: in force, enabled, no aide.

    With `over`, the moment at which the day was over, an account that was disabled later answered on that day.
    """
    enabled: ColumnElement[bool] = Person.disabled_at.is_(None)
    if over is not None:
        enabled = or_(enabled, Person.disabled_at >= over)
    return and_(in_force(day), enabled, Appointment.title.not_in(_AIDES))


# Each report asks this: over tables, since the mapper's share of the work falls away.
_appointment, _person, _region = (model.__table__.c for model in (Appointment, Person, Region))


@cache
def _chiefs(dialect: str, *, accounts: bool) -> Select[Any]:
    found = planned_once(
        select(_appointment.reach_id, _person.id, _person.name, _appointment.title, _person.title, _region.id, _region.path)
        .select_from(Appointment.__table__)
        .join(Person.__table__, _person.id == _appointment.person_id)
        .join(Region.__table__, _region.id == _person.region_id)
        .where(among_ids(_appointment.reach_id, dialect), answering(bindparam("day", type_=Date), over=bindparam("over", type_=UtcDateTime)))
        .order_by(_appointment.valid_from, _appointment.id)
    )
    return found.add_columns(Person) if accounts else found


def chiefs_on(reach_ids: Collection[UUID], day: date, *, accounts: bool = False) -> dict[UUID, list[ChiefOn]]:
    """Return who answers for each of these reaches on a local day, the principal chief first; one query.

    Reaches without a chief are left out. Deputies come after chiefs; among equals the longest in office leads. Whose
    account was disabled after that day answered on it all the same. With `accounts` each has the account, without its region.
    """
    dialect, over = db.engine.dialect.name, clock.end_of_day(day, clock.home_timezone())
    rows = db.session.execute(_chiefs(dialect, accounts=accounts), {"ids": ids_as_text(reach_ids, dialect), "day": day, "over": over})
    found: dict[UUID, list[ChiefOn]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(ChiefOn(*row[1:]))
    return {reach_id: sorted(chiefs, key=lambda chief: is_deputy(chief.title)) for reach_id, chiefs in found.items()}


class RegionAt(NamedTuple):
    """The region to which a place is counted; `is_covered` False where it lies beyond all outlines, None without outlines."""

    region: Region
    is_covered: bool | None


def region_at(latitude: float, longitude: float) -> RegionAt:
    """Return the smallest region around a WGS 84 place, else the nearest within 20 km, else the top of the tree.

    Raises NotFound while there are no regions at all.
    """
    outlines = current_region_map()
    region_id = outlines.at(latitude, longitude)
    region = db.session.get(Region, region_id) if region_id else None
    is_covered = region is not None if len(outlines) else None
    region = region or db.session.scalar(
        select(Region).where(Region.parent_id.is_(None)).order_by(func.length(Region.path), Region.code).limit(1)
    )
    if region is None:
        raise NotFound(_NO_REGION)
    return RegionAt(region, is_covered)


def has_reaches() -> bool:
    """Tell whether the register holds any reach."""
    return db.session.scalar(select(Reach.id).where(Reach.retired_at.is_(None)).limit(1)) is not None


def within(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a region (joined) lies in the actor's subtree."""
    return Region.path.startswith(actor.region_path, autoescape=True)


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor sees a reach (joined with its region): by subtree, or appointed at any time."""
    return or_(within(actor), Reach.id.in_(
        select(Appointment.reach_id).where(Appointment.person_id == actor.person_id)
    ))


def visible_reaches(actor: Actor) -> Select[Reach]:
    """Select the reaches of the actor's subtree of regions, and those he is or was appointed to."""
    return (
        select(Reach)
        .join(Region, Region.id == Reach.region_id)
        .where(seen_by(actor))
        .options(joinedload(Reach.region), joinedload(Reach.water_body))
    )


def list_reaches(
    actor: Actor, *, day: date, bbox: Box | None = None, region: str | None = None, water_body: str | None = None,
    chief: UUID | None = None, q: str | None = None, geometry: bool = False, limit: int, cursor: str | None,
) -> Page[Reach]:
    """List visible reaches by code. Raises Invalid (422) for a water body and NotFound (404) for a region that is not there.

    They touch the box, lie in the region's subtree, belong to the water body (code or id), have this chief on `day`,
    and have `q` in their name or code.
    """
    statement = visible_reaches(actor).where(Reach.retired_at.is_(None))
    if bbox:
        statement = statement.where(
            Reach.west <= bbox.max_longitude, Reach.east >= bbox.min_longitude,
            Reach.south <= bbox.max_latitude, Reach.north >= bbox.min_latitude,
        )
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    if water_body:
        statement = statement.where(Reach.water_body_id == _water_body_id(water_body))
    if chief:
        statement = statement.where(Reach.id.in_(
            select(Appointment.reach_id).where(Appointment.person_id == chief, in_force(day))
        ))
    if q:
        statement = statement.where(Reach.name.icontains(q, autoescape=True) | Reach.code.icontains(q, autoescape=True))
    if geometry:
        statement = statement.options(undefer(Reach.geometry))
    return page_of(statement, REACH_BY_CODE, limit=limit, cursor=cursor)


def _water_body_id(code_or_id: str) -> UUID:
    try:
        named = WaterBody.id == UUID(code_or_id)
    except ValueError:
        named = WaterBody.code == code_or_id
    found = db.session.scalar(select(WaterBody.id).where(named))
    if found is None:
        fault = _NO_WATER_BODY.format(water=code_or_id)
        raise Invalid(fault, errors={"water_body": [fault]})
    return found


def get_reach(actor: Actor, reach_id: UUID) -> Reach:
    """Return one visible reach with its geometry. Raises NotFound (404) otherwise."""
    reach = db.session.scalar(visible_reaches(actor).where(Reach.id == reach_id).options(undefer(Reach.geometry)))
    if reach is None:
        raise NotFound(_NO_REACH)
    return reach


def shared_boundaries(reach: Reach) -> list[Reach]:
    """Return the reaches of other regions or the other bank of the same water that run along `reach`, by code."""
    beside = db.session.scalars(
        select(Reach)
        .where(
            Reach.water_body_id == reach.water_body_id, Reach.id != reach.id, Reach.retired_at.is_(None),
            Reach.west <= reach.east + _BESIDE_DEGREES, Reach.east >= reach.west - _BESIDE_DEGREES,
            Reach.south <= reach.north + _BESIDE_DEGREES, Reach.north >= reach.south - _BESIDE_DEGREES,
        )
        .options(joinedload(Reach.region), undefer(Reach.geometry))
        .order_by(Reach.code)
    )
    shape = from_wkb(reach.geometry)
    return [
        other for other in beside
        if may_share(reach.region.path, reach.bank, other.region.path, other.bank)
        and is_shared(shape, from_wkb(other.geometry))
    ]  # fmt: skip


def reaches_without_chief(
    actor: Actor, day: date, *, geometry: bool = False, limit: int, cursor: str | None
) -> Page[Reach]:
    """List the visible reaches for which nobody with an enabled account answers on `day`, by code."""
    somebody = (
        select(Appointment.id).join(Person, Person.id == Appointment.person_id)
        .where(Appointment.reach_id == Reach.id, answering(day)).exists()
    )  # fmt: skip
    statement = visible_reaches(actor).where(Reach.retired_at.is_(None), ~somebody)
    if geometry:
        statement = statement.options(undefer(Reach.geometry))
    return page_of(statement, REACH_BY_CODE, limit=limit, cursor=cursor)


def reaches_of(person_id: UUID, day: date) -> Sequence[tuple[Reach, str]]:
    """Return the reaches to which somebody is appointed on `day`, each with the title, by code."""
    return db.session.execute(
        select(Reach, Appointment.title).join(Appointment, Appointment.reach_id == Reach.id)
        .where(Appointment.person_id == person_id, in_force(day), Reach.retired_at.is_(None)).order_by(Reach.code)
    ).all()

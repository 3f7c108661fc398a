"""Reads of regions, water bodies, appointments and boards."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload, undefer

from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.geometry import Box
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.queries import region_with_code
from patrol.waters.models import Appointment, Reach, Signboard, WaterBody
from patrol.waters.queries import in_force, seen_by, within

REGION_BY_CODE = Order("code", (Region.code,))
WATER_BODY_BY_CODE = Order("code", (WaterBody.code,))
SIGNBOARD_BY_CODE = Order("code", (Signboard.code,))
APPOINTMENT_LATEST = Order("latest", (Appointment.valid_from, Appointment.id), descending=True)
_NO_APPOINTMENT = Text("没有这项任职", "There is no such appointment")
_NO_BOARD = Text("没有编号为 {code} 的公示牌", "There is no board with the code {code}")


def list_regions(
    actor: Actor, *, q: str | None, level: str | None, geometry: bool = False, limit: int, cursor: str | None
) -> Page[Region]:
    """List the regions of the actor's subtree by code."""
    statement = select(Region).where(within(actor))
    if q:
        statement = statement.where(Region.name.icontains(q, autoescape=True) | Region.code.icontains(q, autoescape=True))
    if level:
        statement = statement.where(Region.level == level)
    if geometry:
        statement = statement.options(undefer(Region.outline))
    return page_of(statement, REGION_BY_CODE, limit=limit, cursor=cursor)


def list_water_bodies(
    *, q: str | None, kind: str | None, geometry: bool = False, limit: int, cursor: str | None
) -> Page[WaterBody]:
    """List water bodies by code; they cross regions and are no secret."""
    statement = select(WaterBody)
    if q:
        statement = statement.where(WaterBody.name.icontains(q, autoescape=True) | WaterBody.code.icontains(q, autoescape=True))
    if kind:
        statement = statement.where(WaterBody.kind == kind)
    if geometry:
        statement = statement.options(undefer(WaterBody.geometry))
    return page_of(statement, WATER_BODY_BY_CODE, limit=limit, cursor=cursor)


def visible_appointments(actor: Actor) -> Select[Appointment]:
    """Select the appointments to reaches of the actor's subtree, and his own."""
    return (
        select(Appointment)
        .join(Reach, Reach.id == Appointment.reach_id)
        .join(Region, Region.id == Reach.region_id)
        .where(or_(within(actor), Appointment.person_id == actor.person_id))
        .options(joinedload(Appointment.reach), joinedload(Appointment.person))
    )


def list_appointments(
    actor: Actor, *, on: date | None, reach: UUID | None, person: UUID | None, region: str | None, limit: int, cursor: str | None
) -> Page[Appointment]:
    """List visible appointments, the latest first: those in force on a day, of a reach, of a person, of a subtree.

    Raises NotFound (404) for a region that is not there.
    """
    statement = visible_appointments(actor)
    if on:
        statement = statement.where(in_force(on))
    if reach:
        statement = statement.where(Appointment.reach_id == reach)
    if person:
        statement = statement.where(Appointment.person_id == person)
    if region:
        statement = statement.where(Region.path.startswith(region_with_code(region).path, autoescape=True))
    return page_of(statement, APPOINTMENT_LATEST, limit=limit, cursor=cursor)


def get_appointment(actor: Actor, appointment_id: UUID, *, lock: bool = False) -> Appointment:
    """Return one visible appointment; with `lock` nobody else can change it meanwhile. Raises NotFound otherwise."""
    statement = visible_appointments(actor).where(Appointment.id == appointment_id)
    if lock:
        statement = statement.with_for_update(of=Appointment).execution_options(populate_existing=True)
    appointment = db.session.scalar(statement)
    if appointment is None:
        raise NotFound(_NO_APPOINTMENT)
    return appointment


def list_signboards(
    actor: Actor, *, reach: UUID | None, q: str | None, bbox: Box | None, limit: int, cursor: str | None
) -> Page[Signboard]:
    """List the boards on the actor's visible reaches by code."""
    statement = (
        select(Signboard).join(Reach, Reach.id == Signboard.reach_id).join(Region, Region.id == Reach.region_id)
        .where(seen_by(actor)).options(selectinload(Signboard.reach).undefer(Reach.geometry))
    )  # fmt: skip
    if reach:
        statement = statement.where(Signboard.reach_id == reach)
    if q:
        statement = statement.where(Signboard.code.icontains(q, autoescape=True))
    if bbox:
        statement = statement.where(
            Signboard.longitude.between(bbox.min_longitude, bbox.max_longitude),
            Signboard.latitude.between(bbox.min_latitude, bbox.max_latitude),
        )
    return page_of(statement, SIGNBOARD_BY_CODE, limit=limit, cursor=cursor)


def boards_of(reach_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many boards stand at each of these reaches; reaches without one are left out."""
    rows = db.session.execute(
        select(Signboard.reach_id, func.count()).where(Signboard.reach_id.in_(reach_ids)).group_by(Signboard.reach_id)
    )
    return dict(rows.all())


def board_with_code(code: str) -> Signboard:
    """Return a board with its reach. Raises NotFound (404) for an unknown code."""
    board = db.session.scalar(
        select(Signboard).where(Signboard.code == code)
        .options(joinedload(Signboard.reach).joinedload(Reach.region), joinedload(Signboard.reach).joinedload(Reach.water_body))
    )
    if board is None:
        raise NotFound(_NO_BOARD.format(code=code))
    return board

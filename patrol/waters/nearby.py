"""Which reaches lie near a place: what the index in memory gives, with the rows of the same state of the register."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Date, Result, Select, Uuid, bindparam, exists, select
from sqlalchemy.orm import SessionTransaction, joinedload

from patrol.foundation.database import among_ids, db, ids_as_text
from patrol.foundation.postgresql import planned_once, standing_alone
from patrol.people.models import Person
from patrol.waters.models import Appointment, Reach, RegisterVersion
from patrol.waters.queries import answering
from patrol.waters.reach_index import Candidate, ReachIndex
from patrol.waters.register import current_index, held_index


class ReachBeside(NamedTuple):
    """What a check-in needs to know of a reach near it; `is_own`: the person who asks answers for it on that day."""

    id: UUID
    code: str
    name: str
    level: str
    region_id: UUID
    is_own: bool


_AHEAD = "reaches beside"
# Each report asks this, and so it is put together once.
_NEAR = (
    select(Reach, select(RegisterVersion.reaches).scalar_subquery())
    .options(joinedload(Reach.region), joinedload(Reach.water_body))
)
# Each check-in asks this: over tables, since the mapper's share of the work falls away.
_reach = Reach.__table__.c
_BESIDE = standing_alone(select(
    _reach.id, _reach.code, _reach.name, _reach.level, _reach.region_id,
    exists().where(
        Appointment.reach_id == _reach.id, Appointment.person_id == bindparam("person_id", type_=Uuid), Person.id == Appointment.person_id,
        answering(bindparam("day", type_=Date)),
    ).correlate(Reach.__table__),
    select(RegisterVersion.__table__.c.reaches).scalar_subquery(),
))  # fmt: skip


def near_reaches(
    latitude: float, longitude: float, *, accuracy_m: float, tolerance_m: float
) -> list[tuple[Candidate, Reach]]:
    """Return the reaches near a WGS 84 place, nearest first, with their regions and water bodies loaded.

    `tolerance_m` holds for reaches without one of their own. With nothing near, the nearest within 50 km is returned
    alone, out of tolerance. One query where this process holds the current index.
    """
    found, rows = _near(db.session.execute, _NEAR, {}, latitude, longitude, accuracy_m, tolerance_m)
    reaches: dict[UUID, Reach] = {row[0].id: row[0] for row in rows}
    return [(candidate, reaches[candidate.reach_id]) for candidate in found if candidate.reach_id in reaches]


def reaches_beside(
    latitude: float, longitude: float, *, accuracy_m: float, tolerance_m: float, person_id: UUID | None, day: date | None
) -> list[tuple[Candidate, ReachBeside]]:
    """Return the reaches near a place as `near_reaches` does, briefly, each with whether it is the person's on `day`.

    Without a `day` none is. Also one query.
    """
    ahead: _Ahead | None = db.session().info.get(_AHEAD)
    if ahead and ahead.asked == (tolerance_m, person_id, day) and ahead.under_way is db.session().get_transaction():
        known = _candidates(ahead.by_index, latitude, longitude, accuracy_m)
        if all(candidate.reach_id in ahead.reaches for candidate in known):
            return [(candidate, ahead.reaches[candidate.reach_id]) for candidate in known]
    whose = {"person_id": person_id, "day": day}
    found, rows = _near(db.session.connection().execute, _BESIDE, whose, latitude, longitude, accuracy_m, tolerance_m)
    reaches = {row[0]: ReachBeside(*tuple(row)[:-1]) for row in rows}
    return [(candidate, reaches[candidate.reach_id]) for candidate in found if candidate.reach_id in reaches]


class _Ahead(NamedTuple):
    """What was asked ahead in a transaction: by which index, for whom and which day, and each reach by id."""

    under_way: SessionTransaction | None
    by_index: ReachIndex
    asked: tuple[float, UUID | None, date | None]
    reaches: Mapping[UUID, ReachBeside]


def look_ahead_beside(
    places: Iterable[tuple[float, float, float]], *, tolerance_m: float, person_id: UUID | None, day: date | None
) -> None:
    """Ask at once what `reaches_beside` is going to ask in this transaction for places (latitude, longitude, accuracy in metres).

    Only the last such question is kept. Where this process holds no index, or an old one, each place is asked by itself.
    """
    held = held_index(tolerance_m)
    ids = {found.reach_id for place in places for found in _candidates(held[0], *place)} if held else set()
    if held is None or not ids:
        return
    session, dialect = db.session(), db.engine.dialect.name
    values = {"ids": ids_as_text(ids, dialect), "person_id": person_id, "day": day}
    rows = session.connection().execute(_beside_many(dialect), values).all()
    if rows and rows[0][-1] == held[1]:
        reaches = {row[0]: ReachBeside(*tuple(row)[:-1]) for row in rows}
        session.info[_AHEAD] = _Ahead(session.get_transaction(), held[0], (tolerance_m, person_id, day), reaches)


@cache
def _beside_many(dialect: str) -> Select[Any]:
    return _BESIDE.where(among_ids(Reach.id, dialect))


def _near(
    execute: Callable[..., Result[Any]], statement: Select[Any], values: dict[str, Any], latitude: float, longitude: float,
    accuracy_m: float, tolerance_m: float,
) -> tuple[list[Candidate], Sequence[Any]]:  # fmt: skip
    """Return what the index gives and the candidates' rows by `statement`, whose last column is the register's state.

    Both are of the same state: where the index that this process holds proves to be an old one, a new one is asked.
    """
    held = held_index(tolerance_m)
    if held is not None:
        found = _candidates(held[0], latitude, longitude, accuracy_m)
        rows = _load(execute, statement, values, found)
        if rows and rows[0][-1] == held[1]:
            return found, rows
    found = _candidates(current_index(tolerance_m), latitude, longitude, accuracy_m)
    return found, _load(execute, statement, values, found)


def _load(
    execute: Callable[..., Result[Any]], statement: Select[Any], values: dict[str, Any], found: Sequence[Candidate]
) -> Sequence[Any]:
    ids = {f"id{n}": candidate.reach_id for n, candidate in enumerate(found)}
    return execute(_naming(statement, len(ids)), {**ids, **values}).all() if ids else []


@cache
def _naming(statement: Select[Any], count: int) -> Select[Any]:
    """Return the statement for that many reaches, 24 at most: one for any number would be written anew for each request."""
    return planned_once(statement.where(Reach.id.in_([bindparam(f"id{n}", type_=Uuid) for n in range(count)])))


def _candidates(index: ReachIndex, latitude: float, longitude: float, accuracy_m: float) -> list[Candidate]:
    found = index.near(latitude, longitude, accuracy_m)
    nearest = None if found else index.nearest_any(latitude, longitude)
    return found if nearest is None else [nearest]

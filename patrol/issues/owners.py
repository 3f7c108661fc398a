"""The ownership matrix as stored: who answers at a place, reading rows, adding and ending them. None of these commits."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from patrol.foundation.http import refuse_stale
from patrol.foundation.keeping import Keeper
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.department_models import OwnershipRow
from patrol.issues.filters import subtree_ids
from patrol.issues.leads import refuse_unknown_department
from patrol.issues.models import Issue, number_of
from patrol.issues.ownership import NO_OWNER, Ownership, Part, Row, owner_of, prefixes
from patrol.issues.policies_held import held_state, policies_changed
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.paths import paths_up
from patrol.people.queries import region_with_code
from patrol.waters.periods import is_reversed

BY_CATEGORY = Order("category", (OwnershipRow.category, OwnershipRow.id))
_NONE = Text("没有这条分工", "There is no such row")
_NO_CATEGORY = Text("没有以 {code} 开头的问题类别", "No category begins with {code}")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_BEYOND = Text("这条分工的适用范围超出您的辖区", "The row reaches beyond your area")
_PAST = Text("最后一日不能早于昨天", "The last day cannot lie before yesterday")
_ENDED = Text("这条分工已经终止", "The row was ended already")
_RULED = Text("退单后由河长办裁定", "Ruled by the river chief office after a lead declined")

Days = tuple[date, date | None]


def ownership_at(category: str, path: str, day: date) -> Ownership:
    """Return which department answers for a category in the region at `path` on a local `day`, and by which rows."""
    state = held_state()
    matrix, here = _matrix.get(state.policies, state.regions), {"", *paths_up(path)}
    bearing = (each for prefix in prefixes(category) for each in matrix.get(prefix, ()))
    return owner_of(row for row, (first, last) in bearing if row.region_path in here and first <= day and (last is None or day <= last))


def _build(_regions: int | None) -> Mapping[str, list[tuple[Row, Days]]]:
    """Return all rows of the matrix by their category, each with its first and last day: a few hundred in a district."""
    found: dict[str, list[tuple[Row, Days]]] = {}
    for row, days in _stored_rows():
        found.setdefault(row.category, []).append((row, days))
    return found


def _stored_rows() -> Iterator[tuple[Row, Days]]:
    statement = (
        select(OwnershipRow, Region.path, Issue.serial)
        .outerjoin(Region, Region.id == OwnershipRow.region_id).outerjoin(Issue, Issue.id == OwnershipRow.issue_id)
    )  # fmt: skip
    for one, path, serial in db.session.execute(statement):
        number = number_of(serial) if serial else None
        row = Row(one.id, one.category, path or "", one.department, Part(one.part), one.valid_from, Text(one.source_zh, one.source_en), number)
        yield row, (one.valid_from, one.valid_to)


_matrix: Keeper[Mapping[str, list[tuple[Row, Days]]]] = Keeper(_build)


def ownership_data(category: str | None, path: str, day: date) -> Mapping[str, Any]:
    """Return `ownership_at` as JSON to be stored; without a category it says that nobody is named."""
    return ownership_at(category, path, day).as_data() if category else NO_OWNER


def visible_rows(actor: Actor) -> Select[OwnershipRow]:
    """Select the rows that bear on the actor's area: those for everywhere, above it, and below it."""
    statement = select(OwnershipRow).outerjoin(Region, Region.id == OwnershipRow.region_id)
    here = or_(
        OwnershipRow.region_id.is_(None), Region.path.startswith(actor.region_path, autoescape=True),
        Region.path.in_(paths_up(actor.region_path)),
    )  # fmt: skip
    return statement.where(here).options(joinedload(OwnershipRow.region), joinedload(OwnershipRow.issue).load_only(Issue.serial))


def list_rows(
    actor: Actor, *, category: str | None, region: str | None, on: date | None, limit: int, cursor: str | None
) -> Page[OwnershipRow]:
    """List rows by category: those that bear on a `category` and on a `region` (code), in force `on` a day.

    Raises NotFound (404) for the region.
    """
    statement = visible_rows(actor)
    if category:
        statement = statement.where(OwnershipRow.category.in_(prefixes(category)))
    if region:
        statement = statement.where(or_(OwnershipRow.region_id.is_(None), Region.path.in_(paths_up(region_with_code(region).path))))
    if on:
        statement = statement.where(OwnershipRow.valid_from <= on, or_(OwnershipRow.valid_to.is_(None), OwnershipRow.valid_to >= on))
    return page_of(statement, BY_CATEGORY, limit=limit, cursor=cursor)


def get_row(actor: Actor, row_id: UUID, *, lock: bool = False) -> OwnershipRow:
    """Return one visible row. Raises NotFound (404)."""
    statement = visible_rows(actor).where(OwnershipRow.id == row_id)
    if lock:
        statement = statement.with_for_update(of=OwnershipRow).execution_options(populate_existing=True)
    row = db.session.scalar(statement)
    if row is None:
        raise NotFound(_NONE)
    return row


def add_row(
    *, by: Actor, id: UUID, category: str, region: str | None, department: str, part: str, valid_from: date,  # noqa: A002
    valid_to: date | None, source_zh: str, source_en: str,
) -> tuple[OwnershipRow, bool]:  # fmt: skip
    """Add a row for a region (code), or for everywhere when `by` works at the top; return it and whether it is new.

    Raises Conflict (409) for other content under the id, Invalid (422) for a category or department that is not and for
    reversed days, NotFound (404) for the region, NotAllowed (403) for one beyond the actor's area.
    """
    sent = content_digest({
        "category": category, "region": region, "department": department, "part": part, "valid_from": valid_from,
        "valid_to": valid_to, "source_zh": source_zh, "source_en": source_en,
    })  # fmt: skip
    if (known := db.session.get(OwnershipRow, id)) is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        return known, False
    if category and not any(code.startswith(category) for code in CATEGORIES):
        fault = _NO_CATEGORY.format(code=category)
        raise Invalid(fault, errors={"category": [fault]})
    refuse_unknown_department(department)
    if is_reversed((valid_from, valid_to)):
        raise Invalid(_REVERSED, errors={"valid_to": [_REVERSED]})
    place = region_with_code(region) if region else None
    _refuse_beyond(by, place)
    row = OwnershipRow(
        id=id, category=category, region=place, department=department, part=part, valid_from=valid_from, valid_to=valid_to,
        source_zh=source_zh, source_en=source_en, issue=None, created_at=clock.now(), created_by_id=by.person_id, digest=sent, version=1,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    policies_changed()
    note_audit(by, "add_ownership", str(id), category=category, region=region, department=department, part=part)
    return row, True


def end_row(*, by: Actor, row_id: UUID, reason: str, on: date | None, today: date, expected_version: int | None) -> OwnershipRow:
    """Let a row, a precedent too, hold for the last time `on` a day, yesterday by default, for a reason; return it.

    Raises NotFound (404), Stale (412), NotAllowed (403) beyond the actor's area, Conflict (409) when it was ended before,
    Invalid (422) for an earlier day: what held then stays.
    """
    yesterday = date.fromordinal(today.toordinal() - 1)
    on = yesterday if on is None else on
    if on < yesterday:
        raise Invalid(_PAST, errors={"on": [_PAST]})
    row = get_row(by, row_id, lock=True)
    refuse_stale(expected_version, row.version)
    _refuse_beyond(by, row.region)
    if row.ended_at is not None:
        raise Conflict(_ENDED)
    row.valid_to, row.end_reason, row.ended_at, row.ended_by_id = on, reason, clock.now(), by.person_id
    row.version += 1
    policies_changed()
    note_audit(by, "end_ownership", str(row.id), last_day=on.isoformat(), reason=reason)
    return row


def _refuse_beyond(by: Actor, place: Region | None) -> None:
    covered = by.covers(place.path) if place else subtree_ids(by.region_path) is None
    if not covered:
        raise NotAllowed(_BEYOND)


def keep_precedent(issue: Issue, department: str, *, by: Actor, day: date) -> UUID:
    """Make an office's ruling on an issue a precedent for its category and region; return the row's id.

    An earlier precedent of the same issue ends, so that one issue never speaks twice.
    """
    earlier = db.session.scalars(select(OwnershipRow).where(OwnershipRow.issue_id == issue.id, OwnershipRow.ended_at.is_(None)))
    for row in earlier:
        row.valid_to, row.end_reason, row.ended_at, row.ended_by_id = date.fromordinal(day.toordinal() - 1), _RULED.zh, clock.now(), by.person_id
        row.version += 1
    row = OwnershipRow(
        id=new_id(), category=issue.category, region_id=issue.region_id, department=department, part=Part.LEAD.value, valid_from=day,
        source_zh=_RULED.zh, source_en=_RULED.en, issue=issue, created_at=clock.now(), created_by_id=by.person_id, digest="", version=1,
    )  # fmt: skip
    db.session.add(row)
    policies_changed()
    return row.id

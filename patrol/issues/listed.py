"""The issues of a page as a list shows them: plain rows with the names of `Issue`, read past the mapper.

A page of fifty as objects of the session took three times as long as finding it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Executable, Select, select
from sqlalchemy.orm import aliased

from patrol.evidence.models import Photo
from patrol.foundation.database import among_ids, db, ids_as_text
from patrol.foundation.paging import Order
from patrol.foundation.postgresql import planned_once
from patrol.issues.models import CoHandler, Issue, IssuePart, IssuePhoto, number_of
from patrol.people.models import Person, Region
from patrol.waters.models import Reach


class ListedRegion(NamedTuple):
    """A region of a listed issue."""

    id: UUID
    code: str
    name: str
    level: str
    path: str


class ListedReach(NamedTuple):
    """A reach of a listed issue."""

    id: UUID
    code: str
    name: str


class ListedPerson(NamedTuple):
    """Somebody on a listed issue."""

    id: UUID
    name: str
    title: str | None


class ListedKin(NamedTuple):
    """An issue that a listed one names."""

    id: UUID
    serial: int

    @property
    def number(self) -> str:
        """The number that people say and write."""
        return number_of(self.serial)


class ListedPart(NamedTuple):
    """A part of a listed issue's work, with the names of `IssuePart`."""

    n: int
    department: str | None
    text: str
    due_at: datetime | None
    state: str
    note: str | None
    ended_at: datetime | None
    person: ListedPerson


class ListedFile(NamedTuple):
    """The file of a photo, with the names of `Photo`."""

    id: UUID
    recorded_at: datetime | None
    exif_taken_at: datetime | None
    received_at: datetime


class ListedPhoto(NamedTuple):
    """A photo on a listed issue, with the names of `IssuePhoto`."""

    kind: str
    before_photo_id: UUID | None
    hidden_seq: int | None
    photo: ListedFile


class ListedIssue:
    """An issue as a list shows it; it is read only and changes nothing."""

    id: UUID
    serial: int
    state: str
    category: str
    severity: str
    source: str
    description: str
    latitude: float
    longitude: float
    raw_latitude: float
    raw_longitude: float
    datum: str
    accuracy_m: float | None
    recorded_at: datetime
    received_at: datetime
    routing: dict[str, Any]
    lead_id: UUID | None
    department: str | None
    due_at: datetime
    due_rule: dict[str, Any]
    decide_by: datetime | None
    plan_due_at: datetime | None
    plan_reported_at: datetime | None
    dispatched_at: datetime | None
    declined_at: datetime | None
    suspended_at: datetime | None
    review_on: date | None
    milestones: list[dict[str, Any]] | None
    rectified_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    returned_times: int
    reopened_times: int
    public_summary: str | None
    merged_at: datetime | None
    also_reported: int
    reporter_id: UUID | None
    patrol_id: UUID | None
    check_in_id: UUID | None
    findings: list[dict[str, Any]]
    version: int
    region: ListedRegion
    reach: ListedReach | None
    lead: ListedPerson | None
    reporter: ListedPerson | None
    merged_into: ListedKin | None
    relapse_of: ListedKin | None
    relapsed_in: ListedKin | None
    co_handlers: Sequence[ListedPerson] = ()
    parts: Sequence[ListedPart] = ()
    photo_links: Sequence[ListedPhoto] = ()

    @property
    def number(self) -> str:
        """The number that people say and write."""
        return number_of(self.serial)


AnyIssue = Issue | ListedIssue
"""What can be read as an issue: the object of the session, or a list's row."""
_OWN = tuple(name for name in ListedIssue.__annotations__ if name in Issue.__table__.c)
KIN = ("merged_into", "relapse_of", "relapsed_in")
"""The issues that one names by number."""
_lead, _reporter = aliased(Person), aliased(Person)


def _id_and_serial(name: str) -> tuple[Any, Any]:
    named_id, other = getattr(Issue, f"{name}_id"), aliased(Issue)
    return named_id, select(other.serial).where(other.id == named_id).scalar_subquery()


# What stands behind the issue's own columns, each with what is made of it where its first column has a value.
_BESIDE: tuple[tuple[str, type[Any], tuple[Any, ...]], ...] = (
    ("region", ListedRegion, (Region.id, Region.code, Region.name, Region.level, Region.path)),
    ("reach", ListedReach, (Reach.id, Reach.code, Reach.name)),
    ("lead", ListedPerson, (_lead.id, _lead.name, _lead.title)),
    ("reporter", ListedPerson, (_reporter.id, _reporter.name, _reporter.title)),
    *((name, ListedKin, _id_and_serial(name)) for name in KIN),
)


def listed(issues: Select[Any], order: Order) -> list[ListedIssue]:
    """Return what a select of issues in `order` finds, with all that a list shows of them; in five statements whatever there is.

    Which ones they are is asked first: what decides the way is then planned alone, and what they show by a plan that is kept.
    """
    connection, dialect = db.session.connection(), db.engine.dialect.name
    keys = [column.key for column in order.columns]
    places = [dict(zip(keys, row, strict=True)) for row in connection.execute(issues.with_only_columns(*order.columns, maintain_column_froms=True))]
    if not places:
        return []
    found: dict[UUID, ListedIssue] = {}
    ids = {"ids": ids_as_text((place["id"] for place in places), dialect)}
    for row in connection.execute(_shown(dialect), ids).all():
        values, issue, at = tuple(row), ListedIssue(), len(_OWN)
        held = issue.__dict__
        held.update(zip(_OWN, values, strict=False))
        for name, kind, beside in _BESIDE:
            held[name] = None if values[at] is None else kind(*values[at : at + len(beside)])
            at += len(beside)
        found[issue.id] = issue
    for name, make in _SEVERAL.items():
        several = defaultdict[UUID, list[Any]](list)
        for row in connection.execute(_several(name, dialect), ids).all():
            several[row[0]].append(make(tuple(row)))
        for issue_id, those in several.items():
            found[issue_id].__dict__[name] = those
    # A page goes on where its last row stood when it was found, even if its due date has moved since.
    for place in places:
        found[place["id"]].__dict__.update(place)
    return [found[place["id"]] for place in places]


@cache
def _shown(dialect: str) -> Select[Any]:
    """Return the select of what is shown of the issues of given ids."""
    return planned_once(
        select(*_columns()).select_from(Issue).join(Region, Region.id == Issue.region_id).outerjoin(Reach, Reach.id == Issue.reach_id)
        .outerjoin(_lead, _lead.id == Issue.lead_id).outerjoin(_reporter, _reporter.id == Issue.reporter_id).where(among_ids(Issue.id, dialect))
    )  # fmt: skip


def _columns() -> tuple[Any, ...]:
    """Return the columns of a listed issue: its own, and those of what is named beside it."""
    beside = (column.label(f"{name}_{n}") for name, _, columns in _BESIDE for n, column in enumerate(columns))
    return (*(getattr(Issue, name) for name in _OWN), *beside)


_SEVERAL: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "co_handlers": lambda row: ListedPerson._make(row[1:]),
    "parts": lambda row: ListedPart._make((*row[1:8], ListedPerson._make(row[8:]))),
    "photo_links": lambda row: ListedPhoto._make((*row[1:4], ListedFile._make(row[4:]))),
}


@cache
def _several(name: str, dialect: str) -> Executable:
    person = (Person.id, Person.name, Person.title)
    if name == "co_handlers":
        return planned_once(
            select(CoHandler.issue_id, *person).join(Person, Person.id == CoHandler.person_id)
            .where(among_ids(CoHandler.issue_id, dialect)).order_by(CoHandler.issue_id, Person.username)
        )  # fmt: skip
    if name == "parts":
        part = (IssuePart.n, IssuePart.department, IssuePart.text, IssuePart.due_at, IssuePart.state, IssuePart.note, IssuePart.ended_at)
        return planned_once(
            select(IssuePart.issue_id, *part, *person).join(Person, Person.id == IssuePart.person_id)
            .where(among_ids(IssuePart.issue_id, dialect)).order_by(IssuePart.issue_id, IssuePart.n)
        )  # fmt: skip
    file = (Photo.id, Photo.recorded_at, Photo.exif_taken_at, Photo.received_at)
    return planned_once(
        select(IssuePhoto.issue_id, IssuePhoto.kind, IssuePhoto.before_photo_id, IssuePhoto.hidden_seq, *file)
        .join(Photo, Photo.id == IssuePhoto.photo_id)
        .where(among_ids(IssuePhoto.issue_id, dialect)).order_by(IssuePhoto.issue_id, IssuePhoto.seq, IssuePhoto.position)
    )  # fmt: skip

"""What an import is going to do, row by row, and how that is carried out and reported."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from patrol.foundation.database import db
from patrol.foundation.texts import Text
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.waters.import_columns import Fault, ImportRow

T = TypeVar("T")
# Databases limit the parameters of one statement: SQLite to 32,766, PostgreSQL to 65,535.
_MOST_PARAMETERS = 10_000
NO_REGION = Text("没有代码为 {code} 的行政区，或不在您的管辖范围内", "There is no region {code}, or it is outside your area")
# How the columns of a file are called where they differ from the table's.
_COLUMN_OF = {
    "parent_id": "parent_code", "region_id": "region_code", "water_body_id": "water_body_code", "reach_id": "reach_code",
    "role_names": "roles", "password_hash": "password", "outline": "geometry",
}  # fmt: skip


@dataclass
class Planned:
    """One row's intent: what is stored now (None: nothing), and the attributes it shall have.

    `derived` attributes follow from the others: they are written with them, and never a change of their own.
    """

    row: int
    code: str
    make: type[Any]
    existing: Any
    values: dict[str, Any]
    derived: dict[str, Any] = field(default_factory=dict)

    def changes(self) -> list[str]:
        """Return the file's names of the columns in which the stored row differs."""
        return [_COLUMN_OF.get(name, name) for name, value in self.values.items() if getattr(self.existing, name) != value]


class Change(NamedTuple):
    """What an import changed in a row that was there before."""

    row: int
    code: str
    fields: list[str]


@dataclass
class ImportReport:
    """What an import did, or in a dry run would do; with `errors` a real import did nothing. `headings` are the file's own, by column."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[Fault] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    headings: dict[str, Text] = field(default_factory=dict)

    @property
    def touched(self) -> bool:
        """Whether anything was or would be written."""
        return bool(self.created or self.updated)


def settle(planned: list[Planned], report: ImportReport, *, write: bool) -> None:
    """Count and list in `report` what the plan comes to; with `write` also do it."""
    for item in planned:
        if item.existing is None:
            report.created += 1
            if write:
                db.session.add(item.make(version=1, **item.values, **item.derived))
        elif fields := item.changes():
            report.updated += 1
            report.changes.append(Change(item.row, item.code, fields))
            if write:
                for name, value in {**item.values, **item.derived}.items():
                    setattr(item.existing, name, value)
                item.existing.version += 1
        else:
            report.unchanged += 1
    report.changes.sort()
    if write:
        db.session.flush()


def found(statement: Select[T], column: InstrumentedAttribute[Any], wanted: Collection[Any]) -> list[T]:
    """Return the rows of `statement` whose `column` is among `wanted`, however many those are."""
    keys = list(wanted)
    return [
        row for start in range(0, len(keys), _MOST_PARAMETERS)
        for row in db.session.scalars(statement.where(column.in_(keys[start:start + _MOST_PARAMETERS]))).unique()
    ]  # fmt: skip


def named(rows: Iterable[ImportRow], column: str) -> set[Any]:
    """Return what the rows say in a column, as far as it could be read."""
    return {row.values[column] for row in rows if column in row.values}


def regions_by_code(statement: Select[Region], codes: Collection[str], by: Actor) -> dict[str, Region]:
    """Return the regions of the actor's subtree with these codes."""
    return {region.code: region for region in found(statement, Region.code, codes) if by.covers(region.path)}

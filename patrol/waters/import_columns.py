"""What each kind of register file holds: one table of columns, and every fault of a file's rows against it. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Geometry
from patrol.foundation.texts import Text
from patrol.people.departments import DEPARTMENTS
from patrol.waters.import_cells import (
    EMPTY,
    LATIN,
    BadValue,
    a_code,
    a_day,
    a_geometry,
    a_number,
    a_phone,
    a_target_class,
    a_text,
    a_username,
    fault_of_degrees,
    one_of,
    some_roles,
)
from patrol.waters.import_files import RawRow, Table
from patrol.waters.import_words import column_in_words, column_of, is_aside
from patrol.waters.terms import BANKS, KINDS, LEVELS


class ImportKind(StrEnum):
    """The registers that can be imported."""

    REGIONS = "regions"
    WATER_BODIES = "water_bodies"
    REACHES = "reaches"
    PEOPLE = "people"
    APPOINTMENTS = "appointments"
    SIGNBOARDS = "signboards"


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of one row."""

    row: int
    field: str
    message: Text


@dataclass(frozen=True)
class ImportRow:
    """One row as far as it could be read: the values of its good cells, None where one is empty; `geometry` lon/lat.

    A row with anything `unreadable`, "" for all of one that repeats another, is never written. It is checked all the same,
    so that its other faults come in the same answer, and rows that depend on it are not blamed for them.
    """

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    geometry: Geometry | None = None
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReadFile:
    """All rows of a file with every fault and warning in them; `headings` say how the file calls its columns, or should."""

    rows: list[ImportRow]
    faults: list[Fault]
    warnings: list[Fault]
    headings: dict[str, Text]


_MISSING = Text("缺少“{column}”列", "The column {column} is missing")
_ASIDE = Text("“{heading}”列只供您自己备查，不导入", "The column {heading} is passed over: it is for your own notes")
# What GIS programs add to every export by themselves; it says nothing about the register.
GIS_COLUMNS = frozenset({
    "objectid", "objectid_1", "fid", "gid", "ogc_fid", "shape_leng", "shape_length", "shape_le_1", "shape_area", "shape_ar_1",
})
_UNKNOWN = Text("没有这一列，可用的列：{columns}", "There is no such column; there are {columns}")
_NO_NAME = Text("此行有多出的单元格，没有对应的列名", "The row has a cell beyond the last named column")
_SAME_COLUMN = Text("“{headings}”是同一列", "{headings} are the same column")
_NO_ROWS = Text("文件中没有数据行", "The file has no rows")
_NO_COLUMNS = Text(
    "第一行没有一个可识别的列名：请删除标题行、取消合并单元格，使第一行为列名；可用的列：{columns}",
    "The first row names no known column: remove title rows and merged cells, so that it holds the column names; there are {columns}",
)
_TWICE = Text("与第 {row} 行重复", "The same as in row {row}")


@dataclass(frozen=True)
class Column:
    """One column: how a cell is read; whether it must be there and filled; what stands for an empty cell.

    A column that a file lacks leaves what is stored as it is.
    """

    name: str
    read: Callable[[Any], Any]
    required: bool = True
    empty: Any = None


_C = Column
_REGION_CODE = a_code(20, r"[0-9A-Za-z._-]+", LATIN)
_optional = False

COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.REGIONS: (
        _C("code", _REGION_CODE), _C("name", a_text(100)), _C("level", one_of(*LEVELS, column="level")),
        _C("parent_code", _REGION_CODE, _optional),
    ),
    ImportKind.WATER_BODIES: (
        _C("code", a_code(40)), _C("name", a_text(100)), _C("kind", one_of(*KINDS, column="kind")),
        _C("target_class", a_target_class, _optional),
    ),
    ImportKind.REACHES: (
        _C("code", a_code(40)), _C("name", a_text(100)), _C("water_body_code", a_code(40)), _C("region_code", _REGION_CODE),
        _C("level", one_of(*LEVELS, column="level")), _C("bank", one_of(*BANKS, column="bank"), _optional, "both"),
        _C("tolerance_m", a_number(0, 5_000), _optional),
    ),
    ImportKind.PEOPLE: (
        _C("username", a_username), _C("name", a_text(100)), _C("phone", a_phone, _optional), _C("roles", some_roles),
        _C("region_code", _REGION_CODE), _C("title", a_text(100), _optional),
        _C("department", one_of(*DEPARTMENTS, column="department"), _optional), _C("password", a_text(200), _optional),
    ),
    ImportKind.APPOINTMENTS: (
        _C("reach_code", a_code(40)), _C("username", a_username), _C("title", a_text(40), _optional, "chief"),
        _C("valid_from", a_day), _C("valid_to", a_day, _optional), _C("former_valid_from", a_day, _optional),
    ),
    ImportKind.SIGNBOARDS: (
        _C("code", a_code(40, r"[0-9A-Za-z._-]+", LATIN)), _C("reach_code", a_code(40)), _C("latitude", a_number(-90, 90)),
        _C("longitude", a_number(-180, 180)),
    ),
}  # fmt: skip
_DEGREES = ("longitude", "latitude")
WITH_GEOMETRY = frozenset({ImportKind.REGIONS, ImportKind.WATER_BODIES, ImportKind.REACHES})
KEYS: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.PEOPLE: ("username",), ImportKind.APPOINTMENTS: ("reach_code", "username", "title", "valid_from"),
}


def read_rows(table: Table, kind: ImportKind) -> ReadFile:
    """Return all rows of a file of this kind, and every fault in them. Raises Invalid for none, or without any known column."""
    if not table.rows:
        raise Invalid(_NO_ROWS, errors={"file": [_NO_ROWS]})
    headings = _headings(table, kind)
    table, faults = _with_known_headings(table, kind)
    asides = [name for name in table.columns if is_aside(name)]
    table = replace(table, columns=[name for name in table.columns if name not in asides])
    raw_rows = [_with_point(row) for row in table.rows] if kind is ImportKind.SIGNBOARDS else table.rows
    present = set(table.columns).union(*(row.values for row in raw_rows))
    faults += _heading_faults(table, present | {fault.field for fault in faults}, kind)
    rows, seen = [], dict[tuple[Any, ...], int]()
    key_columns = KEYS.get(kind, ("code",))
    for raw in raw_rows:
        row, found = _read_row(raw, kind, present)
        if all(name in row.values for name in key_columns):
            key = tuple(row.values[name] for name in key_columns)
            if key in seen:
                found.append(Fault(raw.number, key_columns[0], _TWICE.format(row=seen[key])))
                row = replace(row, unreadable=row.unreadable | {""})
            seen.setdefault(key, raw.number)
        faults += found
        rows.append(row)
    return ReadFile(rows, faults, [Fault(1, name[:100], _ASIDE.format(heading=name[:100])) for name in asides], headings)


def _headings(table: Table, kind: ImportKind) -> dict[str, Text]:
    """Return how each column of this kind is called: as it stands in the file, or as it is called where the file lacks it."""
    known = frozenset(column.name for column in COLUMNS[kind])
    there = {column_of(heading, known)[:100]: Text(heading[:100], heading[:100]) for heading in reversed(table.columns)}
    return {name: column_in_words(name, known) for name in (*known, "geometry")} | there


def _in_words(columns: Iterable[str]) -> Text:
    """Return the columns in a list, those of every kind in the table's order."""
    names = [column_in_words(name, frozenset(columns)) for name in columns]
    return Text("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def _with_known_headings(table: Table, kind: ImportKind) -> tuple[Table, list[Fault]]:
    """Return the table with English names for its Chinese headings, and a fault for each column that stands in it twice.

    Such a column is left out: which of the two is meant is not for the program to say.
    """
    known = frozenset(column.name for column in COLUMNS[kind])
    meant = {heading: column_of(heading, known) for heading in table.columns}
    columns = list(meant.values())
    twice = {name for name in columns if columns.count(name) > 1}
    faults = [
        Fault(1, name, _SAME_COLUMN.format(headings=", ".join(heading for heading, column in meant.items() if column == name)))
        for name in dict.fromkeys(columns) if name in twice
    ]
    rows = [
        replace(row, values={
            meant.get(heading, heading): value for heading, value in row.values.items() if meant.get(heading) not in twice
        })
        for row in table.rows
    ]
    return Table([name for name in columns if name not in twice], rows), faults


def _heading_faults(table: Table, present: set[str], kind: ImportKind) -> list[Fault]:
    known = [column.name for column in COLUMNS[kind]] + (["geometry"] if kind in WITH_GEOMETRY else [])
    if table.columns and present.isdisjoint(known):
        fault = _NO_COLUMNS.format(columns=_in_words(known))
        raise Invalid(fault, errors={"file": [fault]})
    points = kind is ImportKind.SIGNBOARDS and any(row.geometry is not None for row in table.rows)
    faults = [
        Fault(1, column.name, _MISSING.format(column=column_in_words(column.name, frozenset(known))))
        for column in COLUMNS[kind] if column.required and column.name not in present
    ]  # fmt: skip
    ignored = {name for name in table.columns if name.lower() in GIS_COLUMNS} | ({"geometry"} if points else set())
    unknown = [name for name in table.columns if name not in known and name not in ignored]
    return faults + [Fault(1, name[:100], _UNKNOWN.format(columns=_in_words(known))) for name in unknown]


def _with_point(row: RawRow) -> RawRow:
    """Return a board's row with its degrees taken from a GeoJSON Point, if it has one."""
    geometry = row.geometry
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return row
    position = geometry.get("coordinates")
    longitude, latitude = position[:2] if isinstance(position, list) and len(position) >= 2 else ("", "")
    return RawRow(row.number, row.values | {"longitude": str(longitude), "latitude": str(latitude)})


def _read_row(raw: RawRow, kind: ImportKind, present: set[str]) -> tuple[ImportRow, list[Fault]]:
    if raw.fault is not None:
        return ImportRow(raw.number), [Fault(raw.number, "", raw.fault)]
    faults = [Fault(raw.number, "", _NO_NAME)] if "" in raw.values else []
    values: dict[str, Any] = {}
    for column in COLUMNS[kind]:
        value = raw.values.get(column.name, "")
        if value != "":
            try:
                values[column.name] = column.read(value)
            except BadValue as bad:
                place = column.name in _DEGREES and fault_of_degrees(*(raw.values.get(name, "") for name in _DEGREES))
                faults.append(Fault(raw.number, column.name, place or bad.text))
        # A column that the whole file lacks is one fault, not one of each row.
        elif column.required and column.name in present:
            faults.append(Fault(raw.number, column.name, EMPTY))
        elif not column.required and (column.name in raw.values or column.name in KEYS.get(kind, ())):
            values[column.name] = column.empty
    geometry = None
    if kind in WITH_GEOMETRY:
        try:
            geometry = a_geometry(raw.geometry, raw.values.get("geometry", ""), areas_only=kind is ImportKind.REGIONS)
        except BadValue as bad:
            faults.append(Fault(raw.number, "geometry", bad.text))
    missing = {column.name for column in COLUMNS[kind] if column.required and column.name not in values}
    return ImportRow(raw.number, values, geometry, frozenset(missing | {fault.field for fault in faults})), faults

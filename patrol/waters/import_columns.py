"""What each kind of register file holds: one table of columns, and how a cell becomes a value. Pure."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson
import shapely

from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import BadGeometry, Geometry, from_geojson
from patrol.foundation.json_safety import refuse_unsafe_text
from patrol.foundation.texts import Text
from patrol.people.departments import DEPARTMENTS
from patrol.people.permissions import Role
from patrol.people.telephones import fault_of_phone
from patrol.waters.import_files import RawRow, Table
from patrol.waters.import_words import column_of, in_code
from patrol.waters.terms import BANKS, KINDS, LEVELS, TARGET_CLASSES


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
    """One checked row: the values of the columns that the file has, None where a cell is empty; `geometry` lon/lat."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    geometry: Geometry | None = None


class BadValue(ValueError):
    """A cell that cannot be read; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


_NOT_TEXT = Text("必须是文本或数字", "It must be a text or a number")
_TOO_LONG = Text("最多 {most} 个字符", "At most {most} characters")
_CONTROL = Text("不能包含控制字符", "It must not contain control characters")
_BAD_CODE = Text("“{value}”不是有效的编码", "{value} is not a valid code")
_NOT_OF = Text("“{value}”不在可选值之内：{options}", "{value} is not one of {options}")
_NOT_NUMBER = Text("“{value}”不是 {low} 到 {high} 之间的数", "{value} is not a number from {low} to {high}")
_NOT_DAY = Text("“{value}”不是日期，例如 2026-05-01", "{value} is not a date such as 2026-05-01")
_EMPTY = Text("不能为空", "It must not be empty")
_MISSING = Text("缺少此列", "The column is missing")
# What GIS programs add to every export by themselves; it says nothing about the register.
GIS_COLUMNS = frozenset({
    "objectid", "objectid_1", "fid", "gid", "ogc_fid", "shape_leng", "shape_length", "shape_le_1", "shape_area", "shape_ar_1",
})
_UNKNOWN = Text("没有这一列，可用的列：{columns}", "There is no such column; there are {columns}")
_NO_NAME = Text("此行有多出的单元格，没有对应的列名", "The row has a cell beyond the last named column")
_SAME_COLUMN = Text("“{headings}”是同一列", "{headings} are the same column")
_NO_ROWS = Text("文件中没有数据行", "The file has no rows")
_TWICE = Text("与第 {row} 行重复", "The same as in row {row}")
_NESTED = Text("图形的嵌套过深", "The geometry is nested too deep")
_NOT_AREA = Text("行政区的范围必须是面（Polygon 或 MultiPolygon）", "A region's outline must be a Polygon or a MultiPolygon")


def _text(most: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str | date):
            raise BadValue(_NOT_TEXT)
        text = str(value)
        try:
            refuse_unsafe_text(text)
        except Invalid as refusal:
            raise BadValue(refusal.detail) from refusal
        if len(text) > most:
            raise BadValue(_TOO_LONG.format(most=most))
        if any(letter < " " or letter == "\x7f" for letter in text):
            raise BadValue(_CONTROL)
        return text

    return read


def _code(most: int, pattern: str = r"[^\s/\\]+") -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = _text(most)(value)
        if not re.fullmatch(pattern, text):
            raise BadValue(_BAD_CODE.format(value=text[:40]))
        return text

    return read


def _one_of(*options: str, column: str = "") -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = in_code(column, _text(100)(value))
        if text not in options:
            raise BadValue(_NOT_OF.format(value=text[:40], options=", ".join(options)))
        return text

    return read


def _number(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            text = _text(40)(value)
            # Python reads 2_9.6 as a number; whoever typed it meant something else.
            number = math.nan if "_" in text else float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise BadValue(_NOT_NUMBER.format(value=str(value)[:40], low=low, high=high))
        return number

    return read


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    text = _text(40)(value)
    # Excel in China shows and exports 2026/5/1; a day typed with dots is as plain.
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise BadValue(_NOT_DAY.format(value=text))


def _roles(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else re.split(r"[;,;,、]", _text(300)(value))
    names = sorted({_one_of(*Role, column="roles")(part.strip()) for part in map(_text(40), parts) if part.strip()})
    if not names:
        raise BadValue(_EMPTY)
    return names


def _phone(value: Any) -> str:
    text = _text(32)(value)
    if (fault := fault_of_phone(text)) is not None:
        raise BadValue(fault)
    return text


def _target_class(value: Any) -> str:
    # Spreadsheets often hold the single characters Ⅰ to Ⅴ, and "III类".
    text = _text(10)(value).translate(dict(zip(map(ord, "ⅠⅡⅢⅣⅤ"), TARGET_CLASSES, strict=True)))
    return _one_of(*TARGET_CLASSES)(text.removesuffix("类").upper())


def _username(value: Any) -> str:
    return _code(64, r"[A-Za-z0-9][A-Za-z0-9._@+-]*")(value).lower()


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
_REGION_CODE = _code(20, r"[0-9A-Za-z._-]+")
_optional = False

COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.REGIONS: (
        _C("code", _REGION_CODE), _C("name", _text(100)), _C("level", _one_of(*LEVELS, column="level")),
        _C("parent_code", _REGION_CODE, _optional),
    ),
    ImportKind.WATER_BODIES: (
        _C("code", _code(40)), _C("name", _text(100)), _C("kind", _one_of(*KINDS, column="kind")),
        _C("target_class", _target_class, _optional),
    ),
    ImportKind.REACHES: (
        _C("code", _code(40)), _C("name", _text(100)), _C("water_body_code", _code(40)), _C("region_code", _REGION_CODE),
        _C("level", _one_of(*LEVELS, column="level")), _C("bank", _one_of(*BANKS, column="bank"), _optional, "both"),
        _C("tolerance_m", _number(0, 5_000), _optional),
    ),
    ImportKind.PEOPLE: (
        _C("username", _username), _C("name", _text(100)), _C("phone", _phone, _optional), _C("roles", _roles),
        _C("region_code", _REGION_CODE), _C("title", _text(100), _optional),
        _C("department", _one_of(*DEPARTMENTS, column="department"), _optional), _C("password", _text(200), _optional),
    ),
    ImportKind.APPOINTMENTS: (
        _C("reach_code", _code(40)), _C("username", _username), _C("title", _text(40), _optional, "chief"),
        _C("valid_from", _day), _C("valid_to", _day, _optional),
    ),
    ImportKind.SIGNBOARDS: (
        _C("code", _code(40, r"[0-9A-Za-z._-]+")), _C("reach_code", _code(40)), _C("latitude", _number(-90, 90)),
        _C("longitude", _number(-180, 180)),
    ),
}  # fmt: skip
WITH_GEOMETRY = frozenset({ImportKind.REGIONS, ImportKind.WATER_BODIES, ImportKind.REACHES})
KEYS: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.PEOPLE: ("username",), ImportKind.APPOINTMENTS: ("reach_code", "username", "title", "valid_from"),
}


def read_rows(table: Table, kind: ImportKind) -> tuple[list[ImportRow], list[Fault]]:
    """Return the good rows of a file of this kind, and every fault of the others. Raises Invalid when there are none."""
    if not table.rows:
        raise Invalid(_NO_ROWS, errors={"file": [_NO_ROWS]})
    table, faults = _with_known_headings(table, kind)
    if faults:
        return [], faults
    raw_rows = [_with_point(row) for row in table.rows] if kind is ImportKind.SIGNBOARDS else table.rows
    faults = _heading_faults(table, raw_rows, kind)
    if any(fault.message == _MISSING for fault in faults):
        return [], faults
    rows, seen = [], dict[tuple[Any, ...], int]()
    key_columns = KEYS.get(kind, ("code",))
    for raw in raw_rows:
        row, found = _read_row(raw, kind)
        key = tuple(row.values.get(name) for name in key_columns)
        if not found and key in seen:
            found = [Fault(raw.number, key_columns[0], _TWICE.format(row=seen[key]))]
        seen.setdefault(key, raw.number)
        if found:
            faults += found
        else:
            rows.append(row)
    return rows, faults


def _with_known_headings(table: Table, kind: ImportKind) -> tuple[Table, list[Fault]]:
    """Return the table with English names for its Chinese headings, and a fault for each column that stands in it twice."""
    known = frozenset(column.name for column in COLUMNS[kind])
    meant = {heading: column_of(heading, known) for heading in table.columns}
    columns = list(meant.values())
    faults = [
        Fault(1, name, _SAME_COLUMN.format(headings=", ".join(heading for heading, column in meant.items() if column == name)))
        for name in dict.fromkeys(columns) if columns.count(name) > 1
    ]
    rows = [
        replace(row, values={meant.get(heading, heading): value for heading, value in row.values.items()}) for row in table.rows
    ]
    return Table(columns, rows), faults


def _heading_faults(table: Table, rows: list[RawRow], kind: ImportKind) -> list[Fault]:
    known = {column.name for column in COLUMNS[kind]} | ({"geometry"} if kind in WITH_GEOMETRY else set())
    present = set(table.columns) | {name for row in rows[:1] for name in row.values}
    points = kind is ImportKind.SIGNBOARDS and any(row.geometry is not None for row in table.rows)
    faults = [
        Fault(1, column.name, _MISSING) for column in COLUMNS[kind] if column.required and column.name not in present
    ]  # fmt: skip
    ignored = {name for name in table.columns if name.lower() in GIS_COLUMNS} | ({"geometry"} if points else set())
    unknown = [name for name in table.columns if name not in known and name not in ignored]
    return faults + [Fault(1, name[:100], _UNKNOWN.format(columns=", ".join(sorted(known)))) for name in unknown]


def _with_point(row: RawRow) -> RawRow:
    """Return a board's row with its degrees taken from a GeoJSON Point, if it has one."""
    geometry = row.geometry
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        return row
    position = geometry.get("coordinates")
    longitude, latitude = position[:2] if isinstance(position, list) and len(position) >= 2 else ("", "")
    return RawRow(row.number, row.values | {"longitude": str(longitude), "latitude": str(latitude)})


def _read_row(raw: RawRow, kind: ImportKind) -> tuple[ImportRow, list[Fault]]:
    faults = [Fault(raw.number, "", _NO_NAME)] if "" in raw.values else []
    values: dict[str, Any] = {}
    for column in COLUMNS[kind]:
        value = raw.values.get(column.name, "")
        if value != "":
            try:
                values[column.name] = column.read(value)
            except BadValue as bad:
                faults.append(Fault(raw.number, column.name, bad.text))
        elif column.required:
            faults.append(Fault(raw.number, column.name, _EMPTY))
        elif column.name in raw.values or column.name in KEYS.get(kind, ()):
            values[column.name] = column.empty
    geometry = None
    if kind in WITH_GEOMETRY:
        try:
            geometry = _geometry(raw, kind)
        except BadValue as bad:
            faults.append(Fault(raw.number, "geometry", bad.text))
    return ImportRow(raw.number, values, geometry), faults


def _geometry(raw: RawRow, kind: ImportKind) -> Geometry | None:
    """Return a feature's geometry, or that of a sheet's cell which holds GeoJSON; None without any."""
    value, cell = raw.geometry, raw.values.get("geometry", "")
    try:
        if value is None and cell != "":
            value = orjson.loads(cell) if isinstance(cell, str) else cell
        shape = None if value is None else from_geojson(value)
    except BadGeometry as bad:
        raise BadValue(bad.text) from bad
    except orjson.JSONDecodeError as error:
        raise BadValue(Text(str(error), str(error))) from error
    except RecursionError as error:
        raise BadValue(_NESTED) from error
    if shape is not None and kind is ImportKind.REGIONS and shapely.get_dimensions(shape) != 2:
        raise BadValue(_NOT_AREA)
    return shape

"""How one cell of a register file becomes a value, or is refused with what to do about it. Pure."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import orjson

from patrol.foundation.degrees import looks_like
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import BadGeometry, Geometry, from_geojson
from patrol.foundation.json_safety import refuse_unsafe_text
from patrol.foundation.texts import Text
from patrol.people.permissions import Role
from patrol.people.telephones import SHORTENED, fault_of_phone
from patrol.waters.import_words import in_code, roles_in_words, values_in_words
from patrol.waters.terms import TARGET_CLASSES


class BadValue(ValueError):
    """A cell that cannot be read; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


_NOT_TEXT = Text("必须是文本或数字", "It must be a text or a number")
_TOO_LONG = Text("最多 {most} 个字符", "At most {most} characters")
_CONTROL = Text("不能包含控制字符", "It must not contain control characters")
_BAD_CODE = Text("“{value}”不是有效的编码：{may}", "{value} is not a valid code: {may}")
_MAY_HOLD = Text("不能含空格、/ 和 \\", "it has no blanks, / and \\")
LATIN = Text("只能含字母、数字和 . _ -，不能有空格", "it consists of letters, digits and . _ -, without blanks")
_BAD_USERNAME = Text(
    "“{value}”不能作用户名：只能含字母、数字和 . _ @ + -，以字母或数字开头，不能有空格，例如 li.si",
    "{value} cannot be a user name: it consists of letters, digits and . _ @ + -, begins with a letter or digit, and has no blanks, such as li.si",
)
_SHEET_ERROR = Text("“{value}”是表格公式的错误值，请改为实际内容", "{value} is what a sheet shows for a formula that failed: write what is meant")
_NOT_OF = Text("“{value}”不在可选值之内：{options}", "{value} is not one of {options}")
_NOT_ROLE = Text(
    "“{value}”不是角色，可填：{options}；级别由所属行政区决定，例如村级河长即村级行政区的河长（chief）",
    "{value} is not one of the roles {options}; the level comes from the region: a village's chief (村级河长) is `chief` in a village's region",
)
_NOT_NUMBER = Text("“{value}”不是 {low} 到 {high} 之间的数", "{value} is not a number from {low} to {high}")
_NOT_DAY = Text("“{value}”不是日期，例如 2026-05-01", "{value} is not a date such as 2026-05-01")
_SERIAL_DAY = Text(
    "“{value}”像是 Excel 的日期序号：请将该列设为“日期”格式，再保存导入",
    "{value} looks like Excel's number of a day: format the column as a date, save, and import again",
)
EMPTY = Text("不能为空", "It must not be empty")
_NOT_GEOJSON = Text("不是有效的 GeoJSON 图形（第 {at} 个字符处有误）", "It is not valid GeoJSON: {why}, at character {at}")
_NESTED = Text("图形的嵌套过深", "The geometry is nested too deep")
_AREAS = ("Polygon", "MultiPolygon")
_NOT_AREA = Text("行政区的范围必须是面（Polygon 或 MultiPolygon）", "A region's outline must be a Polygon or a MultiPolygon")

# What spreadsheets save in place of a value that a formula could not find.
_SHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
# What a Chinese keyboard types in its full width: digits, letters, and the signs that codes, days and numbers are made of.
_PLAIN = {0xFF01 + n: 0x21 + n for n in range(94) if chr(0x21 + n).isalnum() or chr(0x21 + n) in "-./_@+:"} | {0x3000: " "}
# 9.901E+11: what a spreadsheet makes of a long code in a column of numbers.
_SHORTENED_CODE = re.compile(r"[0-9]+(?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)
_DAY_FORMS = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"), (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"), (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"\d{8}", "%Y%m%d"), (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
)
# What Excel writes behind a date, mostly midnight, says nothing about the day.
_TIME_OF_DAY = re.compile(r"[ T]\d{1,2}:\d{2}(?::\d{2})?$")


def a_text(most: int) -> Callable[[Any], str]:
    """Return a reader of one line of text, at most `most` characters."""
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
        if text in _SHEET_ERRORS:
            raise BadValue(_SHEET_ERROR.format(value=text))
        return text

    return read


def as_typed(value: Any) -> Any:
    """Return a cell with full-width letters and digits as plain ones, and without the apostrophe by which a spreadsheet keeps a text."""
    return value.translate(_PLAIN).strip().lstrip("'‘’＇") if isinstance(value, str) else value


def a_code(most: int, pattern: str = r"[^\s/\\]+", may: Text = _MAY_HOLD, fault: Text = _BAD_CODE) -> Callable[[Any], str]:
    """Return a reader of a code; `may` says what it consists of. One that a spreadsheet has shortened is refused."""
    def read(value: Any) -> str:
        text = a_text(most)(as_typed(value))
        if _SHORTENED_CODE.fullmatch(text):
            raise BadValue(SHORTENED.format(value=text))
        if not re.fullmatch(pattern, text):
            raise BadValue(fault.format(value=text[:40], may=may))
        return text

    return read


def one_of(*options: str, column: str = "") -> Callable[[Any], str]:
    """Return a reader of a fixed word, or of its Chinese name in this column."""
    def read(value: Any) -> str:
        text = in_code(column, a_text(100)(as_typed(value)))
        if text not in options:
            raise BadValue(_NOT_OF.format(value=text[:40], options=values_in_words(column, options)))
        return text

    return read


def a_number(low: float, high: float) -> Callable[[Any], float]:
    """Return a reader of a number within these bounds, both included."""
    def read(value: Any) -> float:
        number = _number(value)
        if not low <= number <= high:
            raise BadValue(_NOT_NUMBER.format(value=str(value)[:40], low=low, high=high))
        return number

    return read


def _number(value: Any) -> float:
    try:
        text = a_text(40)(as_typed(value))
        # Python reads 2_9.6 as a number; whoever typed it meant something else.
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def fault_of_degrees(longitude: Any, latitude: Any) -> Text | None:
    """Return what two cells look like that hold no degrees, or None when nothing better can be said than which numbers may stand there."""
    return looks_like(_number(longitude), _number(latitude), shown=f"{longitude}, {latitude}"[:80])


def a_day(value: Any) -> date:
    """Return a calendar day. Raises BadValue for what could be two days, or none."""
    if isinstance(value, date):
        return value
    text = a_text(40)(as_typed(value))
    day = _TIME_OF_DAY.sub("", text)
    # Excel in China shows and exports 2026/5/1 or 2026年5月1日; a day typed with dots is as plain.
    for pattern, form in _DAY_FORMS:
        if re.fullmatch(pattern, day):
            try:
                return datetime.strptime(day, form).date()  # noqa: DTZ007 - a calendar day has no zone
            except ValueError:
                break
    raise BadValue((_SERIAL_DAY if re.fullmatch(r"[2-7]\d{4}", text) else _NOT_DAY).format(value=text))


def some_roles(value: Any) -> list[str]:
    """Return the roles in a list or a text, sorted. Raises BadValue with all that are none."""
    parts = value if isinstance(value, list) else re.split(r"[;,；，、]", a_text(300)(value))
    names = {in_code("roles", as_typed(part)) for part in map(a_text(40), parts) if part.strip()}
    if unknown := sorted(names - set(Role)):
        raise BadValue(_NOT_ROLE.format(value="、".join(unknown)[:100], options=roles_in_words()))
    if not names:
        raise BadValue(EMPTY)
    return sorted(names)


def a_phone(value: Any) -> str:
    """Return a telephone number as it is written. Raises BadValue."""
    text = a_text(32)(as_typed(value))
    if (fault := fault_of_phone(text)) is not None:
        raise BadValue(fault)
    return text


def a_target_class(value: Any) -> str:
    """Return a class of water quality. Raises BadValue."""
    # Spreadsheets often hold the single characters Ⅰ to Ⅴ, and "III类".
    text = a_text(10)(as_typed(value)).translate(dict(zip(map(ord, "ⅠⅡⅢⅣⅤ"), TARGET_CLASSES, strict=True)))
    return one_of(*TARGET_CLASSES)(text.removesuffix("类").upper())


def a_username(value: Any) -> str:
    """Return a user name in small letters. Raises BadValue."""
    return a_code(64, r"[A-Za-z0-9][A-Za-z0-9._@+-]*", fault=_BAD_USERNAME)(value).lower()


def a_geometry(value: Any, cell: Any, *, areas_only: bool = False) -> Geometry | None:
    """Return a feature's geometry, or that of a sheet's cell which holds GeoJSON; None without any. Raises BadValue."""
    try:
        if value is None and cell != "":
            value = orjson.loads(cell) if isinstance(cell, str) else cell
        if areas_only and value is not None and not (isinstance(value, dict) and value.get("type") in _AREAS):
            raise BadValue(_NOT_AREA)
        shape = None if value is None else from_geojson(value)
    except BadGeometry as bad:
        raise BadValue(bad.text) from bad
    except orjson.JSONDecodeError as error:
        raise BadValue(_NOT_GEOJSON.format(at=error.pos + 1, why=error.msg)) from error
    except RecursionError as error:
        raise BadValue(_NESTED) from error
    return shape

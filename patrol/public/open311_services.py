"""The services of GeoReport v2: the categories that citizens may choose, and what a partner may say beside the text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from patrol.foundation.errors import Invalid, NotFound, saying_first
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, Category, is_heading
from patrol.people.departments import DEPARTMENTS


class Datatype(StrEnum):
    """The kinds of attributes that the standard knows."""

    STRING = "string"
    NUMBER = "number"
    DATETIME = "datetime"
    TEXT = "text"
    SINGLE = "singlevaluelist"
    MULTI = "multivaluelist"


@dataclass(frozen=True)
class Attribute:
    """One question of a service; `values` are the choices of the two kinds of lists, by key."""

    code: str
    datatype: Datatype
    name: Text
    values: Mapping[str, Text] | None = None


_AREA = Attribute("area_m2", Datatype.NUMBER, Text("估计面积（平方米）", "Estimated area (square metres)"))
_SINCE = Attribute("since", Datatype.DATETIME, Text("何时开始", "Since when"))
_WASTE = Attribute("waste", Datatype.MULTI, Text("垃圾种类", "Kind of waste"), {
    "household": Text("生活垃圾", "Household waste"), "construction": Text("建筑垃圾", "Construction waste"),
    "industrial": Text("工业固废", "Industrial waste"), "farm": Text("农业废弃物", "Farm waste"),
})  # fmt: skip
_BOARD = Attribute("condition", Datatype.SINGLE, Text("公示牌状况", "Condition of the board"), {
    "missing": Text("缺失", "Missing"), "outdated": Text("内容过期", "Outdated"), "wrong": Text("内容有误", "Wrong"),
    "damaged": Text("破损", "Damaged"),
})  # fmt: skip
_OUTFALL = Attribute("outfall", Datatype.SINGLE, Text("排放情形", "Kind of discharge"), {
    "direct": Text("污水直排", "Direct discharge"), "dry_weather": Text("雨水口晴天排水", "Storm drain flowing in dry weather"),
    "unregistered": Text("新增或未登记排口", "New or unregistered outlet"), "unmarked": Text("排口无标识", "Unmarked outlet"),
})  # fmt: skip

# Severity depends on the area for A13 and A17; the other questions are those of the patrol's checklist. None is
# required: a citizen who cannot answer shall still be heard.
ATTRIBUTES: dict[str, tuple[Attribute, ...]] = {
    "A13": (_AREA,), "A17": (_AREA,), "A31": (_WASTE,), "A32": (_WASTE, _AREA), "B2": (_OUTFALL, _SINCE), "C2": (_WASTE,),
    "D3": (_BOARD,),
}  # fmt: skip

SERVICES: dict[str, Category] = {code: row for code, row in CATEGORIES.items() if row.public and not is_heading(code)}
"""What can be asked for, by service code: each category that citizens may choose."""

BLACKBOX = frozenset(code for code in SERVICES if code[0] in "FZ")
"""Charges against chiefs, and advice: taken, but never shown, so that no id is given out."""

LISTED = tuple(code for code in SERVICES if code not in BLACKBOX)
"""The services whose requests everybody may read."""

_NO_SERVICE = Text("没有这个服务：{code}", "There is no service with the code {code}")
_ASKS_NOTHING = Text(
    "服务 {code} 没有附加项（metadata 为 false），可直接提交", "The service {code} asks nothing more (its metadata is false): a request needs no attributes"
)
_NO_ATTRIBUTE = Text("该服务没有这一项", "The service has no such attribute")
_NOT_A_NUMBER = Text("必须是数字", "Not a number")
_NOT_A_MOMENT = Text("必须是带时区的时间", "Not a time with its zone")
_NOT_A_CHOICE = Text("只能是以下之一：{keys}", "Must be one of: {keys}")
_ONE_ONLY = Text("只能有一个值", "Takes one value only")
_ANSWERS_WRONG = Text("附加项有误", "Some attributes need correction")


def service_with_code(code: str) -> Category:
    """Return the service. Raises NotFound (404)."""
    row = SERVICES.get(code)
    if row is None:
        raise NotFound(_NO_SERVICE.format(code=code))
    return row


def shown_service(row: Category, language: str) -> dict[str, Any]:
    """Return a service as the list shows it."""
    group = CATEGORIES[row.parent or row.code].name.in_language(language)
    department = DEPARTMENTS[row.department].name.in_language(language) if row.department else None
    name = row.name.in_language(language)
    return {
        "service_code": row.code, "service_name": name, "description": " · ".join(filter(None, (group, name, department))),
        "metadata": row.code in ATTRIBUTES, "type": "blackbox" if row.code in BLACKBOX else "realtime",
        "keywords": ",".join(dict.fromkeys((group, row.name.zh, row.name.en))), "group": group,
    }  # fmt: skip


def shown_definition(row: Category, language: str) -> dict[str, Any]:
    """Return what a service asks beside the text. Raises NotFound (404) for one that asks nothing."""
    if row.code not in ATTRIBUTES:
        raise NotFound(_ASKS_NOTHING.format(code=row.code))
    attributes = [
        {
            "variable": True, "code": attribute.code, "datatype": attribute.datatype.value, "required": False,
            "datatype_description": None, "order": order, "description": attribute.name.in_language(language),
            "values": [{"key": key, "name": name.in_language(language)} for key, name in (attribute.values or {}).items()],
        }
        for order, attribute in enumerate(ATTRIBUTES[row.code], 1)
    ]  # fmt: skip
    return {"service_code": row.code, "attributes": attributes}


def lines_of(code: str, answers: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the answers to a service's attributes as lines that its handlers read, in Chinese.

    Raises Invalid (422) for attributes that the service does not have, and for values that do not fit them.
    """
    known = {attribute.code: attribute for attribute in ATTRIBUTES.get(code, ())}
    errors: dict[str, list[Text]] = {}
    lines = []
    for name, values in answers.items():
        attribute = known.get(name)
        fault = _fault_of(attribute, values) if attribute else _NO_ATTRIBUTE
        if fault:
            errors[f"attribute[{name}]"] = [fault]
        elif attribute:
            choices = attribute.values or {}
            lines.append(f"{attribute.name.zh}：{'、'.join(choices[value].zh if choices else value for value in values)}")
    if errors:
        raise Invalid(saying_first(_ANSWERS_WRONG, errors), errors=errors)
    return lines


def _fault_of(attribute: Attribute, values: Sequence[str]) -> Text | None:
    if len(values) > 1 and attribute.datatype is not Datatype.MULTI:
        return _ONE_ONLY
    if attribute.values is not None:
        keys = ", ".join(attribute.values)
        return None if all(value in attribute.values for value in values) else _NOT_A_CHOICE.format(keys=keys)
    if attribute.datatype is Datatype.NUMBER and not _is_number(values[0]):
        return _NOT_A_NUMBER
    if attribute.datatype is Datatype.DATETIME and not _is_moment(values[0]):
        return _NOT_A_MOMENT
    return None


def _is_number(text: str) -> bool:
    return len(text) <= 20 and text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit()


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False

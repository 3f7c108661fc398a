"""Reading GPX 1.0 and 1.1 from anywhere: the points of its tracks, as points of our own. Pure.

GPX knows neither accuracy nor whether a position was made up, so it weighs less than what a phone sends itself. A point
without a time proves nothing; `read_fixes` puts it aside and says so.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from patrol.foundation.errors import Invalid, TooLarge
from patrol.foundation.numbers import number_in
from patrol.foundation.texts import Text

LARGEST_BYTES = 20 * 1024 * 1024
MOST_POINTS = 100_000
# What Chinese programs also write, and the parser does not read; GB 18030 holds the older ones.
_CHINESE = re.compile(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"'](?:gb2312|gbk|gb18030)[\"'][^>]*\?>", re.IGNORECASE)
_NOT_XML = Text("不是有效的 GPX 文件，或文件不完整：请重新导出后再上传", "It is not a valid GPX file, or not a complete one: {why}")
_NOT_XML_AT = Text(
    "不是有效的 GPX 文件，或文件不完整（第 {line} 行有误）：请重新导出后再上传", "It is not a valid GPX file, or not a complete one: {why}"
)
_ENTITIES = Text("GPX 文件含有 DTD 或实体，已拒绝", "The GPX file contains a DTD or entities and was refused")
_NOT_GPX = Text("根元素不是 gpx", "Its root element is not gpx")
_TOO_LARGE = Text("GPX 文件不得超过 20 MB", "A GPX file has at most 20 MB")
_TOO_MANY = Text("一个 GPX 文件最多 {most} 个轨迹点", "A GPX file has at most {most} track points")
_NO_POINTS = Text("GPX 文件中没有轨迹点（trkpt）", "The GPX file has no track points (trkpt)")


def gpx_points(data: bytes) -> list[dict[str, Any]]:
    """Return the track points of a GPX file in file order. Raises Invalid (422) or TooLarge (413) for anything else."""
    if len(data) > LARGEST_BYTES:
        raise TooLarge(_TOO_LARGE)
    try:
        root = fromstring(_readable(data), forbid_dtd=True)
    except DefusedXmlException as error:
        raise _refusal(_ENTITIES) from error
    except ParseError as error:
        raise _refusal(_NOT_XML_AT.format(line=error.position[0], why=str(error)[:100])) from error
    except (ValueError, LookupError) as error:
        raise _refusal(_NOT_XML.format(why=str(error)[:100])) from error
    if _name(root) != "gpx":
        raise _refusal(_NOT_GPX)
    found = [element for element in root.iter() if _name(element) == "trkpt"]
    if not found:
        raise _refusal(_NO_POINTS)
    if len(found) > MOST_POINTS:
        raise _refusal(_TOO_MANY.format(most=MOST_POINTS))
    return [_point(element) for element in found]


def _readable(data: bytes) -> bytes:
    declared = _CHINESE.match(data)
    return data[declared.end() :].decode("gb18030").encode() if declared else data


def _refusal(fault: Text) -> Invalid:
    return Invalid(fault, errors={"file": [fault]})


def _name(element: Element) -> str:
    """Return an element's name without its namespace: GPX 1.0, 1.1 and files without one read alike."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


_FIELDS = {"ele": "altitude_m", "speed": "speed_mps", "course": "bearing_deg"}


def _point(element: Element) -> dict[str, Any]:
    point: dict[str, Any] = {"latitude": _number(element.get("lat")), "longitude": _number(element.get("lon"))}
    # Extensions use the same names for other things: a point's own measures come last and count, and only its own time is one.
    for child in (*element.iter(), *element):
        name, text = _name(child), (child.text or "").strip()
        if name in _FIELDS and text:
            point[_FIELDS[name]] = _number(text)
    for child in element:
        if _name(child) == "time" and child.text and child.text.strip():
            point["recorded_at"] = child.text.strip()
    return {name: value for name, value in point.items() if value is not None}


def _number(text: str | None) -> Any:
    try:
        return None if text is None else number_in(text)
    except ValueError:
        return text

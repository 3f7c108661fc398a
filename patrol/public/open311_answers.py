"""Answers of GeoReport v2 in its two formats: XML with wrapper elements, JSON without them. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson

FORMATS = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
"""The content type of each format, by the suffix that asks for it."""

# What XML 1.0 cannot hold at all, not even escaped; the database and JSON can.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SINGULAR = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}


def rendered(value: Any, suffix: str, root: str, item: str = "") -> bytes:
    """Return `value` as the bytes of an answer: a mapping, or a list whose members are `item` elements below `root`.

    Characters that XML cannot hold become U+FFFD in XML; line ends read as LF there, as XML wants.
    """
    if suffix == "json":
        return orjson.dumps(value)
    element = Element(root)
    _fill(element, value, item)
    return bytes(tostring(element, encoding="utf-8", xml_declaration=True))


def _fill(element: Element, value: Any, item: str) -> None:
    if isinstance(value, Mapping):
        for name, part in value.items():
            _fill(SubElement(element, name), part, _SINGULAR.get(name, ""))
    elif isinstance(value, list):
        for part in value:
            _fill(SubElement(element, item), part, "")
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif value is not None:
        element.text = _NOT_IN_XML.sub("\ufffd", str(value))

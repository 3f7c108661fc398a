"""Idempotent creates: the same id with the same content is the same thing, with other content a conflict."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from patrol.foundation.errors import Conflict
from patrol.foundation.texts import Text

_OTHER_CONTENT = Text(
    "编号 {id} 已用于其他内容；如内容确有变化，请换用新编号", "The id {id} was used for other content: send new content under a new id"
)


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of what a client sent, whatever the order of its fields; None counts as left out."""
    present = {key: value for key, value in content.items() if value is not None}
    return hashlib.sha256(orjson.dumps(present, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).hexdigest()


def refuse_other_content(id: Any, *, stored: str, sent: str) -> None:  # noqa: A002
    """Raise Conflict (409), which shows both digests, unless they are equal."""
    if stored != sent:
        raise Conflict(_OTHER_CONTENT.format(id=id), digest_stored=stored, digest_sent=sent)

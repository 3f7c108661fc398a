"""Fields of requests that more than one schema of this room needs."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import marshmallow as ma

from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import BadGeometry, Box, parse_bbox
from patrol.issues.categories import category_of

_NUMBER = re.compile(r"XH0*(\d{1,15})", re.IGNORECASE)


class Several(ma.fields.List[Any]):
    """One or several values in a query: `state=a&state=b` or `state=a,b`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        texts = [value] if isinstance(value, str) else value
        parts = [part.strip() for text in texts for part in str(text).split(",") if part.strip()]
        return list(super()._deserialize(parts, attr, data, **kwargs))


class BoxField(ma.fields.String):
    """A map window as `min_longitude,min_latitude,max_longitude,max_latitude` in degrees; loads as a Box."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Box:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return parse_bbox(text)
        except BadGeometry as error:
            raise ma.ValidationError(f"{error.text.zh}\x1f{error.text.en}") from error


class SomebodyField(ma.fields.String):
    """`me`, an account's id, or its user name; loads as "me", a UUID or the user name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | UUID:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return UUID(text)
        except ValueError:
            return text.strip().lower()


class IssueField(ma.fields.String):
    """An issue by its id or its number ("XH0000123"); loads as a UUID or a running number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID | int:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        if number := _NUMBER.fullmatch(text.strip()):
            return int(number[1])
        try:
            return UUID(text)
        except ValueError as error:
            raise ma.ValidationError("必须是问题的 ID 或编号，例如 XH0000123。\x1fMust be an issue's id or number, such as XH0000123.") from error


# Near the calendar's end a moment has no local day in China, and no room to move by the days that a clock stands still.
a_due_date = ma.validate.Range(
    max=datetime(9000, 1, 1, tzinfo=UTC), error="期限过远，请填写较近的时间。\x1fThis lies too far ahead: give an earlier moment."
)
"""The validator of a moment that something can be due at."""


def a_category(code: str) -> None:
    """Refuse, as the validator of a field, a category that no issue may have."""
    _refuse_category(code, public_caller=False)


def a_public_category(code: str) -> None:
    """Refuse, as the validator of a field, a category that no citizen may choose."""
    _refuse_category(code, public_caller=True)


def _refuse_category(code: str, *, public_caller: bool) -> None:
    try:
        category_of(code, public_caller=public_caller)
    except Invalid as error:
        raise ma.ValidationError(f"{error.detail.zh}\x1f{error.detail.en}") from error


def filled(most: int) -> ma.validate.Validator:
    """Return the validator of a text that says something, in at most so many letters."""
    return ma.validate.And(ma.validate.Length(1, most), _not_blank)


def _not_blank(text: str) -> None:
    if not text.strip():
        raise ma.ValidationError("不能为空白。\x1fMust not be blank.")

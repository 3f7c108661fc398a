"""Moments in requests and answers: RFC 3339 with an offset, UTC inside."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import marshmallow as ma

from patrol.foundation.clock import home_timezone

_WITH_ZONE = "不是有效的时间，应为带时区的 RFC 3339，例如 2026-05-01T08:30:00+08:00。\x1fA time with its zone (RFC 3339) is needed, such as 2026-05-01T08:30:00+08:00."
_OR_DAY = (
    "不是有效的时间，应为日期（例如 2026-05-01），或带时区的 RFC 3339，例如 2026-05-01T08:30:00+08:00。\x1f"
    "A day such as 2026-05-01, or a time with its zone (RFC 3339) such as 2026-05-01T08:30:00+08:00, is needed."
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LOST_PLUS = re.compile(r"(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:\d\d)$")


class Moment(ma.fields.AwareDateTime):
    """An aware time that becomes UTC; one that has no UTC, at the very ends of the calendar, is refused."""

    default_error_messages = dict.fromkeys(("invalid", "invalid_awareness"), _WITH_ZONE)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str):
            # In a URL a plus sign means a space: what was an offset is one again.
            value = _LOST_PLUS.sub(r"\1+\2", value)
        moment = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error


class MomentOrDay(ma.fields.String):
    """A moment as `Moment` reads it, or a local day, of which `of_day(day, timezone)` gives the moment that counts; loads as UTC."""

    default_error_messages = dict.fromkeys(("invalid", "invalid_utf8"), _OR_DAY)

    def __init__(self, of_day: Callable[[date, str], datetime], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of_day = of_day

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        try:
            return self.of_day(date.fromisoformat(text), home_timezone()) if _DAY.fullmatch(text) else Moment().deserialize(text)
        except (ValueError, ma.ValidationError) as error:
            raise self.make_error("invalid") from error

"""Moments in requests and answers: RFC 3339 with an offset, UTC inside."""

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma


class Moment(ma.fields.AwareDateTime):
    """An aware time that becomes UTC; one that has no UTC, at the very ends of the calendar, is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error

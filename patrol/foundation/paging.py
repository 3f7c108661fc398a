"""Keyset paging: a page goes on where the last one ended, at the same cost on the 200th page as on the first."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import marshmallow as ma
import orjson
from sqlalchemy import ColumnElement, Select, UnaryExpression, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.json_safety import refuse_unsafe_text
from patrol.foundation.texts import Text

T = TypeVar("T")
DEFAULT_LIMIT, MOST = 50, 200
# PostgreSQL's INTEGER: a larger number is in no column, and may not even be asked for.
_LARGEST_INTEGER = 2**31 - 1
_BAD_CURSOR = Text("cursor 无效，请从第一页重新读取", "The cursor is not valid: start again at the first page")


class PageArgs(ma.Schema):
    """The paging part of a list's query."""

    class Meta:
        unknown = ma.RAISE

    limit = ma.fields.Integer(load_default=DEFAULT_LIMIT, validate=ma.validate.Range(1, MOST))
    cursor = ma.fields.String(load_default=None, validate=ma.validate.Length(max=500),
                              metadata={"description": "`next` of the page before."})


@dataclass(frozen=True)
class Order:
    """How a list is sorted: by `columns`, the last of which is unique, all upwards or all downwards."""

    name: str
    columns: tuple[InstrumentedAttribute[Any], ...]
    descending: bool = False

    def clauses(self) -> list[UnaryExpression[Any]]:
        """Return what ORDER BY takes."""
        return [column.desc() if self.descending else column.asc() for column in self.columns]


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page: its items, and the cursor of the next one (None at the end)."""

    items: Sequence[T]
    next: str | None


@dataclass(frozen=True)
class Part(Generic[T]):
    """A part of a list in an order of its own; `first` gives the select of its first so many rows, past a cursor if there is one."""

    order: Order
    first: Callable[[int, str | None], Select[T]]


def _objects(statement: Select[Any], _order: Order) -> Iterable[Any]:
    return db.session.scalars(statement).unique()


def page_of(statement: Select[T], order: Order, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[T]:
    """Run `statement` for one page in `order`. Raises Invalid (422) for a cursor that is not of this list and order."""
    return page_of_parts([Part(order, lambda _limit, _cursor: statement)], limit=limit, cursor=cursor)


def page_of_parts(
    parts: Sequence[Part[Any]], *, limit: int = DEFAULT_LIMIT, cursor: str | None = None, read: Callable[[Select[Any], Order], Iterable[Any]] = _objects
) -> Page[Any]:
    """Run one page of a list that is made of `parts` behind each other, whose orders have different names.

    A part is asked only when those before it do not fill the page. `read` runs a select in an order and returns its rows, which
    must hold the columns of the order by name. Raises Invalid (422) as `page_of`.
    """
    rows: list[tuple[Any, Order]] = []
    for part in parts if cursor is None else parts[_part_of(cursor, [part.order for part in parts]):]:
        wanted = limit + 1 - len(rows)
        statement = part.first(wanted, cursor)
        if cursor is not None:
            statement = statement.where(beyond(cursor, part.order))
        rows += [(row, part.order) for row in read(statement.order_by(*part.order.clauses()).limit(wanted), part.order)]
        cursor = None
        if len(rows) > limit:
            break
    following = _cursor_of(*rows[limit - 1]) if len(rows) > limit else None
    return Page([row for row, _ in rows[:limit]], following)


def beyond(cursor: str, order: Order) -> ColumnElement[bool]:
    """Return the condition that a row comes after the page that ended with `cursor`. Raises Invalid for a wrong cursor."""
    return past(_read_cursor(cursor, order), order)


def past(values: Sequence[Any], order: Order) -> ColumnElement[bool]:
    """Return the condition that a row comes after the one with these `values` of the order's columns."""
    # Each value has its column's own type: a moment would otherwise be sent with a zone, unlike those stored.
    last = tuple_(*(literal(value, column.type) for value, column in zip(values, order.columns, strict=True)))
    keys = tuple_(*order.columns)
    return keys < last if order.descending else keys > last


def _cursor_of(row: Any, order: Order) -> str:
    values = [getattr(row, column.key) for column in order.columns]
    return base64.urlsafe_b64encode(orjson.dumps([order.name, *values])).decode().rstrip("=")


def _part_of(cursor: str, orders: Sequence[Order]) -> int:
    """Return the place of the order in which a cursor goes on; of one that is of none, reading it raises Invalid."""
    for place, order in enumerate(orders[:-1]):
        if _name_in(cursor) == order.name:
            return place
    return len(orders) - 1


def _name_in(cursor: str) -> Any:
    try:
        return _parts_of(cursor)[0]
    except (ValueError, TypeError, binascii.Error, LookupError):
        return None


def _parts_of(cursor: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


def _read_cursor(cursor: str, order: Order) -> list[Any]:
    try:
        name, *values = _parts_of(cursor)
        if name != order.name or len(values) != len(order.columns):
            raise ValueError(name)
        return [_typed(value, column.type.python_type) for value, column in zip(values, order.columns, strict=True)]
    except (ValueError, TypeError, binascii.Error, AttributeError, OverflowError, Invalid) as error:
        raise Invalid(_BAD_CURSOR, errors={"cursor": [_BAD_CURSOR]}) from error


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        # As it will be asked for: a moment at the very ends of the calendar may have no UTC.
        return moment.astimezone(UTC)
    if kind is date:
        return date.fromisoformat(value)
    if kind is UUID:
        return UUID(value)
    if not isinstance(value, kind) or (isinstance(value, int) and abs(value) > _LARGEST_INTEGER):
        raise TypeError(value)
    if isinstance(value, str):
        refuse_unsafe_text(value)
    return value


def page_schema(item: type[ma.Schema]) -> type[ma.Schema]:
    """Return the schema of a page of `item`s: `{"items": […], "next": "…"|null}`."""
    fields = {
        "items": ma.fields.List(ma.fields.Nested(item), required=True),
        "next": ma.fields.String(required=True, allow_none=True, metadata={"description": "Cursor of the next page."}),
    }
    name = item.__name__.removesuffix("Out")
    return type(f"{name}PageOut", (ma.Schema,), fields)

"""How a page of issues is found: by branches that each follow one index in the list's order and end after a page.

A condition on a column with several values (a group of categories, a subtree of regions, all open states), and one that
holds for several reasons (in my area, or mine), has no index that gives the order too: the database would sort all that
pass, or walk past all that do not. Each value's own first rows are read instead, and the first of them all taken.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    UnaryExpression,
    Uuid,
    and_,
    column,
    func,
    literal,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.operators import custom_op

from patrol.foundation.database import db, one_of
from patrol.foundation.paging import Order
from patrol.issues.models import Issue

Several = Mapping[InstrumentedAttribute[Any], Sequence[Any]]
After = Callable[[Order], ColumnElement[bool]] | None
MOST_CELLS = 300
"""How many values one page is put together from; what has more of them is a good share of everything."""


@dataclass(frozen=True)
class Branch:
    """One reason for which an issue is in a list: columns with one of several values each, and further conditions.

    `few` says that the conditions alone leave few rows, by an index of their own.
    """

    several: Several = field(default_factory=dict)
    conditions: Sequence[ColumnElement[bool]] = ()
    few: bool = False

    def condition(self) -> ColumnElement[bool]:
        """Return the whole branch as one condition."""
        return and_(true(), *(_has_one_of(key, values) for key, values in self.several.items()), *self.conditions)

    def narrowed(self, several: Several, conditions: Sequence[ColumnElement[bool]]) -> "Branch | None":
        """Return the part of this branch that also passes these; None when nothing can."""
        asked = {key: set(values) for key, values in several.items()}
        both = {key: [value for value in values if key not in asked or value in asked[key]] for key, values in self.several.items()}
        if not all(both.values()):
            return None
        return Branch({**several, **both}, [*self.conditions, *conditions], self.few)


def first_ids(branches: Sequence[Branch], order: Order, *, limit: int, after: After) -> Select[Any]:
    """Return the select of the ids of the first `limit` issues of all branches together, in `order` over Issue.

    An issue of two branches counts once.
    """
    parts = [_beginning(branch, order, limit, after).subquery() for branch in branches]
    selects = [select(*part.c) for part in parts]
    together = (union_all if len(selects) == 1 else union)(*selects).subquery()
    keys = [together.c[key.key] for key in order.columns]
    return select(together.c.id).order_by(*(key.desc() if order.descending else key for key in keys)).limit(limit)


def _beginning(branch: Branch, order: Order, limit: int, after: After) -> Select[Any]:
    split, rest = _split(branch, order)
    way = _way(branch, order)
    conditions = [*rest, *branch.conditions, *([after(way)] if after else [])]
    if not split:
        return select(*order.columns).where(*conditions).order_by(*way.clauses()).limit(limit)
    values = [_table_of(number, key, each) for number, (key, each) in enumerate(split.items())]
    conditions += [key == table.c.value for key, table in zip(split, values, strict=True)]
    source: Any = values[0]
    for table in values[1:]:
        source = source.join(table, true())
    if db.engine.dialect.name == "postgresql":
        of_cell = select(*order.columns).where(*conditions).order_by(*order.clauses()).limit(limit).lateral("of_cell")
        return select(*of_cell.c).select_from(source.join(of_cell, true()))
    # SQLite has no LATERAL; an IN that is asked anew for each cell is the same.
    found = aliased(Issue)
    ids = select(Issue.id).where(*conditions).order_by(*order.clauses()).limit(limit).correlate(*values)
    return select(*(getattr(found, key.key) for key in order.columns)).select_from(source.join(found, found.id.in_(ids)))


def unindexed(key: InstrumentedAttribute[Any] | ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column such that SQLite goes by no index on it: without statistics it would take the wrong one for a few issues."""
    own: ColumnElement[Any] = key.expression
    return own if db.engine.dialect.name == "postgresql" else UnaryExpression(own, operator=custom_op("+"), type_=own.type)


def _way(branch: Branch, order: Order) -> Order:
    """Return the order in which a branch is read: the few are found before they are sorted, not by walking all in order."""
    if not branch.few:
        return order
    return replace(order, columns=cast("tuple[InstrumentedAttribute[Any], ...]", tuple(unindexed(key) for key in order.columns)))


def is_split(branch: Branch, order: Order) -> bool:
    """Tell whether a branch is read cell by cell in this order; otherwise the database finds the way by itself."""
    return bool(_split(branch, order)[0])


def _split(branch: Branch, order: Order) -> tuple[Several, list[ColumnElement[bool]]]:
    """Return the columns to read cell by cell, for which there are indexes that go on with the order, and the others as conditions."""
    asked = {key: list(dict.fromkeys(values)) for key, values in branch.several.items()}
    many = {key for key, values in asked.items() if len(values) > 1}
    split: list[InstrumentedAttribute[Any]] = []
    if not branch.few:
        # One category or source is narrower than most areas, and the database knows how much.
        is_narrow = any(key in asked and key not in many for key in (Issue.category, Issue.source))
        by_time = order.columns[0].key == Issue.received_at.key
        chains: list[list[InstrumentedAttribute[Any]]] = [[Issue.state]]
        if by_time:
            area = [] if is_narrow else [[Issue.region_id, Issue.state]]
            chains = [*area, [Issue.state], [Issue.category], [Issue.source], [Issue.severity]]
        for chain in chains:
            split = [key for key in chain if key in many]
            if split and chain[0] in asked and prod(len(asked[key]) for key in split) <= MOST_CELLS:
                break
            split = []
    return {key: asked[key] for key in split}, [_has_one_of(key, values) for key, values in asked.items() if key not in split]


def _has_one_of(key: InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    return one_of(key, values) if isinstance(key.type, Uuid) else key.in_(values)


def _table_of(number: int, key: InstrumentedAttribute[Any], values: Sequence[Any]) -> Any:
    """Return a table with one row for each of the values, as one bound parameter."""
    cell = column("value", key.type)
    if db.engine.dialect.name == "postgresql":
        return func.unnest(literal(list(values), ARRAY(key.type))).table_valued(cell, name=f"cell_{number}").render_derived()
    stored = [value.hex if isinstance(value, UUID) else value for value in values]
    return func.json_each(json.dumps(stored)).table_valued(cell, name=f"cell_{number}")

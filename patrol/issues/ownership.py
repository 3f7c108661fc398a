"""Which department answers for a category at a place: a pure rule over the rows of the ownership matrix.

Of the rows that bear on the case and are in force, the most specific one decides: the longest category, then the deepest
region, then the newest. A precedent (what an office ruled after somebody declined) decides only where no ordinary row is
at least as specific; otherwise it is shown beside the answer, as a proposal to the office.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from patrol.foundation.texts import Text
from patrol.people.paths import code_of


class Part(StrEnum):
    """What a department does in a case: it leads, or it works along."""

    LEAD, CO = "lead", "co"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix; `category` is the beginning of codes, `region_path` "" where it holds everywhere.

    `number` is that of the issue whose ruling made the row a precedent, None for an ordinary row.
    """

    id: UUID
    category: str
    region_path: str
    department: str
    part: Part
    valid_from: date
    source: Text
    number: str | None = None

    @property
    def _specific(self) -> tuple[int, int]:
        return len(self.category), self.region_path.count("/")

    def weaker_than(self, other: "Row") -> bool:
        """Tell whether a precedent gives way to an ordinary row."""
        return self._specific <= other._specific

    def rank(self) -> tuple[int, int, date, str]:
        """Return what orders rows from the least to the most specific; the id makes it total."""
        return *self._specific, self.valid_from, str(self.id)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who answers, by which row; who works along; and precedents that a stronger row keeps from deciding."""

    lead: Row | None
    co: tuple[Row, ...]
    proposals: tuple[Row, ...]

    def as_data(self) -> dict[str, Any]:
        """Return plain JSON in both languages, to be stored with an issue."""
        return {
            "lead": self.lead and _row_data(self.lead), "co": [_row_data(row) for row in self.co],
            "proposals": [_row_data(row) for row in self.proposals],
        }  # fmt: skip


def owner_of(rows: Iterable[Row]) -> Ownership:
    """Return who answers, given the rows that bear on the case on the day asked about, in whatever order."""
    ordered = sorted(rows, key=Row.rank, reverse=True)
    leads = [row for row in ordered if row.part is Part.LEAD]
    rule = next((row for row in leads if row.number is None), None)
    precedents = [row for row in leads if row.number is not None]
    free = [row for row in precedents if rule is None or not row.weaker_than(rule)]
    lead = free[0] if free else rule
    department = lead.department if lead else None
    co = {row.department: row for row in reversed(ordered) if row.part is Part.CO and row.department != department}
    others = {row.department: row for row in reversed(precedents) if row.department != department}
    return Ownership(lead, tuple(reversed(co.values())), tuple(reversed(others.values())))


def prefixes(category: str) -> list[str]:
    """Return every beginning of a code, "" first: what a row's category may be to bear on it."""
    return [category[:length] for length in range(len(category) + 1)]


_BY_RULE = Text("{source}（{scope}，自{since}起）", "{source} ({scope}, from {since} on)")
_BY_PRECEDENT = Text("{number} 的裁定先例：{source}（自{since}起）", "Precedent of {number}: {source} (from {since} on)")
_KINDS = Text("类别 {category}", "category {category}")
_ALL = Text("所有类别", "all categories")
_EVERYWHERE = Text("全部地区", "everywhere")


def _row_data(row: Row) -> dict[str, Any]:
    kinds = _KINDS.format(category=row.category) if row.category else _ALL
    place = code_of(row.region_path)
    where = Text(place, place) if place else _EVERYWHERE
    scope = Text(f"{kinds.zh}，{where.zh}", f"{kinds.en}, {where.en}")
    words = (_BY_PRECEDENT if row.number else _BY_RULE).format(
        number=row.number, source=row.source, scope=scope, since=row.valid_from.isoformat()
    )
    return {
        "row_id": str(row.id), "department": row.department, "category": row.category, "region": place or None,
        "precedent_of": row.number, "zh": words.zh, "en": words.en,
    }  # fmt: skip


NO_OWNER: Mapping[str, Any] = Ownership(None, (), ()).as_data()
"""What is said of a case without a category, or one that no row bears on."""

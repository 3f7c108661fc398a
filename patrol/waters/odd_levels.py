"""Levels of an imported register that hardly fit each other: districts differ, and so no row is refused, but never in silence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation.texts import Text
from patrol.people.models import Person, Region
from patrol.waters.import_columns import Fault
from patrol.waters.import_plan import Planned, found
from patrol.waters.models import Reach
from patrol.waters.terms import LEVEL_NAME, LEVELS, answers_for_reach

# A city without counties and a province that leads counties itself pass over one level; who passes over two was mistyped.
_MOST_BELOW = 2
_NOT_BELOW = Text(
    "{name}是{level}，上级{above}是{above_level}：下级应低于上级，请核对级别（level）和上级代码（parent_code）",
    "{name} is of the {level} level and its superior {above} of the {above_level} level, where it should be a lower one: check `level` and `parent_code`",
)
_FAR_BELOW = Text(
    "{name}是{level}，直接归{above_level}的{above}，中间跳过了{between}：请核对级别（level）和上级代码（parent_code）",
    "{name} is of the {level} level and lies directly below {above} of the {above_level} level, {between} left out: check `level` and `parent_code`",
)
_OTHER_CHIEF = Text(
    "{name}的账号属于{region}（{level}），而“{reach}”是{reach_level}河段：请核对河长与河段的级别",
    "The account of {name} works in {region} ({level} level), and {reach} is a reach of the {reach_level} level: check whose reach it is",
)


def warning_of_levels(name: str, level: str, above: str, above_level: str) -> Text | None:
    """Return what is odd about a region of one level directly below one of another; None for nothing. Pure."""
    steps = LEVELS.index(level) - LEVELS.index(above_level)
    if 0 < steps <= _MOST_BELOW:
        return None
    between = [LEVEL_NAME[one] for one in LEVELS[LEVELS.index(above_level) + 1 : LEVELS.index(level)]]
    left_out = Text("、".join(text.zh for text in between), ", ".join(text.en for text in between))
    words = _NOT_BELOW if steps <= 0 else _FAR_BELOW
    return words.format(name=name, level=LEVEL_NAME[level], above=above, above_level=LEVEL_NAME[above_level], between=left_out)


def odd_regions(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each new or changed region whose level does not fit its superior's, which may stand in the file or be stored."""
    changed = [item for item in planned if item.values["parent_id"] is not None and _is_news(item)]
    stored = found(select(Region), Region.id, {item.values["parent_id"] for item in changed})
    above = {region.id: (region.name, region.level) for region in stored} | {_id_of(item): _named(item) for item in planned}
    pairs = [(item, above[item.values["parent_id"]]) for item in changed if item.values["parent_id"] in above]
    return _by_row((item.row, "level", warning_of_levels(*_named(item), *superior)) for item, superior in pairs)


def odd_chiefs(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each new or changed appointment of a chief or deputy whose account is of another level than the reach."""
    chiefs = [item for item in planned if answers_for_reach(item.values["title"]) and _is_news(item)]
    reaches = _by_id(found(select(Reach), Reach.id, {item.values["reach_id"] for item in chiefs}))
    people = _by_id(found(select(Person).options(joinedload(Person.region)), Person.id, {item.values["person_id"] for item in chiefs}))
    pairs = [(item, people[item.values["person_id"]], reaches[item.values["reach_id"]]) for item in chiefs]
    return _by_row((item.row, "username", _said(person, reach)) for item, person, reach in pairs)


def _said(person: Person, reach: Reach) -> Text | None:
    if person.region.level == reach.level:
        return None
    return _OTHER_CHIEF.format(
        name=person.name, region=person.region.name, level=LEVEL_NAME[person.region.level], reach=reach.name, reach_level=LEVEL_NAME[reach.level],
    )  # fmt: skip


def _is_news(item: Planned) -> bool:
    return item.existing is None or bool(item.changes())


def _id_of(item: Planned) -> UUID:
    found_id: UUID = item.derived["id"] if item.existing is None else item.existing.id
    return found_id


def _named(item: Planned) -> tuple[str, str]:
    return item.values["name"], item.values["level"]


def _by_id(rows: Iterable[Any]) -> Mapping[UUID, Any]:
    return {row.id: row for row in rows}


def _by_row(said: Iterable[tuple[int, str, Text | None]]) -> list[Fault]:
    return sorted((Fault(row, field, words) for row, field, words in said if words), key=lambda fault: fault.row)

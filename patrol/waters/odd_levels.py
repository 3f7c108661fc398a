"""Levels of an imported register that hardly fit each other: districts differ, and so it is told and not refused.

Only a region of a higher level than its superior's is refused: no division of any district is like that.
"""

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
_ABOVE = Text(
    "{name}是{level}，不能归{above_level}的{above}管辖：请更正级别（level）或上级代码（parent_code）",
    "{name} is of the {level} level and cannot lie below {above} of the {above_level} level: correct `level` or `parent_code`",
)
_HIGHER_REACH = Text(
    "“{name}”是{level}河段，所属行政区{region}却是{region_level}：请核对级别（level）和所属行政区代码（region_code）",
    "{name} is a reach of the {level} level, and its region {region} of the {region_level} level: check `level` and `region_code`",
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


def fault_of_levels(name: str, level: str, above: str, above_level: str) -> Text | None:
    """Return why a region of one level cannot lie directly below one of another, a lower one; None where it can. Pure."""
    if LEVELS.index(level) >= LEVELS.index(above_level):
        return None
    return _ABOVE.format(name=name, level=LEVEL_NAME[level], above=above, above_level=LEVEL_NAME[above_level])


def odd_regions(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each new or changed region whose level does not fit its superior's, which may stand in the file or be stored."""
    pairs = _with_superiors(planned, [item for item in planned if _is_news(item)])
    return _by_row((item.row, "level", warning_of_levels(*_named(item), *superior)) for item, superior in pairs)


def impossible_regions(planned: Sequence[Planned]) -> list[Fault]:
    """Return a fault for each region that the file puts below one of a lower level; what was stored like that stays as it is."""
    moved = [item for item in planned if item.existing is None or {"level", "parent_code"}.intersection(item.changes())]
    pairs = _with_superiors(planned, moved)
    return _by_row((item.row, "level", fault_of_levels(*_named(item), *superior)) for item, superior in pairs)


def _with_superiors(planned: Sequence[Planned], changed: Sequence[Planned]) -> list[tuple[Planned, tuple[str, str]]]:
    """Return each of the regions `changed` that has a superior, in the file or stored, with that one's name and level."""
    stored = found(select(Region), Region.id, {item.values["parent_id"] for item in changed if item.values["parent_id"] is not None})
    above = {region.id: (region.name, region.level) for region in stored} | {_id_of(item): _named(item) for item in planned}
    return [(item, above[item.values["parent_id"]]) for item in changed if item.values["parent_id"] in above]


def odd_reaches(planned: Sequence[Planned]) -> list[Fault]:
    """Return a warning for each new or changed reach of a higher level than its region: its chief would work above that region."""
    changed = [item for item in planned if _is_news(item)]
    regions = _by_id(found(select(Region), Region.id, {item.values["region_id"] for item in changed}))
    pairs = [(item, regions[item.values["region_id"]]) for item in changed]
    return _by_row((item.row, "level", _higher(*_named(item), region)) for item, region in pairs)


def _higher(name: str, level: str, region: Region) -> Text | None:
    if LEVELS.index(level) >= LEVELS.index(region.level):
        return None
    return _HIGHER_REACH.format(name=name, level=LEVEL_NAME[level], region=region.name, region_level=LEVEL_NAME[region.level])


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

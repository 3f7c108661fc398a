"""Who answers for a place on a day: gathers what lies near and who was appointed, and asks the rule in `routing.py`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import joinedload

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import Position
from patrol.foundation.postgresql import planned_once
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.issues.owners import ownership_data
from patrol.issues.policies_held import STATE_COLUMNS, note_state
from patrol.issues.routing import UNKNOWN_ACCURACY_M, Chief, NearReach, Place, Reason, Region, Routing, Rule, route
from patrol.people import models as people
from patrol.people.departments import DEPARTMENTS
from patrol.people.paths import code_of, paths_up
from patrol.people.permissions import Role
from patrol.people.queries import holds
from patrol.waters.models import Reach
from patrol.waters.nearby import near_reaches
from patrol.waters.queries import ChiefOn, chiefs_on, has_reaches, region_at
from patrol.waters.reach_index import Candidate
from patrol.waters.terms import post_name

BY_BOARD = Reason("board", Text("按公示牌所属河段办理", "The board names the reach"))
BY_OFFICE = Reason("transfer", Text("由河长办转办指定", "Decided by the office that passed it on"))
_NO_REACH = Text("没有这个河段", "There is no such reach")


@dataclass(frozen=True, slots=True)
class Placement:
    """Who answers for a place on `day`; `office` is the region whose office holds it until a person does.

    `reach` is the row that the routing names, its region loaded; `decided_by` is the code of a reason that went before
    the rule; `region_path` is the path of the region named; `joint` are the regions on the sides of a border. `regions`
    are those known by path, `chiefs` the accounts of those who answer near the place; `accused_id` is the chief whom a
    charge is about (`accusations.placed_for`), `also_accused` the other ones. `is_outside` tells that the place lies far beyond the regions' outlines, or
    where there are none, that no reach lies within 50 km.
    """

    routing: Routing
    office: Region
    day: date
    reach: Reach | None = None
    decided_by: str | None = None
    region_path: str = ""
    joint: tuple[Region, ...] = ()
    is_outside: bool = False
    accused_id: UUID | None = None
    also_accused: tuple[UUID, ...] = ()
    chiefs: tuple[people.Person, ...] = field(default=(), repr=False)
    regions: Mapping[str, Region] = field(default_factory=dict, repr=False)

    def as_data(self, category: str | None) -> dict[str, Any]:
        """Return plain JSON in both languages, to be stored with an issue of this category."""
        return self.routing.as_data() | {
            "on": self.day.isoformat(),
            "office": {"code": code_of(self.office.path), "name": self.office.name},
            **departments_data(category, self.region_path, self.day),
            "joint": [{"code": code_of(region.path), "name": region.name} for region in self.joint],
            "decided_by": self.decided_by,
        }


def departments_data(category: str | None, path: str, day: date) -> dict[str, Any]:
    """Return the members of an issue's routing that name its department, and the rows of the matrix that say so."""
    ownership = ownership_data(category, path, day)
    code = ownership["lead"] and ownership["lead"]["department"]
    return {"department": code and {"code": code, **DEPARTMENTS[code].name._asdict()}, "ownership": ownership}


def place_by_position(position: Position, *, day: date, tolerance_m: float) -> Placement:
    """Return who answers for a position on `day`. Reaches without a tolerance of their own have `tolerance_m`."""
    near = near_reaches(
        position.latitude, position.longitude, accuracy_m=_accuracy_m(position), tolerance_m=tolerance_m
    )
    return _placed(position, near, day)


def place_on_reach(reach_id: UUID, position: Position, *, day: date, tolerance_m: float, because: Reason) -> Placement:
    """Return who answers when it is known which reach it is, from a board or by decision; raises Invalid for no such reach.

    Higher levels' reaches on the same water near the position still count, for when this one has no chief that day.
    """
    near = near_reaches(
        position.latitude, position.longitude, accuracy_m=_accuracy_m(position), tolerance_m=tolerance_m
    )
    own = next(((candidate, reach) for candidate, reach in near if reach.id == reach_id), None) or _far(reach_id)
    above = [
        (candidate, reach) for candidate, reach in near
        if reach.water_body_id == own[1].water_body_id and reach.level != own[1].level and reach.id != reach_id
        and own[1].region.path.startswith(reach.region.path)
    ]  # fmt: skip
    placement = _placed(position, [(own[0]._replace(within_tolerance=True), own[1]), *above], day)
    routing = replace(placement.routing, reasons=(because, *placement.routing.reasons))
    return replace(placement, routing=routing, decided_by=because.code)


def _far(reach_id: UUID) -> tuple[Candidate, Reach]:
    reach = db.session.scalar(
        select(Reach).where(Reach.id == reach_id, Reach.retired_at.is_(None)).options(joinedload(Reach.region))
    )
    if reach is None:
        raise Invalid(_NO_REACH, errors={"reach_id": [_NO_REACH]})
    return Candidate(reach.id, 0.0, False, True), reach


def place_in_region(region: people.Region, *, day: date, because: Reason) -> Placement:
    """Return the placement by which the region's office, or that of the nearest superior with one, answers."""
    regions = _regions_over([region.path])
    here = regions[region.path]
    routing = route(Place(here, regions, 0.0), ())
    return Placement(
        replace(routing, reasons=(because, routing.reasons[-1])), _by_id(regions, routing.office_region_id), day,
        decided_by=because.code, region_path=region.path, regions=regions,
    )  # fmt: skip


def position_of_issue(issue: Issue) -> Position:
    """Return where an issue lies."""
    return Position(
        issue.latitude, issue.longitude, issue.raw_latitude, issue.raw_longitude, Datum(issue.datum), issue.accuracy_m
    )


def _accuracy_m(position: Position) -> float:
    return UNKNOWN_ACCURACY_M if position.accuracy_m is None else position.accuracy_m


def _placed(position: Position, near: Sequence[tuple[Candidate, Reach]], day: date) -> Placement:
    counts = any(candidate.within_tolerance or candidate.inside for candidate, _ in near)
    # Among reaches in tolerance the nearest one's region is the place's; the map of regions is asked only without any.
    here, is_covered = (near[0][1].region, True) if counts else region_at(position.latitude, position.longitude)
    regions = _regions_over([here.path, *(reach.region.path for _, reach in near)])
    chiefs = chiefs_on([reach.id for _, reach in near], day, accounts=True) if near else {}
    place = Place(regions[here.path], regions, position.accuracy_m)
    routing = route(place, [_near_reach(candidate, reach, regions, chiefs) for candidate, reach in near])
    reach = next((reach for _, reach in near if reach.id == routing.reach_id), None)
    return Placement(
        routing, _by_id(regions, routing.office_region_id), day, reach, region_path=_by_id(regions, routing.region_id).path,
        joint=_joint_regions(routing), is_outside=not near and has_reaches() if is_covered is None else not is_covered, regions=regions,
        chiefs=tuple(chief.person for found in chiefs.values() for chief in found if chief.person),
    )  # fmt: skip


def _joint_regions(routing: Routing) -> tuple[Region, ...]:
    """Return the regions on the sides of a border, by path; none when all sides lie in one region."""
    sides = {side.reach.region.path: side.reach.region for side in routing.involved} if routing.rule is Rule.BORDER else {}
    return tuple(sides[path] for path in sorted(sides)) if len(sides) > 1 else ()


def _near_reach(
    candidate: Candidate, reach: Reach, regions: Mapping[str, Region], chiefs: Mapping[UUID, Sequence[ChiefOn]]
) -> NearReach:
    return NearReach(
        id=reach.id, code=reach.code, name=reach.name, level=reach.level, bank=reach.bank,
        region=regions[reach.region.path], water_body_id=reach.water_body_id, distance_m=candidate.distance_m,
        inside=candidate.inside, within_tolerance=candidate.within_tolerance,
        chiefs=tuple(
            Chief(chief.person_id, chief.name, chief.person_title or chief.title, chief.region_id, chief.region_path)
            for chief in chiefs.get(reach.id, ())
        ),
    )  # fmt: skip


_HAS_OFFICE = exists().where(
    people.Person.region_id == people.Region.id, people.Person.disabled_at.is_(None),
    holds(Role.OFFICE),
)
# Each report asks this, and so it is put together once, over tables: the mapper's share of the work falls away.
_region = people.Region.__table__.c
_WITH_OFFICES = planned_once(select(_region.id, _region.path, _region.name, _HAS_OFFICE, *STATE_COLUMNS).where(
    _region.path.in_(bindparam("paths", expanding=True))
))


def _regions_over(paths: Iterable[str]) -> dict[str, Region]:
    """Return the regions at `paths` and all their superiors by path, each with whether its office has an enabled account."""
    wanted = {above for path in paths for above in paths_up(path)}
    rows = db.session.execute(_WITH_OFFICES, {"paths": list(wanted)}).all()
    if rows:
        note_state(*rows[0][4:])
    return {row[1]: Region(row[0], row[1], row[2], bool(row[3])) for row in rows}


def _by_id(regions: Mapping[str, Region], region_id: UUID) -> Region:
    return next(region for region in regions.values() if region.id == region_id)


def shown_routing(data: Mapping[str, Any], language: str, *, with_people: bool) -> dict[str, Any]:
    """Return how stored routing data reads in `language` ("zh", "en"); without people, chiefs are their posts only."""
    return {
        "rule": data["decided_by"] or data["rule"],
        "confidence": data["confidence"],
        "confidence_label": data["confidence_label"],
        "reasons": [reason[language] for reason in data["reasons"]],
        "candidates": [_shown_candidate(row, language, with_people) for row in data["candidates"]],
        "involved": [_shown_candidate(row, language, with_people) for row in data["involved"]],
        "office": data["office"],
        "department": data["department"] and {"code": data["department"]["code"], "name": data["department"][language]},
        "ownership": _shown_ownership(data.get("ownership"), language),
        "on": data["on"],
    }


def _shown_ownership(data: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """Return who answers by the matrix and why; None for an issue routed before there was one."""
    if data is None:
        return None
    lead = data["lead"]
    return {
        "lead": lead and _shown_row(lead, language), "co": [_shown_row(row, language) for row in data["co"]],
        "proposals": [_shown_row(row, language) for row in data["proposals"]],
    }  # fmt: skip


def _shown_row(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("row_id", "category", "region", "precedent_of")}, "reason": row[language],
        "department": {"code": row["department"], "name": DEPARTMENTS[row["department"]].name.in_language(language)},
    }  # fmt: skip


def _shown_candidate(row: Mapping[str, Any], language: str, with_people: bool) -> dict[str, Any]:
    chief = row["chief"] and _shown_chief(row, language)
    if chief and not with_people:
        chief = {"title": chief["title"]}
    return {
        "reach": row["reach"], "chief": chief, "distance_m": row["distance_m"], "inside": row["inside"],
        "within_tolerance": row["within_tolerance"],
    }  # fmt: skip


def _shown_chief(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return a row's chief with the post in words: a chief without a title of his own has the register's code there."""
    chief = row["chief"]
    return {**chief, "title": post_name(chief["title"], row["reach"]["level"]).in_language(language)}


def answering_chief(data: Mapping[str, Any], language: str) -> dict[str, Any] | None:
    """Return `{id, name, title}` of the chief who answers by stored routing data, None when an office does."""
    rows = [*data["involved"], *data["candidates"]]
    return next((_shown_chief(row, language) for row in rows if row["chief"] and row["chief"]["id"] == data["chief_id"]), None)

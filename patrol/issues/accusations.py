"""Charges against chiefs (F): whom one is about, and that it is heard above that chief.

DOMAIN (f): F1 unreachable, F2 false closure, F3 fake patrol. The accused is the chief who answers for the place on the
day of the report. An office that works for the accused would read who complained; so the region of a charge, which
decides who sees it, is the lowest one strictly above all whom it may be about. Nobody is above a chief of the highest
region: there it is heard by that region's own office, without the accused.
"""

from collections.abc import Collection
from dataclasses import replace

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.models import Issue
from patrol.issues.owners import paths_up
from patrol.issues.placing import Placement
from patrol.issues.routing import Reason
from patrol.people.models import Person, Region

CHARGES = tuple(code for code in CATEGORIES if code.startswith("F"))
_HEARD_ABOVE = Text("涉及河长履职，由该河长上级的{office}河长办受理", "It concerns a chief's duty: the office above that chief answers, {office}")
_NOT_ABOVE = Text(
    "涉及河长履职的问题只能由该河长上级地区的人员办理：{name}", "A charge against a chief is handled by people of the regions above that chief only: {name}"
)
_ONLY_UPWARDS = Text(
    "涉及河长履职的问题只能转给上级地区，或更正河段（reach_id）", "A charge against a chief is passed to a superior region only, or to another reach (reach_id)"
)


def is_charge(category: str | None) -> bool:
    """Tell whether a category is a charge against a chief."""
    return category in CHARGES


def path_above(paths: Collection[str]) -> str:
    """Return the path of the lowest region strictly above all `paths`, "" for none known; the highest of all is above itself."""
    first, *others = sorted(paths, key=len)
    shared = [path for path in paths_up(first) if all(other.startswith(path) for other in others)]
    above = [path for path in shared if path != first]
    return (above or shared or [""])[-1]


def placed_for(placement: Placement, category: str | None) -> Placement:
    """Return the placement as it holds for a category: one of a charge names the accused, and the region above as who answers."""
    if not is_charge(category):
        return placement
    routing = placement.routing
    sides = [side for side in routing.involved if side.chief]
    if not sides:
        return replace(placement, joint=())
    paths = {side.chief.region_path for side in sides if side.chief} | {side.chief_reach.region.path for side in sides if side.chief_reach}
    known = [placement.regions[path] for path in reversed(paths_up(path_above(paths))) if path in placement.regions]
    region = known[0] if known else min(placement.regions.values(), key=lambda each: len(each.path))
    office = next((each for each in known if each.has_office), known[-1] if known else region)
    reasons = (*routing.reasons, Reason("heard_above", _HEARD_ABOVE.format(office=office.name)))
    return replace(
        placement, office=office, region_path=region.path, joint=(), accused_id=routing.chief_id,
        routing=replace(routing, reasons=reasons, chief_id=None, region_id=region.id, office_region_id=office.id),
    )


def refuse_people_below(issue: Issue, people: Collection[Person], field: str) -> None:
    """Raise Invalid (422) at `field` when a charge would be handled by the accused or by somebody of no region above."""
    if not is_charge(issue.category):
        return
    for person in people:
        if person.id == issue.accused_id or not issue.region.path.startswith(person.region.path):
            words = _NOT_ABOVE.format(name=person.name)
            raise Invalid(words, errors={field: [words]})


def refuse_region_below(issue: Issue, region: Region) -> None:
    """Raise Invalid (422) when a charge would be passed to a region that is not above whom it is about."""
    if is_charge(issue.category) and not issue.region.path.startswith(region.path):
        raise Invalid(_ONLY_UPWARDS, errors={"region": [_ONLY_UPWARDS]})

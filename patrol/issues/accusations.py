"""Charges against chiefs (F): whom one is about, and that it is heard above that chief.

DOMAIN (f): F1 unreachable, F2 false closure, F3 fake patrol. The accused is the chief who answers for the place on the
day of the report; where nobody does, the chief of the nearest reach. An office that works for the accused would read who
complained; so the region of a charge, which decides who sees it, is the lowest one strictly above all whom it may be about,
and the highest where nobody is known. Nobody is above a chief of the highest region: there it is heard by that region's own
office, without any of the accused. What is a charge once stays one, and is passed on upwards only: so whoever it was about at any
time does not see it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.accusation_models import AlsoAccused
from patrol.issues.categories import CATEGORIES
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.placing import Placement
from patrol.issues.routing import Chief, Reason, Routing
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.paths import paths_up
from patrol.people.queries import keeps_from_audit

CHARGES = tuple(code for code in CATEGORIES if code.startswith("F"))
_HEARD_ABOVE = Text("涉及河长履职，由该河长上级的{office}河长办受理", "It concerns a chief's duty: the office above that chief answers, {office}")
_NOT_ABOVE = Text(
    "涉及河长履职的问题只能由该河长上级地区的人员办理：{name}", "A charge against a chief is handled by people of the regions above that chief only: {name}"
)
_ONLY_UPWARDS = Text(
    "涉及河长履职的问题只能转给上级地区；涉及其他河长的，请不予受理并重新上报",
    "A charge against a chief is passed to a superior region only: where it is about another chief, reject it and report it anew",
)
_STAYS_CHARGE = Text(
    "涉及河长履职的问题不能改为其他类别：请不予受理并重新上报", "A charge against a chief does not become another category: reject it and report it anew"
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
    accused, paths = _whom_about(routing)
    known = [placement.regions[path] for path in reversed(paths_up(path_above(paths) if accused else "")) if path in placement.regions]
    region = known[0] if known else min(placement.regions.values(), key=lambda each: len(each.path))
    # Only in the highest region can one of them be an account that the charge's region does not keep out.
    accused = sorted(accused, key=lambda chief: not region.path.startswith(chief.region_path))
    office = next((each for each in known if each.has_office), known[-1] if known else region)
    reasons = (*routing.reasons, Reason("heard_above", _HEARD_ABOVE.format(office=office.name)))
    return replace(
        placement, office=office, region_path=region.path, joint=(), accused_id=accused[0].id if accused else None,
        also_accused=tuple(dict.fromkeys(chief.id for chief in accused[1:] if chief.id != accused[0].id)),
        routing=replace(routing, reasons=reasons, chief_id=None, region_id=region.id, office_region_id=office.id),
    )


def keep_also_accused(issue: Issue, others: Collection[UUID]) -> None:
    """Keep the other chiefs whom a charge is about; whoever it was about before stays kept."""
    if not others:
        return
    with db.session.no_autoflush:
        known = set(db.session.scalars(select(AlsoAccused.person_id).where(AlsoAccused.issue_id == issue.id)))
    new = [each for each in others if each not in known]
    db.session.add_all(AlsoAccused(issue_id=issue.id, person_id=each) for each in new)


def all_accused(issue: Issue) -> frozenset[UUID]:
    """Return all whom a charge is about; nobody for another category."""
    if not is_charge(issue.category):
        return frozenset()
    others = db.session.scalars(select(AlsoAccused.person_id).where(AlsoAccused.issue_id == issue.id))
    return frozenset({*others, *([issue.accused_id] if issue.accused_id else [])})


def accused_now(issue: Issue) -> frozenset[UUID]:
    """Return whom a charge is about now: of all its accused, without those from whom it was passed on to another reach."""
    changed = HistoryEntry.changes["accused_id"]["from"].as_string()
    former = db.session.scalars(select(changed).where(HistoryEntry.issue_id == issue.id, changed.is_not(None)))
    return all_accused(issue) - ({UUID(each) for each in former} - {issue.accused_id})


def is_not_about(person_id: UUID) -> ColumnElement[bool]:
    """Return the condition that an issue is no charge against an account."""
    also = select(AlsoAccused.issue_id).where(AlsoAccused.person_id == person_id)
    return and_(Issue.accused_id.is_distinct_from(person_id), Issue.id.not_in(also))


@keeps_from_audit
def _subjects_kept(actor: Actor) -> list[str]:
    return [str(issue_id) for issue_id in charges_against(actor.person_id)] if actor.person_id else []


def charges_against(person_id: UUID) -> Sequence[UUID]:
    """Return the ids of the charges against an account, which sees nothing of them."""
    also = select(AlsoAccused.issue_id).where(AlsoAccused.person_id == person_id)
    return db.session.scalars(select(Issue.id).where(Issue.category.in_(CHARGES), or_(Issue.accused_id == person_id, Issue.id.in_(also)))).all()


def _whom_about(routing: Routing) -> tuple[list[Chief], set[str]]:
    """Return the chiefs whom a charge may be about, and the regions it must be heard above; none when nobody is known."""
    sides = [side for side in routing.involved if side.chief]
    if sides:
        reaches = {side.chief_reach.region.path for side in sides if side.chief_reach}
        return [side.chief for side in sides if side.chief], reaches | {side.chief.region_path for side in sides if side.chief}
    for reach in routing.candidates:
        if reach.chief:
            vacant = {side.reach.region.path for side in routing.involved}
            return [reach.chief], vacant | {reach.region.path, reach.chief.region_path}
    return [], set()


def refuse_no_charge(was: str, category: str) -> None:
    """Raise Invalid (422) when a charge would become something that the accused may read."""
    if is_charge(was) and not is_charge(category):
        raise Invalid(_STAYS_CHARGE, errors={"category": [_STAYS_CHARGE]})


def refuse_people_below(issue: Issue, people: Collection[Person], field: str) -> None:
    """Raise Invalid (422) at `field` when a charge would be handled by the accused or by somebody of no region above."""
    if not is_charge(issue.category):
        return
    accused = all_accused(issue)
    for person in people:
        if person.id in accused or not issue.region.path.startswith(person.region.path):
            words = _NOT_ABOVE.format(name=person.name)
            raise Invalid(words, errors={field: [words]})


def refuse_region_below(issue: Issue, path: str, field: str) -> None:
    """Raise Invalid (422) at `field` when a charge would be passed to a region that is not above whom it was about so far."""
    if is_charge(issue.category) and not issue.region.path.startswith(path):
        raise Invalid(_ONLY_UPWARDS, errors={field: [_ONLY_UPWARDS]})


def refuse_former_accused(issue: Issue, path: str, works_at: str) -> None:
    """Raise Invalid (422) when whoever a charge was about so far, who works in the region at `works_at`, would see it in that at `path`."""
    if path.startswith(works_at) or issue.reporter_id == issue.accused_id:
        raise Invalid(_ONLY_UPWARDS, errors={"reach_id": [_ONLY_UPWARDS]})

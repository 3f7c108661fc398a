"""Who is put in charge of an issue when it is dispatched: named people, a department, or the chief of the place."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.models import Issue
from patrol.people.actor import Actor
from patrol.people.departments import DEPARTMENTS
from patrol.people.models import Person, Region
from patrol.people.paths import paths_up
from patrol.people.permissions import Permission
from patrol.waters.models import Reach
from patrol.waters.queries import chiefs_on

_NOBODY = Text("没有这个人员，或不在您的辖区内：{who}", "There is nobody of that name or id in your area: {who}")
_DISABLED = Text("{who} 的账号已停用", "The account of {who} is disabled")
_CANNOT = Text("{who} 的角色不能处理问题", "The roles of {who} do not include handling issues")
_NO_DEPARTMENT = Text("没有代码为 {code} 的部门，可用：{codes}", "There is no department {code}; there are {codes}")
_NO_HANDLER = Text(
    "{name}在此地及上级没有可派的经办人：请指定责任人", "{name} has no handler at or above this place in your area: name a lead"
)
_NO_CHIEF = Text("该处没有在任河长：请指定责任人或部门", "Nobody is chief of that place now: name a lead or a department")
_ACCUSED = Text(
    "涉及河长履职的问题不能自动交给该河长：请指定责任人或部门",
    "What concerns a chief's duty is never given to that chief unseen: name a lead or a department",
)


def named_lead(who: str, *, by: Actor, field: str = "lead") -> Person:
    """Return the enabled account with this id or user name, of the actor's area, that may handle issues.

    Raises Invalid (422) at `field` otherwise.
    """
    return named_people([who], by=by, field=field)[0]


def named_people(names: Sequence[str], *, by: Actor, field: str) -> list[Person]:
    """Return several people as `named_lead` does one, each once, in the order named."""
    if not names:
        return []
    ids = {name: UUID(name) for name in names if is_id(name)}
    usernames = [name.strip().lower() for name in names if name not in ids]
    found = db.session.scalars(
        select(Person).where(Person.id.in_(ids.values()) | Person.username.in_(usernames)).options(joinedload(Person.region))
    ).all()
    by_name = {person.username: person for person in found} | {str(person.id): person for person in found}
    chosen = {}
    for name in names:
        person = by_name.get(str(ids[name]) if name in ids else name.strip().lower())
        fault = _NOBODY if person is None or not by.covers(person.region.path) else _fault_of(person)
        if person is None or fault:
            words = (fault or _NOBODY).format(who=name)
            raise Invalid(words, errors={field: [words]})
        chosen[person.id] = person
    return list(chosen.values())


def is_id(text: str) -> bool:
    """Tell whether a text is an account's id rather than a user name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def may_lead(person: Person) -> bool:
    """Tell whether an account can be in charge now: enabled, with a role that handles issues."""
    return _fault_of(person) is None


def why_no_lead(person: Person) -> Text | None:
    """Return why an account can handle nothing now, naming it; None when it can."""
    fault = _fault_of(person)
    return fault and fault.format(who=person.name)


def _fault_of(person: Person) -> Text | None:
    if person.disabled_at is not None:
        return _DISABLED
    return None if Permission.HANDLE_ISSUE in person.permissions else _CANNOT


def refuse_unknown_department(code: str) -> None:
    """Raise Invalid (422) at `department` when no department has this code."""
    if code not in DEPARTMENTS:
        words = _NO_DEPARTMENT.format(code=code, codes=", ".join(DEPARTMENTS))
        raise Invalid(words, errors={"department": [words]})


def handler_of(department: str, issue: Issue, *, by: Actor) -> Person:
    """Return the department's handler nearest to the issue, at or above its region and within the actor's area."""
    people = db.session.scalars(
        select(Person).join(Region, Region.id == Person.region_id).options(joinedload(Person.region))
        .where(Person.department == department, Person.disabled_at.is_(None))
    )  # fmt: skip
    able = [
        person for person in people
        if issue.region.path.startswith(person.region.path) and by.covers(person.region.path) and _fault_of(person) is None
    ]  # fmt: skip
    if not able:
        words = _NO_HANDLER.format(name=DEPARTMENTS[department].name)
        raise Invalid(words, errors={"department": [words]})
    return min(able, key=lambda person: (-len(person.region.path), person.username))


def chief_of_the_place(issue: Issue, *, day: date) -> Person:
    """Return the chief who answers for the issue's place: of its reach on `day`, else the one it was routed to.

    Raises Invalid (422) at `lead` when there is none, and for a charge against a chief.
    """
    if issue.category.startswith("F"):
        raise Invalid(_ACCUSED, errors={"lead": [_ACCUSED]})
    of_reach = chiefs_on([issue.reach_id], day).get(issue.reach_id, []) if issue.reach_id else []
    ids = [chief.person_id for chief in of_reach]
    if (routed := issue.routing["chief_id"]) is not None:
        ids.append(UUID(routed))
    people = {
        person.id: person
        for person in db.session.scalars(select(Person).where(Person.id.in_(ids)).options(joinedload(Person.region)))
    } if ids else {}  # fmt: skip
    for person_id in ids:
        if person_id in people and _fault_of(people[person_id]) is None:
            return people[person_id]
    raise Invalid(_NO_CHIEF, errors={"lead": [_NO_CHIEF]})


def superior_chiefs(issue: Issue, day: date) -> list[UUID]:
    """Return who answers, on a local `day`, for the same water at the next level above the issue's reach; none without one.

    `issue` needs its reach, region and co-handlers loaded. Levels without a chief are passed over, and so are all up to
    the one whose chief leads or co-handles the issue: nobody is his own superior.
    """
    if issue.reach is None:
        return []
    # The nearest superior first.
    above = paths_up(issue.region.path)[-2::-1]
    rows = db.session.execute(
        select(Reach.id, Region.path).join(Region, Region.id == Reach.region_id)
        .where(Reach.water_body_id == issue.reach.water_body_id, Region.path.in_(above), Reach.retired_at.is_(None))
    ).all()  # fmt: skip
    chiefs = chiefs_on([reach_id for reach_id, _ in rows], day)
    handles: set[UUID | None] = {issue.lead_id, *(person.id for person in issue.co_handlers)}
    superior: list[UUID] = []
    for path in above:
        found = [chief.person_id for reach_id, own in rows if own == path for chief in chiefs.get(reach_id, [])[:1]]
        if handles.intersection(found):
            superior = []
        elif not superior:
            superior = list(dict.fromkeys(found))
    return superior

"""Who does what when an issue is dispatched or given back: departments by the matrix, parts, owners, rulings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge
from patrol.issues.beside import rows_to_say
from patrol.issues.leads import (
    chief_of_the_place,
    handler_of,
    is_id,
    named_lead,
    named_people,
    refuse_unknown_department,
)
from patrol.issues.models import Issue, IssuePart
from patrol.issues.owners import keep_precedent
from patrol.issues.placing import departments_data
from patrol.people.actor import Actor
from patrol.people.departments import DEPARTMENTS
from patrol.people.models import Person, Region
from patrol.people.permissions import Role

OFFICE = "河长办"
_BY_OFFICE = Text("由派单的河长办指定", "Chosen by the office that dispatched")
_PAST = Text("分项期限必须晚于现在", "A part must be due in the future")
_LEAD_HAS_ALL = Text("责任人对整体负责，不另分项：{name}", "The lead answers for the whole and has no part besides: {name}")
_ONE_HOLDER = Text("person 与 department 须且只能填一项", "Exactly one of person and department is required")


@dataclass(frozen=True)
class Share:
    """A co-handler, with the part of the work that is theirs, if any."""

    person: Person
    department: str | None
    text: str | None
    due_at: datetime | None


def choose_lead(issue: Issue, brought: Mapping[str, Any], *, routed: Person | None, by: Actor, day: date) -> tuple[Person, str | None]:
    """Return who leads, and the department called in: as brought; else the chief of the place; else by the matrix.

    Where nobody is chief, the department that answers by the matrix leads. Raises Invalid (422) when that has none either.
    """
    department = brought.get("department")
    if department:
        refuse_unknown_department(department)
    if brought.get("lead"):
        return named_lead(brought["lead"], by=by), department
    if department:
        return handler_of(department, issue, by=by), department
    if routed is not None:
        return routed, None
    try:
        return chief_of_the_place(issue, day=day), None
    except Invalid as nobody:
        proposed = issue.routing["department"]
        if proposed is None or is_charge(issue.category):
            raise
        try:
            return handler_of(proposed["code"], issue, by=by), proposed["code"]
        except Invalid:
            raise nobody from None


def renew_ownership(issue: Issue, day: date) -> None:
    """Ask the matrix anew, since the category, the place or a row changed; nothing is written when it says the same."""
    said = departments_data(issue.category, issue.region.path, day)
    if any(issue.routing.get(name) != value for name, value in said.items()):
        issue.routing = {**issue.routing, **said}


def why_department(issue: Issue, department: str) -> dict[str, Any]:
    """Return why a department is called in: the row of the matrix that names it, or the office's own choice."""
    ownership = issue.routing["ownership"]
    rows = [*([ownership["lead"]] if ownership["lead"] else []), *ownership["co"], *ownership["proposals"]]
    row = next((row for row in rows if row["department"] == department), None)
    return {"department": department, **(_BY_OFFICE._asdict() if row is None else {key: row[key] for key in ("row_id", "zh", "en")})}


def shares_of(brought: Sequence[str | Mapping[str, Any]], issue: Issue, lead: Person, *, by: Actor) -> list[Share]:
    """Return the co-handlers in the order named, each a name or `{person | department, part, due_at}`.

    Raises Invalid (422) for nobody, for a part of the lead's own, and for a part due in the past.
    """
    plain = [who for who in brought if isinstance(who, str)]
    people = dict(zip(plain, _each(plain, by), strict=True))
    shares = [Share(people[who], None, None, None) if isinstance(who, str) else _share(who, issue, by) for who in brought]
    for share in shares:
        if share.text and share.person.id == lead.id:
            raise _fault(_LEAD_HAS_ALL.format(name=lead.name))
        if share.due_at is not None and share.due_at <= clock.now():
            raise _fault(_PAST)
    return [share for share in shares if share.person.id != lead.id]


def _each(names: Sequence[str], by: Actor) -> list[Person]:
    return [named_people([name], by=by, field="co_handlers")[0] for name in names]


def _share(who: Mapping[str, Any], issue: Issue, by: Actor) -> Share:
    name, department = who.get("person"), who.get("department")
    if bool(name) == bool(department):
        raise _fault(_ONE_HOLDER)
    if department:
        refuse_unknown_department(department)
        person = handler_of(department, issue, by=by)
    else:
        person = named_lead(str(name), by=by, field="co_handlers")
    return Share(person, department or None, who.get("part"), who.get("due_at"))


def _fault(words: Text) -> Invalid:
    return Invalid(words, errors={"co_handlers": [words]})


def give_parts(issue: Issue, shares: Sequence[Share]) -> list[dict[str, Any]]:
    """Add the parts of the shares to an issue whose earlier parts have ended; return them as the history tells them."""
    told = []
    for share in shares:
        if not share.text:
            continue
        part = IssuePart(
            issue_id=issue.id, n=max((row.n for row in issue.parts), default=0) + 1, person=share.person,
            person_id=share.person.id, department=share.department, text=share.text, due_at=share.due_at, state="open",
        )  # fmt: skip
        issue.parts.append(part)
        db.session.add(part)
        told.append({
            "n": part.n, "person": str(share.person.id), "name": share.person.name, "department": share.department,
            "part": share.text, "due_at": share.due_at.isoformat() if share.due_at else None,
        })  # fmt: skip
    return told


def end_parts(issue: Issue) -> dict[str, dict[str, Any]]:
    """End the open parts of an issue that goes back to the office: it is dispatched anew, with parts anew. Return them for the history."""
    said: dict[str, dict[str, Any]] = {}
    for part in issue.parts:
        if part.state == "open":
            part.state, part.ended_at = "taken_back", clock.now()
            said |= rows_to_say(part, "ended_at")
    return said


def keep_ruling(issue: Issue, lead: Person, department: str | None, *, by: Actor, day: date) -> str | None:
    """Make the office's ruling a precedent when it names a department, or a department's handler; return its row's id.

    A joint case settles its own place only, and what is said against a chief (F) sets no precedent.
    """
    department = department or (lead.department if lead.department in DEPARTMENTS else None)
    if department is None or issue.is_joint or is_charge(issue.category):
        return None
    return str(keep_precedent(issue, department, by=by, day=day))


def rightful_owner(words: str) -> dict[str, Any]:
    """Return whom a lead names as the rightful owner, as `{kind, code, name}`: department, office, region, chief or other.

    A department is known by its code or the end of its title ("区水利局"), also by the other names that districts have for it, a region by code or name, also with 河长办
    or 河长 behind it, a chief by account. Anybody else is kept in the lead's own words: a company or the neighbouring
    district may own a place, and the office reads who was meant before it rules.
    """
    said = words.strip()
    for find in (_department_named, _office_named, _chief_named):
        if (found := find(said)) is not None:
            return found
    return {"kind": "other", "code": None, "name": said}


def _department_named(said: str) -> dict[str, Any] | None:
    for row in DEPARTMENTS.values():
        if said.lower() in {row.code, row.name.en.lower()} or said.endswith((row.name.zh, *row.also)):
            return {"kind": "department", "code": row.code, "name": row.name.zh}
    return None


def _office_named(said: str) -> dict[str, Any] | None:
    kind, name = _kind_of_ending(said)
    if name in {"office", ""} and kind != "chief":
        return {"kind": "office", "code": None, "name": OFFICE}
    region = db.session.scalar(select(Region).where(or_(Region.code == name, Region.name == name)).order_by(Region.path).limit(1))
    return {"kind": kind, "code": region.code, "name": said} if region else None


def _kind_of_ending(said: str) -> tuple[str, str]:
    for ending, kind in (("河长办公室", "office"), (OFFICE, "office"), ("河长", "chief"), ("湖长", "chief")):
        if said.endswith(ending):
            return kind, said.removesuffix(ending)
    return "region", said


def _chief_named(said: str) -> dict[str, Any] | None:
    known = Person.id == UUID(said) if is_id(said) else Person.username == said.lower()
    person = db.session.scalar(select(Person).where(known, Person.disabled_at.is_(None)))
    if person is None or Role.CHIEF not in person.roles:
        return None
    return {"kind": "chief", "code": str(person.id), "name": person.title or person.username}

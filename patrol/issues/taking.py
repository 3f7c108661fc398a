"""One step being taken, and what several steps do to an issue: who is in charge of it, and its photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.assigning import end_parts
from patrol.issues.doubts import SHOW_TROUBLE
from patrol.issues.lifecycle import Step, Verb
from patrol.issues.models import CoHandler, Issue, IssuePhoto
from patrol.people.actor import Actor
from patrol.people.models import Person

PHOTO_KIND = {Verb.PROGRESS: "during", Verb.RECTIFY: "after", Verb.VERIFY: "after"}
_PHOTO_TWICE = Text("照片 {id} 已在此问题中，请拍摄新的照片", "The photo {id} is already on this issue: take a new one")
_NOT_BEFORE = Text("{id} 不是此问题的整改前照片", "{id} is no photo of this issue from before")


@dataclass
class Taking:
    """One step being taken: what came with it, and what it changes (`changes` and the `rows` beside the issue go into the history)."""

    issue: Issue
    step: Step
    by: Actor
    brought: Mapping[str, Any]
    photos: Sequence[Photo]
    now: datetime
    timezone: str
    tolerance_m: float
    lead: Person | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def change(self, name: str, value: Any, said: Any = None, before: Any = None) -> None:
        """Set a column of the issue and note it for the history as `{from, to}`; `said` and `before` are words for it."""
        old = getattr(self.issue, name)
        if old != value:
            said = value if said is None else said
            first = self.changes.get(name, {"from": plain(old if before is None else before)})
            self.changes[name] = {"from": first["from"], "to": plain(said)}
            setattr(self.issue, name, value)


def plain(value: Any) -> Any:
    """Return a value as the history keeps it: JSON knows no dates and no ids."""
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def set_lead(taking: Taking, lead: Person | None) -> None:
    """Put somebody in charge of the issue, or nobody."""
    before = taking.issue.lead
    taking.change("lead_id", lead.id if lead else None, named(lead), named(before))
    taking.issue.lead = lead


def named(person: Person | None) -> dict[str, str] | None:
    """Return a person as the history names one."""
    return {"id": str(person.id), "name": person.name} if person else None


def set_co_handlers(taking: Taking, people: list[Person]) -> None:
    """Let these people handle the issue beside its lead; they stand in the order in which all reads give them."""
    issue = taking.issue
    before, after = ({person.id: person for person in each} for each in (issue.co_handlers, people))
    if before.keys() == after.keys():
        return
    with db.session.no_autoflush:
        # By the database, whose order of user names the reads have: it may be another one than Python's.
        people = list(db.session.scalars(select(Person).where(Person.id.in_(after)).order_by(Person.username))) if len(after) > 1 else people
    taking.changes["co_handlers"] = {"from": [named(p) for p in issue.co_handlers], "to": [named(p) for p in people]}
    issue.co_handlers = people
    with db.session.no_autoflush:
        db.session.execute(delete(CoHandler).where(CoHandler.issue_id == issue.id, CoHandler.person_id.in_(before.keys() - after.keys())))
    db.session.add_all(CoHandler(issue_id=issue.id, person_id=each) for each in after.keys() - before.keys())


def call_back(taking: Taking) -> None:
    """Let nobody be in charge any more: the office dispatches anew."""
    set_lead(taking, None)
    set_co_handlers(taking, [])
    taking.change("department", None)
    taking.rows |= end_parts(taking.issue)
    taking.issue.dispatched_at = None


def attach_photos(taking: Taking) -> list[tuple[Photo, str]]:
    """Put the step's photos on the issue and return them with their kind. Raises Invalid (422) for one that is there, or tied to none."""
    if not taking.photos:
        return []
    issue, kind = taking.issue, PHOTO_KIND[taking.step.verb]
    before_id = taking.brought.get("before_photo_id") or _only_photo_before(taking)
    if before_id and before_id not in {link.photo_id for link in issue.photo_links if link.kind in SHOW_TROUBLE}:
        fault = _NOT_BEFORE.format(id=before_id)
        raise Invalid(fault, errors={"before_photo_id": [fault]})
    put_photos(issue, taking.photos, kind, before_photo_id=before_id)
    if before_id:
        taking.changes["before_photo"] = {"from": None, "to": str(before_id)}
    return [(photo, kind) for photo in taking.photos]


def put_photos(issue: Issue, photos: Sequence[Photo], kind: str, *, before_photo_id: UUID | None = None) -> None:
    """Put the photos of the next entry of its history on an issue. Raises Invalid (422) for one that is there."""
    there = {link.photo_id for link in issue.photo_links}
    for position, photo in enumerate(photos):
        if photo.id in there:
            fault = _PHOTO_TWICE.format(id=photo.id)
            raise Invalid(fault, errors={"photo_ids": [fault]})
        link = IssuePhoto(
            issue_id=issue.id, photo_id=photo.id, photo=photo, kind=kind, seq=issue.version + 1, position=position,
            before_photo_id=before_photo_id,
        )  # fmt: skip
        issue.photo_links.append(link)
        db.session.add(link)


def _only_photo_before(taking: Taking) -> UUID | None:
    """Return the photo that a cure can only be tied to: the one from before, where there is one."""
    if taking.step.verb is not Verb.RECTIFY:
        return None
    before = [link.photo_id for link in taking.issue.photo_links if link.kind in SHOW_TROUBLE]
    return before[0] if len(before) == 1 else None

"""The acts of the demo's stories: how each patrol, report, step and rating is done by the rooms' own actions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.demo.records import CheckIn, Issue, Patrol, Rating, Step, Stories
from patrol.demo.records import Photo as PhotoToBe
from patrol.evidence.actions import StoredPhoto, record_photo
from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.foundation.errors import Refusal
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import position_of
from patrol.foundation.same_content import content_digest
from patrol.foundation.settings import Settings
from patrol.issues.actions import report_issue
from patrol.issues.categories import Source
from patrol.issues.lifecycle import State, Verb, Who, find_step
from patrol.issues.models import Issue as IssueRow
from patrol.issues.steps import take_step
from patrol.patrols import actions as patrol_actions
from patrol.patrols.actions import AnnouncedPhoto
from patrol.patrols.models import Patrol as PatrolRow
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.queries import actor_of
from patrol.public.actions import NewComplaint, rate, send_complaint
from patrol.public.models import Complaint
from patrol.public.queries import issue_of
from patrol.waters.models import Reach

_BY_WHO_LEADS = {Who.LEAD, Who.LEAD_OR_CO_HANDLER}


@dataclass(frozen=True)
class Act:
    """One thing that happened: when, in which order among those of one moment, and how it is done."""

    at: datetime
    order: int
    play: Callable[[], None]


@dataclass
class Stage:
    """What the acts need: the settings, the stored photos by id, and who is who in the database.

    `skipped` tells of steps that the product refused, because it had sent the issue another way than the story thought.
    """

    settings: Settings
    photos: Mapping[UUID, StoredPhoto]
    issue_ids: dict[UUID, UUID] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @cached_property
    def actors(self) -> dict[str, Actor]:
        """Everybody by user name."""
        people = db.session.scalars(select(Person).options(joinedload(Person.region)))
        return {person.username: actor_of(person, person.region) for person in people}

    @cached_property
    def reach_ids(self) -> dict[str, UUID]:
        """Every reach's id by its code."""
        return {row.code: row.id for row in db.session.execute(select(Reach.code, Reach.id))}

    @property
    def place_and_time(self) -> dict[str, Any]:
        """The settings that routing and deadlines want as arguments."""
        return {"tolerance_m": float(self.settings.routing_tolerance_m), "timezone": self.settings.timezone}

    def recorded(self, photos: Sequence[PhotoToBe], owner: Actor | None) -> list[Photo]:
        """Write the rows of photos that somebody took."""
        return [
            record_photo(
                self.photos[photo.id], photo_id=photo.id, kind=photo.phase, owner_id=owner.person_id if owner else None,
                recorded_at=photo.recorded_at, latitude=photo.latitude, longitude=photo.longitude,
            )[0]
            for photo in photos
        ]


def acts_of(told: Stories, stage: Stage) -> Iterator[Act]:
    """Yield everything that happens in the stories, in no order."""
    for patrol in told.patrols:
        yield Act(patrol.started_at, 0, partial(_begin, stage, patrol))
        yield Act(patrol.ended_at, 4, partial(_finish, stage, patrol))
        for row in patrol.check_ins:
            yield Act(row.recorded_at, 1, partial(_check_in, stage, patrol, row))
    for issue in told.issues:
        report = _complain if issue.source == Source.CITIZEN else _report
        yield Act(issue.recorded_at, 2, partial(report, stage, issue))
        for step in issue.steps:
            yield Act(step.at, 3, partial(_step, stage, issue, step))
        if issue.rating:
            yield Act(issue.rating.at, 4, partial(_rate, stage, issue, issue.rating))


def _begin(stage: Stage, patrol: Patrol) -> None:
    fields: dict[str, Any] = {"mode": patrol.mode, "started_at": patrol.started_at, "on_behalf_of": None, "device": None,
              "reach_ids": [stage.reach_ids[code] for code in patrol.reach_codes]}
    patrol_actions.begin_patrol(by=stage.actors[patrol.username], id=patrol.id, digest=content_digest(fields),
                                timezone=stage.settings.timezone, **fields)


def _finish(stage: Stage, patrol: Patrol) -> None:
    row = db.session.get_one(PatrolRow, patrol.id)
    patrol_actions.finish_patrol(row, by=stage.actors[patrol.username], ended_at=patrol.ended_at, summary=patrol.summary)


def _check_in(stage: Stage, patrol: Patrol, row: CheckIn) -> None:
    by = stage.actors[patrol.username]
    photos = stage.recorded(row.photos, by)
    patrol_actions.check_in(
        by=by, id=row.id, position=position_of(_place(row, Datum(row.datum))), recorded_at=row.recorded_at, sent_at=None,
        patrol_id=patrol.id, reach_id=stage.reach_ids[row.reach_code], checklist=dict(row.checklist), note=row.note or None,
        announced=[AnnouncedPhoto(photo.id, photo.sha256) for photo in photos], brought=[],
        digest=content_digest({"id": row.id, "recorded_at": row.recorded_at}),
        tolerance_m=float(stage.settings.routing_tolerance_m),
    )


def _place(row: CheckIn | Issue, datum: Datum) -> dict[str, Any]:
    return {"latitude": row.latitude, "longitude": row.longitude, "accuracy_m": row.accuracy_m, "datum": datum}


def _digest(issue: Issue) -> str:
    return content_digest({"id": issue.id, "description": issue.description, "recorded_at": issue.recorded_at})


def _report(stage: Stage, issue: Issue) -> None:
    assert issue.reporter
    by = stage.actors[issue.reporter]
    report_issue(
        by=by, id=issue.id, category=issue.category, severity=issue.severity, description=issue.description,
        position=position_of(_place(issue, Datum.WGS84)), recorded_at=issue.recorded_at, source=Source(issue.source),
        photos=stage.recorded(issue.photos, by), patrol_id=issue.patrol_id, check_in_id=issue.check_in_id,
        digest=_digest(issue), **stage.place_and_time,
    )
    stage.issue_ids[issue.id] = issue.id


def _complain(stage: Stage, issue: Issue) -> None:
    contact = {"name": issue.contact.name, "phone": issue.contact.phone} if issue.contact else {}
    new = NewComplaint(
        id=issue.id, category=issue.category, description=issue.description, recorded_at=issue.recorded_at,
        position=position_of(_place(issue, Datum.WGS84)), board_code=issue.board_code, reach_id=None, contact=contact,
        photos=[stage.photos[photo.id] for photo in issue.photos], digest=_digest(issue),
    )
    complaint, _ = send_complaint(new, field_keys=stage.settings.field_key, **stage.place_and_time)
    stage.issue_ids[issue.id] = complaint.issue_id


def _step(stage: Stage, issue: Issue, step: Step) -> None:
    row = db.session.get_one(IssueRow, stage.issue_ids[issue.id])
    row_of_law = find_step(State(row.state), Verb(step.verb))
    if row_of_law is None and step.verb in {Verb.ACCEPT, Verb.DISPATCH}:
        return  # policy did it at intake
    by = stage.actors[step.actor]
    if row_of_law and row_of_law.who in _BY_WHO_LEADS and row.lead_id:
        by = next(actor for actor in stage.actors.values() if actor.person_id == row.lead_id)
    try:
        with db.session.begin_nested():
            take_step(
                issue_id=row.id, verb=Verb(step.verb), by=by, brought=_brought(stage, step),
                photos=stage.recorded(step.photos, by), expected_version=None, **stage.place_and_time,
            )
    except Refusal as refusal:
        stage.skipped.append(f"{step.verb} by {step.actor} on {row.state}: {refusal.detail.en} {refusal.errors}")


def _brought(stage: Stage, step: Step) -> dict[str, Any]:
    texts = {name: getattr(step, name) for name in ("note", "reason", "ground", "severity", "public_summary")}
    brought: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if step.verb == Verb.DISPATCH:
        brought |= {"department": step.department} if step.department else {"lead": step.lead} if step.lead else {}
    if step.reach_code:
        brought["reach_id"] = stage.reach_ids[step.reach_code]
    return brought


def _rate(_stage: Stage, issue: Issue, rating: Rating) -> None:
    complaint = db.session.get_one(Complaint, issue.id)
    row = issue_of(complaint)
    if row.state == State.CLOSED:
        rate(complaint, row, satisfied=rating.satisfied, score=rating.score, comment=rating.comment or None)

"""The acts of the demo's stories: how each patrol, report, step and rating is done by the rooms' own actions."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from patrol.demo.overseeing import oversight_acts
from patrol.demo.patrolling import duty_acts, patrol_acts
from patrol.demo.records import Issue, Rating, Step, Stories
from patrol.demo.stage import Act, Stage
from patrol.foundation.database import db
from patrol.foundation.errors import Refusal
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import Position, position_of
from patrol.foundation.same_content import content_digest
from patrol.issues.actions import report_issue
from patrol.issues.categories import Source
from patrol.issues.lifecycle import State, Verb, Who, find_step
from patrol.issues.models import Issue as IssueRow
from patrol.issues.steps import take_step
from patrol.public.actions import NewComplaint, rate, send_complaint
from patrol.public.models import Complaint
from patrol.public.queries import issue_of

_GENERAL_CHIEF = "chief.district"
_BROUGHT = ("note", "reason", "ground", "severity", "public_summary", "suggested_owner", "kind", "text", "review_on")
_BY_WHO_LEADS = {Who.LEAD, Who.LEAD_OR_CO_HANDLER}


def acts_of(told: Stories, stage: Stage) -> Iterator[Act]:
    """Yield everything that happens in the stories, in no order."""
    yield from duty_acts(told, stage)
    yield from oversight_acts(told, stage)
    for patrol in told.patrols:
        yield from patrol_acts(patrol, stage)
    for issue in told.issues:
        report = _complain if issue.source == Source.CITIZEN else _report
        yield Act(issue.recorded_at, 2, partial(report, stage, issue))
        for step in issue.steps:
            yield Act(step.at, 3, partial(_step, stage, issue, step))
        if issue.rating:
            yield Act(issue.rating.at, 4, partial(_rate, stage, issue, issue.rating))


def _position(issue: Issue) -> Position:
    place = {"latitude": issue.latitude, "longitude": issue.longitude, "accuracy_m": issue.accuracy_m}
    return position_of(place | {"datum": Datum.WGS84})


def _digest(issue: Issue) -> str:
    return content_digest({"id": issue.id, "description": issue.description, "recorded_at": issue.recorded_at})


def _report(stage: Stage, issue: Issue) -> None:
    assert issue.reporter
    by = stage.actors[issue.reporter]
    report_issue(
        by=by, id=issue.id, category=issue.category, severity=issue.severity, description=issue.description,
        position=_position(issue), recorded_at=issue.recorded_at, source=Source(issue.source),
        photos=stage.recorded(issue.photos, by), patrol_id=issue.patrol_id, check_in_id=issue.check_in_id,
        digest=_digest(issue), **stage.place_and_time,
    )
    stage.issue_ids[issue.id] = issue.id


def _complain(stage: Stage, issue: Issue) -> None:
    contact = {"name": issue.contact.name, "phone": issue.contact.phone} if issue.contact else {}
    new = NewComplaint(
        id=issue.id, category=issue.category, description=issue.description, recorded_at=issue.recorded_at,
        position=_position(issue), board_code=issue.board_code, reach_id=None, contact=contact,
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
        by = stage.actor_with_id(row.lead_id)
    try:
        with db.session.begin_nested():
            take_step(
                issue_id=row.id, verb=Verb(step.verb), by=by, brought=_brought(stage, step),
                photos=stage.recorded(step.photos, by), expected_version=None, **stage.place_and_time,
            )
    except Refusal as refusal:
        stage.skipped.append(f"{step.verb} by {step.actor} on {row.state}: {refusal.detail.en} {refusal.errors}")


def _brought(stage: Stage, step: Step) -> dict[str, Any]:
    brought: dict[str, Any] = {name: getattr(step, name) for name in _BROUGHT if getattr(step, name)}
    if step.verb == Verb.DISPATCH:
        brought |= {"department": step.department} if step.department else {"lead": step.lead} if step.lead else {}
    if step.co_handlers:
        brought["co_handlers"] = [{"department": department, "part": part} for department, part in step.co_handlers]
    if step.verb == Verb.SUSPEND:
        brought["milestones"] = [{"text": text, "due_on": day} for text, day in step.milestones]
        brought["approved_by"] = _GENERAL_CHIEF
    if step.into:
        brought["into"] = stage.issue_ids[step.into]
    if step.reach_code:
        brought["reach_id"] = stage.reach_ids[step.reach_code]
    return brought


def _rate(_stage: Stage, issue: Issue, rating: Rating) -> None:
    complaint = db.session.get_one(Complaint, issue.id)
    row = issue_of(complaint)
    if row.state == State.CLOSED:
        rate(complaint, row, satisfied=rating.satisfied, score=rating.score, comment=rating.comment or None)

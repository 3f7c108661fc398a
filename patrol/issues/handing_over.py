"""Open work changes hands, and the history says so: to a reach's new chief on the day on which he takes over, or to the office when its lead is lost.

An open part whose holder is lost stays with the issue; the history says that nobody does it, so that the office hears of it.

A lead is lost when the account can handle nothing any more, and when a chief's last appointment has ended.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.escalating import climb_first
from patrol.issues.events import EntryNoted
from patrol.issues.extensions import settle_request
from patrol.issues.history import HAND_OVER, PART_LEFT, add_entry
from patrol.issues.lifecycle import ENDED, UNDO_WITHIN, State
from patrol.issues.models import Issue, IssuePart
from patrol.issues.taking import named
from patrol.people.actor import SYSTEM
from patrol.people.events import HandlingLost
from patrol.people.models import Person
from patrol.people.permissions import Permission, Role, permissions_of
from patrol.waters.events import ReachHandedOver
from patrol.waters.models import Appointment
from patrol.waters.queries import reaches_of
from patrol.waters.terms import AIDE_TITLES, answers_for_reach

RULE, LEAD_LOST, APPOINTMENT_ENDED = "hand_over", "lead_lost", "appointment_ended"
ON_THE_DAY = "issues.hand_over"


@subscribe(ReachHandedOver)
def move_open_work(event: ReachHandedOver) -> None:
    """Let the successor lead the open issues that the predecessor leads on this reach, once the day is there."""
    timezone = current_app.extensions["settings"].timezone
    if event.on <= clock.today(timezone):
        _take_over(event.reach_id, event.from_person_id, event.to_person_id)
        return
    whose = {name: str(getattr(event, name)) for name in ("reach_id", "from_person_id", "to_person_id")}
    outbox.put(ON_THE_DAY, not_before=clock.beginning_of_day(event.on, timezone), **whose)


@outbox.delivers(ON_THE_DAY)
def move_on_the_day(payload: dict[str, Any]) -> Callable[[], Any]:
    """Move the open work of a hand-over whose day lay ahead when it was written down: also what came since."""
    return lambda: _take_over(*(UUID(payload[name]) for name in ("reach_id", "from_person_id", "to_person_id")))


def _take_over(reach_id: UUID, from_person_id: UUID, to_person_id: UUID) -> None:
    """Move the work if today the successor answers for the reach and the predecessor does not.

    Otherwise only a post beside the chief was handed over, or the days were changed since.
    """
    today = clock.today(current_app.extensions["settings"].timezone)
    if _answers(to_person_id, reach_id, today) and not _answers(from_person_id, reach_id, today):
        move_leads(reach_id, from_person_id, to_person_id)


def _answers(person_id: UUID, reach_id: UUID, day: date) -> bool:
    return any(reach.id == reach_id and answers_for_reach(title) for reach, title in reaches_of(person_id, day))


def move_leads(reach_id: UUID, from_person_id: UUID, to_person_id: UUID) -> int:
    """Move the open issues of one lead on one reach to another; return how many. The state stays as it is.

    An account that cannot handle issues gets none: they stay where somebody sees them.
    """
    successor = db.session.get(Person, to_person_id)
    if successor is None or successor.disabled_at is not None or Permission.HANDLE_ISSUE not in successor.permissions:
        return 0
    # A charge against a chief is led from above: whoever takes over the reach may be whom it is about.
    led = _open_issues(Issue.lead_id == from_person_id, Issue.accused_id.is_(None))
    issues = [issue for issue in led if _is_led_as_chief_of(issue, reach_id, from_person_id)]
    for issue in issues:
        _lead_by(issue, successor, RULE)
    return len(issues)


def _is_led_as_chief_of(issue: Issue, reach_id: UUID, person_id: UUID) -> bool:
    """Tell whether an issue lies on a reach, or on one that had no chief of its own, for which that of the other one answered as its superior."""
    if issue.reach_id == reach_id:
        return True
    answered = {row["reach"]["id"] for row in issue.routing["candidates"] if row["chief"] and row["chief"]["id"] == str(person_id)}
    return issue.routing["chief_id"] == str(person_id) and str(reach_id) in answered and str(issue.reach_id) not in answered


@subscribe(HandlingLost)
def leave_to_office(event: HandlingLost) -> None:
    """Take the lost lead off its open issues: the department that was called in, or else the office, leads from now on."""
    for issue in _open_issues(Issue.lead_id == event.person_id):
        _lead_by(issue, None, LEAD_LOST)


@subscribe(HandlingLost)
def tell_of_open_parts(event: HandlingLost) -> None:
    """Note on each open issue which parts of the work wait for somebody who can handle nothing any more."""
    held = IssuePart.person_id == event.person_id, IssuePart.state == "open"
    for issue in _open_issues(Issue.id.in_(select(IssuePart.issue_id).where(*held)), options=(selectinload(Issue.parts).joinedload(IssuePart.person),)):
        for part in issue.parts:
            if part.person_id == event.person_id and part.state == "open":
                changes = {"part": {"from": None, "to": part.n}, "holder": {"from": named(part.person), "to": None}}
                _note(issue, PART_LEFT, LEAD_LOST, changes)


@each_hour
def leave_work_of_former_chiefs() -> int:
    """Take those who are chief of nothing any more off the open issues that they were given in office; return how many."""
    with transaction():
        ids = _led_by_former_chiefs(current_app.extensions["settings"].timezone)
        issues = _open_issues(Issue.id.in_(ids)) if ids else []
        for issue in issues:
            _lead_by(issue, None, APPOINTMENT_ENDED)
    return len(issues)


def _led_by_former_chiefs(timezone: str) -> list[UUID]:
    """Return the open issues of leads whose appointments have all ended, the last one since they were put in charge.

    Who handles issues by another role too goes on, and so does whomever the office named later, knowing that.
    """
    other, today = aliased(Appointment), clock.today(timezone)
    goes_on = select(other.id).where(
        other.person_id == Appointment.person_id, other.title.not_in(AIDE_TITLES), or_(other.valid_to.is_(None), other.valid_to >= today)
    )
    rows = db.session.execute(
        select(Issue.id, Person, Issue.dispatched_at, Appointment.valid_to).join(Person, Person.id == Issue.lead_id).join(Appointment, Appointment.person_id == Person.id)
        .where(
            Appointment.valid_to < today, Appointment.title.not_in(AIDE_TITLES), ~goes_on.correlate(Appointment).exists(),
            Issue.state.not_in([state.value for state in ENDED]),
        )
    ).all()  # fmt: skip
    return list({
        issue_id for issue_id, person, dispatched_at, valid_to in rows
        if dispatched_at and valid_to and clock.local_date(dispatched_at, timezone) <= valid_to and not _handles_otherwise(person)
    })  # fmt: skip


def _handles_otherwise(person: Person) -> bool:
    return Role.CHIEF not in person.roles or Permission.HANDLE_ISSUE in permissions_of(person.roles - {Role.CHIEF})


def _open_issues(*conditions: ColumnElement[bool], options: Sequence[ORMOption] = ()) -> Sequence[Issue]:
    open_states = [state for state in State if state not in ENDED]
    # What was merged lately may come back as it was, and then must not have a lead who is gone.
    may_come_back = Issue.merged_at >= clock.now() - UNDO_WITHIN
    return db.session.scalars(
        select(Issue).where(*conditions, or_(Issue.state.in_(open_states), may_come_back))
        # As everybody locks several issues: from the newer to the older.
        .order_by(Issue.id.desc()).options(joinedload(Issue.lead), *options)
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    ).all()  # fmt: skip


def _lead_by(issue: Issue, lead: Person | None, rule: str) -> None:
    # An order whose time has come goes to whoever leads until now.
    climb_first(issue, clock.now(), current_app.extensions["settings"].timezone)
    change = {"from": named(issue.lead), "to": named(lead)}
    issue.lead_id, issue.lead = lead.id if lead else None, lead
    _note(issue, HAND_OVER, rule, {"lead_id": change})
    settle_request(issue)


def _note(issue: Issue, verb: str, rule: str, changes: dict[str, Any]) -> None:
    entry = add_entry(issue, verb=verb, by=SYSTEM, from_state=issue.state, rule=rule, changes=changes)
    events.record(EntryNoted(issue_id=issue.id, verb=verb, seq=entry.seq))

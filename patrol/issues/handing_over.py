"""Open work changes hands, and the history says so: to a reach's new chief, or to the office when its lead is lost."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.events import EntryNoted
from patrol.issues.extensions import settle_request
from patrol.issues.history import HAND_OVER, add_entry
from patrol.issues.lifecycle import ENDED, UNDO_WITHIN, State
from patrol.issues.models import Issue
from patrol.people.actor import SYSTEM
from patrol.people.events import HandlingLost
from patrol.people.models import Person
from patrol.people.permissions import Permission
from patrol.waters.events import ReachHandedOver

RULE, LEAD_LOST = "hand_over", "lead_lost"


@subscribe(ReachHandedOver)
def move_open_work(event: ReachHandedOver) -> None:
    """Let the successor lead the open issues that the predecessor leads on this reach."""
    move_leads(event.reach_id, event.from_person_id, event.to_person_id)


def move_leads(reach_id: UUID, from_person_id: UUID, to_person_id: UUID) -> int:
    """Move the open issues of one lead on one reach to another; return how many. The state stays as it is.

    An account that cannot handle issues gets none: they stay where somebody sees them.
    """
    successor = db.session.get(Person, to_person_id)
    if successor is None or successor.disabled_at is not None or Permission.HANDLE_ISSUE not in successor.permissions:
        return 0
    # A charge against a chief is led from above: whoever takes over the reach may be whom it is about.
    issues = _open_issues(Issue.reach_id == reach_id, Issue.lead_id == from_person_id, Issue.accused_id.is_(None))
    for issue in issues:
        _lead_by(issue, successor, RULE)
    return len(issues)


@subscribe(HandlingLost)
def leave_to_office(event: HandlingLost) -> None:
    """Take the lost lead off its open issues: the department that was called in, or else the office, leads from now on."""
    for issue in _open_issues(Issue.lead_id == event.person_id):
        _lead_by(issue, None, LEAD_LOST)


def _open_issues(*conditions: ColumnElement[bool]) -> Sequence[Issue]:
    open_states = [state for state in State if state not in ENDED]
    # What was merged lately may come back as it was, and then must not have a lead who is gone.
    may_come_back = Issue.merged_at >= clock.now() - UNDO_WITHIN
    return db.session.scalars(
        select(Issue).where(*conditions, or_(Issue.state.in_(open_states), may_come_back))
        .order_by(Issue.id).options(joinedload(Issue.lead))
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    ).all()  # fmt: skip


def _lead_by(issue: Issue, lead: Person | None, rule: str) -> None:
    change = {"from": _named(issue.lead), "to": _named(lead)}
    issue.lead_id, issue.lead = lead.id if lead else None, lead
    entry = add_entry(issue, verb=HAND_OVER, by=SYSTEM, from_state=issue.state, rule=rule, changes={"lead_id": change})
    events.record(EntryNoted(issue_id=issue.id, verb=HAND_OVER, seq=entry.seq))
    settle_request(issue)


def _named(person: Person | None) -> dict[str, str] | None:
    return {"id": str(person.id), "name": person.name} if person else None

"""A reach gets another chief: the open work of the one before moves to the successor, and the history says so."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.history import HAND_OVER, add_entry
from patrol.issues.lifecycle import ENDED, State
from patrol.issues.models import Issue
from patrol.people.actor import SYSTEM
from patrol.people.models import Person
from patrol.people.permissions import Permission
from patrol.waters.events import ReachHandedOver

RULE = "hand_over"


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
    open_states = [state for state in State if state not in ENDED]
    issues = db.session.scalars(
        select(Issue)
        .where(Issue.reach_id == reach_id, Issue.lead_id == from_person_id, Issue.state.in_(open_states))
        .order_by(Issue.id).options(joinedload(Issue.lead))
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    for issue in issues:
        before = issue.lead
        issue.lead_id, issue.lead = successor.id, successor
        change = {
            "from": {"id": str(from_person_id), "name": before.name if before else ""},
            "to": {"id": str(successor.id), "name": successor.name},
        }
        add_entry(
            issue, verb=HAND_OVER, by=SYSTEM, from_state=issue.state, rule=RULE,
            changes={"lead_id": change},
        )  # fmt: skip
    return len(issues)

"""How a watch list reads: each thing with how it stands now, read in three statements however long it is."""

from collections.abc import Sequence
from typing import Any

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.issues.due import is_overdue
from patrol.issues.models import Issue
from patrol.issues.queries import visible_to
from patrol.people.actor import Actor
from patrol.supervision.models import Watch
from patrol.supervision.queries import overdue_on
from patrol.waters.models import Reach
from patrol.waters.queries import visible_reaches


def shown_watches(rows: Sequence[Watch], actor: Actor) -> list[dict[str, Any]]:
    """Return the watches as they read; what the actor no longer sees keeps its note and shows nothing of itself."""
    ids = [row.subject_id for row in rows]
    issues = {issue.id: issue for issue in db.session.scalars(visible_to(actor).where(Issue.id.in_(ids))).unique()}
    reaches = {reach.id: reach for reach in db.session.scalars(visible_reaches(actor).where(Reach.id.in_(ids))).unique()}
    standing = overdue_on(list(reaches), actor) if reaches else {}
    return [_shown(row, issues.get(row.subject_id), reaches.get(row.subject_id), standing.get(row.subject_id, (0, 0))) for row in rows]


def _shown(row: Watch, issue: Issue | None, reach: Reach | None, standing: tuple[int, int]) -> dict[str, Any]:
    name, facts = "", dict[str, Any]()
    if issue is not None:
        name, facts = issue.number, {
            "state": issue.state, "overdue": is_overdue(issue.state, issue.due_at, clock.now()), "due_at": issue.due_at.isoformat(),
            "returned_times": issue.returned_times, "reopened_times": issue.reopened_times,
        }  # fmt: skip
    elif reach is not None:
        name, facts = reach.name, {"code": reach.code, "open_issues": standing[0], "overdue_issues": standing[1]}
    return {"kind": row.subject_kind, "id": row.subject_id, "name": name, "note": row.note, "facts": facts, "created_at": row.created_at}

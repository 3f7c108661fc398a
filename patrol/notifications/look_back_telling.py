"""Look-backs become messages of those who may do them, when they are drawn and when they are late."""

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.events import LookBackWaits
from patrol.issues.models import Issue, number_of
from patrol.notifications.recipients import Recipients, inspectors_of
from patrol.notifications.telling import write_notes


@subscribe(LookBackWaits)
def tell_of_look_back(event: LookBackWaits) -> None:
    """Let the worker tell of a look-back that was drawn, or is late."""
    outbox.put(
        "notifications.look_back", issue_id=str(event.issue_id), check_id=str(event.check_id), turn=event.kind,
        due_on=event.due_on.isoformat(),
    )  # fmt: skip


@outbox.delivers("notifications.look_back")
def tell(payload: dict[str, Any]) -> outbox.Write:
    """Tell the inspectors of the issue's place, each once; no group and no webhook hears what is planned."""
    issue = db.session.scalars(
        select(Issue).where(Issue.id == UUID(payload["issue_id"])).options(joinedload(Issue.region), joinedload(Issue.reach))
    ).one()
    facts = {
        "number": number_of(issue.serial), "category": issue.category, "place": issue.reach.name if issue.reach else issue.region.name,
        "last_day": payload["due_on"],
    }  # fmt: skip
    return partial(
        write_notes, cause=f"look_back:{payload['check_id']}:{payload['turn']}", kind=f"look_back.{payload['turn']}", subject_kind="issue",
        subject_id=issue.id, facts=facts, recipients=Recipients(inspectors_of(issue), None), region_path=None, payload={},
    )  # fmt: skip

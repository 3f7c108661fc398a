"""Serious findings that came after a check become messages of who checked, and of the office."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.issues.events import ProofDoubted
from patrol.issues.judging import JUDGING
from patrol.issues.lifecycle import Verb
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.notifications.recipients import recipients_of
from patrol.notifications.telling import write_notes
from patrol.notifications.templates import FINDINGS_AFTER_CHECK, TEMPLATES


@subscribe(ProofDoubted)
def tell_of_doubts(event: ProofDoubted) -> None:
    """Let the worker tell of findings that nobody could know at the check."""
    outbox.put("notifications.doubts", issue_id=str(event.issue_id))


@outbox.delivers("notifications.doubts")
def tell(payload: dict[str, Any]) -> outbox.Write:
    """Tell who found the last cure good and the office, each once a cure however often its photos are examined."""
    issue = db.session.scalars(
        select(Issue).where(Issue.id == UUID(payload["issue_id"]))
        .options(joinedload(Issue.region), joinedload(Issue.reach), selectinload(Issue.co_handlers))
    ).one()  # fmt: skip
    steps = db.session.execute(
        select(HistoryEntry.seq, HistoryEntry.verb, HistoryEntry.actor_id)
        .where(HistoryEntry.issue_id == issue.id, HistoryEntry.verb.in_([Verb.RECTIFY.value, *JUDGING])).order_by(HistoryEntry.seq)
    ).all()  # fmt: skip
    cure = max((seq for seq, verb, _ in steps if verb == Verb.RECTIFY), default=0)
    checkers = [actor_id for seq, verb, actor_id in steps if seq > cure and actor_id]
    facts = {"number": number_of(issue.serial), "category": issue.category, "place": issue.reach.name if issue.reach else issue.region.name}
    today = clock.today(current_app.extensions["settings"].timezone)
    return partial(
        write_notes, cause=f"doubts:{issue.id}:{cure}", kind=FINDINGS_AFTER_CHECK, subject_kind="issue", subject_id=issue.id, facts=facts,
        recipients=recipients_of(issue, TEMPLATES[FINDINGS_AFTER_CHECK].to, but=None, day=today, named=checkers), region_path=None, payload={},
    )  # fmt: skip

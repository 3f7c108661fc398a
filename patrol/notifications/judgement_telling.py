"""Judgements of findings, and their withdrawals, become messages of whoever walked the patrol, with the verdict after them."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.notifications.recipients import Recipients
from patrol.notifications.telling import write_notes
from patrol.notifications.templates import JUDGEMENT_WITHDRAWN, PATROL_JUDGED
from patrol.patrols.events import FindingJudged
from patrol.patrols.examination_input import input_of
from patrol.patrols.examination_models import Examination, FindingStatement
from patrol.patrols.models import Patrol
from patrol.patrols.standing import JUDGEMENT, in_force
from patrol.patrols.statement_queries import statements_on
from patrol.people.models import Person

LOOKED_AT_AGAIN = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
"""So long a message waits for the examination that follows a judgement; then it says that the verdict is still being reckoned."""


@subscribe(FindingJudged)
def tell_of_judgement(event: FindingJudged) -> None:
    """Let the worker tell of a judgement, or that one was taken back."""
    outbox.put("notifications.judged", statement_id=str(event.statement_id))


@outbox.delivers("notifications.judged")
def tell(payload: dict[str, Any]) -> outbox.Write:
    """Tell whoever walked the patrol, once a statement; no group and no webhook hears of it.

    Raises NotYet while the examination that the judgement asks for has not been made.
    """
    said = db.session.get_one(FindingStatement, UUID(payload["statement_id"]))
    patrol = db.session.scalars(select(Patrol).where(Patrol.id == said.patrol_id).options(selectinload(Patrol.reaches))).one()
    people = db.session.scalars(select(Person.id).where(Person.id == patrol.person_id, Person.disabled_at.is_(None))).all()
    timezone, before = clock.home_timezone(), [row for row in statements_on(patrol.id) if row.code == said.code and row.at <= said.at]
    facts = {
        "day": clock.local_date(patrol.started_at, timezone).isoformat(), "place": "、".join(reach.name for reach in patrol.reaches),
        "finding": said.code, "judgement": in_force(before, patrol.person_id).judgement, "reason": said.text,
        "actor": db.session.scalar(select(Person.name).where(Person.id == said.person_id)), "verdict": _verdict_after(said, patrol, timezone),
    }  # fmt: skip
    return partial(
        write_notes, cause=f"judged:{said.id}", kind=PATROL_JUDGED if said.kind == JUDGEMENT else JUDGEMENT_WITHDRAWN, subject_kind="patrol",
        subject_id=patrol.id, facts=facts, recipients=Recipients(people, None), region_path=None, payload={},
    )  # fmt: skip


def _verdict_after(said: FindingStatement, patrol: Patrol, timezone: str) -> str | None:
    """Return the verdict of an examination that knows the statement; None where none was made in time."""
    given, known = input_of(patrol, timezone=timezone), db.session.get(Examination, patrol.id)
    if known is not None and (given.purged or known.input_hash == given.digest):
        return known.verdict
    now, latest = clock.now(), said.at + LONGEST_WAIT
    if now < latest:
        raise outbox.NotYet(min(now + LOOKED_AT_AGAIN, latest))
    return None

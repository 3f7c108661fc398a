"""The open ledger (挂账): an issue that needs works waits there with milestones and a review date."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge
from patrol.issues.categories import Severity
from patrol.issues.lifecycle import Verb
from patrol.issues.models import HistoryEntry
from patrol.issues.signing import saying_who, who_can_sign
from patrol.issues.taking import Taking, named
from patrol.people.models import Person
from patrol.waters.shown import brief_region

MOST_DAYS_TO_REVIEW = 366
"""What is on the ledger is looked at again within a year, whatever the works take."""
_ANSWERS = ("approved_by", "reported_to")
_REVIEW_PAST = Text("复查日期必须晚于今天", "The day of the review must lie after today")
_REVIEW_FAR = Text("复查日期最多在 {days} 天以后", "The review lies at most {days} days ahead")
_MILESTONE_PAST = Text("节点日期不能早于今天", "A milestone cannot be due before today")

_NOT_APPROVED = Text(
    "重大问题挂账须经总河长批准：请在 approved_by 中填写批准人",
    "What is major goes on the ledger with the general chief's approval: name that chief in `approved_by`",
)
_NOT_HIM = Text("approved_by 须是今天可以批准本件挂账的总河长", "`approved_by` must be a general chief who can approve this one today")
_CHARGE = Text("涉及河长履职的问题不由河长批准挂账，请勿填写", "No chief approves of a charge against a chief: leave it out")


def suspend(taking: Taking) -> None:
    """Put the issue on the ledger.

    Raises Invalid (422) without the general chief's approval, for a review or a milestone in the past, and a review too far ahead.
    """
    review_on, today = taking.brought["review_on"], clock.local_date(taking.now, taking.timezone)
    _approve(taking, today)
    if review_on <= today:
        raise Invalid(_REVIEW_PAST, errors={"review_on": [_REVIEW_PAST]})
    if review_on > today + timedelta(days=MOST_DAYS_TO_REVIEW):
        fault = _REVIEW_FAR.format(days=MOST_DAYS_TO_REVIEW)
        raise Invalid(fault, errors={"review_on": [fault]})
    if any(row["due_on"] < today for row in taking.brought["milestones"]):
        raise Invalid(_MILESTONE_PAST, errors={"milestones": [_MILESTONE_PAST]})
    milestones = [{"text": row["text"], "due_on": row["due_on"].isoformat()} for row in taking.brought["milestones"]]
    taking.issue.suspended_at = taking.now
    taking.change("review_on", review_on)
    taking.change("milestones", milestones)


def _approve(taking: Taking, today: date) -> None:
    """Note which general chief approves, who may be the one who takes the step, or, where the office names nobody, is told.

    A charge, which no chief sees, needs none.

    Raises Invalid (422) for somebody who cannot, and for a major issue where nobody is named.
    """
    whom = (taking.brought.get("approved_by") or "").strip()
    if is_charge(taking.issue.category):
        if whom:
            raise Invalid(_CHARGE, errors={"approved_by": [_CHARGE]})
        return
    able = who_can_sign(taking.issue, today)
    signer = next((person for person in able if person.id == taking.by.person_id and not whom), None)
    chosen = signer or next((person for person in able if whom.lower() in (person.username, str(person.id))), None)
    if chosen is None and not whom and taking.issue.severity != Severity.MAJOR:
        # The office may act with its chief's word alone; but the chief hears of it, and so of a word that was not given.
        if able:
            taking.changes["reported_to"] = {"from": None, "to": named(able[0])}
        return
    if chosen is None:
        fault = saying_who(_NOT_HIM if whom else _NOT_APPROVED, taking.issue, today)
        raise Invalid(fault, errors={"approved_by": [fault]})
    taking.changes["approved_by"] = {"from": None, "to": named(chosen)}


def who_answers(issue_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return who answers for issues on the ledger, by id: the general chief who approved, and the one to whom it was reported.

    Both are None for a charge, and where no chief could be told. Two statements at most.
    """
    if not issue_ids:
        return {}
    rows = db.session.execute(
        select(HistoryEntry.issue_id, HistoryEntry.changes).where(HistoryEntry.issue_id.in_(issue_ids), HistoryEntry.verb == Verb.SUSPEND)
        .order_by(HistoryEntry.seq)
    )  # fmt: skip
    answers = {row.issue_id: {how: row.changes[how]["to"] for how in _ANSWERS if how in row.changes} for row in rows}
    ids = {UUID(chief["id"]) for chiefs in answers.values() for chief in chiefs.values()}
    people = db.session.scalars(select(Person).where(Person.id.in_(ids)).options(joinedload(Person.region))).all() if ids else ()
    shown = {str(person.id): _shown_chief(person) for person in people}
    none: dict[str, Any] = dict.fromkeys(_ANSWERS)
    return {issue_id: none | {how: shown[to["id"]] for how, to in answers.get(issue_id, {}).items()} for issue_id in issue_ids}


def _shown_chief(person: Person) -> dict[str, Any]:
    return {"id": person.id, "name": person.name, "title": person.title, "region": brief_region(person.region)}


def leave_ledger(taking: Taking) -> None:
    """Take the issue off the ledger."""
    taking.issue.suspended_at = None
    taking.change("review_on", None)
    taking.change("milestones", None)

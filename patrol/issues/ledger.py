"""The open ledger (挂账): an issue that needs works waits there with milestones and a review date."""

from datetime import timedelta

from patrol.foundation import clock
from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text
from patrol.issues.taking import Taking

MOST_DAYS_TO_REVIEW = 366
"""What is on the ledger is looked at again within a year, whatever the works take."""
_REVIEW_PAST = Text("复查日期必须晚于今天", "The day of the review must lie after today")
_REVIEW_FAR = Text("复查日期最多在 {days} 天以后", "The review lies at most {days} days ahead")
_MILESTONE_PAST = Text("节点日期不能早于今天", "A milestone cannot be due before today")


def suspend(taking: Taking) -> None:
    """Put the issue on the ledger. Raises Invalid (422) for a review or a milestone in the past, and a review too far ahead."""
    review_on, today = taking.brought["review_on"], clock.local_date(taking.now, taking.timezone)
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


def leave_ledger(taking: Taking) -> None:
    """Take the issue off the ledger."""
    taking.issue.suspended_at = None
    taking.change("review_on", None)
    taking.change("milestones", None)

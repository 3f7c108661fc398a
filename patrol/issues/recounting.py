"""Counting open issues again: what a version of a limit or of the calendar would change, and the act of changing it.

A new version counts for what is counted while it is in force. Due dates that stand are moved only by the explicit act
here, ordered by a person and done by the worker in batches.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.categories import Severity
from patrol.issues.deadlines import Deadline, Stage, Unit, count
from patrol.issues.due import CLOCK_RUNS, take_deadline
from patrol.issues.escalating import climb_first, note_late, rungs_reached
from patrol.issues.escalation import Basis, Rung
from patrol.issues.events import DueMoved
from patrol.issues.history import RECOUNT, add_entry
from patrol.issues.models import Issue
from patrol.issues.policies import Policies
from patrol.issues.policies_held import current_policies
from patrol.issues.policy_actions import refuse_below_the_top
from patrol.issues.policy_models import PolicyApplication
from patrol.issues.suspension import stood_still
from patrol.issues.taking import named
from patrol.people.actions import note_audit
from patrol.people.actor import SYSTEM, Actor

BATCH = 200
READ_AT_ONCE = 1_000
APPLY = "issues.apply_policies"
_IS_RUNNING = Issue.state.in_([state.value for state in CLOCK_RUNS])
_MOST_URGENT_FIRST = (Issue.due_at, Issue.id)
_NONE = Text("没有这次重新计算", "There is no such recount")


class Recount:
    """Counts due dates again by the policies of one day; like cases are counted once."""

    def __init__(self, policies: Policies, day: date, timezone: str) -> None:
        """Take the limits in force on the local `day`."""
        self._limits, self._calendar, self._zone = policies.limits_on(day), policies.calendar, ZoneInfo(timezone)
        self._counted: dict[tuple[str, str, str, date], Deadline] = {}

    def again(self, severity: str, category: str, rule: Mapping[str, Any]) -> tuple[Deadline, datetime] | None:
        """Return the deadline of stored `due_rule` data counted again, and since when; None when it is to be kept.

        Kept is what a person decided (a date set, an extension) and what stood still on the ledger.
        """
        if rule.get("unit") is None or stood_still(rule["explanation"]):
            return None
        since = datetime.fromisoformat(rule["since"])
        key = (rule["stage"], severity, category, since.astimezone(self._zone).date())
        deadline = self._counted.get(key)
        if deadline is None:
            deadline = count(Stage(rule["stage"]), Severity(severity), category, since, self._calendar, self._zone, self._limits)
            if deadline.limit.unit is not Unit.HOURS:
                self._counted[key] = deadline
        return deadline, since


def rungs_at_once(ladder: Sequence[Rung], issue_id: UUID, before: datetime, reached: Collection[tuple[UUID, str, datetime]]) -> list[str]:
    """Return the rungs that an issue reaches at once when its due date moves from `before` into the past.

    Only that it is late is told, and only once: graver orders follow in the days after the recount.
    """
    first = [rung.code for rung in ladder if rung.basis == Basis.WORKING_DAYS_AFTER and rung.amount == 0]
    return [code for code in first if (issue_id, code, before) not in reached]


def running_issues(*columns: InstrumentedAttribute[Any], most: int) -> Iterator[Sequence[Any]]:
    """Yield `due_at`, `id` and `columns` of the issues whose clock runs, the soonest due first, `most` at most.

    Which ones is asked once; what is stored with them is read in batches, each statement for itself.
    """
    ids = db.session.scalars(select(Issue.id).where(_IS_RUNNING).order_by(*_MOST_URGENT_FIRST).limit(most)).all()
    for start in range(0, len(ids), READ_AT_ONCE):
        batch = select(Issue.due_at, Issue.id, *columns).where(Issue.id.in_(ids[start:start + READ_AT_ONCE]), _IS_RUNNING)
        yield from db.session.execute(batch.order_by(*_MOST_URGENT_FIRST)).all()


def apply_to_open(*, by: Actor, id: UUID, reason: str, today: date) -> tuple[PolicyApplication, bool]:  # noqa: A002
    """Order that the due dates of all open issues are counted again by what is in force today; the worker does it.

    Returns the act and whether it is new. Raises NotAllowed (403) below the top region, Conflict (409) for other content
    under the id.
    """
    refuse_below_the_top(by)
    digest = content_digest({"reason": reason})
    known = db.session.get(PolicyApplication, id, options=[joinedload(PolicyApplication.ordered_by)])
    if known is not None:
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    row = PolicyApplication(
        id=id, on_day=today, reason=reason, digest=digest, ordered_at=clock.now(), ordered_by_id=by.person_id, looked_at=0, moved=0, kept=0
    )
    db.session.add(row)
    db.session.flush()
    outbox.put(APPLY, application_id=str(id))
    note_audit(by, "apply_policies", str(id), on=str(today), reason=reason)
    return get_application(id), True


def get_application(application_id: UUID) -> PolicyApplication:
    """Return an ordered recount with who ordered it. Raises NotFound (404)."""
    row = db.session.scalar(
        select(PolicyApplication).where(PolicyApplication.id == application_id).options(joinedload(PolicyApplication.ordered_by))
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if row is None:
        raise NotFound(_NONE)
    return row


@outbox.delivers(APPLY)
def apply_some(payload: dict[str, Any]) -> outbox.Write:
    """Count one batch again; the next one is a row of the outbox again, written with where this one ended."""
    return partial(_apply_batch, UUID(payload["application_id"]), current_app.extensions["settings"].timezone)


def _apply_batch(application_id: UUID, timezone: str) -> None:
    act = db.session.get(PolicyApplication, application_id, with_for_update={"of": PolicyApplication}, populate_existing=True,
                         options=[joinedload(PolicyApplication.ordered_by)])
    if act is None or act.finished_at is not None:
        return
    batch = select(Issue).where(_IS_RUNNING).order_by(Issue.id).limit(BATCH)
    if act.last_issue_id is not None:
        batch = batch.where(Issue.id > act.last_issue_id)
    issues = db.session.scalars(batch.with_for_update().execution_options(populate_existing=True)).all()
    recount = Recount(current_policies(), act.on_day, timezone)
    for issue in issues:
        counted = recount.again(issue.severity, issue.category, issue.due_rule)
        if counted is None:
            act.kept += 1
        elif counted[0].due_at != issue.due_at:
            _move(issue, act, timezone, *counted)
            act.moved += 1
    act.looked_at += len(issues)
    if len(issues) < BATCH:
        act.finished_at = clock.now()
        return
    act.last_issue_id = issues[-1].id
    outbox.put(APPLY, application_id=str(application_id))


def _move(issue: Issue, act: PolicyApplication, timezone: str, deadline: Deadline, since: datetime) -> None:
    climb_first(issue, clock.now(), timezone)
    before = {"due_at": issue.due_at.isoformat(), "last_day": issue.due_rule["last_day"], "rule": issue.due_rule["rule"]}
    old, now = issue.due_at, clock.now()
    take_deadline(issue, deadline, since)
    # Who becomes late at once is told so; reminders of times past are not sent, and graver orders count from the recount.
    issue.next_escalation_at = min(now, issue.due_at)
    if issue.due_at <= now:
        note_late(issue, now, {code for _, code, due in rungs_reached([issue.id]) if due == old})
    after = {"due_at": issue.due_at.isoformat(), "last_day": issue.due_rule["last_day"], "rule": deadline.rule}
    changes: dict[str, Any] = {name: {"from": before[name], "to": after[name]} for name in after}
    changes["ordered_by"] = {"from": None, "to": named(act.ordered_by) or SYSTEM.name}
    changes["policy_application"] = {"from": None, "to": str(act.id)}
    entry = add_entry(
        issue, verb=RECOUNT, by=SYSTEM, from_state=issue.state, rule=deadline.rule, brought={"reason": act.reason}, changes=changes
    )
    events.record(DueMoved(issue_id=issue.id, seq=entry.seq))

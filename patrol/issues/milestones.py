"""The milestones of an issue on the ledger: reported as done, one by one, with a note. Never commits."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.issues.allowed import leads
from patrol.issues.deciding import renew_decision
from patrol.issues.escalating import climb_first
from patrol.issues.history import MILESTONE_DONE, add_entry
from patrol.issues.lifecycle import State
from patrol.issues.models import Issue
from patrol.issues.queries import actor_facts, issue_facts, locked_issue
from patrol.people.actor import Actor
from patrol.people.permissions import Permission

NOT_DONE: Mapping[str, Any] = {"done_at": None, "done_by": None, "note": None}
"""What a milestone says that was not reached yet."""
_NONE = Text("没有第 {n} 个节点", "There is no milestone {n}")
_NOT_ON_LEDGER = Text("只有挂账中的问题有节点", "Only an issue on the ledger has milestones")
_DONE = Text("第 {n} 个节点已完成", "The milestone {n} is done already")
_NOT_YOURS = Text("只有责任人或辖区河长办可以报告节点完成", "only the lead, or the office whose region covers the issue, may report a milestone")


def report_milestone(*, issue_id: UUID, n: int, by: Actor, note: str, expected_version: int | None, timezone: str) -> Issue:
    """Let the lead or the office report the n-th milestone as done; the issue stays on the ledger, and its next day counts.

    Raises NotFound (404), Stale (412), NotAllowed (403) for others, Conflict (409) when the issue is not on the ledger or
    the milestone is done.
    """
    issue = locked_issue(by, issue_id)
    refuse_stale(expected_version, issue.version)
    facts = actor_facts(by, issue, ())
    if not leads(issue_facts(issue, clock.now()), facts) and not (facts.in_scope and by.may(Permission.DISPATCH_ISSUE)):
        raise NotAllowed(_NOT_YOURS)
    if issue.state != State.SUSPENDED or issue.milestones is None:
        raise Conflict(_NOT_ON_LEDGER)
    if not 1 <= n <= len(issue.milestones):
        raise NotFound(_NONE.format(n=n))
    milestone = issue.milestones[n - 1]
    if milestone.get("done_at"):
        raise Conflict(_DONE.format(n=n))
    now = clock.now()
    climb_first(issue, now, timezone)
    done = {"done_at": now.isoformat(), "done_by": {"id": str(by.person_id), "name": by.name, "title": by.title}, "note": note}
    issue.milestones = [*issue.milestones[: n - 1], {**milestone, **done}, *issue.milestones[n:]]
    renew_decision(issue, State.SUSPENDED, now, timezone)
    changes = {"milestone": {"from": None, "to": n}, "text": {"from": None, "to": milestone["text"]}}
    add_entry(issue, verb=MILESTONE_DONE, by=by, from_state=issue.state, brought={"note": note}, changes=changes)
    db.session.flush()
    return issue

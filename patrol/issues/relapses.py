"""A cure that did not hold: a new issue is linked with the closed one whose trouble it brings back. Never commits."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm.attributes import set_committed_value

from patrol.foundation import clock, events
from patrol.foundation.appending import store
from patrol.foundation.database import db
from patrol.foundation.geometry import box_around, distance_m
from patrol.issues.branches import unindexed
from patrol.issues.categories import CATEGORIES
from patrol.issues.events import TroubleCameBack
from patrol.issues.history import RELAPSE, RELAPSE_WITHDRAWN, add_entry
from patrol.issues.lifecycle import State
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.policies import RelapseRule
from patrol.issues.policies_held import current_policies
from patrol.people.actor import SYSTEM

NO_RELAPSE = "no_relapse"
"""The name by which the system takes a link back: what was linked is rejected, or of another category."""


@cache
def _closed_near(_dialect: str) -> Select[Any]:
    """Return what each report asks; put together once, over the table, since the mapper's share of the work falls away."""
    issue = Issue.__table__.c
    return select(issue.id, issue.latitude, issue.longitude).where(
        unindexed(issue.category) == bindparam("category"), issue.latitude.between(bindparam("south"), bindparam("north")),
        issue.longitude.between(bindparam("west"), bindparam("east")), unindexed(issue.state) == State.CLOSED.value,
        issue.closed_at < bindparam("seen"), issue.closed_at >= bindparam("since"), issue.id != bindparam("id"),
    ).order_by(issue.closed_at.desc(), issue.id)  # fmt: skip


def link_relapse(issue: Issue, timezone: str) -> dict[str, Any]:
    """Link an issue that is being accepted with the closed one whose trouble it brings back; return what changes.

    The rule is the field's: a new report within 50 m, of the same category, in 90 days after the closing is a new
    episode that names the old one. Nothing changes where it is linked already. The old issue is locked and gets an
    entry of its own, which counts against its cure.
    """
    if issue.relapse_of_id is not None or not CATEGORIES[issue.category].radius_m:
        return {}
    policy = current_policies().relapse_on(clock.local_date(issue.received_at, timezone))
    old = _closed_before(issue, policy)
    if old is None:
        return {}
    # The old issue names the new one, which has to be there first.
    store(issue)
    issue.relapse_of_id, old.relapsed_in_id = old.id, issue.id
    set_committed_value(issue, "relapse_of", old)
    set_committed_value(old, "relapsed_in", issue)
    changes = {"relapse": {"from": None, "to": issue.number}}
    entry = add_entry(old, verb=RELAPSE, by=SYSTEM, from_state=old.state, rule=policy.code, changes=changes)
    events.record(TroubleCameBack(issue_id=old.id, in_issue_id=issue.id, seq=entry.seq))
    return {"relapse_of": {"from": None, "to": old.number}}


def link_anew(issue: Issue, timezone: str) -> dict[str, Any]:
    """Link an issue whose category was corrected with what it brings back by the new one, and with nothing by the old. Return what changes."""
    before, after = withdraw_relapse(issue), link_relapse(issue, timezone)
    if before and after:
        return {"relapse_of": {"from": before["relapse_of"]["from"], "to": after["relapse_of"]["to"]}}
    return before or after


def withdraw_relapse(issue: Issue) -> dict[str, Any]:
    """Undo the link of an issue that is rejected or of another category: it is no return of that trouble. Return what changes."""
    if issue.relapse_of_id is None:
        return {}
    old = db.session.scalars(select(Issue).where(Issue.id == issue.relapse_of_id).with_for_update(of=Issue)).one()
    issue.relapse_of_id = None
    set_committed_value(issue, "relapse_of", None)
    _name(old, _living_relapse(old))
    changes = {"relapse": {"from": issue.number, "to": None}}
    add_entry(old, verb=RELAPSE_WITHDRAWN, by=SYSTEM, from_state=old.state, rule=NO_RELAPSE, changes=changes)
    return {"relapse_of": {"from": old.number, "to": None}}


def follow_merging(involved: Sequence[Issue]) -> dict[Issue, dict[str, Any]]:
    """Let each old case name what tells how its trouble goes, after a merging or its undoing among these locked issues.

    That is the issue in which it came back last, or the original of that one; what is merged with the old case itself is
    dealt with there, and counts against it no longer. Return the old cases of which that changed, with what their
    histories say of it.
    """
    known = {issue.id: issue for issue in involved}
    relapses = db.session.scalars(select(Issue.relapse_of_id).where(or_(Issue.id.in_(known), Issue.relapse_of_id.in_(known))))
    old_ids = {old_id for old_id in relapses if old_id}
    others = db.session.scalars(
        select(Issue).where(Issue.id.in_(old_ids - known.keys())).order_by(Issue.id.desc())
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    found = {}
    for old in (*others, *(issue for issue in involved if issue.id in old_ids)):
        before, now = db.session.get(Issue, old.relapsed_in_id) if old.relapsed_in_id else None, _living_relapse(old)
        if before is not now:
            _name(old, now)
            found[old] = {"relapse": {"from": before.number if before else None, "to": now.number if now else None}}
    return found


def _name(old: Issue, new: Issue | None) -> None:
    old.relapsed_in_id = new.id if new else None
    set_committed_value(old, "relapsed_in", new)


def _living_relapse(old: Issue) -> Issue | None:
    """Return the issue in which the trouble of a closed one came back last, or its original; None where that is the old one itself."""
    linked = {issue.number: issue for issue in db.session.scalars(select(Issue).where(Issue.relapse_of_id == old.id))}
    told = select(HistoryEntry.changes).where(HistoryEntry.issue_id == old.id, HistoryEntry.verb == RELAPSE).order_by(HistoryEntry.seq.desc())
    for changes in db.session.scalars(told) if linked else ():
        issue = linked.get(changes["relapse"]["to"])
        if issue is not None and (issue.merged_into_id or issue.id) != (old.merged_into_id or old.id):
            return db.session.get_one(Issue, issue.merged_into_id or issue.id)
    return None


def closed_near(issue: Issue, policy: RelapseRule) -> Iterator[UUID]:
    """Yield the ids of the issues closed before this one was seen, within the policy's days and metres, the one closed last first."""
    box = box_around(issue.latitude, issue.longitude, policy.radius_m)
    # A phone's clock may run ahead, but nothing is seen after it arrived.
    seen = min(issue.recorded_at, issue.received_at)
    near = db.session.connection().execute(_closed_near(db.engine.dialect.name), {
        "category": issue.category, "south": box.min_latitude, "north": box.max_latitude, "west": box.min_longitude, "east": box.max_longitude,
        "seen": seen, "since": issue.received_at - timedelta(days=policy.days), "id": issue.id,
    }).all()  # fmt: skip
    for old_id, latitude, longitude in near:
        if distance_m(issue.latitude, issue.longitude, latitude, longitude) <= policy.radius_m:
            yield old_id


def _closed_before(issue: Issue, policy: RelapseRule) -> Issue | None:
    """Return the issue closed last before this one was seen, locked and still closed."""
    for old_id in closed_near(issue, policy):
        statement = select(Issue).where(Issue.id == old_id, Issue.state == State.CLOSED.value)
        old = db.session.scalar(statement.with_for_update(of=Issue).execution_options(populate_existing=True))
        if old is not None:
            return old
    return None

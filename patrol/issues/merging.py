"""Merging a duplicate into its original, and taking it out again within a day. Never commits.

An original is never merged itself, so that whoever follows a duplicate is one step from what tells its progress: what
was merged into a duplicate goes along with it, and comes back when the merging is undone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, true
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from patrol.foundation import events
from patrol.foundation.database import db
from patrol.foundation.errors import Invalid
from patrol.foundation.geometry import distance_m
from patrol.foundation.texts import Text
from patrol.issues.accusations import accused_now, is_charge
from patrol.issues.categories import CATEGORIES, Severity
from patrol.issues.events import DueMoved
from patrol.issues.history import GIVE_BACK, MOVE_ALONG, RELAPSE_MOVED, TAKE_IN, add_entry
from patrol.issues.leads import may_lead
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import HistoryEntry, Issue
from patrol.issues.queries import visible_to
from patrol.issues.raising import raise_severity, take_back_raise
from patrol.issues.relapses import follow_merging
from patrol.issues.taking import named
from patrol.people.actor import Actor

MERGING = (Verb.MERGE, Verb.UNMERGE)
"""The steps that change several issues at once."""

_NOT_THERE = Text("没有这个问题", "There is no such issue")
_ITSELF = Text("不能合并到自身", "An issue cannot be merged into itself")
_OUT_OF_SCOPE = Text("{number} 不在您的辖区内", "{number} lies outside your region")
_MERGED = Text("{number} 已合并到 {original}：请合并到 {original}", "{number} is merged into {original} itself: merge into {original}")
_MERGED_HERE = Text("{number} 已合并到本件，请先撤销该合并", "{number} is merged into this one: undo that first")
_REJECTED = Text("{number} 未予受理，不能作为原件", "{number} was not taken up: nothing can be merged into it")
_AFTER_CLOSING = Text(
    "{number} 结案后才发现本件，属复发：请受理（系统会关联原件）或重新办理原件",
    "this was seen after {number} had been closed: the trouble came back. Accept it, which links the two, or reopen that one",
)
_STAYS_MAJOR = Text(
    "其中一件为“重大”，合并后的原件也须为“重大”（raise_severity=major）；级别由县级河长调整",
    "One of the two is major, and so must the original be (raise_severity=major): only the district's chief changes that",
)
_OTHER_CATEGORY = Text("两件的类别不同：{own}、{other}", "The two are of other categories: {own}, {other}")
_FAR_APART = Text("两件相距{away}米，超过该类别的{radius}米", "The two lie {away} m apart, more than the {radius} m of this category")
_CHARGE = Text("涉及河长履职的投诉只能与针对同一河长的同类投诉合并", "A charge against a chief is merged only with one of its kind about the same chief")


def original_meant(into: UUID | int | None) -> UUID | None:
    """Return the id of the issue that is named by its id or running number; the nil one for a number that nothing has."""
    if not isinstance(into, int):
        return into
    return db.session.scalar(select(Issue.id).where(Issue.serial == into)) or UUID(int=0)


def lock_together(issue_id: UUID, into: UUID | None) -> None:
    """Lock an issue, its original, all that is merged into either, and the old cases of which these are relapses, the newest first.

    Everybody who locks several issues goes from the newer to the older (a relapse and its old case too), so that nobody
    waits in a ring.
    """
    original = select(Issue.merged_into_id).where(Issue.id == issue_id, Issue.merged_into_id.is_not(None))
    heads = {issue_id, *filter(None, (into, db.session.scalar(original)))}
    family = or_(Issue.id.in_(heads), Issue.merged_into_id.in_(heads))
    old = select(Issue.relapse_of_id).where(family, Issue.relapse_of_id.is_not(None))
    locked = select(Issue.id).where(or_(family, Issue.id.in_(db.session.scalars(old).all())))
    db.session.execute(locked.order_by(Issue.id.desc()).with_for_update(of=Issue)).all()


def merge(issue: Issue, brought: Mapping[str, Any], *, by: Actor, now: datetime, timezone: str) -> dict[str, Any]:
    """Merge a locked issue into the original that is `brought`; return what changes, for its history.

    Lead, department and due date stay stored, for who undoes it. Raises Invalid (422) at `into` for what can be no
    original, at `raise_severity` for a severity that is no higher than the original's, or where something major would no
    longer be major.
    """
    original = _original_for(issue, brought["into"], by)
    children = merged_into(issue)
    changes = {"duplicate": {"from": None, "to": issue.number}}
    is_major = Severity.MAJOR in (issue.severity, original.severity)
    if severity := brought.get("raise_severity"):
        changes |= raise_severity(original, Severity(severity), timezone)
    if is_major and original.severity != Severity.MAJOR:
        # Otherwise merging would spare the signature that closing what is major needs.
        raise Invalid(_STAYS_MAJOR, errors={"raise_severity": [_STAYS_MAJOR]})
    issue.merged_at, issue.merged_from = now, issue.state
    # A rung whose time had come may not have been reached yet: the ladder goes on from there if the merging is undone.
    climbs_from = min(now, issue.next_escalation_at) if issue.next_escalation_at else now
    issue.due_rule = {**issue.due_rule, "climbs_from": climbs_from.isoformat(), **_dispatch_clock(issue)}
    _point(issue, original)
    relapsed = _move_along(children, issue, original, brought, by)
    original.also_reported += 1 + len(children)
    issue.also_reported = 0
    _note(original, TAKE_IN, brought, by, changes | relapsed.get(original, {}))
    merged = {"merged_into": {"from": None, "to": original.number}} | relapsed.get(issue, {})
    doubts = doubts_about_merging(issue, original)
    return merged | ({"warnings": {"from": None, "to": [text._asdict() for text in doubts]}} if doubts else {})


def _dispatch_clock(issue: Issue) -> dict[str, Any]:
    """Return by when the office had to put somebody in charge, for who undoes the merging; a request for more time ends with it instead."""
    if issue.decide_by is None or issue.state != State.ACCEPTED:
        return {}
    return {"decides": {**issue.due_rule["decision"], "by": issue.decide_by.isoformat()}}


def doubts_about_merging(issue: Issue, original: Issue) -> list[Text]:
    """Return why two issues may not be the same trouble: another category, or further apart than the category's radius.

    The office was there and decides: it is warned, and the duplicate's history says of what.
    """
    found, row = [], CATEGORIES[issue.category]
    if original.category != issue.category:
        found.append(_OTHER_CATEGORY.format(own=row.name, other=CATEGORIES[original.category].name))
    away_m = distance_m(issue.latitude, issue.longitude, original.latitude, original.longitude)
    if row.radius_m and away_m > row.radius_m:
        found.append(_FAR_APART.format(away=round(away_m), radius=row.radius_m))
    return found


def unmerge(issue: Issue, brought: Mapping[str, Any], *, by: Actor, timezone: str) -> dict[str, Any]:
    """Take a locked duplicate out of its original, with all that came along; return what changes, for its history.

    What the merging raised is taken back, on the issue into which it was merged. A lead who can no longer handle issues
    does not come back: the department or the office leads then.
    """
    original = db.session.scalars(select(Issue).where(Issue.id == issue.merged_into_id).with_for_update(of=Issue)).one()
    others = merged_into(original, but=issue)
    parents = _parents_of([issue, *others])
    back = _came_through(issue, others, parents)
    changes: dict[str, Any] = {"merged_into": {"from": original.number, "to": None}}
    if issue.lead is not None and not may_lead(issue.lead):
        changes["lead_id"] = {"from": named(issue.lead), "to": None}
        issue.lead_id = issue.lead = None
    # The ladder goes on from where it stopped, so that merging slips past no rung; those that were reached stay reached.
    kept = dict(issue.due_rule)
    climbs_from = kept.pop("climbs_from", None)
    issue.next_escalation_at = datetime.fromisoformat(climbs_from) if climbs_from else issue.merged_at
    if (decides := kept.pop("decides", None)) is not None:
        # Nor does it give the office more time to put somebody in charge.
        issue.decide_by = datetime.fromisoformat(decides["by"])
        kept["decision"] = {name: decides[name] for name in ("rule", "version", "explanation")}
    issue.due_rule = kept
    issue.merged_at = issue.merged_from = None
    _point(issue, None)
    relapsed = _move_along(back, original, issue, brought, by)
    issue.also_reported = len(back)
    original.also_reported -= 1 + len(back)
    raised = next(one for one in (original, *others) if one.number == parents[issue.id])
    lowered = take_back_raise(raised, issue.number, timezone)
    given = {"duplicate": {"from": issue.number, "to": None}}
    _note(original, GIVE_BACK, brought, by, given | relapsed.get(original, {}) | (lowered if raised is original else {}))
    if lowered and raised is not original:
        _note(raised, GIVE_BACK, brought, by, given | lowered)
    return changes | relapsed.get(issue, {})


def _move_along(children: Sequence[Issue], was: Issue, now: Issue, brought: Mapping[str, Any], by: Actor) -> dict[Issue, dict[str, Any]]:
    """Let `children` go from what `was` their original to what is it `now`, and old cases name what tells of their relapses.

    Return what that changes for the histories of these two; the others get their entries.
    """
    for child in children:
        _point(child, now)
    renamed = follow_merging([was, now, *children])
    for child in children:
        moved = {"merged_into": {"from": was.number, "to": now.number}} | renamed.pop(child, {})
        add_entry(child, verb=MOVE_ALONG, by=by, from_state=child.state, brought=_reason(brought), changes=moved)
    for old in [one for one in renamed if one not in (was, now)]:
        add_entry(old, verb=RELAPSE_MOVED, by=by, from_state=old.state, brought=_reason(brought), changes=renamed[old])
    return renamed


def _note(original: Issue, verb: str, brought: Mapping[str, Any], by: Actor, changes: dict[str, Any]) -> None:
    entry = add_entry(original, verb=verb, by=by, from_state=original.state, brought=_reason(brought), changes=changes)
    if "due_at" in changes:
        events.record(DueMoved(issue_id=original.id, seq=entry.seq))


def _original_for(issue: Issue, into: UUID, by: Actor) -> Issue:
    if into == issue.id:
        raise _refusal(_ITSELF)
    # No more of it is loaded than what is asked: it may name the duplicate itself, whose parts would be lost to that.
    original = db.session.scalar(
        visible_to(by).where(Issue.id == into).options(joinedload(Issue.region), selectinload(Issue.merged_into).load_only(Issue.serial))
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    )  # fmt: skip
    if original is None:
        raise _refusal(_NOT_THERE)
    if (fault := _fault_of(issue, original, by)) is not None:
        raise _refusal(fault)
    return original


def _fault_of(issue: Issue, original: Issue, by: Actor) -> Text | None:
    number = original.number
    if not by.covers(original.region.path):
        return _OUT_OF_SCOPE.format(number=number)
    if original.merged_into_id == issue.id:
        return _MERGED_HERE.format(number=number)
    if original.merged_into is not None:
        return _MERGED.format(number=number, original=original.merged_into.number)
    if original.state == State.REJECTED:
        return _REJECTED.format(number=number)
    if original.closed_at is not None and issue.recorded_at > original.closed_at:
        return _AFTER_CLOSING.format(number=number)
    one_is_charge = is_charge(issue.category) or is_charge(original.category)
    if one_is_charge and (issue.category, accused_now(issue)) != (original.category, accused_now(original)):
        return _CHARGE
    return None


def _refusal(words: Text) -> Invalid:
    return Invalid(words, errors={"into": [words]})


def merged_into(original: Issue, *, but: Issue | None = None, loaded: Sequence[ORMOption] = ()) -> Sequence[Issue]:
    """Return the issues that are merged into an original, locked, the newest first, with what is `loaded` beside their columns."""
    others = Issue.id != but.id if but else true()
    return db.session.scalars(
        select(Issue).where(Issue.merged_into_id == original.id, others).options(*loaded).order_by(Issue.id.desc())
        .with_for_update(of=Issue).execution_options(populate_existing=True)
    ).all()  # fmt: skip


def _parents_of(issues: Sequence[Issue]) -> dict[UUID, str]:
    """Return by id the number of what each issue was merged into itself."""
    rows = db.session.scalars(
        select(HistoryEntry).where(HistoryEntry.issue_id.in_([issue.id for issue in issues]), HistoryEntry.verb == Verb.MERGE.value)
        .order_by(HistoryEntry.seq)
    )  # fmt: skip
    # Each was merged by its last such entry; where it went along to since says nothing of how it got there.
    return {row.issue_id: row.changes["merged_into"]["to"] for row in rows}


def _came_through(issue: Issue, others: Sequence[Issue], parents: Mapping[UUID, str]) -> list[Issue]:
    """Return those of the original's `others` that were merged into `issue`, or into one that was, in their order."""
    through, grown = {issue.number}, True
    while grown:
        found = through | {other.number for other in others if parents[other.id] in through}
        through, grown = found, found != through
    return [other for other in others if other.number in through]


def _point(issue: Issue, original: Issue | None) -> None:
    issue.merged_into_id = original.id if original else None
    # The relation is only for reading: what is shown in this request has to be told.
    set_committed_value(issue, "merged_into", original)


def _reason(brought: Mapping[str, Any]) -> dict[str, Any]:
    return {"reason": brought.get("reason")}

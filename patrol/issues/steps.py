"""Taking a step of an issue's life: the only place that changes `issue.state`, and each change adds a history entry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Invalid
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.issues.allowed import refuse_unless_allowed
from patrol.issues.assigning import (
    choose_lead,
    end_parts,
    give_parts,
    keep_ruling,
    renew_ownership,
    rightful_owner,
    shares_of,
    why_department,
)
from patrol.issues.categories import Severity, category_of
from patrol.issues.deadlines import Stage
from patrol.issues.due import count_due, count_due_again, restore_due, set_due
from patrol.issues.escalation_models import Order
from patrol.issues.events import StepTaken
from patrol.issues.history import add_entry
from patrol.issues.joint import mark_sides_anew
from patrol.issues.lifecycle import ENDED, ORDER_NAME, Due, State, Step, Verb, find_step
from patrol.issues.merging import MERGING, lock_together, merge, unmerge
from patrol.issues.models import Issue, IssuePhoto
from patrol.issues.placing import BY_OFFICE, Placement, place_in_region, place_on_reach, position_of_issue
from patrol.issues.queries import actor_facts, districts_signed_by, issue_facts, locked_issue
from patrol.issues.relapses import link_relapse, withdraw_relapse
from patrol.people.actor import Actor
from patrol.people.models import Person, Region

PHOTO_KIND = {Verb.PROGRESS: "during", Verb.RECTIFY: "after", Verb.VERIFY: "after"}
_PHOTO_TWICE = Text("照片 {id} 已在此问题中，请拍摄新的照片", "The photo {id} is already on this issue: take a new one")
_NOT_BEFORE = Text("{id} 不是此问题的整改前照片", "{id} is no photo of this issue from before")
_REVIEW_PAST = Text("复查日期必须晚于今天", "The day of the review must lie after today")
_MILESTONE_PAST = Text("节点日期不能早于今天", "A milestone cannot be due before today")
_NO_KIND = Text("没有这种督办方式，可用：{kinds}", "There is no such order: choose one of {kinds}")
_NO_REGION = Text("没有代码为 {code} 的行政区", "There is no region with the code {code}")


@dataclass
class Taking:
    """One step being taken: what came with it, and what it changes (`changes` goes into the history)."""

    issue: Issue
    step: Step
    by: Actor
    brought: Mapping[str, Any]
    photos: Sequence[Photo]
    now: datetime
    timezone: str
    tolerance_m: float
    lead: Person | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    def change(self, name: str, value: Any, said: Any = None, before: Any = None) -> None:
        """Set a column of the issue and note it for the history as `{from, to}`; `said` and `before` are words for it."""
        old = getattr(self.issue, name)
        if old != value:
            said = value if said is None else said
            self.changes[name] = {"from": _plain(old if before is None else before), "to": _plain(said)}
            setattr(self.issue, name, value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value


def take_step(
    *, issue_id: UUID, verb: Verb, by: Actor, brought: Mapping[str, Any], expected_version: int | None, timezone: str,
    tolerance_m: float, photos: Sequence[Photo] = (),
) -> Issue:  # fmt: skip
    """Let `by` take a step of an issue, with the fields it `brought` and `photos` already received.

    Raises NotFound (404) for an issue that `by` may not see, Stale (412) when it moved on since it was read, Conflict
    (409, with `allowed`) for a step out of turn, NotAllowed (403), and Invalid (422) for what is missing or wrong.
    """
    if verb in MERGING:
        lock_together(issue_id, brought.get("into"))
    issue = locked_issue(by, issue_id)
    refuse_stale(expected_version, issue.version)
    today = clock.today(timezone)
    row, now = find_step(State(issue.state), verb), clock.now()
    is_signature = row is not None and row.needs_for_major and issue.severity == Severity.MAJOR
    facts = actor_facts(by, issue, districts_signed_by(by, today) if is_signature else ())
    step = refuse_unless_allowed(issue_facts(issue, now), facts, verb, {**brought, "photos": list(photos)})
    return _carry_out(Taking(issue, step, by, brought, photos, now, timezone, tolerance_m))


def step_by_policy(
    issue: Issue, verb: Verb, *, by: Actor, rule: str, timezone: str, tolerance_m: float, lead: Person | None = None
) -> Issue:
    """Let the system take a step of a loaded, unshared issue by the policy's `rule`; `lead` is whom to dispatch to."""
    now = clock.now()
    step = refuse_unless_allowed(issue_facts(issue, now), actor_facts(by, issue, ()), verb, {})
    return _carry_out(Taking(issue, step, by, {}, (), now, timezone, tolerance_m, lead), rule)


def _carry_out(taking: Taking, rule: str | None = None) -> Issue:
    issue, step, before = taking.issue, taking.step, State(taking.issue.state)
    came_from = State(issue.merged_from) if issue.merged_from else None
    classified = _classify(taking)
    _EFFECTS.get(step.verb, _nothing)(taking)
    issue.state = step.leads_from(before, came_from).value
    _renew_deadline(taking, classified)
    if issue.state in ENDED:
        # The sweep walks over all that may still climb: what has ended would only make it longer each year.
        issue.next_escalation_at = None
    photos = _attach_photos(taking)
    entry = add_entry(
        issue, verb=step.verb.value, by=taking.by, from_state=before.value, rule=rule, brought=taking.brought,
        changes=taking.changes, photos=photos,
    )  # fmt: skip
    events.record(StepTaken(
        issue_id=issue.id, verb=step.verb.value, from_state=before.value, to_state=issue.state, by_id=taking.by.person_id,
        rule=rule, seq=entry.seq,
    ))  # fmt: skip
    if photos:
        outbox.put("issues.examine", issue_id=str(issue.id), tries=0)
    return issue


def _classify(taking: Taking) -> bool:
    """Take over a new severity or category; tell whether anything changed."""
    if severity := taking.brought.get("severity"):
        taking.change("severity", Severity(severity).value)
    if category := taking.brought.get("category"):
        taking.change("category", category_of(category).code)
        renew_ownership(taking.issue, clock.local_date(taking.now, taking.timezone))
    return bool(taking.changes)


def _renew_deadline(taking: Taking, classified: bool) -> None:
    issue, before = taking.issue, taking.issue.due_at
    if taking.step.due is Due.SETS:
        count_due(issue, Stage.RECTIFICATION, taking.now, taking.timezone)
        # A count begun on the same day as an earlier one ends at the same moment, and yet begins the ladder anew.
        issue.next_escalation_at = taking.now
    elif taking.step.due is Due.RECOMPUTES and classified:
        count_due_again(issue, taking.timezone)
    elif taking.step.due is Due.RESTORES:
        restore_due(issue, taking.now, taking.timezone)
        _leave_ledger(taking)
    if (moment := taking.brought.get("due_at")) is not None:
        set_due(issue, moment, taking.timezone)
    if issue.due_at != before:
        taking.changes["due_at"] = {"from": _plain(before), "to": _plain(issue.due_at)}


def _attach_photos(taking: Taking) -> list[tuple[Photo, str]]:
    if not taking.photos:
        return []
    issue, kind = taking.issue, PHOTO_KIND[taking.step.verb]
    there = {link.photo_id for link in issue.photo_links}
    before_id = taking.brought.get("before_photo_id")
    if before_id and before_id not in {link.photo_id for link in issue.photo_links if link.kind != "after"}:
        fault = _NOT_BEFORE.format(id=before_id)
        raise Invalid(fault, errors={"before_photo_id": [fault]})
    for position, photo in enumerate(taking.photos):
        if photo.id in there:
            fault = _PHOTO_TWICE.format(id=photo.id)
            raise Invalid(fault, errors={"photo_ids": [fault]})
        issue.photo_links.append(IssuePhoto(
            issue_id=issue.id, photo_id=photo.id, photo=photo, kind=kind, seq=issue.version + 1, position=position,
            before_photo_id=before_id,
        ))  # fmt: skip
    if before_id:
        taking.changes["before_photo"] = {"from": None, "to": str(before_id)}
    return [(photo, kind) for photo in taking.photos]


def _accept(taking: Taking) -> None:
    taking.changes |= link_relapse(taking.issue, taking.timezone)


def _reject(taking: Taking) -> None:
    taking.changes |= withdraw_relapse(taking.issue)


def _merge(taking: Taking) -> None:
    taking.changes |= merge(taking.issue, taking.brought, by=taking.by, now=taking.now, timezone=taking.timezone)


def _unmerge(taking: Taking) -> None:
    taking.changes |= unmerge(taking.issue, taking.brought, by=taking.by)


def _nothing(_taking: Taking) -> None:
    """Change nothing but the state."""


def _set_lead(taking: Taking, lead: Person | None) -> None:
    before = taking.issue.lead
    taking.change("lead_id", lead.id if lead else None, _named(lead), _named(before))
    taking.issue.lead = lead


def _named(person: Person | None) -> dict[str, str] | None:
    return {"id": str(person.id), "name": person.name} if person else None


def _dispatch(taking: Taking) -> None:
    issue, day = taking.issue, clock.local_date(taking.now, taking.timezone)
    if taking.lead is None:
        renew_ownership(issue, day)
    lead, department = choose_lead(issue, taking.brought, routed=taking.lead, by=taking.by, day=day)
    if department:
        taking.change("department", department)
        taking.changes["ownership"] = {"from": None, "to": why_department(issue, department)}
    _set_lead(taking, lead)
    shares = shares_of(taking.brought.get("co_handlers") or [], issue, lead, by=taking.by)
    _set_co_handlers(taking, list({share.person.id: share.person for share in shares}.values()))
    if parts := give_parts(issue, shares):
        taking.changes["parts"] = {"from": None, "to": parts}
    issue.dispatched_at = taking.now
    if issue.declined_at is not None:
        # What the office decides after a lead gave it back is its ruling, and the history says so.
        taking.changes["ruling"] = {"from": None, "to": True}
        if precedent := keep_ruling(issue, lead, department, by=taking.by, day=day):
            taking.changes["precedent"] = {"from": None, "to": precedent}


def _set_co_handlers(taking: Taking, people: list[Person]) -> None:
    before = taking.issue.co_handlers
    if {person.id for person in before} != {person.id for person in people}:
        taking.changes["co_handlers"] = {"from": [_named(p) for p in before], "to": [_named(p) for p in people]}
        taking.issue.co_handlers = people


def _transfer(taking: Taking) -> None:
    issue, day = taking.issue, clock.local_date(taking.now, taking.timezone)
    if reach_id := taking.brought.get("reach_id"):
        placement = place_on_reach(reach_id, position_of_issue(issue), day=day, tolerance_m=taking.tolerance_m, because=BY_OFFICE)
        region = db.session.get_one(Region, placement.routing.region_id)
    else:
        region = _region_with_code(taking.brought["region"])
        placement = place_in_region(region, day=day, because=BY_OFFICE)
    _move_to(taking, placement, region)
    _call_back(taking)


def _call_back(taking: Taking) -> None:
    """Let nobody be in charge any more: the office dispatches anew."""
    _set_lead(taking, None)
    _set_co_handlers(taking, [])
    taking.change("department", None)
    end_parts(taking.issue)
    taking.issue.dispatched_at = None


def _decline(taking: Taking) -> None:
    taking.issue.declined_at = taking.now
    words = taking.brought["suggested_owner"]
    owner = rightful_owner(words)
    taking.changes |= {"suggested_owner": {"from": None, "to": words}, "owner": {"from": None, "to": owner}}
    _call_back(taking)


def _suspend(taking: Taking) -> None:
    review_on, today = taking.brought["review_on"], clock.local_date(taking.now, taking.timezone)
    if review_on <= today:
        raise Invalid(_REVIEW_PAST, errors={"review_on": [_REVIEW_PAST]})
    if any(row["due_on"] < today for row in taking.brought["milestones"]):
        raise Invalid(_MILESTONE_PAST, errors={"milestones": [_MILESTONE_PAST]})
    milestones = [{"text": row["text"], "due_on": row["due_on"].isoformat()} for row in taking.brought["milestones"]]
    taking.issue.suspended_at = taking.now
    taking.change("review_on", review_on)
    taking.change("milestones", milestones)


def _leave_ledger(taking: Taking) -> None:
    taking.issue.suspended_at = None
    taking.change("review_on", None)
    taking.change("milestones", None)


def _region_with_code(code: str) -> Region:
    region = db.session.scalar(select(Region).where(Region.code == code))
    if region is None:
        fault = _NO_REGION.format(code=code)
        raise Invalid(fault, errors={"region": [fault]})
    return region


def _move_to(taking: Taking, placement: Placement, region: Region) -> None:
    issue, reach = taking.issue, placement.reach
    taking.change("region_id", region.id, region.code, issue.region.code)
    taking.change("reach_id", reach.id if reach else None, reach and reach.code, issue.reach and issue.reach.code)
    issue.region, issue.reach, issue.routing = region, reach, placement.as_data(issue.category)
    mark_sides_anew(issue, placement)


def _rectify(taking: Taking) -> None:
    taking.issue.rectified_at, taking.issue.rectified_by_id = taking.now, taking.by.person_id


def _verify(taking: Taking) -> None:
    taking.issue.verified_at = taking.now


def _return(taking: Taking) -> None:
    issue = taking.issue
    issue.rectified_at, issue.rectified_by_id, issue.returned_times = None, None, issue.returned_times + 1


def _close(taking: Taking) -> None:
    taking.issue.closed_at = taking.now
    taking.change("public_summary", taking.brought.get("public_summary") or taking.issue.public_summary)


def _reopen(taking: Taking) -> None:
    issue = taking.issue
    _call_back(taking)
    issue.declined_at = issue.rectified_at = issue.verified_at = issue.closed_at = None
    issue.rectified_by_id = None
    issue.reopened_times += 1
    if issue.state == State.REJECTED:
        taking.changes |= link_relapse(issue, taking.timezone)


def _supervise(taking: Taking) -> None:
    kind, text = taking.brought["kind"], taking.brought["text"]
    if kind not in ORDER_NAME:
        fault = _NO_KIND.format(kinds=", ".join(ORDER_NAME))
        raise Invalid(fault, errors={"kind": [fault]})
    issue = taking.issue
    db.session.add(Order(
        id=new_id(), issue_id=issue.id, kind=kind, text=text, by_id=taking.by.person_id, rule=None, to_id=issue.lead_id, at=taking.now,
    ))  # fmt: skip
    taking.changes |= {"order": {"from": None, "to": kind}, "text": {"from": None, "to": text}}


_EFFECTS: dict[Verb, Callable[[Taking], None]] = {
    Verb.ACCEPT: _accept,
    Verb.REJECT: _reject,
    Verb.MERGE: _merge,
    Verb.UNMERGE: _unmerge,
    Verb.SUPERVISE: _supervise,
    Verb.DISPATCH: _dispatch,
    Verb.TRANSFER: _transfer,
    Verb.DECLINE: _decline,
    Verb.SUSPEND: _suspend,
    Verb.RECTIFY: _rectify,
    Verb.VERIFY: _verify,
    Verb.RETURN: _return,
    Verb.CLOSE: _close,
    Verb.REOPEN: _reopen,
}

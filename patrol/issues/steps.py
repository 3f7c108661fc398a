"""Taking a step of an issue's life: the only place that changes `issue.state`, and each change adds a history entry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from patrol.evidence.models import Photo
from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Invalid, NotAllowed
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.issues.accusations import is_charge, refuse_no_charge
from patrol.issues.allowed import ActorFacts, IssueFacts, is_out_of_turn, is_signature, refuse_unless_allowed
from patrol.issues.assigning import renew_ownership
from patrol.issues.beside import rows_to_say
from patrol.issues.categories import SEVERITY_NAME, Severity, category_of
from patrol.issues.charging import decline, dispatch, place_anew, transfer
from patrol.issues.deadlines import Stage, due_said
from patrol.issues.deciding import renew_decision
from patrol.issues.due import count_due, count_due_again, restore_due, set_due
from patrol.issues.escalating import climb_first, keep_late, late_at_once
from patrol.issues.escalation_models import Order
from patrol.issues.events import StepTaken
from patrol.issues.extensions import settle_request
from patrol.issues.far_dates import refuse_far_date, refuse_parts_after, refuse_restarted_clock
from patrol.issues.four_eyes import own_work
from patrol.issues.history import add_entry
from patrol.issues.judging import JUDGED, JUDGING, as_judged, unjudged
from patrol.issues.ledger import leave_ledger, suspend
from patrol.issues.lifecycle import ENDED, ORDER_NAME, Due, State, Verb, find_step, signed_by_chief
from patrol.issues.merging import MERGING, lock_together, merge, original_meant, unmerge
from patrol.issues.models import Issue
from patrol.issues.parts import open_parts_said, tell_first
from patrol.issues.plans import renew_plan, report_plan, restore_plan
from patrol.issues.queries import actor_facts, districts_signed_by, issue_facts, locked_issue
from patrol.issues.raising import due_change
from patrol.issues.relapses import link_anew, link_relapse, withdraw_relapse
from patrol.issues.same_photos import hide_again
from patrol.issues.signing import left_to, saying_who, signs_higher, who_can_sign
from patrol.issues.suspension import Pause
from patrol.issues.taking import Taking, attach_photos, call_back, named
from patrol.people.actor import Actor
from patrol.people.models import Person

_STAYS_MAJOR = Text(
    "“重大”级别只能由县级河长调整：请在 approved_by 中填写批准的河长",
    "only the district's chief changes the severity of a major issue to another: name in `approved_by` the chief who approves",
)
_NOT_HIM = Text("approved_by 须是今天可以为本件签字的县级河长", "`approved_by` must be a chief of the district who can sign this one today")
_NOTHING_TO_APPROVE = Text("只有调整“重大”级别才须批准，请勿填写", "Only another severity of what is major is approved of: leave it out")
_LATER = Text(
    "调整级别或类别后，期限由{before}推迟到{after}，请说明理由（reason 或 note）",
    "The other severity or category moves the due date from {before} to {after}: say why, in `reason` or `note`",
)
_LOWERED = Text(
    "由“{before}”降为“{after}”，请说明理由（reason 或 note）", "The severity goes down from “{before}” to “{after}”: say why, in `reason` or `note`"
)
_NO_KIND = Text("没有这种督办方式，可用：{kinds}", "There is no such order: choose one of {kinds}")


def take_step(
    *, issue_id: UUID, verb: Verb, by: Actor, brought: Mapping[str, Any], expected_version: int | None, timezone: str,
    tolerance_m: float, photos: Sequence[Photo] = (),
) -> Issue:  # fmt: skip
    """Let `by` take a step of an issue, with the fields it `brought` and `photos` already received.

    Raises NotFound (404) for an issue that `by` may not see, Stale (412) when it moved on since it was read, Conflict
    (409, with `allowed`) for a step out of turn, NotAllowed (403), and Invalid (422) for what is missing or wrong.
    """
    if verb is Verb.TRANSFER or is_charge(brought.get("category")):
        # What is merged into a charge goes along with it.
        lock_together(issue_id, None)
    if verb in MERGING:
        into = original_meant(brought.get("into"))
        brought = {**brought, "into": into} if into else brought
        lock_together(issue_id, into)
    issue = locked_issue(by, issue_id)
    refuse_stale(expected_version, issue.version)
    today, now = clock.today(timezone), clock.now()
    known = issue_facts(issue, now)
    if known.open_parts:
        known = replace(known, parts_said=open_parts_said(issue))
    facts = _known_of(by, issue, known, verb, today)
    try:
        step = refuse_unless_allowed(known, facts, verb, {**brought, "photos": list(photos)})
    except NotAllowed as refused:
        if _is_signature(known, verb):
            raise NotAllowed(saying_who(refused.detail, issue, today, verb)) from refused
        raise
    climb_first(issue, now, timezone)
    tell_first(issue, now)
    doubtful = unjudged(issue) if verb in JUDGING else []
    judged = {JUDGED: {"from": None, "to": as_judged(doubtful)}} if doubtful else {}
    return _carry_out(Taking(issue, step, by, brought, photos, now, timezone, tolerance_m, changes=judged))


def _is_signature(known: IssueFacts, verb: Verb) -> bool:
    row = find_step(known.state, verb)
    return row is not None and is_signature(row, known)


def _known_of(by: Actor, issue: Issue, known: IssueFacts, verb: Verb, today: date) -> ActorFacts:
    """Return what the law asks of somebody for one step; all of it for who is to be told which other steps are open."""
    row, all_of_it = find_step(known.state, verb), is_out_of_turn(known, verb)
    is_signed = _is_signature(known, verb) or (all_of_it and signed_by_chief(known.severity, is_charge=known.is_charge))
    is_own = (all_of_it or (row is not None and row.is_check)) and bool(own_work([issue.id], by.person_id, today))
    facts = actor_facts(by, issue, districts_signed_by(by, today) if is_signed else (), own_work=is_own)
    if is_signed and not facts.signs and left_to([issue.id], signs_higher(by, today), today):
        return replace(facts, signs=True)
    return facts


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
    issue.state = step.leads_from(before, came_from, dispatched=issue.dispatched_at is not None).value
    _renew_deadline(taking, classified)
    if issue.state != before:
        renew_decision(issue, before, taking.now, taking.timezone)
        taking.changes |= renew_plan(issue, before, taking.now, taking.timezone)
    if issue.state in ENDED:
        # The sweep walks over all that may still climb: what has ended would only make it longer each year.
        issue.next_escalation_at = None
    photos = attach_photos(taking)
    entry = add_entry(
        issue, verb=step.verb.value, by=taking.by, from_state=before.value, rule=rule, brought=taking.brought,
        changes=taking.changes, photos=photos, rows=taking.rows,
    )  # fmt: skip
    events.record(StepTaken(
        issue_id=issue.id, verb=step.verb.value, from_state=before.value, to_state=issue.state, by_id=taking.by.person_id,
        rule=rule, seq=entry.seq,
    ))  # fmt: skip
    if photos:
        outbox.put("issues.examine", issue_id=str(issue.id), tries=0)
    if photos or step.verb is Verb.MERGE:
        hide_again(issue)
    if issue.state in ENDED or (before == State.DISPATCHED and issue.state == State.ACCEPTED):
        settle_request(issue)
    return issue


def _classify(taking: Taking) -> bool:
    """Take over a new severity or category; tell whether anything changed."""
    if "severity" in taking.step.may:
        _refuse_unsigned_change(taking, Severity(taking.brought.get("severity") or taking.issue.severity))
    if severity := taking.brought.get("severity"):
        _refuse_unexplained_lowering(taking, Severity(severity))
        taking.change("severity", Severity(severity).value)
    if category := taking.brought.get("category"):
        was, code = taking.issue.category, category_of(category).code
        refuse_no_charge(was, code)
        taking.change("category", code)
        if is_charge(taking.issue.category) and not is_charge(was):
            place_anew(taking)
        renew_ownership(taking.issue, clock.local_date(taking.now, taking.timezone))
        if code != was and taking.step.verb is not Verb.ACCEPT:
            taking.changes |= link_anew(taking.issue, taking.timezone)
    return bool(taking.changes)


def _refuse_unsigned_change(taking: Taking, severity: Severity) -> None:
    """Note the chief whom the office names for what is major and would become something else, unless who takes the step signs that.

    Raises NotAllowed (403) where nobody is named, and Invalid (422) at `approved_by` for somebody who cannot sign it today, or
    where there is nothing to sign.
    """
    issue, today = taking.issue, clock.local_date(taking.now, taking.timezone)
    whom = (taking.brought.get("approved_by") or "").strip().lower()
    if severity == issue.severity or not signed_by_chief(Severity(issue.severity), is_charge=is_charge(issue.category)):
        if whom:
            raise Invalid(_NOTHING_TO_APPROVE, errors={"approved_by": [_NOTHING_TO_APPROVE]})
        return
    if whom:
        chief = next((person for person in who_can_sign(issue, today) if whom in (person.username, str(person.id))), None)
        if chief is None:
            fault = saying_who(_NOT_HIM, issue, today)
            raise Invalid(fault, errors={"approved_by": [fault]})
        taking.changes["approved_by"] = {"from": None, "to": named(chief)}
    elif not any(issue.region.path.startswith(path) for path in districts_signed_by(taking.by, today)):
        raise NotAllowed(saying_who(_STAYS_MAJOR, issue, today))


def _refuse_unexplained_lowering(taking: Taking, severity: Severity) -> None:
    """Raise Invalid (422) at `reason` when an issue is graded lower than it is without a reason."""
    before, grades = Severity(taking.issue.severity), list(Severity)
    if grades.index(severity) < grades.index(before) and not _says_why(taking):
        fault = _LOWERED.format(before=SEVERITY_NAME[before], after=SEVERITY_NAME[severity])
        raise Invalid(fault, errors={"reason": [fault]})


def _says_why(taking: Taking) -> bool:
    return any((taking.brought.get(name) or "").strip() for name in ("reason", "note"))


def _refuse_unexplained_time(taking: Taking, before: datetime) -> None:
    """Raise Invalid (422) at `reason` when another severity or category moves the due date from `before` to later without a reason.

    Each grade has its own limit, and the graver ones are the longer: grading up gives more time as well.
    """
    if taking.issue.due_at > before and not _says_why(taking):
        said = {name: due_said(moment, ZoneInfo(taking.timezone)) for name, moment in (("before", before), ("after", taking.issue.due_at))}
        fault = _LATER.format(**said)
        raise Invalid(fault, errors={"reason": [fault]})


def _renew_deadline(taking: Taking, classified: bool) -> None:
    issue, before, rule = taking.issue, taking.issue.due_at, taking.issue.due_rule
    if taking.step.due is Due.SETS:
        count_due(issue, Stage.RECTIFICATION, taking.now, taking.timezone)
        # A count begun on the same day as an earlier one ends at the same moment, and yet begins the ladder anew.
        issue.next_escalation_at = taking.now
    elif taking.step.due is Due.RECOMPUTES and classified:
        count_due_again(issue, taking.timezone)
        if taking.brought.get("due_at") is None:
            late_at_once(issue, due_at=before, rule=rule, now=taking.now)
    elif taking.step.due is Due.RESTORES:
        _restore(taking)
    if (moment := taking.brought.get("due_at")) is not None:
        refuse_restarted_clock(issue, moment, taking.timezone)
        refuse_far_date(issue, moment, taking.brought.get("reason"), now=taking.now, timezone=taking.timezone)
        set_due(issue, moment, taking.timezone)
    if taking.step.due is Due.RECOMPUTES and classified:
        _refuse_unexplained_time(taking, before)
    if "parts" in taking.changes:
        refuse_parts_after(issue, taking.timezone)
    taking.changes |= due_change(issue, before, rule)


def _restore(taking: Taking) -> None:
    issue, from_ledger, due_at = taking.issue, taking.issue.suspended_at, taking.issue.due_at
    stopped_at = from_ledger or issue.rectified_at
    assert stopped_at
    because = Pause.LEDGER if from_ledger else Pause.REVIEW
    restore_due(issue, because, stopped_at=stopped_at, now=taking.now, timezone=taking.timezone)
    # Reminders of a time that stood still are not sent.
    issue.next_escalation_at = taking.now
    keep_late(issue, due_at=due_at, stopped_at=stopped_at, now=taking.now, timezone=taking.timezone)
    taking.changes |= restore_plan(issue, because, stopped_at=stopped_at, now=taking.now, timezone=taking.timezone)
    if from_ledger:
        leave_ledger(taking)
    else:
        issue.rectified_at = issue.rectified_by_id = None


def _accept(taking: Taking) -> None:
    taking.changes |= link_relapse(taking.issue, taking.timezone)


def _reject(taking: Taking) -> None:
    taking.changes |= withdraw_relapse(taking.issue)


def _merge(taking: Taking) -> None:
    taking.changes |= merge(taking.issue, taking.brought, by=taking.by, now=taking.now, timezone=taking.timezone)


def _unmerge(taking: Taking) -> None:
    taking.changes |= unmerge(taking.issue, taking.brought, by=taking.by, timezone=taking.timezone)


def _nothing(_taking: Taking) -> None:
    """Change nothing but the state."""


def _progress(taking: Taking) -> None:
    if taking.brought.get("is_plan"):
        report_plan(taking)


def _rectify(taking: Taking) -> None:
    taking.issue.rectified_at, taking.issue.rectified_by_id = taking.now, taking.by.person_id


def _verify(taking: Taking) -> None:
    taking.issue.verified_at = taking.now


def _return(taking: Taking) -> None:
    taking.issue.verified_at = None
    taking.issue.returned_times += 1


def _close(taking: Taking) -> None:
    taking.issue.closed_at = taking.now
    taking.change("public_summary", taking.brought.get("public_summary") or taking.issue.public_summary)


def _reopen(taking: Taking) -> None:
    issue = taking.issue
    call_back(taking)
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
    order = Order(
        id=new_id(), issue_id=issue.id, kind=kind, text=text, by_id=taking.by.person_id, rule=None, to_id=issue.lead_id, at=taking.now,
    )  # fmt: skip
    db.session.add(order)
    taking.rows |= rows_to_say(order, "at")
    taking.changes |= {"order": {"from": None, "to": kind}, "text": {"from": None, "to": text}}


_EFFECTS: dict[Verb, Callable[[Taking], None]] = {
    Verb.ACCEPT: _accept,
    Verb.REJECT: _reject,
    Verb.MERGE: _merge,
    Verb.UNMERGE: _unmerge,
    Verb.SUPERVISE: _supervise,
    Verb.DISPATCH: dispatch,
    Verb.TRANSFER: transfer,
    Verb.DECLINE: decline,
    Verb.SUSPEND: suspend,
    Verb.PROGRESS: _progress,
    Verb.RECTIFY: _rectify,
    Verb.VERIFY: _verify,
    Verb.RETURN: _return,
    Verb.CLOSE: _close,
    Verb.REOPEN: _reopen,
}

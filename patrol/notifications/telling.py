"""From what happened to who hears of it: an event becomes an outbox row, and that row messages, deliveries, webhooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from patrol.foundation import clock, outbox
from patrol.foundation.channels import Way, can_send
from patrol.foundation.database import db
from patrol.foundation.events import subscribe
from patrol.foundation.quiet import due_moment
from patrol.issues.beside import ANSWER_ORDER
from patrol.issues.deciding import LATE_NAME
from patrol.issues.escalation_models import Order
from patrol.issues.events import DueMoved, EntryNoted, IssueEscalated, IssueReported, StepTaken, TroubleCameBack
from patrol.issues.history import PART_LATE, SUBMIT, is_rung
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import HistoryEntry, Issue, number_of
from patrol.notifications.models import Channel, Delivery, Message, Webhook, WebhookDelivery
from patrol.notifications.recipients import Recipients, recipients_of
from patrol.notifications.resting import goes_in_order, is_paused
from patrol.notifications.templates import TEMPLATES


@subscribe(IssueReported)
def tell_of_report(event: IssueReported) -> None:
    """Let the worker tell of a new issue."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=1)


@subscribe(StepTaken)
def tell_of_step(event: StepTaken) -> None:
    """Let the worker tell of a step, unless nobody is told of such."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=event.seq)


@subscribe(DueMoved)
def tell_of_moved_due(event: DueMoved) -> None:
    """Let the worker tell of a due date that was counted again."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=event.seq)


@subscribe(IssueEscalated)
def tell_of_escalation(event: IssueEscalated) -> None:
    """Let the worker tell of a late issue."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=event.seq)


@subscribe(EntryNoted)
def tell_of_entry(event: EntryNoted) -> None:
    """Let the worker tell of what is no step."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=event.seq)


@subscribe(TroubleCameBack)
def tell_of_relapse(event: TroubleCameBack) -> None:
    """Let the worker tell of a cure that did not hold."""
    outbox.put("notifications.tell", issue_id=str(event.issue_id), seq=event.seq)


@outbox.delivers("notifications.tell")
def tell(payload: dict[str, Any]) -> outbox.Write:
    """Find out whom one entry of an issue's history concerns; the writing half tells each of them once."""
    issue_id, seq = UUID(payload["issue_id"]), payload["seq"]
    issue = db.session.scalars(
        select(Issue).where(Issue.id == issue_id)
        .options(joinedload(Issue.region), joinedload(Issue.reach), selectinload(Issue.co_handlers))
    ).one()  # fmt: skip
    entry = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue_id, HistoryEntry.seq == seq)).one()
    due_at = _due_then(issue, seq)
    kind = _rung_kind(entry, due_at) if is_rung(entry) else _plain_kind(entry)
    template = TEMPLATES.get(kind)
    # What went straight to the chief need not trouble the office, and is told to the chief by its own step.
    straight = entry.verb == SUBMIT and issue.version > 1 and issue.state != entry.to_state
    # After a downtime a reminder would come when it is too late: the history keeps it, nobody is told.
    belated = (
        is_rung(entry) and entry.rule not in LATE_NAME and "order" not in entry.changes
        and _planned_at(entry) < issue.due_at <= clock.now()
    )
    to = () if template is None or straight or belated else template.to
    today, facts = clock.today(current_app.extensions["settings"].timezone), _facts(issue, entry, due_at)
    recipients = recipients_of(issue, to, but=entry.actor_id, day=today, named=_named_by(entry))
    return partial(
        write_notes, cause=f"issue:{issue_id}:{seq}", kind=kind, subject_kind="issue", subject_id=issue_id,
        facts=facts, recipients=recipients, region_path=issue.region.path, payload=_payload(issue, entry),
        own=_own_facts(issue, entry) | _as_duplicates(recipients, facts["number"]),
    )  # fmt: skip


def _own_facts(issue: Issue, entry: HistoryEntry) -> dict[UUID, dict[str, Any]]:
    """Return what only the general chief is told: that a ledger or another grade is in that chief's name, or was reported to nobody else.

    Of a grade nothing else is told to a chief who handles nothing of it.
    """
    found = {how: UUID(entry.changes[how]["to"]["id"]) for how in ("approved_by", "reported_to") if how in entry.changes}
    if entry.verb == Verb.SUSPEND:
        return {chief: {"in_your_name": how} for how, chief in found.items()}
    handlers = {issue.lead_id, *(person.id for person in issue.co_handlers)}
    return {chief: {"in_your_name": "graded", **({} if chief in handlers else {"only_named": True})} for chief in found.values()}


def _as_duplicates(recipients: Recipients, original: str) -> dict[UUID, dict[str, Any]]:
    """Return, for who follows an original only because of a duplicate, the number that they know, and the original's beside it."""
    return {person_id: {"number": number, "original": original} for person_id, number in recipients.by_duplicate.items()}


def _named_by(entry: HistoryEntry) -> list[UUID]:
    """Return whom an entry names: who gave the order that it answers, nobody for the ladder's; who approved of what it did, or is to know of it.

    Of a reopening that is whoever led when it was closed: nobody leads it from then on.
    """
    if entry.verb == ANSWER_ORDER:
        giver = db.session.scalar(select(Order.by_id).where(Order.id == UUID(entry.changes["order"]["to"])))
        return [giver] if giver else []
    if entry.verb == Verb.REOPEN:
        led = entry.changes.get("lead_id", {}).get("from")
        return [UUID(led["id"])] if led else []
    chief = entry.changes.get("approved_by") or entry.changes.get("reported_to")
    return [UUID(chief["to"]["id"])] if chief else []


def _planned_at(entry: HistoryEntry) -> datetime:
    return datetime.fromisoformat(entry.changes["planned_at"]["to"])


def _plain_kind(entry: HistoryEntry) -> str:
    """Return the kind of message for what is no rung: that of a late part, else its verb's."""
    return f"issue.{PART_LATE if entry.rule == PART_LATE else entry.verb}"


def _rung_kind(entry: HistoryEntry, due_at: datetime) -> str:
    """Return the kind of message for a rung: its own, else that of its order, else a reminder's or that of being late."""
    order = entry.changes.get("order", {}).get("to")
    plain = "day_before" if _planned_at(entry) < due_at else "overdue"
    return next(kind for kind in (f"issue.{entry.rule}", f"issue.{order}", f"issue.{plain}") if kind in TEMPLATES)


def _facts(issue: Issue, entry: HistoryEntry, due_at: datetime) -> dict[str, Any]:
    return {
        "number": number_of(issue.serial), "category": issue.category, "severity": issue.severity,
        "place": issue.reach.name if issue.reach else issue.region.name,
        "due_at": _due_at(entry, due_at).isoformat(), **_plan_of(entry), **({"unaccepted": True} if entry.to_state == State.SUBMITTED else {}),
        "actor": entry.actor_name, "reason": entry.reason,
    }  # fmt: skip


def _plan_of(entry: HistoryEntry) -> dict[str, str]:
    """Return by when a plan is asked, where the entry says so."""
    moment = entry.changes.get("plan_due_at", {}).get("to")
    return {"plan_due_at": moment} if moment else {}


def _due_then(issue: Issue, seq: int) -> datetime:
    """Return when the issue was due as of an entry: what moved the date before somebody is told is told by its own message."""
    said = db.session.scalars(
        select(HistoryEntry.facts).where(HistoryEntry.issue_id == issue.id, HistoryEntry.seq <= seq).order_by(HistoryEntry.seq.desc())
    )
    return next((datetime.fromisoformat(facts["due_at"]) for facts in said if facts and facts.get("due_at")), issue.due_at)


def _due_at(entry: HistoryEntry, due_at: datetime) -> datetime:
    """Return the date that an entry is about: the office's, a plan's, a part's own, else the issue's, which is `due_at`."""
    if "part_due_at" in entry.changes:
        return datetime.fromisoformat(entry.changes["part_due_at"]["to"])
    return _planned_at(entry) if entry.rule in LATE_NAME else due_at


def _payload(issue: Issue, entry: HistoryEntry) -> dict[str, Any]:
    """Return what a webhook is told: no words and no names, these are for whoever may ask the API for them."""
    return {
        "at": entry.at.isoformat(),
        "issue": {
            "id": str(issue.id), "number": number_of(issue.serial), "category": issue.category, "severity": issue.severity,
            "source": issue.source, "region": issue.region.code, "reach": issue.reach.code if issue.reach else None,
        },
        "step": {"verb": entry.verb, "from": entry.from_state, "to": entry.to_state, "seq": entry.seq, "hash": entry.hash},
    }  # fmt: skip


def write_notes(
    *, cause: str, kind: str, subject_kind: str, subject_id: UUID, facts: dict[str, Any], recipients: Recipients,
    region_path: str | None, payload: dict[str, Any], own: Mapping[UUID, dict[str, Any]] | None = None,
) -> None:  # fmt: skip
    """Write the messages, their deliveries and the webhooks' events of one cause, each once however often it is called.

    What a channel could not send, since there is no mail server, is not written down for it: the inbox has it.
    `own` are more facts for one person alone, by whose id. Without a `region_path` no webhook is told.
    """
    own = own or {}
    told = set(db.session.scalars(select(Message.person_id).where(Message.cause == cause, Message.person_id.in_(recipients.people))))
    for person_id in recipients.people:
        if person_id not in told:
            db.session.add(Message(
                person_id=person_id, cause=cause, kind=kind, subject_kind=subject_kind, subject_id=subject_id,
                facts=facts | own.get(person_id, {}), created_at=clock.now(), read_at=None,
            ))  # fmt: skip
    for channel in _channels_of(recipients):
        if (channel.kinds is None or kind in channel.kinds) and can_send(Way(channel.way), current_app.extensions["settings"]):
            _deliver_on(channel, cause, kind, facts | (own.get(channel.person_id, {}) if channel.person_id else {}))
    # A webhook that is switched off is told too: it is kept until that goes on.
    for webhook in _webhooks_over(region_path) if region_path else ():
        if webhook.kinds is None or kind in webhook.kinds:
            _call(webhook, cause, kind, payload)


def _channels_of(recipients: Recipients) -> Sequence[Channel]:
    offices = [recipients.office_region_id] if recipients.office_region_id else []
    if not recipients.people and not offices:
        return []
    return db.session.scalars(
        select(Channel).where(
            # People's own channels have no region: asked with none, that of all of them would be it.
            or_(Channel.person_id.in_(recipients.people), Channel.region_id.in_(offices)), Channel.disabled_at.is_(None)
        ).order_by(Channel.id)
    ).all()  # fmt: skip


def _webhooks_over(region_path: str) -> Sequence[Webhook]:
    webhooks = db.session.scalars(
        select(Webhook).where(Webhook.deleted_at.is_(None)).options(joinedload(Webhook.region)).order_by(Webhook.id)
    ).all()
    return [webhook for webhook in webhooks if region_path.startswith(webhook.region.path)]


def _deliver_on(channel: Channel, cause: str, kind: str, facts: dict[str, Any]) -> None:
    if db.session.scalar(select(Delivery.id).where(Delivery.channel_id == channel.id, Delivery.cause == cause)):
        return
    due = _due(channel)
    row = outbox.put("notifications.send", not_before=due, channel_id=str(channel.id), cause=cause)
    db.session.add(Delivery(channel_id=channel.id, cause=cause, kind=kind, facts=facts, due_at=due, sent_at=None, outbox_id=row))


def _due(channel: Channel) -> datetime:
    return due_moment(
        clock.now(), quiet_from=channel.quiet_from, quiet_to=channel.quiet_to, digest_at=channel.digest_at,
        timezone=current_app.extensions["settings"].timezone,
    )  # fmt: skip


def _call(webhook: Webhook, cause: str, kind: str, payload: dict[str, Any]) -> None:
    own = select(WebhookDelivery.id).where(WebhookDelivery.webhook_id == webhook.id)
    is_told, others_wait, others_go = db.session.execute(select(
        own.where(WebhookDelivery.cause == cause).exists(), own.where(is_paused()).exists(), own.where(goes_in_order()).exists(),
    )).one()  # fmt: skip
    if is_told:
        return
    # Behind what is still kept, or was kept and is on its way, it takes its turn: events arrive in the order in which they happened.
    at_rest, turn = webhook.disabled_at is not None or others_wait, dict[str, Any](in_order=True) if others_go else {}
    row = None if at_rest else outbox.put("notifications.call", webhook_id=str(webhook.id), cause=cause, **turn)
    db.session.add(WebhookDelivery(
        webhook_id=webhook.id, cause=cause, kind=kind, payload=payload, created_at=clock.now(), delivered_at=None, last_status=None,
        outbox_id=row,
    ))  # fmt: skip

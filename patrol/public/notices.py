"""From a turn of a case to who is told without an account: an event becomes an outbox row, and that one row for each of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, Uuid, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from patrol.foundation import clock, outbox
from patrol.foundation.database import db, new_id
from patrol.foundation.events import subscribe
from patrol.foundation.postgresql import planned_once
from patrol.foundation.quiet import due_moment
from patrol.foundation.settings import Settings
from patrol.issues.events import DueMoved, EntryNoted, IssueReported, StepTaken
from patrol.issues.history import RECOUNT, SUBMIT
from patrol.issues.models import HistoryEntry, Issue
from patrol.public.models import Complaint, ComplaintEntry, Follow
from patrol.public.notice_words import OWN_ONLY, TOLD
from patrol.public.subscription_models import Notice, Subscription

COLLECTED_FOR = timedelta(minutes=1)
"""How long the first message waits for what follows at once: acceptance and dispatch by policy come with the receipt."""
ASKED_A_DAY = 3
"""How often one address is asked in 24 hours whether it wants to be told: nobody can be pestered in a stranger's name."""
_LISTENED = "listeners"
CONSENT = 0
"""The number of the notice that asks for consent; the history's entries begin with 1."""


@subscribe(IssueReported)
def tell_of_report(event: IssueReported) -> None:
    """Let the worker tell a complainant that the complaint was received; to a new issue nobody else listens yet."""
    session = db.session()
    if not _is_asked(session, event.issue_id):
        session.info[_LISTENED] = (session.get_transaction(), event.issue_id, False)
    _tell(event.issue_id, SUBMIT, 1)


@subscribe(StepTaken)
def tell_of_step(event: StepTaken) -> None:
    """Let the worker tell of a step."""
    _tell(event.issue_id, event.verb, event.seq)


@subscribe(EntryNoted)
def tell_of_entry(event: EntryNoted) -> None:
    """Let the worker tell of a new due date, or of a refused "not fixed"."""
    _tell(event.issue_id, event.verb, event.seq)


@subscribe(DueMoved)
def tell_of_moved_due(event: DueMoved) -> None:
    """Let the worker tell of a due date that moved."""
    _tell(event.issue_id, RECOUNT, event.seq)


def _tell(issue_id: UUID, verb: str, seq: int) -> None:
    if verb in TOLD and _somebody_listens(issue_id):
        outbox.put("public.tell", issue_id=str(issue_id), seq=seq)


def _somebody_listens(issue_id: UUID) -> bool:
    """Tell whether anybody is to be told of an issue; within one transaction it is asked once."""
    session = db.session()
    if not _is_asked(session, issue_id):
        listens = session.scalar(_ANY_LISTENER, {"issue_id": issue_id}) is not None
        session.info[_LISTENED] = (session.get_transaction(), issue_id, listens)
    return bool(session.info[_LISTENED][2])


def _is_asked(session: Session, issue_id: UUID) -> bool:
    under_way, asked, _ = session.info.get(_LISTENED, (None, None, False))
    return under_way is not None and under_way is session.get_transaction() and asked == issue_id


def listens_now(issue_id: UUID) -> None:
    """Note that somebody began to listen to an issue in the transaction under way."""
    session = db.session()
    session.info[_LISTENED] = (session.get_transaction(), issue_id, True)


def _listeners(issue: ColumnElement[UUID]) -> Select[Subscription]:
    """Select the subscriptions that are told of an issue: confirmed, not ended, by whoever complained of it or follows it.

    Whoever reported or follows what was merged into it hears of it too.
    One that has ended has no key of an address any more.
    """
    cases = union_all(select(issue), select(Issue.id).where(Issue.merged_into_id == issue)).scalar_subquery()
    complainants = select(Subscription.id).join(Complaint, Complaint.id == Subscription.complaint_id).where(Complaint.issue_id.in_(cases))
    followers = select(Subscription.id).join(Follow, Follow.id == Subscription.follow_id).where(Follow.issue_id.in_(cases))
    return (
        select(Subscription).where(Subscription.id.in_(union_all(complainants, followers)))
        .where(Subscription.confirmed_at.is_not(None), Subscription.address_key.is_not(None))
    )  # fmt: skip


def listeners_to(issue_id: UUID) -> Select[Subscription]:
    """Select the subscriptions that are told of an issue."""
    return _listeners(literal(issue_id, Uuid()))


# Each step asks this, and so it is put together once.
_ANY_LISTENER = planned_once(_listeners(bindparam("issue_id", type_=Uuid())).with_only_columns(Subscription.id).limit(1))


@outbox.delivers("public.tell")
def tell(payload: dict[str, Any]) -> outbox.Write:
    """Write down whom one entry of an issue's history is told, each once."""
    return partial(_write_notices, UUID(payload["issue_id"]), payload["seq"])


def _write_notices(issue_id: UUID, seq: int) -> None:
    verb = db.session.scalars(select(HistoryEntry.verb).where(HistoryEntry.issue_id == issue_id, HistoryEntry.seq == seq)).one()
    told = set(db.session.scalars(select(Notice.subscription_id).where(Notice.issue_id == issue_id, Notice.seq == seq)))
    listeners = db.session.scalars(listeners_to(issue_id).order_by(Subscription.id)).all()
    whose = None
    if verb in OWN_ONLY:
        whose = db.session.scalar(select(ComplaintEntry.complaint_id).where(ComplaintEntry.issue_id == issue_id, ComplaintEntry.seq == seq))
    wanted = [row for row in listeners if row.id not in told and (verb not in OWN_ONLY or (whose is not None and row.complaint_id == whose))]
    due = _due_moments([row.address_key for row in wanted if row.address_key])
    for row in wanted:
        _write(row, issue_id, seq, "public.write", due.get(row.address_key or "", clock.now()))


def _write(subscription: Subscription, issue_id: UUID, seq: int, kind: str, due: datetime) -> None:
    notice = Notice(id=new_id(), subscription_id=subscription.id, issue_id=issue_id, seq=seq, due_at=due, sent_at=None)
    notice.outbox_id = outbox.put(kind, not_before=due, notice_id=str(notice.id))
    db.session.add(notice)
    db.session.flush()


def _due_moments(keys: Sequence[str]) -> dict[str, datetime]:
    """Return for each address when the next message may go to it: with what waits already, else after the pause, never in quiet hours."""
    settings: Settings = current_app.extensions["settings"]
    now = clock.now()
    rows = db.session.execute(
        select(Subscription.address_key, func.max(Notice.sent_at), func.max(Notice.due_at).filter(Notice.sent_at.is_(None)))
        .join(Notice, Notice.subscription_id == Subscription.id)
        .where(Subscription.address_key.in_(keys), Notice.seq != CONSENT).group_by(Subscription.address_key)
    )  # fmt: skip
    before = {key: (sent, waiting) for key, sent, waiting in rows}
    pause, (quiet_from, quiet_to) = timedelta(hours=settings.citizen_pause_hours), settings.citizen_quiet
    due = {}
    for key in keys:
        sent, waiting = before.get(key, (None, None))
        earliest = max(now + COLLECTED_FOR, sent + pause if sent else now)
        due[key] = max(now, waiting) if waiting else due_moment(
            earliest, quiet_from=quiet_from, quiet_to=quiet_to, digest_at=None, timezone=settings.timezone
        )
    return due


def ask_consent(subscription: Subscription, issue_id: UUID) -> None:
    """Ask at the address whether it wants to be told: at once, also in quiet hours, since somebody waits for it."""
    day = timedelta(days=1)
    asked = db.session.scalars(
        select(Notice.due_at).join(Notice.subscription)
        .where(Subscription.address_key == subscription.address_key, Notice.seq == CONSENT, Notice.due_at > clock.now() - day)
        .order_by(Notice.due_at.desc()).limit(ASKED_A_DAY)
    ).all()  # fmt: skip
    due = max(clock.now(), asked[-1] + day) if len(asked) == ASKED_A_DAY else clock.now()
    _write(subscription, issue_id, CONSENT, "public.ask", due)

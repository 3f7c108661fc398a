"""Telling citizens: the only place, beside the look with a reason, where a sealed contact is opened, and only to send."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import joinedload

from patrol.foundation import channels, clock, outbox
from patrol.foundation.channels import Way
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.quiet import end_of_quiet
from patrol.foundation.sealing import unseal
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES
from patrol.issues.due import WITHOUT_DUE
from patrol.issues.models import HistoryEntry, Issue
from patrol.public import notice_words, veto
from patrol.public.models import Complaint, Follow, FollowerContact, ReporterContact
from patrol.public.notice_words import Case, Letter, Turn
from patrol.public.notices import CONSENT
from patrol.public.subscription_models import Notice, Subscription
from patrol.public.subscriptions import link_token, way_to

MOST_TOGETHER = 20
WAITED_FOR = timedelta(minutes=10)
"""How long somebody who asked to be told looks out for the question that confirms it."""
# Mail programs show a button for these, and call the second themselves (RFC 8058).
_UNSUBSCRIBE, _ONE_CLICK = "List-Unsubscribe", "List-Unsubscribe-Post"
_NO_ADDRESS = Text("联系方式已无法使用", "The contact cannot be used any more")


class Waiting(NamedTuple):
    """One notice that waits, with the subscription, and the issue and the tracking code of what was reported or is followed.

    The notice may be about another issue: that into which this one was merged.
    """

    notice: Notice
    subscription: Subscription
    own_id: UUID
    code: str


@outbox.delivers("public.write")
def write_to(payload: dict[str, Any]) -> outbox.Write:
    """Send one citizen everything that waits for that address, as one message; the writing half marks it as sent.

    What another worker is sending is left to it.
    Raises Unavailable when it is not taken, in words without the address; the outbox tries again. Nothing is sent once
    the subscription has ended. What went wrong in the evening waits for the morning, as what happens at night does.
    """
    settings: Settings = current_app.extensions["settings"]
    own = db.session.get(Notice, UUID(payload["notice_id"]), options=[joinedload(Notice.subscription)])
    if own is None or own.sent_at is not None or own.subscription.address_key is None:
        return _nothing
    _hold_in_quiet_hours(settings)
    subscription, waiting = own.subscription, _waiting_with(own)
    cases = _cases_of(waiting, settings)
    return _send(subscription, [row.notice for row in waiting], cases, settings)


@outbox.delivers("public.ask")
def ask(payload: dict[str, Any]) -> outbox.Write:
    """Ask a follower's address whether it wants to be told. Raises as `write_to` does.

    It goes out at night too while whoever asked for it waits; a question that is late by `WAITED_FOR` waits for the morning.
    """
    settings: Settings = current_app.extensions["settings"]
    notice = db.session.get(Notice, UUID(payload["notice_id"]), options=[joinedload(Notice.subscription)])
    if notice is None or notice.sent_at is not None or notice.subscription.address_key is None:
        return _nothing
    if clock.now() > notice.due_at + WAITED_FOR:
        _hold_in_quiet_hours(settings)
    issue = _issues([notice.issue_id])[notice.issue_id]
    link = f"{settings.public_url.rstrip('/')}/u/{link_token(notice.subscription_id, settings.secret_key)}/confirm"
    case = Case(issue.number, CATEGORIES[issue.category].name, _place(issue), False, (), link, "")
    return _send(notice.subscription, [notice], [case], settings)


def _hold_in_quiet_hours(settings: Settings) -> None:
    now, (quiet_from, quiet_to) = clock.now(), settings.citizen_quiet
    until = end_of_quiet(now, quiet_from=quiet_from, quiet_to=quiet_to, digest_at=None, timezone=settings.timezone)
    if until > now:
        raise outbox.NotYet(until)


def _nothing() -> None:
    """Write nothing: it is told already, or nobody wants to hear it."""


def _waiting_with(own: Notice) -> list[Waiting]:
    """Return what waits for the address of `own`, which is among it however many wait in vain; what is of one case stands together."""
    own_id, waits = own.id, [Subscription.address_key == own.subscription.address_key, Notice.sent_at.is_(None), Notice.seq != CONSENT]
    found = db.session.execute(
        select(Notice.id, Notice.outbox_id).join(Notice.subscription).where(*waits)
        .order_by(Notice.id != own_id, Subscription.id, Notice.issue_id, Notice.seq).limit(MOST_TOGETHER)
    ).all()  # fmt: skip
    taken = outbox.take_along([outbox_id for notice_id, outbox_id in found if notice_id != own_id])
    rows = db.session.execute(
        select(
            Notice, Subscription, func.coalesce(Complaint.issue_id, Follow.issue_id), func.coalesce(Complaint.tracking_code, Follow.tracking_code),
        )
        .join(Subscription, Subscription.id == Notice.subscription_id)
        .outerjoin(Complaint, Complaint.id == Subscription.complaint_id).outerjoin(Follow, Follow.id == Subscription.follow_id)
        .where(or_(Notice.id == own_id, Notice.outbox_id.in_(taken)), *waits).order_by(Subscription.id, Notice.issue_id, Notice.seq)
    ).all()  # fmt: skip
    return [Waiting(*row) for row in rows]


def _issues(ids: Sequence[UUID]) -> dict[UUID, Issue]:
    statement = select(Issue).where(Issue.id.in_(ids)).options(joinedload(Issue.reach), joinedload(Issue.region))
    return {issue.id: issue for issue in db.session.scalars(statement)}


def _place(issue: Issue) -> str:
    return issue.reach.name if issue.reach else issue.region.name


def _cases_of(waiting: Sequence[Waiting], settings: Settings) -> list[Case]:
    issues = _issues([*{issue_id for row in waiting for issue_id in (row.notice.issue_id, row.own_id)}])
    cases = [_case_of(list(run), issues, settings) for _, run in groupby(waiting, key=lambda row: row.subscription.id)]
    return [case for case in cases if case.turns]


def _case_of(rows: Sequence[Waiting], issues: Mapping[UUID, Issue], settings: Settings) -> Case:
    """Return what is told of one case, under the number that its reader knows, although it may be the original's turns."""
    first, here = rows[0], settings.public_url.rstrip("/")
    own, is_own = issues[first.own_id], first.subscription.complaint_id is not None
    turns, original = list[Turn](), None
    for issue_id, run in groupby(rows, key=lambda row: row.notice.issue_id):
        told = _turns_of(issues[issue_id], [row.notice.seq for row in run], settings, is_own=is_own)
        turns += told
        if told and issue_id != own.id:
            original = issues[issue_id].number
    return Case(
        own.number, CATEGORIES[own.category].name, _place(own), is_own, sorted(turns, key=lambda turn: turn.at), f"{here}/t/{first.code}",
        f"{here}/u/{link_token(first.subscription.id, settings.secret_key)}", original,
    )  # fmt: skip


def _turns_of(issue: Issue, seqs: Sequence[int], settings: Settings, *, is_own: bool) -> list[Turn]:
    entries = db.session.scalars(
        select(HistoryEntry).where(HistoryEntry.issue_id == issue.id, HistoryEntry.seq.in_(seqs)).order_by(HistoryEntry.seq)
    ).all()
    due_day = None if issue.state in WITHOUT_DUE else issue.due_rule["last_day"]
    until = veto.last_day(issue, settings.not_fixed_days, clock.now(), settings.timezone)
    turns = [notice_words.turn_of(entry, is_own=is_own, due_day=due_day, not_fixed_until=until) for entry in entries]
    return [turn for turn in turns if turn]


def _send(subscription: Subscription, notices: Sequence[Notice], cases: Sequence[Case], settings: Settings) -> outbox.Write:
    ids, outbox_ids = [row.id for row in notices], [row.outbox_id for row in notices]
    if cases:
        address, language = _address_of(subscription, settings), subscription.language
        is_question, by_mail = notices[0].seq == CONSENT, subscription.way == Way.MAIL
        # Nothing of the database is held while the other side takes its time.
        db.session.rollback()
        try:
            if by_mail:
                _mail(address, cases, language, settings, is_question=is_question)
            else:
                _text(address, cases, language, settings, is_question=is_question)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a sender raises may carry the address, and this is logged and kept on the row
            raise Unavailable(Text(type(error).__name__, type(error).__name__)) from None
    return partial(_mark_sent, ids, outbox_ids)


def _mail(address: str, cases: Sequence[Case], language: str, settings: Settings, *, is_question: bool) -> None:
    letter: Letter
    headers = {}
    if is_question:
        letter = notice_words.question_of(cases[0], language, settings.unconfirmed_days)
    else:
        letter = notice_words.letter_of(cases, language, settings.timezone)
        here, token = settings.public_url.rstrip("/"), cases[0].end.rpartition("/")[2]
        if len(cases) == 1:
            headers = {_UNSUBSCRIBE: f"<{here}/api/v1/public/subscriptions/{token}/end>", _ONE_CLICK: "List-Unsubscribe=One-Click"}
    channels.send(Way.MAIL, address, title=letter.title, body=letter.body, mail_url=settings.mail_url, headers=headers)


def _text(phone: str, cases: Sequence[Case], language: str, settings: Settings, *, is_question: bool) -> None:
    for case in cases:
        body = notice_words.sms_question_of(case, language) if is_question else notice_words.sms_of(case, language)
        channels.send_sms(phone, body=body, sms_url=settings.sms_url)


def _address_of(subscription: Subscription, settings: Settings) -> str:
    statement: Select[bytes] = (
        select(ReporterContact.sealed).where(ReporterContact.complaint_id == subscription.complaint_id) if subscription.complaint_id
        else select(FollowerContact.sealed).where(FollowerContact.follow_id == subscription.follow_id)
    )  # fmt: skip
    sealed = db.session.scalar(statement)
    by_mail = subscription.way == Way.MAIL
    found = way_to(unseal(sealed, settings.field_key), mail=by_mail, sms=not by_mail) if sealed else None
    if found is None:
        raise Unavailable(_NO_ADDRESS)
    return found[1]


def _mark_sent(ids: Sequence[UUID], outbox_ids: Sequence[UUID]) -> None:
    db.session.execute(update(Notice).where(Notice.id.in_(ids), Notice.sent_at.is_(None)).values(sent_at=clock.now()))
    outbox.went_along(outbox_ids)

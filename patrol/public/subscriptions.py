"""Being told of a case without an account: left with a contact, confirmed, ended by one click. None of these commits."""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, or_, select

from patrol.foundation import clock, events
from patrol.foundation.channels import is_mail_address
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import NotFound
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.issues.events import BecameCharge
from patrol.issues.models import Issue
from patrol.people.tokens import keyed_hash
from patrol.public.models import Complaint, Follow, FollowerContact
from patrol.public.notices import ask_consent, listens_now
from patrol.public.subscription_models import Notice, Subscription

_PHONE = re.compile(r"\+?[0-9]{5,15}")
_MAC_BYTES = 12
_NOTHING_KEPT = Text(
    "没有这个订阅：链接不完整，或联系方式已删除，不会再发送消息", "There is no such subscription: the link is not whole, or the contact is deleted and nothing is sent"
)


def way_to(contact: Mapping[str, str], *, mail: bool, sms: bool) -> tuple[str, str] | None:
    """Return how and where somebody can be told: by `mail` if that can be sent, else by `sms`; None when neither can."""
    address = contact.get("email", "")
    if mail and is_mail_address(address):
        return "mail", address
    phone = re.sub(r"[\s()-]", "", contact.get("phone", ""))
    return ("sms", phone) if sms and _PHONE.fullmatch(phone) else None


def subscribe(case: Complaint | Follow, contact: Mapping[str, str], *, language: str, settings: Settings) -> Subscription | None:
    """Let a complainant or follower be told of each turn, None when there is no way to.

    A follower is first asked whether the address is his: anybody can follow with anybody's.
    """
    found = way_to(contact, mail=settings.tells_by_mail, sms=settings.tells_by_sms)
    if found is None:
        return None
    way, address = found
    is_own, now = isinstance(case, Complaint), clock.now()
    row = Subscription(
        id=new_id(), complaint_id=case.id if is_own else None, follow_id=None if is_own else case.id, way=way, language=language,
        address_key=keyed_hash(f"{way} {address.casefold()}", purpose="citizen-address", secret=settings.secret_key),
        created_at=now, confirmed_at=now if is_own else None, ended_at=None,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    if is_own:
        listens_now(case.issue_id)
    else:
        ask_consent(row, case.issue_id)
    return row


def link_token(subscription_id: UUID, secret: str) -> str:
    """Return what stands in the links of a message: whoever holds it can confirm and end this subscription, and nothing else."""
    return urlsafe_b64encode(subscription_id.bytes + _mac(subscription_id, secret)).decode().rstrip("=")


def _mac(subscription_id: UUID, secret: str) -> bytes:
    return bytes.fromhex(keyed_hash(str(subscription_id), purpose="subscription", secret=secret))[:_MAC_BYTES]


def subscription_with(token: str, secret: str, *, lock: bool = False) -> Subscription:
    """Return the subscription that a link's token opens. Raises NotFound (404) for any other, and when nothing is kept any more."""
    row = None
    if (subscription_id := _id_in(token, secret)) is not None:
        statement = select(Subscription).where(Subscription.id == subscription_id).execution_options(populate_existing=True)
        row = db.session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound(_NOTHING_KEPT)
    return row


def _id_in(token: str, secret: str) -> UUID | None:
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (BadBase64, ValueError):
        return None
    if len(raw) != 16 + _MAC_BYTES:
        return None
    subscription_id = UUID(bytes=raw[:16])
    return subscription_id if hmac.compare_digest(raw[16:], _mac(subscription_id, secret)) else None


def subscription_of(case: Complaint | Follow) -> Subscription | None:
    """Return how a complainant or follower is told, if at all."""
    column = Subscription.complaint_id if isinstance(case, Complaint) else Subscription.follow_id
    return db.session.scalar(select(Subscription).where(column == case.id))


def state_of(row: Subscription | None) -> str:
    """Return `none`, `unconfirmed`, `on` or `ended`."""
    if row is None:
        return "none"
    if row.ended_at is not None:
        return "ended"
    return "on" if row.confirmed_at is not None else "unconfirmed"


def shown(row: Subscription) -> dict[str, Any]:
    """Return what whoever holds a link reads of it: the case's number, and whether messages come."""
    number = db.session.scalars(select(Issue).where(Issue.id == _issue_id_of(row))).one().number
    return {"number": number, "state": state_of(row)}


def _issue_id_of(row: Subscription) -> Select[UUID]:
    model: type[Complaint] | type[Follow] = Complaint if row.complaint_id else Follow
    return select(model.issue_id).where(model.id == (row.complaint_id or row.follow_id)).scalar_subquery()  # type: ignore[return-value]


def confirm(row: Subscription) -> None:
    """Note that whoever reads the address wants to be told; what was ended stays ended."""
    if row.confirmed_at is None and row.ended_at is None:
        row.confirmed_at = clock.now()


def end(row: Subscription) -> None:
    """Send nothing more: what waits is dropped, and a follower's contact, kept for nothing else, is deleted."""
    if row.ended_at is None:
        row.ended_at, row.address_key = clock.now(), None
    db.session.execute(delete(Notice).where(Notice.subscription_id == row.id, Notice.sent_at.is_(None)))
    if row.follow_id is not None:
        db.session.execute(delete(FollowerContact).where(FollowerContact.follow_id == row.follow_id))


def withdraw(follow: Follow) -> bool:
    """Follow no more: the contact goes, the follow's id and code stay taken. Return whether there was a contact."""
    had = db.session.get(FollowerContact, follow.id) is not None
    if follow.withdrawn_at is None:
        follow.withdrawn_at = clock.now()
    if (row := subscription_of(follow)) is not None:
        end(row)
    db.session.execute(delete(FollowerContact).where(FollowerContact.follow_id == follow.id))
    return had


@events.subscribe(BecameCharge)
def end_follows(event: BecameCharge) -> None:
    """Follow a charge against a chief no more: it is told to whoever reported it only."""
    cases = select(Issue.id).where(or_(Issue.id == event.issue_id, Issue.merged_into_id == event.issue_id))
    for follow in db.session.scalars(select(Follow).where(Follow.issue_id.in_(cases), Follow.withdrawn_at.is_(None))).all():
        withdraw(follow)


def forget(subscription_ids: Select[UUID]) -> None:
    """Delete subscriptions with what is written down of their messages."""
    db.session.execute(delete(Notice).where(Notice.subscription_id.in_(subscription_ids)))
    db.session.execute(delete(Subscription).where(Subscription.id.in_(subscription_ids)))


def subscriptions_to(complaint_ids: list[UUID], follow_ids: list[UUID]) -> Select[UUID]:
    """Select the subscriptions of these complaints and follows."""
    return select(Subscription.id).where(or_(Subscription.complaint_id.in_(complaint_ids), Subscription.follow_id.in_(follow_ids)))

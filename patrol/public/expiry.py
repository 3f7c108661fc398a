"""How long what citizens leave is kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, select
from sqlalchemy.orm import aliased

from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.issues.lifecycle import ENDED
from patrol.issues.models import HistoryEntry, Issue
from patrol.people.retention import Kept, keep
from patrol.public.actions import KEPT_AFTER_EXPIRY
from patrol.public.models import Complaint, Follow, FollowerContact, ReporterContact, SpentChallenge
from patrol.public.subscription_models import Notice, Subscription
from patrol.public.subscriptions import forget, subscriptions_to


def ended_long_ago(settings: Settings, now: datetime) -> Select[UUID]:
    """Select the issues that have ended and to which nothing has happened for the set days; what is merged ends with its original."""
    telling = aliased(Issue)
    last = and_(HistoryEntry.issue_id == telling.id, HistoryEntry.seq == telling.version)
    before = now - timedelta(days=settings.contact_days)
    return (
        select(Issue.id).join(telling, telling.id == func.coalesce(Issue.merged_into_id, Issue.id)).join(HistoryEntry, last)
        .where(Issue.state.in_(ENDED), telling.state.in_(ENDED), HistoryEntry.at < before)
    )  # fmt: skip


def reporter_contacts(settings: Settings, now: datetime) -> Select[Any]:
    """Select the contacts of complainants whose case ended long ago."""
    return (
        select(ReporterContact.complaint_id).join(Complaint, Complaint.id == ReporterContact.complaint_id)
        .where(Complaint.issue_id.in_(ended_long_ago(settings, now))).order_by(ReporterContact.complaint_id)
    )  # fmt: skip


def follower_contacts(settings: Settings, now: datetime) -> Select[Any]:
    """Select the contacts of followers whose case ended long ago."""
    return _of_followers(Follow.issue_id.in_(ended_long_ago(settings, now)))


def unconfirmed_contacts(settings: Settings, now: datetime) -> Select[Any]:
    """Select the contacts of followers that nobody confirmed in time."""
    confirmed = select(Subscription.id).where(Subscription.follow_id == Follow.id, Subscription.confirmed_at.is_not(None)).exists()
    return _of_followers((FollowerContact.created_at < now - timedelta(days=settings.unconfirmed_days)) & ~confirmed)


def _of_followers(condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(FollowerContact.follow_id).join(Follow, Follow.id == FollowerContact.follow_id).where(condition)
        .order_by(FollowerContact.follow_id)
    )  # fmt: skip


def ended_subscriptions(settings: Settings, now: datetime) -> Select[Any]:
    """Select the subscriptions that ended long ago and hold nothing any more."""
    return select(Subscription.id).where(Subscription.ended_at < now - timedelta(days=settings.contact_days)).order_by(Subscription.id)


def sent_notices(settings: Settings, now: datetime) -> Select[Any]:
    """Select the notices that went out long ago."""
    return select(Notice.id).where(Notice.sent_at < now - timedelta(days=settings.contact_days)).order_by(Notice.id)


def spent_challenges(_settings: Settings, now: datetime) -> Select[Any]:
    """Select the used challenges that have expired everywhere."""
    return select(SpentChallenge.signature).where(SpentChallenge.expires_at < now - KEPT_AFTER_EXPIRY).order_by(SpentChallenge.expires_at)


def _remove_reporters(complaint_ids: Sequence[Any]) -> None:
    forget(subscriptions_to(list(complaint_ids), []))
    db.session.execute(delete(ReporterContact).where(ReporterContact.complaint_id.in_(complaint_ids)))


def _remove_followers(follow_ids: Sequence[Any]) -> None:
    forget(subscriptions_to([], list(follow_ids)))
    db.session.execute(delete(FollowerContact).where(FollowerContact.follow_id.in_(follow_ids)))


def _remove_subscriptions(ids: Sequence[Any]) -> None:
    forget(select(Subscription.id).where(Subscription.id.in_(ids)))


def _remove_notices(ids: Sequence[Any]) -> None:
    db.session.execute(delete(Notice).where(Notice.id.in_(ids)))


def _remove_challenges(signatures: Sequence[Any]) -> None:
    db.session.execute(delete(SpentChallenge).where(SpentChallenge.signature.in_(signatures)))


_ENDED = "{days} after the last thing that happened to the ended case"
keep(Kept(
    "reporter_contacts", "A complainant's name, telephone, e-mail: sealed (Fernet)", ("reporter_contacts",),
    "whoever reveals it with a reason, which is written down; never the chiefs and handlers of the case", _ENDED, "CONTACT_DAYS",
    reporter_contacts, _remove_reporters,
))  # fmt: skip
keep(Kept(
    "unconfirmed_contacts", "A follower's contact that was not confirmed: sealed", ("follower_contacts",), "nobody", "{days}", "UNCONFIRMED_DAYS",
    unconfirmed_contacts, _remove_followers,
))  # fmt: skip
keep(Kept(
    "follower_contacts", "A follower's contact: sealed", ("follower_contacts",), "nobody",
    "until the messages are ended or the follow is withdrawn; " + _ENDED, "CONTACT_DAYS", follower_contacts, _remove_followers,
))  # fmt: skip
keep(Kept(
    "subscriptions", "That somebody is told of a case: way, language, a keyed hash of the address while it is on", ("subscriptions",), "nobody",
    "goes with the contact; when the citizen ended it, {days} after that", "CONTACT_DAYS", ended_subscriptions, _remove_subscriptions,
))  # fmt: skip
keep(Kept(
    "notices", "Which turns a citizen was told of: no words, no address", ("notices",),
    "office and supervisors see how many were sent, wait or are stuck", "{days} after they went out", "CONTACT_DAYS", sent_notices, _remove_notices,
))  # fmt: skip
keep(Kept(
    "spent_challenges", "Used proofs of work", ("spent_challenges",), "nobody", "an hour after they expire", None, spent_challenges,
    _remove_challenges,
))  # fmt: skip
keep(Kept(
    "complaints", "Complaints, follows, ratings, \"not fixed\": tracking codes, what was said, a keyed digest; no address, no user agent",
    ("complaints", "complaint_entries", "follows", "ratings", "reopening_requests"), "the holder of the code; staff read what was said, not the code",
    "for good: a withdrawn follow keeps its id and code taken",
))  # fmt: skip

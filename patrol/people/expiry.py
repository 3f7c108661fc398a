"""How long what belongs to accounts is kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select

from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.people.models import SignIn, SignInFailures, Token
from patrol.people.retention import Kept, delivered_outbox_rows, keep, remove_outbox_rows
from patrol.people.sign_in import FAILURES_KEPT, GRACE


def expired_tokens(_settings: Settings, now: datetime) -> Select[Any]:
    """Select the tokens that open nothing any more."""
    return select(Token.digest).where(Token.expires_at < now - GRACE).order_by(Token.expires_at)


def past_sign_ins(settings: Settings, now: datetime) -> Select[Any]:
    """Select the sign-ins that ended, or could be refreshed no more, long ago; those with tokens follow theirs."""
    before = now - timedelta(days=settings.sign_in_days)
    not_refreshed = SignIn.refreshed_at < before - timedelta(days=settings.refresh_token_days)
    has_tokens = select(Token.digest).where(Token.sign_in_id == SignIn.id).exists()
    return select(SignIn.id).where(or_(SignIn.ended_at < before, not_refreshed), ~has_tokens).order_by(SignIn.id)


def old_failures(_settings: Settings, now: datetime) -> Select[Any]:
    """Select the counts of failed sign-ins that no longer slow anybody down."""
    return select(SignInFailures.subject).where(SignInFailures.last_failed_at < now - FAILURES_KEPT).order_by(SignInFailures.subject)


def _remove_tokens(digests: Sequence[Any]) -> None:
    db.session.execute(delete(Token).where(Token.digest.in_(digests)))


def _remove_sign_ins(ids: Sequence[Any]) -> None:
    db.session.execute(delete(SignIn).where(SignIn.id.in_(ids)))


def _remove_failures(subjects: Sequence[Any]) -> None:
    db.session.execute(delete(SignInFailures).where(SignInFailures.subject.in_(subjects)))


keep(Kept(
    "tokens", "Tokens of signed-in devices, as SHA-256", ("tokens",), "nobody", "until they expire", None, expired_tokens, _remove_tokens,
))  # fmt: skip
keep(Kept(
    "sign_ins", "Sign-ins: which device, since when", ("sign_ins",), "their own person (`GET /me/sessions`)",
    "{days} after they ended or expired", "SIGN_IN_DAYS", past_sign_ins, _remove_sign_ins,
))  # fmt: skip
keep(Kept(
    "sign_in_failures", "Failed sign-ins, counted under keyed hashes of account and address", ("sign_in_failures",), "nobody", "one day",
    None, old_failures, _remove_failures,
))  # fmt: skip
keep(Kept(
    "people", "Accounts: name, telephone, post, roles", ("people",), "staff who may see people; open pages show posts only",
    "for good, disabled when somebody leaves: histories name them",
))  # fmt: skip
keep(Kept(
    "audit_entries", "The audit log: who did what, without contacts", ("audit_entries",), "auditors", "for good",
))  # fmt: skip


def register_outbox() -> None:
    """Register the outbox, whose rows are named by those of other rooms and go after them."""
    keep(Kept(
        "outbox", "What left or waits to leave the process: ids, no contact", ("outbox",),
        "the admin sees kind, age and error of what is stuck or waits, not what is in it",
        "{days} after delivery; what is stuck stays", "DELIVERED_DAYS", delivered_outbox_rows, remove_outbox_rows,
    ))  # fmt: skip

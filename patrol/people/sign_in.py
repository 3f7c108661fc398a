"""Signing in and out, refreshing, and the slow-down on guessing."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import NotSignedIn, TooMany
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.people.models import Person, SignIn, SignInFailures, Token
from patrol.people.slowdown import FORGOTTEN_AFTER, opens_at
from patrol.people.tokens import digest_of, keyed_hash, new_token, successor_of

GRACE = timedelta(seconds=60)
FAILURES_KEPT = timedelta(days=1)
_PRUNED_AT_ONCE = 50
_WRONG = Text("用户名或密码不正确", "The user name or the password is wrong")
_TOO_OFTEN = Text("尝试次数过多，请在 {wait_s} 秒后再试", "Too many tries: wait {wait_s} seconds")
_ENDED = Text("登录已失效，请重新登录", "This sign-in has ended: sign in again")
_REUSED = Text(
    "该刷新令牌已被使用过，为安全起见此次登录已全部失效，请重新登录",
    "This refresh token was used before; for safety the whole sign-in has ended: sign in again",
)


class SignInFailed(NotSignedIn):
    """A wrong user name or password; the failure is counted."""

    keeps_changes = True


class TokenReused(NotSignedIn):
    """A refresh token came a second time; its whole family is revoked."""

    keeps_changes = True


@dataclass(frozen=True)
class TokenPair:
    """What a client gets: both tokens in clear, this once."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"


def subjects_of(username: str, address: str, secret: str) -> dict[str, str]:
    """Return the keyed hashes under which failures of this account and address are counted, by kind."""
    named = {"account_here": f"{username} {address}", "account": username, "address": address}
    return {kind: keyed_hash(f"{kind} {text}", purpose="sign-in", secret=secret) for kind, text in named.items()}


def refuse_too_often(subjects: dict[str, str]) -> None:
    """Raise TooMany (429) while the account or the address has to wait after failures."""
    now = clock.now()
    rows = db.session.scalars(select(SignInFailures).where(SignInFailures.subject.in_(subjects.values()))).all()
    kinds = {subject: kind for kind, subject in subjects.items()}
    opening = max((opens_at(kinds[row.subject], row.failures, row.last_failed_at) for row in rows), default=now)
    if opening > now:
        wait_s = int((opening - now).total_seconds()) + 1
        raise TooMany(_TOO_OFTEN.format(wait_s=wait_s), retry_after_s=wait_s)


def refuse_sign_in(subjects: dict[str, str]) -> None:
    """Count one more failure for each subject and raise SignInFailed (401)."""
    count_failures(subjects)
    raise SignInFailed(_WRONG)


def count_failures(subjects: dict[str, str]) -> None:
    """Count one more failure for each subject, from one again after an hour without; drop some rows a day old.

    A row of another request that fails at the same moment is counted up, too; always in the same order, so that two
    requests do not wait for each other.
    """
    now = clock.now()
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = insert(SignInFailures).values([
        {"subject": subject, "failures": 1, "last_failed_at": now} for subject in sorted(subjects.values())
    ])
    still_counted = case((SignInFailures.last_failed_at < now - FORGOTTEN_AFTER, 0), else_=SignInFailures.failures)
    db.session.execute(first.on_conflict_do_update(
        index_elements=[SignInFailures.subject], set_={"failures": still_counted + 1, "last_failed_at": now}))
    old = (
        select(SignInFailures.subject).where(SignInFailures.last_failed_at < now - FAILURES_KEPT)
        .limit(_PRUNED_AT_ONCE).with_for_update(skip_locked=True)
    )  # fmt: skip
    db.session.execute(delete(SignInFailures).where(SignInFailures.subject.in_(old)))


def forget_failures(subjects: dict[str, str]) -> None:
    """Forget the account's failures, here and everywhere; the address keeps its own."""
    forgotten = [subjects["account_here"], subjects["account"]]
    db.session.execute(delete(SignInFailures).where(SignInFailures.subject.in_(forgotten)))


def begin_sign_in(person: Person, *, subjects: dict[str, str], device: str | None, settings: Settings) -> TokenPair:
    """Start a family of tokens for somebody whose password was right, and forget the account's failures here."""
    now = clock.now()
    forget_failures(subjects)
    db.session.execute(delete(Token).where(Token.expires_at < now - GRACE))
    sign_in = SignIn(id=new_id(), person_id=person.id, device=device, started_at=now, refreshed_at=now)
    db.session.add(sign_in)
    db.session.flush()
    return _issue(sign_in, access=new_token(), refresh=new_token(), settings=settings)


def refresh(refresh_token: str, *, settings: Settings) -> TokenPair:
    """Exchange a refresh token for its successors.

    A retry within 60 s gets the same ones, since the first answer may have been lost on the way. Later reuse means
    that somebody else holds the token: the whole family ends. Raises NotSignedIn or TokenReused (401).
    """
    now = clock.now()
    token = db.session.get(Token, digest_of(refresh_token), with_for_update=True)
    if token is None or token.kind != "refresh" or token.expires_at <= now:
        raise NotSignedIn(_ENDED)
    sign_in = db.session.get_one(SignIn, token.sign_in_id)
    person = db.session.get_one(Person, sign_in.person_id)
    if sign_in.ended_at is not None or person.disabled_at is not None:
        raise NotSignedIn(_ENDED)
    access = successor_of(refresh_token, kind="access", secret=settings.secret_key)
    following = successor_of(refresh_token, kind="refresh", secret=settings.secret_key)
    if token.used_at is None:
        token.used_at = sign_in.refreshed_at = now
        return _issue(sign_in, access=access, refresh=following, settings=settings)
    if now - token.used_at <= GRACE:
        return TokenPair(access, following, settings.access_token_minutes * 60)
    sign_in.ended_at = now
    raise TokenReused(_REUSED)


def _issue(sign_in: SignIn, *, access: str, refresh: str, settings: Settings) -> TokenPair:
    now = clock.now()
    lives_s = settings.access_token_minutes * 60
    for kind, token, lives in (
        ("access", access, timedelta(seconds=lives_s)), ("refresh", refresh, timedelta(days=settings.refresh_token_days)),
    ):
        db.session.add(
            Token(digest=digest_of(token), kind=kind, sign_in_id=sign_in.id, issued_at=now, expires_at=now + lives)
        )
    return TokenPair(access, refresh, lives_s)


def end_sign_ins(person_id: UUID, *, only: UUID | None = None, keep: UUID | None = None) -> int:
    """End the person's sign-ins: one (`only`), or all except `keep`. Return how many ended."""
    statement = update(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))
    if only is not None:
        statement = statement.where(SignIn.id == only)
    if keep is not None:
        statement = statement.where(SignIn.id != keep)
    result = db.session.execute(statement.values(ended_at=clock.now()))
    return int(result.rowcount)  # type: ignore[attr-defined]

"""The proof of work asked of anonymous writers: ALTCHA, version 2. Nobody else is asked who the caller is.

The client searches the counter (0 … cost) whose SHA-256 over salt, nonce and counter (4 bytes, big endian) starts with
the challenge's key prefix, and sends challenge and solution back as Base64 over JSON.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha

from patrol.foundation.errors import Invalid
from patrol.foundation.texts import Text

LIFETIME = timedelta(minutes=20)
_ALGORITHM = "SHA-256"
# Half of the digest names the counter beyond doubt.
_PREFIX_BYTES = 16

MISSING = Text(
    "请先用 GET /api/v1/public/challenge 取得验证题，求解后放在 challenge 中再提交",
    "Get a challenge from GET /api/v1/public/challenge, solve it, and send the solution in challenge",
)
_MALFORMED = Text(
    "challenge 应为 ALTCHA 解答：对题目与解答的 JSON 做 Base64 编码",
    "challenge should be an ALTCHA solution: Base64 over the JSON of challenge and solution",
)
_EXPIRED = Text("验证题已过期，请重新取题求解后再提交", "The challenge has expired: get a new one, solve it and send again")
_FOREIGN = Text("这道验证题不是本系统发出的，请重新取题", "This challenge was not made here: get a new one")
_WRONG = Text("验证题的解答不对，请重新求解", "The solution is wrong: solve the challenge again")
SPENT = Text("这个解答已经用过，请重新取题求解后再提交", "This solution was used before: get a new challenge, solve it and send again")


@dataclass(frozen=True)
class Proof:
    """A right solution of a challenge of ours; `signature` names the challenge, which buys one write only."""

    signature: str
    expires_at: datetime


def new_challenge(*, cost: int, secret: str, at: datetime) -> dict[str, Any]:
    """Return a challenge to be solved within 20 minutes of `at`; `cost` is the largest number to search."""
    challenge = altcha.create_challenge(
        _ALGORITHM, 1, counter=secrets.randbelow(cost + 1), key_prefix_length=_PREFIX_BYTES, expires_at=at + LIFETIME,
        hmac_secret=_key(secret),
    )
    made: dict[str, Any] = challenge.to_dict()
    return made


def proof_of(sent: str | None, *, secret: str, at: datetime) -> Proof:
    """Return the proof in what a client sent. Raises Invalid (422) on `challenge` that says what to do."""
    if not sent:
        raise refusal(MISSING)
    try:
        payload = altcha.Payload.from_base64(sent)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refusal(_MALFORMED) from error
    result = altcha.verify_solution(payload, _key(secret))
    expiry, signature = payload.challenge.parameters.expires_at, payload.challenge.signature
    if result.invalid_signature:
        raise refusal(_FOREIGN)
    if result.expired or not isinstance(expiry, int) or expiry <= at.timestamp():
        raise refusal(_EXPIRED)
    if not result.verified or signature is None:
        raise refusal(_WRONG)
    return Proof(signature=signature, expires_at=datetime.fromtimestamp(expiry, UTC))


def refusal(words: Text) -> Invalid:
    """Return the refusal (422) with `words` on the field `challenge`."""
    return Invalid(words, errors={"challenge": [words]})


def _key(secret: str) -> str:
    """Return the key of signatures: the secret itself signs other things too."""
    return f"public-challenge\0{secret}"

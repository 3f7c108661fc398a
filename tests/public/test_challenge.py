"""The proof of work: solved by the library's own solver, refused in every other way."""

import base64
import json
from datetime import UTC, datetime, timedelta

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.errors import Invalid
from patrol.public.challenge import new_challenge, proof_of

SECRET, NOW = "a secret of at least 32 characters", datetime.now(UTC)


def solved(challenge):
    parsed = altcha.Challenge.from_dict(challenge)
    return altcha.Payload(parsed, altcha.solve_challenge(parsed))


def check(sent, secret=SECRET, at=NOW):
    return proof_of(sent, secret=secret, at=at)


def refusal_of(sent, **kwargs):
    with pytest.raises(Invalid) as refused:
        check(sent, **kwargs)
    return refused.value.errors["challenge"][0].en


def changed(payload, **parameters):
    """The payload in Base64 with other parameters under the old signature."""
    data = payload.to_dict()
    data["challenge"]["parameters"] |= parameters
    return base64.b64encode(json.dumps(data).encode()).decode()


def test_a_solved_challenge_is_a_proof_until_it_expires():
    challenge = new_challenge(cost=50, secret=SECRET, at=NOW)
    payload = solved(challenge)
    assert 0 <= payload.solution.counter <= 50
    proof = check(payload.to_base64(), at=NOW + timedelta(minutes=19))
    assert proof.signature == challenge["signature"]
    assert abs(proof.expires_at - (NOW + timedelta(minutes=20))) < timedelta(seconds=1)
    assert "expired" in refusal_of(payload.to_base64(), at=NOW + timedelta(minutes=21))


def test_the_counter_is_spread_over_the_whole_cost():
    counters = [solved(new_challenge(cost=3, secret=SECRET, at=NOW)).solution.counter for _ in range(100)]
    assert set(counters) == {0, 1, 2, 3}


def test_nothing_tampered_with_or_foreign_passes():
    payload = solved(new_challenge(cost=20, secret=SECRET, at=NOW))
    assert "not made here" in refusal_of(payload.to_base64(), secret="another secret of 32 characters!!")
    assert "not made here" in refusal_of(changed(payload, expiresAt=int(NOW.timestamp()) + 999_999))
    assert "not made here" in refusal_of(changed(payload, keyPrefix=""))
    assert "expired" in refusal_of(changed(payload, expiresAt=1))
    unsolved = altcha.Payload(payload.challenge, altcha.Solution(4_000_000, payload.solution.derived_key))
    assert "wrong" in refusal_of(unsolved.to_base64())
    assert "Get a challenge" in refusal_of(None)
    assert "Get a challenge" in refusal_of("")


def test_a_challenge_signed_without_a_purpose_is_foreign():
    other = altcha.create_challenge("SHA-256", 1, counter=1, expires_at=NOW + timedelta(hours=1), hmac_secret=SECRET)
    assert "not made here" in refusal_of(solved(other.to_dict()).to_base64())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["challenge", "solution", "parameters", "signature", "counter", "derivedKey", "algorithm", "nonce",
                         "salt", "cost", "expiresAt", "data"]), inner, max_size=7),
    max_leaves=12,
)


@given(json_values | st.fixed_dictionaries({
    "challenge": st.fixed_dictionaries({
        "parameters": st.fixed_dictionaries(dict.fromkeys(("algorithm", "nonce", "salt", "cost"), json_values),
                                            optional={"expiresAt": json_values, "keyLength": json_values, "data": json_values}),
        "signature": json_values}),
    "solution": st.fixed_dictionaries({"counter": json_values, "derivedKey": json_values})}))
def test_whatever_is_sent_is_refused_in_words(value):
    sent = base64.b64encode(json.dumps(value).encode()).decode()
    assert refusal_of(sent)


@given(st.text(min_size=1, max_size=100))
def test_whatever_text_is_sent_is_refused_in_words(text):
    assert refusal_of(text)

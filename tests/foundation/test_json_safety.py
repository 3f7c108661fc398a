"""JSON at the front door: whatever comes, the outcome is a value, a 400 or a 422."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.errors import Refusal
from patrol.foundation.json_safety import DEEPEST, parse_json


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused(body):
    try:
        parse_json(body)
    except Refusal as refusal:
        assert refusal.status in {400, 422}


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3), max_leaves=8,
))
def test_good_values_come_through_unchanged(value):
    import json

    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST + 5, 5_000])
def test_depth(depth):
    body = b"[" * depth + b"]" * depth
    if depth < DEEPEST:
        parse_json(body)
    else:
        with pytest.raises(Refusal):
            parse_json(body)


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b'"\\ud800"', b'{"a\\u0000": 1}', b'{"a": "\\u0000"}', b"\xed\xa0\x80"])
def test_what_breaks_databases_and_answers_is_refused(body):
    with pytest.raises(Refusal):
        parse_json(body)


def test_no_number_becomes_infinite():
    try:
        assert math.isfinite(parse_json(b"1e400"))
    except Refusal:
        pass


def test_an_escaped_backslash_before_u0000_is_no_nul():
    assert parse_json(rb'{"a": ["\\u0000"]}') == {"a": [r"\u0000"]}


@pytest.mark.parametrize("body", [rb'[1, [2, {"a": "x\u0000"}]]', rb'[{"k\u0000": 1}]', rb'"\u0000"', rb'["\\\u0000"]'])
def test_nul_is_found_wherever_it_stands(body):
    with pytest.raises(Refusal):
        parse_json(body)

"""JSON at the front door: whatever comes, the outcome is a value, a 400 or a 422."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.errors import Refusal
from patrol.foundation.json_safety import DEEPEST, Unusable, parse_json, parse_json_apart


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


UNUSABLE = [r'{"a": "x\u0000"}', r'{"\u0000": 1}', r'"\ud83d"', r'{"a": [{"b": "cut \ud83d"}]}', "NaN", "1e400", "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5),
            "[" * 990 + "]" * 990, '{"a":[' * 30_000 + "]}" * 30_000, '{"a":' * 99_000 + '"]}\\"' + "\"" + "}" * 99_000]


@pytest.mark.parametrize("bad", UNUSABLE)
def test_one_element_of_a_list_is_unusable_alone(bad):
    good = [{"id": 1, "note": "河🌊"}, 2.5, None]
    parsed = parse_json_apart(f'{{"device": "p", "items": [{{"id": 1, "note": "河🌊"}}, {bad}, 2.5, null]}}'.encode(), "items")
    assert parsed["device"] == "p"
    assert isinstance(parsed["items"].pop(1), Unusable)
    assert parsed["items"] == good


@pytest.mark.parametrize("cut", [b"\xe6\xb2", b"\xed\xa0\x80", b"\xff"])
def test_an_element_with_a_text_that_is_no_utf_8_is_unusable_alone(cut):
    parsed = parse_json_apart('{"device": "河", "items": [{"note": "河"}, {"note": "'.encode() + cut + b'"}]}', "items")
    assert parsed["device"] == "河"
    assert parsed["items"][0] == {"note": "河"}
    assert isinstance(parsed["items"][1], Unusable)
    for body in (b'{"device": "' + cut + b'", "items": []}', cut, b'{"items": [' + cut + b"]}"):
        with pytest.raises(Refusal):
            parse_json_apart(body, "items")


@pytest.mark.parametrize("bare", ["\n", "\t", "\x01"])
def test_a_bare_control_character_in_an_element_spoils_no_other(bare):
    parsed = parse_json_apart(f'{{"device": "p", "items": [{{"note": "one{bare}two"}}, 1]}}'.encode(), "items")
    assert parsed["items"] == [{"note": f"one{bare}two"}, 1]
    with pytest.raises(Refusal):
        parse_json_apart(b'{"device": "p", "items": [{"note": "\x00"}, 1]'[:-1], "items")
    assert isinstance(parse_json_apart(b'{"items": [{"note": "\x00"}, 1]}', "items")["items"][0], Unusable)


@pytest.mark.parametrize("text", ["\\" * 400_001, '\\"' * 200_000, '[{"' * 200_000])
def test_a_text_without_an_end_is_refused_at_once(text):
    with pytest.raises(Refusal):
        parse_json_apart(b'{"items": [{"note": "' + text.encode(), "items")


@pytest.mark.parametrize("bad", UNUSABLE)
def test_the_rest_of_the_body_is_refused_as_ever(bad):
    for body in (f'{{"device": {bad}, "items": []}}', f'{{"items": {{"a": {bad}}}}}', bad, f'{{"items": [1], {bad}'):
        with pytest.raises(Refusal):
            parse_json_apart(body.encode(), "items")


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_are_refused_with_a_list_apart(body):
    try:
        parse_json_apart(b'{"items": [' + body + b"]}", "items")
    except Refusal as refusal:
        assert refusal.status in {400, 422}


@pytest.mark.parametrize("body", [
    b"", b"{", b'{"a":}', b"[1,]", b"[1 2]", b'{"a" 1}', b"[01]", b'["\\x"]', b'["\\ud800"]', b'["\xff"]', b'["\n"]', b"[NaN]", b"[1] x",
    b"[-]", b"[1.]", b"[1e]", b"tru", b"[trux]", b"\xef\xbb\xbf{}", b'["a', b"[" * 2000, b"[1e999]", b"{'a':1}", b'["\\ud800\\u0041"]', b"\xff\xfe{\0}\0",
])
def test_what_the_parser_says_is_said_in_chinese(body):
    with pytest.raises(Refusal) as refused:
        parse_json(body)
    zh, en = refused.value.detail
    for words in ("JSON", "UTF-8", "BOM", "true", "false", "null"):
        zh = zh.replace(words, "")
    assert not any(letter.isascii() and letter.isalpha() for letter in zh), zh
    assert "请检查格式" not in zh
    assert en.startswith("The body is not valid JSON: ")


def test_a_body_that_was_cut_says_where():
    with pytest.raises(Refusal) as refused:
        parse_json(b'{"items": [1,\n 2')
    assert refused.value.detail.zh == "请求体不是有效的 JSON（第 2 行第 3 个字符处）：内容到此中断，可能没有传完"
    assert refused.value.detail.en == "The body is not valid JSON: unexpected end of data, in line 2 at character 3"

"""Codes as people type them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from patrol.public.tracking_codes import ALPHABET, new_tracking_code, read_tracking_code

symbols = st.text(alphabet=ALPHABET, min_size=16, max_size=16)
MISREADINGS = {"0": "0Oo", "1": "1IiLl"}


def test_a_new_code_has_sixteen_symbols_in_four_groups_and_never_repeats():
    codes = {new_tracking_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", code) for code in codes)
    assert {symbol for code in codes for symbol in code} == {*ALPHABET, "-"}


@given(symbols, st.data())
def test_case_hyphens_spaces_and_misreadings_do_not_matter(code, data):
    stored = "-".join(code[start:start + 4] for start in range(0, 16, 4))
    typed = ""
    for symbol in code:
        typed += data.draw(st.sampled_from(["", "", "-", " "]))
        typed += data.draw(st.sampled_from(list(MISREADINGS.get(symbol, symbol + symbol.lower()))))
    assert read_tracking_code(typed) == stored
    assert read_tracking_code(stored) == stored


@given(symbols, st.integers(0, 15), st.sampled_from("Uu*_é０\0"))
def test_a_strange_symbol_or_a_wrong_length_is_no_code(code, at, strange):
    assert read_tracking_code(code[:at] + strange + code[at + 1:]) is None
    assert read_tracking_code(code[:at] + code[at + 1:]) is None
    assert read_tracking_code(code + "A") is None


@given(st.text())
def test_any_text_gives_a_code_or_none(text):
    code = read_tracking_code(text)
    assert code is None or read_tracking_code(code) == code

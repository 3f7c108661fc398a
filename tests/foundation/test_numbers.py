"""Numbers in texts from outside are plain decimal numbers."""

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.numbers import PlainFloat, number_in


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read(number):
    assert number_in(f" {number!r} ") == number


@pytest.mark.parametrize("text", ["2_9.6", "２９", "nan", "inf", "", ".", "1e", "0x10", "1 2", "--1", "29,6"])
def test_what_python_alone_would_read_and_nonsense_are_refused(text):
    with pytest.raises(ValueError):
        number_in(text)
    with pytest.raises(ma.ValidationError):
        PlainFloat().deserialize(text)


@pytest.mark.parametrize("value", [29.6, "29.6", "+29.60"])
def test_fields_take_numbers_and_their_texts(value):
    assert PlainFloat().deserialize(value) == 29.6

"""Which moments belong to a patrol."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.window import BY_PERSON, BY_SYSTEM, SLACK, in_ms, moment_of, window_ms

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
END = START + timedelta(hours=1)


def test_a_patrol_of_a_person_has_two_ends():
    assert window_ms(START, END, BY_PERSON) == (in_ms(START - SLACK), in_ms(END + SLACK))


@pytest.mark.parametrize(("ended_at", "ended_by"), [(None, None), (END, BY_SYSTEM)])
def test_an_open_one_and_one_ended_by_the_system_go_on(ended_at, ended_by):
    assert window_ms(START, ended_at, ended_by)[1] > in_ms(datetime.max.replace(tzinfo=UTC))


def test_the_ends_of_the_calendar_have_windows_too():
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    low, high = window_ms(first, last, BY_PERSON)
    assert low < in_ms(first)
    assert moment_of(high) == last


@given(st.integers(0, 253_402_300_799_000))
def test_moments_and_milliseconds_agree(ms):
    assert in_ms(moment_of(ms)) == ms

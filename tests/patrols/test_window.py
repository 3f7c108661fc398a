"""Which moments belong to a patrol."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.window import SLACK, in_ms, latest_end, moment_of, window_ms

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
END = START + timedelta(hours=1)


def test_a_patrol_of_a_person_has_two_ends():
    assert window_ms(START, END) == (in_ms(START - SLACK), in_ms(END + SLACK))


def test_one_whose_end_nobody_has_said_goes_on():
    assert window_ms(START, None)[1] > in_ms(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize(("clock_off", "offline", "wanted"), [
    (timedelta(0), timedelta(hours=1), timedelta(hours=1, minutes=5)),
    (timedelta(0), timedelta(days=30), timedelta(days=2)),
    (timedelta(days=400), timedelta(hours=1), timedelta(days=2)),
    (timedelta(days=-400), timedelta(hours=1), timedelta(days=2)),
])
def test_how_late_a_patrol_can_have_ended(clock_off, offline, wanted):
    """Told `offline` after its true start, by a phone whose clock was off from the beginning."""
    told_at = START + offline
    assert latest_end(started_at=START + clock_off, begun_at=told_at, told_at=told_at) == START + clock_off + wanted


def test_the_ends_of_the_calendar_have_windows_too():
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    low, high = window_ms(first, last)
    assert low < in_ms(first)
    assert moment_of(high) == last


@given(st.integers(0, 253_402_300_799_000))
def test_moments_and_milliseconds_agree(ms):
    assert in_ms(moment_of(ms)) == ms

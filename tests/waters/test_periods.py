"""Periods of days: what overlaps, by comparing with the days themselves."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from patrol.waters.periods import is_reversed, overlap

START = date(2026, 1, 1)
PERIODS = st.builds(
    lambda first, length: (START + timedelta(first), None if length is None else START + timedelta(first + length)),
    st.integers(0, 12), st.none() | st.integers(0, 12),
)


def days(period):
    return {START + timedelta(n) for n in range(40) if period[0] <= START + timedelta(n) <= (period[1] or date.max)}


@given(PERIODS, PERIODS)
def test_periods_overlap_when_they_share_a_day(one, other):
    assert overlap(one, other) is overlap(other, one) is bool(days(one) & days(other))


def test_a_period_of_one_day_is_not_reversed():
    assert not is_reversed((START, START))
    assert not is_reversed((START, None))
    assert is_reversed((START, START - timedelta(1)))

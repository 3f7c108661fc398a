"""Periods of duty: they tile the calendar, and a window has those that end in it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.errors import Invalid
from patrol.patrols.duty_periods import PeriodKind, Span, period_with, periods_due_in, window_of

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))
KINDS = st.sampled_from(PeriodKind)
TODAY = date(2026, 11, 20)


@given(KINDS, DAYS)
def test_periods_follow_each_other_without_gap_or_overlap(kind, day):
    period = period_with(kind, day)
    assert day in period
    assert all(period_with(kind, other) == period for other in (period.first, period.last))
    assert period_with(kind, period.last + timedelta(1)).first == period.last + timedelta(1)


@pytest.mark.parametrize(("kind", "day", "first", "last"), [
    ("week", "2026-11-26", "2026-11-23", "2026-11-29"), ("week", "2027-01-01", "2026-12-28", "2027-01-03"),
    ("ten_days", "2026-02-28", "2026-02-21", "2026-02-28"), ("ten_days", "2026-01-31", "2026-01-21", "2026-01-31"),
    ("ten_days", "2026-01-10", "2026-01-01", "2026-01-10"), ("month", "2028-02-10", "2028-02-01", "2028-02-29"),
    ("quarter", "2026-11-20", "2026-10-01", "2026-12-31"), ("half_year", "2026-06-30", "2026-01-01", "2026-06-30"),
    ("year", "2026-06-30", "2026-01-01", "2026-12-31"), ("working_day", "2026-11-21", "2026-11-21", "2026-11-21"),
])
def test_periods_by_hand(kind, day, first, last):
    assert period_with(PeriodKind(kind), date.fromisoformat(day)) == (date.fromisoformat(first), date.fromisoformat(last))


@given(KINDS, DAYS, st.integers(0, 99), st.integers(1, 99))
def test_windows_that_follow_each_other_share_no_period_that_ends_in_one(kind, first, length, more):
    one = Span(first, first + timedelta(length))
    other = Span(one.last + timedelta(1), one.last + timedelta(more))
    ending = [{p for p in periods_due_in(kind, window) if p.last in window} for window in (one, other)]
    assert not ending[0] & ending[1]
    both = {p for p in periods_due_in(kind, Span(one.first, other.last)) if p.last <= other.last}
    assert ending[0] | ending[1] == both


def test_a_window_shorter_than_the_period_shows_the_one_that_runs():
    assert periods_due_in(PeriodKind.QUARTER, Span(TODAY, TODAY)) == [Span(date(2026, 10, 1), date(2026, 12, 31))]
    assert [p.last.day for p in periods_due_in(PeriodKind.WEEK, window_of("2026-11", None, None, today=TODAY))] == [1, 8, 15, 22, 29]


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2026-W48", "2026-11-23", "2026-11-29"), ("2026-11", "2026-11-01", "2026-11-30"), ("2026-Q4", "2026-10-01", "2026-12-31"),
    ("2026-11-20", "2026-11-20", "2026-11-20"), (None, "2026-11-01", "2026-11-30"), ("9998-12", "9998-12-01", "9998-12-31"),
])
def test_named_windows(text, first, last):
    assert window_of(text, None, None, today=TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-W54", "2026-W00", "2026-Q5", "2026-02-30", "0001-01", "2026-11-20x", "", "0000-00", "1899-12", "9999-01"])
def test_other_names_are_refused(text):
    with pytest.raises(Invalid):
        window_of(text, None, None, today=TODAY)


@pytest.mark.parametrize(("period", "first", "last"), [
    (None, TODAY, None), (None, None, TODAY), ("2026-11", TODAY, TODAY), (None, TODAY, TODAY - timedelta(1)), (None, TODAY, TODAY + timedelta(100)),
    (None, date.min, date.min), (None, date.max, date.max)])
def test_wrong_spans_are_refused(period, first, last):
    with pytest.raises(Invalid):
        window_of(period, first, last, today=TODAY)


def test_a_span_of_a_hundred_days_is_allowed():
    assert window_of(None, TODAY, TODAY + timedelta(99), today=TODAY).last == TODAY + timedelta(99)

"""What is left of a deadline after the ledger: whole working days, or exactly the time that the clock stood still."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.categories import Severity
from patrol.issues.deadlines import ChineseCalendar, Unit
from patrol.issues.suspension import restored_due
from tests.issues.due_dates import due_at

CHINA, CALENDAR = ZoneInfo("Asia/Shanghai"), ChineseCalendar()


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def restored(last_day, unit, stopped, resumed):
    last = date.fromisoformat(last_day)
    due = datetime.combine(last + timedelta(days=1), time(), CHINA).astimezone(UTC)
    return restored_due(
        due, last, unit, stopped_at=local(stopped), resumed_at=local(resumed), calendar=CALENDAR, timezone=CHINA)


# Counted by hand on the State Council's calendar of 2026.
@pytest.mark.parametrize(
    ("last_day", "unit", "stopped", "resumed", "again"),
    [
        ("2026-03-16", "working_days",  "2026-03-10T09:00", "2026-06-01T09:00", "2026-06-05"),  # 11, 12, 13, 16 March
        ("2026-03-16", "working_days",  "2026-03-16T09:00", "2026-06-06T09:00", "2026-06-06"),  # none left: that day
        ("2026-10-20", "working_days",  "2026-10-15T09:00", "2026-12-30T09:00", "2027-01-05"),  # 16, 19, 20 October
        ("2026-03-05", "working_days",  "2026-02-26T09:00", "2026-09-30T09:00", "2026-10-14"),  # 27, 28 Feb., 2–5 March
        ("2026-11-29", "calendar_days", "2026-11-01T09:00", "2027-02-01T09:00", "2027-03-01"),  # 28 days
    ],
)  # fmt: skip
def test_days_left_counted_by_hand(last_day, unit, stopped, resumed, again):
    found = restored(last_day, Unit(unit), stopped, resumed)
    assert found.last_day == date.fromisoformat(again)
    assert found.due_at == datetime.combine(found.last_day + timedelta(days=1), time(), CHINA)
    assert found.explanation[-1].en == f"Ends on {again} at 24:00 local time"


def test_the_explanation_says_how_long_the_clock_stood_and_what_calendar_was_used():
    found = restored("2026-10-20", Unit.WORKING_DAYS, "2026-10-15T09:00", "2026-12-30T09:00")
    assert [text.en for text in found.explanation] == [
        "On the ledger from 2026-10-15 to 2026-12-30: the clock stood still", "3 working day(s) were left",
        "2027-01-01: holiday of fixed date (New Year's Day), not counted; the other holidays of that year are not known yet",
        "2027-01-02 – 2027-01-05: holidays not known yet, Monday to Friday assumed except for holidays of fixed date "
        "(1 January, 1–2 May, 1–3 October)",
        "Ends on 2027-01-05 at 24:00 local time",
    ]


def test_hours_and_named_moments_move_by_as_long_as_the_clock_stood():
    found = restored("2026-03-16", Unit.HOURS, "2026-03-10T09:00", "2026-03-12T10:30")
    assert (found.due_at, found.last_day) == (local("2026-03-19T01:30"), date(2026, 3, 19))
    found = restored_due(local("2026-03-16T15:00"), date(2026, 3, 16), None, stopped_at=local("2026-03-10T09:00"),
                         resumed_at=local("2026-03-12T10:30"), calendar=CALENDAR, timezone=CHINA)  # fmt: skip
    assert (found.due_at, found.last_day) == (local("2026-03-18T16:30"), date(2026, 3, 18))


def test_what_was_late_stays_exactly_as_late():
    found = restored("2026-03-16", Unit.WORKING_DAYS, "2026-03-20T09:00", "2026-06-01T09:00")
    assert local("2026-06-01T09:00") - found.due_at == local("2026-03-20T09:00") - local("2026-03-17T00:00")


MOMENTS = st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(since=MOMENTS, severity=st.sampled_from(Severity), before_s=st.integers(0, 10**7), stood_s=st.integers(0, 10**8))
def test_nobody_loses_time_by_the_ledger(since, severity, before_s, stood_s):
    deadline, stopped = due_at(severity, "C1", since, CALENDAR, CHINA), since + timedelta(seconds=before_s)
    resumed = stopped + timedelta(seconds=stood_s)
    found = restored_due(
        deadline.due_at, deadline.last_day, deadline.limit.unit, stopped_at=stopped, resumed_at=resumed,
        calendar=CALENDAR, timezone=CHINA)
    assert found.due_at >= deadline.due_at
    assert (found.due_at <= resumed) == (deadline.due_at <= stopped)
    if stood_s == 0:
        assert found.due_at == deadline.due_at


def test_a_day_that_was_named_stays_a_whole_day():
    due = datetime(2026, 12, 16, tzinfo=CHINA)
    for stood, last in ((timedelta(seconds=1), date(2026, 12, 15)), (timedelta(days=3), date(2026, 12, 18))):
        stopped = datetime(2026, 12, 10, 9, tzinfo=CHINA)
        found = restored_due(due, date(2026, 12, 15), None, stopped_at=stopped, resumed_at=stopped + stood, calendar=CALENDAR, timezone=CHINA)
        assert (found.last_day, found.due_at) == (last, datetime.combine(last + timedelta(days=1), time(), CHINA))

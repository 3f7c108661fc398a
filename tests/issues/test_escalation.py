"""The ladder by hand, and as a property: in order, none before its time, all after the due date on working days."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.deadlines import ChineseCalendar
from patrol.issues.escalation import DEFAULT_LADDER, planned_moments

CHINA = ZoneInfo("Asia/Shanghai")
CALENDAR = ChineseCalendar()


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def ladder(since, due):
    return {rung.code: moment.astimezone(CHINA) for moment, rung in planned_moments(DEFAULT_LADDER, since, due, CALENDAR, CHINA)}


def test_by_hand_across_the_national_holiday():
    # Due at the end of Tuesday 29 September 2026; the holiday is 1 to 7 October, Saturday 10 October is worked.
    found = ladder(local("2026-09-15T10:00"), local("2026-09-30T00:00"))
    assert found["half_time"] == local("2026-09-22T17:00")
    assert found["day_before"] == local("2026-09-28T00:00")
    assert found["overdue"] == local("2026-09-30T00:00")
    assert found["letter"] == local("2026-10-10T00:00"), "30 September, 8 and 9 October"
    assert found["listed"] == local("2026-10-20T00:00"), "and 10, 12 to 16, 19 October"


def test_the_reminder_comes_on_the_working_day_before_the_last():
    assert ladder(local("2026-03-02T10:00"), local("2026-03-17T00:00"))["day_before"] == local("2026-03-13T00:00"), "Monday the 16th: Friday"
    assert ladder(local("2026-03-02T10:00"), local("2026-03-16T15:00"))["day_before"] == local("2026-03-13T00:00"), "at an hour, too"


def test_the_year_that_is_not_known_yet_counts_monday_to_friday():
    found = ladder(local("2026-12-20T10:00"), local("2026-12-31T00:00"))
    assert found["letter"].year == 2027
    assert found["talk"] > found["listed"] > found["letter"]


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1)), st.integers(1, 60 * 24 * 70))  # noqa: DTZ001 - given the zone below
def test_rungs_come_in_order(since, minutes):
    since = since.replace(tzinfo=UTC)
    due = since + timedelta(minutes=minutes)
    moments = planned_moments(DEFAULT_LADDER, since, due, CALENDAR, CHINA)
    assert [moment for moment, _ in moments] == sorted(moment for moment, _ in moments)
    by_code = {rung.code: moment for moment, rung in moments}
    assert since < by_code["half_time"] < due == by_code["overdue"] < by_code["letter"] < by_code["listed"] < by_code["talk"]


@pytest.mark.parametrize("code", ["letter", "listed", "talk"])
def test_orders_come_after_midnight_of_a_working_day(code):
    for day in range(1, 29):
        moment = ladder(local("2026-01-05T10:00"), local(f"2026-02-{day:02d}T00:00"))[code]
        assert (moment.hour, moment.minute) == (0, 0)
        assert CALENDAR.ruling((moment - timedelta(minutes=1)).date()).works

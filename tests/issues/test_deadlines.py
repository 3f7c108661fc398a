from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, Severity
from patrol.issues.deadlines import (
    DEFAULT_LIMITS,
    ChineseCalendar,
    DayKind,
    Limit,
    Stage,
    Unit,
)
from tests.issues.due_dates import acceptance_due, due_at

CHINA = ZoneInfo("Asia/Shanghai")
CALENDAR = ChineseCalendar()


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def due_in_working_days(count, since):
    limits = [Limit("test", Stage.RECTIFICATION, Severity.GENERAL, "", count, Unit.WORKING_DAYS)]
    return due_at(Severity.GENERAL, "C1", local(since), CALENDAR, CHINA, limits=limits)


# Counted by hand on the State Council's calendar of 2026: Spring Festival 15–23 February, make-up on Saturdays
# 14 and 28 February; National Day 1–7 October, make-up on Sunday 20 September and Saturday 10 October.
@pytest.mark.parametrize(
    ("severity", "since", "last_day"),
    [
        ("general", "2026-03-02T09:00", "2026-03-16"),  # Mon; 3–6, 9–13, 16 March
        ("general", "2026-02-13T17:00", "2026-03-05"),  # Fri; 14, 24–28 February (28 make-up), 2–5 March
        ("general", "2026-02-18T10:00", "2026-03-06"),  # within the holiday; 24–28 February, 2–6 March
        ("general", "2026-09-30T10:00", "2026-10-20"),  # Wed; 8–10, 12–16, 19, 20 October
        ("serious", "2026-09-18T10:00", "2026-10-22"),  # Fri; 20–24, 28–30 September, 8–10, 12–16, 19–22 October
        ("general", "2026-05-08T10:00", "2026-05-21"),  # Fri; Sat 9 make-up, 11–15, 18–21 May
        ("general", "2026-12-28T10:00", "2027-01-12"),  # Mon; 29–31 December, then Monday–Friday assumed without 1 January: 4–8, 11, 12
        ("major",   "2026-09-30T10:00", "2026-11-29"),  # 60 calendar days, holidays or not
    ],
)  # fmt: skip
def test_last_days_counted_by_hand(severity, since, last_day):
    deadline = due_at(Severity(severity), "A32", local(since), CALENDAR, CHINA)
    assert deadline.last_day == date.fromisoformat(last_day)


def test_a_limit_in_days_ends_with_its_last_local_day():
    deadline = due_at(Severity.GENERAL, "A32", local("2026-03-02T09:00"), CALENDAR, CHINA)
    assert deadline.due_at == datetime(2026, 3, 16, 16, tzinfo=UTC)
    assert deadline.due_at.astimezone(CHINA) == local("2026-03-17T00:00")
    assert deadline.rule == deadline.limit.code == "general_10_wd"


def test_what_is_urgent_is_due_in_24_hours_whatever_the_day():
    deadline = due_at(Severity.URGENT, "D1", local("2026-10-01T22:15"), CALENDAR, CHINA)
    assert deadline.due_at == local("2026-10-02T22:15")
    assert deadline.due_at.tzinfo is UTC
    assert deadline.explanation[-1].en == "Ends on 2026-10-02 22:15 local time"


@pytest.mark.parametrize(
    ("severity", "since", "due"),
    [
        ("urgent",  "2026-10-01T22:15", "2026-10-02T00:15"),
        ("general", "2026-03-02T09:00", "2026-03-04T00:00"),
        ("serious", "2026-03-06T23:59", "2026-03-10T00:00"),  # Friday night: Monday's end
        ("major",   "2026-02-13T12:00", "2026-02-15T00:00"),  # the make-up Saturday before Spring Festival
        ("general", "2026-02-14T12:00", "2026-02-25T00:00"),  # over Spring Festival
    ],
)  # fmt: skip
def test_the_office_has_one_working_day_to_answer_or_two_hours(severity, since, due):
    assert acceptance_due(Severity(severity), "C1", local(since), CALENDAR, CHINA).due_at == local(due)


def test_the_weekday_is_that_of_the_place():
    saturday_there = datetime(2026, 3, 6, 23, 0, tzinfo=UTC)
    assert saturday_there.astimezone(CHINA).weekday() == 5
    there = acceptance_due(Severity.GENERAL, "C1", saturday_there, CALENDAR, CHINA)
    assert there.due_at == local("2026-03-10T00:00")
    in_utc = acceptance_due(Severity.GENERAL, "C1", saturday_there, CALENDAR, ZoneInfo("UTC"))
    assert in_utc.last_day == date(2026, 3, 9)
    assert in_utc.due_at == datetime(2026, 3, 10, tzinfo=UTC)


def test_the_explanation_names_holidays_and_make_up_days_that_were_met():
    deadline = due_in_working_days(3, "2026-09-30T10:00")
    assert deadline.last_day == date(2026, 10, 10)
    assert [text.en for text in deadline.explanation] == [
        "To be rectified within 3 working day(s)",
        "Counted from the day after 2026-09-30 (local days, Asia/Shanghai)",
        "2026-10-01 – 2026-10-07: holiday (National Day), not counted",
        "2026-10-10: make-up working day (National Day), counted",
        "Ends on 2026-10-10 at 24:00 local time",
    ]
    assert deadline.explanation[2].zh == "2026-10-01 – 2026-10-07放假（国庆节），不计"
    assert [row.kind for row in deadline.days] == [DayKind.HOLIDAY] * 7 + [DayKind.MAKE_UP]


def test_a_year_without_a_known_calendar_is_counted_monday_to_friday_and_says_so():
    deadline = due_in_working_days(5, "2026-12-30T10:00")
    assert deadline.last_day == date(2027, 1, 7)
    said = [text.en for text in deadline.explanation]
    assert said[2:4] == [
        "2027-01-01: holiday of fixed date (New Year's Day), not counted; the other holidays of that year are not known yet",
        "2027-01-02 – 2027-01-07: holidays not known yet, Monday to Friday assumed except for holidays of fixed date "
        "(1 January, 1–2 May, 1–3 October)",
    ]
    assert [row.kind for row in deadline.days] == [DayKind.FIXED] + [DayKind.ASSUMED] * 6


@pytest.mark.parametrize(("since", "last_day"), [
    ("2027-04-30T10:00", "2027-05-03"),  # Friday; 1 and 2 May are a weekend in 2027
    ("2028-04-28T10:00", "2028-05-03"),  # Friday; Monday 1 and Tuesday 2 May are Labour Day
    ("2027-09-30T10:00", "2027-10-04"),  # Thursday; Friday 1 October to Sunday 3
    ("2029-09-30T10:00", "2029-10-04"),  # Sunday; Monday 1 to Wednesday 3 October
    ("2029-05-02T10:00", "2029-05-03"),
])  # fmt: skip
def test_holidays_of_fixed_date_are_off_in_every_year_to_come(since, last_day):
    assert due_in_working_days(1, since).last_day == date.fromisoformat(last_day)


def test_nothing_is_said_of_assumptions_while_the_calendar_is_known():
    assert len(due_in_working_days(5, "2026-03-02T10:00").explanation) == 3


def test_local_decisions_go_before_the_national_calendar_and_are_explained():
    stoppage, extra = Text("防汛停工", "flood stoppage"), Text("补班", "extra")
    calendar = ChineseCalendar({date(2026, 3, 3): (False, stoppage), date(2027, 1, 2): (True, extra)})
    later = acceptance_due(Severity.GENERAL, "C1", local("2026-03-02T10:00"), calendar, CHINA)
    assert later.last_day == date(2026, 3, 4)
    assert "2026-03-03: day off by local decision (flood stoppage), not counted" in [t.en for t in later.explanation]
    new_year = acceptance_due(Severity.GENERAL, "C1", local("2027-01-01T10:00"), calendar, CHINA)
    assert new_year.last_day == date(2027, 1, 2)
    assert "2027-01-02本地规定上班（补班），计入" in [t.zh for t in new_year.explanation]


def test_days_apart_are_not_told_as_one_run():
    off = (False, Text("停工", "stoppage"))
    calendar = ChineseCalendar({date(2026, 3, 3): off, date(2026, 3, 5): off})
    said = [t.en for t in due_at(Severity.GENERAL, "C1", local("2026-03-02T10:00"), calendar, CHINA).explanation]
    assert sum("stoppage" in text for text in said) == 2


def test_a_category_may_have_its_own_limit():
    limits = [Limit("carcass", Stage.RECTIFICATION, Severity.GENERAL, "C3", 1, Unit.CALENDAR_DAYS), *DEFAULT_LIMITS]
    since = local("2026-10-01T10:00")
    assert due_at(Severity.GENERAL, "C3", since, CALENDAR, CHINA, limits=limits).last_day == date(2026, 10, 2)
    assert due_at(Severity.GENERAL, "C2", since, CALENDAR, CHINA, limits=limits).rule == "general_10_wd"


def test_a_time_without_a_zone_and_a_policy_without_a_row_are_refused():
    with pytest.raises(ValueError, match="zone"):
        due_at(Severity.GENERAL, "C1", datetime(2026, 3, 2, 9), CALENDAR, CHINA)  # noqa: DTZ001
    with pytest.raises(LookupError, match="major"):
        due_at(Severity.MAJOR, "C1", local("2026-03-02T10:00"), CALENDAR, CHINA, limits=DEFAULT_LIMITS[:1])


MOMENTS = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2028, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from([CHINA, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati")])


@given(since=MOMENTS, zone=ZONES, count=st.integers(1, 40))
def test_exactly_so_many_working_days_lie_between(since, zone, count):
    limits = [Limit("test", Stage.RECTIFICATION, Severity.GENERAL, "", count, Unit.WORKING_DAYS)]
    deadline = due_at(Severity.GENERAL, "C1", since, CALENDAR, zone, limits=limits)
    first = since.astimezone(zone).date()
    passed = [first + timedelta(days=n) for n in range(1, (deadline.last_day - first).days + 1)]
    assert sum(CALENDAR.ruling(day).works for day in passed) == count
    assert CALENDAR.ruling(deadline.last_day).works
    end = deadline.due_at.astimezone(zone)
    assert (end.date(), end.hour, end.minute) == (deadline.last_day + timedelta(days=1), 0, 0)
    assert deadline.due_at.utcoffset() == timedelta(0)


@given(
    since=MOMENTS, later_s=st.integers(0, 10**7),
    severity=st.sampled_from(Severity), category=st.sampled_from(list(CATEGORIES)),
)  # fmt: skip
def test_deadlines_lie_ahead_and_never_go_backwards(since, later_s, severity, category):
    for rule in (due_at, acceptance_due):
        early = rule(severity, category, since, CALENDAR, CHINA)
        late = rule(severity, category, since + timedelta(seconds=later_s), CALENDAR, CHINA)
        assert since < early.due_at <= late.due_at


@given(since=MOMENTS, zone=ZONES, severity=st.sampled_from(Severity))
def test_the_same_moment_in_another_zone_gives_the_same_deadline(since, zone, severity):
    here = due_at(severity, "C1", since, CALENDAR, CHINA)
    assert due_at(severity, "C1", since.astimezone(zone), CALENDAR, CHINA) == here


def test_every_severity_has_a_limit_for_both_stages_and_codes_are_not_used_twice():
    assert {(limit.stage, limit.severity) for limit in DEFAULT_LIMITS} == {(a, b) for a in Stage for b in Severity if a is not Stage.PLAN or b is Severity.MAJOR}
    assert len({limit.code for limit in DEFAULT_LIMITS}) == len(DEFAULT_LIMITS)

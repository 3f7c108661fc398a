"""How often is due, shared between people and rows of policy."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.deadlines import ChineseCalendar
from patrol.patrols.duties import (
    Colour,
    Policy,
    Warned,
    by_precedence,
    colour_on,
    fits,
    latest_day_in_time,
    policy_on,
    required,
)
from patrol.patrols.duty_periods import PeriodKind, Span, period_with

CALENDAR = ChineseCalendar()
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
ALWAYS = [Span(date(2020, 1, 1), date.max)]
WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))
ALL_MONTHS, ALL_WEEKDAYS = frozenset(range(1, 13)), frozenset(range(1, 8))


def policy(number=1, **changes) -> Policy:
    return Policy(**{
        "id": UUID(int=number), "level": "village", "region_path": "/", "title": None, "colour": Colour.NONE, "months": ALL_MONTHS,
        "weekdays": ALL_WEEKDAYS, "working_days_only": False, "period": PeriodKind.WEEK, "times": 1, "least_share": 0.6,
        "valid_from": date(2020, 1, 1), "valid_to": None, **changes})


def due_in(window, *rows, in_office=ALWAYS, warnings=()):
    return required(window, in_office=in_office, rows=by_precedence(rows), warnings=warnings, calendar=CALENDAR)


def test_of_each_colour_the_smallest_region_then_the_season_stands():
    everywhere, town = policy(1), policy(2, region_path="/1/2/")
    red_town, march = policy(3, region_path="/1/2/", colour=Colour.RED), policy(4, region_path="/1/2/", months=frozenset({3}))
    rows = by_precedence([everywhere, march, town, red_town])
    day, in_march = date(2026, 11, 20), date(2026, 3, 20)
    assert policy_on(day, Colour.NONE, rows, CALENDAR) is town
    assert policy_on(day, Colour.RED, rows, CALENDAR) is red_town
    assert policy_on(day, Colour.ORANGE, rows, CALENDAR) is town
    assert policy_on(in_march, Colour.NONE, rows, CALENDAR) is march
    assert policy_on(day, Colour.RED, by_precedence([everywhere]), CALENDAR) is everywhere


@pytest.mark.parametrize(("town", "colour", "chosen"), [
    ({"period": PeriodKind.MONTH}, Colour.RED, "red"), ({"period": PeriodKind.MONTH}, Colour.ORANGE, "orange"),
    ({"period": PeriodKind.WEEK, "times": 5}, Colour.ORANGE, "town"), ({"period": PeriodKind.WEEK, "times": 3}, Colour.ORANGE, "orange"),
    ({"period": PeriodKind.MONTH}, Colour.NONE, "town"), ({"colour": Colour.RED, "times": 2}, Colour.RED, "orange"),
    ({"colour": Colour.RED, "times": 4}, Colour.RED, "town"), ({"period": PeriodKind.WORKING_DAY}, Colour.RED, "red"),
])
def test_the_row_that_asks_most_counts_wherever_it_comes_from(town, colour, chosen):
    named = {"base": policy(1), "orange": policy(2, colour=Colour.ORANGE, times=3),
             "red": policy(3, colour=Colour.RED, period=PeriodKind.DAY), "town": policy(4, region_path="/1/2/", **town)}
    assert policy_on(date(2026, 11, 20), colour, by_precedence(named.values()), CALENDAR) is named[chosen]


ROWS = st.lists(st.builds(
    dict, colour=st.sampled_from(Colour), region_path=st.sampled_from(["/", "/1/", "/1/2/"]), times=st.integers(1, 4),
    period=st.sampled_from([PeriodKind.DAY, PeriodKind.WORKING_DAY, PeriodKind.WEEK, PeriodKind.TEN_DAYS, PeriodKind.MONTH]),
), max_size=6).map(lambda rows: [policy(n, **row) for n, row in enumerate(rows, 1)])
DAYS_OF_NOVEMBER = st.integers(1, 30).map(lambda day: date(2026, 11, day))


@given(ROWS, DAYS_OF_NOVEMBER, st.randoms())
def test_a_higher_colour_never_asks_for_less(rows, day, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    chosen = [policy_on(day, colour, by_precedence(rows), CALENDAR) for colour in Colour]
    assert chosen == [policy_on(day, colour, by_precedence(shuffled), CALENDAR) for colour in Colour]
    asked = [row.times_a_year if row else 0 for row in chosen]
    assert asked == sorted(asked)
    for row in filter(None, chosen):
        same = [other for other in rows if other.colour is row.colour and other.holds_on(day, CALENDAR)]
        assert len(row.region_path) == max(len(other.region_path) for other in same)


@given(ROWS, st.lists(st.tuples(st.sampled_from(Colour), DAYS_OF_NOVEMBER, DAYS_OF_NOVEMBER), min_size=1, max_size=3))
def test_a_warning_never_takes_away_what_was_due(rows, drawn):
    warnings = [Warned(colour, min(days), max(days)) for colour, *days in drawn]
    # Nothing near the edges, where a week may belong to the window before while its month does not.
    window = Span(date(2026, 10, 1), date(2026, 12, 31))
    usual, warned = due_in(window, *rows), due_in(window, *rows, warnings=warnings)
    assert sum(due.required for due in warned) >= sum(due.required for due in usual)


def test_a_warning_of_the_very_day_on_which_the_week_was_due():
    rows = (policy(1), policy(2, colour=Colour.YELLOW, times=2))
    for day in WEEK.days():
        assert sum(due.required for due in due_in(WEEK, *rows, warnings=[Warned(Colour.YELLOW, day, day)])) in (1, 2), day
    assert [due.required for due in due_in(WEEK, *rows, warnings=[Warned(Colour.YELLOW, WEEK.first, WEEK.last)])] == [2]


def test_whom_a_row_is_about():
    assert fits(policy(), level="village", region_path="/1/", title="chief")
    assert fits(policy(), level="village", region_path="/1/", title="村级河长")
    for title in ("deputy", "副河长", "contact", "河道警长"):
        assert not fits(policy(), level="village", region_path="/1/", title=title)
        assert fits(policy(title=title), level="village", region_path="/1/", title=title)
    assert not fits(policy(), level="township", region_path="/1/", title="chief")
    assert not fits(policy(region_path="/1/2/"), level="village", region_path="/1/", title="chief")
    assert not fits(policy(title="deputy"), level="village", region_path="/1/", title="chief")


def test_of_several_warnings_the_highest_counts():
    warnings = [Warned(Colour.YELLOW, date(2026, 11, 1), None), Warned(Colour.RED, date(2026, 11, 5), date(2026, 11, 6))]
    found = [colour_on(date(2026, 11, day), warnings) for day in (4, 5, 6, 7)]
    assert found == [Colour.YELLOW, Colour.RED, Colour.RED, Colour.YELLOW]
    assert colour_on(date(2026, 10, 31), warnings) is Colour.NONE


def test_weeks_of_a_month():
    assert [due.required for due in due_in(NOVEMBER, policy())] == [1] * 5
    assert sum(due.required for due in due_in(NOVEMBER, policy(period=PeriodKind.MONTH, times=4))) == 4


def test_each_working_day_leaves_out_holidays_and_counts_make_up_days():
    golden_week = Span(date(2026, 9, 28), date(2026, 10, 11))
    days = [due.span.first.day for due in due_in(golden_week, policy(period=PeriodKind.WORKING_DAY))]
    assert days == [28, 29, 30, 8, 9, 10]


def test_seasons_and_weekdays():
    rows = policy(months=frozenset(range(3, 13)), period=PeriodKind.MONTH)
    assert due_in(Span(date(2026, 1, 1), date(2026, 2, 28)), rows) == []
    assert len(due_in(Span(date(2026, 1, 1), date(2026, 3, 31)), rows)) == 1
    mondays = due_in(NOVEMBER, policy(period=PeriodKind.DAY, weekdays=frozenset({1})))
    assert [due.span.first.day for due in mondays] == [2, 9, 16, 23, 30]


def test_a_warning_asks_for_its_days_only():
    rows = (policy(1, period=PeriodKind.MONTH), policy(2, colour=Colour.RED, period=PeriodKind.DAY))
    warnings = [Warned(Colour.RED, date(2026, 11, 3), date(2026, 11, 5))]
    found = due_in(NOVEMBER, *rows, warnings=warnings)
    assert sum(due.required for due in found if due.policy.colour is Colour.RED) == 3
    [month] = [due for due in found if due.policy.colour is Colour.NONE]
    assert (month.required, len(month.days), month.of_days) == (1, 27, 30)


@given(
    kind=st.sampled_from(PeriodKind), times=st.integers(1, 9), cuts=st.lists(st.integers(0, 400), max_size=4),
    first=st.dates(date(2024, 1, 1), date(2026, 6, 1)), working=st.booleans(),
)
def test_successors_share_a_period_without_anything_asked_twice_or_forgotten(kind, times, cuts, first, working):
    row = policy(period=kind, times=times, working_days_only=working)
    window = period_with(PeriodKind.QUARTER, first)
    edges = sorted({window.first + timedelta(cut - 200) for cut in cuts})
    starts, ends = [date(2020, 1, 1), *edges], [*(edge - timedelta(1) for edge in edges), date.max]
    whole = due_in(window, row)
    shares = [due for a, b in zip(starts, ends, strict=True) for due in due_in(window, row, in_office=[Span(a, b)])]
    assert sum(due.required for due in shares) == sum(due.required for due in whole)
    for due in whole:
        assert due.required == times
        assert frozenset().union(*(share.days for share in shares if share.span == due.span)) == due.days


@pytest.mark.parametrize(("changes", "today", "since"), [
    ({}, "2026-11-26", "2026-11-19"), ({"times": 2}, "2026-11-26", "2026-11-22"),
    ({"period": PeriodKind.MONTH}, "2026-11-26", "2026-10-27"), ({"period": PeriodKind.WORKING_DAY}, "2026-11-23", "2026-11-20"),
    ({"period": PeriodKind.WORKING_DAY}, "2026-11-22", "2026-11-20"), ({"period": PeriodKind.WORKING_DAY}, "2026-10-08", "2026-09-30"),
])
def test_since_when_a_reach_must_have_been_walked(changes, today, since):
    assert latest_day_in_time(policy(**changes), date.fromisoformat(today), CALENDAR) == date.fromisoformat(since)

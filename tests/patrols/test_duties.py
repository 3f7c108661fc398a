"""How often is due, shared between people and rows of policy, and what counts for it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.deadlines import ChineseCalendar
from patrol.patrols.duties import (
    Colour,
    Due,
    Policy,
    Reason,
    Walk,
    Warned,
    by_precedence,
    colour_on,
    fits,
    latest_day_in_time,
    metres,
    policy_on,
    required,
    tally,
)
from patrol.patrols.duty_periods import PeriodKind, Span, period_with

CALENDAR = ChineseCalendar()
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
ALWAYS = [Span(date(2020, 1, 1), date.max)]
ALL_MONTHS, ALL_WEEKDAYS = frozenset(range(1, 13)), frozenset(range(1, 8))


def policy(number=1, **changes) -> Policy:
    return Policy(**{
        "id": UUID(int=number), "level": "village", "region_path": "/", "title": None, "colour": Colour.NONE, "months": ALL_MONTHS,
        "weekdays": ALL_WEEKDAYS, "working_days_only": False, "period": PeriodKind.WEEK, "times": 1, "least_share": 0.6,
        "valid_from": date(2020, 1, 1), "valid_to": None, **changes})


def due_in(window, *rows, in_office=ALWAYS, warnings=()):
    return required(window, in_office=in_office, rows=by_precedence(rows), warnings=warnings, calendar=CALENDAR)


def test_the_smallest_region_then_the_highest_colour_then_the_season_decides():
    everywhere, town = policy(1), policy(2, region_path="/1/2/")
    red_town, march = policy(3, region_path="/1/2/", colour=Colour.RED), policy(4, region_path="/1/2/", months=frozenset({3}))
    rows = by_precedence([everywhere, march, town, red_town])
    day, in_march = date(2026, 11, 20), date(2026, 3, 20)
    assert policy_on(day, Colour.NONE, rows, CALENDAR) is town
    assert policy_on(day, Colour.RED, rows, CALENDAR) is red_town
    assert policy_on(day, Colour.ORANGE, rows, CALENDAR) is town
    assert policy_on(in_march, Colour.NONE, rows, CALENDAR) is march
    assert policy_on(day, Colour.RED, by_precedence([everywhere]), CALENDAR) is everywhere


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


WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))


def due(times=1, share=0.6, period=PeriodKind.WEEK, span=WEEK, days=None) -> Due:
    row = policy(period=period, times=times, least_share=share)
    return Due(row, span, frozenset(days or span.days()), len(span.days()), times)


def walk(number, day, *covered, hour=8, **changes) -> Walk:
    return Walk(UUID(int=number), datetime(2026, 11, day, hour, tzinfo=UTC), date(2026, 11, day), covered,
                changes.get("delegated", False), changes.get("barred"))


def groups(result):
    return [[walk.patrol_id.int for walk in group] for group in result.groups]


def why_not(result):
    return {walk.patrol_id.int: reason for walk, reason, _ in result.left_out}


def test_short_walks_add_up_by_their_union():
    walks = [walk(1, 16, (0, 400)), walk(2, 17, (100, 500)), walk(3, 18, (450, 620))]
    result = tally(walks[:2], due=due(), length_m=1000)
    assert (groups(result), result.covered_m, result.waiting_m) == ([], 500, 500)
    assert set(why_not(result).values()) == {Reason.TOO_SHORT}
    assert groups(tally(walks, due=due(), length_m=1000)) == [[1, 2, 3]]


def test_a_whole_walk_counts_by_itself_and_leaves_the_short_ones_to_add_up():
    walks = [walk(1, 16, (0, 300)), walk(2, 17, (0, 1000)), walk(3, 18, (300, 700))]
    assert groups(tally(walks, due=due(times=2), length_m=1000)) == [[2], [1, 3]]


def test_the_legs_of_a_day_are_one_walk():
    legs = [walk(n, 16, (0, 1000), hour=n) for n in (1, 2, 3)]
    assert groups(tally(legs, due=due(times=4), length_m=1000)) == [[1, 2, 3]]


def test_several_times_a_day_count_as_often_as_asked():
    legs = [walk(n, 16, (0, 1000), hour=n) for n in (1, 2, 3)]
    result = tally(legs, due=due(times=2, period=PeriodKind.DAY, span=Span(date(2026, 11, 16), date(2026, 11, 16))), length_m=1000)
    assert groups(result) == [[1], [2]]
    assert why_not(result) == {3: Reason.SAME_DAY}


def test_why_walks_do_not_count():
    walks = [walk(1, 16, (0, 1000), barred=Reason.DOUBTFUL), walk(2, 17), walk(3, 18, (0, 1000)), walk(4, 19, (0, 100))]
    result = tally(walks, due=due(days=[date(2026, 11, 17), date(2026, 11, 19)]), length_m=1000)
    assert why_not(result) == {1: Reason.DOUBTFUL, 2: Reason.NOT_THIS_REACH, 3: Reason.OUTSIDE_PERIOD, 4: Reason.TOO_SHORT}


def test_what_delegates_did_is_counted_apart():
    result = tally([walk(1, 16, (0, 1000), delegated=True), walk(2, 17, (0, 1000))], due=due(times=2), length_m=1000)
    assert (len(result.groups), result.times_by_delegates) == (2, 1)


INTERVALS = st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000)).map(sorted).map(tuple), max_size=3)
WALKS = st.lists(st.tuples(st.integers(16, 22), st.integers(0, 23), INTERVALS), max_size=8)


@given(WALKS, st.integers(1, 5), st.floats(0.01, 1))
def test_every_walk_is_told_once_and_order_does_not_matter(drawn, times, share):
    walks = [walk(n, day, *covered, hour=hour) for n, (day, hour, covered) in enumerate(drawn, 1)]
    asked = due(times=times, share=share)
    result, reversed_ = tally(walks, due=asked, length_m=1000), tally(walks[::-1], due=asked, length_m=1000)
    assert groups(result) == groups(reversed_)
    told = sorted([walk.patrol_id.int for group in result.groups for walk in group] + list(why_not(result)))
    assert told == sorted(walk.patrol_id.int for walk in walks)
    assert len(result.groups) <= len({walk.day for walk in walks})
    for group in result.groups:
        assert metres(walk.covered for walk in group) >= share * 1000 - 0.01


@given(st.lists(INTERVALS, max_size=4))
def test_a_union_is_never_more_than_the_sum_or_less_than_a_part(several):
    total = metres(several)
    assert total <= sum(high - low for part in several for low, high in part) + 1e-6
    assert all(metres([part]) <= total + 1e-6 for part in several)
    assert metres([*several, *several]) == total


@pytest.mark.parametrize(("changes", "today", "since"), [
    ({}, "2026-11-26", "2026-11-19"), ({"times": 2}, "2026-11-26", "2026-11-22"),
    ({"period": PeriodKind.MONTH}, "2026-11-26", "2026-10-27"), ({"period": PeriodKind.WORKING_DAY}, "2026-11-23", "2026-11-20"),
    ({"period": PeriodKind.WORKING_DAY}, "2026-11-22", "2026-11-20"), ({"period": PeriodKind.WORKING_DAY}, "2026-10-08", "2026-09-30"),
])
def test_since_when_a_reach_must_have_been_walked(changes, today, since):
    assert latest_day_in_time(policy(**changes), date.fromisoformat(today), CALENDAR) == date.fromisoformat(since)

"""What counts for a duty, and why other walks do not."""

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.duties import Due
from patrol.patrols.duty_periods import PeriodKind, Span
from patrol.patrols.tallying import Reason, Walk, metres, tally
from tests.patrols.test_duties import WEEK, policy


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

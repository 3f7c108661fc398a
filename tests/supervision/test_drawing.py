"""Draws: anybody can repeat them, nobody can choose, the riskier are drawn more often."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.texts import Text
from patrol.supervision.drawing import chance_of, drawn_by_weight, is_drawn
from patrol.supervision.risk import SIGNS, points_of, reason_in_both, reason_of, reasons_of

IDS = [UUID(int=number) for number in range(1, 2001)]


def test_a_draw_can_be_repeated_by_hand():
    # echo -n seed:00000000-0000-0000-0000-000000000001 | sha256sum, the first 16 digits over 2 to the 64th
    assert chance_of("seed", UUID(int=1)) == pytest.approx(0.067149, abs=1e-6)


@pytest.mark.parametrize("share", [5, 20, 50])
def test_the_share_is_about_what_the_policy_says(share):
    assert abs(sum(is_drawn("a seed", each, share) for each in IDS) / len(IDS) * 100 - share) < 3
    assert all(is_drawn("a seed", each, 100) for each in IDS)
    assert not any(is_drawn("a seed", each, 0) for each in IDS)


@given(st.text(max_size=20), st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(1, 10), st.randoms())
def test_the_order_of_naming_never_matters(seed, weights, count, random):
    named = dict(zip(IDS, weights, strict=False))
    drawn = drawn_by_weight(seed, named, count)
    shuffled = list(named.items())
    random.shuffle(shuffled)
    assert drawn == drawn_by_weight(seed, dict(shuffled), count)
    assert len(drawn) == len(set(drawn)) == min(count, sum(weight > 0 for weight in weights))
    assert all(named[each] > 0 for each in drawn)


def test_a_weight_of_three_is_drawn_about_three_times_as_often():
    first = [drawn_by_weight(f"seed {number}", {IDS[0]: 3.0, IDS[1]: 1.0}, 1)[0] for number in range(2000)]
    assert abs(first.count(IDS[0]) / len(first) - 0.75) < 0.04


def test_points_are_capped_and_told():
    assert points_of({}) == 1
    assert points_of({"overdue": 2, "complaints": 1}) == 1 + 4 + 1
    assert points_of({sign.code: 1000 for sign in SIGNS}) == 1 + sum(sign.points * sign.most for sign in SIGNS)
    assert [text.en for text in reasons_of({"overdue": 2})] == ["issues overdue now: 2"]


@pytest.mark.parametrize("counts", [{}, {"overdue": 2}, {"complaints": 12, "reopened": 1}])
def test_a_reason_that_was_stored_in_chinese_reads_in_both_languages(counts):
    assert reason_in_both(reason_of(counts).zh) == reason_of(counts)
    assert reason_of({}).en == "drawn at random"
    for other in ("群众反映", "90 天内的公众投诉：许多", ""):
        assert reason_in_both(other) == Text(other, other)

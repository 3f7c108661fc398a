"""The rules that rank what may be the same trouble."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.duplicates import WEIGHTS, Pair, Print, likeness_of, photo_bits, text_score

SAME = Pair(category="C1", other_category="C1", distance_m=0, radius_m=100, days_apart=0, text_score=1, photo_bits=0)
TEXTS = st.text("桥下漂着成片的垃圾abc ，。", max_size=12)


def test_weights_are_the_whole():
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert likeness_of(SAME).score == pytest.approx(1)
    assert likeness_of(replace(SAME, photo_bits=None)).score == pytest.approx(1)


@given(TEXTS, TEXTS)
def test_words_are_alike_both_ways_and_wholly_to_themselves(one, other):
    assert text_score(one, other) == text_score(other, one)
    assert 0 <= text_score(one, other) <= 1
    assert text_score(one, one) == (1 if any(map(str.isalnum, one)) else 0)


def test_width_case_and_signs_do_not_count_but_characters_do():
    assert text_score("桥下，垃圾！ＡＢ", "桥下 垃圾 ab") == 1
    assert text_score("桥下漂着垃圾", "桥下漂着大片垃圾") > 0.6
    assert text_score("桥下漂着垃圾", "公示牌被撞歪") == 0


@pytest.mark.parametrize("worse", [
    {"distance_m": 60}, {"other_category": "C2"}, {"other_category": "D3"}, {"days_apart": 30}, {"text_score": 0.4}, {"photo_bits": 8},
])  # fmt: skip
def test_whatever_is_less_alike_ranks_lower(worse):
    assert likeness_of(replace(SAME, **worse)).score < likeness_of(SAME).score


def test_photos_are_as_alike_as_the_closest_two_and_unknown_ones_say_nothing():
    ours = [Print("a", "00000000000000ff"), Print("b", None)]
    assert photo_bits(ours, [Print("c", "00000000000000fe"), Print("d", "ffffffffffffffff")]) == 1
    assert photo_bits(ours, [Print("b", "ffffffffffffffff")]) == 0
    assert photo_bits(ours, [Print("c", None)]) is photo_bits(ours, []) is None
    assert likeness_of(replace(SAME, photo_bits=32)).photo_score == 0


def test_the_reasons_say_what_was_weighed():
    far = replace(SAME, distance_m=240.4, other_category="A31", days_apart=3.2, text_score=0.1, photo_bits=5, days_after_closing=12)
    assert [text.en for text in likeness_of(far).reasons] == [
        "240 m away, beyond the category's 100 m", "Another category: Litter", "Photos that are nearly the same (5 of 64 bits differ)",
        "Reported 3 days apart", "Seen 12 days after that one was closed: no duplicate; accepting it links the two as a relapse"]
    assert likeness_of(SAME).reasons[0].zh == "相距0米，在类别半径100米以内"

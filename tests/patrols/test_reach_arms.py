"""Arms of a braided river are seen from each other; tributaries, meanders, far banks and wide islands are not."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import length_m
from patrol.patrols.coverage import cover, union
from patrol.patrols.coverage_policy import DEFAULT_POLICY
from patrol.patrols.intervals import cut, total
from patrol.patrols.track import Track, merged
from tests.patrols.test_coverage import same, within
from tests.patrols.walks import START_MS, Walker, braided, drawn, reach_of, tight_meander, tributary, without

ARMS = {apart_m: braided(apart_m) for apart_m in (20, 30, 40)}
REACHES = {apart_m: drawn(*lines) for apart_m, lines in ARMS.items()}
each_width = pytest.mark.parametrize("apart_m", list(ARMS))


def path(lines, arm=1):
    """Return the way down one arm."""
    return np.concatenate([lines[0], lines[arm][1:], lines[3][1:]])


@each_width
@pytest.mark.parametrize("arm", [1, 2])
@pytest.mark.parametrize("beside_m", [15.0, -15.0])
def test_who_walks_beside_one_arm_has_seen_the_other(apart_m, arm, beside_m):
    for seed in range(4):
        walk = Walker(seed=seed, beside_m=beside_m).walk(path(ARMS[apart_m], arm))
        found = cover(REACHES[apart_m], walk)
        assert found.share >= 0.97
        assert found.low_m <= found.covered_m <= found.high_m <= found.length_m


@each_width
@pytest.mark.parametrize("sigma_m", [5, 30])
def test_whatever_the_noise(apart_m, sigma_m):
    assert cover(REACHES[apart_m], Walker(seed=3, sigma_m=sigma_m).walk(path(ARMS[apart_m]))).share >= 0.97


@each_width
def test_half_of_it_is_half_and_a_gap_is_unobserved_on_both_arms(apart_m):
    lines, reach = ARMS[apart_m], REACHES[apart_m]
    halves = [cover(reach, Walker(seed=seed).walk(path(lines), 0, 0.5)).share for seed in range(8)]
    assert np.mean(halves) == pytest.approx(0.5, abs=0.02)
    # A cell of 25 m too many or too few is one on each arm.
    assert halves == pytest.approx([0.5] * 8, abs=0.035)
    # The gap lies between the two forks: both arms are open there.
    found = cover(reach, without(Walker(seed=4).walk(path(lines)), 0.35, 0.65))
    assert found.unobserved_m == pytest.approx(2 * 0.3 * 1500, abs=75)
    assert found.covered_m + found.unobserved_m >= 0.97 * found.length_m
    walk = Walker(seed=5).walk(path(lines))
    assert cover(reach, walk.at(np.array([0, len(walk) - 1]))).share <= 0.04


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 3, 1, 2), (2, 0, 1, 3), (1, 3, 2, 0)])
def test_a_gap_over_the_forks_is_unobserved_and_sparse_fixes_reach_past_them(order):
    """However the lines join: the way from one to another leads through where they meet."""
    lines = ARMS[30]
    reach, walk = drawn(*(lines[number] for number in order)), Walker(seed=4).walk(path(lines))
    for start, end in ((0.1, 0.45), (0.6, 0.9), (0.1, 0.9)):
        found = cover(reach, without(walk, start, end))
        assert found.covered_m + found.unobserved_m >= 0.97 * found.length_m, (start, end)
        assert found.unobserved_m >= (end - start) * 1500
    assert cover(reach, walk.at(np.arange(0, len(walk), 12))).share >= 0.97


def test_two_arms_alone_are_a_ring_and_seen_across():
    _, north, south, _ = ARMS[30]
    for reach in (drawn(north, south), drawn(south[::-1], north)):
        assert cover(reach, Walker(seed=1).walk(north)).share >= 0.97
        assert cover(reach, Walker(seed=1).walk(north, 0, 0.5)).share == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("turn", [1, -1])
def test_one_line_may_run_down_one_arm_and_up_the_other(turn):
    """Lines join in the order given: here both arms are one part, which closes on itself below its stem."""
    above, north, south, below = ARMS[30]
    for reach in (drawn(above, north, south[::-1]), drawn(above, south, north[::-1]), drawn(north, south[::-1], above[::turn])):
        assert cover(reach, Walker(seed=1).walk(np.concatenate([above, north[1:]]))).share >= 0.97
    assert cover(drawn(above, north, south[::-1], below), Walker(seed=1).walk(path(ARMS[30], 2))).share >= 0.97


def test_a_line_of_one_place_is_no_fault():
    place = np.array([[0.0, 0.0], [0.0, 0.0]])
    assert cover(reach_of(place), Walker(seed=1).walk(ARMS[30][0])).covered_m == 0


def test_an_arm_that_leaves_and_joins_a_line_drawn_through():
    above, north, south, below = ARMS[30]
    reach = drawn(np.concatenate([above, north[1:], below[1:]]), south)
    for arm in (1, 2):
        assert cover(reach, Walker(seed=6).walk(path(ARMS[30], arm))).share >= 0.97


def test_lines_that_do_not_quite_meet_and_arms_cut_by_the_reachs_end():
    above, north, south, below = ARMS[30]
    apart = np.array([2.0, 2.0])
    assert cover(drawn(above, north + apart, south, below), Walker(seed=7).walk(path(ARMS[30]))).share >= 0.97
    cut = drawn(above, north[:50], south[:50])
    assert cover(cut, Walker(seed=7).walk(np.concatenate([above, north[1:50]]))).share >= 0.97
    banks = drawn(north[10:-10], south[10:-10])
    assert cover(banks, Walker(seed=7).walk(north[10:-10])).share >= 0.97


RIVER = tight_meander()


@pytest.mark.parametrize("lines", [
    (RIVER, RIVER), (RIVER, RIVER[::-1]), (RIVER[: len(RIVER) * 6 // 10], RIVER[len(RIVER) * 4 // 10 :]), (RIVER, RIVER[100:300]),
    (RIVER, RIVER[100:300] + 2.0), (np.concatenate([RIVER, RIVER[::-1]]),),
], ids=["twice", "there and back", "overlapping", "a piece again", "a piece beside", "one line"])  # fmt: skip
def test_water_that_is_drawn_twice_is_walked_once(lines):
    """Registers hold such lines: pieces that overlap where two files met, or one for each bank on the same place."""
    reach = drawn(*lines)
    assert cover(reach, Walker(seed=2).walk(RIVER)).share >= 0.97
    found = cover(reach, without(Walker(seed=2).walk(RIVER), 0.3, 0.7))
    assert found.covered_m + found.unobserved_m >= 0.97 * found.length_m
    assert found.unobserved_m > 0.2 * found.length_m
    once = cover(drawn(RIVER), Walker(seed=3).walk(RIVER, 0, 0.5))
    assert once.share - 0.03 <= cover(reach, Walker(seed=3).walk(RIVER, 0, 0.5)).share <= once.share + 0.25


def test_three_arms_beside_each_other():
    """The middle one parts from an arm: islands within islands."""
    above, north, south, below = braided(36)
    middle = (north + south)[20:61] / 2
    fork, end = np.array([north[14]]), np.array([north[66]])
    reach = drawn(above, north[:15], north[14:67], north[66:], south, below, np.concatenate([fork, middle, end]))
    for arm in (1, 2):
        assert cover(reach, Walker(seed=8).walk(path([above, north, south, below], arm))).share >= 0.97


@pytest.mark.parametrize("apart_m", [60, 100])
def test_the_far_side_of_a_wide_island_is_not_seen(apart_m):
    lines = braided(apart_m)
    found = cover(drawn(*lines), Walker(seed=1, sigma_m=5).walk(path(lines)))
    far_m = length_m(reach_of(lines[2]))
    # Where the water parts and meets again the arms are near for a few metres.
    assert found.not_visited_m + found.unobserved_m == pytest.approx(far_m, abs=150)
    banks = drawn(lines[1], lines[2] - np.array([0, 10]))
    assert cover(banks, Walker(seed=1, sigma_m=5).walk(lines[1])).share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("neck_m", [30, 40])
def test_limbs_of_a_meander_are_no_arms(neck_m):
    """Also where a brook comes in at the tip of a bend, so that two limbs are two lines."""
    line = tight_meander(1500, neck_m=neck_m)
    tip = int(np.argmax(line[:, 1]))
    brook = line[tip] + np.column_stack([np.zeros(20), np.arange(20) * 15.0])
    whole, parted = reach_of(line), drawn(line[: tip + 1], line[tip:], brook)
    # Along the outer side of the first limb only, by a good receiver: the second is as near as an arm would be.
    limb = Walker(seed=1, sigma_m=3, beside_m=15).walk(line[: tip - 5])
    first_m = length_m(reach_of(line[: tip + 1]))
    assert cover(whole, limb).covered_m <= first_m + 26
    assert cover(parted, limb).covered_m <= first_m + 26


def beside_a_tributary(angle, sigma_m, beside_m, seeds=6):
    """Walk the river, then the tributary; return the mean shares of what was walked, and metres of the other line (river: tributary)."""
    above, below, side = tributary(angle)
    reach, stem = drawn(above, below, side), np.concatenate([above, below[1:]])
    above_m, stem_m, whole_m = length_m(reach_of(above)), length_m(reach_of(stem)), length_m(reach)
    answers = []
    for way, walked, other, beside in ((stem, (0, stem_m), (stem_m, whole_m), beside_m), (side, (stem_m, whole_m), (0, above_m), -beside_m)):
        found = [cover(reach, Walker(seed=seed, sigma_m=sigma_m, beside_m=beside).walk(way)).covered for seed in range(seeds)]
        metres = [[sum(total(cut(part, [which])) for part in each) for each in found] for which in (walked, other)]
        answers.append((np.mean(metres[0]) / (walked[1] - walked[0]), metres[1]))
    return answers


@pytest.mark.parametrize("angle", [8, 14, 30])
def test_a_tributary_is_no_arm(angle):
    """Walked on the outer side of either line, the other is none of the way but for its mouth."""
    for share, other_m in beside_a_tributary(angle, 5, -15):
        assert share >= 0.97
        assert max(other_m) <= 51


def test_past_a_tributarys_mouth_the_walk_stays_on_its_line():
    """Between both lines the other is often the nearer; it is entered where they meet, or it costs."""
    (river, of_tributary_m), (side, of_river_m) = beside_a_tributary(14, 10, 15)
    assert (river >= 0.97, side >= 0.97) == (True, True)
    assert np.mean(of_tributary_m) <= 0.15 * 600
    assert np.mean(of_river_m) <= 0.12 * 750
    above, below, tributary_m = tributary(14)
    into = np.concatenate([tributary_m, below[1:]])
    found = cover(drawn(above, below, tributary_m), Walker(seed=1, beside_m=15).walk(into))
    assert found.covered_m == pytest.approx(length_m(reach_of(into)), abs=51)


def test_a_creek_on_an_island_is_no_arm():
    above, north, south, below = braided(400, arm_m=1600)
    creek = north[60] + np.column_stack([np.arange(0, 300, 10.0) * 0.99, -np.arange(0, 300, 10.0) * 0.1])
    reach = drawn(above, north, south, below, creek)
    found = cover(reach, Walker(seed=1, sigma_m=3, beside_m=15).walk(north))
    assert found.covered_m <= length_m(reach_of(north)) + 51


def test_the_numbers_are_the_policys():
    lines = ARMS[30]
    walk, reach = Walker(seed=1).walk(path(lines)), REACHES[30]
    near = replace(DEFAULT_POLICY, arms_apart_m=10.0)
    long = replace(DEFAULT_POLICY, arms_least_m=900.0)
    assert cover(reach, walk, policy=near).share < 0.8
    assert cover(reach, walk, policy=long).share < 0.8
    # An arm by itself that is near all along needs no least length.
    above, north, south, below = lines
    assert cover(drawn(above, below, north, south), walk, policy=long).share >= 0.97


walkers = st.builds(Walker, seed=st.integers(0, 50), sigma_m=st.sampled_from([3.0, 10.0, 25.0]), beside_m=st.sampled_from([15.0, -15.0]))
ways = st.tuples(st.sampled_from(list(ARMS)), st.sampled_from([1, 2]), st.floats(0, 0.45), st.floats(0.55, 1))


def walked(walker, way):
    apart_m, arm, start, end = way
    return REACHES[apart_m], walker.walk(path(ARMS[apart_m], arm), start, end)


@given(walkers, ways, st.integers(-10**9, 10**9))
def test_another_hour_gives_the_same(walker, way, shift_ms):
    reach, walk = walked(walker, way)
    later = Track(**(vars(walk) | {"recorded_ms": walk.recorded_ms + shift_ms}))
    assert cover(reach, walk) == cover(reach, later)


@given(walkers, ways)
def test_walked_backwards_gives_the_same(walker, way):
    reach, walk = walked(walker, way)
    mirrored = Track(**{
        name: (2 * START_MS + 10**8 - column if name == "recorded_ms" else column)[::-1] for name, column in vars(walk).items()})
    assert same(cover(reach, walk), cover(reach, mirrored), cells=2)


@given(walkers, ways, st.randoms())
def test_any_order_and_repetition_of_batches_and_of_lines_give_the_same(walker, way, random):
    reach, walk = walked(walker, way)
    cuts = [walk.at(np.arange(at, min(at + 40, len(walk)))) for at in range(0, len(walk), 40)]
    shuffled = cuts + random.sample(cuts, len(cuts) // 2)
    random.shuffle(shuffled)
    assert cover(reach, merged(shuffled)) == cover(reach, walk)


@each_width
def test_the_order_and_direction_of_the_lines_do_not_matter(apart_m):
    walk, whole, random = Walker(seed=10).walk(path(ARMS[apart_m]), 0.1, 0.8), None, Random(1)
    for _ in range(6):
        lines = [line[:: random.choice([1, -1])] for line in random.sample(ARMS[apart_m], 4)]
        found = cover(drawn(*lines), walk)
        whole = whole or found
        assert found.covered_m == pytest.approx(whole.covered_m, abs=101)


@given(walkers, ways, st.floats(0.2, 0.9), st.integers(0, 100))
def test_more_fixes_never_show_less(walker, way, share, seed):
    reach, walk = walked(walker, way)
    some = walk.at(np.random.default_rng(seed).random(len(walk)) < share)
    less, more = cover(reach, some), cover(reach, walk)
    # One fix may be put one cell farther on, on both arms, once its neighbours say so.
    assert less.covered_m <= more.covered_m + 50
    for found in (less, more):
        assert within(found.low, found.covered)
        assert within(found.covered, found.high)
        assert found.covered_m + found.unobserved_m + found.not_visited_m == pytest.approx(found.length_m)
    assert union([less, more]).covered_m >= more.covered_m - 1e-6

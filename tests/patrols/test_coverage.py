"""Coverage against simulated walks with known truth, and what must never change it."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import length_m
from patrol.patrols.coverage import Coverage, cover, union
from patrol.patrols.track import NO_TRACK, Track, merged, track_of
from tests.patrols.walks import START_MS, Walker, meander, reach_of, tight_meander, to_degrees, without

RIVERS = {"gentle": meander(), "tight": tight_meander()}
REACHES = {name: reach_of(line) for name, line in RIVERS.items()}
# What holds for every walk is tried on short rivers: the same bends, a third of the way.
SHORT = {"short gentle": meander(1500), "short tight": tight_meander(1500)}
RIVERS |= SHORT
REACHES |= {name: reach_of(line) for name, line in SHORT.items()}
each_river = pytest.mark.parametrize("river", ["gentle", "tight"])


@each_river
@pytest.mark.parametrize("sigma_m", [5, 15, 30])
@pytest.mark.parametrize("claims", [1.0, 0.6])
def test_a_full_walk_is_covered(river, sigma_m, claims):
    found = cover(REACHES[river], Walker(seed=1, sigma_m=sigma_m, claims=claims).walk(RIVERS[river]))
    assert found.share >= 0.97
    assert found.covered_m + found.unobserved_m + found.not_visited_m == pytest.approx(found.length_m)
    assert found.low_m <= found.covered_m <= found.high_m <= found.length_m


@each_river
def test_half_a_walk_is_half(river):
    assert cover(REACHES[river], Walker(seed=2).walk(RIVERS[river], 0, 0.5)).share == pytest.approx(0.5, abs=0.02)
    assert cover(REACHES[river], Walker(seed=3).walk(RIVERS[river], 1, 0.5)).covered[0][0] == pytest.approx(2500, abs=60)


@each_river
def test_a_gap_is_unobserved_not_covered(river):
    found = cover(REACHES[river], without(Walker(seed=4).walk(RIVERS[river]), 0.3, 0.7))
    assert found.share == pytest.approx(0.6, abs=0.02)
    assert found.unobserved_m / found.length_m == pytest.approx(0.4, abs=0.02)
    assert len(found.unobserved) == 1


@each_river
def test_two_fixes_at_the_ends_show_nothing_of_the_middle(river):
    walk = Walker(seed=5).walk(RIVERS[river])
    found = cover(REACHES[river], walk.at(np.array([0, len(walk) - 1])))
    assert found.share <= 0.02


def test_a_drive_down_the_valley_does_not_follow_the_meanders():
    ends = RIVERS["tight"][[0, -1]]
    straight = np.column_stack([np.linspace(ends[0, 0], ends[1, 0], 200), np.full(200, 150.0)])
    drive = Walker(speed_mps=10, every_s=2.5).recorded(straight, np.random.default_rng(1))
    assert cover(REACHES["tight"], drive).share < 0.25


@each_river
def test_out_and_back_counts_once(river):
    one, both = Walker(seed=6).walk(RIVERS[river], 0, 0.4), Walker(seed=6).walk(RIVERS[river], 0, 0.4, back=True)
    assert cover(REACHES[river], both).share == pytest.approx(cover(REACHES[river], one).share, abs=0.011)


def test_a_pause_counts_nothing():
    walk = Walker(seed=7).walk(RIVERS["gentle"])
    half = int((walk.recorded_ms[0] + walk.recorded_ms[-1]) / 2)
    found = cover(REACHES["gentle"], walk, pauses_ms=[(half, int(walk.recorded_ms[-1]))])
    assert found.share == pytest.approx(0.5, abs=0.02)


def test_bad_fixes_are_left_out_of_the_sum():
    walk = Walker(seed=8).walk(RIVERS["gentle"], 0, 0.3)
    far = to_degrees(RIVERS["gentle"][[-1]])[0]
    between = int(walk.recorded_ms[10]) + 1000
    vague = track_of([between], [far[1]], [far[0]], accuracy_m=[500.0])
    spike = track_of([between], [far[1]], [far[0]], accuracy_m=[5.0])
    before = cover(REACHES["gentle"], walk)
    assert cover(REACHES["gentle"], merged([walk, vague])) == before
    assert cover(REACHES["gentle"], merged([walk, spike])).covered == before.covered


def test_nothing_recorded_covers_nothing():
    found = cover(REACHES["gentle"], NO_TRACK)
    assert (found.covered_m, found.unobserved_m, found.share) == (0, 0, 0)
    assert found.not_visited == ((0.0, found.length_m),)
    assert found.as_data()["intervals"]["not_visited"] == [[0.0, round(found.length_m, 1)]]
    assert found.length_m == pytest.approx(length_m(REACHES["gentle"]))


def test_a_lake_is_covered_along_its_shore_round_its_beginning():
    angles = np.linspace(0, 2 * np.pi, 721)
    shore = 500 * np.column_stack([np.cos(angles), np.sin(angles)])
    lake = shapely.Polygon(to_degrees(shore))
    walker = Walker(seed=9, beside_m=5)
    assert cover(lake, walker.walk(shore)).share >= 0.97
    through = np.concatenate([shore[540:], shore[1:181]])
    found = cover(lake, walker.walk(through))
    assert found.share == pytest.approx(0.5, abs=0.02)
    assert found.covered[0][0] == 0
    assert found.covered[-1][1] == pytest.approx(found.length_m)


def test_a_braided_river_is_measured_arm_after_arm():
    main, arm = RIVERS["gentle"], RIVERS["gentle"][200:600] + np.array([0, 400])
    both = shapely.MultiLineString([to_degrees(main), to_degrees(arm)])
    found = cover(both, Walker(seed=10).walk(main))
    whole = length_m(both)
    assert found.length_m == pytest.approx(whole)
    assert found.covered_m == pytest.approx(length_m(reach_of(main)), rel=0.02)
    joined = shapely.MultiLineString([to_degrees(main[:400]), to_degrees(main[399:])])
    assert cover(joined, Walker(seed=10).walk(main)).share >= 0.97


def same(left: Coverage, right: Coverage, cells: int = 0) -> bool:
    return abs(left.covered_m - right.covered_m) <= 25 * cells + 1e-6 and abs(left.unobserved_m - right.unobserved_m) <= 25 * cells + 1e-6


walkers = st.builds(Walker, seed=st.integers(0, 50), sigma_m=st.sampled_from([3.0, 10.0, 25.0]), claims=st.sampled_from([0.6, 1.0]))
parts = st.tuples(st.floats(0, 0.45), st.floats(0.55, 1))
rivers = st.sampled_from(list(SHORT))


@given(walkers, parts, rivers, st.integers(-10**9, 10**9))
def test_another_hour_gives_the_same(walker, part, river, shift_ms):
    walk = walker.walk(RIVERS[river], *part)
    later = Track(**(vars(walk) | {"recorded_ms": walk.recorded_ms + shift_ms}))
    assert cover(REACHES[river], walk) == cover(REACHES[river], later)


@given(walkers, parts, rivers)
def test_walked_backwards_gives_the_same(walker, part, river):
    walk = walker.walk(RIVERS[river], *part)
    mirrored = Track(**{
        name: (2 * START_MS + 10**8 - column if name == "recorded_ms" else column)[::-1] for name, column in vars(walk).items()})
    assert same(cover(REACHES[river], walk), cover(REACHES[river], mirrored), cells=1)


@given(walkers, parts, rivers, st.randoms())
def test_any_order_and_repetition_of_batches_give_the_same(walker, part, river, random):
    walk = walker.walk(RIVERS[river], *part)
    cuts = [walk.at(np.arange(at, min(at + 40, len(walk)))) for at in range(0, len(walk), 40)]
    shuffled = cuts + random.sample(cuts, len(cuts) // 2)
    random.shuffle(shuffled)
    assert cover(REACHES[river], merged(shuffled)) == cover(REACHES[river], walk)


@given(walkers, parts, rivers)
def test_denser_recording_of_the_same_way_gives_the_same(walker, part, river):
    walk = walker.walk(RIVERS[river], *part)
    between = np.arange(len(walk) - 1) + 0.5
    at = np.sort(np.concatenate([np.arange(len(walk)), between]))
    denser = track_of(*(np.interp(at, np.arange(len(walk)), getattr(walk, name)) for name in ("recorded_ms", "latitude", "longitude")),
                      accuracy_m=np.interp(at, np.arange(len(walk)), walk.accuracy_m))
    assert same(cover(REACHES[river], walk), cover(REACHES[river], denser), cells=2)


@given(walkers, parts, rivers, st.floats(0.2, 0.9), st.integers(0, 100))
def test_more_fixes_never_show_less(walker, part, river, share, seed):
    walk = walker.walk(RIVERS[river], *part)
    some = walk.at(np.random.default_rng(seed).random(len(walk)) < share)
    less, more = cover(REACHES[river], some), cover(REACHES[river], walk)
    # One fix may be put one cell farther on once its neighbours say so; more than that is never lost.
    assert less.covered_m <= more.covered_m + 25
    assert less.covered_m + less.unobserved_m <= more.covered_m + more.unobserved_m + 50


@given(st.lists(st.tuples(walkers, st.floats(0, 0.5), st.floats(0.5, 1)), min_size=1, max_size=4), st.randoms())
def test_a_team_is_the_union_never_the_sum(walks, random):
    found = [cover(REACHES["short gentle"], walker.walk(RIVERS["short gentle"], start, end)) for walker, start, end in walks]
    together = union(found)
    assert max(each.covered_m for each in found) <= together.covered_m <= together.length_m + 1e-6
    assert together.covered_m + together.unobserved_m + together.not_visited_m == pytest.approx(together.length_m)
    assert union([*found, *found]).covered == together.covered
    random.shuffle(found)
    assert union(found).covered == together.covered


def test_what_one_left_open_and_another_walked_is_covered():
    gap = cover(REACHES["gentle"], without(Walker(seed=4).walk(RIVERS["gentle"]), 0.3, 0.7))
    filled = cover(REACHES["gentle"], Walker(seed=5).walk(RIVERS["gentle"], 0.25, 0.75))
    together = union([gap, filled])
    assert together.share >= 0.97
    assert together.unobserved_m == 0
    with pytest.raises(ValueError, match="at least one"):
        union([])

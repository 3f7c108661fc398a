"""Coverage against simulated walks with known truth, and what must never change it."""

from random import Random

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import length_m
from patrol.patrols.coverage import ALGORITHM, Coverage, cover, union
from patrol.patrols.reach_line import ReachLine
from patrol.patrols.track import NO_TRACK, Track, merged, track_of
from tests.patrols.walks import HOME, START_MS, Walker, drawn, meander, reach_of, tight_meander, to_degrees, without

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
    assert found.as_data()["algorithm"] == ALGORITHM
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


def test_a_line_drawn_in_pieces_of_any_order_and_direction_is_one():
    """River data comes so. With a fix a minute nearly each two lie on different pieces."""
    river, random = RIVERS["gentle"], Random(1)
    track = Walker(seed=10).walk(river)
    sparse = track.at(np.arange(0, len(track), 12))
    pieces = [river[at : at + 11] for at in range(0, len(river) - 1, 10)]
    whole = cover(reach_of(river), sparse)
    assert whole.share >= 0.97
    for _ in range(3):
        mixed = [piece[:: random.choice([1, -1])] for piece in random.sample(pieces, len(pieces))]
        found = cover(drawn(*mixed), sparse)
        assert found.length_m == pytest.approx(whole.length_m)
        assert found.covered_m == pytest.approx(whole.covered_m, abs=50)
    first = river[300:401]
    found = cover(drawn(first, river[:301][::-1], river[400:]), Walker(seed=10).walk(river, 0, 0.25))
    assert [start for start, _ in found.covered] == [0], "the first piece says which way the measure runs"


def test_two_halves_of_a_shore_are_a_ring_and_where_three_lines_meet_none_is_chosen():
    angles = np.linspace(0, 2 * np.pi, 361)
    shore = 300 * np.column_stack([np.cos(angles), np.sin(angles)])
    halves = ReachLine.of(drawn(shore[180:], shore[:181]), cell_m=25.0)
    assert (halves.ring.tolist(), len(halves.part_lengths)) == ([True], 1)
    there = np.array([[0.0, 0.0], [500.0, 0.0]])
    fork = drawn(there, [(900.0, 200.0), (500.0, 0.0)], [(900.0, -200.0), (500.0, 0.0)])
    assert len(ReachLine.of(fork, cell_m=25.0).part_lengths) == 3


def within(inner, outer) -> bool:
    return all(any(a <= start and end <= b for a, b in outer) for start, end in inner)


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


@given(walkers, st.floats(0.1, 0.9), st.integers(0, 100))
def test_where_no_fix_has_a_choice_more_fixes_never_show_a_cell_less(walker, share, seed):
    straight = np.column_stack([np.linspace(0, 1500, 60), np.zeros(60)])
    walk = walker.walk(straight)
    some = walk.at(np.random.default_rng(seed).random(len(walk)) < share)
    less, more = cover(reach_of(straight), some), cover(reach_of(straight), walk)
    for name in ("low", "covered", "high"):
        assert within(getattr(less, name), getattr(more, name))


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
    for each in found:
        assert within(each.low, each.covered)
        assert within(each.covered, each.high)
        assert within(each.low, together.low)
        assert within(each.high, together.high)


def test_the_range_of_a_team_is_no_sum_of_ranges():
    found = cover(REACHES["gentle"], Walker(seed=11).walk(RIVERS["gentle"], 0, 0.5))
    assert union([found, found, found]) == found


def test_leaving_the_river_and_rejoining_farther_on_is_not_visited():
    line = RIVERS["gentle"]
    first = Walker(seed=12).walk(line, 0, 0.3)
    away_from_s = (first.recorded_ms[-1] - START_MS) / 1000 + 5
    road = np.column_stack([np.linspace(1400, 3300, 290), np.full(290, 600.0)])
    away = Walker(seed=13).recorded(road, np.random.default_rng(1), from_s=away_from_s)
    last = Walker(seed=14).walk(line, 0.7, 1, from_s=away_from_s + 290 * 5)
    whole = cover(REACHES["gentle"], merged([first, away, last]))
    assert whole.unobserved_m == 0
    assert whole.not_visited_m == pytest.approx(2000, abs=60)
    # The same with the recorder off on the road: then nobody knows.
    silent = cover(REACHES["gentle"], merged([first, last]))
    assert silent.not_visited_m == 0
    assert silent.unobserved_m == pytest.approx(2000, abs=60)
    # Off for a part of the road, and long enough to have gone back: nobody knows either.
    partly = cover(REACHES["gentle"], merged([first, without(away, 0.2, 0.9), last]))
    assert partly.unobserved_m == pytest.approx(2000, abs=60)


def test_what_was_passed_in_a_pause_is_not_visited():
    walk = Walker(seed=15).walk(RIVERS["gentle"])
    first, last = (int(walk.recorded_ms[int(len(walk) * share)]) for share in (0.4, 0.6))
    found = cover(REACHES["gentle"], walk, pauses_ms=[(first, last)])
    assert found.unobserved_m == 0
    assert found.not_visited_m == pytest.approx(1000, abs=60)
    # A short one, over which a bridge would reach, counts no more; overlapping pauses are one.
    first, last = int(walk.recorded_ms[300]), int(walk.recorded_ms[300]) + 120_000
    short = cover(REACHES["gentle"], walk, pauses_ms=[(first + 60_000, last), (first, first + 90_000)])
    assert 75 <= short.not_visited_m <= 175
    assert short.unobserved_m == 0


def test_a_gap_beside_a_pause_is_unobserved():
    walk = Walker(seed=16).walk(RIVERS["gentle"])
    first, last = (int(walk.recorded_ms[int(len(walk) * share)]) for share in (0.5, 0.6))
    found = cover(REACHES["gentle"], without(walk, 0.3, 0.5), pauses_ms=[(first, last)])
    assert found.unobserved_m == pytest.approx(1500, abs=60)


@pytest.mark.parametrize("neck_m", [60, 70, 80])
@pytest.mark.parametrize("claims", [1.0, 0.6])
def test_tight_necks_do_not_mix_up_the_limbs(neck_m, claims):
    line = tight_meander(3000, neck_m=neck_m)
    reach = reach_of(line)
    for seed in range(10):
        walker = Walker(seed=seed, sigma_m=10, claims=claims)
        assert cover(reach, walker.walk(line)).share >= 0.97
        # Near the middle the last fixes may fall onto the next limb: 100 m of 3 km.
        assert cover(reach, walker.walk(line, 0, 0.5)).share == pytest.approx(0.5, abs=0.035)


def test_crossing_a_neck_does_not_credit_the_bend():
    line = tight_meander(3000, neck_m=70)
    straight = np.column_stack([np.linspace(-20, 500, 80), np.full(80, 150.0)])
    assert cover(reach_of(line), Walker(seed=1, sigma_m=5).recorded(straight, np.random.default_rng(1))).share < 0.2


def test_wild_fixes_between_good_ones_take_nothing_away():
    line = RIVERS["gentle"]
    walk = Walker(seed=17).walk(line, 0, 0.5)
    far = to_degrees(np.array([[0.0, 30_000.0]]))[0]
    faked = Track(**(vars(walk) | {
        "recorded_ms": walk.recorded_ms + 2500, "latitude": np.full(len(walk), far[1]), "longitude": np.full(len(walk), far[0])}))
    assert cover(REACHES["gentle"], merged([walk, faked])).covered == cover(REACHES["gentle"], walk).covered


def test_positions_of_one_moment_are_no_spikes():
    walk = Walker(seed=18, every_s=0.25, speed_mps=2).walk(RIVERS["short gentle"], 0, 0.3)
    assert cover(REACHES["short gentle"], walk).share == pytest.approx(0.3, abs=0.03)


def circle(radius_m, east=0.0, north=0.0):
    angles = np.linspace(0, 2 * np.pi, 361)
    ring = radius_m * np.column_stack([np.cos(angles), np.sin(angles)]) + np.array([east, north])
    ring[-1] = ring[0]
    return ring


def test_islands_and_closed_lines_are_rings_of_their_own():
    shore, island = circle(500), circle(120)
    lake = shapely.Polygon(to_degrees(shore), [to_degrees(island)])
    through = np.concatenate([island[270:], island[1:91]])
    found = cover(lake, Walker(seed=19, beside_m=5, sigma_m=5).walk(through))
    assert found.length_m == pytest.approx(length_m(lake), abs=1e-6)
    assert found.covered_m == pytest.approx(np.pi * 120, abs=55)
    assert found.covered[0][0] == pytest.approx(length_m(shapely.LineString(to_degrees(shore))), abs=1e-6)
    moat = cover(reach_of(shore), Walker(seed=20, beside_m=5).walk(np.concatenate([shore[300:], shore[1:61]])))
    assert (moat.covered[0][0], moat.covered[-1][1]) == (0, pytest.approx(moat.length_m))
    assert moat.share == pytest.approx(1 / 3, abs=0.02)


def test_a_boat_counts_for_the_nearest_shore_when_asked():
    lake = shapely.Polygon(to_degrees(circle(500)))
    boat = Walker(seed=21, beside_m=0, speed_mps=3).walk(circle(300)[:181])
    assert cover(lake, boat).share == 0
    assert cover(lake, boat, inside_counts=True).share == pytest.approx(0.5, abs=0.03)
    outside = Walker(seed=21, beside_m=0).walk(circle(700)[:181])
    assert cover(lake, outside, inside_counts=True).share == 0


def with_strays(walk, line, seed, count=2):
    """Return the walk with stray fixes anywhere on the river, each a second after one of its own."""
    rng = np.random.default_rng(seed)
    at_ms = walk.recorded_ms[rng.integers(0, len(walk), count)] + 1000
    places = to_degrees(line[rng.integers(0, len(line), count)])
    return merged([walk, track_of(at_ms, places[:, 1], places[:, 0], accuracy_m=[8.0] * count)])


@pytest.mark.parametrize("every_s", [40.0, 5.0])
@pytest.mark.parametrize("neck_m", [60, 80, 160])
def test_stray_fixes_on_other_limbs_take_nothing_away(neck_m, every_s):
    """The first seeds are those that lost 50 to 400 m at necks of 60 m before a stray fix could be passed by."""
    line = tight_meander(2000, neck_m=neck_m)
    reach = reach_of(line)
    for seed in (12, 88, 180, 214, 250, 258, *range(6)):
        walk = Walker(seed=seed, sigma_m=10, every_s=every_s).walk(line)
        less = cover(reach, walk).covered_m
        assert all(cover(reach, with_strays(walk, line, seed, count)).covered_m >= less - 25 for count in (2, 10))


def test_a_stray_fix_shows_no_more_than_where_it_lies():
    """Half is walked; on the other half fixes of another place lie far apart: a cell each, and no way between them."""
    line = RIVERS["tight"]
    walk = Walker(seed=2).walk(line, 0, 0.5)
    places = to_degrees(line[(np.linspace(0.6, 0.95, 5) * len(line)).astype(int)])
    strays = track_of(walk.recorded_ms[50:300:50] + 1000, places[:, 1], places[:, 0], accuracy_m=[8.0] * 5)
    assert cover(REACHES["tight"], merged([walk, strays])).covered_m <= cover(REACHES["tight"], walk).covered_m + 5 * 25


def test_parts_keep_their_order_and_lengths():
    south, north = RIVERS["gentle"][:200], RIVERS["gentle"][:200] + np.array([0, 2000])
    apart = RIVERS["gentle"][300:400] + np.array([0, 1000])
    both = shapely.MultiLineString([to_degrees(part) for part in (north, apart, south)])
    found = cover(both, Walker(seed=22, sigma_m=5).walk(south))
    ends = np.cumsum([length_m(line) for line in both.geoms])
    assert found.length_m == pytest.approx(length_m(both), abs=1e-6)
    assert found.covered == ((pytest.approx(ends[1], abs=26), pytest.approx(ends[2], abs=26)),)


def test_measures_are_metres_on_the_ellipsoid_everywhere():
    south_north = shapely.LineString([(HOME[1], HOME[0]), (HOME[1], HOME[0] + 1.0)])
    at = HOME[0] + 0.25
    fix = track_of([START_MS], [at], [HOME[1]], accuracy_m=[5.0])
    before_m = length_m(shapely.LineString([(HOME[1], HOME[0]), (HOME[1], at)]))
    start, end = cover(south_north, fix).covered[0]
    assert start - 15 <= before_m <= end + 15


def test_what_one_left_open_and_another_walked_is_covered():
    gap = cover(REACHES["gentle"], without(Walker(seed=4).walk(RIVERS["gentle"]), 0.3, 0.7))
    filled = cover(REACHES["gentle"], Walker(seed=5).walk(RIVERS["gentle"], 0.25, 0.75))
    together = union([gap, filled])
    assert together.share >= 0.97
    assert together.unobserved_m == 0
    with pytest.raises(ValueError, match="at least one"):
        union([])

"""Way, time and speed of a track against walks of known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.summary import MOST_VALUES, summarised
from patrol.patrols.track import NO_TRACK, merged, track_of
from tests.patrols.walks import Walker, meander, to_degrees, without

RIVER = meander()


@pytest.mark.parametrize(("sigma_m", "over"), [(3, 0.02), (10, 0.12), (20, 0.25)])
def test_the_way_is_near_the_truth_and_never_much_less(sigma_m, over):
    for seed in range(3):
        found = summarised(Walker(seed=seed, sigma_m=sigma_m).walk(RIVER))
        assert 4900 <= found.distance_m <= 5000 * (1 + over)
        assert found.duration_s == pytest.approx(5000 / 1.3, abs=10)
        assert found.moving_s >= 0.97 * found.duration_s


def test_speeds_are_what_was_driven_at_least():
    walk, drive = (summarised(Walker(seed=1, sigma_m=3, speed_mps=speed).walk(RIVER)) for speed in (1.3, 10))
    assert 1.1 <= walk.median_mps <= 1.3
    assert walk.median_mps <= walk.p95_mps <= 1.45
    assert 9 <= drive.median_mps <= 10.1
    assert len(walk.profile) == MOST_VALUES
    assert len(drive.profile) == 8
    assert summarised(Walker(seed=1, sigma_m=30).walk(RIVER)).median_mps < 1.3


def test_standing_still_is_no_way():
    walker = Walker(seed=2, sigma_m=8)
    noise = walker._errors(720, np.random.default_rng(2))
    found = summarised(walker.recorded(noise, np.random.default_rng(3)))
    assert found.distance_m < 500
    assert found.moving_s < 0.15 * found.duration_s
    assert found.median_mps == 0


def test_a_pause_is_neither_time_nor_way():
    walk = Walker(seed=3, sigma_m=3).walk(RIVER)
    first, last = (int(walk.recorded_ms[int(len(walk) * share)]) for share in (0.4, 0.6))
    found = summarised(walk, pauses_ms=[(first, last)])
    assert found.duration_s == pytest.approx(0.8 * 5000 / 1.3, abs=15)
    assert found.distance_m == pytest.approx(4000, rel=0.03)
    assert found.used == pytest.approx(0.8 * found.fixes, abs=2)


def test_a_gap_has_no_speed():
    found = summarised(without(Walker(seed=4, sigma_m=3).walk(RIVER), 0.3, 0.7))
    assert 20 <= sum(speed is None for speed in found.profile) <= 25
    assert found.as_data()["speed_profile_mps"][30] is None


def test_a_spike_is_left_out():
    walk = Walker(seed=5, sigma_m=3).walk(RIVER, 0, 0.3)
    far = to_degrees(np.array([[0.0, 20_000.0]]))[0]
    spike = track_of([int(walk.recorded_ms[50]) + 2500], [far[1]], [far[0]], accuracy_m=[5.0])
    found, before = summarised(merged([walk, spike])), summarised(walk)
    assert found.fixes == before.fixes + 1
    assert (found.used, found.distance_m, found.p95_mps) == (before.used, before.distance_m, before.p95_mps)


def test_nothing_and_one_fix_say_nothing():
    one = Walker().walk(RIVER).at(np.array([0]))
    for track, used in ((NO_TRACK, 0), (one, 1)):
        found = summarised(track)
        assert (found.used, found.distance_m, found.duration_s, found.median_mps, found.profile) == (used, 0, 0, None, ())


@given(st.integers(0, 30), st.sampled_from([5, 15, 30]), st.floats(0, 0.4), st.floats(0.5, 1))
def test_the_parts_never_exceed_the_whole(seed, sigma_m, start, end):
    walk = Walker(seed=seed, sigma_m=sigma_m, every_s=20).walk(RIVER, start, end)
    found = summarised(walk)
    assert 0 <= found.moving_s <= found.duration_s
    assert found.median_mps <= found.p95_mps
    assert len(found.profile) <= MOST_VALUES

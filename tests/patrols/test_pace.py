"""How far and how fast: simulated walks of known length and speed."""

from datetime import timedelta

import numpy as np
import pytest

from patrol.patrols.pace import MOST_VALUES, pace_of
from patrol.patrols.track import NO_TRACK, merged
from patrol.patrols.window import moment_of
from tests.patrols.walks import START_MS, Walker, meander, without

LINE = meander(5000.0)
START = moment_of(START_MS)


def paced(track, pauses_ms=()):
    return pace_of(track, START, moment_of(int(track.recorded_ms[-1])), pauses_ms)


@pytest.mark.parametrize("sigma_m", [3.0, 10.0, 20.0])
def test_a_walk_has_its_length_and_speed_whatever_the_noise(sigma_m):
    pace = paced(Walker(seed=1, sigma_m=sigma_m).walk(LINE))
    assert pace["distance_m"] == pytest.approx(5000, rel=0.08)
    assert pace["median_mps"] == pytest.approx(1.3, abs=0.15)
    assert pace["duration_s"] == pytest.approx(5000 / 1.3, rel=0.01)


@pytest.mark.parametrize("speed_mps", [0.2, 0.3, 0.45])
@pytest.mark.parametrize("sigma_m", [3.0, 10.0])
def test_a_slow_walk_is_a_walk_too(sigma_m, speed_mps):
    pace = paced(Walker(seed=1, sigma_m=sigma_m, speed_mps=speed_mps).walk(LINE, 0.0, 0.3))
    assert pace["distance_m"] == pytest.approx(1500, rel=0.25)
    assert pace["median_mps"] == pytest.approx(speed_mps, rel=0.35)


def test_who_waits_and_then_walks_has_the_speed_of_the_walk():
    walker, rng = Walker(seed=3, sigma_m=5.0), np.random.default_rng(3)
    walk = walker.walk(LINE, 0.0, 0.2)
    parked = walker.recorded(np.tile([[0.0, 15.0]], (360, 1)) + walker._errors(360, rng), rng, from_s=-1800)
    pace = paced(merged([parked, walk]))
    assert pace["distance_m"] == pytest.approx(1000, rel=0.1)
    assert pace["median_mps"] == pytest.approx(1.3, abs=0.2)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("sigma_m", [3.0, 10.0])
def test_a_parked_phone_goes_nowhere(sigma_m, seed):
    walker = Walker(seed=seed, sigma_m=sigma_m)
    rng = np.random.default_rng(seed)
    pace = paced(walker.recorded(walker._errors(720, rng), rng))
    assert pace["distance_m"] < 300
    assert max(pace["profile"]) < 0.5


def test_a_pause_does_not_count():
    track = Walker(seed=1).walk(LINE)
    first, last = START_MS + 600_000, START_MS + 1_200_000
    pace = paced(track, [(first, last), (first + 1000, last - 1000)])
    assert pace["duration_s"] == pytest.approx(paced(track)["duration_s"] - 600)
    assert pace["distance_m"] == pytest.approx(5000 - 600 * 1.3, rel=0.08)


def test_the_way_across_a_silence_is_not_counted_and_the_profile_says_none():
    pace = paced(without(Walker(seed=1).walk(LINE), 0.4, 0.8))
    assert pace["distance_m"] == pytest.approx(3000, rel=0.08)
    assert None in pace["profile"]
    assert len(pace["profile"]) <= MOST_VALUES


def test_no_track_has_a_duration_only():
    pace = pace_of(NO_TRACK, START, START + timedelta(minutes=5))
    assert pace == {"distance_m": 0.0, "duration_s": 300.0, "median_mps": None, "p95_mps": None, "profile": []}


def test_one_fix_is_no_way():
    pace = paced(Walker(seed=1).walk(LINE).at(np.array([0])))
    assert pace["distance_m"] == 0.0
    assert pace["profile"] == []

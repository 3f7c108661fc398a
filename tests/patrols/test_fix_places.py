"""Which fixes are spikes, how exact fixes are taken to be, and how far off the line they still count."""

import numpy as np
import pytest

from patrol.patrols.coverage import cover
from patrol.patrols.coverage_policy import DEFAULT_POLICY
from patrol.patrols.fix_places import sigmas, spikes
from patrol.patrols.track import track_of
from tests.patrols.walks import START_MS, reach_of, to_degrees


def told(y, at_s, sigma_m=10.0):
    y = np.array(y, dtype=float)
    return spikes(np.zeros(len(y)), y, np.array(at_s, dtype=float), np.full(len(y), sigma_m), DEFAULT_POLICY).tolist()


def test_a_jump_there_and_back_is_a_spike():
    assert told([0, 5, 900, 15, 20], [0, 5, 10, 15, 20]) == [False, False, True, False, False]


def test_accuracies_are_subtracted_before_speeds():
    assert told([0, 65, 0], [0, 1, 2], sigma_m=15) == [False] * 3
    assert told([0, 75, 0], [0, 1, 2], sigma_m=15) == [False, True, False]


def test_less_than_a_second_tells_no_speed():
    assert told([0, 400, 0], [0, 0.9, 1.8]) == [False] * 3
    assert told([0, 400, 0], [0, 0, 0]) == [False] * 3


def test_in_turns_nobody_is_the_spike():
    assert told([0, 9000, 5, 9000, 10, 9000], range(0, 30, 5)) == [False] * 6


def test_two_fixes_have_no_neighbours():
    assert told([0, 9000], [0, 5]) == [False, False]
    assert told([], []) == []


def test_claims_are_inflated_and_floored_and_silence_is_taken_for_twenty_metres():
    track = track_of([1, 2, 3], [0, 0, 0], [0, 0, 0], accuracy_m=[3, 20, np.nan])
    assert sigmas(track, DEFAULT_POLICY).tolist() == [10, 30, 20]


@pytest.mark.parametrize(("claimed_m", "radius_m"), [(1, 50), (8, 54), (16, 78), (90, 120)])
def test_the_radius_follows_the_inflated_accuracy_within_its_clamps(claimed_m, radius_m):
    reach = reach_of(np.array([[0.0, 0], [500, 0]]))

    def found(off_m):
        longitude, latitude = to_degrees(np.array([[250.0, off_m]]))[0]
        return cover(reach, track_of([START_MS], [latitude], [longitude], accuracy_m=[claimed_m]))

    inner, outer = found(radius_m - 1), found(radius_m + 1)
    assert (inner.covered_m, inner.low_m, inner.high_m) == (pytest.approx(25), 0, pytest.approx(25))
    assert (outer.covered_m, outer.low_m, outer.high_m) == (0, 0, pytest.approx(25))
    assert found(radius_m - 21).low_m == pytest.approx(25)
    assert found(radius_m + 21).high_m == 0

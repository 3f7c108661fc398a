"""Points are read as they came; what cannot be used is put aside with its place and a reason, and nothing is guessed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import Datum
from patrol.patrols.fixes import REASONS, in_wgs84, read_fixes

GOOD = {"recorded_at": "2026-05-01T08:30:00.250+08:00", "latitude": 29.6031274, "longitude": 119.8074518}


def codes(*points):
    return [point.code for point in read_fixes(points).aside]


def test_a_whole_point():
    fixes = read_fixes([{**GOOD, "accuracy_m": 6.4, "altitude_m": -3, "speed_mps": 0, "bearing_deg": 71.5, "mock": True}])
    track = fixes.track
    assert (track.recorded_ms[0], track.latitude[0], track.longitude[0]) == (1_777_595_400_250, 29.6031274, 119.8074518)
    assert (track.accuracy_m[0], track.altitude_m[0], track.speed_mps[0], track.bearing_deg[0], track.mock[0]) == (6.4, -3, 0, 71.5, 1)
    assert fixes.aside == ()


@pytest.mark.parametrize(("change", "code"), [
    ({"recorded_at": None}, "no_time"), ({"recorded_at": "yesterday"}, "no_time"), ({"recorded_at": 5}, "no_time"),
    ({"recorded_at": "2026-05-01T08:30:00"}, "no_time_zone"), ({"recorded_at": "1999-12-31T23:59:59Z"}, "absurd_time"),
    ({"recorded_at": "9999-12-31T23:59:59-12:00"}, "absurd_time"), ({"recorded_at": "0001-01-01T00:00:00+12:00"}, "absurd_time"),
    ({"latitude": 90.1}, "bad_coordinates"), ({"longitude": None}, "bad_coordinates"), ({"latitude": "29.6"}, "bad_coordinates"),
    ({"latitude": True}, "bad_coordinates"), ({"longitude": float("inf")}, "bad_coordinates"),
    ({"accuracy_m": "good"}, "bad_value"), ({"speed_mps": True}, "bad_value"), ({"mock": 1}, "bad_value"), ({"mock": []}, "bad_value"),
])
def test_what_cannot_be_used_is_put_aside(change, code):
    fixes = read_fixes([GOOD, {**GOOD, **change}, GOOD])
    assert [(point.index, point.code) for point in fixes.aside] == [(1, code)]
    assert len(fixes.track) == 2
    assert set(REASONS) >= {code}


@pytest.mark.parametrize("name", ["accuracy_m", "speed_mps", "bearing_deg"])
def test_minus_one_means_unknown(name):
    assert np.isnan(getattr(read_fixes([{**GOOD, name: -1}]).track, name)[0])


def test_unknown_is_not_false():
    assert [read_fixes([{**GOOD, **mock}]).track.mock[0] for mock in ({}, {"mock": None}, {"mock": False})] == [-1, -1, 0]


def test_times_in_any_zone_and_order():
    fixes = read_fixes([{**GOOD, "recorded_at": text} for text in (
        "2026-05-01T00:30:05Z", "2026-05-01T08:30:00+08:00", "2026-04-30T20:30:02-04:00")])
    assert (np.diff(fixes.track.recorded_ms) > 0).all()
    assert fixes.places.tolist() == [1, 2, 0]


def test_places_are_those_of_what_was_sent():
    fixes = read_fixes([{**GOOD, "recorded_at": "2026-05-01T00:30:05Z"}, {"latitude": 1}, GOOD])
    more = fixes.without(fixes.track.recorded_ms > 1_777_595_401_000, "outside_patrol")
    assert [(point.index, point.code) for point in more.aside] == [(0, "outside_patrol"), (1, "no_time")]


def test_raw_degrees_stay_and_wgs84_is_derived():
    track = read_fixes([GOOD, {**GOOD, "latitude": 0.5}]).track
    moved = in_wgs84(track, Datum.GCJ02)
    assert track.latitude[0] == GOOD["latitude"]
    assert 0.001 < abs(moved.latitude[0] - track.latitude[0]) < 0.01
    assert np.isnan(moved.latitude[1])


json_value = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5) | st.lists(
    st.booleans(), max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from(sorted({*GOOD, "accuracy_m", "speed_mps", "mock"})), json_value), min_size=1, max_size=8))
def test_anything_at_all_is_either_usable_or_aside(points):
    fixes = read_fixes(points)
    assert sorted([*fixes.places.tolist(), *(point.index for point in fixes.aside)]) == list(range(len(points)))
    assert not np.isnan(fixes.track.latitude).any()

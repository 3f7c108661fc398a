"""Tracks as bytes: every value comes back bit by bit, and a believable track is small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.track import NO_TRACK, Source, Track, track_of
from patrol.patrols.track_encoding import UnknownVersion, decode, encode

anything = st.floats(allow_nan=False, width=64) | st.just(float("nan")) | st.just(-0.0)
on_a_grid = st.builds(lambda steps, digits: round(steps / 10**digits, digits), st.integers(-10**9, 10**9), st.integers(0, 7))
number = anything | on_a_grid
fix = st.tuples(st.integers(-(2**63), 2**63 - 1), *[number] * 6, st.sampled_from([-1, 0, 1]))


def track_from(rows) -> Track:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    return Track(np.array(columns[0], np.int64), *(np.array(column, np.float64) for column in columns[1:7]),
                 np.array(columns[7], np.int8), np.full(len(rows), Source.APP, np.int8))


def bits(track: Track) -> list[bytes]:
    floats = [np.where(np.isnan(column), np.nan, column) for column in list(vars(track).values())[1:7]]
    return [track.recorded_ms.tobytes(), *(column.tobytes() for column in floats), track.mock.tobytes(), track.source.tobytes()]


@given(st.lists(fix, max_size=30))
def test_every_value_comes_back_bit_by_bit(rows):
    track = track_from(rows)
    assert bits(decode(encode(track), Source.APP)) == bits(track)


def test_no_fixes_and_no_knowledge():
    assert len(decode(encode(NO_TRACK), Source.GPX)) == 0
    track = decode(encode(track_of([1, 2], [29.6, 29.7], [119.8, 119.9])), Source.GPX)
    assert np.isnan(track.accuracy_m).all()
    assert track.source.tolist() == [Source.GPX, Source.GPX]


@pytest.mark.parametrize("every_s", [1, 5])
def test_a_believable_track_takes_at_most_12_bytes_a_fix(every_s):
    rng, count = np.random.default_rng(3), 500
    walked = np.cumsum(rng.normal(1.2 * every_s, 0.3 * every_s, count)) / 111_000
    track = track_of(
        1_790_000_000_000 + np.arange(count) * every_s * 1000 + rng.integers(-20, 20, count),
        np.round(29.6 + walked + rng.normal(0, 3, count) / 111_000, 7), np.round(119.8 + walked / 3 + rng.normal(0, 3, count) / 97_000, 7),
        accuracy_m=np.round(rng.gamma(9, 0.8, count), 1), altitude_m=np.round(31 + np.cumsum(rng.normal(0, 0.4, count)), 1),
        speed_mps=np.round(np.abs(rng.normal(1.2, 0.3, count)), 2), bearing_deg=np.round(rng.normal(70, 12, count) % 360, 1),
        mock=np.zeros(count, np.int8),
    )
    assert len(encode(track)) / count <= 12


def test_bytes_of_a_later_version_are_not_guessed_at():
    with pytest.raises(UnknownVersion):
        decode(bytes([99]) + encode(NO_TRACK)[1:], Source.APP)

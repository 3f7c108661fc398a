"""Tracks are merged the same whatever the order and the cut in which they came."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.track import NO_TRACK, Source, Track, merged, new_in, track_of

fix = st.tuples(
    st.integers(0, 20), st.integers(0, 3), st.integers(0, 3), st.sampled_from([3.0, 8.0, float("nan")]), st.sampled_from([-1, 0, 1]),
    st.sampled_from(Source),
)


def one(at, latitude, longitude, accuracy, mock, source) -> Track:
    return track_of([at], [29.6 + latitude * 1e-5], [119.8 + longitude * 1e-5], accuracy_m=[accuracy], mock=[mock], source=source)


def same(left: Track, right: Track) -> bool:
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(vars(left).values(), vars(right).values(), strict=True))


@given(st.lists(fix, max_size=12), st.randoms())
def test_any_order_cut_and_repetition_give_the_same_track(fixes, random):
    tracks = [one(*values) for values in fixes]
    whole = merged(tracks)
    shuffled = tracks + random.sample(tracks, len(tracks) // 2)
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    assert same(whole, merged([merged(shuffled[:cut]), merged(shuffled[cut:])]))
    assert np.all(np.diff(whole.recorded_ms) >= 0)


def test_one_fix_by_two_ways_is_one_and_the_way_that_knows_more_counts():
    live = track_of([1000], [29.6], [119.8], accuracy_m=[5.0], source=Source.OSMAND)
    file = track_of([1000], [29.6000000004], [119.8], altitude_m=[50.0], source=Source.GPX)
    together = merged([file, live])
    assert len(together) == 1
    assert together.accuracy_m[0] == 5.0


def test_two_fixes_of_one_moment_at_different_places_stay_two():
    assert len(merged([track_of([1000, 1000], [29.6, 29.7], [119.8, 119.8])])) == 2


def test_a_track_is_put_in_order_and_cut_by_time():
    track = track_of([3000, 1000, 2000], [3, 1, 2], [0, 0, 0])
    assert track.latitude.tolist() == [1, 2, 3]
    assert track.between(1000, 2000).latitude.tolist() == [1, 2]
    assert len(merged([])) == len(NO_TRACK) == 0


@given(st.lists(fix, max_size=12), st.integers(0, 12))
def test_what_is_not_new_need_not_be_stored(fixes, cut):
    stored, arriving = (merged([one(*values) for values in part]) for part in (fixes[:cut], fixes[cut:]))
    is_new = new_in(arriving, stored)
    assert same(merged([stored, arriving.at(is_new)]), merged([stored, arriving]))
    assert not new_in(stored, stored).any()

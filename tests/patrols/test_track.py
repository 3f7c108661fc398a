"""Tracks are merged the same whatever the order and the cut in which they came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.track import NO_TRACK, Source, Track, counting_beside, joined, merged, new_in, track_of

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


# Seven digits as one program writes them, and six as another does that rounds a half up, down or to even.
TIE = 29.6000015
ROUNDED = (29.600001, 29.600002)


@pytest.mark.parametrize("rounded", ROUNDED)
def test_one_fix_is_one_whichever_way_a_half_was_rounded(rounded):
    fine, coarse = (track_of([1000], [latitude], [119.8], source=source) for latitude, source in ((TIE, Source.TRACCAR), (rounded, Source.GPX)))
    for tracks in ([fine, coarse], [coarse, fine]):
        assert merged(tracks).latitude.tolist() == [TIE]
    assert counting_beside(coarse, fine).tolist() == [False]
    assert counting_beside(fine, coarse).tolist() == [True]
    assert len(merged([coarse, track_of([1001], [TIE], [119.8])])) == 2


def test_a_fix_outside_its_datum_is_no_other_ones():
    nowhere = track_of([1000, 1000, 1000], [np.nan, TIE, ROUNDED[0]], [np.nan, 119.8, 119.8])
    assert np.isfinite(merged([nowhere]).latitude).sum() == 1
    assert len(merged([nowhere])) == 2


def test_six_digits_apart_by_one_stay_two_of_one_moment():
    assert len(merged([track_of([1000, 1000], ROUNDED, [119.8, 119.8])])) == 2


near = st.tuples(st.integers(0, 2), st.integers(0, 25), st.integers(0, 8), st.sampled_from([3.0, float("nan")]), st.just(0), st.sampled_from(Source))


def near_one(at, latitude, longitude, accuracy, mock, source) -> Track:
    return track_of([at], [29.6 + latitude * 1e-7], [119.8 + longitude * 2.5e-7], accuracy_m=[accuracy], mock=[mock], source=source)


@given(st.lists(near, max_size=14), st.randoms())
def test_what_was_stored_as_it_came_makes_the_same_track_in_any_order(fixes, random):
    tracks, wanted = [near_one(*values) for values in fixes], None
    for _ in range(3):
        stored = NO_TRACK
        for track in tracks:
            stored = joined([stored, track.at(new_in(track, stored))])
        wanted = wanted or merged(tracks)
        assert same(merged([stored]), wanted)
        for track in tracks:
            assert not new_in(track, stored).any()
        random.shuffle(tracks)


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

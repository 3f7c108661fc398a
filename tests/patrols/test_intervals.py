"""Intervals against sets of whole metres."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.intervals import cut, gaps, joined, total, without_pauses

pairs = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (float(min(pair)), float(max(pair))))
some = st.lists(pairs, max_size=6)


def metres(intervals):
    return {metre for start, end in intervals for metre in range(int(start), int(end))}


@given(some)
def test_joined_and_gaps_make_up_the_whole(intervals):
    union = joined(intervals)
    assert metres(union) == metres(intervals)
    assert total(union) == len(metres(intervals))
    assert metres(gaps(union, 60.0)) == set(range(60)) - metres(intervals)


@given(pairs, some)
def test_cut_keeps_what_lies_in_windows(interval, windows):
    assert metres(cut(interval, joined(windows))) == metres([interval]) & metres(windows)


@given(some)
def test_the_clock_stands_still_in_pauses(pauses):
    at_s = np.arange(61.0)
    awake_s = without_pauses(at_s, joined(pauses))
    assert np.diff(awake_s).tolist() == [float(second not in metres(pauses)) for second in range(60)]

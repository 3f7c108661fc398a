"""Where lines of a reach meet, and the shortest way along them."""

import numpy as np
import pytest

from patrol.patrols.coverage_policy import DEFAULT_POLICY
from patrol.patrols.reach_line import ReachLine
from patrol.patrols.reach_meetings import Meetings
from tests.patrols.walks import drawn, tributary


def laid_out(*lines):
    line = ReachLine.of(drawn(*lines), cell_m=25.0)
    return line, Meetings.of(line, DEFAULT_POLICY)


def along(*corners):
    """Return a line through corners in metres, a vertex every 10 m or so."""
    pieces = [np.linspace(a, b, 11)[:-1] for a, b in zip(corners, corners[1:], strict=False)]
    return np.concatenate([*pieces, [corners[-1]]])


def test_ends_meet_ends_and_lines_drawn_through():
    above, below, side = tributary(30)
    # Lines join in the order given: these do not.
    line, meetings = laid_out(below, side, above)
    assert len(line.part_lengths) == 3
    assert set(meetings.ways) == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}
    _, through = laid_out(np.concatenate([above, below[1:]]), side)
    [(at_m, other_m)] = set(through.ways[0, 1])
    assert (at_m, other_m) == (pytest.approx(750, rel=0.01), pytest.approx(1500 + 600, rel=0.01))


@pytest.mark.parametrize(("off_m", "meets"), [(0, True), (4, True), (7, False)])
def test_what_is_not_drawn_quite_together_meets_within_five_metres(off_m, meets):
    above, below, side = tributary(90)
    _, meetings = laid_out(np.concatenate([above, below[1:]]), side + np.array([0, off_m]))
    assert bool(meetings.ways) is meets
    assert len(meetings.joints) == (0 < off_m < 5)


def test_free_ends_are_joined_where_arms_may_be_so_near_and_no_way_leads_over_it():
    banks = along((0, 0), (500, 0)), along((0, 35), (500, 35))
    line, meetings = laid_out(*banks)
    assert (len(meetings.joints), meetings.ways) == (2, {})
    assert meetings.route(line, (0, 10.0), (1, 600.0)) is None
    assert len(laid_out(banks[0], banks[1] + np.array([0, 10]))[1].joints) == 0


def test_a_way_leads_through_as_many_lines_as_it_takes_the_shorter_way_round():
    west, east = along((0, 0), (300, 0)), along((500, 0), (800, 0))
    short, long = along((300, 0), (400, 50), (500, 0)), along((300, 0), (400, -300), (500, 0))
    ring, round_it = laid_out(west, east, long, short[::-1])
    line, meetings = laid_out(west, east, long, short)
    begins = np.cumsum(line.part_lengths) - line.part_lengths
    stretches, way_m = meetings.route(line, (0, 200.0), (1, begins[1] + 100.0))
    assert way_m == pytest.approx(100 + 2 * np.hypot(100, 50) + 100, rel=0.01)
    assert [part for part, _, _ in stretches] == [0, 3, 1]
    assert sum(abs(to_m - from_m) for _, from_m, to_m in stretches) == pytest.approx(way_m)
    back, back_m = meetings.route(line, (1, begins[1] + 100.0), (0, 200.0))
    assert (back_m, [part for part, _, _ in back]) == (pytest.approx(way_m), [1, 3, 0])
    assert (len(ring.part_lengths), ring.ring[2]) == (3, True)
    assert round_it.route(ring, (0, 200.0), (1, begins[1] + 100.0))[1] == pytest.approx(way_m)
    [(part, from_m, to_m)], same_m = meetings.route(line, (0, 50.0), (0, 90.0))
    assert (part, from_m, to_m, same_m) == (0, 50.0, 90.0, pytest.approx(40.0))


def test_a_single_line_meets_nothing():
    line, meetings = laid_out(along((0, 0), (500, 0)))
    assert (meetings.ways, len(meetings.joints)) == ({}, 0)
    assert meetings.route(line, (0, 0.0), (0, 100.0)) == ([(0, 0.0, 100.0)], pytest.approx(100.0))

"""Shared boundaries: along most of the length, not at the ends; across regions and banks, not up and down the levels."""

import pytest
import shapely

from patrol.waters.boundaries import is_shared, may_share, shared_m

# At 29.6 degrees north 0.0001 degrees of latitude are 11.1 m, 0.01 degrees of longitude 968 m.
LINE = shapely.LineString([(119.80, 29.60), (119.82, 29.60)])


def beside(metres, west=119.80, east=119.82):
    latitude = 29.60 + metres / 110_850
    return shapely.LineString([(west, latitude), (east, latitude)])


@pytest.mark.parametrize(("other", "shared"), [
    (beside(0), True), (beside(28), True), (beside(32), False),
    (beside(10, 119.82, 119.84), False), (beside(10, 119.811, 119.831), False), (beside(10, 119.809, 119.829), True),
    (beside(10, 119.80, 119.85), True), (beside(10, 119.805, 119.807), True),
    (shapely.LineString([(119.81, 29.59), (119.81, 29.61)]), False),
])
def test_a_boundary_runs_along_half_of_the_shorter_line(other, shared):
    assert is_shared(LINE, other) is shared
    assert is_shared(other, LINE) is shared


def test_shared_metres_are_metres_on_the_ground():
    assert shared_m(LINE, beside(5)) == pytest.approx(1936, rel=0.005)
    assert shared_m(LINE, beside(500)) == 0


def test_parts_of_a_lake_share_the_line_between_them():
    west, east = shapely.box(119.80, 29.60, 119.81, 29.61), shapely.box(119.81, 29.60, 119.82, 29.61)
    corner, apart = shapely.box(119.82, 29.61, 119.83, 29.62), shapely.box(119.83, 29.60, 119.84, 29.61)
    assert is_shared(west, east)
    assert not is_shared(east, corner)
    assert not is_shared(west, apart)


@pytest.mark.parametrize(("one", "other", "may"), [
    (("/a/", "both"), ("/b/", "both"), True), (("/a/", "left"), ("/a/", "right"), True), (("/a/", "both"), ("/a/b/", "both"), False),
    (("/a/", "left"), ("/a/b/", "both"), False), (("/a/", "left"), ("/a/", "left"), False), (("/a/b/", "both"), ("/a/", "right"), False),
])
def test_levels_on_top_of_each_other_are_no_boundary(one, other, may):
    assert may_share(*one, *other) is may

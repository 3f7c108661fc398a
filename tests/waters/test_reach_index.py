"""The index against a plain search through everything, and against distances on the ellipsoid."""

import uuid

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from patrol.foundation.geometry import distances_m
from patrol.waters import reach_index
from patrol.waters.reach_index import ACCURACY_CAP_M, Candidate, IndexedReach, ReachIndex

SOUTH, WEST = 30.0, 120.0
DEGREE_M = 111_000


def place(north_m: float, east_m: float) -> tuple[float, float]:
    """Return (longitude, latitude) so many metres from the corner of the test area, about."""
    return WEST + east_m / (DEGREE_M * 0.866), SOUTH + north_m / DEGREE_M


def reach(number: int, geometry: object, tolerance_m: float = 50.0) -> IndexedReach:
    return IndexedReach(uuid.UUID(int=number), geometry, tolerance_m)


def dense_distance_m(geometry: shapely.Geometry, latitude: float, longitude: float) -> float:
    if shapely.intersects_xy(geometry, longitude, latitude):
        return 0.0
    lines = shapely.boundary(geometry) if geometry.area else geometry
    c = shapely.get_coordinates(shapely.segmentize(lines, 1 / DEGREE_M))
    return float(distances_m(c[:, 1], c[:, 0], np.float64(latitude), np.float64(longitude)).min())


METRES = st.floats(0, 2_000)
POSITIONS = st.builds(place, METRES, METRES)


@st.composite
def walks(draw, most=120):
    """A line that wanders: up to `most` vertices, so that some are cut into stretches."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = rng.normal(0, 40, (draw(st.integers(2, most)), 2)).cumsum(axis=0)
    start = np.array([draw(METRES), draw(METRES)])
    return shapely.LineString([place(*xy) for xy in start + steps])


@st.composite
def lakes(draw):
    """A star-shaped lake with up to 400 corners and, sometimes, an island."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    corners = draw(st.integers(5, 400))
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    middle, radii = np.array([draw(METRES), draw(METRES)]), rng.uniform(100, 300, corners)
    ring = [place(*xy) for xy in middle + np.column_stack([np.sin(angles), np.cos(angles)]) * radii[:, None]]
    island = [place(*(middle + xy)) for xy in ((-20, -20), (-20, 20), (20, 20), (20, -20))]
    return shapely.Polygon(ring, [island] if draw(st.booleans()) else [])


SHAPES = walks() | lakes() | st.lists(walks(60), min_size=2, max_size=3).map(shapely.MultiLineString)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SHAPES, st.floats(0, 80)), min_size=1, max_size=12), POSITIONS, st.floats(0, 100))
def test_finds_what_a_search_through_everything_finds(shapes, position, accuracy_m):
    longitude, latitude = position
    index = ReachIndex(reach(n, shapely.to_wkb(shape) if n % 2 else shape, t) for n, (shape, t) in enumerate(shapes))
    found = {c.reach_id.int: c for c in index.near(latitude, longitude, accuracy_m)}
    for number, (shape, tolerance_m) in enumerate(shapes):
        expected_m = dense_distance_m(shape, latitude, longitude)
        # Web Mercator is off by up to 0.34 %, the dense points of the check by up to half a metre.
        slack_m = 0.7 + expected_m * 0.004
        if number in found:
            assert found[number].distance_m == pytest.approx(expected_m, abs=slack_m)
            assert found[number].inside == (shape.area > 0 and expected_m == 0)
        if expected_m < accuracy_m + tolerance_m - slack_m:
            assert found[number].within_tolerance
        elif expected_m > accuracy_m + tolerance_m + slack_m:
            assert number not in found or not found[number].within_tolerance


@settings(max_examples=30, deadline=None)
@given(st.lists(walks(), min_size=1, max_size=6), POSITIONS)
def test_how_lines_are_cut_does_not_matter(lines, position):
    index = ReachIndex(reach(n, line, 400) for n, line in enumerate(lines))
    pieces, _ = reach_index._pieces(np.array(lines, dtype=object))
    assert shapely.length(pieces).sum() == pytest.approx(shapely.length(lines).sum())
    assert shapely.get_num_coordinates(pieces).max() <= reach_index.PIECE_SEGMENTS + 1
    found = index.near(position[1], position[0], 20)
    assert len({c.reach_id for c in found}) == len(found)
    assert found == sorted(found, key=lambda c: (c.distance_m, c.reach_id))


def test_tiles_of_a_lake_are_small_and_cover_it_exactly():
    angles = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    radii = 3_000 + 900 * np.sin(40 * angles)
    lake = shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * radii[:, None], [[(0, 0), (99, 0), (0, 99)]])
    tiles = reach_index._tiles(lake)
    assert shapely.get_num_coordinates(tiles).max() <= reach_index.TILE_CORNERS
    assert shapely.area(tiles).sum() == pytest.approx(lake.area)
    assert shapely.union_all(tiles).symmetric_difference(lake).area == pytest.approx(0, abs=1e-3)


def test_far_and_vague_positions():
    line = shapely.LineString([place(0, 0), place(0, 1_000)])
    index = ReachIndex([reach(1, line, 30.0)])
    longitude, latitude = place(225, 500)
    assert index.near(latitude, longitude, 20) == []
    assert index.near(latitude, longitude, 9_999)[0].within_tolerance
    assert index.near(*place(ACCURACY_CAP_M + 35, 500)[::-1], 9_999) == []
    assert index.near(SOUTH, WEST, float("nan"))[0].within_tolerance
    assert index.near(SOUTH, WEST, -5)[0].distance_m == pytest.approx(0, abs=1e-6)


def test_a_nearer_reach_of_small_tolerance_never_pushes_out_one_within():
    lines = [shapely.LineString([place(m, 0), place(m, 500)]) for m in (10, 11, 12, 30)]
    index = ReachIndex(reach(n, line, 100 if n == 3 else 0) for n, line in enumerate(lines))
    found = index.near(*place(0, 100)[::-1], 0, limit=2)
    assert [(c.reach_id.int, c.within_tolerance) for c in found] == [(0, False), (3, True)]


def test_answers_are_plain_values_for_json():
    found = ReachIndex([reach(1, shapely.box(*place(0, 0), *place(100, 100)))]).near(*place(50, 50)[::-1], 5)
    assert found == [Candidate(uuid.UUID(int=1), 0.0, inside=True, within_tolerance=True)]
    assert [type(value) for value in found[0]] == [uuid.UUID, float, bool, bool]


def test_the_nearest_of_all_explains_how_far_it_is():
    line = shapely.LineString([place(0, 0), place(0, 1_000)])
    index = ReachIndex([reach(2, line), reach(1, line), reach(3, shapely.box(*place(-9_000, 0), *place(-8_000, 900)))])
    longitude, latitude = place(3_200, 500)
    nearest = index.nearest_any(latitude, longitude)
    assert nearest is not None
    assert nearest.reach_id == uuid.UUID(int=1)
    assert nearest.distance_m == pytest.approx(dense_distance_m(line, latitude, longitude), rel=1e-4)
    assert not nearest.within_tolerance
    assert index.nearest_any(latitude, longitude, max_m=2_000) is None
    inside = index.nearest_any(*place(-8_500, 450)[::-1])
    assert inside is not None
    assert inside[1:] == (0.0, True, True)


def test_an_empty_register_and_empty_shapes():
    assert ReachIndex([]).near(SOUTH, WEST, 50) == []
    assert ReachIndex([]).nearest_any(SOUTH, WEST) is None
    index = ReachIndex([reach(1, shapely.LineString()), reach(2, shapely.LineString([place(0, 0), place(0, 9)]))])
    assert len(index) == 2
    assert [c.reach_id.int for c in index.near(SOUTH, WEST, 5)] == [2]

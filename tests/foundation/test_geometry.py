"""Datums against published vectors, metres against PROJ, GeoJSON against RFC 7946."""

import contextlib
import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from patrol.foundation import geometry as g
from patrol.foundation.geometry import BadGeometry, Box, Datum, OutsideDatum

ELLIPSOID = Geod(ellps="WGS84")
SHIFTED = st.sampled_from([Datum.GCJ02, Datum.BD09])
IN_CHINA = {"latitude": st.floats(*g.CHINA_LATITUDES), "longitude": st.floats(*g.CHINA_LONGITUDES)}
LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


def test_shifts_like_the_published_vectors():
    """The vectors of the README of coordtransform, the reference of most Chinese map clients."""
    assert g.from_wgs84(39.915, 116.404, Datum.GCJ02) == pytest.approx((39.91640428150164, 116.41024449916938), abs=1e-9)
    wgs = g.to_wgs84(39.915, 116.404, Datum.GCJ02)
    assert g.from_wgs84(*wgs, Datum.BD09) == pytest.approx((39.92133699351021, 116.41036949371029), abs=1e-9)


@given(**IN_CHINA, datum=SHIFTED)
def test_the_inverse_is_exact_everywhere_in_the_box(latitude, longitude, datum):
    shifted = g.from_wgs84(latitude, longitude, datum)
    assert g.to_wgs84(*shifted, datum) == pytest.approx((latitude, longitude), abs=1e-9)
    assert g.distance_m(latitude, longitude, *shifted) > 10


@given(**IN_CHINA, datum=st.sampled_from(Datum))
def test_arrays_and_scalars_agree(latitude, longitude, datum):
    lat, lon = g.to_wgs84_array(np.array([latitude, 48.85]), np.array([longitude, 2.35]), datum)
    try:
        expected = g.to_wgs84(latitude, longitude, datum)
    except OutsideDatum:
        expected = (math.nan, math.nan)
    assert (lat[0], lon[0]) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert math.isnan(lat[1]) == (datum is not Datum.WGS84)


def test_arrays_give_nan_for_what_is_no_position():
    lat, lon = g.to_wgs84_array(np.array([91.0, math.nan, 30.0]), np.array([0.0, 0.0, 181.0]), Datum.WGS84)
    assert np.isnan(lat).all()
    assert np.isnan(lon).all()


@given(latitude=LATITUDES, longitude=LONGITUDES, datum=SHIFTED)
def test_every_position_is_converted_or_refused(latitude, longitude, datum):
    try:
        lat, lon = g.to_wgs84(latitude, longitude, datum)
    except OutsideDatum:
        assert not (0.84 < latitude < 55.81 and 72.02 < longitude < 137.81)
    else:
        assert 0.82 < lat < 55.83
        assert 72 < lon < 137.84


def test_a_refused_datum_is_named_in_both_languages():
    with pytest.raises(OutsideDatum) as refusal:
        g.to_wgs84(48.85, 2.35, Datum.BD09)
    assert all("BD09" in words for words in refusal.value.text)


@pytest.mark.parametrize("position", [(91, 0), (0, -181), (math.nan, 0), (0, math.inf)])
@pytest.mark.parametrize("datum", Datum)
def test_no_position_on_earth_is_refused(position, datum):
    with pytest.raises(OutsideDatum):
        g.to_wgs84(*position, datum)
    with pytest.raises(OutsideDatum):
        g.from_wgs84(*position, datum)


def test_outside_china_nothing_is_shifted_and_no_shifted_datum_can_be_declared():
    assert g.from_wgs84(48.85, 2.35, Datum.GCJ02) == (48.85, 2.35)
    with pytest.raises(OutsideDatum):
        g.to_wgs84(48.85, 2.35, Datum.GCJ02)
    assert g.to_wgs84(48.85, 2.35, Datum.WGS84) == (48.85, 2.35)


@given(st.floats(-80, 80), LONGITUDES, st.floats(-1, 1), st.floats(-1, 1))
def test_distances_are_those_of_the_ellipsoid(latitude, longitude, north, east):
    expected = ELLIPSOID.inv(longitude, latitude, longitude + east, latitude + north)[2]
    assert g.distance_m(latitude, longitude, latitude + north, longitude + east) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_distance_of_a_place_to_itself_and_to_the_antipode():
    assert g.distance_m(30, 120, 30, 120) == 0
    assert g.distance_m(0, 0, 0, 180) == pytest.approx(2.0e7, rel=0.01)


@given(st.floats(-85, 85), LONGITUDES)
def test_web_mercator_is_the_one_of_epsg_3857(latitude, longitude):
    expected = Transformer.from_crs(4326, 3857, always_xy=True).transform(longitude, latitude)
    assert g.project(latitude, longitude) == pytest.approx(expected, abs=1e-3)
    assert g.project_array(np.array([[longitude, latitude]]))[0] == pytest.approx(g.project(latitude, longitude), abs=1e-6)
    assert g.unproject(*g.project(latitude, longitude)) == pytest.approx((latitude, longitude), abs=1e-9)


def test_nothing_lies_beside_a_pole():
    """A unit had no length there, and so each reach on Earth was within tolerance."""
    assert g.metres_per_mercator_unit(90) == g.metres_per_mercator_unit(-90) == g.metres_per_mercator_unit(g.MERCATOR_LATITUDE_LIMIT) > 0.08


def test_web_mercator_is_finite_at_the_poles():
    assert all(map(math.isfinite, (*g.project(90, 0), *g.project(-90, 0), *g.project_array(np.array([[0.0, 90.0]]))[0])))


@given(st.floats(-60, 60), st.floats(0, 2 * math.pi))
def test_metres_per_unit_make_short_mercator_distances_true(latitude, bearing):
    (x, y), step = g.project(latitude, 110), 200.0
    there = g.unproject(x + step * math.cos(bearing), y + step * math.sin(bearing))
    expected = g.distance_m(latitude, 110, *there)
    assert step * g.metres_per_mercator_unit(latitude) == pytest.approx(expected, rel=0.0035)


def test_length_of_lines_and_outlines():
    line = shapely.LineString([(120, 30), (120.01, 30.01), (120.02, 30.0)])
    assert g.length_m(line) == pytest.approx(ELLIPSOID.geometry_length(line), rel=1e-5)
    assert g.length_m(shapely.MultiLineString([line, line])) == pytest.approx(2 * g.length_m(line))
    lake = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.4, 0.4), (0.6, 0.4), (0.5, 0.6)]])
    assert g.length_m(lake) == pytest.approx(ELLIPSOID.geometry_length(lake.boundary), rel=1e-5)
    assert g.length_m(shapely.Point(1, 1)) == 0


RING = [[120, 30], [120.1, 30], [120.1, 30.1], [120, 30]]
GOOD = {
    "LineString": [[120, 30], [120.1, 30.1, 12.5]],
    "MultiLineString": [[[120, 30], [120.1, 30.1]], [[121, 30], [121.1, 30.1]]],
    "Polygon": [RING],
    "MultiPolygon": [[RING], [[[x + 1, y] for x, y in RING]]],
}


@pytest.mark.parametrize("kind", GOOD)
def test_geojson_goes_through_wkb_and_back(kind):
    read = g.from_geojson({"type": kind, "coordinates": GOOD[kind]})
    assert read.geom_type == kind
    assert not read.has_z
    stored = g.from_wkb(g.to_wkb(read))
    assert stored.equals(g.from_geojson(json.loads(json.dumps(g.to_geojson(stored)))))


def test_rings_are_written_counter_clockwise():
    written = g.to_geojson(g.from_geojson({"type": "Polygon", "coordinates": [RING[::-1]]}))
    assert shapely.LinearRing(written["coordinates"][0]).is_ccw


@pytest.mark.parametrize(
    "value",
    [
        None, [], "LineString", {}, {"type": "Point", "coordinates": [1, 2]}, {"type": ["Polygon"], "coordinates": []},
        {"type": "GeometryCollection", "geometries": []}, {"type": "LineString"},
        {"type": "LineString", "coordinates": []}, {"type": "LineString", "coordinates": [[1, 2]]},
        {"type": "LineString", "coordinates": [[1, 2], [1, 2]]}, {"type": "LineString", "coordinates": [1, 2]},
        {"type": "LineString", "coordinates": [[[1, 2], [3, 4]]]}, {"type": "LineString", "coordinates": {"0": [1, 2]}},
        {"type": "LineString", "coordinates": [[1, 2], [math.nan, 4]]},
        {"type": "LineString", "coordinates": [[1, 2], [3, math.inf]]},
        {"type": "LineString", "coordinates": [[1, 2], [3, 4, math.nan]]},
        {"type": "LineString", "coordinates": [[30, 120], [31, 121]]}, {"type": "LineString", "coordinates": [[1, 2], [10**400, 0]]},
        {"type": "LineString", "coordinates": [[1, 2], ["3", 4]]}, {"type": "LineString", "coordinates": [[1, 2], [True, 4]]},
        {"type": "LineString", "coordinates": [[1, 2], [3]]}, {"type": "LineString", "coordinates": [[1, 2], [3, 4, 5, 6]]},
        {"type": "Polygon", "coordinates": [RING[:3]]}, {"type": "Polygon", "coordinates": [[*RING[:3], [9, 9]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, {"type": "Polygon", "coordinates": []},
        {"type": "MultiPolygon", "coordinates": [[RING], [RING]]}, {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], []]},
    ],
)  # fmt: skip
def test_bad_geojson_is_refused_in_both_languages(value):
    with pytest.raises(BadGeometry) as refusal:
        g.from_geojson(value)
    assert refusal.value.text.zh
    assert refusal.value.text.en


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(st.sampled_from([*GOOD, "Point"]), JSON)
def test_garbage_is_refused_and_never_crashes(kind, coordinates):
    with contextlib.suppress(BadGeometry):
        assert g.from_geojson({"type": kind, "coordinates": coordinates}).is_valid


@pytest.mark.parametrize("data", [b"", b"garbage", g.to_wkb(shapely.LineString([(0, 0), (1, 1)]))[:20]])
def test_damaged_wkb_is_refused(data):
    with pytest.raises(BadGeometry):
        g.from_wkb(data)


def test_a_box_is_read_and_bounds_are_a_box():
    assert g.parse_bbox("119.5, 29,120.5,30") == Box(119.5, 29, 120.5, 30)
    assert g.bounds(shapely.LineString([(120, 30), (121, 29)])) == Box(120, 29, 121, 30)


@pytest.mark.parametrize("value", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "2,1,1,2", "1,2,2,1", "nan,0,1,1", "0,0,inf,1", "0,0,181,1"])
def test_a_bad_box_is_refused(value):
    with pytest.raises(BadGeometry):
        g.parse_bbox(value)


@given(st.floats(-85, 85), st.floats(-170, 170), st.floats(0.01, 20_000), st.floats(0, 360))
def test_a_box_around_a_place_holds_the_whole_circle(latitude, longitude, radius_m, bearing):
    box = g.box_around(latitude, longitude, radius_m)
    lon, lat, _ = ELLIPSOID.fwd(longitude, latitude, bearing, radius_m * 0.999)
    assert box.min_latitude <= lat <= box.max_latitude
    assert box.min_longitude <= lon <= box.max_longitude


@pytest.mark.parametrize(("position", "zh", "en"), [
    ([29.6, 119.8], "写反", "wrong way round"), ([-29.6, 119.8], "写反", "wrong way round"), ([39_500_000.0, 3_300_000.0], "EPSG:4490", "metres of a projection"),
    ([500_000, 3_300_000, 12], "投影坐标", "EPSG:4527"), ([200, 100], "单位为度", "in degrees"), ([True, 119], "单位为度", "in degrees"),
])
def test_positions_that_are_no_degrees_are_told_by_what_they_look_like(position, zh, en):
    with pytest.raises(g.BadGeometry) as bad:
        g.from_geojson({"type": "LineString", "coordinates": [position, [119.8, 29.6]]})
    assert zh in bad.value.text.zh
    assert en in bad.value.text.en
    assert str(position[0]) in bad.value.text.zh

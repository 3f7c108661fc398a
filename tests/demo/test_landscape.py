import hashlib
from collections import Counter

import numpy as np
import pytest
from shapely import LineString, Point
from shapely.geometry import shape

from patrol.demo.district import BANK_OFFSET_M, BORDER_RIVER
from patrol.demo.landscape import landscape, scattered_reaches
from patrol.demo.registers import columns, distance_m, feature

METRE = 1 / 110_870


@pytest.fixture(scope="module")
def land():
    return landscape()


@pytest.fixture(scope="module")
def shapes(land):
    return {region.code: shape(region.geometry.as_geojson()) for region in land.regions}


def test_the_district_has_the_size_that_the_contract_names(land):
    levels = Counter(region.level for region in land.regions)
    assert levels["county"] == 1
    assert levels["township"] >= 6
    assert levels["village"] >= 30
    assert Counter(body.kind for body in land.water_bodies).keys() == {"river", "lake", "reservoir", "small"}
    assert len(land.reaches) >= 60
    assert {reach.level for reach in land.reaches} == {"county", "township", "village"}


def test_codes_nest_as_the_national_standard_does(land):
    by_code = {region.code: region for region in land.regions}
    assert len(by_code) == len(land.regions)
    for region in land.regions:
        assert len(region.code) == {"county": 6, "township": 9, "village": 12}[region.level]
        if region.level == "county":
            assert (region.code, region.name, region.parent_code) == ("990100", "清溪区", "")
        else:
            assert region.code.startswith(region.parent_code)
            assert by_code[region.parent_code].level == {"township": "county", "village": "township"}[region.level]
    assert len({reach.code for reach in land.reaches}) == len(land.reaches)
    assert {reach.region_code for reach in land.reaches} <= by_code.keys()
    names = Counter(region.name for region in land.regions)
    assert max(names.values()) == 1


def test_villages_tile_their_townships_and_townships_the_district(land, shapes):
    assert all(one.is_valid and one.geom_type == "Polygon" for one in shapes.values())
    for parent in (region for region in land.regions if region.level != "village"):
        children = [shapes[region.code] for region in land.regions if region.parent_code == parent.code]
        assert len(children) >= 3
        whole = shapes[parent.code]
        assert sum(child.area for child in children) == pytest.approx(whole.area, rel=0.004)
        for number, child in enumerate(children):
            assert child.difference(whole.buffer(12 * METRE)).is_empty
            assert all(child.intersection(other).area < 0.004 * child.area for other in children[number + 1 :])


def test_every_reach_lies_in_or_at_its_region(land, shapes):
    for reach in land.reaches:
        outline = shape(reach.geometry.as_geojson())
        assert outline.is_valid
        reached = shapes[reach.region_code].buffer(30 * METRE)
        share = outline.intersection(reached).length / outline.length
        assert share > (0.99 if outline.geom_type != "Polygon" else 0.3), reach.name
        assert reach.geometry.length_m() > 80
        assert 30 <= reach.tolerance_m <= 100


def test_tributaries_end_on_the_line_of_the_river_they_join(land):
    assert len(land.parent_rivers) >= 6
    for code, parent in land.parent_rivers.items():
        mouth = land.river_lines[code].coordinates[-1]
        line = LineString(land.river_lines[parent].coordinates)
        assert line.distance(Point(mouth)) < 0.2 * METRE
        assert mouth in land.river_lines[parent].coordinates
        upper = LineString(land.river_lines[code].coordinates[:-1])
        assert not upper.crosses(line), code


def test_rivers_meander_without_crossing_themselves(land):
    for geometry in land.river_lines.values():
        line = LineString(geometry.coordinates)
        assert line.is_simple
        assert line.length > 1.08 * Point(geometry.coordinates[0]).distance(Point(geometry.coordinates[-1]))


def test_the_border_river_has_a_chief_on_each_bank_from_another_township(land, shapes):
    body = next(one for one in land.water_bodies if one.name == BORDER_RIVER)
    banks = {
        side: [r for r in land.reaches if r.water_body_code == body.code and r.level == "township" and r.bank == side]
        for side in ("left", "right")
    }
    assert {r.region_code for r in banks["left"]}.isdisjoint(r.region_code for r in banks["right"])
    assert all(sum(r.geometry.length_m() for r in side) > 6000 for side in banks.values())
    right = [shape(reach.geometry.as_geojson()) for reach in banks["right"]]
    for reach in banks["left"]:
        for point in reach.geometry.vertices():
            gap = min(line.distance(Point(point)) for line in right) / METRE
            assert gap < 4 * BANK_OFFSET_M or Point(point).distance(right[-1].centroid) > 0.02
        touching = [s for s in banks["right"] if shapes[s.region_code].distance(shapes[reach.region_code]) < 2 * METRE]
        assert touching


def test_higher_reaches_overlay_the_lower_ones(land):
    townships = [shape(r.geometry.as_geojson()).buffer(60 * METRE) for r in land.reaches if r.level == "township"]
    villages = [r for r in land.reaches if r.level == "village" and "R" in r.code]
    covered = [r for r in villages if any(t.covers(shape(r.geometry.as_geojson())) for t in townships)]
    assert len(covered) > 0.8 * len(villages)


def test_boards_stand_at_their_reach(land):
    lines = {reach.code: list(reach.geometry.vertices()) for reach in land.reaches}
    for board in land.signboards:
        assert min(distance_m((board.longitude, board.latitude), point) for point in lines[board.reach_code]) < 25


def test_rows_spell_the_columns_of_the_import_formats(land):
    assert list(columns(land.regions[0])) == ["code", "name", "level", "parent_code"]
    assert list(columns(land.water_bodies[0])) == ["code", "name", "kind", "target_class"]
    written = feature(land.reaches[0])
    names = ["code", "name", "water_body_code", "region_code", "level", "bank", "tolerance_m"]
    assert (written["type"], list(written["properties"])) == ("Feature", names)


def _digest(thing):
    return hashlib.sha256(repr(thing).encode()).hexdigest()


def test_the_same_seed_gives_the_same_land_and_another_seed_another(land):
    assert _digest(landscape()) == _digest(land)
    assert _digest(landscape(seed=7)) != _digest(land)


def test_coordinates_are_rounded_so_that_platforms_agree(land):
    for reach in land.reaches:
        assert all(round(value, 6) == value for point in reach.geometry.vertices() for value in point)


def test_a_larger_scale_adds_districts_beside_the_first(land):
    larger = landscape(scale=3)
    assert larger.reaches[: len(land.reaches)] == land.reaches
    districts = [r for r in larger.regions if r.level == "county"]
    assert [r.code for r in districts] == ["990100", "990101", "990102"]
    assert not shape(districts[0].geometry.as_geojson()).intersects(shape(districts[1].geometry.as_geojson()))
    assert len({r.code for r in larger.reaches}) == len(larger.reaches) > 2.5 * len(land.reaches)


def test_scattered_reaches_follow_one_another_along_rivers():
    scattered = scattered_reaches(1000, seed=3)
    assert scattered.coordinates.shape == (1000, 16, 2)
    assert len(set(scattered.codes)) == 1000
    same_river = scattered.river_numbers[1:] == scattered.river_numbers[:-1]
    assert np.array_equal(scattered.coordinates[1:, 0][same_river], scattered.coordinates[:-1, -1][same_river])
    steps = np.diff(scattered.coordinates, axis=1) * (96_900, 110_900)
    length_m = np.hypot(steps[..., 0], steps[..., 1]).sum(axis=1)
    assert np.all((length_m > 1300) & (length_m < 1700))
    assert np.array_equal(scattered.coordinates, scattered_reaches(1000, seed=3).coordinates)

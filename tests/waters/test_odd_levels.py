"""Levels that hardly fit each other: told in imports and rehearsals, refused in none."""

import pytest

from patrol.waters.odd_levels import warning_of_levels
from tests.waters.test_import_files import features
from tests.waters.test_imports import LINES, REGION, TERMS, counts, faults, send


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("admin"))


@pytest.mark.parametrize(("level", "above", "says"), [
    ("township", "township", "should be a lower one"), ("county", "village", "should be a lower one"), ("village", "city", "county, township left out"),
    ("village", "province", "left out"), ("township", "province", "city, county left out"), ("village", "township", None), ("township", "city", None),
    ("county", "province", None), ("village", "county", None),
])
def test_levels_of_regions_that_hardly_fit(level, above, says):
    warning = warning_of_levels("甲", level, "乙", above)
    assert (warning is None) is (says is None)
    assert says is None or says in warning.en


def test_an_import_warns_of_regions_whose_level_hardly_fits(build, client, district):
    content = REGION + "T,柳岸镇,township,990100\nU,石桥镇,township,T\nV,柳岸村,village,T\nK,柳北村,village,V\n"
    for dry_run in (True, False):
        reply = send(client, "regions", content, dry_run=dry_run, language="zh")
        assert counts(reply) == (4, 0, 0, 0)
        assert [(row["row"], row["field"]) for row in reply.json["warnings"]] == [(3, "level"), (5, "level")]
        assert "石桥镇是乡镇级，上级柳岸镇是乡镇级" in reply.json["warnings"][0]["message"]
    assert send(client, "regions", content).json["warnings"] == []
    changed = send(client, "regions", REGION + "V,柳岸村,township,T\n").json
    assert ([row["row"] for row in changed["warnings"]], changed["updated"]) == ([2], 1)


def test_a_region_of_a_higher_level_than_its_superior_is_refused(build, client, district):
    town, village = build.region(name="柳岸镇"), build.region(level="village", name="柳岸村")
    content = REGION + f"{town.code},柳岸镇,township,990100\nK,甲,province,{village.code}\nL,乙,county,M\nM,丙,village,{town.code}\n"
    for dry_run in (True, False):
        reply = send(client, "regions", content, dry_run=dry_run, language="zh")
        assert [(row["row"], row["field"]) for row in reply.json["errors"]] == [(3, "level"), (4, "level")]
        assert "甲是省级，不能归村级的柳岸村管辖" in reply.json["errors"][0]["message"]
    moved = send(client, "regions", REGION + f"{town.code},柳岸镇,township,{village.code}\n")
    assert faults(moved) == [(2, "level")]
    # What the register held like that before can still be given another name.
    odd = build.region(village, level="township", name="丁")
    assert counts(send(client, "regions", REGION + f"{odd.code},戊,township,{village.code}\n")) == (0, 1, 0, 0)


def test_a_reach_of_a_higher_level_than_its_region_is_told(build, client):
    town, water = build.region(name="柳岸镇"), build.water_body()
    rows = [
        ({"code": f"X{level}", "name": "清溪段", "water_body_code": water.code, "region_code": town.code, "level": level}, LINES)
        for level in ("village", "township", "province")
    ]
    for dry_run in (True, False):
        reply = send(client, "reaches", features(*rows), dry_run=dry_run, language="zh")
        assert counts(reply) == (3, 0, 0, 0)
        [warning] = reply.json["warnings"]
        assert (warning["row"], warning["field"]) == (3, "level")
        assert "省级河段，所属行政区柳岸镇却是乡镇级" in warning["message"]
    assert send(client, "reaches", features(*rows)).json["warnings"] == []


def test_an_import_warns_of_a_chief_of_another_level_than_the_reach(build, client):
    town = build.region(name="柳岸镇")
    village = build.region(town, level="village", name="柳岸村")
    reach = build.reach(region=town, level="township", name="清溪镇段")
    for name, region in (("c1", village), ("c2", town), ("c3", village)):
        build.person("chief", username=name, name=name, region=region)
    content = TERMS + f"{reach.code},c1,chief,2026-01-01,2026-01-31\n{reach.code},c2,chief,2026-02-01,\n{reach.code},c3,police_chief,2026-01-01,\n"
    for dry_run in (True, False):
        reply = send(client, "appointments", content, dry_run=dry_run)
        assert counts(reply) == (3, 0, 0, 0)
        [warning] = reply.json["warnings"]
        assert (warning["row"], warning["field"]) == (2, "username")
        assert all(word in warning["message"] for word in ("c1", "柳岸村", "village", "清溪镇段", "township"))
    assert send(client, "appointments", content).json["warnings"] == []

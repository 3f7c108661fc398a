"""Levels that hardly fit each other: told in imports and rehearsals, refused in none."""

import pytest

from patrol.waters.odd_levels import warning_of_levels
from tests.waters.test_imports import REGION, TERMS, counts, send


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


def test_an_import_warns_of_regions_whose_level_does_not_fit_and_refuses_none(build, client, district):
    content = REGION + "T,柳岸镇,township,990100\nU,石桥镇,township,T\nV,柳岸村,village,T\nK,东城区,county,V\n"
    for dry_run in (True, False):
        reply = send(client, "regions", content, dry_run=dry_run, language="zh")
        assert counts(reply) == (4, 0, 0, 0)
        assert [(row["row"], row["field"]) for row in reply.json["warnings"]] == [(3, "level"), (5, "level")]
        assert "石桥镇是乡镇级，上级柳岸镇是乡镇级" in reply.json["warnings"][0]["message"]
    assert send(client, "regions", content).json["warnings"] == []
    changed = send(client, "regions", REGION + "V,柳岸村,city,T\n").json
    assert ([row["row"] for row in changed["warnings"]], changed["updated"]) == ([2], 1)


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

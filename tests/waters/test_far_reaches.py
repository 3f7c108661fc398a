"""Reaches drawn far from the region they are given to: told in imports and rehearsals, refused in none."""

from tests.waters.test_import_files import features
from tests.waters.test_imports import counts, send

OUTLINE = {"type": "Polygon", "coordinates": [[[119.7, 29.5], [119.9, 29.5], [119.9, 29.7], [119.7, 29.7], [119.7, 29.5]]]}


def test_a_reach_far_from_its_region_is_told(build, signed_in, district):
    client = signed_in(build.person("admin"))
    assert counts(send(client, "regions", features(({"code": "990100", "name": "清溪区", "level": "county"}, OUTLINE)))) == (0, 1, 0, 0)
    village, water = build.region(level="village"), build.water_body()
    row = {"name": "段", "water_body_code": water.code, "region_code": village.code, "level": "village"}
    shapes = {
        "INSIDE": [[119.80, 29.60], [119.81, 29.60]], "ASTRIDE": [[119.89, 29.60], [119.95, 29.60]], "BESIDE": [[119.91, 29.60], [119.92, 29.60]],
        "FAR": [[100.0, 40.0], [100.01, 40.0]],
    }
    content = features(*(({**row, "code": code}, {"type": "LineString", "coordinates": line}) for code, line in shapes.items()))
    for dry_run in (True, False):
        reply = send(client, "reaches", content, dry_run=dry_run, language="zh")
        assert counts(reply) == (4, 0, 0, 0)
        [warning] = reply.json["warnings"]
        assert (warning["row"], warning["field"]) == (4, "geometry")
        assert "距清溪区的范围约 2" in warning["message"]
    assert send(client, "reaches", content).json["warnings"] == []


def test_without_any_outline_nothing_is_known(build, signed_in):
    client, water = signed_in(build.person("admin")), build.water_body()
    row = {"code": "X", "name": "段", "water_body_code": water.code, "region_code": "990100", "level": "village"}
    reply = send(client, "reaches", features((row, {"type": "LineString", "coordinates": [[100.0, 40.0], [100.01, 40.0]]})))
    assert (counts(reply), reply.json["warnings"]) == ((1, 0, 0, 0), [])

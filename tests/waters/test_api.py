"""The registers over HTTP: scopes, filters, GeoJSON, today's chiefs, boards and gaps."""

import itertools
from datetime import date, timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock

GEO = "application/geo+json"


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("office"))


def codes(reply):
    assert reply.status_code == 200, reply.json
    return [row["code"] for row in reply.json["items"]]


def test_regions_are_those_of_ones_subtree(build, signed_in):
    town, other = build.region(), build.region()
    village = build.region(town, level="village")
    reply = signed_in(build.person("chief", region=town)).get("regions")
    assert codes(reply) == sorted([town.code, village.code])
    assert reply.json["items"][0]["parent_code"] == "990100"
    assert other.code not in codes(reply)


@pytest.mark.parametrize("path", ["regions", "water-bodies", "reaches", "signboards"])
def test_every_list_is_also_geojson(build, client, path):
    build.board(build.reach())
    by_suffix = client.get(f"{path}.geojson")
    by_accept = client.get(path, headers={"Accept": GEO})
    for reply in (by_suffix, by_accept):
        assert reply.status_code == 200
        assert reply.mimetype == GEO
    document = by_suffix.get_json(force=True)
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) == 1
    assert document == by_accept.get_json(force=True)
    assert client.get(path).mimetype == "application/json"


def test_reaches_as_geojson_carry_shape_and_chiefs(build, client):
    reach, chief = build.reach(((119.8, 29.6), (119.81, 29.61))), build.person("chief", name="李河")
    build.appointment(reach, chief)
    feature = client.get("reaches.geojson").get_json(force=True)["features"][0]
    assert feature["geometry"] == {"type": "LineString", "coordinates": [[119.8, 29.6], [119.81, 29.61]]}
    assert feature["id"] == str(reach.id)
    assert feature["properties"]["chiefs"][0]["name"] == "李河"


def test_lakes_are_wound_as_rfc_7946_wants(build, client):
    clockwise = ((119.8, 29.6), (119.8, 29.61), (119.81, 29.61), (119.81, 29.6))
    build.reach(clockwise, area=True)
    ring = client.get("reaches.geojson").get_json(force=True)["features"][0]["geometry"]["coordinates"][0]
    turns = sum((x2 - x1) * (y2 + y1) for (x1, y1), (x2, y2) in itertools.pairwise(ring))
    assert turns < 0


def test_reaches_are_filtered(build, client):
    town = build.region()
    lake = build.water_body(name="镜湖", kind="lake")
    here = build.reach(((119.80, 29.60), (119.82, 29.60)), region=town, name="上游段")
    there = build.reach(((120.5, 30.5), (120.6, 30.5)), water_body=lake)
    chief = build.person("chief")
    build.appointment(there, chief)
    assert codes(client.get("reaches")) == [here.code, there.code]
    for filters, wanted in [
        ({"bbox": "119.81,29.5,119.9,29.7"}, here), ({"bbox": "120.55,30.5,120.55,30.5"}, there),
        ({"region": town.code}, here), ({"water_body": lake.code}, there), ({"water_body": str(lake.id)}, there),
        ({"chief": str(chief.id)}, there), ({"q": "上游"}, here), ({"q": there.code}, there), ({"q": there.code.lower()}, there),
    ]:
        assert codes(client.get("reaches", query_string=filters)) == [wanted.code], filters
    assert codes(client.get("reaches", query_string={"chief": "me"})) == []
    assert codes(client.get("reaches", query_string={"q": "%"})) == []
    for unknown in ("nothing", str(uuid4())):
        assert client.get("reaches", query_string={"water_body": unknown}).json["errors"].keys() == {"water_body"}


@pytest.mark.parametrize(("filters", "field"), [
    ({"bbox": "1,2,3"}, "bbox"), ({"bbox": "120,30,119,31"}, "bbox"), ({"bbox": "nan,1,2,3"}, "bbox"),
    ({"chief": "somebody"}, "chief"), ({"limit": 201}, "limit"), ({"colour": "blue"}, "colour"), ({"cursor": "x"}, "cursor"),
])
def test_bad_filters_are_named(client, filters, field):
    reply = client.get("reaches", query_string=filters)
    assert reply.status_code == 422
    assert field in reply.json["errors"]


def test_an_unknown_region_is_not_found(client):
    assert client.get("reaches", query_string={"region": "nowhere"}).status_code == 404


def test_reaches_are_paged_without_gaps(build, client):
    made = [build.reach().code for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = client.get("reaches", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        seen += codes(page)
        cursor = page.json["next"]
        if cursor is None:
            break
    assert seen == sorted(made)


@pytest.mark.parametrize("path", [
    "reaches", "reaches.geojson", "waters/gaps", "appointments", "signboards", "regions", "water-bodies", "regions.geojson",
])
def test_lists_ask_as_many_questions_for_ten_rows_as_for_one(build, client, queries, path):
    def rows(number):
        for _ in range(number):
            build.reach(region=build.region())
            reach = build.reach()
            build.appointment(reach, build.person())
            build.board(reach)
        queries.clear()
        reply = client.get(path)
        assert reply.status_code == 200
        return len(queries)

    assert rows(1) == rows(9)


def test_a_reach_tells_shape_chiefs_boundaries_and_what_it_lacks(build, client):
    one, other = build.region(), build.region()
    river = build.water_body()
    left = build.reach(((119.80, 29.60), (119.82, 29.60)), region=one, bank="left", water_body=river)
    right = build.reach(((119.80, 29.6001), (119.82, 29.6001)), region=one, bank="right", water_body=river)
    beyond = build.reach(((119.80, 29.60015), (119.82, 29.60015)), region=other, water_body=river)
    superior = build.reach(((119.80, 29.60), (119.82, 29.60)), level="county", water_body=river)
    further = build.reach(((119.82, 29.60), (119.84, 29.60)), region=other, water_body=river)
    stream = build.reach(((119.80, 29.60), (119.82, 29.60)), region=other)
    reply = client.get(f"reaches/{left.id}")
    assert reply.status_code == 200
    shared = [row["code"] for row in reply.json["shared_boundaries"]]
    assert shared == [right.code, beyond.code]
    assert not {superior.code, further.code, stream.code} & set(shared)
    assert reply.json["geometry"]["type"] == "LineString"
    assert reply.json["condition"] == {"vacant": True, "boards": 0, "board_missing": True}
    assert reply.headers["ETag"] == '"1"'
    build.appointment(left, build.person())
    build.board(left)
    assert client.get(f"reaches/{left.id}").json["condition"] == {"vacant": False, "boards": 1, "board_missing": False}


def test_a_foreign_reach_is_not_found_unless_one_is_its_chief(build, signed_in):
    here, there = build.region(), build.region()
    foreign, own = build.reach(region=there), build.reach(region=there)
    chief = build.person("chief", region=here)
    build.appointment(own, chief)
    client = signed_in(chief)
    assert client.get(f"reaches/{foreign.id}").status_code == 404
    assert client.get(f"reaches/{uuid4()}").status_code == 404
    assert client.get(f"reaches/{own.id}").status_code == 200
    assert codes(client.get("reaches")) == [own.code]


def test_me_names_the_reaches_of_today(build, signed_in):
    now, before, soon = build.reach(), build.reach(), build.reach()
    chief, today = build.person("chief"), clock.today("Asia/Shanghai")
    build.appointment(now, chief, title="村级河长")
    build.appointment(before, chief, valid_to=today - timedelta(days=1))
    build.appointment(soon, chief, valid_from=today + timedelta(days=1))
    client = signed_in(chief)
    assert [(row["code"], row["title"]) for row in client.get("me").json["reaches"]] == [(now.code, "村级河长")]
    assert codes(client.get("reaches", query_string={"chief": "me"})) == [now.code]


def test_disabling_a_chief_says_which_reaches_nobody_answers_for_any_more(build, signed_in):
    alone, shared, helped = build.reach(name="上柳段"), build.reach(), build.reach()
    chief, other = build.person("chief", name="柳村长"), build.person("chief")
    for reach in (alone, shared):
        build.appointment(reach, chief)
    build.appointment(shared, other)
    build.appointment(helped, chief, title="contact")
    admin = signed_in(build.person("admin"))

    def change(version, **body):
        reply = admin.patch(f"people/{chief.id}", json=body, headers={"If-Match": f'"{version}"', "Accept-Language": "zh"})
        assert reply.status_code == 200, reply.json
        return reply.json["warnings"]

    assert change(1, name="柳村长") == []
    [warning] = change(2, disabled=True)
    assert "上柳段" in warning
    assert "柳村长" in warning
    assert change(3, disabled=True) == [], "it was said"


def test_taking_the_role_from_a_chief_says_where_the_account_stays_appointed(build, signed_in):
    chief = build.person("chief", name="柳村长")
    build.appointment(build.reach(name="上柳段"), chief)
    build.appointment(build.reach(name="下柳段"), chief, title="contact")
    build.appointment(build.reach(name="石桥段"), chief, valid_to=date(2021, 1, 1))
    admin = signed_in(build.person("admin"))

    def change(version, **body):
        reply = admin.patch(f"people/{chief.id}", json=body, headers={"If-Match": f'"{version}"', "Accept-Language": "zh"})
        assert reply.status_code == 200, reply.json
        return reply.json["warnings"]

    assert change(1, roles=["chief", "patroller"]) == []
    [warning] = change(2, roles=["patroller"])
    assert all(words in warning for words in ("上柳段", "柳村长", "移交"))
    assert change(3, roles=["patroller", "auditor"]) == [], "it was said"


def test_gaps_are_reaches_without_a_chief_today(build, client):
    held, never, ended, disabled, aided = (build.reach() for _ in range(5))
    today = clock.today("Asia/Shanghai")
    build.appointment(held, build.person(), valid_from=today, valid_to=today)
    build.appointment(ended, build.person(), valid_to=today - timedelta(days=1))
    build.appointment(disabled, build.person(disabled_at=clock.now()))
    build.appointment(aided, build.person(), title="police_chief")
    assert codes(client.get("waters/gaps")) == [never.code, ended.code, disabled.code, aided.code]
    features = client.get("waters/gaps.geojson").json["features"]
    assert [feature["properties"]["code"] for feature in features] == [never.code, ended.code, disabled.code, aided.code]
    assert features[0]["geometry"]["type"] == "LineString"
    assert client.get("waters/gaps", headers={"Accept": "application/geo+json"}).json["features"] == features


def test_a_board_is_put_up_once(build, client):
    reach, board_id = build.reach(), str(uuid4())
    body = {"id": board_id, "code": "QX-1", "reach_code": reach.code, "latitude": 29.6, "longitude": 119.8}
    first, again = client.post("signboards", json=body), client.post("signboards", json=body)
    assert (first.status_code, again.status_code) == (201, 200), first.json
    assert first.json == again.json
    other = client.post("signboards", json={**body, "latitude": 29.7})
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert client.post("signboards", json={**body, "id": str(uuid4())}).status_code == 409
    assert codes(client.get("signboards", query_string={"reach": str(reach.id)})) == ["QX-1"]
    assert codes(client.get("signboards", query_string={"bbox": "0,0,1,1"})) == []


def test_a_board_far_from_its_reach_is_put_up_with_a_warning(build, client):
    reach = build.reach([(119.8, 29.6), (119.81, 29.6)])
    body = {"reach_code": reach.code, "longitude": 119.805}
    near = client.post("signboards", json={**body, "code": "N", "latitude": 29.6001}).json
    far = client.post("signboards", json={**body, "code": "F", "latitude": 29.645}).json
    assert (near["distance_to_reach_m"], near["warning"]) == (pytest.approx(11, abs=1), None)
    assert far["distance_to_reach_m"] == pytest.approx(5000, rel=0.01)
    assert "请核对" in far["warning"]
    assert {row["code"]: bool(row["warning"]) for row in client.get("signboards").json["items"]} == {"N": False, "F": True}


@pytest.mark.parametrize(("change", "field"), [
    ({"code": "a/b"}, "code"), ({"code": "QX-1\n"}, "code"), ({"reach_code": "none"}, "reach_code"), ({"latitude": 91}, "latitude"), ({"reach_id": str(uuid4())}, "reach_id"),
    ({"datum": "gcj02", "latitude": 1, "longitude": 1}, "datum"), ({"colour": 1}, "colour"),
])
def test_a_bad_board_is_refused_by_field(build, client, change, field):
    body = {"code": "QX-1", "reach_code": build.reach().code, "latitude": 29.6, "longitude": 119.8, **change}
    reply = client.post("signboards", json=body)
    assert reply.status_code == 422
    assert field in reply.json["errors"]


def test_the_board_code_is_a_picture_for_everybody(build, anyone):
    board = build.board(build.reach(), code="QX-7")
    reply = anyone.get(f"signboards/{board.code}/qr.svg")
    assert reply.status_code == 200
    assert reply.mimetype == "image/svg+xml"
    assert reply.data.startswith(b"<?xml")
    assert anyone.get("signboards/none/qr.svg").status_code == 404


def test_registers_are_for_accounts_and_changes_for_the_office(build, anyone, signed_in):
    assert anyone.get("reaches").status_code == 401
    chief = signed_in(build.person("chief"))
    assert chief.get("reaches").status_code == 200
    for path in ("signboards", "appointments"):
        assert chief.post(path, json={}).status_code == 403
    assert chief.post("imports").status_code == 403


def test_the_description_knows_both_forms_of_a_list(anyone):
    document = anyone.get("/openapi.json").json
    content = document["paths"]["/api/v1/reaches"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", GEO}
    report = document["paths"]["/api/v1/imports"]["post"]["responses"]["422"]["content"]["application/problem+json"]
    assert report["schema"]["$ref"].endswith("ImportProblem") or report["schema"]["$ref"].endswith("ImportProblemOut")
    assert "multipart/form-data" in document["paths"]["/api/v1/imports"]["post"]["requestBody"]["content"]


def test_dates_are_dates(build, client):
    build.appointment(build.reach(), build.person(), valid_from=date(2024, 2, 29))
    assert client.get("appointments").json["items"][0]["valid_from"] == "2024-02-29"

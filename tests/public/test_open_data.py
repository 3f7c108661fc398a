"""Boards, the open map and the figures: nothing personal in any of them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

import patrol
from patrol.foundation import clock
from tests.public.conftest import AWAY, HERE


def test_a_board_tells_its_reach_and_the_posts_over_it_without_a_person(anyone, place):
    reply = anyone.get("public/boards/QX-0001")
    assert reply.status_code == 200
    body = reply.json
    assert body["reach"]["code"] == place.reach.code
    assert body["water_body"]["name"] == "清溪"
    assert body["office"]["name"] == "柳岸镇河长办"
    assert body["posts"] == [
        {"level": "village", "title": "柳岸村村级河长", "region": "柳岸村"},
        {"level": "township", "title": "镇级河长", "region": "柳岸镇"},
        {"level": "county", "title": "区级河长", "region": "清溪区"},
    ]
    for name in ("陈村长", "周镇长", "吴区长", str(place.chief.id)):
        assert name not in reply.text
    assert anyone.get("public/boards/NO-SUCH").status_code == 404


def test_a_board_leaves_out_reaches_beside_other_water_and_chiefs_of_other_days(anyone, place, build):
    beside = build.region(name="对岸镇")
    other = build.reach(region=beside, level="township", water_body=place.water)
    build.appointment(other, build.person("chief", region=beside, title="对岸镇河长"))
    ended = build.person("chief", title="前任河长")
    build.appointment(place.reach, ended, valid_to=clock.today("Asia/Shanghai") - timedelta(days=1))
    text = anyone.get("public/boards/QX-0001").text
    assert "对岸镇河长" not in text
    assert "前任河长" not in text


@pytest.fixture
def three(complain, place, issue_of, cure, step):
    """A cured, a rejected and an open complaint."""
    sent = [complain().json, complain(category="A32", description="只有办公室看 13987654321").json, complain(place=AWAY, category="C2").json]
    cure(issue_of(sent[0]).id)
    rejected = complain(category="F1").json
    step(issue_of(rejected).id, "reject", place.office, ground="no_evidence_found", reason="未发现")
    return [*sent, rejected]


def test_the_map_shows_what_and_about_where_and_nothing_personal(anyone, complain, place):
    complain(place={**HERE, "latitude": 29.600123456, "longitude": 119.810987654}, description="张家门口 13987654321")
    reply = anyone.get("public/issues.geojson", headers={"Accept-Language": "en"})
    assert reply.status_code == 200
    assert reply.mimetype == "application/geo+json"
    assert reply.headers["Cache-Control"] == "public, max-age=60"
    assert "Accept-Language" in reply.headers["Vary"]
    [feature] = reply.json["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [119.811, 29.6001]}
    assert feature["properties"] == {
        "category": "C1", "category_name": "Floating litter", "severity": "general", "severity_name": "General",
        "state": "dispatched", "message": "Somebody is in charge of it; work will begin.",
        "month": clock.today("Asia/Shanghai").isoformat()[:7]}
    assert feature.keys() == {"type", "geometry", "properties"}
    assert "张家" not in reply.text


def test_the_map_leaves_out_charges_rejected_ones_and_what_is_outside_the_box(anyone, three, complain):
    complain(category="F2")
    complain(category="Z")

    def categories(query=""):
        return sorted(feature["properties"]["category"] for feature in anyone.get(f"public/issues.geojson{query}").json["features"])

    assert categories() == ["A32", "C1", "C2"]
    assert categories("?bbox=119.80,29.59,119.82,29.61") == ["A32", "C1"]
    assert categories("?category=C") == ["C1", "C2"]
    assert categories("?severity=major") == []
    limited = anyone.get("public/issues.geojson?limit=2").json
    assert (len(limited["features"]), limited["truncated"]) == (2, True)
    assert not anyone.get("public/issues.geojson").json["truncated"]


@pytest.mark.parametrize("query", ["bbox=1,2,3", "bbox=119.9,29,119.8,30", "bbox=a,b,c,d", "limit=0", "limit=5001", "severity=x", "q=x"])
def test_a_bad_query_is_refused_by_field(anyone, query):
    reply = anyone.get(f"public/issues.geojson?{query}")
    assert reply.status_code == 422
    assert query.split("=")[0] in reply.json["errors"]


def test_a_part_of_the_figures_is_refused_and_not_passed_off_as_all(anyone):
    refused = anyone.get("public/statistics?region=990100")
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"region"})


def test_figures_keep_cures_apart_from_rejections(anyone, three):
    for code, satisfied in ((three[0]["tracking_code"], False),):
        anyone.post(f"public/complaints/{code}/rating", json={"satisfied": satisfied, "score": 2})
    reply = anyone.get("public/statistics")
    body = reply.json
    assert (body["received"], body["open"], body["rejected"], body["merged"]) == (4, 2, 1, 0)
    assert body["cured"] == {"numerator": 1, "denominator": 3}
    assert body["closed_in_time"] == {"numerator": 1, "denominator": 1}
    assert body["satisfied"] == {"numerator": 0, "denominator": 1}
    assert {row["code"]: row["count"] for row in body["by_state"]} == {"closed": 1, "rejected": 1, "dispatched": 1, "submitted": 1}
    # A charge is counted with advice: a figure of its own would tell the accused that there is one.
    assert {row["code"]: row["count"] for row in body["by_category"]} == {"C1": 1, "A32": 1, "C2": 1, "other": 1}
    assert "max-age=300" in reply.headers["Cache-Control"]


def test_me_too_is_among_the_figures_and_the_page_shows_only_figures_that_there_are(anyone, three):
    before = anyone.get("public/statistics").json["also_reported"]
    number = anyone.get("public/nearby", query_string={**HERE, "category": "C1"}).json["items"][0]["number"]
    assert anyone.post(f"public/issues/{number}/follow", json={}).status_code == 201
    body = anyone.get("public/statistics").json
    assert body["also_reported"] == before + 1
    script = (Path(patrol.__file__).parent / "web" / "site" / "start.js").read_text(encoding="utf-8")
    assert set(re.findall(r"figures\.(\w+)", script)) <= body.keys()


def test_figures_of_nothing_are_noughts(anyone, build):
    assert anyone.get("public/statistics").json["cured"] == {"numerator": 0, "denominator": 0}


def test_the_map_takes_one_statement_however_many_issues(anyone, three, queries):
    anyone.get("public/issues.geojson")
    assert len(queries) == 1


def test_what_came_back_is_counted_apart_from_what_is_cured(anyone, complain, issue_of, cure, step, place):
    for number, again in enumerate((None, "open", "closed", "refused")):
        # Apart, so that none is a relapse of the one before.
        sent = complain(description=f"第{number}处", place={**HERE, "longitude": HERE["longitude"] + number * 0.001}).json
        issue_id = issue_of(sent).id
        cure(issue_id, photo=60 + number)
        if again:
            anyone.post(f"public/complaints/{sent['tracking_code']}/not-fixed", json={"reason": "还在"})
        if again in {"open", "closed"}:
            step(issue_id, "reopen", place.office, reason="又出现了")
        if again == "closed":
            step(issue_id, "dispatch", place.office)
            cure(issue_id, photo=90)
    rejected = complain(category="F1").json
    step(issue_of(rejected).id, "reject", place.office, ground="no_evidence_found", reason="未发现")
    step(issue_of(rejected).id, "reopen", place.office, reason="重新核实")
    body = anyone.get("public/statistics").json
    assert body["reopened"] == {"numerator": 2, "denominator": 4}
    assert body["cured"] == {"numerator": 3, "denominator": 5}
    assert body["called_not_fixed"] == {"asked": 3, "granted": 2, "refused": 0}, "reopened by hand is granted"
    assert body["suspended"] == 0


def test_a_board_calls_a_chief_by_the_title_that_fits_this_post(anyone, place, build):
    build.appointment(place.town_reach, place.district_chief)
    build.appointment(place.reach, place.town_chief, title="deputy")
    build.appointment(place.reach, build.person("chief", region=place.village, title="柳岸村副河长"), title="deputy")
    build.appointment(place.reach, build.person("chief", region=place.village, title="柳岸村书记"), title="deputy")
    titles = [(post["title"], post["region"]) for post in anyone.get("public/boards/QX-0001").json["posts"]]
    assert titles == [
        ("柳岸村村级河长", "柳岸村"), ("村级副河长", "柳岸村"), ("柳岸村副河长", "柳岸村"),
        ("镇级河长", "柳岸镇"), ("乡镇级河长", "柳岸镇"), ("区级河长", "清溪区"),
    ]

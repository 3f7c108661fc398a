"""The main loop over HTTP: a report finds its chief, is put right, checked by another, closed; every step is kept."""

import csv
import io
import uuid
from datetime import timedelta

import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.issues.history import broken_chains
from patrol.issues.schemas import IssueOut
from tests.issues.conftest import HERE, NOWHERE, report, step, taken

EDGES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
"""Moments that have no UTC within the calendar."""


def test_the_main_loop(valley, pictures):
    issue = report(valley.patroller_client, description="<b>垃圾</b> =1+1 \U0001f9f9")
    assert issue["state"] == "dispatched"
    assert issue["lead"] == {"id": str(valley.chief.id), "name": "柳村长", "title": "村级河长"}
    assert issue["routing"]["rule"] == "nearest"
    assert issue["routing"]["candidates"][0]["reach"]["code"] == valley.reach.code
    assert issue["routing"]["policy"]["rule"] == "patrol_to_chief"
    assert issue["due_at"]
    assert issue["due_rule"]["rule"] == "general_10_wd"
    assert not IssueOut().validate(issue)
    issue = taken(valley.chief_client, issue, "start", note="已到现场")
    issue = taken(valley.chief_client, issue, "progress", note="清了一半", files=pictures[:1])
    issue = taken(valley.chief_client, issue, "rectify", note="已清理", files=pictures[1:2])
    assert issue["state"] == "rectified"
    assert [photo["kind"] for photo in issue["photos"]] == ["during", "after"]
    assert "verify" not in issue["allowed"]
    issue = taken(valley.supervisor_client, issue, "return", reason="桥西还有")
    assert (issue["state"], issue["returned_times"]) == ("in_progress", 1)
    issue = taken(valley.chief_client, issue, "rectify", note="都清了", files=pictures[2:3])
    issue = taken(valley.supervisor_client, issue, "verify")
    issue = taken(valley.office_client, issue, "close", public_summary="已清理干净")
    assert (issue["state"], issue["public_summary"], issue["overdue"]) == ("closed", "已清理干净", False)
    history = valley.office_client.get(f"issues/{issue['id']}/history").json["items"]
    assert [row["verb"] for row in history] == [
        "submit", "accept", "dispatch", "start", "progress", "rectify", "return", "rectify", "verify", "close"]
    assert [row["seq"] for row in history] == list(range(1, 11))
    assert [row["rule"] for row in history[:4]] == [None, "patrol_to_chief", "patrol_to_chief", None]
    assert history[6]["reason"] == "桥西还有"
    assert all(a["hash"] == b["previous_hash"] for a, b in zip(history, history[1:], strict=False))
    assert list(broken_chains()) == [None]


def test_a_chief_who_reports_on_his_own_reach_goes_the_same_way(valley):
    issue = report(valley.chief_client)
    assert (issue["state"], issue["lead"]["name"]) == ("dispatched", "柳村长")
    assert set(issue["allowed"]) == {"decline", "start", "rectify"}


@pytest.mark.parametrize(
    ("place", "category", "severity", "source", "state"),
    [
        (HERE, "C1", None, "patrol", "dispatched"), (HERE, "C1", "major", "patrol", "submitted"),
        (HERE, "F1", None, "patrol", "submitted"), (HERE, "C1", None, "hotline", "dispatched"),
        ({**HERE, "accuracy_m": 150}, "C1", None, "hotline", "submitted"), (NOWHERE, "C1", None, "patrol", "submitted"),
        (HERE, "C1", None, "superior", "submitted"), (HERE, "B3", None, "patrol", "submitted"),
    ],
)
def test_policy_decides_who_looks_first(valley, place, category, severity, source, state):
    client = valley.patroller_client if source == "patrol" else valley.office_client
    issue = report(client, **place, category=category, severity=severity, source=source)
    assert issue["state"] == state
    assert (issue["lead"] is None) == (state == "submitted")
    assert issue["routing"]["office"]["code"]


def test_far_from_every_reach_the_office_holds_it_with_the_reason(valley):
    issue = report(valley.patroller_client, category="D3", **NOWHERE)  # no department answers for boards
    assert (issue["routing"]["rule"], issue["reach"], issue["lead"]) == ("nothing_near", None, None)
    assert issue["routing"]["office"]["code"] == "990100"
    assert issue["routing"]["reasons"]
    accepted = taken(valley.office_client, issue, "accept")
    refused = step(valley.office_client, accepted, "dispatch")
    assert refused.status_code == 422
    assert "lead" in refused.json["errors"]
    done = taken(valley.office_client, accepted, "dispatch", lead=valley.handler.username)
    assert done["lead"]["name"] == "城管"


def test_the_same_report_again_is_the_same_issue(valley, pictures):
    body = {"id": str(uuid.uuid4()), "category": "C1", "description": "一", **{k: str(v) for k, v in HERE.items()}}

    def send(client=valley.patroller_client, **more):
        return client.post("issues", data={**body, **more, "photos": [(io.BytesIO(pictures[0]), "a.jpg")]})

    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["photos"] == again.json["photos"]
    assert len(first.json["photos"]) == 1
    other = send(description="二")
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert send(valley.chief_client).status_code == 409
    assert db.session.scalar(db.text("SELECT count(*) FROM photos")) == 1


def test_four_eyes(valley, pictures):
    issue = report(valley.patroller_client, **NOWHERE)
    issue = taken(valley.office_client, issue, "accept")
    issue = taken(valley.office_client, issue, "dispatch", lead=str(valley.handler.id))
    issue = taken(valley.handler_client, issue, "rectify", note="好了", files=pictures[:1])
    assert step(valley.handler_client, issue, "verify").status_code == 403
    issue = taken(valley.office_client, issue, "verify")
    issue = taken(valley.office_client, issue, "close")
    assert issue["state"] == "closed"


def test_only_the_districts_chief_closes_a_major_issue(valley, pictures):
    issue = report(valley.patroller_client, severity="major")
    issue = taken(valley.office_client, issue, "accept")
    issue = taken(valley.office_client, issue, "dispatch")
    issue = taken(valley.chief_client, issue, "rectify", note="好了", files=pictures[:1])
    issue = taken(valley.supervisor_client, issue, "verify")
    assert "close" not in valley.office_client.get(f"issues/{issue['id']}").json["allowed"]
    assert step(valley.office_client, issue, "close").status_code == 403
    assert step(valley.chief_client, issue, "close").status_code == 403
    assert "close" in valley.district_chief_client.get(f"issues/{issue['id']}").json["allowed"]
    assert taken(valley.district_chief_client, issue, "close")["state"] == "closed"


def test_a_step_out_of_turn_says_what_is_allowed(valley):
    issue = report(valley.patroller_client)
    reply = step(valley.office_client, issue, "close")
    assert reply.status_code == 409
    assert set(reply.json["allowed"]) == {"merge", "transfer", "suspend"}
    assert set(step(valley.chief_client, issue, "progress", note="x").json["allowed"]) == {"decline", "start", "rectify"}
    assert reply.mimetype == "application/problem+json"


def test_what_a_step_lacks_or_brings_too_much(valley, pictures):
    issue = report(valley.chief_client)
    lacking = step(valley.chief_client, issue, "rectify", note="好了")
    assert lacking.status_code == 422
    assert "photos" in lacking.json["errors"]
    assert "note" in step(valley.chief_client, issue, "rectify", files=pictures[:1], note=" ").json["errors"]
    assert step(valley.chief_client, issue, "start", reason="x").status_code == 422
    assert "photo_ids" in step(valley.chief_client, issue, "rectify", note="x", photo_ids=[str(uuid.uuid4())]).json["errors"]
    both = step(valley.office_client, issue, "transfer", reason="x", reach_id=str(valley.other_reach.id), region="990100")
    assert both.status_code == 422
    assert valley.office_client.get(f"issues/{issue['id']}").json["version"] == issue["version"]


def test_if_match_is_wanted_and_compared(valley):
    issue = report(valley.chief_client)
    assert valley.chief_client.post(f"issues/{issue['id']}/start", json={}).status_code == 428
    assert step(valley.chief_client, issue, "start", version=99).status_code == 412
    taken(valley.chief_client, issue, "start")
    assert step(valley.chief_client, issue, "rectify", note="x").status_code == 412


def test_what_lies_elsewhere_does_not_exist(valley):
    issue = report(valley.patroller_client)
    for client in (valley.other_chief_client, valley.other_office_client):
        assert client.get(f"issues/{issue['id']}").status_code == 404
        assert client.get(f"issues/{issue['id']}/history").status_code == 404
        assert step(client, issue, "start").status_code in {403, 404}
        assert client.get("issues").json["items"] == []
    assert step(valley.other_office_client, issue, "transfer", reason="x", region="990100").status_code == 404


def test_a_charge_against_a_chief_is_led_without_telling_who_complained(valley):
    issue = report(valley.patroller_client, category="F3", description="从不巡河")
    assert valley.chief_client.get(f"issues/{issue['id']}").status_code == 404
    assert valley.patroller_client.get(f"issues/{issue['id']}").status_code == 200
    accepted = taken(valley.town_office_client, issue, "accept")
    refused = step(valley.town_office_client, accepted, "dispatch")
    assert refused.status_code == 422
    led = taken(valley.office_client, accepted, "dispatch", lead=valley.handler.username)
    assert "reporter" not in valley.handler_client.get(f"issues/{led['id']}").json
    first = valley.handler_client.get(f"issues/{led['id']}/history").json["items"][0]
    assert first["actor"] is None
    assert valley.office_client.get(f"issues/{led['id']}").json["reporter"]["name"] == "巡河员"


def test_transfer_routes_anew(valley):
    issue = report(valley.patroller_client)
    moved = taken(valley.office_client, issue, "transfer", reason="实为石溪", reach_id=str(valley.other_reach.id))
    assert (moved["state"], moved["lead"], moved["reach"]["code"]) == ("accepted", None, valley.other_reach.code)
    assert (moved["region"]["code"], moved["routing"]["rule"]) == (valley.other_town.code, "transfer")
    assert taken(valley.other_office_client, moved, "dispatch")["lead"]["name"] == "石镇长"
    again = valley.other_office_client.get(f"issues/{issue['id']}").json
    back = taken(valley.office_client, again, "transfer", reason="区里定", region=valley.town.code)
    assert (back["reach"], back["region"]["code"], back["routing"]["office"]["code"]) == (None, valley.town.code, valley.town.code)
    assert "reach_id" in step(valley.office_client, back, "transfer", reason="x", reach_id=str(uuid.uuid4())).json["errors"]
    assert "region" in step(valley.office_client, back, "transfer", reason="x", region="0").json["errors"]


def test_dispatch_to_a_department_finds_its_handler(valley, build):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    none = step(valley.office_client, issue, "dispatch", department="police")
    assert "department" in none.json["errors"]
    assert "department" in step(valley.office_client, issue, "dispatch", department="navy").json["errors"]
    for bad in ("nobody", str(uuid.uuid4()), valley.auditor.username):
        assert "lead" in step(valley.office_client, issue, "dispatch", lead=bad).json["errors"], bad
    outside = step(valley.town_office_client, issue, "dispatch", department="urban_management")
    assert outside.status_code == 422
    done = taken(
        valley.office_client, issue, "dispatch", department="urban_management", co_handlers=[valley.chief.username])
    assert (done["lead"]["name"], done["department"]["code"]) == ("城管", "urban_management")
    assert [person["name"] for person in done["co_handlers"]] == ["柳村长"]
    assert valley.chief_client.get("issues", query_string={"assigned_to": "me"}).json["items"][0]["id"] == issue["id"]


def test_severity_and_due_date_can_be_decided(valley):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    serious_due = issue["due_at"]
    past = (clock.now() - timedelta(days=1)).isoformat()
    assert "due_at" in step(valley.office_client, issue, "dispatch", due_at=past).json["errors"]
    urgent = taken(valley.office_client, issue, "dispatch", severity="urgent")
    assert urgent["due_at"] < serious_due
    history = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert history["changes"]["severity"] == {"from": "serious", "to": "urgent"}
    assert set(history["changes"]) >= {"severity", "lead_id", "due_at"}


def test_reject_and_reopen(valley):
    issue = report(valley.patroller_client, **NOWHERE)
    assert "ground" in step(valley.office_client, issue, "reject", ground="because", reason="x").json["errors"]
    rejected = taken(valley.office_client, issue, "reject", ground="no_evidence_found", reason="现场未见")
    assert (rejected["state"], rejected["due_at"]) == ("rejected", None)
    assert rejected["allowed"] == ["reopen"]
    reopened = taken(valley.supervisor_client, rejected, "reopen", reason="又有人反映")
    assert (reopened["state"], reopened["reopened_times"]) == ("accepted", 1)
    assert reopened["due_at"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"category": "X9"}, "category"), ({"category": "A"}, "category"), ({"latitude": 91}, "latitude"),
        ({"longitude": "east"}, "longitude"), ({"datum": "gcj02", "latitude": 0.0, "longitude": 0.0}, "datum"),
        ({"recorded_at": "2026-05-01T08:30:00"}, "recorded_at"), ({"recorded_at": EDGES[0]}, "recorded_at"),
        ({"recorded_at": EDGES[1]}, "recorded_at"), ({"source": "citizen"}, "source"), ({"severity": "bad"}, "severity"),
        ({"photo_ids": [str(uuid.uuid4())]}, "photo_ids"), ({"description": "  "}, "description"),
        ({"description": "x" * 4001}, "description"), ({"wish": 1}, "wish"), ({"id": "1"}, "id"), ({"accuracy_m": -1}, "accuracy_m"),
    ],
)
def test_bad_reports_are_refused_by_field(valley, change, field):
    reply = valley.patroller_client.post("issues", json={"category": "C1", "description": "x", **HERE, **change})
    assert reply.status_code == 422, reply.json
    assert field in reply.json["errors"]
    assert db.session.scalar(db.text("SELECT count(*) FROM issues")) == 0


def test_a_photo_of_somebody_else_cannot_be_used(valley, pictures):
    photo = valley.other_chief_client.post("photos", data={"file": (io.BytesIO(pictures[0]), "a.jpg")}).json
    body = {"category": "C1", "description": "x", **HERE, "photo_ids": [photo["id"]]}
    assert "photo_ids" in valley.patroller_client.post("issues", json=body).json["errors"]
    assert valley.other_chief_client.post("issues", json=body).status_code == 201


def test_files_that_are_no_photos_leave_nothing(valley):
    data = {"category": "C1", "description": "x", "latitude": "29.6", "longitude": "119.81",
            "photos": [(io.BytesIO(b"GIF89a not a photo"), "a.jpg")]}
    assert valley.patroller_client.post("issues", data=data).status_code in {415, 422}
    assert db.session.scalar(db.text("SELECT count(*) FROM issues")) == 0


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "Ω≈ç√∫˜µ≤≥÷", "‮txet", "👨‍👩‍👧‍👦", "'; DROP TABLE issues; --", "%_\\", "\x7f\x01"])
def test_naughty_words_come_back_as_they_were(valley, text):
    issue = report(valley.patroller_client, description=text)
    assert issue["description"] == text
    assert valley.office_client.get(f"issues/{issue['id']}").json["description"] == text
    assert valley.office_client.get("issues.csv").status_code == 200
    assert valley.office_client.get("issues.xlsx").data[:2] == b"PK"
    assert list(broken_chains()) == [None]


def test_raw_positions_are_kept_beside_wgs84(valley):
    issue = report(valley.patroller_client, latitude=29.5977, longitude=119.8148, datum="gcj02")
    assert issue["raw"] == {"latitude": 29.5977, "longitude": 119.8148, "datum": "gcj02"}
    assert issue["latitude"] != 29.5977


def test_the_deputy_leads_while_the_chief_s_account_is_disabled_and_the_routing_says_why(build, valley):
    deputy = build.person("chief", region=valley.village, name="副村长")
    build.appointment(valley.reach, deputy, title="村级副河长")
    assert valley.office_client.get("responsible", query_string=HERE).json["chief"]["name"] == "柳村长"
    valley.chief.disabled_at = clock.now()
    db.session.commit()
    told = valley.office_client.get("responsible", query_string=HERE, headers={"Accept-Language": "zh"}).json
    assert told["chief"]["name"] == "副村长"
    assert any("没有可负责的正职河长" in reason for reason in told["reasons"]), told["reasons"]
    issue = report(valley.patroller_client)
    assert (issue["lead"]["name"], issue["state"]) == ("副村长", "dispatched")
    assert any("副职" in reason for reason in issue["routing"]["reasons"])


def test_a_chief_without_a_title_of_his_own_has_his_posts_words(anyone, valley):
    """An appointment that names no title holds the register's code `chief`, which nobody reads."""
    valley.chief.title = None
    db.session.commit()
    for language, post in (("zh", "村级河长"), ("en", "River chief (village)")):
        spoken = {"headers": {"Accept-Language": language}}
        for client in (anyone, valley.office_client):
            told = client.get("responsible", query_string=HERE, **spoken).json
            assert told["chief"]["title"] == told["candidates"][0]["chief"]["title"] == post
            assert any(post in reason for reason in told["reasons"])
        routed = valley.office_client.get(f"issues/{report(valley.patroller_client)['id']}/routing", **spoken)
        assert routed.json["chief"]["title"] == post
        assert "（chief）" not in routed.text
        assert {row["title"] for row in valley.chief_client.get("me", **spoken).json["reaches"]} == {post}


def test_responsible_shows_posts_to_the_public_and_persons_to_staff(anyone, valley):
    public = anyone.get("responsible", query_string={**HERE, "category": "A32"})
    assert public.status_code == 200, public.json
    assert public.json["chief"] == {"title": "村级河长"}
    assert "柳村长" not in public.text
    assert str(valley.chief.id) not in public.text
    assert public.json["department"]["code"] == "ecology"
    assert valley.office_client.get("responsible", query_string=HERE).json["chief"]["name"] == "柳村长"
    assert anyone.get("responsible", query_string=HERE, headers={"Authorization": "Bearer dead"}).status_code == 401
    assert anyone.get("responsible", query_string={**HERE, "category": "X"}).status_code == 422
    before = anyone.get("responsible", query_string={**HERE, "on": "2019-12-31"}).json
    assert (before["chief"], before["rule"], before["on"]) == (None, "no_chief", "2019-12-31")


def test_categories_are_public(anyone, database):
    rows = {row["code"]: row for row in anyone.get("categories", headers={"Accept-Language": "en"}).json["items"]}
    assert rows["C1"]["name"] == "Floating litter"
    assert rows["C1"]["names"]["zh"] == "水面漂浮物"
    assert rows["A"]["is_heading"]
    assert not rows["B8"]["public"]


def test_allowed_and_counts(valley):
    issue = report(valley.chief_client)
    allowed = valley.chief_client.get(f"issues/{issue['id']}/allowed").json
    assert allowed["allowed"] == ["decline", "start", "rectify"]
    assert allowed["steps"][2]["must"] == ["note", "photos"]
    assert valley.office_client.get("issues/counts").json["counts"]["dispatched"] == 1


def test_counts_are_of_the_states_asked_for(valley):
    report(valley.chief_client)
    rejected = report(valley.patroller_client, **NOWHERE)
    taken(valley.office_client, rejected, "reject", ground="no_evidence_found", reason="现场未见")

    def counts(*states):
        return valley.office_client.get("issues/counts", query_string={"state": list(states)}).json["counts"]

    assert counts("rejected") == {"rejected": 1}
    assert counts("closed", "dispatched") == {"closed": 0, "dispatched": 1}
    assert set(counts()) == {
        "submitted", "accepted", "dispatched", "in_progress", "rectified", "verified", "suspended"}


@pytest.mark.parametrize("edge", EDGES)
def test_moments_without_utc_are_refused(valley, edge):
    accepted = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    assert "due_at" in step(valley.office_client, accepted, "dispatch", due_at=edge).json["errors"]
    for name in ("due_before", "created_after", "created_before"):
        reply = valley.office_client.get("issues", query_string={name: edge})
        assert (reply.status_code, list(reply.json["errors"])) == (422, [name])


def test_a_table_shows_the_last_day_in_time(valley):
    issue = report(valley.patroller_client)
    rows = list(csv.DictReader(io.StringIO(valley.office_client.get("issues.csv").get_data().decode("utf-8-sig"))))
    assert [row["期限"] for row in rows] == [issue["due_rule"]["last_day"]]


def test_a_step_that_severity_gives_to_another_says_both_permissions(app):
    paths = app.extensions["api"].description()["paths"]
    said = {verb: paths[f"/api/v1/issues/{{issue_id}}/{verb}"]["post"]["x-permission"] for verb in ("close", "start")}
    assert said == {"close": "issue:close, issue:close_major for major", "start": "issue:handle"}


def test_photos_on_visible_issues_are_visible(valley, pictures):
    data = {"category": "C1", "description": "x", **{k: str(v) for k, v in HERE.items()}, "photos": [(io.BytesIO(pictures[0]), "a.jpg")]}
    issue = valley.patroller_client.post("issues", data=data).json
    photo = issue["photos"][0]["id"]
    assert valley.town_office_client.get(f"photos/{photo}").status_code == 200
    assert valley.office_client.get(f"photos/{photo}").status_code == 200
    assert valley.other_office_client.get(f"photos/{photo}").status_code == 404
    worker.deliver_due()


def test_a_report_asks_nothing_of_what_it_has_just_written(valley, queries):
    report(valley.patroller_client)
    queries.clear()
    report(valley.patroller_client)
    reads = [statement for statement in queries if statement.startswith("SELECT")]
    written = next(number for number, statement in enumerate(queries) if statement.startswith("INSERT INTO issues"))
    assert [statement for statement in queries[written:] if statement in reads] == []

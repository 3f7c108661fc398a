"""Patrols and check-ins over HTTP, as a phone sends them: in any order, twice, with photos before, along or after."""

import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.models import CheckIn
from tests.evidence.camera import camera_jpeg

AT = "2026-11-20T08:30:00+08:00"
HERE = {"latitude": 29.6001, "longitude": 119.81, "accuracy_m": 8}


@pytest.fixture
def world(build):
    """A village with a reach, its chief, and a chief elsewhere."""
    class World:
        town = build.region(level="township")
        village = build.region(town, level="village")
        other = build.region(level="township")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)
        stranger = build.person("chief", region=other)

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


def body(**changes):
    return {**HERE, "recorded_at": AT, "checklist": {"water": "normal", "surface": "abnormal"}, "note": "水面有漂浮物", **changes}


def test_a_check_in_finds_its_reach_and_says_how_far(chief, world):
    reply = chief.put(f"check-ins/{uuid4()}", json=body())
    assert reply.status_code == 201, reply.json
    assert reply.json["reach"]["id"] == str(world.reach.id)
    assert reply.json["distance_m"] == pytest.approx(11.1, abs=0.5)
    assert reply.json["receipt"] == {"accepted": 1, "duplicates": 0, "quarantined": [], "missing": []}
    assert datetime.fromisoformat(reply.json["recorded_at"]) == datetime.fromisoformat(AT)


@pytest.mark.parametrize(("ahead", "said"), [(timedelta(days=365), "365 天"), (timedelta(hours=9), "9 小时"), (timedelta(minutes=6), "6 分钟")])
def test_what_is_recorded_in_the_future_is_kept_and_said_at_once(chief, world, ahead, said):
    now = clock.now()
    with clock.moved_clock(lambda: now):
        begun = {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": (now + ahead).isoformat()}
        patrol_id, check_in_id = uuid4(), uuid4()
        for status in (201, 200):
            for reply in (chief.put(f"patrols/{patrol_id}", json=begun), chief.put(f"check-ins/{check_in_id}", json=body(recorded_at=(now + ahead).isoformat()))):
                assert reply.status_code == status, reply.json
                [notice] = reply.json["receipt"]["notices"]
                assert (notice["code"], said in notice["text"], "请检查手机" in notice["text"]) == ("clock_future", True, True)
        assert "才按校正后的日期计入巡河任务，否则不计" in chief.put(f"patrols/{patrol_id}", json=begun).json["receipt"]["notices"][0]["text"]
        queue = [{"kind": "patrol", "id": str(uuid4()), "data": begun},
                 {"kind": "check_in", "id": str(uuid4()), "data": {**body(recorded_at=(now + ahead).isoformat()), "photos": []}}]
        results = chief.post("sync", json={"device": "x", "items": queue}).json["results"]
        assert [(row["status"], row["receipt"]["notices"][0]["code"]) for row in results] == [("accepted", "clock_future")] * 2
        issue = {"category": "C1", "description": "钟快了", **HERE, "recorded_at": (now + ahead).isoformat()}
        [result] = chief.post("sync", json={"device": "x", "items": [{"kind": "issue", "id": str(uuid4()), "data": issue}]}).json["results"]
        [notice] = result["receipt"]["notices"]
        assert (result["status"], notice["code"], said in notice["text"], "列为发现" in notice["text"]) == ("accepted", "clock_future", True, False)
        right = chief.put(f"patrols/{uuid4()}", json={**begun, "started_at": (now + timedelta(minutes=5)).isoformat()})
        assert right.json["receipt"] == {"accepted": 1, "duplicates": 0, "quarantined": [], "missing": []}
        found = chief.get(f"patrols/{patrol_id}/preview").json["findings"]
        assert "clock_future" in {row["code"] for row in found}


@pytest.mark.parametrize(("latitude", "accuracy_m", "said"), [
    (29.6005, 8, None), (30.5196, 8, "102 公里"), (29.604, 8, "444 米"), (29.604, 500, None), (29.604, None, "444 米"),
])  # fmt: skip
def test_a_check_in_far_from_the_reach_it_names_is_kept_and_said_at_once(chief, world, latitude, accuracy_m, said):
    sent = body(latitude=latitude, accuracy_m=accuracy_m, reach_id=str(world.reach.id))
    check_in_id = uuid4()
    for status in (201, 200):
        reply = chief.put(f"check-ins/{check_in_id}", json=sent)
        assert reply.status_code == status, reply.json
        notices = reply.json["receipt"].get("notices", [])
        assert [(notice["code"], said in notice["text"]) for notice in notices] == ([("far_from_reach", True)] if said else [])
    queue = [{"kind": "check_in", "id": str(uuid4()), "data": {**sent, "photos": []}}]
    [result] = chief.post("sync", json={"device": "x", "items": queue}).json["results"]
    assert (result["status"], "notices" in result["receipt"]) == ("accepted", said is not None)


def test_within_a_reachs_own_wider_tolerance_nothing_is_far(chief, world, build):
    wide = build.reach([(119.80, 29.7), (119.82, 29.7)], region=world.village, tolerance_m=1_000.0)
    reply = chief.put(f"check-ins/{uuid4()}", json=body(latitude=29.704, reach_id=str(wide.id)))
    assert (reply.json["distance_m"] > 400, "notices" in reply.json["receipt"]) == (True, False)


@pytest.mark.parametrize(("datum", "least_m"), [("gcj02", 300), ("bd09", 500)])
def test_positions_are_kept_raw_and_told_in_wgs84(chief, datum, least_m):
    reply = chief.put(f"check-ins/{uuid4()}", json=body(datum=datum))
    assert reply.status_code == 201
    assert reply.json["raw"] == {"latitude": HERE["latitude"], "longitude": HERE["longitude"], "datum": datum}
    from patrol.foundation.geometry import distance_m

    moved = distance_m(reply.json["latitude"], reply.json["longitude"], HERE["latitude"], HERE["longitude"])
    assert moved > least_m


def test_a_repeat_is_the_same_check_in_and_other_content_conflicts(chief):
    check_in_id = uuid4()
    first, again = (chief.put(f"check-ins/{check_in_id}", json=body()) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json["receipt"]["duplicates"] == 1
    assert {**again.json, "receipt": 0} == {**first.json, "receipt": 0}
    other = chief.put(f"check-ins/{check_in_id}", json=body(note="另一件事"))
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert db.session.query(CheckIn).count() == 1


def test_sent_at_may_differ_between_tries(chief):
    check_in_id = uuid4()
    assert chief.put(f"check-ins/{check_in_id}", json=body(sent_at="2026-11-20T09:00:00+08:00")).status_code == 201
    assert chief.put(f"check-ins/{check_in_id}", json=body(sent_at="2026-11-21T09:00:00+08:00")).status_code == 200


def test_photos_announced_first_arrive_later(chief):
    photo_id, check_in_id = str(uuid4()), uuid4()
    announced = body(photos=[{"id": photo_id}])
    reply = chief.put(f"check-ins/{check_in_id}", json=announced)
    assert reply.json["receipt"]["missing"] == [photo_id]
    sent = chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    assert sent.status_code == 201, sent.json
    assert chief.put(f"check-ins/{check_in_id}", json=announced).json["receipt"]["missing"] == []


def test_photos_sent_before(chief):
    photo_id = str(uuid4())
    chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    reply = chief.put(f"check-ins/{uuid4()}", json=body(photos=[{"id": photo_id}]))
    assert reply.json["photos"][0]["arrived"]


def test_photos_in_the_same_request_and_the_same_request_again(chief):
    check_in_id = str(uuid4())

    def send():
        return chief.post("check-ins", data={
            **{key: str(value) for key, value in HERE.items()}, "id": check_in_id, "recorded_at": AT,
            "checklist": '{"water": "normal"}',
            "photos": [(io.BytesIO(camera_jpeg(seed)), "IMG.jpg") for seed in (1, 2)],
        }, content_type="multipart/form-data")

    first, again = send(), send()
    assert first.status_code == 201, first.json
    assert again.status_code == 200
    assert len(first.json["photos"]) == 2
    assert first.json["photos"] == again.json["photos"]
    assert all(photo["arrived"] for photo in first.json["photos"])


def test_a_photo_of_somebody_else_cannot_be_claimed(chief, world, signed_in, build):
    stranger = signed_in(world.stranger)
    photo_id = str(uuid4())
    stranger.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    reply = chief.put(f"check-ins/{uuid4()}", json=body(photos=[{"id": photo_id}]))
    assert reply.status_code == 422
    assert "photos" in reply.json["errors"]
    announced_before = str(uuid4())
    chief.put(f"check-ins/{uuid4()}", json=body(photos=[{"id": announced_before}]))
    stranger.put(f"photos/{announced_before}", data=camera_jpeg(2), headers={"Content-Type": "image/jpeg"})
    assert chief.get(f"photos/{announced_before}").status_code == 404


def test_the_office_sees_the_photos_of_its_region_only(chief, world, signed_in, build):
    photo_id = str(uuid4())
    chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    chief.put(f"check-ins/{uuid4()}", json=body(photos=[{"id": photo_id}]))
    assert signed_in(build.person("office", region=world.town)).get(f"photos/{photo_id}").status_code == 200
    assert signed_in(build.person("office", region=world.other)).get(f"photos/{photo_id}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"latitude": 91}, "latitude"), ({"longitude": "east"}, "longitude"), ({"recorded_at": "2026-11-20T08:30:00"}, "recorded_at"),
     ({"datum": "mars"}, "datum"), ({"accuracy_m": -1}, "accuracy_m"), ({"checklist": {"sky": "normal"}}, "checklist.sky.key"),
     ({"checklist": {"water": "wet"}}, "checklist.water.value"), ({"colour": "blue"}, "colour"),
     ({"reach_id": str(uuid4())}, "reach_id"), ({"photos": [{"id": "x"}]}, "photos.0.id"),
     ({"photos": [{"id": str(uuid4()), "sha256": f"{'a' * 64}\n"}]}, "photos.0.sha256"),
     ({"datum": "gcj02", "latitude": 48.8, "longitude": 2.3}, "datum"), ({"note": "x" * 2001}, "note")],
)
def test_bad_check_ins_are_refused_by_field_and_nothing_stays(chief, changes, field):
    reply = chief.put(f"check-ins/{uuid4()}", json=body(**changes))
    assert reply.status_code == 422, reply.json
    assert field in reply.json["errors"], reply.json
    assert db.session.query(CheckIn).count() == 0


@pytest.mark.parametrize("days", [-400, 400])
def test_a_wrong_device_clock_is_accepted_and_all_times_kept(chief, days):
    moment = (clock.now() + timedelta(days=days)).astimezone(UTC)
    reply = chief.put(f"check-ins/{uuid4()}", json=body(recorded_at=moment.isoformat()))
    assert reply.status_code == 201
    assert abs(datetime.fromisoformat(reply.json["received_at"]) - clock.now()) < timedelta(minutes=1)


def test_far_from_any_reach_it_still_counts_in_the_region(chief, world):
    reply = chief.put(f"check-ins/{uuid4()}", json=body(latitude=29.7))
    assert reply.status_code == 201
    assert reply.json["reach"] is None


def patrol_body(world, **changes):
    return {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": AT, **changes}


def test_a_patrol_from_beginning_to_end(chief, world):
    patrol_id = uuid4()
    begun, again = (chief.put(f"patrols/{patrol_id}", json=patrol_body(world)) for _ in range(2))
    assert (begun.status_code, again.status_code) == (201, 200)
    chief.put(f"check-ins/{uuid4()}", json=body(patrol_id=str(patrol_id)))
    end = {"ended_at": "2026-11-20T09:10:00+08:00", "summary": "一切正常"}
    assert chief.post(f"patrols/{patrol_id}/finish", json=end).status_code == 200
    assert chief.post(f"patrols/{patrol_id}/finish", json=end).status_code == 200
    assert chief.post(f"patrols/{patrol_id}/finish", json={**end, "summary": "改口"}).status_code == 409
    shown = chief.get(f"patrols/{patrol_id}").json
    assert [row["note"] for row in shown["check_ins"]] == ["水面有漂浮物"]
    assert shown["reaches"][0]["code"] == world.reach.code


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_phone_at_the_ends_of_the_calendar_is_taken_in(chief, world, moment):
    patrol_id = uuid4()
    assert chief.put(f"patrols/{patrol_id}", json=patrol_body(world, started_at=moment)).status_code == 201
    assert chief.get(f"patrols/{patrol_id}").status_code == 200


def test_a_patrol_cannot_end_before_it_began_or_be_ended_by_others(chief, world, signed_in, build):
    patrol_id = uuid4()
    chief.put(f"patrols/{patrol_id}", json=patrol_body(world))
    assert chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": "2026-11-20T08:00:00+08:00"}).status_code == 422
    end = {"ended_at": "2026-11-20T10:00:00+08:00"}
    assert signed_in(world.stranger).post(f"patrols/{patrol_id}/finish", json=end).status_code == 404
    colleague = signed_in(build.person("chief", region=world.village))
    assert colleague.post(f"patrols/{patrol_id}/finish", json=end).status_code == 422


def test_who_sees_which_patrols(chief, world, signed_in, build):
    patrol_id = uuid4()
    chief.put(f"patrols/{patrol_id}", json=patrol_body(world))
    check_in_id = uuid4()
    chief.put(f"check-ins/{check_in_id}", json=body())
    for person, status in ((build.person("supervisor"), 200), (build.person("chief", region=world.town), 200), (world.stranger, 404)):
        client = signed_in(person)
        assert client.get(f"patrols/{patrol_id}").status_code == status
        assert client.get(f"check-ins/{check_in_id}").status_code == status
        assert len(client.get("patrols").json["items"]) == (status == 200)
    assert signed_in(build.person("handler")).get("patrols").status_code == 403


def test_lists_filter_by_person_reach_and_time(chief, world, signed_in, build):
    for day in (18, 19, 20):
        chief.put(f"check-ins/{uuid4()}", json=body(recorded_at=f"2026-11-{day}T08:00:00+08:00"))
    office = signed_in(build.person("office"))

    def days(**query):
        return [row["recorded_at"][8:10] for row in office.get("check-ins", query_string=query).json["items"]]

    assert days() == ["20", "19", "18"]
    assert days(after="2026-11-19T00:00:00+08:00") == ["20", "19"]
    assert days(before="2026-11-19T00:00:00+08:00") == ["18"]
    assert days(after="2026-11-19") == ["20", "19"]
    assert days(after="2026-11-19", before="2026-11-19") == ["19"]
    assert days(person=str(world.chief.id)) == ["20", "19", "18"]
    assert days(person="me") == []
    assert days(reach=str(world.reach.id), limit=1) == ["20"]
    assert days(region=world.other.code) == []
    assert office.get("check-ins", query_string={"person": "nobody"}).status_code == 422


@pytest.mark.parametrize("rows", [1, 8])
def test_listing_costs_the_same_number_of_queries(chief, signed_in, build, queries, rows):
    for _ in range(rows):
        chief.put(f"check-ins/{uuid4()}", json=body(photos=[{"id": str(uuid4())}]))
    office = signed_in(build.person("office"))
    db.session.remove()
    queries.clear()
    assert len(office.get("check-ins").json["items"]) == rows
    assert len(queries) <= 4, queries

"""Tracks over HTTP: receipts, repeats, what is put aside, pauses, ends, exports, and who looked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import gpxpy
import numpy as np
import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols import events, track_actions
from patrol.patrols.models import Patrol
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.track_queries import track_of_patrol
from patrol.patrols.track_upkeep import end_forgotten_patrols, purge_tracks
from patrol.people.models import AuditEntry
from tests.patrols.on_patrol import work

START = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)


def at(seconds) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def points(first=0, count=10, every=5, **more):
    return [{"recorded_at": at((first + step) * every), "latitude": round(29.6 + (first + step) * 1e-4, 7),
             "longitude": 119.81, "accuracy_m": 6.5, **more} for step in range(count)]


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        other = build.region(level="village")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)
        colleague = build.person("patroller", region=village)
        office = build.person("office", region=village, name="办公室")
        stranger = build.person("chief", region=other)

    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


@pytest.fixture
def patrol_id(chief, world):
    made = uuid4()
    body = {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": at(0)}
    assert chief.put(f"patrols/{made}", json=body).status_code == 201
    return made


def send(caller, patrol_id, sent, *, batch_id=None, **more):
    return caller.post(f"patrols/{patrol_id}/track", json={"batch_id": str(batch_id or uuid4()), "points": sent, **more})


def track(patrol_id):
    return track_of_patrol(db.session.get(Patrol, patrol_id))


def test_a_batch_gets_a_receipt_and_a_repeat_the_same_state(chief, patrol_id):
    batch_id = uuid4()
    first, again = (send(chief, patrol_id, points(), batch_id=batch_id, sent_at=at(when)) for when in (60, 90))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == {"accepted": 10, "duplicates": 0, "quarantined": [], "missing": []}
    assert again.json == {"accepted": 0, "duplicates": 10, "quarantined": [], "missing": []}
    other = send(chief, patrol_id, points(1), batch_id=batch_id)
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]
    assert len(track(patrol_id)) == 10


def test_the_same_fixes_in_another_batch_are_duplicates(chief, patrol_id):
    send(chief, patrol_id, points(0, 10))
    reply = send(chief, patrol_id, points(5, 10))
    assert (reply.json["accepted"], reply.json["duplicates"]) == (5, 5)
    assert len(track(patrol_id)) == 15
    assert db.session.query(TrackBatch.count).order_by(TrackBatch.received_at).all() == [(10,), (5,)]


def test_bad_points_are_put_aside_and_the_rest_is_kept(chief, patrol_id):
    sent = [*points(0, 2), {"recorded_at": at(7), "latitude": 91, "longitude": 119.8}, {"latitude": 29.6, "longitude": 119.8},
            {**points(0, 1)[0], "recorded_at": at(-300)}]
    reply = send(chief, patrol_id, sent)
    assert reply.status_code == 201
    assert [(entry["index"], entry["code"]) for entry in reply.json["quarantined"]] == [
        (2, "bad_coordinates"), (3, "no_time"), (4, "outside_patrol")]
    assert all(entry["reason"] for entry in reply.json["quarantined"])
    assert reply.json["accepted"] == 2


def test_reasons_are_told_in_english_too(chief, patrol_id):
    reply = chief.post(f"patrols/{patrol_id}/track", headers={"Accept-Language": "en"}, json={
        "batch_id": str(uuid4()), "points": [{"latitude": 29.6, "longitude": 119.8}]})
    assert reply.json["quarantined"][0]["reason"].startswith("It has no time")


@pytest.mark.parametrize("sent", [
    [], "points", [1], [{"recorded_at": at(0), "latitude": 29.6, "longitude": 119.8, "colour": "red"}], [{}] * 5001])
def test_a_body_that_is_no_batch_is_refused_whole(chief, patrol_id, sent):
    reply = send(chief, patrol_id, sent)
    assert reply.status_code == 422
    assert "points" in reply.json["errors"]
    assert db.session.query(TrackBatch).count() == 0


def test_another_datum_is_kept_raw_and_read_as_wgs84(chief, patrol_id):
    reply = send(chief, patrol_id, [*points(0, 1), {**points(1, 1)[0], "longitude": 2.3}], datum="gcj02")
    assert [entry["code"] for entry in reply.json["quarantined"]] == ["outside_datum"]
    assert track(patrol_id).latitude[0] != 29.6
    from patrol.patrols.track_actions import track_in

    assert track_in(db.session.query(TrackBatch).one()).latitude[0] == 29.6


def test_a_fix_from_the_future_is_kept_and_counted(chief, patrol_id):
    with clock.moved_clock(lambda: START + timedelta(minutes=10)):
        reply = send(chief, patrol_id, [*points(0, 1), {**points(0, 1)[0], "recorded_at": at(3600)}])
    assert reply.json["accepted"] == 2
    assert db.session.query(TrackBatch.ahead).scalar() == 1


def test_the_patrol_must_be_visible_and_ones_own(patrol_id, world, signed_in):
    assert send(signed_in(world.stranger), patrol_id, points()).status_code == 404
    assert send(signed_in(world.colleague), patrol_id, points()).status_code == 422
    assert send(signed_in(world.chief), uuid4(), points()).status_code == 404


def test_fixes_beyond_the_end_go_whether_they_came_before_or_after_it(chief, world):
    ids = [uuid4(), uuid4()]
    for patrol_id, order in zip(ids, ("track first", "finish first"), strict=True):
        chief.put(f"patrols/{patrol_id}", json={"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": at(0)})
        acts = [lambda p=patrol_id: send(chief, p, points(0, 100)), lambda p=patrol_id: chief.post(f"patrols/{p}/finish", json={"ended_at": at(60)})]
        for act in acts if order == "track first" else acts[::-1]:
            assert act().status_code < 300
    first, second = (track(patrol_id) for patrol_id in ids)
    assert len(first) == len(second) == (60 + 120) // 5 + 1
    assert np.array_equal(first.latitude, second.latitude)
    assert {batch.count for batch in db.session.query(TrackBatch)} == {37}


def test_events_tell_when_a_batch_comes_and_when_fixes_go(chief, patrol_id, monkeypatch):
    told = []
    monkeypatch.setattr("patrol.foundation.events._subscribers", {
        kind: [told.append] for kind in (events.TrackArrived, events.PatrolEnded, events.PatrolPaused)})
    batch_id = uuid4()
    for _ in range(2):
        send(chief, patrol_id, points(0, 100), batch_id=batch_id)
    send(chief, patrol_id, points(0, 100))
    chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": at(60)})
    assert told == [
        *2 * [events.TrackArrived(patrol_id=patrol_id, goes_on=True)], events.TrackArrived(patrol_id=patrol_id, goes_on=False),
        events.PatrolEnded(patrol_id=patrol_id),
    ]


def test_pauses_are_idempotent_and_shown(chief, patrol_id):
    body = {"id": str(uuid4()), "started_at": at(60), "ended_at": at(120)}
    assert [chief.post(f"patrols/{patrol_id}/pauses", json=body).status_code for _ in range(2)] == [201, 200]
    assert chief.post(f"patrols/{patrol_id}/pauses", json={**body, "ended_at": at(90)}).status_code == 409
    assert chief.post(f"patrols/{patrol_id}/pauses", json={**body, "id": str(uuid4()), "ended_at": at(0)}).status_code == 422
    assert [pause["id"] for pause in chief.get(f"patrols/{patrol_id}").json["pauses"]] == [body["id"]]


def test_a_time_without_signal_is_marked_as_pauses_are(chief, patrol_id):
    path, rest = f"patrols/{patrol_id}/pauses", {"id": str(uuid4()), "started_at": at(60), "ended_at": at(120)}
    mark = {"id": str(uuid4()), "started_at": at(200), "ended_at": at(900), "cause": "no_signal"}
    assert [chief.post(path, json=body).json["cause"] for body in (rest, mark)] == ["person", "no_signal"]
    assert [chief.post(path, json=body).status_code for body in (rest, {**rest, "cause": "person"}, mark)] == [200, 200, 200]
    assert [chief.post(path, json={**body, "cause": cause}).status_code for body, cause in ((rest, "no_signal"), (mark, "person"))] == [409, 409]
    assert chief.post(path, json={**mark, "id": str(uuid4()), "cause": "tunnel"}).status_code == 422
    told = chief.get(f"patrols/{patrol_id}").json["pauses"]
    assert [(pause["id"], pause["cause"]) for pause in told] == [(rest["id"], "person"), (mark["id"], "no_signal")]


@pytest.mark.parametrize(("first", "last"), [(-3600, -3000), (-180, 60), (60, 3 * 86_400), (4 * 86_400, 5 * 86_400)])
def test_a_mark_outside_any_time_of_the_patrol_is_refused(chief, patrol_id, first, last):
    body = {"id": str(uuid4()), "started_at": at(first), "ended_at": at(last)}
    reply = chief.post(f"patrols/{patrol_id}/pauses", json={**body, "cause": "no_signal"})
    assert (reply.status_code, list(reply.json["errors"])) == (422, ["started_at"])
    assert "两天" in chief.post(f"patrols/{patrol_id}/pauses", json={**body, "cause": "no_signal"}, headers={"Accept-Language": "zh"}).json["detail"]
    assert "two days" in chief.post(f"patrols/{patrol_id}/pauses", json={**body, "cause": "no_signal"}, headers={"Accept-Language": "en"}).json["detail"]
    assert chief.get(f"patrols/{patrol_id}").json["pauses"] == []


def test_marks_beyond_the_said_end_do_not_depend_on_what_came_first(chief, patrol_id):
    for number in range(2):
        body = {"id": str(uuid4()), "started_at": at(500), "ended_at": at(900), "cause": "no_signal"}
        assert chief.post(f"patrols/{patrol_id}/pauses", json=body).status_code == 201
        if not number:
            assert chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": at(600)}).status_code == 200


def test_marks_are_bounded_in_number_and_one_sent_again_is_known(chief, patrol_id, monkeypatch):
    monkeypatch.setattr(track_actions, "MOST_MARKS", 2)
    bodies = [{"id": str(uuid4()), "started_at": at(60), "ended_at": at(90 + n), "cause": "no_signal"} for n in range(3)]
    replies = [chief.post(f"patrols/{patrol_id}/pauses", json=body) for body in (*bodies, bodies[0])]
    assert [reply.status_code for reply in replies] == [201, 201, 422, 200]
    assert list(replies[2].json["errors"]) == ["cause"]
    assert chief.post(f"patrols/{patrol_id}/pauses", json={"id": str(uuid4()), "started_at": at(60), "ended_at": at(90)}).status_code == 201


def test_a_patrol_tells_the_device_in_detail(chief, world):
    details = {"id": "3f2a", "model": "Redmi", "app": "xunhe-pwa", "app_version": "1.4.0"}
    body = {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": at(0), "device_details": details}
    reply = chief.put(f"patrols/{uuid4()}", json=body)
    assert reply.json["device_details"] == details
    assert chief.put(f"patrols/{uuid4()}", json={**body, "device_details": {"imei": "1"}}).status_code == 422


def test_the_system_ends_a_forgotten_patrol_and_late_fixes_and_the_person_s_end_still_count(chief, patrol_id):
    send(chief, patrol_id, points(0, 10))
    now = clock.now()
    with clock.moved_clock(lambda: now + timedelta(hours=11)):
        assert end_forgotten_patrols() == 0
    with clock.moved_clock(lambda: now + timedelta(hours=13)):
        assert (end_forgotten_patrols(), end_forgotten_patrols()) == (1, 0)
    shown = chief.get(f"patrols/{patrol_id}").json
    assert (shown["ended_by"], datetime.fromisoformat(shown["ended_at"])) == ("system", START + timedelta(seconds=45))
    assert "系统" in shown["end_reason"]
    assert send(chief, patrol_id, points(100, 10)).json["accepted"] == 10
    shown = chief.get(f"patrols/{patrol_id}").json
    assert datetime.fromisoformat(shown["ended_at"]) == START + timedelta(seconds=109 * 5)
    assert chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": at(100), "summary": "正常"}).status_code == 200
    shown = chief.get(f"patrols/{patrol_id}").json
    assert (shown["ended_by"], shown["end_reason"], shown["summary"]) == ("person", None, "正常")
    assert len(track(patrol_id)) == 10


@pytest.mark.parametrize("comes_late", [False, True])
def test_a_fix_of_another_year_makes_no_patrol_of_years(chief, patrol_id, comes_late):
    """A receiver that miscounts weeks or a clock set on the way; nobody says an end."""
    wild = [{**points(0, 1)[0], "recorded_at": "2046-01-01T00:00:00Z"}]
    send(chief, patrol_id, points(0, 10) if comes_late else [*points(0, 10), *wild])
    preview = chief.get(f"patrols/{patrol_id}/preview").json
    assert datetime.fromisoformat(preview["ended_at"]) <= clock.now() + timedelta(minutes=5)
    now = clock.now()
    with clock.moved_clock(lambda: now + timedelta(hours=13)):
        assert end_forgotten_patrols() == 1
        if comes_late:
            assert send(chief, patrol_id, wild).json["accepted"] == 1
    assert datetime.fromisoformat(chief.get(f"patrols/{patrol_id}").json["ended_at"]) == START + timedelta(seconds=45)
    assert len(track(patrol_id)) == 11, "nothing that was sent is lost"


def test_a_fix_of_another_age_holds_no_examination_up(chief, patrol_id):
    """A grid over thousands of years would not fit into any memory."""
    send(chief, patrol_id, [*points(0, 60), {**points(0, 1)[0], "recorded_at": "9990-01-01T00:00:00Z"}])
    assert chief.get(f"patrols/{patrol_id}/preview").status_code == 200
    now = clock.now()
    with clock.moved_clock(lambda: now + timedelta(hours=13)):
        assert end_forgotten_patrols() == 1
        work()
    assert chief.get(f"patrols/{patrol_id}").json["verdict"]


def test_a_patrol_of_which_something_still_arrives_is_not_forgotten(chief, patrol_id):
    now = clock.now()
    with clock.moved_clock(lambda: now + timedelta(hours=10)):
        send(chief, patrol_id, points())
    with clock.moved_clock(lambda: now + timedelta(hours=13)):
        assert end_forgotten_patrols() == 0


def test_exports_hold_what_was_sent(chief, patrol_id):
    send(chief, patrol_id, points(0, 10, altitude_m=31.2, mock=False))
    parsed = gpxpy.parse(chief.get(f"patrols/{patrol_id}.gpx").get_data(as_text=True))
    [fixes] = [segment.points for line in parsed.tracks for segment in line.segments]
    assert [(fix.latitude, fix.longitude, fix.elevation, fix.time) for fix in fixes] == [
        (sent["latitude"], sent["longitude"], 31.2, datetime.fromisoformat(sent["recorded_at"])) for sent in points()]
    feature = chief.get(f"patrols/{patrol_id}.geojson")
    assert feature.mimetype == "application/geo+json"
    assert feature.json["geometry"]["coordinates"][3] == [119.81, 29.6003]
    assert feature.json["properties"]["accuracy_m"] == [6.5] * 10
    assert feature.json["properties"]["speed_mps"] == [None] * 10
    assert feature.json["properties"]["mock"] == [False] * 10


def test_exports_say_what_a_device_sent_in_another_datum(chief, patrol_id):
    send(chief, patrol_id, points(0, 2))
    assert "raw" not in chief.get(f"patrols/{patrol_id}.geojson").json["properties"]
    send(chief, patrol_id, points(2, 2), datum="gcj02")
    sent = [None, None, *({"latitude": point["latitude"], "longitude": point["longitude"], "datum": "gcj02"} for point in points(2, 2))]
    feature = chief.get(f"patrols/{patrol_id}.geojson").json
    assert feature["properties"]["raw"] == sent
    assert chief.get("me/tracks.geojson").json["features"][0]["properties"]["raw"] == sent
    assert feature["geometry"]["coordinates"][2] != [119.81, 29.6002]
    parsed = gpxpy.parse(chief.get(f"patrols/{patrol_id}.gpx").get_data(as_text=True))
    told = [{element.tag.split("}")[1]: element.text for element in fix.extensions} for fix in parsed.tracks[0].segments[0].points]
    assert [set(of_one) for of_one in told[:2]] == [{"accuracy_m"}] * 2
    assert [(of_one["raw_latitude"], of_one["raw_longitude"], of_one["raw_datum"]) for of_one in told[2:]] == [
        ("29.6002", "119.81", "gcj02"), ("29.6003", "119.81", "gcj02")]


def test_no_fix_and_one_fix_are_exported_too(chief, patrol_id):
    assert chief.get(f"patrols/{patrol_id}.geojson").json["geometry"] is None
    assert chief.get(f"patrols/{patrol_id}/line").json["geometry"] is None
    assert len(gpxpy.parse(chief.get(f"patrols/{patrol_id}.gpx").get_data(as_text=True)).tracks) == 1
    send(chief, patrol_id, points(0, 1))
    assert chief.get(f"patrols/{patrol_id}/line").json["geometry"]["type"] == "Point"


def test_the_line_strays_no_further_than_asked(chief, patrol_id):
    bent = [{"recorded_at": at(step), "latitude": 29.6 + (step % 2) * 0.00009, "longitude": 119.81 + step * 1e-4} for step in range(20)]
    send(chief, patrol_id, bent)
    shown = [len(chief.get(f"patrols/{patrol_id}/line?tolerance_m={metres}").json["geometry"]["coordinates"]) for metres in (0, 5, 20)]
    assert shown == [20, 20, 2]
    assert chief.get(f"patrols/{patrol_id}/line?tolerance_m=-1").status_code == 422


def test_each_look_at_anothers_track_is_written_down_and_shown_to_its_person(chief, patrol_id, world, signed_in):
    send(chief, patrol_id, points())
    office = signed_in(world.office)
    for ending in (".gpx", ".geojson", "/line"):
        assert office.get(f"patrols/{patrol_id}{ending}").status_code == 200
        assert chief.get(f"patrols/{patrol_id}{ending}").status_code == 200
    entries = db.session.query(AuditEntry).filter_by(act="see_track").all()
    assert {(entry.actor_id, entry.subject, entry.facts["shape"]) for entry in entries} == {
        (world.office.id, str(patrol_id), shape) for shape in ("gpx", "geojson", "line")}
    own = chief.get("me/tracks.geojson")
    [feature] = own.json["features"]
    assert feature["id"] == str(patrol_id)
    assert len(feature["geometry"]["coordinates"]) == 10
    assert [look["by"] for look in feature["properties"]["looks"]] == ["办公室"] * 3
    assert office.get("me/tracks.geojson").json["features"] == []


def test_raw_tracks_are_purged_after_their_time(chief, patrol_id, app):
    batch_id = uuid4()
    send(chief, patrol_id, points(), batch_id=batch_id)
    now, days = clock.now(), app.extensions["settings"].track_days
    with clock.moved_clock(lambda: now + timedelta(days=days - 1)):
        assert purge_tracks() == 0
    with clock.moved_clock(lambda: now + timedelta(days=days + 1)):
        assert (purge_tracks(), purge_tracks()) == (1, 0)
    db.session.expire_all()
    assert len(track(patrol_id)) == 0
    assert db.session.query(TrackBatch.count).scalar() == 10
    assert send(chief, patrol_id, points(), batch_id=batch_id).json["duplicates"] == 10
    assert db.session.query(AuditEntry).filter_by(act="purge_tracks").one().facts["batches"] == 1


def test_purging_and_ending_by_hand(app, database):
    assert app.test_cli_runner().invoke(args=["patrols", "purge-tracks"]).output == "0 batches purged\n"
    assert app.test_cli_runner().invoke(args=["patrols", "end-forgotten"]).output == "0 patrols ended\n"


def test_a_usual_batch_asks_the_database_little(chief, patrol_id, queries):
    send(chief, patrol_id, points(0, 100))
    # Who asks, the patrol, the batch's id, those beside it, the batch itself.
    assert len(queries) == 5

"""Devices of other makes over HTTP: one ingest, whatever the way; a bad point never blocks a phone; nothing outside a patrol is kept."""

import base64
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import gpxpy.gpx
import pytest
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.device_models import Device
from patrol.patrols.models import Patrol
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.track_queries import track_of_patrol
from tests.patrols.on_patrol import work


@pytest.fixture
def chief(build, signed_in):
    """A chief with an open patrol that began an hour ago, and a device."""
    person, reach = build.person("chief"), build.reach()
    build.appointment(reach, person)
    client = signed_in(person)
    client.person, client.began = person, clock.now().replace(microsecond=0) - timedelta(hours=1)
    client.patrol_id = str(uuid4())
    assert client.put(f"patrols/{client.patrol_id}", json={
        "reach_ids": [str(reach.id)], "mode": "walk", "started_at": client.began.isoformat()}).status_code == 201
    client.device = client.post("devices", json={"label": "OsmAnd", "speed_unit": "knots"}).json
    return client


def stamp(chief, minutes):
    return int((chief.began + timedelta(minutes=minutes)).timestamp())


def osmand(anyone, chief, minutes, **values):
    fields = {"id": chief.device["key"], "lat": "29.6001", "lon": "119.8101", "timestamp": stamp(chief, minutes), "speed": "2", "accuracy": "5", **values}
    return anyone.get("/ingest/osmand", query_string=fields)


def track(chief):
    db.session.expire_all()
    return track_of_patrol(db.session.scalar(select(Patrol)))


def shown(chief):
    [device] = chief.get("devices").json["items"]
    return device


def owntracks(anyone, key, body):
    token = base64.b64encode(f"chief:{key}".encode()).decode()
    return anyone.post("/ingest/owntracks", data=body, headers={"Authorization": f"Basic {token}", "X-Limit-U": "chief", "X-Limit-D": "phone"})


def test_one_fix_by_four_ways_is_one(anyone, chief):
    at = stamp(chief, 5)
    assert osmand(anyone, chief, 5).data == b""
    form = {"id": chief.device["key"], "lat": "29.6001", "lon": "119.8101", "timestamp": str(at * 1000), "accuracy": "5"}
    assert anyone.post("/api/v1/ingest/osmand", data=form).status_code == 200
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    body = {"device_id": chief.device["key"], "location": {"timestamp": moment, "coords": {"latitude": 29.6001, "longitude": 119.8101, "speed": -1}}}
    assert anyone.post("/ingest/osmand", json=body).status_code == 200
    reply = owntracks(anyone, chief.device["key"], f'{{"_type":"location","tst":{at},"lat":29.6001,"lon":119.8101,"acc":5}}')
    assert (reply.status_code, reply.json) == (200, [])
    assert chief.post(f"patrols/{chief.patrol_id}/gpx", data=gpx(chief, [5, 6]), headers={"Content-Type": "application/gpx+xml"}).json["duplicates"] == 1
    found = track(chief)
    assert len(found) == 2
    assert found.source[0] == min(found.source), "the way that knows more counts"


def gpx(chief, minutes, *, timed=True):
    file, track, segment = gpxpy.gpx.GPX(), gpxpy.gpx.GPXTrack(), gpxpy.gpx.GPXTrackSegment()
    file.tracks.append(track)
    track.segments.append(segment)
    for number, minute in enumerate(minutes):
        at = chief.began + timedelta(minutes=minute) if timed else None
        segment.points.append(gpxpy.gpx.GPXTrackPoint(29.6001 + number * 1e-4, 119.8101, elevation=30, time=at))
    return file.to_xml().encode()


@pytest.mark.parametrize("rounded", [29.600101, 29.600102])
@pytest.mark.parametrize("file_first", [False, True])
def test_a_fix_that_a_file_has_with_a_digit_less_is_one(anyone, chief, rounded, file_first):
    def upload():
        file = gpx(chief, [5]).replace(b'lat="29.6001"', f'lat="{rounded}"'.encode())
        assert chief.post(f"patrols/{chief.patrol_id}/gpx", data=file, headers={"Content-Type": "application/gpx+xml"}).status_code == 200

    if file_first:
        upload()
    assert osmand(anyone, chief, 5, lat="29.6001015").status_code == 200
    upload()
    assert track(chief).latitude.tolist() == [29.6001015]
    upload()
    assert sum(db.session.scalars(select(TrackBatch.count))) <= 2, "sent again it is stored no third time"


def test_a_live_fix_that_comes_before_its_patrol_is_answered_and_gone(anyone, chief):
    """Our own app brings the patrol home later: nobody keeps a position for a patrol that may never come."""
    early = chief.began - timedelta(hours=2)
    assert osmand(anyone, chief, -90).status_code == 200
    reach_ids = chief.get(f"patrols/{chief.patrol_id}").json["reaches"]
    body = {"reach_ids": [reach["id"] for reach in reach_ids], "mode": "walk", "started_at": early.isoformat()}
    patrol_id = str(uuid4())
    assert chief.put(f"patrols/{patrol_id}", json=body).status_code == 201
    assert shown(chief)["refused"] == {"outside_patrol": 1}
    assert chief.get(f"patrols/{patrol_id}.geojson").json["geometry"] is None


def test_a_repeated_message_is_the_same_batch(anyone, chief):
    for _ in range(3):
        assert osmand(anyone, chief, 5).status_code == 200
    assert db.session.query(TrackBatch).count() == 1
    assert len(track(chief)) == 1


@pytest.mark.parametrize(("values", "code"), [
    ({"lat": "91"}, "bad_coordinates"), ({"timestamp": ""}, "no_time"), ({"timestamp": "2026-05-01 08:30:00"}, "no_time_zone"), ({"speed": "x"}, "bad_value"),
])
def test_a_bad_point_is_answered_200_and_shows_on_the_device(anyone, chief, values, code):
    assert osmand(anyone, chief, 5, **values).status_code == 200
    assert shown(chief)["refused"] == {code: 1}
    assert db.session.query(TrackBatch).count() == 0


def test_nothing_is_kept_outside_a_patrol_and_that_shows(anyone, chief):
    assert osmand(anyone, chief, -30).status_code == 200
    assert shown(chief)["refused"] == {"outside_patrol": 1}
    ended = (chief.began + timedelta(minutes=20)).isoformat()
    assert chief.post(f"patrols/{chief.patrol_id}/finish", json={"ended_at": ended}).status_code == 200
    assert osmand(anyone, chief, 40).status_code == 200
    assert osmand(anyone, chief, 10).status_code == 200, "late, and within the patrol's time"
    assert shown(chief)["refused"] == {"outside_patrol": 2}
    assert len(track(chief)) == 1
    batches = db.session.scalars(select(TrackBatch)).all()
    assert sum(batch.sent for batch in batches) == 1


def test_a_patrol_that_was_never_ended_takes_nothing_live_after_its_longest_time(anyone, chief):
    with clock.moved_clock(lambda: chief.began + timedelta(days=20)):
        for minutes in (30, 2 * 24 * 60 - 5, 2 * 24 * 60 + 5, 9 * 24 * 60):
            assert osmand(anyone, chief, minutes).status_code == 200
    assert shown(chief)["refused"] == {"outside_patrol": 2}, "whoever forgot to end a patrol is not followed for weeks"
    assert len(track(chief)) == 2


@pytest.mark.parametrize("ahead", [timedelta(minutes=4), timedelta(hours=8), timedelta(days=400)])
def test_a_phone_whose_clock_is_ahead_loses_nothing(anyone, chief, ahead):
    patrol_id, began = str(uuid4()), clock.now().replace(microsecond=0) + ahead
    reach_ids = [row["id"] for row in chief.get(f"patrols/{chief.patrol_id}").json["reaches"]]
    assert chief.put(f"patrols/{patrol_id}", json={"reach_ids": reach_ids, "mode": "walk", "started_at": began.isoformat()}).status_code == 201
    for seconds in (-60, 10):
        assert osmand(anyone, chief, 0, timestamp=int((began + timedelta(seconds=seconds)).timestamp())).status_code == 200
    assert shown(chief)["refused"] == {}
    assert len(chief.get(f"patrols/{patrol_id}.geojson").json["properties"]["recorded_at"]) == 2


def test_only_a_known_key_gets_in(anyone, chief, database):
    for key in ("", "wrong", chief.token):
        assert osmand(anyone, chief, 5, id=key).status_code == 401
        assert owntracks(anyone, key, "{}").status_code == 401
    assert anyone.post("/ingest/owntracks", data="{}").status_code == 401
    assert chief.delete(f"devices/{chief.device['id']}").status_code == 204
    assert osmand(anyone, chief, 5).status_code == 401
    assert chief.get("devices").json["items"] == []


@pytest.mark.parametrize("body", [b'{"device_id": "KEY", "location": {"coords": {"latitude": NaN', b'{"device_id":"KEY","location":7}', b'{"device_id":"KEY"}'])
def test_an_unreadable_message_never_blocks_a_phone(anyone, chief, body):
    """Traccar Client sends its oldest position until it is answered 2xx."""
    sent = body.replace(b"KEY", chief.device["key"].encode())
    reply = anyone.post("/ingest/osmand", data=sent, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.data) == (200, b"")
    assert shown(chief)["refused"] == {"unreadable": 1}
    assert anyone.post(f"/ingest/osmand?id={chief.device['key']}", data="{broken").status_code == 200
    assert shown(chief)["refused"] == {"unreadable": 2}
    assert anyone.post("/ingest/osmand", data="{broken").status_code == 200, "nobody's: only in the log"
    assert anyone.post("/ingest/osmand", data=body.replace(b"KEY", b"wrong")).status_code == 401


def test_a_message_of_100_mb_is_413_and_the_description_says_so(anyone, chief):
    key = base64.b64encode(f"chief:{chief.device['key']}".encode()).decode()
    for path, headers in (("ingest/osmand", {}), ("ingest/owntracks", {"Authorization": f"Basic {key}"})):
        reply = anyone.post(path, data=b"x", headers={"Content-Type": "application/json", **headers},
                            environ_overrides={"CONTENT_LENGTH": str(100 * 1024 * 1024)})
        assert reply.status_code == 413


def test_devices_are_paged(chief):
    for number in range(3):
        chief.post("devices", json={"label": f"app {number}"})
    first = chief.get("devices", query_string={"limit": 3}).json
    rest = chief.get("devices", query_string={"limit": 3, "cursor": first["next"]}).json
    assert [row["label"] for row in (*first["items"], *rest["items"])] == ["app 2", "app 1", "app 0", "OsmAnd"]
    assert rest["next"] is None


def test_disabling_an_account_closes_its_devices(anyone, chief):
    with transaction():
        db.session.get_one(type(chief.person), chief.person.id).disabled_at = clock.now()
    assert osmand(anyone, chief, 5).status_code == 401


@pytest.mark.parametrize("body", [b"", b"not json", b'{"_type":"encrypted","data":"x"}', b'{"_type":"waypoints"}', b"[1]", b"\xff", b"[" * 500])
def test_owntracks_is_always_answered(anyone, chief, body):
    reply = owntracks(anyone, chief.device["key"], body)
    assert (reply.status_code, reply.json) == (200, [])


def test_a_key_is_shown_once_and_kept_as_a_hash(chief):
    own = str(uuid4())
    first = chief.post("devices", json={"id": own, "label": "OwnTracks"})
    again = chief.post("devices", json={"id": own, "label": "OwnTracks"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert "key" not in again.json
    assert chief.post("devices", json={"id": own, "label": "another"}).status_code == 409
    assert first.json["key"] not in str([vars(row) for row in db.session.scalars(select(Device))])
    assert "key" not in chief.get("devices").json["items"][0]


def test_the_office_marks_an_external_receiver(chief, build, signed_in):
    office = signed_in(build.person("office"))
    path = f"devices/{chief.device['id']}"
    changed = office.patch(path, json={"is_receiver": True}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json["is_receiver"]) == (200, True)
    assert office.patch(path, json={"is_receiver": False}, headers={"If-Match": '"1"'}).status_code == 412
    assert chief.patch(path, json={"is_receiver": True}, headers={"If-Match": "*"}).status_code == 403


def test_a_receiver_explains_its_own_fixes_and_no_others(chief, anyone, signed_in, build):
    office, phone = signed_in(build.person("office")), chief.post("devices", json={"label": "Traccar", "speed_unit": "mps"}).json
    office.patch(f"devices/{chief.device['id']}", json={"is_receiver": True}, headers={"If-Match": "*"})
    for minute in range(3):
        osmand(anyone, chief, minute, mock="true")
    chief.post(f"patrols/{chief.patrol_id}/finish", json={"ended_at": (chief.began + timedelta(minutes=50)).isoformat()})

    def mocked():
        work()
        return next(row for row in chief.get(f"patrols/{chief.patrol_id}").json["findings"] if row["code"] == "mock_location")

    assert (mocked()["severity"], mocked()["evidence"]["trusted_receiver"]) == ("info", True)
    osmand(anyone, chief, 20, mock="true", id=phone["key"])
    found = mocked()
    assert (found["severity"], found["evidence"]["fixes"], found["evidence"]["trusted_receiver"]) == ("high", 1, False)
    for marked, severity in ((True, "info"), (False, "high")):
        office.patch(f"devices/{phone['id']}", json={"is_receiver": marked}, headers={"If-Match": "*"})
        assert chief.get(f"patrols/{chief.patrol_id}").json["stale"]
        assert mocked()["severity"] == severity, "the worker looks again by itself"
        assert not chief.get(f"patrols/{chief.patrol_id}").json["stale"]


@pytest.mark.parametrize("later", [False, True])
def test_a_receiver_that_is_given_back_goes_on_explaining_what_it_sent(chief, anyone, signed_in, build, later):
    """What comes later lets the patrol be examined again; the office can still take back its own mark."""
    office, path = signed_in(build.person("office")), f"devices/{chief.device['id']}"
    office.patch(path, json={"is_receiver": True}, headers={"If-Match": "*"})
    for minute in range(3):
        osmand(anyone, chief, minute, mock="true")
    if later:
        assert chief.delete(path).status_code == 204
    chief.post(f"patrols/{chief.patrol_id}/finish", json={"ended_at": (chief.began + timedelta(minutes=50)).isoformat()})
    work()
    assert severity_of_mock(chief) == "info"
    if not later:
        assert chief.delete(path).status_code == 204
    chief.post(f"patrols/{chief.patrol_id}/pauses", json={
        "id": str(uuid4()), "started_at": chief.began.isoformat(), "ended_at": (chief.began + timedelta(seconds=1)).isoformat()})
    work()
    assert severity_of_mock(chief) == "info"
    assert office.patch(path, json={"is_receiver": False}, headers={"If-Match": "*"}).status_code == 200
    work()
    assert severity_of_mock(chief) == "high"


def severity_of_mock(chief):
    answer = chief.get(f"patrols/{chief.patrol_id}").json
    assert not answer["stale"]
    return next(row["severity"] for row in answer["findings"] if row["code"] == "mock_location")


@pytest.mark.parametrize("receivers", [("own",), ("other",)])
@pytest.mark.parametrize("first", ["own", "other"])
def test_one_fix_by_a_receiver_and_by_another_app_is_judged_alike_whichever_came_first(chief, anyone, signed_in, build, receivers, first):
    """Both apps of a phone report the receiver's fix as made up; the one that counts is the app's that knows more."""
    office, other = signed_in(build.person("office")), chief.post("devices", json={"label": "Traccar", "speed_unit": "mps"}).json
    office.patch(f"devices/{(chief.device if receivers == ('own',) else other)['id']}", json={"is_receiver": True}, headers={"If-Match": "*"})

    def by_traccar(minute):
        location = {"timestamp": (chief.began + timedelta(minutes=minute)).isoformat(), "mock": True,
                    "coords": {"latitude": 29.6001, "longitude": 119.8101, "accuracy": 5}}
        assert anyone.post("/ingest/osmand", json={"device_id": other["key"], "location": location}).status_code == 200

    for minute in range(3):
        ways = [lambda: osmand(anyone, chief, minute, mock="true"), lambda: by_traccar(minute)]  # noqa: B023
        for way in ways if first == "own" else ways[::-1]:
            way()
    chief.post(f"patrols/{chief.patrol_id}/finish", json={"ended_at": (chief.began + timedelta(minutes=50)).isoformat()})
    work()
    assert severity_of_mock(chief) == ("high" if receivers == ("own",) else "info"), "Traccar's counts"


def test_a_device_that_was_taken_away_is_not_registered_again_in_silence(chief):
    body = {"id": str(uuid4()), "label": "RTK"}
    assert [chief.post("devices", json=body).status_code for _ in range(2)] == [201, 200]
    assert chief.delete(f"devices/{body['id']}").status_code == 204
    assert chief.post("devices", json=body).status_code == 409


def send_gpx(client, patrol_id, content, **form):
    return client.post(f"patrols/{patrol_id}/gpx", data={"file": (io.BytesIO(content), "a.gpx"), **form})


def test_a_file_is_read_whole_and_again_without_harm(chief):
    content = gpx(chief, list(range(1, 30)))
    assert send_gpx(chief, chief.patrol_id, content).json == {"accepted": 29, "duplicates": 0, "quarantined": [], "put_aside": {}, "missing": []}
    assert send_gpx(chief, chief.patrol_id, content).json["duplicates"] == 29
    assert len(track(chief)) == 29


def test_points_without_time_prove_nothing_and_say_so(chief):
    receipt = send_gpx(chief, chief.patrol_id, gpx(chief, [1, 2], timed=False)).json
    assert receipt["accepted"] == 0
    assert [(row["index"], row["code"]) for row in receipt["quarantined"]] == [(0, "no_time"), (1, "no_time")]


def test_of_many_points_that_cannot_be_used_all_are_counted(chief):
    content = gpx(chief, list(range(250)), timed=False).replace(b"</trkseg>", gpx(chief, [1]).partition(b"<trkseg>")[2].partition(b"</trkseg>")[0] + b"</trkseg>")
    receipt = send_gpx(chief, chief.patrol_id, content).json
    assert (receipt["accepted"], len(receipt["quarantined"]), receipt["put_aside"]) == (1, 200, {"no_time": 250})


BOMB = b'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx><trk><name>&b;</name></trk></gpx>'


@pytest.mark.parametrize(("content", "status"), [
    (BOMB, 422), (b"<kml/>", 422), (b"<gpx/>", 422), (b"", 422), (b"\x89PNG", 422), (b'<gpx><trk><trkseg><trkpt lat="1"', 422),
    (b'<?xml version="1.0" encoding="x-unknown"?><gpx/>', 422),
])
def test_what_is_no_gpx_is_refused(chief, content, status):
    assert send_gpx(chief, chief.patrol_id, content).status_code == status
    assert db.session.query(TrackBatch).count() == 0


def test_gpx_of_other_versions_and_datums(chief):
    old = gpx(chief, [1, 2]).replace(b"http://www.topografix.com/GPX/1/1", b"http://www.topografix.com/GPX/1/0").replace(b'version="1.1"', b'version="1.0"')
    assert send_gpx(chief, chief.patrol_id, old, datum="gcj02").json["accepted"] == 2
    assert track(chief).latitude[0] != 29.6001
    assert send_gpx(chief, chief.patrol_id, old, datum="mars").status_code == 422
    assert chief.post(f"patrols/{chief.patrol_id}/gpx", data=b"x", headers={"Content-Type": "image/png"}).status_code == 415
    assert chief.post(f"patrols/{chief.patrol_id}/gpx", data={"datum": "wgs84"}, headers={"Content-Type": "multipart/form-data; boundary=x"}).status_code in {400, 422}


def test_a_foreign_patrol_takes_no_file(chief, build, signed_in):
    other = signed_in(build.person("chief", region=build.region()))
    assert send_gpx(other, chief.patrol_id, gpx(chief, [1])).status_code == 404

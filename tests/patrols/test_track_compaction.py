"""Live fixes become one row a patrol: every answer stays what it was, and every row can be had back."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import undefer

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.examination_input import input_of
from patrol.patrols.models import Patrol
from patrol.patrols.track_compaction import compact_tracks, deliveries_of, take_apart
from patrol.patrols.track_models import TrackBatch
from tests.patrols.on_patrol import work

FIXES = 25


@pytest.fixture
def chief(build, signed_in, anyone):
    """A chief whose patrol of an hour two apps told of live, fix by fix, and a phone of our own in a batch."""
    person, reach = build.person("chief"), build.reach()
    build.appointment(reach, person)
    client = signed_in(person)
    client.began, client.patrol_id, client.anyone = clock.now().replace(microsecond=0) - timedelta(hours=2), str(uuid4()), anyone
    body = {"reach_ids": [str(reach.id)], "mode": "walk", "started_at": client.began.isoformat()}
    assert client.put(f"patrols/{client.patrol_id}", json=body).status_code == 201
    client.key = client.post("devices", json={"label": "OsmAnd"}).json["key"]
    for number in range(FIXES):
        osmand(client, number)
    for number in range(20, FIXES + 15):
        traccar(client, number)
    points = [{"recorded_at": at(client, number).isoformat(), "latitude": 29.6, "longitude": 119.81} for number in range(5)]
    client.post(f"patrols/{client.patrol_id}/track", json={"batch_id": str(uuid4()), "points": points})
    mark = {"id": str(uuid4()), "started_at": at(client, 41).isoformat(), "ended_at": at(client, 55).isoformat(), "cause": "no_signal"}
    assert client.post(f"patrols/{client.patrol_id}/pauses", json=mark).status_code == 201
    assert client.post(f"patrols/{client.patrol_id}/finish", json={"ended_at": at(client, 60).isoformat()}).status_code == 200
    work()
    return client


def at(client, number):
    return client.began + timedelta(minutes=number)


def place(number):
    return {"lat": f"{29.6 + number * 1e-4:.7f}", "lon": f"{119.8 + number * 1e-4:.7f}"}


def osmand(client, number):
    query = {"id": client.key, **place(number), "timestamp": int(at(client, number).timestamp()), "accuracy": "5.5", "altitude": str(number)}
    assert client.anyone.get("/ingest/osmand", query_string=query).status_code == 200


def traccar(client, number):
    where = place(number)
    coords = {"latitude": float(where["lat"]), "longitude": float(where["lon"]), "speed": 1.25}
    body = {"device_id": client.key, "location": {"timestamp": at(client, number).isoformat(), "coords": coords}}
    assert client.anyone.post("/ingest/osmand", json=body).status_code == 200


def compact():
    now = clock.now()
    with clock.moved_clock(lambda: now + timedelta(days=2)):
        return compact_tracks()


def stored():
    db.session.expire_all()
    rows = db.session.scalars(select(TrackBatch).options(undefer(TrackBatch.points), undefer(TrackBatch.members))).all()
    names = [column.key for column in inspect(TrackBatch).column_attrs]
    return {one.id: {name: getattr(one, name) for name in names} for row in rows for one in deliveries_of(row)}


def answers(client):
    exports = [client.get(f"patrols/{client.patrol_id}{ending}").get_data() for ending in (".gpx", ".geojson", "/line")]
    patrol = db.session.scalar(select(Patrol).where(Patrol.id == UUID(client.patrol_id)))
    db.session.refresh(patrol, ["reaches"])
    return [*exports, client.get(f"patrols/{client.patrol_id}").json, input_of(patrol, timezone="Asia/Shanghai").digest]


def test_nothing_tells_whether_a_patrol_was_compacted(chief):
    before, rows = answers(chief), stored()
    assert db.session.query(TrackBatch).count() == len(rows) == FIXES + 20 + 1
    assert compact() == FIXES + 20 - 2
    assert db.session.query(TrackBatch).count() == 3
    assert answers(chief) == before
    assert stored() == rows
    assert compact() == 0
    with transaction():
        take_apart(UUID(chief.patrol_id))
    assert (db.session.query(TrackBatch).count(), stored(), answers(chief)) == (len(rows), rows, before)


def test_messages_sent_again_are_known_and_late_ones_join(chief):
    compact()
    rows = stored()
    for number in (0, 3, 24):
        osmand(chief, number)
        traccar(chief, number if number >= 20 else 30)
    assert stored() == rows
    osmand(chief, 45)
    assert len(stored()) == len(rows) + 1
    assert len(chief.get(f"patrols/{chief.patrol_id}.geojson").json["properties"]["recorded_at"]) == FIXES + 15 + 1 + 5


@pytest.mark.parametrize("compacted", [False, True])
def test_a_corrected_end_takes_the_same_fixes_out(chief, compacted):
    if compacted:
        compact()
    body = {"ended_at": at(chief, 10).isoformat(), "reason": "忘记结束"}
    assert chief.post(f"patrols/{chief.patrol_id}/finish", json=body, headers={"If-Match": "*"}).status_code == 200
    rows = stored().values()
    assert (len(rows), sum(row["count"] for row in rows), sum(row["outside"] for row in rows)) == (FIXES + 21, 18, 32)


def test_a_patrol_that_goes_on_or_has_lately_heard_of_is_left(chief):
    assert compact_tracks() == 0
    with transaction():
        db.session.get_one(Patrol, UUID(chief.patrol_id)).ended_at = None
    assert compact() == 0


def test_a_kill_in_the_middle_leaves_everything(chief, monkeypatch):
    rows = stored()

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("patrol.patrols.track_compaction.delete", die)
    with pytest.raises(KeyboardInterrupt):
        compact()
    assert stored() == rows
    assert db.session.query(TrackBatch).count() == len(rows)

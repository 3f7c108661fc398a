"""The end of a patrol: corrected with a reason, never later than it can have been, the same whatever the order of arrival."""

from datetime import datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.models import Patrol
from patrol.patrols.track_models import TrackBatch
from tests.patrols.on_patrol import work


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def chief(world, signed_in):
    client = signed_in(world.chief)
    client.began = clock.now().replace(microsecond=0) - timedelta(hours=3)
    return client


def begin(chief, world, *, off=timedelta(0)):
    patrol_id = str(uuid4())
    body = {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": (chief.began + off).isoformat()}
    assert chief.put(f"patrols/{patrol_id}", json=body).status_code == 201
    return patrol_id


def fixes(chief, minutes, *, off=timedelta(0)):
    return [{"recorded_at": (chief.began + off + timedelta(minutes=minute)).isoformat(), "latitude": 29.6, "longitude": 119.8 + minute * 1e-4} for minute in minutes]


def finish(chief, patrol_id, minutes, *, version=None, off=timedelta(0), **more):
    body = {"ended_at": (chief.began + off + timedelta(minutes=minutes)).isoformat(), **more}
    return chief.post(f"patrols/{patrol_id}/finish", json=body, headers={} if version is None else {"If-Match": f'"{version}"'})


def ended(shown):
    return datetime.fromisoformat(shown["ended_at"])


def test_a_wrong_end_is_corrected_with_a_reason_and_both_stay(chief, world):
    patrol_id = begin(chief, world)
    assert chief.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": fixes(chief, range(0, 120, 10))}).status_code == 201
    wrong = finish(chief, patrol_id, 170, summary="正常")
    assert wrong.status_code == 200
    work()
    assert finish(chief, patrol_id, 60).status_code == 409
    assert finish(chief, patrol_id, 60, reason="忘记结束").status_code == 428
    assert finish(chief, patrol_id, 60, reason="忘记结束", version=1).status_code == 412
    right = finish(chief, patrol_id, 60, reason="忘记结束", version=wrong.json["version"])
    assert (right.status_code, ended(right.json)) == (200, chief.began + timedelta(minutes=60))
    again = finish(chief, patrol_id, 60, reason="忘记结束", version=wrong.json["version"])
    assert (again.status_code, again.json["version"]) == (200, right.json["version"])
    assert db.session.query(TrackBatch.count, TrackBatch.outside).all() == [(7, 5)]
    shown = chief.get(f"patrols/{patrol_id}").json
    assert shown["stale"]
    assert [(row["summary"], row["reason"], row["counts"]) for row in shown["ends"]] == [("正常", None, False), (None, "忘记结束", True)]
    work()
    shown = chief.get(f"patrols/{patrol_id}").json
    assert (shown["stale"], shown["measured"]["duration_s"]) == (False, 3600.0)


def test_every_order_of_a_queue_with_corrections_ends_alike(chief, world):
    """A first word, two corrections of two phones under one number, and fixes: all orders, each sent twice."""
    states = set()
    for order in permutations(range(4)):
        patrol_id = begin(chief, world)
        made = [
            {"kind": "finish", "id": patrol_id, "data": {"ended_at": (chief.began + timedelta(minutes=minutes)).isoformat(), **more}}
            for minutes, more in ((170, {}), (60, {"reason": "a", "revision": 1}), (90, {"reason": "b", "revision": 1}))]
        made.append({"kind": "track", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "points": fixes(chief, range(0, 120, 10))}})
        for _ in range(2):
            for place in order:
                [result] = chief.post("sync", json={"device": "phone", "items": [made[place]]}).json["results"]
        assert result["status"] == "duplicate"
        shown, feature = chief.get(f"patrols/{patrol_id}").json, chief.get(f"patrols/{patrol_id}.geojson").json
        ends = tuple((row["ended_at"], row["reason"], row["counts"]) for row in shown["ends"])
        states.add((shown["ended_at"], shown["version"], ends, str(feature["properties"]["recorded_at"])))
    assert len(states) == 1
    [(ended_at, version, ends, _)] = states
    assert (datetime.fromisoformat(ended_at), version, len(ends)) == (chief.began + timedelta(minutes=60), 4, 3)


def test_a_correction_in_a_queue_needs_its_number(chief, world):
    patrol_id = begin(chief, world)
    for half in ({"reason": "a"}, {"revision": 1}):
        item = {"kind": "finish", "id": patrol_id, "data": {"ended_at": chief.began.isoformat(), **half}}
        assert chief.post("sync", json={"device": "phone", "items": [item]}).json["results"][0]["status"] == "refused"


@pytest.mark.parametrize("fixes_first", [True, False])
@pytest.mark.parametrize("days", [1, 400])
def test_an_end_that_cannot_be_gives_way_to_the_last_fix_and_is_flagged(chief, world, days, fixes_first):
    patrol_id = begin(chief, world)
    acts = [
        lambda: chief.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": fixes(chief, range(0, 60, 10))}),
        lambda: finish(chief, patrol_id, days * 1440)]
    for act in acts if fixes_first else acts[::-1]:
        assert act().status_code < 300
    work()
    shown = chief.get(f"patrols/{patrol_id}").json
    assert ended(shown) == chief.began + timedelta(minutes=50)
    assert "最后一次定位" in shown["end_reason"]
    assert (shown["ended_by"], shown["measured"]["duration_s"]) == ("person", 3000.0)
    assert datetime.fromisoformat(shown["ends"][0]["ended_at"]) == chief.began + timedelta(days=days)
    [finding] = [finding for finding in shown["findings"] if finding["code"] == "impossible_end"]
    assert finding["severity"] == "info"
    right = finish(chief, patrol_id, 55, reason="手机时钟错误", version=shown["version"]).json
    assert (ended(right), right["end_reason"]) == (chief.began + timedelta(minutes=55), None)


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_is_off_all_along_is_taken_as_it_is(chief, world, days):
    off = timedelta(days=days)
    patrol_id = begin(chief, world, off=off)
    assert chief.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": fixes(chief, [0, 30], off=off)}).json["accepted"] == 2
    reply = finish(chief, patrol_id, 60, off=off)
    assert (ended(reply.json), reply.json["end_reason"]) == (chief.began + off + timedelta(hours=1), None)


def test_a_clock_that_is_set_right_on_patrol_makes_no_patrol_of_400_days(chief, world):
    patrol_id = begin(chief, world, off=timedelta(days=-400))
    points = [*fixes(chief, [0, 30], off=timedelta(days=-400)), *fixes(chief, [60])]
    assert chief.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": points}).json["accepted"] == 3
    reply = finish(chief, patrol_id, 70)
    assert ended(reply.json) == chief.began + timedelta(days=-400, minutes=30)
    assert db.session.query(TrackBatch.count).scalar() == 3, "nothing that was sent is lost"


def test_a_device_sends_nothing_into_a_patrol_whose_end_was_told(anyone, chief, world):
    patrol_id = begin(chief, world)
    key = chief.post("devices", json={"label": "OsmAnd"}).json["key"]
    assert finish(chief, patrol_id, 400 * 1440).status_code == 200
    with clock.moved_clock(lambda: chief.began + timedelta(hours=9)):
        for minutes in (60, 500):
            anyone.get("/ingest/osmand", query_string={
                "id": key, "lat": "29.6", "lon": "119.8", "timestamp": int((chief.began + timedelta(minutes=minutes)).timestamp())})
    assert chief.get("devices").json["items"][0]["refused"] == {"outside_patrol": 1}
    assert ended(chief.get(f"patrols/{patrol_id}").json) == chief.began + timedelta(minutes=60)
    assert db.session.get(Patrol, UUID(patrol_id)).recorded_until > chief.began + timedelta(days=300)

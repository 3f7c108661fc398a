"""Checkpoints as a phone uses them: seeds for the days ahead, a draw without signal, answers."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.checkpoints import commitment, draw, place_of_data
from tests.evidence.camera import camera_jpeg

NOW = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
STARTED = "2026-11-22T08:30:00+08:00"


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(((119.80, 29.60), (119.83, 29.60)), region=village)
        other_reach = build.reach(((119.90, 29.60), (119.93, 29.60)), region=village)
        board = build.board(reach)
        chief = build.person("chief", region=village)

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


def seeds(client, **query):
    with clock.moved_clock(lambda: NOW):
        reply = client.get("me/checkpoint-seeds", query_string=query)
    assert reply.status_code == 200, reply.json
    return reply.json["items"]


def begin(client, reach, started_at=STARTED):
    patrol_id = uuid4()
    client.put(f"patrols/{patrol_id}", json={"reach_ids": [str(reach.id)], "mode": "walk", "started_at": started_at})
    return patrol_id


def drawn_by_phone(handed_out, patrol_id, reach, day="2026-11-22"):
    """What a phone draws from nothing but the answer of the days ahead."""
    [row] = [row for row in handed_out if row["day"] == day]
    places = [place_of_data(place) for place in row["places"] if place["reach_id"] == str(reach.id)]
    return draw(bytes.fromhex(row["seed"]), patrol_id, places, row["drawn"])


def answer(place, **changes):
    return {"latitude": place.latitude, "longitude": place.longitude, "accuracy_m": 8, "reached": True, "recorded_at": STARTED, **changes}


def test_the_same_days_have_the_same_seeds(chief, world):
    first, again = seeds(chief), seeds(chief, days=14)
    assert [row["day"] for row in first] == [f"2026-11-{day}" for day in range(20, 27)]
    assert again[:7] == first
    assert len({row["seed"] for row in again}) == 14
    assert all(commitment(bytes.fromhex(row["seed"])) == row["commitment"] for row in again)
    assert {place["kind"] for place in first[0]["places"]} == {"board", "river"}


def test_seeds_are_ones_own(chief, world, signed_in, build):
    colleague = signed_in(build.person("patroller", region=world.village))
    assert seeds(colleague)[0]["seed"] != seeds(chief)[0]["seed"]
    assert seeds(signed_in(build.person("chief", region=build.region())))[0]["places"] == []


@pytest.mark.parametrize("days", [0, 15, "x"])
def test_days_are_bounded(chief, days):
    assert chief.get("me/checkpoint-seeds", query_string={"days": days}).status_code == 422


def test_phone_and_server_draw_the_same_whatever_the_registers_become(chief, world, build):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    build.board(world.reach)
    places = drawn_by_phone(handed_out, patrol_id, world.reach)
    shown = chief.get(f"patrols/{patrol_id}").json["checkpoints"]
    assert [(row["number"], row["place"]["key"]) for row in shown] == [(n, place.key) for n, place in enumerate(places, 1)]
    assert {row["result"] for row in shown} == {"open"}
    assert {row["place"]["reach_id"] for row in shown} == {str(world.reach.id)}


def test_without_a_seed_nothing_is_drawn(chief, world):
    patrol_id = begin(chief, world.reach)
    assert chief.get(f"patrols/{patrol_id}").json["checkpoints"] == []
    assert chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(place_of_data({
        "key": "x", "kind": "river", "reach_id": str(world.reach.id), "latitude": 29.6, "longitude": 119.8}))).status_code == 404


def test_answers_once_each_and_what_they_show(chief, world, signed_in, build):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    first, second, third = drawn_by_phone(handed_out, patrol_id, world.reach)
    path = f"patrols/{patrol_id}/checkpoints"
    photo_id = str(uuid4())
    made, again = (chief.put(f"{path}/1", json=answer(first, photo_id=photo_id)) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json == again.json
    assert (made.json["result"], round(made.json["answer"]["distance_m"])) == ("shown", 0)
    assert chief.put(f"{path}/1", json=answer(first)).status_code == 409
    assert chief.put(f"{path}/2", json=answer(second, latitude=second.latitude + 0.01)).json["result"] == "elsewhere"
    closed = answer(third, reached=False, latitude=third.latitude + 0.01, reason="河水上涨，步道被淹", photo_id=str(uuid4()))
    assert chief.put(f"{path}/3", json=closed).json["result"] == "unreachable"
    assert chief.put(f"{path}/4", json=answer(third)).status_code == 404
    assert chief.put(f"{path}/{10 ** 30}", json=answer(third)).status_code == 404
    assert chief.put(f"{path}/0", json=answer(third)).status_code == 404
    office = signed_in(build.person("office", region=world.village))
    assert [row["result"] for row in office.get(f"patrols/{patrol_id}").json["checkpoints"]] == ["shown", "elsewhere", "unreachable"]
    assert office.get(f"photos/{photo_id}").status_code == 404
    chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    assert office.get(f"photos/{photo_id}").status_code == 200
    assert signed_in(build.person("office", region=build.region())).get(f"photos/{photo_id}").status_code == 404


def test_bad_answers_leave_nothing(chief, world, signed_in, build):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    [place, *_] = drawn_by_phone(handed_out, patrol_id, world.reach)
    colleague = signed_in(build.person("chief", region=world.village))
    theirs = str(uuid4())
    colleague.put(f"photos/{theirs}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    path = f"patrols/{patrol_id}/checkpoints/1"
    for changes, field in (
        ({"reached": False}, "reason"), ({"reached": False, "reason": "水深"}, "photo_id"), ({"photo_id": theirs}, "photo_id"),
        ({"latitude": 91}, "latitude"), ({"number": 1}, "number"), ({"recorded_at": "2026-11-22"}, "recorded_at"),
    ):
        reply = chief.put(path, json=answer(place, **changes))
        assert reply.status_code == 422, changes
        assert field in reply.json["errors"], reply.json
    assert colleague.put(path, json=answer(place)).status_code == 422
    assert db.session.query(CheckpointAnswer).count() == 0


def test_positions_are_kept_raw(chief, world):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    [place, *_] = drawn_by_phone(handed_out, patrol_id, world.reach)
    reply = chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(place, datum="gcj02"))
    assert reply.json["answer"]["raw"] == {"latitude": place.latitude, "longitude": place.longitude, "datum": "gcj02"}
    assert reply.json["result"] == "elsewhere"


def test_a_deputy_gets_his_principals_places(world, signed_in, build):
    far = build.region(world.village)
    deputy = build.person("patroller", region=far)
    build.appointment(world.other_reach, deputy)
    signed_in(world.chief).put(f"delegations/{uuid4()}", json={
        "principal_id": str(world.chief.id), "deputy_id": str(deputy.id), "valid_from": "2026-11-20", "valid_to": "2026-11-30", "reason": "病假"})
    assert {UUID(place["reach_id"]) for place in seeds(signed_in(deputy))[0]["places"]} == {world.reach.id, world.other_reach.id}


def test_answers_come_home_in_a_queue_in_any_order(chief, world):
    handed_out, patrol_id = seeds(chief), uuid4()
    first, second, third = drawn_by_phone(handed_out, patrol_id, world.reach)
    photo_id = str(uuid4())
    items = [
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(first, photo_id=photo_id), "number": 1}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {
            **answer(second, reached=False, reason="河水上涨", photo_id=photo_id), "number": 2}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(third, reached=False), "number": 3}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(third), "number": 4}},
        {"kind": "patrol", "id": str(patrol_id), "data": {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": STARTED}},
    ]

    def sync():
        results = chief.post("sync", json={"device": "phone", "items": items}).json["results"]
        return [(result["status"], result.get("receipt", {}).get("missing")) for result in results]

    assert sync() == [("accepted", [photo_id]), ("accepted", [photo_id]), ("refused", None), ("refused", None), ("accepted", [])]
    chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    assert sync() == [("duplicate", []), ("duplicate", []), ("refused", None), ("refused", None), ("duplicate", [])]
    assert [row["result"] for row in chief.get(f"patrols/{patrol_id}").json["checkpoints"]] == ["shown", "unreachable", "open"]
    assert chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(first, photo_id=photo_id)).status_code == 200

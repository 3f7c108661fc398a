"""Checkpoints as a phone uses them: seeds for the days ahead, a draw without signal, answers."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.checkpoint_models import CheckpointAnswer, CheckpointHandout
from patrol.patrols.checkpoints import commitment, draw, place_of_data
from tests.evidence.camera import camera_jpeg
from tests.evidence.material import exif, jpeg, scene
from tests.patrols.on_patrol import work

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


def drawn_by_phone(handed_out, reach, day="2026-11-22"):
    """What a phone draws from nothing but the answer of the days ahead."""
    [row] = [row for row in handed_out if row["day"] == day]
    places = [place_of_data(place) for place in row["places"] if place["reach_id"] == str(reach.id)]
    assert row["draws_by"] == "day"
    return draw(bytes.fromhex(row["seed"]), places, row["drawn"])


def answer(place, **changes):
    return {"latitude": place.latitude, "longitude": place.longitude, "accuracy_m": 8, "reached": True, "recorded_at": STARTED,
            "photo_id": str(uuid4()), **changes}


def upload(client, photo_id=None, seed=1, **metadata):
    photo_id = photo_id or str(uuid4())
    data = jpeg(scene(seed), exif=exif(**metadata)) if metadata else camera_jpeg(seed)
    assert client.put(f"photos/{photo_id}", data=data, headers={"Content-Type": "image/jpeg"}).status_code in {200, 201}
    return photo_id


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
    places = drawn_by_phone(handed_out, world.reach)
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
    first, second, third = drawn_by_phone(handed_out, world.reach)
    path = f"patrols/{patrol_id}/checkpoints"
    photo_id = str(uuid4())
    made, again = (chief.put(f"{path}/1", json=answer(first, photo_id=photo_id)) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json == again.json
    assert (made.json["result"], round(made.json["answer"]["distance_m"])) == ("no_photo", 0)
    assert chief.put(f"{path}/1", json=answer(first)).status_code == 409
    far = answer(second, latitude=second.latitude + 0.01, photo_id=upload(chief, seed=70))
    assert chief.put(f"{path}/2", json=far).json["result"] == "elsewhere"
    closed = answer(third, reached=False, latitude=third.latitude + 0.01, reason="河水上涨，步道被淹", photo_id=upload(chief, seed=71))
    assert chief.put(f"{path}/3", json=closed).json["result"] == "unreachable"
    assert chief.put(f"{path}/4", json=answer(third)).status_code == 404
    assert chief.put(f"{path}/{10 ** 30}", json=answer(third)).status_code == 404
    assert chief.put(f"{path}/0", json=answer(third)).status_code == 404
    office = signed_in(build.person("office", region=world.village))

    def results():
        return [row["result"] for row in office.get(f"patrols/{patrol_id}").json["checkpoints"]]

    assert results() == ["no_photo", "elsewhere", "unreachable"]
    assert office.get(f"photos/{photo_id}").status_code == 404
    upload(chief, photo_id)
    assert results() == ["shown", "elsewhere", "unreachable"]
    assert office.get(f"photos/{photo_id}").status_code == 200
    assert signed_in(build.person("office", region=build.region())).get(f"photos/{photo_id}").status_code == 404


def test_no_id_that_a_phone_makes_changes_the_draw(chief, world):
    handed_out = seeds(chief)
    keys = [place.key for place in drawn_by_phone(handed_out, world.reach)]
    for hour in (6, 9, 21):
        patrol_id = begin(chief, world.reach, f"2026-11-22T{hour:02}:30:00+08:00")
        assert [row["place"]["key"] for row in chief.get(f"patrols/{patrol_id}").json["checkpoints"]] == keys


def test_a_seed_handed_out_before_draws_as_the_phone_that_holds_it(chief, world):
    [row] = [row for row in seeds(chief) if row["day"] == "2026-11-22"]
    with transaction():
        db.session.query(CheckpointHandout).update({"draws_by": "patrol"})
    patrol_id = begin(chief, world.reach)
    places = [place_of_data(place) for place in row["places"] if place["reach_id"] == str(world.reach.id)]
    drawn = draw(bytes.fromhex(row["seed"]), places, patrol_id=patrol_id)
    assert [point["place"]["key"] for point in chief.get(f"patrols/{patrol_id}").json["checkpoints"]] == [place.key for place in drawn]


def test_one_photo_shows_one_checkpoint(chief, world):
    handed_out, patrol_id, photo_id = seeds(chief), begin(chief, world.reach), upload(chief)
    first, second, _ = drawn_by_phone(handed_out, world.reach)
    path = f"patrols/{patrol_id}/checkpoints"
    assert chief.put(f"{path}/1", json=answer(first, photo_id=photo_id)).json["result"] == "shown"
    assert chief.put(f"{path}/2", json=answer(second, photo_id=photo_id)).json["result"] == "no_photo"


def test_the_photo_of_another_patrol_shows_nothing_again(chief, world):
    handed_out, earlier, later = seeds(chief), begin(chief, world.reach, "2026-11-21T08:30:00+08:00"), begin(chief, world.reach)
    answered, checked_in = upload(chief), upload(chief, seed=2)
    chief.put(f"check-ins/{uuid4()}", json={"patrol_id": str(earlier), "latitude": 29.6, "longitude": 119.81, "recorded_at": "2026-11-21T08:40:00+08:00",
                                            "checklist": {}, "photos": [{"id": checked_in}]})
    [there, *_], drawn = drawn_by_phone(handed_out, world.reach, "2026-11-21"), drawn_by_phone(handed_out, world.reach)
    assert chief.put(f"patrols/{earlier}/checkpoints/1", json=answer(there, photo_id=answered)).json["result"] == "shown"
    assert chief.put(f"patrols/{later}/checkpoints/1", json=answer(drawn[0], photo_id=answered)).json["result"] == "no_photo"
    assert chief.put(f"patrols/{later}/checkpoints/2", json=answer(drawn[1], photo_id=checked_in)).json["result"] == "no_photo"
    assert chief.get(f"patrols/{earlier}").json["checkpoints"][0]["result"] == "shown", "whoever came first keeps it"


def findings(client, patrol_id):
    work()
    return {row["code"]: row for row in client.get(f"patrols/{patrol_id}").json["findings"]}


def test_a_missed_checkpoint_is_a_finding_until_it_is_shown(chief, world):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    drawn = drawn_by_phone(handed_out, world.reach)
    chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": "2026-11-22T09:30:00+08:00"})
    found = findings(chief, patrol_id)["checkpoint_missed"]
    assert (found["severity"], found["evidence"]["missed"], found["evidence"]["drawn"]) == ("soft", 3, 3)
    path = f"patrols/{patrol_id}/checkpoints"
    ids = [upload(chief, seed=60 + n) for n in range(2)]
    chief.put(f"{path}/1", json=answer(drawn[0], latitude=drawn[0].latitude + 0.01, photo_id=ids[0]))
    chief.put(f"{path}/2", json=answer(drawn[1], photo_id=ids[1]))
    late = str(uuid4())
    chief.put(f"{path}/3", json=answer(drawn[2], reached=False, reason="水深", photo_id=late))
    found = findings(chief, patrol_id)["checkpoint_missed"]
    assert (found["severity"], found["evidence"]["missed"], found["evidence"]["elsewhere"]) == ("medium", 2, 1)
    assert [row["result"] for row in found["evidence"]["which"]] == ["elsewhere", "no_photo"]
    upload(chief, late, seed=63)
    assert findings(chief, patrol_id)["checkpoint_missed"]["evidence"]["missed"] == 1, "the photo that arrived was looked at"


def test_what_was_drawn_after_the_start_is_held_against_nobody(chief, world):
    patrol_id = begin(chief, world.reach, "2026-11-20T08:00:00+08:00")
    chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": "2026-11-20T08:20:00+08:00"})
    [place, *_] = drawn_by_phone(seeds(chief), world.reach, "2026-11-20")
    assert "checkpoint_missed" not in findings(chief, patrol_id)
    assert chief.get(f"patrols/{patrol_id}").json["stale"] is False
    assert chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(place, photo_id=upload(chief))).json["result"] == "shown"
    later = begin(chief, world.reach, "2026-11-20T08:40:00+08:00")
    chief.post(f"patrols/{later}/finish", json={"ended_at": "2026-11-20T08:50:00+08:00"})
    assert findings(chief, later)["checkpoint_missed"]["evidence"]["missed"] == 3


def test_the_photos_of_checkpoints_belong_to_the_patrol(chief, world):
    """A file that was shown before, and one whose camera says another place and time, as at check-ins."""
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    first, second, third = drawn_by_phone(handed_out, world.reach)
    earlier = begin(chief, world.reach, "2026-11-21T08:30:00+08:00")
    silent = {"taken": None, "fixed": None, "position": None, "accuracy_m": None}
    old = upload(chief, seed=80, **silent)
    [there, *_] = drawn_by_phone(handed_out, world.reach, "2026-11-21")
    chief.put(f"patrols/{earlier}/checkpoints/1", json=answer(there, photo_id=old))
    path = f"patrols/{patrol_id}/checkpoints"
    chief.put(f"{path}/1", json=answer(first, photo_id=upload(chief, seed=80, **silent)))
    chief.put(f"{path}/2", json=answer(second, photo_id=upload(chief, seed=81)))
    chief.put(f"{path}/3", json=answer(third, photo_id=upload(chief, seed=82, **silent)))
    chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": "2026-11-22T09:30:00+08:00"})
    found = findings(chief, patrol_id)
    assert "checkpoint_missed" not in found
    assert found["photo_duplicate"]["severity"] == "high"
    assert found["exif_place"]["evidence"]["checkpoint"] == 2
    assert found["photo_older_than_patrol"]["evidence"]["checkpoint"] == 2


def test_bad_answers_leave_nothing(chief, world, signed_in, build):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    [place, *_] = drawn_by_phone(handed_out, world.reach)
    colleague = signed_in(build.person("chief", region=world.village))
    theirs = str(uuid4())
    colleague.put(f"photos/{theirs}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    path = f"patrols/{patrol_id}/checkpoints/1"
    for changes, field in (
        ({"reached": False}, "reason"), ({"reached": False, "reason": "水深", "photo_id": None}, "photo_id"), ({"photo_id": None}, "photo_id"),
        ({"photo_id": theirs}, "photo_id"),
        ({"latitude": 91}, "latitude"), ({"number": 1}, "number"), ({"recorded_at": "2026-11-22"}, "recorded_at"),
    ):
        reply = chief.put(path, json=answer(place, **changes))
        assert reply.status_code == 422, changes
        assert field in reply.json["errors"], reply.json
    assert colleague.put(path, json=answer(place)).status_code == 422
    assert db.session.query(CheckpointAnswer).count() == 0


def test_positions_are_kept_raw(chief, world):
    handed_out, patrol_id = seeds(chief), begin(chief, world.reach)
    [place, *_] = drawn_by_phone(handed_out, world.reach)
    reply = chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(place, datum="gcj02", photo_id=upload(chief)))
    assert reply.json["answer"]["raw"] == {"latitude": place.latitude, "longitude": place.longitude, "datum": "gcj02"}
    assert reply.json["result"] == "elsewhere"


def test_a_deputy_gets_his_principals_places(world, signed_in, build):
    far = build.region(world.village)
    deputy = build.person("patroller", region=far)
    build.appointment(world.other_reach, deputy)
    signed_in(world.chief).put(f"delegations/{uuid4()}", json={
        "principal_id": str(world.chief.id), "deputy_id": str(deputy.id), "valid_from": "2026-11-20", "valid_to": "2026-11-30", "reason": "病假"})
    assert {UUID(place["reach_id"]) for place in seeds(signed_in(deputy))[0]["places"]} == {world.reach.id, world.other_reach.id}


def test_a_delegation_and_an_appointment_that_begin_in_the_days_ahead_are_drawn_from(world, signed_in, build):
    """The phone may have no signal on that day, and what was handed out for it stays."""
    far = build.region()
    deputy = build.person("patroller", region=far)
    build.appointment(world.other_reach, deputy, valid_from=date(2026, 11, 23))
    signed_in(world.chief).put(f"delegations/{uuid4()}", json={
        "principal_id": str(world.chief.id), "deputy_id": str(deputy.id), "valid_from": "2026-11-22", "valid_to": "2026-11-22", "reason": "病假"})
    client = signed_in(deputy)
    handed_out = {row["day"]: {UUID(place["reach_id"]) for place in row["places"]} for row in seeds(client, days=4)}
    assert handed_out == {"2026-11-20": set(), "2026-11-21": set(), "2026-11-22": {world.reach.id}, "2026-11-23": {world.other_reach.id}}
    patrol_id = uuid4()
    assert client.put(f"patrols/{patrol_id}", json={
        "reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": STARTED, "on_behalf_of": str(world.chief.id)}).status_code == 201
    assert len(client.get(f"patrols/{patrol_id}").json["checkpoints"]) == 3


def test_answers_come_home_in_a_queue_in_any_order(chief, world):
    handed_out, patrol_id = seeds(chief), uuid4()
    first, second, third = drawn_by_phone(handed_out, world.reach)
    photo_id, other_id = str(uuid4()), str(uuid4())
    items = [
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(first, photo_id=photo_id), "number": 1}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {
            **answer(second, reached=False, reason="河水上涨", photo_id=other_id), "number": 2}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(third, photo_id=None), "number": 3}},
        {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(third), "number": 4}},
        {"kind": "patrol", "id": str(patrol_id), "data": {"reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": STARTED}},
    ]

    def sync():
        results = chief.post("sync", json={"device": "phone", "items": items}).json["results"]
        return [(result["status"], result.get("receipt", {}).get("missing")) for result in results]

    assert sync() == [("accepted", [photo_id]), ("accepted", [other_id]), ("refused", None), ("refused", None), ("accepted", [])]
    upload(chief, photo_id)
    assert sync() == [("duplicate", []), ("duplicate", [other_id]), ("refused", None), ("refused", None), ("duplicate", [])]
    assert [row["result"] for row in chief.get(f"patrols/{patrol_id}").json["checkpoints"]] == ["shown", "no_photo", "open"]
    assert chief.put(f"patrols/{patrol_id}/checkpoints/1", json=answer(first, photo_id=photo_id)).status_code == 200


def test_somebody_elses_photo_under_the_announced_id_stays_missing(chief, world, signed_in, build):
    handed_out, patrol_id, photo_id = seeds(chief), begin(chief, world.reach), str(uuid4())
    [first, *_] = drawn_by_phone(handed_out, world.reach)
    item = {"kind": "checkpoint", "id": str(patrol_id), "data": {**answer(first, photo_id=photo_id), "number": 1}}
    assert chief.post("sync", json={"device": "phone", "items": [item]}).json["results"][0]["status"] == "accepted"
    upload(signed_in(build.person("chief", region=world.village)), photo_id)
    [again] = chief.post("sync", json={"device": "phone", "items": [item]}).json["results"]
    assert (again["status"], again["receipt"]["missing"]) == ("duplicate", [photo_id])
    assert chief.get(f"patrols/{patrol_id}").json["checkpoints"][0]["result"] == "no_photo"

"""A phone's queue: one result for each item, the same rules as the single routes, the same state whatever the order."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from patrol.foundation import outbox
from patrol.foundation.database import db
from patrol.issues.models import Issue
from patrol.patrols import sync as sync_module
from patrol.patrols.models import CheckIn, Patrol
from patrol.patrols.track_models import PatrolPause, PhoneQueue, TrackBatch
from tests.evidence.camera import camera_jpeg

START = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
HERE = {"latitude": 29.6001, "longitude": 119.81, "accuracy_m": 8}


def at(seconds) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def points(first, count):
    return [{"recorded_at": at(step * 5), "latitude": round(29.6 + step * 1e-5, 7), "longitude": 119.81, "accuracy_m": 6.5}
            for step in range(first, first + count)]


def queue_of(reach_id, space: UUID, *, batches=3, check_ins=2, issues=1):
    """A day's queue, its ids made from `space`; the batches overlap, as those of a phone that doubts its receipts do."""
    def named(what):
        return str(uuid5(space, what))

    patrol_id = named("patrol")
    return [
        {"kind": "patrol", "id": patrol_id, "data": {"reach_ids": [str(reach_id)], "mode": "walk", "started_at": at(0)}},
        *({"kind": "track", "id": named(f"batch {number}"), "data": {"patrol_id": patrol_id, "points": points(number * 8, 12)}}
          for number in range(batches)),
        *({"kind": "check_in", "id": named(f"check-in {number}"), "data": {**HERE, "patrol_id": patrol_id, "recorded_at": at(number)}}
          for number in range(check_ins)),
        *({"kind": "issue", "id": named(f"issue {number}"), "data": {
            **HERE, "patrol_id": patrol_id, "category": "C1", "description": f"第{number}处垃圾", "recorded_at": at(number)}}
          for number in range(issues)),
        {"kind": "pause", "id": named("pause"), "data": {"patrol_id": patrol_id, "started_at": at(30), "ended_at": at(60)}},
        {"kind": "pause", "id": named("mark"), "data": {"patrol_id": patrol_id, "started_at": at(70), "ended_at": at(80), "cause": "no_signal"}},
        {"kind": "finish", "id": patrol_id, "data": {"ended_at": at(100), "summary": "正常"}},
    ]


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)
        office = build.person("office", region=village)
        stranger = build.person("chief", region=build.region(level="village"))

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


def sync(caller, items, **more):
    reply = caller.post("sync", json={"device": "phone 1", "items": items, **more})
    assert reply.status_code == 200, reply.json
    return reply.json


def statuses(answer):
    return [result["status"] for result in answer["results"]]


def test_a_whole_day_comes_home_in_one_request(chief, world):
    items = queue_of(world.reach.id, uuid4())
    first, again = sync(chief, items), sync(chief, items)
    assert statuses(first) == ["accepted"] * len(items)
    assert statuses(again) == ["duplicate"] * len(items)
    assert [(result["index"], result["kind"], result["id"]) for result in first["results"]] == [
        (index, item["kind"], item["id"]) for index, item in enumerate(items)]
    assert [result["receipt"]["accepted"] for result in first["results"][1:4]] == [12, 8, 8]
    assert [db.session.query(table).count() for table in (Patrol, TrackBatch, CheckIn, Issue, PatrolPause)] == [1, 3, 2, 1, 2]


def test_it_agrees_with_the_single_routes(chief, world):
    items = queue_of(world.reach.id, uuid4())
    for item in items:
        data, patrol_id = dict(item["data"]), items[0]["id"]
        path = {"track": f"patrols/{patrol_id}/track", "pause": f"patrols/{patrol_id}/pauses", "finish": f"patrols/{patrol_id}/finish",
                "issue": "issues"}.get(item["kind"])
        if item["kind"] in {"track", "pause"}:
            data = {**{key: value for key, value in data.items() if key != "patrol_id"}, "batch_id" if item["kind"] == "track" else "id": item["id"]}
        if item["kind"] == "issue":
            data["id"] = item["id"]
        reply = chief.post(path, json=data) if path else chief.put(
            f"{'patrols' if item['kind'] == 'patrol' else 'check-ins'}/{item['id']}", json=data)
        assert reply.status_code < 300, reply.json
    assert statuses(sync(chief, items)) == ["duplicate"] * len(items)


def test_one_fault_spoils_no_other(chief, world):
    items = queue_of(world.reach.id, uuid4(), batches=1, check_ins=1)
    broken = [
        {"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": "yesterday"}}, {"kind": "dance", "id": str(uuid4()), "data": {}},
        {"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": at(0), "photos": [{"id": str(uuid4()), "sha256": f"{'a' * 64}\n"}]}},
        7, {"kind": "patrol", "id": str(uuid4()), "data": {"reach_ids": [str(uuid4())], "mode": "walk", "started_at": at(0)}},
        {**items[0], "data": {**items[0]["data"], "mode": "boat"}}]
    answer = sync(chief, [items[0], *broken, *items[1:]])
    assert statuses(answer) == ["accepted", *["refused"] * 5, "conflict", *["accepted"] * (len(items) - 1)]
    problems = [result["problem"] for result in answer["results"][1:7]]
    assert [problem["status"] for problem in problems] == [422, 422, 422, 422, 422, 409]
    assert problems[0]["errors"]["recorded_at"]
    assert problems[5]["digest_stored"] != problems[5]["digest_sent"]
    assert db.session.query(Patrol).count() == 1


@pytest.mark.parametrize(("tongue", "said"), [("zh", "每张照片须为对象"), ("en", "Each photo is an object")])
def test_a_photo_announced_by_its_bare_id_is_told_how(chief, tongue, said):
    item = {"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": at(0), "photos": [str(uuid4())]}}
    reply = chief.post("sync", json={"device": "x", "items": [item]}, headers={"Accept-Language": tongue})
    [result] = reply.json["results"]
    [fault] = result["problem"]["errors"]["photos.0"]
    assert (result["status"], fault.startswith(said), '{"id": ' in fault) == ("refused", True, True)


def test_what_fails_in_the_middle_leaves_nothing_and_tells_nobody(chief, world, monkeypatch):
    told = []
    monkeypatch.setattr("patrol.foundation.events._subscribers", {kind: [told.append] for kind in _all_events()})

    def fail(*_args, **_kwargs):
        from patrol.foundation.errors import Invalid
        from patrol.foundation.texts import Text

        raise Invalid(Text("不行", "no"))

    monkeypatch.setattr("patrol.patrols.sync.check_in_receipt", fail)
    answer = sync(chief, [{"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": at(0)}}])
    assert statuses(answer) == ["refused"]
    assert (db.session.query(CheckIn).count(), told) == (0, [])


def _all_events():
    from patrol.patrols.events import CheckedIn

    return (CheckedIn,)


def test_what_waits_for_another_item_is_tried_again(chief, world):
    items = queue_of(world.reach.id, uuid4())
    assert statuses(sync(chief, items[::-1])) == ["accepted"] * len(items)


def test_what_belongs_to_nothing_here_waits(chief, world):
    items = queue_of(world.reach.id, uuid4())
    answer = sync(chief, [items[1], items[-1]])
    assert statuses(answer) == ["waiting", "waiting"]
    assert answer["results"][0]["problem"]["status"] == 404
    assert db.session.query(TrackBatch).count() == 0


def test_an_issue_waits_for_its_photos(chief, world):
    photo_id, [issue] = str(uuid4()), [item for item in queue_of(world.reach.id, uuid4()) if item["kind"] == "issue"]
    issue["data"] |= {"photo_ids": [photo_id], "patrol_id": None}
    answer = sync(chief, [issue])
    assert statuses(answer) == ["waiting"]
    assert answer["results"][0]["problem"]["missing"] == [photo_id]
    chief.put(f"photos/{photo_id}", data=camera_jpeg(), headers={"Content-Type": "image/jpeg"})
    assert statuses(sync(chief, [issue])) == ["accepted"]


def test_a_check_in_tells_which_photos_are_missing(chief):
    photo_id = str(uuid4())
    answer = sync(chief, [{"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": at(0), "photos": [{"id": photo_id}]}}])
    assert answer["results"][0]["receipt"]["missing"] == [photo_id]


def test_more_than_fit_are_left_for_the_next_request(chief):
    items = [{"kind": "dance"}] * 501
    answer = sync(chief, items)
    assert (len(answer["results"]), answer["cursor"]) == (500, 500)
    assert sync(chief, items[500:])["cursor"] is None


def test_the_office_sees_what_is_still_on_the_phones(chief, world, signed_in):
    office, stranger = signed_in(world.office), signed_in(world.stranger)
    sync(chief, [], pending=37, oldest=at(0))
    sync(chief, [], pending=12, oldest=at(60))
    sync(chief, [])
    [queue] = office.get("phone-queues").json["items"]
    assert (queue["device"], queue["pending"], queue["person"]["id"]) == ("phone 1", 12, str(world.chief.id))
    assert db.session.query(PhoneQueue).count() == 1
    assert stranger.get("phone-queues").json["items"] == []
    assert office.get("phone-queues?waiting=false").json["items"] == []
    assert len(office.get(f"phone-queues?waiting=true&region={world.village.code}").json["items"]) == 1
    assert office.get("phone-queues?region=nowhere").status_code == 404


def test_what_came_with_the_phone_s_word_is_not_out_there_any_more(chief, world, signed_in):
    office, item = signed_in(world.office), {"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "recorded_at": at(0)}}
    waiting = {"kind": "track", "id": str(uuid4()), "data": {"patrol_id": str(uuid4()), "points": points(0, 2)}}

    def queue():
        [row] = office.get("phone-queues").json["items"]
        return row["pending"], row["left"], len(office.get("phone-queues?waiting=true").json["items"])

    assert sync(chief, [item], pending=3)["pending"] == 3
    assert queue() == (3, 2, 1)
    assert [result["status"] for result in sync(chief, [item, waiting], pending=2)["results"]] == ["duplicate", "waiting"]
    assert queue() == (2, 1, 1)
    sync(chief, [item], pending=1)
    assert queue() == (1, 0, 0)


@pytest.mark.parametrize(("late", "stands"), [
    ({}, 1), ({"report": 6}, 5), ({"report": 6, "sent_at": at(50)}, 5), ({"sent_at": at(50)}, 5), ({"sent_at": at(61)}, 1),
    ({"report": 8, "sent_at": at(-86_400)}, 1), ({"report": 0, "sent_at": at(3_600)}, 1), ({"report": 7, "sent_at": at(50)}, 5),
])
def test_a_late_word_of_a_phone_overrides_no_later_one(chief, late, stands):
    """The phone said 5 in its 7th report at 60 s; then another word arrives: by its count, else its clock, else its arrival."""
    sync(chief, [], pending=5, report=7, sent_at=at(60))
    assert sync(chief, [], pending=1, **late)["pending"] == stands
    assert db.session.query(PhoneQueue.pending).all() == [(stands,)]


def test_another_persons_things_are_conflicts_or_refused(chief, world, signed_in, build):
    items = queue_of(world.reach.id, uuid4(), issues=0)
    sync(chief, items)
    colleague = signed_in(build.person("chief", region=world.village))
    assert set(statuses(sync(colleague, items))) == {"refused"}
    assert set(statuses(sync(signed_in(world.stranger), [items[1], items[-1]]))) == {"waiting"}


@settings(max_examples=8)
@given(random=st.randoms(use_true_random=False))
def test_any_order_repetition_and_cut_give_the_same_exports(random: Random, chief, world):
    space = uuid4()
    plain = queue_of(world.reach.id, space)
    wanted = _exports(chief, plain)
    other = queue_of(world.reach.id, uuid4())
    shuffled = other + random.sample(other, random.randint(0, len(other)))
    random.shuffle(shuffled)
    for _ in range(3):
        cut = random.randint(0, len(shuffled))
        sync(chief, shuffled[:cut])
        sync(chief, shuffled[cut:])
    assert set(statuses(sync(chief, shuffled))) == {"duplicate"}
    names = {item["id"]: mine["id"] for item, mine in zip(other, plain, strict=True)}
    found = _shown(chief, other)
    for theirs, mine in names.items():
        found = found.replace(theirs.encode(), mine.encode())
    assert found == wanted


def _exports(caller, items) -> bytes:
    assert statuses(sync(caller, items)) == ["accepted"] * len(items)
    return _shown(caller, items)


def _shown(caller, items) -> bytes:
    """The bytes of all exports of the one patrol."""
    patrol_id = items[0]["id"]
    return b"".join(caller.get(f"patrols/{patrol_id}{ending}").get_data() for ending in (".gpx", ".geojson", "/line"))


def savepoints_of(caller, items):
    seen = []
    note = lambda _connection, name: seen.append(name)  # noqa: E731 - the listener is taken off again by its name
    event.listen(db.session.get_bind(), "savepoint", note)
    try:
        return sync(caller, items), len(seen)
    finally:
        event.remove(db.session.get_bind(), "savepoint", note)


def rows_told():
    return db.session.scalar(db.select(db.func.count()).select_from(outbox.OutboxRow))


def test_a_queue_without_a_fault_enters_in_one_savepoint(chief, world):
    small, large = (savepoints_of(chief, queue_of(world.reach.id, uuid4(), check_ins=number))[1] for number in (1, 12))
    assert small == large


def test_a_fault_takes_back_the_common_attempt_and_everything_enters_once(chief, world):
    before = rows_told()
    assert set(statuses(sync(chief, queue_of(world.reach.id, uuid4())))) == {"accepted"}
    each = rows_told() - before
    items = queue_of(world.reach.id, uuid4())
    # It fails at the very end, after all others have written and told of what they wrote.
    bad = {"kind": "finish", "id": items[0]["id"], "data": {"ended_at": at(50), "summary": "另一个"}}
    answer = sync(chief, [*items, bad])
    assert statuses(answer) == ["accepted"] * len(items) + ["conflict"]
    assert rows_told() - before == 2 * each
    for model, number in ((Patrol, 2), (TrackBatch, 6), (CheckIn, 4), (Issue, 2), (PatrolPause, 4)):
        assert db.session.scalar(db.select(db.func.count()).select_from(model)) == number


def test_an_issue_whose_photos_are_on_the_way_does_not_make_the_others_enter_twice(chief, world):
    items = queue_of(world.reach.id, uuid4())
    clean = savepoints_of(chief, queue_of(world.reach.id, uuid4()))[1]
    waiting = [{**item, "data": {**item["data"], "photo_ids": [str(uuid4())]}} if item["kind"] == "issue" else item for item in items]
    answer, number = savepoints_of(chief, waiting)
    assert sorted(set(statuses(answer))) == ["accepted", "waiting"]
    # One more, for the second look at what waits.
    assert number <= clean + 1


def test_check_ins_are_written_together_however_many_there_are(chief, world, queries):
    counted = []
    sync(chief, queue_of(world.reach.id, uuid4()))
    for many in (3, 12):
        queries.clear()
        assert set(statuses(sync(chief, queue_of(world.reach.id, uuid4(), check_ins=many, issues=0)))) == {"accepted"}
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_check_ins_in_a_queue_are_what_they_are_alone(chief, world, build):
    photo = str(uuid4())
    there = [{**HERE, "recorded_at": at(0), "note": "一"}, {**HERE, "recorded_at": at(1), "photos": [{"id": photo}]},
             {**HERE, "recorded_at": at(86_400), "latitude": 29.7}, {**HERE, "recorded_at": at(2), "reach_id": str(world.reach.id)},
             {"latitude": 31.9, "longitude": 119.81, "recorded_at": at(3)}]
    alone, queued = ([(str(uuid4()), data) for data in there] for _ in range(2))
    for item_id, data in alone:
        assert chief.put(f"check-ins/{item_id}", json=data).status_code == 201
    assert statuses(sync(chief, [{"kind": "check_in", "id": item_id, "data": data} for item_id, data in queued])) == ["accepted"] * 5

    def shown(pairs):
        return [{name: value for name, value in chief.get(f"check-ins/{item_id}").json.items() if name not in {"id", "received_at"}} for item_id, _ in pairs]

    assert shown(alone) == shown(queued)
    assert [found["photos"][0]["arrived"] if found["photos"] else None for found in shown(queued)] == [None, False, None, None, None]


def test_somebody_faster_with_the_same_check_in_makes_it_a_duplicate(chief, world, monkeypatch):
    items = queue_of(world.reach.id, uuid4(), check_ins=4)
    twice = [*items, items[4]]
    sync(chief, items[4:5])
    # As if the first had come between the look ahead and the writing.
    look = sync_module._look_ahead

    def outdated(queue, waiting):
        look(queue, waiting)
        queue.absent.update(item.id for item in waiting if item.kind == "check_in")

    monkeypatch.setattr(sync_module, "_look_ahead", outdated)
    assert items[4]["kind"] == "check_in"
    found = statuses(sync(chief, twice))
    assert (found.count("duplicate"), found.count("accepted")) == (2, len(items) - 1)
    assert db.session.query(CheckIn).count() == 4


def test_somebody_faster_with_the_same_issue_makes_it_a_duplicate(chief, world, monkeypatch):
    items = queue_of(world.reach.id, uuid4(), issues=3)
    issues = [item for item in items if item["kind"] == "issue"]
    sync(chief, [items[0], issues[0]])
    monkeypatch.setattr(sync_module, "_absent_of", lambda _model, ids: set(ids))
    found = statuses(sync(chief, items))
    assert (found.count("duplicate"), found.count("accepted")) == (2, len(items) - 2)
    assert db.session.query(Issue).count() == 3


def test_an_issue_names_a_check_in_of_its_own_queue(chief, world):
    items = queue_of(world.reach.id, uuid4(), check_ins=3)
    issue = next(item for item in items if item["kind"] == "issue")
    issue["data"]["check_in_id"] = next(item["id"] for item in items if item["kind"] == "check_in")
    assert set(statuses(sync(chief, items))) == {"accepted"}
    assert chief.get(f"issues/{issue['id']}").json["check_in_id"] == issue["data"]["check_in_id"]


@pytest.mark.parametrize("depth", [70, 990, 30_000])
def test_an_item_that_is_nested_too_deep_does_not_hold_back_the_others(chief, world, depth):
    items = queue_of(world.reach.id, uuid4())
    bad = next(item for item in items if item["kind"] == "check_in")
    bad["data"]["note"] = "DEEP"
    body = json.dumps({"device": "phone 1", "items": items}).replace('"DEEP"', '[{"a":' * depth + "1" + "}]" * depth)
    reply = chief.post("sync", data=body, content_type="application/json")
    assert reply.status_code == 200, reply.json
    [refused] = [result for result in reply.json["results"] if result["status"] != "accepted"]
    assert (refused["index"], refused["kind"], refused["id"], refused["status"]) == (items.index(bad), "check_in", bad["id"], "refused")
    assert refused["problem"]["status"] == 400


@pytest.mark.parametrize("cut", ["\\u0000", "\\ud83d"], ids=["NUL", "half a character"])
def test_an_item_with_a_text_that_nobody_can_keep_does_not_hold_back_the_others(chief, world, cut):
    """A note cut within an emoji, or a stray NUL: sent again and again, all of the queue would stay on the phone."""
    items = queue_of(world.reach.id, uuid4())
    bad = next(item for item in items if item["kind"] == "check_in")
    bad["data"]["note"] = "CUT"
    body = json.dumps({"device": "phone 1", "items": items}).replace("CUT", cut)
    reply = chief.post("sync", data=body, content_type="application/json")
    assert reply.status_code == 200, reply.json
    [refused] = [result for result in reply.json["results"] if result["status"] != "accepted"]
    assert (refused["index"], refused["kind"], refused["id"], refused["status"]) == (items.index(bad), "check_in", bad["id"], "refused")
    assert refused["problem"]["status"] == 422
    for kind in ({"kind": cut}, {"id": cut}, {cut: 1}):
        body = json.dumps({"device": "phone 1", "items": [{**bad, **kind}]}).replace("CUT", cut).replace(json.dumps(cut)[1:-1], cut)
        assert chief.post("sync", data=body, content_type="application/json").json["results"][0]["status"] == "refused"

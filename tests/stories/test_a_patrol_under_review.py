"""A patrol is examined, its person answers, a reviewer judges: all of it stays, and the verdict follows."""

from uuid import uuid4

import pytest

from patrol.foundation.geometry import Datum
from tests.patrols.on_patrol import LINE, REACH, begin, finish, patrolled, send, two_ends, work
from tests.patrols.walks import Walker, in_datum

WALK = Walker(seed=3, sigma_m=8.0).walk(LINE)


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(REACH, region=village)
        chief = build.person("chief", region=village, name="王秀英")
        office = build.person("office", name="周敏")
        supervisor = build.person("supervisor", name="赵磊")

    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


@pytest.fixture
def office(world, signed_in):
    return signed_in(world.office)


def seen(caller, patrol_id):
    reply = caller.get(f"patrols/{patrol_id}", headers={"Accept-Language": "en"})
    assert reply.status_code == 200
    return reply.json


def finding(shown, code):
    return next((row for row in shown["findings"] if row["code"] == code), None)


def say(caller, patrol_id, code, verb, **body):
    return caller.post(f"patrols/{patrol_id}/findings/{code}/{verb}", json={"id": str(uuid4()), **body})


def test_an_honest_walk_is_valid_and_shows_it_before_it_is_submitted(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    send(chief, patrol_id, WALK)
    preview = chief.get(f"patrols/{patrol_id}/preview").json
    assert preview["verdict"] == "valid"
    assert preview["coverage"][0]["share"] > 0.95
    assert seen(chief, patrol_id)["verdict"] is None
    finish(chief, patrol_id, WALK)
    assert seen(chief, patrol_id)["stale"] is True
    work()
    shown = seen(chief, patrol_id)
    assert shown["verdict"] == "valid"
    assert shown["stale"] is False
    assert shown["reasons"]
    assert shown["coverage"][0]["covered_m"] == preview["coverage"][0]["covered_m"]
    assert 1300 < shown["measured"]["distance_m"] < 1700
    assert 1.0 < shown["measured"]["median_mps"] < 1.6


def test_two_ends_are_not_a_patrol_and_it_says_why(chief, world):
    shown = seen(chief, patrolled(chief, world.reach, two_ends(WALK)))
    assert shown["verdict"] != "valid"
    assert shown["reasons"]
    assert shown["coverage"][0]["share"] < 0.1


def test_a_mislabelled_datum_is_proposed_accepted_and_taken_back(chief, office, world):
    patrol_id = patrolled(chief, world.reach, in_datum(WALK, Datum.GCJ02))
    before = seen(office, patrol_id)
    assert before["verdict"] != "valid"
    assert before["coverage"][0]["share"] < 0.3
    proposal = finding(before, "datum_mislabelled")
    assert proposal["evidence"]["datum"] == "gcj02"
    assert proposal["standing"] == "open"
    assert proposal["innocent"]

    assert say(chief, patrol_id, "datum_mislabelled", "reply", text="应用没有标明坐标系").status_code == 201
    judged = say(office, patrol_id, "datum_mislabelled", "judge", judgement="upheld", text="同意更正")
    assert judged.status_code == 201
    assert judged.json["stale"] is True
    work()
    after = seen(chief, patrol_id)
    assert after["verdict"] == "valid"
    assert after["coverage"][0]["share"] > 0.95
    accepted = finding(after, "datum_mislabelled")
    assert accepted["standing"] == "upheld"
    assert [(row["kind"], row["person"]["name"]) for row in accepted["statements"]] == [("reply", "王秀英"), ("judgement", "周敏")]
    # What goes out is repaired too; what was sent stays.
    assert track_beside(office, patrol_id, WALK) < 1e-5

    assert say(office, patrol_id, "datum_mislabelled", "withdraw", text="再核对").status_code == 201
    work()
    undone = seen(chief, patrol_id)
    assert undone["verdict"] == before["verdict"]
    assert undone["coverage"] == before["coverage"]
    assert finding(undone, "datum_mislabelled")["standing"] == "replied"
    assert [row["kind"] for row in finding(undone, "datum_mislabelled")["statements"]] == ["reply", "judgement", "withdrawal"]
    assert track_beside(office, patrol_id, in_datum(WALK, Datum.GCJ02)) < 1e-5


def track_beside(caller, patrol_id, track):
    """Return by how many degrees the first fix that goes out lies beside that of a track."""
    longitude, latitude = caller.get(f"patrols/{patrol_id}.geojson").json["geometry"]["coordinates"][0][:2]
    return max(abs(longitude - track.longitude[0]), abs(latitude - track.latitude[0]))


def test_a_late_batch_is_examined_with_the_rest(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    half = len(WALK) // 2
    send(chief, patrol_id, WALK.at(slice(None, half)))
    finish(chief, patrol_id, WALK)
    work()
    first = seen(chief, patrol_id)
    assert 0.4 < first["coverage"][0]["share"] < 0.6
    send(chief, patrol_id, WALK.at(slice(half, None)))
    assert seen(chief, patrol_id)["stale"] is True
    work()
    whole = seen(chief, patrol_id)
    assert whole["coverage"][0]["share"] > 0.95
    assert whole["verdict"] == "valid"
    assert whole["stale"] is False

"""Where a report comes from: the source that it may name, and the patrol or check-in on which it arose."""

import uuid

import pytest

from tests.issues.conftest import HERE, report

BODY = {"category": "C1", "description": "桥下漂着垃圾", **HERE}


@pytest.mark.parametrize(
    ("who", "source"),
    [("patroller", "patrol"), ("chief", "patrol"), ("supervisor", "inspection"), ("office", "inspection"), ("handler", "inspection")],
)
def test_the_source_when_none_is_named(valley, who, source):
    assert report(getattr(valley, f"{who}_client"))["source"] == source


@pytest.mark.parametrize(
    ("who", "source", "status"),
    [
        ("office", "citizen", 422), ("chief", "citizen", 422), ("office", "patrol", 422), ("supervisor", "patrol", 422),
        ("chief", "patrol", 201), ("office", "hotline", 201), ("chief", "superior", 201),
    ],
)
def test_a_source_must_be_ones_own(valley, who, source, status):
    reply = getattr(valley, f"{who}_client").post("issues", json={**BODY, "source": source})
    assert reply.status_code == status
    assert status == 201 or list(reply.json["errors"]) == ["source"]


def test_a_patrol_or_check_in_must_be_ones_own(valley):
    patrol_id, check_in_id = str(uuid.uuid4()), str(uuid.uuid4())
    begun = valley.patroller_client.put(f"patrols/{patrol_id}", json={
        "reach_ids": [str(valley.reach.id)], "mode": "walk", "started_at": "2026-05-01T08:00:00+08:00"})
    there = valley.patroller_client.put(f"check-ins/{check_in_id}", json={
        **HERE, "patrol_id": patrol_id, "recorded_at": "2026-05-01T08:10:00+08:00", "checklist": {}})
    assert (begun.status_code, there.status_code) == (201, 201), (begun.json, there.json)
    for name, own in (("patrol_id", patrol_id), ("check_in_id", check_in_id)):
        refused = valley.chief_client.post("issues", json={**BODY, name: own})
        assert (refused.status_code, list(refused.json["errors"])) == (422, [name])
        assert report(valley.patroller_client, **{name: own})[name] == own
        unknown = str(uuid.uuid4())
        assert report(valley.chief_client, **{name: unknown})[name] == unknown

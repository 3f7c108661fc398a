"""Where a report comes from: the source that it may name, and the patrol or check-in on which it arose."""

import uuid

import pytest

from patrol.foundation.errors import Invalid
from patrol.issues.categories import Source
from patrol.issues.origins import CLAIMS, source_of
from patrol.people.permissions import Permission, Role
from tests.issues.conftest import HERE, report

BODY = {"category": "C1", "description": "桥下漂着垃圾", **HERE}


@pytest.mark.parametrize(
    ("who", "source"),
    [("patroller", "patrol"), ("chief", "patrol"), ("supervisor", "inspection"), ("office", "inspection"), ("handler", "department")],
)
def test_the_source_when_none_is_named(valley, who, source):
    assert report(getattr(valley, f"{who}_client"))["source"] == source


MAY_NAME = {
    "office": {"hotline", "superior", "inspection", "cepi", "media", "drone", "sensor", "department"},
    "supervisor": {"superior", "inspection", "cepi", "media", "drone"},
    "chief": {"patrol", "drone"}, "patroller": {"patrol", "drone"}, "handler": {"department", "drone"},
    "citizen_chief": {"patrol", "drone"}, "admin": set(), "auditor": set(),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("source", Source)
def test_each_source_is_named_by_those_who_may_know(build, actor_of, role, source):
    actor = actor_of(build.person(role))
    if source.value in MAY_NAME[role]:
        assert source_of(actor, source) is source
    else:
        with pytest.raises(Invalid) as refused:
            source_of(actor, source)
        assert list(refused.value.errors) == ["source"]


@pytest.mark.parametrize("role", Role)
def test_the_usual_source_is_one_that_may_be_named(build, actor_of, role):
    actor = actor_of(build.person(role))
    if not actor.may(Permission.REPORT_ISSUE):
        with pytest.raises(Invalid):
            source_of(actor, None)
        return
    usual = source_of(actor, None)
    assert usual.value in MAY_NAME[role]
    assert source_of(actor, usual) is usual


@pytest.mark.parametrize(("category", "rule"), [("F1", "duty_to_office"), ("Z", "other_to_office"), ("C1", "office_first")])
def test_what_a_bureau_reports_is_received_by_the_office_first(valley, category, rule):
    policy = report(valley.handler_client, category=category)["routing"]["policy"]
    assert (policy["rule"], policy["straight"]) == (rule, False)


@pytest.mark.parametrize(("who", "source", "status"), [
    ("office", "cepi", 201), ("supervisor", "cepi", 201), ("chief", "cepi", 422), ("patroller", "cepi", 422), ("office", "citizen", 422), ("handler", "inspection", 422),
    ("chief", "patrol", 201),
])
def test_a_claimed_source_is_refused_with_the_reason(valley, who, source, status):
    reply = getattr(valley, f"{who}_client").post("issues", json={**BODY, "source": source}, headers={"Accept-Language": "zh"})
    assert reply.status_code == status
    if status == 422:
        assert reply.json["errors"]["source"][0] == {
            "inspection": "来源“督查发现”只能由河长办或督查人员登记",
            "cepi": "来源“中央生态环境保护督察”只能由河长办或督查人员登记", "citizen": "群众投诉须经公众入口提交"}[source]


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
        assert f"without `{name}`" in valley.chief_client.post(
            "issues", json={**BODY, name: own}, headers={"Accept-Language": "en"}).json["errors"][name][0]
        [queued] = valley.chief_client.post("sync", json={"device": "phone 1", "items": [
            {"kind": "issue", "id": str(uuid.uuid4()), "data": {**BODY, name: own}}]}).json["results"]
        assert (queued["status"], list(queued["problem"]["errors"])) == ("refused", [name])
        assert report(valley.patroller_client, **{name: own})[name] == own
        unknown = str(uuid.uuid4())
        assert report(valley.chief_client, **{name: unknown})[name] == unknown


def test_a_patrol_and_a_check_in_may_come_after_the_issue_and_until_then_it_says_so(valley):
    patrol_id, check_in_id = str(uuid.uuid4()), str(uuid.uuid4())
    issue = report(valley.patroller_client, patrol_id=patrol_id, check_in_id=check_in_id)

    def missing(of=issue):
        told = valley.office_client.get(f"issues/{of['id']}/origin").json
        assert {name: row and row["id"] for name, row in told.items()} == {"patrol": of["patrol_id"], "check_in": of["check_in_id"]}
        return [name for name, row in told.items() if row and not row["here"]]

    assert missing() == ["patrol", "check_in"]
    begun = {"reach_ids": [str(valley.reach.id)], "mode": "walk", "started_at": "2026-05-01T08:00:00+08:00"}
    assert valley.patroller_client.put(f"patrols/{patrol_id}", json=begun).status_code == 201
    assert missing() == ["check_in"]
    there = {**HERE, "patrol_id": patrol_id, "recorded_at": "2026-05-01T08:10:00+08:00", "checklist": {}}
    assert valley.patroller_client.put(f"check-ins/{check_in_id}", json=there).status_code == 201
    assert missing() == []
    assert [row["id"] for row in valley.office_client.get(f"patrols/{patrol_id}").json["issues"]] == [issue["id"]]
    # Somebody else's under that id is not the one that was meant.
    other_id = str(uuid.uuid4())
    other = report(valley.patroller_client, check_in_id=other_id)
    assert valley.chief_client.put(f"check-ins/{other_id}", json={**there, "patrol_id": None}).status_code == 201
    assert missing(other) == ["check_in"]
    assert missing(report(valley.patroller_client)) == []
    assert valley.other_office_client.get(f"issues/{issue['id']}/origin").status_code == 404


def test_every_source_has_its_row():
    assert CLAIMS.keys() == set(Source)

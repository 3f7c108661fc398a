"""A major case over half a year: the plan is late and told once, comes, waits on the ledger, and is owed anew by a new lead."""

import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from patrol.foundation import clock, worker
from patrol.issues.escalating import escalate_all_due
from tests.conftest import Client
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import HERE, place  # noqa: F401 - the fixture

CHINA = ZoneInfo("Asia/Shanghai")


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.fixture
def people(place, build, signed_in):  # noqa: F811 - the fixture
    supervisor = build.person("supervisor", name="赵磊")
    named = {name: getattr(place, name) for name in ("chief", "town_chief", "district_chief", "office")} | {"supervisor": supervisor}
    return {name: signed_in(person) for name, person in named.items()} | {"id_of": {name: person.username for name, person in named.items()}}


def take(client, issue_id, verb, **body):
    etag = client.get(f"issues/{issue_id}").headers["ETag"]
    reply = client.post(f"issues/{issue_id}/{verb}", headers={"If-Match": etag}, json=body)
    assert reply.status_code == 200, reply.json
    return reply.json


def told(client):
    return [row["kind"] for row in client.get("me/messages?limit=200").json["items"]].count("issue.plan_late")


def work():
    escalate_all_due()
    while worker.deliver_due():
        pass


def test_the_plan_of_a_major_cure(people, app):
    anyone, now = Client(app.test_client()), [local("2026-03-02T09:00")]
    with clock.moved_clock(lambda: now[0].astimezone(UTC)):
        code = anyone.post("public/complaints", json={**HERE, "category": "B3", "description": "工厂直排，河水发黑"}).json["tracking_code"]
        work()
        [case] = people["office"].get("issues").json["items"]
        take(people["office"], case["id"], "accept", severity="major")
        issue = take(people["office"], case["id"], "dispatch", lead=people["id_of"]["chief"])
        assert (issue["plan"]["rule"], issue["plan"]["due_at"]) == ("plan_major_10_wd", "2026-03-16T16:00:00+00:00")

        # The worker is away from Friday to Thursday, and the plan was due on Monday: it is told when it is back, once.
        now[0] = local("2026-03-13T18:00")
        work()
        now[0] = local("2026-03-19T10:00")
        for _ in range(3):
            work()
        assert [told(people[name]) for name in ("chief", "town_chief", "district_chief")] == [1, 1, 0], "the lead, and the next chief above"
        assert [row["number"] for row in people["supervisor"].get("issues?list=late_below_me").json["items"]] == [case["number"]]

        take(people["chief"], case["id"], "start")
        issue = take(people["chief"], case["id"], "progress", note="封堵排口、清淤、补植，分三期，九月底完成", is_plan=True)
        assert (issue["plan"]["late"], issue["plan"]["reported_at"]) == (True, "2026-03-19T02:00:00+00:00")
        assert people["supervisor"].get("issues?list=late_below_me").json["items"] == []
        page = anyone.get(f"public/complaints/{code}", headers={"Accept-Language": "zh"}).json
        assert page["steps"][-1]["text"] == "责任人已制定整改方案。"
        assert "九月底" not in json.dumps(page, ensure_ascii=False), "what the plan says is not for the public"

        # It lies on the ledger for a month, and its plan is there when work goes on.
        now[0] = local("2026-04-01T10:00")
        take(people["district_chief"], case["id"], "suspend", reason="需立项", review_on="2026-05-06", milestones=[{"text": "立项", "due_on": "2026-05-06"}])
        now[0] = local("2026-05-06T10:00")
        issue = take(people["district_chief"], case["id"], "resume")
        assert issue["plan"]["reported_at"]
        now[0] = local("2026-06-01T10:00")
        work()
        assert told(people["town_chief"]) == 1

        # The case is closed, and the trouble comes back: whoever leads it then owes a plan of his own.
        photo = people["chief"].post("photos", data={"file": (io.BytesIO(camera_jpeg(5)), "a.jpg")}).json["id"]
        take(people["chief"], case["id"], "rectify", note="已完成", photo_ids=[photo])
        take(people["supervisor"], case["id"], "verify")
        take(people["district_chief"], case["id"], "close", public_summary="已整治")
        take(people["supervisor"], case["id"], "reopen", reason="又见黑水")
        issue = take(people["office"], case["id"], "dispatch", lead=people["id_of"]["town_chief"])
        assert (issue["plan"]["reported_at"], issue["plan"]["due_at"]) == (None, "2026-06-15T16:00:00+00:00")
        now[0] = local("2026-06-16T00:00")
        work()
        work()
        assert [told(people[name]) for name in ("chief", "town_chief", "district_chief")] == [1, 2, 1]

        history = people["office"].get(f"issues/{case['id']}/history").json["items"]
        assert [entry["seq"] for entry in history if entry["rule"] == "plan_late"] == [4, history[-1]["seq"]]
        result = app.test_cli_runner().invoke(args=["issues", "verify"])
        assert result.exit_code == 0, result.output

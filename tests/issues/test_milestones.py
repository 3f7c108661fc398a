"""The ledger: its milestones are reported as done, its review lies within a year, and work goes on where it stood."""

from datetime import timedelta

import pytest

from patrol.foundation import clock
from tests.issues.conftest import report, step, taken

CHINA = "Asia/Shanghai"


def suspended(valley, issue, days=30):
    day = (clock.today(CHINA) + timedelta(days=days)).isoformat()
    plan = [{"text": "立项", "due_on": day}, {"text": "完工", "due_on": day}]
    return step(valley.office_client, issue, "suspend", reason="需要工程", review_on=day, milestones=plan, approved_by=valley.district_chief.username)


def done(client, issue, n, version=None, note="已批复"):
    return client.post(f"issues/{issue['id']}/milestones/{n}/done", json={"note": note}, headers={"If-Match": f'"{version or issue["version"]}"'})


def test_a_milestone_is_reported_as_done_once_and_the_history_tells(valley):
    issue = suspended(valley, report(valley.patroller_client)).json
    assert [(row["n"], row["done_at"], row["done_by"], row["note"]) for row in issue["suspension"]["milestones"]] == [(1, None, None, None), (2, None, None, None)]
    assert done(valley.office_client, issue, 2, note=" ").status_code == 422
    reached = done(valley.chief_client, issue, 2)
    assert (reached.status_code, reached.json["state"]) == (200, "suspended")
    first, second = reached.json["suspension"]["milestones"]
    assert (first["done_at"], second["done_by"]["name"], second["note"]) == (None, "柳村长", "已批复")
    assert done(valley.office_client, issue, 1).status_code == 412
    assert done(valley.office_client, reached.json, 2).status_code == 409
    for n in (0, 3):
        assert done(valley.office_client, reached.json, n).status_code == 404
    assert done(valley.patroller_client, reached.json, 1).status_code == 403
    assert done(valley.other_office_client, reached.json, 1).status_code == 404
    again = done(valley.town_office_client, reached.json, 1).json
    last = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert (last["verb"], last["name"], last["note"], last["actor"]["name"]) == ("milestone_done", "挂账节点完成", "已批复", "镇河长办")
    assert last["changes"] == {"milestone": {"from": None, "to": 1}, "text": {"from": None, "to": "立项"}}
    resumed = taken(valley.office_client, again, "resume")
    assert done(valley.office_client, resumed, 1).status_code == 409


@pytest.mark.parametrize(("days", "status"), [(0, 422), (1, 200), (366, 200), (367, 422)])
def test_the_review_lies_within_a_year(valley, days, status):
    reply = suspended(valley, report(valley.patroller_client), days)
    assert reply.status_code == status
    assert status == 200 or "review_on" in reply.json["errors"]


def test_what_had_nobody_in_charge_goes_back_to_the_office(valley):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    issue = suspended(valley, issue).json
    [resume] = [row for row in valley.office_client.get(f"issues/{issue['id']}/allowed").json["steps"] if row["verb"] == "resume"]
    assert resume["target"] == "accepted"
    issue = taken(valley.office_client, issue, "resume")
    assert (issue["state"], issue["lead"], "dispatch" in issue["allowed"]) == ("accepted", None, True)
    led = suspended(valley, taken(valley.office_client, issue, "dispatch")).json
    resumed = taken(valley.office_client, led, "resume")
    assert (resumed["state"], resumed["lead"]["name"]) == ("in_progress", "柳村长")


def test_what_was_reached_is_waited_for_no_more(valley):
    today = clock.today(CHINA)
    near, far = ((today + timedelta(days=days)).isoformat() for days in (3, 9))
    plan = {"reason": "需要工程", "review_on": far, "milestones": [{"text": "立项", "due_on": near}]}
    issue = taken(valley.office_client, report(valley.patroller_client), "suspend", **plan, approved_by=valley.district_chief.username)
    assert any(near in words for words in issue["decision"]["explanation"])
    left = done(valley.office_client, issue, 1).json
    assert any(far in words for words in left["decision"]["explanation"])
    assert left["decision"]["by"] > issue["decision"]["by"]

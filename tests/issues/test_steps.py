"""Steps over HTTP that change more than the state: giving an issue back, and the ledger on which its clock stands still."""

from datetime import UTC, datetime, timedelta

from patrol.foundation import clock
from patrol.issues.history import broken_chains
from tests.issues.conftest import report, step, taken

DECLINING = {"ground": "other_reach", "reason": "在石溪段一侧", "suggested_owner": "石桥镇河长"}
LEDGER = {"reason": "需截污工程", "review_on": "2026-07-01", "milestones": [{"text": "管道完工", "due_on": "2026-06-20"}]}
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def at(moment):
    return clock.moved_clock(lambda: moment)


def last_entry(client, issue):
    return client.get(f"issues/{issue['id']}/history").json["items"][-1]


def test_a_declined_issue_waits_for_the_offices_ruling_which_is_final(valley):
    issue = taken(valley.chief_client, report(valley.patroller_client), "decline", **DECLINING)
    assert (issue["state"], issue["lead"], issue["dispatched_at"]) == ("accepted", None, None)
    entry = last_entry(valley.office_client, issue)
    assert (entry["ground"], entry["reason"], entry["ground_name"]) == ("other_reach", "在石溪段一侧", "不在本人责任河段")
    assert entry["changes"]["suggested_owner"] == {"from": None, "to": "石桥镇河长"}
    ruled = taken(valley.office_client, issue, "dispatch")
    assert ruled["lead"]["name"] == "柳村长"
    assert last_entry(valley.office_client, ruled)["changes"]["ruling"] == {"from": None, "to": True}
    refused = step(valley.chief_client, ruled, "decline", **DECLINING)
    assert refused.status_code == 409
    assert "decline" not in refused.json["allowed"]
    assert valley.chief_client.get(f"issues/{issue['id']}/allowed").json["allowed"] == ["start", "rectify"]
    assert set(broken_chains()) == {None}


def test_after_24_hours_nothing_is_declined_and_nothing_is_changed(valley):
    issue = report(valley.patroller_client)
    sent = datetime.fromisoformat(issue["dispatched_at"])
    with at(sent + timedelta(hours=24, seconds=1)):
        refused = step(valley.chief_client, issue, "decline", **DECLINING)
        assert refused.status_code == 409
        assert valley.office_client.get(f"issues/{issue['id']}").json["version"] == issue["version"]


def test_declining_wants_a_ground_of_its_own_and_an_owner(valley):
    issue = report(valley.patroller_client)
    for wrong in ({"ground": "no_evidence_found"}, {"suggested_owner": " "}, {"reason": ""}):
        refused = step(valley.chief_client, issue, "decline", **DECLINING | wrong)
        assert refused.status_code == 422
        assert set(refused.json["errors"]) == set(wrong)
    assert step(valley.supervisor_client, issue, "decline", **DECLINING).status_code == 403


def test_a_new_life_may_be_declined_anew(valley, pictures):
    issue = taken(valley.chief_client, report(valley.patroller_client), "decline", **DECLINING)
    issue = taken(valley.office_client, issue, "reject", ground="no_evidence_found", reason="未见")
    issue = taken(valley.office_client, taken(valley.office_client, issue, "reopen", reason="又报"), "dispatch")
    assert "ruling" not in last_entry(valley.office_client, issue)["changes"]
    assert taken(valley.chief_client, issue, "decline", **DECLINING)["state"] == "accepted"


def test_the_clock_stands_still_on_the_ledger_and_gives_back_what_was_left(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
    assert issue["due_rule"]["last_day"] == "2026-03-16"
    with at(MONDAY + timedelta(days=8)):
        issue = taken(valley.office_client, issue, "suspend", **LEDGER, approved_by=valley.district_chief.username)
    assert (issue["state"], issue["due_at"], issue["overdue"]) == ("suspended", None, False)
    assert issue["suspension"]["review_on"] == "2026-07-01"
    [milestone] = issue["suspension"]["milestones"]
    assert {name: milestone[name] for name in ("text", "due_on")} == LEDGER["milestones"][0]
    with at(datetime(2026, 6, 1, 1, tzinfo=UTC)):
        assert not valley.office_client.get("issues?overdue=true").json["items"]
        issue = taken(valley.office_client, issue, "resume", note="已完工")
    assert (issue["state"], issue["suspension"]) == ("in_progress", None)
    assert issue["due_rule"]["last_day"] == "2026-06-05"  # 11, 12, 13 and 16 March were left
    entry = last_entry(valley.office_client, issue)
    assert entry["changes"]["due_at"]["to"] == "2026-06-05T16:00:00+00:00"
    assert entry["changes"]["milestones"] == {"from": LEDGER["milestones"], "to": None}
    assert set(broken_chains()) == {None}


def test_what_is_to_be_reviewed_can_be_listed(valley):
    with at(MONDAY):
        issue = taken(valley.office_client, report(valley.patroller_client), "suspend", **LEDGER, approved_by=valley.district_chief.username)
        report(valley.patroller_client)

    def found(day):
        return [row["id"] for row in valley.office_client.get(f"issues?review_before={day}").json["items"]]

    assert found("2026-06-30") == []
    assert found("2026-07-01") == [issue["id"]]
    with at(MONDAY + timedelta(days=1)):
        taken(valley.office_client, issue, "resume")
    assert found("2026-07-01") == []


def test_a_review_in_the_past_and_a_milestone_without_a_day_are_refused(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        for wrong in ({"review_on": "2026-03-02"}, {"milestones": []}, {"milestones": [{"text": "完工", "due_on": "2026-03-01"}]}, {"milestones": [{"text": "完工"}]},
                      {"milestones": [{"text": " ", "due_on": "2026-06-20"}]}, {"review_on": "soon"}):
            refused = step(valley.office_client, issue, "suspend", **LEDGER | wrong, approved_by=valley.district_chief.username)
            assert refused.status_code == 422, wrong
            assert all(name.startswith(*wrong) for name in refused.json["errors"])
        assert valley.office_client.get(f"issues/{issue['id']}").json["version"] == issue["version"]


def test_a_due_date_at_the_end_of_the_calendar_is_refused(valley):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    refused = step(valley.office_client, issue, "dispatch", due_at="9999-12-31T23:59:59Z")
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"due_at"})


def test_a_major_issue_goes_on_the_ledger_by_the_districts_chief(valley):
    with at(MONDAY):
        issue = taken(valley.office_client, report(valley.patroller_client, severity="major"), "accept")
        assert step(valley.office_client, issue, "suspend", **LEDGER, approved_by=valley.district_chief.username).status_code == 403
        issue = taken(valley.district_chief_client, issue, "suspend", **LEDGER)
        assert "resume" in valley.district_chief_client.get(f"issues/{issue['id']}/allowed").json["allowed"]
        assert taken(valley.district_chief_client, issue, "resume")["state"] == "accepted"


def test_reopened_nobody_is_in_charge_any_more_no_department_either(valley, pictures):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    issue = taken(valley.office_client, issue, "dispatch", department="urban_management")
    issue = taken(valley.handler_client, issue, "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.supervisor_client, issue, "verify")
    issue = taken(valley.office_client, issue, "close")
    issue = taken(valley.supervisor_client, issue, "reopen", reason="复发")
    assert (issue["lead"], issue["department"], issue["dispatched_at"]) == (None, None, None)


def test_what_nobody_can_sign_goes_back_to_work_with_its_clock(valley, pictures):
    with at(MONDAY):
        issue = taken(valley.office_client, report(valley.office_client, category="A32", severity="major"), "accept")
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.district_chief.username)
        before = datetime.fromisoformat(issue["due_at"])
        issue = taken(valley.district_chief_client, issue, "rectify", note="好", files=pictures[:1])
    with at(MONDAY + timedelta(days=3)):
        issue = taken(valley.supervisor_client, issue, "verify")
        assert step(valley.district_chief_client, issue, "close").status_code == 403
        assert step(valley.district_chief_client, issue, "return", reason="x").status_code == 403
    with at(MONDAY + timedelta(days=5)):
        issue = taken(valley.supervisor_client, issue, "return", reason="无人可以签字")
        assert (issue["state"], issue["rectified_at"], issue["verified_at"], issue["returned_times"]) == ("in_progress", None, None, 1)
        assert datetime.fromisoformat(issue["due_at"]) - before == timedelta(days=5)
    assert set(broken_chains()) == {None}


def test_a_major_charge_is_closed_by_the_office_above(valley, pictures):
    issue = taken(valley.office_client, report(valley.patroller_client, category="F2", severity="major"), "accept")
    issue = taken(valley.office_client, issue, "dispatch", lead=valley.handler.username)
    issue = taken(valley.handler_client, issue, "rectify", note="查实", files=pictures[:1])
    issue = taken(valley.supervisor_client, issue, "verify")
    assert issue["id"] in {row["id"] for row in valley.office_client.get("issues?list=waiting_for_me").json["items"]}
    assert "close" in valley.office_client.get(f"issues/{issue['id']}").json["allowed"]
    assert taken(valley.office_client, issue, "close")["state"] == "closed"


def test_a_major_issue_once_accepted_is_rejected_by_the_districts_chief(valley):
    found = {"ground": "already_rectified", "reason": "已整改"}
    first, second = (report(valley.office_client, category="A32", severity="major", description=text) for text in ("一", "二"))
    assert taken(valley.office_client, first, "reject", **found)["state"] == "rejected"
    second = taken(valley.office_client, second, "accept")
    refused = step(valley.office_client, second, "reject", **found)
    assert (refused.status_code, "县级河长" in refused.json["detail"]) == (403, True)
    assert taken(valley.district_chief_client, second, "reject", **found)["state"] == "rejected"

"""The office's own clock: the check, the closing, the ledger's days; late it is listed, and the office and the one above are told."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Escalation
from patrol.issues.history import broken_chains
from tests.issues.conftest import at, report, taken

CHINA = ZoneInfo("Asia/Shanghai")


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def by(issue):
    return datetime.fromisoformat(issue["decision"]["by"])


def climbed():
    return [row.code for row in db.session.scalars(select(Escalation).order_by(Escalation.planned_at))]


def sweep_at(text):
    with at(local(text)):
        return escalate_all_due()


def listed(client, query):
    return [row["number"] for row in client.get(f"issues?{query}").json["items"]]


@pytest.fixture
def rectified(valley, pictures, monday):
    with at(local("2026-03-03T09:00")):
        return taken(valley.chief_client, report(valley.patroller_client), "rectify", files=pictures[:1], note="已清理")


@pytest.fixture
def accepted(valley, monday):
    with at(local("2026-03-03T09:00")):
        return taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")


def test_whom_to_put_in_charge_is_decided_within_a_working_day_and_late_visibly(valley, accepted):
    """A cure may have 60 days: what the office accepted must not lie there until half of them are over."""
    assert (by(accepted), accepted["decision"]["rule"]) == (local("2026-03-05T00:00"), "dispatch_serious_1_wd")
    assert accepted["decision"]["explanation"][0] == "派单期限：1个工作日"
    assert sweep_at("2026-03-04T23:59") == 0
    assert sweep_at("2026-03-05T00:00") == 1
    assert climbed() == ["dispatch_late"]
    with at(local("2026-03-05T09:00")):
        while worker.deliver_due():
            pass
        shown = valley.office_client.get(f"issues/{accepted['id']}").json
        assert (shown["decision"]["late"], shown["overdue"]) == (True, False)
        for client, query in ((valley.office_client, "decision_late=true"), (valley.supervisor_client, "list=late_below_me")):
            assert listed(client, query) == [accepted["number"]], query
        for client in (valley.town_office_client, valley.office_client):
            [told] = [row for row in client.get("me/messages").json["items"] if row["kind"] == "issue.dispatch_late"]
            assert "2026-03-04 24:00" in told["body"]
        dispatched = taken(valley.office_client, shown, "dispatch", lead=valley.chief.username)
        assert dispatched["decision"] is None
    assert sweep_at("2026-03-20T00:00") == 1, "the lead's ladder goes on: half of the time is over"
    assert [chain for chain in broken_chains() if chain] == []


def test_what_comes_back_to_the_office_has_the_clock_of_a_dispatch_again(valley, monday):
    issue = report(valley.patroller_client)
    assert issue["decision"] is None, "dispatched by policy at once"
    with at(local("2026-03-03T08:00")):
        declined = taken(valley.chief_client, issue, "decline", ground="other_reach", reason="不在本段", suggested_owner="区水利局")
        assert (by(declined), declined["decision"]["rule"]) == (local("2026-03-05T00:00"), "dispatch_general_1_wd")
    with at(local("2026-03-04T09:00")):
        moved = taken(valley.office_client, declined, "transfer", region=valley.town.code, reason="先由镇办核实")
        assert by(moved) == by(declined), "passing it round gains no time"


def test_merging_and_taking_out_again_gains_the_office_no_time_to_dispatch(valley, accepted, monday):
    other = report(valley.patroller_client)
    with at(local("2026-03-04T23:00")):
        merged = taken(valley.office_client, accepted, "merge", into=other["id"], reason="同一处")
        assert merged["decision"] is None
    with at(local("2026-03-05T09:00")):
        escalate_all_due()
        assert climbed() == []
        undone = taken(valley.office_client, merged, "unmerge", reason="两处")
        assert undone["decision"] == {**accepted["decision"], "late": True}
        escalate_all_due()
    assert climbed() == ["dispatch_late"]
    assert [chain for chain in broken_chains() if chain] == []


def test_a_check_has_three_working_days_and_a_closing_five(valley, rectified):
    assert by(rectified) == local("2026-03-07T00:00")
    assert rectified["decision"]["rule"] == "review_general_3_wd"
    assert rectified["decision"]["explanation"][0] == "复核期限：3个工作日"
    assert rectified["decision"]["late"] is False
    with at(local("2026-03-06T09:00")):
        verified = taken(valley.office_client, rectified, "verify")
        assert by(verified) == local("2026-03-14T00:00")
        assert taken(valley.office_client, verified, "close")["decision"] is None
    assert sweep_at("2026-04-30T09:00") == 0


def test_a_late_check_is_noted_once_listed_and_told_to_the_office_and_the_one_above(valley, rectified):
    assert sweep_at("2026-03-06T23:59") == 0
    assert sweep_at("2026-03-07T00:00") == 1
    assert sweep_at("2026-03-20T00:00") == 0
    assert climbed() == ["review_late"]
    with at(local("2026-03-08T09:00")):
        while worker.deliver_due():
            pass
        shown = valley.office_client.get(f"issues/{rectified['id']}").json
        assert (shown["decision"]["late"], shown["overdue"]) == (True, False)
        for client, query in (
            (valley.office_client, "decision_late=true"), (valley.office_client, "list=waiting_for_me"),
            (valley.supervisor_client, "list=late_below_me"), (valley.district_chief_client, "list=late_below_me"),
        ):  # fmt: skip
            assert listed(client, query) == [rectified["number"]], query
        assert listed(valley.office_client, "decision_late=false") == []
        assert listed(valley.office_client, "overdue=true") == []
        assert listed(valley.chief_client, "list=late_below_me") == []
    for client in (valley.town_office_client, valley.office_client):
        [told] = [row for row in client.get("me/messages").json["items"] if row["kind"] == "issue.review_late"]
        assert "2026-03-06 24:00" in told["body"]
    assert "issue.review_late" not in [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]]
    assert [row["name"] for row in valley.office_client.get("escalations?code=review_late").json["items"]] == ["复核超期"]
    assert [chain for chain in broken_chains() if chain] == []


def test_each_day_of_the_ledger_that_passes_is_told(valley, monday):
    issue = taken(
        valley.office_client, report(valley.patroller_client), "suspend", reason="需要工程", review_on="2026-03-20", approved_by=valley.district_chief.username,
        milestones=[{"text": "立项", "due_on": "2026-03-12"}, {"text": "完工", "due_on": "2026-06-30"}])
    assert by(issue) == local("2026-03-13T00:00")
    assert issue["decision"]["explanation"] == ["挂账节点：2026-03-12", "截止2026-03-12 24:00"]
    assert sweep_at("2026-03-12T09:00") == 0
    with at(local("2026-03-12T09:00")):
        assert listed(valley.office_client, "list=waiting_for_me") == [issue["number"]]
    assert sweep_at("2026-03-13T00:00") == 1
    assert sweep_at("2026-03-21T00:00") == 1
    with at(local("2026-03-22T09:00")):
        resumed = taken(valley.office_client, valley.office_client.get(f"issues/{issue['id']}").json, "resume")
    assert resumed["decision"] is None
    assert climbed() == ["ledger_late", "ledger_late"]


def test_a_check_that_comes_after_a_downtime_is_told_although_the_lead_would_be_late_too(valley, rectified):
    with at(local("2026-05-04T09:00")):
        escalate_all_due()
        while worker.deliver_due():
            pass
    assert "issue.review_late" in [row["kind"] for row in valley.office_client.get("me/messages").json["items"]]


MORE_TIME = {"until": "2026-03-25T00:00:00+08:00", "reason": "连续降雨"}


@pytest.fixture
def asked(valley, monday):
    """A dispatched issue whose lead asked for more time on a Tuesday."""
    issue = report(valley.patroller_client)
    with at(local("2026-03-03T09:00")):
        return taken(valley.chief_client, issue, "extensions", **MORE_TIME)


def test_a_request_for_more_time_has_a_clock_of_its_own_and_is_late_visibly(valley, asked):
    assert by(asked) == local("2026-03-05T00:00")
    assert (asked["decision"]["rule"], asked["decision"]["late"]) == ("extension_general_1_wd", False)
    assert asked["decision"]["explanation"][0] == "延期申请的批复期限：1个工作日"
    assert sweep_at("2026-03-04T23:59") == 0
    assert sweep_at("2026-03-05T00:00") == 1
    assert climbed() == ["extension_late"]
    with at(local("2026-03-05T09:00")):
        while worker.deliver_due():
            pass
        started = taken(valley.chief_client, valley.chief_client.get(f"issues/{asked['id']}").json, "start")
        assert (by(started), started["decision"]["late"], started["overdue"]) == (by(asked), True, False)
        for client, query in (
            (valley.office_client, "decision_late=true"), (valley.office_client, "list=waiting_for_me"), (valley.supervisor_client, "list=late_below_me"),
        ):  # fmt: skip
            assert listed(client, query) == [asked["number"]], query
        for client in (valley.town_office_client, valley.office_client):
            [told] = [row for row in client.get("me/messages").json["items"] if row["kind"] == "issue.extension_late"]
            assert "2026-03-04 24:00" in told["body"]
        decided = taken(valley.office_client, started, "extensions/1/decide", granted=False, reason="无必要")
        assert decided["decision"] is None
        assert listed(valley.office_client, "decision_late=true") == []
    assert [chain for chain in broken_chains() if chain] == []


def test_the_leads_own_ladder_goes_on_beside_a_request(valley, asked):
    """Half of the time is over on Monday the 9th, the day before the last begins on Friday the 13th, the last ends on the 16th."""
    for day in ("2026-03-05T00:00", "2026-03-10T00:00", "2026-03-13T00:00", "2026-03-17T00:00"):
        assert sweep_at(day) == 1, day
    assert climbed() == ["extension_late", "half_time", "day_before", "overdue"]


def test_another_grade_keeps_the_clock_of_the_request(valley, asked, monday):
    other = report(valley.patroller_client)
    with at(local("2026-03-03T10:00")):
        taken(valley.office_client, other, "merge", into=asked["id"], reason="同一处", raise_severity="serious")
        shown = valley.office_client.get(f"issues/{asked['id']}").json
        assert (by(shown), shown["decision"]["rule"]) == (by(asked), "extension_general_1_wd")
        undone = taken(valley.office_client, valley.office_client.get(f"issues/{other['id']}").json, "unmerge", reason="两处")
        assert undone["state"] == "dispatched"
    assert sweep_at("2026-03-05T00:00") == 1
    assert climbed() == ["extension_late"]


def test_what_was_asked_before_a_check_or_the_ledger_is_decided_after_it(valley, asked, pictures):
    with at(local("2026-03-04T09:00")):
        cured = taken(valley.chief_client, asked, "rectify", files=pictures[:1], note="已清理")
        assert cured["decision"]["rule"] == "review_general_3_wd"
    with at(local("2026-03-06T09:00")):
        returned = taken(valley.office_client, cured, "return", reason="仍有")
        assert (by(returned), returned["decision"]["rule"]) == (local("2026-03-10T00:00"), "extension_general_1_wd")
        ledger = {"reason": "工程", "review_on": "2026-03-20", "milestones": [{"text": "立项", "due_on": "2026-03-20"}]}
        kept = taken(valley.office_client, returned, "suspend", **ledger, approved_by=valley.district_chief.username)
        assert kept["decision"]["rule"] == "ledger"
    with at(local("2026-03-16T09:00")):
        resumed = taken(valley.office_client, kept, "resume")
        assert by(resumed) == local("2026-03-18T00:00")
    assert [chain for chain in broken_chains() if chain] == []


def test_what_ends_decides_the_request(valley, asked, pictures):
    with at(local("2026-03-04T09:00")):
        other = taken(valley.chief_client, report(valley.patroller_client), "extensions", **MORE_TIME)
        taken(valley.office_client, other, "merge", into=asked["id"], reason="同一处")
        issue = taken(valley.chief_client, asked, "rectify", files=pictures[:1], note="已清理", version=asked["version"] + 1)
        issue = taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")
        assert issue["decision"] is None
        for ended in (issue, other):
            [row] = valley.office_client.get(f"issues/{ended['id']}/extensions").json["items"]
            assert (row["granted"], row["decided_by"], "办结" in row["decision"]) == (False, None, True)
            last = valley.office_client.get(f"issues/{ended['id']}/history").json["items"][-1]
            assert (last["verb"], last["rule"], last["actor"]) == ("refuse_extension", "issue_ended", None)
        while worker.deliver_due():
            pass
        assert "issue.refuse_extension" not in [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]]
    assert sweep_at("2026-04-30T09:00") == 0
    assert [chain for chain in broken_chains() if chain] == []


def test_a_new_lead_has_no_request_that_waits(valley, asked, build, signed_in):
    admin = signed_in(build.person("admin"))
    assert admin.patch(f"people/{valley.chief.id}", json={"disabled": True}, headers={"If-Match": '"1"'}).status_code == 200
    assert valley.office_client.get(f"issues/{asked['id']}").json["decision"] is None
    assert [chain for chain in broken_chains() if chain] == []

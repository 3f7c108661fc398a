"""The plan of a major cure: ten working days from the dispatch, reported as progress; late it climbs to the superior chief once."""

from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.issues.case_file_words import changes_said
from patrol.issues.climbing import put_off
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Escalation
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from tests.issues.conftest import at, report, step, taken

CHINA = ZoneInfo("Asia/Shanghai")
LEDGER = {"reason": "需要工程", "review_on": "2026-06-01", "milestones": [{"text": "立项", "due_on": "2026-06-01"}]}


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def by(issue):
    return datetime.fromisoformat(issue["plan"]["due_at"])


def read(client, issue):
    return client.get(f"issues/{issue['id']}").json


def late_plans():
    return [row.planned_at for row in db.session.scalars(select(Escalation).where(Escalation.code == "plan_late").order_by(Escalation.planned_at))]


def sweep_at(text):
    with at(local(text)):
        return escalate_all_due()


def listed(client, query):
    return [row["number"] for row in client.get(f"issues?{query}").json["items"]]


def sound():
    return [chain for chain in broken_chains() if chain] == [] and list(put_off("Asia/Shanghai")) == []


def dispatched(valley, severity="major"):
    """Report, accept and dispatch on Tuesday the 3rd of March at 9: ten working days end on Tuesday the 17th."""
    with at(local("2026-03-03T09:00")):
        issue = taken(valley.office_client, report(valley.office_client, severity=severity), "accept")
        assert issue["plan"] is None
        return taken(valley.office_client, issue, "dispatch", lead=valley.chief.username)


@pytest.fixture
def superior(valley, build, signed_in):
    """The town's chief of the same water, signed in."""
    person = build.person("chief", region=valley.town, name="镇长")
    build.appointment(build.reach(region=valley.town, level="township", water_body=valley.reach.water_body), person)
    return signed_in(person)


@pytest.fixture
def major(valley, monday):
    return dispatched(valley)


@pytest.fixture
def started(valley, major):
    with at(local("2026-03-04T09:00")):
        return taken(valley.chief_client, major, "start")


def test_the_lead_of_a_major_issue_reports_a_plan_within_ten_working_days(valley, major, pictures):
    assert (by(major), major["plan"]["rule"]) == (local("2026-03-18T00:00"), "plan_major_10_wd")
    assert major["plan"]["explanation"][0] == "整改方案报送期限：10个工作日"
    assert (major["plan"]["reported_at"], major["plan"]["late"], major["due_rule"]["rule"]) == (None, False, "major_60_d")
    with at(local("2026-03-04T09:00")):
        too_early = step(valley.chief_client, major, "progress", note="方案", is_plan=True)
        assert (too_early.status_code, "start" in too_early.json["allowed"]) == (409, True)
        issue = taken(valley.chief_client, major, "start")
        assert (by(issue), taken(valley.chief_client, issue, "progress", note="已勘察")["plan"]["reported_at"]) == (by(major), None)
    with at(local("2026-03-17T23:59")):
        issue = taken(valley.chief_client, read(valley.chief_client, issue), "progress", note="分三期清淤", is_plan="true", files=pictures[:1])
        assert datetime.fromisoformat(issue["plan"]["reported_at"]) == local("2026-03-17T23:59")
        last = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
        assert (last["verb"], last["note"], last["changes"]["plan"]) == ("progress", "分三期清淤", {"from": None, "to": True})
        assert len(last["photos"]) == 1
    assert sweep_at("2026-03-18T00:00") == 0
    assert read(valley.office_client, issue)["plan"]["late"] is False
    with at(local("2026-03-20T09:00")):
        again = taken(valley.chief_client, read(valley.chief_client, issue), "progress", note="方案有调整", is_plan=True)
        assert again["plan"] == issue["plan"], "a plan that is changed was reported when it first was"
    assert late_plans() == []
    assert sound()


def test_only_the_lead_reports_it(valley, major):
    with at(local("2026-03-04T09:00")):
        issue = step(valley.office_client, major, "transfer", region=valley.town.code, reason="由镇办统筹")
        issue = taken(valley.office_client, issue.json, "dispatch", lead=valley.chief.username, co_handlers=[valley.handler.username])
        issue = taken(valley.handler_client, issue, "start")
        refused = step(valley.handler_client, issue, "progress", note="方案", is_plan=True)
        assert (refused.status_code, "责任人" in refused.json["detail"]) == (403, True)
        assert taken(valley.handler_client, issue, "progress", note="协办进展", is_plan=False)["plan"]["reported_at"] is None


def test_a_late_plan_is_told_to_the_superior_chief_once_and_listed(valley, superior, started):
    assert sweep_at("2026-03-17T23:59") == 0
    with at(local("2026-03-17T09:00")):
        assert listed(valley.chief_client, "list=mine_today") == [started["number"]]
        assert listed(valley.supervisor_client, "plan_late=true") == []
    assert sweep_at("2026-03-18T00:00") == 1
    assert sweep_at("2026-03-20T00:00") == 0
    assert late_plans() == [local("2026-03-18T00:00")]
    with at(local("2026-03-20T09:00")):
        while worker.deliver_due():
            pass
        shown = read(valley.office_client, started)
        assert (shown["plan"]["late"], shown["overdue"], shown["decision"]) == (True, False, None)
        for client, query in (
            (valley.office_client, "plan_late=true"), (valley.office_client, "plan_late=true&order=due"), (valley.supervisor_client, "list=late_below_me"),
            (superior, "list=late_below_me"), (valley.chief_client, "list=mine_today"),
        ):  # fmt: skip
            assert listed(client, query) == [started["number"]], query
        for client, query in ((valley.office_client, "plan_late=false"), (valley.office_client, "overdue=true"), (valley.chief_client, "list=late_below_me")):
            assert listed(client, query) == [], query
        [counted] = [row for row in valley.supervisor_client.get("issues/lists").json["items"] if row["name"] == "late_below_me"]
        assert counted["count"] == 1
        [row] = valley.office_client.get("escalations?code=plan_late").json["items"]
        assert row["name"] == "整改方案超期"
        taken(valley.chief_client, shown, "progress", note="方案", is_plan=True)
        assert read(valley.chief_client, shown)["plan"]["late"] is True, "it was reported too late"
        assert listed(valley.supervisor_client, "list=late_below_me") == listed(valley.office_client, "plan_late=true") == []
    for client in (valley.chief_client, superior, valley.town_office_client):
        [told] = [row for row in client.get("me/messages").json["items"] if row["kind"] == "issue.plan_late"]
        assert "2026-03-17 24:00" in told["body"]
    assert sound()


def test_the_dispatch_tells_the_lead_of_the_plan(valley, major):
    with at(local("2026-03-03T09:01")):
        while worker.deliver_due():
            pass
    [told] = [row for row in valley.chief_client.get("me/messages").json["items"] if row["kind"] == "issue.dispatch"]
    assert "整改方案" in told["body"]
    assert "2026-03-17 24:00" in told["body"]


def test_others_owe_no_plan_but_may_report_one(valley, monday):
    issue = dispatched(valley, "serious")
    assert issue["plan"] is None
    with at(local("2026-03-04T09:00")):
        issue = taken(valley.chief_client, taken(valley.chief_client, issue, "start"), "progress", note="方案", is_plan=True)
    assert issue["plan"] == {"due_at": None, "reported_at": issue["plan"]["reported_at"], "late": False, "rule": None, "explanation": []}
    assert issue["plan"]["reported_at"]
    assert listed(valley.office_client, "plan_late=false") == [issue["number"]]


def test_a_late_plan_is_told_after_a_downtime_although_the_due_date_moved_meanwhile(valley, superior, started):
    """Nobody swept from the 16th on: what was granted on the 19th must not hide that the plan was late by then."""
    assert sweep_at("2026-03-16T09:00") == 0
    with at(local("2026-03-19T09:00")):
        issue = taken(valley.chief_client, read(valley.chief_client, started), "extensions", until="2026-05-20T00:00:00+08:00", reason="雨")
        taken(valley.office_client, issue, "extensions/1/decide", granted=True, reason="同意")
    assert sweep_at("2026-05-15T09:00") >= 1
    assert late_plans() == [local("2026-03-18T00:00")]
    with at(local("2026-07-01T09:00")):
        escalate_all_due()
        while worker.deliver_due():
            pass
    assert late_plans() == [local("2026-03-18T00:00")]
    assert [row["kind"] for row in superior.get("me/messages").json["items"]].count("issue.plan_late") == 1
    assert sound()


def test_the_ledger_stops_the_clock_and_gives_back_what_was_left(valley, major):
    with at(local("2026-03-05T09:00")):
        kept = taken(valley.district_chief_client, major, "suspend", **LEDGER)
        assert kept["plan"] is None
    assert sweep_at("2026-04-01T09:00") == 0
    with at(local("2026-04-13T09:00")):
        resumed = taken(valley.district_chief_client, kept, "resume")
    # Eight working days were left after the 5th: from Monday the 13th of April they end on the 23rd.
    assert by(resumed) == local("2026-04-24T00:00")
    assert "剩余8个工作日" in resumed["plan"]["explanation"]
    sweep_at("2026-04-23T23:59")
    assert late_plans() == []
    sweep_at("2026-04-24T00:00")
    assert late_plans() == [local("2026-04-24T00:00")]
    assert sound()


def test_a_cure_stops_the_clock_and_a_return_goes_on_with_it(valley, major, pictures):
    with at(local("2026-03-16T09:00")):
        cured = taken(valley.chief_client, major, "rectify", note="已清", files=pictures[:1])
        assert cured["plan"] == {**major["plan"], "late": False}
    assert late_plans() == []
    with at(local("2026-03-19T09:00")):
        returned = taken(valley.office_client, cured, "return", reason="仍有")
        assert by(returned) == local("2026-03-21T00:00"), "one working day was left"
    assert sweep_at("2026-03-21T00:00") >= 1
    with at(local("2026-03-23T09:00")):
        cured = taken(valley.chief_client, read(valley.chief_client, returned), "rectify", note="已清", files=pictures[1:2])
    with at(local("2026-03-24T09:00")):
        returned = taken(valley.office_client, cured, "return", reason="仍有")
        assert by(returned) == local("2026-03-21T00:00"), "what was late stays late since then"
    sweep_at("2026-03-30T09:00")
    assert late_plans() == [local("2026-03-21T00:00")]
    assert sound()


def test_a_plan_that_was_late_before_a_check_is_told_after_it_although_nobody_swept(valley, major, pictures):
    with at(local("2026-03-19T09:00")):
        cured = taken(valley.chief_client, major, "rectify", note="已清", files=pictures[:1])
    with at(local("2026-03-20T09:00")):
        taken(valley.office_client, cured, "return", reason="仍有")
    sweep_at("2026-03-20T10:00")
    assert late_plans() == [local("2026-03-18T00:00")]


@pytest.mark.parametrize("how", ["transfer", "decline"])
def test_a_new_lead_has_the_time_anew(valley, major, how):
    with at(local("2026-03-04T08:00")):
        if how == "transfer":
            back = taken(valley.office_client, major, "transfer", region=valley.other_town.code, reason="属石桥镇")
        else:
            back = taken(valley.chief_client, major, "decline", ground="other_reach", reason="不在本段", suggested_owner="区水利局")
        assert back["plan"] is None
    with at(local("2026-03-05T09:00")):
        anew = taken(valley.office_client, back, "dispatch", lead=valley.other_chief.username)
        assert by(anew) == local("2026-03-20T00:00")
    assert sweep_at("2026-03-19T23:59") == 0
    assert sweep_at("2026-03-20T00:00") == 1
    assert late_plans() == [local("2026-03-20T00:00")]
    assert sound()


def test_a_plan_is_owed_anew_after_a_reopening(valley, started, pictures):
    with at(local("2026-03-10T09:00")):
        issue = taken(valley.chief_client, started, "progress", note="方案", is_plan=True)
        issue = taken(valley.chief_client, issue, "rectify", note="已清", files=pictures[:1])
        issue = taken(valley.district_chief_client, taken(valley.supervisor_client, issue, "verify"), "close")
        assert (by(issue), bool(issue["plan"]["reported_at"])) == (by(started), True)
    with at(local("2026-03-20T09:00")):
        issue = taken(valley.supervisor_client, issue, "reopen", reason="反弹")
        assert issue["plan"] is None
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username)
        assert (by(issue), issue["plan"]["reported_at"]) == (local("2026-04-04T00:00"), None)
    assert sound()


def test_a_raise_to_major_begins_the_clock_and_taking_it_back_ends_it(valley, monday):
    original, copy = dispatched(valley, "serious"), dispatched(valley, "serious")
    with at(local("2026-03-05T09:00")):
        merged = taken(valley.office_client, copy, "merge", into=original["id"], reason="同一处", raise_severity="major")
        raised = read(valley.office_client, original)
        assert (raised["severity"], by(raised)) == ("major", local("2026-03-20T00:00")), "nobody owed a plan before the 5th"
        assert sound()
        taken(valley.office_client, merged, "unmerge", reason="两处")
        assert read(valley.office_client, original)["plan"] is None
    sweep_at("2026-03-20T00:00")
    assert late_plans() == []
    assert sound()


def test_what_became_major_during_a_check_owes_its_plan_once_work_goes_on(valley, monday, pictures):
    original, copy = dispatched(valley, "serious"), dispatched(valley, "serious")
    with at(local("2026-03-05T09:00")):
        cured = taken(valley.chief_client, original, "rectify", note="已清", files=pictures[:1])
        taken(valley.office_client, copy, "merge", into=original["id"], reason="同一处", raise_severity="major")
        assert read(valley.office_client, original)["plan"] is None
    with at(local("2026-03-06T09:00")):
        returned = taken(valley.office_client, read(valley.office_client, cured), "return", reason="仍有")
        assert by(returned) == local("2026-03-21T00:00")
    assert sweep_at("2026-03-21T00:00") >= 1
    assert late_plans() == [local("2026-03-21T00:00")]
    assert sound()


def test_merging_and_taking_out_again_gains_no_time(valley, major):
    with at(local("2026-03-16T09:00")):
        original = dispatched(valley)
    with at(local("2026-03-17T18:00")):
        merged = taken(valley.office_client, major, "merge", into=original["id"], reason="同一处")
        assert merged["plan"] is None
    with at(local("2026-03-18T09:00")):
        undone = taken(valley.office_client, merged, "unmerge", reason="两处")
        assert (by(undone), undone["plan"]["late"]) == (by(major), True)
        escalate_all_due()
    assert late_plans() == [local("2026-03-18T00:00")] * 2
    assert sound()


def test_the_dispatch_that_lowers_or_raises_the_severity_decides(valley, major):
    with at(local("2026-03-04T09:00")):
        back = taken(valley.office_client, major, "transfer", region=valley.town.code, reason="由镇办统筹")
        refused = step(valley.office_client, back, "dispatch", lead=valley.chief.username, severity="serious", reason="面积不大")
        assert refused.status_code == 403
        named = {"severity": "serious", "reason": "面积不大", "approved_by": valley.district_chief.username}
        assert taken(valley.office_client, back, "dispatch", lead=valley.chief.username, **named)["plan"] is None
        issue = taken(valley.office_client, report(valley.office_client, severity="serious"), "accept")
        assert taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, severity="major", reason="已核实")["plan"]["rule"] == "plan_major_10_wd"


def test_a_district_may_ask_for_plans_of_serious_issues_and_no_longer(valley, build, signed_in, monday):
    admin = signed_in(build.person("admin"))
    row = {"stage": "plan", "severity": "serious", "category": "", "amount": 15, "unit": "working_days", "source": {"zh": "区办法", "en": "Local rule"}}
    first = {"id": str(uuid4()), "code": "plan_serious_15_wd", "valid_from": "2026-03-02", **row}
    assert admin.post("policies/deadlines/dry-run", json=first).status_code == 200
    assert admin.post("policies/deadlines", json=first).status_code == 201
    issue = dispatched(valley, "serious")
    assert (by(issue), issue["plan"]["rule"]) == (local("2026-03-25T00:00"), "plan_serious_15_wd")
    with at(local("2026-03-03T10:00")):
        off = admin.post("policies/deadlines", json={**first, "id": str(uuid4()), "valid_from": "2026-03-04", "enabled": False})
        assert off.status_code == 201, off.json
        taken_code = admin.post("policies/escalation", json={
            "id": str(uuid4()), "code": "plan_late", "basis": "half", "amount": 0, "order_kind": None, "name": row["source"], "source": row["source"],
            "valid_from": "2026-03-05"})
        assert (taken_code.status_code, "code" in taken_code.json["errors"]) == (422, True)
    with at(local("2026-03-04T09:00")):
        issue = taken(valley.office_client, report(valley.office_client, severity="serious"), "accept")
        assert taken(valley.office_client, issue, "dispatch", lead=valley.chief.username)["plan"] is None
    assert read(valley.office_client, issue)["plan"] is None


@pytest.mark.parametrize("column", ["plan_due_at", "plan_reported_at"])
def test_verify_finds_who_moves_or_empties_it(valley, started, column):
    with at(local("2026-03-10T09:00")):
        taken(valley.chief_client, started, "progress", note="方案", is_plan=True)
    assert sound()
    db.session.execute(db.text(f"UPDATE issues SET {column} = NULL"))
    db.session.commit()
    [fault] = [chain for chain in broken_chains() if chain]
    assert (fault.difference.field, fault.fault.kind.value) == (column, "row_differs")


def test_verify_finds_whoever_keeps_a_late_plan_from_climbing(valley, major):
    # Half of the time is over on the 2nd of April only: until then the plan is all that climbs.
    sweep_at("2026-03-04T09:00")
    assert sound()
    issue = db.session.get_one(Issue, db.session.scalars(select(Issue.id)).one())
    assert issue.next_escalation_at == local("2026-03-18T00:00")
    issue.next_escalation_at = local("2026-04-02T00:00")
    db.session.commit()
    assert [found.number for found in put_off("Asia/Shanghai")] == [major["number"]]


def test_the_case_file_on_paper_tells_of_the_plan(valley, started):
    with at(local("2026-03-10T09:00")):
        issue = taken(valley.chief_client, started, "progress", note="方案", is_plan=True)
    entries = valley.office_client.get(f"issues/{issue['id']}/case-file.json").json["entries"]
    assert "整改方案期限：2026-03-17 24:00" in changes_said(entries[2], entries, "zh", "Asia/Shanghai")
    assert changes_said(entries[-1], entries, "zh", "Asia/Shanghai") == ["整改方案", "整改方案首次上报：2026-03-10 09:00"]

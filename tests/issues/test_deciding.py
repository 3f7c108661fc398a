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
        valley.office_client, report(valley.patroller_client), "suspend", reason="需要工程", review_on="2026-03-20",
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

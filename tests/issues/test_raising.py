"""A severity raised by a merging: granted time is kept, everybody is told of the new date, and undoing takes it back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.issues.escalating import escalate_all_due
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from tests.issues.conftest import CHINA, at, report, step, taken

STOOD = ("state", "severity", "due_at", "due_rule", "overdue")


def read(client, issue):
    return client.get(f"issues/{issue['id']}").json


def merged(valley, issue, original, severity):
    done = taken(valley.office_client, read(valley.office_client, issue), "merge", into=original["id"], reason="同一处", raise_severity=severity)
    return done, read(valley.office_client, original)


def undone(valley, issue):
    return taken(valley.office_client, read(valley.office_client, issue), "unmerge", reason="两处")


def on_ledger(valley, issue, stopped, resumed):
    with at(stopped):
        issue = taken(valley.office_client, issue, "suspend", reason="需要工程", review_on="2026-06-01", milestones=[{"text": "立项", "due_on": "2026-06-01"}],
                      approved_by=valley.district_chief.username)
    with at(resumed):
        return taken(valley.office_client, issue, "resume")


def extended(valley, issue, until):
    issue = taken(valley.chief_client, read(valley.chief_client, issue), "extensions", until=until, reason="连续降雨")
    return taken(valley.office_client, issue, "extensions/1/decide", granted=True, reason="同意")


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def test_time_on_the_ledger_and_an_extension_are_kept_by_a_raise(valley, monday):
    # Monday 2 March: ten working days end on the 16th, twenty on the 30th.
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    first = on_ledger(valley, first, local("2026-03-04T09:00"), local("2026-03-09T09:00"))
    assert first["due_rule"]["last_day"] == "2026-03-19", "eight working days were left"
    with at(local("2026-03-10T09:00")):
        first = extended(valley, first, "2026-03-24T16:00:00Z")
        assert first["due_rule"]["last_day"] == "2026-03-24"
        _, raised = merged(valley, second, first, "serious")
    # Eighteen of twenty were left on the 4th: counted from the 9th that is 2 April; and five days of extension.
    assert raised["due_rule"]["rule"] == "serious_20_wd"
    assert datetime.fromisoformat(raised["due_at"]) == local("2026-04-08T00:00")
    said = raised["due_rule"]["explanation"]
    assert said[0] == "整改期限：20个工作日"
    assert "2026-03-04至2026-03-09挂账，不计时" in said
    assert said[-1] == "已批准的延期保留：由2026-03-19 24:00延至2026-03-24 24:00，顺延至2026-04-07 24:00"


def test_a_dispatch_with_another_severity_keeps_an_extension(valley, monday):
    issue = extended(valley, report(valley.patroller_client), "2026-03-19T16:00:00Z")  # three days more than the 16th
    issue = taken(valley.office_client, issue, "transfer", region=valley.town.code, reason="先由镇办核实")
    issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, severity="serious", reason="面积大")
    assert (issue["due_rule"]["rule"], issue["due_rule"]["last_day"]) == ("serious_20_wd", "2026-04-02")


@pytest.mark.parametrize("severity", ["serious", "urgent"])
def test_undoing_takes_the_raise_back_as_if_it_had_never_been(valley, monday, severity):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    with at(local("2026-03-05T09:00")):
        first = extended(valley, first, "2026-03-24T16:00:00Z")
    with at(local("2026-03-10T09:00")):
        done, raised = merged(valley, second, first, severity)
        assert raised["severity"] == severity
        assert raised["due_at"] != first["due_at"]
        undone(valley, done)
        back = read(valley.office_client, first)
    assert {name: back[name] for name in STOOD} == {name: first[name] for name in STOOD}
    assert [chain for chain in broken_chains() if chain] == []


def test_what_the_office_changed_since_stays(valley, monday):
    first = report(valley.patroller_client, severity="serious")
    second = report(valley.patroller_client)
    merged(valley, second, first, "urgent")
    first = taken(valley.office_client, read(valley.office_client, first), "accept", severity="major", reason="影响大而不急")
    undone(valley, second)
    assert read(valley.office_client, first)["severity"] == "major"


def test_a_due_date_extended_since_is_counted_again_with_its_extension(valley, monday):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    merged(valley, second, first, "serious")
    extended(valley, first, "2026-04-02T16:00:00Z")  # three days more than the 30th
    undone(valley, second)
    back = read(valley.office_client, first)
    assert (back["severity"], back["due_rule"]["last_day"]) == ("general", "2026-03-19")


def test_two_raises_are_taken_back_in_any_order(valley, monday):
    first, second, third = (report(valley.patroller_client) for _ in range(3))
    merged(valley, second, first, "serious")
    merged(valley, third, first, "major")
    undone(valley, second)
    assert read(valley.office_client, first)["severity"] == "major"
    undone(valley, third)
    back = read(valley.office_client, first)
    assert {name: back[name] for name in STOOD} == {name: first[name] for name in STOOD}


def test_a_raise_on_what_was_merged_itself_since_is_taken_back_there(valley, monday):
    first, second, third = (report(valley.patroller_client) for _ in range(3))
    merged(valley, second, first, "serious")
    taken(valley.office_client, read(valley.office_client, first), "merge", into=third["id"], reason="同一处")
    undone(valley, second)
    assert read(valley.office_client, first)["severity"] == "general"
    undone(valley, first)
    assert read(valley.office_client, first)["due_at"] == first["due_at"]
    assert [chain for chain in broken_chains() if chain] == []


def test_a_rung_missed_while_the_date_had_moved_is_made_up_for(valley, monday):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    due = datetime.fromisoformat(first["due_at"])
    with at(due + timedelta(seconds=20)):
        merged(valley, second, first, "serious")
    with at(due + timedelta(minutes=5)):
        undone(valley, second)
        escalate_all_due()
    assert db.session.get_one(Issue, UUID(first["id"]), populate_existing=True).due_at == due
    rungs = [row["rule"] for row in valley.auditor_client.get(f"issues/{first['id']}/history").json["items"] if row["verb"] == "escalate"]
    assert rungs == ["half_time", "day_before", "overdue"]


def test_a_raise_that_makes_late_at_once_is_told_and_its_undoing_takes_that_back(valley, monday):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    with at(local("2026-03-05T09:00")):
        _, raised = merged(valley, second, first, "urgent")
        assert raised["overdue"]
        escalate_all_due()
        assert rungs_of(valley, first) == ["overdue"]
        undone(valley, second)
        assert read(valley.office_client, first)["due_at"] == first["due_at"]
    with at(local("2026-03-17T00:00")):
        escalate_all_due()
    assert rungs_of(valley, first) == ["overdue", "half_time", "day_before", "overdue"]
    assert [chain for chain in broken_chains() if chain] == []


def rungs_of(valley, issue):
    return [row["rule"] for row in valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"] if row["verb"] == "escalate"]


def test_the_lead_is_told_of_the_new_date_by_the_merging_and_by_its_undoing(valley, monday):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    merged(valley, second, first, "serious")
    undone(valley, second)
    while worker.deliver_due():
        pass
    told = {row["kind"]: row["body"] for row in valley.chief_client.get("me/messages").json["items"]}
    assert "2026-03-16 24:00" in told["issue.give_back"]
    assert "2026-03-16 24:00" in told["issue.unmerge"]
    assert told.keys() >= {"issue.take_in"}


def test_a_merging_that_moves_nothing_tells_nothing_of_dates(valley, monday):
    first, second = report(valley.patroller_client), report(valley.patroller_client)
    taken(valley.office_client, second, "merge", into=first["id"], reason="同一处")
    while worker.deliver_due():
        pass
    assert "issue.take_in" not in [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]]


@pytest.mark.parametrize(("first", "second", "raised", "status"), [
    ("serious", "major", None, 422), ("serious", "major", "urgent", 422), ("serious", "major", "major", 200), ("major", "serious", None, 200),
    ("major", "serious", "urgent", 422),
])
def test_merging_spares_no_signature_of_what_is_major(valley, first, second, raised, status):
    original, duplicate = (report(valley.patroller_client, severity=severity) for severity in (first, second))
    body = {"into": original["id"], "reason": "同一处"} | ({"raise_severity": raised} if raised else {})
    reply = step(valley.office_client, duplicate, "merge", **body)
    assert reply.status_code == status, reply.json
    if status == 422:
        assert "重大" in reply.json["errors"]["raise_severity"][0]

"""What an office cannot pass by when it classifies and dispatches: the signature for what is major, and dates without end."""

from datetime import datetime, timedelta

import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.people.models import Person
from tests.issues.conftest import THERE, report, step, taken
from tests.issues.test_plans import read


@pytest.fixture
def serious(valley):
    return taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")


def test_a_date_after_that_by_policy_needs_a_reason_and_the_history_keeps_it(valley, serious):
    later = (datetime.fromisoformat(serious["due_at"]) + timedelta(minutes=1)).isoformat()
    for reason in ({}, {"reason": " "}):
        assert set(step(valley.office_client, serious, "dispatch", due_at=later, **reason).json["errors"]) == {"reason"}
    led = taken(valley.office_client, serious, "dispatch", due_at=later, reason="须待汛期过后")
    assert datetime.fromisoformat(led["due_at"]) == datetime.fromisoformat(later)
    assert valley.office_client.get(f"issues/{led['id']}/history").json["items"][-1]["reason"] == "须待汛期过后"


def test_no_part_is_due_after_the_issue_which_waits_for_it(valley, serious):
    due = datetime.fromisoformat(serious["due_at"])
    after = (due + timedelta(minutes=1)).isoformat()

    def share(moment):
        return [{"department": "urban_management", "part": "清运岸边固废", "due_at": moment}]

    refused = step(valley.office_client, serious, "dispatch", co_handlers=share(after))
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"co_handlers"})
    assert "清运岸边固废" in refused.json["detail"]
    # An earlier date of the issue's own binds its parts as well; a later one, with its reason, makes room for them.
    sooner = (due - timedelta(days=1)).isoformat()
    assert step(valley.office_client, serious, "dispatch", due_at=sooner, co_handlers=share(serious["due_at"])).status_code == 422
    led = taken(valley.office_client, serious, "dispatch", due_at=after, reason="须待汛期过后", co_handlers=share(after))
    assert led["parts"][0]["due_at"] == led["due_at"]


def test_the_same_date_or_an_earlier_one_needs_none(valley, serious):
    issue = taken(valley.office_client, serious, "dispatch", due_at=serious["due_at"])
    assert issue["due_at"] == serious["due_at"]


def test_no_date_lies_beyond_twice_the_limit_of_the_new_severity(valley, serious):
    far = (clock.now() + timedelta(days=125)).isoformat()
    refused = step(valley.office_client, serious, "dispatch", due_at=far, reason="x", severity="major")
    assert set(refused.json["errors"]) == {"due_at"}
    near = (clock.now() + timedelta(days=119)).isoformat()
    assert set(step(valley.office_client, serious, "dispatch", due_at=near, reason="x").json["errors"]) == {"due_at"}
    assert taken(valley.office_client, serious, "dispatch", due_at=near, reason="x", severity="major")["severity"] == "major"


@pytest.mark.parametrize("verb", ["accept", "dispatch"])
@pytest.mark.parametrize("other", ["general", "urgent"])
def test_what_is_major_stays_major_but_for_the_districts_chief(valley, verb, other):
    issue = report(valley.patroller_client, severity="major")
    if verb == "dispatch":
        issue = taken(valley.office_client, issue, "accept")
    for client in (valley.office_client, valley.town_office_client):
        refused = step(client, issue, verb, severity=other)
        assert (refused.status_code, "县级河长" in refused.json["detail"]) == (403, True)
    with transaction():
        db.session.get_one(Person, valley.district_chief.id).role_names = ["chief", "office"]
    assert taken(valley.district_chief_client, issue, verb, severity=other, reason="核实")["severity"] == other


@pytest.mark.parametrize("verb", ["accept", "dispatch"])
def test_a_lower_severity_needs_a_reason_which_the_history_keeps(valley, verb):
    issue = report(valley.patroller_client, severity="serious")
    if verb == "dispatch":
        issue = taken(valley.office_client, issue, "accept")
    for reason in ({}, {"reason": " "}):
        refused = step(valley.office_client, issue, verb, severity="general", **reason)
        assert (refused.status_code, set(refused.json["errors"])) == (422, {"reason"})
    lowered = taken(valley.office_client, issue, verb, severity="general", reason="面积不足一平方米")
    assert lowered["severity"] == "general"
    assert valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]["reason"] == "面积不足一平方米"
    higher = report(valley.patroller_client, severity="serious")
    assert taken(valley.office_client, higher, "accept", severity="urgent")["severity"] == "urgent"


@pytest.mark.parametrize("higher", ["serious", "major"])
def test_grading_up_gives_more_time_and_so_needs_a_reason(valley, monday, higher):
    issue = report(valley.patroller_client)
    issue, lead = bounced(valley, issue)
    refused = step(valley.office_client, issue, "dispatch", severity=higher, **lead)
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"reason"})
    assert "2026-03-16 24:00" in refused.json["detail"]
    graded = taken(valley.office_client, issue, "dispatch", severity=higher, note="污染面扩大", **lead)
    assert graded["due_at"] > issue["due_at"]


def test_grading_up_with_a_date_that_is_no_later_needs_none(valley, monday):
    issue, lead = bounced(valley, report(valley.patroller_client))
    assert taken(valley.office_client, issue, "dispatch", severity="serious", due_at=issue["due_at"], **lead)["due_at"] == issue["due_at"]


def test_a_merging_that_raises_tells_its_reason_in_the_history_of_the_original(valley, monday):
    original, other = (report(valley.patroller_client) for _ in range(2))
    refused = step(valley.office_client, other, "merge", into=original["id"], raise_severity="major")
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"reason"})
    taken(valley.office_client, other, "merge", into=original["id"], raise_severity="major", reason="同一处，面积大")
    entry = valley.office_client.get(f"issues/{original['id']}/history").json["items"][-1]
    assert (entry["verb"], entry["reason"], entry["changes"]["severity"]["to"]) == ("take_in", "同一处，面积大", "major")
    assert entry["changes"]["due_at"]["to"] > entry["changes"]["due_at"]["from"]


@pytest.mark.parametrize("verb", ["accept", "dispatch"])
def test_the_office_grades_what_is_major_anew_when_a_chief_of_the_district_approves(valley, verb):
    issue = report(valley.patroller_client, severity="major")
    if verb == "dispatch":
        issue = taken(valley.office_client, issue, "accept")
    anew = {"severity": "serious", "reason": "面积不大"}
    for nobody in (valley.chief, valley.office):
        refused = step(valley.office_client, issue, verb, **anew, approved_by=nobody.username)
        assert (refused.status_code, set(refused.json["errors"]), "区长" in refused.json["detail"]) == (422, {"approved_by"}, True)
    refused = step(valley.office_client, issue, verb, approved_by=valley.district_chief.username)
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"approved_by"}), "there is nothing to approve"
    assert verb in read(valley.office_client, issue)["allowed"]
    graded = taken(valley.office_client, issue, verb, **anew, approved_by=str(valley.district_chief.id).upper())
    assert graded["severity"] == "serious"
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert entry["changes"]["approved_by"] == {"from": None, "to": {"id": str(valley.district_chief.id), "name": "区长"}}
    while worker.deliver_due():
        pass
    for language, words in (("zh", "以您的名义调整“重大”级别"), ("en", "in your name")):
        messages = valley.district_chief_client.get("me/messages", headers={"Accept-Language": language}).json["items"]
        [message] = [message for message in messages if message["kind"] == f"issue.{verb}"]
        assert words in message["body"]
        # To put it right is asked of who leads.
        assert message["title"] == {"zh": "以您的名义调整了级别", "en": "Another severity in your name"}[language]
        assert ("24:00" in message["body"], {"zh": "较重", "en": "Serious"}[language] in message["body"]) == (False, True)


def test_a_major_charge_is_graded_anew_without_a_chief(valley):
    charge = report(valley.patroller_client, category="F2", severity="major")
    refused = step(valley.office_client, charge, "accept", severity="general", reason="核实", approved_by=valley.district_chief.username)
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"approved_by"})
    assert taken(valley.office_client, charge, "accept", severity="general", reason="核实")["severity"] == "general"


def bounced(valley, issue, **fields):
    """Pass an issue to the other town and dispatch it anew there; return the answer."""
    issue = taken(valley.office_client, issue, "transfer", reach_id=str(valley.other_reach.id), reason="石溪", **fields)
    return issue, {"lead": valley.other_chief.username}


def test_passing_an_issue_round_does_not_move_its_date(valley, serious):
    first = taken(valley.office_client, serious, "dispatch")
    later = (datetime.fromisoformat(first["due_at"]) + timedelta(minutes=1)).isoformat()
    for _ in range(2):
        issue, lead = bounced(valley, first)
        assert issue["due_at"] == first["due_at"]
        refused = step(valley.office_client, issue, "dispatch", due_at=later, reason="重新安排", **lead)
        assert (refused.status_code, set(refused.json["errors"])) == (422, {"due_at"})
        assert "延期" in refused.json["errors"]["due_at"][0]
        first = taken(valley.office_client, issue, "dispatch", **lead)
        assert first["due_at"] == serious["due_at"]
    declined = taken(valley.other_chief_client, first, "decline", ground="other_reach", reason="x", suggested_owner="柳岸镇")
    assert set(step(valley.office_client, declined, "dispatch", due_at=later, reason="x", **lead).json["errors"]) == {"due_at"}
    assert taken(valley.office_client, declined, "dispatch", due_at=first["due_at"], **lead)["due_at"] == first["due_at"]


def test_another_grade_counts_from_the_old_beginning_and_what_is_reopened_anew(valley, serious):
    issue, lead = bounced(valley, taken(valley.office_client, serious, "dispatch"))
    higher = taken(valley.office_client, issue, "dispatch", severity="urgent", **lead)
    assert datetime.fromisoformat(higher["due_at"]) < datetime.fromisoformat(serious["due_at"])
    issue, lead = bounced(valley, higher)
    issue = taken(valley.office_client, issue, "dispatch", severity="serious", reason="核实", **lead)
    assert issue["due_at"] == serious["due_at"]
    issue, lead = bounced(valley, issue)
    rejected = taken(valley.office_client, issue, "reject", ground="no_evidence_found", reason="未见")
    again = taken(valley.office_client, rejected, "reopen", reason="又报")
    later = (datetime.fromisoformat(again["due_at"]) + timedelta(minutes=1)).isoformat()
    assert taken(valley.office_client, again, "dispatch", due_at=later, reason="汛期", **lead)["due_at"] > again["due_at"]


def test_the_category_is_corrected_at_dispatch_and_transfer(valley):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    moved = taken(valley.office_client, issue, "transfer", reason="石溪", reach_id=str(valley.other_reach.id), category="A32")
    assert (moved["category"], moved["reach"]["code"]) == ("A32", valley.other_reach.code)
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert entry["changes"]["category"] == {"from": "C1", "to": "A32"}
    assert "category" in step(valley.office_client, moved, "dispatch", category="X9").json["errors"]
    led = taken(valley.office_client, moved, "dispatch", category="B3")
    assert (led["category"], led["lead"]["name"]) == ("B3", "石镇长")


def test_what_becomes_a_charge_at_dispatch_or_transfer_is_heard_above(valley, build):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious", **THERE), "accept")
    assert step(valley.other_office_client, issue, "dispatch", category="F1").status_code == 422
    led = taken(valley.office_client, issue, "dispatch", category="F1", lead=valley.handler.username)
    assert (led["region"]["code"], led["routing"]["chief"]) == (build.district.code, None)
    assert valley.other_office_client.get(f"issues/{issue['id']}").status_code == 404
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert {"category", "region_id", "accused_id"} <= set(entry["changes"])

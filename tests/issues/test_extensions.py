"""More time: asked for by the lead before the issue is due, at most twice, decided by the office."""

from datetime import UTC, datetime, timedelta

from patrol.foundation import clock
from patrol.foundation.transaction import transaction
from patrol.issues.extension_schemas import ExtensionOut
from patrol.issues.handing_over import move_leads
from patrol.issues.history import broken_chains
from tests.issues.conftest import report, step, taken
from tests.issues.test_case_file import text_of

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = {"until": "2026-03-25T00:00:00+08:00", "reason": "连续降雨"}
YES, NO = {"granted": True, "reason": "属实"}, {"granted": False, "reason": "可以按期完成"}


def at(moment):
    return clock.moved_clock(lambda: moment)


def refused(client, issue, path, status, **body):
    reply = step(client, issue, path, **body)
    assert reply.status_code == status, reply.json
    return reply.json


def test_a_granted_extension_moves_the_due_date_and_is_told(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        asked = taken(valley.chief_client, issue, "extensions", **LATER)
        assert (asked["due_at"], asked["state"]) == (issue["due_at"], "dispatched")
        granted = taken(valley.office_client, asked, "extensions/1/decide", **YES)
    assert granted["due_at"] == "2026-03-24T16:00:00+00:00"
    assert (granted["due_rule"]["rule"], granted["due_rule"]["last_day"]) == ("extension", "2026-03-24")
    rows = valley.chief_client.get(f"issues/{issue['id']}/extensions").json["items"]
    assert [(row["n"], row["granted"], row["decided_by"]["name"]) for row in rows] == [(1, True, "区河长办")]
    assert not ExtensionOut(many=True).validate(rows)
    entries = valley.office_client.get(f"issues/{issue['id']}/history").json["items"]
    assert [entry["verb"] for entry in entries[-2:]] == ["ask_extension", "grant_extension"]
    assert entries[-1]["name"] == "批准延期"
    assert set(broken_chains()) == {None}


def test_what_was_asked_in_time_waits_for_the_office_also_when_it_is_late_meanwhile(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        taken(valley.chief_client, issue, "extensions", **LATER)
    for days in (0, 30):
        with at(MONDAY + timedelta(days=days)):
            assert [row["id"] for row in valley.office_client.get("issues?list=waiting_for_me").json["items"]] == [issue["id"]]
            assert valley.chief_client.get("issues?list=waiting_for_me").json["items"] == []


def test_a_refused_one_changes_no_date_and_there_are_two_at_most(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        for n in (1, 2):
            asked = taken(valley.chief_client, issue, "extensions", **LATER)
            refused(valley.chief_client, asked, "extensions", 409, **LATER)
            decided = taken(valley.office_client, asked, f"extensions/{n}/decide", **NO)
            assert decided["due_at"] == issue["due_at"]
            refused(valley.office_client, decided, f"extensions/{n}/decide", 409, **YES)
            issue = decided
        assert "2 times" in valley.chief_client.post(
            f"issues/{issue['id']}/extensions", json=LATER,
            headers={"If-Match": f'"{issue["version"]}"', "Accept-Language": "en"}).json["detail"]


def test_only_the_lead_asks_and_only_the_office_of_the_place_decides(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        refused(valley.office_client, issue, "extensions", 403, **LATER)
        refused(valley.supervisor_client, issue, "extensions", 403, **LATER)
        refused(valley.other_office_client, issue, "extensions", 404, **LATER)
        asked = taken(valley.chief_client, issue, "extensions", **LATER)
        refused(valley.chief_client, asked, "extensions/1/decide", 403, **YES)
        refused(valley.other_office_client, asked, "extensions/1/decide", 404, **YES)
        refused(valley.office_client, asked, "extensions/2/decide", 404, **YES)


def test_what_is_late_or_no_later_is_refused(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        assert set(refused(valley.chief_client, issue, "extensions", 422, **LATER | {"until": issue["due_at"]})["errors"]) == {"until"}
        assert set(refused(valley.chief_client, issue, "extensions", 422, until=LATER["until"], reason=" ")["errors"]) == {"reason"}
        far = {"until": "9999-12-31T23:59:59Z"}
        assert set(refused(valley.chief_client, issue, "extensions", 422, **LATER | far)["errors"]) == {"until"}
    due = datetime.fromisoformat(issue["due_at"])
    with at(due):
        refused(valley.chief_client, issue, "extensions", 409, **LATER)
    with at(due - timedelta(seconds=1)):
        asked = taken(valley.chief_client, issue, "extensions", **LATER)
    with at(datetime.fromisoformat(LATER["until"])):
        refused(valley.office_client, asked, "extensions/1/decide", 409, **YES)
        taken(valley.office_client, asked, "extensions/1/decide", **NO)


def test_more_time_than_was_given_is_refused_with_the_latest_date(valley):
    with at(MONDAY):
        issue = report(valley.patroller_client)
        due = datetime.fromisoformat(issue["due_at"])
        latest = due + (due - MONDAY)
        words = refused(valley.chief_client, issue, "extensions", 422, until=(latest + timedelta(seconds=1)).isoformat(), reason="汛期")
        assert "2026-03-31 15:00" in words["errors"]["until"][0]
        taken(valley.chief_client, issue, "extensions", until=latest.isoformat(), reason="汛期")


def test_whoever_asked_does_not_decide(valley, build, signed_in):
    with at(MONDAY):
        both = build.person("office", name="兼任")
        client = signed_in(both)
        issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
        issue = taken(valley.office_client, issue, "dispatch", lead=both.username)
        later = {"until": "2026-04-20T00:00:00+08:00", "reason": "等待船只"}
        asked = taken(client, issue, "extensions", **later)
        refused(client, asked, "extensions/1/decide", 403, **YES)


def test_nothing_is_extended_on_the_ledger(valley):
    with at(MONDAY):
        issue = taken(valley.chief_client, report(valley.patroller_client), "extensions", **LATER)
        ledger = {"reason": "工程", "review_on": "2026-07-01", "milestones": [{"text": "完工", "due_on": "2026-06-20"}]}
        issue = taken(valley.office_client, issue, "suspend", **ledger, approved_by=valley.district_chief.username)
        refused(valley.office_client, issue, "extensions/1/decide", 409, **YES)
        refused(valley.chief_client, issue, "extensions", 409, **LATER)


def test_time_that_is_no_longer_more_is_not_granted(valley, pictures):
    """A return gives time back: what was asked for before it may be less than there is now."""
    with at(MONDAY):
        issue = report(valley.patroller_client)
        asked = taken(valley.chief_client, issue, "extensions", until="2026-03-18T00:00:00+08:00", reason="连续降雨")
        cured = taken(valley.chief_client, asked, "rectify", note="好", files=pictures[:1])
    with at(MONDAY + timedelta(days=8)):
        issue = taken(valley.office_client, cured, "return", reason="仍有")
        assert issue["due_at"] > "2026-03-17T16"
        assert "不同意" in refused(valley.office_client, issue, "extensions/1/decide", 409, **YES)["detail"]
        assert taken(valley.office_client, issue, "extensions/1/decide", **NO)["due_at"] == issue["due_at"]


def settled_once(valley, issue):
    """Tell that the one request is refused by the system, with its reason, and stands in the history."""
    [row] = valley.office_client.get(f"issues/{issue['id']}/extensions").json["items"]
    assert (row["granted"], row["decided_by"], "责任人" in row["decision"]) == (False, None, True)
    told = valley.office_client.get(f"issues/{issue['id']}/extensions", headers={"Accept-Language": "en"}).json["items"]
    assert [each["decision"] for each in told] == ["The lead changed: the former lead's request no longer counts"]
    assert not ExtensionOut(many=True).validate([row])
    [entry] = [e for e in valley.office_client.get(f"issues/{issue['id']}/history").json["items"] if e["verb"] == "refuse_extension"]
    assert (entry["rule"], entry["actor"], entry["reason"]) == ("lead_changed", None, row["decision"])
    told = valley.office_client.get(f"issues/{issue['id']}/history", headers={"Accept-Language": "en"}).json["items"]
    assert [e["reason"] for e in told if e["verb"] == "refuse_extension"] == ["The lead changed: the former lead's request no longer counts"]
    paper = valley.office_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": "en"}).data
    assert "the former lead's request no longer counts" in text_of(paper).replace("\n", "")
    refused(valley.office_client, issue, "extensions/1/decide", 409, **YES)
    assert set(broken_chains()) == {None}


def test_a_former_leads_request_neither_blocks_the_new_lead_nor_is_granted(valley):
    with at(MONDAY):
        issue = taken(valley.chief_client, report(valley.patroller_client), "extensions", **LATER)
        issue = taken(valley.office_client, issue, "transfer", region=valley.town.code, reason="上收")
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.district_chief.username)
        settled_once(valley, issue)
        taken(valley.district_chief_client, issue, "extensions", **LATER)


def test_what_a_person_gives_as_a_reason_stands_as_it_was_written(valley):
    with at(MONDAY):
        issue = taken(valley.chief_client, report(valley.patroller_client), "extensions", **LATER)
        issue = taken(valley.office_client, issue, "extensions/1/decide", granted=False, reason="没有必要")
    entries = valley.office_client.get(f"issues/{issue['id']}/history", headers={"Accept-Language": "en"}).json["items"]
    assert [entry["reason"] for entry in entries if entry["verb"] == "refuse_extension"] == ["没有必要"]


def test_declining_and_handing_over_settle_it_too(valley):
    who = (valley.reach.id, valley.chief.id, valley.district_chief.id)
    with at(MONDAY):
        issue = taken(valley.chief_client, report(valley.patroller_client), "extensions", **LATER)
        declined = {"ground": "other_reach", "reason": "不在本段", "suggested_owner": "石桥镇"}
        settled_once(valley, taken(valley.chief_client, issue, "decline", **declined))
        issue = taken(valley.chief_client, report(valley.patroller_client), "extensions", **LATER)
        with transaction():
            assert move_leads(*who) == 1
        settled_once(valley, valley.office_client.get(f"issues/{issue['id']}").json)

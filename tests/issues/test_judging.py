"""A cure whose proof is gravely doubtful: whoever checks it off leaves a word, or a trace that there was none."""

import pytest

from patrol.foundation import clock
from tests.evidence.material import jpeg, scene
from tests.issues.conftest import report, taken
from tests.issues.test_examination import findings_on, moment, report_with


def judged(client, issue):
    """Return the findings that the newest entry of the history keeps as judged."""
    entry = client.get(f"issues/{issue['id']}/history").json["items"][-1]
    return {row["code"] for row in entry["changes"].get("judged", {}).get("to", ())}


@pytest.fixture
def same_again(valley):
    """A cure that shows the photo from before once more."""
    before = jpeg(scene(3), exif=moment(-0.01))
    issue = taken(valley.chief_client, report_with(valley.chief_client, before), "rectify", note="好", files=[before])
    assert "after_photo_same" in {row["code"] for row in findings_on(valley.office_client, issue)}
    return issue


def test_a_check_keeps_the_findings_that_stood_and_warns_where_nobody_said_a_word(valley, same_again):
    verified = taken(valley.supervisor_client, same_again, "verify")
    assert any("整改后照片与先前的照片相同" in warning for warning in verified["warnings"])
    assert "after_photo_same" in judged(valley.auditor_client, verified)
    # What was judged once is not told again.
    closed = taken(valley.office_client, verified, "close", note="同意")
    assert not closed.get("warnings")
    assert valley.auditor_client.get(f"issues/{closed['id']}/history").json["items"][-1]["note"] == "同意"
    assert judged(valley.auditor_client, closed) == set()


def test_a_note_answers_the_findings(valley, same_again):
    verified = taken(valley.supervisor_client, same_again, "verify", note="已到现场核实")
    assert not verified.get("warnings")
    assert "after_photo_same" in judged(valley.auditor_client, verified)


def test_findings_that_came_after_the_check_are_judged_at_the_closing(valley):
    before = jpeg(scene(3), exif=moment(-0.01))
    issue = taken(valley.chief_client, report_with(valley.chief_client, before), "rectify", note="好", files=[before])
    verified = taken(valley.supervisor_client, issue, "verify")
    findings_on(valley.office_client, issue)
    told = {client: [row["kind"] for row in client.get("me/messages").json["items"]] for client in (valley.supervisor_client, valley.town_office_client)}
    assert all(kinds.count("findings.after_check") == 1 for kinds in told.values()), "who checked and the office hear of it, once"
    closed = taken(valley.office_client, verified, "close")
    assert closed["warnings"]
    assert "after_photo_same" in judged(valley.auditor_client, closed)


def test_findings_that_come_after_the_closing_are_told_to_who_checked_it(valley):
    before = jpeg(scene(3), exif=moment(-0.01))
    issue = taken(valley.chief_client, report_with(valley.chief_client, before), "rectify", note="好", files=[before])
    taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")
    findings_on(valley.office_client, issue)
    for client in (valley.supervisor_client, valley.office_client, valley.town_office_client):
        [message] = [row for row in client.get("me/messages").json["items"] if row["kind"] == "findings.after_check"]
        assert issue["number"] in message["body"]
    assert not any(row["kind"] == "findings.after_check" for row in valley.chief_client.get("me/messages").json["items"])


def test_findings_that_were_judged_are_not_told_again(valley, same_again):
    taken(valley.office_client, taken(valley.supervisor_client, same_again, "verify", note="已到现场核实"), "close")
    findings_on(valley.office_client, same_again)
    assert not any(row["kind"] == "findings.after_check" for row in valley.supervisor_client.get("me/messages").json["items"])


def test_the_photos_of_a_check_do_not_hide_the_cures(valley, same_again):
    assert "after_photo_same" in judged(
        valley.auditor_client, taken(valley.supervisor_client, same_again, "verify", files=[jpeg(scene(9), exif=moment(1))]))


def test_a_fresh_proof_after_the_return_needs_no_word(valley, same_again):
    issue = taken(valley.supervisor_client, same_again, "return", reason="仍是原照片")
    later = clock.now()
    with clock.moved_clock(lambda: later):
        issue = taken(valley.chief_client, issue, "rectify", note="好", files=[jpeg(scene(8), exif=moment(1))])
        assert any(row["severity"] == "serious" for row in findings_on(valley.office_client, issue))
        verified = taken(valley.supervisor_client, issue, "verify")
        assert not verified.get("warnings")
        assert judged(valley.auditor_client, verified) == set()


def test_lesser_findings_need_no_word(valley):
    issue = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="好", files=[jpeg(scene(8), exif=None)])
    findings_on(valley.office_client, issue)
    assert judged(valley.auditor_client, taken(valley.supervisor_client, issue, "verify")) == set()

"""Case files: whole, verifiable by anybody who holds one, and given to nobody who may not know what they say."""

import io
import json
from uuid import UUID

import pytest

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.issues.case_file import verify_case_file
from patrol.issues.models import HistoryEntry
from patrol.people.models import AuditEntry
from tests.issues.conftest import report, taken


@pytest.fixture
def issue(valley, pictures):
    issue = report(valley.patroller_client, description="桥下漂着垃圾 <b>&amp;</b> =1+1\n第二行")
    issue = taken(valley.chief_client, issue, "start", note="已到场")
    return taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理 " * 300)


def case_file(valley, issue):
    reply = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.json")
    assert reply.status_code == 200, reply.json
    return reply.json


def verified(anyone, content, language="en"):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return anyone.post("case-files/verify", data={"file": (io.BytesIO(content), "case.json")}, headers={"Accept-Language": language})


def test_anybody_can_verify_a_case_file(valley, issue, anyone):
    held = case_file(valley, issue)
    assert [entry["verb"] for entry in held["entries"]] == ["submit", "accept", "dispatch", "start", "rectify"]
    answer = verified(anyone, held).json
    assert answer == {"genuine": True, "number": issue["number"], "seq": 5, "newer": 0, "text": "The case file is genuine and its history intact."}
    taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    assert verified(anyone, held).json["newer"] == 1


@pytest.mark.parametrize(("change", "seq"), [
    (lambda f: f["entries"][3]["details"].update(note="没到场"), 4), (lambda f: f["entries"].pop(2), 3),
    (lambda f: f["entries"][4]["photo_digests"].append("0" * 64), 5), (lambda f: f["entries"].reverse(), 1),
    (lambda f: f["entries"][0].update(hash="0" * 64), 1),
])
def test_a_changed_case_file_shows_where(valley, issue, anyone, change, seq):
    held = case_file(valley, issue)
    change(held)
    answer = verified(anyone, held).json
    assert answer["genuine"] is False
    assert str(seq) in answer["text"]


@pytest.mark.parametrize("name", ["description", "number", "state", "latitude", "received_at", "category", "head"])
def test_changed_facts_beside_the_entries_show_too(valley, issue, anyone, name):
    held = case_file(valley, issue)
    held[name] = {"seq": 1, "hash": "0" * 64} if name == "head" else 1.5 if name == "latitude" else "别的"
    answer = verified(anyone, held).json
    assert answer["genuine"] is False
    assert name in answer["text"]


def test_a_case_file_of_another_system_is_not_genuine(valley, issue, anyone):
    held = case_file(valley, issue)
    db.session.query(HistoryEntry).filter_by(issue_id=UUID(held["id"])).delete()
    db.session.flush()
    answer = verified(anyone, held).json
    assert (answer["genuine"], answer["number"]) == (False, None)


@pytest.mark.parametrize("content", [
    b"{}", b"[]", b"not json", b'{"form": "xunhe-case-file-1", "id": "x", "entries": []}', b"\x89PNG", b"[" * 5000,
    b'{"form": "xunhe-case-file-1", "id": "0190b7a2-0000-7000-8000-000000000001", "entries": [{"seq": 1}]}',
])
def test_what_is_no_case_file_is_refused(anyone, database, content):
    assert verified(anyone, content).status_code in {400, 422}


def test_the_printed_hash_is_looked_up(valley, issue, anyone):
    held = case_file(valley, issue)
    found = anyone.get(f"case-files/{issue['id']}/{held['head']['hash']}").json
    assert (found["genuine"], found["number"], found["newer"]) == (True, issue["number"], 0)
    assert anyone.get(f"case-files/{issue['id']}/{'0' * 64}").status_code == 404
    entry = db.session.query(HistoryEntry).filter_by(issue_id=UUID(held["id"]), seq=4).one()
    entry.note = "没到场"
    db.session.flush()
    broken = anyone.get(f"case-files/{issue['id']}/{held['head']['hash']}").json
    assert broken["genuine"] is False


def test_the_paper_holds_photos_history_and_code(valley, issue):
    while worker.deliver_due():
        pass
    reply = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf")
    assert reply.status_code == 200
    assert reply.mimetype == "application/pdf"
    assert reply.data.startswith(b"%PDF-")
    assert issue["number"] in reply.headers["Content-Disposition"]
    assert reply.data.count(b"/Subtype /Image") >= 2, "a photo and the QR code"
    assert b"STSong-Light" in reply.data
    assert db.session.query(AuditEntry).filter_by(act="export_case_file", subject=issue["id"]).count() == 1


def test_only_who_may_export_and_sees_the_issue_gets_it(valley, issue):
    for ending in ("json", "pdf"):
        path = f"issues/{issue['id']}/case-file.{ending}"
        assert valley.patroller_client.get(path).status_code == 403
        assert valley.other_office_client.get(path).status_code == 404


def test_the_reporter_of_a_charge_stays_hidden(valley):
    charge = report(valley.patroller_client, category="F1", description="河长从不巡河")
    reply = valley.district_chief_client.get(f"issues/{charge['id']}/case-file.json")
    assert reply.status_code in {403, 404}
    assert case_file(valley, charge)["entries"][0]["details"]["actor_name"] == "巡河员"


def test_verification_never_raises_on_odd_values(valley, issue, database):
    held = case_file(valley, issue)
    for name, value in (("seq", True), ("details", {"x": 1.5}), ("happened_at", "2026-01-01T00:00:00"), ("actor_id", 7)):
        changed = json.loads(json.dumps(held))
        changed["entries"][0][name] = value
        try:
            assert verify_case_file(changed).fault is not None
        except Exception as refusal:  # noqa: BLE001 - which refusal it is stands below
            assert type(refusal).__name__ == "Invalid"


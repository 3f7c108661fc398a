"""Case files: whole, verifiable by anybody who holds one, and given to nobody who may not know what they say."""

import base64
import io
import json
import re
import zlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.issues import case_file_api
from patrol.issues.case_file import digest_of, digests_of
from patrol.issues.case_file_checking import verify_case_file
from patrol.issues.case_file_models import IssuedCaseFile
from patrol.issues.case_file_words import changes_said
from patrol.issues.escalating import escalate_all_due
from patrol.issues.lifecycle import STATE_NAME, State
from patrol.issues.models import HistoryEntry, Issue
from patrol.people.models import AuditEntry
from tests.issues.conftest import HERE, report, taken


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
    assert answer == {"genuine": True, "number": issue["number"], "seq": 5, "newer": 0, "changed": [], "renamed": [], "facts": [],
                      "text": "The case file is genuine and its history intact."}
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


FORGED = {
    "latitude": 1.5, "head": {"seq": 1, "hash": "0" * 64}, "lead": {"id": None, "name": "别人", "title": None}, "photos": [], "findings": [{"code": "x"}],
    "spot_checks": [{"result": "cured"}], "co_handlers": ["别人"], "severity": "major", "category": "B2", "added": 1,
}  # fmt: skip


@pytest.mark.parametrize("newer", [False, True])
def test_each_forged_fact_of_a_case_file_is_named(valley, issue, anyone, newer):
    held = case_file(valley, issue)
    if newer:
        taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    for name in [*held, "added"]:
        if name in {"form", "id", "entries", "file"}:
            continue
        forged = {**held, name: FORGED.get(name, "别的")}
        assert forged != held
        answer = verified(anyone, forged).json
        assert (answer["genuine"], answer["changed"]) == (False, [name]), name
        assert name in answer["text"]
        without = {other: value for other, value in held.items() if other != name}
        if name != "added":
            assert verified(anyone, without).json["changed"] == [name]


def rename(table, was, **columns):
    """Let a row of the register be called otherwise, as an administrator does who takes over new official codes."""
    db.session.execute(db.text(f"UPDATE {table} SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE code = :was"), {"was": was, **columns})
    db.session.commit()
    db.session.expire_all()


@pytest.mark.parametrize(("columns", "renamed", "said"), [
    ({"name": "清溪新名段"}, [], "The case file is genuine and its history intact."),
    ({"code": "NEW-1"}, ["reach"], "The case file is genuine and its history intact. Renamed since it was given out: reach."),
])
def test_a_reach_that_is_renamed_makes_no_older_file_false(valley, issue, anyone, columns, renamed, said):
    held = case_file(valley, issue)
    rename("reaches", held["reach"], **columns)
    answer = verified(anyone, held).json
    assert (answer["genuine"], answer["changed"], answer["renamed"], answer["text"]) == (True, [], renamed, said)
    taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    assert verified(anyone, held).json["genuine"] is True
    forged = verified(anyone, {**held, "reach": "X9"}).json
    assert (forged["genuine"], forged["changed"]) == (False, ["reach"])


def test_a_region_that_is_renamed_makes_no_older_file_false(valley, issue, anyone):
    held = case_file(valley, issue)
    rename("regions", held["region"], code="990199")
    answer = verified(anyone, held).json
    assert (answer["genuine"], answer["renamed"]) == (True, ["region"])


def test_a_file_with_a_reach_that_is_another_one_is_false_although_a_row_says_it_was_given_out(valley, issue, anyone):
    held = case_file(valley, issue)
    forged = {**held, "reach": valley.other_reach.code}
    row = db.session.get_one(IssuedCaseFile, UUID(held["file"]))
    row.sha256, row.fields = digest_of(forged), digests_of(forged)
    db.session.commit()
    answer = verified(anyone, forged).json
    assert (answer["genuine"], answer["changed"], answer["renamed"]) == (False, ["reach"], [])


def test_a_file_that_was_never_given_out_is_not_genuine_and_its_forged_facts_are_named(valley, issue, anyone):
    held = case_file(valley, issue)
    unknown = {**held, "file": str(uuid4())}
    answer = verified(anyone, unknown).json
    assert (answer["genuine"], answer["changed"]) == (False, [])
    assert "did not give out" in answer["text"]
    forged = {"region": "000000", "reach": None, "lead": {**held["lead"], "id": str(uuid4())}, "severity": "major", "public_summary": "好",
              "received_at": "2020-01-01T00:00:00+00:00", "state": "closed"}  # fmt: skip
    assert set(verified(anyone, {**unknown, **forged}).json["changed"]) == forged.keys()


def test_layout_does_not_count_and_a_field_said_twice_is_refused(valley, issue, anyone):
    held = case_file(valley, issue)
    assert verified(anyone, json.dumps(held, indent=3, sort_keys=True, ensure_ascii=False).encode()).json["genuine"] is True
    twice = json.dumps(held)[:-1] + f', "severity": "{held["severity"]}"' + "}"
    assert verified(anyone, twice.encode()).status_code == 422


def test_a_row_changed_behind_the_history_breaks_what_is_verified(valley, issue, anyone):
    held = case_file(valley, issue)
    db.session.get_one(Issue, UUID(issue["id"])).severity = "major"
    db.session.commit()
    for answer in (verified(anyone, held).json, anyone.get(f"case-files/{issue['id']}/{held['head']['hash']}", headers={"Accept-Language": "en"}).json):
        assert answer["genuine"] is False
        assert "severity" in answer["text"]


def test_a_pdf_is_genuine_to_the_byte(valley, issue, anyone):
    paper = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf").data
    answer = verified(anyone, paper).json
    assert (answer["genuine"], answer["number"], answer["seq"], answer["newer"]) == (True, issue["number"], 5, 0)
    changed = verified(anyone, paper[:-40] + b"%" + paper[-40:]).json
    assert (changed["genuine"], changed["number"]) == (False, issue["number"])
    assert issue["number"] in changed["text"]
    assert "was changed since" in changed["text"]
    foreign = verified(anyone, b"%PDF-1.4 nothing of ours").json
    assert (foreign["genuine"], foreign["number"], foreign["seq"]) == (False, None, None)
    taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    assert verified(anyone, paper).json["newer"] == 1


def test_a_case_file_of_another_system_is_not_genuine(valley, issue, anyone):
    held = case_file(valley, issue)
    db.session.query(HistoryEntry).filter_by(issue_id=UUID(held["id"])).delete()
    db.session.flush()
    answer = verified(anyone, held).json
    assert (answer["genuine"], answer["number"]) == (False, None)


@pytest.mark.parametrize("content", [
    b"{}", b"[]", b"not json", b'{"form": "xunhe-case-file-2", "id": "x", "entries": []}', b"\x89PNG", b"[" * 5000,
    b'{"form": "xunhe-case-file-2", "id": "0190b7a2-0000-7000-8000-000000000001", "entries": [{"seq": 1}]}',
])
def test_what_is_no_case_file_is_refused(anyone, database, content):
    assert verified(anyone, content).status_code in {400, 422}


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0 a photo", b"PK\x03\x04 a document", b"", b"{}"])
def test_who_uploads_a_wrong_file_is_told_which_to_upload(anyone, database, content, monkeypatch):
    # Photos are often larger than any case file in JSON; they are told the same.
    monkeypatch.setattr(case_file_api, "LARGEST_JSON_BYTES", 2)
    for language, words in (("zh", "请上传从本系统下载"), ("en", "upload the file as it was downloaded")):
        answer = verified(anyone, content, language)
        assert answer.status_code == 422
        assert words in answer.json["errors"]["file"][0]


def test_the_printed_hash_is_looked_up(valley, issue, anyone):
    held = case_file(valley, issue)
    found = anyone.get(f"case-files/{issue['id']}/{held['head']['hash']}").json
    assert (found["genuine"], found["number"], found["newer"]) == (True, issue["number"], 0)
    assert {row["label"]: row["value"] for row in found["facts"]}.items() >= {
        "状态": STATE_NAME[State.RECTIFIED].zh, "严重程度": "一般", "类别": f"C1 {issue['category_name']}"}.items()
    assert not any(name in json.dumps(found, ensure_ascii=False) for name in ("巡河员", "柳村长", issue["description"]))
    assert "核对纸面" in found["text"]
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
    said = text_of(reply.data)
    assert "柳村长 村级河长" in said, "whom it was dispatched to"
    assert valley.supervisor_client.get(f"issues/{issue['id']}").json["due_rule"]["last_day"] in said
    assert [label in said for label in ("责任人", "期限", "整改完成时间", "结案时间", "派给", "最后办理日")] == [True] * 4 + [False] * 2
    assert db.session.query(AuditEntry).filter_by(act="export_case_file", subject=issue["id"]).count() == 1


def test_when_it_was_rectified_and_closed_is_told_and_proved(valley, issue, anyone):
    closed = taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")
    held = case_file(valley, closed)
    assert datetime.fromisoformat(held["closed_at"]) > datetime.fromisoformat(held["rectified_at"])
    for name in ("rectified_at", "closed_at"):
        assert verified(anyone, {**held, name: "2026-01-01T00:00:00+00:00"}).json["changed"] == [name]
    # One that was given out before these were told.
    older = {name: value for name, value in held.items() if name not in {"rectified_at", "closed_at"}}
    row = db.session.get_one(IssuedCaseFile, UUID(held["file"]))
    row.sha256, row.fields = digest_of(older), digests_of(older)
    db.session.commit()
    assert verified(anyone, older).json["genuine"] is True
    labels = {row["label"] for row in anyone.get(f"case-files/{issue['id']}/{held['head']['hash']}", headers={"Accept-Language": "zh"}).json["facts"]}
    assert {"整改完成时间", "结案时间"} <= labels


def text_of(pdf):
    """Return what a PDF in one font of two bytes a letter says."""
    said = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        except (ValueError, zlib.error):
            continue
        for shown in re.findall(rb"\((.*?)(?<!\\)\) Tj", content, re.DOTALL):
            plain = re.sub(rb"\\(\d{3}|.)", lambda found: bytes([int(found[1], 8)]) if found[1].isdigit() else found[1], shown, flags=re.DOTALL)
            said += plain + "\n".encode("utf-16-be")
    return said.decode("utf-16-be", errors="replace")


def test_the_paper_says_what_was_found_on_the_spot_what_is_doubtful_and_what_the_public_reads(valley, pictures):
    issue = taken(valley.chief_client, report(valley.patroller_client, accuracy_m=500), "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.town_office_client, issue, "verify")
    issue = taken(valley.office_client, issue, "close", public_summary="桥下已清理干净")
    photo = valley.supervisor_client.post("photos", data={"file": (io.BytesIO(pictures[3]), "a.jpg")}).json["id"]
    check = valley.supervisor_client.post("spot-checks", json={"issue_id": issue["id"], "reason": "回头看", "due_on": "2099-01-01"}).json
    done = valley.supervisor_client.post(f"spot-checks/{check['id']}/finish", headers={"If-Match": '"1"'}, json={
        **HERE, "result": "cured", "note": "水面干净", "recorded_at": clock.now().isoformat(), "photo_ids": [photo]})  # fmt: skip
    assert done.status_code == 200, done.json
    held = case_file(valley, issue)
    [found] = held["spot_checks"]
    assert (found["result"], found["note"], found["done_by"], found["photos"]) == ("cured", "水面干净", "督查员", [photo])
    assert [row["code"] for row in held["findings"]] == ["poor_accuracy"]
    said = text_of(valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf").data)
    for words in ("桥下已清理干净", "现场抽查", "已整改到位", "回头看", "水面干净", "督查员", "定位精度只有 500 米"):
        assert words in said, words


def test_the_paper_calls_returned_proof_by_its_name(valley, issue, pictures):
    issue = taken(valley.town_office_client, issue, "return", reason="与整改前是同一张照片")
    taken(valley.chief_client, issue, "rectify", files=pictures[1:2], note="重新清理")
    for language, words in (("zh", ("被退回的整改照片", "整改后")), ("en", ("proof that was returned", "after"))):
        said = text_of(valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": language}).data).split("\n")
        assert [sum(line.startswith(word) for line in said) for word in words] == [1, 1]


def test_the_paper_marks_what_is_hidden_from_the_public(valley, issue):
    photo_id = valley.office_client.get(f"issues/{issue['id']}").json["photos"][0]["id"]
    path = f"issues/{issue['id']}/case-file.pdf"
    assert "已对公众隐藏" not in text_of(valley.supervisor_client.get(path).data)
    hidden = valley.office_client.post(f"issues/{issue['id']}/photos/{photo_id}/hide", json={"reason": "路人的脸"}, headers={"If-Match": "*"})
    assert hidden.status_code == 200, hidden.json
    for language, words in (("zh", "已对公众隐藏"), ("en", "hidden from the public")):
        said = text_of(valley.supervisor_client.get(path, headers={"Accept-Language": language}).data)
        assert said.count(words) == 1


def test_the_paper_says_what_was_ordered(valley):
    issue = report(valley.patroller_client)
    taken(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内清理完毕")
    due = db.session.get_one(Issue, UUID(issue["id"])).due_at
    with clock.moved_clock(lambda: due + timedelta(days=60)):
        escalate_all_due()
    for language, words in (
        ("zh", ("督办函", "请三日内清理完毕", "挂牌督办", "时限过半提醒", "到期前一个工作日提醒", "超期，报上级河长", "约谈")),
        ("en", ("Supervision letter", "请三日内清理完毕", "Listed supervision", "Half of the time is over", "Overdue: the superior chief is told")),
    ):  # fmt: skip
        said = text_of(valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": language}).data)
        for word in words:
            assert word in said, word
        assert said.count(words[2]) == 1, "a rung that is called as its order is named once"


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



def test_the_paper_says_which_case_to_whom_until_when_and_which_part(valley):
    issue = report(valley.patroller_client, severity="serious", source="patrol")
    if issue["state"] == "submitted":
        issue = taken(valley.office_client, issue, "accept")
    issue = taken(valley.office_client, issue, "dispatch", co_handlers=[{"person": valley.handler.username, "part": "清运岸边固废"}])
    until = "2099-01-01T00:00:00+08:00"
    entries = case_file(valley, issue)["entries"]
    entry = {"details": {"changes": {"part": {"from": None, "to": 1}, "until": {"from": None, "to": until}}}}
    told = changes_said(entries[-1], entries, "zh", "Asia/Shanghai")
    assert [line.split("：")[0] for line in told] == ["责任人", "协办", "分项 1"]
    assert told[0] == "责任人：柳村长"
    assert told[2].endswith("城管 · 清运岸边固废")
    assert changes_said(entry, [*entries, entry], "zh", "Asia/Shanghai") == ["分项 1：清运岸边固废", "申请延至：2098-12-31 24:00"]
    other = taken(valley.office_client, report(valley.patroller_client), "merge", into=issue["id"], reason="同一处")
    assert changes_said(case_file(valley, other)["entries"][-1], entries, "en", "Asia/Shanghai") == [f"Merged into: {issue['number']}"]
    assert f"Merged into this one: {other['number']}" in changes_said(case_file(valley, issue)["entries"][-1], entries, "en", "Asia/Shanghai")
    reply = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": "en"})
    said = text_of(reply.data)
    assert f"Merged into this one: {other['number']}" in said
    assert "page 1 of " in said

"""The case file on paper hides nothing: whose photo is whose proof, and every change of the history."""

import io
from datetime import timedelta

from patrol.foundation import clock
from tests.issues.conftest import HERE, report, taken
from tests.issues.test_case_file import case_file, text_of


def paper(valley, issue, language="zh"):
    reply = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": language})
    assert reply.status_code == 200, reply.data
    return text_of(reply.data).replace("\n", "")


def reported_with(client, picture):
    """Report an issue with one photo, as a form does."""
    data = {"category": "C1", "description": "桥下漂着成片的垃圾", **HERE, "photos": [(io.BytesIO(picture), "a.jpg")]}
    reply = client.post("issues", data=data)
    assert reply.status_code == 201, reply.json
    return reply.json


def test_a_cure_with_the_picture_of_the_trouble_shows(valley, pictures):
    issue = reported_with(valley.patroller_client, pictures[0])
    issue = taken(valley.chief_client, issue, "start")
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    assert len({photo["sha256"] for photo in case_file(valley, issue)["photos"]}) == 1
    said = paper(valley, issue)
    assert said.count("整改前 · 1. 上报") == said.count("整改后 · 5. 整改完成") == 1
    assert "（与第 5 步同一张照片）" in said
    assert "（与第 1 步同一张照片）" in said
    said = paper(valley, issue, "en")
    assert "after · 5. Rectify" in said
    assert "(the same photo as in step 1)" in said


def test_other_photos_name_no_other_step(valley, pictures):
    issue = reported_with(valley.patroller_client, pictures[0])
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[1:2], note="已清理")
    assert "同一张照片" not in paper(valley, issue)


def test_another_severity_at_the_acceptance_is_printed(valley):
    issue = report(valley.patroller_client, severity="serious", source="patrol")
    issue = taken(valley.office_client, issue, "accept", severity="general", category="C2", reason="现场看较轻")
    said = paper(valley, issue)
    assert "严重程度：一般（原为：较重）" in said
    assert "类别：C2 " in said
    assert "现场看较轻" in said
    assert "Severity: General (was: Serious)" in paper(valley, issue, "en")


def test_transfer_ledger_and_parts_are_printed(valley):
    issue = report(valley.patroller_client, severity="serious", source="patrol")
    issue = taken(valley.office_client, issue, "accept")
    issue = taken(valley.office_client, issue, "dispatch", co_handlers=[{
        "person": valley.handler.username, "part": "清运岸边固废", "due_at": (clock.now() + timedelta(days=3)).isoformat()}])  # fmt: skip
    day = str(clock.today("Asia/Shanghai") + timedelta(days=30))
    issue = taken(valley.chief_client, issue, "decline", ground="other_reach", reason="不在我段", suggested_owner="区水利局")
    issue = taken(valley.office_client, issue, "transfer", reach_id=str(valley.other_reach.id), reason="在下游")
    issue = taken(valley.office_client, issue, "suspend", reason="需工程", review_on=day, milestones=[{"text": "施工图", "due_on": day}],
                  approved_by=valley.district_chief.username)  # fmt: skip
    said = paper(valley, issue)
    for words in (
        f"河段：{valley.other_reach.code} {valley.other_reach.name}（原为：", "责任人：无（原为：柳村长）", "不在本人责任河段", "建议的责任方：区水利局",
        f"复查日期：{day}", f"节点：1. 施工图（{day}）", f"批准人：{valley.district_chief.name}", "清运岸边固废（期限：",
    ):  # fmt: skip
        assert words in said, words

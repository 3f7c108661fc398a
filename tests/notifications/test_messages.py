"""Who hears of what happens to an issue: once each, in words, and nobody else."""

import io
from datetime import datetime, timedelta

from sqlalchemy import select

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.issues.parts import tell_of_all_late_parts
from patrol.notifications.models import Message
from patrol.notifications.telling import tell
from patrol.notifications.templates import TEMPLATES, words_of
from tests.issues.conftest import CHINA, HERE, NOWHERE, report, taken


def inbox(client, **query):
    reply = client.get("me/messages", query_string=query, headers={"Accept-Language": "en"})
    assert reply.status_code == 200, reply.json
    return reply.json["items"]


def kinds(client, **query):
    return [row["kind"] for row in inbox(client, **query)]


def test_what_goes_straight_to_the_chief_is_told_to_the_chief_only(valley, work):
    issue = report(valley.patroller_client)
    work()
    [message] = inbox(valley.chief_client)
    assert message["kind"] == "issue.dispatch"
    assert message["subject"] == {"kind": "issue", "id": issue["id"]}
    assert issue["number"] in message["body"]
    assert "清溪上柳段" in message["body"]
    assert "Floating" in message["body"]
    assert kinds(valley.town_office_client) == kinds(valley.office_client) == kinds(valley.patroller_client) == []


def test_the_nearest_office_hears_of_what_waits_for_it(valley, work):
    report(valley.patroller_client, severity="serious")
    work()
    assert kinds(valley.town_office_client) == ["issue.submit"]
    assert kinds(valley.office_client) == kinds(valley.other_office_client) == []
    report(valley.patroller_client, **NOWHERE)
    work()
    assert kinds(valley.office_client) == ["issue.submit"], "no town is there: the district's office"


def test_each_step_is_told_to_whom_it_concerns(valley, work, pictures):
    issue = report(valley.patroller_client)
    issue = taken(valley.chief_client, issue, "start")
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.town_office_client, issue, "return", reason="岸边还有")
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[1:2], note="又清理了")
    work()
    issue = taken(valley.supervisor_client, issue, "verify")
    taken(valley.office_client, issue, "close")
    work()
    assert kinds(valley.chief_client) == ["issue.close", "issue.return", "issue.dispatch"]
    assert kinds(valley.town_office_client) == ["issue.verify", "issue.rectify", "issue.rectify"]
    assert kinds(valley.patroller_client) == ["issue.close"]
    returned = inbox(valley.chief_client)[1]
    assert "岸边还有" in returned["body"]
    assert "镇河长办" in returned["body"]


def closed_case(valley, pictures):
    """Return a case that the village chief led and put right, checked and closed by others."""
    issue = report(valley.patroller_client)
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.town_office_client, issue, "verify")
    return taken(valley.office_client, issue, "close")


def test_a_reopening_is_told_to_who_led_and_who_reported(valley, work, pictures):
    issue = closed_case(valley, pictures)
    issue = taken(valley.supervisor_client, issue, "reopen", reason="垃圾还在")
    assert issue["lead"] is None
    work()
    assert kinds(valley.chief_client)[0] == kinds(valley.patroller_client)[0] == kinds(valley.town_office_client)[0] == "issue.reopen"
    [told] = [row for row in inbox(valley.chief_client) if row["kind"] == "issue.reopen"]
    assert issue["number"] in told["body"]
    assert "垃圾还在" not in told["body"], "a group's robot would tell it"
    assert kinds(valley.other_chief_client) == kinds(valley.handler_client) == []


def test_a_reopening_after_a_look_on_the_spot_is_told_to_who_led(valley, work, pictures):
    issue = closed_case(valley, pictures)
    check = valley.supervisor_client.post("spot-checks", json={"issue_id": issue["id"], "reason": "回头看", "due_on": "2099-01-01"}).json
    photo = valley.supervisor_client.post("photos", data={"file": (io.BytesIO(pictures[3]), "a.jpg")}).json["id"]
    done = valley.supervisor_client.post(f"spot-checks/{check['id']}/finish", headers={"If-Match": '"1"'}, json={
        **HERE, "result": "relapsed", "note": "又有垃圾", "recorded_at": clock.now().isoformat(), "photo_ids": [photo]})  # fmt: skip
    assert done.status_code == 200, done.json
    work()
    assert kinds(valley.chief_client)[0] == "issue.reopen"


def test_who_led_and_may_not_see_the_case_any_more_hears_of_no_reopening(valley, work, pictures):
    issue = report(valley.patroller_client)
    issue = taken(valley.office_client, taken(valley.office_client, issue, "transfer", reach_id=str(valley.reach.id), reason="换人"), "dispatch",
                  lead=valley.other_chief.username)  # fmt: skip
    issue = taken(valley.other_chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")
    work()
    assert kinds(valley.other_chief_client)[0] == "issue.close"
    taken(valley.supervisor_client, issue, "reopen", reason="垃圾还在")
    work()
    assert valley.other_chief_client.get(f"issues/{issue['id']}").status_code == 404
    assert "issue.reopen" not in kinds(valley.other_chief_client)
    assert kinds(valley.patroller_client)[0] == "issue.reopen"


def test_who_acts_is_not_told_of_it(valley, work):
    issue = report(valley.chief_client)
    assert issue["lead"]["id"] == str(valley.chief.id)
    work()
    assert kinds(valley.chief_client) == ["issue.dispatch"], "the system dispatched it"
    issue = report(valley.town_office_client, severity="serious")
    work()
    assert kinds(valley.town_office_client) == []


def test_telling_twice_tells_once(valley, work):
    report(valley.patroller_client)
    work()
    rows = db.session.query(OutboxRow).filter_by(kind="notifications.tell").all()
    assert rows
    for row in rows:
        with transaction():
            tell(row.payload)()
    assert db.session.query(Message).count() == 1


def test_a_disabled_lead_is_not_told(valley, work):
    report(valley.patroller_client)
    with transaction():
        db.session.get_one(type(valley.chief), valley.chief.id).disabled_at = clock.now()
    work()
    assert db.session.query(Message).count() == 0


def test_messages_are_paged_read_and_counted(valley, work):
    for number in range(3):
        report(valley.patroller_client, description=f"第 {number} 处垃圾")
    work()
    client = valley.chief_client
    assert client.get("me").json["unread_messages"] == 3
    page = client.get("me/messages?limit=2").json
    assert len(page["items"]) == 2
    rest = client.get("me/messages", query_string={"limit": 2, "cursor": page["next"]}).json
    assert len(rest["items"]) == 1
    assert rest["next"] is None
    ids = [page["items"][0]["id"]]
    assert client.post("me/messages/read", json={"ids": ids}).json == {"read": 1, "unread": 2}
    assert client.post("me/messages/read", json={"ids": ids}).json == {"read": 0, "unread": 2}
    assert len(kinds(client, unread="true")) == 2
    assert valley.patroller_client.post("me/messages/read", json={"ids": [rest["items"][0]["id"]]}).json["read"] == 0
    until = page["items"][0]["created_at"]
    assert client.post("me/messages/read", json={"until": until}).json == {"read": 2, "unread": 0}
    assert client.post("me/messages/read", json={"ids": ids, "until": until}).status_code == 422


def test_every_template_has_words_in_both_languages():
    facts = {"number": "XH0000001", "category": "C1", "place": "清溪", "due_at": "2026-12-01T00:00:00+00:00", "actor": "何主任", "reason": "不是 {x}",
             "left": 1, "required": 4, "first_day": "2026-11-01", "last_day": "2026-11-30",
             "day": "2026-11-30", "finding": "datum_mislabelled", "judgement": "upheld", "verdict": "valid"}
    for kind in TEMPLATES:
        for language in ("zh", "en"):
            title, body = words_of(kind, facts, language, "Asia/Shanghai")
            assert title
            assert ("XH0000001" if kind.startswith(("issue.", "findings.")) else "2026-11-30") in body
    assert "2026-12-01 08:00" in words_of("issue.dispatch", facts, "zh", "Asia/Shanghai")[1]
    assert words_of("issue.of_later", facts, "zh", "Asia/Shanghai") == ("issue.of_later", "")


def test_more_time_is_asked_of_the_office_and_answered_to_the_lead(valley, work):
    issue = report(valley.patroller_client)
    until = (datetime.fromisoformat(issue["due_at"]) + timedelta(days=1)).isoformat()
    for n, granted in ((1, False), (2, True)):
        issue = taken(valley.chief_client, issue, "extensions", until=until, reason="连续降雨")
        issue = taken(valley.office_client, issue, f"extensions/{n}/decide", granted=granted, reason="已核实")
    work()
    assert kinds(valley.town_office_client).count("issue.ask_extension") == 2
    answers = [row for row in inbox(valley.chief_client) if row["kind"].endswith("_extension")]
    assert [row["kind"] for row in answers] == ["issue.grant_extension", "issue.refuse_extension"]
    assert "连续降雨" in next(row["body"] for row in inbox(valley.town_office_client) if row["kind"] == "issue.ask_extension")
    assert all("已核实" in row["body"] for row in answers)
    assert kinds(valley.patroller_client) == []


def test_who_gave_an_order_hears_that_it_was_answered(valley, work):
    issue = report(valley.patroller_client)
    taken(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内完成整改")
    [order] = valley.supervisor_client.get("orders").json["items"]
    assert valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "已组织清理"}).status_code == 200
    work()
    [told] = [row for row in valley.supervisor_client.get("me/messages").json["items"] if row["kind"] == "issue.answer_order"]
    assert (told["title"], "柳村长" in told["body"], "已组织清理" in told["body"]) == ("您发出的督办已答复", True, False)
    for client in (valley.chief_client, valley.town_office_client):
        assert "issue.answer_order" not in [row["kind"] for row in client.get("me/messages").json["items"]]


def test_a_late_part_is_told_once_to_lead_co_handlers_and_office(valley, work):
    issue = report(valley.patroller_client, severity="serious")
    issue = taken(valley.town_office_client, issue, "accept")
    due = clock.now() + timedelta(days=2)
    share = {"person": valley.handler.username, "part": "清运", "due_at": due.isoformat()}
    taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, co_handlers=[share])
    work()
    with clock.moved_clock(lambda: due + timedelta(minutes=1)):
        assert (tell_of_all_late_parts(), tell_of_all_late_parts()) == (1, 0)
        work()
        assert outbox.pending_and_stuck() == (0, 0)
        for client in (valley.chief_client, valley.handler_client):
            assert kinds(client) == ["issue.part_late", "issue.dispatch"]
        assert kinds(valley.town_office_client) == ["issue.part_late"]
        [message, *_] = inbox(valley.handler_client)
        assert message["title"] == "A part is late"
    assert db.session.scalar(select(Message.facts).where(Message.kind == "issue.part_late").limit(1))["due_at"] == due.isoformat()


def bodies(client, kind, language):
    rows = client.get("me/messages", headers={"Accept-Language": language}).json["items"]
    return [row["body"] for row in rows if row["kind"] == kind]


def test_whoever_reported_a_duplicate_is_told_of_the_original_under_the_number_that_is_known(valley, work, pictures):
    original = report(valley.chief_client)
    duplicate = report(valley.patroller_client, description="同一处")
    taken(valley.office_client, duplicate, "merge", into=original["id"], reason="同一处")
    original = valley.chief_client.get(f"issues/{original['id']}").json
    original = taken(valley.chief_client, original, "rectify", note="已清理", files=pictures[:1])
    original = taken(valley.town_office_client, original, "verify")
    taken(valley.office_client, original, "close", public_summary="已清理")
    work()
    for language, words in (("zh", "已并入"), ("en", "merged into")):
        [told] = bodies(valley.patroller_client, "issue.close", language)
        assert told.startswith(duplicate["number"])
        assert (told.count(original["number"]), words in told) == (1, True)
        [own] = bodies(valley.chief_client, "issue.close", language)
        assert own.startswith(original["number"])
        assert duplicate["number"] not in own


def test_what_the_system_gives_as_a_reason_is_read_in_either_language(valley, work):
    issue = report(valley.patroller_client)
    until = (datetime.fromisoformat(issue["due_at"]) + timedelta(days=2)).isoformat()
    issue = taken(valley.chief_client, issue, "extensions", until=until, reason="连续降雨")
    issue = taken(valley.office_client, issue, "transfer", region=valley.town.code, reason="上收")
    taken(valley.office_client, issue, "dispatch", lead=valley.district_chief.username)
    work()
    [zh], [en] = (bodies(valley.district_chief_client, "issue.refuse_extension", language) for language in ("zh", "en"))
    assert "责任人已变更" in zh
    assert "The lead changed" in en
    assert "责任人" not in en


def test_a_message_names_the_due_date_of_its_own_step(valley, work, pictures):
    """The worker comes later, when the date was moved already: what moved it is told by a message of its own."""
    issue = report(valley.patroller_client)
    issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    issue = taken(valley.town_office_client, issue, "return", reason="岸边还有")
    due = datetime.fromisoformat(issue["due_at"])
    until = (due + timedelta(days=3)).isoformat()
    asked = valley.chief_client.post(f"issues/{issue['id']}/extensions", json={"until": until, "reason": "下雨"}, headers={"If-Match": "*"})
    assert asked.status_code == 200, asked.json
    granted = valley.town_office_client.post(f"issues/{issue['id']}/extensions/1/decide", json={"granted": True, "reason": "属实"}, headers={"If-Match": "*"})
    assert granted.status_code == 200, granted.json
    work()
    told = {row["kind"]: row["body"] for row in inbox(valley.chief_client)}
    last_days = [(moment.astimezone(CHINA) - timedelta(days=1)).date() for moment in (due, due + timedelta(days=3))]
    assert [f"{last_days[0]} 24:00" in told["issue.return"], f"{last_days[1]} 24:00" in told["issue.grant_extension"]] == [True, True]

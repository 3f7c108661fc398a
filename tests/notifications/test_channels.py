"""Channels: messages also go out by mail or a group's robot, not in quiet hours, once, and again until they are taken."""

import socketserver
import threading
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from patrol.foundation import channels, clock, outbox, sealing, worker
from patrol.foundation.channels import Way
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.notifications.delivery import MOST_TOGETHER
from patrol.notifications.models import Channel, Delivery
from tests.issues.conftest import report


def add(client, **fields):
    reply = client.post("me/channels", json={"way": "mail", "address": "liu@river.example.org", **fields})
    assert reply.status_code in {200, 201}, reply.json
    return reply.json


def test_a_message_also_goes_by_mail_once(valley, work, sent):
    add(valley.chief_client, language="en")
    report(valley.patroller_client)
    work()
    work()
    [(address, title, body)] = sent
    assert address == "mailto://127.0.0.1:25?from=river@example.org&to=liu%40river.example.org"
    assert title == "An issue was given to you"
    assert "清溪上柳段" in body


def test_the_office_s_group_hears_what_the_office_is_told(valley, work, sent):
    add(valley.office_client, way="wecom", address="693a91f6-7c0f-4bc4-97a0-0ec2sifa5aaa", region=valley.town.code, kinds=["issue.submit"])
    report(valley.patroller_client, severity="serious")
    report(valley.patroller_client)
    work()
    assert [(address, title) for address, title, _ in sent] == [("wecombot://693a91f6-7c0f-4bc4-97a0-0ec2sifa5aaa", "新问题待受理")]


def test_nobody_s_own_channel_hears_what_somebody_else_is_told(valley, work, sent):
    for name in ("chief", "other_chief", "patroller", "supervisor"):
        add(getattr(valley, f"{name}_client"), address=f"{name}@river.example.org")
    report(valley.patroller_client)
    work()
    assert [address.rpartition("to=")[2] for address, _, _ in sent] == ["chief%40river.example.org"]


def at(text):
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return clock.moved_clock(lambda: moment)


def test_quiet_hours_and_the_digest_hold_messages_back(valley, sent, test_settings):
    add(valley.chief_client, digest_at="18:00")
    add(valley.chief_client, way="feishu", address="feishu-key-0001", quiet_from="22:00", quiet_to="07:00")
    # In a month of the future, so that tokens signed today are still good and nothing else is due.
    day = (clock.now() + timedelta(days=40)).date().isoformat()
    with at(f"{day}T23:10"):
        report(valley.patroller_client)
        report(valley.patroller_client, description="另一处")
        while worker.deliver_due():
            pass
        assert sent == []
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    with at(f"{following}T07:00"):
        while worker.deliver_due():
            pass
        assert [address.split(":")[0] for address, *_ in sent] == ["feishu"]
        assert sent[0][1] == "巡河：2 条消息"
    with at(f"{following}T18:00"):
        while worker.deliver_due():
            pass
        assert [address.split(":")[0] for address, *_ in sent] == ["feishu", "mailto"]
        assert sent[1][2].count("请在") == 2


def test_a_failure_shows_and_is_tried_again(valley, work, sent):
    add(valley.chief_client)
    sent.fails = True
    report(valley.patroller_client)
    work()
    [shown] = valley.chief_client.get("me/channels").json["items"]
    assert shown["waiting"] == 1
    assert shown["last_error"] == "消息未能送达电子邮件"
    [shown] = valley.chief_client.get("me/channels", headers={"Accept-Language": "en"}).json["items"]
    assert shown["last_error"] == "The message was not taken by E-mail"
    sent.fails = False
    later = clock.now() + timedelta(minutes=2)
    with clock.moved_clock(lambda: later):
        work()
    assert len(sent) == 1
    assert valley.chief_client.get("me/channels").json["items"][0]["waiting"] == 0
    assert db.session.scalar(select(Delivery.sent_at)) == later


def test_what_is_tried_again_at_night_waits_for_the_morning_and_loses_no_attempt(valley, work, sent):
    add(valley.chief_client, quiet_from="22:00", quiet_to="07:00")
    day = (clock.now() + timedelta(days=40)).date()
    sent.fails = True
    with at(f"{day}T21:59"):
        report(valley.patroller_client)
        work()
    sent.fails = False
    for moment in ("22:10", "23:50"):
        with at(f"{day}T{moment}"):
            work()
    assert sent == []
    row = db.session.scalar(select(OutboxRow).where(OutboxRow.kind == "notifications.send"))
    assert (row.attempts, row.delivered_at) == (1, None)
    with at(f"{day + timedelta(days=1)}T07:00"):
        work()
    assert len(sent) == 1


def test_a_worker_that_was_down_until_the_night_wakes_nobody(valley, work, sent):
    add(valley.chief_client, digest_at="18:00", quiet_from="22:00", quiet_to="07:00")
    day = (clock.now() + timedelta(days=40)).date()
    with at(f"{day}T17:00"):
        report(valley.patroller_client)
        for row_id in outbox.due_rows():
            outbox.deliver(row_id)
    with at(f"{day}T23:00"):
        work()
    assert sent == []
    with at(f"{day + timedelta(days=1)}T07:00"):
        work()
    assert len(sent) == 1


def test_an_address_is_sealed_and_shown_in_part(valley, test_settings):
    shown = add(valley.chief_client)
    assert shown["hint"] == "l…@river.example.org"
    [row] = db.session.scalars(select(Channel)).all()
    assert b"river.example" not in row.sealed_address
    assert sealing.unseal(row.sealed_address, test_settings.field_key) == {"address": "liu@river.example.org"}


def test_the_same_id_is_the_same_channel(valley):
    own = str(uuid4())
    assert valley.chief_client.post("me/channels", json={"id": own, "way": "mail", "address": "a@example.org"}).status_code == 201
    assert valley.chief_client.post("me/channels", json={"id": own, "way": "mail", "address": "a@example.org"}).status_code == 200
    other = valley.chief_client.post("me/channels", json={"id": own, "way": "mail", "address": "b@example.org"})
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]


@pytest.mark.parametrize(("fields", "field"), [
    ({"address": "not an address"}, "address"), ({"address": "a@b.c\nBcc: x@y.z"}, "address"), ({"address": "a@localhost"}, "address"),
    ({"way": "wecom", "address": "https://qyapi.weixin.qq.com/?key=1"}, "address"), ({"way": "sms"}, "way"),
    ({"quiet_from": "22:00"}, "quiet_from"), ({"quiet_from": "25:00", "quiet_to": "07:00"}, "quiet_from"),
    ({"kinds": ["issue.nothing"]}, "kinds"), ({"language": "fr"}, "language"), ({"shell": "rm"}, "shell"),
])
def test_what_cannot_be_is_refused(valley, fields, field):
    reply = valley.chief_client.post("me/channels", json={"way": "mail", "address": "a@example.org", **fields})
    assert reply.status_code == 422
    assert field in reply.json["errors"]


def test_a_channel_is_changed_and_switched_off(valley, work, sent):
    own = add(valley.chief_client)
    path = f"me/channels/{own['id']}"
    assert valley.chief_client.patch(path, json={"enabled": False}).status_code == 428
    changed = valley.chief_client.patch(path, json={"enabled": False, "language": "en"}, headers={"If-Match": '"1"'})
    assert (changed.json["enabled"], changed.json["language"], changed.json["version"]) == (False, "en", 2)
    assert valley.chief_client.patch(path, json={"enabled": True}, headers={"If-Match": '"1"'}).status_code == 412
    assert valley.patroller_client.patch(path, json={"enabled": True}, headers={"If-Match": "*"}).status_code == 404
    report(valley.patroller_client)
    work()
    assert sent == []


def test_mail_without_a_server_says_what_is_missing():
    with pytest.raises(Unavailable, match="XUNHE_MAIL_URL"):
        channels.send(Way.MAIL, "a@example.org", title="t", body="b", mail_url="")


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of an SMTP server as a sender of one mail needs."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


# A library of the sender's imports a module that Python is about to drop.
@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_a_real_mail_arrives_at_a_real_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.mails = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"mailto://127.0.0.1:{server.server_address[1]}?from=river@example.org&smtp=127.0.0.1"
        channels.send(Way.MAIL, "liu@example.org", title="Your issue", body="Put it right before noon.", mail_url=url)
        server.shutdown()
    [mail] = server.mails
    assert b"To: liu@example.org" in mail
    assert b"Subject: Your issue" in mail


def test_a_message_behind_many_dead_ones_goes_out_and_they_are_not_stuck_any_more(valley, work, sent):
    add(valley.chief_client)
    sent.fails = True
    for number in range(MOST_TOGETHER + 2):
        report(valley.patroller_client, description=f"第 {number} 处")
    work()
    with transaction():
        is_open = (OutboxRow.kind == "notifications.send", OutboxRow.delivered_at.is_(None))
        db.session.execute(update(OutboxRow).where(*is_open).values(attempts=outbox.MOST_ATTEMPTS))
    sent.fails = False
    new = report(valley.patroller_client, description="新的一处")
    work()
    [(_, _, body)] = sent
    assert new["number"] in body
    rows = db.session.execute(select(Delivery.sent_at, OutboxRow.delivered_at).join(Delivery.outbox)).all()
    assert sorted((told is not None, done is not None) for told, done in rows) == [(False, False)] * 3 + [(True, True)] * MOST_TOGETHER


def send_rows():
    """Return the rows of the outbox that wait to be sent on a channel, the oldest first."""
    waits = OutboxRow.kind == "notifications.send", OutboxRow.delivered_at.is_(None)
    return db.session.scalars(select(OutboxRow.id).where(*waits).order_by(OutboxRow.id)).all()


@pytest.fixture
def digest(valley, sent):
    """Three messages that wait for one address; return their rows of the outbox."""
    add(valley.chief_client)
    for number in range(3):
        report(valley.patroller_client, description=f"第 {number} 处")
    for row_id in outbox.due_rows():
        outbox.deliver(row_id)
    return send_rows()


def test_what_one_worker_is_sending_another_puts_into_no_second_digest(digest, sent, monkeypatch):
    others = []

    def slow(*message):
        # Another worker has its turn while the receiver takes its time.
        if not others:
            others.append([outbox.deliver(row_id) for row_id in digest[1:]])
        return sent(*message)

    monkeypatch.setattr(channels, "sender", [slow])
    assert outbox.deliver(digest[0])
    assert others == [[False, False]]
    assert [title for _, title, _ in sent] == ["巡河：3 条消息"]
    assert send_rows() == []


def test_what_comes_meanwhile_goes_out_by_itself(valley, digest, sent, monkeypatch):
    came = []

    def slow(*message):
        if not came:
            came.append(report(valley.patroller_client, description="刚到的一处")["number"])
            while worker.deliver_due():
                pass
        return sent(*message)

    monkeypatch.setattr(channels, "sender", [slow])
    assert outbox.deliver(digest[0])
    [(_, _, fresh), (_, digested, _)] = sent
    assert (came[0] in fresh, digested) == (True, "巡河：3 条消息")


def test_a_digest_that_is_not_taken_leaves_the_others_their_own_turn(digest, sent):
    sent.fails = True
    assert not outbox.deliver(digest[0])
    sent.fails = False
    assert outbox.deliver(digest[1])
    assert [title for _, title, _ in sent] == ["巡河：3 条消息"]
    assert send_rows() == []


def test_mail_without_a_server_is_said_and_written_down_nowhere(valley, work, test_settings):
    own = add(valley.chief_client)
    assert "XUNHE_MAIL_URL" in own["warnings"][0]
    robot = add(valley.chief_client, way="feishu", address="feishu-key-0001")
    assert robot["warnings"] == []
    valley.chief_client.patch(f"me/channels/{robot['id']}", json={"enabled": False}, headers={"If-Match": '"1"'})
    report(valley.patroller_client)
    work()
    assert db.session.scalars(select(OutboxRow.id).where(OutboxRow.kind == "notifications.send")).all() == []
    assert valley.chief_client.get("me/messages").json["items"][0]["kind"] == "issue.dispatch"
    [mail] = [row for row in valley.chief_client.get("me/channels", headers={"Accept-Language": "en"}).json["items"] if row["way"] == "mail"]
    assert (mail["waiting"], mail["last_error"]) == (0, None)
    assert "no mail server" in mail["warnings"][0]


def test_mail_goes_out_from_the_day_there_is_a_server(valley, work, sent):
    assert add(valley.chief_client)["warnings"] == []
    report(valley.patroller_client)
    work()
    assert len(sent) == 1

"""Reminders of duties reach the person's inbox and channels, once, and nobody else."""

from datetime import date

import pytest

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.notifications.models import Delivery, Message, WebhookDelivery
from patrol.patrols.duty_models import DutyReminder
from patrol.patrols.reminding import deliver_reminder, remind

SATURDAY = date(2026, 11, 21)


@pytest.fixture
def chief(build):
    village = build.region(level="village")
    person = build.person("chief", region=village)
    build.appointment(build.reach(region=village, name="清溪上柳段"), person)
    return person


def test_a_reminder_is_a_message_and_goes_out_on_channels(chief, signed_in, build, work, sent):
    client = signed_in(chief)
    reply = client.post("me/channels", json={"way": "mail", "address": "chief@river.example.cn"})
    assert reply.status_code == 201, reply.json
    assert remind(SATURDAY, "Asia/Shanghai") == 1
    work()
    [message] = client.get("me/messages").json["items"]
    assert (message["kind"], message["title"]) == ("duty.last_day", "巡河任务即将到期")
    assert message["body"] == "本期（2026-11-16 至 2026-11-22）还需巡河 1 次，共需 1 次：清溪上柳段。"
    assert message["subject"] == {"kind": "duty_reminder", "id": str(db.session.query(DutyReminder).one().id)}
    [(address, title, body)] = sent
    assert address.endswith("to=chief%40river.example.cn")
    assert (title, body) == (message["title"], message["body"])
    assert client.get("me").json["unread_messages"] == 1
    assert signed_in(build.person("office")).get("me/messages").json["items"] == []
    assert db.session.query(WebhookDelivery).count() == 0


def test_a_reminder_delivered_twice_is_told_once(chief, work, signed_in):
    client = signed_in(chief)
    remind(SATURDAY, "Asia/Shanghai")
    work()
    row = db.session.query(DutyReminder).one()
    with transaction():
        deliver_reminder({"reminder_id": str(row.id)})()
    assert db.session.query(Message).count() == 1
    assert db.session.query(Delivery).count() == 0
    assert client.get("me/messages?unread=true").json["items"][0]["kind"] == "duty.last_day"
    assert not worker.deliver_due()

"""Who walked a patrol hears what a reviewer judged of a finding on it, once, with the verdict after it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.geometry import Datum
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.notifications.judgement_telling import LONGEST_WAIT, tell
from patrol.notifications.models import Message, WebhookDelivery
from patrol.patrols import examining
from tests.patrols.on_patrol import LINE, REACH, patrolled
from tests.patrols.walks import Walker, in_datum

CODE = "datum_mislabelled"
SHIFTED = in_datum(Walker(seed=5, sigma_m=8.0).walk(LINE), Datum.GCJ02)


@pytest.fixture
def office(build, signed_in):
    village = build.region(level="village")
    build.village, build.walker = village, build.person("patroller", region=village, name="巡河员")
    return signed_in(build.person("office", region=village, name="镇河长办"))


@pytest.fixture
def walker(build, office, signed_in):
    return signed_in(build.walker)


@pytest.fixture
def patrol_id(build, walker):
    return patrolled(walker, build.reach(REACH, region=build.village, name="清溪上柳段"), SHIFTED)


def say(caller, patrol_id, verb, *, id=None, text="已核实定位设置", **body):  # noqa: A002
    reply = caller.post(f"patrols/{patrol_id}/findings/{CODE}/{verb}", json={"id": str(id or uuid4()), "text": text, **body})
    assert reply.status_code in {200, 201}, reply.json


def inbox(caller, language="zh"):
    return caller.get("me/messages", headers={"Accept-Language": language}).json["items"]


def test_a_judgement_is_told_to_who_walked_with_the_verdict_after_it(patrol_id, walker, office, work, sent):
    assert walker.post("me/channels", json={"way": "mail", "address": "her@river.example.cn"}).status_code == 201
    say(walker, patrol_id, "reply", text="手机设置有误")
    say(office, patrol_id, "judge", judgement="upheld")
    work()
    [message] = inbox(walker)
    assert (message["kind"], message["title"]) == ("patrol.judged", "巡河发现已审核")
    assert message["subject"] == {"kind": "patrol", "id": patrol_id}
    found = walker.get(f"patrols/{patrol_id}").json
    [finding] = [row for row in found["findings"] if row["code"] == CODE]
    for words in ("清溪上柳段", f"“{finding['name']}”成立", "镇河长办", "已核实定位设置", "现在的结论："):
        assert words in message["body"], words
    assert f"The verdict is now: {found['verdict']}." in inbox(walker, "en")[0]["body"]
    [(_, title, body)] = sent
    assert (title, body) == (message["title"], message["body"])
    assert inbox(office) == []
    assert db.session.query(WebhookDelivery).count() == 0


def test_each_judgement_and_its_withdrawal_are_told_once(patrol_id, walker, office, work):
    made = uuid4()
    for _ in range(2):
        say(office, patrol_id, "judge", judgement="upheld", id=made)
    work()
    say(office, patrol_id, "judge", judgement="dismissed", text="当地信号差")
    work()
    say(office, patrol_id, "withdraw", text="判错了一条")
    work()
    say(office, patrol_id, "withdraw", text="重新核实")
    work()
    told = inbox(walker)
    assert [row["kind"] for row in told] == [*["patrol.judgement_withdrawn"] * 2, *["patrol.judged"] * 2]
    for row, words in zip(told, ("此项现在未定", "此项现在成立", "不成立", "成立"), strict=True):
        assert words in row["body"]
    assert "判错了一条" in told[1]["body"]
    for row in db.session.query(OutboxRow).filter_by(kind="notifications.judged").all():
        with transaction():
            tell(row.payload)()
    assert db.session.query(Message).count() == 4


def test_what_she_says_or_takes_back_herself_is_no_judgement(patrol_id, walker, office, work):
    say(walker, patrol_id, "reply")
    say(walker, patrol_id, "withdraw")
    work()
    assert inbox(walker) == inbox(office) == []


def test_a_message_waits_for_the_examination_and_not_for_ever(patrol_id, walker, office, work, monkeypatch):
    monkeypatch.setitem(outbox._deliverers, examining.EXAMINE, lambda payload: lambda: None)
    say(office, patrol_id, "judge", judgement="upheld")
    work()
    assert inbox(walker) == []
    later = clock.now() + LONGEST_WAIT + timedelta(minutes=1)
    with clock.moved_clock(lambda: later):
        while any(outbox.deliver(row) for row in outbox.due_rows()):
            pass
    [message] = inbox(walker)
    assert "结论正在重新计算" in message["body"]


def test_a_disabled_account_is_not_told(patrol_id, build, office, work):
    say(office, patrol_id, "judge", judgement="upheld")
    with transaction():
        db.session.get_one(type(build.walker), build.walker.id).disabled_at = clock.now()
    work()
    assert db.session.query(Message).count() == 0

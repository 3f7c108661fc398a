"""Citizens are told of each turn: once, in plain words, not at night, not ten times a day, and the address stays sealed."""

import re
from datetime import datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from patrol.foundation import channels, clock, outbox, worker
from patrol.foundation.database import db
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.transaction import transaction
from patrol.issues.extensions import ask_extension, decide_extension
from patrol.public import notice_sending
from patrol.public.models import Follow, FollowerContact
from patrol.public.notices import tell
from patrol.public.open311_actions import make_partner_key
from patrol.public.subscription_models import Notice, Subscription
from tests.evidence.camera import camera_jpeg

MAIL, PHONE = "canary-7731@example.org", "139 5555-0142"
EN = {"Accept-Language": "en"}
SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = datetime.combine(datetime.now(SHANGHAI).date() + timedelta(days=1), time(9), SHANGHAI)


@pytest.fixture
def when():
    """Return a function that sets the clock to hours after tomorrow's nine in the morning, local time."""
    return lambda hours=0.0: clock.moved_clock(lambda: MORNING + timedelta(hours=hours))


@pytest.fixture
def work(when):
    """Return a function that lets the worker deliver what is due at such an hour, and three minutes later."""

    def deliver(hours=0.1):
        for moment in (hours, hours + 0.05):
            with when(moment):
                while worker.deliver_due():
                    pass

    return deliver


@pytest.fixture
def sent(complain, place, told, when):
    with when():
        return complain(contact={"email": MAIL, "name": "金丝雀女士", "phone": PHONE}, photos=[camera_jpeg(1)]).json


def link(body, part="u"):
    return re.search(rf"https://river\.example\.org/{part}/(\S+)", body)[1]


class TestTwoWorkers:
    def test_what_one_is_writing_the_other_puts_into_no_second_message(self, sent, told, when, monkeypatch):
        with when(0.1):
            for row_id in outbox.due_rows():
                outbox.deliver(row_id)
        with when(0.2):
            rows = db.session.scalars(select(OutboxRow.id).where(OutboxRow.kind == "public.write").order_by(OutboxRow.id)).all()
            assert len(rows) > 1
            really, others = channels.sender[-1], []

            def slow(*message):
                if not others:
                    others.append([outbox.deliver(row_id) for row_id in rows[1:]])
                return really(*message)

            monkeypatch.setattr(channels, "sender", [slow])
            assert outbox.deliver(rows[0])
        assert others == [[False] * (len(rows) - 1)]
        assert len(told) == 1
        waiting = OutboxRow.kind == "public.write", OutboxRow.delivered_at.is_(None)
        assert db.session.scalars(select(OutboxRow.id).where(*waiting)).all() == []


class TestTurns:
    def test_receipt_acceptance_and_charge_come_as_one_mail_with_both_links(self, sent, work, told, issue_of, anyone):
        work()
        [(address, title, body)] = told
        number = issue_of(sent).number
        assert title == f"巡河 {number}：已交责任人处理。"
        assert "您反映的问题" in body
        assert [words for words in ("已收到您的反映", "已按规则自动受理", "已交责任人处理", "期限：") if words not in body] == []
        assert re.search(rf"{MORNING:%Y-%m-%d} 09:00 已收到", body), "the district's clock"
        assert f"https://river.example.org/t/{sent['tracking_code']}\n" in body
        query = parse_qs(urlsplit(address).query)
        assert query["to"] == [MAIL]
        assert query["+List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]
        assert query["+List-Unsubscribe"] == [f"<https://river.example.org/api/v1/public/subscriptions/{link(body)}/end>"]
        assert "金丝雀" not in title + body
        assert anyone.get(f"public/complaints/{sent['tracking_code']}").json["messages"] == "on"

    def test_that_it_is_given_back_passed_on_and_begun_is_told_without_an_officials_reason(self, sent, work, told, issue_of, step, place, when):
        work()
        told.clear()
        issue = issue_of(sent)
        with when(1):
            step(issue.id, "decline", place.chief, ground="other_reach", reason="不在本段", suggested_owner="区水利局")
            step(issue.id, "transfer", place.office, region=place.town.code, reason="先核实")
            step(issue.id, "dispatch", place.office, lead=place.town_chief.username)
            step(issue.id, "start", place.town_chief)
        work(4.5)
        [(_, title, body)] = told
        assert "责任人已开始处理" in title
        told_words = ("正在重新确定责任单位", "已转交负责该处的单位", "已交责任人处理", "责任人已开始处理")
        assert [words for words in told_words if words not in body] == []
        assert [words for words in ("不在本段", "区水利局", "先核实") if words in body] == []

    def test_the_end_invites_to_judge_and_says_until_when(self, sent, work, told, issue_of, cure, when):
        work()
        told.clear()
        with when(5):
            cure(issue_of(sent).id)
        work(5.1)
        [(_, title, body)] = told
        assert "已结案" in title
        assert [words for words in ("责任人报告已整改", "整改已经他人复核", "漂浮垃圾已清理。", "评价", "没有整改到位") if words not in body] == []
        assert f"{MORNING + timedelta(days=15):%Y-%m-%d}" in body
        assert "张三" not in body

    def test_new_date_ledger_rejection_and_refusal_say_what_matters(
        self, sent, work, told, issue_of, step, place, when, actor_of, test_settings, complain,
    ):
        issue = issue_of(sent)
        until = issue.due_at + timedelta(days=6, hours=12)
        with when(1), transaction():
            ask_extension(issue_id=issue.id, by=actor_of(place.chief), until=until, reason="连续降雨", expected_version=None,
                          timezone=test_settings.timezone)
        with when(1), transaction():
            decide_extension(issue_id=issue.id, n=1, by=actor_of(place.office), granted=True, reason="属实", expected_version=None,
                             timezone=test_settings.timezone)
        review = (MORNING + timedelta(days=40)).date()
        with when(1.5):
            step(issue.id, "suspend", place.office, reason="需要工程", review_on=review, milestones=[{"text": "立项", "due_on": review}],
                 approved_by=place.district_chief.username)
        work(4.5)
        assert f"整改期限延至{until.astimezone(SHANGHAI).date()}" in told[-1][2]
        assert f"下次复查：{review}" in told[-1][2]
        assert "连续降雨" not in told[-1][2], "an official's reason to the office"
        with when(24):
            other = issue_of(complain(contact={"email": "b@example.org"}, headers=EN).json)
            step(other.id, "transfer", place.office, region=place.town.code, reason="核实")
            step(other.id, "reject", place.office, ground="lawful_activity", reason="经核实有许可")
        work(24.1)
        _, title, body = told[-1]
        assert title == f"Xunhe {other.number}: The office has not taken it up; the reason is given."
        assert "Found to be lawful: 经核实有许可" in body
        assert "No more messages" in body

    def test_a_refused_not_fixed_is_answered_to_its_complainant_only(
        self, sent, work, told, issue_of, cure, when, anyone, place, signed_in, follow,
    ):
        issue = issue_of(sent)
        follow(issue.number)
        with when():
            cure(issue.id)
            anyone.post(f"public/complaints/{sent['tracking_code']}/not-fixed", json={"reason": "还有"})
        work()
        told.clear()
        office = signed_in(place.office)
        [asked] = office.get("reopening-requests").json["items"]
        with when(20):
            reply = office.post(f"reopening-requests/{asked['id']}/decide", json={"granted": False, "reason": "已再次核实"}, headers={"If-Match": "*"})
        assert reply.status_code == 200, reply.json
        work(24)
        assert [(parse_qs(urlsplit(address).query)["to"], "已再次核实" in body) for address, _, body in told] == [([MAIL], True)]


class TestOnce:
    def test_a_turn_told_twice_is_one_row_and_one_mail(self, sent, work, told, issue_of):
        work()
        issue = issue_of(sent)
        for seq in (1, 2, 3):
            write = tell({"issue_id": str(issue.id), "seq": seq})
            with transaction():
                write()
        work(5)
        assert len(told) == 1
        assert db.session.scalar(select(func.count()).select_from(Notice)) == 3

    def test_what_happens_within_the_pause_waits_and_comes_together(self, sent, work, told, issue_of, cure, step, place, when):
        work()
        for hour, until in ((0.5, "rectified"), (1, "return")):
            with when(hour):
                if until == "return":
                    step(issue_of(sent).id, "return", place.office, reason="岸边还有")
                else:
                    cure(issue_of(sent).id, until)
            work(hour + 0.1)
        assert len(told) == 1
        work(4.2)
        assert len(told) == 2
        assert told[1][2].index("责任人报告已整改") < told[1][2].index("复核未通过")

    def test_two_cases_of_one_address_share_the_mail_and_the_pause(self, complain, place, told, when, work):
        with when():
            for number in range(3):
                complain(contact={"email": MAIL}, description=f"第{number}处")
            complain(contact={"email": "somebody.else@example.org"})
        work()
        assert sorted(parse_qs(urlsplit(address).query)["to"][0] for address, *_ in told) == [MAIL, "somebody.else@example.org"]
        [(_, title, body)] = [row for row in told if "canary" in row[0]]
        assert title == "巡河：3 件问题有新进展"
        assert len(set(re.findall(r"/u/(\S+)", body))) == 3

    def test_nothing_goes_out_at_night(self, complain, place, told, when, work, nights):
        with when(13):
            complain(contact={"email": MAIL})
        work(14)
        work(22.9)
        assert told == []
        work(23)
        assert len(told) == 1

    def test_what_failed_by_day_is_not_tried_again_at_night(self, sent, told, work, nights):
        told.fails = OSError("away")
        work()
        told.fails = None
        work(14)
        assert told == []
        work(23)
        assert len(told) == 1


class TestFailure:
    def test_it_is_tried_again_shown_without_the_address_and_healed(self, sent, work, told, issue_of, place, signed_in, capfd, when):
        told.fails = OSError(f"{MAIL} refused by smtp.example.org")
        work()
        [row] = db.session.scalars(select(OutboxRow).where(OutboxRow.last_error.is_not(None)).limit(1))
        assert "OSError" in row.last_error
        stored = [str(tuple(row)) for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
        # The number whole, in both spellings: four of its digits also occur in ids and in the photos' likeness.
        written = (MAIL, PHONE, re.sub(r"\D", "", PHONE))
        assert not [text for text in stored if any(way in text for way in written)]
        assert MAIL not in "".join(capfd.readouterr())
        for row in db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "public.write")):
            row.attempts = MOST_ATTEMPTS
        db.session.commit()
        shown = signed_in(place.office).get(f"issues/{issue_of(sent).id}/complaint").json
        assert shown["messages"] == {"sent": 0, "waiting": 0, "stuck": 3}
        told.fails = None
        with when(5), transaction():
            outbox.try_again(db.session.scalars(select(Notice.outbox_id).order_by(Notice.seq)).first())
        work(5)
        assert len(told) == 1
        assert outbox.pending_and_stuck() == (0, 0), "what went out with another is not stuck any more"
        assert signed_in(place.office).get(f"issues/{issue_of(sent).id}/complaint").json["messages"]["sent"] == 3

    def test_what_is_new_goes_out_however_many_wait_in_vain(self, sent, told, work, when, complain, issue_of, monkeypatch):
        monkeypatch.setattr(notice_sending, "MOST_TOGETHER", 2)
        told.fails = OSError("away")
        work()
        for row in db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "public.write")):
            row.attempts = MOST_ATTEMPTS
        db.session.commit()
        told.fails = None
        with when(5):
            new = complain(contact={"email": MAIL}, description="另一处").json
        work(5.1)
        assert issue_of(new).number in str(told)
        waiting = select(func.count()).select_from(Notice).join(OutboxRow, OutboxRow.id == Notice.outbox_id)
        assert db.session.scalar(waiting.where(Notice.sent_at.is_(None), OutboxRow.delivered_at.is_not(None))) == 0


@pytest.fixture
def follow(anyone, place, told, when):
    def send(number, hours=0, **contact):
        with when(hours):
            reply = anyone.post(f"public/issues/{number}/follow", json={"contact": contact or {"email": "me.too@example.org"}}, headers=EN)
        assert reply.status_code == 201, reply.json
        return reply.json

    return send


def to_follower(told):
    return [(title, body) for address, title, body in told if "me.too" in address]


class TestFollowers:
    def test_an_address_is_asked_first_and_hears_nothing_until_it_says_yes(self, sent, follow, work, told, issue_of, anyone, cure, when, step, place):
        followed = follow(issue_of(sent).number)
        assert "Open the link" in followed["message"]
        work()
        [(title, body)] = to_follower(told)
        assert "do you want to be told" in title
        assert followed["tracking_code"] not in body, "whoever reads a stranger's mail gets no key"
        with when(1):
            cure(issue_of(sent).id, "rectified")
        work(5)
        assert len(to_follower(told)) == 1
        token = link(body).removesuffix("/confirm")
        path = f"public/complaints/{followed['tracking_code']}"
        assert anyone.get(path).json["messages"] == "unconfirmed"
        assert anyone.get(f"public/subscriptions/{token}").json["state"] == "unconfirmed"
        assert anyone.post(f"public/subscriptions/{token}/confirm").json == {"number": issue_of(sent).number, "state": "on"}
        with when(6):
            step(issue_of(sent).id, "verify", place.office)
            step(issue_of(sent).id, "close", place.office)
        work(6.1)
        title, body = to_follower(told)[-1]
        assert "The report that you follow" in body
        assert "checked and closed" in title
        assert "rate the result" not in body
        assert anyone.get(path).json["messages"] == "on"

    def test_who_asks_at_night_is_asked_at_once_but_not_hours_later(self, sent, follow, work, told, issue_of, nights):
        number = issue_of(sent).number
        follow(number, hours=14)
        work(14)
        assert len(to_follower(told)) == 1
        told.fails = OSError("away")
        follow(number, hours=14.5, email="me.too.as.well@example.org")
        work(14.5)
        told.fails = None
        work(15)
        assert len(to_follower(told)) == 1
        work(23)
        assert len(to_follower(told)) == 2

    def test_nobody_is_pestered_in_a_stranger_s_name(self, complain, place, follow, work, told, issue_of, when):
        with when():
            numbers = [issue_of(complain(description=f"第{number}处").json).number for number in range(5)]
        for number in numbers:
            follow(number)
        work()
        assert len(to_follower(told)) == 3
        work(24)
        assert len(to_follower(told)) == 5

    def test_withdrawing_closes_the_code_deletes_the_contact_and_keeps_the_id(self, sent, follow, work, told, issue_of, anyone, when):
        number, own = issue_of(sent).number, str(uuid4())
        body = {"id": own, "contact": {"email": "me.too@example.org"}}
        code = anyone.post(f"public/issues/{number}/follow", json=body).json["tracking_code"]
        assert anyone.get(f"public/complaints/{code}").json["following"] is True
        assert "联系方式已删除" in anyone.post(f"public/complaints/{code}/withdraw").json["message"]
        bare = anyone.post(f"public/issues/{number}/follow", json={}).json["tracking_code"]
        assert anyone.post(f"public/complaints/{bare}/withdraw").json["message"] == "已取消关注。"
        assert db.session.scalar(select(func.count()).select_from(FollowerContact)) == 0
        assert anyone.get(f"public/complaints/{code}").status_code == 404
        assert anyone.post(f"public/complaints/{code}/withdraw").status_code == 404
        assert anyone.post("public/complaints/0000-0000-0000-0000/withdraw").status_code == 404
        own = anyone.post(f"public/complaints/{sent['tracking_code']}/withdraw", headers={"Accept-Language": "en"})
        assert (own.status_code, "cannot be withdrawn" in own.json["detail"]) == (409, True)
        assert anyone.get(f"public/complaints/{sent['tracking_code']}").status_code == 200
        assert anyone.post(f"public/issues/{number}/follow", json=body).status_code == 409
        assert db.session.scalar(select(Follow.withdrawn_at)) is not None
        work()
        assert to_follower(told) == []


class TestLeaving:
    def test_one_click_ends_it_and_looking_does_not(self, sent, work, told, anyone, issue_of, cure, when):
        work()
        token = link(told[0][2])
        assert anyone.get(f"/u/{token}").status_code == 200
        assert anyone.get(f"public/subscriptions/{token}").json["state"] == "on"
        with when(1):
            cure(issue_of(sent).id)
        work(1.1)
        clicked = anyone.post(f"public/subscriptions/{token}/end", data={"List-Unsubscribe": "One-Click"})
        assert clicked.json == {"number": issue_of(sent).number, "state": "ended"}
        assert anyone.post(f"public/subscriptions/{token}/end").status_code == 200
        work(24)
        assert len(told) == 1
        assert db.session.scalar(select(Subscription.address_key)) is None
        assert outbox.pending_and_stuck()[0] == 0
        assert anyone.post(f"public/subscriptions/{token}/confirm").json["state"] == "ended"

    @pytest.mark.parametrize("token", ["x", "ü", "A" * 38, "-" * 38])
    def test_a_made_up_link_opens_nothing(self, sent, anyone, token):
        for method, path in ((anyone.get, ""), (anyone.post, "/end"), (anyone.post, "/confirm")):
            assert method(f"public/subscriptions/{token}{path}").status_code == 404


class TestWays:
    def test_a_telephone_gets_a_text_message_only_where_a_gateway_is_set(self, complain, place, told, when, work, test_settings, monkeypatch):
        with when():
            complain(contact={"phone": PHONE})
        work()
        [(address, title, body)] = told
        assert (address, title) == ("jsons://sms.example.org/send?:to=13955550142", "")
        assert "退订 https://river.example.org/u/" in body
        monkeypatch.setitem(test_settings._values, "sms_url", "")
        with when():
            complain(contact={"phone": "139 0000 1111"}, description="另一处")
        work(5)
        assert len(told) == 1

    def test_no_public_address_no_message_and_no_row(self, complain, place, told, when, work, test_settings, monkeypatch):
        monkeypatch.setitem(test_settings._values, "public_url", "")
        with when():
            complain(contact={"email": MAIL})
        work()
        assert told == []
        assert db.session.scalar(select(func.count()).select_from(Subscription)) == 0

    def test_whom_a_partner_system_sent_that_system_tells(self, anyone, place, told, when, work):
        with transaction():
            key = make_partner_key("fms")
        with when():
            reply = anyone.post("/open311/v2/requests.json", data={
                "service_code": "C1", "lat": "29.6001", "long": "119.81", "description": "垃圾", "email": MAIL, "api_key": key})
        assert reply.status_code == 200, reply.get_data()
        work()
        assert told == []

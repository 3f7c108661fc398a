"""The citizens' veto: said once and in time, decided by somebody who did not handle the case, told in plain words."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from patrol.evidence.models import Photo
from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.escalating import escalate_all_due
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from patrol.public import veto
from patrol.public.models import Complaint, ReopeningRequest
from patrol.public.proving import ANSWERED, ASKED
from tests.evidence.camera import camera_jpeg
from tests.issues.test_case_file import text_of
from tests.public.conftest import photo_form

ZONE = "Asia/Shanghai"
EN = {"Accept-Language": "en"}


@pytest.fixture
def sent(complain, place):
    return complain(photos=[camera_jpeg(1)]).json


@pytest.fixture
def closed(sent, issue_of, cure):
    issue = issue_of(sent)
    cure(issue.id)
    return issue_of(sent)


@pytest.fixture
def say(anyone, sent):
    """Return a function that says "not fixed", with photos as a form."""

    def send(reason="桥下还有", photos=(), language="en"):
        address, headers = f"public/complaints/{sent['tracking_code']}/not-fixed", {"Accept-Language": language}
        if not photos:
            return anyone.post(address, json={"reason": reason}, headers=headers)
        return anyone.post(address, data={"reason": reason, **photo_form(*photos)}, headers=headers)

    return send


@pytest.fixture
def follow(anyone, sent):
    return lambda: anyone.get(f"public/complaints/{sent['tracking_code']}", headers=EN).json


@pytest.fixture
def decide(signed_in):
    """Return a function by which a person decides the only request."""

    def send(person, granted, reason="已到现场核实", if_match='"1"'):
        request_id = db.session.scalar(select(ReopeningRequest.id))
        headers = {**EN, **({"If-Match": if_match} if if_match else {})}
        return signed_in(person).post(f"reopening-requests/{request_id}/decide", json={"granted": granted, "reason": reason}, headers=headers)

    return send


class TestSaying:
    def test_it_waits_for_a_decision_and_the_page_says_so(self, say, follow, closed, signed_in, place):
        before = follow()
        assert before["can_say_not_fixed"]
        assert before["not_fixed_until"] == (clock.today(ZONE) + timedelta(days=15)).isoformat()
        assert before["reopening"] is None
        reply = say(photos=(5, 6, 5))
        assert reply.status_code == 201, reply.json
        now = follow()
        assert now == reply.json
        assert (now["state"], now["can_say_not_fixed"], now["not_fixed_until"]) == ("closed", False, None)
        assert (now["reopening"]["reason"], now["reopening"]["granted"]) == ("桥下还有", None)
        assert now["reopening"]["message"].startswith("Your word was received")
        assert now["steps"][-1]["text"].startswith("You said that it is not fixed")
        assert [photo["kind"] for photo in now["photos"]] == ["before", "after", "other", "other"]
        assert [photo["kind_name"] for photo in now["photos"]][1:3] == ["After", "When it was called not fixed"]
        [item] = signed_in(place.office).get("reopening-requests?waiting=true").json["items"]
        assert (item["issue"]["id"], item["reason"], item["version"]) == (str(closed.id), "桥下还有", 1)
        assert signed_in(place.office).get("reopening-requests?waiting=false").json["items"] == []
        assert list(broken_chains()) == [None]

    def test_the_case_file_names_the_photos_of_not_fixed(self, say, closed, signed_in, place):
        say(photos=(5,))
        office = signed_in(place.office)
        assert [photo["kind"] for photo in office.get(f"issues/{closed.id}/case-file.json").json["photos"]] == ["before", "after", "other"]
        assert "反映人认为未整改到位" in text_of(office.get(f"issues/{closed.id}/case-file.pdf").data)

    @pytest.mark.parametrize(("seed", "kinds"), [(1, ["before", "after", "other"]), (31, ["before", "after", "other"])])
    def test_a_photo_whose_file_is_on_the_case_already_is_kept_as_what_was_said(
        self, seed, kinds, anyone, sent, say, issue_of, step, cure, place, follow, signed_in
    ):
        issue = issue_of(sent)
        step(issue.id, "start", place.chief)
        step(issue.id, "progress", place.chief, note="正在打捞", photos=[camera_jpeg(31)])
        for verb, person, brought in (("rectify", place.chief, {"note": "已打捞", "photos": [camera_jpeg(77)]}), ("verify", place.office, {}),
                                      ("close", place.office, {"public_summary": "已清理。"})):
            step(issue.id, verb, person, **brought)
        assert say(photos=(seed,)).status_code == 201
        assert [photo["kind"] for photo in follow()["photos"]] == kinds
        assert say(photos=(seed,)).status_code == 200
        history = signed_in(place.office).get(f"issues/{issue.id}/history").json["items"]
        [said] = [entry for entry in history if entry["verb"] == "ask_reopening"]
        assert [photo["kind"] for photo in said["photos"]] == ["other"]
        assert list(broken_chains()) == [None]

    def test_a_second_cure_can_be_tied_to_the_photo_of_not_fixed(self, say, closed, step, place, follow):
        say(photos=(5,))
        objection = UUID(next(photo["id"] for photo in follow()["photos"] if photo["kind"] == "other"))
        step(closed.id, "reopen", place.office, reason="已核实")
        step(closed.id, "dispatch", place.office)
        step(closed.id, "rectify", place.chief, note="已打捞", photos=[camera_jpeg(78)], before_photo_id=objection)
        assert db.session.get_one(Issue, closed.id, populate_existing=True).state == "rectified"

    def test_the_same_again_changes_nothing_and_another_word_conflicts(self, say, closed):
        assert [say(photos=(5,)).status_code for _ in range(2)] == [201, 200]
        for other in (say("别的"), say(photos=(6,)), say()):
            assert other.status_code == 409
            assert "once already" in other.json["detail"]
        assert len(db.session.scalars(select(Photo)).all()) == 3

    def test_only_a_closed_case_can_be_called_not_fixed(self, say, sent, issue_of, cure):
        cure(issue_of(sent).id, until="rectified")
        reply = say(photos=(5,))
        assert reply.status_code == 409
        assert "Only a closed case" in reply.json["detail"]
        assert len(db.session.scalars(select(Photo)).all()) == 2

    @pytest.mark.parametrize(("days", "status"), [(15, 201), (16, 409)])
    def test_after_fifteen_days_it_is_told_what_can_still_be_done(self, say, follow, closed, days, status):
        later = datetime.combine(clock.local_date(closed.closed_at, ZONE) + timedelta(days=days), datetime.min.time(), closed.closed_at.tzinfo)
        with clock.moved_clock(lambda: later):
            assert follow()["can_say_not_fixed"] == (status == 201)
            reply = say()
        assert reply.status_code == status
        if status == 409:
            assert f"names {closed.number}" in reply.json["detail"]
            assert "15 days" in reply.json["detail"]

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
    def test_it_wants_a_reason(self, say, closed, reason):
        reply = say(reason)
        assert reply.status_code == 422
        assert "reason" in reply.json["errors"]

    def test_an_unknown_code_stores_nothing(self, anyone, place):
        address = "public/complaints/7K3D-0V9M-W2QH-5TXA/not-fixed"
        assert anyone.post(address, data={"reason": "x", **photo_form(1)}).status_code == 404
        assert db.session.scalar(select(Photo)) is None

    @given(
        waited_before=st.timedeltas(timedelta(0), timedelta(days=700)),
        waited=st.timedeltas(timedelta(0), timedelta(days=40)), days=st.integers(1, 30),
    )
    def test_the_whole_of_the_last_local_day_counts(self, waited_before, waited, days):
        closed_at = datetime(2026, 1, 1, tzinfo=UTC) + waited_before
        issue, at = Issue(state="closed", closed_at=closed_at), closed_at + waited
        passed = (clock.local_date(at, ZONE) - clock.local_date(closed_at, ZONE)).days
        last = veto.last_day(issue, days, at, ZONE)
        assert veto.last_day(issue, days, at, ZONE, merged_at=closed_at - waited) == last, "merged before the closing"
        if last is not None:
            merged = veto.last_day(issue, days, at, ZONE, merged_at=at)
            assert merged == clock.local_date(at, ZONE) + timedelta(days=days)
        assert (last is not None) == (passed <= days)
        assert last is None or (isinstance(last, date) and last >= clock.local_date(at, ZONE))


class TestDeciding:
    def test_granted_it_is_reopened_with_the_citizens_words_in_the_history(self, say, decide, follow, closed, place, signed_in):
        say()
        reply = decide(place.town_office, True)
        assert reply.status_code == 200, reply.json
        assert (reply.json["granted"], reply.json["version"], reply.json["issue"]["state"]) == (True, 2, "accepted")
        assert reply.headers["ETag"] == '"2"'
        told = signed_in(place.office).get(f"issues/{closed.id}/history", headers={"Accept-Language": "en"}).json["items"][-1]
        assert re.fullmatch("Complainant: .*\nDecision: 已到现场核实", told["reason"])
        last = signed_in(place.office).get(f"issues/{closed.id}/history").json["items"][-1]
        assert (last["verb"], last["actor"]["name"], last["to_state"]) == ("reopen", "孙干事", "accepted")
        assert last["reason"] == "反映人：桥下还有\n决定：已到现场核实"
        now = follow()
        assert (now["state"], now["reopening"]["granted"], now["reopening"]["decision"]) == ("accepted", True, "已到现场核实")
        assert now["steps"][-1]["text"] == "It has been taken up again."
        assert list(broken_chains()) == [None]

    def test_the_citizens_words_reach_no_group(self, say, decide, closed, place, signed_in, told):
        robot = {"way": "feishu", "address": "feishu-key-0001", "region": place.town.code}
        assert signed_in(place.town_office).post("me/channels", json=robot).status_code == 201
        say("我是桥头李四家，门口还有")
        decide(place.town_office, True)
        while worker.deliver_due():
            pass
        assert "问题重新办理" in str(told)
        assert "李四" not in str(told)

    def test_refused_the_citizen_reads_the_reason_and_no_name(self, say, decide, follow, closed, place, anyone, sent):
        say()
        assert decide(place.office, False, "现场已清理干净").status_code == 200
        now = follow()
        assert (now["state"], now["reopening"]["granted"], now["reopening"]["decision"]) == ("closed", False, "现场已清理干净")
        assert now["reopening"]["message"].startswith("Looked at again and not taken up")
        assert not now["can_say_not_fixed"]
        assert "何主任" not in anyone.get(f"public/complaints/{sent['tracking_code']}").text
        assert list(broken_chains()) == [None]

    def test_the_office_answers_within_five_working_days_or_is_late(self, say, decide, closed, place, signed_in):
        assert say().status_code == 201
        office, address = signed_in(place.office), f"issues/{closed.id}"
        by = datetime.fromisoformat(office.get(address).json["decision"]["by"])
        assert timedelta(days=5) < by - clock.now() < timedelta(days=16)
        assert [row["id"] for row in office.get("issues?list=waiting_for_me").json["items"]] == [str(closed.id)]
        with clock.moved_clock(lambda: by):
            assert escalate_all_due() == 1
            assert office.get(address).json["decision"]["late"] is True
            assert [row["id"] for row in office.get("issues?decision_late=true").json["items"]] == [str(closed.id)]
            assert office.get(f"{address}/history").json["items"][-1]["rule"] == "reopening_late"
            assert decide(place.office, False).status_code == 200
            assert office.get(address).json["decision"] is None
            assert escalate_all_due() == 0

    def test_it_is_decided_once(self, say, decide, closed, place):
        say()
        assert decide(place.office, False).status_code == 200
        assert decide(place.town_office, True).status_code == 412
        again = decide(place.town_office, True, if_match="*")
        assert again.status_code == 409
        assert "has been decided" in again.json["detail"]
        assert decide(place.office, True, if_match=None).status_code == 428

    def test_whoever_handled_it_may_not_decide(self, build, complain, say, sent, decide, place, step, issue_of):
        issue, both = issue_of(sent), build.person("office", "chief", region=place.village, name="一身二任")
        step(issue.id, "transfer", place.office, reach_id=place.reach.id, reason="重新指定")
        step(issue.id, "dispatch", place.office, lead=both.username)
        step(issue.id, "start", both)
        step(issue.id, "rectify", both, note="已打捞", photos=[camera_jpeg(70)])
        step(issue.id, "verify", place.office)
        step(issue.id, "close", place.office)
        say()
        refused = decide(both, False)
        assert refused.status_code == 403
        assert "somebody else has to" in refused.json["detail"]
        assert decide(place.chief, False).status_code == 403
        assert decide(build.person("supervisor", region=place.village), True).status_code == 200

    def test_elsewhere_it_is_not_found(self, say, decide, closed, build, signed_in):
        say()
        elsewhere = build.person("office", region=build.region())
        assert decide(elsewhere, True).status_code == 404
        assert signed_in(elsewhere).get("reopening-requests").json["items"] == []

    def test_a_reopening_by_hand_settles_what_waits_and_the_next_closing_can_be_called_not_fixed(self, say, decide, follow, closed, place, step, cure):
        say()
        step(closed.id, "reopen", place.office, reason="又出现了")
        request = db.session.scalars(select(ReopeningRequest)).one()
        assert (request.granted, request.decided_by_id, request.decision, request.version) == (True, place.office.id, "又出现了", 2)
        assert decide(place.office, True).status_code == 412
        assert decide(place.office, True, if_match="*").status_code == 409
        assert say().status_code == 200, "the same word once more, by a client that heard no answer"
        assert (follow()["can_say_not_fixed"], follow()["reopening"]["granted"]) == (False, True)
        issue = db.session.get_one(Issue, closed.id, populate_existing=True)
        assert (issue.reopened_times, issue.state) == (1, "accepted")
        step(closed.id, "dispatch", place.office, lead=place.chief.username)
        cure(closed.id, photo=90)
        assert follow()["can_say_not_fixed"]
        assert say().status_code == 201
        assert (follow()["can_say_not_fixed"], follow()["reopening"]["granted"]) == (False, None)
        assert [say().status_code, say("别的").status_code] == [200, 409]
        assert db.session.get_one(Issue, closed.id, populate_existing=True).decide_by is not None
        assert list(broken_chains()) == [None]

    def test_a_long_reason_by_hand_answers_what_waits_too(self, say, closed, place, step, follow):
        say()
        step(closed.id, "reopen", place.office, reason="又出现了。" * 700)
        request = db.session.scalars(select(ReopeningRequest)).one()
        assert (request.granted, len(request.decision), request.decision[-6:]) == (True, 1000, "。又出现了…")
        assert follow()["reopening"]["granted"]

    def test_one_answer_settles_what_several_said_without_telling_their_words(self, say, decide, closed, place, complain):
        other = complain(description="另一处").json
        say("桥下还有，我姓周")
        with transaction():
            row = db.session.get_one(ReopeningRequest, db.session.scalar(select(ReopeningRequest.id)))
            db.session.add(ReopeningRequest(
                complaint_id=UUID(other["id"]), issue_id=row.issue_id, closing=0, reason="也没有好", digest="0" * 64,
                asked_at=row.asked_at + timedelta(minutes=1), version=1))
        assert decide(place.town_office, True).status_code == 200
        rows = db.session.scalars(select(ReopeningRequest).execution_options(populate_existing=True)).all()
        assert [(row.granted, row.decision, row.version) for row in rows] == [(True, "已到现场核实", 2)] * 2

    @pytest.mark.parametrize("body", [{"granted": True}, {"granted": True, "reason": " "}, {"reason": "x"}, {"granted": True, "reason": "x" * 1001}])
    def test_it_wants_a_decision_and_a_reason(self, say, closed, place, signed_in, body):
        say()
        request_id = db.session.scalar(select(ReopeningRequest.id))
        address = f"reopening-requests/{request_id}/decide"
        assert signed_in(place.office).post(address, json=body, headers={"If-Match": "*"}).status_code == 422

    def test_the_queue_is_paged_the_longest_waiting_first(self, complain, anyone, issue_of, cure, place, signed_in):
        codes = []
        for number in range(3):
            answer = complain(description=f"第{number}处").json
            cure(issue_of(answer).id, photo=80 + number)
            codes.append(answer["tracking_code"])
        for number, code in enumerate(codes):
            assert anyone.post(f"public/complaints/{code}/not-fixed", json={"reason": f"r{number}"}).status_code == 201
        office = signed_in(place.office)
        first = office.get("reopening-requests?limit=2").json
        second = office.get(f"reopening-requests?limit=2&cursor={first['next']}").json
        assert [item["reason"] for page in (first, second) for item in page["items"]] == ["r0", "r1", "r2"]
        assert second["next"] is None


class TestProof:
    @staticmethod
    def faults():
        return [found.difference.field for found in broken_chains() if found]

    @staticmethod
    def change(request_id, **values):
        with transaction():
            db.session.execute(update(ReopeningRequest).where(ReopeningRequest.id == request_id).values(values))
        db.session.expire_all()

    def test_every_column_is_proved_or_known_not_to_be(self):
        known_not = {"id", "issue_id", "complaint_id", "version"}
        assert {column.key for column in ReopeningRequest.__table__.c} == {*ASKED, *ANSWERED, *known_not}

    @pytest.mark.parametrize("answer", ["waiting", "refused", "granted", "by_hand"])
    def test_what_was_said_and_answered_cannot_be_changed_unseen(self, say, decide, closed, place, step, answer):
        say()
        if answer == "by_hand":
            step(closed.id, "reopen", place.office, reason="又出现了")
        elif answer != "waiting":
            assert decide(place.office, answer == "granted").status_code == 200
        row = db.session.scalars(select(ReopeningRequest)).one()
        chief_id, request_id, before = place.chief.id, row.id, {name: getattr(row, name) for name in (*ASKED, *ANSWERED)}
        assert self.faults() == []
        others = {"closing": 7, "reason": "好了", "digest": "0" * 64, "decision": "另一句", "granted": answer == "refused", "decided_by_id": chief_id}
        for name, value in before.items():
            if answer == "waiting" and name == "decided_by_id":
                continue
            self.change(request_id, **{name: (value or clock.now()) + timedelta(hours=2) if name.endswith("_at") else others[name]})
            assert self.faults() == [f"not_fixed {request_id} {name}"], name
            self.change(request_id, **{name: value})
        assert self.faults() == []
        with transaction():
            db.session.execute(delete(ReopeningRequest))
        assert self.faults() == [f"not_fixed {request_id}"]

    def test_one_that_was_put_in_is_found(self, closed, sent):
        with transaction():
            db.session.add(ReopeningRequest(
                complaint_id=db.session.scalar(select(Complaint.id)), issue_id=closed.id, closing=0, reason="没有好", digest="0" * 64, asked_at=clock.now(),
            ))  # fmt: skip
        assert [field.split()[0] for field in self.faults()] == ["not_fixed"]

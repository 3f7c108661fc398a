"""Following a complaint with its code: plain words, photos without metadata, adding photos, rating."""

import io
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.extensions import ask_extension, decide_extension
from patrol.issues.history import broken_chains
from patrol.issues.models import HistoryEntry, IssuePhoto
from patrol.public import actions
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import photo_form


@pytest.fixture
def sent(complain, place):
    return complain(photos=[camera_jpeg(1)]).json


@pytest.fixture
def follow(anyone, sent):
    """Return a function that reads the complaint's progress."""

    def read(language="en"):
        reply = anyone.get(f"public/complaints/{sent['tracking_code']}?", headers={"Accept-Language": language})
        assert reply.status_code == 200, reply.json
        return reply.json

    return read


def test_progress_tells_state_office_post_and_steps_in_plain_words(follow, sent, place, issue_of, cure):
    now = follow()
    assert now["state"] == "dispatched"
    assert now["office"]["name"] == "River chief office of 柳岸镇"
    assert now["post"] == {"title": "柳岸村村级河长", "region": "柳岸村"}
    assert now["category"] == {"code": "C1", "name": "Floating litter"}
    assert [step["text"] for step in now["steps"]] == [
        "Your complaint was received.", "It was accepted automatically, as the rules have it.", "Somebody has been put in charge of it."]
    assert now["can_add_photos"]
    assert not now["can_rate"]
    cure(issue_of(sent).id)
    closed = follow("zh")
    assert closed["message"] == "整改已经复核，本件已结案。"
    assert closed["public_summary"] == "漂浮垃圾已清理。"
    assert closed["steps"][-1]["text"] == "整改已经复核，本件已结案。"
    assert closed["can_rate"]
    assert not closed["can_add_photos"]


def test_no_name_and_no_note_of_a_handler_is_told(anyone, follow, sent, place, issue_of, cure, step):
    issue = issue_of(sent)
    for until in (["rectified"], ["closed"]):
        if until == ["rectified"]:
            cure(issue.id, until="rectified")
            step(issue.id, "return", place.office, reason="李四说岸边还有")
            step(issue.id, "rectify", place.chief, note="再次打捞,王五参加", photos=[camera_jpeg(78)])
            step(issue.id, "verify", place.office, note="赵六复核")
            step(issue.id, "close", place.office)
        text = anyone.get(f"public/complaints/{sent['tracking_code']}").text
        for secret in ("陈村长", "何主任", "已打捞", "张三", "李四", "王五", "赵六", str(place.chief.id), "username"):
            assert secret not in text


def test_a_rejection_gives_its_ground_and_reason(complain, anyone, place, issue_of, step, follow):
    sent = complain(category="F1").json
    step(issue_of(sent).id, "reject", place.office, ground="other_authority", reason="请拨打 12345。")
    now = anyone.get(f"public/complaints/{sent['tracking_code']}").json
    assert now["rejection"] == {"ground": "应由其他部门依法处理", "reason": "请拨打 12345。"}
    assert now["due_at"] is None
    assert now["post"] is None
    step(issue_of(sent).id, "reopen", place.office, reason="重新核实")
    assert anyone.get(f"public/complaints/{sent['tracking_code']}").json["rejection"] is None


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "short", "U" * 16, "é", "a" * 500, "%00"])
def test_every_unknown_code_reads_alike(anyone, place, code):
    replies = [anyone.get(f"public/complaints/{code}"), anyone.get("public/complaints/7K3D-0V9M-W2QH-5TXA")]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].json == replies[1].json
    assert anyone.post(f"public/complaints/{code}/rating", json={"satisfied": True, "score": 5}).json == replies[0].json
    assert anyone.post(f"public/complaints/{code}/photos", data=photo_form(1)).json == replies[0].json


def test_a_code_may_be_typed_carelessly(anyone, sent):
    typed = sent["tracking_code"].replace("-", "").lower().replace("0", "o").replace("1", "l")
    assert anyone.get(f"public/complaints/{typed}").json["tracking_code"] == sent["tracking_code"]


class TestPhotos:
    def test_before_photos_show_at_once_and_after_photos_once_checked(self, anyone, follow, sent, issue_of, cure):
        issue_id = issue_of(sent).id
        cure(issue_id, until="rectified")
        worker.deliver_due()
        assert [photo["kind"] for photo in follow()["photos"]] == ["before"]
        after = next(p for p in db.session.scalars(select(Photo)) if p.owner_id)
        hidden = f"/api/v1/public/complaints/{sent['tracking_code']}/photos/{after.id}/thumb"
        assert anyone.get(hidden).status_code == 404

    def test_after_photos_show_once_closed(self, anyone, follow, sent, issue_of, cure):
        cure(issue_of(sent).id)
        worker.deliver_due()
        photos = follow()["photos"]
        assert [photo["kind"] for photo in photos] == ["before", "after"]
        assert all(photo["ready"] for photo in photos)
        assert all(anyone.get(photo[size]).status_code == 200 for photo in photos for size in ("thumb", "screen"))

    def test_after_photos_of_a_reopened_attempt_are_hidden_again(self, anyone, follow, sent, issue_of, cure, step, place):
        issue_id = issue_of(sent).id
        cure(issue_id)
        worker.deliver_due()
        after = next(photo for photo in follow()["photos"] if photo["kind"] == "after")
        assert anyone.get(after["thumb"]).status_code == 200
        step(issue_id, "reopen", place.office, reason="又出现了")
        assert [photo["kind"] for photo in follow()["photos"]] == ["before"]
        assert anyone.get(after["thumb"]).status_code == 404

    def test_no_public_byte_carries_metadata_and_no_original_is_served(self, anyone, follow, sent):
        worker.deliver_due()
        [photo] = follow()["photos"]
        original = camera_jpeg(1)
        assert b"Exif" in original
        for size in ("thumb", "screen"):
            reply = anyone.get(photo[size])
            assert reply.mimetype == "image/jpeg"
            picture = Image.open(io.BytesIO(reply.data))
            assert not picture.getexif()
            assert not {"exif", "xmp", "icc_profile", "comment", "photoshop"} & picture.info.keys()
            assert not any(mark in reply.data for mark in (b"Exif", b"http://ns.adobe", b"Photoshop", b"IMG_0"))
            assert "IMG" not in str(reply.headers)
        for size in ("original", "full", "..", "ORIGINAL"):
            assert anyone.get(photo["thumb"].replace("thumb", size)).status_code == 404

    def test_a_photo_shows_only_with_its_own_code(self, anyone, complain, follow, sent):
        worker.deliver_due()
        [photo] = follow()["photos"]
        other = complain(description="别处").json["tracking_code"]
        assert anyone.get(photo["thumb"].replace(sent["tracking_code"], other)).status_code == 404
        assert anyone.get(f"photos/{photo['id']}/thumb").status_code == 401

    def test_more_photos_go_into_the_history_and_a_repeat_changes_nothing(self, anyone, follow, sent, issue_of):
        address = f"public/complaints/{sent['tracking_code']}/photos"
        first, again = (anyone.post(address, data=photo_form(1, 2, 3)) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200), first.json
        assert [photo["kind"] for photo in again.json["photos"]] == ["before"] * 3
        assert follow()["steps"][-1]["text"] == "You added photos."
        entry = db.session.scalars(select(HistoryEntry).where(HistoryEntry.verb == "add_photos")).one()
        assert (entry.actor_id, len(entry.photos)) == (None, 2)
        assert issue_of(sent).version == entry.seq
        assert list(broken_chains()) == [None]

    def test_photos_are_refused_once_it_has_ended_and_beyond_the_limit(self, anyone, sent, issue_of, cure, monkeypatch):
        address = f"public/complaints/{sent['tracking_code']}/photos"
        monkeypatch.setattr(actions, "MOST_PHOTOS", 2)
        assert "photos" in anyone.post(address, data=photo_form(2, 3)).json["errors"]
        assert anyone.post(address, data={}, content_type="multipart/form-data").status_code == 422
        assert anyone.post(address, json={}).status_code == 415
        monkeypatch.undo()
        cure(issue_of(sent).id)
        assert anyone.post(address, data=photo_form(2)).status_code == 409
        assert anyone.post(address, data=photo_form(1)).status_code == 200
        assert db.session.query(Photo).count() == 2


class TestRating:
    GOOD = MappingProxyType({"satisfied": True, "score": 5, "comment": "很快"})

    def test_a_closed_complaint_is_rated_once(self, anyone, follow, sent, issue_of, cure):
        address = f"public/complaints/{sent['tracking_code']}/rating"
        early = anyone.post(address, json={**self.GOOD}, headers={"Accept-Language": "en"})
        assert early.status_code == 409
        assert "once it is closed" in early.json["detail"]
        cure(issue_of(sent).id)
        first, again = (anyone.post(address, json={**self.GOOD}) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json == again.json
        other = anyone.post(address, json={**self.GOOD, "score": 4})
        assert other.status_code == 409
        assert anyone.post(address, json={**self.GOOD, "score": 5.0}).status_code == 200
        assert follow()["rating"]["score"] == 5
        assert not follow()["can_rate"]

    @pytest.mark.parametrize(("satisfied", "score", "words"), [(True, 2, "3 to 5 points"), (False, 4, "1 to 3 points")])
    def test_points_that_contradict_the_word_are_refused_in_plain_words(self, anyone, sent, issue_of, cure, satisfied, score, words):
        cure(issue_of(sent).id)
        reply = anyone.post(f"public/complaints/{sent['tracking_code']}/rating", json={"satisfied": satisfied, "score": score},
                            headers={"Accept-Language": "en"})
        assert reply.status_code == 422
        assert words in reply.json["errors"]["score"][0]

    def test_each_closing_can_be_rated_once(self, anyone, follow, sent, issue_of, cure, step, place):
        address = f"public/complaints/{sent['tracking_code']}/rating"
        issue_id = issue_of(sent).id
        cure(issue_id)
        bad = {"satisfied": False, "score": 1}
        assert anyone.post(address, json=bad).status_code == 201
        step(issue_id, "reopen", place.office, reason="又出现了")
        assert not follow()["can_rate"]
        assert anyone.post(address, json={**self.GOOD}).status_code == 409
        step(issue_id, "dispatch", place.office)
        cure(issue_id, photo=78)
        assert follow()["can_rate"]
        assert [anyone.post(address, json={**self.GOOD}).status_code for _ in range(2)] == [201, 200]
        assert anyone.post(address, json=bad).status_code == 409
        assert follow()["rating"]["score"] == 5
        assert not follow()["can_rate"]
        assert anyone.get("public/statistics").json["satisfied"] == {"numerator": 1, "denominator": 1}

    def test_the_case_worker_reads_the_ratings(self, anyone, build, sent, signed_in, issue_of, cure, place):
        issue_id = issue_of(sent).id
        cure(issue_id)
        office = signed_in(place.office)
        before = office.get(f"issues/{issue_id}/complaint").json
        assert (before["board_code"], before["has_contact"], before["ratings"]) == (None, False, [])
        assert before["received_at"]
        anyone.post(f"public/complaints/{sent['tracking_code']}/rating", json={**self.GOOD})
        [rating] = office.get(f"issues/{issue_id}/complaint").json["ratings"]
        assert {name: rating[name] for name in self.GOOD} == self.GOOD
        assert rating["rated_at"]
        assert "tracking_code" not in before
        assert signed_in(place.chief).get(f"issues/{issue_id}/complaint").status_code == 403
        elsewhere = build.person("office", region=build.region())
        assert signed_in(elsewhere).get(f"issues/{issue_id}/complaint").status_code == 404

    def test_an_issue_of_no_citizen_has_no_complaint(self, place, signed_in):
        body = {"latitude": 29.6001, "longitude": 119.81, "category": "C1", "description": "桥下有垃圾"}
        made = signed_in(place.office).post("issues", json=body)
        assert made.status_code == 201, made.json
        assert signed_in(place.office).get(f"issues/{made.json['id']}/complaint").status_code == 404

    @pytest.mark.parametrize("bad", [{"score": 0}, {"score": 6}, {"score": 4.5}, {"score": "4"}, {"score": True}, {"satisfied": "maybe"}, {"comment": "x" * 1001}, {"x": 1}])
    def test_a_bad_rating_is_refused(self, anyone, sent, bad):
        reply = anyone.post(f"public/complaints/{sent['tracking_code']}/rating", json={**self.GOOD, **bad})
        assert reply.status_code == 422
        assert bad.keys() <= reply.json["errors"].keys()


def test_what_was_returned_is_no_photo_of_the_cure(anyone, follow, sent, place, issue_of, cure, step):
    issue = issue_of(sent)
    step(issue.id, "rectify", place.chief, note="已打捞", photos=[camera_jpeg(1)])
    step(issue.id, "return", place.office, reason="照片与整改前相同")
    refused = db.session.scalars(select(IssuePhoto.photo_id).where(IssuePhoto.issue_id == issue.id, IssuePhoto.kind == "after")).one()
    for verb, person, brought in (("rectify", place.chief, {"note": "已打捞", "photos": [camera_jpeg(2)]}),
                                  ("verify", place.office, {"photos": [camera_jpeg(3)]}), ("close", place.office, {"public_summary": "已清理。"})):
        step(issue.id, verb, person, **brought)
    worker.deliver_due()
    shown = follow()["photos"]
    assert [photo["kind"] for photo in shown] == ["before", "after", "after"]
    assert str(refused) not in {photo["id"] for photo in shown}
    address = f"public/complaints/{sent['tracking_code']}/photos"
    assert anyone.get(f"{address}/{refused}/screen").status_code == 404
    assert [anyone.get(photo["screen"]).status_code for photo in shown] == [200, 200, 200]
    assert anyone.get(f"public/issues/{issue.number}/photos/{refused}/screen").status_code == 404
    step(issue.id, "reopen", place.office, reason="又出现了")
    step(issue.id, "dispatch", place.office)
    cure(issue.id, photo=4)
    assert [photo["kind"] for photo in follow()["photos"]] == ["before", "after"]


def test_a_photo_whose_file_the_staff_brought_is_added_all_the_same(anyone, follow, sent, place, issue_of, step):
    step(issue_of(sent).id, "start", place.chief)
    step(issue_of(sent).id, "progress", place.chief, note="正在打捞", photos=[camera_jpeg(31)])
    address = f"public/complaints/{sent['tracking_code']}/photos"
    assert [anyone.post(address, data=photo_form(31)).status_code for _ in range(2)] == [201, 200]
    assert [photo["kind"] for photo in follow()["photos"]] == ["before", "before"]


def test_whoever_reported_it_reads_the_own_words_and_a_follower_does_not(anyone, follow, sent, place, issue_of):
    assert follow()["description"] == "桥下漂着一大片垃圾"
    code = anyone.post(f"public/issues/{issue_of(sent).number}/follow", json={}).json["tracking_code"]
    assert anyone.get(f"public/complaints/{code}").json["description"] is None


def test_what_policy_accepted_is_not_said_to_be_the_office_s_doing(follow, sent, complain, issue_of, step, place, anyone):
    assert "已按规则自动受理。" in {step["text"] for step in follow("zh")["steps"]}
    other = complain(category="B3").json
    assert issue_of(other).state == "submitted"
    step(issue_of(other).id, "accept", place.town_office)
    told = anyone.get(f"public/complaints/{other['tracking_code']}", headers={"Accept-Language": "zh"}).json["steps"]
    assert told[-1]["text"] == "河长办已受理。"


def test_a_new_date_and_the_ledger_are_told_in_plain_words(follow, sent, place, issue_of, step, actor_of, test_settings):
    issue = issue_of(sent)
    until = issue.due_at + timedelta(days=7)
    with transaction():
        ask_extension(issue_id=issue.id, by=actor_of(place.chief), until=until, reason="等张三的船", expected_version=None, timezone="Asia/Shanghai")
    assert follow()["due_at"] == sent["due_at"]
    with transaction():
        decide_extension(
            issue_id=issue.id, n=1, by=actor_of(place.office), granted=True, reason="李四属实", expected_version=None,
            timezone=test_settings.timezone)
    told = follow("zh")
    day = (until - timedelta(microseconds=1)).astimezone(ZoneInfo(test_settings.timezone)).date()
    assert told["steps"][-1]["text"] == f"经批准，整改期限延至{day}。"
    assert datetime.fromisoformat(told["due_at"]) == until
    assert "张三" not in str(told) and "李四" not in str(told)  # noqa: PT018
    step(issue.id, "suspend", place.office, reason="工程", review_on=day,
         milestones=[{"text": "完工", "due_on": day}], approved_by=place.district_chief.username)
    kept = follow()
    assert (kept["state"], kept["due_at"], kept["overdue"]) == ("suspended", None, False)
    assert kept["steps"][-1]["text"] == "It needs works; it is kept on the ledger and reviewed."


def test_closing_a_complaint_without_a_summary_is_warned_of(complain, issue_of, cure, place, signed_in):
    issue = issue_of(complain().json)
    cure(issue.id, until="verified")
    closed = signed_in(place.office).post(f"issues/{issue.id}/close", json={}, headers={"If-Match": "*", "Accept-Language": "en"})
    assert closed.status_code == 200, closed.json
    assert "`public_summary`" in closed.json["warnings"][0]

"""What reporters and followers of a merged duplicate read and may do: they follow the original."""

import io
import runpy
from datetime import timedelta
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, select

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.issues.models import HistoryEntry
from patrol.people import retention
from patrol.public.models import ComplaintEntry, ReopeningRequest, ReporterContact
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import HERE, photo_form

EN = {"Accept-Language": "en"}


@pytest.fixture
def pair(complain, place, issue_of, step):
    """Two complaints about one trouble, the later one merged into the earlier."""
    first = complain(photos=[camera_jpeg(1)], contact={"phone": "13900000001"}).json
    second = complain(photos=[camera_jpeg(2)], description="李四家后面有垃圾", contact={"phone": "13900000002"}).json
    step(issue_of(second).id, "merge", place.office, into=issue_of(first).id, reason="与王五反映的同一处")
    return first, second


@pytest.fixture
def read(anyone):
    def progress(sent):
        reply = anyone.get(f"public/complaints/{sent['tracking_code']}", headers=EN)
        assert reply.status_code == 200, reply.json
        return reply.json

    return progress


@pytest.fixture
def refuse(signed_in, build):
    """Return a function by which somebody who did not handle the case refuses what was said with this reason."""

    def send(said):
        request_id = db.session.scalars(select(ReopeningRequest.id).where(ReopeningRequest.reason == said)).one()
        reply = signed_in(build.person("office")).post(
            f"reopening-requests/{request_id}/decide", json={"granted": False, "reason": "已到现场看过"}, headers={"If-Match": '"1"'}
        )
        assert reply.status_code == 200, reply.json

    return send


def test_the_page_says_that_it_was_merged_and_tells_how_the_original_goes(pair, read, issue_of, cure, anyone):
    first, second = (issue_of(sent) for sent in pair)
    shown = read(pair[1])
    assert (shown["number"], shown["merged_into"]["number"], shown["state"]) == (second.number, first.number, "dispatched")
    assert first.number in shown["merged_into"]["message"]
    assert shown["steps"][-1]["text"] == shown["merged_into"]["message"]
    assert shown["also_reported"] == read(pair[0])["also_reported"] == 1
    assert read(pair[0])["merged_into"] is None
    cure(first.id)
    worker.deliver_due()
    shown = read(pair[1])
    assert (shown["state"], shown["public_summary"]) == ("closed", "漂浮垃圾已清理。")
    assert [step["text"] for step in shown["steps"][-2:]] == [
        "Somebody else has checked that it is put right.", "It is put right, checked and closed."]
    assert sorted(photo["kind"] for photo in shown["photos"]) == ["after", "before", "before"]
    assert [anyone.get(photo["thumb"]).status_code for photo in shown["photos"]] == [200] * 3
    assert shown.pop("description") == "李四家后面有垃圾", "each reads the own words only"
    for words in ("李四", "王五", "1390000"):
        assert words not in str(read(pair[0])) + str(shown)


def test_a_date_that_moves_by_a_merging_and_by_its_undoing_is_told_to_whoever_complained(told, complain, place, issue_of, step):
    first = issue_of(complain(contact={"email": "first@example.org"}).json)
    second = issue_of(complain(description="李四家后面有垃圾").json)
    days = [first.due_rule["last_day"]]
    later = clock.now() + timedelta(hours=1)
    with clock.moved_clock(lambda: later):
        step(second.id, "merge", place.office, into=first.id, reason="同一处", raise_severity="serious")
        db.session.expire_all()
        days.append(first.due_rule["last_day"])
        step(second.id, "unmerge", place.office, reason="两处")
    for days_on in (1, 2, 2.5):
        with clock.moved_clock(lambda days_on=days_on: later + timedelta(days=days_on)):
            while worker.deliver_due():
                pass
    said = "\n".join(body for _, _, body in told)
    assert days[0] != days[1]
    assert [f"现在的最后一天是{day}。" in said for day in days] == [True, True]


def test_the_turns_of_the_original_are_told_to_whoever_reported_the_duplicate(told, complain, place, issue_of, step, cure):
    first = issue_of(complain(contact={"email": "first@example.org"}).json)
    second = issue_of(complain(description="同一处", contact={"email": "second@example.org"}).json)
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    cure(first.id)
    now = clock.now()
    for days in (1, 2, 2.5):
        with clock.moved_clock(lambda days=days: now + timedelta(days=days)):
            while worker.deliver_due():
                pass
    for person, own in (("first", first), ("second", second)):
        [(title, body)] = [(title, body) for address, title, body in told if person in address and "本件已结案" in body]
        assert own.number in title
        assert body.startswith(f"您反映的问题 {own.number}（")
    assert body.count(first.number) == 1, "the original's number is told once, beside the one that is known"


def test_what_happens_later_to_the_original_is_told_under_the_number_that_is_known(told, complain, place, issue_of, step, cure):
    first = issue_of(complain().json)
    sent = complain(description="同一处", contact={"email": "second@example.org"}, headers=EN).json
    second = issue_of(sent)
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    now = clock.now()
    for hours in (24, 25):
        deliver(now + timedelta(hours=hours))
    with clock.moved_clock(lambda: now + timedelta(days=2)):
        cure(first.id)
    told.clear()
    for hours in (72, 73):
        deliver(now + timedelta(hours=hours))
    [(_, title, body)] = told
    assert title.startswith(f"Xunhe {second.number}: ")
    head = body.splitlines()[0]
    assert head.startswith(f"Your report {second.number} (")
    assert head.endswith(f"dealt with together with the same issue, {first.number}")
    assert body.count(first.number) == 1
    assert f"/t/{sent['tracking_code']}" in body


def deliver(moment):
    with clock.moved_clock(lambda: moment):
        while worker.deliver_due():
            pass


def test_who_is_dealt_with_alone_again_is_told_so(told, complain, place, issue_of, step):
    first, second = issue_of(complain().json), issue_of(complain(contact={"email": "second@example.org"}, description="同一处").json)
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    step(second.id, "unmerge", place.office, reason="其实是两处")
    now = clock.now()
    for days in (1, 2):
        with clock.moved_clock(lambda days=days: now + timedelta(days=days)):
            while worker.deliver_due():
                pass
    assert "已撤销合并，单独办理。" in told[-1][2]
    assert "其实是两处" not in told[-1][2]


def test_a_merging_that_was_undone_is_told_as_past(pair, read, issue_of, step, place):
    """What follows is the issue's own again."""
    newest = "what follows is how that one goes"
    assert any(newest in row["text"] for row in read(pair[1])["steps"])
    step(issue_of(pair[1]).id, "unmerge", place.office, reason="其实是两处")
    said = [row["text"] for row in read(pair[1])["steps"]]
    assert not any(newest in text for text in said)
    assert any("for a while" in text for text in said)
    step(issue_of(pair[1]).id, "merge", place.office, into=issue_of(pair[0]).id, reason="还是同一处")
    said = [row["text"] for row in read(pair[1])["steps"]]
    assert [sum(words in text for text in said) for words in ("for a while", newest)] == [1, 1]


def test_a_contact_stays_as_long_as_the_original_is_open(pair, issue_of, cure):
    first = issue_of(pair[0])
    for days, cured, left in ((400, False, 2), (400, True, 0)):
        if cured:
            cure(first.id)
        moment = clock.now() + timedelta(days=days)
        with clock.moved_clock(lambda moment=moment: moment):
            retention.run_retention()
        assert db.session.scalar(select(func.count()).select_from(ReporterContact)) == left


def test_each_may_rate_and_call_it_not_fixed(pair, read, issue_of, cure, anyone, signed_in, place):
    first, _ = (issue_of(sent) for sent in pair)
    cure(first.id)
    assert read(pair[1])["can_rate"]
    for sent, score in zip(pair, (5, 1), strict=True):
        path = f"public/complaints/{sent['tracking_code']}/rating"
        assert anyone.post(path, json={"satisfied": score > 3, "score": score}).status_code == 201
    case = signed_in(place.office).get(f"issues/{first.id}/complaint").json
    assert sorted(rating["score"] for rating in case["ratings"]) == [1, 5]
    reply = anyone.post(f"public/complaints/{pair[1]['tracking_code']}/not-fixed", json={"reason": "还在"})
    assert reply.status_code == 201
    assert not reply.json["can_say_not_fixed"]
    assert db.session.scalar(select(HistoryEntry.issue_id).where(HistoryEntry.verb == "ask_reopening")) == first.id


def test_a_rating_of_the_original_is_none_of_the_duplicate_s_own_result(complain, place, read, issue_of, cure, step, anyone):
    first, sent = issue_of(complain().json), complain(description="同一处").json
    second = issue_of(sent)
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    cure(first.id)
    path = f"public/complaints/{sent['tracking_code']}/rating"
    assert anyone.post(path, json={"satisfied": True, "score": 5}).status_code == 201
    step(second.id, "unmerge", place.office, reason="其实是两处")
    assert read(sent)["rating"] is None
    cure(second.id, photo=78)
    assert read(sent)["can_rate"]
    assert anyone.post(path, json={"satisfied": False, "score": 1}).status_code == 201
    assert read(sent)["rating"]["score"] == 1


def test_not_fixed_on_the_original_is_none_on_the_duplicate_s_own_result(complain, place, read, issue_of, cure, step, anyone):
    first, sent = issue_of(complain().json), complain(description="同一处").json
    second, path = issue_of(sent), f"public/complaints/{sent['tracking_code']}/not-fixed"
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    cure(first.id)
    assert anyone.post(path, json={"reason": "还在"}).status_code == 201
    assert not read(sent)["can_say_not_fixed"]
    step(second.id, "unmerge", place.office, reason="其实是两处")
    assert read(sent)["reopening"] is None
    cure(second.id, photo=78)
    assert read(sent)["can_say_not_fixed"]
    assert anyone.post(path, json={"reason": "还在"}).status_code == 201
    assert db.session.scalars(select(ReopeningRequest.issue_id).order_by(ReopeningRequest.id)).all() == [first.id, second.id]


def test_of_a_closing_before_the_merging_it_can_be_said_for_fifteen_days_after_it(complain, place, read, issue_of, cure, step, anyone):
    first, sent = issue_of(complain().json), complain(description="同一处").json
    cure(first.id)
    merged = clock.now() + timedelta(days=30)
    with clock.moved_clock(lambda: merged):
        step(issue_of(sent).id, "merge", place.office, into=first.id, reason="同一处")
        assert read(sent)["not_fixed_until"] == (clock.today("Asia/Shanghai") + timedelta(days=15)).isoformat()
    with clock.moved_clock(lambda: merged + timedelta(days=16)):
        assert not read(sent)["can_say_not_fixed"]
    with clock.moved_clock(lambda: merged + timedelta(days=15)):
        reply = anyone.post(f"public/complaints/{sent['tracking_code']}/not-fixed", json={"reason": "还在"})
    assert reply.status_code == 201, reply.json


def test_followers_of_the_duplicate_follow_the_original_too(complain, place, issue_of, step, anyone, read, cure):
    first, second = (issue_of(complain().json) for _ in range(2))
    code = anyone.post(f"public/issues/{second.number}/follow", json={}).json
    step(second.id, "merge", place.office, into=first.id, reason="同一处")
    cure(first.id)
    shown = read(code)
    assert (shown["state"], shown["merged_into"]["number"]) == ("closed", first.number)
    assert not shown["can_rate"]


def test_after_undoing_each_follows_the_own_again(pair, read, issue_of, step, place):
    first, second = (issue_of(sent) for sent in pair)
    step(second.id, "unmerge", place.office, reason="并非同一处")
    step(first.id, "start", place.chief)
    shown = read(pair[1])
    assert (shown["merged_into"], shown["state"], shown["also_reported"]) == (None, "dispatched", 0)
    assert shown["steps"][-1]["text"] == "It is dealt with on its own again."
    assert read(pair[0])["also_reported"] == 0


def test_what_is_added_after_the_merging_goes_to_the_original(pair, issue_of, anyone):
    first = issue_of(pair[0])
    photos = {"photos": [(io.BytesIO(camera_jpeg(3)), "3.jpg")]}
    reply = anyone.post(f"public/complaints/{pair[1]['tracking_code']}/photos", data=photos)
    assert reply.status_code == 201
    assert len(reply.json["photos"]) == 3
    entry = db.session.scalars(select(HistoryEntry).where(HistoryEntry.verb == "add_photos")).one()
    assert entry.issue_id == first.id


def test_each_page_says_you_only_of_what_its_own_holder_did(pair, read, issue_of, anyone, step, place, cure, refuse):
    codes = [sent["tracking_code"] for sent in pair]
    for code, seed in ((codes[1], 3), (codes[0], 4)):
        assert anyone.post(f"public/complaints/{code}/photos", data=photo_form(seed)).status_code == 201
    cure(issue_of(pair[0]).id)
    said = [anyone.post(f"public/complaints/{code}/not-fixed", json={"reason": f"还在{number}"}) for number, code in enumerate(codes)]
    assert [reply.status_code for reply in said] == [201, 201]
    refuse("还在1")

    def did(sent):
        words = {
            "You added": "own photos", "Somebody else who reported it added": "other photos",
            "You said": "own word", "Somebody else who reported it says": "other word",
            "Looked at again and not taken up; the reason": "own no", "What somebody else said of it was looked at": "other no",
        }  # fmt: skip
        return [name for step in read(sent)["steps"] for begin, name in words.items() if step["text"].startswith(begin)]

    assert did(pair[0]) == ["other photos", "own photos", "own word", "other word", "other no"]
    assert did(pair[1]) == ["own photos", "other photos", "other word", "own word", "own no"]
    step(issue_of(pair[1]).id, "unmerge", place.office, reason="其实是两处")
    assert did(pair[0]) == ["other photos", "own photos", "own word", "other word", "other no"]
    assert did(pair[1]) == ["own photos", "own word", "own no"]
    assert [photo["kind"] for photo in read(pair[1])["photos"]] == ["before", "before"]
    worker.deliver_due()
    assert [anyone.get(photo["thumb"]).status_code for photo in read(pair[1])["photos"]] == [200, 200]
    assert list(broken_chains()) == [None, None]


def test_followers_read_of_photos_and_words_without_whose_they_were(pair, read, issue_of, anyone, cure, refuse):
    code = anyone.post(f"public/issues/{issue_of(pair[0]).number}/follow", json={}).json
    anyone.post(f"public/complaints/{pair[1]['tracking_code']}/photos", data=photo_form(3))
    cure(issue_of(pair[0]).id)
    anyone.post(f"public/complaints/{pair[1]['tracking_code']}/not-fixed", json={"reason": "还在"})
    refuse("还在")
    said = [step["text"] for step in read(code)["steps"]]
    assert said[-2:] == ["Whoever reported it says that it is not fixed.", "Looked at again and not taken up."]
    assert "Whoever reported it added photos." in said


def test_a_refusal_is_told_to_whoever_it_answers_alone(told, complain, place, issue_of, step, cure, anyone, refuse):
    first = issue_of(complain(contact={"email": "first@example.org"}).json)
    sent = complain(description="同一处", contact={"email": "second@example.org"}).json
    step(issue_of(sent).id, "merge", place.office, into=first.id, reason="同一处")
    cure(first.id)
    anyone.post(f"public/complaints/{sent['tracking_code']}/not-fixed", json={"reason": "还在"})
    refuse("还在")
    now = clock.now()
    for days in (1, 2, 2.5):
        with clock.moved_clock(lambda days=days: now + timedelta(days=days)):
            while worker.deliver_due():
                pass
    assert ["second%40example.org" in address for address, _, body in told if "已到现场看过" in body] == [True]


def test_what_was_said_before_it_was_kept_whose_it_is_is_told_from_the_rows_that_know(complain, place, step, issue_of, anyone, cure, refuse):
    pair = [complain().json, complain(description="同一处").json]
    codes = [sent["tracking_code"] for sent in pair]
    anyone.post(f"public/complaints/{codes[0]}/photos", data=photo_form(1))
    step(issue_of(pair[1]).id, "merge", place.office, into=issue_of(pair[0]).id, reason="同一处")
    anyone.post(f"public/complaints/{codes[1]}/photos", data=photo_form(2))
    cure(issue_of(pair[0]).id)
    for number in (1, 0):
        anyone.post(f"public/complaints/{codes[number]}/not-fixed", json={"reason": f"还在{number}"})
    for number in (0, 1):
        refuse(f"还在{number}")
    kept = db.session.execute(
        select(ComplaintEntry.issue_id, ComplaintEntry.seq, ComplaintEntry.complaint_id, HistoryEntry.verb)
        .join(HistoryEntry, (HistoryEntry.issue_id == ComplaintEntry.issue_id) & (HistoryEntry.seq == ComplaintEntry.seq))
        .order_by(ComplaintEntry.seq)
    ).all()  # fmt: skip
    assert [row.verb for row in kept] == ["add_photos", "add_photos", "ask_reopening", "ask_reopening", "refuse_reopening", "refuse_reopening"]
    migration = runpy.run_path("migrations/versions/0034_whose_word_an_entry_is.py")
    with transaction():
        with Operations.context(MigrationContext.configure(db.session.connection())):
            migration["downgrade"]()
            migration["upgrade"]()
        db.session.expire_all()
        rows = db.session.scalars(select(ComplaintEntry).order_by(ComplaintEntry.seq)).all()
        # Who added photos to a case of several is the one thing that was not written down.
        assert [(row.issue_id, row.seq, row.complaint_id) for row in rows] == [tuple(row)[:3] for row in (kept[0], *kept[2:])]


def test_suggestions_and_open311_name_the_original_and_count_the_others(pair, issue_of, anyone):
    first, second = (issue_of(sent) for sent in pair)
    [found] = anyone.get("public/nearby", query_string={**HERE, "category": "C1"}).json["items"]
    assert (found["number"], found["also_reported"]) == (first.number, 1)
    [row] = anyone.plain.get(f"/open311/v2/requests/{second.number}.json", headers=EN).json
    assert (row["status"], row["expected_datetime"]) == ("closed", None)
    assert row["status_notes"] == f"Dealt with together with the same issue. The original is {first.number}."
    assert anyone.get("public/statistics").json["merged"] == 1


def test_what_a_merged_complainant_says_of_the_result_is_read_on_the_original_of_the_staff(complain, place, issue_of, step, cure, anyone, signed_in):
    office = signed_in(place.office)
    original = signed_in(place.chief).post("issues", json={"category": "C1", "description": "垃圾", **HERE}).json
    assert office.get(f"issues/{original['id']}/complaint").status_code == 404
    sent = complain(description="同一处", contact={"phone": "13900000002"}).json
    step(issue_of(sent).id, "merge", place.office, into=UUID(original["id"]), reason="同一处")
    cure(UUID(original["id"]))
    rated = anyone.post(f"public/complaints/{sent['tracking_code']}/rating", json={"satisfied": False, "score": 1, "comment": "没有清"})
    assert rated.status_code == 201, rated.json
    shown = office.get(f"issues/{original['id']}/complaint").json
    assert [rating["comment"] for rating in shown["ratings"]] == ["没有清"]
    assert (shown["received_at"], shown["board_code"], shown["has_contact"]) == (None, None, False)
    assert shown["messages"] == {"sent": 0, "waiting": 0, "stuck": 0}
    of_duplicate = office.get(f"issues/{issue_of(sent).id}/complaint").json
    assert (of_duplicate["ratings"], of_duplicate["has_contact"]) == ([], True)

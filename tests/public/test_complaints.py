"""Complaining: what comes in, what is answered, and that a repeat is the same complaint."""

import base64
import io
from datetime import timedelta
from uuid import uuid4

import altcha
import pytest
from sqlalchemy import func, select

from patrol.evidence import reception
from patrol.evidence.models import Photo
from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.issues.models import HistoryEntry, Issue
from patrol.public import actions
from patrol.public.models import Complaint, ReporterContact, SpentChallenge
from patrol.waters.models import Reach
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import AWAY, HERE, photo_form

NOWHERE = {"latitude": None, "longitude": None, "accuracy_m": None}


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_complaint_is_answered_with_code_office_reach_and_due_date(complain, place, issue_of):
    reply = complain(contact={"name": "李女士", "phone": "13912345678"}, recorded_at="2026-05-01T08:30:00+08:00")
    assert reply.status_code == 201, reply.json
    body = reply.json
    assert body["reach"] == {"code": place.reach.code, "name": "清溪柳岸段"}
    assert body["office"] == {"code": place.town.code, "name": "柳岸镇河长办"}
    assert body["tracking_code"] in body["message"]
    assert body["state"] == "dispatched"
    assert body["due_at"] is not None
    issue = issue_of(body)
    assert issue.lead_id == place.chief.id
    assert issue.source == "citizen"
    assert issue.reporter_id is None
    assert str(issue.id) != body["id"]
    assert reply.headers["Cache-Control"] == "no-store"


def test_the_answer_speaks_english_when_asked(complain, place):
    body = complain(headers={"Accept-Language": "en"}).json
    assert body["office"]["name"] == "River chief office of 柳岸镇"
    assert body["message"].startswith("Somebody is in charge of it")


def test_a_boards_code_stands_for_the_position(complain, place, issue_of):
    body = complain(place=NOWHERE, board_code="QX-0001").json
    issue = issue_of(body)
    assert (issue.latitude, issue.longitude) == (place.board.latitude, place.board.longitude)
    assert issue.reach_id == place.reach.id
    assert issue.routing["decided_by"] == "board"


def test_a_board_s_code_may_be_typed_in_small_letters(complain, place, issue_of, anyone):
    assert anyone.get("public/boards/qx-0001").json["code"] == "QX-0001"
    assert issue_of(complain(place=NOWHERE, board_code=" qx-0001 ").json).reach_id == place.reach.id


def test_of_two_boards_whose_codes_differ_by_case_the_one_that_was_scanned_counts(complain, issue_of, build, anyone):
    upper, lower = build.reach(((119.80, 29.40), (119.82, 29.40))), build.reach(((119.80, 29.30), (119.82, 29.30)))
    build.board(upper, code="LX-7", latitude=29.40)
    build.board(lower, code="lx-7", latitude=29.30)
    assert [anyone.get(f"public/boards/{code}").json["code"] for code in ("lx-7", "LX-7")] == ["lx-7", "LX-7"]
    assert [issue_of(complain(place={}, board_code=code).json).reach_id for code in ("LX-7", "lx-7")] == [upper.id, lower.id]


def test_a_position_beside_a_board_decides_and_the_board_is_kept(complain, place, issue_of):
    body = complain(place=AWAY, board_code="QX-0001").json
    assert issue_of(body).reach_id is None
    assert db.session.scalar(select(Complaint.board_code)) == "QX-0001"


def test_the_board_of_a_retired_reach_still_gives_the_place(complain, place, issue_of, build):
    with transaction():
        db.session.get_one(Reach, place.reach.id).retired_at = clock.now()
    build.register_changed()
    body = complain(place=NOWHERE, board_code="QX-0001").json
    assert issue_of(body).reach_id != place.reach.id


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"place": NOWHERE}, "latitude"),
        ({"place": {"latitude": 29.6, "longitude": None}}, "longitude"),
        ({"place": NOWHERE, "board_code": "NO-SUCH"}, "board_code"),
        ({"place": {"latitude": 91, "longitude": 0}}, "latitude"),
        ({"place": {**HERE, "latitude": 0, "longitude": 0, "datum": "gcj02"}}, "datum"),
        ({"datum": "cgcs"}, "datum"),
        ({"category": "XX"}, "category"), ({"category": "B8"}, "category"), ({"category": "A"}, "category"),
        ({"description": ""}, "description"), ({"description": " \n　"}, "description"), ({"description": "字" * 2001}, "description"),
        ({"recorded_at": "2026-05-01T08:30:00"}, "recorded_at"),
        ({"contact": {"email": "not one"}}, "contact.email"), ({"contact": {"wechat": "x"}}, "contact.wechat"),
        ({"contact": {"phone": "1" * 41}}, "contact.phone"), ({"contact": {"phone": "not a phone"}}, "contact.phone"),
        ({"contact": {"phone": "12345"}}, "contact.phone"), ({"contact": {"phone": "+- ()"}}, "contact.phone"),
        ({"user_agent": "x"}, "user_agent"), ({"id": "1"}, "id"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_written(complain, place, fields, field):
    reply = complain(**fields)
    assert reply.status_code == 422, reply.json
    assert field in reply.json["errors"]
    assert reply.mimetype == "application/problem+json"
    assert [count(model) for model in (Issue, Complaint, HistoryEntry, ReporterContact)] == [0, 0, 0, 0]


@pytest.mark.parametrize(("fields", "field", "words"), [
    ({"place": {"latitude": 10, "longitude": 10}}, "latitude", "outside the regions"),
    ({"place": {"latitude": 0, "longitude": 0}}, "latitude", "outside the regions"),
    ({"place": {"latitude": 90, "longitude": 119.81}}, "latitude", "outside the regions"),
    ({"recorded_at": "1999-01-01T08:00:00+08:00"}, "recorded_at", "more than 366 days ago"),
    ({"recorded_at": "2999-01-01T08:00:00+08:00"}, "recorded_at", "later than now"),
])
def test_what_cannot_be_seen_here_and_now_is_refused_in_plain_words(complain, place, fields, field, words):
    reply = complain(**fields, headers={"Accept-Language": "en"})
    assert reply.status_code == 422
    assert words in reply.json["errors"][field][0]
    assert count(Issue) == 0
    assert complain(place=AWAY).status_code == 201


def test_a_json_body_cannot_bring_photo_files(anyone, place):
    reply = anyone.post("public/complaints", json={"category": "C1", "description": "垃圾", **HERE, "photos": ["x"]})
    assert reply.status_code == 422
    assert "photos.0" in reply.json["errors"]


def test_photos_come_with_it_and_a_bad_one_refuses_all(complain, place, issue_of):
    body = complain(photos=[camera_jpeg(1), camera_jpeg(2), camera_jpeg(1)], contact={"phone": "13912345678"}).json
    assert len(db.session.scalars(select(Photo)).all()) == 2
    assert count(ReporterContact) == 1
    assert all(photo.owner_id is None for photo in db.session.scalars(select(Photo)))
    refused = complain(photos=[camera_jpeg(3), b"<html>no photo</html>"])
    assert refused.status_code == 415
    assert complain(photos=[camera_jpeg(n) for n in range(10)]).status_code == 422
    assert count(Complaint) == 1
    assert body["tracking_code"]


def test_the_same_id_and_content_is_one_complaint(complain, place):
    fields = {"id": str(uuid4()), "contact": {"name": "李", "phone": "139 1234"}, "photos": [camera_jpeg(1)]}
    first, again = complain(**fields), complain(**fields)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert [count(model) for model in (Issue, Complaint, Photo)] == [1, 1, 1]


@pytest.mark.parametrize(
    "other", [{"description": "别的"}, {"contact": {"phone": "13911111111"}}, {"photos": [camera_jpeg(2)]}, {"category": "C2"}, {"place": AWAY}]
)
def test_the_same_id_with_other_content_conflicts_and_shows_both_digests(complain, place, other):
    fields = {"id": str(uuid4()), "contact": {"phone": "13900000000"}, "photos": [camera_jpeg(1)]}
    assert complain(**fields).status_code == 201
    reply = complain(**fields | other)
    assert reply.status_code == 409
    assert reply.json["digest_stored"] != reply.json["digest_sent"]
    assert count(Complaint) == 1


def test_a_blank_contact_is_none_at_all(complain, place):
    assert complain(contact={"name": " ", "phone": ""}).status_code == 201
    assert count(ReporterContact) == 0


def test_no_address_and_no_user_agent_is_stored(complain, place):
    complain(headers={"User-Agent": "CanaryBrowser/1.0", "X-Forwarded-For": "203.0.113.77"}, photos=[camera_jpeg(1)])
    tables = db.metadata.sorted_tables
    stored = " ".join(str(row) for table in tables for row in db.session.execute(select(table)))
    assert "QX-0001" in stored
    for trace in ("CanaryBrowser", "203.0.113.77", "127.0.0.1", "203.0.113"):
        assert trace not in stored


def test_the_history_begins_with_the_citizen_and_its_chain_holds(complain, place, issue_of):
    issue = issue_of(complain(photos=[camera_jpeg(1)]).json)
    entries = db.session.scalars(select(HistoryEntry).where(HistoryEntry.issue_id == issue.id).order_by(HistoryEntry.seq)).all()
    assert entries[0].actor_id is None
    assert entries[0].from_state is None
    assert list(broken_chains()) == [None]


class TestChallenge:
    @pytest.fixture(autouse=True)
    def cost(self, test_settings, monkeypatch):
        monkeypatch.setitem(test_settings._values, "challenge_cost", 40)

    @staticmethod
    def solve(client):
        given = client.get("public/challenge").json
        assert given["required"]
        assert given["largest_number"] == 40
        challenge = altcha.Challenge.from_dict(given)
        return altcha.Payload(challenge, altcha.solve_challenge(challenge)).to_base64()

    def test_a_solution_buys_one_complaint(self, anyone, complain, place):
        assert complain().json["errors"].keys() == {"challenge"}
        solution = self.solve(anyone)
        assert complain(challenge=solution).status_code == 201
        again = complain(challenge=solution, headers={"Accept-Language": "en"})
        assert again.status_code == 422
        assert "used before" in again.json["errors"]["challenge"][0]
        assert count(Complaint) == 1
        assert complain(challenge=self.solve(anyone), photos=[camera_jpeg(1)]).status_code == 201

    def test_a_retry_after_a_lost_answer_needs_no_new_solution_even_when_it_has_expired(self, anyone, complain, place):
        fields = {"id": str(uuid4()), "challenge": self.solve(anyone), "photos": [camera_jpeg(1)]}
        first = complain(**fields)
        later = clock.now() + timedelta(days=90)
        with clock.moved_clock(lambda: later):
            retries = [complain(**fields), complain(**fields | {"challenge": None})]
            assert complain(**fields | {"description": "别的"}).status_code == 409
        assert [reply.status_code for reply in (first, *retries)] == [201, 200, 200]
        assert {reply.json["tracking_code"] for reply in (first, *retries)} == {first.json["tracking_code"]}
        assert count(SpentChallenge) == 1

    def test_a_refused_complaint_leaves_its_solution_unspent(self, anyone, complain, place):
        solution = self.solve(anyone)
        assert complain(challenge=solution, category="XX").status_code == 422
        assert count(SpentChallenge) == 0
        assert complain(challenge=solution).status_code == 201

    def test_an_expired_or_broken_solution_is_refused(self, anyone, complain, place):
        solution = self.solve(anyone)
        later = clock.now() + timedelta(minutes=21)
        with clock.moved_clock(lambda: later):
            assert "challenge" in complain(challenge=solution).json["errors"]
        for broken in ("?", base64.b64encode(b"{}").decode(), "x" * 4001):
            assert "challenge" in complain(challenge=broken).json["errors"]
        assert count(Complaint) == 0

    def test_photos_without_a_solution_are_not_stored(self, complain, place, app, monkeypatch):
        kept = []
        monkeypatch.setattr(type(app.extensions["photo_store"]), "keep", lambda self, *args: kept.append(args))
        assert complain(photos=[camera_jpeg(8)], id=str(uuid4())).status_code == 422
        assert complain(photos=[camera_jpeg(8)]).status_code == 422
        assert kept == []

    def test_spent_rows_are_pruned_once_they_have_expired(self, anyone, complain, place, monkeypatch):
        monkeypatch.setattr(actions, "_PRUNED_AT_ONCE", 2)
        old = clock.now() - timedelta(hours=2)
        db.session.add_all(SpentChallenge(signature=f"old{n}", expires_at=old) for n in range(3))
        db.session.add(SpentChallenge(signature="fresh", expires_at=clock.now()))
        db.session.commit()
        complain(challenge=self.solve(anyone))
        kept = set(db.session.scalars(select(SpentChallenge.signature)))
        assert "fresh" in kept
        assert len([name for name in kept if name.startswith("old")]) == 1


def test_no_challenge_is_asked_where_the_cost_is_nothing(anyone):
    assert anyone.get("public/challenge").json == {
        "required": False, "parameters": None, "signature": None, "expires_at": None, "largest_number": 0}


@pytest.mark.parametrize("way", ["photos", "not-fixed"])
def test_a_photo_that_was_on_another_case_is_doubted_also_when_it_is_brought_later(complain, place, issue_of, cure, anyone, way):
    """The file is known and drawn already, so that its drawing does not lead to a look at this case."""
    known, sent = complain(photos=[camera_jpeg(1)], place=AWAY, description="另一处").json, complain(photos=[camera_jpeg(2)]).json
    if way == "not-fixed":
        cure(issue_of(sent).id)
    _deliver()
    said = {"reason": "桥下还有"} if way == "not-fixed" else {}
    reply = anyone.post(f"public/complaints/{sent['tracking_code']}/{way}", data={**photo_form(1), **said})
    assert reply.status_code == 201, reply.json
    _deliver()
    assert [row["evidence"]["issue"] for row in issue_of(sent).findings if row["code"] == "photo_reused"] == [issue_of(known).number]


def _deliver():
    while worker.deliver_due():
        pass


def test_a_heading_is_refused_with_the_names_of_what_it_heads(complain, place):
    said = complain(category="A1", headers={"Accept-Language": "zh"}).json["errors"]["category"][0]
    assert "A11 围垦湖泊；A12 围垦河道" in said
    assert "A11 Lake reclamation; A12 River reclamation" in complain(category="A1", headers={"Accept-Language": "en"}).json["errors"]["category"][0]


def test_all_that_is_wrong_with_a_complaint_is_said_at_once(anyone, place):
    body = {"category": "ZZ9", "description": " ", "latitude": 29.6, "accuracy_m": -1}
    refused = anyone.post("public/complaints", json=body, headers={"Accept-Language": "zh"})
    assert refused.status_code == 422
    assert {field: faults for field, faults in refused.json["errors"].items() if field != "accuracy_m"} == {
        "category": ["没有这个问题类别：ZZ9"], "description": ["不能只有空白。"], "longitude": ["latitude 和 longitude 必须同时给出"],
    }
    assert "accuracy_m" in refused.json["errors"]
    # A board may stand for the position, so that a fault of its own does not ask for one.
    assert set(anyone.post("public/complaints", json={**body, "latitude": None, "board_code": ""}).json["errors"]) == {
        "category", "description", "board_code", "accuracy_m"}
    assert set(anyone.post("public/complaints", json={"category": "C1", "description": ""}).json["errors"]) == {"description", "latitude", "longitude"}


def test_proof_moment_and_board_are_refused_together(anyone, place, test_settings, monkeypatch):
    monkeypatch.setitem(test_settings._values, "challenge_cost", 10)
    body = {"category": "C1", "description": "垃圾", "board_code": "NO-SUCH", "recorded_at": "2099-01-01T08:00:00+08:00"}
    refused = anyone.post("public/complaints", json={**body, "id": str(uuid4())})
    assert (refused.status_code, set(refused.json["errors"])) == (422, {"challenge", "recorded_at", "board_code"})
    assert refused.json["detail"] == refused.json["errors"]["challenge"][0]
    assert set(anyone.post("public/complaints", json=body).json["errors"]) == {"challenge", "recorded_at"}


@pytest.mark.parametrize(
    ("bad", "status"), [(b"no photo at all", 415), (b"", 422), (camera_jpeg(2)[:600], 422), (camera_jpeg(2) + b"\0" * 200_000, 413)],
    ids=["other", "empty", "cut", "large"],
)
def test_a_bad_photo_among_several_is_named_at_its_field(anyone, place, monkeypatch, bad, status):
    monkeypatch.setattr(reception, "most_photo_bytes", lambda: 200_000)
    body = {"category": "C1", "description": "桥下有垃圾", **HERE}
    for language, start in (("zh", "第 2 张（二号.jpg）："), ("en", "Photo 2 (二号.jpg): ")):
        files = [(io.BytesIO(camera_jpeg(1)), "good.jpg"), (io.BytesIO(bad), "二\u202e号.jpg")]
        reply = anyone.post("public/complaints", data={**body, "photos": files}, headers={"Accept-Language": language})
        assert reply.status_code == status, reply.text
        assert list(reply.json["errors"]) == ["photos"]
        assert reply.json["errors"]["photos"][0] == start + reply.json["detail"]

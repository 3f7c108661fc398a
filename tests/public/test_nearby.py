"""Suggestions before sending, and following what others reported."""

from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.sealing import rotate_field_key, unseal
from patrol.public.models import Follow, FollowerContact
from patrol.public.nearby_schemas import SuggestionsOut
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import HERE, photo_form

EN = {"Accept-Language": "en"}


@pytest.fixture
def near(anyone):
    def ask(category="C1", **place):
        reply = anyone.get("public/nearby", query_string={**HERE, "category": category, **place}, headers=EN)
        assert reply.status_code == 200, reply.json
        return reply.json["items"]

    return ask


@pytest.fixture
def numbered(complain, place, issue_of):
    return issue_of(complain(photos=[camera_jpeg(1)], description="张家门口", contact={"phone": "13900000000"}).json)


class TestSuggestions:
    def test_what_lies_near_is_shown_with_large_photos_and_nothing_personal(self, near, numbered, anyone):
        worker.deliver_due()
        [found] = near()
        assert (found["number"], found["open"], found["message"]) == (numbered.number, True, "Somebody is in charge of it; work will begin.")
        assert 0 <= found["distance_m"] <= 10
        assert [anyone.get(photo[size]).status_code for photo in found["photos"] for size in ("screen", "thumb")] == [200, 200]
        assert "张家" not in str(found)
        assert found.keys() == {"number", "category", "category_name", "state", "message", "open", "received_at", "also_reported", "distance_m",
                                "photos"}

    def test_other_categories_places_and_charges_are_not_suggested(self, near, numbered, complain):
        complain(category="F1")
        assert near("C2") == near("F1") == near("Z") == []
        assert near(latitude=HERE["latitude"] + 0.0008) != []
        assert near(latitude=HERE["latitude"] + 0.0011) == []

    def test_closed_ones_count_for_ninety_days_and_rejected_ones_never(self, near, numbered, cure, complain, issue_of, step, place):
        cure(numbered.id)
        assert [found["open"] for found in near()] == [False]
        for days, wanted in ((89, 1), (91, 0)):
            later = clock.now() + timedelta(days=days)
            with clock.moved_clock(lambda later=later: later):
                assert len(near()) == wanted
        other = issue_of(complain().json)
        assert len(near()) == 2
        step(other.id, "transfer", place.office, region=place.town.code, reason="核实")
        step(other.id, "reject", place.office, ground="lawful_activity", reason="合法")
        assert len(near()) == 1

    def test_who_says_me_too_is_counted_by_everybody_but_himself(self, near, numbered, anyone, place, signed_in):
        codes = [anyone.post(f"public/issues/{numbered.number}/follow", json={}).json["tracking_code"] for _ in range(2)]
        assert [found["also_reported"] for found in near()] == [2]
        # To each follower there are the other one and who reported it.
        progress = [anyone.get(f"public/complaints/{code}").json["also_reported"] for code in codes]
        assert progress == [2, 2]
        office = signed_in(place.office)
        shown = office.get(f"issues/{numbered.id}").json
        [listed] = [row for row in office.get("issues").json["items"] if row["id"] == shown["id"]]
        assert (shown["followers"], shown["also_reported"], listed["followers"]) == (2, 0, 2)
        anyone.post(f"public/complaints/{codes[0]}/withdraw")
        assert [found["also_reported"] for found in near()] == [1]

    def test_at_most_five_the_nearest_first_in_the_same_statements(self, near, complain, place, queries):
        for number in range(7):
            complain(place={**HERE, "latitude": HERE["latitude"] + number * 0.0001})
        queries.clear()
        found = near()
        assert [row["distance_m"] for row in found] == sorted(row["distance_m"] for row in found)
        assert len(found) == 5
        assert len(queries) == 4

    def test_a_far_open_one_stands_before_a_near_closed_one(self, near, complain, place, issue_of, cure):
        north = [0, 0.0003, 0.0002]
        sent = [issue_of(complain(place={**HERE, "latitude": HERE["latitude"] + away}).json) for away in north]
        for number in (0, 2):
            cure(sent[number].id, photo=80 + number)
        assert [row["number"] for row in near()] == [sent[number].number for number in (1, 0, 2)]
        assert "the open ones before those closed lately" in SuggestionsOut().fields["items"].metadata["description"]

    @pytest.mark.parametrize("query", [{"category": "XX"}, {"category": "B8"}, {"category": "A"}, {"latitude": 91}, {"radius": 5}, {"datum": "x"}])
    def test_a_bad_query_is_refused_by_field(self, anyone, query):
        reply = anyone.get("public/nearby", query_string={**HERE, "category": "C1", **query})
        assert reply.status_code == 422
        assert next(iter(query)) in reply.json["errors"]


class TestFollowing:
    @pytest.fixture
    def follow(self, anyone, numbered):
        def send(number=None, **body):
            return anyone.post(f"public/issues/{number or numbered.number}/follow", json=body, headers=EN)

        return send

    def test_an_own_code_leads_to_the_progress_and_to_nothing_else(self, follow, anyone, numbered, cure):
        reply = follow()
        assert reply.status_code == 201, reply.json
        code = reply.json["tracking_code"]
        assert code in reply.json["message"]
        shown = anyone.get(f"public/complaints/{code}", headers=EN).json
        assert (shown["number"], shown["tracking_code"]) == (numbered.number, code)
        assert shown["steps"][0]["text"] == "It was reported."
        worker.deliver_due()
        cure(numbered.id)
        shown = anyone.get(f"public/complaints/{code}", headers=EN).json
        assert (shown["state"], shown["can_rate"], shown["can_add_photos"], shown["can_say_not_fixed"]) == ("closed", False, False, False)
        assert anyone.get(shown["photos"][0]["thumb"]).status_code == 200
        for what, body in (("rating", {"satisfied": True, "score": 5}), ("not-fixed", {"reason": "x"})):
            refused = anyone.post(f"public/complaints/{code}/{what}", json=body, headers=EN)
            assert refused.status_code == 409
            assert "follower's code" in refused.json["detail"]
        assert anyone.post(f"public/complaints/{code}/photos", data=photo_form(5)).status_code == 409

    def test_followers_read_of_what_others_did(self, follow, anyone, numbered, cure, complain):
        own = complain(description="另一处").json
        number = anyone.get(f"public/complaints/{own['tracking_code']}").json["number"]
        code = follow(number).json["tracking_code"]
        assert anyone.get(f"public/complaints/{own['tracking_code']}", headers=EN).json["steps"][0]["text"] == "Your complaint was received."
        assert "Your" not in str(anyone.get(f"public/complaints/{code}", headers=EN).json["steps"])

    def test_a_follow_ends_when_the_issue_becomes_a_charge(self, follow, anyone, numbered, complain, issue_of, step, place, test_settings, told):
        step(numbered.id, "transfer", place.office, region=place.town.code, reason="核实")
        other = issue_of(complain().json)
        codes = [follow(contact={"phone": "13955550142"}).json["tracking_code"], follow(other.number).json["tracking_code"]]
        step(other.id, "merge", place.office, into=numbered.id, reason="同一处")
        step(numbered.id, "dispatch", place.office, category="F2", lead=place.office.username)
        assert [anyone.get(f"public/complaints/{code}").status_code for code in codes] == [404, 404]
        assert db.session.scalar(select(FollowerContact)) is None
        assert follow().status_code == 404

    def test_the_same_id_is_one_follow_and_other_content_conflicts(self, follow):
        mine = {"id": str(uuid4()), "contact": {"phone": "13955550142"}}
        first, again = follow(**mine), follow(**mine)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json == again.json
        assert follow(**{**mine, "contact": {"phone": "13911111111"}}).status_code == 409
        assert db.session.scalar(select(func.count()).select_from(Follow)) == 1

    def test_the_contact_is_sealed_and_turns_with_the_key(self, follow, test_settings, told):
        follow(contact={"phone": "13955550142", "name": " "})
        row = db.session.scalars(select(FollowerContact)).one()
        assert b"13955550142" not in row.sealed
        fresh = Fernet.generate_key().decode()
        rotate_field_key((fresh, *test_settings.field_key))
        assert unseal(row.sealed, [fresh]) == {"phone": "13955550142"}

    def test_where_nothing_can_be_sent_the_answer_says_so(self, follow):
        answer = follow(contact={"email": "a@example.org"}).json
        assert answer["messages"] == "none"
        assert "No messages can be sent" in answer["message"]
        assert db.session.scalar(select(FollowerContact)) is None
        assert "No messages" not in follow().json["message"]

    def test_where_messages_go_out_the_answer_says_that_they_wait_for_a_word(self, follow, told):
        answer = follow(contact={"email": "a@example.org"}).json
        assert answer["messages"] == "unconfirmed"
        assert "No messages" not in answer["message"]

    def test_a_proof_is_asked_and_spent(self, follow, test_settings, monkeypatch):
        monkeypatch.setitem(test_settings._values, "challenge_cost", 40)
        for challenge in (None, "?"):
            assert follow(challenge=challenge).json["errors"].keys() == {"challenge"}
        assert db.session.scalar(select(Follow)) is None

    def test_what_is_not_open_to_all_cannot_be_followed(self, follow, complain, issue_of):
        assert follow(issue_of(complain(category="F1").json).number).status_code == 404
        assert follow("XH9999999").status_code == 404


def test_sqlite_looks_around_the_place_and_not_through_a_category(anyone, ways, place):
    def ask():
        assert anyone.get("public/nearby?latitude=29.62&longitude=119.8&category=C1").status_code == 200

    assert [way for way in ways(ask) if " issues " in way] == ["SEARCH issues USING INDEX ix_issues_place (latitude>? AND latitude<?)"]

"""Merging duplicates, taking them out again within a day, and what the law refuses."""

import io
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.escalating import escalate_all_due
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from tests.issues.conftest import THERE, report, step, taken

NEAR = {"latitude": 29.6001, "longitude": 119.81, "accuracy_m": 8}
EN = {"Accept-Language": "en"}


@pytest.fixture
def merged(valley):
    """Merge one issue into another, by the district's office; both as they read afterwards."""

    def go(issue, original, client=None, **body):
        client = client or valley.office_client
        done = taken(client, issue, "merge", into=original["id"], reason="同一处垃圾", **body)
        return done, read(client, original)

    return go


def read(client, issue):
    return client.get(f"issues/{issue['id']}").json


def history(client, issue):
    return client.get(f"issues/{issue['id']}/history").json["items"]


def refused(client, issue, into, **body):
    body = {"into": str(into), "reason": "同一处", **body}
    reply = client.post(f"issues/{issue['id']}/merge", json=body, headers={"If-Match": "*", **EN})
    assert reply.status_code == 422, reply.json
    return reply.json["errors"]


def cured(valley, issue, pictures, at=0):
    issue = taken(valley.chief_client, issue, "rectify", files=[pictures[at]], note="已清运")
    issue = taken(valley.office_client, issue, "verify")
    return taken(valley.office_client, issue, "close")


class TestMerging:
    def test_the_duplicate_names_its_original_which_counts_it_and_both_histories_say_so(self, valley, merged):
        first, second = report(valley.patroller_client), report(valley.chief_client, **NEAR)
        done, original = merged(second, first)
        assert done["state"] == "merged"
        assert done["merged_into"] == {"id": first["id"], "number": first["number"]}
        assert done["due_at"] is None
        assert done["allowed"] == ["unmerge"]
        assert (original["also_reported"], original["merged_into"], original["state"]) == (1, None, first["state"])
        assert (original["due_at"], original["severity"]) == (first["due_at"], first["severity"])
        last = history(valley.office_client, second)[-1]
        assert (last["verb"], last["reason"], last["changes"]["merged_into"]["to"]) == ("merge", "同一处垃圾", first["number"])
        taken_in = history(valley.office_client, first)[-1]
        assert (taken_in["verb"], taken_in["changes"]["duplicate"]["to"]) == ("take_in", second["number"])
        assert taken_in["name"] == "并入同一问题"
        assert [chain for chain in broken_chains() if chain] == []

    def test_no_chains_and_no_rings(self, valley, merged):
        a, b, c = (report(valley.patroller_client) for _ in range(3))
        assert "itself" in refused(valley.office_client, a, a["id"])["into"][0]
        merged(a, b)
        words = refused(valley.office_client, c, a["id"])["into"][0]
        assert b["number"] in words
        assert "undo that first" in refused(valley.office_client, b, a["id"])["into"][0]

    def test_what_is_merged_into_a_duplicate_goes_along_and_comes_back(self, valley, merged):
        a, b, c, d = (report(valley.patroller_client) for _ in range(4))
        merged(d, c)
        merged(a, b)
        b, c = merged(read(valley.office_client, b), c)
        assert c["also_reported"] == 3
        assert b["also_reported"] == 0
        assert read(valley.office_client, a)["merged_into"]["number"] == c["number"]
        assert history(valley.office_client, a)[-1]["verb"] == "move_along"
        taken(valley.office_client, b, "unmerge", reason="另一处")
        assert read(valley.office_client, a)["merged_into"]["number"] == b["number"]
        assert [read(valley.office_client, one)["also_reported"] for one in (b, c)] == [1, 1]
        assert read(valley.office_client, d)["merged_into"]["number"] == c["number"]
        assert [chain for chain in broken_chains() if chain] == []

    def test_what_went_along_twice_comes_back_step_by_step(self, valley, merged):
        a, b, c, d = (report(valley.patroller_client) for _ in range(4))
        for issue, original in ((a, b), (b, c), (c, d)):
            merged(read(valley.office_client, issue), original)
        for undone, into in ((c, ((a, c), (b, c))), (b, ((a, b),))):
            taken(valley.office_client, read(valley.office_client, undone), "unmerge", reason="另一处")
            for issue, original in into:
                assert read(valley.office_client, issue)["merged_into"]["number"] == original["number"]
        assert [read(valley.office_client, one)["also_reported"] for one in (a, b, c, d)] == [0, 1, 0, 0]

    def test_a_relapse_can_be_merged_into_the_old_case_that_was_reopened(self, valley, merged, pictures):
        old = cured(valley, report(valley.chief_client), pictures)
        new = report(valley.chief_client)
        taken(valley.office_client, read(valley.office_client, old), "reopen", reason="现场未清")
        done, original = merged(new, old)
        assert (done["relapse_of"]["number"], done["merged_into"]["number"]) == (old["number"], old["number"])
        assert (original["relapsed_in"], original["also_reported"]) == (None, 1)
        assert history(valley.office_client, old)[-1]["changes"]["relapse"] == {"from": new["number"], "to": None}
        taken(valley.office_client, read(valley.office_client, new), "unmerge", reason="另一处")
        assert read(valley.office_client, old)["relapsed_in"]["number"] == new["number"]
        assert history(valley.office_client, old)[-1]["changes"]["relapse"] == {"from": None, "to": new["number"]}
        assert [chain for chain in broken_chains() if chain] == []

    def test_a_relapse_that_was_cured_with_the_old_case_counts_against_it_no_longer(self, valley, merged, pictures, anyone):
        def figures():
            return [anyone.get("public/statistics").json[name]["numerator"] for name in ("cured", "relapsed")]

        old = cured(valley, report(valley.chief_client), pictures)
        new = report(valley.chief_client)
        assert figures() == [0, 1]
        taken(valley.office_client, read(valley.office_client, old), "reopen", reason="现场未清")
        merged(new, old)
        taken(valley.office_client, read(valley.office_client, old), "dispatch")
        cured(valley, read(valley.office_client, old), pictures, at=1)
        assert figures() == [1, 0]
        taken(valley.office_client, read(valley.office_client, new), "unmerge", reason="另一处")
        assert figures() == [0, 1]
        assert [chain for chain in broken_chains() if chain] == []

    def test_the_old_case_names_what_tells_how_its_relapse_goes(self, valley, merged, pictures):
        old = cured(valley, report(valley.chief_client), pictures)
        later, first, second = (report(valley.chief_client) for _ in range(3))

        def named():
            return read(valley.office_client, old)["relapsed_in"]["number"]

        assert named() == second["number"]
        merged(second, first)
        entry = history(valley.office_client, old)[-1]
        assert (entry["verb"], entry["name"]) == ("relapse_moved", "复发件合并办理")
        assert entry["changes"]["relapse"] == {"from": second["number"], "to": first["number"]}
        assert named() == first["number"]
        merged(read(valley.office_client, first), later)
        assert named() == later["number"]
        for undone, wanted in ((first, first), (second, second)):
            taken(valley.office_client, read(valley.office_client, undone), "unmerge", reason="另一处")
            assert named() == wanted["number"]
        assert [chain for chain in broken_chains() if chain] == []

    def test_the_original_can_be_named_by_its_number(self, valley):
        first, second = report(valley.patroller_client), report(valley.chief_client, **NEAR)
        done = taken(valley.office_client, second, "merge", into=first["number"].lower(), reason="同一处")
        assert done["merged_into"]["id"] == first["id"]
        third = report(valley.chief_client, **NEAR)
        assert refused(valley.office_client, third, "XH0999999")["into"] == ["There is no such issue"]
        assert refused(valley.office_client, third, "XH999999999999999")["into"] == ["There is no such issue"]
        assert "number, such as" in refused(valley.office_client, third, "XH")["into"][0]

    def test_what_can_be_no_original(self, valley, merged, pictures):
        issue = report(valley.patroller_client)
        away = report(valley.other_chief_client, latitude=29.70, longitude=119.81)
        assert refused(valley.office_client, issue, uuid4())["into"] == ["There is no such issue"]
        assert refused(valley.town_office_client, issue, away["id"])["into"] == ["There is no such issue"]
        rejected = report(valley.office_client, severity="serious", source="hotline")
        rejected = taken(valley.office_client, rejected, "reject", ground="no_evidence_found", reason="现场未见")
        assert "not taken up" in refused(valley.office_client, issue, rejected["id"])["into"][0]
        charge = report(valley.patroller_client, category="F1")
        assert "charge" in refused(valley.office_client, issue, charge["id"])["into"][0]
        assert "charge" in refused(valley.office_client, charge, issue["id"])["into"][0]
        assert set(valley.office_client.post(f"issues/{issue['id']}/merge", json={}, headers={"If-Match": "*"}).json["errors"]) == {
            "into", "reason"}

    def test_a_closed_one_takes_in_what_was_seen_before_its_closing_only(self, valley, merged, pictures):
        original, earlier = report(valley.chief_client), report(valley.patroller_client)
        cured(valley, original, pictures)
        merged(earlier, original)
        later = report(valley.patroller_client)
        assert "came back" in refused(valley.office_client, later, original["id"])["into"][0]

    def test_the_severity_of_the_original_only_goes_up_and_only_by_decision(self, valley, merged):
        first, second = report(valley.patroller_client), report(valley.patroller_client, severity="serious")
        assert "raised" in refused(valley.office_client, second, first["id"], raise_severity="general")["raise_severity"][0]
        _, original = merged(second, first, raise_severity="serious")
        assert original["severity"] == "serious"
        assert original["due_at"] > first["due_at"]
        assert history(valley.office_client, first)[-1]["changes"]["severity"] == {"from": "general", "to": "serious"}

    def test_what_lies_far_apart_or_is_of_another_kind_is_merged_with_a_warning_that_stays(self, valley):
        near, far = report(valley.chief_client, category="C1"), report(valley.patroller_client, **THERE, category="C2")
        original = report(valley.chief_client, category="C1")
        done = taken(valley.office_client, near, "merge", into=original["id"], reason="同一处")
        assert "warnings" not in done
        assert "warnings" not in history(valley.office_client, near)[-1]["changes"]
        done = taken(valley.office_client, far, "merge", into=original["id"], reason="同一处")
        assert [("类别不同" in text, "相距" in text) for text in done["warnings"]] == [(True, False), (False, True)]
        kept = history(valley.office_client, far)[-1]["changes"]["warnings"]["to"]
        assert [row["zh"] for row in kept] == done["warnings"]
        assert "m apart" in kept[1]["en"]
        assert [chain for chain in broken_chains() if chain] == []

    def test_only_the_office_merges(self, valley):
        first, second = report(valley.patroller_client), report(valley.patroller_client)
        for client in (valley.chief_client, valley.supervisor_client, valley.handler_client):
            assert step(client, second, "merge", into=first["id"], reason="同一处").status_code == 403


class TestUndoing:
    @pytest.mark.parametrize("state", ["submitted", "dispatched"])
    def test_all_is_as_it_was(self, valley, merged, state):
        fields = {"severity": "serious"} if state == "submitted" else {}
        first, second = report(valley.patroller_client), report(valley.patroller_client, **fields)
        assert second["state"] == state
        done, _ = merged(second, first)
        back = taken(valley.office_client, done, "unmerge", reason="并非同一处")
        same = ("state", "lead", "due_at", "due_rule", "dispatched_at", "overdue", "merged_into", "merged_at", "co_handlers")
        assert {name: back[name] for name in same} == {name: second[name] for name in same}
        assert read(valley.office_client, first)["also_reported"] == 0
        assert [entry["verb"] for entry in history(valley.office_client, first)[-2:]] == ["take_in", "give_back"]
        assert db.session.get_one(Issue, UUID(second["id"]), populate_existing=True).next_escalation_at is not None

    def test_merging_does_not_slip_past_a_rung(self, valley, merged):
        first, second = report(valley.patroller_client), report(valley.patroller_client)
        due = datetime.fromisoformat(second["due_at"])
        with clock.moved_clock(lambda: due - timedelta(hours=1)):
            escalate_all_due()
            done, _ = merged(read(valley.office_client, second), first)
        with clock.moved_clock(lambda: due + timedelta(hours=1)):
            taken(valley.office_client, done, "unmerge", reason="并非同一处")
            escalate_all_due()
            escalate_all_due()
        rungs = [entry["rule"] for entry in history(valley.office_client, second) if entry["verb"] == "escalate"]
        assert rungs == ["half_time", "day_before", "overdue"]

    def test_a_rung_that_was_due_and_not_yet_swept_is_reached_after_all(self, valley, merged):
        first, second = report(valley.patroller_client), report(valley.patroller_client)
        due = datetime.fromisoformat(second["due_at"])
        with clock.moved_clock(lambda: due + timedelta(seconds=20)):
            done, _ = merged(read(valley.office_client, second), first)
        with clock.moved_clock(lambda: due + timedelta(hours=1)):
            taken(valley.office_client, done, "unmerge", reason="并非同一处")
            escalate_all_due()
        rungs = [entry["rule"] for entry in history(valley.office_client, second) if entry["verb"] == "escalate"]
        assert rungs == ["half_time", "day_before", "overdue"]

    def test_after_a_day_it_is_too_late(self, valley, merged):
        first, second = report(valley.patroller_client), report(valley.patroller_client)
        done, _ = merged(second, first)
        now = clock.now()
        with clock.moved_clock(lambda: now + timedelta(hours=25)):
            reply = step(valley.office_client, done, "unmerge", reason="并非同一处")
        assert reply.status_code == 409
        assert "超过24小时" in reply.json["detail"]

    def test_a_lead_who_is_gone_does_not_come_back(self, valley, merged):
        first, second = report(valley.chief_client), report(valley.chief_client)
        done, _ = merged(second, first)
        with transaction():
            valley.chief.disabled_at = clock.now()
        assert taken(valley.office_client, done, "unmerge", reason="并非同一处")["lead"] is None


class TestRelapse:
    def closed_then_again(self, valley, pictures, days=30, **place):
        old = cured(valley, report(valley.chief_client), pictures)
        now = clock.now()
        with clock.moved_clock(lambda: now + timedelta(days=days)):
            return old, report(valley.chief_client, **place)

    def test_a_cure_that_did_not_hold_is_linked_both_ways_and_counts_against_it(self, valley, pictures, anyone):
        old, new = self.closed_then_again(valley, pictures, **NEAR)
        assert new["state"] == "dispatched"
        assert new["relapse_of"] == {"id": old["id"], "number": old["number"]}
        seen = read(valley.office_client, old)
        assert (seen["state"], seen["relapsed_in"]["number"]) == ("closed", new["number"])
        entry = history(valley.office_client, old)[-1]
        assert (entry["verb"], entry["rule"]) == ("relapse", "relapse_90_d_50_m")
        assert history(valley.office_client, new)[1]["changes"]["relapse_of"]["to"] == old["number"]
        figures = anyone.get("public/statistics").json
        assert figures["relapsed"] == {"numerator": 1, "denominator": 1}
        assert figures["cured"] == {"numerator": 0, "denominator": 2}
        assert [chain for chain in broken_chains() if chain] == []

    @pytest.mark.parametrize("fields", [
        {"days": 91}, {"latitude": 29.6006}, {"category": "C2"}, {"recorded_at": "2020-01-01T00:00:00Z"},
    ])  # fmt: skip
    def test_what_is_too_late_too_far_of_another_kind_or_seen_before_is_none(self, valley, pictures, fields):
        old, new = self.closed_then_again(valley, pictures, **fields)
        assert new["relapse_of"] is None
        assert read(valley.office_client, old)["relapsed_in"] is None

    def test_a_grave_one_is_linked_when_the_office_accepts_it_and_no_longer_when_it_rejects_it(self, valley, pictures):
        old, new = self.closed_then_again(valley, pictures, severity="serious")
        assert new["relapse_of"] is None
        now = clock.now()
        with clock.moved_clock(lambda: now + timedelta(days=31)):
            new = taken(valley.office_client, new, "accept")
            assert new["relapse_of"]["number"] == old["number"]
            new = taken(valley.office_client, new, "reject", ground="no_evidence_found", reason="现场未见")
            assert new["relapse_of"] is None
            assert read(valley.office_client, old)["relapsed_in"] is None
            again = taken(valley.office_client, new, "reopen", reason="确有其事")
        assert again["relapse_of"]["number"] == old["number"]
        assert [chain for chain in broken_chains() if chain] == []

    @pytest.mark.parametrize("verb", ["dispatch", "transfer"])
    def test_a_corrected_category_links_what_it_brings_back_and_unlinks_what_it_does_not(self, valley, pictures, verb):
        old, new = self.closed_then_again(valley, pictures, severity="serious", category="C2")
        now = clock.now()
        with clock.moved_clock(lambda: now + timedelta(days=31)):
            new = taken(valley.office_client, new, "accept")
            assert new["relapse_of"] is None
            body = {} if verb == "dispatch" else {"region": valley.town.code, "reason": "更正"}
            new = taken(valley.office_client, new, verb, category="C1", **body)
            assert new["relapse_of"]["number"] == read(valley.office_client, new)["relapse_of"]["number"] == old["number"]
            assert history(valley.office_client, new)[-1]["changes"]["relapse_of"] == {"from": None, "to": old["number"]}
            assert read(valley.office_client, old)["relapsed_in"]["number"] == new["number"]
            new = taken(valley.office_client, new, "transfer", region=valley.town.code, reason="更正", category="C2")
            assert (new["relapse_of"], read(valley.office_client, old)["relapsed_in"]) == (None, None)
        assert [entry["verb"] for entry in history(valley.office_client, old)][-2:] == ["relapse", "relapse_withdrawn"]
        assert [chain for chain in broken_chains() if chain] == []

    def test_a_withdrawn_relapse_leaves_the_link_to_the_one_that_arrived_last(self, valley, pictures):
        old = cured(valley, report(valley.chief_client), pictures)
        ids = ("ffffffff-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001", "77777777-0000-4000-8000-000000000001")
        _, second, third = (taken(valley.office_client, report(valley.chief_client, id=own, severity="serious"), "accept") for own in ids)
        taken(valley.office_client, third, "reject", ground="no_evidence_found", reason="现场未见")
        assert read(valley.office_client, old)["relapsed_in"]["number"] == second["number"]


class TestSearch:
    def sent(self, client, picture):
        return client.post("photos", data={"file": (io.BytesIO(picture), "IMG.jpg")}).json["id"]

    def found(self, client, issue):
        reply = client.get(f"issues/{issue['id']}/duplicates", headers=EN)
        assert reply.status_code == 200, reply.json
        return reply.json

    def test_the_likeliest_come_first_with_the_reasons(self, valley, pictures, merged):
        issue = report(valley.chief_client, photo_ids=[self.sent(valley.chief_client, pictures[0])])
        words = report(valley.patroller_client, latitude=29.6002, longitude=119.81)
        other = report(valley.patroller_client, latitude=29.6004, longitude=119.81, category="D3", description="公示牌被撞歪")
        copy = report(valley.other_chief_client, **THERE, photo_ids=[self.sent(valley.other_chief_client, pictures[0])])
        report(valley.other_chief_client, **THERE)
        search = self.found(valley.office_client, issue)
        assert [row["number"] for row in search["items"]] == [one["number"] for one in (words, copy, other)]
        first, by_photo, last = search["items"]
        assert (first["distance_m"], first["text_score"], first["photo_score"]) == (pytest.approx(22.2, abs=1), 1.0, None)
        assert first["reasons"][:2] == ["22 m away, within the category's 100 m", "The same category"]
        assert by_photo["photo_score"] == 1.0
        assert "They share a photo" in by_photo["reasons"]
        assert last["text_score"] < 0.2
        assert last["score"] < first["score"] <= 1
        assert "office does" in search["ranking"]
        merged(words, issue)
        search = self.found(valley.office_client, issue)
        assert words["number"] not in [row["number"] for row in search["items"]]
        assert [row["number"] for row in search["merged"]] == [words["number"]]

    def test_what_was_closed_before_is_told_as_a_relapse_not_a_duplicate(self, valley, pictures):
        old = cured(valley, report(valley.chief_client), pictures)
        issue = report(valley.patroller_client, severity="serious")
        [row] = self.found(valley.office_client, issue)["items"]
        assert (row["number"], row["relapse"]) == (old["number"], True)
        assert any("relapse" in reason for reason in row["reasons"])

    def test_it_ends_at_what_the_office_may_see_and_at_charges(self, valley):
        issue, charge = report(valley.chief_client), report(valley.patroller_client, category="F1")
        assert self.found(valley.town_office_client, issue)["items"] == []
        assert self.found(valley.office_client, charge)["items"] == []
        assert valley.other_office_client.get(f"issues/{issue['id']}/duplicates").status_code == 404
        assert valley.chief_client.get(f"issues/{issue['id']}/duplicates").status_code == 403

    def test_the_number_of_statements_does_not_grow_with_the_candidates(self, valley, queries):
        issue = report(valley.patroller_client)
        counts = []
        for _ in range(2):
            for _ in range(3):
                report(valley.patroller_client)
            queries.clear()
            self.found(valley.office_client, issue)
            counts.append(len(queries))
        assert counts[0] == counts[1]

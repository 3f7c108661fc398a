"""Versions of policies: the rows in force decide, none changes its figures, and no process holds what is no longer so."""

from datetime import date, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.keeping import Keeper
from patrol.foundation.transaction import transaction
from patrol.issues import policies_held
from patrol.issues.deadlines import DEFAULT_LIMITS
from patrol.issues.dispatching import DEFAULT_RULES
from patrol.issues.escalating import ladder_on
from patrol.issues.escalation import DEFAULT_LADDER
from patrol.issues.policies import Dated, in_force
from patrol.issues.policies_held import current_policies, policies_changed
from patrol.issues.policy_models import PolicyState
from tests.issues.conftest import CHINA, at, report, step, taken

SOURCE = {"zh": "区河长办〔2026〕12号", "en": "District office, document 12 of 2026"}


def limit(**others):
    return {"id": str(uuid4()), "code": "general_5_wd", "stage": "rectification", "severity": "general", "amount": 5,
            "unit": "working_days", "valid_from": "2026-03-04", "source": SOURCE, **others}


def rule(**others):
    return {"id": str(uuid4()), "code": "patrol_to_office", "position": 1, "sources": ["patrol"], "severities": ["general"], "straight": False,
            "reason": {"zh": "先核实", "en": "checked first"}, "valid_from": "2026-03-02", "source": SOURCE, **others}


def added(client, kind, body):
    reply = client.post(f"policies/{kind}", json=body)
    assert reply.status_code == 201, reply.json
    return reply.json


def test_an_installation_begins_with_the_rows_that_the_rules_know(database):
    day, policies = date(2026, 1, 1), current_policies()
    assert sorted(policies.limits_on(day)) == sorted(DEFAULT_LIMITS)
    assert [row._replace(position=0) for row in policies.rules_on(day)] == list(DEFAULT_RULES)
    rungs = {(row.code, row.basis, row.amount, row.order_kind, row.name) for row in ladder_on(day)}
    assert rungs == {tuple(rung) for rung in DEFAULT_LADDER}


def test_the_version_in_force_on_the_day_decides_and_is_kept_with_the_issue(valley, monday):
    made = added(valley.office_client, "deadlines", limit())
    assert (made["version"], made["standing"], made["withdrawable"]) == (2, "coming", True)
    before = report(valley.patroller_client)
    assert (before["due_rule"]["rule"], before["due_rule"]["version"], before["due_rule"]["last_day"]) == ("general_10_wd", 1, "2026-03-16")
    with at(datetime(2026, 3, 4, 9, tzinfo=CHINA)):
        after = report(valley.patroller_client, description="另一处")
        assert (after["due_rule"]["rule"], after["due_rule"]["version"], after["due_rule"]["last_day"]) == ("general_5_wd", 2, "2026-03-11")
        assert valley.patroller_client.get(f"issues/{before['id']}").json["due_rule"] == before["due_rule"]
        standing = {row["code"]: row["standing"] for row in valley.chief_client.get("policies/deadlines").json["items"]}
        assert (standing["general_5_wd"], standing["general_10_wd"]) == ("in_force", "past")
    with at(datetime(2026, 3, 5, 9, tzinfo=CHINA)):
        assert valley.office_client.delete(f"policies/deadlines/{made['id']}").status_code == 409


def test_a_slip_is_corrected_on_its_first_day_and_stays_readable(valley, monday):
    slip = added(valley.office_client, "deadlines", limit(amount=50, valid_from="2026-03-02"))
    assert slip["withdrawable"] is True
    counted = report(valley.patroller_client)
    assert (counted["due_rule"]["rule"], counted["due_rule"]["version"]) == ("general_5_wd", 2)
    assert valley.office_client.post("policies/deadlines", json=limit(valid_from="2026-03-02")).status_code == 409
    gone = valley.office_client.delete(f"policies/deadlines/{slip['id']}")
    assert (gone.status_code, gone.json["standing"], gone.json["amount"]) == (200, "withdrawn", 50)
    right = added(valley.office_client, "deadlines", limit(valid_from="2026-03-02"))
    assert (right["version"], right["standing"]) == (3, "in_force")
    assert report(valley.patroller_client, description="另一处")["due_rule"]["last_day"] == "2026-03-09"
    shown = {row["version"]: row["standing"] for row in valley.chief_client.get("policies/deadlines").json["items"] if row["code"] == "general_5_wd"}
    assert shown == {2: "withdrawn", 3: "in_force"}


def test_a_change_of_severity_is_counted_by_what_is_in_force_then(valley, monday):
    added(valley.office_client, "deadlines", limit(code="serious_15_wd", severity="serious", amount=15))
    issue = report(valley.office_client, source="superior")
    with at(datetime(2026, 3, 5, 9, tzinfo=CHINA)):
        issue = taken(valley.office_client, issue, "accept", severity="serious")
    assert (issue["due_rule"]["rule"], issue["due_rule"]["version"]) == ("serious_15_wd", 2)


def test_the_same_id_is_the_same_version_and_what_was_withdrawn_never_counts(valley, monday):
    body = limit()
    first, again = (valley.office_client.post("policies/deadlines", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert valley.office_client.post("policies/deadlines", json={**body, "amount": 6}).status_code == 409
    for _ in range(2):
        gone = valley.office_client.delete(f"policies/deadlines/{body['id']}")
        assert (gone.status_code, gone.json["standing"]) == (200, "withdrawn")
    assert added(valley.office_client, "deadlines", limit(amount=7))["version"] == 3
    with at(datetime(2026, 3, 4, 9, tzinfo=CHINA)):
        assert report(valley.patroller_client)["due_rule"]["last_day"] == "2026-03-13"
    acts = {entry["act"] for entry in valley.auditor_client.get("audit").json["items"]}
    assert {"add_policy", "withdraw_policy"} <= acts


@pytest.mark.parametrize(("kind", "body", "status", "field"), [
    ("deadlines", limit(valid_from="2026-03-01"), 422, "valid_from"),
    ("deadlines", limit(enabled=False), 422, "enabled"),
    ("deadlines", limit(code="urgent_24_h"), 422, "code"),
    ("deadlines", limit(code="set_by_office"), 422, "code"),
    ("deadlines", limit(category="X"), 422, "category"),
    ("deadlines", limit(amount=0), 422, "amount"),
    ("dispatch", rule(category="F1", straight=True), 422, "straight"),
    ("dispatch", rule(sources=["gossip"]), 422, "sources.0"),
    ("escalation", limit(), 422, "basis"),
    ("calendar", {"id": str(uuid4()), "day": "2036-01-01", "works": True, "origin": "local", "name": SOURCE, "source": SOURCE}, 422, "day"),
])  # fmt: skip
def test_what_cannot_be_a_version_is_refused_with_the_field(kind, body, status, field, valley, monday):
    for path in (f"policies/{kind}", f"policies/{kind}/dry-run"):
        reply = valley.office_client.post(path, json=body)
        assert (reply.status_code, field in reply.json["errors"]) == (status, True), reply.json


def test_a_version_begins_after_every_other_one(valley, monday):
    added(valley.office_client, "deadlines", limit())
    for day in ("2026-03-03", "2026-03-04"):
        assert valley.office_client.post("policies/deadlines", json=limit(code="general_6_wd", valid_from=day)).status_code == 409
    assert added(valley.office_client, "deadlines", limit(code="general_6_wd", valid_from="2026-03-05"))["version"] == 3


def test_a_narrower_category_has_its_own_limit_until_it_is_switched_off(valley, monday):
    own = limit(code="dead_animals_1_d", category="C3", amount=1, unit="calendar_days", valid_from="2026-03-02")
    added(valley.office_client, "deadlines", own)
    assert report(valley.patroller_client, category="C3")["due_rule"]["rule"] == "dead_animals_1_d"
    assert report(valley.patroller_client, category="C1")["due_rule"]["rule"] == "general_10_wd"
    added(valley.office_client, "deadlines", {**own, "id": str(uuid4()), "enabled": False, "valid_from": "2026-03-03"})
    with at(datetime(2026, 3, 3, 9, tzinfo=CHINA)):
        assert report(valley.patroller_client, category="C3")["due_rule"]["rule"] == "general_10_wd"


def test_dispatching_goes_by_its_rows_but_a_charge_never_goes_to_the_chief(valley, monday):
    assert report(valley.patroller_client)["state"] == "dispatched"
    added(valley.office_client, "dispatch", rule())
    held = report(valley.patroller_client, description="另一处")
    assert held["state"] == "submitted"
    assert held["routing"]["policy"] == {"rule": "patrol_to_office", "version": 1, "straight": False, "reason": "先核实"}
    added(valley.office_client, "dispatch", rule(code="all_to_chief", straight=True, severities=["general", "serious"], valid_from="2026-03-03"))
    added(valley.office_client, "dispatch", rule(enabled=False, valid_from="2026-03-03"))
    with at(datetime(2026, 3, 3, 9, tzinfo=CHINA)):
        assert report(valley.patroller_client, severity="serious")["state"] == "dispatched"
        charge = report(valley.patroller_client, category="F1", severity="general")
    assert (charge["state"], charge["routing"]["policy"]["rule"]) == ("submitted", "duty_to_office")


def test_the_overview_tells_what_is_in_force_and_what_comes(valley, monday):
    added(valley.office_client, "deadlines", limit())
    told = valley.handler_client.get("policies").json
    assert [group["kind"] for group in told["kinds"]][:4] == ["deadlines", "calendar", "dispatch", "escalation"]
    assert len(told["kinds"][0]["in_force"]) == 33
    assert [row["code"] for row in told["kinds"][0]["coming"]] == ["general_5_wd"]
    assert told["warnings"] == []


def test_one_statement_asks_whether_the_policies_are_current_and_a_transaction_asks_once(valley, queries):
    report(valley.patroller_client)
    queries.clear()
    report(valley.patroller_client, description="另一处")
    asking = [statement for statement in queries if "polic" in statement]
    assert len(asking) == 1, asking
    assert "FROM policy_state" in asking[0]


def test_no_process_holds_what_is_no_longer_so(valley, monday):
    other_worker, state = Keeper(policies_held._build), select(PolicyState.state)
    old = other_worker.get(db.session.scalar(state))
    assert other_worker.get(db.session.scalar(state)) is old
    added(valley.office_client, "deadlines", limit(valid_from="2026-03-02"))
    new = other_worker.get(db.session.scalar(state))
    assert len(new.limits) == len(old.limits) + 1

    def write_and_fail():
        with transaction():
            policies_changed()
            raise LookupError

    before = db.session.scalar(state)
    with pytest.raises(LookupError):
        write_and_fail()
    assert db.session.scalar(state) == before
    assert other_worker.get(before) is new


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 20))


@given(st.lists(st.tuples(st.sampled_from("ab"), DAYS, st.booleans()), max_size=12, unique_by=lambda row: row[:2]), DAYS)
def test_of_each_subject_the_latest_begun_version_counts(rows, day):
    versions = [Dated(subject, begins, enabled, (subject, begins)) for subject, begins, enabled in rows]
    found = in_force(versions, day)
    assert found == [row for row in found if row[1] <= day]
    for subject in "ab":
        begun = {begins: enabled for own, begins, enabled in rows if own == subject and begins <= day}
        wanted = [(subject, max(begun))] if begun and begun[max(begun)] else []
        assert [row for row in found if row[0] == subject] == wanted


def test_a_step_that_counts_nothing_asks_nothing_of_the_policies(valley, queries):
    issue = report(valley.patroller_client)
    queries.clear()
    assert step(valley.chief_client, issue, "start").status_code == 200
    assert not [statement for statement in queries if "polic" in statement and not statement.startswith("SELECT EXISTS")]

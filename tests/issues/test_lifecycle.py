import re
from datetime import timedelta

import pytest

from patrol.issues.categories import Severity
from patrol.issues.grounds import DECLINE_GROUNDS, GROUND_NAME, GROUNDS, GROUNDS_OF
from patrol.issues.lifecycle import (
    ENDED,
    STATE_NAME,
    STATE_PUBLIC_TEXT,
    STEPS,
    WHO_NAME,
    Due,
    State,
    Verb,
    Who,
    find_step,
    steps_from,
)
from patrol.issues.lifecycle_document import lifecycle_document
from patrol.people.permissions import ROLE_MAY, Permission, Role

OPEN = "submitted accepted dispatched in_progress rectified verified suspended"
# Written out by hand from the contract, so that a slip in the table shows: verb, from, to, must, one of, may.
CONTRACT = [
    ("accept", "submitted", "accepted", "", "", "severity approved_by category reason note"),
    ("reject", "submitted accepted", "rejected", "ground reason", "", ""),
    ("merge", "submitted accepted dispatched", "merged", "into reason", "", "raise_severity"),
    ("unmerge", "merged", "merged", "reason", "", ""),
    ("dispatch", "accepted", "dispatched", "", "", "lead department co_handlers severity approved_by category due_at reason note"),
    ("transfer", "accepted dispatched", "accepted", "reason", "reach_id region", "category"),
    ("decline", "dispatched", "accepted", "ground reason suggested_owner", "", ""),
    ("start", "dispatched", "in_progress", "", "", "note"),
    ("progress", "in_progress", "in_progress", "note", "", "photos is_plan"),
    ("rectify", "dispatched in_progress", "rectified", "note photos", "", "before_photo_id"),
    ("verify", "rectified", "verified", "", "", "note photos"),
    ("return", "rectified verified", "in_progress", "reason", "", ""),
    ("close", "verified", "closed", "", "", "public_summary note"),
    ("suspend", "accepted dispatched in_progress", "suspended", "reason review_on milestones", "", "approved_by"),
    ("resume", "suspended", "in_progress", "", "", "note"),
    ("reopen", "closed rejected", "accepted", "reason", "", ""),
    ("supervise", OPEN, OPEN, "kind text", "", ""),
]


@pytest.mark.parametrize(("verb", "sources", "target", "must", "one_of", "may"), CONTRACT)
def test_the_table_says_what_the_contract_says(verb, sources, target, must, one_of, may):
    for source in sources.split():
        step = find_step(State(source), Verb(verb))
        assert step.leads_from(State(source)) == (source if target == sources else target)
        assert set(step.must) == set(must.split())
        assert set(step.one_of) == set(one_of.split())
        assert set(step.may) == set(may.split())
    for other in set(State) - set(sources.split()):
        assert find_step(other, Verb(verb)) is None


def test_the_table_has_no_rows_beyond_the_contract():
    assert {step.verb for step in STEPS} == {row[0] for row in CONTRACT} == set(Verb)
    assert all(sum(s.verb == step.verb and bool(s.sources & step.sources) for s in STEPS) == 1 for step in STEPS)


def test_states_and_relations_are_all_named_and_used():
    assert set(STATE_NAME) == set(STATE_PUBLIC_TEXT) == set(State)
    assert set(WHO_NAME) == set(Who) == {step.who for step in STEPS}
    assert {"closed", "rejected", "merged"} == ENDED


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.verb)
def test_each_step_is_named_and_told_in_both_languages(step):
    for text in (step.name, step.public_text):
        assert re.search("[一-鿿]", text.zh)
        assert text.en.isascii()
    assert not set(step.must) & (set(step.one_of) | set(step.may))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.verb)
def test_each_step_can_be_taken_by_some_role(step):
    for permission in (step.needs, step.needs_for_major):
        assert permission is None or any(permission in may for may in ROLE_MAY.values())


def test_every_open_state_that_is_reached_has_a_way_on():
    reached = {State.SUBMITTED, *(step.leads_from(state) for step in STEPS for state in step.sources)}
    assert reached == set(State)
    for state in reached - ENDED:
        assert any(step.leads_from(state) != state for step in steps_from(state))


def test_nothing_is_closed_without_a_check_between():
    assert [step.sources for step in STEPS if step.target == State.CLOSED] == [{State.VERIFIED}]
    assert [step.who for step in STEPS if step.target == State.VERIFIED] == [Who.NOT_HANDLER]


def test_what_each_step_does_to_the_deadline():
    assert {step.verb for step in STEPS if step.due is Due.SETS} == {"accept", "reopen"}
    assert {step.verb for step in STEPS if step.due is Due.RECOMPUTES} == {"dispatch", "transfer"}
    assert {step.verb for step in STEPS if step.due is Due.CLEARS} == {"reject", "merge"}
    assert {step.verb for step in STEPS if step.due is Due.GOES_ON} == {"unmerge"}
    assert {step.verb for step in STEPS if step.due is Due.STOPS} == {"suspend", "rectify"}
    assert {step.verb for step in STEPS if step.due is Due.RESTORES} == {"resume", "return"}


def test_only_intake_and_dispatch_happen_by_policy():
    assert {step.verb for step in STEPS if step.by_system} == {"accept", "dispatch"}


def test_a_major_closure_needs_another_permission_than_the_others():
    close = find_step(State.VERIFIED, Verb.CLOSE)
    needed = {severity: close.permission_for(severity, is_charge=False) for severity in Severity}
    assert close.permission_for(Severity.MAJOR, is_charge=True) is Permission.CLOSE_ISSUE
    assert needed.pop(Severity.MAJOR) is Permission.CLOSE_MAJOR_ISSUE
    assert set(needed.values()) == {Permission.CLOSE_ISSUE}
    assert Permission.CLOSE_MAJOR_ISSUE not in ROLE_MAY[Role.OFFICE]


def test_grounds_are_coded_and_named():
    assert {"not_a_water_matter", "outside_district", "no_evidence_found", "insufficient_information"} <= set(GROUNDS)
    assert {"duplicate_report", "other_authority"} <= set(GROUNDS)
    assert all(re.fullmatch("[a-z_]+", code) and name.zh and name.en for code, name in GROUNDS.items())
    assert len(set(GROUNDS.values())) == len(GROUNDS)
    assert all(re.fullmatch("[a-z_]+", code) and name.zh and name.en for code, name in DECLINE_GROUNDS.items())
    # One name for each code, whatever step brings it.
    assert len(GROUND_NAME) == len(GROUNDS) + len(DECLINE_GROUNDS)


def test_every_step_that_must_bring_a_ground_has_a_list_of_them():
    assert {step.verb for step in STEPS if "ground" in step.must} == set(GROUNDS_OF)


def test_a_merging_can_be_undone_and_leads_back_to_where_it_was_taken():
    step = find_step(State.MERGED, Verb.UNMERGE)
    assert step.targets_from(State.MERGED) == [State.SUBMITTED, State.ACCEPTED, State.DISPATCHED]
    for source in find_step(State.ACCEPTED, Verb.MERGE).sources:
        assert step.leads_from(State.MERGED, source) == source


def test_declining_and_undoing_have_their_time_and_only_declining_happens_once():
    assert {step.verb: step.within for step in STEPS if step.within} == dict.fromkeys(("decline", "unmerge"), timedelta(hours=24))
    assert "whose region covers the issue; within 24 hours of the merge |" in lifecycle_document()
    assert {step.verb for step in STEPS if step.once} == {"decline"}
    assert "the lead; once, within 24 hours of the dispatch |" in lifecycle_document()


def test_the_document_holds_every_state_transition_and_ground():
    document = lifecycle_document()
    for state in State:
        assert f"| `{state}` | {STATE_NAME[state].zh} |" in document
    for verb, sources, target, *_ in CONTRACT:
        for source in sources.split() if verb != "unmerge" else ():
            assert f"    {source} --> {source if target == sources else target}: {verb} " in document
    assert all(f"| `{code}` |" in document for code in GROUNDS | DECLINE_GROUNDS)
    assert "States to which no step leads in this version: none." in document
    assert all(f"    merged --> {state}: unmerge " in document for state in ("submitted", "accepted", "dispatched"))


def test_the_documents_tables_are_well_formed():
    tables = [block.splitlines() for block in lifecycle_document().split("\n\n") if block.startswith("|")]
    assert [len(table) - 2 for table in tables] == [len(State), len(STEPS), len(GROUNDS), len(DECLINE_GROUNDS), len(Severity)]
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


def test_the_document_has_the_limits_and_says_who_leads_where_nobody_does():
    text = lifecycle_document()
    assert "| `general` | 一般 | 1 working day(s) | 1 working day(s) | 10 working day(s) |" in text
    assert "| `urgent` | 紧急 | 2 hours | 2 hours | 24 hours |" in text
    assert "| `major` | 重大 | 1 working day(s) | 1 working day(s) | 60 calendar days |" in text
    assert "the office where neither a person nor a department leads" in text

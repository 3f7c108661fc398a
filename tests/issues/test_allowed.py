from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.issues.allowed import ActorFacts, IssueFacts, refuse_unless_allowed, steps_open_to
from patrol.issues.categories import Severity
from patrol.issues.grounds import GROUNDS
from patrol.issues.lifecycle import STEPS, State, Verb, find_step, steps_from
from patrol.people.permissions import Permission, Role, permissions_of

LEAD, HELPER, CLERK, BOSS, STRANGER = (UUID(int=n) for n in range(1, 6))


def role(person, *roles, **facts):
    return ActorFacts(person, permissions_of(frozenset(roles)), **{"in_scope": True, **facts})


LEADER = role(LEAD, Role.CHIEF)
CO_HANDLER = role(HELPER, Role.HANDLER)
OFFICE = role(CLERK, Role.OFFICE)
SUPERVISOR = role(BOSS, Role.SUPERVISOR)
SYSTEM = ActorFacts(None)

WHOLE = {
    "accept": {}, "reject": {"ground": "other_authority", "reason": "归生态环境局"}, "dispatch": {},
    "transfer": {"reason": "不在本村", "reach_id": UUID(int=9)}, "start": {}, "progress": {"note": "已联系"},
    "rectify": {"note": "已清运", "photos": [UUID(int=8)]}, "verify": {}, "return": {"reason": "仍有残留"},
    "merge": {"into": UUID(int=7), "reason": "同一处"}, "unmerge": {"reason": "并非同一处"},
    "close": {}, "reopen": {"reason": "复发"}, "resume": {},
    "decline": {"ground": "other_reach", "reason": "不在本段", "suggested_owner": "石桥镇"},
    "supervise": {"kind": "letter", "text": "请三日内完成整改"},
    "suspend": {"reason": "需截污工程", "review_on": "2026-07-01", "milestones": [{"text": "完工", "due_on": "2026-09-30"}]},
}  # fmt: skip


def issue(state, **facts):
    usual = {"severity": Severity.GENERAL, "lead_id": LEAD, "co_handler_ids": frozenset({HELPER})}
    return IssueFacts(State(state), **{**usual, **facts})


def open_to(state, actor, **facts):
    return {str(step.verb) for step in steps_open_to(issue(state, **facts), actor)}


def refusal_of(kind, state, actor, verb, brought=None, **facts):
    with pytest.raises(kind) as refused:
        refuse_unless_allowed(issue(state, **facts), actor, Verb(verb), WHOLE[verb] if brought is None else brought)
    return refused.value


@pytest.mark.parametrize(
    ("state", "lead", "co_handler", "office", "supervisor"),
    [
        ("submitted",   "",                 "",               "accept reject merge",      "supervise"),
        ("accepted",    "",                 "",               "reject merge dispatch transfer suspend", "supervise"),
        ("dispatched",  "decline start rectify", "start",     "merge transfer suspend",   "supervise"),
        ("in_progress", "progress rectify", "progress",       "suspend",                  "supervise"),
        ("rectified",   "",                 "",               "verify return",            "verify return supervise"),
        ("verified",    "",                 "",               "return close",             "return supervise"),
        ("closed",      "",                 "",               "reopen",                   "reopen"),
        ("rejected",    "",                 "",               "reopen",                   "reopen"),
        ("merged",      "",                 "",               "unmerge",                  ""),
        ("suspended",   "",                 "",               "resume",                   "supervise"),
    ],
)  # fmt: skip
def test_who_may_do_what_where(state, lead, co_handler, office, supervisor):
    assert open_to(state, LEADER) == set(lead.split())
    assert open_to(state, CO_HANDLER) == set(co_handler.split())
    assert open_to(state, OFFICE) == set(office.split())
    assert open_to(state, SUPERVISOR) == set(supervisor.split())


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("bystander", [Role.CITIZEN_CHIEF, Role.ADMIN, Role.AUDITOR, Role.CHIEF, Role.HANDLER])
def test_bystanders_may_do_nothing(state, bystander):
    assert open_to(state, role(STRANGER, bystander)) == set()


@pytest.mark.parametrize("state", State)
def test_an_office_of_another_region_may_do_nothing(state):
    assert open_to(state, role(CLERK, Role.OFFICE, in_scope=False)) == set()


def test_a_lead_from_outside_the_region_still_leads():
    assert open_to("dispatched", role(LEAD, Role.CHIEF, in_scope=False)) == {"decline", "start", "rectify"}


def test_the_system_only_accepts_and_dispatches():
    assert [step.verb for state in State for step in steps_open_to(issue(state), SYSTEM)] == ["accept", "dispatch"]
    assert "person" in refusal_of(NotAllowed, "submitted", SYSTEM, "reject").detail.en
    assert refusal_of(NotAllowed, "rectified", SYSTEM, "verify").status == 403


def test_a_step_out_of_turn_is_a_conflict_that_names_the_possible_ones():
    refusal = refusal_of(Conflict, "submitted", OFFICE, "close")
    assert refusal.extra == {"allowed": ["accept", "reject", "merge"]}
    assert "待受理" in refusal.detail.zh
    assert "受理、不予受理、合并" in refusal.detail.zh
    assert refusal.detail.en.endswith("does not allow “Close”; what you can do now: Accept, Reject, Merge")


def test_a_step_out_of_turn_names_only_what_is_open_to_who_asked():
    assert refusal_of(Conflict, "submitted", LEADER, "close").extra == {"allowed": []}
    assert refusal_of(Conflict, "submitted", SUPERVISOR, "close").extra == {"allowed": ["supervise"]}
    assert refusal_of(Conflict, "rectified", role(CLERK, Role.OFFICE, own_work=True), "start").extra == {"allowed": []}


def test_where_nothing_is_possible_the_conflict_says_so():
    refusal = refusal_of(Conflict, "merged", OFFICE, "close", merged_for=timedelta(hours=25))
    assert refusal.extra == {"allowed": []}
    assert refusal.detail.zh.endswith("可以：无")


def test_a_merging_is_undone_within_a_day_whenever_it_was_dispatched():
    day = {"merged_for": timedelta(hours=24), "dispatched_for": timedelta(days=9)}
    assert open_to("merged", OFFICE, **day) == {"unmerge"}
    late = refusal_of(Conflict, "merged", OFFICE, "unmerge", merged_for=timedelta(hours=24, seconds=1))
    assert late.detail.en.startswith("more than 24 hours have passed since the merging")


def test_whoever_handled_it_neither_verifies_nor_returns_nor_closes():
    both = role(LEAD, Role.OFFICE, Role.CHIEF, own_work=True)
    ends = (("accepted", "reject"), ("accepted", "suspend"), ("in_progress", "suspend"))
    for state, verb in (("rectified", "verify"), ("rectified", "return"), ("verified", "return"), ("verified", "close"), *ends):
        assert "may not verify, close" in refusal_of(NotAllowed, state, both, verb).detail.en
        assert verb not in open_to(state, both)
        assert verb in open_to(state, role(LEAD, Role.OFFICE, Role.CHIEF))


def test_a_major_issue_is_closed_by_the_districts_chief_alone():
    district = role(BOSS, Role.CHIEF, signs=True)
    village = role(STRANGER, Role.CHIEF)
    assert open_to("verified", district, severity=Severity.MAJOR) == {"close"}, "the return is of who reviews"
    assert open_to("verified", district, severity=Severity.URGENT) == set()
    for actor in (OFFICE, village):
        refusal = refusal_of(NotAllowed, "verified", actor, "close", severity=Severity.MAJOR)
        assert "district's chief" in refusal.detail.en
    assert open_to("verified", role(BOSS, Role.CHIEF, signs=True, own_work=True), severity=Severity.MAJOR) == set()


def test_an_accepted_major_issue_is_rejected_by_the_districts_chief_alone():
    district = role(BOSS, Role.CHIEF, signs=True)
    assert open_to("accepted", district, severity=Severity.MAJOR) == {"reject", "suspend"}
    assert "reject" not in open_to("accepted", OFFICE, severity=Severity.MAJOR)
    assert "district's chief" in refusal_of(NotAllowed, "accepted", OFFICE, "reject", severity=Severity.MAJOR).detail.en
    # What a reporter calls major is not major before the office has accepted it.
    assert "reject" in open_to("submitted", OFFICE, severity=Severity.MAJOR)


def test_a_major_charge_is_signed_by_the_office_above():
    """No chief sees a charge against a chief, so that none could sign."""
    facts = {"severity": Severity.MAJOR, "is_charge": True}
    assert open_to("verified", OFFICE, **facts) == {"return", "close"}
    assert "reject" in open_to("accepted", OFFICE, **facts)
    assert "suspend" in open_to("in_progress", OFFICE, **facts)
    assert "resume" in open_to("suspended", OFFICE, **facts)
    assert open_to("verified", role(BOSS, Role.CHIEF, signs=True), **facts) == set()


def test_a_bureau_that_was_called_in_helps_a_lead_and_leads_where_there_is_none():
    bureau = role(STRANGER, Role.HANDLER, department="water")
    assert open_to("dispatched", bureau, department="water") == {"start"}
    assert open_to("dispatched", bureau, department="water", lead_id=None) == {"decline", "start", "rectify"}
    assert open_to("dispatched", bureau, department="ecology", lead_id=None) == set()
    assert open_to("dispatched", bureau, department=None, lead_id=None) == set()
    outside = role(STRANGER, Role.HANDLER, department="water", in_scope=False)
    assert open_to("dispatched", outside, department="water") == set()
    assert open_to("dispatched", role(STRANGER, Role.HANDLER), department=None, lead_id=None) == set()


def test_where_no_person_leads_the_office_stands_in():
    assert open_to("dispatched", OFFICE, lead_id=None) == {"merge", "transfer", "decline", "start", "rectify", "suspend"}
    assert open_to("in_progress", OFFICE, lead_id=None) == {"progress", "rectify", "suspend"}
    assert open_to("in_progress", OFFICE, lead_id=None, department="water") == {"progress", "rectify", "suspend"}
    assert open_to("in_progress", role(CLERK, Role.OFFICE, in_scope=False), lead_id=None) == set()
    assert open_to("in_progress", role(STRANGER, Role.CHIEF), lead_id=None) == set()
    assert open_to("rectified", role(CLERK, Role.OFFICE, own_work=True), lead_id=None) == set()


def test_the_relation_is_named_when_it_is_missing():
    assert "only the lead of" in refusal_of(NotAllowed, "in_progress", CO_HANDLER, "rectify").detail.en
    stranger = role(STRANGER, Role.CHIEF)
    assert "co-handler" in refusal_of(NotAllowed, "dispatched", stranger, "start").detail.en
    outside = role(CLERK, Role.OFFICE, in_scope=False)
    assert "outside your region" in refusal_of(NotAllowed, "submitted", outside, "accept").detail.en
    assert "your role" in refusal_of(NotAllowed, "submitted", LEADER, "accept").detail.en


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.verb)
def test_each_step_wants_all_it_must_bring_and_nothing_else(step):
    state, verb = min(step.sources), str(step.verb)
    actor = next(a for a in (LEADER, OFFICE, CO_HANDLER, SUPERVISOR) if verb in open_to(state, a))
    assert refuse_unless_allowed(issue(state), actor, step.verb, WHOLE[verb]) is find_step(state, step.verb)
    for name in step.must:
        for missing in (None, "", " \n", []):
            assert set(refusal_of(Invalid, state, actor, verb, {**WHOLE[verb], name: missing}).errors) == {name}
    for name in step.may:
        refuse_unless_allowed(issue(state), actor, step.verb, {**WHOLE[verb], name: "x"})
    refusal = refusal_of(Invalid, state, actor, verb, {**WHOLE[verb], "colour": UUID(int=3)})
    assert list(refusal.errors) == ["colour"]
    assert step.name.zh in refusal.errors["colour"][0].zh
    refuse_unless_allowed(issue(state), actor, step.verb, {**WHOLE[verb], "colour": None, "photo_ids": []})


@pytest.mark.parametrize("given_fields", [{}, {"reach_id": UUID(int=9), "region": "990100"}])
def test_a_transfer_names_either_a_reach_or_a_region(given_fields):
    refusal = refusal_of(Invalid, "accepted", OFFICE, "transfer", {"reason": "界外", **given_fields})
    assert set(refusal.errors) == {"reach_id", "region"}
    refuse_unless_allowed(issue("accepted"), OFFICE, Verb.TRANSFER, {"reason": "界外", "region": "990100"})


@pytest.mark.parametrize("ground", ["because", 7, ["other_authority"]])
def test_a_ground_that_does_not_exist_is_refused_with_those_that_do(ground):
    refusal = refusal_of(Invalid, "submitted", OFFICE, "reject", {"ground": ground, "reason": "x"})
    assert list(refusal.errors) == ["ground"]
    assert all(code in refusal.errors["ground"][0].en for code in GROUNDS)


PEOPLE = st.sampled_from([LEAD, HELPER, CLERK, BOSS, STRANGER])
ISSUES = st.builds(
    IssueFacts, state=st.sampled_from(State), severity=st.sampled_from(Severity), lead_id=st.none() | PEOPLE,
    co_handler_ids=st.frozensets(PEOPLE, max_size=2), department=st.none() | st.just("water"),
    declined=st.booleans(), is_charge=st.booleans(),
    dispatched_for=st.none() | st.timedeltas(timedelta(0), timedelta(hours=48)),
    merged_for=st.none() | st.timedeltas(timedelta(0), timedelta(hours=48)),
)  # fmt: skip
ACTORS = st.builds(
    ActorFacts, person_id=st.none() | PEOPLE, permissions=st.frozensets(st.sampled_from(Permission)),
    in_scope=st.booleans(), department=st.none() | st.just("water"), signs=st.booleans(), own_work=st.booleans(),
)  # fmt: skip


@given(facts=ISSUES, actor=ACTORS, verb=st.sampled_from(Verb))
def test_what_is_listed_as_open_is_exactly_what_is_not_refused(facts, actor, verb):
    if verb in {step.verb for step in steps_open_to(facts, actor)}:
        assert refuse_unless_allowed(facts, actor, verb, WHOLE[verb]).verb is verb
    else:
        in_turn = verb in {step.verb for step in steps_from(facts.state)}
        late = verb is Verb.DECLINE and (facts.declined or (facts.dispatched_for or timedelta(0)) > timedelta(hours=24))
        with pytest.raises((NotAllowed, Conflict) if late else NotAllowed if in_turn else Conflict):
            refuse_unless_allowed(facts, actor, verb, WHOLE[verb])


def test_a_lead_declines_within_24_hours_and_never_a_second_time():
    assert "decline" in open_to("dispatched", LEADER, dispatched_for=timedelta(hours=24))
    late = {"dispatched_for": timedelta(hours=24, microseconds=1)}
    for facts, word in ((late, "24 hours"), ({"declined": True}, "ruling is final")):
        assert open_to("dispatched", LEADER, **facts) == {"start", "rectify"}
        refusal = refusal_of(Conflict, "dispatched", LEADER, "decline", **facts)
        assert word in refusal.detail.en
        assert "decline" not in refusal.extra["allowed"]
        assert refusal_of(NotAllowed, "dispatched", OFFICE, "decline", **facts).status == 403


def test_a_ground_of_rejection_is_none_of_declining():
    refusal = refusal_of(Invalid, "dispatched", LEADER, "decline", {**WHOLE["decline"], "ground": "no_evidence_found"})
    assert "other_reach" in refusal.errors["ground"][0].en


def test_a_major_issue_goes_on_the_ledger_by_the_districts_chief_alone():
    district = role(BOSS, Role.CHIEF, signs=True)
    for state, verb in (("in_progress", "suspend"), ("suspended", "resume")):
        assert open_to(state, district, severity=Severity.MAJOR) == {verb}
        assert open_to(state, district) == set()
        assert "district's chief" in refusal_of(NotAllowed, state, OFFICE, verb, severity=Severity.MAJOR).detail.en


@given(facts=ISSUES, actor=ACTORS)
def test_nobody_ever_judges_his_own_cure_nor_acts_without_the_permission(facts, actor):
    for step in steps_open_to(facts, actor):
        if actor.person_id is None:
            assert step.by_system
            continue
        assert step.permission_for(facts.severity, is_charge=facts.is_charge) in actor.permissions
        if step.verb in (Verb.VERIFY, Verb.RETURN, Verb.CLOSE, Verb.SUSPEND):
            assert not actor.own_work


def test_what_is_missing_stands_in_the_detail_and_grounds_are_named():
    refusal = refusal_of(Invalid, "rectified", SUPERVISOR, "return", {})
    assert refusal.detail.zh == "“退回整改”的内容不全或有误：reason：必须填写"
    assert refusal.detail.en.endswith("is incomplete or wrong: reason: is required")
    refusal = refusal_of(Invalid, "submitted", OFFICE, "reject", {"ground": "boring", "reason": "x"})
    assert "只能是以下之一：not_a_water_matter（不属于河湖问题）、outside_district（不在本辖区）" in refusal.detail.zh
    assert "outside_district (Outside the district)" in refusal.errors["ground"][0].en


def test_whose_role_does_not_allow_a_step_reads_whose_does():
    refusal = refusal_of(NotAllowed, "rectified", role(STRANGER, Role.PATROLLER), "verify")
    assert refusal.detail.zh == "您的角色没有“复核通过”的权限，可由以下角色执行：河长办、督查员"
    assert refusal.detail.en == "your role does not allow “Verify”; roles that may: river chief office, supervisor"

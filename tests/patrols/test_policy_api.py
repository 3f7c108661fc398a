"""Policies over HTTP: versions with the day they begin, a dry run on stored patrols, withdrawal, and who may."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import current_app

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols import coverage_policy, datum_policy, integrity_policy
from patrol.patrols.examination_models import Examination, ExaminationPolicy
from patrol.patrols.policy_queries import KINDS, policy_on
from patrol.people.models import AuditEntry
from tests.patrols.on_patrol import LINE, REACH, patrolled
from tests.patrols.walks import Walker


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(REACH, region=village)
        chief = build.person("chief", region=village)
        office = build.person("office", region=village)
        top = build.person("office")
        admin = build.person("admin")
        other_office = build.person("office", region=build.region(level="village"))

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def top(world, signed_in):
    return signed_in(world.top)


def today():
    return clock.today(current_app.extensions["settings"].timezone)


def version(days=1, **changes):
    return {"id": str(uuid4()), "valid_from": str(today() + timedelta(days=days)), "thresholds": {}, "source": {"zh": "本地规定", "en": "Local rule"}, **changes}


def test_a_new_installation_has_a_version_of_each_kind(top):
    defaults = {"integrity": integrity_policy, "coverage": coverage_policy, "datum": datum_policy}
    for kind, module in defaults.items():
        [row] = top.get(f"policies/{kind}").json["items"]
        assert (row["version"], row["standing"], row["withdrawable"]) == (1, "in_force", False)
        assert row["thresholds"] == {name: value for name, value in module.DEFAULT_POLICY.as_data().items() if name != "version"}
        assert policy_on(today()).of_kind(kind) == module.DEFAULT_POLICY


@pytest.mark.parametrize(("kind", "change"), [("integrity", {"geofence_m": 150}), ("coverage", {"base_radius_m": 40}), ("datum", {"plausible_m": 80})])
def test_versions_begin_on_their_day_and_keep_what_they_do_not_name(top, kind, change):
    first, again = (top.post(f"policies/{kind}", json=body) for body in [version(5, thresholds=change)] * 2)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    name, value = next(iter(change.items()))
    assert getattr(policy_on(today()).of_kind(kind), name) != value
    later = policy_on(today() + timedelta(days=5)).of_kind(kind)
    assert (getattr(later, name), later.version) == (value, first.json["code"])
    second = top.post(f"policies/{kind}", json=version(9)).json
    assert (second["version"], second["thresholds"][name]) == (3, value)
    assert top.post(f"policies/{kind}", json=version(9)).status_code == 409
    assert [row["version"] for row in top.get(f"policies/{kind}", query_string={"limit": 2}).json["items"]] == [3, 2]


@pytest.mark.parametrize("text", ["<b>规定</b> 🐟", "=1+1", "a\u202eb", "x" * 500])
def test_sources_come_back_as_they_were_written(top, text):
    body = version(3, source={"zh": text, "en": f"en {text}"[:500]})
    assert top.post("policies/datum", json=body).json["source"] == body["source"]
    [row] = [row for row in top.get("policies/datum").json["items"] if row["version"] == 2]
    assert (row["source"], row["standing"], row["withdrawable"]) == (body["source"], "coming", True)


def test_a_version_is_withdrawn_before_it_is_in_force_and_only_then(top):
    made = top.post("policies/integrity", json=version(1, thresholds={"gap_s": 300}))
    path = f"policies/integrity/{made.json['id']}"
    gone, again = top.delete(path), top.delete(path)
    assert gone.json["withdrawn_at"]
    assert (gone.json["standing"], gone.json["withdrawable"]) == ("withdrawn", False)
    assert (again.status_code, again.json) == (200, gone.json)
    assert policy_on(today() + timedelta(days=1)).thresholds == integrity_policy.DEFAULT_POLICY
    assert top.post("policies/integrity", json=version(1)).json["version"] == 3, "the day is free again, the number is not"
    [first] = [row for row in top.get("policies/integrity").json["items"] if row["standing"] == "in_force"]
    assert top.delete(f"policies/integrity/{first['id']}").status_code == 409
    assert {entry.act for entry in db.session.query(AuditEntry)} >= {"add_policy", "withdraw_policy"}


@pytest.mark.parametrize(("kind", "changes", "field"), [
    ("integrity", {"days": 0}, "valid_from"), ("integrity", {"thresholds": {"geofense_m": 1}}, "thresholds"),
    ("integrity", {"thresholds": {"gap_s": -1}}, "thresholds"), ("coverage", {"thresholds": {"cell_m": 0.001}}, "thresholds"),
    ("coverage", {"thresholds": {"most_pairs": 2.5}}, "thresholds"), ("datum", {"thresholds": {"factor": True}}, "thresholds"),
    ("datum", {"thresholds": {"version": "x"}}, "thresholds"), ("coverage", {"trusted_receivers": ["x"]}, "trusted_receivers"),
    ("integrity", {"trusted_receivers": ["rtk-7"]}, "trusted_receivers"),
    ("integrity", {"trusted_receivers": ["0190b7a2-0000-7000-8000-000000000001"]}, "trusted_receivers"),
])
def test_versions_that_make_no_sense_are_refused_by_field(top, kind, changes, field):
    reply = top.post(f"policies/{kind}", json=version(**changes))
    assert reply.status_code == 422, reply.json
    assert field in reply.json["errors"]
    assert db.session.query(ExaminationPolicy).count() == len(KINDS)


def test_only_registered_devices_are_trusted_receivers(top, world, signed_in):
    device = signed_in(world.chief).post("devices", json={"label": "RTK"}).json["id"]
    assert top.post("policies/integrity/dry-run", json={"thresholds": {}, "trusted_receivers": ["rtk-7"]}).status_code == 422
    assert top.post("policies/integrity/dry-run", json={"thresholds": {}, "trusted_receivers": [device]}).status_code == 200
    assert top.post("policies/integrity", json=version(trusted_receivers=[device])).json["trusted_receivers"] == [device]


def test_only_the_top_changes_what_holds_everywhere(world, signed_in):
    office = signed_in(world.office)
    assert office.post("policies/integrity", json=version()).status_code == 403
    assert signed_in(world.chief).post("policies/integrity", json=version()).status_code == 403
    assert office.get("policies/integrity").status_code == 200


def test_a_dry_run_tells_whose_verdict_would_change_and_changes_nothing(top, world, signed_in):
    chief = signed_in(world.chief)
    patrol_id = patrolled(chief, world.reach, Walker(seed=4, sigma_m=20.0).walk(LINE))
    before = db.session.query(Examination.input_hash, Examination.verdict).all()
    assert top.post("policies/integrity/dry-run", json={"thresholds": {}}).json["changed"] == 0
    for kind, change, wanted in (
        ("integrity", {"valid_score": 99.9, "least_duration_s": 86_400}, "partial"),
        ("coverage", {"worst_accuracy_m": 10}, None),
    ):
        trial = top.post(f"policies/{kind}/dry-run", json={"thresholds": change, "patrols": 10}).json
        assert (trial["looked_at"], trial["before"], trial["changed"]) == (1, {"valid": 1}, 1), (kind, trial)
        [item] = trial["items"]
        assert (item["patrol_id"], item["before"], bool(item["reasons"])) == (patrol_id, "valid", True)
        assert wanted in (None, item["after"])
    assert top.post("policies/datum/dry-run", json={"thresholds": {"least_fixes": 0}}).status_code == 422
    assert db.session.query(Examination.input_hash, Examination.verdict).all() == before
    assert db.session.query(ExaminationPolicy).count() == len(KINDS)


def test_a_new_version_leaves_examined_patrols_as_they_are(top, world, signed_in):
    chief = signed_in(world.chief)
    patrol_id = patrolled(chief, world.reach, Walker(seed=4, sigma_m=5.0).walk(LINE))
    assert top.post("policies/coverage", json=version(thresholds={"cell_m": 50})).status_code == 201
    shown = chief.get(f"patrols/{patrol_id}").json
    assert (shown["stale"], shown["policies"]) == (False, {"integrity": "2026-11", "coverage": "2026-11", "datum": "2026-11"})


def frequency(days=1, **changes):
    return {"id": str(uuid4()), "level": "village", "period": "week", "times": 3, "valid_from": str(today() + timedelta(days=days)),
            "source": {"zh": "本地规定", "en": "Local rule"}, **changes}


def test_frequencies_have_versions_too(top, world, signed_in):
    body = frequency()
    first, again = (top.post("policies/frequency", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert top.post("policies/frequency", json=frequency(0)).status_code == 422
    office = signed_in(world.office)
    assert office.post("policies/frequency", json=frequency()).status_code == 403
    assert office.post("policies/frequency", json=frequency(region=world.village.code)).status_code == 201
    path = f"policies/frequency/{first.json['id']}"
    assert (first.json["standing"], first.json["source"], bool(first.json["added_at"])) == ("coming", body["source"], True)
    assert office.delete(path).status_code == 403
    gone = top.delete(path)
    assert (gone.status_code, bool(gone.json["withdrawn_at"]), gone.json["standing"]) == (200, True, "withdrawn")
    day = str(today() + timedelta(days=2))
    assert body["id"] not in {row["id"] for row in top.get("policies/frequency", query_string={"on": day}).json["items"]}
    in_force = next(row for row in top.get("policies/frequency", query_string={"on": str(today())}).json["items"])
    assert top.delete(f"policies/frequency/{in_force['id']}").status_code == 409


def test_a_later_frequency_of_the_same_subject_takes_the_place_of_the_earlier(top, world):
    older, newer, other = (frequency(-days, region=world.village.code, **changes) for days, changes in ((9, {}), (2, {"times": 2}), (1, {"title": "警长"})))
    for body in (older, newer, other):
        assert top.put(f"frequency-policies/{body.pop('id')}", json=body).status_code == 201
    rows = {(row["times"], row["title"]): row["standing"] for row in top.get("policies/frequency").json["items"] if row["region"]}
    assert rows == {(3, None): "past", (2, None): "in_force", (3, "警长"): "in_force"}


def test_the_overview_lists_the_kinds_of_every_room(top, world, signed_in):
    top.post("policies/coverage", json=version(4))
    top.post("policies/frequency", json=frequency(region=world.village.code))
    groups = {group["kind"]: group for group in top.get("policies").json["kinds"]}
    assert list(groups) == [
        "deadlines", "calendar", "dispatch", "escalation", "relapse", "look_back", "integrity", "coverage", "datum", "frequency",
    ]  # fmt: skip
    for kind, coming in (("integrity", 0), ("coverage", 1), ("datum", 0), ("frequency", 1)):
        listed = top.get(f"policies/{kind}", query_string={"limit": 100}).json["items"]
        assert len(groups[kind]["coming"]) == coming
        assert groups[kind]["in_force"] == [row for row in listed if row["standing"] == "in_force"]
    elsewhere = signed_in(world.other_office).get("policies").json["kinds"][-1]
    assert (elsewhere["coming"], len(elsewhere["in_force"])) == ([], len(groups["frequency"]["in_force"]))


def test_who_may_not_see_patrols_tries_a_policy_without_seeing_whose_they_are(top, world, signed_in):
    patrolled(signed_in(world.chief), world.reach, Walker(seed=4, sigma_m=20.0).walk(LINE))
    body = {"thresholds": {"valid_score": 99.9, "least_duration_s": 86_400}}
    trial = signed_in(world.admin).post("policies/integrity/dry-run", json=body).json
    assert (trial["changed"], trial["items"]) == (1, [])


def test_a_dry_run_of_a_frequency_counts_duties_both_ways(top, world):
    trial = top.post("policies/frequency/dry-run", json={
        "level": "village", "period": "week", "times": 3, "during": "2026-W40"}).json
    assert (trial["looked_at"], trial["changed"], trial["whole"]) == (1, 1, True)
    assert (trial["before"]["required"], trial["after"]["required"]) == (1, 3)
    assert trial["items"][0]["reach"]["id"] == str(world.reach.id)
    again = {"level": "village", "period": "week", "times": 1, "during": "2026-W40"}
    assert top.post("policies/frequency/dry-run", json=again).json["changed"] == 0

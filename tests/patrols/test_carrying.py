"""Who carried which device: mock flags, one person in two places, one phone for two people."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from patrol.patrols.carrying import in_two_places, mocked, shared
from patrol.patrols.facts import CheckInFact, DeviceUse, OtherPatrol, PatrolFacts
from patrol.patrols.integrity import RULES
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.seen import Severity
from patrol.patrols.track import NO_TRACK
from tests.patrols.labelled import BEGAN, ME, degrees, made

END = BEGAN + timedelta(hours=1)


def track_at(east_m, fixes=240, every_s=15.0):
    latitude, longitude = degrees(np.column_stack([east_m + np.arange(fixes) * 3.0, np.zeros(fixes)]))
    return made(np.arange(fixes) * every_s, latitude, longitude, accuracy_m=np.full(fixes, 10.0))


def patrol_of(**facts):
    return PatrolFacts(**({"patrol_id": UUID(int=50), "person_id": ME, "mode": "walk",
                           "started_at": BEGAN, "ended_at": END, "received_at": END, "now": END, "track": track_at(0)} | facts))  # fmt: skip


def with_mock(share, unknown=0.0):
    track = track_at(0)
    at = np.arange(len(track)) / len(track)
    return replace(track, mock=np.where(at < share, 1, np.where(at < share + unknown, -1, 0)).astype(np.int8))


@pytest.mark.parametrize(("share", "unknown", "severity"), [
    (0.0, 0.0, None), (0.0, 1.0, None), (0.1, 0.0, Severity.MEDIUM), (0.3, 0.0, Severity.HIGH), (0.1, 0.8, Severity.HIGH),
])  # fmt: skip
def test_the_mock_flag_counts_among_fixes_that_say_anything(share, unknown, severity):
    seen = mocked(patrol_of(track=with_mock(share, unknown)), POLICY)
    assert (seen and seen.severity) == severity


def test_a_mocked_check_in_is_grave_and_a_trusted_receiver_explains_all():
    check_in = CheckInFact(UUID(int=1), BEGAN + timedelta(seconds=60), 29.6, 119.8, None, None)
    facts = patrol_of(track=with_mock(0.05), check_ins=[check_in])
    seen = mocked(facts, POLICY)
    assert (seen.severity, seen.evidence["check_ins"]) == (Severity.HIGH, 1)
    trusted = mocked(replace(facts, untrusted=NO_TRACK), POLICY)
    assert (trusted.severity, trusted.evidence["trusted_receiver"]) == (Severity.INFO, True)


@pytest.mark.parametrize(("east_m", "minutes", "severity"), [
    (2_000, 0, Severity.HIGH), (200, 0, Severity.SOFT), (2_000, 59, None), (None, 10, Severity.SOFT), (2_000, -30, Severity.HIGH),
])  # fmt: skip
def test_one_person_in_two_places(east_m, minutes, severity):
    started = BEGAN + timedelta(minutes=minutes)
    track = track_at(0 if east_m is None else east_m)
    track = replace(track, recorded_ms=track.recorded_ms + minutes * 60_000)
    track = track.at(np.arange(0)) if east_m is None else track
    other = OtherPatrol(id=UUID(int=2), person_id=ME, started_at=started, ended_at=started + timedelta(hours=1), track=track)
    seen = in_two_places(patrol_of(overlapping=[other]), POLICY)
    assert (seen and seen.severity) == severity


@pytest.mark.parametrize(("east_m", "says"), [
    (200, "overlaps by 60 min; no track tells of places more than 300 m apart"), (None, "overlaps by 60 min; no track tells of places more than 300 m apart"),
    (2_000, "overlaps by 60 min; for 60 min they were about 1980 m apart"),
])  # fmt: skip
def test_it_says_how_far_apart_only_of_what_was(east_m, says):
    track = NO_TRACK if east_m is None else track_at(east_m)
    other = OtherPatrol(id=UUID(int=2), person_id=ME, started_at=BEGAN, ended_at=END, track=track)
    rule = next(rule for rule in RULES if rule.code == "overlap")
    assert rule.find(patrol_of(overlapping=[other]), POLICY).text.en.endswith(says)


@pytest.mark.parametrize("seconds", [1_878, 1_860, 3_599])
def test_nobody_is_apart_for_longer_than_together(seconds):
    track = track_at(2_000)
    track = track.at(track.recorded_ms <= track.recorded_ms[0] + seconds * 1000)
    other = OtherPatrol(id=UUID(int=2), person_id=ME, started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=seconds), track=track)
    evidence = in_two_places(patrol_of(overlapping=[other]), POLICY).evidence
    assert evidence["together_s"] - 30 <= evidence["apart_s"] <= evidence["together_s"] == seconds


def test_where_a_track_is_silent_nothing_is_compared():
    other = track_at(2_000)
    ends = other.at(np.array([0, len(other) - 1]))
    seen = in_two_places(patrol_of(overlapping=[OtherPatrol(id=UUID(int=2), person_id=ME, started_at=BEGAN, ended_at=None, track=ends)]), POLICY)
    assert (seen.severity, seen.evidence["apart_s"]) == (Severity.SOFT, 30)


def test_a_fix_of_another_time_costs_nothing():
    tracks = [replace(track, recorded_ms=np.append(track.recorded_ms[:-1], 250_000_000_000_000)) for track in (track_at(0), track_at(2_000))]
    other = OtherPatrol(UUID(int=60), ME, BEGAN, END, tracks[1])
    plain = in_two_places(patrol_of(overlapping=[replace(other, track=track_at(2_000))]), POLICY)
    seen = in_two_places(patrol_of(track=tracks[0], overlapping=[other]), POLICY)
    assert seen.severity is plain.severity is Severity.HIGH
    assert seen.evidence["apart_s"] == pytest.approx(plain.evidence["apart_s"], abs=60)


def test_the_worst_of_several_overlaps_is_told():
    others = [OtherPatrol(id=UUID(int=n), person_id=ME, started_at=BEGAN, ended_at=END, track=track_at(east_m)) for n, east_m in ((1, 100), (2, 5_000), (3, 0))]
    seen = in_two_places(patrol_of(overlapping=others), POLICY)
    assert (seen.evidence["patrol_id"], seen.evidence["apart_m"]) == (str(UUID(int=2)), 4_980)


@pytest.mark.parametrize(("from_min", "to_min", "delegated", "severity"), [
    (10, 50, False, Severity.HIGH), (10, 50, True, None), (-60, -5, False, Severity.MEDIUM), (-60, 1, False, Severity.MEDIUM), (100, 200, False, Severity.SOFT),
    (-1_000, -800, False, None),
])  # fmt: skip
def test_one_phone_for_two_accounts(from_min, to_min, delegated, severity):
    use = DeviceUse(person_id=UUID(int=3), from_at=BEGAN + timedelta(minutes=from_min), to_at=BEGAN + timedelta(minutes=to_min), delegated=delegated)
    seen = shared(patrol_of(device_uses=[use]), POLICY)
    assert (seen and seen.severity) == severity


@pytest.mark.parametrize("by_name", [False, True])
def test_a_mere_name_is_soft_however_near(by_name):
    use = DeviceUse(person_id=UUID(int=3), from_at=BEGAN, to_at=END, by_name=by_name)
    seen = shared(patrol_of(device_uses=[use]), POLICY)
    assert (seen.severity, seen.evidence["by_name"]) == ((Severity.SOFT, True) if by_name else (Severity.HIGH, False))
    assert shared(patrol_of(device_uses=[replace(use, delegated=True)]), POLICY) is None


@pytest.mark.parametrize("by_name", [False, True])
def test_the_patrol_is_named_and_only_what_can_explain_it(by_name):
    rule = next(rule for rule in RULES if rule.code == "shared_device")
    use = DeviceUse(person_id=UUID(int=3), from_at=BEGAN, to_at=END, by_name=by_name, patrol_id=UUID(int=9))
    finding = rule.find(patrol_of(device_uses=[use]), POLICY)
    assert (finding.evidence["person_id"], finding.evidence["patrol_id"]) == (str(UUID(int=3)), str(UUID(int=9)))
    assert any("型号" in text.zh for text in finding.innocent) == by_name
    assert len(finding.innocent) == (3 if by_name else 2)
    assert finding.text.en.startswith("1 other account used")


def test_accounts_of_which_no_time_is_known_are_soft():
    use = DeviceUse(person_id=UUID(int=3), from_at=BEGAN, to_at=END, delegated=True)
    assert shared(patrol_of(device_users=[UUID(int=4), UUID(int=3)]), POLICY).evidence["accounts"] == 2
    seen = shared(patrol_of(device_users=[UUID(int=4), UUID(int=3)], device_uses=[use]), POLICY)
    assert (seen.severity, seen.evidence["accounts"], seen.evidence["person_id"]) == (Severity.SOFT, 1, str(UUID(int=4)))
    assert shared(patrol_of(device_users=[UUID(int=3)], device_uses=[use]), POLICY) is None

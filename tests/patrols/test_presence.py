"""Fences in three values, gaps, coverage and sampling: what is missing is told and accuses nobody."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
import shapely

from patrol.patrols.coverage import Coverage
from patrol.patrols.facts import CheckInFact, PatrolFacts
from patrol.patrols.integrity import RULE
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.presence import gaps, off_the_track, outside_fence, perfunctory, short, silences, sparse, trackless
from patrol.patrols.seen import Severity
from patrol.patrols.verdict import verdict_of
from patrol.patrols.window import in_ms
from tests.patrols.labelled import BEGAN, ME, degrees, made


def walked(length_m, covered_m, low_m, high_m) -> Coverage:
    return Coverage(length_m, ((0.0, covered_m),), (), ((0.0, low_m),), ((0.0, high_m),))


LINE = shapely.LineString(np.column_stack(degrees(np.array([[0.0, 0.0], [3_000.0, 0.0]]))[::-1]))


def track_beside(metres, *, fixes=240, every_s=15.0, accuracy_m=10.0):
    latitude, longitude = degrees(np.column_stack([np.arange(fixes) * every_s * 1.2, np.full(fixes, float(metres))]))
    return made(np.arange(fixes) * every_s, latitude, longitude, accuracy_m=None if accuracy_m is None else np.full(fixes, accuracy_m))


def check_in(distance_m, accuracy_m, north_m=0.0, minute=10):
    latitude, longitude = degrees(np.array([[minute * 60 * 1.2, north_m]]))
    return CheckInFact(UUID(int=minute), BEGAN + timedelta(minutes=minute), latitude[0], longitude[0], accuracy_m, distance_m)


def patrol_of(track=None, coverage=None, minutes=60, **facts):
    end = BEGAN + timedelta(minutes=minutes)
    track = track_beside(10) if track is None else track
    return PatrolFacts(**({"patrol_id": UUID(int=50), "person_id": ME, "mode": "walk", "started_at": BEGAN, "ended_at": end, "received_at": end, "now": end, "track": track,
                           "reaches": [LINE], "coverages": [coverage] if coverage else []} | facts))  # fmt: skip


NO_FIXES = track_beside(0, fixes=0)


def minutes(first, last):
    return in_ms(BEGAN) + first * 60_000, in_ms(BEGAN) + last * 60_000


def test_a_pause_is_no_time_on_patrol_and_a_lost_signal_is():
    facts = patrol_of(pauses_ms=[minutes(50, 80), minutes(5, 10), minutes(8, 12)], no_signal_ms=[minutes(20, 30)])
    assert facts.active_s == (60 - 10 - 7) * 60


@pytest.mark.parametrize(("distance_m", "accuracy_m", "expected"), [
    (90, 5.0, None), (120, 5.0, "outside"), (120, 30.0, "uncertain"), (160, None, "outside"), (125, None, "uncertain"), (None, 5.0, None),
])  # fmt: skip
def test_the_fence_has_three_answers(distance_m, accuracy_m, expected):
    seen = outside_fence(patrol_of(NO_FIXES, check_ins=[check_in(distance_m, accuracy_m)]), POLICY)
    assert (seen and seen.severity) == {None: None, "outside": Severity.MEDIUM, "uncertain": Severity.INFO}[expected]
    assert expected is None or seen.evidence[expected] == 1


def test_a_better_fix_within_a_minute_decides():
    far = check_in(400, 60.0)
    assert outside_fence(patrol_of(track_beside(10), check_ins=[far]), POLICY) is None
    assert outside_fence(patrol_of(track_beside(10, accuracy_m=90.0), check_ins=[far]), POLICY).severity is Severity.MEDIUM
    assert outside_fence(patrol_of(track_beside(400), check_ins=[check_in(50, 60.0)]), POLICY).evidence["distance_m"] == pytest.approx(400, abs=2)


@pytest.mark.parametrize(("north_m", "accuracy_m", "found"), [(10, 10.0, False), (115, 10.0, False), (400, 10.0, True), (400, None, True), (135, None, False)])
def test_a_check_in_off_the_track(north_m, accuracy_m, found):
    seen = off_the_track(patrol_of(track_beside(0), check_ins=[check_in(0, accuracy_m, north_m)]), POLICY)
    assert (seen is not None) == found
    if found:
        assert (seen.severity, seen.evidence["distance_m"]) == (Severity.MEDIUM, pytest.approx(north_m, abs=2))


def test_a_silent_recorder_contradicts_no_check_in():
    whole = track_beside(0)
    killed = whole.at(np.arange(12))
    assert off_the_track(patrol_of(killed, check_ins=[check_in(0, 10.0, 900)]), POLICY) is None
    assert off_the_track(patrol_of(NO_FIXES, check_ins=[check_in(0, 10.0, 900)]), POLICY) is None


def test_silence_counts_from_start_to_end_without_pauses():
    track = track_beside(0).at(np.arange(40, 200))
    seconds, metres = silences(patrol_of(track), track)
    assert (seconds[0], seconds[-1], metres[0], metres[-1]) == (600, 3_600 - 199 * 15, 0, 0)
    assert seconds.sum() == pytest.approx(3_600)
    assert silences(patrol_of(track, pauses_ms=[minutes(0, 4)], no_signal_ms=[minutes(2, 5)]), track)[0][0] == 300


def test_gaps_are_told_and_pauses_are_none():
    cut = track_beside(0).at(np.r_[0:40, 100:240])
    seen = gaps(patrol_of(cut), POLICY)
    assert (seen.severity, seen.evidence) == (Severity.INFO, {"gaps": 1, "longest_s": 915, "minutes": 15, "metres": 1_098})
    assert gaps(patrol_of(cut, pauses_ms=[minutes(9, 26)]), POLICY) is None
    assert gaps(patrol_of(cut, no_signal_ms=[minutes(9, 26)]), POLICY) is None
    assert gaps(patrol_of(), POLICY) is None
    assert gaps(patrol_of(NO_FIXES), POLICY) is None


@pytest.mark.parametrize(("high_m", "missing_m"), [(2_400, None), (2_399, 1), (900, 1_500)])
def test_short_coverage_gives_the_benefit_of_the_doubt(high_m, missing_m):
    seen = short(patrol_of(coverage=walked(3_000, 800, 700, high_m)), POLICY)
    assert (seen and seen.evidence["missing_m"]) == missing_m
    assert short(patrol_of(), POLICY) is None


def test_plan_and_verdict_each_say_what_they_measure_against():
    facts = patrol_of(coverage=walked(3_121, 1_700, 1_700, 1_750))
    planned = RULE["short_coverage"].find(facts, POLICY).text
    asked = next(reason for reason in verdict_of(facts, [], POLICY).reasons if "河段至多覆盖" in reason.zh)
    assert planned.zh.endswith("距计划的 80%（2497 米）还差 747 米")
    assert asked.zh.endswith("距本判定要求的 60%（1873 米）还差 123 米")
    assert ("80 %" in planned.en, "60 %" in asked.en) == (True, True)


@pytest.mark.parametrize(("covered_m", "minutes", "mode", "found"), [
    (3_000, 14, "walk", True), (3_000, 15, "walk", False), (1_500, 2, "walk", False), (3_000, 5, "boat", False),
])  # fmt: skip
def test_much_in_no_time_on_foot(covered_m, minutes, mode, found):
    facts = patrol_of(coverage=walked(3_000, covered_m, covered_m, covered_m), minutes=minutes, mode=mode)
    assert (perfunctory(facts, POLICY) is not None) == found


@pytest.mark.parametrize(("every_s", "rate"), [(15.0, None), (16.0, 3.8), (60.0, 1.0)])
def test_sparse_fixes(every_s, rate):
    seen = sparse(patrol_of(track_beside(0, every_s=every_s)), POLICY)
    assert (seen and seen.evidence["per_minute"]) == rate


def test_whoever_stands_still_is_not_sparse():
    track = track_beside(0, every_s=60.0)
    assert sparse(patrol_of(replace(track, longitude=np.full(len(track), 119.8))), POLICY) is None


def test_no_usable_track():
    assert trackless(patrol_of(), POLICY) is None
    assert trackless(patrol_of(NO_FIXES), POLICY).evidence == {"fixes": 0, "usable": 0}
    assert trackless(patrol_of(track_beside(0, accuracy_m=800.0)), POLICY).evidence == {"fixes": 240, "usable": 0}

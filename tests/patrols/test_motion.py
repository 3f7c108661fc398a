"""Speeds are measured less what the accuracy may account for; a receiver's spikes are nobody's speed."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from patrol.patrols.coverage import cover
from patrol.patrols.facts import CheckInFact, PatrolFacts
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.motion import carried, course_of, on_foot, teleported, too_fast, way_m
from patrol.patrols.seen import Severity
from patrol.patrols.window import in_ms
from tests.patrols.labelled import BEGAN, ME, degrees, made


def patrol_of(track, mode="walk", **facts):
    end = BEGAN + timedelta(seconds=float(np.ptp(track.recorded_ms)) / 1000 if len(track) else 0)
    return PatrolFacts(patrol_id=UUID(int=50), person_id=ME, mode=mode, started_at=BEGAN, ended_at=end, received_at=end, now=end, track=track, **facts)


def straight(metres, *, every_s=5.0, accuracy_m=5.0, noise_m=0.0, seed=0):
    """A track at these metres towards the east."""
    metres = np.asarray(metres, dtype=float)
    places = np.column_stack([metres, np.zeros(len(metres))]) + np.random.default_rng(seed).uniform(-noise_m, noise_m, (len(metres), 2))
    latitude, longitude = degrees(places)
    accuracy = None if accuracy_m is None else np.full(len(metres), float(accuracy_m))
    return made(np.arange(len(metres)) * every_s, latitude, longitude, accuracy_m=accuracy)


def at_pace(mps, minutes, every_s=5.0, **rest):
    return straight(np.arange(0, minutes * 60, every_s) * mps, every_s=every_s, **rest)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 2.6), st.floats(1, 100), st.sampled_from([1.0, 5.0, 20.0, 60.0, 120.0]), st.integers(0, 99), st.booleans())
def test_whoever_walks_is_never_too_fast_whatever_noise_the_accuracy_tells_of(pace, accuracy_m, every_s, seed, told):
    noise_m = accuracy_m / 1.5 if told else 20.0
    track = at_pace(pace, 12, every_s, accuracy_m=accuracy_m if told else None, noise_m=noise_m, seed=seed)
    facts = patrol_of(track)
    assert (too_fast(facts, POLICY), carried(facts, POLICY), teleported(facts, POLICY)) == (None, None, None)


@pytest.mark.parametrize(("mode", "mps", "severity"), [
    ("walk", 4.0, Severity.MEDIUM), ("walk", 12.0, Severity.MEDIUM), ("boat", 12.0, None), ("vehicle", 20.0, Severity.SOFT),
    ("drone", 60.0, Severity.MEDIUM),
])  # fmt: skip
def test_each_mode_has_its_speeds(mode, mps, severity):
    seen = too_fast(patrol_of(at_pace(mps, 5), mode), POLICY)
    assert (seen and seen.severity) == severity
    if seen:
        assert seen.evidence["peak_mps"] == pytest.approx(mps, abs=0.4)


def test_a_minute_of_running_is_not_five_minutes_in_a_car():
    ran = np.concatenate([np.arange(60) * 6.0, 354 + np.arange(24) * 20.0, 834 + np.arange(60) * 6.0])
    assert carried(patrol_of(straight(ran)), POLICY) is None
    seen = carried(patrol_of(at_pace(8, 6)), POLICY)
    assert (seen.severity, seen.evidence["declared"]) == (Severity.MEDIUM, "walk")
    assert carried(patrol_of(at_pace(8, 6), "vehicle"), POLICY) is None


def test_two_minutes_in_a_car_are_too_fast_and_not_yet_another_mode():
    facts = patrol_of(at_pace(8, 4))
    assert too_fast(facts, POLICY) is not None
    assert carried(facts, POLICY) is None


def driven_along(metres, *, every_s=5.0):
    """A walk of a straight river of 3 km, at these metres of it, with what of it was covered."""
    track = straight(metres, every_s=every_s)
    latitude, longitude = degrees(np.array([[0.0, 0.0], [3_000.0, 0.0]]))
    river = shapely.LineString(np.column_stack([longitude, latitude]))
    return patrol_of(track, reaches=[river], coverages=[cover(river, track)], on_foot=[cover(river, on_foot(track, POLICY))])


def test_whoever_drives_along_the_river_and_waits_has_not_walked():
    driven, waits = np.arange(0, 3_000, 100.0), np.full(120, 3_000.0)
    seen = carried(driven_along(np.concatenate([driven, waits])), POLICY)
    assert (seen.severity, seen.evidence["on_foot_m"] < 0.3 * seen.evidence["covered_m"]) == (Severity.HIGH, True)
    short = carried(driven_along(np.concatenate([driven[:12], np.full(120, 1_100.0)])), POLICY)
    assert short.severity is Severity.HIGH, "a minute is enough"
    ran = carried(driven_along(np.concatenate([np.arange(0, 1_000, 22.5), np.full(120, 1_000.0)])), POLICY)
    assert ran.severity is Severity.MEDIUM


def test_whoever_walks_and_drives_home_along_the_river_has_walked():
    walked, home = np.arange(0, 3_000, 6.5), np.arange(3_000, 0, -70.0)
    for ways in ([walked, home], [home, walked]):
        seen = carried(driven_along(np.concatenate(ways)), POLICY)
        assert seen.severity is Severity.SOFT
    half = carried(driven_along(np.concatenate([walked[:277], np.arange(1_800, 3_000, 20.0)])), POLICY)
    assert half.severity is Severity.MEDIUM
    assert carried(driven_along(walked), POLICY) is None


@given(st.integers(0, 99))
def test_a_receivers_excursions_take_nothing_away_that_was_walked(seed):
    metres, rng = np.arange(0, 3_000, 6.5), np.random.default_rng(seed)
    for _ in range(20):
        first = rng.integers(0, len(metres))
        metres[first : first + 6] += rng.uniform(-450, 450)
    seen = carried(driven_along(metres), POLICY)
    assert seen is None or seen.severity is Severity.SOFT


def test_of_fixes_that_are_minutes_apart_nothing_is_known():
    assert carried(driven_along(np.arange(0, 3_000, 290.0), every_s=181.0), POLICY) is None


def test_a_fix_of_another_time_costs_nothing():
    track = at_pace(1.3, 5)
    far = replace(track, recorded_ms=np.append(track.recorded_ms[:-1], 250_000_000_000_000))
    assert way_m(course_of(far, POLICY)) == pytest.approx(way_m(course_of(track, POLICY)), abs=10)


def test_fast_moments_on_both_sides_of_a_silence_are_not_one_long_run():
    sprint = np.arange(19) * 20.0
    track = straight(np.concatenate([sprint, sprint]))
    later = np.where(np.arange(len(track)) < 19, 0, 600_000)
    assert too_fast(patrol_of(replace(track, recorded_ms=track.recorded_ms + later)), POLICY) is None


def test_a_ride_during_a_pause_is_nobodys_business():
    there = np.concatenate([np.arange(60) * 6.0, 354 + np.arange(60) * 50.0, 3304 + np.arange(60) * 6.0])
    rest = (in_ms(BEGAN) + 290_000, in_ms(BEGAN) + 605_000)
    facts = patrol_of(straight(there))
    assert carried(facts, POLICY) is not None
    assert carried(replace(facts, pauses_ms=[rest]), POLICY) is None
    assert too_fast(replace(facts, pauses_ms=[rest]), POLICY) is None


def jump(to_m, back_after=None, before=40, after=40):
    metres = np.arange(before + after) * 6.0
    until = None if back_after is None else before + back_after
    metres[before:until] += to_m
    return straight(metres)


def test_a_jump_that_stays_is_a_teleport():
    seen = teleported(patrol_of(jump(3_000)), POLICY)
    assert (seen.severity, seen.evidence["jumps"], seen.evidence["where"]) == (Severity.HIGH, 1, "track")
    assert seen.evidence["distance_m"] == pytest.approx(3_000 + 6 - 10, abs=10)


@pytest.mark.parametrize("fixes", [1, 2, 6, 20])
def test_an_excursion_that_comes_back_is_the_receivers(fixes):
    assert teleported(patrol_of(jump(900, back_after=fixes)), POLICY) is None


def test_neither_a_far_jump_after_hours_nor_a_short_one_is_a_teleport():
    assert teleported(patrol_of(jump(450)), POLICY) is None
    assert teleported(patrol_of(straight([0, 6, 12, 18, 3_000, 3_006], every_s=80)), POLICY) is None


def test_the_first_fixes_may_be_far_off():
    assert teleported(patrol_of(jump(2_000, before=2)), POLICY) is None
    assert teleported(patrol_of(jump(2_000, before=3)), POLICY) is not None


def test_a_jump_that_the_accuracy_explains_is_none():
    track = jump(650)
    assert teleported(patrol_of(track), POLICY) is not None
    assert teleported(patrol_of(replace(track, accuracy_m=np.full(len(track), 90.0))), POLICY) is None


@pytest.mark.parametrize(("seconds", "far_m", "found"), [(30, 3_000, True), (300, 3_000, False), (5, 400, False), (0, 3_000, True)])
def test_two_check_ins_tell_of_a_teleport_without_any_track(seconds, far_m, found):
    places = zip(*degrees(np.array([[0.0, 0.0], [far_m, 0.0]])), (0, seconds), strict=True)
    check_ins = [CheckInFact(UUID(int=n), BEGAN + timedelta(seconds=s), lat, lon, 10.0, None) for n, (lat, lon, s) in enumerate(places)]
    facts = patrol_of(straight([]), check_ins=check_ins)
    seen = teleported(facts, POLICY)
    assert (seen is not None) == found
    if found:
        assert seen.evidence["where"] == "check_ins"


def test_the_way_is_what_was_walked_and_standing_still_adds_nothing():
    assert way_m(course_of(at_pace(1.3, 20, noise_m=3), POLICY)) == pytest.approx(1.3 * 1_195, rel=0.03)
    assert way_m(course_of(straight(np.zeros(720), accuracy_m=15, noise_m=12), POLICY)) == 0
    assert way_m(course_of(straight([]), POLICY)) == 0


@given(st.integers(0, 20))
def test_a_lone_spike_leaves_the_course_as_it_was(at):
    track = at_pace(1.3, 3)
    spiked = replace(track, latitude=track.latitude + np.where(np.arange(len(track)) == at + 5, 0.02, 0))
    assert len(course_of(spiked, POLICY)) == len(track) - 1

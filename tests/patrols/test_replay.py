"""Copies of a track are found however they were shifted, cut or shaken; walks of the same path are not."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from patrol.patrols.facts import OtherPatrol
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.replay import replayed, too_clean
from patrol.patrols.seen import Severity
from tests.patrols.labelled import BEGAN, ME, Case, drawn, external_receiver, shifted, some


def case_of(seed=0):
    return Case(np.random.default_rng([7, seed]))


def patrol_of(case, track, *earlier):
    tracks = [OtherPatrol(UUID(int=n), ME, BEGAN, None, other) for n, other in enumerate(earlier)]
    return case.patrol(track, check_ins=0, earlier=tracks)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 5), st.integers(10, 60 * 24 * 90), st.floats(0, 0.4), st.floats(0.6, 1), st.floats(0, 1.2))
def test_a_copy_is_found_however_it_was_shifted_cut_and_shaken(seed, minutes, first, last, noise_m):
    case = case_of(seed)
    earlier = case.walk()
    at = np.arange(len(earlier)) / len(earlier)
    copy = shifted(some(earlier, (at >= first) & (at <= last)), timedelta(minutes=minutes))
    noise = case.rng.normal(size=(2, len(copy))) * noise_m / 111_000
    copy = replace(copy, latitude=copy.latitude + noise[0], longitude=copy.longitude + noise[1])
    seen = replayed(patrol_of(case, copy, case.walk(), earlier), POLICY)
    # Cut to less than the policy's way it proves nothing either way.
    if last - first > 0.3:
        assert (seen.severity, seen.evidence["patrol_id"]) == (Severity.HIGH, str(UUID(int=1)))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 5), st.integers(10, 60 * 24 * 90), st.floats(-4, 4), st.tuples(st.floats(6, 90), st.floats(-90, 90)))
def test_a_copy_that_was_moved_aside_is_found(seed, minutes, seconds, aside_m):
    case = case_of(seed)
    earlier = case.walk()
    copy = shifted(some(earlier, np.arange(len(earlier)) % 7 > 0), timedelta(minutes=minutes, seconds=seconds))
    north, east = aside_m[0] / 111_000, aside_m[1] / 96_800
    copy = replace(copy, latitude=(copy.latitude + north).round(6), longitude=(copy.longitude + east).round(6))
    seen = replayed(patrol_of(case, copy, case.walk(), earlier), POLICY)
    assert (seen.severity, seen.evidence["patrol_id"]) == (Severity.HIGH, str(UUID(int=1)))


def test_the_same_coordinates_are_a_copy_in_whatever_order_of_time():
    case = case_of()
    earlier = case.walk()
    backwards = replace(earlier, latitude=earlier.latitude[::-1], longitude=earlier.longitude[::-1])
    seen = replayed(patrol_of(case, shifted(backwards, timedelta(days=3)), earlier), POLICY)
    assert (seen.evidence["how"], seen.evidence["percent"]) == ("coordinates", 100.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 50), st.floats(0.8, 4))
def test_the_daily_round_is_no_copy_even_with_a_very_good_receiver(seed, sigma_m):
    case = case_of(seed)
    case.sigma_m = sigma_m
    assert replayed(patrol_of(case, case.walk(), *(shifted(case.walk(), timedelta(days=-n)) for n in range(3))), POLICY) is None


def test_people_who_walk_together_are_no_copies_of_each_other():
    case = case_of()
    case.sigma_m = 1.0
    seconds, places = case.places()
    assert replayed(patrol_of(case, case.recorded(seconds, places), case.recorded(seconds, places)), POLICY) is None
    later = shifted(case.recorded(seconds, places), timedelta(minutes=10))
    assert replayed(patrol_of(case, case.recorded(seconds, places), later), POLICY) is not None


def test_whoever_follows_in_step_with_ordinary_receivers_is_no_copy():
    case = case_of()
    case.sigma_m = 2.2
    seconds, places = case.places()
    behind = shifted(case.recorded(seconds, places), timedelta(minutes=-10))
    assert replayed(patrol_of(case, case.recorded(seconds, places), behind), POLICY) is None


def test_a_short_stretch_in_common_is_no_copy_of_the_whole():
    case = case_of()
    track = case.walk()
    part = shifted(some(track, np.arange(len(track)) < 0.3 * len(track)), timedelta(days=-1))
    assert replayed(patrol_of(case, track, part), POLICY) is None


def test_a_phone_that_lay_still_repeats_nothing():
    case = case_of()
    place = np.repeat([[100.0, 0.0]], 300, axis=0)
    lying = case.recorded(np.arange(300) * 5.0, place)
    assert replayed(patrol_of(case, lying, shifted(lying, timedelta(days=-1))), POLICY) is None


def test_a_long_rest_on_the_same_bench_is_no_copy():
    case = case_of()
    case.sigma_m = 0.1
    bench = np.repeat([[100.0, 0.0]], 280, axis=0)
    walk = 100.0 + np.column_stack([np.arange(120) * 6.0, np.full(120, -100.0)])
    rested = case.recorded(np.arange(400) * 5.0, np.concatenate([bench, walk]))
    yesterday = shifted(case.recorded(np.arange(280) * 5.0, bench), timedelta(days=-1))
    assert replayed(patrol_of(case, rested, yesterday), POLICY) is None


def test_earlier_tracks_that_are_empty_short_or_elsewhere_are_passed_over():
    case = case_of()
    track = case.walk()
    away = replace(track, latitude=track.latitude + 1)
    assert replayed(patrol_of(case, track, track.at(np.arange(0)), shifted(track.at(np.arange(1)), timedelta(days=-1)), away), POLICY) is None


def test_one_sign_of_cleanliness_says_nothing():
    case = case_of()
    walk = case.walk()
    count = len(walk)
    level = replace(walk, altitude_m=np.full(count, 12.0))
    assert too_clean(patrol_of(case, level), POLICY) is None
    rounded = replace(level, accuracy_m=np.full(count, 5.0))
    assert too_clean(patrol_of(case, rounded), POLICY).severity is Severity.SOFT
    unknown = replace(level, accuracy_m=np.full(count, np.nan), altitude_m=np.full(count, np.nan))
    assert too_clean(patrol_of(case, unknown), POLICY) is None


def test_a_drawn_line_is_seen_by_what_it_lacks():
    case = case_of()
    unknown = {"accuracy_m": None, "altitude_m": None, "speed_mps": None}
    on_the_map = too_clean(patrol_of(case, drawn(case, case.line, **unknown)), POLICY)
    assert (on_the_map.severity, on_the_map.evidence["on_the_drawn_line"]) == (Severity.HIGH, True)
    beside = case.line + np.array([0.0, 40.0])
    assert too_clean(patrol_of(case, drawn(case, beside, **unknown)), POLICY) is None
    constant = replace(drawn(case, beside, **unknown), accuracy_m=np.full(len(drawn(case, beside)), 3.0))
    assert too_clean(patrol_of(case, constant), POLICY).severity is Severity.MEDIUM
    assert too_clean(patrol_of(case, drawn(case, beside)), POLICY).severity is Severity.HIGH


def test_a_drawn_line_is_seen_though_fixes_are_missing():
    case = case_of()
    line = drawn(case, case.line, accuracy_m=None, altitude_m=None, speed_mps=None)
    seen = too_clean(patrol_of(case, some(line, case.rng.random(len(line)) < 0.75)), POLICY)
    assert (seen.severity, seen.evidence["on_the_drawn_line"]) == (Severity.HIGH, True)


def test_a_fix_of_another_time_costs_nothing():
    case = case_of()
    track = drawn(case, case.line)
    far = replace(track, recorded_ms=np.append(track.recorded_ms[:-1], 250_000_000_000_000))
    assert too_clean(patrol_of(case, far), POLICY).severity is Severity.HIGH
    assert replayed(patrol_of(case, far, case.walk(), far), POLICY).severity is Severity.HIGH


def test_a_receiver_exact_to_decimetres_is_not_too_clean():
    for seed in range(6):
        assert too_clean(external_receiver(case_of(seed)), POLICY) is None

"""Clocks: late is never wrong, zones explain whole half hours, and one slow message is no moved clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.patrols.clocks import ahead, began_by_our_clock, moved, skewed
from patrol.patrols.facts import Batch, PatrolFacts
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.seen import Severity
from patrol.patrols.track import NO_TRACK
from tests.patrols.labelled import BEGAN, ME

END = BEGAN + timedelta(hours=1)


def patrol_of(*skews_s, late_s=0.0):
    """A patrol whose deliveries came five minutes apart from a clock that was off by so many seconds at each."""
    batches = []
    for n, skew_s in enumerate(skews_s):
        received = END + timedelta(minutes=5 * n)
        sent = received + timedelta(seconds=skew_s)
        batches.append(Batch(received_at=received, last_recorded_at=sent - timedelta(seconds=late_s), sent_at=sent))
    last = END + timedelta(days=1)
    return PatrolFacts(patrol_id=UUID(int=50), person_id=ME, mode="walk", track=NO_TRACK, started_at=BEGAN, ended_at=END, received_at=END, now=last, batches=batches)


@given(st.floats(0, 30 * 86_400), st.floats(-100, 100))
def test_weeks_without_signal_say_nothing(late_s, skew_s):
    facts = patrol_of(skew_s, late_s=late_s)
    assert (ahead(facts, POLICY), skewed(facts, POLICY), moved(facts, POLICY)) == (None, None, None)


@given(st.integers(-28, 28).filter(bool), st.floats(-150, 150))
def test_a_wrong_zone_is_only_told(half_hours, off_s):
    facts = patrol_of(half_hours * 1_800 + off_s)
    for seen in (ahead(facts, POLICY), skewed(facts, POLICY)):
        assert seen is None or (seen.severity, seen.evidence["zone_h"]) == (Severity.INFO, half_hours / 2)
    assert skewed(facts, POLICY) is not None


def test_ahead_is_what_was_recorded_after_it_was_received():
    seen = ahead(patrol_of(1_000), POLICY)
    assert (seen.severity, seen.evidence) == (Severity.MEDIUM, {"ahead_s": 1_000, "zone_h": None})
    assert ahead(patrol_of(299), POLICY) is None
    facts = patrol_of(1_000)
    silent = replace(facts, batches=[replace(batch, sent_at=None) for batch in facts.batches])
    assert ahead(silent, POLICY).severity is Severity.INFO
    by_delays = replace(facts, batches=[], delays_s=[3_600.0, -1_000.0])
    assert (ahead(by_delays, POLICY).severity, ahead(by_delays, POLICY).evidence["ahead_s"]) == (Severity.INFO, 1_000)


@pytest.mark.parametrize(("skews_s", "severity"), [
    ((90_000,), Severity.HIGH), ((-90_100,), Severity.INFO), ((-90_100, -90_103), Severity.HIGH), ((-90_100, -95_000), Severity.INFO),
    ((1_000,), Severity.INFO), ((100,), None), ((), None),
])  # fmt: skip
def test_only_a_clock_that_is_surely_on_another_day_is_grave(skews_s, severity):
    seen = skewed(patrol_of(*skews_s), POLICY)
    assert (seen and seen.severity) == severity


@pytest.mark.parametrize(("skews_s", "severity"), [
    ((0, 1, 700, 701), Severity.HIGH), ((700, 701, 0, 1), Severity.SOFT), ((0, 1, 3_600, 3_601), Severity.INFO), ((0, 1, -500, 1, 0), None),
    ((0, 700, 0, 700), None), ((0, 1, 2, 50, 51), None), ((0, 700), None), ((), None),
])  # fmt: skip
def test_a_moved_clock_shows_in_two_deliveries_on_each_side(skews_s, severity):
    seen = moved(patrol_of(*skews_s), POLICY)
    assert (seen and seen.severity) == severity


def begun(*skews_s, lead_s, received_after=timedelta(0)):
    """A patrol begun by a clock that was ahead by so many seconds, and received so long after; its deliveries' skews."""
    facts = patrol_of(*skews_s)
    return replace(facts, started_at=BEGAN + timedelta(seconds=lead_s), received_at=BEGAN + received_after)


@given(st.integers(1, 28), st.floats(-100, 0), st.floats(0, 20))
def test_where_a_zone_says_how_far_a_clock_is_ahead_the_start_is_known(half_hours, slow_s, late_h):
    lead_s = half_hours * 1_800
    facts = begun(lead_s + slow_s, lead_s, lead_s + slow_s / 2, lead_s=lead_s, received_after=timedelta(hours=late_h))
    assert began_by_our_clock(facts, POLICY) == BEGAN


@pytest.mark.parametrize(("skews_s", "wanted_s"), [
    # Two agree to the second; one alone that no zone explains may have been under way.
    ((1_000, 995), 0), ((1_000,), None), ((1_000, 900), None), ((), None), ((-8 * 3_600, -8 * 3_600), None), ((0, 1), None),
    # A clock that was set right, or set ahead, on patrol; a message that took an hour; an hour less than was told.
    ((28_800, 28_800, 0, 1), None), ((0, 1, 28_800, 28_800), None), ((28_800, 25_000), None),
    # Farther than any zone.
    ((54_000, 54_000), None),
])  # fmt: skip
def test_deliveries_that_do_not_agree_leave_the_start_unknown(skews_s, wanted_s):
    facts = begun(*skews_s, lead_s=max(skews_s, default=28_800))
    began = began_by_our_clock(facts, POLICY)
    assert began == (None if wanted_s is None else BEGAN + timedelta(seconds=wanted_s))


def test_a_start_that_stays_in_the_future_is_not_known():
    assert began_by_our_clock(begun(28_800, 28_800, lead_s=40_000), POLICY) is None


def test_a_start_on_the_calendars_first_day_has_no_earlier_one():
    facts = replace(patrol_of(28_800, 28_800), started_at=datetime.min.replace(tzinfo=UTC))
    assert began_by_our_clock(facts, POLICY) is None

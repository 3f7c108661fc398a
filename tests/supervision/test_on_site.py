"""On the spot or not: distance less accuracy, and the time between planning and receipt."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.supervision.on_site import findings_of

PLANNED, RECEIVED = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)


def codes(distance_m=0.0, accuracy_m=8.0, recorded_at=RECEIVED):
    found = findings_of(
        distance_m=distance_m, accuracy_m=accuracy_m, recorded_at=recorded_at, planned_at=PLANNED, received_at=RECEIVED, tolerance_m=200.0)
    return [finding.code for finding in found]


@pytest.mark.parametrize(("distance_m", "accuracy_m", "found"), [
    (200, None, []), (201, None, ["far_from_place"]), (300, 100, []), (301, 100, ["far_from_place"]), (201, 101, ["far_from_place"]),
    (12_713_000, 20_000_000, ["far_from_place"]),
])
def test_how_far_is_too_far(distance_m, accuracy_m, found):
    assert codes(distance_m, accuracy_m) == found


@pytest.mark.parametrize(("recorded_at", "found"), [
    (PLANNED - timedelta(minutes=5), []), (PLANNED - timedelta(minutes=6), ["clock"]), (RECEIVED + timedelta(minutes=5), []),
    (RECEIVED + timedelta(minutes=6), ["clock"]), (datetime(2020, 1, 1, tzinfo=UTC), ["clock"]),
])
def test_which_times_can_be(recorded_at, found):
    assert codes(recorded_at=recorded_at) == found


@given(st.floats(0, 2e7), st.none() | st.floats(0, 1e6), st.timedeltas(timedelta(days=-3000), timedelta(days=3000)))
def test_nearer_is_never_worse(distance_m, accuracy_m, off):
    assert len(codes(distance_m / 2, accuracy_m, RECEIVED + off)) <= len(codes(distance_m, accuracy_m, RECEIVED + off)) <= 2

"""A policy travels through a table's row unchanged, and a row that makes no sense is refused."""

import json

import pytest

from patrol.patrols.integrity_policy import DEFAULT_POLICY, IntegrityPolicy


def test_a_policy_survives_its_row():
    changed = IntegrityPolicy(version="valley-2", geofence_m=150.0)
    assert IntegrityPolicy.from_data(json.loads(json.dumps(changed.as_data()))) == changed
    assert changed != DEFAULT_POLICY


def test_what_a_row_leaves_out_has_its_default():
    policy = IntegrityPolicy.from_data({"version": "v", "geofence_m": 150})
    assert (policy.geofence_m, policy.off_track_m) == (150.0, DEFAULT_POLICY.off_track_m)


@pytest.mark.parametrize("data", [
    {"version": "v", "geofense_m": 1.0}, {"version": "v", "geofence_m": "wide"}, {"version": "v", "geofence_m": -1}, {"version": "v", "geofence_m": True},
    {"version": "v", "geofence_m": float("nan")}, {"version": "v", "geofence_m": float("inf")}, {"version": "v", "geofence_m": None}, {"version": ""}, {},
])  # fmt: skip
def test_a_row_that_makes_no_sense_is_refused(data):
    with pytest.raises(ValueError):
        IntegrityPolicy.from_data(data)


def test_thresholds_are_told_by_name():
    assert DEFAULT_POLICY.of(("geofence_m", "gap_s")) == {"geofence_m": 100.0, "gap_s": 600.0}

"""What is doubtful and what is not, at and beyond each limit."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.doubts import Known, Shot, doubts_about_photos, doubts_about_report

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
PLACE = {"latitude": 29.6, "longitude": 119.81, "accuracy_m": 10.0, "recorded_at": AT, "dispatched_at": AT + timedelta(hours=1)}
METRES = 1 / 111_000


def shot(kind="before", **fields):
    usual = {"sha256": uuid4().hex, "likeness": None, "taken_at": None, "latitude": None, "longitude": None}
    return Shot(id=uuid4(), kind=kind, **{**usual, **fields})


def codes(*shots, known=(), **changes):
    return [doubt.code for doubt in doubts_about_photos(shots, known, **{**PLACE, **changes})]


@pytest.mark.parametrize(
    ("off", "accuracy_m", "wanted"),
    [
        (timedelta(0), 10, []), (timedelta(hours=23), None, []), (timedelta(hours=-23), 100, []),
        (timedelta(hours=25), 10, ["clock_off"]), (timedelta(days=-400), 10, ["clock_off"]),
        (timedelta(0), 101, ["poor_accuracy"]), (timedelta(days=400), 500, ["clock_off", "poor_accuracy"]),
    ],
)  # fmt: skip
def test_a_report(off, accuracy_m, wanted):
    assert [doubt.code for doubt in doubts_about_report(AT + off, AT, accuracy_m)] == wanted


@pytest.mark.parametrize(
    ("away_m", "accuracy_m", "wanted"),
    [(100, 10, []), (160, 10, ["photo_far"]), (160, 60, []), (200, 60, ["photo_far"]), (160, None, ["photo_far"])],
)
def test_a_photos_place(away_m, accuracy_m, wanted):
    taken = shot(latitude=29.6 + away_m * METRES, longitude=119.81)
    assert codes(taken, accuracy_m=accuracy_m) == wanted


@pytest.mark.parametrize(
    ("kind", "hours", "wanted"),
    [
        ("before", -71, []), ("before", -73, ["photo_old"]), ("before", 5, []), ("after", 2, []), ("after", 0.5, ["after_photo_early"]),
        ("during", -73, []),
    ],
)  # fmt: skip
def test_a_photos_time(kind, hours, wanted):
    assert codes(shot(kind, taken_at=AT + timedelta(hours=hours))) == wanted


def test_an_after_photo_that_is_the_before_photo():
    before = shot(likeness="ffff0000ffff0000")
    assert codes(before, shot("after", sha256=before.sha256)) == ["after_photo_same"]
    assert codes(before, shot("after", likeness="ffff0000ffff000f")) == ["after_photo_same"]
    assert codes(before, shot("after", likeness="ffff0000ffff001f")) == []
    assert codes(before, shot("before", sha256=before.sha256)) == []


def test_a_photo_from_another_issue():
    other = Known(uuid4(), "XH0000007", "a" * 64, "ffff0000ffff0000")
    [doubt] = doubts_about_photos([shot("after", sha256="a" * 64)], [other], **PLACE)
    assert (doubt.code, doubt.severity, doubt.evidence["issue"]) == ("photo_reused", "serious", "XH0000007")
    assert "XH0000007" in doubt.text.zh
    assert codes(shot(likeness="ffff0000ffff0001"), known=[other]) == ["photo_reused"]
    assert codes(shot(likeness="0000ffff0000ffff"), known=[other]) == []


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), st.none() | st.floats(0, 1e6))
def test_any_clock_is_borne(recorded_at, received_at, accuracy_m):
    for doubt in doubts_about_report(recorded_at, received_at, accuracy_m):
        assert set(doubt.as_data()) == {"code", "severity", "evidence", "zh", "en", "version"}

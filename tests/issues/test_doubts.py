"""What is doubtful and what is not, at and beyond each limit."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.doubts import Known, Shot, doubts_about_photos, doubts_about_report

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
PLACE = {"latitude": 29.6, "longitude": 119.81, "accuracy_m": 10.0, "recorded_at": AT}
METRES = 1 / 111_000


def shot(kind="before", **fields):
    usual = {
        "sha256": uuid4().hex, "likeness": None, "taken_at": None, "latitude": None, "longitude": None, "seq": 5 if kind == "after" else 1,
        "since": AT + timedelta(hours=1),
    }  # fmt: skip
    return Shot(id=uuid4(), kind=kind, **{**usual, **fields})


def codes(*shots, known=(), **changes):
    return [doubt.code for doubt in doubts(*shots, known=known, **changes)]


def doubts(*shots, known=(), **changes):
    """Return the doubts but that nothing tells when or where: few of the photos here say both."""
    found = doubts_about_photos(shots, known, **{**PLACE, **changes})
    return [doubt for doubt in found if not doubt.code.endswith("_untold")]


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


def test_far_away_is_said_in_kilometres():
    """A photo from another continent is not nine million metres away."""
    [far] = doubts(shot("before", latitude=-33.9, longitude=18.4, place_by="device"), accuracy_m=10)
    assert re.fullmatch(r"照片位置距问题位置 1[0-9]{4} 公里", far.text.zh), far.text.zh
    [near] = doubts(shot("before", latitude=29.6 + 200 * METRES, longitude=119.81, place_by="device"), accuracy_m=10)
    assert near.text.zh == "照片位置距问题位置 200 米"


@pytest.mark.parametrize(
    ("kind", "away_m", "accuracy_m", "wanted"),
    [
        ("before", 100, 10, []), ("before", 160, 10, ["photo_far"]), ("before", 160, 60, []), ("before", 200, 60, ["photo_far"]),
        ("before", 160, None, ["photo_far"]), ("after", 98, None, []), ("after", 102, None, ["photo_far"]),
        ("after", 108, 10, []), ("after", 112, 10, ["photo_far"]), ("after", 139, 50, []), ("after", 155, 50, ["photo_far"]),
        # Where the issue's own place is known to some hundred metres only, nothing shows that the photo is near it.
        ("after", 98, 5_000, []), ("after", 290, 5_000, ["photo_place_unsure"]), ("after", 5_000, 5_000, ["photo_place_unsure"]),
        ("after", 5_200, 5_000, ["photo_far"]), ("check", 290, 90, ["photo_far"]), ("check", 290, 200, ["photo_place_unsure"]),
    ],
)  # fmt: skip
def test_a_photos_place(kind, away_m, accuracy_m, wanted):
    taken = shot(kind, latitude=29.6 + away_m * METRES, longitude=119.81, place_by="device")
    assert codes(taken, accuracy_m=accuracy_m) == wanted
    if wanted:
        [doubt] = doubts(taken, accuracy_m=accuracy_m)
        assert doubt.evidence["by"] == "device"
        if kind != "before":
            assert doubt.evidence["threshold_m"] == 100 + (accuracy_m or 0)


@pytest.mark.parametrize(
    ("kind", "hours", "wanted"),
    [
        ("before", -71, []), ("before", -73, ["photo_old"]), ("before", 5, []), ("after", 2, []), ("after", 0.5, ["after_photo_early"]),
        ("during", -73, []),
    ],
)  # fmt: skip
def test_a_photos_time(kind, hours, wanted):
    assert codes(shot(kind, taken_at=AT + timedelta(hours=hours))) == wanted


@pytest.mark.parametrize(("since_is", "words"), [("dispatch", "派单"), ("return", "退回"), ("report", "上报")])
def test_an_after_photo_from_before_the_work_says_before_what(since_is, words):
    [early] = doubts(shot("after", taken_at=AT, since_is=since_is))
    [known] = doubts(shot("after", received_at=AT, since_is=since_is))
    assert (early.code, known.code) == ("after_photo_early", "after_photo_known")
    assert words in early.text.zh
    assert words in known.text.zh


@pytest.mark.parametrize(("taken", "by", "wanted"), [
    ("16:22:33", "exif", []), ("16:22:32", "exif", ["after_photo_early"]), ("16:22:33.076", "device", ["after_photo_early"]), ("16:22:33.077", "device", []),
])  # fmt: skip
def test_a_whole_second_is_before_only_what_comes_after_that_second(taken, by, wanted):
    since, moment = (datetime.fromisoformat(f"2026-05-02T{told}+00:00") for told in ("16:22:33.077", taken))
    proof = shot("after", taken_at=moment, time_by=by, since=since)
    elsewhere = Known(uuid4(), None, proof.sha256, None, moment)
    assert codes(proof) == wanted
    assert codes(proof, known=[elsewhere]) == [*wanted, *(["after_photo_known"] if wanted else [])]


BEFORE = "ffff0000ffff0000"


@pytest.mark.parametrize(
    ("after", "differ", "wanted"),
    [
        ({"likeness": BEFORE}, None, ["after_photo_similar"]), ({"likeness": BEFORE}, 0.61, ["after_photo_similar"]),
        ({"likeness": BEFORE, "taken_at": AT + timedelta(hours=2)}, None, []), ({"likeness": "ffff0000ffff000f"}, 0.59, ["after_photo_same"]),
        ({"likeness": "ffff0000ffff001f"}, 0.01, []), ({"likeness": "ffff0000ffff000f", "taken_at": AT}, 0.9, ["after_photo_early", "after_photo_same"]),
        ({"likeness": "ffff0000ffff000f", "taken_at": AT + timedelta(hours=2)}, 0.9, []),
    ],
)  # fmt: skip
def test_only_a_copy_of_an_earlier_photo_is_the_same(after, differ, wanted):
    pair = (shot(likeness=BEFORE, taken_at=AT), shot("after", **after))
    assert codes(*pair, difference=lambda _one, _other: differ) == wanted


def test_the_same_file_again_is_the_same_whatever_it_was():
    before, during = shot(), shot("during", seq=3)
    for other in (before, during, shot("after", seq=4)):
        assert codes(other, shot("after", sha256=other.sha256)) == ["after_photo_same"]
    assert codes(shot("after"), shot("after")) == []
    assert codes(before, shot("before", sha256=before.sha256, seq=2)) == []


def test_a_photo_from_another_issue():
    other = Known(uuid4(), "XH0000007", "a" * 64, BEFORE)
    [doubt] = doubts(shot("after", sha256="a" * 64), known=[other])
    assert (doubt.code, doubt.severity, doubt.evidence["issue"]) == ("photo_reused", "serious", "XH0000007")
    assert "XH0000007" in doubt.text.zh
    assert codes(shot(likeness="ffff0000ffff0001"), known=[other], difference=lambda _one, _other: 0.01) == ["photo_reused"]
    [alike] = doubts(shot(likeness="ffff0000ffff0001"), known=[other])
    assert (alike.code, alike.severity) == ("photo_similar", "info")
    assert codes(shot(likeness="0000ffff0000ffff"), known=[other]) == []


@pytest.mark.parametrize(
    ("kind", "known", "wanted"),
    [
        ("after", {"received_at": AT}, ["after_photo_known"]), ("after", {"received_at": AT + timedelta(hours=2)}, []),
        ("after", {"received_at": AT + timedelta(hours=2), "taken_at": AT}, ["after_photo_known"]), ("before", {"received_at": AT}, []),
    ],
)  # fmt: skip
def test_a_photo_that_was_sent_for_something_else(kind, known, wanted):
    assert codes(shot(kind, sha256="a" * 64), known=[Known(uuid4(), None, "a" * 64, None, **known)]) == wanted


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"least_side_px": 240}, []), ({"least_side_px": 239}, ["photo_tiny"]), ({"is_blank": True}, ["photo_blank"]),
        ({"lacks_pair": True}, ["after_photo_unpaired"]),
    ],
)  # fmt: skip
def test_a_photo_that_shows_little(fields, wanted):
    assert codes(shot("after", **fields)) == wanted


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), st.none() | st.floats(0, 1e6))
def test_any_clock_is_borne(recorded_at, received_at, accuracy_m):
    for doubt in doubts_about_report(recorded_at, received_at, accuracy_m):
        assert set(doubt.as_data()) == {"code", "severity", "evidence", "zh", "en", "version"}


@pytest.mark.parametrize(("kind", "fields", "wanted"), [
    ("after", {}, "when and where"), ("after", {"taken_at": AT + timedelta(hours=2)}, "where"), ("before", {}, None),
    ("after", {"latitude": 29.6, "longitude": 119.81}, "when"), ("check", {}, "when and where"),
    ("after", {"taken_at": AT + timedelta(hours=2), "latitude": 29.6, "longitude": 119.81}, None),
])
def test_a_proof_that_tells_nothing_says_so(kind, fields, wanted):
    found = doubts_about_photos([shot(kind, **fields)], [], **PLACE)
    assert [(row.code, row.severity, row.text.en) for row in found] == (
        [(f"{kind}_photo_untold", "info", f"Nothing tells {wanted} the photo was taken")] if wanted else [])

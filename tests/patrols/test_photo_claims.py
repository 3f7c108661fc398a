"""Photos: what a file claims beside the check-in. What it does not say is unknown; what a zone explains is explained."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.geometry import Datum, from_wgs84
from patrol.patrols.facts import CheckInFact, PatrolFacts, PhotoFact, SeenElsewhere
from patrol.patrols.integrity_policy import DEFAULT_POLICY as POLICY
from patrol.patrols.photo_claims import alike, at_another_time, duplicated, elsewhere, not_from_the_camera, older
from patrol.patrols.seen import Severity
from patrol.patrols.track import NO_TRACK
from tests.patrols.labelled import ME

BEGAN = datetime(2026, 5, 12, 1, 0, tzinfo=UTC)
AT = BEGAN + timedelta(minutes=20)
RULES = (alike, at_another_time, duplicated, elsewhere, not_from_the_camera, older)


def photo(number=1, **claims):
    return PhotoFact(**({"id": UUID(int=number), "sha256": f"{number:064x}", "check_in_id": UUID(int=100), "recorded_at": None} | claims))


def patrol_of(*photos, seen=(), accuracy_m=10.0, **more):
    """A patrol with one check-in, on which the photos are."""
    end = BEGAN + timedelta(hours=2)
    check_in = CheckInFact(UUID(int=100), AT, 29.6, 119.8, accuracy_m, 5.0)
    return PatrolFacts(patrol_id=UUID(int=50), person_id=ME, mode="walk", started_at=BEGAN, ended_at=end, received_at=end, now=end, track=NO_TRACK,
                       check_ins=[check_in], photos=photos, seen_elsewhere=seen, **more)  # fmt: skip


def seen_before(number=1, *, other=900, same=False, bits=0, days=7.0):
    return SeenElsewhere(UUID(int=number), UUID(int=other), same, bits, days)


def as_written(at):
    """A moment as cameras write it, without a zone."""
    return at.strftime("%Y:%m:%d %H:%M:%S")


def severity(seen):
    return seen and seen.severity


def test_a_photo_that_says_nothing_is_not_suspect():
    assert [rule(patrol_of(photo()), POLICY) for rule in RULES] == [None] * 6
    assert [rule(patrol_of(), POLICY) for rule in RULES] == [None] * 6


def test_a_file_that_another_patrol_showed_before():
    seen = duplicated(patrol_of(photo(1), seen=[seen_before(same=True)]), POLICY)
    assert (seen.severity, seen.evidence["on"]) == (Severity.HIGH, "earlier_patrol")
    assert seen.evidence["pairs"] == [{"photo_id": str(UUID(int=1)), "other_photo_id": str(UUID(int=900)), "bits": 0, "days_apart": 7.0}]
    assert duplicated(patrol_of(photo(1), seen=[seen_before(same=False)]), POLICY) is None


def test_one_file_at_two_check_ins_of_one_patrol_is_a_slip():
    twice = [photo(1), photo(2, check_in_id=UUID(int=101))]
    seen = duplicated(patrol_of(*twice, seen=[seen_before(2, other=1, same=True, days=0.01)]), POLICY)
    assert (seen.severity, seen.evidence["on"]) == (Severity.SOFT, "this_patrol")
    both = [seen_before(2, other=1, same=True), seen_before(1, same=True)]
    assert duplicated(patrol_of(*twice, seen=both), POLICY).severity is Severity.HIGH


@pytest.mark.parametrize(("bits", "days", "same", "found"), [(0, 7, False, True), (4, 7, False, True), (5, 7, False, False), (0, 0.2, False, False), (0, 7, True, False)])
def test_pictures_that_look_alike_count_between_days_only(bits, days, same, found):
    facts = patrol_of(photo(), seen=[seen_before(bits=bits, days=days, same=same)])
    assert severity(alike(facts, POLICY)) == (Severity.SOFT if found else None)


def test_pictures_of_one_patrol_look_alike_naturally():
    assert alike(patrol_of(photo(1), photo(2), seen=[seen_before(2, other=1)]), POLICY) is None


@pytest.mark.parametrize(("north_m", "accuracy_m", "expected"), [
    (100, 10.0, None), (200, 10.0, Severity.SOFT), (200, 80.0, None), (200, None, Severity.SOFT), (5_000, 10.0, Severity.MEDIUM),
])  # fmt: skip
def test_a_photo_from_elsewhere(north_m, accuracy_m, expected):
    facts = patrol_of(photo(exif_latitude=29.6 - north_m / 110_900, exif_longitude=119.8), accuracy_m=accuracy_m)
    assert severity(elsewhere(facts, POLICY)) == expected


def test_a_camera_that_writes_gcj02_is_where_it_is():
    latitude, longitude = from_wgs84(29.6, 119.8, Datum.GCJ02)
    assert elsewhere(patrol_of(photo(exif_latitude=latitude, exif_longitude=longitude)), POLICY) is None
    assert elsewhere(patrol_of(photo(exif_latitude=-33.9, exif_longitude=18.4)), POLICY).severity is Severity.MEDIUM


@given(st.integers(-24, 28), st.integers(-590, 590))
def test_no_zone_makes_a_local_time_wrong(half_hours, seconds):
    local = as_written(AT + timedelta(minutes=30 * half_hours, seconds=seconds))
    assert at_another_time(patrol_of(photo(exif_local_time=local)), POLICY) is None


@pytest.mark.parametrize(("claims", "expected"), [
    ({"exif_taken_at": AT - timedelta(minutes=9)}, None), ({"exif_taken_at": AT - timedelta(minutes=11)}, 11), ({"exif_taken_at": AT + timedelta(hours=8)}, 480),
    ({"exif_local_time": as_written(AT + timedelta(hours=8, minutes=15))}, 15), ({"exif_local_time": as_written(AT - timedelta(days=3))}, 3_600),
    ({"exif_taken_at": datetime(2000, 1, 1, tzinfo=UTC)}, None), ({"exif_local_time": "1980:01:01 00:00:00"}, None), ({"exif_local_time": "rubbish"}, None),
    ({"exif_local_time": "2026-05-09T01:20:00"}, 3_600),
])  # fmt: skip
def test_a_photo_of_another_time(claims, expected):
    seen = at_another_time(patrol_of(photo(**claims)), POLICY)
    assert (seen and seen.evidence["minutes"]) == expected


@pytest.mark.parametrize(("claims", "expected"), [
    ({"recorded_at": BEGAN - timedelta(minutes=4)}, None), ({"recorded_at": BEGAN - timedelta(minutes=6)}, Severity.MEDIUM),
    ({"exif_taken_at": BEGAN - timedelta(hours=25)}, Severity.HIGH), ({"exif_taken_at": datetime(2000, 1, 1, tzinfo=UTC)}, None),
    ({"exif_local_time": as_written(BEGAN - timedelta(hours=11))}, None), ({"exif_local_time": as_written(BEGAN - timedelta(days=2))}, Severity.HIGH),
])  # fmt: skip
def test_a_photo_older_than_the_patrol(claims, expected):
    assert severity(older(patrol_of(photo(**claims)), POLICY)) == expected


@pytest.mark.parametrize(("satellites", "camera", "expected"), [
    # The receiver's last fix was at home; and the phone's clock, by which the patrol began, is three hours ahead.
    (BEGAN - timedelta(minutes=40), AT, None), (AT - timedelta(hours=3, minutes=17), AT, None),
    # Both tell of a photo that was there before.
    (BEGAN - timedelta(minutes=40), BEGAN - timedelta(minutes=38), Severity.MEDIUM), (BEGAN - timedelta(days=9), BEGAN - timedelta(days=8), Severity.HIGH),
    (BEGAN - timedelta(minutes=40), None, Severity.MEDIUM),
])  # fmt: skip
def test_the_satellites_time_may_be_that_of_an_old_fix(satellites, camera, expected):
    written = camera and as_written(camera + timedelta(hours=8))
    facts = patrol_of(photo(exif_taken_at=satellites, exif_local_time=written), zone=ZoneInfo("Asia/Shanghai"))
    assert severity(older(facts, POLICY)) == expected
    assert (at_another_time(facts, POLICY) is None) == (expected is None)


@pytest.mark.parametrize(("fixed", "expected"), [(AT - timedelta(minutes=5), Severity.MEDIUM), (AT - timedelta(minutes=50), Severity.SOFT)])
def test_the_place_of_an_old_fix_is_not_the_photos(fixed, expected):
    home = photo(exif_taken_at=fixed, exif_local_time=as_written(AT + timedelta(hours=8)), exif_latitude=29.65, exif_longitude=119.85)
    assert severity(elsewhere(patrol_of(home, zone=ZoneInfo("Asia/Shanghai")), POLICY)) == expected


@pytest.mark.parametrize("satellites", [None, AT])
@pytest.mark.parametrize("camera", ["9999:12:31 23:59:59", "0001:01:01 00:00:00"])
def test_a_camera_may_write_the_ends_of_the_calendar(satellites, camera):
    facts = patrol_of(photo(exif_taken_at=satellites, exif_local_time=camera), zone=ZoneInfo("Asia/Shanghai"))
    assert older(facts, POLICY) is None
    at_another_time(facts, POLICY)


@pytest.mark.parametrize(("satellites", "camera", "found"), [
    # A photo of years ago: neither reading fits, in no zone.
    (datetime(2008, 10, 23, 14, 27, 7, tzinfo=UTC), "2008-10-22T16:28:39", True),
    # One clock that was never set, told with its zone; and two that were not.
    (datetime(2000, 1, 1, 0, 5, tzinfo=UTC), "2000-01-01T08:05:00", False), (datetime(1980, 1, 6, 0, 0, 3, tzinfo=UTC), "2000-01-01T00:05:00", False),
    # Satellites that count their weeks from the beginning again, and a camera that is right.
    (AT - timedelta(weeks=1024), as_written(AT + timedelta(hours=8)), False),
])  # fmt: skip
def test_a_photo_from_before_any_phone_counts_where_two_clocks_tell_it(satellites, camera, found):
    facts = patrol_of(photo(exif_taken_at=satellites, exif_local_time=camera))
    assert severity(older(facts, POLICY)) == (Severity.HIGH if found else None)
    assert severity(at_another_time(facts, POLICY)) == (Severity.SOFT if found else None)


def test_a_photo_of_an_issue_has_no_check_in_to_disagree_with():
    facts = patrol_of(photo(check_in_id=None, exif_latitude=0.0, exif_longitude=9.0, exif_taken_at=AT - timedelta(days=9)))
    assert (elsewhere(facts, POLICY), at_another_time(facts, POLICY)) == (None, None)
    assert older(facts, POLICY).severity is Severity.HIGH


@pytest.mark.parametrize(("claims", "found"), [
    ({"from_gallery": True}, True), ({"from_gallery": False}, False), ({"software": "Adobe Photoshop 2026"}, True), ({"software": "美图秀秀"}, True),
    ({"software": "今日水印相机 3.0"}, False), ({"software": "MIUI Camera"}, False),
])  # fmt: skip
def test_photos_from_the_gallery_or_edited(claims, found):
    assert severity(not_from_the_camera(patrol_of(photo(**claims)), POLICY)) == (Severity.SOFT if found else None)

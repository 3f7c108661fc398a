from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
import shapely

from patrol.demo.registers import METRES_PER_DEGREE_EAST, METRES_PER_DEGREE_NORTH
from patrol.demo.tracks import FIXES_A_BATCH, batches_of, recording_of
from patrol.demo.walks import SHOWN_CASES, Kind
from patrol.foundation.geometry import Datum, to_wgs84_array
from patrol.patrols.fixes import in_wgs84, read_fixes
from patrol.patrols.mislabelling import mislabelled_datum

TODAY = date(2026, 11, 20)


def of_kind(told, kind, most=6):
    found = [patrol for patrol in told.patrols if patrol.walk.kind == kind][-most:]
    assert found
    return found


def metres(degrees):
    return degrees[:, ::-1] * (METRES_PER_DEGREE_EAST, METRES_PER_DEGREE_NORTH)


def wgs84_of(patrol, recording):
    measured = Datum.GCJ02 if patrol.walk.kind == Kind.MISLABELLED else Datum(patrol.walk.datum)
    return np.column_stack(to_wgs84_array(*recording.degrees.T, measured))


def speeds_mps(patrol, recording):
    """Over a minute each, so that the receiver's errors count little."""
    seconds = recording.recorded_ms / 1000
    grid = np.arange(seconds[0], seconds[-1], 60.0)
    xy = metres(wgs84_of(patrol, recording))
    return np.hypot(*(np.diff(np.interp(grid, seconds, xy[:, axis])) for axis in (0, 1))) / 60


def test_every_kind_occurs_and_most_patrols_are_honest(told):
    counts = Counter(patrol.walk.kind for patrol in told.patrols)
    assert set(counts) == set(Kind)
    assert counts[Kind.HONEST] > 0.75 * len(told.patrols)


def test_each_account_of_visitors_has_one_case_of_its_own(told):
    for username, kind in SHOWN_CASES.items():
        kinds = Counter(patrol.walk.kind for patrol in told.patrols if patrol.username == username)
        assert kinds[kind] == 1
        assert kinds[Kind.HONEST] == kinds.total() - 1 > 0


def test_an_honest_walk_goes_at_a_human_pace_beside_its_reaches(told, waterside):
    for patrol in [p for p in of_kind(told, Kind.HONEST, 60) if p.mode == "walk"]:
        recording = recording_of(patrol, waterside)
        assert np.percentile(speeds_mps(patrol, recording), 95) < 2.0
        lines = shapely.union_all([
            shapely.LineString(waterside.along(code, np.linspace(0, 1, 600, endpoint=not waterside.is_ring(code))))
            for code in patrol.reach_codes
        ])  # fmt: skip
        off_m = shapely.distance(shapely.points(metres(wgs84_of(patrol, recording))), lines)
        # On the way from one water to the next one is beside neither.
        assert np.median(off_m) < 30
        assert np.percentile(off_m, 80 if len(patrol.reach_codes) > 1 else 95) < 50


def test_check_ins_lie_on_the_track_at_their_times(told, waterside):
    for patrol in of_kind(told, Kind.HONEST, 40) + of_kind(told, Kind.REPLAYED):
        recording = recording_of(patrol, waterside)
        xy, seconds = metres(recording.degrees), recording.recorded_ms / 1000
        for row in patrol.check_ins:
            there = [np.interp(row.recorded_at.timestamp(), seconds, xy[:, axis]) for axis in (0, 1)]
            here = metres(np.array([[row.latitude, row.longitude]]))[0]
            assert np.hypot(*(here - there)) < 75


def test_fixes_lie_within_the_patrol_and_are_all_usable(told, waterside):
    for patrol in told.patrols[-40:]:
        batches = list(batches_of(patrol, waterside))
        points = [point for batch in batches for point in batch.points]
        assert max(batch.last - batch.first for batch in batches) <= FIXES_A_BATCH
        assert all(batch.points[-1]["recorded_at"] < batch.sent_at for batch in batches)
        moments = [point["recorded_at"] for point in points]
        assert patrol.started_at <= moments[0] <= moments[-1] <= patrol.ended_at
        assert moments == sorted(set(moments))
        assert read_fixes(points).aside == ()


def test_recent_tracks_are_sampled_more_finely(told, waterside):
    for patrol, usual_s in ((told.patrols[-1], 12), (told.patrols[0], 14)):
        steps_s = np.diff(recording_of(patrol, waterside).recorded_ms) / 1000
        assert np.median(steps_s) == pytest.approx(usual_s, abs=0.3)


def test_a_lazy_round_is_seen_at_both_ends_only(told, waterside):
    for patrol in of_kind(told, Kind.LAZY):
        steps_m = np.hypot(*np.diff(metres(wgs84_of(patrol, recording_of(patrol, waterside))), axis=0).T)
        assert steps_m.max() > 0.4 * steps_m.sum()


def test_a_driven_walk_is_declared_on_foot_and_far_too_fast(told, waterside):
    for patrol in of_kind(told, Kind.DRIVEN):
        assert patrol.mode == "walk"
        assert np.percentile(speeds_mps(patrol, recording_of(patrol, waterside)), 90) > 4.5


def test_made_up_positions_are_straight_constant_and_admitted_by_phones_that_tell(told, waterside):
    for patrol in of_kind(told, Kind.MOCKED):
        recording = recording_of(patrol, waterside)
        assert recording.mock == (1 if patrol.phone.tells_mock else -1)
        assert np.ptp(recording.measures["accuracy_m"]) == 0
        xy = metres(wgs84_of(patrol, recording))
        way_m = np.hypot(*np.diff(xy, axis=0).T).sum()
        assert way_m == pytest.approx(np.hypot(*(xy[-1] - xy[0])), rel=0.02)


def test_a_replayed_track_has_the_coordinates_of_an_earlier_one_of_the_same_person(told, waterside):
    for patrol in of_kind(told, Kind.REPLAYED):
        earlier = next(p for p in told.patrols if p.walk.seed == patrol.walk.seed)
        assert earlier.walk.kind == Kind.HONEST
        assert earlier.started_at + timedelta(days=3) < patrol.started_at
        ours, theirs = recording_of(patrol, waterside), recording_of(earlier, waterside)
        assert np.array_equal(ours.degrees, theirs.degrees)
        assert np.ptp(ours.recorded_ms - theirs.recorded_ms) == 0


def test_where_the_signal_is_lost_minutes_are_missing(told, waterside):
    for patrol in of_kind(told, Kind.LOST_SIGNAL):
        begins, ends = patrol.walk.silences[0]
        assert np.diff(recording_of(patrol, waterside).recorded_ms).max() >= (ends - begins) * 1000
    longest = [patrol.walk.silences[0][1] - patrol.walk.silences[0][0] for patrol in told.patrols if patrol.walk.kind == Kind.LOST_SIGNAL]
    assert np.median(longest) > 600


def test_a_mislabelled_track_is_recognised_by_the_product_and_an_honest_one_is_not(told, waterside, land):
    shape_of = {reach.code: shapely.geometry.shape(reach.geometry.as_geojson()) for reach in land.reaches}

    def repair(patrol):
        fixes = read_fixes([point for batch in batches_of(patrol, waterside) for point in batch.points])
        track = in_wgs84(fixes.track, Datum(patrol.walk.datum))
        return mislabelled_datum(track, [shape_of[code] for code in patrol.reach_codes])

    found = [repair(patrol) for patrol in of_kind(told, Kind.MISLABELLED, 8)]
    assert sum(one is not None and one.datum is Datum.GCJ02 for one in found) >= len(found) / 2
    assert not any(repair(patrol) for patrol in of_kind(told, Kind.HONEST, 8))


def test_a_shared_phone_is_that_of_somebody_who_patrols_the_same_day(told):
    for patrol in of_kind(told, Kind.SHARED_PHONE, 50):
        same_day = [p for p in told.patrols if p.started_at.date() == patrol.started_at.date() and p.username != patrol.username]
        assert any(p.phone == patrol.phone for p in same_day)


def test_an_old_photo_has_the_bytes_of_one_shown_days_before(told):
    photos = [(patrol, photo) for patrol in told.patrols for row in patrol.check_ins for photo in row.photos]
    for patrol in of_kind(told, Kind.OLD_PHOTO):
        photo = patrol.check_ins[0].photos[0]
        assert photo.recorded_at + timedelta(days=2) < patrol.started_at
        assert any(p.id != patrol.id and other.seed == photo.seed and other.recorded_at == photo.recorded_at for p, other in photos)

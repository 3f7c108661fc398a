"""Messages of other people's apps, byte for byte as they send them, become points in SI units; nothing is guessed."""

from datetime import UTC, datetime

import pytest

from patrol.patrols.device_protocols import osmand_point, owntracks_points, traccar_points
from patrol.patrols.fixes import read_fixes

AT = datetime(2026, 5, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", ["1777595400", "1777595400000", "2026-05-01T00:30:00Z", "2026-05-01T08:30:00+08:00"])
def test_every_form_of_time_is_one_moment(timestamp):
    [ms] = read_fixes([osmand_point({"lat": "29.6", "lon": "119.8", "timestamp": timestamp}, speed_unit="mps")]).track.recorded_ms
    assert ms == AT.timestamp() * 1000


@pytest.mark.parametrize(("unit", "mps"), [("mps", 1.5), ("knots", 0.7716667), ("kmh", 0.4166667)])
def test_speeds_are_in_the_device_s_own_unit(unit, mps):
    point = osmand_point({"lat": "29.6", "lon": "119.8", "timestamp": "1777595400", "speed": "1.5", "bearing": "90", "altitude": "31.5",
                          "accuracy": "4", "mock": "true", "batt": "80"}, speed_unit=unit)
    assert point.pop("speed_mps") == pytest.approx(mps)
    assert point == {"recorded_at": AT, "latitude": 29.6, "longitude": 119.8, "bearing_deg": 90, "altitude_m": 31.5, "accuracy_m": 4, "mock": True}


@pytest.mark.parametrize("values", [{"location": "29.6,119.81"}, {"location": " 29.6 , 119.81 "}, {"lat": "29.6", "lon": "119.81", "location": "1,2"}])
def test_both_coordinates_may_stand_in_one_field(values):
    point = osmand_point({"timestamp": "1777595400", **values}, speed_unit="mps")
    assert (point["latitude"], point["longitude"]) == (29.6, 119.81)


@pytest.mark.parametrize(("values", "code"), [
    ({"lat": "29.6", "lon": "119.8"}, "no_time"), ({"lat": "29.6", "lon": "119.8", "timestamp": ""}, "no_time"),
    ({"lat": "29.6", "lon": "119.8", "timestamp": "2026-05-01 08:30:00"}, "no_time_zone"),
    ({"lat": "91", "lon": "119.8", "timestamp": "1777595400"}, "bad_coordinates"), ({"timestamp": "1777595400"}, "bad_coordinates"),
    ({"lat": "x", "lon": "119.8", "timestamp": "1777595400"}, "bad_coordinates"), ({"lat": "nan", "lon": "1", "timestamp": "1777595400"}, "bad_coordinates"),
    ({"lat": "29.6", "lon": "119.8", "timestamp": "99999999999999999999"}, "no_time"),
    ({"lat": "29.6", "lon": "119.8", "timestamp": "0"}, "absurd_time"),
    *(({"lat": odd, "lon": "119.8", "timestamp": "1777595400"}, "bad_coordinates") for odd in ("2_9.6", "２９.6", "٢٩", "0x1d", "29,6", "infinity")),
    *(({"lat": "29.6", "lon": "119.8", "timestamp": odd}, "no_time") for odd in ("--5", "²", "nan", "inf", "-inf", "1e400", "yesterday", "1_777_595_400")),
    ({"lat": "29.6", "lon": "119.8", "timestamp": "1777595400", "speed": "fast"}, "bad_value"),
])
def test_what_cannot_be_used_says_why(values, code):
    assert [aside.code for aside in read_fixes([osmand_point(values, speed_unit="mps")]).aside] == [code]


# As Traccar Client 9 posts it.
TRACCAR = {"location": {"timestamp": "2026-05-01T00:30:00.250Z", "coords": {"latitude": 29.6, "longitude": 119.8, "accuracy": 5.2,
    "speed": 1.2, "heading": -1, "altitude": 31.0}, "is_moving": True, "odometer": 12.5, "event": "motionchange",
    "battery": {"level": 0.8, "is_charging": False}, "activity": {"type": "walking"}, "extras": {},
    "_": "&id=KEY&lat=29.6&lon=119.8&timestamp=2026-05-01T00:30:00.250Z&"}, "device_id": "KEY"}


def test_traccar_client_s_json():
    key, points = traccar_points(TRACCAR)
    track = read_fixes(points).track
    assert (key, track.recorded_ms[0] % 1000, track.speed_mps[0]) == ("KEY", 250, 1.2)
    assert track.bearing_deg[0] != track.bearing_deg[0], "-1 means unknown"
    assert track.mock[0] == -1
    several = {"device_id": "KEY", "location": [{**TRACCAR["location"], "mock": True}, "junk"]}
    assert [point["mock"] for point in traccar_points(several)[1]] == [True]
    for junk in (None, [], {}, {"location": 3}, {"device_id": 7, "location": {}}):
        assert read_fixes(traccar_points(junk)[1]).track.recorded_ms.tolist() == []


# As OwnTracks for Android posts it.
OWNTRACKS = {"_type": "location", "_id": "5f2c", "created_at": 1777595460, "tst": 1777595400, "lat": 29.6, "lon": 119.8, "acc": 12, "vac": 3,
    "alt": 31, "vel": 4, "cog": 270, "batt": 77, "bs": 1, "t": "u", "m": 1, "conn": "m", "tid": "kf", "topic": "owntracks/http/kf", "inregions": ["home"]}


def test_owntracks():
    [point], reason = owntracks_points(OWNTRACKS)
    assert point.pop("speed_mps") == pytest.approx(1.111, abs=1e-3)
    assert point == {"recorded_at": AT, "latitude": 29.6, "longitude": 119.8, "accuracy_m": 12, "altitude_m": 31, "bearing_deg": 270}
    assert reason is None
    for kind in ("transition", "waypoint", "waypoints", "status", "lwt", "card", "cmd"):
        assert owntracks_points({"_type": kind}) == ([], None)
    assert owntracks_points({"_type": "encrypted", "data": "x"}) == ([], "encrypted")
    assert owntracks_points([OWNTRACKS, {"_type": "lwt"}, 3])[1] == "unreadable"
    assert owntracks_points({"_type": "location", "vel": True})[0] == [{}]

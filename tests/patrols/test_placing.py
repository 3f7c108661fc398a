"""Which reach a check-in is credited to where several levels' reaches lie on the same water."""

from datetime import date
from uuid import uuid4

import pytest

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.waters.models import Appointment

HERE = {"latitude": 29.6001, "longitude": 119.81, "recorded_at": "2026-11-20T08:30:00+08:00"}
# The higher level's line lies 9 m farther north, and so nearer to the place than the village's.
NORTHERN = ((119.80, 29.60008), (119.82, 29.60008))


@pytest.fixture
def village(build):
    return build.region(build.region(level="township"), level="village")


@pytest.fixture
def chief(build, village):
    return build.person("chief", region=village)


def reach_found(client, **changes):
    reply = client.put(f"check-ins/{uuid4()}", json={**HERE, "accuracy_m": 8, **changes})
    assert reply.status_code == 201, reply.json
    return reply.json["reach"]["id"]


def test_the_lowest_of_the_levels_drawn_on_the_same_water_is_meant(build, signed_in, chief, village):
    build.reach(NORTHERN, level="county")
    own = build.reach(region=village)
    build.reach(NORTHERN, level="township")
    assert reach_found(signed_in(chief)) == str(own.id)


def test_a_reach_of_ones_own_goes_before_a_lower_one_while_it_is_ones_own(build, signed_in, chief, village):
    higher = build.reach(NORTHERN, level="township")
    lower = build.reach(region=village)
    appointment = build.appointment(higher, chief)
    assert reach_found(signed_in(chief)) == str(higher.id)
    with transaction():
        db.session.get(Appointment, appointment.id).valid_to = date(2021, 1, 1)
    assert reach_found(signed_in(chief)) == str(lower.id)


@pytest.mark.parametrize(("recorded_at", "is_own"), [
    ("2026-11-20T23:59:59+08:00", True), ("2026-11-21T00:00:01+08:00", False), ("2026-11-20T16:30:00Z", False), ("2020-01-01T00:00:00+08:00", True),
    ("2019-12-31T15:59:59Z", False)])
def test_a_check_in_that_comes_late_belongs_to_whom_was_appointed_when_it_was_made(build, signed_in, chief, village, recorded_at, is_own):
    """She handed the reach over before her phone was back on the net."""
    higher = build.reach(NORTHERN, level="township")
    lower = build.reach(region=village)
    build.appointment(higher, chief, valid_to=date(2026, 11, 20))
    assert reach_found(signed_in(chief), recorded_at=recorded_at) == str(higher.id if is_own else lower.id)


def test_of_two_reaches_of_one_level_the_nearest_is_meant(build, signed_in, chief, village):
    build.reach(region=village)
    nearest = build.reach(NORTHERN, region=village)
    assert reach_found(signed_in(chief)) == str(nearest.id)


@pytest.mark.parametrize(("accuracy_m", "is_own"), [(8, False), (40, False), (60, True), (None, True)])
def test_a_reach_farther_than_the_margin_is_not_meant(build, signed_in, chief, village, accuracy_m, is_own):
    """The own reach lies 22 m farther than the nearest: beyond 15 and 20 m, within 25 and 30 m."""
    nearest = build.reach(NORTHERN, level="county")
    own = build.reach(((119.80, 29.59988), (119.82, 29.59988)), region=village)
    build.appointment(own, chief)
    assert reach_found(signed_in(chief), accuracy_m=accuracy_m) == str(own.id if is_own else nearest.id)


def test_one_question_tells_what_lies_near_and_what_is_ones_own(build, signed_in, chief, village, queries):
    build.appointment(build.reach(region=village), chief)
    build.reach(NORTHERN, level="county")
    client = signed_in(chief)
    reach_found(client)  # This process holds the index from here on.
    queries.clear()
    reach_found(client)
    who, near = [query for query in queries if query.startswith("SELECT")]
    assert "FROM tokens" in who
    assert "FROM reaches" in near
    assert "FROM appointments" in near

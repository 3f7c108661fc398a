"""Who answers for a position, asked of the registers as they stand."""

from datetime import date

import pytest

from patrol.foundation import clock
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import Position
from patrol.issues.placing import place_by_position

HERE, DAY = Position(29.60, 119.81, 29.60, 119.81, Datum.WGS84, 8.0), date(2026, 3, 2)


def placed():
    return place_by_position(HERE, day=DAY, tolerance_m=60)


def test_one_routing_asks_the_same_questions_however_many_reaches_there_are(build, queries):
    build.person("office")
    asked = []
    for _ in range(2):
        build.appointment(build.reach(region=build.region()), build.person())
        placed()
        queries.clear()
        assert len(placed().routing.candidates) == len(asked) + 1
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 4, queries


@pytest.mark.parametrize(("roles", "disabled", "answers"), [(("office", "chief"), False, True), (("office",), True, False), (("chief",), False, False)])
def test_an_office_needs_an_enabled_account_with_the_role(build, roles, disabled, answers):
    build.person("office")
    town = build.region()
    build.reach(region=town)
    build.person(*roles, region=town, disabled_at=clock.now() if disabled else None)
    assert placed().office.path == (town.path if answers else build.district.path)

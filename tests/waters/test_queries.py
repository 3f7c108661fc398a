"""What lies near a place, who answers on a day, and which region holds it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import shapely

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import NotFound
from patrol.foundation.transaction import transaction
from patrol.waters import queries
from patrol.waters.nearby import near_reaches
from patrol.waters.queries import chiefs_on, region_at

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
BEFORE = datetime(2026, 2, 1, tzinfo=UTC)


def near(latitude=29.6, longitude=119.81, accuracy_m=10.0):
    return near_reaches(latitude, longitude, accuracy_m=accuracy_m, tolerance_m=60)


def square(west, south, side=0.1):
    return shapely.to_wkb(shapely.box(west, south, west + side, south + side))


def outline(build, region, shape):
    with transaction():
        region.outline = shape
        db.session.add(region)
    build.register_changed()


def test_near_reaches_come_with_region_and_water_nearest_first(build):
    town = build.region()
    far = build.reach(((119.80, 29.6004), (119.82, 29.6004)), region=town)
    close = build.reach(((119.80, 29.6001), (119.82, 29.6001)), region=town)
    found = near()
    assert [reach.code for _, reach in found] == [close.code, far.code]
    candidate, reach = found[0]
    assert candidate.distance_m == pytest.approx(11.1, abs=0.2)
    assert candidate.within_tolerance
    assert (reach.region.path, reach.water_body.name) == (town.path, "清溪")


def test_with_nothing_near_the_nearest_is_told_out_of_tolerance(build):
    reach = build.reach(((119.80, 29.61), (119.82, 29.61)))
    (candidate, found), = near()
    assert found.id == reach.id
    assert not candidate.within_tolerance
    assert candidate.distance_m == pytest.approx(1108, abs=5)
    assert near(35.0, 110.0) == []
    assert near(90.0, 119.81) == near(-90.0, 119.81) == []


def test_near_reaches_follow_the_register_at_once(build):
    first = build.reach()
    assert [reach.id for _, reach in near()] == [first.id]
    second = build.reach(((119.80, 29.6001), (119.82, 29.6001)))
    assert {reach.id for _, reach in near()} == {first.id, second.id}


def test_a_retired_reach_answers_for_nothing(build):
    reach = build.reach()
    with transaction():
        reach.retired_at = clock.now()
        db.session.add(reach)
    build.register_changed()
    assert near() == []


@pytest.mark.parametrize(("day", "answers"), [
    (FIRST - timedelta(days=1), False), (FIRST, True), (LAST, True), (LAST + timedelta(days=1), False),
])
def test_both_ends_of_an_appointment_count(build, day, answers):
    reach = build.reach()
    build.appointment(reach, build.person(), valid_from=FIRST, valid_to=LAST)
    assert (reach.id in chiefs_on([reach.id], day)) is answers


def test_chiefs_come_before_deputies_and_aides_do_not_answer(build):
    reach = build.reach()
    for name, title, since in [
        ("副", "村级副河长", 2020), ("警", "河道警长", 2019), ("新", "村级河长", 2024), ("老", "chief", 2021), ("二", "deputy", 2022),
    ]:
        build.appointment(reach, build.person(name=name), title=title, valid_from=date(since, 1, 1))
    assert [chief.name for chief in chiefs_on([reach.id], FIRST)[reach.id]] == ["老", "新", "副", "二"]


@pytest.mark.parametrize("why", ["disabled", "not yet", "no more"])
def test_the_deputy_answers_while_the_chief_cannot(build, why):
    reach, deputy = build.reach(), build.person("chief", name="副")
    build.appointment(reach, deputy, title="副河长")
    days = {"not yet": {"valid_from": FIRST + timedelta(days=1)}, "no more": {"valid_to": FIRST - timedelta(days=1)}}.get(why, {})
    build.appointment(reach, build.person("chief", disabled_at=BEFORE if why == "disabled" else None), **days)
    assert [chief.name for chief in chiefs_on([reach.id], FIRST)[reach.id]] == ["副"]


@pytest.mark.parametrize(("disabled_at", "answers"), [
    (datetime(2026, 3, 1, 15, 59, tzinfo=UTC), False), (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), True), (datetime(2026, 9, 1, tzinfo=UTC), True),
])
def test_whose_account_was_disabled_later_answered_on_that_day(build, disabled_at, answers):
    """A chief who left in autumn was chief in March; in the district the day is over at 16:00 UTC."""
    reach = build.reach()
    build.appointment(reach, build.person(disabled_at=disabled_at))
    assert (reach.id in chiefs_on([reach.id], FIRST)) is answers
    assert reach.id not in chiefs_on([reach.id], date(9999, 12, 31))


def test_a_disabled_account_answers_for_nothing(build):
    reach, town = build.reach(), build.region()
    build.appointment(reach, build.person(disabled_at=BEFORE))
    assert chiefs_on([reach.id], FIRST) == {}
    person = build.person(region=town, title="镇长")
    build.appointment(reach, person)
    chief, = chiefs_on([reach.id], FIRST)[reach.id]
    assert (chief.person_id, chief.person_title, chief.region_id, chief.region_path) == (person.id, "镇长", town.id, town.path)


def test_the_smallest_region_around_a_place_holds_it(build):
    town, village = build.region(), build.region(level="village")
    outline(build, town, square(119.8, 29.6))
    outline(build, village, square(119.8, 29.6, 0.01))
    assert region_at(29.605, 119.805).region.id == village.id
    assert region_at(29.65, 119.85).region.id == town.id


def test_outside_every_outline_the_nearest_region_within_20_km_then_the_top(build):
    town = build.region()
    outline(build, town, square(119.8, 29.6))
    assert region_at(29.65, 119.9 + 19 / 96.7).region.id == town.id
    assert region_at(29.65, 119.9 + 21 / 96.7).region.id == build.district.id


def test_without_outlines_the_top_region_holds_every_place(build):
    build.region()
    assert region_at(0, 0).region.id == build.district.id


def test_without_regions_there_is_no_answer(database):
    with pytest.raises(NotFound):
        region_at(29.6, 119.8)


def test_visible_reaches_are_the_subtree_and_ones_own(build, actor_of):
    here, there = build.region(), build.region()
    inside, own, foreign = build.reach(region=here), build.reach(region=there), build.reach(region=there)
    person = build.person(region=here)
    build.appointment(own, person, valid_to=date(2020, 1, 2))
    seen = {reach.id for reach in db.session.scalars(queries.visible_reaches(actor_of(person)))}
    assert seen == {inside.id, own.id}
    assert foreign.id not in seen

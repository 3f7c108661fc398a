"""Who answers: an example for each rule, then what must hold for every arrangement of reaches and chiefs."""

import dataclasses
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.routing import Chief, NearReach, Place, Region, Rule, margin_m, route
from patrol.waters.terms import LEVELS, post_name


def identity(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)


def region(path: str, *, has_office: bool = True) -> Region:
    codes = path.strip("/").split("/")
    return Region(identity(int(codes[-1])), path, f"R{codes[-1]}", has_office)


DISTRICT, TOWN, OTHER_TOWN = region("/1/"), region("/1/11/"), region("/1/12/")
VILLAGE, NEXT_VILLAGE = region("/1/11/111/", has_office=False), region("/1/11/112/", has_office=False)
FAR_VILLAGE = region("/1/12/121/", has_office=False)
REGIONS = {r.path: r for r in (DISTRICT, TOWN, OTHER_TOWN, VILLAGE, NEXT_VILLAGE, FAR_VILLAGE)}
RIVER, BROOK = identity(901), identity(902)
HERE = Place(VILLAGE, REGIONS, accuracy_m=10)


def chief(number: int) -> Chief:
    return Chief(identity(number), f"Person{number}", f"Post{number}", VILLAGE.id)


ANN, BOB, TOWN_CHIEF, COUNTY_CHIEF = chief(501), chief(502), chief(511), chief(521)


def reach(number: int, distance_m: float, *chiefs: Chief, level="village", where=VILLAGE, water=RIVER, **more) -> NearReach:
    more = {"bank": "both"} | more
    return NearReach(
        identity(number), f"C{number}", f"N{number}", level, region=where, water_body_id=water, distance_m=distance_m,
        chiefs=chiefs, **more,
    )  # fmt: skip


def codes(routing) -> list[str]:
    return [reason.code for reason in routing.reasons]


def test_the_nearest_reach_within_tolerance():
    routing = route(HERE, [reach(2, 45, BOB), reach(1, 5, ANN)])
    assert (routing.rule, routing.reach_id, routing.chief_id) == (Rule.NEAREST, identity(1), ANN.id)
    assert routing.confidence_label == "high"
    assert routing.region_id == VILLAGE.id
    assert routing.office_region_id == TOWN.id
    assert codes(routing) == ["nearest", "chief"]


@pytest.mark.parametrize("title", ["村级副河长", "deputy"])
def test_a_deputy_answers_while_there_is_no_chief_proper_and_the_answer_says_so(title):
    deputy = dataclasses.replace(BOB, title=title)
    routing = route(HERE, [reach(1, 5, deputy)])
    assert (routing.rule, routing.chief_id) == (Rule.NEAREST, BOB.id)
    assert codes(routing) == ["nearest", "deputy", "chief"]
    assert post_name(title, "village").zh in routing.reasons[-1].text.zh
    assert codes(route(HERE, [reach(1, 5, ANN, deputy)])) == ["nearest", "chief"]
    above = route(HERE, [reach(1, 8), reach(2, 4, deputy, level="township", where=TOWN)])
    assert codes(above) == ["nearest", "vacant", "deputy", "superior"]


def test_inside_a_lake_wins_over_a_river_at_its_shore():
    lake = reach(1, 0, ANN, water=BROOK, inside=True)
    routing = route(HERE, [reach(2, 0, BOB), lake])
    assert (routing.rule, routing.chief_id) == (Rule.INSIDE, ANN.id)
    assert codes(routing) == ["inside", "chief"]


def test_near_the_border_within_a_lake_the_answer_is_less_sure():
    mine = reach(1, 0, ANN, inside=True)
    alone, beside = route(HERE, [mine]), route(HERE, [mine, reach(2, 5, BOB, where=FAR_VILLAGE)])
    assert beside.chief_id == alone.chief_id == ANN.id
    assert beside.confidence == pytest.approx(alone.confidence - 0.2, abs=0.011)


STACK = (
    reach(1, 8, ANN), reach(2, 4, TOWN_CHIEF, level="township", where=TOWN),
    reach(3, 0, COUNTY_CHIEF, level="county", where=DISTRICT),
)  # fmt: skip


def test_of_levels_on_top_of_each_other_the_lowest_answers():
    routing = route(HERE, STACK)
    assert (routing.rule, routing.reach_id, routing.chief_id) == (Rule.NEAREST, identity(1), ANN.id)
    assert len(routing.candidates) == 3


def test_a_higher_level_of_another_water_or_of_the_other_bank_does_not_lie_underneath():
    brook = dataclasses.replace(STACK[1], water_body_id=BROOK)
    assert route(HERE, [STACK[0], brook]).rule is Rule.BORDER
    left, right = dataclasses.replace(STACK[0], bank="left"), dataclasses.replace(STACK[1], bank="right")
    assert route(HERE, [left, right]).rule is Rule.BORDER
    assert route(HERE, [dataclasses.replace(left, chiefs=()), dataclasses.replace(brook, distance_m=40)]).chief_id is None


def test_without_a_village_chief_the_township_answers_and_says_why():
    routing = route(HERE, [dataclasses.replace(STACK[0], chiefs=()), *STACK[1:]])
    assert (routing.rule, routing.reach_id, routing.chief_id) == (Rule.SUPERIOR, identity(1), TOWN_CHIEF.id)
    assert codes(routing) == ["nearest", "vacant", "superior"]
    assert routing.confidence == pytest.approx(route(HERE, STACK).confidence - 0.1, abs=0.011)
    assert routing.reasons[1].text.zh == "N1（村级）当日没有河长"


def test_two_vacant_levels_lead_to_the_third():
    routing = route(HERE, [*(dataclasses.replace(r, chiefs=()) for r in STACK[:2]), STACK[2]])
    assert routing.chief_id == COUNTY_CHIEF.id
    assert codes(routing) == ["nearest", "vacant", "vacant", "superior"]


def test_no_chief_at_any_level_leaves_it_to_the_nearest_office_above():
    routing = route(HERE, [dataclasses.replace(r, chiefs=()) for r in STACK])
    assert (routing.rule, routing.chief_id) == (Rule.NO_CHIEF, None)
    assert (routing.reach_id, routing.region_id, routing.office_region_id) == (identity(1), VILLAGE.id, TOWN.id)
    assert routing.confidence_label == "medium"
    assert codes(routing)[-1] == "superior_office"


def test_a_border_goes_to_the_office_of_the_nearest_common_superior():
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 9, BOB, where=FAR_VILLAGE)])
    assert (routing.rule, routing.chief_id, routing.reach_id) == (Rule.BORDER, None, None)
    assert routing.region_id == routing.office_region_id == DISTRICT.id
    assert [(side.reach.id, side.chief) for side in routing.involved] == [(identity(1), ANN), (identity(2), BOB)]
    assert routing.confidence_label == "low"
    assert codes(routing) == ["nearest", "equally_near", "border", "office"]


def test_a_border_of_villages_under_one_township_goes_to_the_township():
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 5, BOB, where=NEXT_VILLAGE)])
    assert (routing.rule, routing.office_region_id) == (Rule.BORDER, TOWN.id)


def test_a_border_on_which_a_county_reach_lies_still_goes_to_the_office():
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 9, BOB, where=FAR_VILLAGE), STACK[2]])
    assert (routing.rule, routing.chief_id, routing.office_region_id) == (Rule.BORDER, None, DISTRICT.id)
    assert [side.reach.id for side in routing.involved] == [identity(1), identity(2)]


def test_two_banks_of_one_village_with_two_chiefs():
    routing = route(HERE, [reach(1, 5, ANN, bank="left"), reach(2, 5, BOB, bank="right")])
    assert (routing.rule, routing.chief_id, routing.office_region_id) == (Rule.BORDER, None, TOWN.id)


def test_beyond_the_margin_the_nearer_bank_answers_with_less_confidence():
    far, near = reach(2, 25, BOB, bank="right"), reach(1, 5, ANN, bank="left")
    assert margin_m(10) == 15
    assert margin_m(80) == 40
    routing = route(HERE, [far, near])
    assert (routing.rule, routing.chief_id) == (Rule.NEAREST, ANN.id)
    assert routing.confidence < route(HERE, [near]).confidence
    assert route(dataclasses.replace(HERE, accuracy_m=40), [far, near]).rule is Rule.BORDER


def test_two_banks_of_the_same_chief_are_no_question():
    routing = route(HERE, [reach(1, 5, ANN, bank="left"), reach(2, 4, ANN, bank="right", where=FAR_VILLAGE)])
    assert (routing.rule, routing.reach_id, routing.chief_id) == (Rule.SAME_CHIEF, identity(2), ANN.id)
    assert routing.confidence_label == "high"


def test_two_vacant_villages_under_one_township_chief():
    routing = route(HERE, [reach(1, 5), reach(2, 5, where=NEXT_VILLAGE), STACK[1]])
    assert (routing.rule, routing.chief_id) == (Rule.SAME_CHIEF, TOWN_CHIEF.id)
    assert codes(routing) == ["nearest", "same_chief", "vacant", "vacant", "superior"]


def test_the_joint_of_two_reaches():
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 5, BOB)])
    assert (routing.rule, routing.chief_id, routing.region_id) == (Rule.JOINT, None, VILLAGE.id)
    assert routing.office_region_id == TOWN.id
    assert len(routing.involved) == 2


def test_the_mouth_of_a_tributary():
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 5, BOB, water=BROOK)])
    assert (routing.rule, routing.chief_id, routing.office_region_id) == (Rule.MOUTH, None, TOWN.id)


def test_a_vacant_reach_at_the_joint_of_two_superior_reaches():
    upper = [reach(n, 0, who, level="township", where=TOWN) for n, who in ((2, TOWN_CHIEF), (3, BOB))]
    routing = route(HERE, [reach(1, 0), *upper])
    assert (routing.rule, routing.chief_id) == (Rule.JOINT, None)
    assert {side.chief for side in routing.involved} == {TOWN_CHIEF, BOB}
    assert "N2 and N3" in next(r.text.en for r in routing.reasons if r.code == "equally_near")


def test_a_superior_reach_clearly_farther_than_another_has_no_say():
    upper = [reach(2, 0, TOWN_CHIEF, level="township", where=TOWN), reach(3, 40, BOB, level="township", where=TOWN)]
    assert route(HERE, [reach(1, 0), *upper]).chief_id == TOWN_CHIEF.id


def test_a_superior_reach_registered_under_a_lower_region_still_counts():
    upper = reach(2, 0, TOWN_CHIEF, level="township", where=VILLAGE)
    assert route(HERE, [reach(1, 0, where=TOWN), upper]).chief_id == TOWN_CHIEF.id


def test_nothing_within_tolerance_goes_to_the_office_and_says_how_far_the_nearest_is():
    routing = route(HERE, [reach(1, 3_200, ANN, within_tolerance=False)])
    assert (routing.rule, routing.chief_id, routing.reach_id) == (Rule.NOTHING_NEAR, None, None)
    assert (routing.region_id, routing.office_region_id) == (VILLAGE.id, TOWN.id)
    assert "3200" in routing.reasons[0].text.zh
    assert codes(route(HERE, [])) == ["nothing_near", "superior_office"]


def test_an_unknown_accuracy_is_taken_as_fifty_metres_and_said():
    unknown, known = (route(dataclasses.replace(HERE, accuracy_m=a), [reach(1, 5, ANN)]) for a in (None, 50.0))
    assert codes(unknown) == ["accuracy_unknown", *codes(known)]
    assert unknown.confidence == known.confidence


def test_a_register_without_any_office_still_names_the_highest_region():
    bare = {path: dataclasses.replace(r, has_office=False) for path, r in REGIONS.items()}
    assert route(Place(bare[VILLAGE.path], bare, 10), [reach(1, 5)]).office_region_id == DISTRICT.id
    assert route(Place(bare[VILLAGE.path], {}, 10), []).office_region_id == VILLAGE.id


def test_regions_without_a_common_superior_fall_to_the_office_of_the_place():
    abroad = region("/2/21/")
    routing = route(HERE, [reach(1, 5, ANN), reach(2, 5, BOB, where=abroad)])
    assert (routing.rule, routing.region_id, routing.office_region_id) == (Rule.BORDER, VILLAGE.id, TOWN.id)


def test_data_is_plain_json_in_both_languages_and_reasons_name_no_person():
    routing = route(HERE, [dataclasses.replace(STACK[0], chiefs=()), *STACK[1:], reach(9, 12, BOB, where=FAR_VILLAGE)])
    data = json.loads(json.dumps(routing.as_data(), allow_nan=False))
    assert data["rule"] == "border"
    assert data["confidence_label"] == "low"
    assert all(set(reason) == {"code", "zh", "en"} for reason in data["reasons"])
    assert data["involved"][0]["chief"]["name"] == "Person511"
    assert data["candidates"][0]["distance_m"] == 0.0
    assert "Person" not in json.dumps(data["reasons"])


ANY_REGION = st.sampled_from([*REGIONS.values(), region("/2/21/")])
CHIEFS = st.lists(st.sampled_from([ANN, BOB, TOWN_CHIEF, COUNTY_CHIEF]), max_size=2, unique=True)
DISTANCES = st.one_of(st.integers(0, 6).map(lambda n: n * 10.0), st.floats(0, 120))


@st.composite
def arrangements(draw, most=7):
    found = []
    for number in range(draw(st.integers(0, most))):
        inside = draw(st.sampled_from([False, False, False, True]))
        within = inside or draw(st.sampled_from([True, True, True, False]))
        found.append(reach(
            number, 0.0 if inside else draw(DISTANCES), *draw(CHIEFS), level=draw(st.sampled_from([*LEVELS, "other"])),
            where=draw(ANY_REGION), water=draw(st.sampled_from([RIVER, RIVER, BROOK])), inside=inside,
            within_tolerance=within, bank=draw(st.sampled_from(["left", "right", "both"])),
        ))  # fmt: skip
    return found


PLACES = st.builds(Place, ANY_REGION, st.sampled_from([REGIONS, {}]), st.none() | st.floats(0, 5_000))


def answer(routing):
    return (routing.rule, routing.confidence, routing.reach_id, routing.chief_id, routing.region_id, routing.office_region_id)


@given(PLACES, arrangements())
def test_somebody_always_answers_and_every_answer_is_explained(place, found):
    routing = route(place, found)
    assert isinstance(routing.office_region_id, uuid.UUID)
    assert routing.reasons
    assert 0 <= routing.confidence <= 1
    appointed = {who.id for r in found if r.within_tolerance for who in r.chiefs}
    assert routing.chief_id is None or routing.chief_id in appointed
    by_chief = routing.rule in {Rule.INSIDE, Rule.NEAREST, Rule.SUPERIOR, Rule.SAME_CHIEF}
    assert (routing.chief_id is not None) == by_chief
    assert by_chief or routing.confidence_label != "high"
    assert (routing.rule is Rule.NOTHING_NEAR) == (not any(r.within_tolerance for r in found))
    if routing.rule in {Rule.BORDER, Rule.JOINT, Rule.MOUTH}:
        assert len(routing.involved) > 1
        assert routing.confidence_label == "low"
    json.dumps(routing.as_data(), allow_nan=False)


@given(PLACES, arrangements().flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_candidates_does_not_matter(place, both):
    assert route(place, both[0]) == route(place, both[1])


@given(PLACES, arrangements(), st.floats(121, 1e6), ANY_REGION)
def test_a_candidate_out_of_tolerance_never_changes_the_answer(place, found, distance_m, where):
    far = reach(99, distance_m, ANN, where=where, within_tolerance=False)
    assert answer(route(place, [*found, far])) == answer(route(place, found))


@given(st.lists(st.booleans(), min_size=3, max_size=3), st.permutations(STACK))
def test_each_vacancy_moves_the_answer_up_one_level(filled, stack):
    today = [dataclasses.replace(r, chiefs=r.chiefs if filled[STACK.index(r)] else ()) for r in stack]
    routing = route(HERE, today)
    lowest = next((r.chief.id for r, there in zip(STACK, filled, strict=True) if there), None)
    assert routing.chief_id == lowest
    assert codes(routing).count("vacant") == (filled.index(True) if any(filled) else 3)


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0, 200), st.floats(0, 200))
def test_confidence_falls_with_worse_accuracy_and_greater_distance(accuracy_m, other_m, distance_m, farther_m):
    (good, bad), (near, far) = sorted([accuracy_m, other_m]), sorted([distance_m, farther_m])
    better = route(dataclasses.replace(HERE, accuracy_m=good), [reach(1, near, ANN)])
    worse = route(dataclasses.replace(HERE, accuracy_m=bad), [reach(1, far, ANN)])
    assert better.chief_id == worse.chief_id == ANN.id
    assert better.confidence >= worse.confidence

"""Charges against chiefs are heard above them: every way to an issue is closed to the accused and to whoever works below."""

from uuid import UUID, uuid4

import pytest
import shapely

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.accusations import path_above
from patrol.issues.handing_over import move_leads
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from patrol.issues.queries import visible_to
from patrol.issues.seeing import seen_by
from patrol.people.models import Person, Region
from tests.issues.conftest import AT_DISTRICT, HERE, NOWHERE, THERE, complain, report, step, taken


@pytest.mark.parametrize(
    ("paths", "above"),
    [
        (["/1/2/3/"], "/1/2/"), (["/1/2/"], "/1/"), (["/1/"], "/1/"), (["/1/2/3/", "/1/2/"], "/1/"), (["/1/2/3/", "/1/2/4/"], "/1/2/"),
        (["/1/2/", "/1/4/5/"], "/1/"), (["/1/", "/1/2/"], "/1/"), (["/1/2/", "/7/8/"], ""),
    ],
)  # fmt: skip
def test_the_region_above_is_strictly_above_all(paths, above):
    assert path_above(paths) == above


def closed_ways(client, issue):
    """Ask for an issue in every way there is, as somebody who must not know of it; return the ways that tell of it."""
    path, number = f"issues/{issue['id']}", issue["number"]
    head = {"If-Match": "*"}
    found = [end for end in ("", "/history", "/routing", "/allowed", "/duplicates", "/case-file.json", "/extensions", "/complaint")
             if client.get(path + end).status_code == 200]
    for verb, body in (
        ("accept", {}), ("reject", {"ground": "no_evidence_found", "reason": "无"}), ("merge", {"into": issue["id"], "reason": "x"}),
        ("dispatch", {}), ("transfer", {"region": "990100", "reason": "x"}), ("supervise", {"kind": "letter", "text": "x"}),
    ):  # fmt: skip
        found += [verb] if client.post(f"{path}/{verb}", json=body, headers=head).status_code not in {403, 404} else []
    found += ["reveal"] if client.post(f"{path}/reporter/reveal", json={"reason": "核实"}).status_code not in {403, 404} else []
    found += ["watch"] if client.put(f"watch-list/issues/{issue['id']}", json={}).status_code not in {403, 404} else []
    for listing in ("issues", "issues.geojson", "issues.csv", "issues?list=waiting_for_me", f"issues?q={number}", "issues?assigned_to=me",
                    f"issues/nearby?latitude={HERE['latitude']}&longitude={HERE['longitude']}&category=F3"):
        reply = client.get(listing)
        found += [listing] if reply.status_code == 200 and issue["id"].encode() in reply.data else []
    counts = client.get("issues/counts?category=F")
    found += ["counts"] if counts.status_code == 200 and sum(counts.json["counts"].values()) else []
    found += ["spot-check"] if client.post("spot-checks", json={"issue_id": issue["id"], "reason": "x", "due_on": "2099-01-01"}).status_code == 201 else []
    return found + [photo["id"] for photo in issue["photos"] if client.get(f"photos/{photo['id']}").status_code == 200]


@pytest.mark.parametrize(
    ("place", "heard_in", "blind", "sighted"),
    [
        (HERE, "town", "chief village_office other_office handler", "town_office office supervisor auditor town_chief"),
        ({"latitude": 29.65, "longitude": 119.81, "accuracy_m": 8}, "district", "town_chief town_office", "office supervisor auditor"),
        (AT_DISTRICT, "district", "district_chief town_chief", "office supervisor auditor"),
    ],
)  # fmt: skip
def test_it_is_heard_above_and_every_way_is_closed_below(mixed, build, anyone, signed_in, pictures, place, heard_in, blind, sighted):
    region = mixed.town if heard_in == "town" else build.district
    issue = complain(anyone, signed_in, mixed.office_client, pictures[:1], **place)
    assert (issue["region"]["code"], issue["routing"]["office"]["code"], issue["routing"]["chief"]) == (region.code, region.code, None)
    assert issue["reach"] is not None
    assert len(issue["photos"]) == 1
    for name in blind.split():
        assert closed_ways(getattr(mixed, f"{name}_client"), issue) == [], name
    for name in sighted.split():
        client = getattr(mixed, f"{name}_client")
        assert client.get(f"issues/{issue['id']}/history").status_code == 200, name
        assert issue["id"] in {row["id"] for row in client.get("issues?category=F").json["items"]}, name
    assert mixed.office_client.post(f"issues/{issue['id']}/reporter/reveal", json={"reason": "核实"}).json["phone"] == "13900000000"


def test_the_accused_does_not_even_see_what_he_reported_himself(valley, build, anyone):
    issue = report(valley.chief_client, category="F1")
    assert valley.chief_client.get(f"issues/{issue['id']}").status_code == 404
    told = anyone.get("responsible", query_string={**HERE, "category": "F1"}).json
    assert (told["office"]["code"], told["chief"]) == (valley.town.code, None)
    assert any("上柳" not in reason and "河长履职" in reason for reason in told["reasons"])


def test_the_accused_learns_nothing_by_repeating_his_report(valley):
    body = {"id": str(uuid4()), "category": "C1", "description": "桥下漂着垃圾", **HERE}
    issue = report(valley.chief_client, **body)
    assert valley.chief_client.post("issues", json=body).status_code == 200
    taken(valley.office_client, issue, "transfer", category="F3", reach_id=str(valley.reach.id), reason="涉及河长履职")
    assert valley.chief_client.get(f"issues/{issue['id']}").status_code == 404
    assert valley.chief_client.post("issues", json=body).status_code == 404
    assert valley.chief_client.post("issues", json={**body, "description": "别的"}).status_code == 409


def test_only_people_from_above_handle_it(valley, mixed, build):
    issue = taken(valley.office_client, report(valley.patroller_client, category="F1"), "accept")
    for body in ({"lead": valley.chief.username}, {"lead": valley.village_office.username},
                 {"lead": valley.handler.username, "co_handlers": [valley.patroller.username]}):  # fmt: skip
        refused = step(valley.office_client, issue, "dispatch", **body)
        assert refused.status_code == 422, body
        assert "上级地区的人员" in refused.json["errors"]["co_handlers" if "co_handlers" in body else "lead"][0]
    for region in (valley.village, valley.other_town):
        assert "只能转给上级地区" in step(valley.office_client, issue, "transfer", reason="x", region=region.code).json["errors"]["region"][0]
    led = taken(valley.office_client, issue, "dispatch", lead=valley.handler.username)
    assert move_leads(valley.reach.id, valley.handler.id, valley.chief.id) == 0
    up = taken(valley.office_client, led, "transfer", reason="区里办", region=build.district.code)
    assert valley.town_office_client.get(f"issues/{issue['id']}").status_code == 404
    assert db.session.get_one(Issue, db.session.scalar(db.select(Issue.id))).accused_id == valley.chief.id
    there = taken(valley.office_client, up, "transfer", reason="另一段", reach_id=str(valley.other_reach.id))
    assert there["region"]["code"] == build.district.code
    assert db.session.scalar(db.select(Issue.accused_id)) == valley.other_chief.id


def test_what_becomes_a_charge_moves_up_and_stays_a_charge(valley, build):
    issue = report(valley.patroller_client, severity="serious", **THERE)
    charge = taken(valley.other_office_client, issue, "accept", category="F2")
    assert (charge["region"]["code"], charge["routing"]["chief"]) == (build.district.code, None)
    assert valley.other_office_client.get(f"issues/{issue['id']}").status_code == 404
    assert valley.other_chief_client.get(f"issues/{issue['id']}").status_code == 404
    wrong = report(valley.patroller_client, category="F1", **THERE)
    assert "重新上报" in step(valley.office_client, wrong, "accept", category="C1").json["errors"]["category"][0]
    kept = taken(valley.office_client, wrong, "accept", category="F3")
    for verb, more in (("dispatch", {"lead": valley.handler.username}), ("transfer", {"reason": "x", "region": build.district.code})):
        assert "category" in step(valley.office_client, kept, verb, category="C1", **more).json["errors"], verb
    assert valley.other_chief_client.get(f"issues/{wrong['id']}").status_code == 404


def outlined(build, region, box):
    """Draw a region as a box: west, south, east, north."""
    with transaction():
        db.session.get_one(Region, region.id).outline = shapely.to_wkb(shapely.box(*box))
    build.register_changed()


@pytest.mark.parametrize("board", [None, "QX-0001"])
def test_away_from_the_water_it_is_about_the_board_or_the_nearest_chief(valley, build, anyone, signed_in, pictures, board):
    outlined(build, valley.village, (119.75, 29.55, 119.90, 29.65))
    build.board(valley.reach, code="QX-0001")
    with transaction():
        db.session.get_one(Person, valley.chief.id).role_names = ["chief", "office"]
    issue = complain(anyone, signed_in, valley.office_client, pictures[:1], latitude=29.62, **({"board_code": board} if board else {}))
    assert (issue["region"]["code"], issue["routing"]["rule"]) == (valley.town.code, "board" if board else "nothing_near")
    assert (issue["reach"] is not None) == bool(board)
    assert closed_ways(valley.chief_client, issue) == []
    assert db.session.scalar(db.select(Issue.accused_id)) == valley.chief.id


def test_a_board_on_the_way_names_the_reach_of_a_charge_only(valley, build, anyone, signed_in, pictures):
    build.board(valley.other_reach, code="QX-0002")
    charge = complain(anyone, signed_in, valley.office_client, pictures[:1], board_code="QX-0002")
    assert (charge["reach"]["name"], charge["latitude"]) == ("石溪段", HERE["latitude"])
    anyone.post("public/complaints", json={"category": "C1", "description": "垃圾", **HERE, "board_code": "QX-0002"})
    assert valley.office_client.get("issues?category=C1").json["items"][0]["reach"]["name"] == "清溪上柳段"


def test_about_nobody_known_it_is_heard_at_the_top(valley, build):
    outlined(build, valley.village, (119.29, 29.89, 119.31, 29.91))
    build.reach(((119.90, 29.30), (119.92, 29.30)), region=valley.village, name="空缺段")
    for place in (NOWHERE, {"latitude": 29.30, "longitude": 119.91, "accuracy_m": 8}):
        issue = report(valley.patroller_client, category="F1", **place)
        assert (issue["region"]["code"], issue["routing"]["office"]["code"]) == (build.district.code, build.district.code)
    moved = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    moved = taken(valley.office_client, moved, "transfer", region=valley.village.code, reason="x")
    assert taken(valley.office_client, moved, "dispatch", category="F1", lead=valley.handler.username)["region"]["code"] == build.district.code


def test_on_a_border_whoever_could_see_it_is_the_accused(valley, build, signed_in):
    beside, water = build.region(valley.town, level="village", name="下柳村"), build.water_body()
    own = build.reach(((119.90, 29.50), (119.91, 29.50)), region=valley.village, water_body=water, name="甲段")
    other = build.reach(((119.91, 29.50), (119.92, 29.50)), region=beside, water_body=water, name="乙段")
    above = build.person("chief", "office", name="区长兼办")
    build.appointment(own, valley.chief)
    build.appointment(other, above)
    issue = report(valley.patroller_client, category="F3", latitude=29.50, longitude=119.91)
    assert (issue["routing"]["rule"], issue["region"]["code"]) == ("border", build.district.code)
    assert closed_ways(signed_in(above), valley.office_client.get(f"issues/{issue['id']}").json) == []
    assert closed_ways(valley.chief_client, issue) == []


@pytest.fixture
def two_at_the_top(valley, build, signed_in):
    """The chiefs of both banks, of the highest region, each with more roles than that, and nobody above them."""
    water = build.water_body(name="界溪")
    chiefs = [build.person("chief", "office", "auditor", name=name) for name in ("左岸区长", "右岸区长")]
    for chief, bank, latitude in zip(chiefs, ("left", "right"), (29.4001, 29.4), strict=True):
        line = ((119.50, latitude), (119.52, latitude))
        build.appointment(build.reach(line, level="county", bank=bank, water_body=water, name=f"界溪{bank}"), chief)
    valley.accused, valley.accused_clients = chiefs, [signed_in(chief) for chief in chiefs]
    return valley


BOTH_BANKS = {"latitude": 29.40005, "longitude": 119.51, "accuracy_m": 20}


def test_against_two_chiefs_of_the_highest_region_neither_sees_it_and_the_office_hears_it(two_at_the_top, build, anyone, signed_in, pictures):
    valley = two_at_the_top
    issue = complain(anyone, signed_in, valley.office_client, pictures[:1], **BOTH_BANKS)
    assert (issue["region"]["code"], issue["routing"]["office"]["code"], issue["lead"]) == (build.district.code, build.district.code, None)
    assert {side["chief"]["id"] for side in issue["routing"]["involved"]} == {str(chief.id) for chief in valley.accused}
    for client in valley.accused_clients:
        assert closed_ways(client, issue) == []
    for name in ("office", "supervisor", "auditor"):
        client = getattr(valley, f"{name}_client")
        assert client.get(f"issues/{issue['id']}/history").status_code == 200, name
        assert issue["id"] in {row["id"] for row in client.get("issues?category=F").json["items"]}, name
    assert issue["id"] in {row["id"] for row in valley.office_client.get("issues?list=waiting_for_me").json["items"]}
    row = db.session.scalars(db.select(Issue)).one()
    people = [*valley.accused, valley.office, valley.supervisor, valley.auditor]
    assert seen_by(row, [person.id for person in people]) == {valley.office.id, valley.supervisor.id, valley.auditor.id}


def test_neither_of_two_accused_handles_it_and_only_charges_against_both_are_merged(two_at_the_top):
    valley = two_at_the_top
    issue = taken(valley.office_client, report(valley.patroller_client, category="F1", **BOTH_BANKS), "accept")
    for chief in valley.accused:
        refused = step(valley.office_client, issue, "dispatch", lead=chief.username)
        assert "lead" in refused.json["errors"]
    again = report(valley.patroller_client, category="F1", **BOTH_BANKS)
    one = report(valley.patroller_client, category="F1", latitude=29.402, longitude=119.51, accuracy_m=8)
    assert "into" in step(valley.office_client, one, "merge", into=issue["id"], reason="x").json["errors"]
    taken(valley.office_client, again, "merge", into=issue["id"], reason="同一件")


def test_what_becomes_a_charge_against_two_and_is_passed_on_stays_hidden_from_both(two_at_the_top):
    valley = two_at_the_top
    issue = report(valley.supervisor_client, severity="serious", **BOTH_BANKS)
    assert [client.get(f"issues/{issue['id']}").status_code for client in valley.accused_clients] == [200, 200]
    charge = taken(valley.office_client, issue, "accept", category="F3")
    moved = taken(valley.office_client, charge, "transfer", region=charge["region"]["code"], reason="区里办")
    for client in valley.accused_clients:
        assert closed_ways(client, moved) == []


def test_a_charge_passed_on_stays_above_whom_it_was_about(mixed, build):
    charge = report(mixed.supervisor_client, category="F3", latitude=29.65, longitude=119.81)
    charge = taken(mixed.office_client, charge, "accept")
    down = step(mixed.office_client, charge, "transfer", reach_id=str(mixed.reach.id), reason="应为村段")
    assert "只能转给" in down.json["errors"]["reach_id"][0]
    assert closed_ways(mixed.town_chief_client, charge) == []
    top = taken(mixed.office_client, report(mixed.supervisor_client, category="F3", **AT_DISTRICT), "accept")
    assert step(mixed.office_client, top, "transfer", reach_id=str(mixed.other_reach.id), reason="x").status_code == 422
    own = taken(mixed.office_client, report(mixed.chief_client, category="F3"), "accept")
    assert step(mixed.office_client, own, "transfer", reach_id=str(mixed.other_reach.id), reason="x").status_code == 422
    empty = build.reach(((119.90, 29.30), (119.92, 29.30)), region=mixed.village, name="空缺段")
    there = taken(mixed.office_client, top, "transfer", reach_id=str(empty.id), reason="x")
    assert there["region"]["code"] == build.district.code
    assert mixed.district_chief_client.get(f"issues/{there['id']}").status_code == 404


def test_charges_against_two_chiefs_are_not_merged(valley):
    one, other = report(valley.patroller_client, category="F1"), report(valley.patroller_client, category="F1", **THERE)
    again = report(valley.supervisor_client, category="F1")
    assert "针对同一河长" in step(valley.office_client, other, "merge", into=one["id"], reason="x").json["errors"]["into"][0]
    taken(valley.office_client, again, "merge", into=one["id"], reason="同一人")


def test_a_spot_check_of_a_charge_is_seen_by_those_who_see_the_charge(mixed):
    charge = report(mixed.supervisor_client, category="F1", **AT_DISTRICT)
    check = mixed.supervisor_client.post("spot-checks", json={"issue_id": charge["id"], "reason": "x", "due_on": "2099-01-01"}).json
    assert mixed.office_client.get(f"spot-checks/{check['id']}").status_code == 200
    assert mixed.district_chief_client.get(f"spot-checks/{check['id']}").status_code == 404
    assert mixed.district_chief_client.get("spot-checks").json["items"] == []


def test_seen_by_says_what_visible_to_says(mixed, build, actor_of, queries):
    town_handler = build.person("handler", "office", region=mixed.other_town, department="urban_management")
    people = [value for value in vars(mixed).values() if isinstance(value, Person)] + [town_handler]
    admin = build.person("admin")
    issues = [
        report(mixed.patroller_client), report(mixed.patroller_client, category="F1"), report(mixed.other_chief_client, category="F2", **AT_DISTRICT),
        report(mixed.patroller_client, category="B3", **THERE),
    ]  # fmt: skip
    called = taken(mixed.office_client, taken(mixed.office_client, issues[3], "accept"), "dispatch", department="urban_management",
                   co_handlers=[mixed.chief.username])
    taken(mixed.office_client, taken(mixed.office_client, issues[1], "accept"), "dispatch", department="urban_management")
    assert called["department"]
    for shown in issues:
        issue = db.session.scalars(db.select(Issue).where(Issue.id == UUID(shown["id"]))).one()
        wanted = {person.id for person in people if db.session.scalar(visible_to(actor_of(person)).where(Issue.id == issue.id))}
        ids = [admin.id, *(person.id for person in people)]
        queries.clear()
        assert seen_by(issue, ids) == wanted
        assert len(queries) == 1
    assert seen_by(issue, []) == set()


@pytest.mark.parametrize("by", ["accept", "transfer", "dispatch"])
def test_what_is_merged_into_what_becomes_a_charge_is_part_of_it(mixed, build, by):
    """The chief led the duplicate and had an order on it, his village's office watched it; none of that tells of the charge any more."""
    duplicate = report(mixed.patroller_client, description="河长从不来，垃圾没人管")
    assert duplicate["lead"]["id"] == str(mixed.chief.id)
    duplicate = taken(mixed.supervisor_client, duplicate, "supervise", kind="letter", text="请整改")
    assert mixed.village_office_client.put(f"watch-list/issues/{duplicate['id']}", json={}).status_code == 204
    original = report(mixed.handler_client, severity="serious", description="无人巡河")
    original = original if by == "accept" else taken(mixed.office_client, original, "accept")
    before = report(mixed.village_office_client, severity="serious")
    for one in (duplicate, before):
        taken(mixed.office_client, mixed.office_client.get(f"issues/{one['id']}").json, "merge", into=original["id"], reason="同一处")
    assert mixed.chief_client.get(f"issues/{duplicate['id']}").status_code == 200
    body = {"accept": {}, "transfer": {"reach_id": str(mixed.reach.id), "reason": "应为虚假巡河"}, "dispatch": {"lead": mixed.handler.username}}[by]
    original = taken(mixed.office_client, mixed.office_client.get(f"issues/{original['id']}").json, by, category="F3", **body)
    part = mixed.office_client.get(f"issues/{duplicate['id']}").json
    assert (part["category"], part["region"], part["lead"], part["merged_into"]["id"]) == ("F3", original["region"], None, original["id"])
    for client in (mixed.chief_client, mixed.village_office_client):
        assert closed_ways(client, part) == []
    # Who reported something reads it, also of what became a charge; the accused would not.
    assert mixed.village_office_client.get(f"issues/{before['id']}").status_code == 200
    assert mixed.chief_client.get(f"issues/{before['id']}").status_code == 404
    assert mixed.village_office_client.get("watch-list").json["items"][0]["facts"] == {}
    assert mixed.chief_client.get("orders").json["items"] == []
    last = mixed.office_client.get(f"issues/{duplicate['id']}/history").json["items"][-1]
    assert (last["verb"], last["rule"], last["changes"]["category"]) == ("join_charge", "part_of_charge", {"from": "C1", "to": "F3"})
    out = taken(mixed.office_client, part, "unmerge", reason="两处")
    assert (out["state"], out["category"], out["region"]["code"]) == ("accepted", "F3", mixed.town.code)
    for client in (mixed.chief_client, mixed.village_office_client):
        assert closed_ways(client, out) == []
    assert [found for found in broken_chains() if found] == []


def test_a_part_of_the_work_on_what_joins_a_charge_is_taken_back(mixed):
    duplicate = taken(mixed.office_client, report(mixed.patroller_client, severity="serious"), "accept")
    share = {"person": mixed.chief.username, "part": "清运"}
    duplicate = taken(mixed.office_client, duplicate, "dispatch", lead=mixed.handler.username, co_handlers=[share])
    original = report(mixed.patroller_client, severity="serious")
    taken(mixed.office_client, duplicate, "merge", into=original["id"], reason="同一处")
    taken(mixed.office_client, mixed.office_client.get(f"issues/{original['id']}").json, "accept", category="F1")
    part = mixed.office_client.get(f"issues/{duplicate['id']}").json
    assert ([row["state"] for row in part["parts"]], part["co_handlers"]) == (["taken_back"], [])
    assert [found for found in broken_chains() if found] == []


def test_what_is_merged_into_a_charge_goes_with_it(mixed, build):
    one, other = (taken(mixed.office_client, report(client, category="F1"), "accept") for client in (mixed.supervisor_client, mixed.chief_client))
    taken(mixed.office_client, other, "merge", into=one["id"], reason="同一人")
    one = taken(mixed.office_client, mixed.office_client.get(f"issues/{one['id']}").json, "transfer", reason="区里办", region=build.district.code)
    assert mixed.town_office_client.get(f"issues/{other['id']}").status_code == 404
    # The former accused reported the duplicate himself: he goes on not to see it when it is about somebody else.
    taken(mixed.office_client, one, "transfer", reason="另一段", reach_id=str(mixed.other_reach.id))
    part = mixed.office_client.get(f"issues/{other['id']}").json
    assert part["region"]["code"] == build.district.code
    assert db.session.scalar(db.select(Issue.accused_id).where(Issue.id == UUID(other["id"]))) == mixed.other_chief.id
    for client in (mixed.chief_client, mixed.other_chief_client):
        assert client.get(f"issues/{other['id']}").status_code == 404


def test_whom_a_charge_was_about_before_sees_it_never_more(mixed, build):
    """He is promoted into the office that hears it."""
    charge = taken(mixed.office_client, report(mixed.supervisor_client, category="F1"), "accept")
    charge = taken(mixed.office_client, charge, "transfer", reason="区里办", region=build.district.code)
    charge = taken(mixed.office_client, charge, "transfer", reason="另一段", reach_id=str(mixed.other_reach.id))
    with transaction():
        person = db.session.get_one(Person, mixed.chief.id)
        person.role_names, person.region_id = ["chief", "office", "auditor"], build.district.id
    assert mixed.chief_client.get("issues").status_code == 200
    assert closed_ways(mixed.chief_client, charge) == []
    issue = db.session.scalars(db.select(Issue).where(Issue.id == UUID(charge["id"]))).one()
    assert seen_by(issue, [mixed.chief.id, mixed.office.id]) == {mixed.office.id}


def test_what_was_taken_out_of_a_charge_that_was_passed_on_is_merged_again(mixed, build):
    one, other = (taken(mixed.office_client, report(mixed.supervisor_client, category="F1"), "accept") for _ in range(2))
    taken(mixed.office_client, other, "merge", into=one["id"], reason="同一人")
    one = taken(mixed.office_client, mixed.office_client.get(f"issues/{one['id']}").json, "transfer", reason="区里办", region=build.district.code)
    taken(mixed.office_client, one, "transfer", reason="另一段", reach_id=str(mixed.other_reach.id))
    other = taken(mixed.office_client, mixed.office_client.get(f"issues/{other['id']}").json, "unmerge", reason="两件")
    taken(mixed.office_client, other, "merge", into=one["id"], reason="仍是一件")
    new = report(mixed.supervisor_client, category="F1", **THERE)
    taken(mixed.office_client, new, "merge", into=one["id"], reason="同一人")


def test_an_old_case_names_a_relapse_no_more_that_joins_a_charge(mixed, pictures):
    old = report(mixed.patroller_client)
    old = taken(mixed.chief_client, old, "rectify", note="已清理", files=pictures[:1])
    old = taken(mixed.office_client, taken(mixed.supervisor_client, old, "verify"), "close", public_summary="已清理")
    again = taken(mixed.office_client, report(mixed.patroller_client, severity="serious"), "accept")
    assert again["relapse_of"]["id"] == old["id"]
    original = report(mixed.patroller_client, severity="serious", category="C2")
    taken(mixed.office_client, again, "merge", into=original["id"], reason="同一处")
    taken(mixed.office_client, mixed.office_client.get(f"issues/{original['id']}").json, "accept", category="F2")
    assert mixed.chief_client.get(f"issues/{old['id']}").json["relapsed_in"] is None


def test_an_order_to_who_is_accused_since_is_gone_for_him(mixed):
    issue = taken(mixed.supervisor_client, report(mixed.patroller_client), "supervise", kind="letter", text="请整改")
    [order] = mixed.chief_client.get("orders").json["items"]
    charge = taken(mixed.office_client, issue, "transfer", reach_id=str(mixed.reach.id), reason="虚假巡河", category="F3")
    assert mixed.chief_client.get("orders").json["items"] == []
    for end in ("acknowledge", "answer"):
        assert mixed.chief_client.post(f"orders/{order['id']}/{end}", json={"text": "已部署"} if end == "answer" else {}).status_code == 404
    assert mixed.office_client.get(f"issues/{issue['id']}").json["version"] == charge["version"]
    assert [row["id"] for row in mixed.supervisor_client.get("orders").json["items"]] == [order["id"]]


def test_the_hash_of_a_charge_tells_no_facts(mixed, anyone):
    charge = report(mixed.supervisor_client, category="F1")
    held = mixed.office_client.get(f"issues/{charge['id']}/history").json["items"][-1]["hash"]
    found = anyone.get(f"case-files/{charge['id']}/{held}").json
    assert (found["genuine"], found["facts"]) == (True, [])


def test_counts_of_a_watched_reach_leave_out_what_is_not_seen(mixed):
    report(mixed.supervisor_client, severity="serious")
    report(mixed.supervisor_client, category="F1")
    found = {}
    for name in ("village_office", "chief", "office"):
        client = getattr(mixed, f"{name}_client")
        if client.put(f"watch-list/reaches/{mixed.reach.id}", json={}).status_code == 204:
            found[name] = client.get("watch-list").json["items"][0]["facts"]["open_issues"]
    assert found["village_office"] == 1
    assert found["office"] == 2

"""Work changes hands: with the reach to another chief, or to the office when its lead can handle nothing any more."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from patrol.foundation import clock, events, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.handing_over import leave_work_of_former_chiefs
from patrol.issues.history import broken_chains
from patrol.people.actor import SYSTEM
from patrol.people.models import Person
from patrol.waters.events import ReachHandedOver
from patrol.waters.imports import ImportKind, run_import
from patrol.waters.models import Appointment
from tests.issues.conftest import NOWHERE, report, step, taken


def hand_over(valley, successor, *, on=None, title="chief", reach=None):
    """Hand the chief's post over by the route that the office uses."""
    reach = reach or valley.reach
    [held] = [row for row in valley.office_client.get(f"appointments?reach={reach.id}").json["items"] if row["title"] == title and row["valid_to"] is None]
    body = {"to_person_id": str(successor.id), "on": (on or clock.today("Asia/Shanghai")).isoformat()}
    reply = valley.office_client.post(f"appointments/{held['id']}/hand-over", json=body, headers={"If-Match": "*"})
    assert reply.status_code == 201, reply.json


def lead_of(valley, issue):
    return valley.office_client.get(f"issues/{issue['id']}").json["lead"]["name"]


def test_open_work_moves_and_the_rest_stays(valley, build, pictures):
    open_one = report(valley.patroller_client)
    closed = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="好", files=pictures[:1])
    closed = taken(valley.office_client, taken(valley.supervisor_client, closed, "verify"), "close")
    elsewhere = taken(valley.office_client, report(valley.patroller_client, **NOWHERE), "accept")
    elsewhere = taken(valley.office_client, elsewhere, "dispatch", lead=valley.chief.username)
    successor = build.person("chief", region=valley.village, name="新村长")
    hand_over(valley, successor)
    leads = {row["id"]: row for row in valley.office_client.get("issues").json["items"]}
    assert leads[open_one["id"]]["lead"]["name"] == "新村长"
    assert leads[open_one["id"]]["version"] == open_one["version"] + 1
    assert leads[open_one["id"]]["state"] == "dispatched"
    assert leads[closed["id"]]["lead"]["name"] == leads[elsewhere["id"]]["lead"]["name"] == "柳村长"
    last = valley.office_client.get(f"issues/{open_one['id']}/history").json["items"][-1]
    assert (last["verb"], last["rule"], last["actor"]) == ("hand_over", "hand_over", None)
    assert last["changes"]["lead_id"]["to"]["name"] == "新村长"
    assert set(broken_chains()) == {None}


@pytest.mark.parametrize("hour", [0, 12])
def test_the_work_of_a_coming_hand_over_moves_on_its_day(valley, build, hour):
    today, successor = clock.today("Asia/Shanghai"), build.person("chief", region=valley.village, name="新村长")
    build.appointment(valley.other_reach, valley.chief)
    before = report(valley.patroller_client)
    hand_over(valley, successor, on=today + timedelta(days=3))
    assert lead_of(valley, before) == "柳村长", "until then nobody else is chief there"
    since = report(valley.patroller_client)
    assert lead_of(valley, since) == "柳村长"
    # Just after midnight the day of UTC is still the one before.
    first = datetime.combine(today + timedelta(days=3), time(hour, 0, 5), ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    with clock.moved_clock(lambda: first - timedelta(hours=hour, seconds=10)):
        worker.deliver_due()
        assert lead_of(valley, since) == "柳村长"
    with clock.moved_clock(lambda: first):
        while worker.deliver_due():
            pass
        assert [lead_of(valley, issue) for issue in (before, since, report(valley.patroller_client))] == ["新村长"] * 3
        last = valley.office_client.get(f"issues/{since['id']}/history").json["items"][-1]
        assert (last["verb"], last["rule"], last["actor"]) == ("hand_over", "hand_over", None)


def test_a_coming_hand_over_that_was_taken_back_moves_nothing(valley, build):
    issue, today = report(valley.patroller_client), clock.today("Asia/Shanghai")
    hand_over(valley, build.person("chief", region=valley.village), on=today + timedelta(days=3))
    ends(valley, None)
    ahead = clock.now() + timedelta(days=4)
    with clock.moved_clock(lambda: ahead):
        while worker.deliver_due():
            pass
        assert lead_of(valley, issue) == "柳村长"


def test_handing_over_a_post_beside_the_chief_moves_no_work(valley, build):
    issue = report(valley.patroller_client)
    build.appointment(valley.reach, valley.chief, title="contact")
    hand_over(valley, build.person("chief", region=valley.village), title="contact")
    assert lead_of(valley, issue) == "柳村长"


def test_what_a_superior_leads_for_want_of_a_chief_goes_with_the_superior_s_reach(valley, build):
    town_reach = build.reach(region=valley.town, level="township", water_body=valley.reach.water_body, name="清溪镇段")
    superior, successor = (build.person("chief", region=valley.town, name=name) for name in ("柳镇长", "新镇长"))
    build.appointment(town_reach, superior)
    own = report(valley.patroller_client)
    ends(valley, clock.today("Asia/Shanghai") - timedelta(days=1))
    issue = report(valley.patroller_client)
    assert (issue["lead"]["name"], issue["reach"]["name"]) == ("柳镇长", "清溪上柳段")
    hand_over(valley, successor, reach=town_reach)
    assert [lead_of(valley, each) for each in (issue, own)] == ["新镇长", "柳村长"]


def test_what_somebody_leads_on_another_reach_stays_when_the_superior_one_is_handed_over(valley, build):
    town_reach = build.reach(region=valley.town, level="township", water_body=valley.reach.water_body, name="清溪镇段")
    build.appointment(town_reach, valley.chief)
    issue = report(valley.patroller_client)
    hand_over(valley, build.person("chief", region=valley.town), reach=town_reach)
    assert lead_of(valley, issue) == "柳村长"


def test_an_account_that_cannot_handle_gets_nothing(valley, build):
    issue = report(valley.patroller_client)
    successor = build.person("auditor", region=valley.village)
    ends(valley, clock.today("Asia/Shanghai") - timedelta(days=1))
    build.appointment(valley.reach, successor)
    with transaction():
        events.record(ReachHandedOver(
            reach_id=valley.reach.id, from_person_id=valley.chief.id, to_person_id=successor.id, title="chief", on=clock.today("Asia/Shanghai")))
    assert valley.office_client.get(f"issues/{issue['id']}").json["lead"]["name"] == "柳村长"


@pytest.mark.parametrize("loss", [{"disabled": True}, {"roles": ["auditor"]}, {"roles": ["citizen_chief"], "disabled": True}])
def test_work_of_who_cannot_handle_it_any_more_goes_to_the_office(valley, build, signed_in, pictures, loss):
    issue = taken(valley.chief_client, report(valley.patroller_client), "start")
    closed = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="好", files=pictures[:1])
    closed = taken(valley.office_client, taken(valley.supervisor_client, closed, "verify"), "close")
    change(signed_in(build.person("admin")), valley.chief, **loss)
    left = valley.town_office_client.get(f"issues/{issue['id']}").json
    assert (left["state"], left["lead"], left["version"]) == ("in_progress", None, issue["version"] + 1)
    assert left["allowed"] == ["progress", "rectify", "suspend"]
    assert valley.office_client.get(f"issues/{closed['id']}").json["lead"]["name"] == "柳村长"
    last = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert (last["verb"], last["rule"], last["actor"]) == ("hand_over", "lead_lost", None)
    assert last["changes"] == {"lead_id": {"from": {"id": str(valley.chief.id), "name": "柳村长"}, "to": None}}
    assert step(valley.other_office_client, left, "progress", note="x").status_code == 404
    left = taken(valley.town_office_client, left, "progress", note="已派人")
    left = taken(valley.town_office_client, left, "rectify", note="好", files=pictures[1:2])
    assert step(valley.town_office_client, left, "verify").status_code == 403
    assert taken(valley.supervisor_client, left, "verify")["state"] == "verified"
    assert set(broken_chains()) == {None}


@pytest.mark.parametrize("harmless", [{"name": "柳某"}, {"roles": ["chief", "patroller"]}, {"disabled": False}, {"password": "qing-xi-he-1"}])
def test_other_changes_of_an_account_leave_its_work(valley, build, signed_in, harmless):
    issue = report(valley.patroller_client)
    change(signed_in(build.person("admin")), valley.chief, **harmless)
    left = valley.office_client.get(f"issues/{issue['id']}").json
    assert (left["lead"]["id"], left["version"]) == (str(valley.chief.id), issue["version"])


def ends(valley, day):
    with transaction():
        db.session.scalars(select(Appointment).where(Appointment.person_id == valley.chief.id, Appointment.reach_id == valley.reach.id)).one().valid_to = day


@pytest.mark.parametrize("hour", [0, 12])
def test_when_the_last_appointment_has_ended_its_work_goes_to_the_office(valley, build, pictures, hour):
    issue, today = report(valley.patroller_client), clock.today("Asia/Shanghai")
    town, chief = valley.town.code, valley.chief.username
    begun = taken(valley.chief_client, report(valley.patroller_client), "start")
    ends(valley, today)
    assert leave_work_of_former_chiefs() == 0, "the last day counts"
    # Just after midnight the day of UTC is still the one before.
    ahead = datetime.combine(today + timedelta(days=1), time(hour, 30), ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    with clock.moved_clock(lambda: ahead):
        another = build.appointment(valley.other_reach, valley.chief)
        assert leave_work_of_former_chiefs() == 0, "there is another appointment"
        with transaction():
            db.session.get_one(Appointment, another.id).valid_to = today
        assert leave_work_of_former_chiefs() == 2
        assert leave_work_of_former_chiefs() == 0
        for one in (issue, begun):
            left = valley.town_office_client.get(f"issues/{one['id']}").json
            assert (left["state"], left["lead"], "rectify" in left["allowed"]) == (one["state"], None, True)
        last = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
        assert (last["verb"], last["rule"], last["actor"]) == ("hand_over", "appointment_ended", None)
        assert last["changes"]["lead_id"] == {"from": {"id": str(valley.chief.id), "name": "柳村长"}, "to": None}
        while worker.deliver_due():
            pass
        assert "issue.hand_over" in [row["kind"] for row in valley.town_office_client.get("me/messages").json["items"]]
        assert set(broken_chains()) == {None}
        # Whom the office names although he is chief of nothing any more, it names knowingly.
        again = taken(valley.office_client, valley.office_client.get(f"issues/{issue['id']}").json, "transfer", region=town, reason="重派")
        taken(valley.office_client, again, "dispatch", lead=chief)
        assert leave_work_of_former_chiefs() == 0


def test_who_handles_by_another_role_too_keeps_the_work(valley):
    report(valley.patroller_client)
    ends(valley, clock.today("Asia/Shanghai"))
    with transaction():
        db.session.get_one(Person, valley.chief.id).role_names = ["chief", "patroller"]
    ahead = clock.now() + timedelta(days=2)
    with clock.moved_clock(lambda: ahead):
        assert leave_work_of_former_chiefs() == 0


def test_who_loses_the_role_by_an_import_leaves_the_work_too(valley, build):
    issue = report(valley.patroller_client)
    rows = f"username,name,roles,region_code\n{valley.chief.username},柳村长,auditor,{valley.village.code}\n"
    done = run_import(ImportKind.PEOPLE, rows.encode(), by=SYSTEM)
    assert (done.errors, done.updated) == ([], 1)
    assert valley.office_client.get(f"issues/{issue['id']}").json["lead"] is None


def change(admin, person, **changes):
    reply = admin.patch(f"people/{person.id}", json=changes, headers={"If-Match": f'"{person.version}"'})
    assert reply.status_code == 200, reply.json

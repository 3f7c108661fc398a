"""Who signs for a district, and who does in the chief's stead; nothing goes on the ledger without the general chief."""

import pytest
from sqlalchemy import select

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.notifications.models import Message
from patrol.people.models import Person
from patrol.waters.models import Appointment, WaterBody
from tests.issues.conftest import report, step, taken

LEDGER = {"reason": "需截污工程", "review_on": "2099-01-01", "milestones": [{"text": "管道完工", "due_on": "2099-01-01"}]}


@pytest.fixture(autouse=True)
def _in_2098():
    """A review lies at most a year ahead."""
    day = clock.now().replace(year=2098, month=6, day=3)
    with clock.moved_clock(lambda: day):
        yield


def led_by(valley, lead, pictures, client):
    """Return a verified major issue that somebody led."""
    issue = taken(valley.office_client, report(valley.patroller_client, severity="major"), "accept")
    issue = taken(valley.office_client, issue, "dispatch", lead=lead.username)
    issue = taken(client, issue, "rectify", note="好", files=pictures[:1])
    return taken(valley.office_client, issue, "verify")


def may_close(client, issue):
    """Tell whether closing is open in every place that says so; refused it is said who can."""
    shown = client.get(f"issues/{issue['id']}").json
    listed = [row["id"] for row in client.get("issues?list=waiting_for_me").json["items"]]
    [row] = [row for row in client.get("issues").json["items"] if row["id"] == issue["id"]]
    assert ("close" in shown["allowed"]) == (issue["id"] in listed) == ("close" in row["allowed"])
    return "close" in shown["allowed"]


def body_of_suspension(client, language):
    """Return what a person's message of a suspension says in a language."""
    items = client.get("me/messages", headers={"Accept-Language": language}).json["items"]
    return next(row["body"] for row in items if row["kind"] == "issue.suspend")


def test_the_chief_signs_and_nobody_in_his_stead(valley, pictures):
    issue = led_by(valley, valley.chief, pictures, valley.chief_client)
    assert may_close(valley.district_chief_client, issue)
    for client in (valley.office_client, valley.supervisor_client):
        assert not may_close(client, issue)
        refused = step(client, issue, "close")
        assert (refused.status_code, "区长（区级河长）" in refused.json["detail"]) == (403, True), refused.json


def test_what_the_only_chief_led_is_signed_by_a_supervisor_and_the_refusal_says_so(valley, pictures):
    issue = led_by(valley, valley.district_chief, pictures, valley.district_chief_client)
    assert not may_close(valley.district_chief_client, issue)
    refused = step(valley.district_chief_client, issue, "close")
    assert (refused.status_code, "督查员" in refused.json["detail"]) == (403, True)
    assert "督查员" in step(valley.office_client, issue, "close").json["detail"]
    assert may_close(valley.supervisor_client, issue)
    assert taken(valley.supervisor_client, issue, "close")["state"] == "closed"


def test_where_there_is_a_level_above_its_chief_comes_before_the_supervisor(valley, build, signed_in, pictures):
    city_reach = build.reach(((119.0, 29.4), (119.01, 29.4)), level="city")
    mayor = build.person("chief", name="市长", title="市级河长")
    build.appointment(city_reach, mayor)
    city = signed_in(mayor)
    ordinary = led_by(valley, valley.chief, pictures, valley.chief_client)
    assert not may_close(city, ordinary)
    issue = led_by(valley, valley.district_chief, pictures[1:], valley.district_chief_client)
    assert not may_close(valley.supervisor_client, issue)
    assert "市长" in step(valley.supervisor_client, issue, "close").json["detail"]
    assert may_close(city, issue)
    assert taken(city, issue, "close")["state"] == "closed"


def test_where_nobody_can_sign_the_refusal_says_what_to_do(valley, pictures):
    issue = led_by(valley, valley.district_chief, pictures, valley.district_chief_client)
    with transaction():
        db.session.get_one(Person, valley.supervisor.id).disabled_at = clock.now()
    assert "任命县级河长" in step(valley.office_client, issue, "close").json["detail"]


def test_nobody_else_can_be_named_as_the_one_who_approves(valley):
    issue = report(valley.patroller_client)
    for named in ({"approved_by": valley.other_chief.username}, {"approved_by": valley.supervisor.username}):
        refused = step(valley.office_client, issue, "suspend", **LEDGER, **named)
        assert (refused.status_code, set(refused.json["errors"])) == (422, {"approved_by"}), refused.json
        assert "区长" in refused.json["detail"]
    issue = taken(valley.office_client, issue, "suspend", **LEDGER, approved_by=str(valley.district_chief.id))
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert entry["changes"]["approved_by"] == {"from": None, "to": {"id": str(valley.district_chief.id), "name": "区长"}}
    while worker.deliver_due():
        pass
    told = db.session.scalars(select(Message.person_id).where(Message.kind == "issue.suspend")).all()
    assert set(told) == {valley.chief.id, valley.district_chief.id}
    assert set(broken_chains()) == {None}
    shown = valley.office_client.get(f"issues/{issue['id']}").json["suspension"]
    district = {"code": "990100", "name": "清溪区", "level": "county"}
    assert shown["approved_by"] == {**entry["changes"]["approved_by"]["to"], "title": "区级河长", "region": district}
    assert shown["reported_to"] is None
    [listed] = [row for row in valley.office_client.get("issues").json["items"] if row["id"] == issue["id"]]
    assert listed["suspension"] == shown
    assert "以您的名义挂账" in body_of_suspension(valley.district_chief_client, "zh")
    assert "in your name" in body_of_suspension(valley.district_chief_client, "en")
    assert "名义" not in body_of_suspension(valley.chief_client, "zh")


def test_where_the_office_names_nobody_the_general_chief_hears_of_it(valley):
    issue = taken(valley.office_client, report(valley.patroller_client), "suspend", **LEDGER)
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert entry["changes"]["reported_to"] == {"from": None, "to": {"id": str(valley.district_chief.id), "name": "区长"}}
    while worker.deliver_due():
        pass
    told = db.session.scalars(select(Message.person_id).where(Message.kind == "issue.suspend")).all()
    assert set(told) == {valley.chief.id, valley.district_chief.id}
    shown = valley.office_client.get(f"issues/{issue['id']}").json["suspension"]
    assert (shown["approved_by"], shown["reported_to"]["name"]) == (None, "区长")
    assert "in whose name" in body_of_suspension(valley.district_chief_client, "en")
    assert "向您（总河长）报告" in body_of_suspension(valley.district_chief_client, "zh")


def test_who_may_not_resume_a_major_one_reads_who_can(valley, pictures):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="major"), "accept")
    issue = taken(valley.office_client, issue, "dispatch", lead=valley.district_chief.username)
    [suspend] = valley.office_client.get(f"issues/{issue['id']}/allowed").json["signed_by_others"]
    assert (suspend["verb"], "督查员" in suspend["reason"]) == ("suspend", True), "the chief leads it, and does not shelve his own work"
    issue = taken(valley.supervisor_client, issue, "suspend", **LEDGER)
    assert issue["suspension"]["approved_by"]["name"] == valley.supervisor.name
    refused = step(valley.office_client, issue, "resume")
    assert refused.status_code == 403
    told = valley.office_client.get(f"issues/{issue['id']}/allowed").json
    assert told["allowed"] == []
    assert told["signed_by_others"] == [{"verb": "resume", "name": "恢复办理", "reason": refused.json["detail"]}]
    assert "“恢复办理”须由县级河长签字" in refused.json["detail"]
    assert "区长（区级河长）" in refused.json["detail"], "whoever leads it may take it off the ledger"
    assert "结案" not in refused.json["detail"]
    assert valley.district_chief_client.get(f"issues/{issue['id']}/allowed").json["signed_by_others"] == []
    assert taken(valley.district_chief_client, issue, "resume")["state"] == "in_progress"


def test_the_chief_of_the_issues_own_water_is_told_before_others_of_the_level(valley, build):
    water = valley.reach.water_body_id
    first_by_name = [build.person("chief", name=f"别河区长{n}", title="区级河长", username=f"a{n}") for n in range(3)]
    for person in first_by_name:
        build.appointment(build.reach(((119.0, 29.3), (119.01, 29.3)), level="county"), person)
    own = build.person("chief", name="本河区长", title="区级河长", username="zz")
    build.appointment(build.reach(((119.80, 29.60), (119.82, 29.60)), level="county", water_body=db.session.get_one(WaterBody, water)), own)
    refused = step(valley.office_client, report(valley.patroller_client), "suspend", **LEDGER, approved_by=valley.other_chief.username)
    assert "本河区长（区级河长）、别河区长0（区级河长）、别河区长1（区级河长）等5人" in refused.json["detail"]
    issue = taken(valley.office_client, report(valley.patroller_client), "suspend", **LEDGER)
    entry = valley.office_client.get(f"issues/{issue['id']}/history").json["items"][-1]
    assert entry["changes"]["reported_to"]["to"]["name"] == "本河区长"


def test_a_deputy_and_a_former_chief_approve_of_nothing(valley):
    issue = report(valley.patroller_client)
    for change in ({"title": "副总河长"}, {"title": "chief", "valid_to": clock.today("Asia/Shanghai").replace(year=2097)}):
        with transaction():
            row = db.session.scalars(select(Appointment).where(Appointment.person_id == valley.district_chief.id)).one()
            for name, value in change.items():
                setattr(row, name, value)
        refused = step(valley.office_client, issue, "suspend", **LEDGER, approved_by=valley.district_chief.username)
        assert (refused.status_code, "督查员" in refused.json["detail"]) == (422, True)
    taken(valley.office_client, issue, "suspend", **LEDGER, approved_by=valley.supervisor.username)


def test_a_chief_who_takes_the_step_names_nobody_and_a_charge_needs_no_chief(valley):
    with transaction():
        db.session.get_one(Person, valley.district_chief.id).role_names = ["chief", "office"]
    assert taken(valley.district_chief_client, report(valley.patroller_client), "suspend", **LEDGER)["state"] == "suspended"
    charge = taken(valley.office_client, report(valley.patroller_client, category="F1"), "accept")
    assert step(valley.office_client, charge, "suspend", **LEDGER, approved_by=valley.district_chief.username).status_code == 422
    assert taken(valley.office_client, charge, "suspend", **LEDGER)["state"] == "suspended"

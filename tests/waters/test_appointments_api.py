"""Appointments over HTTP: dates, overlaps, hand-over, scopes and ETags."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.people.models import AuditEntry
from patrol.waters.events import ReachHandedOver
from patrol.waters.models import Appointment
from patrol.waters.queries import chiefs_on

ONE = {"If-Match": '"1"'}


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("office"))


@pytest.fixture
def told(monkeypatch):
    seen = []
    monkeypatch.setitem(events._subscribers, ReachHandedOver, [seen.append])
    return seen


def body_of(reach, person, **changes):
    return {"reach_code": reach.code, "username": person.username, "valid_from": "2026-01-01", **changes}


def test_appointing_by_code_and_name_or_by_ids(build, client):
    reach, person = build.reach(), build.person("chief")
    reply = client.post("appointments", json=body_of(reach, person))
    assert reply.status_code == 201, reply.json
    assert reply.json["reach"]["id"] == str(reach.id)
    assert (reply.json["title"], reply.json["valid_to"]) == ("chief", None)
    assert reply.headers["ETag"] == '"1"'
    other = {"reach_id": str(build.reach().id), "person_id": str(person.id), "valid_from": "2026-01-01", "valid_to": "2026-01-01"}
    assert client.post("appointments", json=other).status_code == 201
    shown = client.get(f"appointments/{reply.json['id']}")
    assert shown.json == reply.json
    assert db.session.scalars(db.select(AuditEntry.act)).all() == ["appoint", "appoint"]


def test_the_same_id_is_the_same_appointment(build, client):
    reach, person = build.reach(), build.person("chief")
    body = body_of(reach, person, id=str(uuid4()))
    first, again = client.post("appointments", json=body), client.post("appointments", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    other = client.post("appointments", json={**body, "title": "deputy"})
    assert other.status_code == 409
    assert "digest_stored" in other.json
    client.patch(f"appointments/{body['id']}", json={"valid_to": "2027-01-01"}, headers=ONE)
    assert client.post("appointments", json=body).status_code == 200


@pytest.mark.parametrize(("changes", "field"), [
    ({"valid_to": "2025-12-31"}, "valid_to"), ({"reach_code": "none"}, "reach_code"), ({"username": "nobody"}, "username"),
    ({"reach_id": str(uuid4())}, "reach_id"), ({"person_id": str(uuid4())}, "person_id"), ({"valid_from": "01.02.2026"}, "valid_from"),
    ({"title": ""}, "title"), ({"boss": True}, "boss"),
])
def test_bad_appointments_are_refused_by_field(build, client, changes, field):
    reply = client.post("appointments", json=body_of(build.reach(), build.person(), **changes))
    assert reply.status_code == 422
    assert field in reply.json["errors"]
    assert db.session.scalar(db.select(db.func.count()).select_from(Appointment)) == 0


def test_a_disabled_account_is_not_appointed(build, client):
    reply = client.post("appointments", json=body_of(build.reach(), build.person(disabled_at=clock.now())))
    assert reply.status_code == 422


@pytest.mark.parametrize("role", ["auditor", "handler", "office", "patroller", "citizen_chief", "supervisor", "admin"])
def test_only_who_has_the_role_of_a_chief_answers_for_a_reach(build, client, role):
    reach, person = build.reach(), build.person(role)
    for title in ("chief", "deputy", "村级河长"):
        refused = client.post("appointments", json=body_of(reach, person, title=title))
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["username"])
    assert client.post("appointments", json=body_of(reach, person, title="police_chief")).status_code == 201
    appointment = build.appointment(reach, build.person("chief"), valid_from=date(2026, 1, 1))
    handed = client.post(f"appointments/{appointment.id}/hand-over", json={"to_person_id": str(person.id), "on": "2026-02-01"}, headers=ONE)
    assert (handed.status_code, list(handed.json["errors"])) == (422, ["to_person_id"])
    assert client.post("appointments", json=body_of(reach, build.person(role, "chief"))).status_code == 201


def test_the_same_post_does_not_overlap(build, client):
    reach, person = build.reach(), build.person("chief")
    build.appointment(reach, person, valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30))
    assert client.post("appointments", json=body_of(reach, person, valid_from="2026-06-30")).status_code == 409
    assert client.post("appointments", json=body_of(reach, person, valid_from="2025-01-01")).status_code == 409
    assert client.post("appointments", json=body_of(reach, person, valid_from="2026-07-01")).status_code == 201
    assert client.post("appointments", json=body_of(reach, person, title="deputy")).status_code == 201


def test_a_person_is_chief_of_a_reach_once_under_whatever_title(build, client):
    reach, person = build.reach(), build.person("chief", name="张三")
    build.appointment(reach, person, title="河长", valid_from=date(2026, 1, 1), valid_to=date(2026, 6, 30))
    refused = client.post("appointments", json=body_of(reach, person, title="村级河长", valid_from="2026-06-01"), headers={"Accept-Language": "zh"})
    assert refused.status_code == 409
    assert "张三 自 2026-01-01 起已在该河段任“河长”" in refused.json["detail"]
    assert client.post("appointments", json=body_of(reach, person, title="村级河长", valid_from="2026-07-01")).status_code == 201


def test_who_ends_the_only_appointment_is_told_that_nobody_follows(build, client):
    reach = build.reach(name="清溪段")
    appointment = build.appointment(reach, build.person(name="张三"), valid_from=date(2026, 1, 1))
    ended = client.patch(f"appointments/{appointment.id}", json={"valid_to": "2026-05-31"}, headers={**ONE, "Accept-Language": "zh"})
    assert all(words in ended.json["warning"] for words in ("2026-06-01", "清溪段", "张三", "移交"))
    build.appointment(reach, build.person(), valid_from=date(2026, 6, 1))
    again = client.patch(f"appointments/{appointment.id}", json={"valid_to": "2026-05-31"}, headers={"If-Match": '"2"'})
    assert again.json["warning"] is None


def test_the_end_is_changed_with_the_etag(build, client):
    appointment = build.appointment(build.reach(), build.person(), valid_from=date(2026, 1, 1))
    path = f"appointments/{appointment.id}"
    assert client.patch(path, json={"valid_to": "2026-12-31"}).status_code == 428
    assert client.patch(path, json={"valid_to": "2026-12-31"}, headers={"If-Match": '"9"'}).status_code == 412
    assert client.patch(path, json={"valid_to": "2025-12-31"}, headers=ONE).status_code == 422
    reply = client.patch(path, json={"valid_to": "2026-12-31"}, headers=ONE)
    assert (reply.json["valid_to"], reply.headers["ETag"]) == ("2026-12-31", '"2"')
    assert client.patch(path, json={"valid_to": None}, headers={"If-Match": '"2"'}).json["valid_to"] is None


def test_a_hand_over_closes_the_day_before_and_is_told(build, client, told):
    reach, old, new = build.reach(), build.person("chief"), build.person("chief")
    appointment = build.appointment(reach, old, valid_to=date(2027, 12, 31), title="村级河长")
    reply = client.post(f"appointments/{appointment.id}/hand-over", json={"username": new.username, "on": "2026-07-01"}, headers=ONE)
    assert reply.status_code == 201, reply.json
    assert reply.json | {"id": None, "reach": None, "person": None} == {
        "id": None, "reach": None, "person": None, "title": "村级河长", "valid_from": "2026-07-01", "valid_to": "2027-12-31", "version": 1, "warning": None,
    }
    days = {day: chiefs_on([reach.id], day)[reach.id][0].person_id for day in (date(2026, 6, 30), date(2026, 7, 1))}
    assert list(days.values()) == [old.id, new.id]
    assert told == [ReachHandedOver(
        reach_id=reach.id, from_person_id=old.id, to_person_id=new.id, title="村级河长", on=date(2026, 7, 1))]
    again = client.post(f"appointments/{appointment.id}/hand-over", json={"username": new.username, "on": "2026-07-01"}, headers=ONE)
    assert again.status_code == 412


@pytest.mark.parametrize(("body", "field"), [
    ({"on": "2026-01-01"}, "on"), ({"on": "2027-01-01"}, "on"), ({"username": "nobody"}, "username"), ({"username": None}, "username"),
    ({"to_person_id": str(uuid4())}, "to_person_id"), ({"on": None}, "on"),
])
def test_an_impossible_hand_over_changes_nothing(build, client, told, body, field):
    appointment = build.appointment(build.reach(), build.person(), valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    full = {"username": build.person().username, "on": "2026-07-01", **body}
    reply = client.post(f"appointments/{appointment.id}/hand-over", json=full, headers=ONE)
    assert reply.status_code == 422
    assert field in reply.json["errors"]
    assert told == []
    assert client.get(f"appointments/{appointment.id}").json["valid_to"] == "2026-12-31"


def test_nobody_hands_over_to_himself(build, client):
    person = build.person()
    appointment = build.appointment(build.reach(), person)
    reply = client.post(f"appointments/{appointment.id}/hand-over", json={"username": person.username, "on": "2026-07-01"}, headers=ONE)
    assert reply.status_code == 422


def test_what_lies_outside_ones_region_does_not_exist(build, signed_in):
    here, there = build.region(), build.region()
    office = signed_in(build.person("office", region=here))
    foreign = build.appointment(build.reach(region=there), build.person(region=there))
    own = build.appointment(build.reach(region=here), build.person(region=here))
    bodies = body_of(foreign.reach, own.person), body_of(own.reach, foreign.person)
    path = f"appointments/{foreign.id}"
    assert office.get(path).status_code == 404
    assert office.patch(path, json={"valid_to": None}, headers=ONE).status_code == 404
    assert office.post(f"{path}/hand-over", json={"username": "x", "on": "2026-07-01"}, headers=ONE).status_code == 404
    assert [row["id"] for row in office.get("appointments").json["items"]] == [str(own.id)]
    for body in bodies:
        assert office.post("appointments", json=body).status_code == 422


def test_an_officer_does_not_change_his_own_appointment_elsewhere(build, signed_in):
    here, there = build.region(), build.region()
    officer = build.person("office", region=here)
    appointment = build.appointment(build.reach(region=there), officer)
    client = signed_in(officer)
    assert client.get(f"appointments/{appointment.id}").status_code == 200
    assert client.patch(f"appointments/{appointment.id}", json={"valid_to": None}, headers=ONE).status_code == 403


def test_appointments_are_filtered(build, client):
    town, today = build.region(), date(2026, 5, 1)
    past = build.appointment(build.reach(), build.person(), valid_from=date(2020, 1, 1), valid_to=today - timedelta(days=1))
    now = build.appointment(build.reach(region=town), build.person(), valid_from=today)
    for filters, wanted in [
        ({}, [now, past]), ({"on": "2026-05-01"}, [now]), ({"on": "2026-04-30"}, [past]), ({"reach": str(past.reach_id)}, [past]),
        ({"person": str(now.person_id)}, [now]), ({"region": town.code}, [now]), ({"person": "me"}, []),
    ]:
        reply = client.get("appointments", query_string=filters)
        assert [row["id"] for row in reply.json["items"]] == [str(row.id) for row in wanted], filters
    assert "person" in client.get("appointments", query_string={"person": "him"}).json["errors"]
    assert client.get("appointments", query_string={"region": "none"}).status_code == 404


def test_appointments_are_paged_to_the_end(build, client):
    for _ in range(5):
        build.appointment(build.reach(), build.person())
    seen, cursor = [], None
    while True:
        page = client.get("appointments", query_string={"limit": 2, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.json
        seen += [row["id"] for row in page.json["items"]]
        if (cursor := page.json["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5


def test_a_second_chief_in_the_same_days_is_told_who_is_there(build, client):
    reach, first, second = build.reach(), build.person("chief", name="王河"), build.person("chief", name="李江")
    alone = client.post("appointments", json=body_of(reach, first, title="村级河长")).json
    assert alone["warning"] is None
    reply = client.post("appointments", json=body_of(reach, second, valid_from="2026-06-01"), headers={"Accept-Language": "zh"})
    assert (reply.status_code, "王河（村级河长，2026-01-01 起）" in reply.json["warning"]) == (201, True)
    assert "移交" in reply.json["warning"]
    # It is there to be read again, from either side, and gone when the days no longer meet.
    assert "李江 (River chief, from 2026-06-01)" in client.get(f"appointments/{alone['id']}", headers={"Accept-Language": "en"}).json["warning"]
    ended = client.patch(f"appointments/{alone['id']}", json={"valid_to": "2026-05-31"}, headers=ONE)
    assert ended.json["warning"] is None
    assert client.get(f"appointments/{reply.json['id']}").json["warning"] is None
    later = client.patch(f"appointments/{alone['id']}", json={"valid_to": "2026-06-01"}, headers={"If-Match": '"2"'})
    assert "李江" in later.json["warning"]


@pytest.mark.parametrize(("there", "new"), [("chief", "deputy"), ("chief", "副河长"), ("contact", "chief"), ("副河长", "chief"), ("河道警长", "chief")])
def test_deputies_and_posts_beside_a_chief_are_no_second_chief(build, client, there, new):
    reach = build.reach()
    build.appointment(reach, build.person("chief"), title=there)
    assert client.post("appointments", json=body_of(reach, build.person("chief"), title=new)).json["warning"] is None


def test_whoever_cannot_answer_occupies_nothing(build, client):
    reach = build.reach()
    gone = build.person("chief", disabled_at=clock.now())
    build.appointment(reach, gone)
    assert client.post("appointments", json=body_of(reach, build.person("chief"))).json["warning"] is None


def test_a_hand_over_warns_of_a_third(build, client):
    reach, first, second, third = build.reach(), *(build.person("chief", name=name) for name in ("甲", "乙", "丙"))
    held = client.post("appointments", json=body_of(reach, first)).json
    client.post("appointments", json=body_of(reach, third))
    reply = client.post(f"appointments/{held['id']}/hand-over", json={"username": second.username, "on": "2026-07-01"}, headers=ONE)
    assert reply.status_code == 201, reply.json
    assert "丙" in reply.json["warning"]
    assert "甲" not in reply.json["warning"]

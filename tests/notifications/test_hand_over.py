"""Whoever is put in charge by a hand-over hears of it, and so does the office, which has to act where nobody took over."""

from uuid import UUID

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.notifications.models import Message
from tests.issues.conftest import report


def told(issue):
    rows = select(Message.person_id).where(Message.subject_id == UUID(issue["id"]), Message.kind == "issue.hand_over")
    return set(db.session.scalars(rows))


def test_the_new_chief_and_the_office_are_told(valley, build, work):
    issue, successor = report(valley.patroller_client), build.person("chief", region=valley.village, name="新村长")
    [held] = valley.office_client.get(f"appointments?reach={valley.reach.id}").json["items"]
    body = {"to_person_id": str(successor.id), "on": clock.today("Asia/Shanghai").isoformat()}
    assert valley.office_client.post(f"appointments/{held['id']}/hand-over", json=body, headers={"If-Match": "*"}).status_code == 201
    work()
    assert told(issue) == {successor.id, valley.town_office.id}


def test_the_office_is_told_of_work_that_nobody_leads_any_more(valley, build, signed_in, work):
    issue, admin = report(valley.patroller_client), signed_in(build.person("admin"))
    person = admin.get(f"people/{valley.chief.id}")
    assert admin.patch(f"people/{valley.chief.id}", json={"disabled": True}, headers={"If-Match": person.headers["ETag"]}).status_code == 200
    work()
    assert told(issue) == {valley.town_office.id}

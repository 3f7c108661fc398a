"""Who may delegate what to whom and for how long."""

from uuid import uuid4

import pytest

from patrol.foundation.database import db
from patrol.patrols.duty_models import Delegation


@pytest.fixture
def world(build):
    class World:
        town = build.region(level="township")
        village = build.region(town, level="village")
        other = build.region(level="township")
        reach = build.reach(region=village)
        chief = build.person("chief", region=village)
        deputy = build.person("patroller", region=village)
        office = build.person("office", region=town)
        foreign_office = build.person("office", region=other)

    build.appointment(World.reach, World.chief)
    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


def body(world, **changes):
    return {"principal_id": str(world.chief.id), "deputy_id": str(world.deputy.id), "valid_from": "2026-11-01", "valid_to": "2026-11-30",
            "reason": "外出培训", **changes}


def test_the_principal_and_her_office_may(world, chief, signed_in):
    for client, status in ((chief, 201), (signed_in(world.office), 201), (signed_in(world.deputy), 403), (signed_in(world.foreign_office), 403)):
        assert client.put(f"delegations/{uuid4()}", json=body(world)).status_code == status
    assert db.session.query(Delegation).count() == 2


def test_a_repeat_is_the_same_delegation_and_other_content_conflicts(world, chief):
    path = f"delegations/{uuid4()}"
    first, again = (chief.put(path, json=body(world)) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert first.json["reaches"] == []
    assert first.json["created_by"] == str(world.chief.id)
    assert chief.put(path, json=body(world, reason="另有安排")).status_code == 409


def test_ninety_days_are_the_most(world, chief):
    assert chief.put(f"delegations/{uuid4()}", json=body(world, valid_to="2027-01-29")).status_code == 201
    reply = chief.put(f"delegations/{uuid4()}", json=body(world, valid_to="2027-01-30"))
    assert reply.status_code == 422
    assert "90" in reply.json["errors"]["valid_to"][0]


def test_what_cannot_be_delegated(world, chief, build, signed_in):
    foreign_reach = build.reach(region=world.village)
    for changes, field in (
        ({"deputy_id": str(world.chief.id)}, "deputy_id"), ({"deputy_id": str(uuid4())}, "deputy_id"),
        ({"deputy_id": str(world.office.id)}, "deputy_id"), ({"valid_to": "2026-10-31"}, "valid_to"), ({"reason": ""}, "reason"),
        ({"reach_ids": [str(world.reach.id), str(foreign_reach.id)]}, "reach_ids"),
    ):
        reply = chief.put(f"delegations/{uuid4()}", json=body(world, **changes))
        assert reply.status_code == 422, changes
        assert field in reply.json["errors"]
    office = signed_in(world.office)
    for principal in (world.office.id, uuid4()):
        reply = office.put(f"delegations/{uuid4()}", json=body(world, principal_id=str(principal)))
        assert (reply.status_code, list(reply.json["errors"])) == (422, ["principal_id"])
    assert db.session.query(Delegation).count() == 0


def test_revoking(world, chief, signed_in):
    made = chief.put(f"delegations/{uuid4()}", json=body(world))
    path = f"delegations/{made.json['id']}/revoke"
    assert chief.post(path).status_code == 428
    assert signed_in(world.deputy).post(path, headers={"If-Match": "*"}).status_code == 403
    assert signed_in(world.foreign_office).post(path, headers={"If-Match": "*"}).status_code == 404
    revoked = signed_in(world.office).post(path, headers={"If-Match": made.headers["ETag"]})
    assert revoked.json["revoked_at"]
    assert chief.post(path, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert chief.post(path, headers={"If-Match": "*"}).status_code == 409


def test_lists_by_party_and_day(world, chief, signed_in, build):
    made = chief.put(f"delegations/{uuid4()}", json=body(world, reach_ids=[str(world.reach.id)])).json
    assert [row["id"] for row in made["reaches"]] == [str(world.reach.id)]

    def listed(client, **query):
        return [row["id"] for row in client.get("delegations", query_string=query).json["items"]]

    deputy = signed_in(world.deputy)
    assert listed(deputy) == listed(deputy, person="me") == listed(chief, person="me", on="2026-11-30") == [made["id"]]
    assert listed(chief, on="2026-12-01") == listed(chief, person=str(world.office.id)) == listed(signed_in(world.foreign_office)) == []
    chief.post(f"delegations/{made['id']}/revoke", headers={"If-Match": "*"})
    assert listed(chief, on="2026-11-30") == []


def test_a_deputy_elsewhere_sees_what_was_delegated_to_him(world, chief, signed_in, build):
    far = build.person("patroller", region=world.other)
    made = chief.put(f"delegations/{uuid4()}", json=body(world, deputy_id=str(far.id))).json
    assert signed_in(far).get(f"delegations/{made['id']}").status_code == 200

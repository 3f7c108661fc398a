"""A reach gets another chief: his open work on it moves, with an entry in the history; the rest stays."""

from patrol.foundation import clock, events
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains
from patrol.waters.events import ReachHandedOver
from tests.issues.conftest import NOWHERE, report, taken


def hand_over(valley, successor):
    with transaction():
        events.record(ReachHandedOver(
            reach_id=valley.reach.id, from_person_id=valley.chief.id, to_person_id=successor.id, title="chief", on=clock.today("Asia/Shanghai")))


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


def test_an_account_that_cannot_handle_gets_nothing(valley, build):
    issue = report(valley.patroller_client)
    hand_over(valley, build.person("auditor", region=valley.village))
    assert valley.office_client.get(f"issues/{issue['id']}").json["lead"]["name"] == "柳村长"

"""Whatever moves an issue on while no sweep passes first lets it climb: the history is as if the sweep had been there."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.climbing import put_off
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Escalation, Order
from patrol.issues.handing_over import move_leads
from patrol.issues.history import broken_chains
from patrol.issues.parts import tell_of_all_late_parts
from tests.issues.conftest import CHINA, at, report, step, taken
from tests.issues.test_plans import dispatched, read
from tests.issues.test_policies import added, limit
from tests.issues.test_recounting import apply, delivered


def on(day: str, hour: int = 9):
    return at(datetime.fromisoformat(f"2026-{day}T{hour:02}:00").replace(tzinfo=CHINA))


def climbed() -> list[str]:
    return [row.code for row in db.session.scalars(select(Escalation).order_by(Escalation.planned_at, Escalation.id))]


@pytest.fixture
def late(valley):
    """A general issue whose ten working days end with 16 March, and which no sweep has looked at."""
    with on("03-02"):
        return report(valley.patroller_client)


@pytest.fixture(autouse=True)
def sound(database):
    yield
    assert [found for found in broken_chains() if found] == []
    assert list(put_off("Asia/Shanghai")) == []
    twice = select(Escalation.code).group_by(Escalation.issue_id, Escalation.code, Escalation.due_at).having(func.count() > 1)
    assert db.session.scalars(twice).all() == []


def test_a_late_cure_does_not_hide_the_rungs_before_it(late, valley, pictures):
    with on("03-25"):
        cured = taken(valley.chief_client, late, "rectify", version=late["version"], note="已清理", files=pictures[:1])
        assert escalate_all_due() == 0
    entries = valley.office_client.get(f"issues/{late['id']}/history").json["items"]
    told = [(entry["verb"], entry["rule"], entry["actor"]) for entry in entries[-5:]]
    assert told == [*(("escalate", code, None) for code in ("half_time", "day_before", "overdue", "letter")), ("rectify", None, told[-1][2])]
    assert (cured["version"], cured["state"]) == (late["version"] + 5, "rectified")
    assert entries[-2]["changes"]["planned_at"]["to"] == "2026-03-19T16:00:00+00:00"
    [order] = db.session.scalars(select(Order)).all()
    assert (order.kind, order.to_id) == ("letter", valley.chief.id)
    assert [row["code"] for row in valley.office_client.get("escalations").json["items"]] == ["letter", "overdue", "day_before", "half_time"]


def test_a_stale_step_is_refused_and_climbs_nothing(late, valley, pictures):
    with on("03-25"):
        assert step(valley.chief_client, late, "rectify", version=late["version"] - 1, note="已清理", files=pictures[:1]).status_code == 412
        assert step(valley.chief_client, late, "rectify", note="已清理").status_code == 422
    assert climbed() == []


def test_a_late_acceptance_is_told(valley):
    with on("03-02"):
        issue = report(valley.office_client, severity="serious")
    with on("03-12"):
        taken(valley.office_client, issue, "accept")
        assert climbed() == ["half_time", "overdue", "letter"]


def test_a_late_dispatch_and_a_late_check_are_told(valley, pictures):
    with on("03-02"):
        issue = taken(valley.office_client, report(valley.office_client, severity="serious"), "accept")
    with on("03-06"):
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username)
        assert climbed() == ["dispatch_late"]
        issue = taken(valley.chief_client, issue, "rectify", note="已清理", files=pictures[:1])
    with on("03-20"):
        taken(valley.supervisor_client, issue, "verify")
        assert climbed() == ["dispatch_late", "review_late"]


def test_a_plan_that_is_reported_late_was_late(valley):
    issue = dispatched(valley)
    with on("03-04"):
        issue = taken(valley.chief_client, issue, "start")
    with on("03-25"):
        assert taken(valley.chief_client, read(valley.chief_client, issue), "progress", note="方案", is_plan=True)["plan"]["late"]
        assert "plan_late" in climbed()
        assert escalate_all_due() == 0


def test_more_time_that_is_decided_late_was_late(late, valley):
    with on("03-03"):
        body = {"until": "2026-03-20T00:00:00+08:00", "reason": "雨"}
        asked = valley.chief_client.post(f"issues/{late['id']}/extensions", json=body, headers={"If-Match": "*"})
    with on("03-12"):
        header = {"If-Match": asked.headers["ETag"]}
        decided = valley.office_client.post(f"issues/{late['id']}/extensions/1/decide", json={"granted": True, "reason": "属实"}, headers=header)
        assert decided.status_code == 200
        assert climbed() == ["extension_late", "half_time"]


def test_merging_first_lets_both_climb_and_undoing_repeats_nothing(late, valley):
    with on("03-02"):
        other = report(valley.patroller_client)
    with on("03-25"):
        taken(valley.office_client, other, "merge", into=late["id"], reason="同一处", raise_severity="serious")
        assert sorted(climbed()) == sorted(["half_time", "day_before", "overdue", "letter"] * 2)
        taken(valley.office_client, read(valley.office_client, other), "unmerge", reason="两处")
        assert escalate_all_due() == 0


def test_a_letter_that_was_due_goes_to_whoever_led_until_then(late, valley):
    with on("03-25"):
        with transaction():
            assert move_leads(valley.reach.id, valley.chief.id, valley.other_chief.id) == 1
        [order] = db.session.scalars(select(Order)).all()
        assert order.to_id == valley.chief.id


def test_a_recount_that_moves_the_date_first_lets_it_climb(late, valley):
    with on("03-25"):
        added(valley.office_client, "deadlines", limit(amount=60, valid_from="2026-03-25"))
        assert apply(valley.office_client).status_code == 201
        delivered()
        assert climbed() == ["half_time", "day_before", "overdue", "letter"]
    [order] = db.session.scalars(select(Order)).all()
    assert (order.kind, order.to_id) == ("letter", valley.chief.id)


@pytest.mark.parametrize("verb", ["report", "take-back", "transfer"])
def test_a_part_that_ends_late_was_late(valley, verb):
    with on("03-02"):
        parts = [{"person": valley.handler.username, "part": "清障", "due_at": "2026-03-05T00:00:00+08:00"}]
        issue = taken(valley.office_client, report(valley.office_client, severity="general"), "accept")
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, co_handlers=parts)
    with on("03-06"):
        ends = {"report": (valley.handler_client, {"note": "清完"}), "take-back": (valley.office_client, {"reason": "无需"})}
        if verb == "transfer":
            taken(valley.office_client, issue, "transfer", reason="换段", reach_id=str(valley.reach.id))
        else:
            client, body = ends[verb]
            assert client.post(f"issues/{issue['id']}/parts/1/{verb}", json=body, headers={"If-Match": "*"}).status_code == 200
        assert tell_of_all_late_parts() == 0
    entries = valley.office_client.get(f"issues/{issue['id']}/history").json["items"]
    assert [(entry["verb"], entry["rule"]) for entry in entries].count(("escalate", "part_late")) == 1
    assert entries[-1]["verb"] != "escalate"


def test_where_nothing_is_due_nothing_more_is_asked(late, valley, queries):
    with on("03-03"):
        queries.clear()
        started = taken(valley.chief_client, late, "start")
        taken(valley.chief_client, started, "progress", note="已联系")
    assert not [statement for statement in queries if "FROM escalation" in statement]

"""When the sweep looks at an issue next: put off or emptied behind the history's back, it is found."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.issues.climbing import put_off
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import EscalationPolicy
from patrol.issues.models import Issue
from patrol.issues.parts import tell_of_all_late_parts
from tests.issues.conftest import report, step, taken

CHINA = "Asia/Shanghai"


@pytest.fixture
def issue(valley):
    return report(valley.patroller_client)


def stored(issue):
    db.session.expire_all()
    return db.session.get_one(Issue, UUID(issue["id"]))


def put(issue, moment):
    stored(issue).next_escalation_at = moment
    db.session.commit()


def found():
    return [(str(one.issue_id), one.seq) for one in put_off(CHINA)]


def sweep_at(moment):
    with clock.moved_clock(lambda: moment):
        return escalate_all_due()


@pytest.mark.parametrize("when", [None, timedelta(days=400)])
def test_an_issue_that_would_never_climb_is_found(app, issue, when):
    assert found() == []
    escalate_all_due()
    assert found() == []
    put(issue, when and clock.now() + when)
    assert found() == [(issue["id"], 3)]
    said = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert said.exit_code == 1
    assert f"{issue['number']} {issue['id']}: put_off at 3" in said.output


def test_between_its_rungs_and_at_the_end_of_the_ladder_nothing_is_found(issue):
    due = stored(issue).due_at
    for days in (-3, 0, 6, 60):
        moment = due + timedelta(days=days)
        with clock.moved_clock(lambda moment=moment: moment):
            assert found() == [], "the sweep was away, and what it looks at is where it was"
        sweep_at(moment)
        with clock.moved_clock(lambda moment=moment: moment):
            assert found() == []
    assert stored(issue).next_escalation_at is None


def test_what_is_put_off_behind_the_next_rung_is_found_also_when_some_were_reached(issue):
    due = stored(issue).due_at
    sweep_at(due)
    put(issue, due + timedelta(days=60))
    assert found() == [(issue["id"], 3)]


@pytest.mark.parametrize("verb", ["rectify", "verify"])
def test_what_waits_for_the_office_climbs_too(valley, issue, pictures, verb):
    issue = taken(valley.chief_client, issue, "rectify", note="已清理", files=pictures[:1])
    if verb == "verify":
        issue = taken(valley.supervisor_client, issue, "verify")
    assert found() == []
    put(issue, None)
    assert [one for one, _ in found()] == [issue["id"]]


def test_every_way_of_an_issue_leaves_it_climbing(valley, issue, pictures):
    issue = taken(valley.chief_client, issue, "rectify", note="已清理", files=pictures[:1])
    issue = taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    assert found() == []
    other = report(valley.office_client, source="hotline", category="C2", severity="serious")
    merged = step(valley.office_client, report(valley.office_client, source="hotline", category="C2", severity="serious"), "merge",
                  into=other["id"], reason="同一处")
    assert merged.status_code == 200, merged.json
    assert found() == []
    taken(valley.office_client, merged.json, "unmerge", reason="不是同一处")
    assert found() == []


def test_a_version_of_a_rung_that_waits_to_be_planned_is_waited_for(issue):
    escalate_all_due()
    tomorrow = clock.now() + timedelta(days=1)
    db.session.add(EscalationPolicy(
        id=uuid4(), code="early", version=1, enabled=True, basis="hours_before", amount=1, order_kind=None, name_zh="提前", name_en="Early",
        valid_from=clock.today(CHINA), source_zh="区文件", source_en="District", digest="", added_at=clock.now(), planned_at=None))
    db.session.commit()
    put(issue, None)
    assert found() == []
    with clock.moved_clock(lambda: tomorrow):
        escalate_all_due()
        assert found() == []
        put(issue, None)
        assert found() == [(issue["id"], 3)]


def test_a_late_part_is_no_rung_of_the_ladder(app, valley, issue):
    shared = report(valley.patroller_client, severity="serious")
    shared = taken(valley.office_client, shared, "accept")
    due = clock.now() + timedelta(days=2)
    taken(valley.office_client, shared, "dispatch", co_handlers=[{"person": valley.handler.username, "part": "清运", "due_at": due.isoformat()}])
    escalate_all_due()
    with clock.moved_clock(lambda: due + timedelta(minutes=1)):
        assert tell_of_all_late_parts() == 1
    assert found() == []
    assert app.test_cli_runner().invoke(args=["issues", "verify"]).exit_code == 0
    put(shared, None)
    assert [number for number, _ in found()] == [shared["id"]]


def test_more_issues_than_fit_a_batch_are_looked_at(valley, issue):
    others = [report(valley.patroller_client) for _ in range(2)]
    db.session.get_one(Issue, UUID(others[-1]["id"])).next_escalation_at = None
    db.session.commit()
    assert [str(one.issue_id) for one in put_off(CHINA, batch=1)] == [others[-1]["id"]]

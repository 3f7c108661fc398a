"""What a version would change, and the act of changing it: told before, done in batches, each once, with who ordered it."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from patrol.foundation import clock, outbox, worker
from patrol.foundation.claims import CLAIM
from patrol.foundation.database import db
from patrol.issues import policy_dry_runs, recounting
from patrol.issues.escalating import escalate_all_due
from patrol.issues.escalation_models import Escalation
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from patrol.issues.policy_models import PolicyApplication
from tests.issues.conftest import CHINA, at, report, taken
from tests.issues.test_policies import SOURCE, added, limit, rule

FRIDAY = datetime(2026, 3, 13, 9, tzinfo=CHINA)


@pytest.fixture
def issues(valley, monday):
    """Three in work, one of them with more time granted by the office."""
    made = [report(valley.patroller_client, description=f"第 {n} 处") for n in range(3)]
    reply = valley.chief_client.post(f"issues/{made[2]['id']}/extensions", headers={"If-Match": "*"},
                                     json={"until": "2026-03-30T16:00:00Z", "reason": "连续降雨"})
    assert reply.status_code == 200, reply.json
    decide = valley.office_client.post(f"issues/{made[2]['id']}/extensions/1/decide", headers={"If-Match": "*"},
                                       json={"granted": True, "reason": "同意"})
    assert decide.status_code == 200, decide.json
    return made


def dry_run(client, kind, body, **asked):
    reply = client.post(f"policies/{kind}/dry-run", json=body, query_string=asked)
    assert reply.status_code == 200, reply.json
    return reply.json


def stored(issue):
    db.session.expire_all()
    return db.session.get_one(Issue, UUID(issue["id"]))


def delivered():
    while worker.deliver_due():
        pass


def numbers(told, *names):
    return tuple(told[name] for name in names)


def test_a_dry_run_counts_what_would_move_and_writes_nothing(issues, valley):
    with at(FRIDAY):
        told = dry_run(valley.office_client, "deadlines", limit(valid_from="2026-03-13"), first=1)
        assert numbers(told, "looked_at", "moved", "earlier", "later", "late_at_once", "kept", "cut_off") == (3, 2, 2, 0, 2, 1, False)
        [item] = told["items"]
        assert item["issue"]["number"] == issues[0]["number"]
        assert (item["before"]["last_day"], item["after"]["last_day"]) == ("2026-03-16", "2026-03-09")
        assert item["after"]["explanation"][0] == "整改期限：5个工作日"
        later = dry_run(valley.office_client, "deadlines", limit(amount=30, valid_from="2026-03-20"))
        assert numbers(later, "moved", "earlier", "later", "late_at_once") == (2, 0, 2, 0)
        assert "apply-to-open" in later["applies"]
    assert [row["code"] for row in valley.office_client.get("policies/deadlines").json["items"]].count("general_5_wd") == 0
    assert outbox.pending_and_stuck()[1] == 0


def test_a_dry_run_says_when_it_was_cut_off_and_shows_only_what_one_may_see(issues, valley, build, signed_in, monkeypatch):
    admin = signed_in(build.person("admin", name="管理员"))
    told = dry_run(admin, "deadlines", limit())
    assert (told["moved"], told["items"]) == (2, [])
    monkeypatch.setattr(policy_dry_runs, "MOST_LOOKED_AT", 2)
    assert numbers(dry_run(admin, "deadlines", limit()), "looked_at", "cut_off") == (2, True)
    monkeypatch.setattr(policy_dry_runs, "MOST_LOOKED_AT", 3)
    assert numbers(dry_run(admin, "deadlines", limit()), "looked_at", "cut_off") == (3, False)


def test_batches_of_any_size_read_each_issue_once(issues, monkeypatch):
    monkeypatch.setattr(recounting, "READ_AT_ONCE", 2)
    assert len({row[1] for row in recounting.running_issues(most=100)}) == 3


def test_a_local_day_off_moves_due_dates_by_a_day(issues, valley):
    body = {"id": str(uuid4()), "day": "2026-03-11", "works": False, "origin": "local", "name": {"zh": "防汛停工", "en": "flood stoppage"}, "source": SOURCE}
    told = dry_run(valley.office_client, "calendar", body)
    assert numbers(told, "moved", "later", "late_at_once") == (2, 2, 0)
    assert told["items"][0]["after"]["last_day"] == "2026-03-17"
    assert "2026-03-11本地规定放假（防汛停工），不计" in told["items"][0]["after"]["explanation"]
    added(valley.office_client, "calendar", body)
    assert report(valley.patroller_client, description="另一处")["due_rule"]["last_day"] == "2026-03-17"
    assert stored(issues[0]).due_rule["last_day"] == "2026-03-16"
    assert valley.office_client.delete(f"policies/calendar/{body['id']}").status_code == 200
    assert report(valley.patroller_client, description="第五处")["due_rule"]["last_day"] == "2026-03-16"


def test_dispatching_tells_which_reports_would_have_gone_another_way(issues, valley):
    told = dry_run(valley.office_client, "dispatch", rule())
    assert numbers(told, "looked_at", "changed", "to_office", "to_chief") == (3, 3, 3, 0)
    assert told["items"][0]["before"]["rule"] == "patrol_to_chief"
    assert told["items"][0]["after"] == {"straight": False, "rule": "patrol_to_office", "version": 1, "reason": "先核实"}
    assert dry_run(valley.office_client, "dispatch", rule(sources=["hotline"]))["changed"] == 0
    with at(FRIDAY):
        assert dry_run(valley.office_client, "dispatch", rule(valid_from="2026-03-13"), days=5)["looked_at"] == 0


def apply(client, **others):
    return client.post("policies/apply-to-open", json={"id": str(uuid4()), "reason": "区文件", **others})


def test_open_issues_are_counted_again_when_somebody_orders_it(issues, valley, monkeypatch):
    monkeypatch.setattr(recounting, "BATCH", 2)
    added(valley.office_client, "deadlines", limit(valid_from="2026-03-02"))
    kept = stored(issues[2]).due_at
    body = {"id": str(uuid4())}
    ordered = apply(valley.office_client, **body)
    assert (ordered.status_code, apply(valley.office_client, **body).status_code) == (201, 200)
    assert apply(valley.office_client, id=body["id"], reason="另一个").status_code == 409
    delivered()
    done = valley.chief_client.get(f"policies/apply-to-open/{body['id']}").json
    assert numbers(done, "looked_at", "moved", "kept") == (3, 2, 1)
    assert done["finished_at"]
    assert (stored(issues[0]).due_rule["rule"], stored(issues[0]).due_rule["last_day"]) == ("general_5_wd", "2026-03-09")
    assert stored(issues[2]).due_at == kept
    last = valley.auditor_client.get(f"issues/{issues[0]['id']}/history").json["items"][-1]
    assert (last["verb"], last["rule"], last["actor"], last["reason"]) == ("recount", "general_5_wd", None, "区文件")
    assert last["changes"]["ordered_by"]["to"]["name"] == valley.office.name
    assert last["changes"]["last_day"] == {"from": "2026-03-16", "to": "2026-03-09"}
    assert list(broken_chains()) == [None] * 3
    assert [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]].count("issue.recount") == 2
    entries = stored(issues[0]).version
    assert apply(valley.office_client).status_code == 201
    delivered()
    assert stored(issues[0]).version == entries


def test_a_worker_killed_in_a_batch_goes_on_with_it_whole(issues, valley, monkeypatch):
    monkeypatch.setattr(recounting, "BATCH", 1)
    added(valley.office_client, "deadlines", limit(valid_from="2026-03-02"))
    assert apply(valley.office_client).status_code == 201
    really, calls = recounting.add_entry, []

    def killed_once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return really(*args, **kwargs)

    monkeypatch.setattr(recounting, "add_entry", killed_once)
    with pytest.raises(KeyboardInterrupt):
        delivered()
    db.session.rollback()
    later = clock.now() + CLAIM
    with clock.moved_clock(lambda: later):
        delivered()
    act = db.session.scalars(select(PolicyApplication)).one()
    assert (act.looked_at, act.moved, act.kept, act.finished_at is not None) == (3, 2, 1, True)
    verbs = [entry["verb"] for issue in issues for entry in valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"]]
    assert verbs.count("recount") == 2


def test_who_becomes_late_at_once_climbs_without_reminders_of_times_past(issues, valley):
    with at(FRIDAY):
        added(valley.office_client, "deadlines", limit(valid_from="2026-03-13"))
        assert apply(valley.office_client).status_code == 201
        delivered()
        escalate_all_due()
    climbed = db.session.scalars(select(Escalation.code).where(Escalation.issue_id == UUID(issues[0]["id"])).order_by(Escalation.planned_at)).all()
    # The reminders are those of the date before. Late since the 9th; three working days later was the 12th.
    assert sorted(climbed) == ["day_before", "half_time", "overdue"]
    with at(datetime(2026, 3, 18, 23, 59, tzinfo=CHINA)):
        assert escalate_all_due() == 1, "half of the time of the extended one is over"
    with at(datetime(2026, 3, 19, 0, 0, tzinfo=CHINA)):
        assert escalate_all_due() == 2, "the letter, three working days after Friday the 13th"


def test_who_was_late_before_is_not_told_again_and_climbs_on_from_the_recount(issues, valley):
    with at(datetime(2026, 3, 20, 0, 1, tzinfo=CHINA)):  # late since the 16th: the letter came
        assert escalate_all_due() == 2 * 4 + 1
        added(valley.office_client, "deadlines", limit(valid_from="2026-03-20"))
        assert apply(valley.office_client).status_code == 201
        delivered()
        assert escalate_all_due() == 0
    with at(datetime(2026, 4, 3, 0, 1, tzinfo=CHINA)):
        assert escalate_all_due() == 3, "the extended one is late meanwhile"
    with at(datetime(2026, 4, 4, 0, 1, tzinfo=CHINA)):
        assert escalate_all_due() == 2, "listed supervision, ten working days after the 20th"


def test_the_dry_run_tells_how_many_of_each_rung_would_be_written(issues, valley):
    with at(FRIDAY):
        assert escalate_all_due() == 2 * 2, "half of the time, and the day before"
        told = dry_run(valley.office_client, "deadlines", limit(valid_from="2026-03-13"))
        assert told["rungs"] == {"half_time": 0, "day_before": 0, "overdue": 2, "letter": 0, "listed": 0, "talk": 0}
        added(valley.office_client, "deadlines", limit(valid_from="2026-03-13"))
        assert apply(valley.office_client).status_code == 201
        delivered()
        assert escalate_all_due() == 2


def test_what_stood_still_on_the_ledger_is_not_counted_again(issues, valley):
    issue = valley.office_client.get(f"issues/{issues[0]['id']}").json
    issue = taken(valley.office_client, issue, "suspend", reason="需要工程", review_on="2026-04-30", milestones=[{"text": "立项", "due_on": "2026-04-30"}],
                  approved_by=valley.district_chief.username)
    with at(FRIDAY):
        issue = taken(valley.office_client, issue, "resume")
        assert numbers(dry_run(valley.office_client, "deadlines", limit(valid_from="2026-03-13")), "moved", "kept") == (1, 2)


def rung(**others):
    return {"id": str(uuid4()), "code": "letter", "basis": "working_days_after", "amount": 1, "order_kind": "letter",
            "name": {"zh": "督办函", "en": "Letter"}, "valid_from": "2026-03-17", "source": SOURCE, **others}


def test_a_new_rung_counts_for_open_issues_whose_moment_lies_ahead(issues, valley):
    with at(FRIDAY):
        told = dry_run(valley.office_client, "escalation", rung())
        assert numbers(told, "looked_at", "at_once", "later", "never", "reached") == (3, 0, 3, 0, 0)
        past = dry_run(valley.office_client, "escalation", rung(basis="half", amount=0, code="early", order_kind=None, valid_from="2026-03-13"))
        assert numbers(past, "later", "never") == (1, 2)
        assert dry_run(valley.office_client, "escalation", rung(enabled=False))["never"] == 3
        added(valley.office_client, "escalation", rung(code="letter_early"))
        escalate_all_due()
    # Due on the 16th at 24:00, the first rungs were reached and the next one known was three working days later.
    with at(datetime(2026, 3, 17, 0, 0, 30, tzinfo=CHINA)):
        escalate_all_due()
    with at(datetime(2026, 3, 18, 0, 1, tzinfo=CHINA)):
        escalate_all_due()
        escalate_all_due()
        told = dry_run(valley.office_client, "escalation", rung(code="letter_early", valid_from="2026-03-18"))
        assert numbers(told, "later", "reached") == (1, 2)
    climbed = [row.code for row in db.session.scalars(
        select(Escalation).where(Escalation.issue_id == UUID(issues[0]["id"])).order_by(Escalation.planned_at))]
    assert climbed == ["half_time", "day_before", "overdue", "letter_early"]
    [order] = valley.supervisor_client.get("orders", query_string={"issue": issues[0]["id"]}).json["items"]
    assert (order["rule"], order["kind"]) == ("letter_early", "letter")
    with at(datetime(2026, 3, 18, 0, 2, tzinfo=CHINA)):
        delivered()
    kinds = [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]]
    assert kinds.count("issue.letter") == 2

"""The sweep under a moving clock: each rung once, exact after downtime, started anew by a new due date; and the orders."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues import escalating
from patrol.issues.escalating import escalate_all_due, escalate_some
from patrol.issues.escalation_models import Escalation, EscalationPolicy, Order
from patrol.issues.history import broken_chains
from patrol.issues.models import Issue
from tests.issues.conftest import report, step, taken

CHINA = "Asia/Shanghai"


@pytest.fixture
def issue(valley):
    return report(valley.patroller_client)


def due_of(issue) -> datetime:
    db.session.expire_all()
    return db.session.get_one(Issue, UUID(issue["id"])).due_at


def at(moment):
    return clock.moved_clock(lambda: moment)


def climbed():
    return [row.code for row in db.session.scalars(select(Escalation).order_by(Escalation.planned_at, Escalation.id))]


def sweep_at(moment):
    with at(moment):
        return escalate_all_due()


def test_each_rung_is_reached_once_at_its_time(issue, valley):
    due, begun = due_of(issue), clock.now()
    assert sweep_at(begun + timedelta(minutes=1)) == 0
    assert sweep_at(begun + (due - begun) / 2 - timedelta(minutes=5)) == 0
    assert sweep_at(begun + (due - begun) / 2 + timedelta(minutes=5)) == 1
    assert sweep_at(due - timedelta(hours=23)) == 1
    assert sweep_at(due - timedelta(minutes=1)) == 0
    assert sweep_at(due) == 1
    assert sweep_at(due) == 0
    assert climbed() == ["half_time", "day_before", "overdue"]
    entries = valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"]
    assert [(entry["verb"], entry["rule"], entry["actor"]) for entry in entries[-3:]] == [
        ("escalate", "half_time", None), ("escalate", "day_before", None), ("escalate", "overdue", None)]
    assert list(broken_chains()) == [None]


def test_after_a_long_downtime_every_step_comes_once_and_in_order(issue, valley):
    late = due_of(issue) + timedelta(days=60)
    assert sweep_at(late) == 6
    assert sweep_at(late + timedelta(days=1)) == 0
    assert climbed() == ["half_time", "day_before", "overdue", "letter", "listed", "talk"]
    assert db.session.get_one(Issue, UUID(issue["id"])).next_escalation_at is None
    assert [row.kind for row in db.session.scalars(select(Order).order_by(Order.id))] == ["letter", "listed", "talk"]
    for language, words in (("zh", "超期未办结，系统按规定发出督办函"), ("en", "Overdue: Supervision letter, sent by rule")):
        [order] = valley.office_client.get("orders?kind=letter", headers={"Accept-Language": language}).json["items"]
        assert order["text"] == words


def test_what_is_rectified_or_closed_climbs_no_more(issue, valley, pictures):
    due = due_of(issue)
    issue = taken(valley.chief_client, issue, "start")
    taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    sweep_at(due + timedelta(days=60))
    assert climbed() == ["review_late"], "the office's own lateness"


def test_a_return_after_a_long_check_gives_back_the_time_that_was_left(valley, pictures, monday):
    issue = report(valley.patroller_client)  # Monday 2 March, ten working days: the 16th
    with at(datetime(2026, 3, 11, 9, tzinfo=ZoneInfo(CHINA))):
        issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    with at(datetime(2026, 4, 13, 9, tzinfo=ZoneInfo(CHINA))):
        issue = taken(valley.supervisor_client, issue, "return", reason="仍有残留")
        assert escalate_all_due() == 0
        assert climbed() == ["half_time", "review_late"], "what was due before the cure and the return"
    # Three working days were left: the 12th, 13th and 16th of March; now the 14th, 15th and 16th of April.
    assert (issue["state"], issue["due_rule"]["last_day"], issue["overdue"]) == ("in_progress", "2026-04-16", False)
    assert "2026-03-11至2026-04-13等待复核，不计时" in issue["due_rule"]["explanation"]
    assert "剩余3个工作日" in issue["due_rule"]["explanation"]


@pytest.mark.parametrize(("rectified", "reached"), [(16, 1), (20, 0)])
def test_a_return_leaves_a_working_day_at_least(valley, pictures, monday, rectified, reached):
    issue = report(valley.patroller_client)
    with at(datetime(2026, 3, rectified, 9, tzinfo=ZoneInfo(CHINA))):
        issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    with at(datetime(2026, 3, 27, 9, tzinfo=ZoneInfo(CHINA))):
        issue = taken(valley.supervisor_client, issue, "return", reason="仍有残留")
    assert (issue["due_rule"]["last_day"], issue["due_rule"]["rule"]) == ("2026-03-30", "general_10_wd")
    assert "退回后至少：1个工作日" in issue["due_rule"]["explanation"]
    assert sweep_at(datetime(2026, 3, 30, 23, tzinfo=ZoneInfo(CHINA))) == 0, "the time for a reminder has passed"
    assert sweep_at(datetime(2026, 3, 31, 0, tzinfo=ZoneInfo(CHINA))) == reached, "what was late when it was reported as put right was told then"
    assert climbed().count("overdue") == 1


def test_cures_that_are_returned_do_not_begin_the_ladder_anew(valley, pictures, monday):
    issue = report(valley.patroller_client)  # due on 16 March

    def cure(day):
        with at(datetime(2026, 3, day, 9, tzinfo=ZoneInfo(CHINA))):
            escalate_all_due()
            read = valley.chief_client.get(f"issues/{issue['id']}").json
            return taken(valley.chief_client, read, "rectify", files=pictures[:1], note="已清理")

    def give_back(day):
        with at(datetime(2026, 3, day, 9, tzinfo=ZoneInfo(CHINA))):
            return taken(valley.supervisor_client, issue, "return", reason="仍有残留")

    issue = cure(18)  # the 17th has passed: one day too late
    issue = give_back(20)
    issue = cure(23)  # the 20th: two
    issue = give_back(25)
    assert issue["due_rule"]["last_day"] == "2026-03-26", "the law of returns stays"
    letter = datetime(2026, 3, 26, tzinfo=ZoneInfo(CHINA))  # the 25th: three
    assert sweep_at(letter - timedelta(seconds=1)) == 0
    assert sweep_at(letter) == 1
    assert climbed() == ["half_time", "day_before", "overdue", "letter"], "what was reached is not repeated"
    issue = cure(27)
    issue = give_back(30)
    # Four days had passed before the 27th; six more from the 30th to 7 April, with Qingming.
    listed = datetime(2026, 4, 8, tzinfo=ZoneInfo(CHINA))
    assert sweep_at(listed - timedelta(seconds=1)) == 0
    assert sweep_at(listed + timedelta(days=60)) == 2
    rows = {row.code: row.planned_at for row in db.session.scalars(select(Escalation))}
    assert (rows["listed"], list(rows)[-2:]) == (listed, ["listed", "talk"])


def test_a_new_opening_of_what_was_late_begins_the_ladder_anew(valley, pictures, monday):
    issue = report(valley.patroller_client)
    with at(datetime(2026, 3, 18, 9, tzinfo=ZoneInfo(CHINA))):
        escalate_all_due()
        issue = valley.chief_client.get(f"issues/{issue['id']}").json
        issue = taken(valley.chief_client, issue, "rectify", files=pictures[:1], note="已清理")
    with at(datetime(2026, 3, 19, 9, tzinfo=ZoneInfo(CHINA))):
        issue = taken(valley.supervisor_client, issue, "return", reason="仍有残留")
        issue = taken(valley.chief_client, issue, "rectify", files=pictures[1:2], note="已清理")
        issue = taken(valley.supervisor_client, issue, "verify")
        issue = taken(valley.office_client, issue, "close")
        issue = taken(valley.office_client, issue, "reopen", reason="又出现了")
    assert sweep_at(due_of(issue)) == 4, "and that nobody was put in charge"
    assert climbed()[-1] == "overdue"


def test_what_has_ended_is_not_walked_over_and_begins_anew_when_reopened(valley):
    issue = report(valley.patroller_client, severity="serious")
    issue = taken(valley.office_client, issue, "reject", ground="no_evidence_found", reason="现场未见")
    row = db.session.get_one(Issue, UUID(issue["id"]), populate_existing=True)
    assert row.next_escalation_at is None
    # Counted anew on the same day, the due date may be the very same.
    issue = taken(valley.office_client, issue, "reopen", reason="复核后受理")
    first = due_of(issue)
    issue = taken(valley.office_client, issue, "reject", ground="no_evidence_found", reason="现场未见")
    taken(valley.office_client, issue, "reopen", reason="再次受理")
    assert due_of(issue) == first
    assert sweep_at(first) == 4, "and that nobody was put in charge"


def test_a_ledger_stops_the_ladder_and_resuming_begins_it_anew(issue, valley):
    due = due_of(issue)
    review = (clock.today(CHINA) + timedelta(days=30)).isoformat()
    issue = taken(valley.office_client, issue, "suspend", reason="需要工程", review_on=review, milestones=[{"text": "立项", "due_on": review}],
                  approved_by=valley.district_chief.username)
    assert sweep_at(due + timedelta(days=5)) == 0
    with at(due + timedelta(days=5)):
        taken(valley.office_client, issue, "resume")
    moved = due_of(issue)
    assert moved > due + timedelta(days=5)
    assert sweep_at(moved) >= 1
    assert climbed()[-1] == "overdue"


def test_a_new_due_date_begins_the_ladder_anew_without_reminders_of_times_past(valley):
    issue = report(valley.patroller_client, severity="serious")
    due = due_of(issue)
    with at(due - timedelta(minutes=1)):
        issue = taken(valley.office_client, issue, "accept")
    moved = due_of(issue)
    assert moved > due
    with at(due + timedelta(hours=1)):
        escalate_all_due()
    assert climbed() == ["half_time"], "of the acceptance"
    assert sweep_at(moved) == 4, "and that nobody was put in charge"


def test_sqlite_looks_up_what_is_due_and_not_all_that_is_open(issue, ways):
    assert [way for way in ways(escalate_all_due) if " issues " in way] == ["SEARCH issues USING INDEX ix_issues_climbing (next_escalation_at<?)"]


def test_batches_and_two_workers_do_each_once(valley, monkeypatch):
    monkeypatch.setattr(escalating, "BATCH", 2)
    due = max(due_of(report(valley.patroller_client, description=f"第 {n} 处")) for n in range(5))
    with at(due):
        with transaction():
            assert escalate_some(CHINA, limit=3)[0] == 3
        assert escalate_all_due() == 6
    assert len(climbed()) == 15
    assert len({(row.issue_id, row.code) for row in db.session.scalars(select(Escalation))}) == 15


def test_a_disabled_rung_is_left_out_and_a_newer_row_counts(issue, build):
    new = {"valid_from": clock.today(CHINA), "name_zh": "提醒", "name_en": "reminder", "source_zh": "区河长办", "source_en": "office", "added_at": clock.now()}
    build.save(EscalationPolicy(code="half_time", version=2, basis="half", amount=0, order_kind=None, enabled=False, **new))
    build.save(EscalationPolicy(code="letter", version=2, basis="working_days_after", amount=1, order_kind="letter", enabled=True, **new))
    due = due_of(issue)
    assert sweep_at(due) == 2
    assert climbed() == ["day_before", "overdue"]
    assert sweep_at(due + timedelta(days=6)) == 1


def test_the_superior_chief_and_the_office_are_told(valley, build, signed_in):
    town_reach = build.reach(region=valley.town, level="township", water_body=valley.reach.water_body, name="清溪镇段")
    superior = build.person("chief", region=valley.town, name="镇长")
    build.appointment(town_reach, superior)
    issue = report(valley.patroller_client)
    with at(due_of(issue)):
        worker.run_jobs_of_the_minute()
        while worker.deliver_due():
            pass
    for client in (signed_in(superior), valley.town_office_client, valley.chief_client):
        kinds = [row["kind"] for row in client.get("me/messages").json["items"]]
        assert "issue.overdue" in kinds
    assert [row["kind"] for row in signed_in(superior).get("me/messages").json["items"]] == ["issue.overdue"]


def test_the_office_lists_what_climbed(issue, valley):
    due = due_of(issue)
    sweep_at(due + timedelta(days=60))
    rows = valley.office_client.get("escalations").json["items"]
    assert len(rows) == 6
    assert rows[0]["issue"]["number"] == issue["number"]
    assert [row["code"] for row in valley.office_client.get("escalations?code=letter").json["items"]] == ["letter"]
    assert valley.office_client.get("escalations?code=no_rung").json["errors"].keys() == {"code"}
    assert valley.other_office_client.get("escalations").json["items"] == []
    early = {"before": (due - timedelta(days=9)).isoformat()}
    assert valley.office_client.get("escalations", query_string=early).json["items"] == []


def test_an_order_is_given_acknowledged_and_answered(issue, valley):
    issue = taken(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内完成整改")
    assert issue["state"] == "dispatched"
    [order] = valley.chief_client.get("orders?to=me").json["items"]
    assert (order["kind"], order["name"], order["text"], order["by"]["name"]) == ("letter", "督办函", "请三日内完成整改", "督查员")
    assert valley.chief_client.get("orders?standing=open&kind=letter").json["items"][0]["id"] == order["id"]
    assert valley.chief_client.post(f"orders/{order['id']}/acknowledge").json["acknowledged_at"]
    assert valley.chief_client.get("orders?standing=acknowledged").json["items"][0]["id"] == order["id"]
    answered = valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "已组织清理"})
    assert (answered.status_code, answered.json["answer"]) == (200, "已组织清理")
    assert valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "再答"}).status_code == 409
    assert valley.supervisor_client.get("orders?standing=answered").json["items"][0]["answer"] == "已组织清理"
    assert valley.supervisor_client.get(f"orders?issue={issue['id']}&standing=open").json["items"] == []
    assert [entry["verb"] for entry in valley.auditor_client.get(f"issues/{issue['id']}/history").json["items"]][-2:] == ["supervise", "answer_order"]
    assert list(broken_chains()) == [None]


def test_who_works_in_the_field_sees_orders_and_lateness_of_the_own_issues_only(issue, valley, build, signed_in):
    taken(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内完成整改")
    sweep_at(due_of(issue) + timedelta(days=60))
    guardian = signed_in(build.person("citizen_chief", region=valley.town))
    for client in (valley.patroller_client, guardian):
        assert client.get(f"issues/{issue['id']}").status_code == 200
        assert client.get("orders").json["items"] == client.get("escalations").json["items"] == []
    assert valley.town_office_client.get("orders").json["items"]
    assert len(valley.chief_client.get("escalations").json["items"]) == 6
    with transaction():
        db.session.get_one(Issue, UUID(issue["id"])).lead_id = valley.patroller.id
    assert len(valley.patroller_client.get("escalations").json["items"]) == 6
    assert "请三日内完成整改" in [row["text"] for row in valley.patroller_client.get("orders?kind=letter").json["items"]]
    assert guardian.get("orders").json["items"] == []


def test_who_may_supervise_and_who_answers(issue, valley):
    body = {"kind": "reminder", "text": "请抓紧"}
    for client in (valley.chief_client, valley.patroller_client, valley.office_client):
        assert step(client, issue, "supervise", **body).status_code == 403
    assert step(valley.other_chief_client, issue, "supervise", **body).status_code == 404
    issue = taken(valley.district_chief_client, issue, "supervise", **body)
    [order] = valley.office_client.get("orders").json["items"]
    assert valley.supervisor_client.post(f"orders/{order['id']}/answer", json={"text": "x"}).status_code == 403
    assert valley.other_office_client.get("orders").json["items"] == []
    assert valley.other_office_client.post(f"orders/{order['id']}/acknowledge").status_code == 404
    for wrong in ({"kind": "shout", "text": "x"}, {"kind": "letter"}, {"text": "x"}):
        assert step(valley.supervisor_client, issue, "supervise", **wrong).status_code == 422


def test_whoever_was_addressed_answers_although_the_issue_went_elsewhere(issue, valley):
    issue = taken(valley.supervisor_client, issue, "supervise", kind="letter", text="请三日内完成整改")
    taken(valley.office_client, issue, "transfer", region=valley.other_town.code, reason="属石桥镇")
    [order] = valley.chief_client.get("orders?to=me").json["items"]
    assert valley.chief_client.post(f"orders/{order['id']}/answer", json={"text": "已移交"}).status_code == 200
    assert valley.other_office_client.get(f"issues/{issue['id']}/history").json["items"][-1]["verb"] == "answer_order"


def test_a_reminder_that_comes_too_late_is_told_to_nobody(issue, valley):
    with at(due_of(issue) + timedelta(hours=1)):
        worker.run_jobs_of_the_minute()
        while worker.deliver_due():
            pass
    assert climbed() == ["half_time", "day_before", "overdue"]
    assert [row["kind"] for row in valley.chief_client.get("me/messages").json["items"]] == ["issue.overdue", "issue.dispatch"]


def test_what_another_severity_makes_late_at_once_is_told_and_graver_orders_count_from_then_on(valley, monday):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    with at(datetime(2026, 3, 5, 9, tzinfo=ZoneInfo(CHINA))):  # Thursday; 24 hours from Monday on ended on Tuesday
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, severity="urgent")
        assert issue["overdue"]
        escalate_all_due()
        while worker.deliver_due():
            pass
    assert climbed() == ["overdue", "dispatch_late"]
    assert "issue.overdue" in [row["kind"] for row in valley.town_office_client.get("me/messages").json["items"]]
    letter = datetime(2026, 3, 11, tzinfo=ZoneInfo(CHINA))
    assert sweep_at(letter - timedelta(seconds=1)) == 0
    assert sweep_at(letter) == 1
    assert list(broken_chains()) == [None]


def test_what_was_late_climbs_on_from_where_it_stood_when_another_severity_moves_its_date_back(valley, monday):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    due = due_of(issue)  # 30 March at 24:00
    assert sweep_at(due + timedelta(hours=9)) == 4, "half of the time, the day before, overdue, and that nobody is in charge"
    with at(due + timedelta(days=1)):
        issue = taken(valley.office_client, valley.office_client.get(f"issues/{issue['id']}").json, "dispatch", lead=valley.chief.username, severity="urgent")
        assert escalate_all_due() == 0, "that it is late was told"
    # Late since the 31st, the letter comes after three working days, Qingming between them.
    letter = datetime(2026, 4, 3, tzinfo=ZoneInfo(CHINA))
    assert sweep_at(letter - timedelta(seconds=1)) == 0
    assert sweep_at(letter) == 1


def test_a_date_that_the_office_names_with_another_severity_is_the_one_that_counts(valley, monday):
    issue = taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept")
    with at(datetime(2026, 3, 5, 9, tzinfo=ZoneInfo(CHINA))):
        named = {"due_at": "2026-03-06T09:00:00+08:00", "reason": "已过时限，限期整改"}
        issue = taken(valley.office_client, issue, "dispatch", lead=valley.chief.username, severity="urgent", **named)
        assert not issue["overdue"]
        assert escalate_all_due() == 0
    assert sweep_at(datetime(2026, 3, 6, 9, tzinfo=ZoneInfo(CHINA))) >= 1
    assert climbed()[-1] == "overdue"

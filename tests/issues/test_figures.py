"""Daily figures: each closing counts once as undone, what was refused never as solved, and what is stored can be counted again."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.counting import count_again, count_past_days, write_day
from patrol.issues.figure_models import DailyFigures
from patrol.issues.figures import COUNTS, Standing, Told, figures_of
from tests.issues.conftest import CHINA, HERE, at, report, step, taken

ZONE = "Asia/Shanghai"
HOME, OTHER = UUID(int=1), UUID(int=2)
START = datetime(2026, 3, 2, tzinfo=UTC)
BEGUN = {"category": "C1", "region_id": str(HOME), "due_at": (START + timedelta(hours=9)).isoformat()}


def told(*verbs, facts=BEGUN):
    """A history with an entry an hour: a verb, or a verb with the state before it."""
    pairs = [verb if isinstance(verb, tuple) else (verb, None) for verb in verbs]
    return [Told(verb, before, START + timedelta(hours=n), facts if n == 0 else {}) for n, (verb, before) in enumerate(pairs)]


def counted(*histories, end=START + timedelta(days=1), start=START):
    standing = Standing("C1", OTHER, START)
    return {region: {name: n for name, n in counts.items() if n} for region, counts in
            figures_of([(standing, entries) for entries in histories], start, end).items()}  # fmt: skip


CLOSED = ("submit", "accept", "dispatch", "rectify", "verify", "close")


@pytest.mark.parametrize(("after", "wanted"), [
    ([], {}), ([("reopen", "closed")], {"reopened": 1, "undone": 1}), (["relapse"], {"relapsed": 1, "undone": 1}),
    (["relapse", ("reopen", "closed")], {"relapsed": 1, "reopened": 1, "undone": 1}), (["relapse", "relapse"], {"relapsed": 2, "undone": 1}),
    (["relapse", ("relapse_withdrawn", "closed")], {}), (["ask_reopening"], {"called_not_fixed": 1}),
    ([("reopen", "closed"), "close"], {"reopened": 1, "undone": 1, "closed": 2, "closed_in_time": 2}),
    ([("reopen", "closed"), "close", "relapse"], {"reopened": 1, "relapsed": 1, "undone": 2, "closed": 2, "closed_in_time": 2}),
    (["relapse", "relapse", ("relapse_withdrawn", "closed")], {"relapsed": 1, "undone": 1}),
])  # fmt: skip
def test_each_closing_is_undone_once(after, wanted):
    assert counted(told(*CLOSED, *after)) == {HOME: {"received": 1, "verified": 1, "closed": 1, "closed_in_time": 1} | wanted}


@pytest.mark.parametrize(("verbs", "wanted"), [
    (["submit", "reject"], {"received": 1, "dropped": 1, "rejected": 1}),
    (["submit", "merge", "unmerge"], {"received": 1, "dropped": 1, "merged": 1, "restored": 1}),
    (["submit", "reject", ("reopen", "rejected")], {"received": 1, "dropped": 1, "rejected": 1, "restored": 1}),
])
def test_what_was_refused_or_merged_never_counts_as_closed_and_each_counts_apart(verbs, wanted):
    assert counted(told(*verbs)) == {HOME: wanted}


@pytest.mark.parametrize(("verbs", "wanted"), [
    (["suspend"], {"suspended": 1}), (["suspend", "resume"], {"suspended": 1, "resumed": 1}), (["rectify", "verify"], {"verified": 1}),
    (["rectify", ("return", "rectified"), "rectify", "verify"], {"verified": 1}), (["rectify", "verify", ("return", "verified")], {}),
])  # fmt: skip
def test_what_is_on_the_ledger_and_what_was_checked_count_apart_from_what_is_closed(verbs, wanted):
    assert counted(told("submit", "accept", "dispatch", *verbs)) == {HOME: {"received": 1} | wanted}


def test_a_late_closing_is_closed_and_not_in_time_by_the_due_date_of_then():
    late = told(*CLOSED, facts=BEGUN | {"due_at": (START + timedelta(hours=4)).isoformat()})
    assert counted(late)[HOME] == {"received": 1, "verified": 1, "closed": 1}
    extended = [*late[:3], late[3]._replace(facts={"due_at": (START + timedelta(hours=5)).isoformat()}), *late[4:]]
    assert counted(extended)[HOME]["closed_in_time"] == 1


@pytest.mark.parametrize(("due_h", "in_time"), [(1, 0), (3, 1)])
def test_another_severity_takes_no_lateness_away(due_h, in_time):
    history = told("submit", "accept", "dispatch", "take_in", "rectify", "verify", "close", facts=BEGUN | {"due_at": (START + timedelta(hours=2)).isoformat()})
    history[1] = history[1]._replace(facts={"severity": "general", "due_at": (START + timedelta(hours=due_h, minutes=30)).isoformat()})
    history[3] = history[3]._replace(facts={"severity": "major", "due_at": (START + timedelta(hours=20)).isoformat()})
    assert counted(history)[HOME].get("closed_in_time", 0) == in_time
    again = [*history, Told("reopen", "closed", START + timedelta(hours=7), {}), Told("close", None, START + timedelta(hours=8), {})]
    assert counted(again)[HOME].get("closed_in_time", 0) == in_time + 1


def test_each_entry_counts_where_the_issue_lay_then_and_charges_nowhere():
    moved = told(*CLOSED)
    moved[2] = moved[2]._replace(facts={"region_id": str(OTHER)})
    assert counted(moved) == {HOME: {"received": 1}, OTHER: {"verified": 1, "closed": 1, "closed_in_time": 1}}
    charge = told(*CLOSED)
    charge[1] = charge[1]._replace(facts={"category": "F2"})
    assert counted(charge) == {HOME: {"received": 1}}
    assert counted(told(*CLOSED, facts=None)) == {OTHER: {"received": 1, "verified": 1, "closed": 1}}, "as it stands today, where entries say nothing"


def test_only_what_lies_within_the_day_counts():
    assert counted(told(*CLOSED), start=START + timedelta(hours=5)) == {HOME: {"closed": 1, "closed_in_time": 1}}
    assert counted(told(*CLOSED), end=START + timedelta(hours=5)) == {HOME: {"received": 1, "verified": 1}}


@pytest.fixture
def two_days(valley, pictures):
    """On the 2nd of March two reports, one rejected and one closed in time; on the 3rd that one is reopened; a charge on both."""
    with at(datetime(2026, 3, 2, 9, tzinfo=CHINA)):
        rejected = report(valley.office_client, source="hotline", severity="serious", category="C2")
        taken(valley.office_client, rejected, "reject", ground="no_evidence_found", reason="现场未见")
        issue = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="已清理", files=pictures[:1])
        issue = taken(valley.town_office_client, issue, "verify")
        issue = taken(valley.office_client, issue, "close")
        report(valley.patroller_client, category="F1")
    with at(datetime(2026, 3, 3, 9, tzinfo=CHINA)):
        taken(valley.supervisor_client, issue, "reopen", reason="又有垃圾")
    return issue


def daily(client, **query):
    reply = client.get("statistics/daily", query_string={"from": "2026-03-01", "to": "2026-03-05", **query})
    assert reply.status_code == 200, reply.json
    return reply.json


def test_the_worker_counts_each_day_that_ended_once_also_after_a_downtime(valley, two_days):
    with at(datetime(2026, 3, 3, 0, 5, tzinfo=CHINA)):
        assert count_past_days() == 0, "the day is not settled yet, and nothing was before it"
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        assert count_past_days() == 3
        assert count_past_days() == 0
    found = daily(valley.office_client)
    assert [row["day"] for row in found["items"]] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    first, second, third = found["items"]
    assert {name: first[name] for name in ("received", "dropped", "rejected", "merged", "verified", "closed", "undone")} == {
        "received": 2, "dropped": 1, "rejected": 1, "merged": 0, "verified": 1, "closed": 1, "undone": 0}
    assert (first["not_fixed"], first["in_time"]) == ({"numerator": 0, "denominator": 1}, {"numerator": 1, "denominator": 1})
    assert (second["closed"], second["reopened"], second["undone"]) == (0, 1, 1)
    assert {third[name] for name in COUNTS} == {0}
    assert (found["total"]["not_fixed"], found["total"]["received"]) == ({"numerator": 1, "denominator": 1}, 2)


def test_it_says_up_to_which_day_figures_are_stored_and_what_to_do_for_today(valley, two_days):
    query = {"query_string": {"from": "2026-03-01", "to": "2026-03-05"}, "headers": {"Accept-Language": "en"}}
    none = valley.office_client.get("statistics/daily", **query).json
    assert none["counted_until"] is None
    assert "No figures are stored yet" in none["note"]
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    found = valley.office_client.get("statistics/daily", **query).json
    assert found["counted_until"] == "2026-03-04"
    assert "2026-03-04" in found["note"]
    assert "ask again" in found["note"]


def test_what_is_shown_is_what_was_stored(valley, two_days):
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    with transaction():
        row = db.session.query(DailyFigures).filter_by(day=date(2026, 3, 2), region_id=valley.village.id).one()
        row.closed = 7
    assert daily(valley.office_client)["items"][0]["closed"] == 7


def test_a_region_has_its_own_with_all_below_and_nobody_reads_beyond_his_area(valley, two_days):
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    assert daily(valley.town_office_client)["region"]["code"] == valley.town.code
    assert daily(valley.town_office_client)["total"]["received"] == 2
    assert daily(valley.office_client, region=valley.village.code)["total"]["received"] == 2
    assert daily(valley.other_office_client)["total"]["received"] == 0
    assert valley.other_office_client.get("statistics/daily", query_string={"region": valley.town.code}).status_code == 422
    assert valley.office_client.get("statistics/daily", query_string={"region": "nowhere"}).status_code == 404
    for wrong in ({"from": "2026-03-05", "to": "2026-03-01"}, {"from": "2020-01-01", "to": "2026-03-01"}):
        assert list(valley.office_client.get("statistics/daily", query_string=wrong).json["errors"]) == ["from"]
    for last in ("0001-01-01", "9999-12-31"):
        assert valley.office_client.get("statistics/daily", query_string={"to": last}).json["items"] == []


def test_without_dates_the_last_30_days_until_yesterday_are_given(valley):
    today = datetime(2026, 3, 5, 12, tzinfo=CHINA)
    with transaction():
        for day in (date(2026, 2, 2), date(2026, 2, 3), date(2026, 3, 4), date(2026, 3, 5)):
            write_day(day, ZONE)
    with at(today):
        items = valley.office_client.get("statistics/daily").json["items"]
    assert [row["day"] for row in items] == ["2026-02-03", "2026-03-04"]


def test_counted_again_it_is_the_same_and_what_was_forged_is_corrected_and_told(app, valley, two_days):
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    before = daily(valley.office_client)["total"]
    assert list(count_again(date(2026, 3, 1), date(2026, 3, 5), ZONE)) == [(date(2026, 3, day), 0) for day in (2, 3, 4)]
    with transaction():
        db.session.query(DailyFigures).filter_by(day=date(2026, 3, 3), region_id=valley.village.id).update({"undone": 0})
    said = app.test_cli_runner().invoke(args=["issues", "count-days", "2026-03-02", "2026-03-04"])
    assert (said.exit_code, "2026-03-03: 1 rows had said something else" in said.output) == (1, True)
    sound = app.test_cli_runner().invoke(args=["issues", "count-days", "2026-03-02", "2026-03-04"])
    assert (sound.exit_code, "3 days counted again, 0 rows corrected" in sound.output) == (0, True)
    assert daily(valley.office_client)["total"] == before


def test_later_steps_do_not_change_what_an_earlier_day_says(valley, two_days, build):
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    with at(datetime(2026, 3, 5, 9, tzinfo=CHINA)):
        moved = valley.office_client.get(f"issues/{two_days['id']}").json
        moved = taken(valley.office_client, moved, "transfer", region=valley.other_town.code, reason="另一处")
        assert step(valley.office_client, moved, "reject", ground="no_evidence_found", reason="无").status_code == 200
    assert [changed for _, changed in count_again(date(2026, 3, 2), date(2026, 3, 4), ZONE)] == [0, 0, 0]


def test_a_relapse_counts_against_the_closing_on_the_day_it_is_found(valley, pictures):
    with at(datetime(2026, 3, 2, 9, tzinfo=CHINA)):
        issue = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="已清理", files=pictures[:1])
        issue = taken(valley.office_client, taken(valley.town_office_client, issue, "verify"), "close")
    with at(datetime(2026, 3, 4, 9, tzinfo=CHINA)):
        assert report(valley.patroller_client, id=str(uuid4()), **HERE)["relapse_of"]["id"] == issue["id"]
    with at(datetime(2026, 3, 5, 1, tzinfo=CHINA)):
        count_past_days()
    assert [(row["closed"], row["undone"], row["received"]) for row in daily(valley.office_client)["items"]] == [(1, 0, 1), (0, 0, 0), (0, 1, 1)]

"""When a new report counts as a relapse is a policy with versions; a dry run says which reports would be linked otherwise."""

from datetime import timedelta
from uuid import uuid4

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.issues.models import Issue
from patrol.issues.policies import RelapseRule
from patrol.issues.policies_held import current_policies
from tests.issues.conftest import HERE, report, taken

CHINA = "Asia/Shanghai"
SOURCE = {"zh": "区河长办〔2026〕12号", "en": "District office, document 12 of 2026"}


def rule(**others):
    return {"id": str(uuid4()), "days": 30, "radius_m": 200, "valid_from": str(clock.today(CHINA)), "source": SOURCE, **others}


@pytest.fixture
def closed(valley, pictures):
    """An issue at HERE that is closed."""
    issue = taken(valley.chief_client, report(valley.patroller_client), "rectify", note="已清理", files=pictures[:1])
    issue = taken(valley.town_office_client, issue, "verify")
    return taken(valley.office_client, issue, "close")


def there_m(metres):
    """A place so far along the reach from HERE."""
    return {**HERE, "longitude": HERE["longitude"] + metres / 96_800}


def after(days):
    moment = clock.now() + timedelta(days=days)
    return clock.moved_clock(lambda: moment)


def test_it_begins_with_90_days_and_50_metres_and_everybody_reads_where_from(valley):
    [row] = valley.chief_client.get("policies/relapse").json["items"]
    assert (row["days"], row["radius_m"], row["version"], row["standing"], row["valid_from"]) == (90, 50, 1, "in_force", "2020-01-01")
    assert row["source"]["zh"].startswith("本系统起始值")
    [kind] = [kind for kind in valley.chief_client.get("policies").json["kinds"] if kind["kind"] == "relapse"]
    assert [version["days"] for version in kind["in_force"]] == [90]


def test_the_version_in_force_on_the_day_of_the_report_decides(valley, closed):
    made = valley.office_client.post("policies/relapse", json=rule(valid_from=str(clock.today(CHINA) + timedelta(days=2))))
    assert (made.status_code, made.json["version"], made.json["standing"]) == (201, 2, "coming")
    with after(1):
        assert report(valley.patroller_client, **there_m(120))["relapse_of"] is None
    with after(3):
        assert report(valley.patroller_client, **there_m(120))["relapse_of"]["id"] == closed["id"]
        assert current_policies().relapse_on(clock.today(CHINA)) == RelapseRule(30, 200)
    with after(40):
        assert report(valley.patroller_client, **there_m(20))["relapse_of"] is None, "more than 30 days after the closing"


def test_a_slip_is_withdrawn_and_the_rule_before_counts_again(valley):
    body = rule()
    assert valley.office_client.post("policies/relapse", json=body).status_code == 201
    assert valley.office_client.post("policies/relapse", json=body).status_code == 200
    assert valley.office_client.post("policies/relapse", json={**body, "days": 31}).status_code == 409
    assert valley.office_client.post("policies/relapse", json=rule()).status_code == 409
    assert current_policies().relapse_on(clock.today(CHINA)) == RelapseRule(30, 200)
    assert valley.office_client.delete(f"policies/relapse/{body['id']}").json["standing"] == "withdrawn"
    assert current_policies().relapse_on(clock.today(CHINA)) == RelapseRule(90, 50)


@pytest.mark.parametrize(("change", "field"), [
    ({"days": 0}, "days"), ({"radius_m": 0}, "radius_m"), ({"radius_m": 10_000}, "radius_m"), ({"enabled": False}, "enabled"),
    ({"valid_from": "2020-01-01"}, "valid_from"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_writing_and_by_trying(valley, change, field):
    for path in ("policies/relapse", "policies/relapse/dry-run"):
        refused = valley.office_client.post(path, json=rule(**change))
        assert (refused.status_code, list(refused.json["errors"])) == (422, [field]), path


def test_only_the_top_region_writes_and_tries(valley):
    for path in ("policies/relapse", "policies/relapse/dry-run"):
        assert valley.town_office_client.post(path, json=rule()).status_code == 403
        assert valley.chief_client.post(path, json=rule()).status_code == 403


def test_a_dry_run_says_which_reports_would_be_linked_otherwise_and_writes_nothing(valley, closed):
    with after(1):
        near, far = report(valley.patroller_client, **there_m(20)), report(valley.patroller_client, **there_m(120))
        report(valley.patroller_client, **there_m(20), category="C2")
        report(valley.patroller_client, category="F1")
        before = db.session.query(Issue.id, Issue.relapse_of_id, Issue.version).all()
        wider = valley.office_client.post("policies/relapse/dry-run", json=rule()).json
        assert {name: wider[name] for name in ("linked_before", "linked_after", "changed", "cut_off")} == {
            "linked_before": 1, "linked_after": 2, "changed": 1, "cut_off": False}
        assert [(row["issue"]["id"], row["before"], row["after"]) for row in wider["items"]] == [(far["id"], None, closed["number"])]
        narrower = valley.office_client.post("policies/relapse/dry-run?first=0", json=rule(radius_m=5)).json
        assert (narrower["linked_after"], narrower["changed"], narrower["items"]) == (0, 1, [])
        assert db.session.query(Issue.id, Issue.relapse_of_id, Issue.version).all() == before
        assert near["relapse_of"]["id"] == closed["id"]
        assert len(valley.office_client.get("policies/relapse").json["items"]) == 1
    with after(40):
        assert valley.office_client.post("policies/relapse/dry-run", json=rule(), query_string={"days": 7}).json["looked_at"] == 0

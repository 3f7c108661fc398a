"""An issue in a list reads as it does alone, whatever it has several of and whoever reads it."""

from datetime import timedelta

import pytest

from patrol.foundation import clock
from tests.issues.conftest import report, taken

WORKS = {"text": "截污管完工", "due_on": (clock.today("Asia/Shanghai") + timedelta(days=90)).isoformat()}


@pytest.fixture
def rich(valley, pictures):
    """The ids of a shared issue with parts and photos, one on the ledger, one merged into the first, and a major one."""
    shared = taken(valley.office_client, report(valley.office_client, severity="serious"), "accept")
    shared = taken(valley.office_client, shared, "dispatch", lead=valley.chief.username, co_handlers=[
        {"person": valley.handler.username, "part": "清运"}, valley.patroller.username])  # fmt: skip
    shared = taken(valley.chief_client, taken(valley.chief_client, shared, "start"), "progress", note="已到场", files=pictures[:2])
    ledger = taken(valley.office_client, report(valley.office_client, severity="serious", category="A32"), "accept")
    ledger = taken(valley.office_client, ledger, "suspend", reason="待截污工程", milestones=[WORKS],
                   review_on=(clock.today("Asia/Shanghai") + timedelta(days=60)).isoformat())
    double = report(valley.patroller_client, severity="serious", datum="gcj02")
    double = taken(valley.office_client, double, "merge", into=shared["id"], reason="同一处")
    major = taken(valley.office_client, report(valley.office_client, severity="major"), "accept")
    return [issue["id"] for issue in (shared, ledger, double, major)]


def test_an_issue_reads_in_a_list_as_it_does_alone(valley, rich):
    for who in ("office", "town_office", "supervisor", "chief", "handler", "patroller", "auditor"):
        client = getattr(valley, f"{who}_client")
        listed = {item["id"]: item for item in client.get("issues?order=due&limit=50").json["items"]}
        assert listed.keys() == set(rich) or who not in {"office", "supervisor", "auditor"}, who
        for issue_id, item in listed.items():
            assert item == client.get(f"issues/{issue_id}").json, who
        assert [len(listed[rich[0]][name]) for name in ("parts", "co_handlers", "photos")] == [1, 2, 2]
    assert listed[rich[2]]["merged_into"]["id"] == rich[0]


def test_a_page_takes_as_many_statements_however_many_rows_it_has(valley, pictures, queries):
    for n in range(6):
        issue = taken(valley.chief_client, report(valley.patroller_client, description=f"第{n}处"), "start")
        taken(valley.chief_client, issue, "progress", note="在清", files=[pictures[n % 4]])
    counted = []
    for limit in (1, 6):
        queries.clear()
        assert len(valley.office_client.get(f"issues?limit={limit}").json["items"]) == limit
        counted.append(len(queries))
    assert counted[0] == counted[1]

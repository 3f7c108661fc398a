"""What staff are shown before they report: the same trouble near by, open or closed lately."""

import re
from datetime import datetime, timedelta

from patrol.foundation import clock
from tests.issues.conftest import HERE, THERE, report, taken

# What SQLite, without statistics, would read thousands of issues by.
OTHER_WAYS = re.compile(r"SCAN issues\b|ix_issues_(state|category|region)")


def test_nearby_shows_the_same_trouble(valley):
    issue = report(valley.patroller_client)
    report(valley.patroller_client, category="C2")
    found = valley.chief_client.get("issues/nearby", query_string={**HERE, "category": "C1"}).json["items"]
    assert [row["id"] for row in found] == [issue["id"]]
    assert found[0]["distance_m"] == 0
    assert valley.chief_client.get("issues/nearby", query_string={**THERE, "category": "C1"}).json["items"] == []


def test_nearby_shows_what_was_closed_lately_after_what_is_open(valley, pictures):
    def closed(index, **place):
        issue = report(valley.chief_client, **place)
        issue = taken(valley.chief_client, issue, "rectify", note="好", files=pictures[index:index + 1])
        return taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")

    def nearby():
        return valley.chief_client.get("issues/nearby", query_string={**HERE, "category": "C1"}).json["items"]

    gone = closed(0)
    rejected = report(valley.patroller_client, severity="serious")
    taken(valley.office_client, rejected, "reject", ground="no_evidence_found", reason="现场未见")
    still = report(valley.patroller_client, latitude=HERE["latitude"] + 0.0003)
    assert [(row["id"], row["state"], row["closed_at"]) for row in nearby()] == [
        (still["id"], "dispatched", None), (gone["id"], "closed", gone["closed_at"])]
    for _ in range(4):
        report(valley.patroller_client, latitude=HERE["latitude"] + 0.0004)
    assert {row["state"] for row in nearby()} == {"dispatched"}, "nothing that is open gives way to what is closed"
    later = datetime.fromisoformat(gone["closed_at"]) + timedelta(days=91)
    with clock.moved_clock(lambda: later):
        assert gone["id"] not in [row["id"] for row in nearby()]


def test_sqlite_looks_around_the_place_and_not_through_a_category(valley, ways):
    near = "latitude=29.62&longitude=119.8&category=C1"
    found = report(valley.patroller_client)

    def ask():
        assert valley.office_client.get(f"issues/nearby?{near}").status_code == 200
        assert valley.office_client.get(f"issues/{found['id']}/duplicates").status_code == 200

    found_by = " ".join(ways(ask))
    assert found_by.count("ix_issues_place") == 2
    assert not OTHER_WAYS.search(found_by)


def test_sqlite_looks_for_a_relapse_around_the_place_and_for_orders_by_their_own(valley, ways):
    found = report(valley.patroller_client, severity="serious")
    found_by = " ".join(ways(lambda: taken(valley.office_client, found, "accept")))
    assert "ix_issues_place" in found_by
    assert not OTHER_WAYS.search(found_by)
    assert not OTHER_WAYS.search(" ".join(ways(lambda: valley.office_client.get("orders"))))

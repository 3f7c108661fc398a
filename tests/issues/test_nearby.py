"""What staff are shown before they report: the same trouble near by, open or closed lately."""

from datetime import datetime, timedelta

from patrol.foundation import clock
from tests.issues.conftest import HERE, THERE, report, taken


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

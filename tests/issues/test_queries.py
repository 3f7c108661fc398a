"""Lists: what each filter keeps, what each account sees, order without gaps, and the number of queries."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.issues.models import Issue
from patrol.issues.queries import find_issue
from tests.issues.conftest import CHINA, HERE, NOWHERE, at, report, taken


def ids_in(client, **filters):
    reply = client.get("issues", query_string=filters)
    assert reply.status_code == 200, reply.json
    return [row["id"] for row in reply.json["items"]]


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({}, "third second first"), ({"order": "oldest"}, "first second third"), ({"state": "dispatched"}, "first"),
        ({"state": ["submitted", "dispatched"]}, "second first"), ({"state": "submitted,rejected"}, "third second"),
        ({"state": "submitted,dispatched", "order": "oldest"}, "first second"), ({"source": "hotline"}, "second"),
        ({"source": "patrol,media"}, "third first"), ({"category": "A"}, "third"), ({"category": "A3"}, "third"),
        ({"category": "B3"}, "second"), ({"severity": "serious"}, "second"), ({"severity": "urgent"}, ""),
        ({"q": "垃圾"}, "first"), ({"q": "floating"}, "first"), ({"q": "桥下 垃圾"}, "first"), ({"q": "桥下 工厂"}, ""),
        ({"q": "%"}, ""), ({"q": "_"}, ""), ({"q": "渣"}, "third"), ({"bbox": "119.7,29.5,119.9,29.65"}, "first"),
        ({"bbox": "119.7,29.5,119.9,29.75"}, "second first"), ({"overdue": "true"}, "second first"), ({"overdue": "false"}, "third"),
        ({"overdue": "true", "order": "due"}, "second first"), ({"overdue": "true", "order": "-due"}, "first second"),
    ],
)  # fmt: skip
def test_filters(valley, three, filters, kept):
    assert ids_in(valley.office_client, **filters) == [three[name] for name in kept.split()]


def test_moments_cut_on_the_right_side(valley, three):
    middle = (three["start"] + timedelta(days=10)).isoformat()
    before, after = (three["start"] + timedelta(days=9)).isoformat(), (three["start"] + timedelta(days=11)).isoformat()
    client = valley.office_client
    assert ids_in(client, created_after=after) == [three["third"]]
    assert ids_in(client, created_before=before) == [three["first"]]
    assert ids_in(client, created_after=middle, created_before=middle) == [three["second"]]
    due = client.get(f"issues/{three['second']}").json["due_at"]
    assert ids_in(client, due_before=due) == [three["second"]]
    assert ids_in(client, due_before=before) == []


def test_a_plain_day_is_the_local_one_and_counts_whole(valley):
    with at(datetime(2026, 11, 1, 0, 0, tzinfo=CHINA)):
        first = report(valley.patroller_client)
    with at(datetime(2026, 11, 1, 23, 59, 59, 999999, tzinfo=CHINA)):
        last = report(valley.patroller_client)
    with at(datetime(2026, 11, 2, 0, 0, tzinfo=CHINA)):
        next_day = report(valley.patroller_client)
        client = valley.office_client
        both = [last["id"], first["id"]]
        assert ids_in(client, created_after="2026-11-01", created_before="2026-11-01") == both
        assert ids_in(client, created_after="2026-11-02") == [next_day["id"]]
        due = first["due_rule"]["last_day"]
        assert first["due_at"].endswith("T16:00:00+00:00")
        assert first["id"] in ids_in(client, due_before=due)
        assert ids_in(client, due_before=str(date.fromisoformat(due) - timedelta(days=1))) == []
        day = {"created_after": "2026-11-01", "created_before": "2026-11-01"}
        assert len(client.get("issues.geojson", query_string=day).json["features"]) == 2
        assert len(client.get("issues.csv", query_string=day).text.splitlines()) == 3
        assert client.get("issues.xlsx", query_string=day).status_code == 200
        assert client.get("issues/counts", query_string={"state": "dispatched", **day}).json["counts"] == {"dispatched": 2}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_days_at_the_ends_of_the_calendar_are_days(valley, three, day):
    for name in ("created_after", "created_before", "due_before"):
        assert valley.office_client.get("issues", query_string={name: day}).status_code == 200


def test_places_people_and_numbers(valley, three):
    client = valley.office_client
    assert ids_in(client, region=valley.town.code) == [three["first"]]
    assert ids_in(client, region=valley.village.code) == [three["first"]]
    assert ids_in(client, region=valley.other_town.code) == [three["second"]]
    assert len(ids_in(client, region="990100")) == 3
    assert ids_in(client, reach=valley.reach.code) == ids_in(client, reach=str(valley.reach.id)) == [three["first"]]
    assert ids_in(client, assigned_to=str(valley.chief.id)) == [three["first"]]
    assert ids_in(valley.chief_client, assigned_to="me") == [three["first"]]
    assert ids_in(client, assigned_to=f" {valley.chief.username.upper()} ") == [three["first"]]
    # Who works elsewhere is not told from who is nobody.
    assert valley.other_office_client.get("issues", query_string={"assigned_to": valley.chief.username}).status_code == 422
    assert ids_in(client, q=three["number"]) == [three["second"]]
    assert ids_in(client, q=three["number"].removeprefix("XH").lstrip("0")) == [three["second"]]


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"state": "lost"}, "state"), ({"region": "1"}, "region"), ({"reach": "none"}, "reach"), ({"category": "X"}, "category"),
        ({"assigned_to": "you"}, "assigned_to"), ({"bbox": "1,2,3"}, "bbox"), ({"bbox": "2,2,1,1"}, "bbox"), ({"bbox": "nan,0,1,1"}, "bbox"),
        ({"created_after": "2026-05-01T08:00:00"}, "created_after"), ({"created_before": "2026-02-30"}, "created_before"),
        ({"order": "up"}, "order"), ({"limit": 201}, "limit"),
        ({"overdue": "maybe"}, "overdue"), ({"colour": "red"}, "colour"), ({"cursor": "x"}, "cursor"),
    ],
)  # fmt: skip
def test_bad_filters_are_refused_by_name(valley, filters, field):
    reply = valley.office_client.get("issues", query_string=filters)
    assert reply.status_code == 422, reply.json
    assert any(name.startswith(field) for name in reply.json["errors"])


def test_each_account_sees_its_subtree_and_its_own(valley, three, build, signed_in):
    assert ids_in(valley.chief_client) == ids_in(valley.town_office_client) == [three["first"]]
    assert ids_in(valley.other_chief_client) == ids_in(valley.other_office_client) == [three["second"]]
    assert len(ids_in(valley.supervisor_client)) == len(ids_in(valley.auditor_client)) == 3
    helper = build.person("patroller", region=valley.other_town)
    accepted = taken(valley.office_client, valley.office_client.get(f"issues/{three['second']}").json, "accept")
    taken(valley.office_client, accepted, "dispatch", lead=valley.chief.username, co_handlers=[str(helper.id)])
    assert ids_in(valley.chief_client) == [three["second"], three["first"]]
    assert ids_in(valley.chief_client, assigned_to="me", state="dispatched") == [three["second"], three["first"]]
    mine = report(valley.other_chief_client)
    assert mine["id"] in ids_in(valley.other_chief_client)
    assert ids_in(signed_in(helper), assigned_to="me") == [three["second"]]
    assert valley.office_client.get("issues").json["items"][0]["reporter"]["name"] == "石镇长"


@pytest.mark.parametrize("filters", [{}, {"state": "dispatched,submitted"}, {"order": "due"}, {"order": "oldest"}])
def test_pages_have_no_gaps(valley, filters):
    now = clock.now()
    for number in range(7):
        with clock.moved_clock(lambda minute=number // 2: now + timedelta(minutes=minute)):
            report(valley.patroller_client, **(NOWHERE if number % 3 == 0 else {}))
    whole, seen, cursor = ids_in(valley.office_client, **filters), [], None
    for _ in range(10):
        page = valley.office_client.get("issues", query_string={"limit": 2, **filters, **({"cursor": cursor} if cursor else {})}).json
        seen += [row["id"] for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(whole) == 7
    assert seen == whole


@pytest.mark.parametrize("client", ["office_client", "chief_client", "town_office_client"])
def test_the_number_of_queries_does_not_grow(valley, queries, client):
    report(valley.patroller_client)
    counted = []
    for _ in range(2):
        queries.clear()
        listed = getattr(valley, client).get("issues").json["items"]
        counted.append(len(queries))
        if len(listed) == 1:
            for _ in range(9):
                report(valley.patroller_client)
    assert len(listed) == 10
    assert counted[0] == counted[1]
    assert counted[0] <= 11


def test_routing_takes_few_queries(valley, queries, anyone):
    anyone.get("responsible", query_string=HERE)
    queries.clear()
    anyone.get("responsible", query_string=HERE)
    assert len(queries) <= 3
    queries.clear()
    report(valley.patroller_client)
    assert len(queries) <= 16, queries


def test_an_issue_waiting_for_review_is_not_overdue(valley, pictures):
    issue = report(valley.chief_client)
    issue = taken(valley.chief_client, issue, "rectify", note="好", files=pictures[:1])
    later = clock.now() + timedelta(days=90)
    with clock.moved_clock(lambda: later):
        assert not valley.office_client.get(f"issues/{issue['id']}").json["overdue"]
        assert ids_in(valley.office_client, overdue="true") == []
        returned = taken(valley.supervisor_client, issue, "return", reason="没有")
        assert not returned["overdue"], "the time that was left comes back"


def test_nobody_but_the_actions_wrote(valley, three):
    with transaction():
        versions = db.session.scalars(db.select(Issue.version).order_by(Issue.received_at)).all()
    assert versions == [3, 1, 2]


def test_a_read_by_id_keeps_its_plan_and_a_list_is_planned_each_time(valley):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite plans a statement when it is written")
    for _ in range(7):
        find_issue(new_id())
        assert valley.office_client.get("/api/v1/issues").status_code == 200
    kept = db.session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert [statement for statement in kept if "FROM issues" in statement and "LIMIT" not in statement]
    assert not [statement for statement in kept if "FROM issues" in statement and "LIMIT" in statement]

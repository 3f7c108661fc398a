"""Patrols and duties as files: the rows of the lists by the same filters, real days and moments, no formulas, the region's only."""

import csv
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest

from patrol.foundation import clock, tables
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.models import Patrol
from tests.patrols.walked import walked

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
EN = {"Accept-Language": "en"}


@pytest.fixture
def world(build, signed_in):
    class World:
        town, other = build.region(level="township", name="柳岸镇"), build.region(level="township", name="石桥镇")
        reach, far = build.reach(region=town, name="清溪上柳段"), build.reach(region=other, level="village", name="石溪段")
        chief, deputy = build.person("chief", region=town, name="=柳村长", title="村级河长"), build.person("patroller", region=town)
        stranger = build.person("chief", region=other, name="石村长")
        supervisor, office = signed_in(build.person("supervisor")), signed_in(build.person("office", region=town))

    build.appointment(World.reach, World.chief)
    build.appointment(World.far, World.stranger)
    World.patrol = walked(World.chief, World.reach, "2026-11-18T08:00:00+08:00", (0, 1000))
    World.second = walked(World.deputy, World.reach, "2026-11-17T08:00:00+08:00", (0, 300), verdict="doubtful", on_behalf_of=World.chief)
    World.third = walked(World.stranger, World.far, "2026-11-16T08:00:00+08:00", verdict=None, finished=False)
    with clock.moved_clock(lambda: NOW):
        yield World


def rows_of(reply):
    assert (reply.status_code, reply.mimetype) == (200, "text/csv"), reply.text
    assert reply.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


def sheet_of(reply):
    assert reply.status_code == 200, reply.text
    [headings, *rows] = openpyxl.load_workbook(io.BytesIO(reply.data)).active.iter_rows()
    return [dict(zip([cell.value for cell in headings], row, strict=True)) for row in rows]


@pytest.mark.parametrize(("started_at", "cell"), [
    (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "9999-12-31T23:59:59+00:00"), (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 08:05:43"),
])  # fmt: skip
def test_one_wrong_clock_breaks_no_table(world, started_at, cell):
    with transaction():
        db.session.merge(Patrol(id=world.third.id, started_at=started_at))
    assert cell in {row["开始时间"] for row in rows_of(world.supervisor.get("patrols.csv"))}
    assert cell in {row["开始时间"].value for row in sheet_of(world.supervisor.get("patrols.xlsx"))}
    for address in ("duties.csv", "duties.xlsx", "patrols", f"patrols/{world.third.id}"):
        assert world.supervisor.get(address).status_code == 200, address


def test_patrols_that_nobody_examined_yet_are_found(world):
    assert [row["id"] for row in world.supervisor.get("patrols?verdict=none").json["items"]] == [str(world.third.id)]
    assert [row["系统编号"] for row in rows_of(world.supervisor.get("patrols.csv?verdict=none"))] == [str(world.third.id)]


def test_patrols_are_told_in_the_readers_language(world):
    reply = world.supervisor.get("patrols.csv", headers=EN)
    assert 'filename="patrols-2026-11-20.csv"' in reply.headers["Content-Disposition"]
    first, second, third = rows_of(reply)
    assert [row["Id"] for row in (first, second, third)] == [str(patrol.id) for patrol in (world.patrol, world.second, world.third)]
    assert {name: first[name] for name in ("Person", "Title", "Region", "Reaches", "Mode", "Started", "Minutes", "Ended by the system")} == {
        "Person": "'=柳村长", "Title": "村级河长", "Region": "柳岸镇", "Reaches": "清溪上柳段", "Mode": "on foot", "Started": "2026-11-18 08:00:00",
        "Minutes": "60", "Ended by the system": "no"}
    assert (first["Covered (m)"], first["Length (m)"], first["Verdict"], second["Verdict"]) == ("1000.0", "1000.0", "valid", "doubtful")
    assert (first["On behalf of"], second["On behalf of"]) == ("", "'=柳村长")
    assert [third[name] for name in ("Ended", "Minutes", "Covered (m)", "Verdict", "Reasons")] == [""] * 5
    assert rows_of(world.supervisor.get("patrols.csv"))[0]["判定"] == "有效"


@pytest.mark.parametrize("filters", [
    {}, {"verdict": "doubtful"}, {"after": "2026-11-17T08:00:00+08:00"}, {"before": "2026-11-17T08:00:00+08:00"}, {"finding": "gap"}])
def test_a_table_of_patrols_has_the_rows_of_the_list(world, filters):
    for client in (world.supervisor, world.office):
        listed = [row["id"] for row in client.get("patrols", query_string=filters).json["items"]]
        assert [row["系统编号"] for row in rows_of(client.get("patrols.csv", query_string=filters))] == listed
        assert [row["系统编号"].value for row in sheet_of(client.get("patrols.xlsx", query_string=filters))] == listed


def test_tables_keep_to_the_region(world):
    assert {row["行政区"] for row in rows_of(world.office.get("patrols.csv"))} == {"柳岸镇"}
    assert {row["行政区"] for row in rows_of(world.office.get("duties.csv"))} == {"柳岸镇"}
    assert {row["行政区"] for row in rows_of(world.supervisor.get("duties.csv"))} == {"柳岸镇", "石桥镇"}


def test_tables_read_on_over_pages(world, monkeypatch):
    monkeypatch.setattr("patrol.patrols.tables.BATCH", 1)
    assert len(rows_of(world.supervisor.get("patrols.csv"))) == 3
    assert len(rows_of(world.supervisor.get("duties.csv", query_string={"period": "2026-W47"}))) == 2


def test_duties_have_a_row_for_each_period(world):
    query = {"from": "2026-11-01", "to": "2026-11-22", "region": world.town.code}
    [duty] = world.supervisor.get("duties", query_string=query, headers=EN).json["items"]
    rows = rows_of(world.supervisor.get("duties.csv", query_string=query, headers=EN))
    names = {"Required": "required", "Done": "done", "By delegates": "done_by_delegates", "Counted": "counted", "Left": "left", "Missed": "missed"}
    assert [{name: int(row[name]) for name in names} for row in rows] == [{name: period[key] for name, key in names.items()} for period in duty["periods"]]
    assert [(row["From"], row["To"]) for row in rows] == [(period["first"], period["last"]) for period in duty["periods"]]
    assert [row["By which rule"] for row in rows] == ["; ".join(period["why"]) for period in duty["periods"]]
    assert {row["Person"] for row in rows} == {"'=柳村长"}
    assert rows_of(world.supervisor.get("duties.csv", query_string={**query, "person": str(world.stranger.id)})) == []


def test_a_workbook_has_days_and_moments_as_such(world):
    patrol = sheet_of(world.supervisor.get("patrols.xlsx"))[0]
    assert (str(patrol["开始时间"].value), patrol["用时（分钟）"].value) == ("2026-11-18 08:00:00", 60)
    duty = sheet_of(world.supervisor.get("duties.xlsx", query_string={"period": "2026-W47"}))[0]
    assert (duty["起"].value.date(), duty["起"].number_format, duty["应巡次数"].value) == (date(2026, 11, 16), "yyyy-mm-dd", 1)


def test_no_cell_starts_a_formula(world):
    with transaction():
        patrol = db.session.get_one(Patrol, world.patrol.id)
        patrol.summary, patrol.device = "@SUM(A1)", "\t=1"
    row = rows_of(world.supervisor.get("patrols.csv"))[0]
    assert (row["小结"], row["设备"]) == ("'@SUM(A1)", "'\t=1")
    for kind in ("patrols", "duties"):
        rows = rows_of(world.supervisor.get(f"{kind}.csv"))
        assert rows, kind
        for told in rows:
            assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in told.values())


def test_exports_take_days_as_filters(world):
    assert len(rows_of(world.supervisor.get("patrols.csv", query_string={"after": "2026-01-01"}))) == 3
    assert rows_of(world.supervisor.get("patrols.csv", query_string={"before": "2026-01-01"})) == []


def test_what_a_sheet_cannot_hold_is_refused_and_csv_has_all(world, monkeypatch):
    monkeypatch.setattr(tables, "MOST_SHEET_ROWS", 2)
    refused = world.supervisor.get("patrols.xlsx", headers=EN)
    assert (refused.status_code, refused.mimetype) == (422, "application/problem+json")
    assert "CSV" in refused.json["detail"]
    assert len(rows_of(world.supervisor.get("patrols.csv"))) == 3


@pytest.mark.parametrize(("path", "query", "status"), [
    ("patrols.csv", {"verdict": "good"}, 422), ("patrols.csv", {"region": "1"}, 404), ("patrols.csv", {"limit": 5}, 422), ("patrols.csv", {"person": "you"}, 422),
    ("duties.csv", {"period": "never"}, 422), ("duties.xlsx", {"region": "1"}, 404)])
def test_bad_filters_are_refused_before_a_file_begins(world, path, query, status):
    reply = world.supervisor.get(path, query_string=query)
    assert (reply.status_code, reply.mimetype) == (status, "application/problem+json")


def test_who_patrols_does_not_export(world, signed_in):
    for path in ("patrols.csv", "patrols.xlsx", "duties.csv", "duties.xlsx"):
        assert signed_in(world.deputy).get(path).status_code == 403

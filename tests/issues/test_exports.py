"""Lists as files: all rows without a silent end, real dates, parts and borders as columns, no formulas."""

import csv
import io
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import openpyxl
import orjson
import pytest

from patrol.foundation import tables
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues import exports
from patrol.issues.models import Issue, IssuePart
from patrol.people.models import Person
from tests.issues.conftest import report, taken
from tests.issues.test_queries import ids_in


def rows_of(reply):
    assert reply.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "\r=1", "\u2060=1", "\u202e=1", "\u00ad@SUM(A1)"])
def test_no_cell_starts_a_formula(valley, text):
    report(valley.patroller_client, description=text)
    [row] = rows_of(valley.office_client.get("issues.csv"))
    assert row["描述"] == f"'{text}"
    assert all(not str(cell).startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_csv_has_the_same_rows_in_the_readers_language(valley, three):
    reply = valley.office_client.get("issues.csv", query_string={"state": "dispatched,submitted", "order": "oldest"}, headers={"Accept-Language": "en"})
    assert reply.mimetype == "text/csv"
    assert "attachment" in reply.headers["Content-Disposition"]
    rows = rows_of(reply)
    assert [row["Id"] for row in rows] == [three["first"], three["second"]]
    assert (rows[0]["State"], rows[0]["Region"], rows[0]["Lead"], rows[0]["Overdue"]) == ("Dispatched", "上柳村", "柳村长", "yes")


def test_exports_read_on_over_batches(valley, monkeypatch):
    monkeypatch.setattr("patrol.issues.exports.BATCH", 2)
    for _ in range(5):
        report(valley.patroller_client)
    wanted = ids_in(valley.office_client)
    assert [row["系统编号"] for row in rows_of(valley.office_client.get("issues.csv"))] == wanted
    collection = orjson.loads(valley.office_client.get("issues.geojson").data)
    assert [feature["id"] for feature in collection["features"]] == wanted


def test_geojson_gives_points(valley, three):
    reply = valley.office_client.get("issues.geojson", query_string={"bbox": "119.7,29.5,119.9,29.65"})
    assert reply.mimetype == "application/geo+json"
    [feature] = orjson.loads(reply.data)["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [119.81, 29.6]}
    assert feature["properties"]["overdue"] is True
    assert orjson.loads(valley.office_client.get("issues.geojson", query_string={"q": "没有"}).data)["features"] == []
    for ending in ("geojson", "csv", "xlsx"):
        assert valley.office_client.get(f"issues.{ending}", query_string={"region": "1"}).status_code == 422


def test_who_may_export(valley, three):
    assert valley.patroller_client.get("issues.csv").status_code == 403
    assert valley.patroller_client.get("issues.geojson").status_code == 200
    assert [row["系统编号"] for row in rows_of(valley.other_chief_client.get("issues.csv"))] == [three["second"]]


def sheet_of(reply):
    assert reply.status_code == 200, reply.json
    [headings, *rows] = openpyxl.load_workbook(io.BytesIO(reply.data)).active.iter_rows()
    return [dict(zip((cell.value for cell in headings), row, strict=True)) for row in rows]


def test_a_workbook_can_be_read_and_filtered(valley, three):
    for tongue, name in (("zh", "问题"), ("en", "Issues")):
        reply = valley.office_client.get("issues.xlsx", headers={"Accept-Language": tongue})
        sheet = openpyxl.load_workbook(io.BytesIO(reply.data)).active
        assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == (name, "A2", sheet.dimensions)
        assert {cell.font.b for cell in sheet[1]} == {True}
        assert {cell.font.b for cell in sheet[2]} == {False}
        widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
        assert all(8 <= width <= 46 for width in widths)
        assert len({round(width) for width in widths}) > 3, "as wide as what stands in them"


def test_an_export_tells_findings_and_how_many_say_me_too(valley, anyone):
    issue = report(valley.patroller_client)
    again = report(valley.patroller_client)
    taken(valley.office_client, again, "merge", into=issue["id"], reason="同一处")
    for one in (issue, again):
        assert anyone.post(f"public/issues/{one['number']}/follow", json={}).status_code == 201
    grave, lesser = ({"code": "x", "severity": severity, "zh": zh, "en": en, "evidence": {}, "version": "x"}
                     for severity, zh, en in (("serious", "相同", "same"), ("info", "偏远", "far")))
    with transaction():
        db.session.get_one(Issue, UUID(issue["id"])).findings = [lesser, grave, grave]
    told = {row["编号"]: (row["并入件数"], row["关注人数"], row["存疑之处"]) for row in rows_of(valley.office_client.get("issues.csv"))}
    assert told == {issue["number"]: ("1", "2", "【严重】相同；偏远"), again["number"]: ("0", "1", "")}
    [row] = [row for row in sheet_of(valley.office_client.get("issues.xlsx", headers={"Accept-Language": "en"})) if row["Number"].value == issue["number"]]
    assert (row["Merged into it"].value, row["Followers"].value, row["Findings"].value) == (1, 2, "[serious] same; far")


def test_a_workbook_has_days_and_moments_as_such(valley):
    issue = report(valley.patroller_client)
    [row] = sheet_of(valley.office_client.get("issues.xlsx"))
    assert (row["期限"].is_date, row["期限"].number_format) == (True, "yyyy-mm-dd")
    assert row["期限"].value.date() == date.fromisoformat(issue["due_rule"]["last_day"])
    received = datetime.fromisoformat(issue["received_at"]).astimezone(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None, microsecond=0)
    assert (row["收到时间"].is_date, row["收到时间"].number_format) == (True, "yyyy-mm-dd hh:mm:ss")
    # A workbook keeps a moment as a share of a day.
    assert abs(row["收到时间"].value - received) < timedelta(seconds=1)
    assert row["结案时间"].value is None
    assert isinstance(row["纬度"].value, float)
    [plain] = rows_of(valley.office_client.get("issues.csv"))
    assert (plain["收到时间"], plain["期限"]) == (str(received), issue["due_rule"]["last_day"])


@pytest.mark.parametrize(("recorded_at", "cell"), [
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"), ("0001-01-01T00:00:00Z", "0001-01-01 08:05:43"), ("1899-06-01T00:00:00Z", "1899-06-01 08:05:43"),
])  # fmt: skip
def test_one_wrong_clock_breaks_no_table_and_no_paper(valley, recorded_at, cell):
    issue = report(valley.patroller_client, recorded_at=recorded_at)
    assert rows_of(valley.office_client.get("issues.csv"))[0]["发现时间"] == cell
    assert sheet_of(valley.office_client.get("issues.xlsx"))[0]["发现时间"].value == cell
    for address in ("issues.geojson", "issues", f"issues/{issue['id']}", f"issues/{issue['id']}/case-file.pdf", f"issues/{issue['id']}/case-file.json"):
        assert valley.supervisor_client.get(address).status_code == 200, address


def test_a_sheet_that_is_too_small_is_refused_before_it_begins_and_csv_has_all(valley, monkeypatch):
    monkeypatch.setattr(exports, "MOST_SHEET_ROWS", 2)
    monkeypatch.setattr(exports, "BATCH", 2)
    for number in range(3):
        report(valley.patroller_client, description=f"第{number}处")
    refused = valley.office_client.get("issues.xlsx", headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.mimetype) == (422, "application/problem+json")
    assert "CSV" in refused.json["detail"]
    assert len(rows_of(valley.office_client.get("issues.csv"))) == 3
    assert len(sheet_of(valley.office_client.get("issues.xlsx", query_string={"q": "第1处"}))) == 1
    assert sheet_of(valley.other_chief_client.get("issues.xlsx")) == []


def test_a_sheet_never_ends_early_in_silence(monkeypatch):
    monkeypatch.setattr(tables, "MOST_SHEET_ROWS", 2)
    width = len(exports.SHEET.headings)
    assert b"".join(tables.xlsx_of([[["x"] * width] * 3], exports.SHEET, "zh")).startswith(b"PK")
    with pytest.raises(tables.TooManyRows):
        list(tables.xlsx_of([[["x"] * width] * 4], exports.SHEET, "zh"))


def test_parts_and_the_sides_of_a_border_are_columns(valley, build, queries):
    water = build.water_body(name="界河")
    for region, latitude in ((valley.town, 29.5001), (valley.other_town, 29.4999)):
        build.reach(((119.80, latitude), (119.82, latitude)), region=region, level="township", water_body=water)
    border, plain = report(valley.supervisor_client, latitude=29.5, longitude=119.81), report(valley.patroller_client)
    with transaction():
        for n, (department, text, state, due_at) in enumerate((
            ("urban_management", "=打捞", "open", datetime.fromisoformat("2026-06-01T00:00:00+08:00")), (None, "核查排口", "done", None),
        ), start=1):
            db.session.add(IssuePart(issue_id=UUID(border["id"]), n=n, person_id=valley.handler.id, department=department, text=text,
                                     state=state, due_at=due_at))
    queries.clear()
    rows = {row["系统编号"]: row for row in rows_of(valley.office_client.get("issues.csv"))}
    assert len([text for text in queries if "issue_parts" in text or "issue_sides" in text]) == 2
    assert rows[border["id"]]["交界各方"] == "柳岸镇；石桥镇"
    assert rows[border["id"]]["未完成分项"] == "1"
    assert rows[border["id"]]["协办分项"] == "1. 城管 · 城市管理局：=打捞（未完成，2026-05-31 前）；2. 城管：核查排口（已完成）"
    assert [rows[plain["id"]][name] for name in ("交界各方", "未完成分项", "协办分项")] == ["", "", ""]
    english = valley.office_client.get("issues.csv", headers={"Accept-Language": "en"})
    assert {row["Id"]: row["Open parts"] for row in rows_of(english)} == {border["id"]: "1", plain["id"]: ""}


def test_department_co_handlers_and_joint_cases_are_columns(valley, build, queries):
    with transaction():
        db.session.get_one(Person, valley.patroller.id).name = "=巡河员"
    first, plain = (taken(valley.office_client, report(valley.patroller_client, severity="serious"), "accept") for _ in range(2))
    issue = taken(valley.office_client, first, "dispatch", department="urban_management", lead=valley.chief.username,
                  co_handlers=[valley.patroller.username, valley.handler.username])
    with transaction():
        db.session.get_one(Issue, UUID(plain["id"])).is_joint = True
    queries.clear()
    rows = {row["系统编号"]: row for row in rows_of(valley.office_client.get("issues.csv"))}
    assert len([text for text in queries if "issue_co_handlers" in text]) == 1
    assert [rows[issue["id"]][name] for name in ("责任单位", "协办人", "联合办理")] == ["城市管理局", "城管；=巡河员", "否"]
    assert [rows[plain["id"]][name] for name in ("责任单位", "协办人", "联合办理")] == ["", "", "是"]
    english = {row["Id"].value: row for row in sheet_of(valley.office_client.get("issues.xlsx", headers={"Accept-Language": "en"}))}
    assert [english[issue["id"]][name].value for name in ("Department", "Co-handlers", "Joint case")] == ["Urban Management Bureau", "城管; =巡河员", "no"]
    taken(valley.office_client, plain, "dispatch", lead=valley.chief.username, co_handlers=[valley.patroller.username])
    alone = {row["系统编号"]: row["协办人"] for row in rows_of(valley.office_client.get("issues.csv"))}
    assert alone[plain["id"]] == "'=巡河员"


def test_a_cell_that_a_workbook_cannot_hold_ends_with_a_mark(valley):
    issue = report(valley.patroller_client)
    with transaction():
        for n in range(20):
            db.session.add(IssuePart(issue_id=UUID(issue["id"]), n=n + 1, person_id=valley.handler.id, text="字" * 2000, state="open"))
    [row] = sheet_of(valley.office_client.get("issues.xlsx"))
    assert len(row["协办分项"].value) == tables.LONGEST_CELL + 1
    assert row["协办分项"].value.endswith("…")
    assert db.session.get_one(Issue, UUID(issue["id"])).number == row["编号"].value


def test_letters_that_are_left_out_hide_no_formula(valley):
    report(valley.patroller_client, description="\x01=1+1")
    sheet = openpyxl.load_workbook(io.BytesIO(valley.office_client.get("issues.xlsx").data)).active
    assert "'=1+1" in [cell.value for cell in sheet[2]]
    [row] = rows_of(valley.office_client.get("issues.csv"))
    assert row["描述"] == "'=1+1"

"""The calendar above the one that the software knows: deadlines counted by hand into 2027, and the notice as a file."""

import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.issues.calendar_files import import_calendar
from patrol.issues.categories import Severity
from patrol.issues.deadlines import LEAST_DAYS_OFF, ChineseCalendar, DayKind
from patrol.issues.policies import DayOrigin, Policies, unknown_year
from tests.issues.conftest import at, report
from tests.issues.due_dates import due_at

CHINA = ZoneInfo("Asia/Shanghai")
KNOWN = ChineseCalendar()
OFF_2027 = {
    "元旦": ("2027-01-01", "2027-01-02", "2027-01-03"), "春节": tuple(f"2027-02-{day:02d}" for day in range(5, 13)),
    "清明节": ("2027-04-03", "2027-04-04", "2027-04-05"), "劳动节": ("2027-05-01",),
}
WORKS_2027 = {"春节": ("2027-02-14", "2027-02-20")}
# An example in the shape of a yearly notice, not the notice of 2027.
TYPED_IN = ChineseCalendar(notice={
    date.fromisoformat(day): (works, Text(name, name)) for works, days in ((False, OFF_2027), (True, WORKS_2027))
    for name, own in days.items() for day in own})  # fmt: skip


# Counted by hand. 2026 is the State Council's notice of 4 November 2025: New Year 1–3 January (works Sunday 4), Spring
# Festival 15–23 February (works 14 and 28), Qingming 4–6 April, Labour Day 1–5 May (works 9), Dragon Boat 19–21 June,
# Mid-Autumn 25–27 September, National Day 1–7 October (works 20 September and 10 October).
@pytest.mark.parametrize(("calendar", "severity", "since", "last_day"), [
    (KNOWN, "general", "2025-12-31T10:00", "2026-01-15"),  # Wed; Sun 4 works, 5–9, 12–15
    (KNOWN, "general", "2026-01-02T10:00", "2026-01-15"),  # within New Year; 4–9, 12–15
    (KNOWN, "serious", "2026-02-02T10:00", "2026-03-06"),  # 3–6, 9–14, 24–28 February, 2–6 March
    (KNOWN, "general", "2026-04-03T10:00", "2026-04-20"),  # Fri before Qingming; 7–10, 13–17, 20
    (KNOWN, "general", "2026-04-30T10:00", "2026-05-18"),  # 6–9, 11–15, 18
    (KNOWN, "general", "2026-06-18T10:00", "2026-07-03"),  # Thu; 22–26 June, 29 June – 3 July
    (KNOWN, "general", "2026-09-17T10:00", "2026-10-08"),  # Thu; 18, 20–24, 28–30 September, 8 October
    (KNOWN, "general", "2026-12-18T10:00", "2027-01-04"),  # 21–25, 28–31 December, New Year off by law, then Monday to Friday assumed
    (KNOWN, "general", "2027-02-04T10:00", "2027-02-18"),  # all assumed: 5, 8–12, 15–18
    (TYPED_IN, "general", "2026-12-18T10:00", "2027-01-04"),  # the same by the notice
    (TYPED_IN, "general", "2027-02-04T10:00", "2027-02-24"),  # Spring Festival off; Sun 14, 15–19, Sat 20, 22–24
    (TYPED_IN, "serious", "2026-12-25T10:00", "2027-01-25"),  # 28–31 December, 4–8, 11–15, 18–22, 25 January
    (TYPED_IN, "major", "2026-12-18T10:00", "2027-02-16"),  # 60 calendar days, whatever they are
    (TYPED_IN, "urgent", "2026-12-31T20:00", "2027-01-01"),
])  # fmt: skip
def test_last_days_counted_by_hand(calendar, severity, since, last_day):
    moment = datetime.fromisoformat(since).replace(tzinfo=CHINA)
    assert due_at(Severity(severity), "C1", moment, calendar, CHINA).last_day == date.fromisoformat(last_day)


def test_a_year_that_was_typed_in_is_explained_as_the_notice_and_no_more_assumed():
    since = datetime(2027, 2, 4, 10, tzinfo=CHINA)
    deadline = due_at(Severity.GENERAL, "C1", since, TYPED_IN, CHINA)
    assert [text.zh for text in deadline.explanation[2:5]] == [
        "2027-02-05 – 2027-02-12放假（春节），不计", "2027-02-14调休上班（春节），计入", "2027-02-20调休上班（春节），计入"]
    assert {row.kind for row in deadline.days} == {DayKind.HOLIDAY, DayKind.MAKE_UP}
    assert TYPED_IN.ruling(date(2027, 3, 1)).kind is DayKind.WEEKDAY
    few = ChineseCalendar(notice=dict(list(TYPED_IN.notice.items())[: LEAST_DAYS_OFF - 1]))
    assert few.ruling(date(2027, 3, 1)).kind is DayKind.ASSUMED
    assert (KNOWN.knows(2026), KNOWN.knows(2027), few.knows(2027), TYPED_IN.knows(2027)) == (True, False, False, True)


@pytest.mark.parametrize(("calendar", "today", "year"), [
    (KNOWN, date(2026, 11, 14), None), (KNOWN, date(2026, 11, 15), 2027), (KNOWN, date(2027, 3, 1), 2027), (TYPED_IN, date(2026, 12, 1), None),
    (TYPED_IN, date(2027, 11, 20), 2028)])  # fmt: skip
def test_the_coming_year_is_missed_once_its_notice_should_be_out(calendar, today, year):
    assert unknown_year(calendar, today) == year


@given(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.sampled_from(DayOrigin), st.booleans())
def test_one_day_is_changed_and_given_back_and_no_other(day, origin, works):
    policies = Policies((), (), TYPED_IN)
    changed = policies.with_day(day, origin, works, Text("测试", "test"), True).calendar
    assert changed.ruling(day).works is works
    # A whole day more or less of the notice can decide whether its year counts as known.
    others = [day + timedelta(days=n) for n in range(-10, 10) if n]
    assert [changed.ruling(other).works for other in others] == [TYPED_IN.ruling(other).works for other in others]
    plain = Policies((), ()).with_day(day, origin, works, Text("测试", "test"), True).with_day(day, origin, works, Text("测试", "test"), False)
    assert plain.calendar.ruling(day) == KNOWN.ruling(day)


def notice(encoding="gb18030", heading="日期,上班,名称"):
    lines = [heading]
    for word, days in (("放假", OFF_2027), ("上班", WORKS_2027)):
        lines += [f"{day},{word},{name}" for name, own in days.items() for day in own]
    return "\n".join(lines).encode(encoding)


def sent(client, data, **form):
    return client.post("policies/calendar/import", data={"file": (io.BytesIO(data), "2027.csv"), **form})


def test_a_clerk_types_in_the_notice_once_a_year(valley):
    with at(datetime(2026, 12, 1, 9, tzinfo=CHINA)):
        [warning] = valley.office_client.get("policies").json["warnings"]
        assert (warning["code"], "2027" in warning["text"]) == ("calendar_unknown", True)
        tried = sent(valley.office_client, notice(), dry_run="true")
        assert (tried.status_code, tried.json["created"], tried.json["errors"]) == (200, 17, [])
        assert valley.office_client.get("policies/calendar").json["items"] == []
        assert sent(valley.office_client, notice()).json["created"] == 17
        again = sent(valley.office_client, notice("utf-8")).json
        assert (again["created"], again["unchanged"]) == (0, 17)
        assert valley.office_client.get("policies").json["warnings"] == []
        row = next(row for row in valley.handler_client.get("policies/calendar").json["items"] if row["day"] == "2027-02-14")
        assert (row["works"], row["standing"], row["withdrawable"]) == (True, "in_force", True)
        assert row["source"]["zh"] == "国务院办公厅关于2027年部分节假日安排的通知"
        assert row["name"] == {"zh": "春节", "en": "Spring Festival, made up for by work"}
    with at(datetime(2026, 12, 18, 10, tzinfo=CHINA)):
        issue = report(valley.patroller_client)
    assert issue["due_rule"]["last_day"] == "2027-01-04"
    assert "2027-01-01 – 2027-01-03放假（元旦），不计" in issue["due_rule"]["explanation"]


def test_of_two_files_at_once_the_second_waits(app, actor_of, build, queries):
    """On PostgreSQL both would write the first day otherwise, each as a version of its own."""
    by = actor_of(build.person("admin"))
    for dry_run, held in ((True, False), (False, True)):
        queries.clear()
        with transaction():
            import_calendar("day,works,name\n2027-02-17,no,春节\n".encode(), by=by, timezone="Asia/Shanghai", dry_run=dry_run)
        assert ("policy_state" in queries[0]) == held


@pytest.mark.parametrize(("line", "field"), [
    ("2027年1月1日,放假,元旦", "day"), ("2027-01-01,也许,元旦", "works"), ("2027-01-01,放假,", "name"), ("1999-01-01,放假,元旦", "day"),
    ("2027-01-09,放假,a\n2027-01-09,放假,b", "day")])  # fmt: skip
def test_a_wrong_row_is_told_with_its_number_and_nothing_is_written(valley, line, field):
    with at(datetime(2026, 12, 1, 9, tzinfo=CHINA)):
        told = sent(valley.office_client, f"日期,上班,名称\n2027-01-08,放假,好的\n{line}\n".encode()).json
        assert [(fault["row"], fault["field"]) for fault in told["errors"]] == [(3 + line.count("\n"), field)]
        assert valley.office_client.get("policies/calendar").json["items"] == []
        headless = sent(valley.office_client, b"day,works\n2027-01-08,no\n").json
        assert [fault["field"] for fault in headless["errors"]] == ["file"]


def test_the_commands_do_the_same(app, valley, tmp_path):
    file, runner = tmp_path / "2027.csv", app.test_cli_runner()
    file.write_bytes(notice())
    with at(datetime(2026, 12, 1, 9, tzinfo=CHINA)):
        rehearsed = runner.invoke(args=["policies", "import-calendar", str(file), "--dry-run"]).output
        assert "17 created" in rehearsed
        assert rehearsed.endswith("没有写入或删除任何数据\n")
        assert "2027" in runner.invoke(args=["policies", "list"]).output
        assert "17 created, 0 unchanged, 0 errors" in runner.invoke(args=["policies", "import-calendar", str(file)]).output
        version = tmp_path / "limit.json"
        version.write_text("""{"id": "0190a1b2-0000-7000-8000-000000000001", "code": "general_7_wd", "stage": "rectification", "severity": "general",
            "amount": 7, "unit": "working_days", "valid_from": "2027-01-01", "source": {"zh": "文件", "en": "document"}}""", encoding="utf-8")
        rehearsed = runner.invoke(args=["policies", "add", "deadlines", str(version), "--dry-run"]).output
        assert "would become version 2" in rehearsed
        assert rehearsed.endswith("没有写入或删除任何数据\n")
        assert "is now version 2" in runner.invoke(args=["policies", "add", "deadlines", str(version)]).output
        listed = runner.invoke(args=["policies", "list"]).output
    assert "deadlines · coming · version 2: code general_7_wd" in listed
    assert "calendar · in_force" in listed

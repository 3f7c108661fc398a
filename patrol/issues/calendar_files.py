"""The yearly notice of holidays as a file: a row a day, typed in by a clerk; all or nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import chinese_calendar

from patrol.foundation import clock
from patrol.foundation.database import new_id
from patrol.foundation.errors import Refusal
from patrol.foundation.texts import Text
from patrol.issues.policies import DayOrigin, Kind
from patrol.issues.policies_held import hold_policies
from patrol.issues.policy_actions import add_version, columns_of, draft, refuse_below_the_top, versions_of
from patrol.issues.policy_models import CalendarOverride
from patrol.people.actor import Actor
from patrol.waters.import_files import RawRow, read_table

COLUMNS: dict[str, tuple[str, ...]] = {
    "day": ("日期",), "works": ("上班", "是否上班"), "name": ("名称", "节日", "事由"), "name_en": ("英文名称",),
    "origin": ("类型", "性质"), "source": ("来源", "依据", "文号"), "source_en": ("英文来源",),
}  # fmt: skip
"""Column → the Chinese headings under which it is found as well."""
NEEDED = ("day", "works", "name")
_WORKS = {
    **dict.fromkeys(("1", "yes", "true", "y", "是", "上班", "调休", "补班"), True),
    **dict.fromkeys(("0", "no", "false", "n", "否", "放假", "休息", "休"), False),
}
_ORIGINS = {"": DayOrigin.NOTICE, "notice": DayOrigin.NOTICE, "通知": DayOrigin.NOTICE, "local": DayOrigin.LOCAL, "本地": DayOrigin.LOCAL}
_LONGEST = {"name": 100, "name_en": 100, "source": 500, "source_en": 500}
_NOTICE = Text("国务院办公厅关于{year}年部分节假日安排的通知", "State Council General Office: notice on the holidays of {year}")
_LOCAL = Text("本地规定", "Local decision")

_MISSING = Text("缺少列：{names}", "Columns are missing: {names}")
_UNKNOWN = Text("不认识的列：{names}", "Unknown columns: {names}")
_EMPTY = Text("不能为空", "Must not be empty")
_NO_DAY = Text("日期应写作 2027-01-01", "Write the day as 2027-01-01")
_TWICE = Text("这一天在第 {row} 行已出现", "This day stands in row {row} already")
_NOT_WORKS = Text("请写“上班”或“放假”（或 yes、no）", "Write yes or no (or 上班, 放假)")
_NOT_ORIGIN = Text("请写 notice（通知）或 local（本地），或留空", "Write notice or local, or leave it empty")
_LONG = Text("最多 {most} 字", "At most {most} letters")


@dataclass(frozen=True)
class RowFault:
    """What is wrong in one row of the file, as the clerk counts rows, and in which column."""

    row: int
    field: str
    message: Text


@dataclass
class CalendarReport:
    """What an import did or would do; with any fault nothing is written."""

    created: int = 0
    unchanged: int = 0
    days: list[date] = field(default_factory=list)
    errors: list[RowFault] = field(default_factory=list)


def import_calendar(data: bytes, *, by: Actor, timezone: str, dry_run: bool) -> CalendarReport:
    """Write the days of a CSV or XLSX file as overrides; a day that says the same already is left alone.

    Raises NotAllowed (403) below the top region, Invalid (422) and TooLarge (413) for what is wrong with the whole file.
    """
    refuse_below_the_top(by)
    if not dry_run:
        # Of the same file twice at once the second finds what the first wrote.
        hold_policies()
    table, report, today = read_table(data), CalendarReport(), clock.today(timezone)
    columns = {heading: _column_of(heading) for heading in table.columns}
    report.errors += _wrong_columns(columns)
    if report.errors:
        return report
    named = [RawRow(row.number, {columns.get(name, name): value for name, value in row.values.items()}) for row in table.rows]
    rows = list(_rows_of(named, report.errors))
    report.errors += [fault for number, sent in rows if (fault := _fault_of(number, sent, by, today))]
    for _, sent in rows if not report.errors else ():
        if _is_so_already(sent):
            report.unchanged += 1
            continue
        report.created += 1
        report.days.append(sent["day"])
        if not dry_run:
            add_version(Kind.CALENDAR, by=by, id=new_id(), timezone=timezone, **sent)
    return report


def _column_of(heading: str) -> str:
    return next((column for column, said in COLUMNS.items() if heading in said), heading)


def _wrong_columns(columns: dict[str, str]) -> Iterable[RowFault]:
    if missing := [name for name in NEEDED if name not in columns.values()]:
        yield RowFault(1, "file", _MISSING.format(names=", ".join(missing)))
    if unknown := [name for name in columns.values() if name not in COLUMNS]:
        yield RowFault(1, "file", _UNKNOWN.format(names=", ".join(unknown)))


def _rows_of(rows: Iterable[RawRow], errors: list[RowFault]) -> Iterable[tuple[int, dict[str, Any]]]:
    """Yield each row's number and columns as they would be sent; what is wrong goes to `errors`."""
    seen: dict[date, int] = {}
    for row in rows:
        sent, faults = _sent(row.values)
        day = sent.get("day")
        if day in seen:
            faults["day"] = _TWICE.format(row=seen[day])
        errors += [RowFault(row.number, name, fault) for name, fault in faults.items()]
        if not faults and day:
            seen[day] = row.number
            yield row.number, sent


def _sent(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Text]]:
    said = {name: str(values.get(name) or "").strip() for name in COLUMNS}
    faults = {name: _LONG.format(most=most) for name, most in _LONGEST.items() if len(said[name]) > most}
    faults |= {name: _EMPTY for name in NEEDED if not said[name]}
    day, works, origin = _day(said["day"]), _WORKS.get(said["works"].lower()), _ORIGINS.get(said["origin"].lower())
    for name, value, fault in (("day", day, _NO_DAY), ("works", works, _NOT_WORKS), ("origin", origin, _NOT_ORIGIN)):
        if value is None:
            faults.setdefault(name, fault)
    if day is None or faults:
        return {"day": day}, faults
    usual = _NOTICE.format(year=day.year) if origin is DayOrigin.NOTICE else _LOCAL
    source = said["source"] or usual.zh
    return {
        "day": day, "works": works, "origin": origin, "enabled": True, "name": {"zh": said["name"], "en": said["name_en"] or _english_of(said["name"], works)},
        "source": {"zh": source, "en": said["source_en"] or said["source"] or usual.en},
    }, faults  # fmt: skip


def _english_of(name: str, works: Any) -> str:
    """Return what a day's Chinese name is called in English: that of the holiday in it, else the name as it stands."""
    for holiday in chinese_calendar.Holiday:
        if holiday.chinese.removesuffix("节") in name:
            return f"{holiday.value}, made up for by work" if works else str(holiday.value)
    return name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _fault_of(number: int, sent: dict[str, Any], by: Actor, today: date) -> RowFault | None:
    try:
        draft(Kind.CALENDAR, by=by, today=today, **sent)
    except Refusal as refusal:
        name, faults = next(iter(refusal.errors.items()), ("day", [refusal.detail]))
        return RowFault(number, name, faults[0])
    return None


def _is_so_already(sent: dict[str, Any]) -> bool:
    columns = columns_of(sent)
    standing = [row for row in versions_of(CalendarOverride, columns) if row.withdrawn_at is None]
    return bool(standing) and all(getattr(standing[-1], name) == value for name, value in columns.items())

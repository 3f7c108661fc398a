"""Lists of issues as rows of a table and as GeoJSON: read in batches, so that the memory does not grow with the list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import DateTime, Row, func, select, type_coerce

from patrol.foundation import clock
from patrol.foundation.database import UtcDateTime, db
from patrol.foundation.errors import Invalid
from patrol.foundation.paging import past
from patrol.foundation.tables import MOST_SHEET_ROWS, YES_NO, Sheet, local_cell, safe_cell
from patrol.foundation.texts import Text
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, SOURCE_NAME
from patrol.issues.due import WITHOUT_DUE, is_overdue
from patrol.issues.export_parts import co_handlers_by_issue, findings_said, last_day, parts_by_issue, sides_by_issue
from patrol.issues.filters import Filters, order_of, parts_of
from patrol.issues.following import followers_of
from patrol.issues.lifecycle import STATE_NAME
from patrol.issues.listing import ordered
from patrol.issues.models import Issue, number_of
from patrol.people.actor import Actor
from patrol.people.departments import DEPARTMENTS
from patrol.people.models import Person, Region
from patrol.waters.models import Reach

BATCH = 1_000
_TOO_MANY = Text(
    "符合条件的问题超过 {most} 件，一张 XLSX 工作表放不下：请缩小筛选范围，或导出 CSV",
    "More than {most} issues pass, which a sheet of XLSX cannot hold: narrow the filters, or export CSV",
)
_COLUMNS = (
    "id", "serial", "state", "category", "severity", "source", "description", "latitude", "longitude", "region_id",
    "reach_id", "lead_id", "recorded_at", "received_at", "due_at", "dispatched_at", "rectified_at", "verified_at",
    "closed_at", "returned_times", "reopened_times", "is_joint", "department", "also_reported", "findings",
)  # fmt: skip
# Each column costs as much as drawing its value; a map of a thousand points shows only these, in this order.
_ON_THE_MAP = (
    "id", "serial", "state", "category", "severity", "source", "description", "latitude", "longitude", "received_at", "due_at",
)  # fmt: skip

@dataclass(frozen=True)
class Export:
    """What is exported: the filters, the order, and how the reader reads it."""

    actor: Actor
    filters: Filters
    order: str
    language: str
    timezone: str


def rows_of(export: Export, columns: Sequence[str] = _COLUMNS, *, naive: bool = False) -> Iterator[Sequence[Row[Any]]]:
    """Yield the columns of all issues that pass, in batches, each read on its own, so that no long transaction stands open.

    `columns` must hold those that an order goes by. Moments are `naive` as the database holds them, in UTC, where a
    time zone for each of them would cost too much.
    """
    shown = [_naive(name) if naive else getattr(Issue, name) for name in columns]
    for part in parts_of(export.order):
        yield from _rows_of_part(export, part, shown)


def _rows_of_part(export: Export, part: str, shown: Sequence[Any]) -> Iterator[Sequence[Row[Any]]]:
    last = None
    while True:
        after = None if last is None else partial(past, last)
        statement = ordered(export.actor, export.filters, part, limit=BATCH, after=after)
        order = order_of(part, Issue)
        page = statement.with_only_columns(*shown, maintain_column_froms=True)
        page = page.order_by(*order.clauses()).limit(BATCH)
        # By the connection: they are plain rows, and going through the mapper would double what reading them costs.
        rows = db.session.connection().execute(page if after is None else page.where(after(order))).all()
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = [_aware(getattr(rows[-1], column.key)) for column in order.columns]
        db.session.rollback()


def _naive(name: str) -> Any:
    column = getattr(Issue, name)
    return type_coerce(column, DateTime).label(name) if isinstance(column.type, UtcDateTime) else column


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def refuse_too_many_for_a_sheet(export: Export) -> None:
    """Raise Invalid (422) when more issues pass than a sheet of XLSX holds; nearly always one look at an index says that they do not."""
    if (db.session.scalar(select(func.max(Issue.serial))) or 0) <= MOST_SHEET_ROWS:
        return
    most = MOST_SHEET_ROWS + 1
    passing = ordered(export.actor, export.filters, "newest", limit=most)
    passing = passing.with_only_columns(Issue.id, maintain_column_froms=True).limit(most)
    if (db.session.scalar(select(func.count()).select_from(passing.subquery())) or 0) > MOST_SHEET_ROWS:
        raise Invalid(_TOO_MANY.format(most=MOST_SHEET_ROWS))


def geojson_of(export: Export) -> Iterator[bytes]:
    """Yield a FeatureCollection of points in pieces."""
    now, begun = clock.now().replace(tzinfo=None), False
    yield b'{"type":"FeatureCollection","features":['
    for rows in rows_of(export, _ON_THE_MAP, naive=True):
        features = orjson.dumps([_feature(row, now) for row in rows], option=orjson.OPT_NAIVE_UTC)[1:-1]
        yield b"," + features if begun else features
        begun = True
    yield b"]}"


def _feature(row: Row[Any], now: datetime) -> dict[str, Any]:
    # All moments here, `now` included, are UTC without a zone.
    issue_id, serial, state, category, severity, source, description, latitude, longitude, received_at, due_at = tuple(row)
    return {
        "type": "Feature", "id": issue_id, "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": {
            "number": number_of(serial), "state": state, "category": category, "severity": severity,
            "source": source, "description": description, "received_at": received_at,
            "due_at": None if state in WITHOUT_DUE else due_at, "overdue": is_overdue(state, due_at, now),
        },
    }  # fmt: skip


_HEADINGS = (
    Text("编号", "Number"), Text("状态", "State"), Text("类别代码", "Category code"), Text("类别", "Category"),
    Text("严重程度", "Severity"), Text("来源", "Source"), Text("描述", "Description"), Text("行政区代码", "Region code"),
    Text("行政区", "Region"), Text("河段代码", "Reach code"), Text("河段", "Reach"), Text("责任人", "Lead"),
    Text("责任单位", "Department"), Text("协办人", "Co-handlers"),
    Text("纬度", "Latitude"), Text("经度", "Longitude"), Text("发现时间", "Recorded"), Text("收到时间", "Received"),
    Text("期限", "Due"), Text("超期", "Overdue"), Text("派单时间", "Dispatched"), Text("整改时间", "Rectified"),
    Text("复核时间", "Verified"), Text("结案时间", "Closed"), Text("退回次数", "Times returned"),
    Text("重办次数", "Times reopened"), Text("联合办理", "Joint case"), Text("交界各方", "Sides of the border"), Text("未完成分项", "Open parts"),
    Text("协办分项", "Parts"), Text("并入件数", "Merged into it"), Text("关注人数", "Followers"), Text("存疑之处", "Findings"), Text("系统编号", "Id"),
)  # fmt: skip


SHEET = Sheet(Text("问题", "Issues"), _HEADINGS, [at for at, heading in enumerate(_HEADINGS) if heading.en == "Due"])


class _Words(NamedTuple):
    """What the codes are called in the reader's language, looked up once an export instead of once a row."""

    states: dict[str, str]
    categories: dict[str, str]
    severities: dict[str, str]
    sources: dict[str, str]
    departments: dict[str, str]
    yes_no: dict[bool, str]

    @classmethod
    def in_language(cls, tongue: str) -> Self:
        tables: tuple[Mapping[Any, Text], ...] = (
            STATE_NAME, {code: row.name for code, row in CATEGORIES.items()}, SEVERITY_NAME, SOURCE_NAME,
            {code: row.name for code, row in DEPARTMENTS.items()}, YES_NO,
        )  # fmt: skip
        return cls(*({code: text.in_language(tongue) for code, text in table.items()} for table in tables))


def table_of(export: Export) -> Iterator[list[list[Any]]]:
    """Yield batches of rows for people, the headings first: text that is no formula, numbers, days, local moments without a zone."""
    now, zone, words = clock.now(), ZoneInfo(export.timezone), _Words.in_language(export.language)
    yield [SHEET.headings_in(export.language)]
    regions: dict[Any, _Named] = {}
    for rows in rows_of(export):
        regions = regions or _by_id(select(Region.id, Region.code, Region.name))
        reaches = _by_id(select(Reach.id, Reach.code, Reach.name).where(Reach.id.in_({r.reach_id for r in rows})))
        leads = _by_id(select(Person.id, Person.username, Person.name).where(Person.id.in_({r.lead_id for r in rows})))
        ids, joint_ids = [row.id for row in rows], [row.id for row in rows if row.is_joint]
        several = _Several(
            {issue_id: safe_cell(names) for issue_id, names in co_handlers_by_issue(ids, export.language).items()},
            {issue_id: (number, safe_cell(said)) for issue_id, (number, said) in parts_by_issue(ids, export.language, export.timezone).items()},
            {issue_id: safe_cell(names) for issue_id, names in sides_by_issue(joint_ids, export.language).items()}, followers_of(ids),
            {row.id: safe_cell(findings_said(row.findings, export.language)) for row in rows if row.findings},
        )
        # Rows are taken apart by place: by name, each of the columns would cost as much as its value.
        yield [_cells(tuple(row), regions, reaches, leads, several, now, zone, words) for row in rows]


_Named = tuple[str, str]
_NOTHING: _Named = ("", "")
_NO_PARTS = ("", "")


class _Several(NamedTuple):
    """What some issues of a batch have several of, by the issue's id, as cells."""

    co_handlers: Mapping[Any, str]
    parts: Mapping[Any, tuple[int, str]]
    sides: Mapping[Any, str]
    followers: Mapping[Any, int]
    findings: Mapping[Any, str]


def _by_id(statement: Any) -> dict[Any, _Named]:
    return {row_id: (safe_cell(code), safe_cell(name)) for row_id, code, name in db.session.execute(statement)}


def _cells(
    columns: tuple[Any, ...], regions: Mapping[Any, _Named], reaches: Mapping[Any, _Named], leads: Mapping[Any, _Named],
    several: _Several, now: datetime, zone: ZoneInfo, words: _Words,
) -> list[Any]:  # fmt: skip
    (
        issue_id, serial, state, category, severity, source, description, latitude, longitude, region_id, reach_id, lead_id, recorded_at,
        received_at, due_at, dispatched_at, rectified_at, verified_at, closed_at, returned_times, reopened_times, is_joint, department,
        also_reported, _,
    ) = columns  # fmt: skip
    due_day = "" if state in WITHOUT_DUE else last_day(due_at, zone)
    open_parts, parts = several.parts.get(issue_id, _NO_PARTS)
    return [
        number_of(serial), words.states[state], category, words.categories[category], words.severities[severity], words.sources[source],
        safe_cell(description), *regions.get(region_id, _NOTHING), *reaches.get(reach_id, _NOTHING), leads.get(lead_id, _NOTHING)[1],
        words.departments.get(department, ""), several.co_handlers.get(issue_id, ""),
        latitude, longitude, local_cell(recorded_at, zone), local_cell(received_at, zone), due_day, words.yes_no[is_overdue(state, due_at, now)],
        local_cell(dispatched_at, zone), local_cell(rectified_at, zone), local_cell(verified_at, zone), local_cell(closed_at, zone), returned_times,
        reopened_times, words.yes_no[is_joint], several.sides.get(issue_id, ""), open_parts, parts, also_reported, several.followers.get(issue_id, 0),
        several.findings.get(issue_id, ""), str(issue_id),
    ]  # fmt: skip

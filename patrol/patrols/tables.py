"""Patrols and duties as rows of tables for people, read in batches, so that the memory does not grow with the list."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from patrol.foundation.database import db
from patrol.foundation.tables import BETWEEN, YES_NO, Sheet, cut, local_cell, safe_cell
from patrol.foundation.texts import Text
from patrol.patrols.duty_periods import Span
from patrol.patrols.duty_queries import Duty, list_duties
from patrol.patrols.duty_shown import shown_period
from patrol.patrols.examination_models import ReachCoverage
from patrol.patrols.examination_queries import people_named, results_of
from patrol.patrols.finding_shown import shown_result
from patrol.patrols.models import Patrol
from patrol.patrols.queries import list_patrols
from patrol.patrols.verdict import VERDICT_NAME
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.waters.terms import LEVEL_NAME

BATCH = 200
_MODE = {
    "walk": Text("步行", "on foot"), "boat": Text("乘船", "by boat"), "vehicle": Text("乘车", "by vehicle"), "drone": Text("无人机", "by drone"),
}  # fmt: skip
PATROLS = Sheet(Text("巡河", "Patrols"), (
    Text("巡河人", "Person"), Text("职务", "Title"), Text("代谁巡河", "On behalf of"), Text("行政区代码", "Region code"), Text("行政区", "Region"),
    Text("河段代码", "Reach codes"), Text("河段", "Reaches"), Text("方式", "Mode"), Text("开始时间", "Started"), Text("结束时间", "Ended"),
    Text("用时（分钟）", "Minutes"), Text("由系统结束", "Ended by the system"), Text("覆盖（米）", "Covered (m)"), Text("河段长度（米）", "Length (m)"),
    Text("判定", "Verdict"), Text("判定理由", "Reasons"), Text("存疑之处", "Findings"), Text("小结", "Summary"), Text("设备", "Device"),
    Text("收到时间", "Received"), Text("系统编号", "Id"),
))  # fmt: skip
DUTIES = Sheet(Text("巡河任务", "Duties"), (
    Text("责任人", "Person"), Text("职务", "Title"), Text("行政区代码", "Region code"), Text("行政区", "Region"), Text("河段代码", "Reach code"),
    Text("河段", "Reach"), Text("级别", "Level"), Text("起", "From"), Text("止", "To"), Text("依据", "By which rule"), Text("应巡次数", "Required"),
    Text("已巡次数", "Done"), Text("其中代巡", "By delegates"), Text("计入次数", "Counted"), Text("剩余次数", "Left"), Text("未完成次数", "Missed"),
    Text("本人覆盖（米）", "Covered (m)"), Text("各方覆盖（米）", "Covered by all (m)"), Text("河段长度（米）", "Length (m)"),
), days=(7, 8))  # fmt: skip


def patrol_table(actor: Actor, filters: dict[str, Any], *, language: str, timezone: str) -> Iterator[list[list[Any]]]:
    """Yield batches of rows, the headings first: the patrols that `list_patrols` lists by the same filters, the latest first.

    Raises as that does.
    """
    yield [PATROLS.headings_in(language)]
    cursor: str | None = None
    while True:
        page = list_patrols(actor, **filters, limit=BATCH, cursor=cursor)
        yield _patrol_rows(page.items, language, ZoneInfo(timezone))
        if (cursor := page.next) is None:
            return
        db.session.rollback()


def _patrol_rows(patrols: Sequence[Patrol], language: str, zone: ZoneInfo) -> list[list[Any]]:
    ids = [patrol.id for patrol in patrols]
    results, covered = results_of(ids), _covered(ids)
    regions = {region.id: region for region in db.session.scalars(select(Region).where(Region.id.in_({patrol.region_id for patrol in patrols})))}
    principals = people_named({patrol.on_behalf_of_id for patrol in patrols if patrol.on_behalf_of_id})

    def several(texts: Sequence[str]) -> str:
        return safe_cell(cut(BETWEEN.in_language(language).join(texts)))

    rows = []
    for patrol in patrols:
        result, region = shown_result(results.get(patrol.id), language), regions[patrol.region_id]
        principal = principals.get(patrol.on_behalf_of_id) if patrol.on_behalf_of_id else None
        took = patrol.ended_at and round((patrol.ended_at - patrol.started_at).total_seconds() / 60)
        rows.append([
            safe_cell(patrol.person.name), safe_cell(patrol.person.title or ""), safe_cell(principal.name) if principal else "",
            safe_cell(region.code), safe_cell(region.name), several([reach.code for reach in patrol.reaches]),
            several([reach.name for reach in patrol.reaches]), _MODE[patrol.mode].in_language(language), local_cell(patrol.started_at, zone),
            local_cell(patrol.ended_at, zone), "" if took is None else took, YES_NO[patrol.ended_by == "system"].in_language(language),
            *covered.get(patrol.id, ("", "")), VERDICT_NAME[result["verdict"]].in_language(language) if result["verdict"] else "",
            several(result["reasons"]), several([finding["name"] for finding in result["findings"]]), safe_cell(patrol.summary or ""),
            safe_cell(patrol.device or ""), local_cell(patrol.received_at, zone), str(patrol.id),
        ])  # fmt: skip
    return rows


def _covered(patrol_ids: Sequence[UUID]) -> dict[UUID, tuple[float, float]]:
    """Return for each patrol that was examined the metres covered and those of its reaches."""
    rows = db.session.execute(
        select(ReachCoverage.patrol_id, func.sum(ReachCoverage.covered_m), func.sum(ReachCoverage.length_m))
        .where(ReachCoverage.patrol_id.in_(patrol_ids)).group_by(ReachCoverage.patrol_id)
    )  # fmt: skip
    return {patrol_id: (round(covered, 1), round(length, 1)) for patrol_id, covered, length in rows}


def duty_table(
    actor: Actor, filters: dict[str, Any], *, window: Span, today: date, language: str, timezone: str
) -> Iterator[list[list[Any]]]:  # fmt: skip
    """Yield batches of rows, the headings first: each period of the duties that `list_duties` lists by the same filters.

    Raises as that does.
    """
    yield [DUTIES.headings_in(language)]
    cursor: str | None = None
    while True:
        page = list_duties(actor, **filters, window=window, timezone=timezone, limit=BATCH, cursor=cursor)
        yield [row for duty in page.items for row in _duty_rows(duty, language, today)]
        if (cursor := page.next) is None:
            return
        db.session.rollback()


def _duty_rows(duty: Duty, language: str, today: date) -> Iterator[list[Any]]:
    person, reach, between = duty.person, duty.reach, BETWEEN.in_language(language)
    who = [safe_cell(text) for text in (person.name, person.title or "", reach.region.code, reach.region.name, reach.code, reach.name)]
    level = LEVEL_NAME.get(reach.level, Text(reach.level, reach.level)).in_language(language)
    for period in duty.periods:
        shown = shown_period(period, language, today)
        figures = [shown[name] for name in (
            "required", "done", "done_by_delegates", "counted", "left", "missed", "covered_m", "covered_by_all_m")]  # fmt: skip
        yield [*who, safe_cell(level), shown["first"], shown["last"], safe_cell(cut(between.join(shown["why"]))), *figures, reach.length_m]

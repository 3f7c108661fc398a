"""What an exported issue may have several of, each as one cell: who helps, the parts of its work, the sides of its border."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select

from patrol.foundation.database import db
from patrol.foundation.tables import BETWEEN, cut
from patrol.foundation.texts import Text
from patrol.issues.department_models import IssueSide
from patrol.issues.models import CoHandler, IssuePart
from patrol.people.departments import DEPARTMENTS
from patrol.people.models import Person, Region

_STATE_NAME = {"open": Text("未完成", "open"), "done": Text("已完成", "done"), "taken_back": Text("已收回", "taken back")}
_PART = Text("{n}. {who}：{text}（{state}）", "{n}. {who}: {text} ({state})")
_DUE_PART = Text("{n}. {who}：{text}（{state}，{day} 前）", "{n}. {who}: {text} ({state}, by {day})")
_FINDING = {True: Text("【严重】{text}", "[serious] {text}"), False: Text("{text}", "{text}")}


def parts_by_issue(issue_ids: Sequence[UUID], tongue: str, timezone: str) -> dict[UUID, tuple[int, str]]:
    """Return for each issue with parts how many of these are open, and all of them in words; one statement."""
    rows = db.session.execute(
        select(
            IssuePart.issue_id, IssuePart.n, IssuePart.department, IssuePart.text, IssuePart.state, IssuePart.due_at, Person.name
        )
        .join(Person, Person.id == IssuePart.person_id).where(IssuePart.issue_id.in_(issue_ids)).order_by(IssuePart.issue_id, IssuePart.n)
    )  # fmt: skip
    found = defaultdict[UUID, list[tuple[str, str]]](list)
    for issue_id, n, department, text, state, due_at, name in rows:
        who = f"{name} · {DEPARTMENTS[department].name.in_language(tongue)}" if department in DEPARTMENTS else name
        words = (_DUE_PART if due_at else _PART).format(
            n=n, who=who, text=text, state=_STATE_NAME[state], day=due_at and last_day(due_at, ZoneInfo(timezone))
        )
        found[issue_id].append((state, words.in_language(tongue)))
    between = BETWEEN.in_language(tongue)
    return {
        issue_id: (sum(state == "open" for state, _ in parts), cut(between.join(words for _, words in parts)))
        for issue_id, parts in found.items()
    }


def co_handlers_by_issue(issue_ids: Sequence[UUID], tongue: str) -> dict[UUID, str]:
    """Return for each issue with co-handlers their names, by user name as everywhere; one statement."""
    return _names_by_issue(
        select(CoHandler.issue_id, Person.name).join(Person, Person.id == CoHandler.person_id)
        .where(CoHandler.issue_id.in_(issue_ids)).order_by(CoHandler.issue_id, Person.username), tongue,
    )  # fmt: skip


def sides_by_issue(issue_ids: Sequence[UUID], tongue: str) -> dict[UUID, str]:
    """Return for each joint case the names of the regions on its border; no statement when there is none."""
    if not issue_ids:
        return {}
    return _names_by_issue(
        select(IssueSide.issue_id, Region.name).join(Region, Region.id == IssueSide.region_id)
        .where(IssueSide.issue_id.in_(issue_ids)).order_by(IssueSide.issue_id, Region.path), tongue,
    )  # fmt: skip


def _names_by_issue(names: Select[UUID, str], tongue: str) -> dict[UUID, str]:
    found = defaultdict[UUID, list[str]](list)
    for issue_id, name in db.session.execute(names):
        found[issue_id].append(name)
    return {issue_id: cut(BETWEEN.in_language(tongue).join(several)) for issue_id, several in found.items()}


def findings_said(findings: Sequence[Mapping[str, Any]], tongue: str) -> str:
    """Return stored findings in words, each once, the grave ones first."""
    grave_first = sorted(findings, key=lambda row: row["severity"] != "serious")
    words = dict.fromkeys(_FINDING[row["severity"] == "serious"].format(text=Text(row["zh"], row["en"])).in_language(tongue) for row in grave_first)
    return cut(BETWEEN.in_language(tongue).join(words))


def last_day(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the last local day in time: the due moment is the first that is too late."""
    return (due_at - datetime.resolution).astimezone(zone).date()

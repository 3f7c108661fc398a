"""Reads of the policies: every version, what is in force today, and what comes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.texts import Text
from patrol.issues.policies import KIND_NAME, Kind, unknown_year
from patrol.issues.policies_held import current_policies
from patrol.issues.policy_actions import MODEL, PAIRS, Version
from patrol.issues.policy_models import CalendarOverride, PolicyApplication
from patrol.people.actor import Actor

COMMON = ("id", "version", "enabled", "added_at", "withdrawn_at")
FIGURES: dict[Kind, tuple[str, ...]] = {
    Kind.DEADLINES: ("code", "stage", "severity", "category", "amount", "unit", "valid_from"),
    Kind.CALENDAR: ("day", "works", "origin"),
    Kind.DISPATCH: ("code", "position", "sources", "category", "severities", "confidence", "straight", "valid_from"),
    Kind.ESCALATION: ("code", "basis", "amount", "order_kind", "valid_from"),
    Kind.RELAPSE: ("days", "radius_m", "valid_from"),
    Kind.LOOK_BACK: ("severity", "share_percent", "after_days", "within_days", "valid_from"),
}
_ORDERS = {
    kind: Order(f"policies-{kind}", (model.valid_from, model.id), descending=True) for kind, model in MODEL.items()
}
NOTICE_MISSING = Text(
    "{year}年的放假安排尚未录入：跨入该年的期限暂按周一至周五计（固定日期的法定节假日除外）。请按国务院办公厅通知导入（flask policies import-calendar）",
    "The holidays of {year} are not known: deadlines that reach into it are counted Monday to Friday without holidays of fixed date. Import the State Council's notice "
    "(flask policies import-calendar)",
)


class OtherKind(NamedTuple):
    """A kind of policy that a higher room has: its name, and how its versions read that were not withdrawn and the actor sees."""

    name: Text
    versions: Callable[[Actor, date], list[dict[str, Any]]]


OTHER_KINDS: dict[str, OtherKind] = {}


def register_kind(kind: str, name: Text, versions: Callable[[Actor, date], list[dict[str, Any]]]) -> None:
    """Let a higher room show its kind of policy in the overview; each version has at least `standing`."""
    OTHER_KINDS[kind] = OtherKind(name, versions)


def list_versions(kind: Kind, *, limit: int, cursor: str | None) -> Page[Version]:
    """List every version of a kind, withdrawn ones too, the one that begins last first."""
    return page_of(select(MODEL[kind]), _ORDERS[kind], limit=limit, cursor=cursor)


def standing_of(kind: Kind, today: date) -> dict[UUID, str]:
    """Return by id where each version that was not withdrawn stands: `past`, `in_force` or `coming`."""
    return _standing(_all_of(kind), kind, today)


def _all_of(kind: Kind) -> list[Version]:
    model = MODEL[kind]
    return list(db.session.scalars(select(model).where(model.withdrawn_at.is_(None)).order_by(model.valid_from, model.version)))


def _standing(rows: Iterable[Version], kind: Kind, today: date) -> dict[UUID, str]:
    by_subject: dict[tuple[Any, ...], list[Version]] = defaultdict(list)
    for row in rows:
        by_subject[tuple(getattr(row, name) for name in row.SUBJECT)].append(row)
    found: dict[UUID, str] = {}
    for versions in by_subject.values():
        # What is said of a day counts as soon as it is written, whenever that day comes.
        begun = [row for row in versions if kind is Kind.CALENDAR or row.valid_from <= today]
        found |= {row.id: "past" for row in begun[:-1]} | {row.id: "in_force" for row in begun[-1:]}
        found |= {row.id: "coming" for row in versions if row.id not in found}
    return found


def overview(today: date, language: str, *, actor: Actor) -> dict[str, Any]:
    """Return what is in force today and what comes, kind by kind of every room, and what the office should see to.

    Of the calendar the days from today on are told.
    """
    kinds = []
    for kind in Kind:
        rows = _all_of(kind)
        standing = _standing(rows, kind, today)
        told = [row for row in rows if not isinstance(row, CalendarOverride) or row.day >= today]
        kinds.append(_group(kind.value, KIND_NAME[kind].in_language(language), [shown_version(row, kind, standing, today) for row in told]))
    kinds += [_group(kind, other.name.in_language(language), other.versions(actor, today)) for kind, other in OTHER_KINDS.items()]
    year = unknown_year(current_policies().calendar, today)
    warnings = [] if year is None else [{"code": "calendar_unknown", "text": NOTICE_MISSING.format(year=year).in_language(language)}]
    return {"today": today, "kinds": kinds, "warnings": warnings}


def _group(kind: str, name: str, versions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    by_standing: dict[str, list[dict[str, Any]]] = {"in_force": [], "coming": []}
    for version in versions:
        by_standing.get(version["standing"], []).append(version)
    return {"kind": kind, "name": name, **by_standing}


def shown_version(row: Version, kind: Kind, standing: Mapping[UUID, str], today: date) -> dict[str, Any]:
    """Return how a version reads; its texts in both languages, so that who writes the next one can start from it."""
    pairs = {name: {tongue: getattr(row, f"{name}_{tongue}") for tongue in ("zh", "en")} for name in PAIRS if hasattr(row, f"{name}_zh")}
    return {
        **{name: getattr(row, name) for name in (*COMMON, *FIGURES[kind])}, **pairs,
        "standing": "withdrawn" if row.withdrawn_at else standing.get(row.id, "coming"),
        "withdrawable": row.withdrawn_at is None and row.valid_from >= today,
    }  # fmt: skip


def shown_application(row: PolicyApplication) -> dict[str, Any]:
    """Return how an ordered recount reads."""
    names = ("id", "on_day", "reason", "ordered_at", "looked_at", "moved", "kept", "finished_at")
    person = row.ordered_by
    return {**{name: getattr(row, name) for name in names}, "ordered_by": person and {"id": person.id, "name": person.name}}

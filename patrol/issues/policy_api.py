"""Policies over HTTP: what is in force and what comes, new versions, what one would change, and counting open issues again."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.http import MULTIPART
from patrol.foundation.paging import Page, PageArgs, page_schema
from patrol.foundation.problems import language
from patrol.foundation.texts import Text
from patrol.issues import policy_actions, policy_dry_runs, policy_queries, recounting
from patrol.issues.api import room, settings
from patrol.issues.calendar_files import import_calendar
from patrol.issues.policies import Kind
from patrol.issues.policy_actions import Version
from patrol.issues.policy_schemas import (
    ANSWER,
    BODY,
    ApplicationOut,
    ApplyIn,
    CalendarFileIn,
    CalendarReportOut,
    DaysDryRunArgs,
    DispatchDryRunOut,
    DryRunArgs,
    DryRunOut,
    DueDryRunOut,
    EscalationDryRunOut,
    PoliciesOut,
    RelapseDryRunOut,
)
from patrol.issues.relapse_trials import relapses_changed_by
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


def today() -> date:
    """Return today's local date."""
    return clock.today(settings().timezone)


@room.route("/policies", may=P.SEE_POLICIES)
@room.response(200, PoliciesOut)
def show_policies() -> dict[str, Any]:
    """Show what is in force today and what comes, and what the office should see to."""
    return policy_queries.overview(today(), language(), actor=current_actor())


@room.route("/policies/apply-to-open", may=P.MANAGE_POLICIES, methods=("POST",), refuses=(409,))
@room.body(ApplyIn)
@room.response(201, ApplicationOut)
@room.alt_response(200, schema=ApplicationOut, description="It was ordered already", success=True)
def apply_policies_to_open(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Order that the due dates of all open issues are counted again by what is in force today.

    The worker does it in batches. Each due date that moves is an entry in that issue's history, by the system, with the
    rule's name and who ordered it. What a person decided, and what stood still on the ledger, stays.
    """
    row, is_new = recounting.apply_to_open(by=current_actor(), today=today(), **data)
    return policy_queries.shown_application(row), 201 if is_new else 200


@room.route("/policies/apply-to-open/<uuid:application_id>", may=P.SEE_POLICIES)
@room.response(200, ApplicationOut)
def show_policy_application(application_id: UUID) -> dict[str, Any]:
    """Show how far an ordered recount has come."""
    return policy_queries.shown_application(recounting.get_application(application_id))


@room.route("/policies/calendar/import", may=P.MANAGE_POLICIES, methods=("POST",))
@room.arguments(CalendarFileIn, location=MULTIPART)
@room.response(200, CalendarReportOut)
def import_policy_calendar(data: dict[str, Any]) -> dict[str, Any]:
    """Write the days of a CSV or XLSX file (`day, works, name`, 日期、上班、名称) into the calendar, all or nothing."""
    report = import_calendar(data["file"].read(), by=current_actor(), timezone=settings().timezone, dry_run=data["dry_run"])
    faults = [{"row": fault.row, "field": fault.field, "message": fault.message.in_language(language())} for fault in report.errors]
    return {"created": report.created, "unchanged": report.unchanged, "days": report.days, "errors": faults}


def _shown(row: Version, kind: Kind) -> dict[str, Any]:
    return policy_queries.shown_version(row, kind, policy_queries.standing_of(kind, today()), today())


def _publish(kind: Kind) -> None:
    """Add the routes of one kind: its versions, one of them, a new one, and taking one back."""
    body, answer, one = BODY[kind], ANSWER[kind], kind.value.removesuffix("s")

    def list_versions(args: dict[str, Any]) -> Page[dict[str, Any]]:
        page, standing = policy_queries.list_versions(kind, **args), policy_queries.standing_of(kind, today())
        return Page([policy_queries.shown_version(row, kind, standing, today()) for row in page.items], page.next)

    def add_version(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
        row, is_new = policy_actions.add_version(kind, by=current_actor(), timezone=settings().timezone, **data)
        return _shown(row, kind), 201 if is_new else 200

    def withdraw_version(version_id: UUID) -> dict[str, Any]:
        return _shown(policy_actions.withdraw(kind, version_id, by=current_actor(), today=today()), kind)

    _named(list_versions, f"list_{one}_versions", "List every version with its source, the one that begins last first.")
    _named(add_version, f"add_{one}_version", "Add a version; its figures never change, another one follows.")
    _named(withdraw_version, f"withdraw_{one}_version", "Take back a version until its first day is over; it stays in the list and never counts.")
    page = room.arguments(PageArgs, location="query")(room.response(200, page_schema(answer))(list_versions))
    room.route(f"/policies/{kind.value}", may=P.SEE_POLICIES)(page)
    known = room.alt_response(200, schema=answer, description="It was here already", success=True)
    added = room.body(body)(room.response(201, answer)(known(add_version)))
    room.route(f"/policies/{kind.value}", may=P.MANAGE_POLICIES, methods=("POST",), refuses=(409,))(added)
    withdrawn = room.response(200, answer)(withdraw_version)
    room.route(f"/policies/{kind.value}/<uuid:version_id>", may=P.MANAGE_POLICIES, methods=("DELETE",), refuses=(409,))(withdrawn)


def publish_dry_run(kind: Kind, args: type[DryRunArgs], shape: type[DryRunOut], run: Callable[..., dict[str, Any]]) -> None:
    """Add the route that says what a version would change: the same body as for adding it; nothing is written."""

    def try_version(data: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        data.pop("id")
        row = policy_actions.draft(kind, by=current_actor(), today=today(), **data)
        answer: dict[str, Any] = _in_words(run(row, actor=current_actor(), today=today(), **asked))
        return answer

    _named(try_version, f"try_{kind.value.removesuffix('s')}_version", "Say what a version would change, and write nothing.")
    view = room.body(BODY[kind])(room.arguments(args, location="query")(room.response(200, shape)(try_version)))
    room.route(f"/policies/{kind.value}/dry-run", may=P.MANAGE_POLICIES, methods=("POST",), writes=False, refuses=(400, 409, 413, 415))(view)


def _named(view: Callable[..., Any], name: str, summary: str) -> None:
    view.__name__, view.__doc__ = name, summary


def _in_words(value: Any) -> Any:
    """Return an answer with each text of it in the caller's language."""
    if isinstance(value, Text):
        return value.in_language(language())
    if isinstance(value, dict):
        if value.keys() == {"zh", "en"}:
            return value[language()]
        return {name: _in_words(member) for name, member in value.items()}
    return [_in_words(member) for member in value] if isinstance(value, list) else value


def _due_dates(row: Any, **asked: Any) -> dict[str, Any]:
    return policy_dry_runs.due_dates_moved_by(row, timezone=settings().timezone, **asked)


def _rungs(row: Any, **asked: Any) -> dict[str, Any]:
    return policy_dry_runs.rungs_reached_by(row, timezone=settings().timezone, **asked)


for _kind in Kind:
    _publish(_kind)
publish_dry_run(Kind.DEADLINES, DryRunArgs, DueDryRunOut, _due_dates)
publish_dry_run(Kind.CALENDAR, DryRunArgs, DueDryRunOut, _due_dates)
publish_dry_run(Kind.DISPATCH, DaysDryRunArgs, DispatchDryRunOut, policy_dry_runs.dispatch_changed_by)
publish_dry_run(Kind.ESCALATION, DryRunArgs, EscalationDryRunOut, _rungs)
publish_dry_run(Kind.RELAPSE, DaysDryRunArgs, RelapseDryRunOut, relapses_changed_by)

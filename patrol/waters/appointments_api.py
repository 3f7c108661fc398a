"""Appointments and imports over HTTP: how the registers change."""

from typing import Any
from uuid import UUID

from flask import Response

from patrol.foundation.errors import Invalid
from patrol.foundation.http import MULTIPART, expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.problems import PROBLEM_JSON, language, problem
from patrol.foundation.texts import Text
from patrol.people.door import current_actor, refuse_without
from patrol.people.permissions import Permission as P
from patrol.waters import actions, co_chiefs, register_lists, vacancies
from patrol.waters.api import person_meant, room
from patrol.waters.import_columns import ImportKind
from patrol.waters.import_files import LARGEST_FILE_BYTES
from patrol.waters.import_plan import ImportReport
from patrol.waters.imports import run_import
from patrol.waters.models import Appointment
from patrol.waters.schemas import (
    AppointmentArgs,
    AppointmentChangesIn,
    AppointmentDetailOut,
    AppointmentIn,
    AppointmentOut,
    HandOverIn,
    ImportIn,
    ImportProblemOut,
    ImportReportOut,
)
from patrol.waters.shown import shown_appointment

# An answer names this many faults and changes; whoever has more mends these first.
MOST_SHOWN = 500
_NOTHING_IMPORTED = Text(
    "文件有 {count} 处错误，未导入任何内容", "The file has {count} faults; nothing was imported"
)


@room.route("/appointments", may=P.SEE_WATERS, refuses=(404,))
@room.arguments(AppointmentArgs, location="query")
@room.response(200, page_schema(AppointmentOut))
def list_appointments(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List who is, was or will be chief of the reaches of one's area, the latest first."""
    filters = {**args, "person": person_meant(args["person"], "person")}
    page = register_lists.list_appointments(current_actor(), **filters)
    return Page([shown_appointment(row) for row in page.items], page.next)


@room.route("/appointments", may=P.MANAGE_REGISTER, methods=("POST",), refuses=(409,))
@room.body(AppointmentIn)
@room.response(201, AppointmentDetailOut)
@room.alt_response(200, schema=AppointmentDetailOut, description="It was there already", success=True)
def appoint(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Make somebody chief of a reach; the same id and content again is the same appointment. `warning` names other chiefs there."""
    appointment, is_new = actions.appoint(
        by=current_actor(), id=data.get("id"), reach=data.get("reach_id") or data["reach_code"],
        person=data.get("person_id") or data["username"], title=data["title"], valid_from=data["valid_from"],
        valid_to=data["valid_to"],
    )
    set_etag(appointment.version)
    return _shown(appointment), 201 if is_new else 200


@room.route("/appointments/<uuid:appointment_id>", may=P.SEE_WATERS)
@room.response(200, AppointmentDetailOut)
def show_appointment(appointment_id: UUID) -> dict[str, Any]:
    """Show one appointment."""
    appointment = register_lists.get_appointment(current_actor(), appointment_id)
    set_etag(appointment.version)
    return _shown(appointment)


@room.route("/appointments/<uuid:appointment_id>", may=P.MANAGE_REGISTER, methods=("PATCH",), if_match=True, refuses=(409,))
@room.body(AppointmentChangesIn)
@room.response(200, AppointmentDetailOut)
def change_appointment(data: dict[str, Any], appointment_id: UUID) -> dict[str, Any]:
    """Change the last day of an appointment; null lets it last until further notice. `warning` says when nobody follows."""
    expected = expected_version()
    appointment = register_lists.get_appointment(current_actor(), appointment_id, lock=True)
    refuse_stale(expected, appointment.version)
    actions.change_end(appointment, by=current_actor(), valid_to=data["valid_to"])
    set_etag(appointment.version)
    shown, vacant = _shown(appointment), vacancies.warning_of(appointment)
    return shown if shown["warning"] or vacant is None else {**shown, "warning": vacant.in_language(language())}


@room.route("/appointments/<uuid:appointment_id>/hand-over", may=P.MANAGE_REGISTER, methods=("POST",), if_match=True, refuses=(409,))
@room.body(HandOverIn)
@room.response(201, AppointmentDetailOut)
def hand_over(data: dict[str, Any], appointment_id: UUID) -> dict[str, Any]:
    """Let a successor take over on a day, with the open issues that the predecessor leads there; answers with the successor's appointment."""
    expected = expected_version()
    appointment = register_lists.get_appointment(current_actor(), appointment_id, lock=True)
    refuse_stale(expected, appointment.version)
    to = data.get("to_person_id") or data["username"]
    following = actions.hand_over(appointment, by=current_actor(), to=to, on=data["on"])
    set_etag(following.version)
    return _shown(following)


def _shown(appointment: Appointment) -> dict[str, Any]:
    warning = co_chiefs.warning_of(appointment)
    return {**shown_appointment(appointment), "warning": warning and warning.in_language(language())}


_IMPORT_PROBLEM = {
    "description": "The file or the request is wrong; nothing was imported. Of a file with faults it is the whole report.",
    "content": {PROBLEM_JSON: {"schema": ImportProblemOut}},
}


# The import opens its own transaction, after the file is parsed and passwords are hashed.
@room.route("/imports", may=P.MANAGE_REGISTER, methods=("POST",), writes=False, refuses=(400, 409, 413, 415))
@room.arguments(ImportIn, location=MULTIPART)
@room.response(200, ImportReportOut)
@room.doc(responses={422: _IMPORT_PROBLEM})
def import_register(data: dict[str, Any]) -> Any:
    """Import a register from CSV, XLSX or GeoJSON, all or nothing; a dry run only reports.

    A dry run answers 200: `errors` that is not empty says that the import would refuse the file, with 422 and the same report.
    """
    if data["kind"] is ImportKind.PEOPLE:
        refuse_without(P.MANAGE_PEOPLE)
    # A byte more than may be, so that the import sees that it is too large.
    content = data["file"].stream.read(LARGEST_FILE_BYTES + 1)
    report = run_import(data["kind"], content, by=current_actor(), dry_run=data["dry_run"])
    shown = shown_report(report)
    return shown if data["dry_run"] or not report.errors else _nothing_imported(report, shown)


def shown_report(report: ImportReport) -> dict[str, Any]:
    """Return a report in the caller's language, with the first faults and changes."""
    tongue = language()
    return {
        "created": report.created, "updated": report.updated, "unchanged": report.unchanged,
        **{
            name: [
                {
                    "row": fault.row, "field": fault.field, "message": fault.message.in_language(tongue),
                    "heading": heading.in_language(tongue) if (heading := report.headings.get(fault.field)) else None,
                }
                for fault in faults[:MOST_SHOWN]
            ]
            for name, faults in (("errors", report.errors), ("warnings", report.warnings))
        },
        "more_warnings": max(0, len(report.warnings) - MOST_SHOWN),
        "more_errors": max(0, len(report.errors) - MOST_SHOWN),
        "changes": [change._asdict() for change in report.changes[:MOST_SHOWN]],
        "more_changes": max(0, len(report.changes) - MOST_SHOWN),
    }  # fmt: skip


def _nothing_imported(report: ImportReport, shown: dict[str, Any]) -> Response:
    detail = _NOTHING_IMPORTED.format(count=len(report.errors))
    return problem(Invalid.status, Invalid.kind, Invalid.title, detail, extra=shown)

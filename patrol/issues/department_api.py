"""Departments over HTTP: the ownership matrix, parts of co-handlers, and the grounds on which a step may be taken."""

from typing import Any
from uuid import UUID

from flask import Response

from patrol.evidence.reception import store_uploads
from patrol.foundation import clock
from patrol.foundation.database import new_id
from patrol.foundation.http import expected_version, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.problems import language
from patrol.issues import owners
from patrol.issues import parts as parts_of_work
from patrol.issues.api import issue_answer, room, settings
from patrol.issues.department_models import OwnershipRow
from patrol.issues.department_schemas import (
    GroundOut,
    OwnershipArgs,
    OwnershipEndIn,
    OwnershipIn,
    OwnershipOut,
    PartReportIn,
    TakeBackIn,
)
from patrol.issues.grounds import GROUNDS_OF
from patrol.issues.reading import shown_department
from patrol.issues.reporting import received_photos
from patrol.issues.schemas import IssueOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


def _shown(row: OwnershipRow) -> dict[str, Any]:
    plain = ("id", "category", "part", "valid_from", "valid_to", "end_reason", "version")
    return {
        **{name: getattr(row, name) for name in plain}, "department": shown_department(row.department, language()),
        "region": row.region and {"code": row.region.code, "name": row.region.name},
        "source": row.source_en if language() == "en" else row.source_zh,
        "precedent_of": row.issue.number if row.issue else None,
    }  # fmt: skip


@room.route("/ownership", may=P.MANAGE_REGISTER, refuses=(404,))
@room.arguments(OwnershipArgs, location="query")
@room.response(200, page_schema(OwnershipOut))
def list_ownership(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List which department answers for what and where, precedents among them, by category."""
    page = owners.list_rows(current_actor(), **args)
    return Page([_shown(row) for row in page.items], page.next)


@room.route("/ownership", may=P.MANAGE_REGISTER, methods=("POST",), refuses=(403, 404, 409))
@room.body(OwnershipIn)
@room.response(201, OwnershipOut)
@room.alt_response(200, schema=OwnershipOut, description="It was there already", success=True)
def add_ownership(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Say which department answers for a category at a place, from a day on."""
    row, is_new = owners.add_row(by=current_actor(), **{**data, "id": data["id"] or new_id(), "part": data["part"].value})
    set_etag(row.version)
    return _shown(owners.get_row(current_actor(), row.id)), 201 if is_new else 200


@room.route("/ownership/<uuid:row_id>", may=P.MANAGE_REGISTER)
@room.response(200, OwnershipOut)
def show_ownership(row_id: UUID) -> dict[str, Any]:
    """Show one row of the matrix."""
    row = owners.get_row(current_actor(), row_id)
    set_etag(row.version)
    return _shown(row)


@room.route("/ownership/<uuid:row_id>/end", may=P.MANAGE_REGISTER, methods=("POST",), refuses=(403, 409), if_match=True)
@room.body(OwnershipEndIn)
@room.response(200, OwnershipOut)
def end_ownership(data: dict[str, Any], row_id: UUID) -> dict[str, Any]:
    """End a row, or a precedent, with a reason."""
    today = clock.today(settings().timezone)
    row = owners.end_row(by=current_actor(), row_id=row_id, today=today, expected_version=expected_version(), **data)
    set_etag(row.version)
    return _shown(row)


@room.route("/issues/<uuid:issue_id>/parts/<int:n>/report", may=P.HANDLE_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(PartReportIn, with_photos=True)
@room.response(200, IssueOut)
def report_part(data: dict[str, Any], issue_id: UUID, n: int) -> Response:
    """Report one's part of the work as done."""
    expected, actor = expected_version(), current_actor()
    photos = received_photos(store_uploads(data.pop("photo_files", [])), data["photo_ids"], by=actor, kind="during")
    return issue_answer(parts_of_work.report_part(
        issue_id=issue_id, n=n, by=actor, note=data["note"], photos=photos, expected_version=expected
    ))  # fmt: skip


@room.route("/issues/<uuid:issue_id>/parts/<int:n>/take-back", may=P.DISPATCH_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(TakeBackIn)
@room.response(200, IssueOut)
def take_back_part(data: dict[str, Any], issue_id: UUID, n: int) -> Response:
    """Take an open part back from its co-handler, with a reason, so that the lead can finish."""
    return issue_answer(parts_of_work.take_back_part(
        issue_id=issue_id, n=n, by=current_actor(), expected_version=expected_version(), **data
    ))  # fmt: skip


@room.route("/issues/grounds", may=P.SEE_ISSUES)
@room.response(200, page_schema(GroundOut))
def list_grounds() -> Page[dict[str, Any]]:
    """List the grounds on which an issue may be rejected or declined."""
    return Page([
        {"step": verb.value, "code": code, "name": name.in_language(language())}
        for verb, grounds in GROUNDS_OF.items() for code, name in grounds.items()
    ], None)  # fmt: skip

"""Patrols and check-ins over HTTP."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from flask import Response, current_app

from patrol.evidence.queries import ArrivedPhoto, arrived_photos, photo_links
from patrol.evidence.reception import store_uploads
from patrol.foundation.database import new_id
from patrol.foundation.http import Room, answer, expected_version, refuse_stale, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.positions import shown_position
from patrol.foundation.problems import language
from patrol.patrols import queries
from patrol.patrols.actions import KeptCheckIn
from patrol.patrols.checkpoint_shown import shown_checkpoints
from patrol.patrols.ending import END_REASONS, counting_end
from patrol.patrols.examination_input import input_of
from patrol.patrols.examination_queries import results_of, stored_examination
from patrol.patrols.finding_shown import shown_examination, shown_result
from patrol.patrols.intake import announced_photos, enter_check_in, enter_finish, enter_patrol
from patrol.patrols.models import CheckIn, CheckInPhoto, Patrol, PatrolEnd
from patrol.patrols.receipts import check_in_receipt, patrol_receipt, why_kept_aside
from patrol.patrols.schemas import (
    CheckInArgs,
    CheckInIn,
    CheckInNewFormIn,
    CheckInOut,
    CheckInReceiptOut,
    FinishIn,
    IssueOriginOut,
    PatrolArgs,
    PatrolDetailOut,
    PatrolIn,
    PatrolOut,
    PatrolReceiptOut,
    PatrolRowOut,
)
from patrol.people.actor import Actor
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

room = Room("patrols", __name__, url_prefix="/api/v1", description="Patrols and check-ins")


@room.route("/patrols/<uuid:patrol_id>", may=P.PATROL, methods=("PUT",), refuses=(409,))
@room.body(PatrolIn)
@room.response(201, PatrolReceiptOut)
@room.alt_response(200, schema=PatrolReceiptOut, description="It was here already", success=True)
def begin_patrol(data: dict[str, Any], patrol_id: UUID) -> tuple[dict[str, Any], int]:
    """Begin a patrol under an id of one's own."""
    _, is_new = enter_patrol(data, by=current_actor(), id=patrol_id, settings=current_app.extensions["settings"])
    patrol = queries.get_patrol(current_actor(), patrol_id)
    set_etag(patrol.version)
    return {**shown_patrol(patrol), "receipt": patrol_receipt(patrol, is_new)}, 201 if is_new else 200


@room.route("/patrols/<uuid:patrol_id>/finish", may=P.PATROL, methods=("POST",), refuses=(400, 409, 412, 428))
@room.body(FinishIn)
@room.doc(parameters=[{"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}, "example": '"2"',
                       "description": "With a `reason`: the ETag of the patrol whose end is corrected."}])
@room.response(200, PatrolOut)
def finish_patrol(data: dict[str, Any], patrol_id: UUID) -> dict[str, Any]:
    """End a patrol; a repeated request changes nothing. With a `reason` it corrects what was said before, which is kept."""
    enter_finish(data, by=current_actor(), patrol_id=patrol_id, may_correct=lambda patrol: refuse_stale(expected_version(), patrol.version))
    patrol = queries.get_patrol(current_actor(), patrol_id)
    set_etag(patrol.version)
    return shown_patrol(patrol)


@room.route("/patrols", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(PatrolArgs, location="query")
@room.response(200, page_schema(PatrolRowOut))
def list_patrols(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List patrols, the latest first, each with its verdict, why, and the codes of what was found."""
    page = queries.list_patrols(current_actor(), **args)
    found = results_of([patrol.id for patrol in page.items])
    return Page([{**shown_patrol(patrol), **shown_result(found.get(patrol.id), language())} for patrol in page.items], page.next)


@room.route("/patrols/<uuid:patrol_id>", may=P.SEE_PATROLS)
@room.response(200, PatrolDetailOut)
def show_patrol(patrol_id: UUID) -> dict[str, Any]:
    """Show a patrol with its check-ins, the issues raised on it, and what its latest examination found."""
    actor = current_actor()
    patrol = queries.get_patrol(actor, patrol_id)
    check_ins = queries.list_check_ins(
        actor, person=None, reach=None, region=None, patrol=patrol_id, after=None, before=None, limit=200, cursor=None
    )
    set_etag(patrol.version)
    timezone = current_app.extensions["settings"].timezone
    given = input_of(patrol, timezone=timezone)
    return {
        **shown_patrol(patrol), **shown_examination(patrol, stored_examination(patrol_id), given, language()),
        "pauses": given.pauses, "ends": shown_ends(given.ends), "check_ins": shown_check_ins(check_ins.items), "check_ins_next": check_ins.next,
        "checkpoints": shown_checkpoints(given.checkpoints),
        "issues": [{"id": row.id, "number": row.number, "state": row.state} for row in queries.issues_of_patrol(actor, patrol_id)],
    }


@room.route("/check-ins/<uuid:check_in_id>", may=P.PATROL, methods=("PUT",), refuses=(409,))
@room.body(CheckInIn)
@room.response(201, CheckInReceiptOut)
@room.alt_response(200, schema=CheckInReceiptOut, description="It was here already", success=True)
def put_check_in(data: dict[str, Any], check_in_id: UUID) -> Response:
    """Check in under an id of one's own; photos are announced by id and may come before or after."""
    return _checked_in(check_in_id, data, announced=announced_photos(data.pop("photos")))


@room.route("/check-ins", may=P.PATROL, methods=("POST",), refuses=(409,))
@room.body(CheckInNewFormIn, with_photos=True)
@room.response(201, CheckInReceiptOut)
@room.alt_response(200, schema=CheckInReceiptOut, description="It was here already", success=True)
def add_check_in(data: dict[str, Any]) -> Response:
    """Check in with the photos in one request."""
    brought = store_uploads(data.pop("photo_files"))
    return _checked_in(data.pop("id") or new_id(), data, brought=brought)


def _checked_in(check_in_id: UUID, data: dict[str, Any], *, announced: Any = (), brought: Any = ()) -> Response:
    by, settings = current_actor(), current_app.extensions["settings"]
    kept = enter_check_in(data, by=by, id=check_in_id, settings=settings, announced=announced, brought=brought)
    [shown] = _shown_new(kept, by) if kept.is_new else shown_check_ins([kept.row])
    return answer({**shown, "receipt": check_in_receipt(kept.row, kept.is_new, settings.routing_tolerance_m)}, 201 if kept.is_new else 200)


def _shown_new(kept: KeptCheckIn, by: Actor) -> list[dict[str, Any]]:
    """Show what was just entered to who entered it, without asking the database for what is known."""
    person = {"id": by.person_id, "name": by.name, "title": by.title}
    return shown_check_ins([kept.row], known={"person": person, "reach": kept.reach and _brief(kept.reach, "code", "name")})


@room.route("/check-ins", may=P.SEE_PATROLS, refuses=(404,))
@room.arguments(CheckInArgs, location="query")
@room.response(200, page_schema(CheckInOut))
def list_check_ins(args: dict[str, Any]) -> Page[dict[str, Any]]:
    """List check-ins, the latest first."""
    page = queries.list_check_ins(current_actor(), **args)
    return Page(shown_check_ins(page.items), page.next)


@room.route("/check-ins/<uuid:check_in_id>", may=P.SEE_PATROLS)
@room.response(200, CheckInOut)
def show_check_in(check_in_id: UUID) -> dict[str, Any]:
    """Show a check-in."""
    [shown] = shown_check_ins([queries.get_check_in(current_actor(), check_in_id)])
    return shown


@room.route("/issues/<uuid:issue_id>/origin", may=P.SEE_ISSUES)
@room.response(200, IssueOriginOut)
def show_issue_origin(issue_id: UUID) -> dict[str, Any]:
    """Show which patrol and check-in a report names, and whether they have arrived: a phone may send them later, or never."""
    return queries.origin_of(current_actor(), issue_id)


def shown_patrol(patrol: Patrol) -> dict[str, Any]:
    """Return what `PatrolOut` shows."""
    return {
        "on_behalf_of": patrol.on_behalf_of_id, "delegation": patrol.delegation,
        "end_reason": END_REASONS[patrol.end_reason].in_language(language()) if patrol.end_reason else None,
        **{name: getattr(patrol, name) for name in (
            "id", "person", "reaches", "mode", "device", "device_details", "started_at", "ended_at", "ended_by", "summary", "received_at", "version")},
    }


def shown_ends(ends: Sequence[PatrolEnd]) -> list[dict[str, Any]]:
    """Return what `PatrolEndOut` shows of every end that was said."""
    names = ("ended_at", "summary", "reason", "received_at")
    return [{**{name: getattr(end, name) for name in names}, "counts": end is counting_end(ends)} for end in ends]


def shown_check_ins(rows: Iterable[CheckIn], *, known: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return what `CheckInOut` shows of each row, with one question about all their photos.

    `known` is the person and the reach of all of them, for rows whose relations are not loaded.
    """
    rows = list(rows)
    arrived = arrived_photos(photo.photo_id for row in rows for photo in row.photos)
    return [{
        **{name: getattr(row, name) for name in (
            "id", "patrol_id", "distance_m", "recorded_at", "received_at", "checklist", "note")},
        **(known or {"person": _brief(row.person, "name", "title"), "reach": row.reach and _brief(row.reach, "code", "name")}),
        **shown_position(row),
        "photos": [_shown_photo(photo, arrived.get(photo.photo_id), row) for photo in row.photos],
    } for row in rows]


def _brief(thing: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in ("id", *names)}


def _shown_photo(announced: CheckInPhoto, there: ArrivedPhoto | None, row: CheckIn) -> dict[str, Any]:
    arrived = there is not None and why_kept_aside(announced, there, row) is None
    return {"id": announced.photo_id, "arrived": arrived, **photo_links(announced.photo_id)}

"""The citizens' veto over HTTP: "not fixed" by tracking code, and the list of those who decide."""

from typing import Any
from uuid import UUID

from flask import current_app

from patrol.evidence.reception import store_uploads
from patrol.foundation.http import expected_version, set_etag
from patrol.foundation.paging import Page, page_schema
from patrol.foundation.throttle import public_write
from patrol.foundation.transaction import transaction
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P
from patrol.public import queries, reopening
from patrol.public.api import progress_answer, room
from patrol.public.models import ReopeningRequest
from patrol.public.reception import digests_of, each_once
from patrol.public.reopening_schemas import DecisionIn, ReopeningArgs, ReopeningOut
from patrol.public.schemas import NotFixedIn, ProgressOut


@room.route("/public/complaints/<tracking_code>/not-fixed", may=None, methods=("POST",), writes=False,
            refuses=(400, 409, 413, 415, 429))
@public_write
@room.body(NotFixedIn, with_photos=True)
@room.response(201, ProgressOut)
@room.alt_response(200, schema=ProgressOut, description="It was said so already", success=True)
def say_not_fixed(data: dict[str, Any], tracking_code: str) -> tuple[dict[str, Any], int]:
    """Say of a closed case that it is not fixed, once a closing and within `XUNHE_NOT_FIXED_DAYS` (15): somebody who did not handle it decides."""
    settings = current_app.extensions["settings"]
    digest = reopening.digest_of_not_fixed(data["reason"], digests_of(data["photo_files"]))
    rule = {"digest": digest, "days": settings.not_fixed_days, "timezone": settings.timezone}
    # Whoever may not say so gets nothing stored; the store is slow and locks nothing.
    complaint = queries.complaint_with_code(tracking_code)
    reopening.refuse_not_fixed(complaint, queries.issue_of(complaint), **rule)
    photos = each_once(store_uploads(data["photo_files"]))
    with transaction():
        complaint = queries.complaint_with_code(tracking_code)
        issue = queries.issue_of(complaint, lock=True)
        _, is_new = reopening.say_not_fixed(complaint, issue, reason=data["reason"], photos=photos, **rule)
    return progress_answer(complaint), 201 if is_new else 200


@room.route("/reopening-requests", may=P.REOPEN_ISSUE)
@room.arguments(ReopeningArgs, location="query")
@room.response(200, page_schema(ReopeningOut))
def list_reopening_requests(args: dict[str, Any]) -> Page[ReopeningRequest]:
    """List what complainants call not fixed in one's area, the longest waiting first."""
    return reopening.list_requests(current_actor(), **args)


@room.route("/reopening-requests/<uuid:request_id>", may=P.REOPEN_ISSUE)
@room.response(200, ReopeningOut)
def show_reopening_request(request_id: UUID) -> ReopeningRequest:
    """Show one request."""
    request = reopening.get_request(current_actor(), request_id)
    set_etag(request.version)
    return request


@room.route("/reopening-requests/<uuid:request_id>/decide", may=P.REOPEN_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(DecisionIn)
@room.response(200, ReopeningOut)
def decide_reopening_request(data: dict[str, Any], request_id: UUID) -> ReopeningRequest:
    """Grant or refuse a request; whoever handled or rectified the issue may not. Granted, the issue is reopened."""
    settings = current_app.extensions["settings"]
    request = reopening.decide(
        request_id, by=current_actor(), expected_version=expected_version(), timezone=settings.timezone,
        tolerance_m=settings.routing_tolerance_m, **data,
    )  # fmt: skip
    set_etag(request.version)
    return request

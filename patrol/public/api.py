"""For everybody, without an account: complaints, their progress, boards, the open map; and the look at a contact."""

from typing import Any
from uuid import UUID

from flask import Response, current_app

from patrol.evidence.reception import send_size, store_uploads
from patrol.foundation import clock
from patrol.foundation.errors import Invalid, NotFound
from patrol.foundation.geometry import BadGeometry, parse_bbox
from patrol.foundation.http import MULTIPART, Room
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read, public_write
from patrol.foundation.transaction import transaction
from patrol.issues.queries import get_issue, history_of
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P
from patrol.public import actions, open_data, queries, subscriptions, veto
from patrol.public.challenge import LIFETIME, new_challenge
from patrol.public.models import Complaint, Follow, Rating
from patrol.public.open_data_schemas import OpenMapArgs, OpenMapOut, PublicBoardOut, StatisticsOut
from patrol.public.progress import Own, answer_to, progress_of
from patrol.public.reception import digests_of, each_once, receive_complaint
from patrol.public.schemas import (
    CaseComplaintOut,
    ChallengeOut,
    ComplaintIn,
    ComplaintOut,
    MorePhotosIn,
    NoArgs,
    ProgressOut,
    RatingIn,
    RatingOut,
    RevealedOut,
    RevealIn,
)

room = Room("public", __name__, url_prefix="/api/v1", description="Citizens without an account")
_UNCHANGED = {304: {"description": "It is what the ETag of If-None-Match names"}}
_NO_SIZE = Text("没有这种尺寸，可用：thumb、screen", "There is no such size; there are thumb and screen")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def progress_answer(complaint: Complaint | Follow) -> dict[str, Any]:
    """Return how a case stands for whoever holds this code."""
    issue, rating, reopening, until, own = queries.issue_of(complaint), None, None, None, None
    shown = [issue]
    if complaint.issue_id != issue.id:
        merged = queries.own_issue_of(complaint)
        own = Own(merged, history_of(merged))
        shown.append(merged)
    if isinstance(complaint, Complaint):
        rating, reopening = queries.rating_of(complaint, issue), queries.reopening_of(complaint, issue)
        if reopening is None or reopening.closing != issue.reopened_times:
            until = veto.last_day(
                issue, _settings().not_fixed_days, clock.now(), _settings().timezone, merged_at=own and own.issue.merged_at
            )
    return progress_of(
        complaint, issue, history_of(issue), rating, reopening, queries.said_on(complaint, shown), language=language(), at=clock.now(), not_fixed_until=until,
        messages=subscriptions.state_of(subscriptions.subscription_of(complaint)), own=own,
        followers=queries.followers_of(issue) - (not isinstance(complaint, Complaint)),
    )  # fmt: skip


@room.route("/public/challenge", may=None, refuses=(429,))
@public_read
@room.response(200, ChallengeOut)
def give_challenge() -> dict[str, Any]:
    """Give a proof of work (ALTCHA 2) to be solved within 20 minutes; each solution buys one complaint, or one "me too"."""
    cost, now = int(_settings().challenge_cost), clock.now()
    if cost == 0:
        return {"required": False, "parameters": None, "signature": None, "expires_at": None, "largest_number": 0}
    challenge = new_challenge(cost=cost, secret=_settings().secret_key, at=now)
    return {"required": True, "expires_at": now + LIFETIME, "largest_number": cost, **challenge}


@room.route("/public/complaints", may=None, methods=("POST",), refuses=(409, 429))
@public_write
@room.body(ComplaintIn, with_photos=True)
@room.response(201, ComplaintOut)
@room.alt_response(200, schema=ComplaintOut, description="It was here already", success=True)
def send_complaint(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Complain, with photos and a position or the code of a board; the answer's tracking code is the only key to it."""
    complaint, issue, is_new = receive_complaint(data)
    return answer_to(complaint, issue, language()), 201 if is_new else 200


@room.route("/public/complaints/<tracking_code>", may=None, refuses=(429,))
@public_read
@room.response(200, ProgressOut)
def show_progress(tracking_code: str) -> dict[str, Any]:
    """Tell how a complaint stands, in plain words; case, hyphens and the usual misreadings of the code do not matter."""
    return progress_answer(queries.case_with_code(tracking_code))


@room.route("/public/complaints/<tracking_code>/photos", may=None, methods=("POST",), writes=False,
            refuses=(400, 409, 413, 415, 429))
@public_write
@room.arguments(MorePhotosIn, location=MULTIPART)
@room.response(201, ProgressOut)
@room.alt_response(200, schema=ProgressOut, description="They were here already", success=True)
def add_complaint_photos(data: dict[str, Any], tracking_code: str) -> tuple[dict[str, Any], int]:
    """Add photos to a complaint that has not ended."""
    # Whoever has no code, or too many photos, gets nothing stored; the store is slow and locks nothing.
    issue = queries.issue_of(queries.complaint_with_code(tracking_code))
    actions.refuse_more_photos(issue, digests_of(data["photos"]))
    stored = each_once(store_uploads(data["photos"]))
    with transaction():
        complaint = queries.complaint_with_code(tracking_code)
        is_new = actions.add_photos(complaint, queries.issue_of(complaint, lock=True), stored)
    return progress_answer(complaint), 201 if is_new else 200


@room.route("/public/complaints/<tracking_code>/photos/<uuid:photo_id>/<size>", may=None, refuses=(429,))
@public_read
@room.response(200, {"type": "string", "format": "binary"}, content_type="image/jpeg")
@room.doc(responses=_UNCHANGED)
def show_complaint_photo(tracking_code: str, photo_id: UUID, size: str) -> Response:
    """Give a picture of a complaint: `thumb` (320 px) or `screen` (1600 px), without any metadata."""
    if size not in {"thumb", "screen"}:
        raise NotFound(_NO_SIZE)
    return send_size(queries.photo_of(queries.case_with_code(tracking_code), photo_id), size, publicly=True)


@room.route("/public/complaints/<tracking_code>/rating", may=None, methods=("POST",), refuses=(409, 429))
@public_write
@room.body(RatingIn)
@room.response(201, RatingOut)
@room.alt_response(200, schema=RatingOut, description="It was rated so already", success=True)
def rate_complaint(data: dict[str, Any], tracking_code: str) -> tuple[Rating, int]:
    """Rate the result of a closed complaint, once for each closing."""
    complaint = queries.complaint_with_code(tracking_code)
    rating, is_new = actions.rate(complaint, queries.issue_of(complaint, lock=True), **data)
    return rating, 201 if is_new else 200


@room.route("/public/boards/<code>", may=None, refuses=(429,))
@public_read
@room.response(200, PublicBoardOut)
def show_board(code: str) -> dict[str, Any]:
    """Show the reach of a signboard and the posts that answer for it today."""
    day = clock.today(_settings().timezone)
    return open_data.shown_board(queries.board_with_code(code), language=language(), day=day)


@room.route("/public/issues.geojson", may=None, refuses=(429,))
@public_read
@room.arguments(OpenMapArgs, location="query")
@room.response(200, OpenMapOut, content_type="application/geo+json")
def show_open_map(args: dict[str, Any]) -> Response:
    """Map the issues for everybody: about where, which month, what, and how it stands; nothing personal."""
    try:
        args["bbox"] = parse_bbox(args["bbox"]) if args["bbox"] else None
    except BadGeometry as fault:
        raise Invalid(fault.text, errors={"bbox": [fault.text]}) from fault
    found = open_data.open_map(**args, language=language(), timezone=_settings().timezone)
    return _open_answer(found, "application/geo+json", keep_s=60)


@room.route("/public/issues/<number>/photos/<uuid:photo_id>/<size>", may=None, refuses=(429,))
@public_read
@room.response(200, {"type": "string", "format": "binary"}, content_type="image/jpeg")
@room.doc(responses=_UNCHANGED)
def show_public_photo(number: str, photo_id: UUID, size: str) -> Response:
    """Give a picture of an issue on the open map: `thumb` (320 px) or `screen` (1600 px), without any metadata."""
    if size not in {"thumb", "screen"}:
        raise NotFound(_NO_SIZE)
    return send_size(queries.photo_open_to_all(number, photo_id), size, publicly=True)


@room.route("/public/statistics", may=None, refuses=(429,))
@public_read
@room.arguments(NoArgs, location="query")
@room.response(200, StatisticsOut)
def show_statistics(_args: dict[str, Any]) -> Response:
    """Count the issues; each share with its numerator and denominator."""
    return _open_answer(open_data.statistics(language()), "application/json", keep_s=300)


def _open_answer(content: dict[str, Any], mimetype: str, *, keep_s: int) -> Response:
    """Return an answer that everybody may keep; it does not pass through a schema again, since the map may be long."""
    response = Response(current_app.json.dumps(content), mimetype=mimetype)
    response.headers["Cache-Control"] = f"public, max-age={keep_s}"
    response.vary.add("Accept-Language")
    return response


@room.route("/issues/<uuid:issue_id>/complaint", may=P.REVIEW_ISSUE)
@room.response(200, CaseComplaintOut)
def show_case_complaint(issue_id: UUID) -> dict[str, Any]:
    """Show what the citizen behind an issue said of its results; neither the contact nor the tracking code."""
    return queries.case_of(get_issue(current_actor(), issue_id).id)


@room.route("/issues/<uuid:issue_id>/reporter/reveal", may=P.REVEAL_REPORTER, methods=("POST",))
@room.body(RevealIn)
@room.response(200, RevealedOut)
def reveal_reporter(data: dict[str, Any], issue_id: UUID) -> dict[str, str | None]:
    """Look at the contact that a complainant left; who looked, and why, is written down."""
    issue = get_issue(current_actor(), issue_id)
    return actions.reveal_contact(issue, by=current_actor(), reason=data["reason"], field_keys=_settings().field_key)

"""Photos hidden from the public over HTTP."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from patrol.foundation.http import expected_version
from patrol.issues.api import issue_answer, room
from patrol.issues.field_shapes import filled
from patrol.issues.photo_hiding import turn_photo
from patrol.issues.schemas import IssueOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

_ONE = "/issues/<uuid:issue_id>/photos/<uuid:photo_id>"


class PhotoHidingIn(ma.Schema):
    """Why a photo is taken from the public, or given back."""

    reason = ma.fields.String(required=True, validate=filled(2000), metadata={
        "example": "照片拍到了路人的脸", "description": "For the history; citizens do not read it."})


@room.route(f"{_ONE}/hide", may=P.RECEIVE_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(PhotoHidingIn)
@room.response(200, IssueOut)
def hide_photo(data: dict[str, Any], issue_id: UUID, photo_id: UUID) -> Response:
    """Take one photo from the public: progress, suggestions, pages and Open311. The staff see it as before; the original stays."""
    return issue_answer(turn_photo(
        issue_id=issue_id, photo_id=photo_id, hide=True, by=current_actor(), expected_version=expected_version(), **data
    ))


@room.route(f"{_ONE}/show", may=P.RECEIVE_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(PhotoHidingIn)
@room.response(200, IssueOut)
def show_photo_again(data: dict[str, Any], issue_id: UUID, photo_id: UUID) -> Response:
    """Give a hidden photo back to the public, as far as it may see it at all."""
    return issue_answer(turn_photo(
        issue_id=issue_id, photo_id=photo_id, hide=False, by=current_actor(), expected_version=expected_version(), **data
    ))

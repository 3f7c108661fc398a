"""Milestones of the ledger over HTTP."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, current_app

from patrol.foundation.http import expected_version
from patrol.issues.api import issue_answer, room
from patrol.issues.field_shapes import filled
from patrol.issues.milestones import report_milestone
from patrol.issues.schemas import IssueOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


class MilestoneDoneIn(ma.Schema):
    """What was done to reach a milestone."""

    note = ma.fields.String(required=True, validate=filled(2000), metadata={"example": "截污管道已完工并通水"})


@room.route("/issues/<uuid:issue_id>/milestones/<int:n>/done", may=P.HANDLE_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(MilestoneDoneIn)
@room.response(200, IssueOut)
def report_milestone_done(data: dict[str, Any], issue_id: UUID, n: int) -> Response:
    """Report the n-th milestone of an issue on the ledger as done, as its lead or the office."""
    timezone = current_app.extensions["settings"].timezone
    return issue_answer(report_milestone(
        issue_id=issue_id, n=n, by=current_actor(), expected_version=expected_version(), timezone=timezone, **data
    ))

"""More time over HTTP: the lead asks, the office decides."""

from typing import Any
from uuid import UUID

from flask import Response

from patrol.foundation.http import answer, expected_version
from patrol.foundation.paging import page_schema
from patrol.issues import queries
from patrol.issues.api import issue_answer, room, settings
from patrol.issues.extension_schemas import ExtensionDecisionIn, ExtensionIn, ExtensionOut
from patrol.issues.extensions import ask_extension as ask
from patrol.issues.extensions import decide_extension as decide
from patrol.issues.reading import shown_extension
from patrol.issues.schemas import IssueOut
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


@room.route("/issues/<uuid:issue_id>/extensions", may=P.SEE_ISSUES)
@room.response(200, page_schema(ExtensionOut))
def list_extensions(issue_id: UUID) -> Response:
    """List the requests for more time on an issue, in order."""
    rows = queries.extensions_of(queries.get_issue(current_actor(), issue_id))
    return answer({"items": [shown_extension(row) for row in rows], "next": None})


@room.route("/issues/<uuid:issue_id>/extensions", may=P.HANDLE_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(ExtensionIn)
@room.response(200, IssueOut)
def ask_extension(data: dict[str, Any], issue_id: UUID) -> Response:
    """Ask for more time, as the lead and before the issue is due; at most twice."""
    return issue_answer(ask(
        issue_id=issue_id, by=current_actor(), expected_version=expected_version(), timezone=settings().timezone, **data,
    ))  # fmt: skip


@room.route("/issues/<uuid:issue_id>/extensions/<int:n>/decide", may=P.DISPATCH_ISSUE, methods=("POST",), refuses=(409,), if_match=True)
@room.body(ExtensionDecisionIn)
@room.response(200, IssueOut)
def decide_extension(data: dict[str, Any], issue_id: UUID, n: int) -> Response:
    """Grant or refuse the n-th request for more time."""
    return issue_answer(decide(
        issue_id=issue_id, n=n, by=current_actor(), expected_version=expected_version(), timezone=settings().timezone, **data,
    ))  # fmt: skip

"""The office's search for duplicates over HTTP."""

from typing import Any
from uuid import UUID

from flask import Response

from patrol.foundation.http import answer
from patrol.issues.api import room, settings
from patrol.issues.duplicate_queries import Candidate, find_duplicates
from patrol.issues.duplicate_schemas import DuplicatesOut
from patrol.issues.duplicates import RANKING
from patrol.issues.models import Issue
from patrol.issues.reading import Reader, shown_issue
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P


@room.route("/issues/<uuid:issue_id>/duplicates", may=P.RECEIVE_ISSUE)
@room.response(200, DuplicatesOut)
def list_duplicates(issue_id: UUID) -> Response:
    """List what may be the same trouble as an issue, by place, category, words, photos and time, with the reasons."""
    actor = current_actor()
    reader, search = Reader.of(actor, settings().timezone), find_duplicates(actor, issue_id, settings().timezone)
    reader.look_at([row.issue for row in search.candidates])
    return answer({
        "ranking": RANKING.in_language(reader.language), "items": [_shown(row, reader) for row in search.candidates],
        "merged": [_shown_merged(issue) for issue in search.merged], "next": None,
    })  # fmt: skip


def _shown(row: Candidate, reader: Reader) -> dict[str, Any]:
    by_photo = row.likeness.photo_score
    return {
        **shown_issue(row.issue, reader), "score": round(row.likeness.score, 3), "distance_m": round(row.distance_m, 1),
        "days_apart": round(row.days_apart, 1), "text_score": round(row.text_score, 3),
        "photo_score": None if by_photo is None else round(by_photo, 3), "relapse": row.is_relapse,
        "reasons": [text.in_language(reader.language) for text in row.likeness.reasons],
    }  # fmt: skip


def _shown_merged(issue: Issue) -> dict[str, Any]:
    return {name: getattr(issue, name) for name in ("id", "number", "received_at", "merged_at", "source", "description")}

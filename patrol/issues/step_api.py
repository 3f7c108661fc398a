"""The steps of an issue's life over HTTP: one address and one documented body for each verb of the table."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from patrol.evidence.reception import store_uploads
from patrol.foundation.http import expected_version
from patrol.foundation.texts import Text
from patrol.issues.api import issue_answer, room, settings
from patrol.issues.categories import Severity, Source
from patrol.issues.judging import JUDGING, judged_without_a_word
from patrol.issues.lifecycle import Step, Verb
from patrol.issues.merging import doubts_about_merging
from patrol.issues.models import Issue
from patrol.issues.reporting import received_photos
from patrol.issues.schemas import IssueOut
from patrol.issues.step_bodies import BODIES, takes_photos
from patrol.issues.steps import take_step
from patrol.issues.taking import PHOTO_KIND
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

_NO_SUMMARY = Text(
    "这是群众反映的问题，未填写 public_summary：反映人只会看到“已结案”，看不到办理结果",
    "A citizen reported this, and there is no `public_summary`: who asks by the tracking code reads that it is closed, and no result",
)


def _warnings(verb: Verb, issue: Issue) -> Sequence[Text]:
    if verb is Verb.MERGE and issue.merged_into:
        return doubts_about_merging(issue, issue.merged_into)
    found = [_NO_SUMMARY] if verb is Verb.CLOSE and issue.source == Source.CITIZEN and not issue.public_summary else []
    doubts = judged_without_a_word(issue) if verb in JUDGING else None
    return [*found, doubts] if doubts else found


def _add_route(step: Step, body: type[ma.Schema]) -> None:
    def take(data: dict[str, Any], issue_id: UUID) -> Response:
        expected, actor = expected_version(), current_actor()
        stored = store_uploads(data.pop("photo_files", []))
        photo_ids, kind = data.pop("photo_ids", []), PHOTO_KIND.get(step.verb)
        photos = received_photos(stored, photo_ids, by=actor, kind=kind)
        issue = take_step(
            issue_id=issue_id, verb=step.verb, by=actor, brought=data, photos=photos, expected_version=expected,
            timezone=settings().timezone, tolerance_m=settings().routing_tolerance_m,
        )
        return issue_answer(issue, warnings=_warnings(step.verb, issue))

    take.__name__ = f"{step.verb.value}_issue"
    take.__doc__ = f"{step.name.en} ({step.name.zh}): {step.public_text.en}"
    # Two permissions, by severity, lead to some steps: there the table says which one counts.
    may = P.SEE_ISSUES if step.needs_for_major else step.needs
    said = f"{step.needs}, {step.needs_for_major} for {Severity.MAJOR}" if step.needs_for_major else str(step.needs)
    documented = room.doc(**{"x-permission": said})(room.response(200, IssueOut)(take))
    with_body = room.body(body, with_photos=takes_photos(step))(documented)
    path = f"/issues/<uuid:issue_id>/{step.verb.value}"
    room.route(path, may=may, methods=("POST",), refuses=(409,), if_match=True)(with_body)


for _step, _body in BODIES.values():
    _add_route(_step, _body)

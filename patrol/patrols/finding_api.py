"""Examinations over HTTP: the preview before she submits, replies and judgements, and the rules behind them."""

from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.problems import language
from patrol.foundation.service import document_named
from patrol.patrols import finding_actions
from patrol.patrols.api import room
from patrol.patrols.examination_input import input_of
from patrol.patrols.examination_queries import stored_examination
from patrol.patrols.examining import examined_now
from patrol.patrols.finding_schemas import (
    ExaminationOut,
    FindingReplyIn,
    IntegrityRulesOut,
    JudgementIn,
    PatrolPreviewOut,
)
from patrol.patrols.finding_shown import shown_examination, shown_preview, shown_rules
from patrol.patrols.policy_queries import policy_on
from patrol.patrols.queries import get_patrol
from patrol.patrols.track_queries import patrol_to_add_to
from patrol.patrols.verdict_document import verdict_document
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

document_named("verdict.md")(verdict_document)

_FINDING = "/patrols/<uuid:patrol_id>/findings/<string:code>"
_AGAIN = {"schema": ExaminationOut, "description": "It was here already", "success": True}


@room.route("/patrols/<uuid:patrol_id>/preview", may=P.SEE_PATROLS)
@room.response(200, PatrolPreviewOut)
def preview_patrol(patrol_id: UUID) -> dict[str, Any]:
    """Say what an examination would find in what is here now; nothing is written. A patrol that goes on ends with its last fix."""
    patrol = get_patrol(current_actor(), patrol_id)
    given = input_of(patrol, timezone=clock.home_timezone())
    return shown_preview(patrol, examined_now(given), given, language())


@room.route(f"{_FINDING}/reply", may=P.PATROL, methods=("POST",), refuses=(409,))
@room.body(FindingReplyIn)
@room.response(201, ExaminationOut)
@room.alt_response(200, **_AGAIN)
def reply_to_finding(data: dict[str, Any], patrol_id: UUID, code: str) -> tuple[dict[str, Any], int]:
    """Answer a finding on one's own patrol; it stays beside the finding for whoever reads it."""
    actor = current_actor()
    is_new = finding_actions.reply(patrol=patrol_to_add_to(actor, patrol_id), code=code, by=actor, **data)
    return _as_it_stands(patrol_id), 201 if is_new else 200


@room.route(f"{_FINDING}/judge", may=P.JUDGE_PATROLS, methods=("POST",), refuses=(409,))
@room.body(JudgementIn)
@room.response(201, ExaminationOut)
@room.alt_response(200, **_AGAIN)
def judge_finding(data: dict[str, Any], patrol_id: UUID, code: str) -> tuple[dict[str, Any], int]:
    """Uphold or dismiss a finding with a reason. The worker then examines the patrol anew; until then it is `stale`."""
    actor = current_actor()
    is_new = finding_actions.judge(patrol=patrol_to_add_to(actor, patrol_id), code=code, by=actor, **data)
    return _as_it_stands(patrol_id), 201 if is_new else 200


@room.route(f"{_FINDING}/withdraw", may=P.SEE_PATROLS, methods=("POST",), refuses=(409,))
@room.body(FindingReplyIn)
@room.response(201, ExaminationOut)
@room.alt_response(200, **_AGAIN)
def withdraw_from_finding(data: dict[str, Any], patrol_id: UUID, code: str) -> tuple[dict[str, Any], int]:
    """Take back one's own reply or, as a reviewer, the judgement in force. What was said stays readable."""
    actor = current_actor()
    is_new = finding_actions.withdraw(patrol=patrol_to_add_to(actor, patrol_id), code=code, by=actor, **data)
    return _as_it_stands(patrol_id), 201 if is_new else 200


@room.route("/integrity-rules", may=P.SEE_PATROLS)
@room.response(200, IntegrityRulesOut)
def list_integrity_rules() -> dict[str, Any]:
    """List the rules by which patrols are examined, with the thresholds in force today and what would explain each innocently."""
    return shown_rules(policy_on(clock.today(clock.home_timezone())), language())


def _as_it_stands(patrol_id: UUID) -> dict[str, Any]:
    patrol = get_patrol(current_actor(), patrol_id)
    return shown_examination(patrol, stored_examination(patrol_id), input_of(patrol, timezone=clock.home_timezone()), language())

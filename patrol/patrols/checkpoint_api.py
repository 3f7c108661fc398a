"""Random checkpoints over HTTP."""

from typing import Any
from uuid import UUID

from flask import current_app

from patrol.foundation import clock
from patrol.foundation.service import document_named
from patrol.patrols import queries
from patrol.patrols.api import room
from patrol.patrols.checkpoint_actions import hand_out
from patrol.patrols.checkpoint_queries import checkpoints_of
from patrol.patrols.checkpoint_schemas import AnswerIn, CheckpointOut, SeedArgs, SeedsOut
from patrol.patrols.checkpoint_shown import shown_checkpoints
from patrol.patrols.checkpoints import DRAWN, checkpoints_document, commitment
from patrol.patrols.intake import enter_checkpoint
from patrol.people.door import current_actor
from patrol.people.permissions import Permission as P

document_named("checkpoints.md")(checkpoints_document)


# It reads what is stored, or makes it on the first look; either way the same days have the same seeds.
@room.route("/me/checkpoint-seeds", may=P.PATROL, writes=True)
@room.arguments(SeedArgs, location="query")
@room.response(200, SeedsOut)
def list_checkpoint_seeds(args: dict[str, Any]) -> dict[str, Any]:
    """Give the seeds and places of the days ahead, with which a phone draws checkpoints without signal."""
    rows = hand_out(by=current_actor(), today=clock.today(current_app.extensions["settings"].timezone), **args)
    return {"next": None, "items": [
        {"day": row.day, "seed": row.seed, "commitment": commitment(bytes.fromhex(row.seed)), "drawn": DRAWN, "places": row.places,
         "draws_by": row.draws_by}
        for row in rows
    ]}  # fmt: skip


@room.route("/patrols/<uuid:patrol_id>/checkpoints/<int:number>", may=P.PATROL, methods=("PUT",), refuses=(409,))
@room.body(AnswerIn)
@room.response(201, CheckpointOut)
@room.alt_response(200, schema=CheckpointOut, description="It was here already", success=True)
def answer_patrol_checkpoint(data: dict[str, Any], patrol_id: UUID, number: int) -> tuple[dict[str, Any], int]:
    """Say what was found at a checkpoint, with a photo: reached, or why it cannot be. It counts once the photo is here."""
    settings = current_app.extensions["settings"]
    _, is_new = enter_checkpoint(data, by=current_actor(), patrol_id=patrol_id, number=number, settings=settings)
    patrol = queries.get_patrol(current_actor(), patrol_id)
    return shown_checkpoints(checkpoints_of(patrol, settings.timezone))[number - 1], 201 if is_new else 200

"""What answers show of a patrol's checkpoints."""

from collections.abc import Sequence
from typing import Any

from patrol.foundation.positions import shown_position
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.checkpoint_queries import Checkpoint


def shown_checkpoints(checkpoints: Sequence[Checkpoint]) -> list[dict[str, Any]]:
    """Return what a patrol had to show and what it showed, in order."""
    return [
        {"number": point.number, "place": point.place.as_data(), "result": point.result.value, "answer": _shown_answer(point.answer)}
        for point in checkpoints
    ]


def _shown_answer(row: CheckpointAnswer | None) -> dict[str, Any] | None:
    if row is None:
        return None
    members = ("reached", "photo_id", "reason", "recorded_at", "received_at", "distance_m")
    return {**{name: getattr(row, name) for name in members}, **shown_position(row)}

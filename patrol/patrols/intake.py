"""What a phone sends, loaded by its schema, enters here: alone by its own route or in a queue, by the same rules."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from patrol.evidence.actions import StoredPhoto
from patrol.foundation import clock
from patrol.foundation.positions import position_of
from patrol.foundation.same_content import content_digest
from patrol.foundation.settings import Settings
from patrol.patrols import actions, queries
from patrol.patrols.actions import AnnouncedPhoto, KeptCheckIn
from patrol.patrols.checkpoint_actions import answer_checkpoint
from patrol.patrols.checkpoint_models import CheckpointAnswer
from patrol.patrols.ends import ends_of
from patrol.patrols.models import Patrol
from patrol.patrols.track import Source
from patrol.patrols.track_actions import keep_fixes, note_pause
from patrol.patrols.track_models import PatrolPause, TrackBatch
from patrol.patrols.track_queries import patrol_to_add_to
from patrol.people.actor import Actor


def enter_patrol(data: Mapping[str, Any], *, by: Actor, id: UUID, settings: Settings) -> tuple[Patrol, bool]:  # noqa: A002
    """Begin the patrol in loaded `PatrolIn` data; return it and whether it is new. Refuses as `begin_patrol`."""
    return actions.begin_patrol(by=by, id=id, digest=content_digest(data), timezone=settings.timezone, **data)


def enter_finish(
    data: Mapping[str, Any], *, by: Actor, patrol_id: UUID, may_correct: Callable[[Patrol], None] = lambda _: None
) -> tuple[Patrol, bool]:
    """End a visible patrol by loaded `FinishIn` data; return it and whether that is new. Raises NotFound (404).

    `may_correct` is asked about a correction that was not said before, and refuses one by raising.
    """
    patrol = patrol_to_add_to(by, patrol_id)
    said = {name: data[name] for name in ("ended_at", "summary", "reason")}
    if said["reason"] is not None and not actions.said_before(ends_of(patrol.id), **said):
        may_correct(patrol)
    return patrol, actions.finish_patrol(patrol, by=by, revision=data.get("revision"), **said)


def enter_pause(data: Mapping[str, Any], *, by: Actor, patrol_id: UUID) -> tuple[PatrolPause, bool]:
    """Note the pause or the time without signal in loaded `PauseIn` data; return it and whether it is new. Raises NotFound (404)."""
    return note_pause(patrol=patrol_to_add_to(by, patrol_id), by=by, **data)


def enter_track(data: Mapping[str, Any], *, by: Actor, patrol_id: UUID) -> tuple[TrackBatch, bool]:
    """Keep the batch in loaded `TrackIn` data; return it and whether it is new. Raises NotFound (404)."""
    return keep_fixes(
        patrol=patrol_to_add_to(by, patrol_id), by=by, source=Source.APP, datum=data["datum"], fixes=data["points"],
        batch_id=data["batch_id"], sent_at=data["sent_at"],
    )


def enter_check_in(
    data: Mapping[str, Any], *, by: Actor, id: UUID, settings: Settings, announced: Sequence[AnnouncedPhoto] = (),  # noqa: A002
    brought: Sequence[StoredPhoto] = (), is_absent: bool = False,
) -> KeptCheckIn:
    """Keep the check-in in loaded `CheckInFormIn` data; return it, its photos loaded, and whether it is new.

    `is_absent` as `actions.check_in` has it.
    """
    photos = sorted([f"{name.id} {name.sha256}" for name in announced] + [photo.sha256 for photo in brought])
    digest = content_digest({**{key: value for key, value in data.items() if key != "sent_at"}, "photos": photos})
    fields = {key: data[key] for key in ("patrol_id", "reach_id", "recorded_at", "sent_at", "checklist", "note")}
    kept = actions.check_in(
        by=by, id=id, position=position_of(data), announced=announced, brought=brought, digest=digest,
        tolerance_m=settings.routing_tolerance_m, day=day_of_check_in(data["recorded_at"], settings.timezone), is_absent=is_absent, **fields,
    )
    return kept if kept.is_new else KeptCheckIn(queries.get_check_in(by, id), False)


def day_of_check_in(recorded_at: datetime, timezone: str) -> date:
    """Return the local day whose appointments count for a check-in: that of its recording, today for one of the future."""
    return clock.local_date(min(recorded_at, clock.now()), timezone)


def enter_checkpoint(data: Mapping[str, Any], *, by: Actor, patrol_id: UUID, number: int, settings: Settings) -> tuple[CheckpointAnswer, bool]:
    """Keep the answer in loaded `AnswerIn` data; return it and whether it is new. Raises NotFound (404)."""
    fields = {name: data[name] for name in ("reached", "photo_id", "reason", "recorded_at")}
    return answer_checkpoint(
        queries.get_patrol(by, patrol_id), by=by, number=number, position=position_of(data), digest=content_digest(data),
        timezone=settings.timezone, **fields,
    )  # fmt: skip


def announced_photos(photos: Sequence[Mapping[str, Any]]) -> list[AnnouncedPhoto]:
    """Return the photos that loaded `CheckInIn` data announces."""
    return [AnnouncedPhoto(photo["id"], photo["sha256"]) for photo in photos]

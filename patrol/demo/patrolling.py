"""The acts of the demo's patrols: they enter by the same doors as what a phone sends, batch by batch."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid5

from patrol.demo.records import CheckIn, Delegation, Patrol, Phone, Stories, WaitingPhone, Warned
from patrol.demo.stage import Act, Stage
from patrol.demo.tracks import Batch, batches_of
from patrol.demo.walks import Kind
from patrol.foundation.database import db
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import position_of
from patrol.foundation.same_content import content_digest
from patrol.patrols import actions as patrol_actions
from patrol.patrols.actions import AnnouncedPhoto
from patrol.patrols.delegating import delegate
from patrol.patrols.duty_actions import raise_warning
from patrol.patrols.fixes import read_fixes
from patrol.patrols.models import Patrol as PatrolRow
from patrol.patrols.phone_queues import PhoneReport, note_pending
from patrol.patrols.track import Source
from patrol.patrols.track_actions import keep_fixes, note_pause
from patrol.patrols.track_models import NO_SIGNAL

# One phone in so many does not mark that it has no signal: its gap stays unexplained.
MARKS_EACH = 3
_APP, _APP_VERSION = "xunhe-pwa", "1.0.0"


def patrol_acts(patrol: Patrol, stage: Stage) -> Iterator[Act]:
    """Yield what happens on a patrol: its start, its check-ins, the batches of its track, its end."""
    yield Act(patrol.started_at, 1, partial(_begin, stage, patrol))
    for row in patrol.check_ins:
        yield Act(row.recorded_at, 2, partial(_check_in, stage, patrol, row))
    yield Act(patrol.ended_at, 4, partial(_finish, stage, patrol))
    for batch in batches_of(patrol, stage.waterside):
        yield Act(batch.sent_at, 3, partial(_send, stage, patrol, batch))
    if patrol.walk.kind == Kind.LOST_SIGNAL and patrol.walk.seed % MARKS_EACH:
        for silence in patrol.walk.silences:
            yield Act(patrol.ended_at, 3, partial(_mark, stage, patrol, silence))


def duty_acts(told: Stories, stage: Stage) -> Iterator[Act]:
    """Yield how duties are delegated and raised, and what phones say of their queues."""
    for delegation in told.delegations:
        yield Act(delegation.at, 0, partial(_delegate, stage, delegation))
    for warned in told.warnings:
        yield Act(warned.at, 0, partial(_warn, stage, warned))
    for waiting in told.waiting_phones:
        yield Act(waiting.at, 5, partial(_wait, stage, waiting))


def _begin(stage: Stage, patrol: Patrol) -> None:
    principal, phone = patrol.on_behalf_of, patrol.phone
    fields: dict[str, Any] = {
        "mode": patrol.mode, "started_at": patrol.started_at, "device": _name_of(phone),
        "on_behalf_of": stage.actors[principal].person_id if principal else None,
        "device_details": {"id": phone.id, "model": phone.model, "system": phone.system, "app": _APP, "app_version": _APP_VERSION},
        "reach_ids": [stage.reach_ids[code] for code in patrol.reach_codes],
    }
    patrol_actions.begin_patrol(
        by=stage.actors[patrol.username], id=patrol.id, digest=content_digest(fields), timezone=stage.settings.timezone, **fields
    )


def _send(stage: Stage, patrol: Patrol, batch: Batch) -> None:
    keep_fixes(
        patrol=db.session.get_one(PatrolRow, patrol.id), by=stage.actors[patrol.username], source=Source.APP,
        datum=Datum(patrol.walk.datum), fixes=read_fixes(batch.points), batch_id=batch.id, sent_at=batch.sent_at,
    )


def _mark(stage: Stage, patrol: Patrol, silence: tuple[float, float]) -> None:
    begins, ends = (patrol.started_at + timedelta(seconds=round(after_s)) for after_s in silence)
    note_pause(
        patrol=db.session.get_one(PatrolRow, patrol.id), by=stage.actors[patrol.username], id=uuid5(patrol.id, f"no signal {begins}"),
        started_at=begins, ended_at=ends, cause=NO_SIGNAL,
    )


def _finish(stage: Stage, patrol: Patrol) -> None:
    row = db.session.get_one(PatrolRow, patrol.id)
    patrol_actions.finish_patrol(row, by=stage.actors[patrol.username], ended_at=patrol.ended_at, summary=patrol.summary)


def _check_in(stage: Stage, patrol: Patrol, row: CheckIn) -> None:
    by = stage.actors[patrol.username]
    photos = stage.recorded(row.photos, by)
    place = {"latitude": row.latitude, "longitude": row.longitude, "accuracy_m": row.accuracy_m, "datum": Datum(row.datum)}
    patrol_actions.check_in(
        by=by, id=row.id, position=position_of(place), recorded_at=row.recorded_at, sent_at=None,
        patrol_id=patrol.id, reach_id=stage.reach_ids[row.reach_code], checklist=dict(row.checklist), note=row.note or None,
        announced=[AnnouncedPhoto(photo.id, photo.sha256) for photo in photos], brought=[],
        digest=content_digest({"id": row.id, "recorded_at": row.recorded_at}),
        tolerance_m=float(stage.settings.routing_tolerance_m),
    )


def _delegate(stage: Stage, row: Delegation) -> None:
    principal, deputy = stage.actors[row.principal], stage.actors[row.deputy]
    assert principal.person_id
    assert deputy.person_id
    fields: dict[str, Any] = {
        "principal_id": principal.person_id, "deputy_id": deputy.person_id, "valid_from": row.first_day, "valid_to": row.last_day,
        "reason": row.reason, "reach_ids": [stage.reach_ids[code] for code in row.reach_codes],
    }
    delegate(by=principal, id=row.id, digest=content_digest(fields), **fields)


def _warn(stage: Stage, row: Warned) -> None:
    fields: dict[str, Any] = {
        "reach_id": stage.reach_ids[row.reach_code], "colour": row.colour, "trigger": row.trigger, "valid_from": row.first_day,
        "valid_to": None, "reason": row.reason,
    }
    raise_warning(by=stage.actors[row.by], id=row.id, digest=content_digest(fields), **fields)


def _wait(stage: Stage, row: WaitingPhone) -> None:
    note_pending(PhoneReport(row.pending, row.oldest), by=stage.actors[row.username], device=_name_of(row.phone))


def _name_of(phone: Phone) -> str:
    return f"{phone.model} {phone.id[:6]}"

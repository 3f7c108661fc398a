"""A phone's queue: each item enters by the rules of its own route, and one fault spoils no other.

Mostly none has one, and a savepoint for each would be a quarter of all statements. So the items first enter together, in
one; where an item fails all are taken back, and enter again with a savepoint each.

The request is one transaction: its answer comes when all that it says is durable. A request that was cut has answered
nothing and may have stored nothing or everything; sending it again gives the same state.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import marshmallow as ma
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from patrol.evidence.queries import arrived_photos
from patrol.foundation.appending import write_appended
from patrol.foundation.database import among_ids, db, ids_as_text
from patrol.foundation.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from patrol.foundation.json_safety import Unusable
from patrol.foundation.positions import position_of
from patrol.foundation.problems import faults_document, refusal_document
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.transaction import savepoint
from patrol.issues.models import Issue
from patrol.issues.reporting import enter_report
from patrol.issues.routing import UNKNOWN_ACCURACY_M
from patrol.issues.schemas import IssueIn
from patrol.patrols.checkpoint_actions import NotDrawn
from patrol.patrols.checkpoint_schemas import AnswerIn
from patrol.patrols.intake import (
    announced_photos,
    day_of_check_in,
    enter_check_in,
    enter_checkpoint,
    enter_finish,
    enter_patrol,
    enter_pause,
    enter_track,
)
from patrol.patrols.models import CheckIn, Patrol
from patrol.patrols.receipts import (
    check_in_receipt,
    checkpoint_receipt,
    issue_receipt,
    patrol_receipt,
    plain_receipt,
    track_receipt,
)
from patrol.patrols.schemas import CheckInIn, FinishIn, PatrolIn
from patrol.patrols.sync_schemas import KINDS, MOST_ITEMS, SyncItemIn
from patrol.patrols.track_schemas import PauseIn, TrackIn
from patrol.people.actor import Actor
from patrol.people.permissions import Permission as P
from patrol.waters.nearby import look_ahead_beside

_NO_REPORT = Text("没有上报问题的权限", "You may not report issues")
_NO_PHOTOS = Text("照片尚未到达：{ids}，请先上传再发送", "These photos are not here yet: {ids}. Upload them, then send this again")
_BOTH = "更正须同时给出 reason 与 revision（手机自己的更正序号，从 1 起）。\x1fA correction has a `reason` and a `revision`, the phone's own count from 1."
_NO_OBJECT = Text("每一项须为对象", "Each item is an object")
Answer = dict[str, Any]
_Entering = Callable[[Callable[[], tuple[bool, Answer]]], tuple[bool, Answer]]


class _PhotosMissing(NotFound):
    """What the item names is still on the phone; nothing of it was written."""


class _OneFailed(Exception):
    """An item failed where it may have written something."""


@dataclass
class _Queue:
    """Whose queue it is, and the settings under which it enters."""

    by: Actor
    settings: Settings
    # The session forgets rows that nobody holds: each check-in would ask for its patrol again.
    patrols: list[Patrol] = field(default_factory=list)
    # Check-ins and issues of which nothing was here when the queue came, and that have not been tried.
    absent: set[UUID] = field(default_factory=set)
    # Whether check-ins wait to be written together.
    unwritten: bool = False

    def is_absent(self, item_id: UUID) -> bool:
        """Tell whether nothing was here of an item that is tried for the first time."""
        found = item_id in self.absent
        self.absent.discard(item_id)
        return found


@dataclass(frozen=True)
class _Item:
    """An item as it was read: what its result says of it, and its data, or why it cannot be read."""

    index: int
    about: Answer
    kind: str = ""
    id: UUID | None = None
    data: Any = None
    fault: Exception | None = None


class _TrackItem(TrackIn):
    patrol_id = ma.fields.UUID(required=True)


class _CheckpointItem(AnswerIn):
    number = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 1000))


class _PauseItem(PauseIn):
    patrol_id = ma.fields.UUID(required=True)


class _FinishItem(FinishIn):
    revision = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, 1000))

    @ma.validates_schema
    def _refuse_half(self, data: dict[str, Any], **_details: Any) -> None:
        """A queue has no If-Match: what it corrects is told by the phone's own count of corrections."""
        if (data["reason"] is None) != (data["revision"] is None):
            raise ma.ValidationError(_BOTH, field_name="revision" if data["revision"] is None else "reason")


def run_queue(items: list[Any], *, by: Actor, settings: Settings) -> list[Answer]:
    """Enter at most `MOST_ITEMS` items in their order; return a result for each.

    What waits for another item is tried again as long as that helps, so that the order does not count.
    """
    queue = _Queue(by, settings)
    results: dict[int, Answer] = {}
    waiting = [_read(index, item) for index, item in enumerate(items[:MOST_ITEMS])]
    _look_ahead(queue, waiting)
    while True:
        tried = _tried(queue, waiting)
        results |= tried
        still = [item for item in waiting if tried[item.index]["status"] == "waiting"]
        if not still or len(still) == len(waiting):
            return [results[index] for index in sorted(results)]
        waiting = still


def _read(index: int, item: Any) -> _Item:
    if isinstance(item, Unusable):
        return _Item(index, {"index": index, **_named(item.sent)}, fault=item.fault)
    kind, item_id = (item.get("kind"), item.get("id")) if isinstance(item, dict) else (None, None)
    about = {"index": index, "kind": kind if isinstance(kind, str) else None, "id": item_id if isinstance(item_id, str) else None}
    try:
        if not isinstance(item, dict):
            raise Invalid(_NO_OBJECT)
        loaded = _ITEM.load(item)
        own = {_OWN_ID[loaded["kind"]]: str(loaded["id"])} if loaded["kind"] in _OWN_ID else {}
        return _Item(index, about, loaded["kind"], loaded["id"], _KINDS[loaded["kind"]][0].load({**loaded["data"], **own}))
    except (ma.ValidationError, Refusal) as error:
        return _Item(index, about, fault=error)


def _named(sent: Any) -> Answer:
    """Return kind and id of an item that cannot be used, None for what is neither."""
    kind, item_id = (sent.get("kind"), sent.get("id")) if isinstance(sent, dict) else (None, None)
    try:
        known_id = str(UUID(item_id))
    except (ValueError, TypeError, AttributeError):
        known_id = None
    return {"kind": kind if kind in list(KINDS) else None, "id": item_id if known_id else None}


def _look_ahead(queue: _Queue, items: list[_Item]) -> None:
    """Ask once for all check-ins and issues which of them are here, and what lies beside the check-ins of the day with the most."""
    check_ins, issues = ({item.id: item.data for item in items if item.kind == kind and item.id} for kind in ("check_in", "issue"))
    queue.absent |= _absent_of(CheckIn, check_ins) | _absent_of(Issue, issues)
    if len(check_ins) < 2:
        return
    by_day: dict[date, list[tuple[float, float, float]]] = {}
    for data in check_ins.values():
        with suppress(Invalid):
            at = position_of(data)
            place = (at.latitude, at.longitude, UNKNOWN_ACCURACY_M if at.accuracy_m is None else at.accuracy_m)
            by_day.setdefault(day_of_check_in(data["recorded_at"], queue.settings.timezone), []).append(place)
    if by_day:
        day, places = max(by_day.items(), key=lambda pair: len(pair[1]))
        look_ahead_beside(places, tolerance_m=queue.settings.routing_tolerance_m, person_id=queue.by.person_id, day=day)


def _absent_of(model: type[CheckIn] | type[Issue], ids: Collection[UUID]) -> set[UUID]:
    """Return which of these ids are not here; of a single one it is not asked."""
    if len(ids) < 2:
        return set()
    dialect = db.engine.dialect.name
    here = select(model.id).where(among_ids(model.id, dialect))
    return set(ids) - set(db.session.scalars(here, {"ids": ids_as_text(ids, dialect)}))


def _tried(queue: _Queue, waiting: list[_Item]) -> dict[int, Answer]:
    try:
        with savepoint():
            return {item.index: _result(queue, item, _together) for item in waiting}
    except (_OneFailed, IntegrityError):
        return {item.index: _result(queue, item, _alone) for item in waiting}


def _result(queue: _Queue, item: _Item, entering: _Entering) -> Answer:
    about = item.about
    try:
        return about | _entered(queue, item, entering)
    except ma.ValidationError as error:
        return about | {"status": "refused", "problem": faults_document(error.messages_dict)}
    except NotDrawn as error:
        return about | {"status": "refused", "problem": refusal_document(error)}
    except NotFound as error:
        return about | {"status": "waiting", "problem": refusal_document(error)}
    except Conflict as error:
        return about | {"status": "conflict", "problem": refusal_document(error)}
    except Refusal as error:
        return about | {"status": "refused", "problem": refusal_document(error)}


def _entered(queue: _Queue, item: _Item, entering: _Entering) -> Answer:
    if item.fault or item.id is None:
        raise item.fault or Invalid(_NO_OBJECT)
    if item.kind != "check_in" and queue.unwritten:
        # What follows may name the check-ins before it.
        write_appended()
        queue.unwritten = False
    enter, item_id = _KINDS[item.kind][1], item.id
    is_new, receipt = entering(lambda: enter(queue, item_id, {**item.data}))
    return {"status": "accepted" if is_new else "duplicate", "receipt": receipt}


def _together(enter: Callable[[], tuple[bool, Answer]]) -> tuple[bool, Answer]:
    try:
        entered = enter()
    except _PhotosMissing:
        raise
    except Refusal as error:
        raise _OneFailed from error
    db.session.flush()
    return entered


def _alone(enter: Callable[[], tuple[bool, Answer]]) -> tuple[bool, Answer]:
    try:
        with savepoint():
            return enter()
    except IntegrityError:
        # Somebody stored the same id at the same moment. Now it is there to be found and compared.
        with savepoint():
            return enter()


def _patrol(queue: _Queue, item_id: UUID, data: Any) -> tuple[bool, Answer]:
    patrol, is_new = enter_patrol(data, by=queue.by, id=item_id, settings=queue.settings)
    queue.patrols.append(patrol)
    return is_new, patrol_receipt(patrol, is_new)


def _track(queue: _Queue, _item_id: UUID, data: Any) -> tuple[bool, Answer]:
    batch, is_new = enter_track(data, by=queue.by, patrol_id=data["patrol_id"])
    return is_new, track_receipt(batch, is_new)


def _check_in(queue: _Queue, item_id: UUID, data: Any) -> tuple[bool, Answer]:
    is_absent = queue.is_absent(item_id)
    queue.unwritten |= is_absent
    kept = enter_check_in(
        {name: value for name, value in data.items() if name != "photos"}, by=queue.by, id=item_id, settings=queue.settings,
        announced=announced_photos(data["photos"]), is_absent=is_absent,
    )  # fmt: skip
    return kept.is_new, check_in_receipt(kept.row, kept.is_new, queue.settings.routing_tolerance_m)


def _issue(queue: _Queue, item_id: UUID, data: Any) -> tuple[bool, Answer]:
    if not queue.by.may(P.REPORT_ISSUE):
        raise NotAllowed(_NO_REPORT)
    there = arrived_photos(data["photo_ids"])
    if missing := [str(photo_id) for photo_id in data["photo_ids"] if photo_id not in there]:
        raise _PhotosMissing(_NO_PHOTOS.format(ids=", ".join(missing)), missing=missing)
    issue, is_new = enter_report(
        data, by=queue.by, id=item_id, stored=[], tolerance_m=queue.settings.routing_tolerance_m, timezone=queue.settings.timezone,
        is_absent=queue.is_absent(item_id),
    )  # fmt: skip
    return is_new, issue_receipt(issue, is_new)


def _pause(queue: _Queue, _item_id: UUID, data: Any) -> tuple[bool, Answer]:
    own = {name: data[name] for name in ("id", "started_at", "ended_at", "cause")}
    _, is_new = enter_pause(own, by=queue.by, patrol_id=data["patrol_id"])
    return is_new, plain_receipt(is_new)


def _checkpoint(queue: _Queue, item_id: UUID, data: Any) -> tuple[bool, Answer]:
    answer = {name: value for name, value in data.items() if name != "number"}
    row, is_new = enter_checkpoint(answer, by=queue.by, patrol_id=item_id, number=data["number"], settings=queue.settings)
    return is_new, checkpoint_receipt(row, is_new, queue.by.person_id)


def _finish(queue: _Queue, item_id: UUID, data: Any) -> tuple[bool, Answer]:
    _, is_new = enter_finish(data, by=queue.by, patrol_id=item_id)
    return is_new, plain_receipt(is_new)


_ITEM = SyncItemIn()
# Under which name a kind's schema takes the item's id, where it does.
_OWN_ID = {"track": "batch_id", "pause": "id"}
_KINDS: dict[str, tuple[ma.Schema, Callable[[_Queue, UUID, Any], tuple[bool, Answer]]]] = {
    "patrol": (PatrolIn(), _patrol), "track": (_TrackItem(), _track), "check_in": (CheckInIn(), _check_in),
    "issue": (IssueIn(), _issue), "pause": (_PauseItem(), _pause), "finish": (_FinishItem(), _finish),
    "checkpoint": (_CheckpointItem(), _checkpoint),
}

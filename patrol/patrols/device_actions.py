"""Registering devices, and keeping what they send: each fix goes to the patrol of its person that was on at its time."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock, events
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, NotFound, NotSignedIn
from patrol.foundation.geometry import Datum
from patrol.foundation.paging import Order, Page, page_of
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.device_models import Device
from patrol.patrols.ending import NOT_POSSIBLE
from patrol.patrols.ends import ends_of
from patrol.patrols.events import ReceiverMarked
from patrol.patrols.fixes import MOST_FIXES, read_fixes
from patrol.patrols.models import Patrol
from patrol.patrols.track import Source
from patrol.patrols.track_actions import keep_fixes
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.window import LONGEST_PATROL, SLACK, in_ms, moment_of, window_ms
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.permissions import Permission as P
from patrol.people.queries import actor_of, regions_within
from patrol.people.tokens import digest_of, new_token

_NO_DEVICE = Text("没有这个设备", "There is no such device")
_TAKEN_AWAY = Text("编号 {id} 的设备已停用，请换用新编号登记", "The device {id} was taken away: register it under a new id")
_UNKNOWN_KEY = Text(
    "设备密钥无效或已停用，请在“我的设备”中重新登记", "The device's key is unknown or was revoked: register the device again"
)
DEVICES_LATEST = Order("created", (Device.created_at, Device.id), descending=True)
# A phone that was off the net sends days at once; patrols further back than this take nothing live any more.
_PATROLS_LOOKED_AT = 50


class Kept(NamedTuple):
    """What became of points from a device or a file: how many were new, were here already, and the others by reason."""

    accepted: int
    duplicates: int
    refused: Mapping[str, int]


def add_device(*, by: Actor, id: UUID | None, label: str, speed_unit: str) -> tuple[Device, str | None]:  # noqa: A002
    """Register a device of one's own; return it with its key, None when it was registered already: it is shown once.

    Raises Conflict (409) for an id with other content, and for that of a device which was taken away.
    """
    sent = content_digest({"person": by.person_id, "label": label, "speed_unit": speed_unit})
    if id is not None and (known := db.session.get(Device, id)) is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        if known.revoked_at is not None:
            raise Conflict(_TAKEN_AWAY.format(id=id))
        return known, None
    key = new_token()
    device = Device(
        id=id or new_id(), person_id=by.person_id, label=label, speed_unit=speed_unit, key_digest=digest_of(key), digest=sent,
        created_at=clock.now(), refused={}, version=1,
    )  # fmt: skip
    db.session.add(device)
    db.session.flush()
    note_audit(by, "add_device", str(device.id), label=label)
    return device, key


def list_own_devices(actor: Actor, *, limit: int, cursor: str | None) -> Page[Device]:
    """List one's devices that are in use, the latest first."""
    mine = select(Device).where(Device.person_id == actor.person_id, Device.revoked_at.is_(None))
    return page_of(mine, DEVICES_LATEST, limit=limit, cursor=cursor)


def own_device(actor: Actor, device_id: UUID) -> Device:
    """Return one of one's devices, locked. Raises NotFound (404)."""
    device = db.session.scalar(
        select(Device).where(Device.id == device_id, Device.person_id == actor.person_id, Device.revoked_at.is_(None)).with_for_update()
    )
    if device is None:
        raise NotFound(_NO_DEVICE)
    return device


def revoke_device(device: Device, *, by: Actor) -> None:
    """Let a device's key open nothing any more, at once."""
    device.revoked_at, device.version = clock.now(), device.version + 1
    note_audit(by, "revoke_device", str(device.id))


def device_in_area(actor: Actor, device_id: UUID) -> Device:
    """Return a device of somebody in the actor's subtree of regions, locked. Raises NotFound (404).

    One that was taken away is among them: what it sent is still judged by the office's mark.
    """
    device = db.session.scalar(
        select(Device).join(Person, Person.id == Device.person_id)
        .where(Device.id == device_id, Person.region_id.in_(regions_within(actor.region_path)))
        .with_for_update(of=Device)
    )  # fmt: skip
    if device is None:
        raise NotFound(_NO_DEVICE)
    return device


def mark_receiver(device: Device, *, by: Actor, is_receiver: bool) -> None:
    """Note whether a device is an external receiver: then "made up" means nothing against its person."""
    device.is_receiver, device.version = is_receiver, device.version + 1
    note_audit(by, "mark_receiver", str(device.id), is_receiver=is_receiver)
    events.record(ReceiverMarked(device_id=device.id, person_id=device.person_id))


def device_with_key(key: str | None) -> tuple[Device, Actor]:
    """Return the device that holds this key, locked, and its person. Raises NotSignedIn (401)."""
    device = db.session.scalar(
        select(Device).where(Device.key_digest == digest_of(key or ""), Device.revoked_at.is_(None))
        .options(joinedload(Device.person).joinedload(Person.region)).with_for_update(of=Device)
    )  # fmt: skip
    if device is None or device.person.disabled_at is not None or P.PATROL not in device.person.permissions:
        raise NotSignedIn(_UNKNOWN_KEY)
    return device, actor_of(device.person, device.person.region)


def keep_from_device(
    device: Device, points: Sequence[Mapping[str, Any]], *, by: Actor, source: Source, unreadable: str | None = None,
    units: Mapping[str, str] | None = None,
) -> Kept:  # fmt: skip
    """Keep a device's points, each in the patrol of its person that was on at its time; count the others by reason.

    Outside every patrol nothing of a position is kept. The same points again are the same batch.
    """
    refused: dict[str, int] = defaultdict(int)
    if unreadable:
        refused[unreadable] += 1
    accepted = duplicates = 0
    for patrol, own in _by_patrol(points, by, refused).items():
        batch, is_new = keep_fixes(
            patrol=patrol, by=by, source=source, datum=Datum.WGS84, fixes=read_fixes(own, source=source),
            batch_id=uuid5(patrol.id, _name_of(device.id, own)), units=units, device_id=device.id,
        )  # fmt: skip
        one = counted(batch, is_new=is_new)
        accepted, duplicates = accepted + one.accepted, duplicates + one.duplicates
        for code, count in one.refused.items():
            refused[code] += count
    device.last_heard_at = clock.now()
    device.refused = {**device.refused, **{code: device.refused.get(code, 0) + count for code, count in refused.items()}}
    return Kept(accepted, duplicates, dict(refused))


def _by_patrol(
    points: Sequence[Mapping[str, Any]], by: Actor, refused: dict[str, int]
) -> dict[Patrol, list[Mapping[str, Any]]]:  # fmt: skip
    fixes = read_fixes(points)
    for aside in fixes.aside:
        refused[aside.code] += 1
    if not len(fixes.track):
        return {}
    # By the fixes' own clock: on a phone that is ahead a patrol and its fixes lie in the future of the server's.
    latest = moment_of(int(fixes.track.recorded_ms[-1])) + SLACK
    patrols = db.session.scalars(
        select(Patrol).where(Patrol.person_id == by.person_id, Patrol.started_at <= latest)
        .order_by(Patrol.started_at.desc()).limit(_PATROLS_LOOKED_AT).with_for_update()
    ).all()  # fmt: skip
    windows = [(patrol, *window_ms(patrol.started_at, _open_until(patrol))) for patrol in patrols]
    found: dict[Patrol, list[Mapping[str, Any]]] = defaultdict(list)
    for place, recorded_ms in zip(fixes.places.tolist(), fixes.track.recorded_ms.tolist(), strict=True):
        # The latest that had begun by then: a later patrol takes over from one that was not ended.
        patrol = next((patrol for patrol, first, last in windows if first <= recorded_ms <= last), None)
        if patrol is None:
            refused["outside_patrol"] += 1
        else:
            found[patrol].append(points[place])
    return found


def _open_until(patrol: Patrol) -> datetime:
    """Return until when a device's fixes go to the patrol: not beyond the moment at which its end was told.

    Nor for longer than a patrol lasts: such an app knows of no patrols and sends day and night, and whoever forgot to end
    one is not followed home.
    """
    longest = moment_of(in_ms(patrol.started_at) + round(LONGEST_PATROL.total_seconds() * 1000))
    if patrol.recorded_until is None:
        return longest
    told = [end.received_at for end in ends_of(patrol.id)] if patrol.end_reason == NOT_POSSIBLE else []
    return min(longest, patrol.recorded_until, *told)


def _name_of(device_id: UUID, points: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(orjson.dumps([device_id, points], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)).hexdigest()


def keep_file(patrol: Patrol, points: Sequence[Mapping[str, Any]], *, by: Actor, datum: Datum, digest: str) -> list[tuple[TrackBatch, bool, int]]:
    """Keep the points of a GPX file in batches; return each, whether it is new, and where it begins in the file.

    The batches' ids follow from the file's digest: the same file again is the same batches.
    """
    return [
        (*keep_fixes(
            patrol=patrol, by=by, source=Source.GPX, datum=datum, fixes=read_fixes(points[start : start + MOST_FIXES], source=Source.GPX),
            batch_id=uuid5(patrol.id, f"{digest} {start}"),
        ), start)
        for start in range(0, len(points), MOST_FIXES)
    ]  # fmt: skip


def counted(batch: TrackBatch, *, is_new: bool) -> Kept:
    """Return what became of one batch."""
    usable = batch.sent - len(batch.quarantined)
    accepted = usable - batch.duplicates if is_new else 0
    refused: dict[str, int] = defaultdict(int)
    for _, code in batch.quarantined:
        refused[code] += 1
    return Kept(accepted, usable - accepted, dict(refused))

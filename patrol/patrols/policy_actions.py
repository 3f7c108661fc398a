"""The office sets other numbers for examinations: versions that begin on a day to come. None of these commits."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.device_models import Device
from patrol.patrols.duty_actions import refuse_beyond
from patrol.patrols.examination_models import ExaminationPolicy
from patrol.patrols.policy_queries import INTEGRITY, policy_on, thresholds_in, versions_of
from patrol.patrols.thresholds import ThresholdFault, Thresholds
from patrol.people.actions import note_audit
from patrol.people.actor import Actor

NOT_AHEAD = Text("生效日期须晚于今天（{today}）：已检查的巡河不因新版本而改变", "It begins after today ({today}): no new version changes what was examined")
IN_FORCE = Text("该版本已生效，不能撤回，请另立新版本", "This version is in force and cannot be withdrawn: add another")
_DAY_TAKEN = Text("已有版本从 {day} 起生效，请先撤回该版本", "Another version begins on {day}: withdraw that first")
_NO_THRESHOLD = Text("version 由系统编号，不是阈值", "`version` is numbered by the system and no threshold")
_NO_DEVICE = Text(
    "未登记的设备：{ids}。请先由本人登记（POST /devices），再填写其编号",
    "No registered devices: {ids}. Their persons register them first (POST /devices); then give these ids",
)
_RECEIVERS = Text("只有完整性规定含可信接收机", "Only the integrity policy has trusted receivers")


def add_version(
    kind: str, *, by: Actor, id: UUID, valid_from: date, thresholds: Mapping[str, Any], trusted_receivers: Sequence[str] | None,  # noqa: A002
    source: Mapping[str, str], today: date,
) -> tuple[ExaminationPolicy, bool]:  # fmt: skip
    """Add a version of a kind under the client's id; return it and whether it is new. `today` is the local day.

    What `thresholds` leaves out, and `trusted_receivers` when None, is as in the version before it. Raises NotAllowed
    for who does not work at the top, Conflict for another content or a day that has its version, Invalid for a day that
    is not to come and for thresholds that make no sense.
    """
    sent = content_digest({
        "kind": kind, "valid_from": valid_from, "thresholds": dict(thresholds), "trusted_receivers": trusted_receivers,
        "source": dict(source),
    })  # fmt: skip
    known = db.session.get(ExaminationPolicy, id)
    if known is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        return known, False
    refuse_beyond(None, by)
    refuse_begun(valid_from, today)
    data, trusted = _completed(kind, thresholds, trusted_receivers, valid_from)
    if db.session.scalar(versions_of(kind).where(ExaminationPolicy.valid_from == valid_from, ExaminationPolicy.withdrawn_at.is_(None))):
        raise Conflict(_DAY_TAKEN.format(day=valid_from))
    number = (db.session.scalar(select(func.max(ExaminationPolicy.number)).where(ExaminationPolicy.kind == kind)) or 0) + 1
    row = ExaminationPolicy(
        id=id, kind=kind, number=number, version=f"{valid_from:%Y-%m}/{number}", valid_from=valid_from, data=data,
        trusted_receivers=trusted, source_zh=source["zh"], source_en=source["en"], digest=sent, added_at=clock.now(), added_by_id=by.person_id,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    note_audit(by, "add_policy", str(id), kind=kind, version=row.version, valid_from=str(valid_from))
    return row, True


def withdraw_version(row: ExaminationPolicy, *, by: Actor, today: date) -> ExaminationPolicy:
    """Take a version back before it is in force. Raises NotAllowed, and Conflict (409) once it is."""
    refuse_beyond(None, by)
    if row.withdrawn_at is None:
        if row.valid_from <= today:
            raise Conflict(IN_FORCE)
        row.withdrawn_at, row.withdrawn_by_id = clock.now(), by.person_id
        note_audit(by, "withdraw_policy", str(row.id), kind=row.kind, version=row.version)
    return row


def refuse_begun(valid_from: date, today: date) -> None:
    """Raise Invalid (422) unless a version begins after `today`."""
    if valid_from <= today:
        fault = NOT_AHEAD.format(today=today)
        raise Invalid(fault, errors={"valid_from": [fault]})


def refuse_unregistered(receivers: Sequence[str]) -> None:
    """Raise Invalid (422) for ids that no device in use is registered under: what a phone calls itself, any other can."""
    named = {device_id: said for said in receivers if (device_id := _as_id(said))}
    known = {named[found] for found in db.session.scalars(select(Device.id).where(Device.id.in_(named), Device.revoked_at.is_(None)))}
    if unknown := sorted(set(receivers) - known):
        fault = _NO_DEVICE.format(ids=", ".join(unknown))
        raise Invalid(fault, errors={"trusted_receivers": [fault]})


def _as_id(said: str) -> UUID | None:
    """Return the id that is written as the answers write ids, None for anything else."""
    try:
        device_id = UUID(said)
    except ValueError:
        return None
    return device_id if str(device_id) == said else None


def proposed(kind: str, thresholds: Mapping[str, Any], day: date) -> Thresholds:
    """Return the thresholds of `day` with some of them changed. Raises Invalid (422) for what makes no sense."""
    if "version" in thresholds:
        raise Invalid(_NO_THRESHOLD, errors={"thresholds": [_NO_THRESHOLD]})
    try:
        return thresholds_in({**numbers_of(policy_on(day).of_kind(kind)), **thresholds}, kind, "proposed")
    except ThresholdFault as fault:
        raise Invalid(fault.told, errors={"thresholds": [fault.told]}) from fault


def _completed(
    kind: str, thresholds: Mapping[str, Any], trusted_receivers: Sequence[str] | None, day: date
) -> tuple[dict[str, Any], list[str]]:
    if trusted_receivers is not None and kind != INTEGRITY:
        raise Invalid(_RECEIVERS, errors={"trusted_receivers": [_RECEIVERS]})
    if trusted_receivers is None:
        trusted_receivers = sorted(policy_on(day).trusted_receivers) if kind == INTEGRITY else []
    else:
        refuse_unregistered(trusted_receivers)
    return numbers_of(proposed(kind, thresholds, day)), list(trusted_receivers)


def numbers_of(thresholds: Thresholds) -> dict[str, Any]:
    """Return every threshold by its name, without the version."""
    return {name: value for name, value in thresholds.as_data().items() if name != "version"}

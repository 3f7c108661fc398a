"""The office sets how often is patrolled: rows of policy, and warnings on reaches. None of these commits."""

from datetime import date
from typing import Any
from uuid import UUID

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.duty_models import FrequencyPolicy, ReachWarning
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Region
from patrol.people.paths import is_at_the_top
from patrol.people.queries import region_with_code
from patrol.waters.models import Reach
from patrol.waters.queries import visible_reaches

_NO_REACH = Text("没有这个河段，或不在您的辖区内", "There is no such reach, or it is outside your area")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_LIFTED = Text("这条预警已经解除", "This warning has been lifted already")
_BEGUN = Text("该规定已生效，不能撤回，请设截止日期", "It is in force and cannot be withdrawn: give it a last day")
_NOT_YOUR_AREA = Text("这条规定的适用范围超出您的辖区，不能更改", "This policy reaches beyond your area: you cannot change it")


def raise_warning(
    *, by: Actor, id: UUID, reach_id: UUID, colour: str, trigger: str, valid_from: date, valid_to: date | None, reason: str, digest: str,  # noqa: A002
) -> tuple[ReachWarning, bool]:
    """Put a warning on a reach of the office's area; return it and whether it is new.

    Raises Conflict for other content under the id, Invalid for a reach elsewhere or reversed days.
    """
    known = db.session.get(ReachWarning, id)
    if known is not None:
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    reach = db.session.scalar(visible_reaches(by).where(Reach.id == reach_id, Reach.retired_at.is_(None)))
    if reach is None or not by.covers(reach.region.path):
        raise Invalid(_NO_REACH, errors={"reach_id": [_NO_REACH]})
    _refuse_reversed(valid_from, valid_to)
    assert by.person_id
    row = ReachWarning(
        id=id, reach=reach, colour=colour, trigger=trigger, valid_from=valid_from, valid_to=valid_to, reason=reason, by_id=by.person_id,
        raised_at=clock.now(), digest=digest, version=1,
    )
    db.session.add(row)
    db.session.flush()
    note_audit(by, "raise_warning", str(id), reach=reach.code, colour=colour, trigger=trigger)
    return row, True


def lift_warning(warning: ReachWarning, *, by: Actor, today: date) -> ReachWarning:
    """End a warning with yesterday, so that from today on it asks for nothing. Raises Conflict when it was lifted before.

    One that has not begun, or begins today, is left without a day.
    """
    if warning.lifted_at is not None:
        raise Conflict(_LIFTED)
    yesterday = date.fromordinal(today.toordinal() - 1)
    warning.valid_to = min(yesterday, warning.valid_to or yesterday)
    warning.lifted_at, warning.lifted_by_id = clock.now(), by.person_id
    warning.version += 1
    note_audit(by, "lift_warning", str(warning.id), last_day=str(warning.valid_to))
    return warning


def add_policy(
    *, by: Actor, id: UUID, region_code: str | None, valid_to: date | None, source: dict[str, str], **figures: Any,  # noqa: A002
) -> tuple[FrequencyPolicy, bool]:
    """Add a row of policy for a region, or for everywhere when `by` works at the top; return it and whether it is new.

    `figures` are the row's other columns. Raises NotFound for the region, NotAllowed outside the area, Conflict and
    Invalid as `raise_warning`.
    """
    region = region_with_code(region_code) if region_code else None
    figures |= {f"source_{tongue}": source[tongue] for tongue in ("zh", "en")}
    known = db.session.get(FrequencyPolicy, id)
    if known is not None:
        _refuse_other_policy(known, region, valid_to, figures)
        return known, False
    refuse_beyond(region, by)
    _refuse_reversed(figures["valid_from"], valid_to)
    row = FrequencyPolicy(id=id, region=region, valid_to=valid_to, version=1, added_at=clock.now(), **figures)
    db.session.add(row)
    db.session.flush()
    note_audit(by, "add_frequency_policy", str(id), level=row.level, region=region_code, times=row.times, period=row.period)
    return row, True


def end_policy(policy: FrequencyPolicy, *, by: Actor, valid_to: date | None) -> FrequencyPolicy:
    """Give a row of policy its last day, or none. Raises NotAllowed outside the area and Invalid for reversed days."""
    refuse_beyond(policy.region, by)
    _refuse_reversed(policy.valid_from, valid_to)
    note_audit(by, "end_frequency_policy", str(policy.id), valid_to=valid_to and str(valid_to))
    policy.valid_to = valid_to
    policy.version += 1
    return policy


def withdraw_policy(policy: FrequencyPolicy, *, by: Actor, today: date) -> FrequencyPolicy:
    """Take a row of policy back before its first day. Raises NotAllowed, and Conflict (409) from that day on."""
    refuse_beyond(policy.region, by)
    if policy.withdrawn_at is None:
        if policy.valid_from <= today:
            raise Conflict(_BEGUN)
        policy.withdrawn_at, policy.version = clock.now(), policy.version + 1
        note_audit(by, "withdraw_frequency_policy", str(policy.id))
    return policy


def _refuse_other_policy(known: FrequencyPolicy, region: Region | None, valid_to: date | None, figures: dict[str, Any]) -> None:
    stored = {**{name: getattr(known, name) for name in figures}, "region": known.region_id}
    sent = {**figures, "region": region and region.id}
    # Its end may have been changed since; a repeated creation still means this row.
    if known.version == 1:
        stored, sent = {**stored, "valid_to": known.valid_to}, {**sent, "valid_to": valid_to}
    refuse_other_content(known.id, stored=content_digest(stored), sent=content_digest(sent))


def refuse_beyond(region: Region | None, by: Actor) -> None:
    """Raise NotAllowed (403) unless the actor's area holds the region, or with None everything."""
    # What holds everywhere is for those who work at the top of the tree.
    inside = by.covers(region.path) if region else is_at_the_top(by.region_path)
    if not inside:
        raise NotAllowed(_NOT_YOUR_AREA)


def _refuse_reversed(valid_from: date, valid_to: date | None) -> None:
    if valid_to is not None and valid_to < valid_from:
        raise Invalid(_REVERSED, errors={"valid_to": [_REVERSED]})

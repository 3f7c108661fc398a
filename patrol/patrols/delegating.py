"""Delegations: dated and visible leave to patrol on somebody's behalf. None of these commits."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.foundation.same_content import refuse_other_content
from patrol.foundation.texts import Text
from patrol.patrols.duty_lists import delegation_for
from patrol.patrols.duty_models import Delegation
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.permissions import Permission as P
from patrol.waters.models import Appointment, Reach

# A longer absence is a hand-over of the appointment: whoever does the work should answer for the reach.
LONGEST_DELEGATION_DAYS = 90
_NOT_YOURS = Text("只有委托人本人或其辖区的河长办可以设立或撤销委托", "Only the principal or the office of the principal's area may make or revoke a delegation")
_NO_PRINCIPAL = Text("没有可以委托巡河的这名人员", "There is no such person whose patrols can be delegated")
_NO_DEPUTY = Text("受托人须是另一名可以巡河的在用账号", "The deputy must be somebody else with an enabled account who may patrol")
_REVERSED = Text("截止日期早于开始日期", "It ends before it begins")
_TOO_LONG = Text("委托最长 {days} 天；更长请办理河段移交", "A delegation lasts at most {days} days: for longer, hand the appointment over")
_NOT_HIS_REACHES = Text("委托人在此期间不是这些河段的河长：{ids}", "The principal is not appointed to these reaches at that time: {ids}")
_REVOKED = Text("这份委托已于此前撤销", "This delegation has been revoked already")
_NONE_IN_FORCE = Text(
    "巡河当天没有覆盖全部所选河段的有效委托：请委托人或河长办先设立委托",
    "On the day of the patrol no delegation was in force for all of its reaches: ask the principal or the office for one",
)


def delegate(
    *, by: Actor, id: UUID, principal_id: UUID, deputy_id: UUID, reach_ids: Sequence[UUID], valid_from: date, valid_to: date,  # noqa: A002
    reason: str, digest: str,
) -> tuple[Delegation, bool]:
    """Let the deputy patrol on the principal's behalf; return the delegation and whether it is new. No reaches: all.

    Raises Conflict for other content under the id, NotAllowed for somebody else's duties, Invalid for people who
    cannot, reaches that are not the principal's, and days reversed or more than 90.
    """
    known = db.session.get(Delegation, id)
    if known is not None:
        refuse_other_content(id, stored=known.digest, sent=digest)
        return known, False
    principal = _person(principal_id)
    _refuse_others(principal, by)
    if principal is None or P.PATROL not in principal.permissions:
        raise Invalid(_NO_PRINCIPAL, errors={"principal_id": [_NO_PRINCIPAL]})
    deputy = _person(deputy_id)
    if deputy is None or deputy.id == principal.id or P.PATROL not in deputy.permissions:
        raise Invalid(_NO_DEPUTY, errors={"deputy_id": [_NO_DEPUTY]})
    _refuse_days(valid_from, valid_to)
    row = Delegation(
        id=id, principal=principal, deputy=deputy, valid_from=valid_from, valid_to=valid_to, reason=reason, created_by_id=by.person_id,
        created_at=clock.now(), digest=digest, version=1, reaches=_reaches_of(principal, reach_ids, valid_from, valid_to),
    )
    db.session.add(row)
    db.session.flush()
    note_audit(by, "delegate", str(id), principal=str(principal.id), deputy=str(deputy.id), valid_from=str(valid_from), valid_to=str(valid_to))
    return row, True


def revoke(delegation: Delegation, *, by: Actor) -> Delegation:
    """End a delegation now; patrols begun before keep it. Raises NotAllowed and Conflict (revoked before)."""
    _refuse_others(_person(delegation.principal_id), by)
    if delegation.revoked_at is not None:
        raise Conflict(_REVOKED)
    delegation.revoked_at = clock.now()
    delegation.version += 1
    note_audit(by, "revoke_delegation", str(delegation.id))
    return delegation


def delegation_in_force(*, by: Actor, principal_id: UUID, reach_ids: Sequence[UUID], started_at: datetime, day: date) -> Delegation:
    """Return by which delegation `by` patrols these reaches for the principal. Raises Invalid without one.

    It must be in force on `day`, the local day of `started_at`, and not revoked at that moment.
    """
    assert by.person_id
    found = delegation_for(principal_id, by.person_id, reach_ids, day=day, at=started_at)
    if found is None:
        raise Invalid(_NONE_IN_FORCE, errors={"on_behalf_of": [_NONE_IN_FORCE]})
    return found


def _person(person_id: UUID) -> Person | None:
    return db.session.scalar(select(Person).where(Person.id == person_id, Person.disabled_at.is_(None)).options(joinedload(Person.region)))


def _refuse_others(principal: Person | None, by: Actor) -> None:
    if principal is not None and principal.id == by.person_id:
        return
    # Whom the office does not see it cannot tell from whom there is not.
    if not by.may(P.MANAGE_DUTIES) or (principal is not None and not by.covers(principal.region.path)):
        raise NotAllowed(_NOT_YOURS)


def _refuse_days(valid_from: date, valid_to: date) -> None:
    if valid_to < valid_from:
        raise Invalid(_REVERSED, errors={"valid_to": [_REVERSED]})
    if valid_to - valid_from >= timedelta(days=LONGEST_DELEGATION_DAYS):
        fault = _TOO_LONG.format(days=LONGEST_DELEGATION_DAYS)
        raise Invalid(fault, errors={"valid_to": [fault]})


def _reaches_of(principal: Person, reach_ids: Sequence[UUID], valid_from: date, valid_to: date) -> list[Reach]:
    if not reach_ids:
        return []
    found = {row.id: row for row in db.session.scalars(
        select(Reach).join(Appointment, Appointment.reach_id == Reach.id).where(
            Reach.id.in_(reach_ids), Reach.retired_at.is_(None), Appointment.person_id == principal.id, Appointment.valid_from <= valid_to,
            or_(Appointment.valid_to.is_(None), Appointment.valid_to >= valid_from),
        )
    )}  # fmt: skip
    if missing := sorted({str(reach_id) for reach_id in reach_ids if reach_id not in found}):
        fault = _NOT_HIS_REACHES.format(ids=", ".join(missing))
        raise Invalid(fault, errors={"reach_ids": [fault]})
    return sorted(found.values(), key=lambda reach: reach.code)

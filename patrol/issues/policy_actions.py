"""The office writes policies: a new version of a row, or one taken back before it comes into force. None of these commits."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.deadlines import Stage
from patrol.issues.deciding import LATE_NAME
from patrol.issues.dispatching import DUTY
from patrol.issues.escalation import Basis
from patrol.issues.escalation_models import EscalationPolicy
from patrol.issues.history import PART_LATE
from patrol.issues.look_back_models import LookBackPolicy
from patrol.issues.policies import Kind
from patrol.issues.policies_held import policies_changed
from patrol.issues.policy_models import CalendarOverride, DeadlinePolicy, DispatchPolicy
from patrol.issues.relapse_models import RelapsePolicy
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.paths import is_at_the_top

Version = DeadlinePolicy | CalendarOverride | DispatchPolicy | EscalationPolicy | RelapsePolicy | LookBackPolicy
MODEL: dict[Kind, type[Version]] = {
    Kind.DEADLINES: DeadlinePolicy, Kind.CALENDAR: CalendarOverride, Kind.DISPATCH: DispatchPolicy,
    Kind.ESCALATION: EscalationPolicy, Kind.RELAPSE: RelapsePolicy, Kind.LOOK_BACK: LookBackPolicy,
}  # fmt: skip
PAIRS = ("name", "reason", "source")
"""What is told in both languages: a member `{zh, en}` outside, two columns inside."""
RESERVED = frozenset({"set_by_office", "extension", "office_first", "vacant_to_office", PART_LATE, *LATE_NAME})
"""Codes that the rules give themselves where no row decides."""
# A clerk may type in a notice late; farther back a day matters to nothing that still runs, farther ahead nobody knows it.
DAYS_BACK, DAYS_AHEAD = timedelta(days=400), timedelta(days=1100)

_NOT_THE_TOP = Text("政策适用于全区，只有最上级河长办或管理员可以更改", "Policies hold everywhere: only the office or an admin of the top region may change them")
_NONE = Text("没有这个版本", "There is no such version")
_PAST = Text("生效日期不能早于今天（{today}）：已经计算的不作追溯", "It cannot begin before today ({today}): nothing is changed backwards")
_NOT_LATER = Text(
    "已有版本自{day}起生效，新版本须更晚生效；生效首日结束前的版本可先撤回",
    "There is a version from {day} on: a new one begins later. One can be withdrawn first until its first day is over",
)
_IN_FORCE = Text("该版本自{day}起已生效，不能撤回；请另加新版本", "It is in force since {day} and cannot be withdrawn: add another version")
_FAR = Text("日期须在{first}至{last}之间", "The day must lie between {first} and {last}")
_NEEDED = Text("适用于全部类别的时限不能停用，请改为其他时限", "The limit for all categories cannot be switched off: set another one")
_ALWAYS = Text("反弹认定不能停用，请改为其他天数和距离", "What counts as a relapse cannot be switched off: set other days and metres")
_RESERVED = Text("此代码由系统使用，请换一个", "This code is the system's own: choose another one")
_TAKEN = Text("此代码已用于另一项时限，请换一个", "This code names another limit: choose another one")
_NEVER_TO_CHIEF = Text("涉及河长履职的问题不得直接派给河长", "What concerns a chief's duty may never go straight to a chief")
_HALF = Text("按半程计时数量为 0", "At half time the amount is 0")
_BEFORE = Text("按到期前计时数量至少为 1", "Time before needs an amount of at least 1")


def add_version(kind: Kind, *, by: Actor, id: UUID, timezone: str, **data: Any) -> tuple[Version, bool]:  # noqa: A002
    """Write a new version under the client's id; return it and whether it is new.

    `data` are the columns, texts as `{zh, en}`. Raises NotAllowed (403) below the top region, Conflict (409) for other
    content under the id or a version that begins no later than one there is, Invalid (422) for what cannot be.
    """
    digest = content_digest(data)
    known = _known(kind, id, digest)
    if known is None:
        refuse_below_the_top(by)
        # Whoever else writes policies waits here; what that one has written is found below.
        policies_changed()
        known = _known(kind, id, digest)
    if known is not None:
        return known, False
    row = draft(kind, by=by, today=clock.today(timezone), **data)
    row.id, row.digest = id, digest
    db.session.add(row)
    db.session.flush()
    subject = {name: str(getattr(row, name)) for name in row.SUBJECT}
    note_audit(by, "add_policy", str(id), kind=kind.value, version=row.version, valid_from=str(row.valid_from), **subject)
    return row, True


def draft(kind: Kind, *, by: Actor, today: date, **data: Any) -> Version:
    """Return the version that `data` would become, with its number, unsaved. Raises as `add_version`."""
    refuse_below_the_top(by)
    columns = columns_of(data)
    _refuse_impossible(kind, columns, today)
    model = MODEL[kind]
    others = versions_of(model, columns)
    if kind is Kind.DEADLINES:
        _refuse_taken_code(columns)
    standing = [row.valid_from for row in others if row.withdrawn_at is None]
    if kind is not Kind.CALENDAR and standing and max(standing) >= columns["valid_from"]:
        fault = _NOT_LATER.format(day=max(standing))
        raise Conflict(fault, errors={"valid_from": [fault]})
    version = max((row.version for row in others), default=0) + 1
    return model(**columns, version=version, added_at=clock.now(), added_by_id=by.person_id, withdrawn_at=None)


def withdraw(kind: Kind, version_id: UUID, *, by: Actor, today: date) -> Version:
    """Take back a version until its first day is over; taking it back twice is no fault.

    A slip that is seen on the first day is so corrected by another version that begins that day; what was counted by the
    withdrawn one stays until it is counted again. Raises NotAllowed (403), NotFound (404), and Conflict (409) for one that
    is longer in force.
    """
    refuse_below_the_top(by)
    policies_changed()
    row = get_version(kind, version_id)
    if row.withdrawn_at is None:
        if row.valid_from < today:
            raise Conflict(_IN_FORCE.format(day=row.valid_from))
        row.withdrawn_at, row.withdrawn_by_id = clock.now(), by.person_id
        note_audit(by, "withdraw_policy", str(version_id), kind=kind.value, version=row.version)
        db.session.flush()
    return row


def get_version(kind: Kind, version_id: UUID) -> Version:
    """Return one version. Raises NotFound (404)."""
    row = _find(kind, version_id)
    if row is None:
        raise NotFound(_NONE)
    return row


def columns_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent as columns: each text in two languages becomes two."""
    plain = {name: value for name, value in data.items() if name not in PAIRS}
    return plain | {f"{name}_{tongue}": data[name][tongue] for name in PAIRS if name in data for tongue in ("zh", "en")}


def versions_of(model: type[Version], columns: Mapping[str, Any]) -> Sequence[Version]:
    """Return every version about the same subject, withdrawn ones too, the first one first."""
    same = [getattr(model, name) == columns[name] for name in model.SUBJECT]
    return cast("Sequence[Version]", db.session.scalars(select(model).where(*same).order_by(model.version)).all())


def _find(kind: Kind, version_id: UUID) -> Version | None:
    return cast("Version | None", db.session.get(MODEL[kind], version_id))


def _known(kind: Kind, version_id: UUID, digest: str) -> Version | None:
    row = _find(kind, version_id)
    if row is not None:
        refuse_other_content(version_id, stored=row.digest, sent=digest)
    return row


def refuse_below_the_top(by: Actor) -> None:
    """Raise NotAllowed (403) unless `by` works at the top of the tree, or is the system."""
    if not is_at_the_top(by.region_path):
        raise NotAllowed(_NOT_THE_TOP)


def _refuse_impossible(kind: Kind, columns: Mapping[str, Any], today: date) -> None:
    if kind is Kind.CALENDAR:
        first, last = today - DAYS_BACK, today + DAYS_AHEAD
        _refuse(not first <= columns["day"] <= last, "day", _FAR.format(first=first, last=last))
        return
    _refuse(columns["valid_from"] < today, "valid_from", _PAST.format(today=today))
    _refuse(columns.get("code") in RESERVED, "code", _RESERVED)
    if kind is Kind.DEADLINES:
        # Nobody has to owe a plan; everything else is due some day.
        _refuse(not columns["enabled"] and not columns["category"] and columns["stage"] != Stage.PLAN, "enabled", _NEEDED)
    elif kind is Kind.DISPATCH:
        _refuse(columns["straight"] and columns["category"].startswith(DUTY), "straight", _NEVER_TO_CHIEF)
    elif kind is Kind.RELAPSE:
        _refuse(not columns["enabled"], "enabled", _ALWAYS)
    elif kind is Kind.ESCALATION:
        _refuse(columns["basis"] == Basis.HALF and columns["amount"] != 0, "amount", _HALF)
        _refuse(columns["basis"] in (Basis.HOURS_BEFORE, Basis.WORKING_DAYS_BEFORE) and columns["amount"] < 1, "amount", _BEFORE)


def _refuse_taken_code(columns: Mapping[str, Any]) -> None:
    """Refuse the code of a limit for something else: with an issue only the code and the version's number are kept."""
    row = db.session.scalars(select(DeadlinePolicy).where(DeadlinePolicy.code == columns["code"]).limit(1)).first()
    other = row is not None and any(getattr(row, name) != columns[name] for name in DeadlinePolicy.SUBJECT)
    _refuse(other, "code", _TAKEN)


def _refuse(wrong: bool, field: str, fault: Text) -> None:
    if wrong:
        raise Invalid(fault, errors={field: [fault]})

"""The parts of co-handlers: reported as done, taken back by the office, told when they are late. None of these commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.evidence.models import Photo
from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db
from patrol.foundation.errors import Conflict, NotAllowed, NotFound
from patrol.foundation.http import refuse_stale
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_minute
from patrol.issues.allowed import OUT_OF_SCOPE
from patrol.issues.beside import rows_to_say
from patrol.issues.events import IssueEscalated
from patrol.issues.history import ESCALATE, PART_LATE, REPORT_PART, TAKE_BACK_PART, add_entry
from patrol.issues.leads import why_no_lead
from patrol.issues.lifecycle import IN_WORK, STATE_NAME, State
from patrol.issues.listed import AnyIssue, ListedPart
from patrol.issues.models import Issue, IssuePart
from patrol.issues.queries import locked_issue
from patrol.issues.taking import put_photos
from patrol.people.actor import SYSTEM, Actor
from patrol.people.departments import DEPARTMENTS

BATCH = 200
_NO_PART = Text("此问题没有第 {n} 项分工", "The issue has no part {n}")
_NOT_YOURS = Text("只有该分项的协办人或其部门可以报告", "only the part's co-handler, or its department, may report on it")
_NOT_OPEN = Text("该分项已完成或已收回", "The part is done or was taken back")
_OF_DEPARTMENT = Text("{name} · {department}", "{name}, {department}")
_HELD = Text("{n}（{who}）", "{n} ({who})")
_HELD_BY_NOBODY = Text("{n}（{who}；{fault}，不能再报告完成：{cure}）", "{n} ({who}; {fault}, who cannot report on it any more: {cure})")
_TAKE_BACK = Text("请河长办收回此项，由责任人一并办理", "the office takes it back, and the lead does it")
_OR_DEPARTMENT = Text(
    "请河长办收回此项，由责任人一并办理，或由{department}的其他人员报告完成",
    "the office takes it back, and the lead does it, or somebody else of the {department} reports it as done",
)
_NOT_IN_WORK = Text("“{state}”时不能处理分项", "“{state}”: parts are not worked on")


def report_part(
    *, issue_id: UUID, n: int, by: Actor, note: str, photos: Sequence[Photo], expected_version: int | None
) -> Issue:
    """Let the part's holder, or somebody of its department, report it as done; the issue's state stays.

    Raises NotFound (404), Stale (412), NotAllowed (403) for others, Conflict (409) when it is not open, Invalid (422)
    for a photo that the issue has already.
    """
    issue, part = _open_part(issue_id, n, by, expected_version)
    of_department = part.department is not None and by.department == part.department and by.covers(issue.region.path)
    if by.person_id != part.person_id and not of_department:
        raise NotAllowed(_NOT_YOURS)
    _refuse_not_open(issue, part)
    tell_first(issue, clock.now())
    _attach(issue, photos)
    _end(part, "done", by)
    part.note = note
    add_entry(
        issue, verb=REPORT_PART, by=by, from_state=issue.state, brought={"note": note}, changes=_change(part, "done"),
        photos=[(photo, "during") for photo in photos], rows=rows_to_say(part, "ended_at"),
    )  # fmt: skip
    db.session.flush()
    return issue


def take_back_part(*, issue_id: UUID, n: int, by: Actor, reason: str, expected_version: int | None) -> Issue:
    """Let the office take an open part back for a reason, so that the lead can finish; the co-handler stays.

    Raises NotFound (404), Stale (412), NotAllowed (403) out of the region, Conflict (409) when it is not open.
    """
    issue, part = _open_part(issue_id, n, by, expected_version)
    if not by.covers(issue.region.path):
        raise NotAllowed(OUT_OF_SCOPE)
    _refuse_not_open(issue, part)
    tell_first(issue, clock.now())
    _end(part, "taken_back", by)
    add_entry(
        issue, verb=TAKE_BACK_PART, by=by, from_state=issue.state, brought={"reason": reason}, changes=_change(part, "taken_back"),
        rows=rows_to_say(part, "ended_at"),
    )  # fmt: skip
    db.session.flush()
    return issue


def open_parts_said(issue: Issue) -> Text | None:
    """Return whose the open parts of a loaded issue are, and what to do about one whose holder can handle nothing any more; None for none."""
    said = [_said(part) for part in issue.parts if part.state == "open"]
    return Text("、".join(text.zh for text in said), ", ".join(text.en for text in said)) if said else None


def _said(part: IssuePart) -> Text:
    department = DEPARTMENTS[part.department].name if part.department in DEPARTMENTS else None
    who = _OF_DEPARTMENT.format(name=part.person.name, department=department) if department else part.person.name
    if (fault := why_no_lead(part.person)) is None:
        return _HELD.format(n=part.n, who=who)
    cure = _OR_DEPARTMENT.format(department=department) if department else _TAKE_BACK
    return _HELD_BY_NOBODY.format(n=part.n, who=who, fault=fault, cure=cure)


def _open_part(issue_id: UUID, n: int, by: Actor, expected_version: int | None) -> tuple[Issue, IssuePart]:
    issue = locked_issue(by, issue_id)
    refuse_stale(expected_version, issue.version)
    part = next((part for part in issue.parts if part.n == n), None)
    if part is None:
        raise NotFound(_NO_PART.format(n=n))
    return issue, part


def _refuse_not_open(issue: Issue, part: IssuePart) -> None:
    if issue.state not in IN_WORK:
        raise Conflict(_NOT_IN_WORK.format(state=STATE_NAME[State(issue.state)]))
    if part.state != "open":
        raise Conflict(_NOT_OPEN)


def _attach(issue: Issue, photos: Sequence[Photo]) -> None:
    put_photos(issue, photos, "during")
    if photos:
        outbox.put("issues.examine", issue_id=str(issue.id), tries=0)


def _end(part: IssuePart, state: str, by: Actor) -> None:
    part.state, part.ended_at, part.ended_by_id = state, clock.now(), by.person_id


def _change(part: IssuePart, to: str) -> dict[str, Any]:
    return {"part": {"from": None, "to": part.n}, "part_state": {"from": "open", "to": to}}


def is_late(part: IssuePart | ListedPart, issue: AnyIssue, now: datetime) -> bool:
    """Tell whether an open part should be done by now; without a date of its own it is due with the issue."""
    return part.state == "open" and issue.state in IN_WORK and (part.due_at or issue.due_at) <= now


@each_minute
def tell_of_all_late_parts() -> int:
    """Tell lead, co-handlers and office of every part that became late; return how many."""
    total = 0
    while True:
        with transaction():
            told = tell_of_late_parts()
        total += told
        if told < BATCH:
            return total


def tell_of_late_parts(limit: int = BATCH) -> int:
    """Note in the histories which parts became late, each once, with its own date; return how many.

    A part that is due with its issue climbs with the issue. Rows that another worker holds are passed over.
    """
    now = clock.now()
    parts = db.session.scalars(
        select(IssuePart).join(Issue, Issue.id == IssuePart.issue_id)
        .where(IssuePart.state == "open", IssuePart.told_late_at.is_(None), IssuePart.due_at.is_not(None), IssuePart.due_at <= now)
        .where(Issue.state.in_([state.value for state in IN_WORK]))
        .order_by(IssuePart.due_at).limit(limit).options(joinedload(IssuePart.issue))
        .with_for_update(skip_locked=True, of=(IssuePart, Issue)).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    for part in parts:
        _tell(part.issue, part, now)
    return len(parts)


def tell_first(issue: Issue, now: datetime) -> None:
    """Tell of the late parts of a locked issue before it moves on, as the sweep would have, which may have been away meanwhile."""
    for part in issue.parts if issue.state in IN_WORK else ():
        if part.state == "open" and part.told_late_at is None and part.due_at is not None and part.due_at <= now:
            _tell(issue, part, now)


def _tell(issue: Issue, part: IssuePart, now: datetime) -> None:
    assert part.due_at
    part.told_late_at = now
    changes = {"part": {"from": None, "to": part.n}, "part_due_at": {"from": None, "to": part.due_at.isoformat()}}
    entry = add_entry(
        issue, verb=ESCALATE, by=SYSTEM, from_state=issue.state, rule=PART_LATE, changes=changes, rows=rows_to_say(part, "told_late_at"),
    )  # fmt: skip
    events.record(IssueEscalated(issue_id=issue.id, code=PART_LATE, seq=entry.seq))

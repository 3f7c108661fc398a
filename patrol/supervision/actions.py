"""Choosing, drawing and carrying out spot checks; watching. None of these commits."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from patrol.evidence.models import Photo
from patrol.foundation import clock, outbox
from patrol.foundation.database import db, new_id
from patrol.foundation.errors import Conflict, Invalid, NotAllowed
from patrol.foundation.geometry import distance_m
from patrol.foundation.positions import Position
from patrol.foundation.same_content import content_digest, refuse_other_content
from patrol.foundation.texts import Text
from patrol.issues.four_eyes import CHECKS, WORK, own_work
from patrol.issues.history import SPOT_CHECK, add_entry
from patrol.issues.lifecycle import State, Verb
from patrol.issues.models import Issue
from patrol.issues.queries import get_issue, locked_issue
from patrol.issues.steps import take_step
from patrol.patrols.placing import distance_to
from patrol.people.actions import note_audit
from patrol.people.actor import Actor
from patrol.people.models import Person
from patrol.people.permissions import Permission as P
from patrol.people.queries import covered_region, visible_people
from patrol.supervision.drawing import drawn_by_weight
from patrol.supervision.models import Draw, SpotCheck, SpotCheckPhoto, Watch
from patrol.supervision.on_site import findings_of
from patrol.supervision.proving import check_to_say
from patrol.supervision.queries import same_open_check, signs_of_reaches, watch_of
from patrol.supervision.risk import points_of, reason_of
from patrol.waters.models import Reach
from patrol.waters.queries import get_reach

RESULTS = ("cured", "relapsed", "not_as_reported", "not_reachable")
MOST_DRAWN = 50
_ONE_SUBJECT = Text("issue_id 与 reach_id 须填其中之一", "Give either issue_id or reach_id")
_NOBODY = Text("只能指派给本辖区内有抽查权限的在用账号", "It can be assigned to an enabled account of your area that may do spot checks")
_DONE = Text("这次抽查已完成，结果不能更改", "This spot check is done: its result cannot be changed")
_ORDERED = Text(
    "此件已安排同样的抽查（{id}，{day} 前完成），尚未进行：请先完成它，或指派给其他人员",
    "The same check of this issue is open already ({id}, to be done by {day}): finish it first, or assign this one to somebody else",
)
_PAST = Text("完成期限不能早于今天", "The day by which to do it lies in the past")
_NOT_AGAIN = Text(
    "责任人、协办人、整改人、参与办理的人、复核或结案的人及与其有委托关系的人不得抽查此件，请由其他人员抽查",
    "whoever leads, co-handles, rectified, worked on, verified or closed it, or acts for such a person, may not look back at it: somebody else has to",
)
# What a relapse found on the spot does to an issue that is said to be put right.
_UNDOES = {State.RECTIFIED.value: Verb.RETURN, State.VERIFIED.value: Verb.RETURN, State.CLOSED.value: Verb.REOPEN}
_NO_ISSUE = Text("河段抽查的结果不能是 relapsed", "A check of a reach finds no relapse: report an issue instead")


def plan_check(
    *, by: Actor, id: UUID | None, issue_id: UUID | None, reach_id: UUID | None, reason: str, assigned_to: UUID | None,  # noqa: A002
    due_on: date, today: date,
) -> tuple[SpotCheck, bool]:  # fmt: skip
    """Choose an issue or a reach of one's area to be checked; return the check and whether it is new.

    Raises Invalid (422) unless exactly one of them is named, for a day that is past and for whoever may not do spot checks, NotFound (404) for
    what one does not see, Conflict (409) for other content under the id, and while the same person's check of the issue is open.
    """
    content = {"issue": issue_id and str(issue_id), "reach": reach_id and str(reach_id), "reason": reason,
               "assigned_to": assigned_to and str(assigned_to), "due_on": due_on.isoformat()}
    sent = content_digest(content)
    if id is not None and (known := db.session.get(SpotCheck, id)) is not None:
        refuse_other_content(id, stored=known.digest, sent=sent)
        return known, False
    if (issue_id is None) == (reach_id is None):
        raise Invalid(_ONE_SUBJECT, errors={"reach_id": [_ONE_SUBJECT]})
    if due_on < today:
        raise Invalid(_PAST, errors={"due_on": [_PAST]})
    issue = locked_issue(by, issue_id) if issue_id else None
    reach = get_reach(by, reach_id) if reach_id else None
    if issue_id and (same := same_open_check(by, issue_id, assigned_to)) is not None:
        raise Conflict(_ORDERED.format(id=same.id, day=same.due_on))
    place = issue or reach
    assert place is not None
    check = SpotCheck(
        id=id or new_id(), kind="chosen", state="open", region_id=place.region_id, reach_id=issue.reach_id if issue else reach_id,
        issue_id=issue_id, reason=reason, assigned_to_id=_inspector(assigned_to, by), due_on=due_on, created_by_id=by.person_id,
        created_at=clock.now(), digest=sent, version=1,
    )  # fmt: skip
    db.session.add(check)
    db.session.flush()
    return check, True


def _inspector(person_id: UUID | None, by: Actor) -> UUID | None:
    if person_id is None:
        return None
    person = db.session.scalar(visible_people(by).where(Person.id == person_id, Person.disabled_at.is_(None)))
    if person is None or P.DO_SPOT_CHECKS not in person.permissions:
        raise Invalid(_NOBODY, errors={"assigned_to": [_NOBODY]})
    return person_id


def draw_checks(*, by: Actor, id: UUID, region: str, count: int, today: date, within_days: int) -> tuple[Draw, bool]:  # noqa: A002
    """Draw reaches of a region (code) at random, the riskier the likelier; return the drawing and whether it is new.

    The seed is made here and recorded with all weights. The same id again is the same drawing: nobody draws until the
    result suits, since each drawing stands. Raises NotFound (404) for an unknown region, Invalid (422) for one outside the actor's area, and
    Conflict (409) for another drawing under the id.
    """
    known = db.session.get(Draw, id)
    place = covered_region(region, by)
    if known is not None:
        refuse_other_content(id, stored=known.facts["asked"], sent=f"{place.code} {count} {within_days}")
        return known, False
    signs, seed = signs_of_reaches(place.path), secrets.token_hex(32)
    weights = {reach_id: points_of(counts) for reach_id, counts in signs.items()}
    chosen = drawn_by_weight(seed, weights, count)
    draw = Draw(
        id=id, kind="random", period=str(id), region_id=place.id, seed=seed, drawn_by_id=by.person_id, drawn_at=clock.now(),
        facts={"asked": f"{place.code} {count} {within_days}", "weights": {str(key): value for key, value in sorted(weights.items())},
               "drawn": [str(reach_id) for reach_id in chosen]},
    )  # fmt: skip
    db.session.add(draw)
    db.session.flush()
    reaches = {reach.id: reach for reach in db.session.scalars(select(Reach).where(Reach.id.in_(chosen)))}
    for reach_id in chosen:
        db.session.add(SpotCheck(
            id=new_id(), kind="random", state="open", region_id=reaches[reach_id].region_id, reach_id=reach_id, draw_id=id,
            reason=reason_of(signs[reach_id]).zh, due_on=today + timedelta(days=within_days), created_by_id=by.person_id, created_at=clock.now(), digest="",
            version=1,
        ))  # fmt: skip
    note_audit(by, "draw_spot_checks", str(id), region=place.code, count=len(chosen))
    return draw, True


def finish_check(
    check: SpotCheck, *, by: Actor, result: str, sheet: dict[str, Any], note: str, position: Position, recorded_at: datetime,
    photos: Sequence[Photo], timezone: str, tolerance_m: float,
) -> SpotCheck:  # fmt: skip
    """Enter what was found on the spot. On an issue it becomes a part of its history.

    A relapse reopens a closed issue, and returns one that is rectified or verified. A check from elsewhere or
    of another time (`on_site`) is taken as well, and never reopens or returns anything by itself.

    Raises Conflict for a check that is done, NotAllowed for whoever handled, verified or closed the issue, Invalid for a relapse of a reach.
    """
    if check.state == "done":
        raise Conflict(_DONE)
    if check.issue_id is None and result == "relapsed":
        raise Invalid(_NO_ISSUE, errors={"result": [_NO_ISSUE]})
    issue, now = None, clock.now()
    if check.issue_id is not None:
        issue = locked_issue(by, check.issue_id)
        if own_work([issue.id], by.person_id, clock.today(timezone), verbs=(*WORK, *CHECKS)):
            raise NotAllowed(_NOT_AGAIN)
        check.distance_m = round(distance_m(position.latitude, position.longitude, issue.latitude, issue.longitude), 1)
    elif check.reach_id is not None:
        check.distance_m = round(distance_to(get_reach(by, check.reach_id), position), 1)
    for name, value in position.columns().items():
        setattr(check, name, value)
    check.state, check.result, check.sheet, check.note = "done", result, sheet, note
    check.recorded_at, check.done_at, check.done_by_id, check.version = recorded_at, now, by.person_id, check.version + 1
    if issue is not None:
        _write_into_history(issue, check, by, photos, timezone, tolerance_m)
    for index, photo in enumerate(photos):
        db.session.add(SpotCheckPhoto(spot_check_id=check.id, photo_id=photo.id, position=index))
    db.session.flush()
    return check


def _write_into_history(issue: Issue, check: SpotCheck, by: Actor, photos: Sequence[Photo], timezone: str, tolerance_m: float) -> None:
    assert check.distance_m is not None
    assert check.recorded_at
    assert check.done_at
    on_site = not findings_of(
        distance_m=check.distance_m, accuracy_m=check.accuracy_m, recorded_at=check.recorded_at, planned_at=check.created_at,
        received_at=check.done_at, tolerance_m=tolerance_m,
    )  # fmt: skip
    add_entry(
        issue, verb=SPOT_CHECK, by=by, from_state=issue.state, brought={"note": check.note},
        changes={"spot_check": {"from": None, "to": str(check.id)}, "result": {"from": None, "to": check.result},
                 "on_site": {"from": None, "to": on_site}},
        photos=[(photo, "after") for photo in photos], rows=check_to_say(check),
    )  # fmt: skip
    db.session.flush()
    if photos:
        outbox.put("issues.examine", issue_id=str(issue.id), tries=0)
    if check.result == "relapsed" and on_site and issue.state in _UNDOES:
        take_step(
            issue_id=issue.id, verb=_UNDOES[issue.state], by=by, brought={"reason": check.note}, expected_version=None, timezone=timezone,
            tolerance_m=tolerance_m,
        )  # fmt: skip


def watch(*, by: Actor, kind: str, subject_id: UUID, note: str | None) -> Watch:
    """Put a visible issue or reach onto one's watch list, or change the note. Raises NotFound for what one does not see."""
    if kind == "issue":
        get_issue(by, subject_id)
    else:
        get_reach(by, subject_id)
    row = watch_of(by, subject_id)
    if row is None:
        assert by.person_id
        row = Watch(person_id=by.person_id, subject_kind=kind, subject_id=subject_id, note=note, created_at=clock.now())
        db.session.add(row)
    row.note = note
    db.session.flush()
    return row


def stop_watching(*, by: Actor, subject_id: UUID) -> None:
    """Take something off one's watch list; nothing happens when it is not on it."""
    if (row := watch_of(by, subject_id)) is not None:
        db.session.delete(row)

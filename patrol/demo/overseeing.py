"""The acts of the demo's oversight: orders answered, more time, "not fixed", parts, spot checks, draws, followers."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from patrol.demo.records import Check, Follower, OrderAnswer, PartDone, Request, Stories
from patrol.demo.stage import Act, Stage
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Refusal
from patrol.foundation.geometry import Datum
from patrol.foundation.positions import Position, position_of
from patrol.foundation.same_content import content_digest
from patrol.issues.escalation_models import Order
from patrol.issues.extensions import ask_extension, decide_extension
from patrol.issues.models import Issue as IssueRow
from patrol.issues.models import IssuePart
from patrol.issues.orders import acknowledge, answer
from patrol.issues.parts import report_part
from patrol.public.models import Complaint, ReopeningRequest
from patrol.public.nearby import follow_issue
from patrol.public.queries import issue_of
from patrol.public.reopening import decide, digest_of_not_fixed, say_not_fixed
from patrol.supervision.actions import draw_checks, finish_check, plan_check, watch
from patrol.supervision.look_backs import draw_look_backs
from patrol.supervision.models import SpotCheck

_Told = TypeVar("_Told")
_DISTRICT, _REACHES_DRAWN = "990100", 4
_CLEAN = {"water_clean": "yes", "bank_clean": "yes", "trace_of_the_problem": "no", "board_in_order": "yes"}
_DIRTY = _CLEAN | {"water_clean": "no", "trace_of_the_problem": "yes"}


def oversight_acts(told: Stories, stage: Stage) -> Iterator[Act]:
    """Yield what is done about issues beside their steps, and the look-backs that the worker draws each night."""
    shown = told.oversight
    for reply in shown.order_answers:
        yield _act(stage, reply.at, _answer_order, reply)
    for request in shown.extensions:
        yield from _asked_and_decided(stage, request, _ask_for_time, _decide_on_time)
    for request in shown.not_fixed:
        yield from _asked_and_decided(stage, request, _say_not_fixed, _decide_on_reopening)
    for part in shown.parts_done:
        yield _act(stage, part.at, _report_part, part)
    for check in shown.checks:
        yield _act(stage, check.chosen_at, _choose, check)
        if check.at:
            yield _act(stage, check.at, _visit, check)
    for follower in shown.followers:
        yield _act(stage, follower.at, _follow, follower)
    for draw_id, at in shown.drawn:
        yield Act(at, 5, partial(_draw, stage, draw_id))
    for issue_id, at, note in shown.watched:
        yield Act(at, 5, partial(_watch, stage, issue_id, note))
    for at in shown.nights:
        yield Act(at, 0, partial(_look_back, stage))


def _asked_and_decided(
    stage: Stage, request: Request, ask: Callable[[Stage, Request], None], decide_on: Callable[[Stage, Request], None]
) -> Iterator[Act]:
    yield _act(stage, request.at, ask, request)
    if request.decided_at:
        yield _act(stage, request.decided_at, decide_on, request)


def _act(stage: Stage, at: datetime, play: Callable[[Stage, _Told], None], told: _Told) -> Act:
    """Return an act whose refusal is told among what was skipped, as those of steps are."""

    def played() -> None:
        try:
            with db.session.begin_nested():
                play(stage, told)
        except Refusal as refusal:
            stage.skipped.append(f"{play.__name__}: {refusal.detail.en} {refusal.errors}")

    return Act(at, 5, played)


def _issue(stage: Stage, told_id: UUID) -> IssueRow:
    return db.session.get_one(IssueRow, stage.issue_ids[told_id])


def _answer_order(stage: Stage, reply: OrderAnswer) -> None:
    issue_id = stage.issue_ids[reply.issue_id]
    # The system's own orders may lie between: it is the supervisor who is answered.
    given = select(Order).where(Order.issue_id == issue_id, Order.by_id.is_not(None))
    order = db.session.scalars(given.order_by(Order.at.desc())).first()
    if order is None:
        return
    by = stage.actor_with_id(order.to_id)
    if reply.text:
        answer(order, by=by, text=reply.text)
    else:
        acknowledge(order, by=by)


def _ask_for_time(stage: Stage, request: Request) -> None:
    issue = _issue(stage, request.issue_id)
    assert issue.due_at
    ask_extension(
        issue_id=issue.id, by=stage.actor_with_id(issue.lead_id), until=issue.due_at + timedelta(days=request.days or 0),
        reason=request.reason, expected_version=None, timezone=stage.settings.timezone,
    )  # fmt: skip


def _decide_on_time(stage: Stage, request: Request) -> None:
    decide_extension(
        issue_id=stage.issue_ids[request.issue_id], n=1, by=stage.actors[request.decider], granted=request.granted,
        reason=request.answer, expected_version=None, timezone=stage.settings.timezone,
    )  # fmt: skip


def _say_not_fixed(stage: Stage, request: Request) -> None:
    complaint = db.session.get_one(Complaint, request.issue_id)
    say_not_fixed(
        complaint, issue_of(complaint, lock=True), reason=request.reason, photos=[], digest=digest_of_not_fixed(request.reason, []),
        days=stage.settings.not_fixed_days, timezone=stage.settings.timezone,
    )  # fmt: skip


def _decide_on_reopening(stage: Stage, request: Request) -> None:
    waiting = select(ReopeningRequest.id).where(ReopeningRequest.complaint_id == request.issue_id)
    decide(
        db.session.scalars(waiting).one(), by=stage.actors[request.decider], granted=request.granted, reason=request.answer,
        expected_version=None, **stage.place_and_time,
    )  # fmt: skip


def _report_part(stage: Stage, part: PartDone) -> None:
    issue_id = stage.issue_ids[part.issue_id]
    row = db.session.scalars(select(IssuePart).where(IssuePart.issue_id == issue_id).order_by(IssuePart.n)).first()
    if row is not None:
        report_part(
            issue_id=issue_id,
            n=row.n,
            by=stage.actor_with_id(row.person_id),
            note=part.note,
            photos=[],
            expected_version=None,
        )


def _choose(stage: Stage, check: Check) -> None:
    plan_check(
        by=stage.actors["supervisor"], id=check.id, issue_id=stage.issue_ids[check.issue_id], reach_id=None, reason=check.reason,
        assigned_to=None, due_on=(check.chosen_at + timedelta(days=10)).date(), today=clock.today(stage.settings.timezone),
    )  # fmt: skip


def _visit(stage: Stage, check: Check) -> None:
    by, issue = stage.actors["supervisor"], _issue(stage, check.issue_id)
    assert check.at
    finish_check(
        db.session.get_one(SpotCheck, check.id), by=by, result=check.result, sheet=_DIRTY if check.result == "relapsed" else _CLEAN,
        note=check.note, position=_standing_at(issue), recorded_at=check.at, photos=stage.recorded(check.photos, by),
        **stage.place_and_time,
    )  # fmt: skip


def _standing_at(issue: IssueRow) -> Position:
    """Return where somebody stands who looks at the place, a few steps beside it."""
    steps = (issue.serial % 7 + 1) * 1e-5
    return position_of(
        {"latitude": issue.latitude + steps, "longitude": issue.longitude - steps, "accuracy_m": 8.0, "datum": Datum.WGS84}
    )


def _follow(stage: Stage, follower: Follower) -> None:
    follow_issue(
        _issue(stage, follower.issue_id), follow_id=follower.id, contact={}, digest=content_digest({"id": follower.id}), language="zh",
        settings=stage.settings,
    )  # fmt: skip


def _draw(stage: Stage, draw_id: UUID) -> None:
    draw_checks(
        by=stage.actors["supervisor"], id=draw_id, region=_DISTRICT, count=_REACHES_DRAWN,
        today=clock.today(stage.settings.timezone), within_days=10,
    )  # fmt: skip


def _watch(stage: Stage, issue_id: UUID, note: str) -> None:
    watch(by=stage.actors["supervisor"], kind="issue", subject_id=_issue(stage, issue_id).id, note=note)


def _look_back(stage: Stage) -> None:
    today = clock.today(stage.settings.timezone)
    draw_look_backs(today, stage.settings.timezone, seed=sha256(f"demo {today}".encode()).hexdigest())

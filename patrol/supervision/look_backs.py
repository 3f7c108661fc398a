"""Look-backs: a share of what was closed is looked at again after some days, drawn by policy once a day."""

import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from patrol.foundation import clock, events
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.events import LookBackWaits
from patrol.issues.lifecycle import State
from patrol.issues.look_back_models import LookBackPolicy
from patrol.issues.models import Issue
from patrol.issues.policies import Dated, in_force
from patrol.supervision.drawing import is_drawn
from patrol.supervision.models import Draw, SpotCheck
from patrol.supervision.reasons import LOOK_BACK, OF_LOOK_BACK

HOUR_OF_TELLING = 8


@each_hour
def draw_look_backs_until_today() -> int:
    """Draw the look-backs of today and of each day since the last drawing; return how many there are to do.

    So the days on which no worker ran are drawn as well, each once: of two workers at one moment the second finds the row
    of the first. A new installation begins with today.
    """
    timezone = current_app.extensions["settings"].timezone
    today, found = clock.today(timezone), 0
    last = db.session.scalar(select(func.max(Draw.period)).where(Draw.kind == LOOK_BACK))
    first = min(date.fromisoformat(last) + timedelta(days=1), today) if last else today
    for number in range((today - first).days + 1):
        try:
            with transaction():
                found += draw_look_backs(first + timedelta(days=number), timezone, seed=secrets.token_hex(32), drawn_on=today)
        except IntegrityError:
            continue
    return found


@each_hour
def tell_when_day_has_begun() -> None:
    """Tell of late look-backs in the run at 8 o'clock local time: nobody is told at night."""
    local = clock.local(clock.now(), current_app.extensions["settings"].timezone)
    if local.hour == HOUR_OF_TELLING:
        with transaction():
            tell_of_late(local.date())


def tell_of_late(today: date) -> int:
    """Tell of each look-back that became late in the last week; return how many. What was told is not told again.

    A week is longer than a worker is usually away; what is late for longer was told.
    """
    late = db.session.scalars(select(SpotCheck).where(
        SpotCheck.kind == LOOK_BACK, SpotCheck.state == "open", SpotCheck.due_on < today, SpotCheck.due_on >= today - timedelta(days=7),
    )).all()  # fmt: skip
    for check in late:
        assert check.issue_id
        events.record(LookBackWaits(issue_id=check.issue_id, check_id=check.id, kind="late", due_on=check.due_on))
    return len(late)


def draw_look_backs(day: date, timezone: str, *, seed: str, drawn_on: date | None = None) -> int:
    """Draw among the issues that were closed so many days before `day` as the policy of their severity says.

    Drawn once a day whatever happens (a unique row). The seed is recorded with the candidates and those picked, so that
    anybody can draw again. They are due from the day on which they were really drawn. An issue that was reopened
    meanwhile is looked at anyway by whoever handles it. Where the policy waits another number of days than it did the day
    before, no closing is left out and none is drawn from twice.
    """
    if db.session.scalar(select(Draw.id).where(Draw.kind == LOOK_BACK, Draw.period == day.isoformat())) is not None:
        return 0
    draw = Draw(id=new_id(), kind=LOOK_BACK, period=day.isoformat(), region_id=None, seed=seed, facts={}, drawn_by_id=None, drawn_at=clock.now())
    db.session.add(draw)
    db.session.flush()
    facts, before = dict[str, Any](), _drawn_until(day - timedelta(days=1))
    for policy in policies_on(day):
        closed_on = day - timedelta(days=policy.after_days)
        closed_from = before.get(policy.severity, closed_on - timedelta(days=1)) + timedelta(days=1)
        closed_on = max(closed_on, closed_from - timedelta(days=1))
        candidates = _closed_between(closed_from, closed_on, policy.severity, timezone)
        picked = [issue for issue in candidates if is_drawn(seed, issue.id, policy.share_percent)]
        for issue in picked:
            check = _look_back(issue, draw.id, (drawn_on or day) + timedelta(days=policy.within_days))
            db.session.add(check)
            events.record(LookBackWaits(issue_id=issue.id, check_id=check.id, kind="drawn", due_on=check.due_on))
        facts[policy.severity] = {
            "share_percent": policy.share_percent, "closed_from": closed_from.isoformat(), "closed_on": closed_on.isoformat(),
            "candidates": [str(issue.id) for issue in candidates], "picked": [str(issue.id) for issue in picked],
        }  # fmt: skip
    draw.facts = {"by_severity": facts}
    return sum(len(row["picked"]) for row in facts.values())


def policies_on(day: date) -> Sequence[LookBackPolicy]:
    """Return the policy of each severity in force on a day: of those that have begun, the one that began last, unless that switches it off."""
    rows = db.session.scalars(select(LookBackPolicy).where(LookBackPolicy.withdrawn_at.is_(None)).order_by(LookBackPolicy.valid_from)).all()
    return in_force((Dated(row.severity, row.valid_from, row.enabled, row) for row in rows), day)


def _drawn_until(day: date) -> dict[str, date]:
    """Return by severity the last day whose closings the drawing of `day` drew from; none where that severity was not drawn."""
    facts: dict[str, Any] = db.session.scalar(select(Draw.facts).where(Draw.kind == LOOK_BACK, Draw.period == day.isoformat())) or {}
    return {severity: date.fromisoformat(row["closed_on"]) for severity, row in facts.get("by_severity", {}).items()}


def _closed_between(first: date, last: date, severity: str, timezone: str) -> Sequence[Issue]:
    """Return what was closed on the local days from `first` to `last` and still is; nothing where `last` lies before."""
    start, end = clock.beginning_of_day(first, timezone), clock.end_of_day(last, timezone)
    return db.session.scalars(
        select(Issue).where(
            Issue.state == State.CLOSED.value, Issue.severity == severity, Issue.closed_at >= start, Issue.closed_at < end
        ).order_by(Issue.id)
    ).all()  # fmt: skip


def _look_back(issue: Issue, draw_id: UUID, due_on: date) -> SpotCheck:
    return SpotCheck(
        id=new_id(), kind=LOOK_BACK, state="open", region_id=issue.region_id, reach_id=issue.reach_id, issue_id=issue.id,
        draw_id=draw_id, reason=OF_LOOK_BACK.zh, due_on=due_on, created_by_id=None, created_at=clock.now(), digest="", version=1,
    )  # fmt: skip

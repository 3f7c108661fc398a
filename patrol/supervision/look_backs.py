"""Look-backs: a share of what was closed is looked at again after some days, drawn by policy once a day."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db, new_id
from patrol.foundation.texts import Text
from patrol.foundation.transaction import transaction
from patrol.foundation.worker import each_hour
from patrol.issues.lifecycle import State
from patrol.issues.models import Issue
from patrol.supervision.drawing import is_drawn
from patrol.supervision.models import Draw, LookBackPolicy, SpotCheck

LOOK_BACK = "look_back"
_REASON = Text("结案后随机回头看", "Drawn at random after its closing")


@each_hour
def draw_look_backs_of_today() -> int:
    """Draw today's look-backs unless that was done; return how many there are to do."""
    timezone = current_app.extensions["settings"].timezone
    with transaction():
        return draw_look_backs(clock.today(timezone), timezone, seed=secrets.token_hex(32))


def draw_look_backs(today: date, timezone: str, *, seed: str) -> int:
    """Draw among the issues that were closed so many days before `today` as the policy of their severity says.

    Drawn once a day whatever happens (a unique row); the seed is recorded with the candidates' number, so that each
    choice can be computed again. An issue that was reopened meanwhile is looked at anyway by whoever handles it.
    """
    if db.session.scalar(select(Draw.id).where(Draw.kind == LOOK_BACK, Draw.period == today.isoformat())) is not None:
        return 0
    policies = policies_on(today)
    draw = Draw(id=new_id(), kind=LOOK_BACK, period=today.isoformat(), region_id=None, seed=seed, facts={}, drawn_by_id=None, drawn_at=clock.now())
    db.session.add(draw)
    db.session.flush()
    counted: dict[str, dict[str, float]] = {}
    for policy in policies:
        candidates = _closed_on(today - timedelta(days=policy.after_days), policy.severity, timezone)
        drawn = [issue for issue in candidates if is_drawn(seed, issue.id, policy.share_percent)]
        for issue in drawn:
            db.session.add(_look_back(issue, draw.id, today + timedelta(days=policy.within_days)))
        counted[policy.severity] = {"candidates": len(candidates), "drawn": len(drawn), "share_percent": policy.share_percent}
    draw.facts = {"by_severity": counted, "closed_before_days": {row.severity: row.after_days for row in policies}}
    return sum(int(row["drawn"]) for row in counted.values())


def policies_on(day: date) -> Sequence[LookBackPolicy]:
    """Return the policy of each severity in force on a day: of those that have begun, the one that began last."""
    rows = db.session.scalars(select(LookBackPolicy).where(LookBackPolicy.valid_from <= day).order_by(LookBackPolicy.valid_from)).all()
    return list({row.severity: row for row in rows}.values())


def _closed_on(day: date, severity: str, timezone: str) -> Sequence[Issue]:
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return db.session.scalars(
        select(Issue).where(
            Issue.state == State.CLOSED.value, Issue.severity == severity, Issue.closed_at >= start, Issue.closed_at < end
        ).order_by(Issue.id)
    ).all()  # fmt: skip


def _look_back(issue: Issue, draw_id: UUID, due_on: date) -> SpotCheck:
    return SpotCheck(
        id=new_id(), kind=LOOK_BACK, state="open", region_id=issue.region_id, reach_id=issue.reach_id, issue_id=issue.id,
        draw_id=draw_id, reason=_REASON.zh, due_on=due_on, created_by_id=None, created_at=clock.now(), digest="", version=1,
    )  # fmt: skip

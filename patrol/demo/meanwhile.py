"""What the worker did in the ninety days: late issues climbed in their hour, people heard of what concerned them, and read it, days were counted.

Otherwise it would make up for all of that in the minute after the load, and every letter would bear today's date.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from patrol.demo.phrases import ORDER_ANSWERS
from patrol.demo.stage import Act, Stage
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.issues.counting import count_past_days
from patrol.issues.escalating import escalate_some
from patrol.issues.escalation_models import Order
from patrol.issues.models import HistoryEntry
from patrol.issues.orders import acknowledge, answer
from patrol.notifications.actions import mark_read
from patrol.notifications.look_back_telling import tell as tell_of_look_back
from patrol.notifications.telling import tell
from patrol.patrols.examining import examine_patrol
from patrol.patrols.models import Patrol
from patrol.patrols.reminding import deliver_reminder, remind
from patrol.supervision.models import SpotCheck

SWEPT_EACH = timedelta(hours=1)
TOLD_DAYS = 14
"""For so many days before the load messages are there to be seen; the older ones are past."""
COUNTED_AFTER = timedelta(hours=1, minutes=5)
"""The worker's hour after a day has ended and settled."""
_TELLERS = {"notifications.tell": tell, "notifications.look_back": tell_of_look_back}
_AFTER_THE_MINUTE, _A_MOMENT = timedelta(seconds=20), timedelta(seconds=5)
_REMINDED_AT = timedelta(hours=8, minutes=5)
_SINCE_NIGHT = timedelta(hours=5)
_UNREAD_AT_FIRST = timedelta(hours=15)


def meanwhile_acts(stage: Stage, begun: datetime, midnight: datetime, now: datetime) -> Iterator[Act]:
    """Yield the worker's sweeps from the local midnight `begun` until `now`, and how leads read their orders until today's `midnight`."""
    moment = begun + _AFTER_THE_MINUTE
    while moment < now:
        yield Act(moment, 9, partial(_climb, stage))
        moment += SWEPT_EACH
    for days in range((midnight - begun).days):
        yield Act(begun + timedelta(days=days, hours=9, minutes=40), 9, partial(_read_orders, stage))


def tell_people(since: datetime) -> None:
    """Tell people of what was played, each at its moment; what lies before `since` counts as told. Commits."""
    with transaction():
        waiting = select(OutboxRow).where(OutboxRow.kind.in_(_TELLERS), OutboxRow.delivered_at.is_(None)).order_by(OutboxRow.id)
        rows = db.session.scalars(waiting).all()
        moments = _moments_of(rows)
        for row in sorted(rows, key=lambda row: moments[row.id]):
            row.created_at = row.available_at = moments[row.id]
            row.delivered_at = row.created_at + _A_MOMENT
            if row.created_at >= since:
                with clock.moved_clock(lambda moment=row.delivered_at: moment):  # type: ignore[misc]
                    _TELLERS[row.kind](row.payload)()


def _moments_of(rows: Sequence[OutboxRow]) -> dict[UUID, datetime]:
    """Return when that happened of which rows of the outbox, by their ids, are to tell."""
    issue_ids = {UUID(row.payload["issue_id"]) for row in rows if "seq" in row.payload}
    entries = select(HistoryEntry.issue_id, HistoryEntry.seq, HistoryEntry.at).where(HistoryEntry.issue_id.in_(issue_ids))
    check_ids = {UUID(row.payload["check_id"]) for row in rows if "check_id" in row.payload}
    checks = select(SpotCheck.id, SpotCheck.created_at).where(SpotCheck.id.in_(check_ids))
    moments: dict[Any, datetime] = {(str(issue_id), seq): at for issue_id, seq, at in db.session.execute(entries)}
    moments |= {str(check_id): at for check_id, at in db.session.execute(checks)}
    return {row.id: moments[row.payload.get("check_id") or (row.payload["issue_id"], row.payload["seq"])] for row in rows}


def remind_people(midnight: datetime, timezone: str) -> None:
    """Remind whoever had something left on the last Sunday before today's local `midnight`, in the morning as the worker does. Commits.

    What counts for a week is known of its patrols once they are examined: those of that one week are, which is most of
    what it costs. The worker examines the others after the load.
    """
    sunday = midnight - timedelta(days=midnight.isoweekday() % 7 or 7)
    morning = sunday + _REMINDED_AT
    with clock.moved_clock(lambda: morning):
        with transaction():
            walked = select(Patrol.id).where(Patrol.started_at >= sunday - timedelta(days=6), Patrol.ended_at <= morning).order_by(Patrol.started_at)
            for patrol_id in db.session.scalars(walked).all():
                examine_patrol({"patrol_id": str(patrol_id)})()
        remind(sunday.date(), timezone)
        with transaction():
            waiting = select(OutboxRow).where(OutboxRow.kind == "patrols.remind", OutboxRow.delivered_at.is_(None)).order_by(OutboxRow.id)
            for row in db.session.scalars(waiting).all():
                row.created_at, row.available_at, row.delivered_at = morning, morning, morning + _A_MOMENT
                deliver_reminder(row.payload)()


def read_messages(stage: Stage, evening: datetime) -> None:
    """Let everybody have read in the `evening` what came until some hours before it. Commits."""
    with transaction(), clock.moved_clock(lambda: evening):
        for actor in stage.actors.values():
            mark_read(by=actor, ids=None, until=evening - _UNREAD_AT_FIRST)


def count_days(begun: datetime, now: datetime) -> None:
    """Let the worker count each day since the local midnight `begun` in its hour; today's is not over. Commits."""
    moment = begun + COUNTED_AFTER
    while moment <= now:
        with clock.moved_clock(lambda at=moment: at):  # type: ignore[misc]
            count_past_days()
        moment += timedelta(days=1)


def _climb(stage: Stage) -> None:
    escalate_some(stage.settings.timezone)


def _read_orders(stage: Stage) -> None:
    """Let half of the leads read what the system ordered since yesterday, and a quarter answer it."""
    now = clock.now()
    sent = db.session.scalars(
        select(Order).where(Order.by_id.is_(None), Order.to_id.is_not(None), Order.at.between(now - timedelta(days=1), now - _SINCE_NIGHT))
        .options(joinedload(Order.issue)).order_by(Order.at, Order.issue_id)
    )  # fmt: skip
    for order in sent.all():
        chance = order.issue.serial % 4
        by = stage.actor_with_id(order.to_id)
        if chance == 0:
            answer(order, by=by, text=ORDER_ANSWERS[order.kind])
        elif chance < 3:
            acknowledge(order, by=by)

"""What the worker would have done in the demo's past is done in the past, and nothing of it in the minute of the load."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from patrol.demo.loading import import_registers, play
from patrol.demo.meanwhile import COUNTED_AFTER, SWEPT_EACH, TOLD_DAYS
from patrol.demo.partners import GIVEN_UP, HOTLINE
from patrol.demo.records import CHINA, Stories
from patrol.demo.stage import Stage
from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.issues.counting import count_again, count_past_days
from patrol.issues.escalating import escalate_all_due, plan_new_rungs
from patrol.issues.escalation_models import Escalation, Order
from patrol.issues.figure_models import DailyFigures
from patrol.issues.models import HistoryEntry
from patrol.notifications.models import Message, Webhook, WebhookDelivery
from patrol.patrols.duty_models import DutyReminder
from patrol.patrols.examination_models import Examination
from patrol.patrols.models import Patrol
from patrol.patrols.reminding import remind
from tests.demo.conftest import TODAY

NOON = datetime.combine(TODAY, time(12), CHINA)


@pytest.fixture
def played(database, test_settings, land, people, told, waterside):
    """The district with what is open and has been for long, without photos, as it is found at noon."""
    late = [
        replace(issue, photos=(), patrol_id=None, check_in_id=None) for issue in told.issues
        if issue.state in ("in_progress", "dispatched") and NOON - issue.recorded_at > timedelta(days=15)
        and not any(step.photos for step in issue.steps)
    ]  # fmt: skip
    with clock.moved_clock(lambda: NOON - timedelta(days=100)):
        import_registers(land, people)
        plan_new_rungs(test_settings.timezone)
    with clock.moved_clock(lambda: NOON):
        play(Stories((), tuple(late), (), (), ()), Stage(settings=test_settings, photos={}, waterside=waterside), TODAY)
        yield late


def test_what_followed_of_itself_happened_in_the_past(played):
    late_issues_climbed_in_their_hour_and_none_climbs_in_the_minute_of_the_load(played)
    people_and_systems_were_told_when_it_happened()
    days_were_counted_when_they_ended(played)
    who_had_patrols_left_was_reminded_on_sunday_morning()


def late_issues_climbed_in_their_hour_and_none_climbs_in_the_minute_of_the_load(played):
    reached = db.session.scalars(select(Escalation)).all()
    assert len(reached) > len(played)
    assert all(timedelta(0) <= row.at - row.planned_at <= SWEPT_EACH + timedelta(minutes=1) for row in reached)
    orders = db.session.scalars(select(Order).where(Order.rule.is_not(None))).all()
    assert "letter" in {order.kind for order in orders}
    assert {order.acknowledged_at is not None for order in orders} == {True, False}
    assert all(order.at < order.acknowledged_at < NOON for order in orders if order.acknowledged_at)
    assert escalate_all_due() == 0


def people_and_systems_were_told_when_it_happened():
    moments: dict[str, datetime] = {}
    for row in db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.issue_id, HistoryEntry.seq)):
        assert row.at >= moments.get(f"issue:{row.issue_id}:{row.seq - 1}", row.at), "a history is in the order of time"
        moments[f"issue:{row.issue_id}:{row.seq}"] = row.at
    messages = db.session.scalars(select(Message).where(Message.kind.not_like("duty.%"))).all()
    assert messages
    for message in messages:
        assert NOON - timedelta(days=TOLD_DAYS) <= message.created_at < NOON
        assert timedelta(0) <= message.created_at - moments[message.cause] < timedelta(minutes=1)
        assert message.read_at or message.created_at > NOON - timedelta(days=2)
    assert {webhook.id: webhook.disabled_at is not None for webhook in db.session.scalars(select(Webhook))}[HOTLINE]
    rows = {row.id: row for row in db.session.scalars(select(OutboxRow))}
    assert "notifications.tell" not in {row.kind for row in rows.values() if row.delivered_at is None}
    assert outbox.pending_and_stuck()[1] == GIVEN_UP
    for call in db.session.scalars(select(WebhookDelivery)):
        row = rows[call.outbox_id]
        assert (call.delivered_at is None) == (row.delivered_at is None)
        assert call.delivered_at or row.attempts == MOST_ATTEMPTS or row.available_at > NOON


def days_were_counted_when_they_ended(played):
    zone = "Asia/Shanghai"
    counted = {row.day: row.counted_at for row in db.session.scalars(select(DailyFigures))}
    first, last = min(counted), TODAY - timedelta(days=1)
    assert sorted(counted) == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for day, counted_at in counted.items():
        assert counted_at - clock.beginning_of_day(day + timedelta(days=1), zone) == COUNTED_AFTER
    received = db.session.scalar(select(func.sum(DailyFigures.received)))
    assert received == len([issue for issue in played if not issue.category.startswith("F")]) > 0
    assert count_past_days() == 0
    assert {changed for _, changed in count_again(first, last, zone)} == {0}


def who_had_patrols_left_was_reminded_on_sunday_morning():
    sunday = datetime(2026, 11, 15, 8, 5, tzinfo=CHINA)
    reminders = db.session.scalars(select(DutyReminder)).all()
    assert ("week", "last_day") in {(row.period, row.kind) for row in reminders}
    assert {(row.created_at, row.noticed_at) for row in reminders} == {(sunday, sunday)}
    messages = db.session.scalars(select(Message).where(Message.kind.like("duty.%"))).all()
    assert {message.cause for message in messages} == {f"duty:{row.id}" for row in reminders}
    assert {message.created_at for message in messages} == {sunday}
    assert all(message.read_at for message in messages)
    with clock.moved_clock(lambda: sunday):
        assert remind(sunday.date(), "Asia/Shanghai") == 0


def test_what_was_walked_in_a_week_is_examined_before_its_reminders(database, test_settings, land, people, told, waterside):
    sunday = datetime(2026, 11, 15, 8, 5, tzinfo=CHINA)
    week = [patrol for patrol in told.patrols if sunday - timedelta(days=6) < patrol.started_at < sunday - timedelta(hours=12)][:6]
    with clock.moved_clock(lambda: NOON - timedelta(days=100)):
        import_registers(land, people)
    with clock.moved_clock(lambda: NOON):
        play(Stories(tuple(week), (), (), (), ()), Stage(settings=test_settings, photos={}, waterside=waterside), TODAY)
    examined = dict(db.session.execute(select(Examination.patrol_id, Examination.examined_at)).all())
    assert examined == dict.fromkeys((patrol.id for patrol in week), sunday)
    reminded = set(db.session.scalars(select(DutyReminder.person_id).where(DutyReminder.period == "week")))
    counting = select(Patrol.person_id).join(Examination, Examination.patrol_id == Patrol.id).where(Examination.verdict.in_(["valid", "partial"]))
    assert set(db.session.scalars(counting)) - reminded, "who has done it is not reminded"

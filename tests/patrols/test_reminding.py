"""Reminders: when, once each, and where they show."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow
from patrol.patrols import reminding
from patrol.patrols.duty_models import DutyReminder
from patrol.patrols.duty_periods import PeriodKind, period_with
from patrol.patrols.reminding import HALF, LAST_DAY, kind_of_reminder, remind, remind_when_day_has_begun
from tests.patrols.walked import walked

ZONE = "Asia/Shanghai"
THURSDAY, SATURDAY = date(2026, 11, 19), date(2026, 11, 21)


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reaches = [build.reach(region=village), build.reach(region=village)]
        chief = build.person("chief", region=village)

    for reach in World.reaches:
        build.appointment(reach, World.chief)
    return World


def waiting():
    return db.session.query(OutboxRow).filter_by(kind="patrols.remind").count()


@given(st.sampled_from(PeriodKind), st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 9), st.integers(0, 9))
def test_nobody_is_reminded_before_the_half_or_of_nothing(kind, day, required, left):
    span = period_with(kind, day)
    found = kind_of_reminder(span, day, required=required, left=left)
    if left == 0:
        assert found is None
    elif day >= span.last - timedelta(1):
        assert found == LAST_DAY
    elif found == HALF:
        assert 2 * left >= required
        assert (day - span.first).days + 1 > (span.last - day).days
    assert kind_of_reminder(span, span.last + timedelta(1), required=required, left=left) is None


def test_half_a_week_and_the_day_before_its_end():
    span = period_with(PeriodKind.WEEK, THURSDAY)
    found = [kind_of_reminder(span, day, required=2, left=1) for day in span.days()]
    assert found == [None, None, None, HALF, HALF, LAST_DAY, LAST_DAY]
    assert kind_of_reminder(span, THURSDAY, required=3, left=1) is None


def test_each_person_and_period_once(world, signed_in):
    assert (remind(THURSDAY, ZONE), remind(THURSDAY, ZONE), waiting()) == (1, 0, 1)
    assert remind(THURSDAY + timedelta(1), ZONE) == 0
    assert (remind(SATURDAY, ZONE), remind(SATURDAY, ZONE), waiting()) == (1, 0, 2)
    client = signed_in(world.chief)
    assert client.get("me/reminders").json["items"] == []
    worker.deliver_due()
    half, last = sorted(client.get("me/reminders").json["items"], key=lambda row: row["kind"])
    assert (half["kind"], last["kind"]) == (HALF, LAST_DAY)
    assert (half["first_day"], half["last_day"], half["required"], half["left"]) == ("2026-11-16", "2026-11-22", 2, 2)
    assert {row["code"] for row in half["reaches"]} == {reach.code for reach in world.reaches}
    assert half["text"] == "本期（2026-11-16 至 2026-11-22）还需巡河 2 次，共需 2 次"


def test_whoever_has_done_it_is_left_alone(world):
    for reach in world.reaches:
        walked(world.chief, reach, "2026-11-17T08:00:00+08:00", (0, 1000))
    assert (remind(THURSDAY, ZONE), remind(SATURDAY, ZONE), waiting()) == (0, 0, 0)


def test_reminders_are_ones_own(world, signed_in, build):
    remind(SATURDAY, ZONE)
    worker.deliver_due()
    assert signed_in(build.person("office")).get("me/reminders").json["items"] == []


def test_delivering_again_changes_nothing(world):
    remind(SATURDAY, ZONE)
    worker.deliver_due()
    row = db.session.query(DutyReminder).one()
    seen = row.noticed_at
    reminding.deliver_reminder({"reminder_id": str(row.id)})()
    assert row.noticed_at == seen


def test_two_workers_at_one_moment_remind_once(world, monkeypatch):
    remind(SATURDAY, ZONE)
    monkeypatch.setattr(reminding, "_known", lambda _wanted: set())
    assert remind(SATURDAY, ZONE) == 0
    assert waiting() == 1


def test_the_table_itself_refuses_a_second(world):
    remind(SATURDAY, ZONE)
    row = db.session.query(DutyReminder).one()
    db.session.add(DutyReminder(person_id=row.person_id, period=row.period, first_day=row.first_day, last_day=row.last_day, kind=row.kind,
                                facts={}, created_at=row.created_at))
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize(("hour", "rows"), [(23, 0), (0, 1)], ids=["7 o'clock", "8 o'clock"])
def test_nobody_is_reminded_at_night(world, hour, rows):
    with clock.moved_clock(lambda: datetime(2026, 11, 20, hour, 59, tzinfo=UTC)):
        remind_when_day_has_begun()
    assert waiting() == rows

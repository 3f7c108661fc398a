"""Claims on rows of the outbox: they last as long as the work, hold what goes out together, and end with a dead worker."""

import subprocess
import sys
import time
from threading import current_thread

import pytest
from sqlalchemy import select

from patrol.foundation import claims, clock, outbox, worker
from patrol.foundation.claims import CLAIM
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow


def claimed_until(row_id):
    until = db.session.scalar(select(OutboxRow.claimed_until).where(OutboxRow.id == row_id))
    db.session.rollback()
    return until


def wait_for_claim(row_id, until):
    """Wait until a claim reaches as far as that; fail when it does not for a minute."""
    for _ in range(6_000):
        if claimed_until(row_id) >= until:
            return
        time.sleep(0.01)
    pytest.fail("the claim was not prolonged")


def test_a_delivery_that_takes_longer_than_a_claim_stays_its_worker_s(beside, monkeypatch):
    monkeypatch.setattr(claims, "PROLONGED_EACH_S", 0.01)
    row_id, passed = beside.put(), [clock.now()]
    with clock.moved_clock(lambda: passed[0]):
        beside.begin(row_id)
        for _ in range(5):
            passed[0] += CLAIM * 0.9
            wait_for_claim(row_id, passed[0] + CLAIM)
            assert worker.deliver_due() == 0
            assert not outbox.deliver(row_id)
        beside.end()
    assert beside.sent == ["one"]
    row = db.session.get_one(OutboxRow, row_id, populate_existing=True)
    assert (row.delivered_at, row.claimed_by, row.claimed_until) == (passed[0], None, None)


def test_a_sign_of_life_that_fails_is_given_again(beside, monkeypatch):
    monkeypatch.setattr(claims, "PROLONGED_EACH_S", 0.01)
    really, failed = claims.Claim._hold_until, []

    def away_at_first(claim, moment, ids, *conditions):
        if current_thread() is not beside.other and not failed:
            failed.append(1)
            raise ConnectionError
        return really(claim, moment, ids, *conditions)

    row_id, passed = beside.put(), [clock.now()]
    with clock.moved_clock(lambda: passed[0]):
        beside.begin(row_id)
        monkeypatch.setattr(claims.Claim, "_hold_until", away_at_first)
        passed[0] += CLAIM * 0.9
        wait_for_claim(row_id, passed[0] + CLAIM)
        beside.end()
    assert (failed, beside.sent) == ([1], ["one"])


def test_what_goes_out_with_another_row_is_that_worker_s_and_due_again_if_it_does_not(beside):
    row_id, others = beside.put("one"), [beside.put("two"), beside.put("three")]
    beside.along = others
    beside.begin(row_id)
    assert sorted(beside.taken) == sorted(others)
    assert worker.deliver_due() == 0
    assert [outbox.deliver(other) for other in others] == [False, False]
    beside.end()
    assert beside.sent == ["one"]
    assert worker.deliver_due() == 2, "the deliverer marked none of them"
    assert beside.sent == ["one", "two", "three"]


def test_what_another_worker_delivers_is_not_taken_along(app, beside):
    first, second, third = (beside.put(word) for word in ("one", "two", "three"))
    beside.begin(first)
    taken = []

    def prepare(payload):
        taken.extend(outbox.take_along([first, third]))
        return lambda: None

    outbox._deliverers["test"] = prepare
    assert outbox.deliver(second)
    assert taken == [third]
    beside.end()


KILLED = """
import sys, time
from uuid import UUID
from patrol.application import create_app
from patrol.foundation import outbox
from patrol.foundation.settings import Settings

def deliver(payload):
    outbox.take_along([UUID(row_id) for row_id in sys.argv[4:]])
    print("inside", flush=True)
    time.sleep(600)

app = create_app(Settings({"XUNHE_ENV": "test"}, data=sys.argv[1], uploads=sys.argv[1], database_url=sys.argv[2], log_level="ERROR"))
outbox._deliverers["test"] = deliver
with app.app_context():
    outbox.deliver(UUID(sys.argv[3]))
"""


def test_what_a_killed_process_had_claimed_is_delivered_by_another(beside, test_settings):
    row_id, other_id = beside.put("one"), beside.put("two")
    args = [str(test_settings.data), test_settings.database_url, str(row_id), str(other_id)]
    with subprocess.Popen([sys.executable, "-c", KILLED, *args], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "inside\n"
        assert worker.deliver_due() == 0
        process.kill()
    assert worker.deliver_due() == 0, "nobody can know yet"
    later = max(claimed_until(row_id), claimed_until(other_id))
    with clock.moved_clock(lambda: later):
        assert worker.deliver_due() == 2
    assert sorted(beside.sent) == ["one", "two"]
    assert outbox.pending_and_stuck() == (0, 0)

"""The outbox: written with the change, delivered at least once, visible when stuck."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from patrol.foundation import clock, outbox, worker
from patrol.foundation.claims import CLAIM
from patrol.foundation.database import db
from patrol.foundation.outbox import LONGEST_PAUSE, MOST_ATTEMPTS, OutboxRow, pause_after
from patrol.foundation.transaction import transaction
from tests.foundation.conftest import in_own_context


@pytest.fixture
def delivered(monkeypatch, database):
    """Register a deliverer for rows of kind "test"; it notes payloads, and fails while `fails` is set."""
    class Notes(list):
        fails = False

    notes = Notes()

    def deliverer(payload):
        if notes.fails:
            raise RuntimeError("no route")
        return lambda: notes.append(payload["word"])

    monkeypatch.setitem(outbox._deliverers, "test", deliverer)
    return notes


def put(word):
    with transaction():
        outbox.put("test", word=word)


def test_what_is_committed_is_delivered_once(delivered):
    put("one")
    assert worker.deliver_due() == 1
    assert worker.deliver_due() == 0
    assert delivered == ["one"]


def test_a_change_that_fails_leaves_no_row(delivered):
    with pytest.raises(RuntimeError), transaction():
        outbox.put("test", word="lost")
        raise RuntimeError
    assert outbox.pending_and_stuck() == (0, 0)


def test_a_failure_is_noted_and_tried_again_later(delivered):
    put("one")
    delivered.fails = True
    assert worker.deliver_due() == 0
    row = db.session.query(OutboxRow).one()
    assert (row.attempts, row.delivered_at) == (1, None)
    assert "no route" in row.last_error
    delivered.fails = False
    assert worker.deliver_due() == 0, "not before its pause is over"
    later = clock.now() + pause_after(1)
    with clock.moved_clock(lambda: later):
        assert worker.deliver_due() == 1
    assert delivered == ["one"]


def test_after_too_many_failures_a_row_is_stuck_and_counted(delivered):
    put("one")
    delivered.fails = True
    moment = clock.now()
    for attempt in range(MOST_ATTEMPTS):
        moment += pause_after(attempt)
        with clock.moved_clock(lambda moment=moment: moment):
            worker.deliver_due()
    assert outbox.pending_and_stuck() == (0, 1)


def test_a_row_that_was_handed_over_again_is_tried_no_more_than_it_is_said(delivered):
    put("one")
    delivered.fails = True
    row = db.session.query(OutboxRow).one()
    assert [outbox.deliver(row.id) for _ in range(2)] == [False, False]
    assert db.session.get_one(OutboxRow, row.id, populate_existing=True).attempts == 1, "not before its pause is over"
    moment = clock.now()
    for attempt in range(1, MOST_ATTEMPTS + 2):
        moment += pause_after(attempt)
        with clock.moved_clock(lambda moment=moment: moment):
            assert not outbox.deliver(row.id)
    assert db.session.get_one(OutboxRow, row.id, populate_existing=True).attempts == MOST_ATTEMPTS
    with transaction():
        outbox.try_again(row.id)
    delivered.fails = False
    assert outbox.deliver(row.id)


def test_pauses_grow_to_six_hours():
    pauses = [pause_after(attempts) for attempts in range(1, 30)]
    assert pauses[0] == timedelta(seconds=10)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_committed_rows_are_handed_to_the_queue_and_a_queue_that_is_away_loses_nothing(delivered, monkeypatch):
    handed = []
    monkeypatch.setattr(outbox, "_hand_over", [handed.extend])
    put("one")
    assert handed == [db.session.query(OutboxRow.id).scalar()]

    def away(ids):
        raise ConnectionError

    monkeypatch.setattr(outbox, "_hand_over", [away])
    put("two")
    assert worker.deliver_due() == 2


def test_nobody_can_put_what_nobody_delivers(database):
    with pytest.raises(LookupError), transaction():
        outbox.put("unheard of")


def test_what_another_worker_delivers_is_left_to_it(beside):
    row_id = beside.put()
    beside.begin(row_id)
    assert worker.deliver_due() == 0
    assert not outbox.deliver(row_id)
    beside.end()
    assert beside.sent == ["one"]
    assert outbox.deliver(row_id), "it is delivered now"


def test_a_row_whose_worker_died_is_due_again_and_what_that_one_says_later_counts_no_more(beside):
    row_id = beside.put()
    beside.fails = True
    beside.begin(row_id)
    later = clock.now() + CLAIM + timedelta(seconds=1)
    with clock.moved_clock(lambda: later):
        assert worker.deliver_due() == 1
        beside.end()
    assert beside.sent == ["one", "one"]
    row = db.session.get_one(OutboxRow, row_id, populate_existing=True)
    assert (row.attempts, row.last_error, row.delivered_at) == (0, None, later)


def test_two_workers_that_sweep_at_once_deliver_each_row_once(app, beside):
    ids = [beside.put(str(number)) for number in range(20)]
    gate = Barrier(2)

    def sweep():
        gate.wait(60)
        return [outbox.deliver(row_id) for row_id in ids]

    with ThreadPoolExecutor(2) as pool:
        for told in [pool.submit(in_own_context, app, sweep) for _ in range(2)]:
            told.result(60)
    assert sorted(beside.sent, key=int) == [str(number) for number in range(20)]
    assert outbox.pending_and_stuck() == (0, 0)


def test_the_threads_of_one_worker_deliver_in_turn(app, beside, monkeypatch):
    ids, under_way, most = [beside.put(str(number)) for number in range(6)], [], []

    def prepare(payload):
        under_way.append(payload["word"])
        most.append(len(under_way))
        time.sleep(0.02)
        under_way.remove(payload["word"])
        return lambda: None

    monkeypatch.setitem(outbox._deliverers, "test", prepare)
    with ThreadPoolExecutor(2) as pool:
        for part in [pool.submit(in_own_context, app, worker.deliver_rows, part) for part in (ids[:3], ids[3:])]:
            part.result(60)
    assert most == [1] * 6


def test_a_failure_uses_up_one_attempt_however_many_workers_sweep(app, beside):
    row_id = beside.put()
    beside.fails = True
    beside.begin(row_id)
    beside.end()
    assert not outbox.deliver(row_id)
    row = db.session.get_one(OutboxRow, row_id, populate_existing=True)
    assert (beside.sent, row.attempts) == (["one"], 1)


def test_a_row_that_is_delivered_already_leaves_no_read_open(app, beside):
    """On SQLite an open read keeps every other worker from committing: one that waits for its turn must hold none."""
    row_id = beside.put()
    assert outbox.deliver(row_id) is True
    assert outbox.deliver(row_id) is True
    assert not db.session().in_transaction()

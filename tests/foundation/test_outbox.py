"""The outbox: written with the change, delivered at least once, visible when stuck."""

from datetime import timedelta

import pytest

from patrol.foundation import clock, outbox, worker
from patrol.foundation.database import db
from patrol.foundation.outbox import LONGEST_PAUSE, MOST_ATTEMPTS, OutboxRow, pause_after
from patrol.foundation.transaction import transaction


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
    tried = [outbox.deliver(row.id) for _ in range(MOST_ATTEMPTS + 1)]
    assert not any(tried)
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

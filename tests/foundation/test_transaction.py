"""One commit: all or nothing, events inside, refusals that must leave a trace."""

from dataclasses import dataclass

import pytest
from sqlalchemy.exc import OperationalError

from patrol.foundation import events, outbox
from patrol.foundation.database import db, new_id, will_write
from patrol.foundation.errors import NotSignedIn, Unavailable
from patrol.foundation.texts import Text
from patrol.foundation.transaction import savepoint, transaction
from patrol.people.models import Region


@dataclass(frozen=True, kw_only=True)
class SomethingHappened(events.Event):
    code: str


def region(code):
    return Region(id=new_id(), code=code, name=code, level="county", path=f"/{code}/")


def codes():
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Region.code)))


def test_everything_or_nothing(database):
    with transaction():
        db.session.add(region("1"))
    with pytest.raises(ZeroDivisionError), transaction():
        db.session.add(region("2"))
        db.session.flush()
        raise ZeroDivisionError
    assert codes() == ["1"]


def test_subscribers_write_in_the_same_transaction(database, monkeypatch):
    monkeypatch.setattr(events, "_subscribers", {SomethingHappened: [lambda event: db.session.add(region(event.code))]})
    with transaction():
        events.record(SomethingHappened(code="7"))
    with pytest.raises(ZeroDivisionError), transaction():
        events.record(SomethingHappened(code="8"))
        raise ZeroDivisionError
    with transaction():
        pass
    assert codes() == ["7"]


def test_a_refusal_that_keeps_changes_commits_and_is_raised(database):
    class Counted(NotSignedIn):
        keeps_changes = True

    with pytest.raises(Counted), transaction():
        db.session.add(region("3"))
        raise Counted(Text("否", "no"))
    with pytest.raises(NotSignedIn), transaction():
        db.session.add(region("4"))
        raise NotSignedIn(Text("否", "no"))
    assert codes() == ["3"]


def test_a_database_that_is_away_is_a_503_and_not_a_crash(database):
    with pytest.raises(Unavailable) as refusal, transaction():
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))
    assert refusal.value.retry_after_s == 5


def test_only_inside_it_is_a_write_intended(database):
    assert not will_write.get()
    with transaction():
        assert will_write.get()
    assert not will_write.get()


def test_a_savepoint_that_fails_undoes_its_rows_events_and_outbox_only(database, monkeypatch):
    told = []
    monkeypatch.setattr(events, "_subscribers", {SomethingHappened: [told.append]})
    monkeypatch.setitem(outbox._deliverers, "test.kind", lambda _payload: lambda: None)
    with transaction():
        events.record(SomethingHappened(code="before"))
        with pytest.raises(ValueError), savepoint():
            events.record(SomethingHappened(code="inside"))
            outbox.put("test.kind")
            raise ValueError
        with savepoint():
            events.record(SomethingHappened(code="after"))
    assert [event.code for event in told] == ["before", "after"]
    assert db.session.query(outbox.OutboxRow).filter_by(kind="test.kind").count() == 0

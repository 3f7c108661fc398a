"""Rows past the session: they share the transaction's fate, are found after a flush, and a savepoint takes only its own."""

import pytest
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.appending import append, store
from patrol.foundation.database import db, new_id, reading
from patrol.foundation.transaction import savepoint, transaction
from patrol.issues.department_models import IssueSide
from patrol.issues.models import Issue
from patrol.people.models import Region


def region(code):
    return {"id": new_id(), "code": code, "name": code, "level": "county", "path": f"/{code}/"}


def codes():
    return sorted(db.session.scalars(select(Region.code)))


def test_it_is_there_after_the_commit_and_gone_after_a_failure(database):
    with transaction():
        append(Region, region("1"))
        append(Region, region("2"))
    with pytest.raises(ZeroDivisionError), transaction():
        append(Region, region("3"))
        raise ZeroDivisionError
    with transaction():
        append(Region, region("4"))
    assert codes() == ["1", "2", "4"]


def test_a_savepoint_that_fails_takes_only_what_was_appended_in_it(database):
    with transaction():
        append(Region, region("1"))
        with pytest.raises(ZeroDivisionError), savepoint():
            append(Region, region("2"))
            raise ZeroDivisionError
        with savepoint():
            append(Region, region("3"))
        append(Region, region("4"))
    assert codes() == ["1", "3", "4"]


def test_a_query_finds_it_once_something_changed_is_flushed(database):
    with transaction():
        append(Region, region("1"))
        db.session.add(Region(**region("2")))
        assert codes() == ["1", "2"]


def test_where_a_request_only_reads_it_is_refused(database):
    with reading(), pytest.raises(RuntimeError, match="writes=True"):
        append(Region, region("1"))


@pytest.mark.parametrize("returning", [True, False])
def test_a_new_object_is_stored_and_held(database, monkeypatch, returning, queries):
    # SQLite before 3.35 returns nothing from an INSERT.
    monkeypatch.setattr(db.engine.dialect, "insert_returning", returning and db.engine.dialect.insert_returning)
    now = clock.now()
    top = region("1")
    with transaction():
        append(Region, top)
    with transaction():
        issue = Issue(
            id=new_id(), state="submitted", category="C1", severity="general", source="citizen", description="x", latitude=30.0,
            longitude=120.0, raw_latitude=30.0, raw_longitude=120.0, datum="wgs84", recorded_at=now, received_at=now,
            region_id=top["id"], routing={}, due_at=now, due_rule={}, digest="", history_hash="",
        )
        append(IssueSide, {"issue_id": issue.id, "region_id": top["id"]})
        store(issue)
        assert (issue.serial, issue.findings, issue.is_joint, issue.accuracy_m) == (db.session.scalar(select(Issue.serial)), [], False, None)
        queries.clear()
        assert db.session.get(Issue, issue.id) is issue
        assert (issue.milestones, issue.department, issue.merged_into_id) == (None, None, None)
        assert queries == []
        issue.description = "y"
        store(issue)
    db.session.expire_all()
    assert (issue.description, issue.version, issue.milestones, issue.merged_into_id) == ("y", 1, None, None)
    assert db.session.scalars(select(IssueSide.region_id)).all() == [top["id"]]
    with reading(), pytest.raises(RuntimeError, match="writes=True"):
        store(Issue(id=new_id()))

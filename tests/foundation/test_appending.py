"""Rows past the session: they share the transaction's fate, are found after a flush, and a savepoint takes only its own."""

import pytest
from sqlalchemy import select

from patrol.foundation.appending import append
from patrol.foundation.database import db, new_id, reading
from patrol.foundation.transaction import savepoint, transaction
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

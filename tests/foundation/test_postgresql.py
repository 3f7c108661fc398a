"""PostgreSQL's driver: what a result says of its columns, and which plans are kept."""

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import NullPool, bindparam, create_engine, delete, select, text
from sqlalchemy.exc import DBAPIError

from patrol.foundation.database import db, insert_unless_there, new_id
from patrol.foundation.postgresql import LeanCursor, planned_once, standing_alone
from patrol.foundation.transaction import transaction
from patrol.people.models import Region
from tests.conftest import ENGINE

pytestmark = pytest.mark.skipif(ENGINE != "postgresql", reason="about psycopg's cursor and PostgreSQL's plans")


def test_results_describe_their_columns_as_the_driver_does(app):
    with app.app_context(), db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        with LeanCursor(raw) as ours, psycopg.Cursor(raw) as theirs:
            for cursor in (ours, theirs):
                cursor.execute("SELECT 1 AS 一, 'a'::text AS b, now()")
            told = [(column[0], column[1]) for column in theirs.description]
            assert [column[:2] for column in ours.description] == told
            assert (len(ours.description), ours.description[-1][0]) == (3, "now")
            assert [column[0] for column in ours.description[:2]] == ["一", "b"]
            with pytest.raises(IndexError):
                ours.description[3]
            ours.execute("SELECT 1 WHERE false")
            assert [column[0] for column in ours.description] == ["?column?"]
            ours.execute("SET LOCAL work_mem = '4MB'")
            assert ours.description is None
        assert type(raw.cursor()) is LeanCursor


def kept(connection):
    """Return how often each prepared statement of a connection was planned for its values, and how often not, by its text."""
    rows = connection.execute(text("SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements"))
    return {statement: (custom, generic) for statement, custom, generic in rows}


def test_only_what_is_planned_once_keeps_its_plan(app):
    by_code = select(Region.id).where(Region.code == bindparam("code"))
    with app.app_context(), db.engine.connect() as connection:
        for _ in range(9):
            connection.execute(planned_once(by_code), {"code": "330000"})
            connection.execute(by_code.limit(50), {"code": "330000"})
        [(statement, (custom, generic))] = [row for row in kept(connection).items() if "regions" in row[0]]
    assert "LIMIT" not in statement
    assert custom <= 5 < custom + generic == 9


def test_what_stands_alone_has_no_transaction_unless_one_has_begun(app):
    read = standing_alone(select(Region.id).limit(1))
    with app.app_context(), db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        connection.execute(read)
        assert (raw.pgconn.transaction_status, raw.autocommit) == (TransactionStatus.IDLE, False)
        with pytest.raises(DBAPIError):
            connection.execute(standing_alone(text("SELECT 1 / 0")))
        assert (raw.pgconn.transaction_status, raw.autocommit) == (TransactionStatus.IDLE, False)
        connection.execute(text("SELECT 1"))
        connection.execute(read)
        assert raw.pgconn.transaction_status == TransactionStatus.INTRANS


def test_a_row_alone_is_there_when_its_statement_returns_and_one_among_others_when_all_are(app):
    codes = ["alone1", "alone2", "alone3"]

    def region(code, **others):
        return {"id": new_id(), "code": code, "name": code, "level": "county", "parent_id": None, "path": f"/{code}/", "version": 1, **others}

    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as beside:
        def seen():
            return sorted(beside.execute(select(Region.code).where(Region.code.in_(codes))).scalars())

        try:
            first = region("alone1")
            with transaction():
                assert insert_unless_there(Region, first, alone=True)
                assert seen() == ["alone1"]
                assert not insert_unless_there(Region, region("alone2", id=first["id"]), alone=True)
                db.session.execute(select(Region.id))
                assert insert_unless_there(Region, region("alone3"), alone=True)
                assert seen() == ["alone1"]
            assert seen() == ["alone1", "alone3"]
        finally:
            beside.execute(delete(Region).where(Region.code.in_(codes)))


@pytest.mark.parametrize("send", [
    lambda client: client.get("/api/v1/public/statistics"), lambda client: client.get("/t/7K3D-0V9M-W2QH-5TXA"),
    lambda client: client.post("/api/v1/auth/login", json={"username": "nobody", "password": "nothing at all"}),
    lambda client: client.post("/api/v1/public/complaints", json={"category": "C1", "description": "垃圾", "board_code": "NONE"}),
], ids=["reads", "reads a page", "signs in", "writes"])
def test_one_request_fails_when_the_database_was_restarted_and_not_one_for_each_connection(app, send):
    client = app.test_client()
    with app.app_context():
        pooled = [db.engine.connect() for _ in range(5)]
        for connection in pooled:
            connection.execute(text("SELECT 1"))
        for connection in pooled:
            connection.close()
        # Not through the pool: a restarted server says nothing to it either.
        beside = create_engine(db.engine.url, poolclass=NullPool, paramstyle="pyformat")
        with beside.connect() as connection:
            connection.execute(text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
    answers = [send(client).status_code for _ in range(6)]
    assert answers.count(503) == 1
    assert answers[0] == 503

"""Migrations go up and down on this engine and give what the models say; what only reads writes nothing."""

import os
import re
from contextlib import nullcontext
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.runtime.migration import HeadMaintainer
from flask_migrate import downgrade, upgrade
from sqlalchemy import insert, inspect, select, text

from patrol.application import create_app
from patrol.foundation import clock
from patrol.foundation.database import db, held_while_reading, insert_unless_there, new_id, reading
from patrol.foundation.migrations import MIGRATIONS, applied_migration
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.settings import Settings
from patrol.foundation.transaction import transaction
from patrol.people.models import Region
from tests.builders import Builders
from tests.conftest import ENGINE, Client, close, fresh_server_database
from tests.evidence.camera import camera_jpeg


@pytest.fixture
def fresh_app(tmp_path):
    """An application on an empty database of this engine."""
    url = fresh_server_database(f"xunhe_fresh_{os.getpid()}") if ENGINE == "postgresql" else ""
    app = create_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path), uploads=str(tmp_path / "u"), database_url=url, log_level="ERROR"))
    with app.app_context():
        yield app
    close(app)


def test_up_down_and_up_again(fresh_app):
    upgrade(directory="migrations")
    assert "issues" in inspect(db.engine).get_table_names()
    downgrade(directory="migrations", revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade(directory="migrations")
    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _: (kind, name) != ("index", "ix_issues_words")
                   and not (kind == "table" and name.startswith("issue_words"))}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    assert differences == []


def test_rows_that_others_refer_to_outlive_each_migration_down_and_up(fresh_app):
    """SQLite rebuilds a table by dropping it: with references enforced that fails, or takes the rows that refer to it along."""
    upgrade(directory="migrations")
    build = Builders()
    person, reach = build.person("chief"), build.reach()
    build.appointment(reach, person)
    build.board(reach)
    caller, ids = Client(fresh_app.test_client(), build.token_of(person)), [new_id() for _ in range(4)]
    place = {"latitude": 29.6001, "longitude": 119.81, "recorded_at": "2026-11-20T08:30:00+08:00"}
    for reply in (
        caller.put(f"photos/{ids[0]}", data=camera_jpeg(), content_type="image/jpeg"),
        caller.put(f"patrols/{ids[1]}", json={"reach_ids": [str(reach.id)], "mode": "walk", "started_at": place["recorded_at"]}),
        caller.put(f"check-ins/{ids[2]}", json={**place, "patrol_id": str(ids[1]), "checklist": {}, "photos": [{"id": str(ids[0])}]}),
        caller.post("issues", json={**place, "id": str(ids[3]), "category": "C1", "description": "水面有漂浮物", "photo_ids": [str(ids[0])]}),
    ):
        assert reply.status_code == 201, reply.text
    db.session.remove()
    tables = ("regions", "people", "sign_ins", "tokens", "water_bodies", "reaches", "appointments", "signboards", "photos", "patrols",
              "patrol_reaches", "check_ins", "check_in_photos", "issues", "issue_photos", "issue_history")  # fmt: skip
    rows = rows_in(tables)
    assert min(rows.values()) > 0, rows
    sources = {path.name[:4]: path.read_text(encoding="utf-8") for path in sorted((MIGRATIONS / "versions").glob("*.py"))}
    steps = [(re.search(r'^down_revision = "(\d+)"', source, re.MULTILINE), number) for number, source in sources.items() if "batch_alter_table" in source]
    steps = [(follows[1], number) for follows, number in steps if follows]
    for move, targets in ((downgrade, [before for before, _ in reversed(steps)]), (upgrade, [after for _, after in steps])):
        for target in targets:
            move(directory="migrations", revision=target)
            assert rows_in(rows) == rows, (move.__name__, target)
    downgrade(directory="migrations", revision="base")
    upgrade(directory="migrations")
    with db.engine.connect() as connection:
        assert ENGINE != "sqlite" or connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def rows_in(tables):
    with db.engine.connect() as connection:
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in tables}


def test_a_migration_that_breaks_a_reference_is_undone(fresh_app, monkeypatch, caplog):
    if ENGINE != "sqlite":
        pytest.skip("PostgreSQL enforces references while it migrates, and rebuilds no table")
    upgrade(directory="migrations", revision="0046")
    build = Builders()
    build.appointment(build.reach(), build.person("chief"))
    db.session.remove()
    note = HeadMaintainer.update_to_step

    def losing(self, step):
        note(self, step)
        self.context.connection.exec_driver_sql("DELETE FROM reaches")

    monkeypatch.setattr(HeadMaintainer, "update_to_step", losing)
    with pytest.raises(SystemExit):
        upgrade(directory="migrations")
    assert "appointments -> reaches" in caplog.text
    assert (applied_migration(), rows_in(["reaches"])) == ("0046", {"reaches": 1})


def test_what_could_not_be_told_of_late_parts_is_tried_again(fresh_app):
    upgrade(directory="migrations", revision="0032")
    now, errors, ids = clock.now(), ("KeyError('planned_at')", "OSError('away')"), [new_id(), new_id()]
    with transaction():
        for row_id, error in zip(ids, errors, strict=True):
            # By its columns of then.
            db.session.execute(insert(OutboxRow).values(
                id=row_id, kind="notifications.tell", payload={}, created_at=now, available_at=now + timedelta(hours=6),
                attempts=MOST_ATTEMPTS, last_error=error))  # fmt: skip
    upgrade(directory="migrations")
    untold, other = (db.session.get_one(OutboxRow, row_id) for row_id in ids)
    assert (untold.attempts, untold.available_at) == (0, now)
    assert other.attempts == MOST_ATTEMPTS


def in_transaction(connection) -> bool:
    raw = connection.connection.dbapi_connection
    return raw.in_transaction if ENGINE == "sqlite" else raw.info.transaction_status.name == "INTRANS"


def test_what_only_reads_begins_no_transaction_and_what_writes_does(app):
    with app.app_context():
        for begin, begins in ((reading, False), (transaction, True), (nullcontext, True)):
            with begin():
                db.session.execute(text("SELECT 1"))
                assert in_transaction(db.session.connection()) is begins
            db.session.rollback()


def test_a_connection_may_ask_for_a_level_of_its_own(app):
    if ENGINE != "postgresql":
        pytest.skip("about PostgreSQL")
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM register_version"))
        assert not in_transaction(connection)


def test_a_transaction_that_follows_a_read_can_be_rolled_back(app):
    with app.app_context():
        with reading():
            assert db.session.scalar(select(Region.id)) is None
        with pytest.raises(ZeroDivisionError), transaction():
            db.session.add(a_region())
            db.session.flush()
            raise ZeroDivisionError
        with reading():
            assert db.session.scalar(select(Region.id)) is None
        db.session.rollback()


def test_what_only_reads_writes_no_changed_object(database):
    with reading():
        db.session.add(a_region())
        with pytest.raises(RuntimeError, match="writes=True"):
            db.session.flush()
    db.session.expunge_all()
    assert db.session.scalar(select(Region.id)) is None


def test_a_row_is_inserted_unless_its_key_is_taken(database):
    values = {"id": new_id(), "code": "1", "name": "清溪区", "level": "county", "path": "/1/", "version": 1}
    with transaction():
        assert insert_unless_there(Region, values)
    with transaction():
        assert not insert_unless_there(Region, values | {"name": "别处"})
    assert db.session.scalars(select(Region.name)).all() == ["清溪区"]


def a_region() -> Region:
    return Region(id=new_id(), code="1", name="清溪区", level="county", path="/1/")


def test_what_is_held_while_reading_is_forgotten_with_it():
    assert held_while_reading() is None
    with reading():
        held_while_reading()["subtree"] = 1
        assert held_while_reading() == {"subtree": 1}
        with reading():
            assert held_while_reading() == {}
        assert held_while_reading() == {"subtree": 1}
    assert held_while_reading() is None

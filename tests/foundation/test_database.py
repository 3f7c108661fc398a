"""Migrations go up and down on this engine and give what the models say; SQLite writes durably and in turn."""

import os
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from patrol.application import create_app
from patrol.foundation.database import WriterQueue, db
from patrol.foundation.settings import Settings
from tests.conftest import ENGINE, fresh_server_database


@pytest.fixture
def fresh_app(tmp_path):
    """An application on an empty database of this engine."""
    url = fresh_server_database(f"xunhe_fresh_{os.getpid()}") if ENGINE == "postgresql" else ""
    app = create_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path), uploads=str(tmp_path / "u"), database_url=url, log_level="ERROR"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_up_down_and_up_again(fresh_app):
    upgrade(directory="migrations")
    assert "issues" in inspect(db.engine).get_table_names()
    downgrade(directory="migrations", revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade(directory="migrations")
    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _: (kind, name) != ("index", "ix_issues_words")}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    assert differences == []


def test_sqlite_writes_survive_a_loss_of_power(app):
    if ENGINE != "sqlite":
        pytest.skip("about SQLite")
    with app.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_writers_come_one_after_another(tmp_path):
    inside, most = [], []

    def write(queue):
        for _ in range(20):
            queue.enter()
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.0005)
            inside.pop()
            queue.leave()

    queues = [WriterQueue(tmp_path / "lock") for _ in range(2)]  # as two processes would have
    threads = [threading.Thread(target=write, args=(queues[index % 2],)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 120

"""SQLite's writers are durable and come one after another."""

import threading
import time

import pytest

from patrol.foundation.database import db
from patrol.foundation.sqlite import WriterQueue
from tests.conftest import ENGINE


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

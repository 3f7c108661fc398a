"""What SQLite needs to be durable, and its writers to come one after another."""

import fcntl
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from patrol.foundation.database import only_reads, will_write

# SQLite below this version can corrupt a WAL database when two connections write and checkpoint at once.
FIRST_SAFE_WAL = (3, 51, 3)


def journal_mode() -> str:
    """Return the journal mode that this machine's SQLite can be trusted with: WAL only from 3.51.3 on."""
    return "WAL" if sqlite3.sqlite_version_info >= FIRST_SAFE_WAL else "TRUNCATE"


class WriterQueue:
    """Lets the writers of all processes come one after another, instead of colliding in SQLite's busy handler.

    SQLite makes a writer that finds the database locked sleep and try again, which starves some of them for
    seconds under load. A lock file is short, always released (by the kernel when a process dies) and wakes the next.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._threads, self._file = path, threading.Lock(), -1

    def enter(self) -> None:
        """Wait until this thread is the only writer of all processes."""
        self._threads.acquire()
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def leave(self) -> None:
        """Let the next writer in."""
        os.close(self._file)
        self._threads.release()


def prepare_sqlite(engine: Engine, queue: WriterQueue) -> None:
    """Make `engine` begin transactions when told, write durably, and queue writers fairly.

    Python's sqlite3 driver otherwise starts transactions late and breaks savepoints. A transaction that will write
    begins IMMEDIATE: one that reads first and writes later would fail at once when somebody else wrote in between.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_mode = {journal_mode()}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -32768")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if not will_write.get():
            if not only_reads.get():
                connection.exec_driver_sql("BEGIN")
            return
        queue.enter()
        connection.info["queue"] = queue
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    # The events for commit and rollback fire before the statement is sent. The queue is left when the connection
    # goes back to the pool, which comes after it in every case, errors included.
    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        entered = record.info.pop("queue", None)
        if entered is not None:
            entered.leave()

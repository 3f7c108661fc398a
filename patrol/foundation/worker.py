"""The worker: huey on a SQLite file, or on Redis by setting. It is fed by the outbox and can be lost without loss."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from uuid import UUID

import structlog
from flask import Flask
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from patrol.foundation import clock, outbox
from patrol.foundation.claims import CLAIM
from patrol.foundation.database import db
from patrol.foundation.migrations import lacks_migrations, tell_unmigrated
from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.sqlite import journal_mode
from patrol.foundation.texts import Text

log = structlog.get_logger()
_hourly: list[Callable[[], Any]] = []
_minutely: list[Callable[[], Any]] = []
# One at a time in a process: some of them decode photos, and one of those takes up to 80 MB.
_delivering = Lock()
# Rows written meanwhile that go before each row of a backlog.
FRESH_BETWEEN = 10
_UNWRITABLE = Text(
    "XUNHE_DATA 指定的文件夹 {folder} 不可写：请将其所有者改为用户 {user}（chown {user} 该文件夹），或换一个文件夹。",
    "XUNHE_DATA: nothing can be written in the folder {folder}. Give it to user {user} (chown {user}), or name another folder.",
)  # fmt: skip


def each_hour(job: Callable[[], Any]) -> Callable[[], Any]:
    """Register the decorated function as a job that the worker runs every hour; it must bear being run again."""
    if job not in _hourly:
        _hourly.append(job)
    return job


def each_minute(job: Callable[[], Any]) -> Callable[[], Any]:
    """Register the decorated function as a job that the worker runs every minute; it must be cheap when there is nothing."""
    if job not in _minutely:
        _minutely.append(job)
    return job


def run_hourly_jobs() -> None:
    """Run the hourly jobs; one that fails is logged and keeps none of the others back."""
    _run(_hourly)


def run_jobs_of_the_minute() -> None:
    """Run the jobs of every minute, as `run_hourly_jobs` does."""
    _run(_minutely)


def _run(jobs: list[Callable[[], Any]]) -> None:
    for job in jobs:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - its next minute or hour tries again, and what it derives from is stored
            log.warning("job_failed", job=job.__name__, error=repr(error))
        finally:
            db.session.rollback()


def open_queue(settings: Settings) -> Huey:
    """Return the queue: Redis when set, else a SQLite file in the data folder. Raises UnusableSetting when nothing can be written there."""
    if settings.redis_url:
        return RedisHuey("xunhe", url=settings.redis_url, results=False)
    _refuse_unwritable(settings.data)
    try:
        return _queue_in_file(settings)
    except sqlite3.DatabaseError:
        if not drop_broken_queue(settings):
            raise
        return _queue_in_file(settings)


def _refuse_unwritable(data: Path) -> None:
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
    if not (data.is_dir() and os.access(data, os.W_OK | os.X_OK)):
        words = _UNWRITABLE.format(folder=data, user=os.getuid())
        raise UnusableSetting(f"{words.zh}\n{words.en}")


def _queue_in_file(settings: Settings) -> Huey:
    # What is in the queue stands in the outbox too, so that no request waits for the disk because of it.
    return SqliteHuey(
        "xunhe", filename=str(settings.data / "queue.db"), results=False, journal_mode=journal_mode().lower(), fsync=False
    )


def drop_broken_queue(settings: Settings) -> bool:
    """Remove the queue's file when a power cut has left it unreadable; tell whether it was. Its work is in the outbox."""
    path = settings.data / "queue.db"
    if settings.redis_url or not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            is_sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        # Busy, or a disk that fails: no word on what is in the file.
        return False
    except sqlite3.DatabaseError:
        is_sound = False
    if not is_sound:
        log.warning("queue_was_broken", file=str(path))
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return not is_sound


def connect_worker(app: Flask, settings: Settings) -> Huey:
    """Give the app a queue, and the queue its tasks: deliver given outbox rows, sweep up those left over, hourly jobs."""
    queue = open_queue(settings)

    @queue.task(name="deliver")  # type: ignore[untyped-decorator]
    def deliver(ids: list[str]) -> None:
        with app.app_context():
            deliver_rows([UUID(row_id) for row_id in ids])

    @queue.periodic_task(crontab(minute="*"), name="sweep")  # type: ignore[untyped-decorator]
    def sweep() -> None:
        with app.app_context():
            if not tell_unmigrated():
                deliver_due()
                run_jobs_of_the_minute()

    @queue.periodic_task(crontab(minute="5"), name="hourly")  # type: ignore[untyped-decorator]
    def hourly() -> None:
        with app.app_context():
            if not lacks_migrations():
                run_hourly_jobs()

    outbox.hand_over_with(lambda ids: deliver([str(row_id) for row_id in ids]) and None)
    app.extensions["queue"] = queue
    return queue


def deliver_due(limit: int = 500) -> int:
    """Deliver everything that is due now, in this process; return how many rows were delivered."""
    ids = outbox.due_rows(limit)
    db.session.rollback()
    return deliver_rows(ids)


def deliver_rows(ids: Sequence[UUID]) -> int:
    """Deliver rows in the given order, and before each next one what was written meanwhile; return how many were delivered.

    For what was written just now somebody waits, for a backlog nobody any more. Only so many fresh rows go before each of
    the others, so that a stream of them keeps none back for good.
    """
    began, delivered = clock.now(), 0
    for row_id in ids:
        delivered += _deliver(row_id)
        fresh = outbox.due_rows(FRESH_BETWEEN, written_after=began)
        db.session.rollback()
        delivered += sum(_deliver(fresh_id) for fresh_id in fresh)
    return delivered


def _deliver(row_id: UUID) -> bool:
    with _delivering:
        return outbox.deliver(row_id)


def deliver_left_over(app: Flask) -> None:
    """Deliver all that an earlier worker left behind, and at last what it was killed at, whose claim is over by then.

    Beside the consumer, whoever claims a row first delivers it.
    """
    with app.app_context():
        for wait_s in (0.0, CLAIM.total_seconds()):
            time.sleep(wait_s)
            while deliver_due():
                log.info("delivered_left_over_rows")


def deliver_left_over_beside(app: Flask) -> Thread:
    """Let a thread deliver what was left over, and return it; what goes wrong is logged, and the sweep tries again."""

    def run() -> None:
        try:
            deliver_left_over(app)
        except Exception as error:  # noqa: BLE001 - the sweep of the next minute tries again
            log.warning("left_over_rows_wait", error=repr(error))

    thread = Thread(target=run, daemon=True)
    thread.start()
    return thread


def consumer_of(app: Flask) -> Consumer:
    """Return what takes the queue empty and runs the jobs of the minute and the hour; a broken queue is made anew first."""
    queue: Huey = app.extensions["queue"]
    if drop_broken_queue(app.extensions["settings"]):
        queue.storage.initialize_schema()
    return queue.create_consumer(workers=1, worker_type="thread", periodic=True, check_worker_health=True)


def run_worker(app: Flask) -> None:
    """Run the worker until it is told to stop. It sweeps up what an earlier one left behind, too."""
    consumer = consumer_of(app)
    deliver_left_over_beside(app)
    consumer.run()


def queue_answers(queue: Huey) -> bool:
    """Tell whether the queue can be reached."""
    try:
        queue.pending_count()
    except Exception as error:  # noqa: BLE001 - whatever the queue's library raises means the same: not reachable
        log.warning("queue_away", error=str(error))
        return False
    return True

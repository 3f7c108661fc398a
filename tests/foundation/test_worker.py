"""The worker's queue on both stores: what is committed is queued, run, and found again when the queue forgets it."""

import gc
import sqlite3
import warnings
from datetime import timedelta
from types import SimpleNamespace

import pytest

from patrol.foundation import clock, outbox, worker
from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.transaction import transaction


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """Close whatever queues a test opens."""
    opened, open_queue = [], worker.open_queue

    def noted(settings):
        opened.append(open_queue(settings))
        return opened[-1]

    monkeypatch.setattr(worker, "open_queue", noted)
    yield
    for queue in opened:
        queue.storage.close()
    # What huey had open on a file that it could not use is nobody's to close.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def queue(request, app, database, tmp_path, monkeypatch):
    """A fresh queue whose tasks run in this test's database."""
    monkeypatch.setattr(outbox, "_hand_over", [])
    monkeypatch.setitem(app.extensions, "queue", app.extensions["queue"])
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings = Settings({"XUNHE_ENV": "test"}, data=str(tmp_path), redis_url=url)
    queue = worker.connect_worker(app, settings)
    queue.flush()
    yield queue
    queue.flush()


@pytest.fixture
def delivered(monkeypatch):
    words = []
    monkeypatch.setitem(outbox._deliverers, "test", lambda payload: lambda: words.append(payload["word"]))
    return words


def run_all(queue):
    while (task := queue.dequeue()) is not None:
        queue.execute(task)


def test_a_committed_row_is_queued_and_delivered_once(queue, delivered):
    with transaction():
        outbox.put("test", word="one")
    assert queue.pending_count() == 1
    run_all(queue)
    assert delivered == ["one"]
    assert worker.deliver_due() == 0


def test_a_queue_that_forgets_loses_nothing(queue, delivered):
    with transaction():
        outbox.put("test", word="one")
    queue.flush()
    run_all(queue)
    assert delivered == []
    assert worker.deliver_due() == 1
    assert delivered == ["one"]


@pytest.fixture
def writing(monkeypatch):
    """Register a deliverer of rows of kind "test" that notes words, and writes for some of them further rows as a request does."""
    class Notes(list):
        writes = {}

    notes = Notes()

    def deliverer(payload):
        for word in notes.writes.get(payload["word"], ()):
            with transaction():
                outbox.put("test", word=word)
        return lambda: notes.append(payload["word"])

    monkeypatch.setitem(outbox._deliverers, "test", deliverer)
    return notes


def test_what_is_written_meanwhile_goes_before_the_rest_of_a_backlog(queue, writing):
    writing.writes = {"old 1": ["photo"], "photo": ["finding"]}
    with transaction():
        for number in (1, 2, 3):
            outbox.put("test", word=f"old {number}")
    run_all(queue)
    assert writing == ["old 1", "photo", "old 2", "finding", "old 3"]


def test_a_stream_of_fresh_rows_keeps_no_backlog_back(queue, writing):
    writing.writes = {"old 1": [f"fresh {number}" for number in range(worker.FRESH_BETWEEN + 1)]}
    with transaction():
        for number in (1, 2):
            outbox.put("test", word=f"old {number}")
    queue.flush()
    worker.deliver_due()
    assert writing.index("old 2") == worker.FRESH_BETWEEN + 1


def test_a_fresh_row_that_failed_waits_with_the_others(queue, writing, monkeypatch):
    tried = []
    fail = lambda payload: tried.append(payload["word"]) or 1 / 0  # noqa: E731
    monkeypatch.setitem(outbox._deliverers, "bad", fail)
    monkeypatch.setattr(outbox, "pause_after", lambda _attempts: timedelta(0))
    began = clock.now()
    with transaction():
        outbox.put("bad", word="fresh")
    queue.flush()
    worker.deliver_due()
    assert tried == ["fresh"]
    assert outbox.due_rows(written_after=began) == []
    assert len(outbox.due_rows()) == 1


def test_a_queue_that_is_away_shows_in_readiness(another_app, tmp_path):
    app = another_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path), redis_url="redis://127.0.0.1:1/0", log_level="CRITICAL"))
    assert not worker.queue_answers(app.extensions["queue"])


def test_hourly_jobs_run_and_one_that_fails_keeps_none_back(queue, monkeypatch):
    ran = []
    monkeypatch.setattr(worker, "_hourly", [])
    worker.each_hour(lambda: 1 / 0)
    job = worker.each_hour(lambda: ran.append("second"))
    worker.each_hour(job)
    hourly = [task for task in queue._registry.periodic_tasks if task.name == "hourly"]
    assert len(hourly) == 1
    queue.execute(hourly[0])
    assert ran == ["second"]


def test_a_worker_that_finds_its_queue_broken_has_one_that_works(tmp_path):
    settings = Settings({"XUNHE_ENV": "test", "XUNHE_DATA": str(tmp_path)})
    queue, path = worker.open_queue(settings), tmp_path / "queue.db"
    path.write_bytes(path.read_bytes()[:-4096] + b"\xff" * 4096)
    worker.consumer_of(SimpleNamespace(extensions={"settings": settings, "queue": queue}))
    assert queue.pending_count() == 0


def test_a_data_folder_in_which_nothing_can_be_written_is_refused_by_its_setting(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(worker.os, "access", lambda path, _mode: path.name != "other")
    for name in ("file", "other"):
        with pytest.raises(UnusableSetting, match=f"XUNHE_DATA: .*{name}"):
            worker.open_queue(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path / name)))


def test_a_queue_that_is_busy_is_not_thrown_away(tmp_path, monkeypatch):
    settings = Settings({"XUNHE_ENV": "test", "XUNHE_DATA": str(tmp_path)})
    worker.open_queue(settings)

    def busy(*_args):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(sqlite3, "connect", busy)
    assert not worker.drop_broken_queue(settings)
    assert (tmp_path / "queue.db").exists()


def test_a_queue_without_a_head_is_made_anew_when_it_is_opened(tmp_path):
    settings = Settings({"XUNHE_ENV": "test", "XUNHE_DATA": str(tmp_path)})
    worker.open_queue(settings)
    path = tmp_path / "queue.db"
    path.write_bytes(b"\xff" * 200 + path.read_bytes()[200:])
    assert worker.open_queue(settings).pending_count() == 0


def test_a_queue_that_a_power_cut_broke_is_made_anew(tmp_path):
    settings = Settings({"XUNHE_ENV": "test", "XUNHE_DATA": str(tmp_path)})
    assert not worker.drop_broken_queue(settings)
    assert worker.open_queue(settings).pending_count() == 0
    assert not worker.drop_broken_queue(settings)
    path = tmp_path / "queue.db"
    path.write_bytes(path.read_bytes()[:50] + b"\xff" * 5000)
    assert worker.drop_broken_queue(settings)
    assert worker.open_queue(settings).pending_count() == 0

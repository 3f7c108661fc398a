"""The background worker among gunicorn's processes; what becomes of them when one is killed is proof W2 of `tests/soak`."""

import os
import runpy
import subprocess
import sys
from types import SimpleNamespace

import gunicorn.util
import gunicorn.workers.base
import pytest
from gunicorn.config import Config

from patrol.foundation import background, worker


def process(age=1):
    return background.Process(age, os.getpid(), [], None, 30, Config(), None)


@pytest.fixture(autouse=True)
def no_file_of_beats(monkeypatch):
    """These processes are never forked."""
    monkeypatch.setattr(gunicorn.workers.base, "WorkerTmp", lambda _configuration: None)


@pytest.fixture
def configuration(monkeypatch):
    """Return a function that reads gunicorn.conf.py under some settings."""

    def read(**settings):
        monkeypatch.setattr(gunicorn.util, "write_error", gunicorn.util.write_error)
        monkeypatch.setenv("XUNHE_ENV", "test")
        for name, value in settings.items():
            monkeypatch.setenv(f"XUNHE_{name}", value)
        return runpy.run_path("gunicorn.conf.py")

    return read


def forked(configuration, number):
    """The processes that a master makes, one after another."""
    master = SimpleNamespace(WORKERS={})
    for age in range(1, number + 1):
        configuration["pre_fork"](master, made := process(age))
        master.WORKERS[age] = made
    return master


def test_one_process_more_than_the_web_needs_is_the_background_worker(configuration):
    read = configuration(BACKGROUND="1", WORKERS="3")
    assert read["workers"] == 4
    assert [made.is_background for made in forked(read, 4).WORKERS.values()] == [True, False, False, False]


def test_all_processes_serve_where_the_background_worker_runs_by_itself(configuration):
    read = configuration(BACKGROUND="0", WORKERS="3")
    assert read["workers"] == 3
    assert not any(made.is_background for made in forked(read, 3).WORKERS.values())


def test_the_successor_of_a_lost_background_worker_is_the_next_one(configuration):
    read = configuration(BACKGROUND="1")
    master = forked(read, 3)
    del master.WORKERS[1]
    read["pre_fork"](master, successor := process(4))
    assert successor.is_background


def test_gunicorn_takes_web_processes_away_before_the_background_worker(configuration):
    master = forked(configuration(BACKGROUND="1"), 3)
    assert max(master.WORKERS.values(), key=lambda made: made.age).is_background


def test_a_background_worker_that_fails_ends_after_a_pause(monkeypatch):
    slept = []
    monkeypatch.setattr(background.time, "sleep", slept.append)
    failing = process()
    failing.is_background, failing.wsgi = True, None
    monkeypatch.setattr(failing, "_deliver", lambda _app: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failing.run()
    assert slept == [background.PAUSE_AFTER_FAILURE_S]


def test_rows_left_over_that_cannot_be_delivered_now_wait_for_the_sweep(monkeypatch):
    events = []
    monkeypatch.setattr(worker, "log", SimpleNamespace(warning=lambda event, **_facts: events.append(event)))
    monkeypatch.setattr(worker, "deliver_left_over", lambda _app: 1 / 0)
    worker.deliver_left_over_beside(None).join(60)
    assert events == ["left_over_rows_wait"]


QUIT = """
import time
from concurrent.futures import ThreadPoolExecutor
import gunicorn.workers.base
from gunicorn.config import Config
from patrol.foundation import background
gunicorn.workers.base.WorkerTmp = lambda _configuration: None
background.LAST_REQUESTS_S = 0.2
process = background.Process(1, 1, [], None, 30, Config(), None)
process.tpool = ThreadPoolExecutor(1)
process.tpool.submit(time.sleep, 600)
process.handle_quit(3, None)
"""


def test_ctrl_c_does_not_wait_for_a_request_that_never_ends():
    assert subprocess.run([sys.executable, "-c", QUIT], timeout=60, check=False).returncode == 0

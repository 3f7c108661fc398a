"""gunicorn for production and for `make run`: threads, one copy of what is loaded for all processes, JSON logs."""

import ctypes
import gc
import os
from contextlib import suppress
from typing import Any

import gunicorn.util

from patrol.foundation.raw_faults import write_problem
from patrol.foundation.settings import Settings

_settings = Settings()

bind = _settings.bind_address
workers = _settings.workers + _settings.background
worker_class = "patrol.foundation.background.Process"
threads = _settings.threads
# The application is loaded before the workers are forked, so that they share the reach index's memory.
preload_app = True
timeout = 60
graceful_timeout = 30
keepalive = 5
# A worker is replaced after so many requests, each at another moment: whatever a library leaks stays small.
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
control_socket_disable = True
limit_request_line = 8190
accesslog = "-"
errorlog = "-"
# Never below INFO: gunicorn's own debug lines name each request's path, and with it tracking codes.
loglevel = "info" if _settings.log_level.upper() == "DEBUG" else _settings.log_level.lower()
logger_class = "patrol.foundation.access_log.JsonLogger"
forwarded_allow_ips = "*" if _settings.trusted_proxies else "127.0.0.1"


# What gunicorn itself refuses, before the application sees it, is a problem document too and no HTML page.
gunicorn.util.write_error = write_problem


def _give_back_memory() -> None:
    """Return to the system what building the index used in passing: the master would hold it as long as it lives."""
    with suppress(AttributeError):  # Only glibc has this, and keeps so much.
        ctypes.CDLL(None).malloc_trim(0)


def when_ready(server: Any) -> None:
    """Build the reach index once, and keep the garbage collector from copying its pages."""
    server.app.wsgi().extensions["warm_up"]()
    gc.collect()
    _give_back_memory()
    gc.freeze()
    # What a request makes dies with it, by reference counts: looking for cycles after each 700 objects is wasted work.
    gc.set_threshold(20_000, 20, 50)


def pre_fork(server: Any, worker: Any) -> None:
    """Let one process be the background worker, where it is to run with the web processes."""
    if _settings.background:
        worker.take_the_background_unless(server.WORKERS.values())


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Let each worker open database connections of its own: inherited ones must not be shared."""
    server.app.wsgi().extensions["after_fork"]()

"""Databases of their own, real gunicorn servers on free ports before them, and what the kernel says they cost."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from patrol.application import create_app
from patrol.foundation.background import NAME as BACKGROUND
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from tests.bench.clients import Caller, Run, request_bytes, run_clients
from tests.bench.table import percentile

ROOT = Path(__file__).resolve().parents[2]
SERVER_URL = os.environ.get("XUNHE_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1/postgres")
WEB_WORKERS = 2
# What `make run` and the image set besides the settings: a memory arena for each thread would only hold pages.
_AS_SHIPPED = {"PATH": os.environ["PATH"], "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Site:
    """A folder and an empty, migrated database of one engine, "sqlite" or "postgresql"."""

    engine: str
    folder: Path
    database_url: str
    secret_key: str
    field_key: str

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings of a production server on this site; the limits on anonymous callers are out of the way."""
        often = "1000000 per second"
        return {
            "XUNHE_ENV": "production", "XUNHE_DATA": str(self.folder / "var"), "XUNHE_UPLOADS": str(self.folder / "uploads"),
            "XUNHE_DATABASE_URL": self.database_url, "XUNHE_SECRET_KEY": self.secret_key, "XUNHE_FIELD_KEY": self.field_key,
            "XUNHE_WORKERS": str(WEB_WORKERS), "XUNHE_CHALLENGE_COST": "0", "XUNHE_PUBLIC_WRITES_PER_BLOCK": often,
            "XUNHE_PUBLIC_WRITES_TOTAL": often, "XUNHE_PUBLIC_READS_PER_BLOCK": often, "XUNHE_LOG_LEVEL": "WARNING", **more,
        }  # fmt: skip

    @contextmanager
    def application(self) -> Iterator[Flask]:
        """Enter the application on this site, in this process."""
        app = create_app(Settings(self.environment()), TESTING=True)
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()


def engines() -> list[str]:
    """Return the engines of this run: PostgreSQL only when a server answers."""
    with suppress(Exception):
        server = create_engine(SERVER_URL, connect_args={"connect_timeout": 3})
        with server.connect():
            server.dispose()
            return ["sqlite", "postgresql"]
    print(f"no PostgreSQL answers at {SERVER_URL}: its rows are left out (XUNHE_TEST_DATABASE_URL names another)")
    return ["sqlite"]


@contextmanager
def site(engine: str) -> Iterator[Site]:
    """Make a site, migrated and empty, and remove all of it afterwards."""
    folder, name, url = Path(tempfile.mkdtemp(prefix="xunhe-bench-")), f"xunhe_bench_{secrets.token_hex(4)}", ""
    if engine == "postgresql":
        _on_server(f'CREATE DATABASE "{name}"')
        url = make_url(SERVER_URL).set(database=name).render_as_string(hide_password=False)
    made = Site(engine, folder, url, secrets.token_urlsafe(32), Fernet.generate_key().decode())
    try:
        with made.application():
            upgrade(directory=str(ROOT / "migrations"))
        yield made
    finally:
        if url:
            _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(folder, ignore_errors=True)


def _on_server(statement: str) -> None:
    server = create_engine(SERVER_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()


@dataclass(frozen=True)
class Cost:
    """What one round of requests cost: requests a second, server CPU and waiting time per request in milliseconds."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class Server:
    """A running gunicorn with its workers, or another long process of the service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def family(self) -> list[psutil.Process]:
        """Return the process and all below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def cpu_s(self) -> dict[int, float]:
        """Return the user and system seconds of each web worker so far, by process id."""
        times = {worker.pid: worker.cpu_times() for worker in self.family()[1:] if worker.name() != BACKGROUND}
        return {pid: spent.user + spent.system for pid, spent in times.items()}

    def memory_mb(self) -> float:
        """Return the resident MiB of the whole family, shared pages counted once where the kernel tells (PSS)."""
        return memory_mb(self.family())

    def run(self, requests: Sequence[Sequence[bytes]], *, expected: frozenset[int] = frozenset({200, 201})) -> Cost:
        """Let clients send their requests, and return what that cost."""
        before = self.cpu_s()
        run: Run = run_clients(self.port, requests, expected=expected)
        after = self.cpu_s()
        if before.keys() != after.keys():
            raise RuntimeError("a web worker was replaced during a round: its CPU cannot be told")
        spent_s = sum(after.values()) - sum(before.values())
        times = run.latencies_ms
        return Cost(run.rate, spent_s / len(times) * 1000, percentile(times, 0.5), percentile(times, 0.99))


def memory_mb(processes: Iterable[psutil.Process]) -> float:
    """Return the resident MiB of some processes, what they share with others by its share where the kernel tells (PSS)."""
    found = [process.memory_full_info() for process in processes]
    return sum(getattr(memory, "pss", 0) or memory.rss for memory in found) / 2**20


def peak_memory_mb(pid: int) -> float:
    """Return the most MiB that a process has been resident with (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


@contextmanager
def web_server(site: Site, wsgi: str = "app:app", **settings: str) -> Iterator[Server]:
    """Run gunicorn with the project's own configuration, and more settings by their variables, until the block ends."""
    port = _free_port()
    environment = _AS_SHIPPED | site.environment(XUNHE_BIND=f"127.0.0.1:{port}", **settings)
    with _running([sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", wsgi], site, environment, port) as server:
        _wait_until_alive(server, WEB_WORKERS + int(environment.get("XUNHE_BACKGROUND", "0")))
        # The first requests of a process fill caches; they are nobody's cost.
        server.run([[request_bytes("GET", "/healthz")] * 20] * 8)
        yield server


@contextmanager
def background_worker(site: Site) -> Iterator[Server]:
    """Run the process that delivers the outbox until the block ends."""
    environment = _AS_SHIPPED | site.environment()
    with _running([sys.executable, "-m", "flask", "--app", "app", "service", "worker"], site, environment, 0) as server:
        yield server


@contextmanager
def _running(command: list[str], site: Site, environment: dict[str, str], port: int) -> Iterator[Server]:
    log = site.folder / f"{command[2]}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield Server(process, port)
        except RuntimeError as error:
            lines = [line for line in log.read_text(errors="replace").splitlines() if '"event": "request"' not in line]
            raise RuntimeError("\n".join([str(error), *lines[-40:]])) from error
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
            process.wait()


def _wait_until_alive(server: Server, processes: int, seconds: float = 60) -> None:
    """Wait until it answers and has all its `processes`; the background worker has its name only a moment after its start."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        with suppress(OSError):
            answers = Caller(server.port).send(request_bytes("GET", "/healthz"))[0] == 200
            if answers and len(server.family()) == 1 + processes and len(server.cpu_s()) == WEB_WORKERS:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

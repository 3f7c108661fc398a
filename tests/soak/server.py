"""The real service for a proof: gunicorn and the worker as processes, on a fresh database with the prepared world."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from patrol.foundation.background import NAME as BACKGROUND
from tests.access.world import World
from tests.soak.web import Caller, NoAnswer

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30


class Server:
    """Its folder, its processes, its database seen from beside (`query`), and callers who talk to it."""

    def __init__(
        self, engine: str, admin_url: str, *, workers: int = 2, threads: int = 8, gunicorn: dict[str, str] | None = None,
        **settings: str,
    ) -> None:
        self.engine, self.folder = engine, Path(tempfile.mkdtemp(prefix="xunhe-soak-"))
        self._admin_url, self._name = admin_url, f"xunhe_soak_{uuid4().hex[:12]}"
        self.url = f"sqlite:///{self.folder / 'var' / 'xunhe.db'}"
        self.gunicorn: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.port, self.world = _free_port(), World()
        if engine == "postgresql":
            self.url = make_url(admin_url).set(database=self._name).render_as_string(hide_password=False)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XUNHE_")},
            "XUNHE_ENV": "test", "XUNHE_DATA": str(self.folder / "var"), "XUNHE_UPLOADS": str(self.folder / "uploads"),
            "XUNHE_DATABASE_URL": self.url if engine == "postgresql" else "", "XUNHE_CHALLENGE_COST": "0",
            "XUNHE_PUBLIC_WRITES_PER_BLOCK": "10000000 per hour", "XUNHE_PUBLIC_WRITES_TOTAL": "10000000 per hour",
            "XUNHE_PUBLIC_READS_PER_BLOCK": "10000000 per hour", "XUNHE_WORKERS": str(workers), "XUNHE_THREADS": str(threads),
            "XUNHE_BIND": f"127.0.0.1:{self.port}", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
            **{f"XUNHE_{name.upper()}": value for name, value in settings.items()}, **(gunicorn or {}),
        }
        self.log_path = self.folder / "log"
        self._callers: list[Caller] = []

    def prepare(self) -> None:
        """Make the database and the world in it."""
        if self.engine == "postgresql":
            self._administer(f'CREATE DATABASE "{self._name}"')
        made = self.run(sys.executable, "-m", "tests.soak.prepare")
        self.world = World(**json.loads(made))

    def flask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the service; its result is not checked."""
        command = [str(Path(sys.executable).with_name("flask")), "--app", "app", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def run(self, *command: str) -> str:
        """Run a program with the service's settings and return what it printed. Raises RuntimeError when it fails."""
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr[-3000:]}")
        return done.stdout

    def start(self) -> None:
        """Start gunicorn and wait until it is ready."""
        self.gunicorn = self._start(str(Path(sys.executable).with_name("gunicorn")), "-c", "gunicorn.conf.py", "app:app")
        self.wait_until_ready()

    def start_worker(self) -> None:
        """Start the background worker, unless it runs."""
        if self.worker is not None and self.worker.poll() is None:
            return
        self.worker = self._start(str(Path(sys.executable).with_name("flask")), "--app", "app", "service", "worker")

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def wait_until_ready(self) -> None:
        deadline, caller = time.monotonic() + START_TIMEOUT_S, self.caller(None)
        while time.monotonic() < deadline:
            try:
                if caller.get("/readyz").status == 200 and len(self.web_workers()) == int(self.environment["XUNHE_WORKERS"]):
                    return
            except NoAnswer:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the service did not become ready:\n{self.log()[-3000:]}")

    def web_workers(self) -> list[psutil.Process]:
        """Return gunicorn's web processes that are alive, as its master knows them."""
        return self._children(background=False)

    def background(self) -> list[psutil.Process]:
        """Return the background worker that gunicorn runs (`XUNHE_BACKGROUND`), when it is alive."""
        return self._children(background=True)

    def _children(self, *, background: bool) -> list[psutil.Process]:
        assert self.gunicorn is not None
        try:
            children = psutil.Process(self.gunicorn.pid).children()
            return [child for child in children if child.status() != psutil.STATUS_ZOMBIE and (child.name() == BACKGROUND) == background]
        except psutil.NoSuchProcess:
            return []

    def caller(self, persona: str | None, **options: Any) -> Caller:
        token = self.world.tokens[persona] if persona and persona != "anonymous" else None
        made = Caller(self.port, token, **options)
        self._callers.append(made)
        return made

    def hang_up(self) -> None:
        """Close the connections of all callers."""
        while self._callers:
            self._callers.pop().close()

    def query(self, statement: str, **values: Any) -> Sequence[Any]:
        """Read the database from beside, on a connection of one's own."""
        engine = engine_beside(self.url)
        try:
            with engine.connect() as connection:
                return connection.execute(sa.text(statement), values).all()
        finally:
            engine.dispose()

    def change(self, statement: str, **values: Any) -> None:
        """Write to the database from beside, as somebody with its password could."""
        engine = engine_beside(self.url)
        try:
            with engine.begin() as connection:
                connection.execute(sa.text(statement), values)
        finally:
            engine.dispose()

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def faults_logged(self, since: int = 0) -> list[str]:
        """Return, each once, the last lines of the unexpected exceptions logged after `since` characters."""
        found = dict.fromkeys(line for line in self.log()[since:].splitlines() if '"unhandled"' in line or "Traceback" in line)
        return list(dict.fromkeys(_short(line) for line in found))

    def stop(self) -> None:
        for process in (self.gunicorn, self.worker):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def remove(self) -> None:
        self.hang_up()
        self.stop()
        if self.engine == "postgresql":
            self._administer(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
        shutil.rmtree(self.folder, ignore_errors=True)

    def _administer(self, statement: str) -> None:
        engine = sa.create_engine(self._admin_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
        engine.dispose()


def engine_beside(url: str) -> sa.Engine:
    """Return an engine that looks at a server's database from beside: on SQLite it waits as long as the server keeps writing."""
    return sa.create_engine(url, connect_args={"timeout": 60} if url.startswith("sqlite") else {})


@contextmanager
def running(engine: str, admin_url: str, *, with_worker: bool = False, **options: Any) -> Iterator[Server]:
    """Give a prepared server that runs, and remove all of it afterwards."""
    server = Server(engine, admin_url, **options)
    try:
        server.prepare()
        server.start()
        if with_worker:
            server.start_worker()
        yield server
    finally:
        server.remove()


def _short(line: str) -> str:
    try:
        trace = str(json.loads(line).get("exception", line)).strip().splitlines()
    except ValueError:
        return line[-300:]
    places = [part.strip() for part in trace if "/patrol/" in part]
    return f"{trace[-1][:300]} at {places[-1] if places else '?'}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

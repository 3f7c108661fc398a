"""One application, one migrated database for each test process; whatever a test writes is rolled back.

`XUNHE_TEST_ENGINE=postgresql` runs the same tests on the server at XUNHE_TEST_DATABASE_URL.
"""

import fcntl
import gc
import os
import re
import shutil
import tempfile
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest
from flask import g
from flask_migrate import upgrade
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from werkzeug.exceptions import HTTPException

from patrol.application import create_app
from patrol.foundation import outgoing
from patrol.foundation.database import database_config, db
from patrol.foundation.settings import Settings
from patrol.foundation.true_type import READERS_OWN
from patrol.people import queries as queries_of_people
from patrol.people.actor import Actor
from patrol.people.models import Region
from tests.builders import Builders

# `make soak` tries what holds for everything on far more examples, and on others each time.
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25, suppress_health_check=SUPPRESSED)
hypothesis_settings.register_profile("soak", deadline=None, max_examples=400, database=None, print_blob=True, suppress_health_check=SUPPRESSED)
hypothesis_settings.load_profile("ci")

# As gunicorn.conf.py does for the service: what a test makes dies with it, by reference counts, and looking for cycles
# after each 700 objects among all that is loaded would take a sixth of the run.
gc.set_threshold(20_000, 20, 50)

# Where there is room for it, what the tests write stays in memory: thousands of commits and rollbacks would wait for a disk.
# A place that TMPDIR names is kept to; the proofs of `make soak` write to the disk.
MEMORY, ROOM_NEEDED = Path("/dev/shm"), 2 * 2**30
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_NEEDED:
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

IN_CI = os.environ.get("CI") == "true"
NEEDS = {
    "postgresql": "XUNHE_TEST_DATABASE_URL", "redis": "XUNHE_TEST_REDIS_URL", "s3": "XUNHE_TEST_S3_URL",
}
ENGINE = os.environ.get("XUNHE_TEST_ENGINE", "sqlite")
# What takes longest by itself comes first: the other processes of a run do the rest meanwhile, and none waits at the end.
FIRST = ("test_readme_tour.py", "test_proofs.py")


def pytest_collection_modifyitems(items):
    """Skip what needs a server that is not there, and say so; under CI=true it fails instead. The longest comes first."""
    items.sort(key=lambda item: item.path.name not in FIRST)
    for item in items:
        for marker, variable in NEEDS.items():
            if item.get_closest_marker(marker) and not os.environ.get(variable):
                if IN_CI:
                    pytest.exit(f"{variable} must be set under CI=true: the {marker} tests may not be skipped", 2)
                item.add_marker(pytest.mark.skip(reason=f"{variable} is not set"))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"database of this run: {ENGINE}")
    for marker, variable in NEEDS.items():
        if not os.environ.get(variable):
            terminalreporter.write_line(f"{marker} tests were skipped: {variable} is not set")


def server_url(name: str) -> str:
    return make_url(os.environ["XUNHE_TEST_DATABASE_URL"]).set(database=name).render_as_string(hide_password=False)


def fresh_server_database(name: str) -> str:
    """Make an empty PostgreSQL database and return its address."""
    admin = create_engine(os.environ["XUNHE_TEST_DATABASE_URL"], isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return server_url(name)


@pytest.fixture(scope="session")
def process_name(request) -> str:
    return f"{getattr(request.config, 'workerinput', {}).get('workerid', 'main')}_{os.getpid()}"


@pytest.fixture
def redis_url():
    """The Redis of this run, for one test at a time: another process would empty what this one put there."""
    with (Path(tempfile.gettempdir()) / "xunhe-test-redis.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield os.environ["XUNHE_TEST_REDIS_URL"]


@pytest.fixture(scope="session")
def test_settings(tmp_path_factory, process_name) -> Settings:
    folder: Path = tmp_path_factory.mktemp("data")
    url = fresh_server_database(f"xunhe_test_{process_name}") if ENGINE == "postgresql" else ""
    return Settings(
        {"XUNHE_ENV": "test"}, data=str(folder / "var"), uploads=str(folder / "uploads"), database_url=url,
        challenge_cost=0, public_writes_per_block="100000 per hour", public_writes_total="100000 per hour",
        public_reads_per_block="100000 per hour", log_level="ERROR",
        # Whatever fonts this machine has.
        pdf_font=READERS_OWN,
    )


def close(app):
    """Close what an application has open: Python 3.13 warns of each SQLite connection that is left to the collector."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["queue"].storage.close()


@pytest.fixture
def another_app():
    """Make an application with settings of its own, closed after the test."""
    made = []

    def make(settings):
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        close(app)


@pytest.fixture(scope="session")
def app(test_settings):
    # All tests together send more sorts of statements than SQLAlchemy keeps compiled by itself.
    options = {**database_config(test_settings).get("SQLALCHEMY_ENGINE_OPTIONS", {}), "query_cache_size": 10_000}
    app = create_app(test_settings, TESTING=True, SQLALCHEMY_ENGINE_OPTIONS=options)
    with app.app_context():
        upgrade(directory="migrations")
        db.session.remove()
    gc.collect()
    gc.freeze()
    yield app
    close(app)
    if ENGINE == "postgresql":
        name = make_url(test_settings.database_url).database
        admin = create_engine(os.environ["XUNHE_TEST_DATABASE_URL"], isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def database(app):
    """Roll everything back afterwards: one outer transaction, savepoints inside."""
    with app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            outer = connection.begin()
            db.engines[None] = connection  # Flask-SQLAlchemy ignores a session's own bind
            yield db
            db.session.remove()
            outer.rollback()
            db.engines[None] = engine


@pytest.fixture
def build(database) -> Builders:
    """Makers of regions, people, waters and so on, each committed."""
    return Builders()


@pytest.fixture
def district(build):
    """The district at the top of all regions."""
    return build.district


@cache
def described_codes(app) -> dict[tuple[str, str], set[str]]:
    """The status codes in the API's description, by endpoint's rule and method."""
    return {
        (re.sub(r"{(\w+)}", "<>", path), method.upper()): set(operation["responses"])
        for path, operations in app.extensions["api"].description()["paths"].items()
        for method, operation in operations.items() if method != "parameters"
    }


def refuse_undescribed(app, path, method, reply) -> None:
    """Fail the test when an answer's status code is not in the API's description of its route."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path.split("?")[0], method=method, return_rule=True)
    except HTTPException:
        return
    codes = described_codes(app).get((re.sub(r"<[^>]+>", "<>", rule.rule), method))
    assert codes is None or str(reply.status_code) in codes, (
        f"{method} {rule.rule} answered {reply.status_code}, which its description lacks: {reply.get_data()[:300]}")


class Client:
    """Flask's test client that carries a bearer token and speaks JSON."""

    def __init__(self, plain, token: str | None = None) -> None:
        self.plain, self.token = plain, token

    def open(self, path, method, *, headers=None, **kwargs):
        path = path if path.startswith("/") else f"/api/v1/{path}"
        # The requests of a test share one application context; none may see what another kept in it.
        g.pop("language", None)
        g.pop("actor", None)
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        reply = self.plain.open(path, method=method, headers=headers, **kwargs)
        refuse_undescribed(self.plain.application, path, method, reply)
        return reply

    def get(self, path, **kwargs):
        return self.open(path, "GET", **kwargs)

    def post(self, path, **kwargs):
        return self.open(path, "POST", **kwargs)

    def put(self, path, **kwargs):
        return self.open(path, "PUT", **kwargs)

    def patch(self, path, **kwargs):
        return self.open(path, "PATCH", **kwargs)

    def delete(self, path, **kwargs):
        return self.open(path, "DELETE", **kwargs)


@pytest.fixture(scope="session", autouse=True)
def no_name_server():
    """Let no test ask a name server: literal addresses are found, and no name."""

    def addresses_of(host, port):
        try:
            return [str(ip_address(host))]
        except ValueError as error:
            raise OSError(f"{host}:{port} is not looked up in tests") from error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outgoing, "addresses_of", addresses_of)
        yield


@pytest.fixture
def anyone(app, database) -> Client:
    """A caller without an account."""
    return Client(app.test_client())


@pytest.fixture
def signed_in(app, database, build):
    """Return a function that gives a client signed in as a person (made by `build.person`)."""

    def sign_in(person) -> Client:
        return Client(app.test_client(), build.token_of(person))

    return sign_in


@pytest.fixture
def actor_of(database):
    """Return a function that gives the Actor of a person."""

    def make(person) -> Actor:
        return queries_of_people.actor_of(person, db.session.get_one(Region, person.region_id))

    return make


@pytest.fixture
def ways(database):
    """How SQLite goes about the reads of a call, a line for each step: `ways(lambda: …)`; skips where PostgreSQL has statistics to go by."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has statistics to go by")

    def plans_of(call) -> list[str]:
        asked = []

        def note(_connection, _cursor, statement, values, *_rest):
            if statement.startswith("SELECT"):
                asked.append((statement, values))

        event.listen(db.engine, "before_cursor_execute", note)
        call()
        event.remove(db.engine, "before_cursor_execute", note)
        connection = db.session.connection()
        return [step[-1] for statement, values in asked for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]

    return plans_of


@pytest.fixture
def queries(database):
    """The SQL statements sent since the fixture was asked for, without savepoints."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)

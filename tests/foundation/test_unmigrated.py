"""A database without tables, or with those of older code: the service is up and says so, commands name the database, and nothing needs a new start."""

from types import SimpleNamespace

import pytest
from flask_migrate import downgrade, upgrade

from patrol.foundation import migrations
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.foundation.worker import deliver_due
from tests.foundation.test_settings import SAFE


@pytest.fixture
def empty(another_app, tmp_path):
    return another_app(Settings({**SAFE, "XUNHE_ENV": "test", "XUNHE_DATA": str(tmp_path / "data"), "XUNHE_UPLOADS": str(tmp_path / "up")}))


def test_the_service_is_up_and_says_what_is_missing(empty):
    client = empty.test_client()
    empty.extensions["warm_up"]()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, "migrations" in ready.text) == (503, True)
    for path in ("/api/v1/public/statistics", "/api/v1/public/boards/B1"):
        refused = client.get(path, headers={"Accept-Language": "en"})
        assert (refused.status_code, refused.mimetype, refused.json["type"]) == (503, "application/problem+json", "urn:xunhe:problem:unmigrated")
        assert "flask --app app db upgrade" in refused.json["detail"]
        assert "xunhe.db" not in refused.text
    signed = client.post("/api/v1/auth/login", json={"username": "a", "password": "b"})
    assert (signed.status_code, signed.json["type"]) == (503, "urn:xunhe:problem:unmigrated")


def test_it_works_once_the_migrations_have_run(empty):
    client = empty.test_client()
    assert client.get("/api/v1/public/statistics").status_code == 503
    with empty.app_context():
        upgrade(directory="migrations")
        db.session.remove()
    assert client.get("/api/v1/public/statistics").status_code == 200
    assert client.get("/readyz").status_code == 200
    with empty.app_context():
        downgrade(directory="migrations", revision="0047")
        db.session.remove()
        assert deliver_due() == 0
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("args", [
    ["issues", "verify"], ["public", "partner-key", "x"], ["patrols", "examine"], ["retention", "run"],
    ["people", "set-password", "admin", "--password", "long enough 1"],
])
def test_commands_name_the_database_and_what_to_run(empty, args):
    said = empty.test_cli_runner().invoke(args=args)
    assert said.exit_code == 1, said.output
    assert "xunhe.db" in said.output
    assert "flask --app app db upgrade" in said.output
    assert "Traceback" not in said.output


def test_the_worker_says_it_in_one_line(empty, monkeypatch):
    lines = []
    monkeypatch.setattr(migrations, "log", SimpleNamespace(error=lambda event, **words: lines.append((event, words["en"]))))
    [sweep] = [task for name, task in empty.extensions["queue"]._registry._registry.items() if name.endswith("sweep")]
    sweep().execute()
    [(event, words)] = lines
    assert event == "migrations_missing"
    assert "flask --app app db upgrade" in words

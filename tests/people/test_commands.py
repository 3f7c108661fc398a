"""Accounts by the shell."""

from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.people.models import AuditEntry
from patrol.people.passwords import hash_password


def test_the_first_account_before_the_tables_says_what_to_run(another_app, tmp_path):
    app = another_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path)))
    made = app.test_cli_runner().invoke(
        args=["people", "add", "boss", "--name", "何管理", "--region", "990100", "--region-name", "清溪区", "--password", "a long password"])
    assert made.exit_code == 1
    assert "db upgrade" in made.output


def test_a_forgotten_password_is_set_by_the_shell(app, anyone, build):
    """The lone admin has nobody to ask for a new one."""
    boss = build.person("admin", username="boss", password_hash=hash_password("the forgotten one"))
    signed_in = anyone.post("auth/login", json={"username": "boss", "password": "the forgotten one"}).json
    run = app.test_cli_runner().invoke
    assert "8 characters" in run(args=["people", "set-password", "boss", "--password", "short"]).output
    assert "nobody" in run(args=["people", "set-password", "nobody", "--password", "a fine new one"]).output
    done = run(args=["people", "set-password", "boss"], input="a fine new one\na fine new one\n")
    assert (done.exit_code, "boss has a new password" in done.output) == (0, True)
    assert "a fine new one" not in done.output
    assert anyone.get("me", headers={"Authorization": f"Bearer {signed_in['access_token']}"}).status_code == 401
    assert anyone.post("auth/login", json={"username": "boss", "password": "the forgotten one"}).status_code == 401
    assert anyone.post("auth/login", json={"username": "boss", "password": "a fine new one"}).status_code == 200
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.subject == str(boss.id))).one()
    assert (entry.act, entry.actor_id, entry.facts["fields"]) == ("change_person", None, ["password"])

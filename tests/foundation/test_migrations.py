"""Which migration is needed and which is there, told without Alembic as Alembic tells it."""

import subprocess
import sys

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from patrol.foundation import migrations
from patrol.foundation.database import db
from patrol.foundation.migrations import MIGRATIONS, applied_migration, newest_migration


def test_both_are_what_alembic_says(database):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_migration() == ScriptDirectory.from_config(config).get_current_head()
    assert applied_migration() == MigrationContext.configure(db.session.connection()).get_current_revision()


def test_two_newest_ones_are_none(tmp_path, monkeypatch):
    (tmp_path / "versions").mkdir()
    for name, follows in (("1", None), ("2", "1"), ("3", "1")):
        lines = f'revision: str = "{name}"\ndown_revision: str | None = {follows and repr(follows)}\n'
        (tmp_path / "versions" / f"{name}.py").write_text(lines, encoding="utf-8")
    monkeypatch.setattr(migrations, "MIGRATIONS", tmp_path)
    assert newest_migration() is None
    (tmp_path / "versions" / "3.py").unlink()
    assert newest_migration() == "2"


def test_a_process_that_serves_loads_neither_alembic_nor_openpyxl():
    told = subprocess.run(
        [sys.executable, "-c", "import patrol.application, sys; print({'alembic', 'openpyxl'} & sys.modules.keys())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "set()"


def test_the_commands_of_flask_migrate_are_there(app):
    assert "Upgrade to a later version" in app.test_cli_runner().invoke(args=["db", "upgrade", "--help"]).output

"""`demo load --reset` on a database of its own, since it makes all tables anew."""

import os
import subprocess
import sys

RESET = """
from patrol.application import create_app
from patrol.demo import commands
from patrol.foundation.database import db
from patrol.issues.policy_models import DeadlinePolicy
from patrol.people.models import Region
commands.load_district = lambda **_given: type("Nothing", (), {"skipped": []})
app = create_app()
runner = app.test_cli_runner()
assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
with app.app_context():
    folder = app.extensions["settings"].heads
    folder.mkdir(parents=True)
    (folder / "2026-01-01.jsonl").touch()
    begun_with = db.session.query(DeadlinePolicy).count()
    db.session.add(Region(code="9", name="x", level="county", path="9/"))
    db.session.delete(db.session.query(DeadlinePolicy).first())
    db.session.commit()
done = runner.invoke(args=["demo", "load", "--reset"])
assert done.exit_code == 0, done.output
with app.app_context():
    print(db.session.query(Region).count(), db.session.query(DeadlinePolicy).count() == begun_with > 0, list(folder.iterdir()))
"""


def test_a_reset_leaves_what_an_installation_begins_with(tmp_path):
    surroundings = {**os.environ, "XUNHE_ENV": "demo", "XUNHE_DEMO": "1", "XUNHE_DATA": str(tmp_path), "XUNHE_DATABASE_URL": ""}
    done = subprocess.run([sys.executable, "-c", RESET], env=surroundings, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0 True []", done.stderr[-2000:]

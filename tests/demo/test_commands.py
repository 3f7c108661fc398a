"""`demo load --reset` on a database of its own, since it makes all tables anew."""

import os
import subprocess
import sys

RESET = """
from app import app
from patrol.demo import commands
from patrol.foundation.database import db
from patrol.issues.policy_models import DeadlinePolicy
from patrol.people.models import Region
commands.load_district = lambda **_given: type("Nothing", (), {"skipped": []})
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


LOAD = """
import os
import sys
from app import app
from patrol.demo import commands
from patrol.foundation.database import db
from patrol.people.models import Region
def load(how, option):
    def load_district(**_given):
        db.session.add(Region(code="9", name="x", level="county", path="9/"))
        db.session.commit()
        if how == "breaks off":
            raise KeyboardInterrupt
        if how == "goes on":
            print("goes on", flush=True, file=sys.__stdout__)
            sys.__stdin__.read()
        return type("Nothing", (), {"skipped": []})
    commands.load_district = load_district
    app.extensions["after_fork"]()
    done = runner.invoke(args=["demo", "load", option])
    print(done.output)
    sys.exit(done.exit_code)
runner = app.test_cli_runner()
assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
for turn in sys.argv[1:]:
    process = os.fork()
    if not process:
        load(*turn.split(":"))
    _, ended = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(ended), end="\\x1e", flush=True)
"""


def _loading(folder, *turns):
    """Start a program that loads in as many turns as are given ("how:option"), each in a process of its own."""
    surroundings = {**os.environ, "XUNHE_ENV": "demo", "XUNHE_DEMO": "1", "XUNHE_DATA": str(folder), "XUNHE_DATABASE_URL": ""}
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, *turns], env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _ended(said):
    """Return of each turn its exit code and what it said."""
    turns = [turn.rpartition("\n") for turn in said.split("\x1e")[:-1]]
    return [(int(code), words + end) for words, end, code in turns]


def _loaded(folder, *turns):
    with _loading(folder, *turns) as loading:
        return _ended(loading.communicate()[0])


def test_a_load_that_was_broken_off_is_not_taken_for_a_whole_district(tmp_path):
    broken, refused, reset, whole = _loaded(
        tmp_path, "breaks off:--if-empty", "ends:--if-empty", "ends:--reset", "ends:--if-empty"
    )
    assert broken[0] != 0
    code, said = refused
    assert code == 1
    assert "make demo" in said
    assert "中断" in said
    assert reset[0] == 0
    assert whole == (0, "\n")


def test_of_two_loads_at_once_the_second_says_so_and_changes_nothing(tmp_path):
    with _loading(tmp_path, "goes on:--if-empty") as first:
        assert first.stdout.readline() == "goes on\n"
        [(code, said)] = _loaded(tmp_path, "ends:--if-empty")
        [(first_code, _)] = _ended(first.communicate("")[0])
    assert first_code == 0
    assert code == 1
    assert "正在装入" in said

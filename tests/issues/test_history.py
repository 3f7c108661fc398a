"""The chain in the database: whatever is altered behind the application's back is found and located."""

import pytest

from patrol.foundation.database import db
from patrol.issues.history import broken_chains
from tests.issues.conftest import report, taken


@pytest.fixture
def issue(valley, pictures):
    done = taken(valley.chief_client, report(valley.chief_client), "rectify", note="好了", files=pictures[:1])
    report(valley.patroller_client)
    return done


def faults():
    return [(str(found.issue_id), found.fault.seq, found.fault.kind.value) for found in broken_chains(batch=1) if found]


def test_whole_histories_are_sound(issue):
    assert list(broken_chains(batch=1)) == [None, None]


@pytest.mark.parametrize(
    ("damage", "seq", "kind"),
    [
        ("UPDATE issue_history SET note = '没好' WHERE seq = 4", 4, "altered"),
        ("UPDATE issue_history SET actor_name = '别人' WHERE seq = 2 AND issue_id = :id", 2, "altered"),
        ("UPDATE issue_history SET rule = NULL WHERE seq = 3 AND issue_id = :id", 3, "altered"),
        ("DELETE FROM issue_history WHERE seq = 2 AND issue_id = :id", 2, "missing"),
        ("DELETE FROM issue_history WHERE seq = 4", 4, "missing"),
        ("DELETE FROM issue_history WHERE issue_id = :id", 1, "missing"),
        ("UPDATE issues SET state = 'verified' WHERE id = :id", 4, "altered"),
        ("UPDATE photos SET sha256 = 'f' || substr(sha256, 2)", 4, "altered"),
        ("UPDATE issues SET history_hash = 'f' WHERE id = :id", 4, "head_differs"),
    ],
)  # fmt: skip
def test_damage_is_found_and_located(issue, damage, seq, kind):
    bound = issue["id"].replace("-", "") if db.engine.dialect.name == "sqlite" else issue["id"]
    statement = db.text(damage)
    db.session.execute(statement, {"id": bound} if ":id" in damage else {})
    db.session.commit()
    assert faults() == [(issue["id"], seq, kind)]


def test_the_command_says_where_and_fails(app, issue):
    runner = app.test_cli_runner()
    sound = runner.invoke(args=["issues", "verify"])
    assert (sound.exit_code, sound.output) == (0, "2 histories sound, 0 broken\n")
    db.session.execute(db.text("UPDATE issue_history SET note = '没好' WHERE seq = 4"))
    db.session.commit()
    broken = runner.invoke(args=["issues", "verify"])
    assert broken.exit_code == 1
    assert f"{issue['number']} {issue['id']}: altered at 4" in broken.output

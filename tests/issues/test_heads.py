"""The daily heads: written once, found wrong when the history or the file was changed."""

from datetime import timedelta
from uuid import UUID

import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.chain import entry_hash
from patrol.issues.heads import export_heads, export_heads_of_past_days, lost_heads
from patrol.issues.history import _entry_of
from patrol.issues.models import HistoryEntry, Issue
from patrol.people.models import AuditEntry
from tests.issues.conftest import report, taken

CHINA = "Asia/Shanghai"


@pytest.fixture
def exported(valley, tmp_path):
    """Two issues' heads of today, in a folder."""
    issue = taken(valley.chief_client, report(valley.patroller_client), "start", note="已到场")
    report(valley.patroller_client, description="另一处")
    assert export_heads(clock.today(CHINA), tmp_path, CHINA)
    return tmp_path, issue


def test_a_day_s_heads_are_written_once(exported):
    folder, issue = exported
    [file] = folder.iterdir()
    assert file.read_text().count("\n") == 3
    assert f'"seq":{issue["version"]}' in file.read_text()
    before = file.read_bytes()
    assert not export_heads(clock.today(CHINA), folder, CHINA)
    assert file.read_bytes() == before
    assert db.session.query(AuditEntry).filter_by(act="export_heads").one().facts["count"] == 2
    assert list(lost_heads(folder)) == []


def test_what_comes_later_leaves_the_heads_sound(exported, valley):
    folder, issue = exported
    taken(valley.chief_client, issue, "progress", note="清理中")
    assert list(lost_heads(folder)) == []


def test_a_history_rewritten_whole_shows(exported, app, test_settings, monkeypatch):
    folder, issue = exported
    with transaction():
        last = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"]), seq=issue["version"]).one()
        last.note = "没到场"
        last.hash = entry_hash(_entry_of(last, []), last.previous_hash)
        db.session.get_one(Issue, last.issue_id).history_hash = last.hash
    assert [(str(lost.issue_id), lost.seq) for lost in lost_heads(folder)] == [(issue["id"], issue["version"])]
    monkeypatch.setitem(test_settings._values, "heads", str(folder))
    result = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert result.exit_code == 1, result.output
    assert "0 broken" in result.output, "by itself the history is sound"
    assert "1 exported heads lost" in result.output


@pytest.mark.parametrize("change", [lambda text: text.replace('"seq":', '"seq":1', 1), lambda text: text.split("\n", 1)[1], lambda _text: "{}\n"])
def test_a_changed_file_is_refused(exported, change):
    [file] = exported[0].iterdir()
    file.write_text(change(file.read_text()))
    with pytest.raises(ValueError, match="not what was exported"):
        list(lost_heads(exported[0]))


def test_the_worker_makes_up_for_days_it_missed(valley, tmp_path, test_settings, monkeypatch):
    monkeypatch.setitem(test_settings._values, "heads", str(tmp_path))
    report(valley.patroller_client)
    later = clock.now() + timedelta(days=3)
    with clock.moved_clock(lambda: later):
        worker.run_hourly_jobs()
        worker.run_hourly_jobs()
    full = [file.name for file in tmp_path.iterdir() if file.read_text().count("\n") == 2]
    assert full == [f"{clock.today(CHINA)}.jsonl"]
    with clock.moved_clock(lambda: later):
        assert export_heads_of_past_days() == 0

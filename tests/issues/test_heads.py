"""The daily heads: written once, found wrong when the history or the file was changed."""

from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest

from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.chain import entry_hash
from patrol.issues.heads import export_heads, export_heads_of_past_days, faults_of_heads
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
    assert '"cases":2' in file.read_text()
    assert f'"number":"{issue["number"]}"' in file.read_text()
    assert f'"seq":{issue["version"]}' in file.read_text()
    before = file.read_bytes()
    assert not export_heads(clock.today(CHINA), folder, CHINA)
    assert file.read_bytes() == before
    assert db.session.query(AuditEntry).filter_by(act="export_heads").one().facts["count"] == 2
    assert list(faults_of_heads(folder)) == []


def test_what_comes_later_leaves_the_heads_sound(exported, valley):
    folder, issue = exported
    taken(valley.chief_client, issue, "progress", note="清理中")
    assert list(faults_of_heads(folder)) == []


def test_a_history_rewritten_whole_shows(exported, app, test_settings, monkeypatch):
    folder, issue = exported
    with transaction():
        last = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"]), seq=issue["version"]).one()
        last.note = "没到场"
        last.hash = entry_hash(_entry_of(last, []), last.previous_hash)
        db.session.get_one(Issue, last.issue_id).history_hash = last.hash
    assert [(str(lost.issue_id), lost.seq) for lost in faults_of_heads(folder)] == [(issue["id"], issue["version"])]
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
        list(faults_of_heads(exported[0]))


def test_the_worker_makes_up_for_days_it_missed(valley, tmp_path, test_settings, monkeypatch):
    monkeypatch.setitem(test_settings._values, "heads", str(tmp_path))
    report(valley.patroller_client)
    days = [clock.now() + timedelta(days=day) for day in (3, 7)]
    with clock.moved_clock(lambda: days[0]):
        worker.run_hourly_jobs()
        worker.run_hourly_jobs()
        report(valley.patroller_client, description="后来的")
    with clock.moved_clock(lambda: days[1]):
        assert export_heads_of_past_days() == 1
        assert export_heads_of_past_days() == 0
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [f"{clock.local_date(day, CHINA) - timedelta(days=1)}.jsonl" for day in days]
    assert [file.read_text().count("\n") for file in files] == [2, 2], "each case is named in the file after it grew"
    assert list(faults_of_heads(tmp_path)) == []


def test_a_day_that_has_just_ended_is_not_written_yet(valley, tmp_path, test_settings, monkeypatch):
    monkeypatch.setitem(test_settings._values, "heads", str(tmp_path))
    midnight = datetime.combine(clock.today(CHINA) + timedelta(days=1), time(), ZoneInfo(CHINA))
    for minutes, newest in ((5, clock.today(CHINA) - timedelta(days=1)), (11, clock.today(CHINA))):
        with clock.moved_clock(lambda after=minutes: midnight + timedelta(minutes=after)):
            export_heads_of_past_days()
        assert max(tmp_path.iterdir()).name == f"{newest}.jsonl"


def test_the_first_file_names_the_cases_of_all_days(valley, tmp_path):
    with clock.moved_clock(lambda: datetime.now(UTC) - timedelta(days=60)):
        old = report(valley.patroller_client)
    assert export_heads(clock.today(CHINA) - timedelta(days=1), tmp_path, CHINA)
    [file] = tmp_path.iterdir()
    assert old["id"] in file.read_text()


def delete_case(issue_id):
    for table in ("issue_history", "issue_photos", "issue_parts", "issue_co_handlers", "issues"):
        column = "id" if table == "issues" else "issue_id"
        bound = UUID(issue_id).hex if db.engine.dialect.name == "sqlite" else issue_id
        db.session.execute(db.text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": bound})
    db.session.commit()


def test_a_case_deleted_whole_shows(exported, app, test_settings, monkeypatch):
    folder, issue = exported
    monkeypatch.setitem(test_settings._values, "heads", str(folder))
    delete_case(issue["id"])
    said = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert said.exit_code == 1
    assert f"{issue['id']}: the entry {issue['version']} exported on" in said.output
    assert f"is gone with its whole case {issue['number']}" in said.output
    assert "2 cases on" in said.output


def test_a_case_put_in_afterwards_shows(exported, valley):
    with clock.moved_clock(lambda: datetime.now(UTC) - timedelta(days=3)):
        report(valley.patroller_client, description="补录")
    assert [fault.text.split(" / ")[0] for fault in faults_of_heads(exported[0])] == [f"2 cases on {clock.today(CHINA)}, now 3"]


def test_a_number_given_to_another_case_shows(exported):
    folder, issue = exported
    db.session.get_one(Issue, UUID(issue["id"])).serial = 77
    db.session.commit()
    assert [fault.text.split(" / ")[0] for fault in faults_of_heads(folder)] == [f"exported on {clock.today(CHINA)} as {issue['number']}, now XH0000077"]


def test_an_unnamed_gap_in_the_numbers_fails_where_numbers_cannot_be_skipped(app, valley):
    _, middle, _ = (report(valley.patroller_client, description=f"第 {n} 处") for n in range(3))
    delete_case(middle["id"])
    said = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert f"no case has the number {middle['number']} / 编号缺失" in said.output
    assert said.exit_code == (1 if db.engine.dialect.name == "sqlite" else 0)


def test_a_file_that_is_gone_or_exchanged_shows(exported, valley):
    folder, _ = exported
    report(valley.patroller_client, description="第三处")
    tomorrow = clock.now() + timedelta(days=1)
    with clock.moved_clock(lambda: tomorrow):
        assert export_heads(clock.today(CHINA), folder, CHINA)
    first, second = sorted(folder.iterdir())
    assert list(faults_of_heads(folder)) == []
    kept = first.read_bytes()
    first.unlink()
    with pytest.raises(ValueError, match=f"{first.name} is gone"):
        list(faults_of_heads(folder))
    line, last = kept.split(b"\n")[1], orjson.loads(kept.splitlines()[-1])
    body = line + b"\n"
    first.write_bytes(body + orjson.dumps({**last, "count": 1, "sha256": sha256(body).hexdigest()}) + b"\n")
    with pytest.raises(ValueError, match=f"{second.name} is not what was exported"):
        list(faults_of_heads(folder))

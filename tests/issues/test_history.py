"""The chain in the database: whatever is altered behind the application's back is found and located."""

from uuid import UUID

import pytest

from patrol.evidence.models import Photo
from patrol.foundation.database import db
from patrol.issues.chain import entry_hash, genesis_hash
from patrol.issues.facts import COLUMNS, PHOTO_COLUMNS, PHOTO_COLUMNS_SINCE, digest_of_photo
from patrol.issues.history import _entry_of, broken_chains, fault_of
from patrol.issues.models import HistoryEntry, Issue
from tests.issues.conftest import report, taken


@pytest.fixture
def issue(valley, pictures):
    done = taken(valley.chief_client, report(valley.chief_client), "rectify", note="好了", files=pictures[:1])
    report(valley.patroller_client)
    return done


def faults():
    return [(str(found.issue_id), found.fault.seq, found.fault.kind.value) for found in broken_chains(batch=1) if found]


def run(damage, issue):
    bound = issue["id"].replace("-", "") if db.engine.dialect.name == "sqlite" else issue["id"]
    db.session.execute(db.text(damage), {"id": bound} if ":id" in damage else {})
    db.session.commit()


def build_photo(photo_id):
    known = db.session.query(Photo).one()
    values = {column: getattr(known, column) for column in Photo.__table__.columns.keys()}  # noqa: SIM118
    db.session.add(Photo(**{**values, "id": photo_id}))
    db.session.flush()


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
        ("UPDATE issues SET state = 'verified' WHERE id = :id", 4, "row_differs"),
        ("UPDATE photos SET sha256 = 'f' || substr(sha256, 2)", 4, "altered"),
        ("UPDATE issues SET history_hash = 'f' WHERE id = :id", 4, "head_differs"),
    ],
)  # fmt: skip
def test_damage_is_found_and_located(issue, damage, seq, kind):
    run(damage, issue)
    assert faults() == [(issue["id"], seq, kind)]


@pytest.mark.parametrize(
    ("damage", "seq", "field"),
    [
        ("UPDATE issues SET description = '无事' WHERE id = :id", 1, "description"),
        ("UPDATE issues SET severity = 'major' WHERE id = :id", 1, "severity"),
        ("UPDATE issues SET category = 'B2' WHERE id = :id", 1, "category"),
        ("UPDATE issues SET latitude = latitude + 0.000001 WHERE id = :id", 1, "latitude"),
        ("UPDATE issues SET reach_id = NULL WHERE id = :id", 1, "reach_id"),
        ("UPDATE issues SET region_id = (SELECT id FROM regions WHERE name = '石桥镇') WHERE id = :id", 1, "region_id"),
        ("UPDATE issues SET reporter_id = NULL WHERE id = :id", 1, "reporter_id"),
        ("UPDATE issues SET routing = '{}' WHERE id = :id", 1, "routing"),
        ("UPDATE issues SET due_rule = '{}' WHERE id = :id", 4, "due_rule"),
        ("UPDATE issues SET lead_id = NULL WHERE id = :id", 3, "lead_id"),
        ("UPDATE issues SET due_at = '2031-01-01 00:00:00' WHERE id = :id", 2, "due_at"),
        ("UPDATE issues SET rectified_at = '2031-01-01 00:00:00' WHERE id = :id", 4, "rectified_at"),
        ("UPDATE issues SET public_summary = '已清理' WHERE id = :id", 1, "public_summary"),
        ("UPDATE issues SET returned_times = 1 WHERE id = :id", 1, "returned_times"),
        ("INSERT INTO issue_co_handlers (issue_id, person_id) SELECT id, reporter_id FROM issues WHERE id = :id", 1, "co_handlers"),
        ("UPDATE issue_photos SET kind = 'before' WHERE issue_id = :id", 4, "photos"),
        ("DELETE FROM issue_photos WHERE issue_id = :id", 4, "photos"),
        ("INSERT INTO issue_photos (issue_id, photo_id, kind, seq, position) SELECT issue_id, '00000000000000000000000000000001', "
         "'after', 4, 1 FROM issue_photos", 4, "photos"),
    ],
)  # fmt: skip
def test_a_changed_issue_is_found_against_its_history(issue, app, damage, seq, field):
    if "0000001" in damage:
        build_photo(UUID(int=1))
    run(damage, issue)
    [found] = [found for found in broken_chains() if found]
    assert (str(found.issue_id), found.fault.seq, found.fault.kind.value, found.difference.field) == (issue["id"], seq, "row_differs", field)
    said = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert said.exit_code == 1
    assert f"{issue['number']} {issue['id']}: row_differs at {seq}: “{field}”" in said.output
    assert "(stored " in said.output


def test_both_values_of_what_was_changed_are_told(issue):
    run("UPDATE issues SET description = '无事' WHERE id = :id", issue)
    [found] = [found for found in broken_chains() if found]
    assert found.difference.values() == "stored '无事' / history '桥下漂着成片的垃圾'"
    assert "无事" not in found.fault.text.zh, "who holds a case file is told the field alone"


def test_what_is_worked_out_beside_an_issue_may_change(issue):
    run("UPDATE issues SET findings = '[]', next_escalation_at = NULL WHERE id = :id", issue)
    assert faults() == [], "when it climbs next is proved by itself: test_climbing.py"


def test_a_history_that_began_without_facts_proves_what_was_said_since(valley, issue):
    first = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"]), seq=1).one()
    rows = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"])).order_by(HistoryEntry.seq).all()
    first.facts, previous = None, genesis_hash(first.issue_id)
    for row in rows:
        row.previous_hash = previous
        row.hash = previous = entry_hash(_entry_of(row, [photo["sha256"] for photo in row.photos]), previous)
    db.session.get_one(Issue, first.issue_id).history_hash = previous
    db.session.commit()
    run("UPDATE issues SET description = '无事' WHERE id = :id", issue)
    assert faults() == []
    run("UPDATE issues SET lead_id = NULL WHERE id = :id", issue)
    assert faults() == [(issue["id"], 3, "row_differs")]


@pytest.mark.parametrize("damage", [
    "exif_taken_at = '2031-01-01 00:00:00'", "exif_latitude = 29.6", "exif_longitude = NULL", "exif_local_time = '2031-01-01T00:00:00'",
    "recorded_at = '2031-01-01 00:00:00'", "received_at = '2031-01-01 00:00:00'", "latitude = 29.6", "width = width + 1", "owner_id = NULL",
    "from_gallery = true",
])
def test_when_and_where_a_photo_was_taken_cannot_be_changed_unseen(issue, damage, app):
    [photo_id] = db.session.scalars(db.select(Photo.id))
    run(f"UPDATE photos SET {damage}", issue)
    [found] = [found for found in broken_chains() if found]
    assert (str(found.issue_id), found.fault.seq, found.difference.field) == (issue["id"], 4, f"photo {photo_id}")
    assert f"photo {photo_id}" in app.test_cli_runner().invoke(args=["issues", "verify"]).output


def test_a_photo_of_an_entry_from_before_its_facts_were_said_proves_its_bytes_alone(issue):
    row = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"]), seq=4).one()
    row.photos = [{name: value for name, value in photo.items() if name != "facts"} for photo in row.photos]
    row.hash = entry_hash(_entry_of(row, [photo["sha256"] for photo in row.photos]), row.previous_hash)
    db.session.get_one(Issue, row.issue_id).history_hash = row.hash
    db.session.commit()
    run("UPDATE photos SET exif_taken_at = '2031-01-01 00:00:00'", issue)
    assert faults() == []


def test_a_photo_of_an_entry_from_before_proves_not_whether_it_was_picked_and_all_else(issue):
    row = db.session.query(HistoryEntry).filter_by(issue_id=UUID(issue["id"]), seq=4).one()
    [photo] = db.session.scalars(db.select(Photo))
    row.photos = [{**said, "facts": digest_of_photo(photo, like="")} for said in row.photos]
    row.hash = entry_hash(_entry_of(row, [said["sha256"] for said in row.photos]), row.previous_hash)
    db.session.get_one(Issue, row.issue_id).history_hash = row.hash
    db.session.commit()
    run("UPDATE photos SET from_gallery = true", issue)
    assert faults() == []
    run("UPDATE photos SET exif_latitude = 29.6", issue)
    assert faults() == [(issue["id"], 4, "row_differs")]


def test_every_column_of_a_photo_is_proved_or_known_not_to_be():
    beside = {"id", "sha256", "likeness", "derived_at", "broken"}
    assert set(Photo.__table__.columns.keys()) == {*PHOTO_COLUMNS, *PHOTO_COLUMNS_SINCE, *beside}


def test_every_column_is_proved_or_known_not_to_be():
    beside = {"id", "serial", "state", "version", "history_hash", "findings", "next_escalation_at"}
    assert set(Issue.__table__.columns.keys()) == {*COLUMNS, *beside}


ODD_LISTS = ["[1]", '[{"x": 1}]', '[{"id": "x", "sha256": 7}]', '{"id": 1}', "null", '"text"']


@pytest.mark.parametrize("column", ["photos", "changes", "facts"])
@pytest.mark.parametrize("odd", ODD_LISTS, ids=range(len(ODD_LISTS)))
def test_what_no_act_leaves_in_an_entry_is_located_and_hides_nothing_else(app, valley, issue, column, odd):
    run(f"UPDATE issue_history SET {column} = '{odd}' WHERE seq = 3 AND issue_id = :id", issue)
    [other] = [row for row in valley.office_client.get("issues").json["items"] if row["id"] != issue["id"]]
    run("UPDATE issues SET severity = 'urgent' WHERE id = :id", other)
    assert sorted(faults()) == sorted([(issue["id"], 3, "altered"), (other["id"], 1, "row_differs")])
    answer = app.test_cli_runner().invoke(args=["issues", "verify", "--photos"])
    assert (answer.exit_code, f"{issue['id']}: altered at 3" in answer.output) == (1, True), answer.exception
    assert isinstance(answer.exception, SystemExit)
    assert fault_of(db.session.get_one(Issue, UUID(issue["id"]))).seq == 3


@pytest.mark.parametrize(("damage", "seq"), [
    ("UPDATE issue_history SET changes = '{oops' WHERE seq = 2 AND issue_id = :id", 2),
    ("UPDATE issue_history SET photos = 'oops' WHERE seq = 4 AND issue_id = :id", 4),
    ("UPDATE issue_history SET at = 'yesterday' WHERE seq = 3 AND issue_id = :id", 3),
    ("UPDATE issues SET due_rule = 'oops' WHERE id = :id", 4),
    ("UPDATE issues SET due_at = 'oops' WHERE id = :id", 4),
])  # fmt: skip
def test_what_cannot_even_be_read_is_located_and_hides_nothing_else(app, valley, issue, damage, seq):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps such values out of its columns")
    [other] = [row for row in valley.office_client.get("issues").json["items"] if row["id"] != issue["id"]]
    run("UPDATE issues SET severity = 'urgent' WHERE id = :id", other)
    run(damage, issue)
    assert sorted((str(found.issue_id), found.fault.seq, found.fault.kind.value) for found in broken_chains() if found) == sorted(
        [(issue["id"], seq, "unreadable"), (other["id"], 1, "row_differs")]
    )
    answer = app.test_cli_runner().invoke(args=["issues", "verify", "--photos"])
    assert f"{issue['number']} {issue['id']}: unreadable at {seq}: entry {seq}" in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_the_command_says_where_and_fails(app, issue):
    runner = app.test_cli_runner()
    sound = runner.invoke(args=["issues", "verify"])
    assert (sound.exit_code, sound.output.splitlines()[0]) == (0, "2 histories sound, 0 broken")
    db.session.execute(db.text("UPDATE issue_history SET note = '没好' WHERE seq = 4"))
    db.session.commit()
    broken = runner.invoke(args=["issues", "verify"])
    assert broken.exit_code == 1
    assert f"{issue['number']} {issue['id']}: altered at 4" in broken.output

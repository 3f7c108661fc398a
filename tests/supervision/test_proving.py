"""What was found on the spot is proved by the history of the issue: whoever changes it in the database is found."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.issues.facts import ROWS
from patrol.issues.history import broken_chains
from patrol.issues.models import HistoryEntry, Issue
from patrol.supervision.models import SpotCheck, SpotCheckPhoto
from patrol.supervision.proving import PROVED
from tests.issues.conftest import report
from tests.supervision.test_spot_checks import closed_issue, finish, plan

KNOWN_NOT = {
    "id": "names the row", "region_id": "by which it is seen", "reach_id": "by which it is listed", "digest": "of what was planned",
    "version": "counts its changes",
}  # fmt: skip


@pytest.fixture
def check(valley, pictures):
    """A check that was done on a closed issue, by hand; another one is open, and one of a reach is done."""
    issue = closed_issue(valley, pictures[:1])
    row = plan(valley.supervisor_client, issue_id=issue["id"], assigned_to=str(valley.supervisor.id))
    assert finish(valley.supervisor_client, row, pictures).status_code == 200
    plan(valley.supervisor_client, issue_id=issue["id"])
    reach = plan(valley.supervisor_client, reach_id=str(valley.reach.id))
    assert finish(valley.supervisor_client, reach, pictures).status_code == 200
    return UUID(row["id"])


def faults():
    return [found.difference.field for found in broken_chains() if found]


def altered(value):
    match value:
        case datetime():
            return value + timedelta(microseconds=1)
        case date():
            return value + timedelta(days=1)
        case float():
            return value + 0.001
        case dict():
            return {"water_clean": "no"}
        case UUID():
            return None
    return "relapsed" if value == "cured" else f"{value}x"[-1:] + value[1:]


def change(check, **values):
    with transaction():
        db.session.execute(db.update(SpotCheck).where(SpotCheck.id == check).values(values))
    db.session.expire_all()


def test_what_was_found_is_sound(check):
    assert faults() == []


def test_every_column_is_proved_or_known_not_to_be():
    assert {column.key for column in SpotCheck.__table__.c} == {*PROVED, "state", "issue_id", *KNOWN_NOT}


def test_every_column_of_a_check_is_proved_to_the_letter(check):
    row = db.session.get_one(SpotCheck, check)
    before = {name: getattr(row, name) for name in PROVED}
    for name, value in before.items():
        if value is not None:
            change(check, **{name: altered(value)})
            assert faults() == [f"spot_check {check} {name}"], name
            change(check, **{name: value})
    change(check, state="open")
    assert faults() == [f"spot_check {check} state"]
    change(check, state="done")
    assert faults() == []


def test_a_check_that_is_gone_or_moved_or_put_in_is_found(valley, check):
    other = UUID(report(valley.patroller_client)["id"])
    change(check, issue_id=other)
    assert sorted(faults()) == [f"spot_check {check}", f"spot_check {check} issue_id"]
    change(check, issue_id=db.session.scalar(db.select(Issue.id).where(Issue.id != other)))
    row = db.session.get_one(SpotCheck, check)
    values = {column.key: getattr(row, column.key) for column in SpotCheck.__table__.c}
    with transaction():
        db.session.add(SpotCheck(**{**values, "id": uuid4()}))
    assert [field.split()[0] for field in faults()] == ["spot_check"]
    with transaction():
        db.session.execute(db.delete(SpotCheck).where(SpotCheck.id != check, SpotCheck.state == "done", SpotCheck.issue_id.is_not(None)))
        db.session.execute(db.delete(SpotCheckPhoto).where(SpotCheckPhoto.spot_check_id == check))
    assert faults() == [f"spot_check {check} photos"]
    with transaction():
        db.session.execute(db.delete(SpotCheck).where(SpotCheck.id == check))
    assert faults() == [f"spot_check {check}"]


def test_an_entry_from_before_proves_what_it_tells(check, monkeypatch):
    entry = db.session.scalars(db.select(HistoryEntry).where(HistoryEntry.verb == "spot_check")).one()
    assert set(entry.facts[ROWS][f"spot_check {check}"]) == set(PROVED)
    # As it was written before it said the rows: the histories of then have entries like this, whose hashes are their own.
    said = {name: value for name, value in entry.facts.items() if name != ROWS}
    monkeypatch.setattr("patrol.issues.history.first_fault", lambda *_: None)
    monkeypatch.setattr("patrol.issues.history.first_difference", lambda *_: None)
    with transaction():
        db.session.execute(db.update(HistoryEntry).where(HistoryEntry.id == entry.id).values(facts=said))
    db.session.expire_all()
    change(check, latitude=1.0)
    assert faults() == []
    change(check, result="relapsed")
    assert faults() == [f"spot_check {check} result"]

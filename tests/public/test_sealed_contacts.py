"""Sealing contacts, and changing the key."""

from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from patrol.foundation import clock, sealing
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.people.models import AuditEntry
from patrol.public.models import ReporterContact

CONTACT = {"name": "李女士", "phone": "13912345678"}


@pytest.fixture
def keys():
    return [Fernet.generate_key().decode() for _ in range(2)]


def test_sealed_text_says_nothing_and_opens_with_any_of_the_keys(keys):
    sealed = sealing.seal(CONTACT, keys[:1])
    assert b"13912345678" not in sealed
    assert "李".encode() not in sealed
    assert sealed != sealing.seal(CONTACT, keys[:1])
    assert sealing.unseal(sealed, keys) == sealing.unseal(sealed, keys[::-1]) == CONTACT
    with pytest.raises(Unavailable, match="No key"):
        sealing.unseal(sealed, keys[1:])


@pytest.fixture
def stored(complain, place, test_settings):
    """Two complaints with contacts, sealed under the key in force."""
    for _ in range(2):
        assert complain(contact=CONTACT).status_code == 201
    return test_settings.field_key


def sealed_now():
    return [bytes(sealed) for sealed in db.session.scalars(select(ReporterContact.sealed))]


def test_the_command_seals_every_row_anew_under_the_first_key(stored, keys, app, test_settings, monkeypatch):
    before = sealed_now()
    assert len(before) == 2
    monkeypatch.setitem(test_settings._values, "field_key", (keys[0], *stored))
    monkeypatch.setattr(sealing, "_ROWS_AT_ONCE", 1)
    result = app.test_cli_runner().invoke(args=["public", "rotate-field-key"])
    assert result.exit_code == 0, result.output
    assert "reporter_contacts: 2" in result.output
    db.session.expire_all()
    after = sealed_now()
    assert not set(before) & set(after)
    assert all(sealing.unseal(sealed, keys[:1]) == CONTACT for sealed in after)
    assert db.session.scalar(select(AuditEntry.facts).where(AuditEntry.act == "rotate_field_key")) ["reporter_contacts"] == 2


def test_a_row_that_no_key_opens_stops_the_rotation_and_changes_nothing(stored, keys, app, test_settings, monkeypatch):
    before = sealed_now()
    monkeypatch.setitem(test_settings._values, "field_key", (keys[0],))
    result = app.test_cli_runner().invoke(args=["public", "rotate-field-key"])
    assert result.exit_code == 1
    assert "No key" in result.output
    db.session.expire_all()
    assert sealed_now() == before


def test_a_contact_without_its_complaint_cannot_be_stored(database):
    db.session.add(ReporterContact(complaint_id=uuid4(), sealed=b"x", created_at=clock.now()))
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        db.session.flush()
    db.session.rollback()

"""Whatever is stuck in the outbox is seen by the admin, and tried again by hand."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from patrol.foundation import clock, outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import MOST_ATTEMPTS, OutboxRow
from patrol.foundation.transaction import transaction


@pytest.fixture
def admin(build, signed_in):
    return signed_in(build.person("admin"))


@pytest.fixture
def delivered(monkeypatch, database):
    """Deliverers of two kinds; they fail with what would tell a secret while `fails` is set."""
    class Notes(list):
        fails = True

    notes = Notes()

    def deliverer(payload):
        if notes.fails:
            raise OSError("https://robot.example.org/send?key=abc refused canary@example.org")
        return lambda: notes.append(payload["word"])

    for kind in ("mail", "image"):
        monkeypatch.setitem(outbox._deliverers, f"test.{kind}", deliverer)
    return notes


def put_stuck(kind, word):
    with transaction():
        row_id = outbox.put(kind, word=word)
    outbox.deliver(row_id)
    with transaction():
        db.session.get_one(OutboxRow, row_id).attempts = MOST_ATTEMPTS
    return str(row_id)


def test_what_is_stuck_is_listed_by_kind_and_age_without_secrets(admin, delivered):
    first, second = put_stuck("test.mail", "hush"), put_stuck("test.image", "hush")
    with transaction():
        waits = str(outbox.put("test.mail", word="hush"))
    later = clock.now() + timedelta(hours=1)
    with clock.moved_clock(lambda: later):
        reply = admin.get("outbox?limit=1").json
        rest = admin.get("outbox", query_string={"cursor": reply["next"]}).json["items"]
    [row] = reply["items"]
    assert [row["id"], *(other["id"] for other in rest)] == [first, second]
    assert (row["kind"], row["state"], row["attempts"], row["next_attempt_at"]) == ("test.mail", "stuck", MOST_ATTEMPTS, None)
    assert 3600 <= row["age_s"] <= 3660
    assert row["last_error"] == "OSError('https://… refused …@…')"
    assert "hush" not in str(reply)
    assert [one["id"] for one in admin.get("outbox?kind=test.image").json["items"]] == [second]
    assert waits in [one["id"] for one in admin.get("outbox?state=waiting&limit=200").json["items"]]
    assert admin.get("outbox?state=all").status_code == 422


def test_it_is_tried_again_by_hand(admin, delivered, work):
    stuck = put_stuck("test.image", "done")
    delivered.fails = False
    work()
    assert delivered == []
    assert admin.post(f"outbox/{stuck}/retry").json["state"] == "waiting"
    work()
    assert delivered == ["done"]
    assert admin.get("outbox").json["items"] == []
    assert admin.post(f"outbox/{stuck}/retry").status_code == 409
    assert admin.post(f"outbox/{uuid4()}/retry").status_code == 404


def test_the_retry_stands_in_the_audit_log(admin, delivered, build, signed_in):
    stuck = put_stuck("test.mail", "x")
    admin.post(f"outbox/{stuck}/retry")
    [entry] = signed_in(build.person("auditor")).get("audit?act=retry_outbox").json["items"]
    assert (entry["subject"], entry["facts"]) == (stuck, {"kind": "test.mail"})


def test_it_is_for_the_admin_alone(build, signed_in, anyone):
    assert signed_in(build.person("office")).get("outbox").status_code == 403
    assert anyone.get("outbox").status_code == 401


def test_every_kind_is_explained_in_the_documents(app):
    told = (Path(app.root_path).parent / "docs" / "running.md").read_text(encoding="utf-8")
    assert [kind for kind in outbox._deliverers if f"`{kind}`" not in told] == []

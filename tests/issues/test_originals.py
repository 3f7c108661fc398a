"""The photos' originals in the store, hashed again: a flipped byte and a lost file are located by issue and photo."""

import io
import os
from types import SimpleNamespace

import pytest
from obstore.store import MemoryStore

from patrol.evidence.storage import PhotoStore, open_store, original_key
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.issues.originals import lost_originals
from tests.issues.conftest import HERE, report, taken

CHANGED, MISSING = "the original was changed in the store", "the original is not in the store"
S3_URL = os.environ.get("XUNHE_TEST_S3_URL")


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def store(request, app, tmp_path, monkeypatch):
    """The application's store: a folder, one in memory, or one on a server."""
    if request.param == "folder":
        store = open_store(str(tmp_path / "uploads"))
    elif request.param == "memory":
        kept = MemoryStore()
        store = PhotoStore(lambda: kept)
    else:
        bucket, _, query = S3_URL.partition("?")
        store = open_store(f"{bucket}/{os.urandom(8).hex()}?{query}")
    monkeypatch.setitem(app.extensions, "photo_store", store)
    return store


@pytest.fixture
def case(store, valley, pictures):
    """An issue with one photo of its report and one of its cure."""
    first = valley.chief_client.post("photos", data={"file": (io.BytesIO(pictures[0]), "a.jpg")}).json
    issue = report(valley.chief_client, photo_ids=[first["id"]])
    issue = taken(valley.chief_client, issue, "rectify", note="已清理", files=pictures[1:2])
    second = next(photo for photo in issue["photos"] if photo["id"] != first["id"])
    digest = valley.office_client.get(f"photos/{second['id']}").json["sha256"]
    return SimpleNamespace(issue=issue, photo=second["id"], sha256=digest, data=pictures[1], other=first)


def put(store, key, data):
    """Lay other bytes under an original's name, as whoever has the store could."""
    store._put(key, data, replace=True)


def verify(app, *switches):
    said = app.test_cli_runner().invoke(args=["issues", "verify", *switches])
    return said.exit_code, said.output


def test_originals_that_are_what_was_received_are_sound(app, case):
    code, said = verify(app, "--photos")
    assert (code, "2 photos' originals sound, 0 changed or gone" in said) == (0, True), said


def test_a_flipped_byte_is_located_by_issue_and_photo(app, store, case):
    flipped = case.data[:-100] + bytes([case.data[-100] ^ 1]) + case.data[-99:]
    put(store, original_key(case.sha256), flipped)
    code, said = verify(app, "--photos")
    assert code == 1
    assert f"{case.issue['number']} {case.issue['id']}: photo {case.photo} at 4: {CHANGED}" in said
    assert "1 photos' originals sound, 1 changed or gone" in said


def test_without_the_switch_only_the_digests_in_the_rows_count(app, store, case):
    put(store, original_key(case.sha256), b"other bytes")
    code, said = verify(app)
    assert (code, "originals" in said) == (0, False)


def test_a_file_that_is_gone_is_located_and_so_is_every_case_that_shows_it(app, valley, case, monkeypatch):
    twice = report(valley.chief_client, **HERE, category="C2", photo_ids=[case.other["id"]])
    monkeypatch.setitem(app.extensions, "photo_store", PhotoStore(MemoryStore))
    code, said = verify(app, "--photos")
    assert code == 1
    for issue, photo, seq in ((case.issue, case.photo, 4), (case.issue, case.other["id"], 1), (twice, case.other["id"], 1)):
        assert f"{issue['number']} {issue['id']}: photo {photo} at {seq}: {MISSING}" in said


def test_each_file_is_read_once_however_many_cases_show_it(valley, case, store, monkeypatch):
    report(valley.chief_client, category="C2", photo_ids=[case.other["id"]])
    read, reads = store.open_stream, []
    monkeypatch.setattr(store, "open_stream", lambda key: reads.append(key) or read(key))
    assert list(lost_originals(store)) == [None, None, None]
    assert len(reads) == 2


def test_a_store_that_is_away_is_no_verdict_on_the_photos(app, case, monkeypatch):
    def away(_key):
        raise Unavailable(SimpleNamespace(zh="照片存储暂时不可用", en="The photo store is not available"))

    monkeypatch.setattr(app.extensions["photo_store"], "open_stream", away)
    code, said = verify(app, "--photos")
    assert code == 1
    assert "The photo store is not available" in said
    assert "changed or gone" not in said


def test_many_entries_are_read_in_pages(valley, case, store, monkeypatch):
    monkeypatch.setattr("patrol.issues.originals._BATCH", 1)
    for _ in range(3):
        report(valley.chief_client, category="C2", photo_ids=[case.other["id"]])
    assert list(lost_originals(store)) == [None] * 5
    db.session.rollback()

"""Photos over HTTP: in by form and by raw body, out in sizes, seen by their sender only until they hang on something."""

import base64
import hashlib
import io
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from patrol.evidence import visibility
from patrol.evidence.models import Photo
from patrol.foundation import outbox, worker
from patrol.foundation.database import db
from tests.evidence.camera import camera_jpeg


@pytest.fixture
def jpeg():
    return camera_jpeg()


def send_form(client, data, name="photo.jpg", **fields):
    return client.post("photos", data={"file": (io.BytesIO(data), name), **fields})


@pytest.fixture
def chief(build, signed_in):
    return signed_in(build.person("chief"))


def test_a_photo_comes_in_and_goes_out_in_sizes(chief, jpeg):
    reply = send_form(chief, jpeg, kind="before")
    assert reply.status_code == 201, reply.json
    assert reply.json["sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert not reply.json["ready"]
    waiting = chief.get(reply.json["thumb"])
    assert waiting.status_code == 503
    assert waiting.headers["Retry-After"]
    assert worker.deliver_due() == 1
    thumb = chief.get(reply.json["thumb"])
    assert thumb.status_code == 200
    assert thumb.mimetype == "image/jpeg"
    assert b"Exif" not in thumb.data
    assert chief.get(f"photos/{reply.json['id']}/original").data == jpeg
    shown = chief.get(f"photos/{reply.json['id']}").json
    assert shown["ready"]
    assert shown["exif"]["latitude"] is not None


def test_same_id_same_bytes_is_one_photo_and_other_bytes_conflict(chief, jpeg):
    photo_id = str(uuid4())
    first, again = (send_form(chief, jpeg, id=photo_id) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"] == photo_id
    other = send_form(chief, camera_jpeg(seed=99), id=photo_id)
    assert other.status_code == 409
    assert {other.json["digest_stored"], other.json["digest_sent"]} == {
        hashlib.sha256(jpeg).hexdigest(), hashlib.sha256(camera_jpeg(seed=99)).hexdigest()}
    assert db.session.query(Photo).count() == 1


def test_a_photo_in_chunks_is_kept_whole_or_refused(chief, jpeg):
    for more, status in ((24_000_000, 201), (26_000_000, 413)):
        data = jpeg + bytes(more)
        reply = chief.put(f"photos/{uuid4()}", headers={"Content-Type": "image/jpeg", "Transfer-Encoding": "chunked"}, environ_overrides={
            "wsgi.input": io.BytesIO(data), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""})
        assert reply.status_code == status, reply.json
        assert status != 201 or reply.json["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("how", ["query", "digest", "content-digest"])
def test_raw_body_with_digest(chief, jpeg, how):
    raw = base64.b64encode(hashlib.sha256(jpeg).digest()).decode()
    headers = {"query": {}, "digest": {"Digest": f"sha-256={raw}"}, "content-digest": {"Content-Digest": f"sha-256=:{raw}:"}}[how]
    query = {"sha256": hashlib.sha256(jpeg).hexdigest()} if how == "query" else {}
    reply = chief.put(f"photos/{uuid4()}", data=jpeg, headers={"Content-Type": "image/jpeg", **headers}, query_string=query)
    assert reply.status_code == 201, reply.json
    half = chief.put(f"photos/{uuid4()}", data=camera_jpeg(seed=2), headers={"Content-Type": "image/jpeg", **headers}, query_string=query)
    assert half.status_code == 422
    assert "sha256" in half.json["errors"]


@pytest.mark.parametrize(
    ("data", "status"), [(b"", 422), (b"<html>", 415), (b"GIF89a" + b"\0" * 50, 415), (camera_jpeg()[:2000], 422)]
)
def test_what_is_no_photo_is_refused_and_nothing_stays(chief, data, status):
    reply = send_form(chief, data)
    assert reply.status_code == status, reply.json
    assert reply.mimetype == "application/problem+json"
    assert db.session.query(Photo).count() == 0


def test_a_foreign_photo_is_404(build, signed_in, chief, jpeg):
    photo = send_form(chief, jpeg).json
    stranger = signed_in(build.person("chief"))
    for path in (f"photos/{photo['id']}", photo["thumb"], f"photos/{photo['id']}/original"):
        assert stranger.get(path).status_code == 404


def test_who_may_not_see_a_citizen_s_original_is_told_that_it_is_hidden_and_from_whom(build, signed_in, chief, jpeg, monkeypatch):
    photo_id = UUID(send_form(chief, jpeg).json["id"])
    db.session.get_one(Photo, photo_id).owner_id = None
    db.session.commit()
    monkeypatch.setitem(visibility._ways, "a complaint", lambda _actor: select(Photo.id).where(Photo.id == photo_id))
    reply = chief.get(f"photos/{photo_id}/original", headers={"Accept-Language": "en"})
    assert reply.status_code == 403
    assert "roles do not include" not in reply.json["detail"]
    assert all(words in reply.json["detail"] for words in ("a citizen's photo", "hidden", "`office` and `supervisor`", "`screen`"))
    assert all(signed_in(build.person(role)).get(f"photos/{photo_id}/original").data == jpeg for role in ("office", "supervisor"))


def test_a_file_missing_from_the_form_is_422(chief):
    assert chief.post("photos", data={"kind": "before"}, content_type="multipart/form-data").status_code == 422


@pytest.mark.parametrize(("form", "field"), [
    ({"file": "a text"}, "file"), ({"latitude": "2_9.6"}, "latitude"), ({"longitude": "nan"}, "longitude"), ({"kind": "selfie"}, "kind"),
    ({"id": "7"}, "id"), ({"recorded_at": "2026-05-01T08:30:00"}, "recorded_at"), ({"colour": "blue"}, "colour"),
])
def test_a_bad_form_is_refused_by_field(chief, jpeg, form, field):
    reply = chief.post("photos", data={"file": (io.BytesIO(jpeg), "a.jpg"), **form}, content_type="multipart/form-data")
    assert reply.status_code == 422, reply.json
    assert list(reply.json["errors"]) == [field]


def test_a_second_photo_with_the_same_original_is_ready_at_once(chief, jpeg):
    send_form(chief, jpeg)
    worker.deliver_due()
    assert send_form(chief, jpeg).json["ready"]
    assert outbox.pending_and_stuck() == (0, 0)


FACTS = {"kind": "before", "recorded_at": "2026-11-20T08:30:00.250+08:00", "latitude": "29.6001", "longitude": "119.81"}


def put_photo(client, photo_id, data, facts):
    return client.put(f"photos/{photo_id}", data=data, headers={"Content-Type": "image/jpeg"}, query_string=facts)


def test_the_same_bytes_with_the_same_facts_are_one_photo_however_the_time_is_written(chief, jpeg):
    photo_id = uuid4()
    assert put_photo(chief, photo_id, jpeg, FACTS).status_code == 201
    again = put_photo(chief, photo_id, jpeg, {**FACTS, "recorded_at": "2026-11-20T00:30:00.250Z"})
    assert again.status_code == 200, again.json


@pytest.mark.parametrize("changes", [
    {"kind": "after"}, {"recorded_at": "2026-11-20T08:31:00+08:00"}, {"latitude": "29.7"}, {"longitude": "119.9"}, None])
def test_the_same_bytes_with_other_facts_conflict(chief, jpeg, changes):
    photo_id = uuid4()
    put_photo(chief, photo_id, jpeg, FACTS)
    other = put_photo(chief, photo_id, jpeg, {} if changes is None else {**FACTS, **changes})
    assert other.status_code == 409
    assert other.json["digest_stored"] != other.json["digest_sent"]


@pytest.mark.parametrize("seed", [None, 2])
def test_somebody_elses_id_conflicts_and_tells_nothing_of_the_photo(build, signed_in, chief, jpeg, seed):
    photo_id = uuid4()
    put_photo(chief, photo_id, jpeg, FACTS)
    sent = camera_jpeg(seed) if seed else jpeg
    reply = put_photo(signed_in(build.person("chief")), photo_id, sent, FACTS)
    assert reply.status_code == 409
    assert not {"digest_stored", "digest_sent", "sha256", "exif", "latitude"} & reply.json.keys()
    assert hashlib.sha256(jpeg).hexdigest() not in reply.text


def test_the_description_names_every_kind_of_picture_that_may_come_out(app):
    answer = app.extensions["api"].description()["paths"]["/api/v1/photos/{photo_id}/{size}"]["get"]["responses"]["200"]
    assert set(answer["content"]) == {"image/jpeg", "image/png", "image/webp", "image/heic"}

"""tus 1.0 over HTTP: the vectors of the protocol, and a photo that arrives in pieces."""

import base64
import hashlib
import io
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.exceptions import ClientDisconnected

from patrol.evidence.models import Photo, Upload
from patrol.evidence.partial_files import PartialFiles
from patrol.evidence.schemas import UploadMetadataIn
from patrol.evidence.upload_upkeep import purge_uploads
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.same_content import content_digest
from patrol.foundation.texts import Text
from tests.evidence.camera import camera_jpeg

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}
JPEG = camera_jpeg()
SHA256 = hashlib.sha256(JPEG).hexdigest()


def metadata(**values):
    return ",".join(f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in values.items())


def begin(client, data=JPEG, *, length=None, headers=(), body=None, **told):
    sent = {**(CHUNK if body is not None else TUS), "Upload-Length": str(len(data) if length is None else length), **dict(headers)}
    if told:
        sent["Upload-Metadata"] = metadata(**told)
    return client.post("uploads", headers=sent, data=body)


def send(client, address, data, offset, **headers):
    return client.patch(address, headers={**CHUNK, "Upload-Offset": str(offset), **headers}, data=data)


def chunked(client, address, stream, **headers):
    """Send a body whose length no header tells, as a server hands it on."""
    sent = {**CHUNK, "Upload-Offset": "0", "Transfer-Encoding": "chunked", **headers}
    return client.patch(address, headers=sent, environ_overrides={
        "wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""})


def offset_of(client, address):
    reply = client.open(address, "HEAD", headers=TUS)
    assert reply.status_code == 200, reply.status_code
    return int(reply.headers["Upload-Offset"])


def checksum(data, algorithm="sha1"):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


@pytest.fixture
def person(build):
    return build.person("chief")


@pytest.fixture
def chief(person, signed_in):
    return signed_in(person)


@pytest.fixture
def files(app):
    return PartialFiles(app.extensions["settings"].partial_uploads)


@pytest.fixture
def address(chief):
    return begin(chief, photo_id=uuid4(), sha256=SHA256).headers["Location"]


def upload_at(address):
    return db.session.get(Upload, UUID(address.rsplit("/", maxsplit=1)[-1]), populate_existing=True)


def test_a_photo_arrives_in_pieces(chief):
    photo_id = uuid4()
    begun = begin(
        chief, photo_id=photo_id, sha256=SHA256, kind="before", recorded_at="2026-05-01T08:30:00+08:00", latitude="29.6",
        longitude="119.81", filename="../../etc/河 photo.jpg", from_gallery="true",
    )
    assert (begun.status_code, begun.headers["Upload-Offset"], begun.headers["Tus-Resumable"]) == (201, "0", "1.0.0")
    assert begun.headers["Upload-Expires"].endswith(" GMT")
    assert begun.headers["Photo-Id"] == str(photo_id)
    address, at = begun.headers["Location"], 0
    while at < len(JPEG):
        reply = send(chief, address, JPEG[at:at + 10_000], at)
        at = min(at + 10_000, len(JPEG))
        assert (reply.status_code, reply.headers["Upload-Offset"]) == (204, str(at))
    photo = chief.get(f"photos/{photo_id}").json
    assert (photo["sha256"], photo["kind"], photo["latitude"], photo["recorded_at"]) == (SHA256, "before", 29.6, "2026-05-01T00:30:00+00:00")
    assert photo["from_gallery"] is True
    assert chief.get(f"photos/{photo_id}/original").data == JPEG


def test_a_creation_that_says_nothing_of_the_gallery_is_the_one_that_was_begun_before_it_could(chief):
    begin(chief, photo_id=uuid4(), sha256=SHA256, kind="after")
    as_ever = {"sha256": SHA256, "length": len(JPEG), "kind": "after", "recorded_at": None, "latitude": None, "longitude": None}
    assert db.session.scalar(select(Upload.digest)) == content_digest(as_ever)


def test_who_gave_the_photo_no_id_is_told_it(chief):
    begun = begin(chief, sha256=SHA256)
    finished = send(chief, begun.headers["Location"], JPEG, 0)
    asked = chief.open(begun.headers["Location"], "HEAD", headers=TUS)
    [photo_id] = {reply.headers["Photo-Id"] for reply in (begun, finished, asked)}
    assert chief.get(f"photos/{photo_id}").json["sha256"] == SHA256


def test_an_interrupted_upload_goes_on_where_head_says(chief, address):
    send(chief, address, JPEG[:5000], 0)
    told = chief.open(address, "HEAD", headers=TUS)
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("5000", str(len(JPEG)))
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["Upload-Metadata"].startswith("photo_id ")
    assert send(chief, address, JPEG[5000:], 5000).status_code == 204


def test_after_the_end_the_last_chunk_and_head_answer_as_before(chief, address, files):
    assert send(chief, address, JPEG, 0).status_code == 204
    assert offset_of(chief, address) == len(JPEG)
    again = send(chief, address, JPEG, 0)
    assert (again.status_code, again.json["offset"]) == (409, len(JPEG))
    nothing = send(chief, address, b"", len(JPEG))
    assert (nothing.status_code, nothing.headers["Upload-Offset"]) == (204, str(len(JPEG)))
    assert files.size(upload_at(address).id) == 0
    assert db.session.query(Photo).count() == 1


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PATCH", {"Tus-Resumable": "0.2.2"}, 412), ("PATCH", {"Tus-Resumable": None}, 412), ("HEAD", {"Tus-Resumable": None}, 412),
        ("DELETE", {"Tus-Resumable": "2.0.0"}, 412), ("PATCH", {"Content-Type": "application/octet-stream"}, 415),
        ("PATCH", {"Content-Type": None}, 415), ("PATCH", {"Upload-Offset": None}, 400), ("PATCH", {"Upload-Offset": "-1"}, 400),
        ("PATCH", {"Upload-Offset": "1"}, 409), ("PATCH", {"Upload-Checksum": "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}, 400),
        ("PATCH", {"Upload-Checksum": "sha1 short"}, 400), ("PATCH", {"Upload-Checksum": checksum(b"other")}, 460),
        ("PATCH", {"Upload-Checksum": checksum(b"other", "sha256")}, 460), ("PATCH", {"Upload-Checksum": checksum(JPEG[:100])}, 204),
        ("PATCH", {"Upload-Checksum": checksum(JPEG[:100], "sha256")}, 204), ("PATCH", {}, 204), ("HEAD", {}, 200), ("DELETE", {}, 204),
        ("POST", {"X-HTTP-Method-Override": "PATCH"}, 204), ("POST", {"X-HTTP-Method-Override": "HEAD"}, 200),
        ("POST", {"X-HTTP-Method-Override": "DELETE"}, 204), ("POST", {"X-HTTP-Method-Override": "PUT"}, 405), ("POST", {}, 405),
        ("GET", {}, 405), ("PUT", {}, 405),
    ],
)
def test_vectors(method, headers, status, chief, address):
    sent = {name: value for name, value in {**CHUNK, "Upload-Offset": "0", **headers}.items() if value is not None}
    reply = chief.open(address, method, headers=sent, data=None if method in {"HEAD", "GET"} else JPEG[:100])
    assert reply.status_code == status, reply.data
    assert reply.headers.get("Tus-Resumable") == (None if status == 405 and method in {"GET", "PUT"} else "1.0.0")
    assert (reply.headers.get("Tus-Version") == "1.0.0") == (status in {204, 412})
    if status >= 400 and method != "HEAD":
        assert reply.mimetype == "application/problem+json"
        assert reply.json["status"] == status
        assert reply.json["detail"]
    deleted = status == 204 and "DELETE" in {method, headers.get("X-HTTP-Method-Override")}
    if not deleted:
        wrote = status == 204
        assert offset_of(chief, address) == (100 if wrote else 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": None}, 400), ({"Upload-Length": "many"}, 400), ({"Upload-Length": "0"}, 422), ({"Upload-Length": "25000001"}, 413),
        ({"Upload-Length": "25000000"}, 201), ({"Tus-Resumable": None}, 412), ({"Upload-Metadata": "photo_id"}, 422),
        ({"Upload-Metadata": metadata(photo_id="7")}, 422), ({"Upload-Metadata": metadata(kind="selfie")}, 422),
        ({"Upload-Metadata": metadata(latitude="91")}, 422), ({"Upload-Metadata": metadata(recorded_at="yesterday")}, 422),
        ({"Upload-Metadata": metadata(sha256="abc")}, 422), ({"Upload-Metadata": metadata(colour="blue")}, 422),
        ({"Upload-Metadata": metadata(filename="a\0b")}, 422), ({"Upload-Metadata": "photo_id !"}, 400),
        ({"Upload-Metadata": metadata(filename="a.jpg", filetype="image/jpeg", name="a", type="b", relativePath="null")}, 201),
    ],
)
def test_creations(headers, status, chief):
    sent = {name: value for name, value in {**TUS, "Upload-Length": "1000", **headers}.items() if value is not None}
    reply = chief.post("uploads", headers=sent)
    assert reply.status_code == status, reply.data
    assert db.session.query(Upload).count() == (1 if status == 201 else 0)
    assert reply.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("path", ["uploads", "uploads/019a2f7a-7b1a-7cc0-a4d8-6c1f09b3e2d1"])
def test_options_tell_what_is_spoken(path, anyone):
    reply = anyone.open(path, "OPTIONS")
    assert (reply.status_code, reply.headers["Tus-Version"], reply.headers["Tus-Max-Size"]) == (204, "1.0.0", "25000000")
    assert reply.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    assert reply.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert "Tus-Resumable" not in reply.headers


@pytest.mark.parametrize("name", ["photo_id", "evidence_uuid"])
def test_the_same_creation_is_the_same_upload(name, chief):
    photo_id = uuid4()
    first, again = (begin(chief, **{name: photo_id}, sha256=SHA256, kind="after") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["Location"] == again.headers["Location"]
    other = begin(chief, photo_id=photo_id, sha256="0" * 64, kind="after")
    assert (other.status_code, other.json["digest_stored"], other.json["digest_sent"]) == (409, SHA256, "0" * 64)
    assert begin(chief, photo_id=photo_id, sha256=SHA256, kind="before").status_code == 409
    assert begin(chief, length=7, photo_id=photo_id, sha256=SHA256, kind="after").status_code == 409
    send(chief, first.headers["Location"], JPEG[:10], 0)
    assert begin(chief, **{name: photo_id}, sha256=SHA256.upper(), kind="after").headers["Upload-Offset"] == "10"


def test_a_creation_may_bring_the_first_chunk_or_all(chief):
    part = begin(chief, body=JPEG[:100], photo_id=uuid4())
    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "100")
    assert send(chief, part.headers["Location"], JPEG[100:], 100).status_code == 204
    photo_id = uuid4()
    whole = begin(chief, body=JPEG, photo_id=photo_id)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(JPEG)))
    again = begin(chief, body=JPEG, photo_id=photo_id)
    assert (again.status_code, again.headers["Location"]) == (200, whole.headers["Location"])
    assert begin(chief, body=JPEG, headers={"Content-Type": "image/jpeg"}).status_code == 415
    wrong = begin(chief, body=JPEG, headers={"Upload-Checksum": checksum(b"other")}, photo_id=uuid4())
    assert wrong.status_code == 460


def test_a_photo_that_is_here_needs_no_byte(chief):
    photo_id = uuid4()
    assert chief.put(f"photos/{photo_id}", data=JPEG, headers={"Content-Type": "image/jpeg"}).status_code == 201
    begun = begin(chief, photo_id=photo_id, sha256=SHA256)
    assert (begun.status_code, begun.headers["Upload-Offset"]) == (201, str(len(JPEG)))
    assert offset_of(chief, begun.headers["Location"]) == len(JPEG)
    assert begin(chief, photo_id=photo_id, sha256="0" * 64).status_code == 409


def test_a_photo_id_of_somebody_else_is_taken(chief, build, signed_in):
    photo_id, other = uuid4(), signed_in(build.person("chief"))
    address = begin(other, photo_id=photo_id).headers["Location"]
    assert send(chief, begin(chief, photo_id=photo_id).headers["Location"], JPEG, 0).status_code == 204
    refused = send(other, address, JPEG, 0)
    assert refused.status_code == 409
    assert "digest_stored" not in refused.json
    assert begin(other, photo_id=photo_id, sha256=SHA256).status_code == 409


def test_nobody_else_sees_an_upload(address, build, signed_in, anyone):
    other = signed_in(build.person("chief"))
    for method in ("HEAD", "PATCH", "DELETE"):
        headers = {**CHUNK, "Upload-Offset": "0"}
        assert other.open(address, method, headers=headers).status_code == 404
        assert anyone.open(address, method, headers=headers).status_code == 401


def test_bytes_beyond_the_length_are_refused_unread(chief, address):
    reply = send(chief, address, JPEG + b"x", 0)
    assert reply.status_code == 413
    assert offset_of(chief, address) == 0


def test_a_chunk_without_a_known_length_is_read_as_far_as_it_may(chief, address):
    assert chunked(chief, address, io.BytesIO(JPEG + b"x")).status_code == 413
    assert offset_of(chief, address) == 0
    assert chunked(chief, address, io.BytesIO(JPEG)).status_code == 204
    assert offset_of(chief, address) == len(JPEG)


class BrokenLine:
    """Ends in a fault, as the stream of a connection that breaks."""

    def __init__(self, data):
        self.rest = data

    def read(self, size):
        if not self.rest:
            raise ClientDisconnected
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


def broken(client, address, data, **headers):
    return chunked(client, address, BrokenLine(data), **headers)


def test_what_came_before_a_break_is_kept(chief, address):
    assert broken(chief, address, JPEG[:7000]).status_code == 400
    assert offset_of(chief, address) == 7000
    assert send(chief, address, JPEG[7000:], 7000).status_code == 204


def test_a_break_behind_the_last_byte_leaves_one_to_send(chief, address):
    assert broken(chief, address, JPEG).status_code == 400
    assert offset_of(chief, address) == len(JPEG) - 1
    assert send(chief, address, JPEG[-1:], len(JPEG) - 1).status_code == 204


def test_a_broken_chunk_with_a_checksum_does_not_count(chief, address):
    assert broken(chief, address, JPEG[:7000], **{"Upload-Checksum": checksum(JPEG)}).status_code == 460
    assert offset_of(chief, address) == 0


def test_bytes_that_were_never_acknowledged_are_overwritten(chief, address, files):
    """A process that is killed in the middle of a chunk leaves bytes in the file of which the row knows nothing."""
    send(chief, address, JPEG[:100], 0)
    with files.locked(upload_at(address).id) as file:
        file.seek(0, io.SEEK_END)
        file.write(b"rubbish")
    assert offset_of(chief, address) == 100
    assert send(chief, address, JPEG[100:], 100).status_code == 204


def test_a_file_that_was_lost_is_not_told_to_be_there(chief, address, files):
    send(chief, address, JPEG[:100], 0)
    files.remove(upload_at(address).id)
    assert offset_of(chief, address) == 0
    assert send(chief, address, JPEG, 100).status_code == 409
    assert send(chief, address, JPEG, 0).status_code == 204


def test_one_writer_at_a_time_and_readers_meanwhile(chief, address, files, monkeypatch):
    monkeypatch.setattr("patrol.evidence.partial_files.LOOKS", 2)
    with files.locked(upload_at(address).id):
        for method in ("PATCH", "DELETE"):
            reply = chief.open(address, method, headers={**CHUNK, "Upload-Offset": "0"})
            assert (reply.status_code, reply.headers["Retry-After"]) == (423, "1")
        assert offset_of(chief, address) == 0
    assert send(chief, address, JPEG, 0).status_code == 204


@pytest.mark.parametrize(
    ("data", "sha256", "status"),
    [(b"%PDF-1.7 no photo", None, 415), (JPEG[:-500], None, 422), (JPEG, "0" * 64, 422)],
)
def test_what_is_no_photo_is_refused_and_removed(data, sha256, status, chief, files):
    address = begin(chief, data, photo_id=uuid4(), **({"sha256": sha256} if sha256 else {})).headers["Location"]
    upload_id = upload_at(address).id
    reply = send(chief, address, data, 0)
    assert (reply.status_code, reply.mimetype) == (status, "application/problem+json")
    assert chief.open(address, "HEAD", headers=TUS).status_code == 404
    assert files.size(upload_id) == 0
    assert db.session.query(Photo).count() == 0


def test_while_the_store_is_away_nothing_is_told_to_be_whole(chief, address, monkeypatch):
    def away(*_args, **_kwargs):
        raise Unavailable(Text("不可用", "away"), retry_after_s=30)

    with monkeypatch.context() as patch:
        patch.setattr("patrol.evidence.upload_reception.store_photo", away)
        reply = send(chief, address, JPEG, 0)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "30")
    assert offset_of(chief, address) == len(JPEG) - 1
    assert send(chief, address, JPEG[-1:], len(JPEG) - 1).status_code == 204


def test_a_full_disk_is_503(chief, address, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("patrol.evidence.partial_files.os.fsync", full)
        assert send(chief, address, JPEG[:100], 0).status_code == 503
    assert offset_of(chief, address) == 0


def test_uploads_under_way_have_a_quota(chief, app, monkeypatch):
    monkeypatch.setitem(app.extensions["settings"]._values, "open_uploads", 2)
    addresses = [begin(chief, photo_id=uuid4()).headers["Location"] for _ in range(2)]
    refused = begin(chief, photo_id=uuid4())
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert chief.delete(addresses[0], headers=TUS).status_code == 204
    assert begin(chief, photo_id=uuid4()).status_code == 201
    assert send(chief, addresses[1], JPEG, 0).status_code == 204
    monkeypatch.setitem(app.extensions["settings"]._values, "open_uploads_mb", 1)
    assert begin(chief, length=1_000_000, photo_id=uuid4()).status_code == 503


def test_an_upload_left_alone_expires_and_is_purged(chief, files, monkeypatch):
    photo_id = uuid4()
    address = begin(chief, photo_id=photo_id).headers["Location"]
    send(chief, address, JPEG[:100], 0)
    done = begin(chief, photo_id=uuid4()).headers["Location"]
    send(chief, done, JPEG, 0)
    upload_id, now = upload_at(address).id, clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=13, hours=23))
    assert purge_uploads() == 0
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=14, hours=1))
    for method in ("HEAD", "PATCH", "DELETE"):
        assert chief.open(address, method, headers={**CHUNK, "Upload-Offset": "100"}).status_code == 410
    assert offset_of(chief, done) == len(JPEG)
    anew = begin(chief, photo_id=photo_id)
    assert (anew.status_code, anew.headers["Upload-Offset"]) == (201, "0")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=29))
    assert purge_uploads() == 2
    assert files.size(upload_id) == 0
    assert chief.open(address, "HEAD", headers=TUS).status_code == 404
    assert db.session.query(Photo).count() == 1


def test_files_without_an_upload_are_swept_up_once_they_are_old(chief, address, files, monkeypatch):
    send(chief, address, JPEG[:100], 0)
    left, now = uuid4(), clock.now()
    with files.locked(left) as file:
        file.write(b"left over")
    purge_uploads()
    assert files.size(left) == 9
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=2))
    purge_uploads()
    assert (files.size(left), files.size(upload_at(address).id)) == (0, 100)


def test_all_that_the_metadata_may_say_is_described(app):
    operation = app.extensions["api"].description()["paths"]["/api/v1/uploads"]["post"]
    [header] = [one for one in operation["parameters"] if one["name"] == "Upload-Metadata"]
    assert all(f"`{name}`" in header["description"] for name in UploadMetadataIn().fields)
    assert all(one["description"] for one in operation["parameters"])

"""A refused body is read to its end, so that its sender hears the answer."""

import io

import pytest

from patrol.foundation.unread import READ_ANYWAY_BYTES

LONG = READ_ANYWAY_BYTES * 3
PHOTO = "/api/v1/photos/0190b7a2-0000-7000-8000-000000000001"


class Line(io.BytesIO):
    """A body whose sender can tell how much was taken."""

    @property
    def taken(self):
        return self.tell()


@pytest.fixture
def plain(app, database):
    return app.test_client()


def send(plain, line, path, method="PUT", kind="image/jpeg", **headers):
    return plain.open(path, method=method, input_stream=line, headers={"Content-Type": kind, **headers})


@pytest.mark.parametrize(("method", "path", "kind", "status"), [
    ("PUT", PHOTO, "image/jpeg", 401), ("POST", "/api/v1/photos", "multipart/form-data; boundary=b", 401),
    ("POST", "/api/v1/issues/0190b7a2-0000-7000-8000-000000000002/rectify", "multipart/form-data; boundary=b", 401), ("POST", "/api/v1/nowhere", "image/jpeg", 404),
    ("PUT", "/healthz", "image/jpeg", 405), ("POST", "/api/v1/auth/login", "text/plain", 415),
])
def test_what_is_refused_unread_is_taken_from_its_sender(plain, method, path, kind, status):
    line = Line(b"x" * LONG)
    assert send(plain, line, path, method, kind).status_code == status
    assert line.taken == LONG


def test_more_than_an_address_takes_is_still_read(signed_in, build):
    client, line = signed_in(build.person("chief")), Line(b"x" * 25_100_000)
    reply = send(client.plain, line, PHOTO, Authorization=f"Bearer {client.token}")
    assert reply.status_code == 413
    assert line.taken == 25_100_000


def test_more_than_any_address_takes_is_not(plain):
    line = Line(b"x" * LONG)
    length = {"CONTENT_LENGTH": str(100 * 2**20)}
    reply = plain.put(PHOTO, input_stream=line, headers={"Content-Type": "image/jpeg"}, environ_overrides=length)
    assert reply.status_code == 401
    assert line.taken == 0

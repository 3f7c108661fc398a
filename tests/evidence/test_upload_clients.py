"""Unmodified clients of tus against a real server, through a line that keeps breaking; and two writers at once."""

import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from flask_migrate import upgrade
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from werkzeug.serving import WSGIRequestHandler, make_server

from patrol.application import create_app
from patrol.evidence.models import Photo
from patrol.evidence.partial_files import PartialFiles
from patrol.evidence.storage import original_key
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from tests.builders import Builders
from tests.conftest import ENGINE, close, fresh_server_database
from tests.evidence.camera import camera_jpeg
from tests.soak.breaking_line import BreakingLine, budgets

SIZE = 3_000_000
MODULES = os.environ.get("XUNHE_TUS_JS", "")
PAUSE = threading.Event()
# Clients wait before they come back; one that does not meets its own broken request still on its way to the lock.
RETRY_DELAY_S = 0.1
SCRIPT = Path(__file__).parents[1] / "soak" / "tus_js.mjs"


class Quiet(WSGIRequestHandler):
    def log(self, *_details):
        pass


class Live:
    """A server of its own with one chief."""

    def __init__(self, app, port, token):
        self.app, self.port, self.token = app, port, token

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def stored(self, photo_id):
        """Return the bytes of a photo that came in."""
        with self.app.app_context():
            photo = db.session.get(Photo, photo_id)
            return photo and self.app.extensions["photo_store"].read(original_key(photo.sha256))


@pytest.fixture(scope="module")
def live(tmp_path_factory, process_name):
    folder = tmp_path_factory.mktemp("live")
    url = fresh_server_database(f"xunhe_test_live_{process_name}") if ENGINE == "postgresql" else ""
    app = create_app(Settings(
        {"XUNHE_ENV": "test"}, data=str(folder / "var"), uploads=str(folder / "uploads"), database_url=url, log_level="CRITICAL",
    ))  # fmt: skip
    with app.app_context():
        upgrade(directory="migrations")
        build = Builders()
        token = build.token_of(build.person("chief"))
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.block_on_close = True
    server.daemon_threads = False
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield Live(app, server.server_port, token)
    server.shutdown()
    serving.join()
    server.server_close()
    close(app)
    if url:
        admin = create_engine(os.environ["XUNHE_TEST_DATABASE_URL"], isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)'))
        admin.dispose()


def large_photo(seed):
    """A photo of 3 MB: phones put videos behind the picture."""
    picture = camera_jpeg(seed)
    return picture + Random(seed).randbytes(SIZE - len(picture))


@pytest.fixture
def line(live, request):
    line = BreakingLine(live.port, budgets(20, most=200_000, chance=Random(request.node.name)))
    yield line
    line.close()


def test_a_connection_that_says_nothing_holds_no_cut_back(live):
    line = BreakingLine(live.port, [10, 100])
    with socket.create_connection(("127.0.0.1", line.port)) as silent:
        silent.sendall(b"G")
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", line.port)) as talking:
                talking.sendall(b"G" * 100)
                talking.settimeout(10)
                with suppress(ConnectionResetError):
                    while talking.recv(4096):
                        pass
    line.close()
    assert line.cuts == 2


@pytest.mark.parametrize(("chunk_bytes", "checks"), [(32 * 1024, True), (SIZE, False)])
def test_tuspy_through_a_line_that_breaks_twenty_times(live, line, chunk_bytes, checks):
    photo_id, data = uuid4(), large_photo(chunk_bytes)
    made = {"photo_id": str(photo_id), "sha256": hashlib.sha256(data).hexdigest(), "filename": "河 photo.jpg"}
    client = TusClient(f"http://127.0.0.1:{line.port}/api/v1/uploads", headers=live.headers)
    # What an application does around tuspy, which never repeats a creation: it begins the same upload again.
    for _ in range(25):
        try:
            client.uploader(
                file_stream=BytesIO(data), chunk_size=chunk_bytes, metadata=made, retries=30, retry_delay=RETRY_DELAY_S, upload_checksum=checks,
            ).upload()  # fmt: skip
            break
        except TusCommunicationError:
            continue
    assert live.stored(photo_id) == data
    assert line.cuts == 20
    assert line.sent <= 1.2 * SIZE


@pytest.mark.skipif(not MODULES or not shutil.which("node"), reason="XUNHE_TUS_JS names no folder with tus-js-client, or there is no node")
def test_tus_js_client_through_a_line_that_breaks_twenty_times(live, line, tmp_path):
    photo_id, data = uuid4(), large_photo(3)
    (tmp_path / "photo.jpg").write_bytes(data)
    told = json.dumps({"photo_id": str(photo_id), "sha256": hashlib.sha256(data).hexdigest()})
    done = subprocess.run(
        ["node", SCRIPT, MODULES, f"http://127.0.0.1:{line.port}/api/v1/uploads", live.token, tmp_path / "photo.jpg", told],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert live.stored(photo_id) == data
    assert line.cuts == 20
    assert line.sent <= 1.2 * SIZE


def comes_true(holds):
    """Tell whether something becomes true while other threads work."""
    return any(holds() or PAUSE.wait(0.01) for _ in range(1000))


def test_of_two_writers_at_once_one_is_told_to_wait_and_the_lock_ends_with_the_connection(live):
    data = large_photo(4)
    photo_id = uuid4()
    tus = {**live.headers, "Tus-Resumable": "1.0.0"}
    chunk = {**tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}

    def call(method, path, headers, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            reply.read()
            return reply.status, dict(reply.getheaders())
        finally:
            connection.close()

    described = f"photo_id {base64.b64encode(str(photo_id).encode()).decode()}"
    _, begun = call("POST", "/api/v1/uploads", {**tus, "Upload-Length": str(len(data)), "Upload-Metadata": described})
    address = begun["Location"]
    first = socket.create_connection(("127.0.0.1", live.port))
    head = "".join(f"{name}: {value}\r\n" for name, value in {**chunk, "Host": "x", "Content-Length": len(data)}.items())
    first.sendall(f"PATCH {address} HTTP/1.1\r\n{head}\r\n".encode() + data[:100_000])
    files = PartialFiles(live.app.extensions["settings"].partial_uploads)
    upload_id = UUID(address.rsplit("/", maxsplit=1)[-1])
    # Its first bytes on the disk show that the first writer holds the lock.
    assert comes_true(lambda: files.size(upload_id) > 0)
    assert call("PATCH", address, chunk, b"")[0] == 423
    first.close()
    assert comes_true(lambda: call("PATCH", address, chunk, b"")[0] == 409)
    _, known = call("HEAD", address, tus)
    there = int(known["Upload-Offset"])
    assert 0 < there <= 100_000
    assert call("PATCH", address, {**chunk, "Upload-Offset": str(there)}, data[there:])[0] == 204
    assert live.stored(photo_id) == data

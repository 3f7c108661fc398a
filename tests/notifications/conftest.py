"""The worker's part, run at once; what went out, instead of sending it; and another system that hears of events."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from patrol.foundation import channels, worker
from tests.issues.conftest import mixed, pictures, valley  # noqa: F401 - fixtures


@pytest.fixture
def work():
    """Return a function that delivers everything that is due."""

    def deliver_all():
        while worker.deliver_due():
            pass

    return deliver_all


class Sent(list):
    """What the senders were given: (address, title, body); `fails` lets them refuse."""

    fails = False

    def __call__(self, address, title, body):
        if not self.fails:
            self.append((address, title, body))
        return not self.fails


@pytest.fixture
def sent(monkeypatch, test_settings):
    found = Sent()
    monkeypatch.setattr(channels, "sender", [found])
    monkeypatch.setitem(test_settings._values, "mail_url", "mailto://127.0.0.1:25?from=river@example.org")
    return found


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), body, self.path))
        self.send_response(self.server.answers)
        if self.server.answers == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(monkeypatch, test_settings):
    monkeypatch.setitem(test_settings._values, "webhooks_inside", True)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Receiver) as server:
        server.seen, server.answers = [], 200
        server.url = f"http://127.0.0.1:{server.server_address[1]}/hook?x=1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def add_webhook(client, url, region, **fields):
    reply = client.post("webhooks", json={"url": url, "region": region.code, **fields})
    assert reply.status_code == 201, reply.json
    return reply.json

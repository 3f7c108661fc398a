"""Webhooks: signed, retried, given up visibly, sent again by hand; never into the inner network unless that is wanted."""

import hashlib
import hmac
import json
import socketserver
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import urllib3

from patrol.foundation import clock, outgoing
from patrol.foundation.errors import Invalid, Unavailable
from patrol.foundation.outbox import MOST_ATTEMPTS
from tests.issues.conftest import THERE, report
from tests.notifications.conftest import add_webhook as add


def test_an_event_is_posted_signed_and_without_personal_data(valley, work, receiver):
    hook = add(valley.town_office_client, receiver.url, valley.town, kinds=["issue.dispatch"])
    issue = report(valley.patroller_client, description="张三家门口")
    report(valley.office_client, **THERE)
    work()
    [(headers, body, path)] = receiver.seen
    assert path == "/hook?x=1"
    told = json.loads(body)
    assert (told["kind"], told["issue"]["id"], told["step"]["to"]) == ("issue.dispatch", issue["id"], "dispatched")
    assert "张三" not in body.decode()
    stamp, mac = (part.split("=")[1] for part in headers["Xunhe-Signature"].split(","))
    assert hmac.compare_digest(mac, hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest())
    [event] = valley.town_office_client.get(f"webhooks/{hook['id']}/deliveries").json["items"]
    assert (event["state"], event["last_status"], event["id"]) == ("delivered", 200, headers["Xunhe-Delivery"])
    assert valley.town_office_client.post(f"webhooks/{hook['id']}/deliveries/{event['id']}/replay").status_code == 409


def test_a_failing_receiver_is_tried_until_given_up_and_again_by_hand(valley, work, receiver):
    client = valley.town_office_client
    hook = add(client, receiver.url, valley.town, kinds=["issue.submit"])
    receiver.answers = 500
    report(valley.patroller_client)
    moment = clock.now()
    with clock.moved_clock(lambda: moment):
        for _ in range(MOST_ATTEMPTS):
            work()
            moment += timedelta(hours=7)
        work()
        assert len(receiver.seen) == MOST_ATTEMPTS
        assert len({headers["Xunhe-Delivery"] for headers, *_ in receiver.seen}) == 1, "receivers know a repetition by its id"
        [dead] = client.get(f"webhooks/{hook['id']}/deliveries?state=dead").json["items"]
        assert (dead["attempts"], dead["next_attempt_at"]) == (MOST_ATTEMPTS, None)
        assert "500" in dead["last_error"]
        receiver.answers = 204
        replayed = client.post(f"webhooks/{hook['id']}/deliveries/{dead['id']}/replay").json
        assert replayed["state"] == "waiting"
        work()
    assert client.get(f"webhooks/{hook['id']}/deliveries?state=dead").json["items"] == []
    assert client.get(f"webhooks/{hook['id']}/deliveries?state=delivered").json["items"][0]["last_status"] == 204


def test_a_redirect_is_not_followed(valley, work, receiver):
    hook = add(valley.town_office_client, receiver.url, valley.town)
    receiver.answers = 302
    report(valley.patroller_client)
    work()
    assert receiver.seen
    assert {row["state"] for row in valley.town_office_client.get(f"webhooks/{hook['id']}/deliveries").json["items"]} == {"waiting"}


def test_the_secret_is_shown_once(valley):
    body = {"id": "0190b7a2-0000-7000-8000-000000000009", "url": "https://a.example.org/x", "region": valley.town.code}
    assert valley.town_office_client.post("webhooks", json=body).json["secret"]
    again = valley.town_office_client.post("webhooks", json=body)
    assert again.status_code == 200
    assert "secret" not in again.json
    assert "secret" not in valley.town_office_client.get("webhooks").json["items"][0]
    assert valley.town_office_client.post("webhooks", json={**body, "url": "https://b.example.org"}).status_code == 409


@pytest.mark.parametrize("url", [
    "http://a.example.org/", "ftp://a.example.org/", "https://", "https://u:p@a.example.org/", "https://a.example.org:99999/", "//a", "x",
    "https://a.example.org/#f",
])
def test_what_is_no_address_is_refused(valley, url):
    reply = valley.office_client.post("webhooks", json={"url": url, "region": valley.town.code})
    assert reply.status_code == 422
    assert "url" in reply.json["errors"]


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0"])
def test_the_inner_network_is_out_of_reach(host):
    with pytest.raises(Unavailable, match="inner network"):
        outgoing.resolve(f"https://{host}/", inside=False)
    assert outgoing.resolve(f"https://{host}/a?b=1", inside=True).path == "/a?b=1"


def test_a_name_with_one_inner_address_is_refused(monkeypatch):
    found = ["93.184.215.14", "10.0.0.1"]
    monkeypatch.setattr(outgoing, "addresses_of", lambda _host, _port: found)
    with pytest.raises(Unavailable):
        outgoing.resolve("https://two.example.org/", inside=False)
    del found[1]
    assert outgoing.resolve("https://two.example.org/", inside=False).address == "93.184.215.14"
    with pytest.raises(Invalid):
        outgoing.refuse_bad_url("http://two.example.org/", inside=False)


INNER = ["https://127.0.0.1/hook", "https://[::1]/hook", "https://10.1.2.3:8443/hook", "https://169.254.169.254/latest", "https://inner.example.org/"]


@pytest.mark.parametrize("url", INNER)
def test_an_address_in_the_inner_network_is_refused_when_it_is_set_up(valley, monkeypatch, test_settings, url):
    literal = outgoing.addresses_of
    monkeypatch.setattr(outgoing, "addresses_of", lambda host, port: ["192.168.0.7"] if host == "inner.example.org" else literal(host, port))
    client, body = valley.town_office_client, {"url": url, "region": valley.town.code}
    for language, words in (("zh", "内部网络"), ("en", "inner network")):
        reply = client.post("webhooks", json=body, headers={"Accept-Language": language})
        assert reply.status_code == 422
        assert words in reply.json["errors"]["url"][0]
    assert client.get("webhooks").json["items"] == []
    monkeypatch.setitem(test_settings._values, "webhooks_inside", True)
    assert client.post("webhooks", json=body).json["warnings"] == []


def test_a_host_that_cannot_be_found_is_taken_with_a_warning(valley, monkeypatch):
    client, body = valley.town_office_client, {"url": "https://soon.example.org/hook", "region": valley.town.code}
    reply = client.post("webhooks", json=body, headers={"Accept-Language": "en"})
    assert reply.status_code == 201
    assert "cannot be found now" in reply.json["warnings"][0]
    monkeypatch.setattr(outgoing, "addresses_of", lambda _host, _port: ["93.184.215.14"])
    assert client.post("webhooks", json={**body, "url": "https://there.example.org/hook"}).json["warnings"] == []


def test_one_that_leads_inside_by_now_is_not_switched_on(valley, monkeypatch):
    client = valley.town_office_client
    hook = add(client, "https://moved.example.org/hook", valley.town)
    path = f"webhooks/{hook['id']}"
    monkeypatch.setattr(outgoing, "addresses_of", lambda _host, _port: ["10.0.0.1"])
    assert client.patch(path, json={"enabled": False}, headers={"If-Match": '"1"'}).status_code == 200
    refused = client.patch(path, json={"enabled": True}, headers={"If-Match": '"2"'})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["enabled"])
    monkeypatch.setattr(outgoing, "addresses_of", lambda _host, _port: ["93.184.215.14"])
    assert client.patch(path, json={"enabled": True}, headers={"If-Match": '"2"'}).json["warnings"] == []


@pytest.mark.parametrize("begins", [b"HTTP/1.1 ", b"", b"x"])
def test_an_answer_that_comes_byte_by_byte_is_cut_off(stalling, begins):
    """Each byte would begin the wait for the next one anew: no receiver may hold the worker for days."""
    stalling.says, stalling.ends_it = begins, True
    with pytest.raises(urllib3.exceptions.HTTPError):
        outgoing.post(stalling.url, b"{}", {}, inside=True)


def test_a_status_counts_although_the_words_after_it_never_end(stalling, monkeypatch):
    stalling.says = b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\nx"
    really = urllib3.HTTPResponse.read

    def read(answer, *args):
        stalling.time_is_over()
        return really(answer, *args)

    monkeypatch.setattr(urllib3.HTTPResponse, "read", read)
    assert outgoing.post(stalling.url, b"{}", {}, inside=True) == 202


@pytest.fixture
def stalling(monkeypatch):
    """A receiver that says something and never comes to an end; what is over after `LONGEST_S` is over when the test wants it."""

    class Stalling(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(self.server.says)
            if self.server.ends_it:
                self.server.time_is_over()
            with suppress(OSError):
                self.request.recv(1)

    class Clock:
        def __init__(self, seconds, end):
            assert seconds == outgoing.LONGEST_S
            server.time_is_over = end

        def start(self):
            pass

        cancel = join = start

    monkeypatch.setattr(outgoing, "Timer", Clock)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stalling) as server:
        server.says, server.ends_it, server.url = b"", False, f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()

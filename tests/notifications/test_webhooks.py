"""Webhooks: signed, retried, given up visibly, sent again by hand; never into the inner network unless that is wanted."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

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
    found = [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_a, **_k: found)
    with pytest.raises(Unavailable):
        outgoing.resolve("https://two.example.org/", inside=False)
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_a, **_k: found[:1])
    assert outgoing.resolve("https://two.example.org/", inside=False).address == "93.184.215.14"
    with pytest.raises(Invalid):
        outgoing.refuse_bad_url("http://two.example.org/", inside=False)

"""Limits on anonymous callers: by address block, in total, with Redis away, and without keeping an address."""

from datetime import timedelta
from threading import Timer

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from patrol.foundation import clock
from patrol.foundation.json_safety import OrjsonProvider
from patrol.foundation.problems import register_problem_handlers
from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.throttle import (
    SWEPT_EACH_S,
    RestedMemory,
    address_block,
    block_key,
    connect_throttle,
    public_read,
    public_write,
)

DEAD_REDIS = "redis://127.0.0.1:1/0"
SECRET = "a secret of at least 32 characters"


def settings_with(**limits):
    wanted = {"public_writes_per_block": "2 per hour", "public_writes_total": "5 per hour", "public_reads_per_block": "3 per hour"}
    return Settings({"XUNHE_ENV": "test"}, **wanted | limits)


def app_with(**limits):
    """A small application with a write, another write, a read and an unmarked view."""
    app = Flask("small")
    app.json = OrjsonProvider(app)
    register_problem_handlers(app)
    app.add_url_rule("/write", view_func=public_write(lambda: {"done": True}), methods=["POST"], endpoint="write")
    app.add_url_rule("/other", view_func=public_write(lambda: {"done": True}), methods=["POST"], endpoint="other")
    app.add_url_rule("/read", view_func=public_read(lambda: {"read": True}), endpoint="read")
    app.add_url_rule("/free", view_func=lambda: {"free": True}, endpoint="free")
    connect_throttle(app, settings_with(**limits))
    return app


def call(client, path, address="192.0.2.1", **headers):
    method = client.get if path in {"/read", "/free"} else client.post
    return method(path, environ_overrides={"REMOTE_ADDR": address}, headers=headers)


def statuses(client, path, *addresses):
    return [call(client, path, address).status_code for address in addresses]


def test_a_block_may_write_so_often_whichever_route_and_gets_a_problem_with_retry_after():
    client = app_with().test_client()
    assert call(client, "/write").status_code == call(client, "/other", "192.0.2.99").status_code == 200
    refused = call(client, "/write", "192.0.2.200", **{"Accept-Language": "en"})
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert refused.json["type"] == "urn:xunhe:problem:too-many"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["Retry-After"] in refused.json["detail"]
    assert call(client, "/write", "198.51.100.1").status_code == 200


def test_counting_starts_no_thread_each_time_and_forgets_what_has_expired(monkeypatch):
    started, now = [], [1000.0]
    monkeypatch.setattr("patrol.foundation.throttle.monotonic", lambda: now[0])
    monkeypatch.setattr(Timer, "start", lambda timer: started.append(timer) or None)
    counts = RestedMemory()
    for _ in range(3):
        assert counts.incr("short", -1) == 1
        assert counts.incr("long", 1000) > 0
    assert len(started) == 1
    now[0] += SWEPT_EACH_S
    counts.incr("long", 1000)
    assert len(started) == 2
    started[-1].function()
    assert set(counts.storage) == {"long"}


def test_all_blocks_together_may_write_so_often_and_a_refused_block_does_not_use_that_up():
    client = app_with().test_client()
    greedy = statuses(client, "/write", *["192.0.2.1"] * 10)
    assert greedy == [200] * 2 + [429] * 8
    others = statuses(client, "/write", *[f"198.51.{block}.1" for block in range(5)])
    assert others == [200] * 3 + [429] * 2


def test_reads_and_writes_count_apart_and_other_views_not_at_all():
    client = app_with().test_client()
    assert statuses(client, "/read", *["192.0.2.1"] * 4) == [200, 200, 200, 429]
    assert statuses(client, "/write", *["192.0.2.1"] * 3) == [200, 200, 429]
    assert statuses(client, "/free", *["192.0.2.1"] * 20) == [200] * 20
    assert client.options("/write", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200


def test_what_is_not_accepted_uses_up_no_writes_but_tries_have_a_limit_of_their_own():
    app = app_with(public_reads_per_block="8 per hour")
    bodies_read = []

    def picky():
        bodies_read.append(request.get_data())
        return {"done": True}, 422 if bodies_read[-1] == b"junk" else 201

    app.add_url_rule("/picky", view_func=public_write(picky), methods=["POST"], endpoint="picky")
    client = app.test_client()

    def post(data, address="192.0.2.1"):
        return client.post("/picky", data=data, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert [post(b"junk") for _ in range(4)] == [422] * 4
    assert [post(b"good") for _ in range(3)] == [201, 201, 429]
    assert len(bodies_read) == 6
    assert [post(b"junk", "198.51.100.1") for _ in range(9)] == [422] * 8 + [429]
    assert [post(b"good", f"203.0.{block}.1") for block in range(4)] == [201] * 3 + [429]


def test_each_app_has_its_own_limits_and_counts():
    wide = dict.fromkeys(("public_writes_per_block", "public_writes_total", "public_reads_per_block"), "100 per hour")
    strict, lax = app_with().test_client(), app_with(**wide).test_client()
    assert statuses(strict, "/write", *["192.0.2.1"] * 3)[-1] == 429
    assert statuses(lax, "/write", *["192.0.2.1"] * 50) == [200] * 50


def test_an_address_mapped_into_ipv6_is_the_same_block():
    client = app_with().test_client()
    assert statuses(client, "/write", "192.0.2.1", "::ffff:192.0.2.7", "192.0.2.3") == [200, 200, 429]


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"), ("", "unknown"), (None, "unknown"), ("/run/socket", "unknown"), ("192.0.2.77:80", "unknown"),
    ],
)
def test_the_block_of_an_address(address, block):
    assert address_block(address) == block


@given(st.ip_addresses())
def test_every_address_lies_in_its_block(address):
    block = address_block(str(address))
    assert block.endswith(("/24", "/48"))
    assert address_block(block.split("/")[0]) == block


def test_the_key_changes_daily_and_hides_the_block():
    keys = {
        block_key(address, day=day, secret=secret)
        for address in ("192.0.2.1", "198.51.100.1") for day in ("2026-05-01", "2026-05-02") for secret in (SECRET, SECRET + "x")
    }
    assert len(keys) == 8
    assert block_key("192.0.2.1", day="2026-05-01", secret=SECRET) == block_key("192.0.2.2", day="2026-05-01", secret=SECRET)
    assert not any("192.0.2" in key for key in keys)


def test_what_is_counted_names_no_address():
    app = app_with()
    call(app.test_client(), "/write", "192.0.2.1")
    names = str(dict(app.extensions["throttle"].storage.storage))
    assert "writes" in names
    assert "192.0.2" not in names


def test_a_new_day_begins_anew():
    client = app_with().test_client()
    assert statuses(client, "/write", *["192.0.2.1"] * 3)[-1] == 429
    tomorrow = clock.now() + timedelta(days=1)
    with clock.moved_clock(lambda: tomorrow):
        assert call(client, "/write").status_code == 200


def test_while_redis_is_away_each_process_counts_for_itself():
    client = app_with(redis_url=DEAD_REDIS).test_client()
    assert statuses(client, "/write", *["192.0.2.1"] * 4) == [200, 200, 429, 429]
    assert statuses(client, "/read", *["192.0.2.1"] * 4) == [200, 200, 200, 429]


@pytest.mark.redis
def test_with_redis_several_processes_share_the_counts(redis_url):
    with Redis.from_url(redis_url) as server:
        for key in server.scan_iter("LIMIT*xunhe*"):
            server.delete(key)
        clients = [app_with(redis_url=redis_url).test_client() for _ in range(2)]
        try:
            assert [call(clients[n % 2], "/write", "203.0.113.5").status_code for n in range(4)] == [200, 200, 429, 429]
            assert not any(b"203.0.113" in key for key in server.scan_iter("*"))
        finally:
            for key in server.scan_iter("LIMIT*xunhe*"):
                server.delete(key)


def test_a_limit_that_cannot_be_read_stops_the_start_with_its_name():
    with pytest.raises(UnusableSetting, match="XUNHE_PUBLIC_WRITES_TOTAL"):
        app_with(public_writes_total="a few now and then")

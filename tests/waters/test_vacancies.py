"""An import that ends the only appointment of a reach says so."""

from datetime import date

import pytest

from patrol.foundation import clock
from tests.waters.test_imports import TERMS, counts, send


@pytest.fixture
def client(build, signed_in):
    return signed_in(build.person("admin"))


def test_ending_the_only_appointment_of_a_reach_is_told(build, client):
    reach = build.reach(level="county", name="清溪段")
    chief = build.person("chief", username="c1", name="张三")
    build.appointment(reach, chief, valid_from=date(2026, 1, 1))
    content = TERMS + f"{reach.code},c1,chief,2026-01-01,2026-03-31\n"
    for dry_run in (True, False):
        reply = send(client, "appointments", content, dry_run=dry_run, language="zh")
        assert counts(reply) == (0, 1, 0, 0)
        [warning] = reply.json["warnings"]
        assert (warning["row"], warning["field"]) == (2, "valid_to")
        assert all(words in warning["message"] for words in ("2026-04-01", "清溪段", "张三", "hand-over"))
    assert send(client, "appointments", content).json["warnings"] == []


@pytest.mark.parametrize(("title", "first", "told"), [
    ("chief", "2026-04-01", False), ("副河长", "2026-02-01", False), ("contact", "2026-04-01", True), ("chief", "2026-04-02", True),
])
def test_who_follows_in_the_same_file_counts(build, client, title, first, told):
    reach = build.reach(level="county")
    build.appointment(reach, build.person("chief", username="c1"), valid_from=date(2026, 1, 1))
    build.person("chief", username="c2")
    content = TERMS + f"{reach.code},c1,chief,2026-01-01,2026-03-31\n{reach.code},c2,{title},{first},\n"
    reply = send(client, "appointments", content)
    assert counts(reply) == (1, 1, 0, 0)
    assert [row["field"] for row in reply.json["warnings"]] == (["valid_to"] if told else [])


def test_a_disabled_account_does_not_follow(build, client):
    reach = build.reach(level="county")
    build.appointment(reach, build.person("chief", username="c1"), valid_from=date(2026, 1, 1))
    build.appointment(reach, build.person("chief", disabled_at=clock.now()), valid_from=date(2026, 4, 1))
    reply = send(client, "appointments", TERMS + f"{reach.code},c1,chief,2026-01-01,2026-03-31\n")
    assert [row["field"] for row in reply.json["warnings"]] == ["valid_to"]

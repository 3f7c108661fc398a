"""The room's routes as a whole: every public one is throttled and says so, and the limits hold over HTTP."""

import pytest

from patrol.foundation import outbox
from patrol.foundation.settings import Settings
from patrol.public.open_data_schemas import OpenMapOut, StatisticsOut

PREFIX = "/api/v1/public/"


def test_every_public_route_is_throttled_and_documents_429(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX)]
    assert len(rules) >= 9
    described = app.extensions["api"].description()["paths"]
    for rule in rules:
        # What a link in a message opens is no write of a stranger's, and mail programs call it from few addresses.
        kind = "write" if "POST" in rule.methods and "<token>" not in rule.rule else "read"
        assert app.view_functions[rule.endpoint].throttled == kind, rule
        path = described[rule.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}")]
        for operation in (path[method] for method in ("get", "post") if method in path):
            assert "429" in operation["responses"], rule
            assert operation["security"] == []


def test_what_passes_by_the_schemas_still_fits_them(anyone, complain, place):
    complain()
    assert OpenMapOut().validate(anyone.get("public/issues.geojson").json) == {}
    assert StatisticsOut().validate(anyone.get("public/statistics").json) == {}


@pytest.fixture
def strict(another_app, tmp_path, monkeypatch):
    """A client of an application with small limits."""
    monkeypatch.setattr(outbox, "_hand_over", [])
    app = another_app(Settings(
        {"XUNHE_ENV": "test"}, data=str(tmp_path), uploads=str(tmp_path / "uploads"), public_writes_per_block="2 per hour",
        public_writes_total="3 per hour", public_reads_per_block="2 per minute", log_level="ERROR", challenge_cost=9,
    ))
    return app.test_client()


def test_tries_over_the_limit_are_429_before_their_body_is_read_and_use_up_no_writes(strict):
    def send(block, body=b"{"):
        return strict.post(f"{PREFIX}complaints", data=body, content_type="application/json",
                           environ_overrides={"REMOTE_ADDR": f"198.51.{block}.1"})

    assert [send(1).status_code for _ in range(3)] == [400, 400, 429]
    # Junk uses up the tries of its block, but nobody's writes.
    assert [send(block).status_code for block in (2, 3, 4, 5)] == [400] * 4
    refused = send(1)
    assert refused.mimetype == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


def test_reads_over_the_limit_are_429(strict):
    assert [strict.get(f"{PREFIX}challenge").status_code for _ in range(3)] == [200, 200, 429]
    assert strict.get("/healthz").status_code == 200

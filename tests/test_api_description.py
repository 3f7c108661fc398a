"""The API's description: valid OpenAPI 3.1, complete, and (through every test's client) true about status codes."""

import re

from openapi_spec_validator import validate

from patrol.issues.policies import Kind
from tests.access.test_matrix import methods_of

NOT_IN_IT = {
    "/", "/report", "/open", "/b", "/b/{code}", "/t", "/t/{code}", "/u/{token}", "/u/{token}/confirm", "/verify", "/verify/{issue_id}/{entry_hash}", "/docs",
    "/site/{name}", "/vendor/{name}", "/openapi.json",
}


def test_it_is_valid_openapi(app):
    validate(app.extensions["api"].description())


def _patterns_in(part):
    if isinstance(part, dict):
        own = [part["pattern"]] if isinstance(part.get("pattern"), str) else []
        return own + [found for each in part.values() for found in _patterns_in(each)]
    return [found for each in part for found in _patterns_in(each)] if isinstance(part, list) else []


def test_its_patterns_are_ones_that_browsers_know(app):
    """ECMA-262, as JSON Schema wants it: \\A and \\Z are Python's, and match a letter there, or nothing."""
    found = _patterns_in(app.extensions["api"].description())
    assert found
    assert [pattern for pattern in found if re.search(r"\\[AZz]|\(\?P", pattern)] == []


def test_taking_back_a_version_is_described_as_it_is_done(app):
    paths = app.extensions["api"].description()["paths"]
    said = {path.split("/")[-2]: item["delete"]["summary"] for path, item in paths.items() if "/policies/" in path and "delete" in item}
    until_it_begins = {name for name, words in said.items() if "not in force yet" in words or "before its first day" in words}
    on_its_first_day = {name for name, words in said.items() if "until its first day is over" in words}
    assert until_it_begins == {"integrity", "coverage", "datum", "frequency"}
    assert on_its_first_day == {kind.value for kind in Kind}


def test_every_route_of_the_application_is_in_it(app):
    described = {
        (path, method.upper()) for path, operations in app.extensions["api"].description()["paths"].items()
        for method in operations if method != "parameters"
    }
    real = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules() for method in methods_of(rule)
    }
    assert {route for route in real - described if route[0] not in NOT_IN_IT} == set()
    assert described <= real


def test_every_operation_says_who_may_and_has_a_name_of_its_own(app):
    operations = [
        operation for path in app.extensions["api"].description()["paths"].values()
        for method, operation in path.items() if method != "parameters"
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["x-permission"]
        assert operation["summary"]
        assert bool(operation["security"]) == (operation["x-permission"] != "anyone")


def test_faults_are_described_as_problems(app):
    document = app.extensions["api"].description()
    faults = [
        (path, method, code, response) for path, operations in document["paths"].items()
        for method, operation in operations.items() if method != "parameters"
        for code, response in operation["responses"].items() if code.isdigit() and int(code) >= 400
    ]
    assert faults
    for *place, response in faults:
        found = document["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]] if "$ref" in response else response
        # The standard of partner systems has faults of its own, in its two formats.
        wanted = ["text/xml", "application/json"] if place[0].startswith("/open311/") else ["application/problem+json"]
        assert list(found["content"]) == wanted, place

"""Every property of one value in the API's description shows an example that its own schema allows."""

import pytest
from openapi_schema_validator import OAS31Validator

from patrol.foundation.examples import example_of


def scalars(document):
    for schema, described in document["components"]["schemas"].items():
        for name, own in described.get("properties", {}).items():
            kinds = own.get("type", [])
            kinds = {kinds} if isinstance(kinds, str) else set(kinds)
            if ("enum" in own or kinds & {"string", "integer", "number", "boolean"}) and own.get("format") != "binary":
                yield f"{schema}.{name}", own


def test_every_property_of_one_value_has_an_example_that_fits(app):
    found = dict(scalars(app.extensions["api"].description()))
    assert len(found) > 1500
    assert [name for name, own in found.items() if "example" not in own] == []
    checker = OAS31Validator.FORMAT_CHECKER
    wrong = {
        name: (own["example"], [error.message for error in OAS31Validator(own, format_checker=checker).iter_errors(own["example"])])
        for name, own in found.items() if not OAS31Validator(own, format_checker=checker).is_valid(own["example"])
    }
    assert wrong == {}


@pytest.mark.parametrize(("own", "example"), [
    ({"type": "string", "enum": ["a", "b"]}, "a"), ({"enum": [None, "b"]}, "b"), ({"type": "string", "format": "date"}, "2026-05-01"),
    ({"type": ["integer", "null"], "minimum": 10}, 10), ({"type": "integer", "maximum": 1}, 1), ({"type": "string"}, None),
    ({"type": "array"}, None), ({"type": "string", "format": "binary"}, None), ({"type": "boolean"}, False),
])  # fmt: skip
def test_an_example_fits_its_schema_or_there_is_none(own, example):
    assert example_of("In", "something_unheard_of", own) == example


def test_a_name_says_more_than_a_type():
    assert example_of("DueOut", "valid_to", {"type": "string", "format": "date"}) == "2026-12-31"
    assert example_of("DueOut", "phone", {"type": ["string", "null"]}) == "13800000000"
    assert example_of("DueOut", "phone", {"type": "string", "maxLength": 3}) is None
    assert example_of("CategoryOut", "name", {"type": "string"}) != example_of("ChiefOut", "name", {"type": "string"})

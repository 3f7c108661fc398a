import pytest

from patrol.foundation.errors import Invalid
from patrol.issues.categories import CATEGORIES, SEVERITY_NAME, SOURCE_NAME, Severity, Source, category_of, is_heading
from patrol.people.departments import DEPARTMENTS

LEAVES = [
    "A11", "A12", "A13", "A14", "A15", "A16", "A17", "A21", "A22", "A23", "A31", "A32", "A33", "A41", "A42", "A43",
    "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "C1", "C2", "C3", "C4", "C5", "D1", "D2", "D3", "D4", "D5",
    "E1", "E2", "E3", "E4", "E5", "F1", "F2", "F3", "Z",
]  # fmt: skip
HEADINGS = ["A", "A1", "A2", "A3", "A4", "B", "C", "D", "E", "F"]


def test_the_tree_holds_exactly_the_codes_of_the_field():
    assert set(CATEGORIES) == {*LEAVES, *HEADINGS}
    assert {code for code in CATEGORIES if is_heading(code)} == set(HEADINGS)


@pytest.mark.parametrize("row", CATEGORIES.values(), ids=lambda row: row.code)
def test_each_row_is_whole(row):
    assert row.parent == (row.code[:-1] or None)
    assert row.department is None or row.department in DEPARTMENTS
    assert 0 <= row.radius_m <= 500
    assert row.name.zh
    assert row.name.en.isascii()
    assert isinstance(row.severity, Severity)


def test_names_are_not_used_twice():
    assert len({row.name for row in CATEGORIES.values()}) == len(CATEGORIES)


def test_headings_stand_before_what_they_head():
    order = list(CATEGORIES)
    assert all(order.index(row.parent) < order.index(row.code) for row in CATEGORIES.values() if row.parent)


def test_citizens_may_choose_all_but_what_sensors_report():
    assert [code for code in LEAVES if not CATEGORIES[code].public] == ["B8"]


def test_a_charge_against_a_chief_or_advice_calls_in_no_bureau_and_has_no_duplicates_by_place():
    rows = [CATEGORIES[code] for code in ("F1", "F2", "F3", "Z")]
    assert [(row.department, row.radius_m) for row in rows] == [(None, 0)] * 4


def test_every_severity_and_source_has_a_name():
    assert set(SEVERITY_NAME) == set(Severity)
    assert set(SOURCE_NAME) == set(Source)


@pytest.mark.parametrize("code", LEAVES)
def test_an_issue_may_have_each_leaf(code):
    assert category_of(code).code == code


def test_a_heading_is_refused_and_its_parts_are_named():
    with pytest.raises(Invalid) as refused:
        category_of("A3")
    assert "A31 Litter; A32 Solid waste dumped or buried; A33" in refused.value.errors["category"][0].en


@pytest.mark.parametrize("code", ["", "X9", "a32", "A32 ", "{0.__class__}"])
def test_a_code_that_does_not_exist_is_refused_at_the_field_asked_for(code):
    with pytest.raises(Invalid) as refused:
        category_of(code, field="service_code")
    assert list(refused.value.errors) == ["service_code"]


def test_a_citizen_cannot_report_what_only_sensors_report():
    with pytest.raises(Invalid):
        category_of("B8", public_caller=True)
    assert category_of("B8").code == "B8"
    assert category_of("F1", public_caller=True).code == "F1"

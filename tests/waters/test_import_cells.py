"""Cells of register files: what spreadsheets make of days, codes and formulas."""

from datetime import date

import pytest

from patrol.waters.import_cells import BadValue, a_code, a_day, a_text

DAY = date(2026, 5, 1)


@pytest.mark.parametrize("text", [
    "2026-05-01", "2026/5/1", "2026/05/01", "2026.5.1", "20260501", "2026年5月1日", "2026年05月01日", "2026/5/1 0:00", "2026-05-01 00:00:00",
    "2026-05-01T08:30:00", DAY,
])
def test_days_as_excel_shows_and_exports_them(text):
    assert a_day(text) == DAY


@pytest.mark.parametrize(("text", "says"), [
    # 1 November or 11 January: nothing is guessed.
    ("2026111", "not a date"), ("1/5/2026", "not a date"), ("2026-02-30", "not a date"), ("待定", "not a date"), ("2026-05", "not a date"),
    ("46143", "format the column as a date"), ("46143.0", "not a date"),
])
def test_what_could_be_two_days_is_none(text, says):
    with pytest.raises(BadValue) as caught:
        a_day(text)
    assert says in caught.value.text.en


def test_a_code_that_a_spreadsheet_shortened_is_refused_with_the_cure():
    with pytest.raises(BadValue) as caught:
        a_code(40)("9.901E+11")
    assert "文本" in caught.value.text.zh
    assert a_code(40)("R1E5") == "R1E5"


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "#VALUE!", "#NAME?"])
def test_a_formula_that_failed_is_no_name(text):
    with pytest.raises(BadValue) as caught:
        a_text(100)(text)
    assert text in caught.value.text.zh

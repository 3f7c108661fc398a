"""The font of a case file: in the file where there is one, whatever machine the tests run on."""

from pathlib import Path

import pytest
import reportlab

from patrol.foundation.true_type import READERS_OWN
from patrol.issues import case_file_fonts
from patrol.issues.case_file_fonts import WELL_KNOWN, font_file, font_named
from tests.issues.conftest import report
from tests.issues.test_case_file import verified

LATIN = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
INSTALLED = [path for path in WELL_KNOWN if path.exists()]


@pytest.fixture(autouse=True)
def fresh():
    """Let no test use the font that another one chose."""
    case_file_fonts._loaded.cache_clear()
    yield
    case_file_fonts._loaded.cache_clear()


@pytest.fixture
def taken_for_chinese(monkeypatch):
    """Let a font that comes with reportlab do, which has no Chinese letters."""
    monkeypatch.setattr(case_file_fonts, "_CHINESE", "R")


def test_the_one_that_is_set_comes_first_then_a_well_known_one_then_the_reader_s_own(tmp_path, monkeypatch):
    missing, cff, good = tmp_path / "missing.ttc", tmp_path / "cff.ttc", tmp_path / "good.ttf"
    cff.write_bytes(b"OTTO")
    good.write_bytes(b"\x00\x01\x00\x00")
    monkeypatch.setattr(case_file_fonts, "WELL_KNOWN", (missing, cff, good))
    assert font_file("") == good
    assert font_file(str(LATIN)) == LATIN
    assert font_file(READERS_OWN) is None
    monkeypatch.setattr(case_file_fonts, "WELL_KNOWN", (missing, cff))
    assert font_file("") is None
    assert font_named(None) == READERS_OWN


def test_a_font_without_chinese_letters_or_that_is_broken_is_not_used(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\x00\x01\x00\x00" * 20)
    assert [font_named(path) for path in (LATIN, broken, tmp_path / "gone.ttf")] == [READERS_OWN] * 3


def paper_of(valley, test_settings, monkeypatch, font):
    monkeypatch.setitem(test_settings._values, "pdf_font", str(font))
    issue = report(valley.patroller_client, description="River banks: 桥下漂着垃圾")
    reply = valley.supervisor_client.get(f"issues/{issue['id']}/case-file.pdf", headers={"Accept-Language": "en"})
    assert reply.status_code == 200
    return reply.data


def test_a_font_of_the_machine_stands_in_the_file_which_is_verified_as_ever(valley, anyone, test_settings, monkeypatch, taken_for_chinese):
    paper = paper_of(valley, test_settings, monkeypatch, LATIN)
    assert b"/FontFile2" in paper
    assert READERS_OWN.encode() not in paper
    assert verified(anyone, paper).json["genuine"] is True
    changed = verified(anyone, paper[:-40] + b"%" + paper[-40:]).json
    assert (changed["genuine"], "was changed since" in changed["text"]) == (False, True)


@pytest.mark.parametrize("font", INSTALLED, ids=str)
def test_chinese_fonts_of_this_machine_can_be_used(valley, anyone, test_settings, monkeypatch, font):
    paper = paper_of(valley, test_settings, monkeypatch, font)
    assert b"/FontFile2" in paper
    assert READERS_OWN.encode() not in paper
    assert verified(anyone, paper).json["genuine"] is True

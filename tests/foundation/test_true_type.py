"""Which fonts can be put into a PDF, told from their first bytes."""

import pytest

from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.true_type import READERS_OWN, is_true_type

COLLECTION = b"ttcf" + b"\x00\x01\x00\x00" + b"\x00\x00\x00\x01" + b"\x00\x00\x00\x10"


@pytest.mark.parametrize(("content", "is_one"), [
    (b"\x00\x01\x00\x00rest", True), (b"true", True), (COLLECTION + b"\x00\x01\x00\x00", True),
    (b"OTTO", False), (COLLECTION + b"OTTO", False), (COLLECTION, False), (b"wOFF", False), (b"", False), (b"%PDF", False),
])
def test_only_true_type_outlines_will_do(tmp_path, content, is_one):
    path = tmp_path / "a.ttf"
    path.write_bytes(content)
    assert is_true_type(path) is is_one
    if is_one:
        assert Settings({"XUNHE_ENV": "test", "XUNHE_PDF_FONT": str(path)}).pdf_font == str(path)
    else:
        with pytest.raises(UnusableSetting, match="XUNHE_PDF_FONT"):
            Settings({"XUNHE_ENV": "test", "XUNHE_PDF_FONT": str(path)})


def test_a_file_that_is_not_there_is_none_and_the_reader_s_own_can_be_named(tmp_path):
    assert not is_true_type(tmp_path / "none.ttf")
    assert not is_true_type(tmp_path)
    assert Settings({"XUNHE_ENV": "test", "XUNHE_PDF_FONT": READERS_OWN}).pdf_font == READERS_OWN

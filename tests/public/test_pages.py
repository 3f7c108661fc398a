"""The citizens' pages: the district's clock, no key in a page, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import patrol

ROOT = Path(patrol.__file__).parent
PAGES = [*(ROOT / "web" / "templates").glob("*.html"), *(ROOT / "web" / "site").iterdir()]


def test_the_progress_page_has_the_district_s_zone_and_days_but_no_key(anyone, test_settings):
    page = anyone.get("/t/7K3D-0V9M-W2QH-5TXA").get_data(as_text=True)
    assert f'data-timezone="{test_settings.timezone}" data-days="{test_settings.not_fixed_days}"' in page
    assert "7K3D" not in page
    assert 'id="map"' not in page
    assert "TOKEN" not in anyone.get("/u/TOKEN").get_data(as_text=True)


def test_the_form_promises_messages_only_where_they_can_be_sent(anyone, told, test_settings, monkeypatch):
    both = anyone.get("/report").get_data(as_text=True)
    assert "发邮件或发短信告知您" in both
    monkeypatch.setitem(test_settings._values, "sms_url", "")
    assert "会发邮件告知您" in anyone.get("/report").get_data(as_text=True)
    monkeypatch.setitem(test_settings._values, "public_url", "")
    assert "告知您" not in anyone.get("/report").get_data(as_text=True)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path):
    assert set(re.findall(r"https?://[\w.-]+", path.read_text(encoding="utf-8"))) <= {"http://www.w3.org"}

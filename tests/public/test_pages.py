"""The citizens' pages: the district's clock, no key in a page, nothing from elsewhere."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

import patrol
from patrol.foundation import clock, worker
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import photo_form

ROOT = Path(patrol.__file__).parent
PAGES = [*(ROOT / "web" / "templates").glob("*.html"), *(ROOT / "web" / "site").iterdir()]


def test_the_progress_page_has_the_district_s_zone_and_days_but_no_key(anyone, build, test_settings):
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


def test_a_browser_without_scripts_reads_the_progress_but_never_the_code(anyone, complain, place, issue_of, step):
    sent = complain(headers={"Accept-Language": "en"}).json
    page = anyone.get(f"/t/{sent['tracking_code']}", headers={"Accept-Language": "en"})
    text = page.get_data(as_text=True)
    assert "Somebody is in charge of it" in text
    assert "Your complaint was received." in text
    assert issue_of(sent).number in text
    assert sent["tracking_code"] not in text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_browser_without_scripts_sees_the_photos_and_the_last_day(anyone, complain, place, issue_of, cure, step, test_settings):
    sent = complain(photos=[camera_jpeg(1)]).json
    address = f"/t/{sent['tracking_code']}"
    cure(issue_of(sent).id)
    anyone.post(f"public/complaints/{sent['tracking_code']}/not-fixed", data={"reason": "桥下还有", **photo_form(5)})
    worker.deliver_due()
    text = anyone.get(address).get_data(as_text=True)
    assert re.findall("<figcaption>(.*?)</figcaption>", text) == ["整改前", "整改后", "反映未整改到位时的照片"]
    for source in re.findall('<img src="(.*?)"', text):
        picture = anyone.get(address + source)
        assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    step(issue_of(sent).id, "reopen", place.office, reason="又出现了")
    text = anyone.get(address).get_data(as_text=True)
    last_day = clock.local_date(issue_of(sent).due_at - timedelta(seconds=1), test_settings.timezone)
    assert f'期限 <time datetime="{last_day}">' in text
    assert re.findall("<figcaption>(.*?)</figcaption>", text) == ["整改前", "反映未整改到位时的照片"]
    assert sent["tracking_code"] not in text
    assert anyone.get(f"{address}?photo={UUID(int=1)}").status_code == 404
    assert anyone.get(f"{address}?photo=first").status_code == 404


def test_an_unknown_code_is_said_in_plain_words(anyone, build):
    page = anyone.get("/t/7K3D-0V9M-W2QH-5TXA")
    assert "没有这个查询码" in page.get_data(as_text=True)


def test_the_open_list_and_the_form_speak_without_scripts(anyone, complain, place):
    complain(description="张家门前")
    page = anyone.get("/open").get_data(as_text=True)
    assert "水面漂浮物" in page
    assert "张家" not in page
    noscript = re.search(r"<noscript>(.*?)</noscript>", anyone.get("/report").get_data(as_text=True), re.S)[1]
    assert "12345" in noscript
    assert "/open" in noscript


@pytest.mark.parametrize("path", ["/t/7K3D-0V9M-W2QH-5TXA", "/open", "/report", "/", "/u/TOKEN", "/verify"])
def test_all_pages_stand_on_one_base(anyone, build, path):
    page = anyone.get(path).get_data(as_text=True)
    assert page.count("<!doctype html>") == 1
    assert page.count('<link rel="icon" href="/site/icon.svg">') == 1
    assert 'id="language"' in page


def test_only_the_base_and_the_reader_write_a_head():
    heads = [path.name for path in (ROOT / "web" / "templates").glob("*.html") if "<head>" in path.read_text(encoding="utf-8")]
    assert sorted(heads) == ["base.html", "reader.html"]

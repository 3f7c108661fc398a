"""The citizens' pages: the district's clock, no key in a page, nothing from elsewhere."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

import patrol
from patrol.foundation import clock, worker
from patrol.web import pages
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
    assert "再试一次" in words_of(page, 404)
    assert "查询码不在手边" in words_of(page, 404)


def words_of(page, status=200):
    """The text of a page as a browser without scripts shows it."""
    assert (page.status_code, page.mimetype) == (status, "text/html")
    return re.sub(r"<[^>]*>", "", page.get_data(as_text=True))


@pytest.mark.parametrize("path", ["/t", "/t/", "/t?code=", "/t?code=%20"])
@pytest.mark.parametrize(("language", "asks"), [("zh-CN", "16 位的查询码"), ("en", "Type it here")])
def test_an_address_without_a_tracking_code_asks_for_one(anyone, path, language, asks):
    page = anyone.get(path, headers={"Accept-Language": language})
    assert asks in words_of(page)
    assert '<form id="track" action="/t">' in page.get_data(as_text=True)
    assert "没有这个查询码" not in page.get_data(as_text=True)


def test_a_typed_code_leads_on_and_what_can_be_none_is_said_on_the_spot(anyone):
    reply = anyone.get("/t", query_string={"code": " 7k3d 0v9m-w2qh5txa"})
    assert (reply.status_code, reply.headers["Location"], reply.headers["Cache-Control"]) == (303, "/t/7K3D-0V9M-W2QH-5TXA", "no-store")
    for typed in ("7K3D", "../report", "七三"):
        page = anyone.get("/t", query_string={"code": typed}, headers={"Accept-Language": "en"})
        assert "There is no complaint with this tracking code" in words_of(page)
        assert typed not in page.get_data(as_text=True)


def test_slashes_in_a_code_are_as_hyphens(anyone, complain, place, issue_of):
    sent = complain().json
    code = sent["tracking_code"]
    for address in (f"/t/{code}/", f"/t/{code.replace('-', '/')}"):
        assert issue_of(sent).number in words_of(anyone.get(address))
    assert "没有这个查询码" in words_of(anyone.get("/t/7K3D/"), 404)


@pytest.mark.parametrize("path", ["/b", "/b/", "/b?code="])
@pytest.mark.parametrize(("language", "says"), [("zh", "没有编号也可以反映"), ("en", "You can report without one")])
def test_an_address_without_a_board_gives_the_form_and_asks_for_the_board(anyone, path, language, says):
    page = anyone.get(path, headers={"Accept-Language": language})
    assert says in words_of(page)
    text = page.get_data(as_text=True)
    assert '<form id="report"' in text
    assert '<section id="find-board">' in text


def test_a_typed_board_leads_on_and_others_see_no_question_for_one(anyone, place):
    reply = anyone.get("/b", query_string={"code": " QX 0001 "})
    assert (reply.status_code, reply.headers["Location"]) == (303, "/b/QX%200001")
    for path in ("/report", "/report/", "/b/QX-0001", "/b/QX-0001/"):
        page = anyone.get(path)
        assert '<section id="find-board" hidden>' in page.get_data(as_text=True)
        assert "没有公示牌编号" not in words_of(page)
    assert anyone.get("/open/").status_code == 200


@pytest.mark.parametrize("path", ["/b/NOPE", "/b/a%00b", "/b/NOPE/"])
@pytest.mark.parametrize(("language", "says"), [("zh", "没有编号为"), ("en", "There is no signboard with the code")])
def test_an_unknown_board_is_a_404_that_says_so_and_still_gives_the_form(anyone, database, path, language, says):
    page = anyone.get(path, headers={"Accept-Language": language})
    assert says in words_of(page, 404)
    text = page.get_data(as_text=True)
    assert '<section id="find-board">' in text
    assert '<form id="report"' in text


@pytest.mark.parametrize("path", ["/b/QX-0001", "/b/qx-0001/"])
def test_a_board_s_page_names_reach_office_and_posts_without_scripts(anyone, place, path):
    page = anyone.get(path)
    assert "清溪 · 清溪柳岸段 · 我要反映 · 巡河 Xunhe" in words_of(page)
    board = re.sub(r"<[^>]*>", "", re.search(r'<section id="board">(.*?)</section>', page.get_data(as_text=True), re.S)[1]).split()
    assert " ".join(board) == "清溪 · 清溪柳岸段 柳岸镇河长办 · 柳岸村村级河长 · 柳岸镇 镇级河长 · 清溪区 区级河长"
    assert "陈村长" not in words_of(page)
    english = anyone.get(path, headers={"Accept-Language": "en"})
    assert "清溪 · 清溪柳岸段 · Report a problem" in words_of(english)


def test_the_open_list_and_the_form_speak_without_scripts(anyone, complain, place):
    complain(description="张家门前")
    page = anyone.get("/open").get_data(as_text=True)
    assert "水面漂浮物" in page
    assert "张家" not in page
    noscript = re.search(r"<noscript>(.*?)</noscript>", anyone.get("/report").get_data(as_text=True), re.S)[1]
    assert "12345" in noscript
    assert "/open" in noscript


@pytest.mark.parametrize("path", ["/t/7K3D-0V9M-W2QH-5TXA", "/t", "/b", "/open", "/report", "/", "/u/TOKEN", "/verify"])
def test_all_pages_stand_on_one_base(anyone, build, path):
    page = anyone.get(path).get_data(as_text=True)
    assert page.count("<!doctype html>") == 1
    assert page.count('<link rel="icon" href="/site/icon.svg">') == 1
    assert 'id="language"' in page


def test_the_language_that_was_chosen_holds_on_the_next_page(app, anyone, complain, place):
    code, browser = complain().json["tracking_code"], app.test_client()
    for path, heading in (("/report", "Report a problem"), ("/open", "Floating litter"), (f"/t/{code}", "Somebody is in charge of it")):
        browser.set_cookie("language", "en")
        page = browser.get(path, headers={"Accept-Language": "zh-CN"})
        assert heading in words_of(page)
        assert '<html lang="en"' in page.get_data(as_text=True)
        assert "Cookie" in page.headers["Vary"]
        browser.set_cookie("language", "xx")
        assert heading not in words_of(browser.get(path, headers={"Accept-Language": "zh-CN"}))


def test_titles_and_rows_of_the_list_stand_in_both_languages_with_number_and_reach(anyone, complain, place, issue_of):
    sent = complain().json
    page = anyone.get("/open").get_data(as_text=True)
    assert re.search(r'<title data-zh="公开清单 · 巡河 Xunhe" data-en="[^"]+">', page)
    row = re.search(r'<ul class="near">(.*?)</ul>', page, re.S)[1]
    for words in (issue_of(sent).number, "清溪柳岸段", 'data-zh="水面漂浮物" data-en="Floating litter"', 'data-en="Somebody is in charge of it; work will begin."'):
        assert words in row


def test_the_list_goes_on_with_what_is_older_and_says_what_it_leaves_out(anyone, complain, place, issue_of, monkeypatch):
    monkeypatch.setattr(pages, "_LISTED", 2)
    numbers = [issue_of(complain().json).number for _ in range(3)]
    first = anyone.get("/open").get_data(as_text=True)
    shown = re.findall(r"<br>(XH[0-9]+)", first)
    assert len(shown) == 2
    assert "全部见首页地图" not in first
    assert "不予受理的" in first
    older = re.search(r'href="/open\?before=(XH[0-9]+)"', first)[1]
    assert older == shown[-1]
    rest = anyone.get(f"/open?before={older}").get_data(as_text=True)
    assert sorted([*shown, *re.findall(r"<br>(XH[0-9]+)", rest)])[:3] == numbers
    assert "before=" not in rest
    for odd in ("XH9999999", "x", "XH99999999999", "a%00b"):
        assert re.findall(r"<br>(XH[0-9]+)", anyone.get(f"/open?before={odd}").get_data(as_text=True)) == shown


def test_the_forms_promise_messages_only_where_they_can_be_sent(anyone, place, test_settings, monkeypatch):
    """Where there is neither mail nor text messages a contact is for the office's questions."""
    page = anyone.get("/report").get_data(as_text=True)
    assert "想收到进展消息" not in page
    assert 'id="follow-email"' not in page
    assert page.count("不发送进展消息") == 3, "the hint, and the words for followers in both ways in which pages keep them"
    monkeypatch.setitem(test_settings._values, "mail_url", "mailto://127.0.0.1:9")
    monkeypatch.setitem(test_settings._values, "public_url", "https://river.example.org")
    page = anyone.get("/report").get_data(as_text=True)
    assert "想收到进展消息" in page
    assert 'id="follow-email"' in page
    assert 'id="follow-phone"' not in page
    assert "不发送进展消息" not in page


def test_without_scripts_no_form_or_button_stands_there_that_does_nothing(anyone, complain, place):
    for path in ("/report", "/b/QX-0001"):
        page = anyone.get(path).get_data(as_text=True)
        assert '<section id="report-box" hidden>' in page
        assert '<button id="language" type="button" hidden>' in page
    text = words_of(anyone.get(f"/t/{complain().json['tracking_code']}"))
    assert not re.search(r"^\s*·\s*$", text, re.M)


def test_only_the_base_and_the_reader_write_a_head():
    heads = [path.name for path in (ROOT / "web" / "templates").glob("*.html") if "<head>" in path.read_text(encoding="utf-8")]
    assert sorted(heads) == ["base.html", "reader.html"]


def test_a_wrong_address_in_a_browser_is_a_page_and_for_programs_a_problem(anyone):
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
    page = anyone.get("/nothing/here", headers=browser)
    assert (page.status_code, page.mimetype, "No such page" in page.text, 'lang="en"' in page.text) == (404, "text/html", True, True)
    assert page.headers["Content-Security-Policy"]
    for others in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        assert anyone.get("/nothing/here", headers=others).mimetype == "application/problem+json"
    assert anyone.post("/nothing/here", headers=browser).mimetype == "application/problem+json"
    assert anyone.get("/api/v1/nothing", headers=browser).mimetype == "application/problem+json"


def test_the_form_asks_what_and_where_and_whether_it_is_known_before_the_rest(anyone):
    page = anyone.get("/report").get_data(as_text=True)
    form = page[page.index('<form id="report"'):]
    ids = re.findall(r'id="(category|locate|near|description|map)"', form)
    assert ids == ["category", "locate", "near", "description", "map"]
    script = (ROOT / "web" / "site" / "report.js").read_text(encoding="utf-8")
    assert '"C1"' not in script, "no category is chosen ahead"


def test_the_start_page_without_scripts_leads_to_the_list_and_shows_no_empty_map(anyone):
    page = anyone.get("/").get_data(as_text=True)
    assert "公开清单" in re.search(r"<noscript>(.*?)</noscript>", page, re.S)[1]
    assert '<section aria-labelledby="map-title" hidden>' in page

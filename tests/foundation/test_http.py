"""The front door: bad bodies, unknown addresses, languages, headers."""

import io

import pytest

from patrol.foundation.problems import language

LOGIN = "/api/v1/auth/login"


def post(client, body, content_type="application/json", **headers):
    return client.post(LOGIN, data=body, headers={"Content-Type": content_type, **headers})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b'{"username": NaN, "password": "x"}', 400),
        (b'{"username": Infinity}', 400), (b'{"username": "\\ud800", "password": "x"}', 400),
        (b'{"username": "a\\u0000b", "password": "x"}', 422), (b"\xff\xfe", 400), (b"[" * 70 + b"]" * 70, 400),
        (b"[" * 100_000 + b"]" * 100_000, 400), (b'{"username": 1e999, "password": "x"}', 400),
        (b'{"username": "a", "password": "x", "more": 1}', 422), (b'"just text"', 422),
    ],
)
def test_bad_json_is_a_problem_and_never_a_500(anyone, body, status):
    reply = post(anyone, body)
    assert reply.status_code in {status, 422 if status == 400 and b"1e999" in body else status}, reply.json
    assert reply.mimetype == "application/problem+json"
    assert reply.json["status"] == reply.status_code
    assert reply.json["detail"]


def test_a_form_where_json_is_wanted_is_415(anyone):
    assert post(anyone, b"a=b", "application/x-www-form-urlencoded").status_code == 415


def test_json_over_8_mb_is_413(anyone):
    assert post(anyone, b'{"username": "' + b"a" * (9 * 1024 * 1024) + b'"}').status_code == 413


def test_a_body_of_100_mb_is_413_before_it_is_read(anyone):
    reply = anyone.post(LOGIN, data=b"x", headers={"Content-Type": "application/json"},
                        environ_overrides={"CONTENT_LENGTH": str(100 * 1024 * 1024)})
    assert reply.status_code == 413
    assert reply.mimetype == "application/problem+json"


def in_chunks(data):
    """What a server hands on of a body whose length no header tells."""
    return {"environ_overrides": {"wsgi.input": io.BytesIO(data), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}}


@pytest.mark.parametrize(("path", "length", "said"), [
    ("photos/6e21372e-6734-46d3-9430-d13fe0b1b916", 26_000_000, "25 MB"), ("issues", 9 * 2**20, "8 MB"), ("photos", 100_000_000, "64 MB"), ("photos", None, "2 MB"),
])  # fmt: skip
def test_what_is_too_large_is_told_the_limit(build, signed_in, path, length, said):
    client, method = signed_in(build.person("chief")), "POST" if path in {"issues", "photos"} else "PUT"
    kinds = {"issues": "application/json", "photos": "multipart/form-data; boundary=x"}
    field = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"a" * (3 * 2**20) + b"\r\n--x--\r\n"
    body = {"data": field, "content_type": kinds[path]} if length is None else {
        "content_type": kinds.get(path, "image/jpeg"), "data": b"x", "environ_overrides": {"CONTENT_LENGTH": str(length)}}
    reply = client.open(path, method, **body)
    assert (reply.status_code, said in reply.json["detail"]) == (413, True), reply.json


def test_what_comes_twice_and_is_no_list_is_refused(build, signed_in):
    admin = signed_in(build.person("admin"))
    for fields in ({"dry_run": ["false", "true"]}, {"file": [(io.BytesIO(b"code,name"), "a.csv"), (io.BytesIO(b"code"), "b.csv")]}):
        form = {"kind": "water_bodies", "file": (io.BytesIO(b"code,name,kind\nW9,x,river\n"), "a.csv"), **fields}
        reply = admin.post("imports", data=form, content_type="multipart/form-data", headers={"Accept-Language": "en"})
        assert (reply.status_code, reply.json["errors"]) == (422, {next(iter(fields)): ["This may come only once"]})
    reader = signed_in(build.person("supervisor"))
    for twice in ("region=990100&region=990101", "bbox=1,1,2,2&bbox=3,3,4,4", "limit=1&limit=1"):
        reply = reader.get(f"issues?{twice}")
        assert (reply.status_code, reply.json["errors"]) == (422, {twice.partition("=")[0]: ["只能出现一次"]})


def test_what_comes_in_chunks_is_read_to_its_end(anyone):
    """What lay behind the limit was cut off without a word: 8 MB of blanks hid whatever followed them."""
    small, large = (b'{"username": "a", "password": "x"}' + b" " * blanks + b"GARBAGE" for blanks in (10, 9 * 1024 * 1024))
    for body, status in ((small, 400), (large, 413)):
        reply = anyone.post(LOGIN, headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, **in_chunks(body))
        assert reply.status_code == status, reply.json


@pytest.mark.parametrize(("language", "words"), [("zh-CN,zh;q=0.9", "缺少必填项"), ("en", "Missing data"), ("fr", "缺少必填项")])
def test_faults_come_in_the_callers_language(anyone, language, words):
    reply = anyone.post(LOGIN, json={"username": "a"}, headers={"Accept-Language": language})
    assert reply.status_code == 422
    assert words in reply.json["errors"]["password"][0]


@pytest.mark.parametrize(("language", "detail"), [
    ("zh", "内容有误：username：缺少必填项；还有：password, more"),
    ("en", "Some fields need correction: username: Missing data for required field; also: password, more"),
])
def test_the_detail_says_what_is_wrong_with_the_first_field(anyone, language, detail):
    reply = anyone.post(LOGIN, json={"more": 1}, headers={"Accept-Language": language})
    assert (reply.status_code, reply.json["detail"]) == (422, detail)


@pytest.mark.parametrize(("path", "method", "status"), [
    ("/nowhere", "GET", 404), (LOGIN, "GET", 405), ("/api/v1/people", "GET", 401), ("/api/v1//people", "GET", 404), ("/api/v1/auth//login", "POST", 404),
])
def test_every_fault_is_problem_json(anyone, path, method, status):
    reply = anyone.open(path, method)
    assert reply.status_code == status
    assert reply.mimetype == "application/problem+json"
    assert reply.json["type"].startswith("urn:xunhe:problem:")


def test_security_headers_are_everywhere(anyone):
    for path in ("/healthz", "/nowhere", "/openapi.json"):
        reply = anyone.get(path)
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_health_and_readiness(anyone):
    assert anyone.get("/healthz").status_code == 200
    ready = anyone.get("/readyz")
    assert ready.status_code == 200, ready.json


def test_readiness_fails_when_migrations_are_behind(anyone, database):
    database.session.execute(database.text("UPDATE alembic_version SET version_num = 'older'"))
    database.session.commit()
    reply = anyone.get("/readyz")
    assert reply.status_code == 503
    assert reply.json["broken"] == ["migrations"]


@pytest.mark.parametrize("path", ["/api/v1/public/boards/a%00b", "/api/v1/signboards/a%00b/qr.svg"])
def test_nul_in_an_address_is_a_404_on_every_engine(anyone, path):
    assert anyone.get(path).status_code == 404


@pytest.mark.parametrize(("asked", "given"), [
    ("zh-CN,en;q=0.8", "zh"), ("zh-Hans-CN,en;q=0.5", "zh"), ("en-US,zh;q=0.3", "en"), ("en-GB,zh;q=0.5", "en"), ("en", "en"), ("fr,en;q=0.5", "en"),
    ("fr", "zh"), ("", "zh"), ("en;q=0,zh", "zh"), ("*", "zh"),
])
def test_the_first_of_the_caller_s_languages_that_is_ours(app, asked, given):
    with app.test_request_context(headers={"Accept-Language": asked}):
        assert language() == given

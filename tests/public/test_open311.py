"""Open311 GeoReport v2, call by call as the standard's table has it: paths, parameters, both formats, faults."""

import io
from datetime import datetime, timedelta
from urllib.parse import quote
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from patrol.evidence.models import Photo
from patrol.foundation import clock, worker
from patrol.foundation.database import db
from patrol.foundation.sealing import unseal
from patrol.foundation.transaction import transaction
from patrol.issues.categories import CATEGORIES
from patrol.issues.history import PARTNER_UPDATE, add_entry, broken_chains
from patrol.issues.models import Issue
from patrol.public.models import Complaint, PartnerUpdate, ReporterContact
from patrol.public.open311_actions import make_partner_key, revoke_partner_key
from tests.evidence.camera import camera_jpeg

BASE = "/open311/v2"
PLACE = {"lat": "29.600123", "long": "119.810987"}
LITTER = {"service_code": "C1", "description": "桥下漂着一大片垃圾", **PLACE}
KEY = "a partner's key of the tests"


@pytest.fixture
def ask(anyone):
    """Return a function that gets one address in a format; gives the status and the parsed answer."""

    def get(path, suffix="json", language="en", **query):
        reply = anyone.get(f"{BASE}/{path}.{suffix}", query_string=query, headers={"Accept-Language": language})
        return reply.status_code, parsed(reply, suffix)

    return get


def parsed(reply, suffix):
    kinds = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
    assert reply.content_type == kinds[suffix]
    if suffix == "json":
        return reply.json
    assert reply.data.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return fromstring(reply.data)


@pytest.fixture
def key(build):
    with transaction():
        return make_partner_key("隔壁系统", KEY)


@pytest.fixture
def post(anyone, place, key):
    """Return a function that posts a request; a file among the fields makes the form multipart."""

    def send(suffix="json", query=None, path="requests", api_key=key, **fields):
        body = {**LITTER, **fields}
        form = {name: value for name, value in {"api_key": api_key, **body}.items() if value is not None}
        reply = anyone.post(f"{BASE}/{path}.{suffix}", data=form, query_string=query)
        return reply.status_code, parsed(reply, suffix)

    return send


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def plain(element):
    """Return what stands in an element's children, without their order."""
    return {child.tag: child.text for child in element}


def test_discovery_names_this_endpoint_in_both_formats(ask):
    status, found = ask("discovery")
    assert status == 200
    [endpoint] = found["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"] == "http://localhost/open311/v2"
    assert endpoint["type"] == "production"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert datetime.fromisoformat(found["changeset"]).tzinfo
    _, root = ask("discovery", "xml")
    assert root.tag == "discovery"
    assert [child.text for child in root.findall("endpoints/endpoint/formats/format")] == endpoint["formats"]


def test_services_are_the_categories_of_citizens(ask):
    status, found = ask("services", jurisdiction_id="anything", api_key="")
    assert status == 200
    rows = {row["service_code"]: row for row in found}
    assert rows.keys() == {"A11", "A12", "A13", "A14", "A15", "A16", "A17", "A21", "A22", "A23", "A31", "A32", "A33", "A41", "A42", "A43"} | {
        code for code, row in CATEGORIES.items() if row.public and code[0] in "BCDEF" and len(code) == 2} | {"Z"}
    assert "B8" not in rows
    assert rows["C1"]["service_name"] == "Floating litter"
    assert (rows["C1"]["metadata"], rows["A31"]["metadata"]) == (False, True)
    assert {code for code, row in rows.items() if row["type"] == "blackbox"} == {"F1", "F2", "F3", "Z"}
    assert {row["type"] for row in found} == {"blackbox", "realtime"}
    _, root = ask("services", "xml")
    assert root.tag == "services"
    assert [plain(element) for element in root.findall("service") if element.findtext("service_code") == "A31"] == [
        {**rows["A31"], "metadata": "true"}]


def test_a_definition_numbers_its_attributes_and_lists_its_values(ask):
    status, found = ask("services/A32")
    assert status == 200
    assert found["service_code"] == "A32"
    assert [(row["code"], row["datatype"], row["order"]) for row in found["attributes"]] == [
        ("waste", "multivaluelist", 1), ("area_m2", "number", 2)]
    assert found["attributes"][0]["values"][0] == {"key": "household", "name": "Household waste"}
    assert found["attributes"][1]["values"] == []
    _, root = ask("services/A32", "xml")
    assert root.tag == "service_definition"
    assert root.findtext("attributes/attribute/values/value/key") == "household"
    assert root.findtext("attributes/attribute/variable") == "true"


def test_a_service_without_questions_is_not_said_to_be_none(ask):
    status, found = ask("services/C1")
    assert status == 404
    assert "asks nothing" in found[0]["description"]
    assert "no service with the code" in ask("services/XX")[1][0]["description"]


@pytest.mark.parametrize("suffix", ["json", "xml"])
@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("services/XX", {}, 404), ("services/C1", {}, 404), ("services/B8", {}, 404), ("requests/XH9999999", {}, 404),
        ("requests/é", {}, 404), ("requests/99999999999999999999", {}, 404), ("tokens/none", {}, 404), ("nothing", {}, 404),
        ("requests", {"status": "fixed"}, 400), ("requests", {"start_date": "2026-05-01"}, 400),
        ("requests", {"start_date": "2026-05-01T00:00:00"}, 400), ("requests", {"page": "0"}, 400), ("requests", {"page_size": "1001"}, 400),
        ("requests", {"colour": "red"}, 400), ("requests", {"service_code": "C1,XX"}, 404), ("requests", {"api_key": "wrong"}, 403),
        ("requests", {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-04-02T00:00:00Z"}, 400),
        ("requests", {"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}, 400),
        ("requests", {"start_date": "9999-12-31T23:59:59Z"}, 400), ("servicerequestupdates", {"start_date": "9999-12-31T23:59:59Z"}, 400),
        ("servicerequestupdates", {"api_key": "wrong"}, 403), ("services", {"jurisdiction_id": "\0"}, 400),
    ],
)
def test_faults_are_arrays_in_the_asked_format(ask, path, query, status, suffix):
    found_status, found = ask(quote(path), suffix, **query)
    assert found_status == status
    rows = found if suffix == "json" else [plain(element) for element in found.findall("error")]
    assert rows
    assert all(str(row["code"]) == str(status) and row["description"] for row in rows)
    if suffix == "xml":
        assert found.tag == "errors"


def test_an_address_without_a_format_and_a_wrong_method_are_faults_in_xml(anyone):
    assert fromstring(anyone.get(f"{BASE}/services.csv").data).findtext("error/code") == "404"
    assert fromstring(anyone.get(f"{BASE}/services").data).findtext("error/code") == "404"
    reply = anyone.post(f"{BASE}/services.json", data={})
    assert (reply.status_code, reply.json[0]["code"]) == (405, 405)
    assert "GET" in reply.headers["Allow"]


def test_an_empty_list_is_an_empty_root_and_an_empty_array(ask, build):
    assert build.district
    assert ask("requests") == (200, [])
    _, root = ask("requests", "xml")
    assert (root.tag, len(root)) == ("service_requests", 0)
    _, root = ask("servicerequestupdates", "xml")
    assert (root.tag, len(root)) == ("service_request_updates", 0)


class TestPost:
    def test_a_request_becomes_a_complaint_and_its_id_comes_at_once(self, post, ask, place):
        status, [answer] = post(account_id="4711")
        assert status == 200
        issue = db.session.scalars(select(Issue)).one()
        complaint = db.session.scalars(select(Complaint)).one()
        assert (answer["service_request_id"], answer["account_id"]) == (issue.number, "4711")
        assert "token" not in answer
        assert answer["service_notice"].endswith(f"http://localhost/t/{complaint.tracking_code}")
        assert (issue.source, issue.lead_id, issue.state) == ("citizen", place.chief.id, "dispatched")
        assert (issue.latitude, issue.longitude) == (29.600123, 119.810987)
        assert ask(f"requests/{issue.number}")[0] == 200
        status, root = post("xml", description="别处")
        assert (status, root.tag) == (200, "service_requests")
        assert root.findtext("request/service_request_id") != issue.number

    def test_a_blackbox_gives_a_token_and_never_an_id(self, post, ask):
        status, [answer] = post(service_code="F1")
        assert status == 200
        assert "service_request_id" not in answer
        number = db.session.scalars(select(Issue)).one().number
        assert ask(f"tokens/{answer['token']}")[1] == [{"token": answer["token"]}]
        assert ask(f"requests/{number}")[0] == 404
        assert ask("requests", service_request_id=number)[1] == []
        assert ask("requests")[1] == ask("servicerequestupdates")[1] == []

    def test_a_tracking_code_is_a_token_of_a_request_that_is_shown(self, post, ask):
        [answer] = post()[1]
        code = answer["service_notice"].rsplit("/", 1)[1]
        assert ask(f"tokens/{code}")[1] == [{"service_request_id": answer["service_request_id"], "token": code}]

    @pytest.mark.parametrize("cost", [0, 40])
    @pytest.mark.parametrize("key", ["", None, "wrong"])
    def test_without_a_valid_key_it_is_403(self, post, key, cost, test_settings, monkeypatch):
        monkeypatch.setitem(test_settings._values, "challenge_cost", cost)
        for suffix in ("json", "xml"):
            assert post(suffix, api_key=key)[0] == 403
        assert count(Issue) == 0

    def test_a_revoked_key_is_403_and_an_unproven_challenge_400(self, post, test_settings, monkeypatch, key):
        monkeypatch.setitem(test_settings._values, "challenge_cost", 40)
        assert post(api_key=None, challenge="?")[0] == 400
        with transaction():
            revoke_partner_key("隔壁系统")
        assert post()[0] == 403

    def test_the_key_may_come_in_the_query_and_no_proof_is_asked_of_it(self, post, test_settings, monkeypatch, key):
        monkeypatch.setitem(test_settings._values, "challenge_cost", 40)
        assert post(api_key=None, query={"api_key": key, "jurisdiction_id": "x"})[0] == 200

    @pytest.mark.parametrize(
        ("fields", "status", "named"),
        [
            ({"service_code": None}, 400, "service_code"), ({"service_code": "XX"}, 404, "XX"), ({"service_code": "B8"}, 404, "B8"),
            ({"lat": None}, 400, "lat"), ({"lat": None, "long": None}, 400, "lat"), ({"lat": "91"}, 400, "lat"),
            ({"lat": "north"}, 400, "lat"), ({"lat": None, "long": None, "address_id": "NO-SUCH"}, 400, "board_code"),
            ({"lat": None, "long": None, "address_string": "某处"}, 400, "lat"), ({"email": "no address"}, 400, "email"),
            ({"description": "字" * 4001}, 400, "description"), ({"media_url": "javascript:alert(1)"}, 400, "media_url"),
            ({"attribute[colour]": "red"}, 400, "attribute[colour]"), ({"description": "a\0b"}, 400, "U+0000"),
            ({"media": (io.BytesIO(b"<html>"), "x.jpg")}, 400, ""),
        ],
    )
    def test_what_is_missing_or_wrong_is_said_and_nothing_is_written(self, post, fields, status, named):
        found, rows = post(**fields)
        assert found == status, rows
        assert any(named in row["description"] for row in rows)
        assert count(Issue) == count(Complaint) == 0

    def test_attributes_are_checked_and_read_by_the_handlers(self, post):
        fields = {"service_code": "A32", "attribute[waste][]": ["household", "farm"], "attribute[area_m2]": "12.5"}
        assert post(**fields)[0] == 200
        assert db.session.scalars(select(Issue)).one().description == f"{LITTER['description']}\n垃圾种类：生活垃圾、农业废弃物\n估计面积（平方米）：12.5"
        for name, wrong in (("attribute[waste]", "gold"), ("attribute[area_m2]", "much"), ("attribute[area_m2][]", ["1", "2"])):
            assert post(**{"service_code": "A32", name: wrong})[0] == 400

    def test_a_board_or_a_named_reach_stands_for_the_position(self, post, place):
        nowhere = {"lat": None, "long": None}
        assert post(**nowhere, address_id="QX-0001")[0] == 200
        assert post(**nowhere, address_string="柳岸村清溪柳岸段桥下")[0] == 200
        issues = db.session.scalars(select(Issue)).all()
        assert {issue.reach_id for issue in issues} == {place.reach.id}
        assert any("地址：柳岸村清溪柳岸段桥下" in issue.description for issue in issues)

    def test_photos_come_as_files_under_any_clients_name(self, post):
        for number, name in enumerate(("media", "media[]", "photo1", "photos")):
            assert post(description=name, **{name: (io.BytesIO(camera_jpeg(number)), "a.jpg")})[0] == 200
        assert count(Photo) == 4
        assert post(media=[(io.BytesIO(camera_jpeg(n)), "a.jpg") for n in range(10)])[0] == 400

    def test_addresses_of_photos_are_handed_on_unfetched(self, post):
        assert post(media_url=["https://x.example/1.jpg", "http://x.example/2.jpg"])[0] == 200
        assert db.session.scalars(select(Issue)).one().description.endswith("照片：https://x.example/1.jpg\n照片：http://x.example/2.jpg")

    def test_the_sender_is_sealed_and_in_no_answer(self, post, ask, anyone, test_settings, key):
        person = {"first_name": "金丝雀", "last_name": "女士", "phone": "13955550142", "email": "canary-7731@example.org"}
        [answer] = post(**person)[1]
        sealed = db.session.scalars(select(ReporterContact)).one().sealed
        assert unseal(sealed, test_settings.field_key) == {"name": "女士 金丝雀", "phone": "13955550142", "email": "canary-7731@example.org"}
        for path in ("requests", f"requests/{answer['service_request_id']}", "servicerequestupdates"):
            for query in ("", f"?api_key={key}"):
                text = anyone.get(f"{BASE}/{path}.xml{query}").text
                assert answer["service_request_id"] in text
                assert not any(trace in text for trace in person.values())

    @pytest.mark.parametrize("minute", [0, 30, 59])
    def test_the_same_again_within_the_hour_is_one_request_and_later_another(self, post, minute):
        begun = datetime.fromisoformat("2026-05-01T23:00:00+08:00") + timedelta(minutes=minute)

        def sent(minutes, **fields):
            with clock.moved_clock(lambda: begun + timedelta(minutes=minutes)):
                return post(media=(io.BytesIO(camera_jpeg(1)), "a.jpg"), **fields)[1][0]["service_request_id"]

        first = sent(0)
        assert [sent(minutes) for minutes in (0, 20, 59)] == [first] * 3
        assert count(Complaint) == count(Photo) == 1
        assert sent(59, description="别的") != first
        second = sent(60)
        assert second != first
        assert sent(70) == second, "the later one is the one that is repeated now"

    def test_the_same_words_after_the_end_are_about_something_new(self, post, step, place):
        [first] = post()[1]
        issue_id = db.session.scalars(select(Issue.id)).one()
        step(issue_id, "transfer", place.office, region=place.town.code, reason="核实")
        step(issue_id, "reject", place.office, ground="lawful_activity", reason="有许可")
        [second] = post()[1]
        assert second["service_request_id"] != first["service_request_id"]
        assert post()[1] == [second]

    def test_a_double_slash_is_no_redirect(self, post):
        assert post(path="/requests")[0] == 200

    def test_a_body_that_is_no_form_is_400(self, anyone, place):
        assert anyone.post(f"{BASE}/requests.json", json=LITTER).status_code == 400

    @pytest.mark.parametrize("text", ["a\x01b\x1fc", "]]>", "<b>&amp;", "\ufffe\uffff", "𠮷\u202e‏", "a\r\nb"])
    def test_naughty_text_never_breaks_the_xml(self, post, anyone, text, key):
        [answer] = post(description=text)[1]
        address = f"{BASE}/requests/{answer['service_request_id']}"
        assert anyone.get(f"{address}.json?api_key={key}").json[0]["description"] == text
        shown = fromstring(anyone.get(f"{address}.xml?api_key={key}").data).findtext("request/description")
        wanted = "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\r") or c in "\ufffe\uffff" else c for c in text)
        assert shown == wanted.replace("\r\n", "\n")


class TestRequests:
    @pytest.fixture
    def three(self, complain, place, issue_of, cure, step):
        """One closed, one rejected and one rectified, in that order, each a day after the other."""
        found = {}
        for days, (name, category) in enumerate((("closed", "C1"), ("rejected", "C2"), ("rectified", "A31"))):
            day = datetime.fromisoformat("2026-05-01T08:30:00+08:00") + timedelta(days=days)
            with clock.moved_clock(lambda day=day: day):
                issue = issue_of(complain(category=category, photos=[camera_jpeg(days)], description="张家门口 13987654321").json)
                if name == "rejected":
                    issue_id = issue.id
                    # What the policy dispatched has to come back to the office before it can be rejected.
                    step(issue_id, "transfer", place.office, region=place.town.code, reason="核实")
                    step(issue_id, "reject", place.office, ground="lawful_activity", reason="李四家的")
                else:
                    cure(issue.id, until=name, photo=70 + days)
                found[name] = issue.number
        worker.deliver_due()
        return found

    MAY = {"start_date": "2026-05-01T00:00:00+08:00", "end_date": "2026-05-31T00:00:00+08:00"}

    def test_a_request_tells_what_where_and_how_it_stands(self, ask, three, place):
        _, [row] = ask(f"requests/{three['closed']}")
        assert row.pop("media_url").startswith(f"http://localhost/api/v1/public/issues/{three['closed']}/photos/")
        due_at = db.session.scalar(select(Issue.due_at).where(Issue.serial == int(three["closed"][2:])))
        assert datetime.fromisoformat(row.pop("expected_datetime")) == due_at
        assert row == {
            "service_request_id": three["closed"], "status": "closed", "status_notes": "Put right, checked and closed. 漂浮垃圾已清理。",
            "service_name": "Floating litter", "service_code": "C1", "description": "Floating litter · 清溪柳岸段",
            "agency_responsible": "River chief office of 柳岸镇", "service_notice": None,
            "requested_datetime": "2026-05-01T08:30:00+08:00", "updated_datetime": "2026-05-01T08:30:00+08:00",
            "address": "清溪柳岸段", "address_id": None, "zipcode": None, "lat": 29.6001, "long": 119.81}
        _, root = ask(f"requests/{three['closed']}", "xml")
        assert root.findtext("request/lat") == "29.6001"
        assert root.find("request/zipcode").text is None

    def test_rectified_stays_open_and_a_rejection_is_closed_with_its_ground(self, ask, three):
        _, rows = ask("requests", **self.MAY)
        found = {row["service_request_id"]: (row["status"], row["status_notes"], row["media_url"]) for row in rows}
        assert [row["service_request_id"] for row in rows] == [three["rectified"], three["rejected"], three["closed"]]
        assert found[three["rectified"]][0] == "open"
        assert found[three["rejected"]] == ("closed", "Not taken up; the reason is given. Found to be lawful", None)

    def test_what_is_noted_later_does_not_hide_the_ground(self, ask, three):
        with transaction():
            issue = db.session.scalars(select(Issue).where(Issue.serial == int(three["rejected"][2:])).options(joinedload(Issue.region))).one()
            add_entry(issue, verb=PARTNER_UPDATE, by=None, from_state=issue.state, rule="open311: x", brought={"note": "?"})
        assert ask(f"requests/{three['rejected']}")[1][0]["status_notes"] == "Not taken up; the reason is given. Found to be lawful"

    def test_nothing_that_people_wrote_is_in_it(self, anyone, three):
        for path in ("requests", "servicerequestupdates"):
            text = anyone.get(f"{BASE}/{path}.json", query_string=self.MAY).text
            assert three["closed"] in text
            assert not any(secret in text for secret in ("张家", "13987654321", "李四", "陈村长", "何主任", "张三", "已打捞"))

    FILTERS = (
        ({"service_code": "C1"}, ["closed"]), ({"service_code": "C1,C2"}, ["rejected", "closed"]), ({"service_code": ""}, ["rectified", "rejected", "closed"]),
        ({"status": "open"}, ["rectified"]), ({"status": "closed"}, ["rejected", "closed"]), ({"status": "open,closed"}, ["rectified", "rejected", "closed"]),
        ({"start_date": "2026-05-02T00:00:00+08:00"}, ["rectified", "rejected"]), ({"end_date": "2026-05-02T00:00:00+08:00"}, ["closed"]),
        ({"start_date": "2026-05-01T00:30:00Z", "end_date": "2026-05-01T00:30:00Z"}, ["closed"]),
        ({"page_size": "2"}, ["rectified", "rejected"]), ({"page_size": "2", "page": "2"}, ["closed"]), ({"page": "2"}, []),
    )

    def test_every_filter_counts(self, ask, three):
        names, found = {number: name for name, number in three.items()}, []
        for query, _ in self.FILTERS:
            status, rows = ask("requests", **{**self.MAY, **query} if query.keys() != {"end_date"} else query)
            assert status == 200
            found.append((query, [names[row["service_request_id"]] for row in rows]))
        assert found == list(self.FILTERS)

    def test_ids_override_all_other_filters_and_unknown_ones_are_passed_over(self, ask, three):
        ids = f"{three['closed']},{three['rectified']},XH9999999,nothing"
        _, rows = ask("requests", service_request_id=ids, status="closed", service_code="C5", start_date="2020-01-01T00:00:00Z")
        assert ask("requests", service_request_id=ids, status="fixed", service_code="XX", start_date="2020-01-01", extensions="true") == (200, rows)
        assert {row["service_request_id"] for row in rows} == {three["closed"], three["rectified"]}

    def test_without_dates_the_last_ninety_days_count(self, ask, three):
        for days, wanted in ((85, 3), (100, 0)):
            later = datetime.fromisoformat("2026-05-03T09:00:00+08:00") + timedelta(days=days)
            with clock.moved_clock(lambda later=later: later):
                assert len(ask("requests")[1]) == wanted

    def test_photos_are_open_as_far_as_the_case_shows_them(self, anyone, ask, three):
        for name, wanted in (("closed", 2), ("rectified", 1), ("rejected", 0)):
            issue = db.session.scalars(select(Issue).where(Issue.serial == int(three[name][2:]))).one()
            ids = db.session.scalars(select(Photo.id)).all()
            paths = [f"public/issues/{issue.number}/photos/{photo_id}/screen" for photo_id in ids]
            assert sorted(anyone.get(path).status_code for path in paths) == [200] * wanted + [404] * (len(ids) - wanted)
            assert anyone.get(paths[0].replace("screen", "original")).status_code == 404
        assert anyone.get(ask(f"requests/{three['closed']}")[1][0]["media_url"].removeprefix("http://localhost")).status_code == 200

    def test_a_partner_reads_its_own_words_again_and_nobody_else_does(self, post, ask, key):
        number = post()[1][0]["service_request_id"]
        mine, theirs = ask(f"requests/{number}", api_key=key)[1][0], ask(f"requests/{number}")[1][0]
        assert (mine["description"], mine["lat"], mine["long"]) == (LITTER["description"], 29.600123, 119.810987)
        assert (theirs["description"], theirs["lat"], theirs["long"]) == ("Floating litter · 清溪柳岸段", 29.6001, 119.811)

    def test_a_list_costs_the_same_statements_however_long(self, ask, three, queries):
        ask("requests", **self.MAY)
        many = len(queries)
        queries.clear()
        ask("requests", **self.MAY, page_size="1")
        assert len(queries) == many


class TestUpdates:
    def test_each_step_is_an_update_with_a_stable_id(self, ask, complain, issue_of, cure, step, place):
        issue = issue_of(complain().json)
        cure(issue.id)
        worker.deliver_due()
        _, rows = ask("servicerequestupdates")
        assert [(row["external_status_code"], row["status"]) for row in rows] == [
            ("accepted", "open"), ("dispatched", "open"), ("in_progress", "in_progress"), ("rectified", "in_progress"),
            ("verified", "in_progress"), ("closed", "closed")]
        assert {row["service_request_id"] for row in rows} == {issue.number}
        assert rows[3]["media_url"].endswith("/screen")
        assert rows[5]["description"] == "It is put right, checked and closed."
        assert ask("servicerequestupdates")[1] == rows
        assert ask("servicerequestupdates", page_size="2", page="2")[1] == rows[2:4]
        _, root = ask("servicerequestupdates", "xml", start_date=(clock.now() - timedelta(hours=1)).isoformat(), end_date=clock.now().isoformat())
        assert [element.findtext("update_id") for element in root.findall("request_update")] == [row["update_id"] for row in rows]
        later = clock.now() + timedelta(hours=5)
        assert ask("servicerequestupdates", start_date=later.isoformat(), end_date=later.isoformat())[1] == []
        assert ask("servicerequestupdates", end_date="0001-01-01T00:00:00Z")[1] == ask("requests", end_date="0001-01-01T00:00:00Z")[1] == []

    def test_what_was_returned_shows_no_photo_of_the_cure(self, ask, complain, issue_of, cure, step, place):
        issue = issue_of(complain().json)
        cure(issue.id, until="rectified", photo=5)
        step(issue.id, "return", place.office, reason="照片不实")
        step(issue.id, "rectify", place.chief, note="已打捞", photos=[camera_jpeg(6)])
        step(issue.id, "verify", place.office)
        worker.deliver_due()
        rows = ask("servicerequestupdates")[1]
        assert [row["media_url"] is not None for row in rows if row["external_status_code"] == "rectified"] == [False, True]
        assert ask(f"requests/{issue.number}")[1][0]["media_url"] == next(row["media_url"] for row in rows if row["media_url"])
        assert rows[0]["description"] == "It was accepted automatically, as the rules have it."

    def test_reopening_is_open_again(self, ask, complain, issue_of, cure, step, place):
        issue = issue_of(complain().json)
        cure(issue.id)
        step(issue.id, "reopen", place.office, reason="又出现了")
        assert ask("servicerequestupdates")[1][-1]["status"] == "open"
        assert ask(f"requests/{issue.number}")[1][0]["status"] == "open"


class TestPostingUpdates:
    @pytest.fixture
    def send(self, anyone, post):
        number = post()[1][0]["service_request_id"]

        def update(suffix="json", **fields):
            form = {"api_key": KEY, "service_request_id": number, "update_id": "17", "status": "FIXED", "first_name": "Canary",
                    "updated_datetime": "2026-05-01T08:30:00+08:00", "description": "已经干净了", **fields}
            reply = anyone.post(f"{BASE}/servicerequestupdates.{suffix}", data=form)
            return reply.status_code, parsed(reply, suffix)

        return update

    def test_it_is_read_in_the_history_and_changes_no_state(self, send, ask, signed_in, place):
        status, [answer] = send()
        assert status == 200
        again = send("xml")[1]
        assert again.tag == "service_request_updates"
        assert again.findtext("request_update/update_id") == answer["update_id"]
        issue = db.session.scalars(select(Issue)).one()
        history = signed_in(place.office).get(f"issues/{issue.id}/history", headers={"Accept-Language": "en"}).json["items"]
        last = history[-1]
        assert (last["verb"], last["note"], last["name"], last["actor"]) == ("partner_update", "已经干净了", "Word from a partner system", None)
        assert last["rule"] == "open311: 隔壁系统"
        assert issue.state == "dispatched"
        assert answer["update_id"] not in str(ask("servicerequestupdates"))
        assert len(history) == issue.version

    @pytest.mark.parametrize(("fields", "status"), [
        ({"description": "别的"}, 400), ({"api_key": ""}, 403), ({"api_key": "wrong"}, 403), ({"service_request_id": "XH9999999"}, 404),
        ({"update_id": ""}, 400), ({"updated_datetime": "2026-05-01"}, 400)])
    def test_other_content_a_missing_key_and_unknown_requests_are_refused(self, send, fields, status):
        send()
        found, rows = send(**fields)
        assert found == status
        assert rows[0]["code"] == status


    def test_of_a_merged_request_the_handlers_of_the_original_read_it_and_are_told(self, send, complain, issue_of, step, signed_in, place):
        merged = db.session.scalars(select(Issue)).one()
        original = issue_of(complain(description="别处").json)
        step(merged.id, "merge", place.office, into=original.id, reason="同一处")
        while worker.deliver_due():
            pass
        status, [answer] = send()
        assert (status, send()[1][0]["update_id"]) == (200, answer["update_id"])
        while worker.deliver_due():
            pass
        history = signed_in(place.office).get(f"issues/{original.id}/history").json["items"]
        assert [(row["note"], row["changes"]["request"]) for row in history if row["verb"] == "partner_update"] == [("已经干净了", merged.number)]
        for person in (place.chief, place.town_office):
            assert "issue.partner_update" in [row["kind"] for row in signed_in(person).get("me/messages").json["items"]]
        assert [chain for chain in broken_chains() if chain] == []

    def test_another_partners_key_and_a_citizens_case_are_refused(self, send, complain, issue_of):
        with transaction():
            other = make_partner_key("第三方系统")
        status, rows = send(api_key=other)
        assert (status, rows[0]["code"]) == (403, 403)
        assert send(service_request_id=issue_of(complain(description="别处").json).number)[0] == 403
        assert count(PartnerUpdate) == 0
        assert send()[0] == 200


def test_faults_of_the_limits_are_arrays_too(another_app, tmp_path, monkeypatch):
    from patrol.foundation import outbox
    from patrol.foundation.settings import Settings

    monkeypatch.setattr(outbox, "_hand_over", [])
    app = another_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path), uploads=str(tmp_path / "u"), public_reads_per_block="2 per minute", log_level="ERROR"))
    replies = [app.test_client().get(f"{BASE}/services.json") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].json[0]["code"] == 429
    assert int(replies[2].headers["Retry-After"]) > 0

"""A complainant's contact: sealed at rest, revealed with a permission, a reason and a trace, and nowhere else."""

import re
from datetime import timedelta
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from flask_migrate import upgrade
from sqlalchemy import select

from patrol.foundation import channels, clock, outbox, worker
from patrol.foundation.database import db
from patrol.foundation.logs import configure_logs
from patrol.foundation.settings import Settings
from patrol.people.models import AuditEntry, Region
from patrol.people.permissions import ROLE_MAY, Permission, Role
from patrol.public.models import FollowerContact, ReporterContact
from patrol.public.subscription_models import Notice, Subscription
from patrol.public.subscriptions import link_token
from patrol.waters.register import register_changed
from tests.evidence.camera import camera_jpeg

CANARY = {"name": "金丝雀女士", "phone": "13955550142", "email": "canary-7731@example.org"}
FOLLOWER = {"name": "白头翁先生", "phone": "13955550143", "email": "follower-4412@example.org"}
TRACES = [text for value in (*CANARY.values(), *FOLLOWER.values()) for text in (value, value.encode("unicode_escape").decode())]


@pytest.fixture
def sent(complain, place, told, anyone, issue_of):
    """A complaint and a follow with contacts; both have had a message."""
    reply = complain(contact=CANARY, photos=[camera_jpeg(1)], id=str(uuid4()))
    assert reply.status_code == 201
    followed = anyone.post(f"public/issues/{issue_of(reply.json).number}/follow", json={"contact": FOLLOWER})
    assert followed.status_code == 201
    deliver_on_the_next_day()
    assert sum("canary-7731" in address or "follower-4412" in address for address, *_ in told) == 2
    return reply.json


def deliver_on_the_next_day():
    for hours in (24, 48):
        moment = clock.now() + timedelta(hours=hours)
        with clock.moved_clock(lambda moment=moment: moment):
            while worker.deliver_due():
                pass


def reveal(client, issue_id, reason="核实地点"):
    return client.post(f"issues/{issue_id}/reporter/reveal", json={"reason": reason})


class TestReveal:
    def test_the_office_reads_the_contact_and_the_look_is_written_down(self, sent, issue_of, place, signed_in):
        issue = issue_of(sent)
        reply = reveal(signed_in(place.office), issue.id)
        assert reply.status_code == 200, reply.json
        assert reply.json == CANARY
        assert reply.headers["Cache-Control"] == "no-store"
        [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "reveal_reporter"))
        assert (entry.actor_id, entry.subject, entry.facts) == (place.office.id, str(issue.id), {"reason": "核实地点"})

    def test_what_was_left_out_reads_as_null(self, complain, issue_of, place, signed_in):
        issue = issue_of(complain(contact={"phone": "13900000000"}).json)
        assert reveal(signed_in(place.office), issue.id).json == {"name": None, "phone": "13900000000", "email": None}

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501, None])
    def test_it_wants_a_reason(self, sent, issue_of, place, signed_in, reason):
        assert reveal(signed_in(place.office), issue_of(sent).id, reason).status_code == 422

    def test_outside_the_area_it_is_not_found_and_leaves_no_trace(self, sent, issue_of, build, signed_in, place, complain):
        elsewhere = build.person("office", region=build.region(name="别镇"))
        assert reveal(signed_in(elsewhere), issue_of(sent).id).status_code == 404
        assert reveal(signed_in(place.office), uuid4()).status_code == 404
        assert reveal(signed_in(place.office), issue_of(complain().json).id).status_code == 404
        assert db.session.scalar(select(AuditEntry).where(AuditEntry.act == "reveal_reporter")) is None

    def test_roles_without_the_permission_are_refused(self, sent, issue_of, build, signed_in, anyone):
        issue_id = issue_of(sent).id
        assert reveal(anyone, issue_id).status_code == 401
        for role in Role:
            allowed = Permission.REVEAL_REPORTER in ROLE_MAY[role]
            assert reveal(signed_in(build.person(role)), issue_id).status_code == (200 if allowed else 403), role

    def test_a_contact_sealed_under_a_lost_key_is_503_not_500(self, sent, issue_of, place, signed_in, test_settings, monkeypatch):
        monkeypatch.setitem(test_settings._values, "field_key", (Fernet.generate_key().decode(),))
        assert reveal(signed_in(place.office), issue_of(sent).id).status_code == 503


def readable_paths(app, values):
    """Yield the path of every GET route, with every value that fits in place of each parameter."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods:
            paths = [rule.rule]
            for name in rule.arguments:
                fitting = values.get(name, ["1"])
                paths = [_filled(path, rule, name, value) for path in paths for value in fitting]
            yield from paths


def _filled(path, rule, name, value):
    return re.sub(rf"<(?:[a-z_]+(?:\([^)]*\))?:)?{name}>", str(value), path)


def test_the_canary_is_in_no_answer_of_any_route_for_anybody(app, sent, issue_of, place, build, signed_in, anyone, cure, test_settings):
    """Every GET route, as every role, in the place's own region and in its chief's shoes; only reveal gives the contact."""
    issue = issue_of(sent)
    cure(issue.id)
    anyone.post(f"public/complaints/{sent['tracking_code']}/rating", json={"satisfied": True, "score": 5})
    photo_ids = [photo["id"] for photo in anyone.get(f"public/complaints/{sent['tracking_code']}").json["photos"]]
    people = [place.chief, place.town_chief, place.office, *(build.person(role) for role in Role)]
    values = {
        "issue_id": [issue.id], "tracking_code": [sent["tracking_code"]], "photo_id": photo_ids, "size": ["thumb", "screen", "original"],
        "token": [link_token(row.id, test_settings.secret_key) for row in db.session.scalars(select(Subscription))],
        "person_id": [place.chief.id], "reach_id": [place.reach.id], "code": ["QX-0001"], "verb": ["accept"],
    }
    paths = sorted(set(readable_paths(app, values)))
    assert f"/api/v1/public/complaints/{sent['tracking_code']}" in paths
    assert sum("/subscriptions/" in path for path in paths) == 2
    clients = [anyone, *(signed_in(person) for person in people)]
    answered = 0
    for client in clients:
        for path in paths:
            reply = client.get(path)
            answered += reply.status_code == 200
            seen = reply.data.decode("utf-8", "replace") + str(reply.headers)
            assert not any(trace in seen for trace in TRACES), path
            assert reply.status_code < 500 or reply.status_code == 503, path
    assert answered > 3 * len(clients)


def test_the_canary_is_nowhere_in_the_tables(sent):
    stored = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
    assert len(stored) > 10
    assert not any(trace in row for trace in TRACES for row in stored)
    assert [db.session.scalar(select(model)) is not None for model in (ReporterContact, FollowerContact, Notice)] == [True] * 3


def test_no_message_names_the_other_or_tells_more_than_its_reader_left(sent, told):
    assert len(told) > 1
    for address, title, body in told:
        assert sum(name in unquote(address) for name in ("canary-7731", "follower-4412")) <= 1
        assert not any(trace in title + body for trace in TRACES)


def test_no_sender_writes_an_address_into_the_log(complain, place, told, test_settings, monkeypatch, capfd):
    """The real one, to a mail server that is not there and to a gateway whose address has the number in it, at the noisiest level."""
    monkeypatch.setattr(channels, "sender", [channels._apprise])
    monkeypatch.setitem(test_settings._values, "mail_url", "mailto://127.0.0.1:9?from=river@example.org")
    monkeypatch.setitem(test_settings._values, "sms_url", "json://127.0.0.1:9/send/{phone}?:to={phone}")
    try:
        configure_logs(Settings({"XUNHE_ENV": "test"}, log_level="DEBUG"))
        complain(contact=CANARY)
        complain(contact={"phone": CANARY["phone"]}, description="另一处")
        deliver_on_the_next_day()
    finally:
        configure_logs(test_settings)
    logged = "".join(capfd.readouterr())
    assert logged.count("delivery_failed") > 1
    assert not [trace for trace in TRACES if trace in logged or quote(trace) in logged]


def test_the_canary_is_nowhere_in_the_files_of_a_real_database(another_app, tmp_path, monkeypatch):
    """A complaint committed to a SQLite file: no plain hit in the file, its journal, the queue or the photo store."""
    monkeypatch.setattr(outbox, "_hand_over", [])
    app = another_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path / "var"), uploads=str(tmp_path / "uploads"),
                               challenge_cost=0, log_level="ERROR", mail_url="mailto://127.0.0.1:9", public_url="https://river.example.org"))
    with app.app_context():
        upgrade(directory="migrations")
        db.session.add(Region(code="990100", name="清溪区", level="county", path="/990100/", version=1))
        register_changed(regions=True)
        db.session.commit()
    reply = app.test_client().post("/api/v1/public/complaints", json={
        "category": "C1", "description": "漂浮垃圾", "latitude": 29.6, "longitude": 119.8, "contact": CANARY})
    assert reply.status_code == 201, reply.json
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    content = {path: path.read_bytes() for path in files}
    database = tmp_path / "var" / "xunhe.db"
    assert reply.json["tracking_code"].encode() in content[database]
    for path, data in content.items():
        assert not any(trace.encode() in data for trace in TRACES), path

"""A township on a river with its offices and chiefs, and a citizen who complains."""

import io
import json
from datetime import time
from types import SimpleNamespace
from uuid import UUID

import pytest

from patrol.evidence.actions import record_photo, store_photo
from patrol.foundation import channels
from patrol.foundation.database import db
from patrol.foundation.settings import Settings
from patrol.foundation.transaction import transaction
from patrol.issues.lifecycle import Verb
from patrol.issues.models import Issue
from patrol.issues.steps import take_step
from patrol.public.models import Complaint
from tests.evidence.camera import camera_jpeg

HERE = {"latitude": 29.6001, "longitude": 119.81, "accuracy_m": 10}
AWAY = {"latitude": 29.62, "longitude": 119.90, "accuracy_m": 10}


@pytest.fixture
def place(build):
    """A village reach below a township's and a district's reach of the same river, each with its chief; two offices."""
    with build.at_once():
        town = build.region(name="柳岸镇")
        village = build.region(town, level="village", name="柳岸村")
        water = build.water_body(name="清溪")
        found = SimpleNamespace(town=town, village=village, water=water)
        found.reach = build.reach(region=village, level="village", water_body=water, name="清溪柳岸段")
        found.town_reach = build.reach(region=town, level="township", water_body=water, name="清溪镇段")
        found.district_reach = build.reach(level="county", water_body=water, name="清溪区段")
        found.chief = build.person("chief", region=village, name="陈村长", title="柳岸村村级河长")
        found.town_chief = build.person("chief", region=town, name="周镇长", title="镇级河长")
        found.district_chief = build.person("chief", name="吴区长", title="区级河长")
        for reach, person in (
            (found.reach, found.chief), (found.town_reach, found.town_chief), (found.district_reach, found.district_chief),
        ):
            build.appointment(reach, person)
        found.office = build.person("office", name="何主任")
        found.town_office = build.person("office", region=town, name="孙干事")
        found.board = build.board(found.reach, code="QX-0001")
    return found


@pytest.fixture
def complain(anyone):
    """Return a function that sends a complaint; with `photos` (bytes of each) as a form."""

    def send(*, photos=(), client=anyone, headers=None, place=HERE, **fields):
        body = {"category": "C1", "description": "桥下漂着一大片垃圾", **place, **fields}
        if not photos:
            return client.post("public/complaints", json=body, headers=headers)
        files = [(io.BytesIO(data), f"IMG_{number}.jpg") for number, data in enumerate(photos)]
        return client.post("public/complaints", data={**as_form(body), "photos": files}, headers=headers)

    return send


def as_form(body):
    return {name: json.dumps(value) if isinstance(value, dict | list) else str(value) for name, value in body.items() if value is not None}


def photo_form(*seeds):
    return {"photos": [(io.BytesIO(camera_jpeg(seed)), f"{seed}.jpg") for seed in seeds]}


@pytest.fixture
def step(app, actor_of, test_settings):
    """Return a function that lets a person take a step of an issue, as the issues room does it."""

    def take(issue_id, verb, person, *, photos=(), **brought):
        with transaction():
            kept = [
                record_photo(store_photo(data, store=app.extensions["photo_store"], most_bytes=10**7), owner_id=person.id)[0]
                for data in photos
            ]
            return take_step(
                issue_id=issue_id, verb=Verb(verb), by=actor_of(person), brought=brought, expected_version=None,
                timezone=test_settings.timezone, tolerance_m=test_settings.routing_tolerance_m, photos=kept,
            )

    return take


@pytest.fixture
def issue_of(database):
    """Return a function that gives the issue behind a complaint's answer."""

    def find(answer):
        complaint = db.session.get_one(Complaint, UUID(answer["id"]))
        return db.session.get_one(Issue, complaint.issue_id, populate_existing=True)

    return find


@pytest.fixture
def cure(step, place):
    """Return a function that takes an issue, dispatched to the village's chief, as far as the state named."""

    def go(issue_id, until="closed", photo=77):
        steps = [
            ("start", "in_progress", place.chief, {}),
            ("rectify", "rectified", place.chief, {"note": "已打捞", "photos": [camera_jpeg(photo)]}),
            ("verify", "verified", place.office, {"note": "张三已到现场核实"}),
            ("close", "closed", place.office, {"public_summary": "漂浮垃圾已清理。"}),
        ]
        for verb, state, person, brought in steps:
            step(issue_id, verb, person, **brought)
            if state == until:
                return

    return go


class Told(list):
    """What went to citizens: (address, title, body); `fails` is raised or returned instead."""

    fails = None

    def __call__(self, address, title, body):
        if isinstance(self.fails, Exception):
            raise self.fails
        if self.fails is None:
            self.append((address, title, body))
        return self.fails is None


@pytest.fixture
def told(monkeypatch, test_settings):
    """Set up mail, text messages and the public address; return what is sent."""
    found = Told()
    monkeypatch.setattr(channels, "sender", [found])
    for name, value in {
        "mail_url": "mailtos://smtp.example.org?from=river@example.org", "sms_url": "jsons://sms.example.org/send?:to={phone}",
        "public_url": "https://river.example.org/",
    }.items():
        monkeypatch.setitem(test_settings._values, name, value)
    # Whatever the hour at which the tests run; a test of the quiet hours asks for `nights`.
    monkeypatch.setitem(test_settings._values, "citizen_quiet", (time(0), time(0)))
    return found


@pytest.fixture
def nights(told, monkeypatch, test_settings):
    """Let the usual quiet hours hold."""
    monkeypatch.setitem(test_settings._values, "citizen_quiet", Settings({"XUNHE_ENV": "test"}).citizen_quiet)

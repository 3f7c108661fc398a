"""A valley with two towns: a river in each, their chiefs, an office, a supervisor, a bureau; and how to report there."""

import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.people.models import Person
from tests.evidence.camera import camera_jpeg

CHINA = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, tzinfo=CHINA)
HERE = {"latitude": 29.60, "longitude": 119.81, "accuracy_m": 8}
THERE = {"latitude": 29.70, "longitude": 119.81, "accuracy_m": 8}
NOWHERE = {"latitude": 29.90, "longitude": 119.30, "accuracy_m": 8}
AT_DISTRICT = {"latitude": 29.2, "longitude": 119.005, "accuracy_m": 8}


def at(moment):
    """Set the clock to a moment."""
    return clock.moved_clock(lambda: moment.astimezone(UTC))


@pytest.fixture
def monday():
    """The second of March 2026, a Monday without holidays near."""
    with at(MONDAY):
        yield MONDAY


@pytest.fixture
def valley(build, signed_in):
    """Two towns, A with reach and chief at HERE, B with others at THERE; everybody as `person` and `<name>_client`."""
    with build.at_once():
        town, other_town = build.region(name="柳岸镇"), build.region(name="石桥镇")
        village = build.region(town, level="village", name="上柳村")
        reach = build.reach(region=village, name="清溪上柳段")
        other_reach = build.reach(((119.80, 29.70), (119.82, 29.70)), region=other_town, level="township", name="石溪段")
        district_reach = build.reach(((119.0, 29.2), (119.01, 29.2)), level="county", name="清溪区段")
        people = {
            "chief": build.person("chief", region=village, name="柳村长", title="村级河长"),
            "other_chief": build.person("chief", region=other_town, name="石镇长", title="镇级河长"),
            "district_chief": build.person("chief", name="区长", title="区级河长"),
            "office": build.person("office", name="区河长办"),
            "town_office": build.person("office", region=town, name="镇河长办"),
            "other_office": build.person("office", region=other_town, name="石桥河长办"),
            "supervisor": build.person("supervisor", name="督查员"),
            "handler": build.person("handler", department="urban_management", name="城管"),
            "patroller": build.person("patroller", region=village, name="巡河员"),
            "auditor": build.person("auditor", name="审计"),
        }
        build.appointment(reach, people["chief"])
        build.appointment(other_reach, people["other_chief"])
        build.appointment(district_reach, people["district_chief"])
        clients = {f"{name}_client": signed_in(person) for name, person in people.items()}
    return SimpleNamespace(
        town=town, other_town=other_town, village=village, reach=reach, other_reach=other_reach, **people, **clients)


def report(client, **fields):
    """Report an issue at HERE; what is given replaces or adds to a usual body."""
    reply = client.post("issues", json={"category": "C1", "description": "桥下漂着成片的垃圾", **HERE, **fields})
    assert reply.status_code in {200, 201}, reply.json
    return reply.json


def step(client, issue, verb, *, version=None, files=(), **body):
    """Take a step of an issue as it was read; files become photos of a form."""
    headers = {"If-Match": f'"{version or issue["version"]}"'}
    path = f"issues/{issue['id']}/{verb}"
    if files:
        data = {**body, "photos": [(io.BytesIO(data), f"{n}.jpg") for n, data in enumerate(files)]}
        return client.post(path, data=data, headers=headers)
    return client.post(path, json=body, headers=headers)


def taken(client, issue, verb, **kwargs):
    reply = step(client, issue, verb, **kwargs)
    assert reply.status_code == 200, reply.json
    assert reply.headers["ETag"] == f'"{reply.json["version"]}"'
    return reply.json


@pytest.fixture(scope="session")
def pictures():
    return [camera_jpeg(seed) for seed in range(1, 5)]


@pytest.fixture
def three(valley):
    """One dispatched general C1 of the chief, one submitted serious B3 elsewhere, one rejected A32 far from all."""
    start = clock.now() - timedelta(days=30)
    with clock.moved_clock(lambda: start):
        first = report(valley.patroller_client, description="桥下 Floating 垃圾")
    with clock.moved_clock(lambda: start + timedelta(days=10)):
        second = report(valley.office_client, **THERE, category="B3", source="hotline", description="工厂排污")
    with clock.moved_clock(lambda: start + timedelta(days=20)):
        third = report(valley.office_client, **NOWHERE, category="A32", source="media", description="废渣")
        taken(valley.office_client, third, "reject", ground="no_evidence_found", reason="现场未见")
    return {"first": first["id"], "second": second["id"], "third": third["id"], "start": start, "number": second["number"]}


@pytest.fixture
def mixed(valley, build, signed_in):
    """The town's and the district's chief, who both hold the office as well, and a second person of the district's office."""
    town_reach = build.reach(((119.80, 29.65), (119.82, 29.65)), region=valley.town, level="township", name="柳岸段")
    town_chief = build.person("chief", "office", region=valley.town, name="柳镇长")
    build.appointment(town_reach, town_chief)
    valley.town_chief, valley.town_chief_client = town_chief, signed_in(town_chief)
    with transaction():
        db.session.get_one(Person, valley.district_chief.id).role_names = ["chief", "office", "auditor"]
    valley.village_office = build.person("office", region=valley.village, name="村河长办")
    valley.village_office_client = signed_in(valley.village_office)
    return valley


def complain(anyone, signed_in, office, files=(), **place):
    """Let a citizen who leaves a phone number charge the chief of a place; return the issue as the higher office reads it."""
    body = {"category": "F3", "description": "从不巡河", "contact": json.dumps({"phone": "13900000000"}), **HERE, **place}
    reply = anyone.post("public/complaints", data={**body, "photos": [(io.BytesIO(data), "a.jpg") for data in files]})
    assert reply.status_code == 201, reply.json
    [row] = office.get("issues?category=F&limit=1").json["items"]
    return office.get(f"issues/{row['id']}").json

"""The whole story over HTTP: the clerk imports, the chief patrols, the citizen complains, it is cured, checked and closed."""

import io
import json
from uuid import uuid4

import pytest

from patrol.foundation import worker
from patrol.foundation.database import db, new_id
from patrol.foundation.transaction import transaction
from patrol.people.models import Region
from patrol.people.passwords import hash_password
from tests.conftest import Client
from tests.evidence.camera import camera_jpeg

PASSWORD = "qing-xi-he-1"
REACH = [[119.80, 29.60], [119.81, 29.601], [119.82, 29.60]]
ON_IT = {"latitude": 29.6009, "longitude": 119.81, "accuracy_m": 9}
PEOPLE = """username,name,phone,roles,region_code,title,password
wang,王秀英,13900000001,chief,990100001001,村级河长,{p}
li,李国强,13900000002,chief,990100001,镇级河长,{p}
zhou,周敏,13900000003,office,990100,区河长办,{p}
zhao,赵磊,13900000004,supervisor,990100,督查员,{p}
"""
APPOINTMENTS = """reach_code,username,title,valid_from,valid_to
R-1,wang,chief,2020-01-01,
R-2,li,chief,2020-01-01,
"""


def geojson(*rows):
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": properties, "geometry": geometry} for properties, geometry in rows]}).encode()


def square(west, south, east, north):
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


@pytest.fixture
def clerk(app, database, build):
    """The first account, in a district that has nothing else yet."""
    with transaction():
        db.session.add(Region(id=new_id(), code="990100", name="清溪区", level="county", path="/990100/", version=1))
    region = db.session.scalar(db.select(Region))
    build._district = region
    person = build.person("admin", region=region, username="clerk", password_hash=hash_password(PASSWORD))
    return Client(app.test_client(), build.token_of(person))


def bring_in(clerk, kind, data, **fields):
    return clerk.post("imports", data={"kind": kind, "file": (io.BytesIO(data), kind), **fields}, content_type="multipart/form-data")


@pytest.fixture
def district(clerk):
    """The clerk imports the registers, each after a rehearsal, and a second time without effect."""
    line = {"type": "LineString", "coordinates": REACH}
    files = {
        "regions": geojson(
            ({"code": "990100001", "name": "柳岸镇", "level": "township", "parent_code": "990100"}, square(119.7, 29.5, 119.9, 29.7)),
            ({"code": "990100001001", "name": "溪口村", "level": "village", "parent_code": "990100001"}, square(119.79, 29.59, 119.83, 29.61)),
        ),
        "water_bodies": "code,name,kind,target_class\nW-1,清溪,river,III\n".encode(),
        "reaches": geojson(
            ({"code": "R-1", "name": "清溪溪口村段", "water_body_code": "W-1", "region_code": "990100001001", "level": "village", "bank": "both", "tolerance_m": 60}, line),
            ({"code": "R-2", "name": "清溪柳岸镇段", "water_body_code": "W-1", "region_code": "990100001", "level": "township", "bank": "both", "tolerance_m": 60}, line),
        ),
        "people": PEOPLE.format(p=PASSWORD).encode(), "appointments": APPOINTMENTS.encode(),
        "signboards": b"code,reach_code,latitude,longitude\nQX-1,R-1,29.601,119.81\n",
    }
    for kind, data in files.items():
        rehearsed = bring_in(clerk, kind, data, dry_run="true")
        assert rehearsed.status_code == 200, rehearsed.json
        first, second = bring_in(clerk, kind, data), bring_in(clerk, kind, data)
        assert first.status_code == 200, first.json
        assert first.json["created"] == rehearsed.json["created"] > 0
        assert (second.json["created"], second.json["updated"]) == (0, 0), second.json
    return clerk


def sign_in(clerk, username):
    reply = clerk.plain.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})
    assert reply.status_code == 200, reply.json
    return Client(clerk.plain, reply.json["access_token"])


def take(client, issue_id, verb, **kwargs):
    etag = client.get(f"issues/{issue_id}").headers["ETag"]
    reply = client.post(f"issues/{issue_id}/{verb}", headers={"If-Match": etag}, **kwargs)
    assert reply.status_code == 200, reply.json
    return reply.json


def test_from_the_register_to_the_citizens_thanks(district, app):
    chief, office, supervisor = (sign_in(district, name) for name in ("wang", "zhou", "zhao"))
    anyone = Client(app.test_client())

    me = chief.get("me").json
    assert [reach["code"] for reach in me["reaches"]] == ["R-1"]
    answer = anyone.get("responsible", query_string=ON_IT).json
    assert answer["candidates"]

    complaint = anyone.post("public/complaints", data={
        **{key: str(value) for key, value in ON_IT.items()}, "category": "C1", "description": "桥下漂着一大片垃圾",
        "contact": json.dumps({"name": "陈女士", "phone": "13812345678"}), "photos": (io.BytesIO(camera_jpeg()), "a.jpg"),
    }, content_type="multipart/form-data")
    assert complaint.status_code == 201, complaint.json
    code = complaint.json["tracking_code"]
    assert complaint.json["state"] == "dispatched", "general litter at a clear place goes straight to the chief"

    [case] = chief.get("issues", query_string={"assigned_to": "me"}).json["items"]
    assert case["lead"]["name"] == "王秀英"
    assert "start" in case["allowed"]
    take(chief, case["id"], "start", json={})
    done = take(chief, case["id"], "rectify", data={"note": "已清理", "photos": (io.BytesIO(camera_jpeg(7)), "b.jpg")},
                content_type="multipart/form-data")
    assert done["state"] == "rectified"
    worker.deliver_due()

    etag = {"If-Match": f'"{done["version"]}"'} if "version" in done else {"If-Match": chief.get(f"issues/{case['id']}").headers["ETag"]}
    assert chief.post(f"issues/{case['id']}/verify", headers=etag, json={}).status_code == 403
    take(supervisor, case["id"], "return", json={"reason": "桥西还有"})
    take(chief, case["id"], "rectify", data={"note": "桥西也清了", "photos": (io.BytesIO(camera_jpeg(8)), "c.jpg")},
         content_type="multipart/form-data")
    take(supervisor, case["id"], "verify", json={"note": "水面干净"})
    closed = take(office, case["id"], "close", json={"public_summary": "垃圾已清理,谢谢"})
    assert closed["state"] == "closed"
    worker.deliver_due()

    progress = anyone.get(f"public/complaints/{code.lower()}").json
    assert progress["public_summary"] == "垃圾已清理,谢谢"
    assert {photo["kind"] for photo in progress["photos"]} == {"before", "after"}
    assert "王秀英" not in json.dumps(progress, ensure_ascii=False)
    picture = anyone.get(progress["photos"][0]["thumb"])
    assert picture.status_code == 200
    assert b"Exif" not in picture.data
    rated = anyone.post(f"public/complaints/{code}/rating", json={"satisfied": True, "score": 5})
    assert rated.status_code in {200, 201}

    history = office.get(f"issues/{case['id']}/history").json["items"]
    assert [entry["verb"] for entry in history] == [
        "submit", "accept", "dispatch", "start", "rectify", "return", "rectify", "verify", "close"]
    assert all(entry["at"] and entry["hash"] for entry in history)
    result = app.test_cli_runner().invoke(args=["issues", "verify"])
    assert result.exit_code == 0, result.output


def test_an_issue_raised_from_a_check_in_and_rejected_with_a_ground(district):
    chief, office = sign_in(district, "wang"), sign_in(district, "zhou")
    check_in_id = str(uuid4())
    reply = chief.put(f"check-ins/{check_in_id}", json={**ON_IT, "recorded_at": "2026-11-20T08:00:00+08:00"})
    assert reply.status_code == 201, reply.json
    issue = chief.post("issues", json={
        **ON_IT, "id": str(uuid4()), "category": "B2", "description": "暗管排水", "severity": "serious", "source": "patrol",
        "check_in_id": check_in_id,
    })
    assert issue.status_code == 201, issue.json
    assert issue.json["state"] == "submitted", "above general the office looks first"
    assert issue.json["routing"]["candidates"]
    assert issue.json["due_at"]
    rejected = take(office, issue.json["id"], "reject", json={"ground": "lawful_activity", "reason": "持证排口"})
    assert rejected["state"] == "rejected"

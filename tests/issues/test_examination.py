"""The worker's findings on stored issues: from the file, from the history of photos, and again when more is known."""

import io
from datetime import timedelta

import pytest

from patrol.foundation import clock, worker
from tests.evidence.material import exif, jpeg, scene
from tests.issues.conftest import HERE, THERE, report, taken

TAKEN = "2026:05:01 08:30:00"


def report_with(client, *photos, **fields):
    body = {"category": "C1", "description": "x", **{k: str(v) for k, v in HERE.items()}, **fields}
    reply = client.post("issues", data={**body, "photos": [(io.BytesIO(data), "a.jpg") for data in photos]})
    assert reply.status_code == 201, reply.json
    return reply.json


def findings_on(client, issue):
    while worker.deliver_due():
        pass
    return client.get(f"issues/{issue['id']}").json["findings"]


def codes(found):
    return sorted(row["code"] for row in found)


def test_an_old_photo_from_elsewhere(valley):
    photo = jpeg(scene(1), exif=exif(taken=TAKEN, position=(30.25, 120.125)))
    issue = report_with(valley.chief_client, photo)
    found = findings_on(valley.office_client, issue)
    assert codes(found) == ["photo_far", "photo_old"]
    assert all(row["text"] and row["version"] for row in found)
    english = valley.office_client.get(f"issues/{issue['id']}", headers={"Accept-Language": "en"}).json["findings"]
    assert any("was taken" in row["text"] for row in english)
    assert valley.office_client.get(f"issues/{issue['id']}").json["version"] == issue["version"]


def test_a_sound_photo_raises_no_doubt(valley):
    now = clock.now()
    photo = jpeg(scene(2), exif=exif(taken=f"{now:%Y:%m:%d %H:%M:%S}", offset="+00:00", position=(29.6, 119.81), fixed=None))
    assert findings_on(valley.office_client, report_with(valley.chief_client, photo)) == []


def test_a_camera_time_without_a_zone_is_the_districts(valley):
    local = clock.now() + timedelta(hours=8) - timedelta(days=3, hours=-1)
    photo = jpeg(scene(2), exif=exif(taken=f"{local:%Y:%m:%d %H:%M:%S}", offset=None, position=None, fixed=None))
    assert findings_on(valley.office_client, report_with(valley.chief_client, photo)) == []


@pytest.mark.parametrize("quality", [None, 60])
def test_the_before_photo_again_as_after_photo(valley, quality):
    before = jpeg(scene(3))
    after = before if quality is None else jpeg(scene(3), quality=quality)
    issue = report_with(valley.chief_client, before)
    done = taken(valley.chief_client, issue, "rectify", note="好了", files=[after])
    assert "after_photo_same" in codes(findings_on(valley.office_client, done))


def test_a_photo_used_on_another_issue(valley):
    photo = jpeg(scene(4))
    first = report_with(valley.chief_client, photo)
    second = report_with(valley.other_chief_client, photo, latitude=str(THERE["latitude"]))
    [found] = [row for row in findings_on(valley.office_client, second) if row["code"] == "photo_reused"]
    assert (found["code"], found["evidence"]["issue"], found["evidence"]["bits"]) == ("photo_reused", first["number"], 0)


def test_different_photos_of_one_hand_are_fine(valley):
    report_with(valley.chief_client, jpeg(scene(5)))
    found = findings_on(valley.office_client, report_with(valley.chief_client, jpeg(scene(6))))
    assert "photo_reused" not in codes(found)


def test_doubts_about_the_report_itself_are_there_at_once(valley):
    ahead = (clock.now() + timedelta(days=400)).isoformat()
    issue = report(valley.chief_client, recorded_at=ahead, accuracy_m=300)
    assert codes(issue["findings"]) == ["clock_off", "poor_accuracy"]

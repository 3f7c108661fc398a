"""The worker's findings on stored issues: from the file, from the history of photos, and again when more is known."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from patrol.demo.pictures import draw_photo
from patrol.foundation import clock, worker
from tests.evidence.material import exif, jpeg, scene
from tests.issues.conftest import HERE, THERE, report, step, taken

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
    """Return the codes but that nothing tells when or where: few of the photos here say both."""
    return sorted(row["code"] for row in found if not row["code"].endswith("_untold"))


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


def moment(hours=0.0, position=(29.6, 119.81)):
    """Return the Exif data of a photo taken so many hours from now."""
    at = clock.now() + timedelta(hours=hours)
    return exif(taken=f"{at:%Y:%m:%d %H:%M:%S}", offset="+00:00", position=position, fixed=None)


def rectified(valley, issue, *files, **body):
    return taken(valley.chief_client, issue, "rectify", note="好了", files=files, **body)


@pytest.mark.parametrize("how", ["as it is", "saved anew", "rescaled", "without its data"])
def test_the_before_photo_again_as_after_photo(valley, how):
    before = jpeg(scene(3), exif=moment(-0.01))
    copies = {"as it is": before, "saved anew": jpeg(scene(3), quality=60, exif=moment(1)), "without its data": jpeg(scene(3), exif=None, quality=80),
              "rescaled": jpeg(scene(3).resize((480, 360)), exif=moment(1))}  # fmt: skip
    issue = report_with(valley.chief_client, before)
    found = codes(findings_on(valley.office_client, rectified(valley, issue, copies[how])))
    assert found == ["after_photo_early", "after_photo_same"][how != "as it is":]


@pytest.mark.parametrize(("kind", "seed"), [("floating_litter", 1), ("algae", 1)])
def test_an_honest_pair_from_one_spot_is_not_accused(valley, kind, seed):
    place = {"latitude": 29.6, "longitude": 119.81}
    before, after = (draw_photo(kind, seed, recorded_at=clock.now() + timedelta(hours=hours), phase=phase, **place)
                     for phase, hours in (("before", 0), ("after", 1)))  # fmt: skip
    issue = report_with(valley.chief_client, before)
    assert findings_on(valley.office_client, rectified(valley, issue, after)) == []


def test_the_same_after_photo_again_after_a_return(valley):
    after = jpeg(scene(4), exif=moment(1))
    issue = rectified(valley, report_with(valley.chief_client, jpeg(scene(3), exif=moment())), after)
    assert findings_on(valley.office_client, issue) == []
    issue = taken(valley.supervisor_client, issue, "return", reason="岸边还有")
    assert codes(findings_on(valley.office_client, rectified(valley, issue, after))) == ["after_photo_same"]


def test_an_after_photo_from_before_the_return(valley):
    issue = rectified(valley, report(valley.patroller_client), jpeg(scene(4), exif=moment(1)))
    later = clock.now() + timedelta(hours=5)
    with clock.moved_clock(lambda: later):
        issue = taken(valley.supervisor_client, issue, "return", reason="岸边还有")
        early, fresh = jpeg(scene(5), exif=moment(-1)), jpeg(scene(6), exif=moment(1))
        [found] = findings_on(valley.office_client, rectified(valley, issue, early, fresh))
    assert (found["code"], found["evidence"]["since_is"]) == ("after_photo_early", "return")


def test_an_after_photo_of_an_earlier_round_stays_what_it_was(valley):
    """A second dispatch does not make the first cure's photo one from before it."""
    issue = rectified(valley, report(valley.patroller_client), jpeg(scene(4), exif=moment(1)))
    later = clock.now() + timedelta(days=2)
    with clock.moved_clock(lambda: later):
        issue = taken(valley.office_client, taken(valley.supervisor_client, issue, "verify"), "close")
        issue = taken(valley.office_client, taken(valley.supervisor_client, issue, "reopen", reason="反弹"), "dispatch")
        issue = rectified(valley, issue, jpeg(scene(5), exif=moment(1)))
        assert findings_on(valley.office_client, issue) == []


def test_a_photo_of_an_old_check_in_as_after_photo(valley):
    old = jpeg(scene(7), exif=None)
    sent = valley.chief_client.post("check-ins", data={
        **{name: str(value) for name, value in HERE.items()}, "recorded_at": clock.now().isoformat(), "photos": (io.BytesIO(old), "a.jpg")})  # fmt: skip
    assert sent.status_code == 201, sent.json
    issue = report(valley.patroller_client)
    by_file, untold = findings_on(valley.office_client, rectified(valley, issue, old))
    assert (untold["code"], untold["severity"]) == ("after_photo_untold", "info")
    assert (by_file["code"], by_file["severity"]) == ("after_photo_known", "serious")
    other = report(valley.patroller_client, description="另一处")
    reply = taken(valley.chief_client, other, "rectify", note="好了", photo_ids=[sent.json["photos"][0]["id"]])
    assert codes(findings_on(valley.office_client, reply)) == ["after_photo_early", "photo_reused"]


def test_what_the_device_said_counts_where_the_file_is_silent(valley):
    hour = timedelta(hours=1)
    for at, latitude, wanted in (
        (clock.now() - hour, 29.6, ["after_photo_early"]), (clock.now() + hour, 29.6 + 139 / 111_000, ["photo_far"]), (clock.now() + hour, 29.6, []),
    ):  # fmt: skip
        issue = report(valley.patroller_client, description=str(at))
        data = {"file": (io.BytesIO(jpeg(scene(int(at.timestamp()) + int(latitude * 1e6)), exif=None)), "a.jpg"), "recorded_at": at.isoformat(),
                "latitude": str(latitude), "longitude": "119.81"}  # fmt: skip
        photo = valley.chief_client.post("photos", data=data).json["id"]
        done = taken(valley.chief_client, issue, "rectify", note="好了", photo_ids=[photo])
        found = findings_on(valley.office_client, done)
        assert codes(found) == wanted
        assert all(row["evidence"]["by"] == "device" for row in found)


def test_a_tiny_or_a_black_picture_proves_nothing(valley):
    black = Image.effect_noise((640, 480), 4).point(lambda value: max(0, value - 126))
    issue = rectified(valley, report(valley.patroller_client), jpeg(scene(1, (120, 90)), exif=None), jpeg(black.convert("RGB"), exif=None))
    found = findings_on(valley.office_client, issue)
    assert codes(found) == ["photo_blank", "photo_tiny"]
    assert [row["code"] for row in found].count("after_photo_untold") == 2


def test_only_a_photo_from_before_is_the_other_half_of_a_pair(valley):
    issue = taken(valley.chief_client, report_with(valley.patroller_client, jpeg(scene(11)), jpeg(scene(12))), "start")
    issue = taken(valley.chief_client, issue, "progress", note="到场", files=[jpeg(scene(51), exif=None)])
    during = next(photo["id"] for photo in issue["photos"] if photo["kind"] == "during")
    refused = step(valley.chief_client, issue, "rectify", note="好", files=[jpeg(scene(52), exif=None)], before_photo_id=during)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["before_photo_id"])


def test_a_cure_is_tied_to_the_photo_from_before(valley):
    single = rectified(valley, report_with(valley.chief_client, jpeg(scene(11), exif=moment())), jpeg(scene(13), exif=moment(1)))
    before, after = single["photos"]
    assert after["before_photo_id"] == before["id"], "there is only one that it can be tied to"


def test_a_cure_is_tied_to_the_chosen_one_of_several_photos(valley):
    one, two = (jpeg(scene(seed), exif=moment()) for seed in (14, 12))
    several = report_with(valley.chief_client, one, two)
    chosen = several["photos"][1]["id"]
    untied = rectified(valley, several, jpeg(scene(15), exif=moment(1)))
    [found] = findings_on(valley.office_client, untied)
    assert (found["code"], found["severity"]) == ("after_photo_unpaired", "info")
    untied = taken(valley.supervisor_client, untied, "return", reason="岸边还有")
    tied = rectified(valley, untied, jpeg(scene(16), exif=moment(1)), before_photo_id=chosen)
    assert codes(findings_on(valley.office_client, tied)) == ["after_photo_unpaired"], "the second is tied, the first stays"


def test_who_found_the_trouble_may_mend_it_before_the_report_arrives(valley):
    seen = clock.now() - timedelta(hours=2)
    issue = report(valley.chief_client, recorded_at=seen.isoformat())
    assert findings_on(valley.office_client, rectified(valley, issue, jpeg(scene(4), exif=moment(-1)))) == []
    other = report(valley.patroller_client, recorded_at=seen.isoformat(), description="另一处")
    assert codes(findings_on(valley.office_client, rectified(valley, other, jpeg(scene(5), exif=moment(-1))))) == ["after_photo_early"]


def test_a_photo_used_on_another_issue(valley):
    photo = jpeg(scene(4))
    first = report_with(valley.chief_client, photo)
    second = report_with(valley.other_chief_client, photo, latitude=str(THERE["latitude"]))
    [found] = [row for row in findings_on(valley.office_client, second) if row["code"] == "photo_reused"]
    assert (found["code"], found["evidence"]["issue"], found["evidence"]["bits"]) == ("photo_reused", first["number"], 0)


def test_a_photo_of_a_charge_is_not_named_elsewhere(valley):
    photo, other = jpeg(scene(4)), jpeg(scene(5))
    charge = report_with(valley.patroller_client, photo, category="F3")
    issue = report_with(valley.patroller_client, photo)
    assert "photo_reused" not in codes(findings_on(valley.office_client, issue))
    assert "photo_reused" in codes(findings_on(valley.office_client, charge))
    later = report_with(valley.patroller_client, other, severity="serious")
    beside = report_with(valley.patroller_client, other)
    assert "photo_reused" in codes(findings_on(valley.office_client, beside))
    taken(valley.office_client, later, "accept", category="F2")
    assert "photo_reused" not in codes(findings_on(valley.office_client, beside))


def test_different_photos_of_one_hand_are_fine(valley):
    report_with(valley.chief_client, jpeg(scene(5)))
    found = findings_on(valley.office_client, report_with(valley.chief_client, jpeg(scene(6))))
    assert "photo_reused" not in codes(found)


def test_doubts_about_the_report_itself_are_there_at_once(valley):
    ahead = (clock.now() + timedelta(days=400)).isoformat()
    issue = report(valley.chief_client, recorded_at=ahead, accuracy_m=300)
    assert codes(issue["findings"]) == ["clock_off", "poor_accuracy"]

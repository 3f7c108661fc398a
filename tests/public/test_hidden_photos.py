"""One photo that the office takes from the public: it vanishes everywhere at once, stays for the staff, and can be shown again."""

from uuid import UUID

import pytest
from sqlalchemy import update

from patrol.foundation import worker
from patrol.foundation.database import db
from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.transaction import transaction
from patrol.issues.history import broken_chains, fault_of
from patrol.issues.models import Issue, IssuePhoto
from tests.evidence.camera import camera_jpeg
from tests.public.conftest import HERE, photo_form

REASON = "照片拍到了路人的脸"


@pytest.fixture
def complaint(complain, place):
    sent = complain(photos=[camera_jpeg(1), camera_jpeg(2)]).json
    worker.deliver_due()
    return sent


@pytest.fixture
def issue(complaint, issue_of):
    return issue_of(complaint)


@pytest.fixture
def office(signed_in, place):
    return signed_in(place.town_office)


@pytest.fixture
def turn(office):
    """Return a function that hides a photo of an issue, or shows it again."""

    def send(issue, photo_id, verb="hide", client=office, version="*", reason=REASON):
        return client.post(f"issues/{issue.id}/photos/{photo_id}/{verb}", json={"reason": reason}, headers={"If-Match": version})

    return send


@pytest.fixture
def public(anyone, complaint, issue):
    """Return a function that gives the ids of the issue's photos wherever everybody, or the holder of a code, finds one."""

    def look(code=complaint["tracking_code"]):
        progress = [photo["id"] for photo in anyone.get(f"public/complaints/{code}").json["photos"]]
        [suggested] = anyone.get("public/nearby", query_string={**HERE, "category": "C1"}).json["items"]
        [asked] = anyone.get(f"/open311/v2/requests/{issue.number}.json").json
        page = anyone.get(f"/t/{code}").text
        return {
            "progress": progress, "nearby": [photo["screen"].split("/")[-2] for photo in suggested["photos"]],
            "open311": asked["media_url"] and asked["media_url"].split("/")[-2], "page": [photo_id for photo_id in progress if photo_id in page],
        }

    return look


def addresses(issue, code, photo_id):
    return [
        *(f"public/complaints/{code}/photos/{photo_id}/{size}" for size in ("thumb", "screen")),
        *(f"public/issues/{issue.number}/photos/{photo_id}/{size}" for size in ("thumb", "screen")), f"/t/{code}?photo={photo_id}",
    ]


def test_a_hidden_photo_vanishes_from_everything_public_and_comes_back(anyone, office, complaint, issue, turn, public):
    code = complaint["tracking_code"]
    first, second = [photo["id"] for photo in office.get(f"issues/{issue.id}").json["photos"]]
    assert public() == {"progress": [first, second], "nearby": [first, second], "open311": first, "page": [first, second]}
    assert [anyone.get(path).status_code for path in addresses(issue, code, first)] == [200] * 5
    hidden = turn(issue, first)
    assert hidden.status_code == 200, hidden.json
    assert [(photo["id"], photo["hidden"]) for photo in hidden.json["photos"]] == [(first, True), (second, False)]
    assert public() == {"progress": [second], "nearby": [second], "open311": second, "page": [second]}
    assert [anyone.get(path).status_code for path in addresses(issue, code, first)] == [404] * 5
    assert first not in anyone.get(f"/t/{code}").text
    # For the staff it is there as before, in lists too.
    [listed] = office.get("issues").json["items"]
    assert [photo["hidden"] for photo in listed["photos"]] == [True, False]
    assert [office.get(f"photos/{first}/{size}").status_code for size in ("thumb", "screen", "original")] == [200] * 3
    shown = turn(issue, first, "show", reason="已打码核对")
    assert [photo["hidden"] for photo in shown.json["photos"]] == [False, False]
    assert public()["progress"] == [first, second]
    assert [anyone.get(path).status_code for path in addresses(issue, code, first)] == [200] * 5


def test_hiding_stands_in_the_history_and_is_proved_by_it(office, issue, turn):
    photo_id = office.get(f"issues/{issue.id}").json["photos"][0]["id"]
    version, state = office.get(f"issues/{issue.id}").json["version"], issue.state
    assert turn(issue, photo_id, version=f'"{version}"').headers["ETag"] == f'"{version + 1}"'
    last = office.get(f"issues/{issue.id}/history").json["items"][-1]
    assert (last["verb"], last["name"], last["reason"], last["actor"]["name"]) == ("hide_photo", "照片不再公开", REASON, "孙干事")
    assert (last["from_state"], last["to_state"], last["changes"]) == (state, state, {"photo": {"from": None, "to": photo_id}})
    assert turn(issue, photo_id, "show").status_code == turn(issue, photo_id).status_code == 200
    issue_id = issue.id
    assert list(broken_chains()) == [None]
    with transaction():
        db.session.execute(update(IssuePhoto).where(IssuePhoto.issue_id == issue_id).values(hidden_seq=None))
    assert fault_of(db.session.get_one(Issue, issue_id, populate_existing=True)) is not None


def test_the_complainant_reads_that_a_photo_is_not_shown_but_not_why(anyone, office, complaint, issue, turn):
    photo_id = office.get(f"issues/{issue.id}").json["photos"][0]["id"]
    turn(issue, photo_id)
    progress = anyone.get(f"public/complaints/{complaint['tracking_code']}")
    assert progress.json["steps"][-1]["text"] == "有一张照片不再公开显示。"
    assert REASON not in progress.text
    turn(issue, photo_id, "show")
    assert anyone.get(f"public/complaints/{complaint['tracking_code']}").json["steps"][-1]["text"] == "一张曾不公开的照片已重新显示。"


def test_what_a_complainant_adds_and_what_was_merged_can_be_hidden_too(anyone, complain, office, complaint, issue, issue_of, turn, step, place):
    code = complaint["tracking_code"]
    anyone.post(f"public/complaints/{code}/photos", data=photo_form(5))
    other = complain(photos=[camera_jpeg(6)]).json
    worker.deliver_due()
    merged = issue_of(other)
    step(merged.id, "merge", place.office, into=issue.id, reason="同一处")
    anyone.post(f"public/complaints/{other['tracking_code']}/photos", data=photo_form(7))
    worker.deliver_due()
    for found in (issue, merged):
        photos = office.get(f"issues/{found.id}").json["photos"]
        assert photos
        for photo in photos:
            assert turn(found, photo["id"]).status_code == 200
            assert {anyone.get(path).status_code for each in (code, other["tracking_code"]) for path in addresses(found, each, photo["id"])} == {404}
    assert [anyone.get(f"public/complaints/{each}").json["photos"] for each in (code, other["tracking_code"])] == [[], []]


def test_a_photo_on_the_own_issue_and_on_the_original_is_hidden_when_it_is_on_either(anyone, complain, office, complaint, issue, issue_of, turn, step, place):
    other = complain(photos=[camera_jpeg(6)]).json
    worker.deliver_due()
    merged, code = issue_of(other), other["tracking_code"]
    photo_id = office.get(f"issues/{merged.id}").json["photos"][0]["id"]
    issue_id, merged_id = issue.id, merged.id
    step(merged_id, "merge", place.office, into=issue_id, reason="同一处")
    with transaction():
        db.session.add(IssuePhoto(issue_id=issue_id, photo_id=UUID(photo_id), kind="before", seq=1, position=9))

    def seen():
        photos = [photo["id"] for photo in anyone.get(f"public/complaints/{code}").json["photos"]]
        return anyone.get(f"public/complaints/{code}/photos/{photo_id}/screen").status_code, photo_id in photos

    assert seen() == (200, True)
    for hidden_on in (issue_id, merged_id):
        with transaction():
            db.session.execute(update(IssuePhoto).where(IssuePhoto.photo_id == UUID(photo_id), IssuePhoto.issue_id == hidden_on).values(hidden_seq=2))
        assert seen() == (404, False)
        with transaction():
            db.session.execute(update(IssuePhoto).values(hidden_seq=None))
    assert seen() == (200, True)


def test_a_proof_of_the_cure_is_hidden_from_updates_too(anyone, office, issue, turn, cure):
    cure(issue.id)
    worker.deliver_due()
    proof = office.get(f"issues/{issue.id}").json["photos"][-1]
    assert proof["kind"] == "after"

    def told():
        return [row["media_url"] for row in anyone.get("/open311/v2/servicerequestupdates.json").json if row["media_url"]]

    assert [proof["id"] in address for address in told()] == [True]
    assert turn(issue, proof["id"]).status_code == 200
    assert told() == []


def test_the_same_file_sent_again_does_not_come_back(anyone, office, complaint, issue, turn, public):
    first = office.get(f"issues/{issue.id}").json["photos"][0]["id"]
    turn(issue, first)
    anyone.post(f"public/complaints/{complaint['tracking_code']}/photos", data=photo_form(1))
    worker.deliver_due()
    assert len(public()["progress"]) == 1


def test_who_may_hide_and_what_is_refused(office, issue, turn, signed_in, place, build):
    photo_id = office.get(f"issues/{issue.id}").json["photos"][0]["id"]
    elsewhere = build.region(name="石桥镇")
    for person, status in ((place.chief, 403), (build.person("supervisor"), 403), (build.person("office", region=elsewhere), 404)):
        assert turn(issue, photo_id, client=signed_in(person)).status_code == status
    assert turn(issue, photo_id, version='"1"').status_code == 412
    assert office.post(f"issues/{issue.id}/photos/{photo_id}/hide", json={"reason": REASON}).status_code == 428
    assert turn(issue, photo_id, reason=" ").status_code == 422
    assert turn(issue, photo_id, "show").status_code == 409
    assert turn(issue, place.chief.id).status_code == 404
    assert turn(issue, photo_id).status_code == 200
    again = turn(issue, photo_id)
    assert (again.status_code, again.json["detail"]) == (409, "这张照片已不公开")


def test_a_public_picture_is_asked_for_anew_each_time_and_costs_nothing_when_it_stays(anyone, office, complaint, issue, turn):
    photo_id = office.get(f"issues/{issue.id}").json["photos"][0]["id"]
    path = addresses(issue, complaint["tracking_code"], photo_id)[3]
    first = anyone.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = anyone.get(path, headers=known)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    turn(issue, photo_id)
    assert anyone.get(path, headers=known).status_code == 404


class TestAfterALook:
    """`XUNHE_PUBLIC_PHOTOS=after_a_look`: accepted by the rules is not looked at."""

    @pytest.fixture(autouse=True)
    def after_a_look(self, monkeypatch, test_settings):
        monkeypatch.setitem(test_settings._values, "public_photos", "after_a_look")

    def test_others_see_it_once_somebody_did_something_and_its_sender_at_once(self, anyone, issue, complaint, public, step, place):
        assert issue.state == "dispatched"
        code = complaint["tracking_code"]
        follower = anyone.post(f"public/issues/{issue.number}/follow", json={}).json["tracking_code"]
        found = public()
        assert (len(found["progress"]), len(found["page"]), found["nearby"], found["open311"]) == (2, 2, [], None)
        assert anyone.get(f"public/complaints/{follower}").json["photos"] == []
        paths = addresses(issue, code, found["progress"][0])
        others = addresses(issue, follower, found["progress"][0])
        assert [anyone.get(path).status_code for path in paths] == [200, 200, 404, 404, 200]
        assert [anyone.get(path).status_code for path in others] == [404] * 5
        step(issue.id, "start", place.chief)
        assert len(public()["nearby"]) == len(anyone.get(f"public/complaints/{follower}").json["photos"]) == 2
        assert [anyone.get(path).status_code for path in (*paths, *others)] == [200] * 10

    def test_what_is_added_later_waits_again(self, anyone, issue, complaint, public, step, place):
        step(issue.id, "start", place.chief)
        anyone.post(f"public/complaints/{complaint['tracking_code']}/photos", data=photo_form(5))
        worker.deliver_due()
        found = public()
        assert (len(found["progress"]), len(found["nearby"])) == (3, 2)
        new = next(photo for photo in found["progress"] if photo not in found["nearby"])
        assert anyone.get(addresses(issue, complaint["tracking_code"], new)[0]).status_code == 200
        step(issue.id, "progress", place.chief, note="清理中")
        assert len(public()["nearby"]) == 3

    def test_what_the_staff_report_waits_for_nobody(self, anyone, signed_in, place):
        chief = signed_in(place.chief)
        photo_id = chief.post("photos", data={"file": photo_form(3)["photos"][0]}).json["id"]
        number = chief.post("issues", json={"category": "C1", "description": "垃圾", **HERE, "photo_ids": [photo_id]}).json["number"]
        worker.deliver_due()
        assert anyone.get(f"public/issues/{number}/photos/{photo_id}/thumb").status_code == 200


def test_the_setting_is_read_strictly():
    with pytest.raises(UnusableSetting, match="XUNHE_PUBLIC_PHOTOS"):
        Settings({"XUNHE_ENV": "test", "XUNHE_PUBLIC_PHOTOS": "never"})


class TestTheSameFile:
    """Hidden on one issue, a file is hidden on all that is merged with it, whoever sends it again."""

    def photos(self, office, issue):
        return office.get(f"issues/{issue.id}").json["photos"]

    def test_it_stays_hidden_when_it_comes_with_not_fixed(self, anyone, office, complaint, issue, turn, public, cure):
        code = complaint["tracking_code"]
        for photo in self.photos(office, issue):
            turn(issue, photo["id"])
        cure(issue.id)
        assert anyone.post(f"public/complaints/{code}/not-fixed", data={"reason": "还在", **photo_form(1)}).status_code in {200, 201}
        worker.deliver_due()
        [again] = [photo for photo in self.photos(office, issue) if photo["kind"] == "other"]
        assert again["hidden"]
        assert again["id"] not in public()["progress"]
        assert {anyone.get(path).status_code for path in addresses(issue, code, again["id"])} == {404}
        last = office.get(f"issues/{issue.id}/history").json["items"][-1]
        assert (last["verb"], last["rule"], last["reason"], last["actor"]) == ("hide_photo", "same_file_hidden", None, None)
        assert [found for found in broken_chains() if found] == []

    def test_it_is_hidden_on_all_that_is_merged_and_shown_so_again(self, anyone, complain, office, complaint, issue, issue_of, turn, step, place):
        others = [complain(photos=[camera_jpeg(1), camera_jpeg(seed)]).json for seed in (6, 7)]
        worker.deliver_due()
        merged = [issue_of(other) for other in others]
        for one in merged:
            step(one.id, "merge", place.office, into=issue.id, reason="同一处")
        first = self.photos(office, merged[0])[0]["id"]
        assert turn(merged[0], first).status_code == 200
        for one, sent in zip((issue, *merged), (complaint, *others), strict=True):
            same, own = self.photos(office, one)
            assert (same["hidden"], own["hidden"]) == (True, False)
            assert {anyone.get(path).status_code for path in addresses(one, sent["tracking_code"], same["id"])} == {404}
        assert turn(issue, self.photos(office, issue)[0]["id"], "show").status_code == 200
        assert not any(photo["hidden"] for one in (issue, *merged) for photo in self.photos(office, one))
        assert [found for found in broken_chains() if found] == []

    @pytest.mark.parametrize("hidden_on", ["original", "duplicate"])
    def test_it_is_hidden_when_what_shows_it_is_merged_later(self, complain, office, issue, issue_of, turn, step, place, hidden_on):
        other = issue_of(complain(photos=[camera_jpeg(1)]).json)
        worker.deliver_due()
        here = issue if hidden_on == "original" else other
        turn(here, self.photos(office, here)[0]["id"])
        step(other.id, "merge", place.office, into=issue.id, reason="同一处")
        assert [self.photos(office, one)[0]["hidden"] for one in (issue, other)] == [True, True]
        step(other.id, "unmerge", place.office, reason="两处")
        assert [self.photos(office, one)[0]["hidden"] for one in (issue, other)] == [True, True]

    def test_it_is_hidden_when_a_complainant_of_a_duplicate_adds_it(self, anyone, complain, office, issue, issue_of, turn, step, place):
        sent = complain(photos=[camera_jpeg(6)]).json
        worker.deliver_due()
        other = issue_of(sent)
        step(other.id, "merge", place.office, into=issue.id, reason="同一处")
        turn(other, self.photos(office, other)[0]["id"])
        anyone.post(f"public/complaints/{sent['tracking_code']}/photos", data=photo_form(6))
        assert self.photos(office, issue)[-1]["hidden"]

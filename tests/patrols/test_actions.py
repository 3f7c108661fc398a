"""What a patrol may set out to walk and for whom, and whether the photos that arrive are those announced."""

import hashlib
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.models import CheckIn, Patrol
from patrol.waters.models import Reach
from tests.evidence.camera import camera_jpeg

AT = "2026-11-20T08:30:00+08:00"
JPEG = camera_jpeg()
SHA256, OTHER_SHA256 = hashlib.sha256(JPEG).hexdigest(), hashlib.sha256(camera_jpeg(2)).hexdigest()


@pytest.fixture
def town(build):
    return build.region(level="township")


@pytest.fixture
def person(build, town):
    return build.person("chief", region=town)


@pytest.fixture
def chief(person, signed_in):
    return signed_in(person)


@pytest.fixture
def stranger(build, signed_in):
    return signed_in(build.person("chief", region=build.region()))


def begin(client, *reaches, **changes):
    return client.put(f"patrols/{uuid4()}", json={
        "reach_ids": [str(reach.id) for reach in reaches], "mode": "walk", "started_at": AT, **changes})


def send_photo(client, photo_id, data=JPEG):
    return client.put(f"photos/{photo_id}", data=data, headers={"Content-Type": "image/jpeg"})


def check_in(client, *photos, check_in_id=None):
    return client.put(f"check-ins/{check_in_id or uuid4()}", json={
        "latitude": 29.6, "longitude": 119.81, "recorded_at": AT, "photos": list(photos)})


def test_a_patrol_counts_in_the_region_of_the_reach_named_first(build, chief, town):
    regions = [build.region(town, level="village") for _ in range(3)]
    reaches = [build.reach(region=region) for region in regions]
    for first in (2, 0, 1):
        named = [reaches[first], *(reach for reach in reaches if reach is not reaches[first])]
        reply = begin(chief, *named, named[0])
        assert reply.status_code == 201, reply.json
        assert [reach["code"] for reach in reply.json["reaches"]] == sorted(reach.code for reach in reaches)
        patrol = db.session.scalar(db.select(Patrol).order_by(Patrol.received_at.desc()).limit(1))
        assert patrol.region_id == regions[first].id


def test_retired_and_unseen_reaches_cannot_be_walked(build, chief, person, town):
    own, retired, foreign = build.reach(region=town), build.reach(region=town), build.reach(region=build.region())
    with transaction():
        db.session.get(Reach, retired.id).retired_at = clock.now()
    for reach in (retired, foreign):
        reply = begin(chief, own, reach)
        assert reply.status_code == 422
        assert str(reach.id) in reply.json["errors"]["reach_ids"][0]
        assert str(own.id) not in reply.json["errors"]["reach_ids"][0]
    build.appointment(foreign, person)
    assert begin(chief, own, foreign).status_code == 201


def delegate(client, principal, deputy, **changes):
    return client.put(f"delegations/{uuid4()}", json={
        "principal_id": str(principal.id), "deputy_id": str(deputy.id), "valid_from": "2026-11-01", "valid_to": "2026-11-30",
        "reason": "外出培训", **changes})


def test_one_patrols_on_behalf_of_somebody_by_a_delegation_only(build, chief, person, town, signed_in):
    reach = build.reach(region=town)
    principal = build.person("chief", region=town)
    for somebody in (person.id, principal.id, uuid4()):
        reply = begin(chief, reach, on_behalf_of=str(somebody))
        assert reply.status_code == 422, somebody
        assert "on_behalf_of" in reply.json["errors"]
    made = delegate(signed_in(principal), principal, person).json
    reply = begin(chief, reach, on_behalf_of=str(principal.id))
    assert reply.status_code == 201
    assert reply.json["on_behalf_of"] == str(principal.id)
    assert reply.json["delegation"] == {name: made[name] for name in ("id", "valid_from", "valid_to", "reason")}
    assert chief.get(f"patrols/{reply.json['id']}").json["delegation"] == reply.json["delegation"]
    assert begin(chief, reach).json["delegation"] is None


@pytest.mark.parametrize(("started_at", "status"), [
    ("2026-10-31T23:59:59+08:00", 422), ("2026-10-31T16:00:00Z", 201), ("2026-11-30T15:59:59Z", 201), ("2026-11-30T16:00:00Z", 422)])
def test_a_delegation_holds_on_local_days(build, chief, person, town, signed_in, started_at, status):
    principal = build.person("chief", region=town)
    delegate(signed_in(principal), principal, person)
    reply = begin(chief, build.reach(region=town), on_behalf_of=str(principal.id), started_at=started_at)
    assert reply.status_code == status


def test_a_delegation_for_some_reaches_covers_no_others(build, chief, person, town, signed_in):
    principal = build.person("chief", region=town)
    named, other = build.reach(region=town), build.reach(region=town)
    build.appointment(named, principal)
    assert delegate(signed_in(principal), principal, person, reach_ids=[str(named.id)]).status_code == 201
    assert begin(chief, named, on_behalf_of=str(principal.id)).status_code == 201
    assert begin(chief, named, other, on_behalf_of=str(principal.id)).status_code == 422


def test_a_deputy_walks_reaches_that_he_would_not_see(build, town, signed_in):
    principal, reach = build.person("chief", region=town), build.reach(region=town, level="township")
    deputy = build.person("patroller", region=build.region(town, level="village"))
    build.appointment(reach, principal, valid_to=date(2026, 11, 20))
    client = signed_in(deputy)
    delegate(signed_in(principal), principal, deputy)
    assert begin(client, reach).status_code == 422
    reply = begin(client, reach, on_behalf_of=str(principal.id))
    assert reply.status_code == 201, reply.json
    assert client.get(f"patrols/{reply.json['id']}").status_code == 200
    assert begin(client, reach, on_behalf_of=str(principal.id), started_at="2026-11-21T08:30:00+08:00").status_code == 422


def test_a_revoked_delegation_covers_what_was_begun_before(build, chief, person, town, signed_in):
    principal, reach = build.person("chief", region=town), build.reach(region=town)
    client, moment = signed_in(principal), datetime(2026, 11, 20, 4, tzinfo=UTC)
    made = delegate(client, principal, person)
    with clock.moved_clock(lambda: moment):
        revoked = client.post(f"delegations/{made.json['id']}/revoke", headers={"If-Match": made.headers["ETag"]})
        assert revoked.status_code == 200, revoked.json
    assert begin(chief, reach, on_behalf_of=str(principal.id), started_at="2026-11-20T11:59:00+08:00").status_code == 201
    assert begin(chief, reach, on_behalf_of=str(principal.id), started_at="2026-11-20T12:00:00+08:00").status_code == 422


def test_a_check_in_that_announces_other_bytes_than_arrived_is_refused(chief):
    photo_id = str(uuid4())
    send_photo(chief, photo_id)
    reply = check_in(chief, {"id": photo_id, "sha256": OTHER_SHA256})
    assert reply.status_code == 422
    [fault] = reply.json["errors"]["photos"]
    assert all(part in fault for part in (photo_id, SHA256, OTHER_SHA256))
    assert (reply.json["digest_stored"], reply.json["digest_sent"]) == (SHA256, OTHER_SHA256)
    assert db.session.query(CheckIn).count() == 0
    fitting = check_in(chief, {"id": photo_id, "sha256": SHA256})
    assert fitting.status_code == 201
    assert fitting.json["receipt"]["missing"] == []


def test_a_photo_other_than_the_one_announced_is_refused(chief):
    photo_id = str(uuid4())
    check_in(chief, {"id": photo_id, "sha256": OTHER_SHA256})
    reply = send_photo(chief, photo_id)
    assert reply.status_code == 409
    assert (reply.json["digest_stored"], reply.json["digest_sent"]) == (OTHER_SHA256, SHA256)
    assert db.session.query(Photo).count() == 0
    assert send_photo(chief, photo_id, camera_jpeg(2)).status_code == 201


def test_what_somebody_else_sent_under_an_announced_id_is_missing_and_named(chief, stranger):
    first, photo_id, check_in_id = str(uuid4()), str(uuid4()), uuid4()
    photos = [{"id": first}, {"id": photo_id, "sha256": SHA256}]
    send_photo(chief, first)
    assert check_in(chief, *photos, check_in_id=check_in_id).json["receipt"]["quarantined"] == []
    assert send_photo(stranger, photo_id).status_code == 201
    shown = check_in(chief, *photos, check_in_id=check_in_id).json
    assert [photo["arrived"] for photo in shown["photos"]] == [True, False]
    assert shown["receipt"]["missing"] == [photo_id]
    [aside] = shown["receipt"]["quarantined"]
    assert (aside["index"], aside["photo_id"]) == (1, photo_id)
    assert aside["reason"]


def test_other_bytes_that_slipped_in_under_an_announced_id_are_missing(chief):
    """A photo and its check-in may be stored at the same moment, neither seeing the other."""
    photo_id, check_in_id = str(uuid4()), uuid4()
    announced = {"id": photo_id, "sha256": SHA256}
    check_in(chief, announced, check_in_id=check_in_id)
    send_photo(chief, photo_id)
    with transaction():
        db.session.query(Photo).update({"sha256": OTHER_SHA256})
    receipt = check_in(chief, announced, check_in_id=check_in_id).json["receipt"]
    assert receipt["missing"] == [photo_id] == [row["photo_id"] for row in receipt["quarantined"]]


def test_a_long_patrol_says_where_its_check_ins_go_on(build, chief, person, town):
    patrol_id, reach = uuid4(), build.reach(region=town)
    chief.put(f"patrols/{patrol_id}", json={"reach_ids": [str(reach.id)], "mode": "walk", "started_at": AT})

    def add(count):
        with transaction():
            db.session.add_all(CheckIn(
                id=uuid4(), patrol_id=patrol_id, person_id=person.id, region_id=town.id, recorded_at=clock.now(), received_at=clock.now(),
                latitude=29.6, longitude=119.8, raw_latitude=29.6, raw_longitude=119.8, datum="wgs84", checklist={}, digest="0" * 64,
            ) for _ in range(count))

    add(200)
    assert chief.get(f"patrols/{patrol_id}").json["check_ins_next"] is None
    add(1)
    shown = chief.get(f"patrols/{patrol_id}").json
    following = chief.get("check-ins", query_string={"patrol": str(patrol_id), "cursor": shown["check_ins_next"]}).json
    assert len(following["items"]) == 1
    assert len({row["id"] for row in [*shown["check_ins"], *following["items"]]}) == 201

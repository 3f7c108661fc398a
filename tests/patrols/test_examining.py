"""When a patrol is examined, what goes into it, and that the same input writes nothing."""

import io
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import selectinload

from patrol.evidence.events import PhotoDerived
from patrol.evidence.likeness import bands_of
from patrol.evidence.models import LikenessBand, Photo
from patrol.foundation import clock, events
from patrol.foundation.database import db
from patrol.foundation.geometry import Datum
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.patrols import coverage, examination_input
from patrol.patrols.examination_models import Examination, PatrolFinding
from patrol.patrols.examining import EXAMINE, examine_all, examine_patrol
from patrol.patrols.fact_queries import facts_of
from patrol.patrols.models import Patrol
from patrol.patrols.photo_sightings import shown_again
from patrol.patrols.track import Track
from patrol.patrols.track_models import TrackBatch
from patrol.patrols.window import in_ms, moment_of
from tests.evidence.camera import camera_jpeg
from tests.patrols.on_patrol import LINE, REACH, begin, finish, patrolled, points_of, send, work
from tests.patrols.walked import change_first_policy
from tests.patrols.walks import START_MS, Walker, in_datum

WALK = Walker(seed=5, sigma_m=8.0).walk(LINE)
DAY_S = 86_400.0


def day(number, seed=5):
    """A walk begun `number` days later."""
    return Walker(seed=seed, sigma_m=8.0).walk(LINE, from_s=number * DAY_S)


@pytest.fixture
def world(build):
    class World:
        village = build.region(level="village")
        reach = build.reach(REACH, region=village)
        chief = build.person("chief", region=village)
        colleague = build.person("patroller", region=village)

    return World


@pytest.fixture
def chief(world, signed_in):
    return signed_in(world.chief)


@pytest.fixture
def colleague(world, signed_in):
    return signed_in(world.colleague)


def codes(caller, patrol_id):
    return {row["code"]: row for row in caller.get(f"patrols/{patrol_id}").json["findings"]}


def examination(patrol_id):
    db.session.expire_all()
    return db.session.get(Examination, UUID(patrol_id))


def waiting():
    """Return the patrols that wait for their examination, each as often as it is put."""
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == EXAMINE, OutboxRow.delivered_at.is_(None)))
    return [row.payload["patrol_id"] for row in rows]


def check_in(caller, patrol_id, at_s=300, *, photo=None):
    """Check in where the walk was at this second of its day."""
    index = int(np.searchsorted(WALK.recorded_ms, START_MS + at_s % int(DAY_S) * 1000))
    body = {
        "patrol_id": patrol_id, "latitude": float(WALK.latitude[index]), "longitude": float(WALK.longitude[index]), "accuracy_m": 8,
        "recorded_at": moment_of(START_MS + at_s * 1000).isoformat(),
        "photos": [{"id": photo, "sha256": None}] if photo else [],
    }
    reply = caller.put(f"check-ins/{uuid4()}", json=body)
    assert reply.status_code == 201, reply.json


def upload(caller, picture, *, likeness=None, **facts):
    """Upload a picture; return its id. `likeness` stands for what the worker would reckon."""
    made = str(uuid4())
    reply = caller.post("photos", data={"id": made, "file": (io.BytesIO(picture), "a.jpg"), **facts}, content_type="multipart/form-data")
    assert reply.status_code == 201, reply.json
    if likeness:
        with transaction():
            photo = db.session.get_one(Photo, UUID(made))
            photo.likeness = likeness
            db.session.add_all(LikenessBand(band=band, sha256=photo.sha256) for band in bands_of(likeness))
    return made


def test_a_second_look_at_what_has_not_changed_asks_for_no_others(chief, world):
    """Many phones that come back at once would else ask for each other without end."""
    first, second = (patrolled(chief, world.reach, WALK) for _ in range(2))
    assert "overlap" in codes(chief, first)
    assert "overlap" in codes(chief, second)
    with transaction():
        examine_patrol({"patrol_id": second, "again": True})()
    assert waiting() == []


def test_a_patrol_that_goes_on_is_not_examined(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    send(chief, patrol_id, WALK)
    check_in(chief, patrol_id)
    assert waiting() == []
    with transaction():
        examine_patrol({"patrol_id": patrol_id})()
    assert examination(patrol_id) is None


def test_everything_that_changes_it_puts_it_once_a_transaction(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    finish(chief, patrol_id, WALK)
    assert waiting() == [patrol_id]
    work()
    parts = [WALK.at(slice(start, start + 50)) for start in (0, 50, 100)]
    items = [{"kind": "track", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "points": points_of(part)}} for part in parts]
    reply = chief.post("sync", json={"device": "phone", "items": items})
    assert {row["status"] for row in reply.json["results"]} == {"accepted"}
    assert waiting() == [patrol_id]
    work()
    for change in (lambda: check_in(chief, patrol_id), lambda: pause(chief, patrol_id)):
        change()
        assert waiting() == [patrol_id]
        work()


def pause(caller, patrol_id):
    body = {"id": str(uuid4()), "started_at": moment_of(START_MS + 60_000).isoformat(), "ended_at": moment_of(START_MS + 120_000).isoformat()}
    assert caller.post(f"patrols/{patrol_id}/pauses", json=body).status_code == 201


SILENT_S = (300, 1080)


def with_a_silence(track):
    """Return a track without its fixes of thirteen minutes."""
    at_s = (track.recorded_ms - START_MS) / 1000
    return track.at((at_s < SILENT_S[0]) | (at_s > SILENT_S[1]))


def mark_lost_signal(caller, patrol_id, first_s=SILENT_S[0] - 5, last_s=SILENT_S[1] + 5):
    body = {"id": str(uuid4()), "started_at": moment_of(START_MS + first_s * 1000).isoformat(), "cause": "no_signal",
            "ended_at": moment_of(START_MS + last_s * 1000).isoformat()}
    assert caller.post(f"patrols/{patrol_id}/pauses", json=body).status_code == 201


def test_a_late_mark_of_a_lost_signal_explains_the_gap_and_credits_nothing(chief, world):
    patrol_id = patrolled(chief, world.reach, with_a_silence(WALK))
    before = chief.get(f"patrols/{patrol_id}").json
    assert "gap" in codes(chief, patrol_id)
    assert any("lost signal" in reason for reason in in_english(chief, patrol_id)["reasons"])
    mark_lost_signal(chief, patrol_id)
    assert waiting() == [patrol_id]
    work()
    after = chief.get(f"patrols/{patrol_id}").json
    assert "gap" not in codes(chief, patrol_id)
    assert not any("lost signal" in reason for reason in in_english(chief, patrol_id)["reasons"])
    assert (after["coverage"], after["measured"], after["stale"]) == (before["coverage"], before["measured"], False)
    assert before["coverage"][0]["unobserved_m"] > 0


def in_english(caller, patrol_id):
    return caller.get(f"patrols/{patrol_id}", headers={"Accept-Language": "en"}).json


def test_a_mark_over_the_whole_patrol_takes_no_fix_out_and_covers_nothing(chief, world):
    """Who marks everything gains no metre, and loses none of what the recorder heard all the same."""
    patrol_id = patrolled(chief, world.reach, WALK.at(slice(0, len(WALK) // 2)))
    before = chief.get(f"patrols/{patrol_id}").json
    mark_lost_signal(chief, patrol_id, 0, 86_400)
    work()
    after = chief.get(f"patrols/{patrol_id}").json
    assert [after[name] for name in ("coverage", "measured", "verdict")] == [before[name] for name in ("coverage", "measured", "verdict")]


def test_a_mark_that_came_before_the_fixes_counts_as_one_that_came_after_the_end(chief, world):
    for number, before in enumerate((False, True)):
        walk = day(number, seed=20 + number)
        at_s = (walk.recorded_ms - walk.recorded_ms[0]) / 1000
        track, day_s = walk.at((at_s < SILENT_S[0]) | (at_s > SILENT_S[1])), int(number * DAY_S)
        patrol_id = begin(chief, world.reach, track)
        steps = [partial(mark_lost_signal, chief, patrol_id, SILENT_S[0] - 9 + day_s, SILENT_S[1] + 9 + day_s), partial(send, chief, patrol_id, track)]
        for step in steps if before else reversed(steps):
            step()
            if not before:
                finish(chief, patrol_id, track)
        finish(chief, patrol_id, track)
        work()
        assert "gap" not in codes(chief, patrol_id)
        assert chief.get(f"patrols/{patrol_id}").json["stale"] is False


def test_the_same_input_writes_nothing(chief, world):
    patrol_id = patrolled(chief, world.reach, WALK)
    first = examination(patrol_id)
    seen = (first.examined_at, first.input_hash)
    with clock.moved_clock(lambda: seen[0] + timedelta(hours=1)), transaction():
        examine_patrol({"patrol_id": patrol_id})()
    again = examination(patrol_id)
    assert (again.examined_at, again.input_hash) == seen


def test_the_order_and_cut_of_the_batches_do_not_matter(chief, colleague, world):
    found = []
    for caller, parts in ((chief, [WALK]), (colleague, [WALK.at(slice(150, None)), WALK.at(slice(0, 150))])):
        patrol_id = begin(caller, world.reach, WALK)
        for part in parts:
            send(caller, patrol_id, part)
        finish(caller, patrol_id, WALK)
        work()
        found.append(caller.get(f"patrols/{patrol_id}").json["coverage"])
    assert found[0] == found[1]


def test_the_digest_is_the_same_whatever_came_first(chief, world):
    """Two batches hold the same fixes: which of them keeps those depends on the order, and nothing that is found does."""
    patrol_id, found = begin(chief, world.reach, WALK), set()
    parts = {str(uuid4()): points_of(WALK.at(part)) for part in (slice(0, 60), slice(40, None))}
    for order in (list(parts), list(parts)[::-1]):
        for batch_id in order:
            assert chief.post(f"patrols/{patrol_id}/track", json={"batch_id": batch_id, "points": parts[batch_id]}).status_code == 201
        found.add(examination_input.input_of(loaded(patrol_id), timezone="Asia/Shanghai").digest)
        with transaction():
            db.session.execute(delete(TrackBatch))
    assert len(found) == 1


def test_a_batch_that_brings_nothing_new_leaves_nothing_out_of_date(chief, world):
    """The file of a day that came live, or a phone that doubts its receipts: one more delivery was looked at."""
    patrol_id = patrolled(chief, world.reach, WALK)
    before = chief.get(f"patrols/{patrol_id}").json
    send(chief, patrol_id, WALK.at(slice(40, 90)))
    work()
    after = chief.get(f"patrols/{patrol_id}").json
    assert (after["stale"], after["coverage"], after["verdict"]) == (False, before["coverage"], before["verdict"])


def test_a_check_in_ahead_of_its_receipt_stays_a_finding(chief, world):
    patrol_id, now = begin(chief, world.reach, WALK), clock.now()
    days = (in_ms(now) - START_MS) // int(DAY_S * 1000) + 1
    check_in(chief, patrol_id, days * int(DAY_S) + 300)
    finish(chief, patrol_id, WALK)
    work()
    at_first = codes(chief, patrol_id)["clock_future"]["evidence"]
    with clock.moved_clock(lambda: now + timedelta(days=3)):
        examine_all("all")
    assert codes(chief, patrol_id)["clock_future"]["evidence"] == at_first


def test_what_changed_meanwhile_is_examined_again(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    finish(chief, patrol_id, WALK)
    work()
    before = examination(patrol_id).input_hash
    send(chief, patrol_id, WALK.at(slice(0, 100)))
    write = examine_patrol({"patrol_id": patrol_id, "tries": 0})
    db.session.rollback()
    send(chief, patrol_id, WALK.at(slice(100, None)))
    with transaction():
        write()
    assert examination(patrol_id).input_hash == before
    work()
    assert chief.get(f"patrols/{patrol_id}").json["coverage"][0]["share"] > 0.95


def test_a_finding_that_is_gone_goes_and_one_that_stays_keeps_its_moment(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    send(chief, patrol_id, WALK.at(slice(0, len(WALK) // 2)))
    finish(chief, patrol_id, WALK)
    work()
    assert "short_coverage" in codes(chief, patrol_id)
    pause(chief, patrol_id)
    work()
    kept = db.session.get(PatrolFinding, (UUID(patrol_id), "short_coverage")).found_at
    assert kept < examination(patrol_id).examined_at
    send(chief, patrol_id, WALK.at(slice(len(WALK) // 2, None)))
    work()
    assert "short_coverage" not in codes(chief, patrol_id)


def test_the_same_photo_on_another_patrol_is_found_and_on_the_first_one_it_is_not(chief, colleague, world):
    picture, found = camera_jpeg(1), []
    for caller, number in ((chief, 0), (colleague, 1)):
        track = day(number, seed=number)
        patrol_id = begin(caller, world.reach, track)
        send(caller, patrol_id, track)
        check_in(caller, patrol_id, 300 + number * int(DAY_S), photo=upload(caller, picture))
        finish(caller, patrol_id, track)
        work()
        found.append(codes(caller, patrol_id))
    assert "photo_duplicate" not in found[0]
    assert found[1]["photo_duplicate"]["severity"] == "high"
    assert found[1]["photo_duplicate"]["innocent"]


@pytest.mark.parametrize("late", [False, True])
def test_a_photo_shown_again_is_found_though_what_showed_it_first_came_home_later(chief, colleague, world, late):
    """Photos go up before the queue that says what they are for: the first one's may come in the other half."""
    taken, found = upload(chief, camera_jpeg(1)), {}
    turns = [(chief, 0, taken), (colleague, 1, upload(colleague, camera_jpeg(1)))]
    for caller, number, photo in turns[::-1] if late else turns:
        track = day(number, seed=number)
        found[number] = caller, begin(caller, world.reach, track)
        check_in(caller, found[number][1], 300 + number * int(DAY_S), photo=photo)
        send(caller, found[number][1], track)
        finish(caller, found[number][1], track)
        work()
    assert ["photo_duplicate" in codes(*found[number]) for number in (0, 1)] == [False, True]
    assert not colleague.get(f"patrols/{found[1][1]}").json["stale"]


@pytest.mark.parametrize(("likeness", "is_found"), [("00ff00ff00ff000f", True), ("0f0f00ff00ff0000", False)])
def test_what_looks_like_a_photo_and_came_after_it_is_shown_again(chief, colleague, world, likeness, is_found):
    patrols = []
    for caller, number, of in ((chief, 0, "00ff00ff00ff00ff"), (colleague, 3, likeness)):
        patrols.append(begin(caller, world.reach, day(number, seed=number)))
        check_in(caller, patrols[-1], 300 + number * int(DAY_S), photo=upload(caller, camera_jpeg(number + 1), likeness=of))
    given = [examination_input.input_of(loaded(patrol_id), timezone="Asia/Shanghai") for patrol_id in patrols]
    assert shown_again(given[0].patrol, given[0].photos) == ([UUID(patrols[1])] if is_found else [])
    assert shown_again(given[1].patrol, given[1].photos) == []
    assert shown_again(given[1].patrol, []) == []


@pytest.mark.parametrize(("likeness", "is_found"), [("00ff00ff00ff00ff", True), ("00ff00ff00ff000f", True), ("00ff00ff00ff0000", False)])
def test_a_photo_that_looks_like_one_of_another_day_is_found_within_four_bits(chief, colleague, world, likeness, is_found):
    first = begin(chief, world.reach, WALK)
    check_in(chief, first, photo=upload(chief, camera_jpeg(1), likeness="00ff00ff00ff00ff"))
    later = clock.now() + timedelta(days=3)
    track = day(3, seed=9)
    with clock.moved_clock(lambda: later):
        patrol_id = begin(colleague, world.reach, track)
        check_in(colleague, patrol_id, photo=upload(colleague, camera_jpeg(2), likeness=likeness))
        found = {row["code"] for row in colleague.get(f"patrols/{patrol_id}/preview").json["findings"]}
    assert ("photo_alike" in found) is is_found


def test_one_picture_under_two_check_ins_of_a_patrol_is_found(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    for at_s in (100, 400):
        check_in(chief, patrol_id, at_s, photo=upload(chief, camera_jpeg(1)))
    found = {row["code"] for row in chief.get(f"patrols/{patrol_id}/preview").json["findings"]}
    assert "photo_duplicate" in found


@pytest.mark.parametrize(("said", "is_found"), [({"from_gallery": "true"}, True), ({"from_gallery": "false"}, False), ({}, False)])
def test_a_photo_that_the_phone_took_from_its_gallery_is_found(chief, world, said, is_found):
    patrol_id = patrolled(chief, world.reach, WALK)
    photo_id = upload(chief, camera_jpeg(1), **said)
    check_in(chief, patrol_id, photo=photo_id)
    work()
    found = codes(chief, patrol_id)
    assert ("photo_edited_or_gallery" in found) is is_found
    if is_found:
        finding = found["photo_edited_or_gallery"]
        [which] = finding["evidence"]["which"]
        assert (finding["severity"], which["photo_id"], which["from_gallery"]) == ("soft", photo_id, True)
        assert which["camera"], "what the file says of its camera stands beside it"


def test_a_check_ins_photo_on_the_issue_raised_there_is_no_doubt(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    photo_id = upload(chief, camera_jpeg(1))
    check_in(chief, patrol_id, photo=photo_id)
    reply = chief.post("issues", json={
        "category": "C1", "description": "河面漂浮垃圾", "latitude": float(WALK.latitude[60]), "longitude": float(WALK.longitude[60]),
        "recorded_at": moment_of(START_MS + 300_000).isoformat(), "patrol_id": patrol_id, "photo_ids": [photo_id]})
    assert reply.status_code == 201, reply.json
    found = {row["code"] for row in chief.get(f"patrols/{patrol_id}/preview").json["findings"]}
    assert "photo_duplicate" not in found
    assert "photo_alike" not in found


def test_a_photo_derived_later_lets_its_patrol_be_examined(chief, world):
    patrol_id = begin(chief, world.reach, WALK)
    photo_id = upload(chief, camera_jpeg(1))
    check_in(chief, patrol_id, photo=photo_id)
    finish(chief, patrol_id, WALK)
    work()
    with transaction():
        events.record(PhotoDerived(sha256=db.session.get(Photo, UUID(photo_id)).sha256))
    assert waiting() == [patrol_id]
    work()
    upload(chief, camera_jpeg(2))
    assert waiting() == []


def test_two_patrols_at_once_show_on_both(chief, world):
    first = patrolled(chief, world.reach, WALK)
    assert "overlap" not in codes(chief, first)
    second = patrolled(chief, world.reach, Walker(seed=8, sigma_m=8.0).walk(LINE))
    assert "overlap" in codes(chief, first)
    assert "overlap" in codes(chief, second)
    assert chief.get(f"patrols/{first}").json["stale"] is False


def test_a_replayed_track_is_found(chief, colleague, world):
    patrolled(chief, world.reach, WALK)
    again = patrolled(colleague, world.reach, day(2))
    assert codes(colleague, again)["replayed_track"]["severity"] == "high"
    honest = patrolled(colleague, world.reach, day(4, seed=11))
    assert "replayed_track" not in codes(colleague, honest)


def test_a_replay_is_found_though_the_copy_came_home_first(chief, world):
    """A queue may come in any order: which of the two is told depends on it, that one is does not."""
    items = []
    for number in (2, 0):
        track, patrol_id = day(number), str(uuid4())
        items += [
            {"kind": "patrol", "id": patrol_id, "data": {
                "reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": moment_of(int(track.recorded_ms[0])).isoformat()}},
            {"kind": "track", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "points": points_of(track)}},
            {"kind": "finish", "id": patrol_id, "data": {"ended_at": moment_of(int(track.recorded_ms[-1])).isoformat()}},
        ]
    results = chief.post("sync", json={"device": "phone", "items": items}).json["results"]
    assert {row["status"] for row in results} == {"accepted"}
    work()
    assert ["replayed_track" in codes(chief, items[place]["id"]) for place in (0, 3)] == [False, True]


PHONE = {"id": "3f2a9c", "app_version": "1.4.0"}


@pytest.mark.parametrize("details", [None, PHONE])
def test_a_device_shared_with_another_account_is_found(chief, colleague, world, details):
    patrolled(chief, world.reach, WALK, device="phone-1", device_details=details)
    other = patrolled(colleague, world.reach, Walker(seed=8).walk(LINE, from_s=6 * 3600), device="phone-1", device_details=details)
    assert codes(colleague, other)["shared_device"]["evidence"]["by_name"] is (details is None)
    far = patrolled(colleague, world.reach, day(5, seed=9), device="phone-1", device_details=details)
    assert "shared_device" not in codes(colleague, far)


@pytest.mark.parametrize(("details", "severity", "verdicts"), [
    (PHONE, "high", {"doubtful"}), (None, "soft", {"valid"}), ({"model": "HUAWEI Y9"}, "soft", {"valid"}), ({"id": "", "model": "HUAWEI Y9"}, "soft", {"valid"}),
])  # fmt: skip
def test_only_an_identity_is_hard_evidence_of_a_shared_device(chief, colleague, world, details, severity, verdicts):
    """Two honest chiefs whose phones say of themselves only what model they are walk at the same time."""
    made = {caller: patrolled(caller, world.reach, track, device="HUAWEI Y9", device_details=details)
            for caller, track in ((chief, WALK), (colleague, Walker(seed=8, sigma_m=8.0).walk(LINE)))}
    found = {caller: codes(caller, patrol_id)["shared_device"] for caller, patrol_id in made.items()}
    assert {finding["severity"] for finding in found.values()} == {severity}
    assert {caller.get(f"patrols/{patrol_id}").json["verdict"] for caller, patrol_id in made.items()} == verdicts
    assert {"名称" in finding["text"] for finding in found.values()} == {severity == "soft"}


def test_a_name_that_three_accounts_use_is_that_of_a_model_and_says_nothing(chief, colleague, world, build, signed_in):
    third = signed_in(build.person("patroller", region=world.village))
    made = [(caller, patrolled(caller, world.reach, Walker(seed=n, sigma_m=8.0).walk(LINE), device="HUAWEI Y9")) for n, caller in enumerate((chief, colleague))]
    assert all("shared_device" in codes(*one) for one in made)
    made.append((third, patrolled(third, world.reach, day(3, seed=9), device="HUAWEI Y9")))
    assert ["shared_device" in codes(*one) for one in made] == [False, False, False]
    assert [caller.get(f"patrols/{patrol_id}").json["stale"] for caller, patrol_id in made] == [False, False, False]


def test_what_was_found_by_a_name_of_a_purged_track_stays_and_is_not_asked_for_again_and_again(chief, colleague, world, build, signed_in):
    made = [patrolled(caller, world.reach, Walker(seed=n, sigma_m=8.0).walk(LINE), device="HUAWEI Y9") for n, caller in enumerate((chief, colleague))]
    with transaction():
        db.session.execute(update(TrackBatch).values(points=None))
    seen = db.session.query(OutboxRow).filter_by(kind=EXAMINE).count()
    patrolled(signed_in(build.person("patroller", region=world.village)), world.reach, day(3, seed=9), device="HUAWEI Y9")
    assert db.session.query(OutboxRow).filter_by(kind=EXAMINE).count() == seen + 1
    assert "shared_device" in codes(chief, made[0])


def test_phones_of_one_model_put_no_examinations_of_each_other(chief, colleague, world, build, signed_in):
    callers = [chief, colleague, *(signed_in(build.person("patroller", region=world.village)) for _ in range(4))]
    made = [patrolled(caller, world.reach, Walker(seed=n, sigma_m=8.0).walk(LINE), device="HUAWEI Y9") for n, caller in enumerate(callers)]
    with transaction():
        examine_patrol({"patrol_id": made[0]})()
    assert waiting() == []
    seen = db.session.query(OutboxRow).filter_by(kind=EXAMINE).count()
    patrolled(signed_in(build.person("patroller", region=world.village)), world.reach, WALK, device="HUAWEI Y9")
    # Its end, nothing else.
    assert db.session.query(OutboxRow).filter_by(kind=EXAMINE).count() == seen + 1


@pytest.mark.parametrize("known", [False, True])
def test_a_shared_device_shows_on_both_whichever_came_first(chief, colleague, world, known):
    tracks = {chief: WALK, colleague: Walker(seed=8).walk(LINE, from_s=6 * 3600)}
    for order in ((chief, colleague), (colleague, chief)):
        device, made = str(uuid4()), {}
        details = {"id": device} if known else None
        for caller in order:
            made[caller] = patrolled(caller, world.reach, tracks[caller], device=device, device_details=details)
        for caller, patrol_id in made.items():
            assert "shared_device" in codes(caller, patrol_id)
            assert caller.get(f"patrols/{patrol_id}").json["stale"] is False


def test_a_delegation_explains_a_shared_device(chief, colleague, world, build, signed_in):
    build.appointment(world.reach, world.chief)
    delegation_id = str(uuid4())
    reply = chief.put(f"delegations/{delegation_id}", json={
        "principal_id": str(world.chief.id), "deputy_id": str(world.colleague.id), "reach_ids": [], "valid_from": "2026-01-01",
        "valid_to": "2026-01-31", "reason": "外出培训"})
    assert reply.status_code == 201, reply.json
    patrolled(chief, world.reach, WALK, device_details=PHONE)
    other = patrolled(colleague, world.reach, Walker(seed=8).walk(LINE, from_s=6 * 3600), device_details=PHONE)
    assert "shared_device" not in codes(colleague, other)
    named = patrolled(chief, world.reach, day(3, seed=9), device="HUAWEI Y9")
    patrolled(colleague, world.reach, Walker(seed=7).walk(LINE, from_s=3 * DAY_S + 6 * 3600), device="HUAWEI Y9")
    patrolled(signed_in(build.person("patroller", region=world.village)), world.reach, day(5, seed=6), device="HUAWEI Y9")
    assert ("shared_device" in codes(chief, named), chief.get(f"patrols/{named}").json["stale"]) == (False, False), "it never counted"
    assert chief.post(f"delegations/{delegation_id}/revoke", headers={"If-Match": "*"}).status_code == 200
    assert examine_all("all") == 5
    assert "shared_device" not in codes(colleague, other), "what is revoked afterwards was in force then"


def registered(caller):
    """Register a phone under an id of its own; return the id."""
    reply = caller.post("devices", json={"id": str(uuid4()), "label": "RTK"})
    assert reply.status_code == 201, reply.json
    return reply.json["id"]


@pytest.mark.parametrize("marked", [True, False])
def test_a_receiver_that_the_office_trusts_explains_its_mock_flags(chief, world, build, signed_in, marked):
    mocked = Walker(seed=5, sigma_m=3.0).walk(LINE)
    mocked.mock[:] = 1
    phone = registered(chief)
    if marked:
        office = signed_in(build.person("office", region=world.village))
        assert office.patch(f"devices/{phone}", json={"is_receiver": True}, headers={"If-Match": "*"}).status_code == 200
    else:
        change_first_policy(trusted_receivers=[phone])
    trusted = patrolled(chief, world.reach, mocked, device_details={"id": phone.upper()})
    assert codes(chief, trusted)["mock_location"]["severity"] == "info"


def test_nobody_passes_for_anothers_receiver_by_calling_his_phone_so(chief, colleague, world):
    """Names and ids are what a phone says of itself; only what its own person registered is known by it."""
    mocked = Walker(seed=5, sigma_m=3.0).walk(LINE)
    mocked.mock[:] = 1
    phone, own = registered(chief), registered(colleague)
    change_first_policy(trusted_receivers=[phone, "rtk-7"])
    for number, said in enumerate(({"device": phone}, {"device_details": {"id": phone}}, {"device_details": {"id": "rtk-7"}}, {"device": "rtk-7"},
                                   {"device_details": {"id": own}})):  # fmt: skip
        walk = Track(**(vars(mocked) | {"recorded_ms": mocked.recorded_ms + number * int(DAY_S * 1000)}))
        claimed = patrolled(colleague, world.reach, walk, **said)
        assert codes(colleague, claimed)["mock_location"]["severity"] == "high", said
    assert chief.delete(f"devices/{phone}").status_code == 204
    revoked = patrolled(chief, world.reach, mocked, device_details={"id": phone})
    assert codes(chief, revoked)["mock_location"]["severity"] == "high"


def test_the_command_examines_what_is_new_stale_or_all(chief, world, monkeypatch, app):
    patrol_id = patrolled(chief, world.reach, WALK)
    db.session.rollback()
    assert examine_all("new") == 0
    first = examination(patrol_id).examined_at
    later = first + timedelta(hours=1)
    with clock.moved_clock(lambda: later):
        assert examine_all("stale") == 1
        assert examination(patrol_id).examined_at == first
        monkeypatch.setattr(examination_input, "ALGORITHM", f"{coverage.ALGORITHM}/newer")
        assert chief.get(f"patrols/{patrol_id}").json["stale"] is True
        assert examine_all("stale") == 1
        assert examination(patrol_id).examined_at == later
    latest = later + timedelta(hours=1)
    with clock.moved_clock(lambda: latest):
        told = app.test_cli_runner().invoke(args=["patrols", "examine", "--all"])
        assert told.output == "1 patrols looked at\n"
        assert examination(patrol_id).examined_at == latest


def test_an_accepted_repair_holds_for_check_ins_that_came_the_same_way_only(chief, world, signed_in, build):
    shifted = in_datum(WALK, Datum.GCJ02)
    patrol_id = begin(chief, world.reach, shifted)
    send(chief, patrol_id, shifted)
    for track in (shifted, WALK):
        body = {"patrol_id": patrol_id, "latitude": float(track.latitude[60]), "longitude": float(track.longitude[60]),
                "recorded_at": moment_of(START_MS + 300_000).isoformat()}
        assert chief.put(f"check-ins/{uuid4()}", json=body).status_code == 201
    finish(chief, patrol_id, shifted)
    work()
    assert sorted(distance_m > 100 for distance_m in distances(patrol_id)) == [False, True]
    office = signed_in(build.person("office", region=world.village))
    body = {"id": str(uuid4()), "judgement": "upheld", "text": "同意更正"}
    assert office.post(f"patrols/{patrol_id}/findings/datum_mislabelled/judge", json=body).status_code == 201
    assert max(distances(patrol_id)) < 60


def distances(patrol_id):
    """Return how far an examination takes the check-ins of a patrol to be from its reach."""
    facts = facts_of(examination_input.input_of(loaded(patrol_id), timezone="Asia/Shanghai"), now=clock.now())
    return [row.distance_m for row in facts.check_ins]


def loaded(patrol_id):
    return db.session.scalar(select(Patrol).where(Patrol.id == UUID(patrol_id)).options(selectinload(Patrol.reaches)))


@pytest.mark.parametrize(("tells", "counts"), [(True, True), (False, False)])
def test_a_phone_in_a_zone_ahead_counts_for_the_duty_on_the_corrected_day(build, world, chief, signed_in, tells, counts):
    build.appointment(world.reach, world.chief)
    lead, began, last = timedelta(hours=8), moment_of(int(WALK.recorded_ms[0])), moment_of(int(WALK.recorded_ms[-1]))
    points = [{**point, "recorded_at": (datetime.fromisoformat(point["recorded_at"]) + lead).isoformat()} for point in points_of(WALK)]
    patrol_id = str(uuid4())
    with clock.moved_clock(lambda: began):
        reply = chief.put(f"patrols/{patrol_id}", json={
            "reach_ids": [str(world.reach.id)], "mode": "walk", "started_at": (began + lead).isoformat()})
        assert "sent_at" in reply.json["receipt"]["notices"][0]["text"]
    with clock.moved_clock(lambda: last):
        told = {"sent_at": (last + lead).isoformat()} if tells else {}
        assert chief.post(f"patrols/{patrol_id}/track", json={"batch_id": str(uuid4()), "points": points, **told}).status_code == 201
        assert chief.post(f"patrols/{patrol_id}/finish", json={"ended_at": (last + lead).isoformat()}).status_code == 200
        work()
    row = examination(patrol_id)
    assert (row.verdict, row.began_at) == ("valid", began if counts else None)
    day = clock.local_date(began, "Asia/Shanghai")
    [duty] = chief.get("duties", query_string={"person": "me", "from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}).json["items"]
    [patrol] = [one for period in duty["periods"] for one in period["patrols"]]
    assert (patrol["counts_as"], patrol["corrected"] is not None) == ((1, True) if counts else (None, False))
    assert counts or patrol["why_not"]["code"] == "ahead_of_time"


@pytest.mark.parametrize(("category", "becomes", "is_told"), [("C1", None, True), ("F1", None, False), ("B3", "F1", False)])
def test_what_a_charge_shows_is_told_by_no_finding_on_a_patrol(chief, colleague, world, build, signed_in, category, becomes, is_told):
    """The accused reads the patrols of his region, and would know who reported something that he does not see."""
    patrol_id = patrolled(colleague, world.reach, WALK)
    photo_id = upload(colleague, camera_jpeg(1), from_gallery="true")
    raised = colleague.post("issues", json={
        "category": category, "description": "无人接听", "latitude": 29.6, "longitude": 119.81, "accuracy_m": 8, "patrol_id": patrol_id,
        "photo_ids": [photo_id],
    })  # fmt: skip
    assert raised.status_code == 201, raised.json
    later = day(1, seed=6)
    own = begin(chief, world.reach, later)
    send(chief, own, later)
    check_in(chief, own, 300 + int(DAY_S), photo=upload(chief, camera_jpeg(1)))
    finish(chief, own, later)
    work()
    if becomes:
        assert "photo_edited_or_gallery" in codes(chief, patrol_id)
        office = signed_in(build.person("office"))
        assert office.post(f"issues/{raised.json['id']}/accept", json={"category": becomes}, headers={"If-Match": "*"}).status_code == 200
        work()
    assert ("photo_edited_or_gallery" in codes(chief, patrol_id)) is is_told
    assert ("photo_duplicate" in codes(chief, own)) is is_told
    told = chief.get(f"patrols/{patrol_id}").text + chief.get(f"patrols/{own}").text
    assert (photo_id in told, raised.json["id"] in told) == (is_told, is_told)


def test_a_reach_that_was_driven_along_is_not_walked(chief, world):
    drive = Walker(seed=5, sigma_m=8.0, speed_mps=25.0).walk(LINE)
    waits = Walker(seed=6, sigma_m=8.0, speed_mps=0.1).walk(LINE, 1.0, 0.96, from_s=len(drive) * 5.0)
    track = Track(*(np.concatenate([getattr(drive, name), getattr(waits, name)]) for name in vars(drive)))
    shown = chief.get(f"patrols/{patrolled(chief, world.reach, track)}").json
    [mode] = [finding for finding in shown["findings"] if finding["code"] == "mode"]
    assert (shown["verdict"], mode["severity"]) == ("doubtful", "high")
    assert shown["coverage"][0]["covered_m"] > 1_400 > 700 > mode["evidence"]["on_foot_m"]

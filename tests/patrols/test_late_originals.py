"""A copy is found whichever of the two tracks came home first, though its own patrol had been examined by then."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction
from patrol.patrols.examining import EXAMINE, examine_all, examine_patrol
from patrol.patrols.fact_queries import MOST_EARLIER
from patrol.patrols.track_marks import LEAST_COMMON
from patrol.patrols.track_models import TrackMark
from patrol.patrols.track_upkeep import purge_tracks
from tests.patrols.on_patrol import LINE, REACH, begin, finish, patrolled, send, work
from tests.patrols.walks import Walker

DAY_S = 86_400.0


def day(number, seed=5):
    """A walk begun `number` days later; of one seed they are copies of each other."""
    return Walker(seed=seed, sigma_m=8.0).walk(LINE, from_s=number * DAY_S)


@pytest.fixture
def village(build):
    return build.region(level="village")


@pytest.fixture
def reach(build, village):
    return build.reach(REACH, region=village)


@pytest.fixture
def callers(village, build, signed_in):
    return [signed_in(build.person("patroller", region=village)) for _ in range(2)]


def replays(caller, patrol_id):
    """Return what is told of a replay: of which patrol, and how."""
    found = [row for row in caller.get(f"patrols/{patrol_id}").json["findings"] if row["code"] == "replayed_track"]
    return [(row["severity"], row["evidence"]["patrol_id"], row["evidence"]["how"], row["evidence"]["percent"]) for row in found]


def examinations():
    return db.session.query(OutboxRow).filter_by(kind=EXAMINE).count()


@pytest.mark.parametrize("ended_first", [False, True])
def test_an_original_whose_track_comes_late_is_found_as_one_that_came_in_time(callers, reach, ended_first):
    """The phone of the first began online and was off the net afterwards."""
    found = []
    for late in (False, True):
        mine, copy = day(0, seed=30 + late), day(2, seed=30 + late)
        original = begin(callers[0], reach, mine)
        if not late:
            send(callers[0], original, mine)
            finish(callers[0], original, mine)
            work()
        elif ended_first:
            finish(callers[0], original, mine)
            work()
        copied = patrolled(callers[1], reach, copy)
        if late:
            assert replays(callers[1], copied) == []
            with clock.moved_clock(later(hours=5)):
                send(callers[0], original, mine)
                finish(callers[0], original, mine)
                work()
        assert [row[1] for row in replays(callers[1], copied)] == [original]
        assert replays(callers[0], original) == []
        assert callers[1].get(f"patrols/{copied}").json["stale"] is False
        found.append([row[0::2] for row in replays(callers[1], copied)])
    assert found[0] == found[1]


def later(**by):
    now = clock.now()
    return lambda: now + timedelta(**by)


def test_the_same_where_the_copy_was_begun_first_and_the_other_examined_before_it_came(callers, reach):
    """Of the two the patrol that was here first is told of, as ever."""
    copied = begin(callers[1], reach, day(2))
    original = patrolled(callers[0], reach, day(0))
    with clock.moved_clock(later(hours=5)):
        send(callers[1], copied, day(2))
        finish(callers[1], copied, day(2))
        work()
    assert [row[1] for row in replays(callers[0], original)] == [copied]


def test_a_late_part_of_an_original_counts(callers, reach):
    mine = day(0)
    original = begin(callers[0], reach, mine)
    send(callers[0], original, mine.at(slice(0, 40)))
    finish(callers[0], original, mine)
    copied = patrolled(callers[1], reach, day(2))
    assert replays(callers[1], copied) == []
    with clock.moved_clock(later(hours=5)):
        send(callers[0], original, mine.at(slice(40, None)))
        work()
    assert [row[1] for row in replays(callers[1], copied)] == [original]


def test_nobody_is_looked_at_again_who_was_examined_after_it(callers, reach):
    """Each patrol is examined once; those that came after, and other reaches', are left alone."""
    original = patrolled(callers[0], reach, day(0))
    with clock.moved_clock(later(hours=5)):
        patrolled(callers[1], reach, day(4, seed=9))
        before = examinations()
        examine_all("all")
        examine_all("stale")
        assert examinations() == before
        finish_note(callers[0], original)
        work()
        assert examinations() == before + 1


def finish_note(caller, patrol_id):
    """Let something else than the track change."""
    body = {"patrol_id": patrol_id, "latitude": 29.6, "longitude": 119.8, "recorded_at": clock.now().isoformat()}
    assert caller.put(f"check-ins/{uuid4()}", json=body).status_code == 201


def test_only_what_may_be_a_copy_is_looked_at_again(callers, reach):
    mine = day(0)
    original = begin(callers[0], reach, mine)
    for number in range(5):
        patrolled(callers[1], reach, day(number + 1, seed=40 + number))
    copied = patrolled(callers[1], reach, day(9))
    with clock.moved_clock(later(hours=5)):
        send(callers[0], original, mine)
        finish(callers[0], original, mine)
        before = set(waiting())
        assert before == {original}
        work()
        again = [row.payload["patrol_id"] for row in db.session.scalars(select(OutboxRow).where(OutboxRow.kind == EXAMINE)) if row.payload["again"]]
    assert again == [copied]
    assert [row[1] for row in replays(callers[1], copied)] == [original]


@pytest.mark.parametrize("is_late", [False, True])
def test_a_copy_is_found_however_many_patrols_lie_between(callers, reach, is_late):
    original = begin(callers[0], reach, day(0))

    def come_home():
        send(callers[0], original, day(0))
        finish(callers[0], original, day(0))
        work()

    if not is_late:
        come_home()
    for number in range(MOST_EARLIER + 2):
        patrolled(callers[1], reach, day(number + 1, seed=40 + number).at(slice(0, 60)))
    copied = patrolled(callers[1], reach, day(40))
    if is_late:
        assert replays(callers[1], copied) == []
        with clock.moved_clock(later(hours=5)):
            come_home()
    assert [row[1] for row in replays(callers[1], copied)] == [original]


def test_of_two_that_are_examined_in_one_moment_the_copy_is_looked_at_again(callers, reach):
    """Neither saw the other's marks when it was reckoned."""
    for number in range(MOST_EARLIER + 1):
        patrolled(callers[1], reach, day(number + 1, seed=40 + number).at(slice(0, 60)))
    original, copied = begin(callers[0], reach, day(0)), begin(callers[1], reach, day(40))
    for caller, patrol_id, track in ((callers[0], original, day(0)), (callers[1], copied, day(40))):
        send(caller, patrol_id, track)
        finish(caller, patrol_id, track)
    writes = [examine_patrol({"patrol_id": patrol_id}) for patrol_id in (original, copied)]
    db.session.rollback()
    for write in writes:
        with transaction():
            write()
    assert replays(callers[1], copied) == []
    work()
    assert [row[1] for row in replays(callers[1], copied)] == [original]


def test_marks_go_with_the_raw_tracks(app, callers, reach):
    patrol_id = UUID(patrolled(callers[0], reach, day(0)))
    kept = db.session.query(TrackMark).filter_by(patrol_id=patrol_id)
    assert kept.count() > LEAST_COMMON
    with clock.moved_clock(later(days=app.extensions["settings"].track_days + 1)):
        purge_tracks()
        assert kept.count() == 0
        examine_all("all")
    assert kept.count() == 0


def waiting():
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == EXAMINE, OutboxRow.delivered_at.is_(None)))
    return [row.payload["patrol_id"] for row in rows]

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from patrol.demo.loading import import_registers, play
from patrol.demo.patrolling import MARKS_EACH
from patrol.demo.records import CHINA, Stories
from patrol.demo.stage import Stage
from patrol.demo.walks import Kind
from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.patrols.duty_models import DelegatedPatrol, Delegation, ReachWarning
from patrol.patrols.models import CheckIn, Patrol
from patrol.patrols.track_actions import track_in
from patrol.patrols.track_models import NO_SIGNAL, PatrolPause, PhoneQueue, TrackBatch
from tests.demo.conftest import TODAY


def without_photos(patrol):
    return replace(patrol, check_ins=tuple(replace(row, photos=()) for row in patrol.check_ins))


@pytest.fixture
def sample(told):
    """The latest patrol of each kind, the latest sent in GCJ-02, and those on somebody's behalf."""
    latest = {patrol.walk.kind: patrol for patrol in told.patrols if patrol.walk.kind != Kind.LOST_SIGNAL or patrol.walk.seed % MARKS_EACH}
    shifted = [patrol for patrol in told.patrols if patrol.walk.datum == "gcj02"][-1]
    behalf = [patrol for patrol in told.patrols if patrol.on_behalf_of]
    chosen = {patrol.id: without_photos(patrol) for patrol in (*latest.values(), shifted, *behalf)}
    return Stories(tuple(chosen.values()), (), told.delegations, told.warnings, told.waiting_phones)


def test_tracks_delegations_warnings_and_queues_enter_by_the_products_own_actions(
    database, test_settings, land, people, sample, waterside
):
    began = datetime.combine(TODAY - timedelta(days=100), time(8), CHINA)
    with clock.moved_clock(lambda: began):
        import_registers(land, people)
    with clock.moved_clock(lambda: datetime.combine(TODAY, time(12), CHINA)):
        play(sample, Stage(settings=test_settings, photos={}, waterside=waterside), TODAY)
    rows = {row.id: row for row in db.session.scalars(select(Patrol))}
    assert set(rows) == {patrol.id for patrol in sample.patrols}
    batches = db.session.scalars(select(TrackBatch).options(undefer(TrackBatch.points))).all()
    for patrol in sample.patrols:
        row, mine = rows[patrol.id], [batch for batch in batches if batch.patrol_id == patrol.id]
        assert (row.started_at, row.ended_at, row.ended_by) == (patrol.started_at, patrol.ended_at, "person")
        assert {batch.datum for batch in mine} == {patrol.walk.datum}
        assert sum(batch.count for batch in mine) == sum(batch.sent for batch in mine) == sum(len(track_in(batch)) for batch in mine)
        assert all(batch.received_at == batch.sent_at and not batch.quarantined and not batch.duplicates for batch in mine)
    assert db.session.scalar(select(func.count()).select_from(CheckIn)) == sum(len(p.check_ins) for p in sample.patrols)
    assert {patrol.walk.kind for patrol in sample.patrols} == set(Kind)
    lost = [patrol for patrol in sample.patrols if patrol.walk.kind == Kind.LOST_SIGNAL and patrol.walk.seed % MARKS_EACH]
    marks = db.session.scalars(select(PatrolPause).where(PatrolPause.cause == NO_SIGNAL)).all()
    assert {mark.patrol_id for mark in marks} == {patrol.id for patrol in lost}
    assert all(rows[mark.patrol_id].started_at < mark.started_at < mark.ended_at < rows[mark.patrol_id].ended_at for mark in marks)
    behalf = {patrol.id for patrol in sample.patrols if patrol.on_behalf_of}
    assert set(db.session.scalars(select(DelegatedPatrol.patrol_id))) == behalf
    assert db.session.scalar(select(func.count()).select_from(Delegation)) == 3
    assert set(db.session.scalars(select(ReachWarning.colour))) == {"yellow", "orange"}
    assert set(db.session.scalars(select(PhoneQueue.pending))) == {14, 3}


def test_no_row_names_the_kind_of_a_patrol(told):
    """The findings have to tell it: what a patrol says of itself is the same whatever its kind."""
    words = {kind.value for kind in Kind} - {Kind.HONEST.value}
    for patrol in told.patrols:
        said = " ".join([patrol.summary, patrol.mode, patrol.phone.model, *(row.note for row in patrol.check_ins)]).lower()
        assert not any(word in said for word in words)

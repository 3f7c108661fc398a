"""Duties begin with the use of the system, not with appointments of long ago."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.duty_models import FrequencyPolicy
from patrol.people.models import AuditEntry
from patrol.waters.models import Reach
from tests.patrols.walked import walked

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture
def chief(build):
    return build.person("chief", region=build.district)


@pytest.fixture
def reach(build, chief):
    found = build.reach(level="village")
    build.appointment(found, chief, valid_from=date(2021, 1, 1))
    return found


@pytest.fixture
def begin(app, database):
    def run(*args):
        return app.test_cli_runner().invoke(args=["patrols", "begin-duties", *args])

    return run


@pytest.fixture
def missed(reach, build, signed_in):
    client = signed_in(build.person("office"))

    def count(**query):
        with clock.moved_clock(lambda: NOW):
            rows = client.get("duties", query_string=query).json["items"]
        return [row[name] for row in rows for name in ("required", "missed")]

    return count


def rows_in_force():
    rows = db.session.scalars(select(FrequencyPolicy).where(FrequencyPolicy.withdrawn_at.is_(None)))
    return sorted((row.level, row.title or "", row.colour, row.period, row.times, row.valid_from, row.valid_to) for row in rows)


def test_nothing_was_due_before_the_first_day_of_use_and_what_follows_is_as_before(begin, missed):
    assert missed(period="2026-10") == [4, 4]
    before, after = rows_in_force(), missed(period="2026-W47")
    assert begin("2026-11-09", "--dry-run").output.splitlines()[-1] == f"{len(before)} rows begin on 2026-11-09: nothing was written"
    db.session.rollback()
    assert rows_in_force() == before
    done = begin("2026-11-09")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"{len(before)} rows begin on 2026-11-09")
    db.session.rollback()
    assert rows_in_force() == [(*row[:5], date(2026, 11, 9), row[6]) for row in before]
    assert missed(period="2026-10") in ([], [0, 0])
    assert missed(period="2026-W47") == after
    [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "begin_duties")).all()
    assert (entry.actor_id, entry.subject, len(entry.facts["withdrawn"]), len(entry.facts["begun"])) == (None, "2026-11-09", len(before), len(before))
    assert begin("2026-11-09").output == "0 rows begin on 2026-11-09\n"
    sources = db.session.scalars(select(FrequencyPolicy.source_zh).where(FrequencyPolicy.withdrawn_at.is_(None))).all()
    assert all(source.endswith("（自启用日 2026-11-09 起）") for source in sources)


def test_no_gap_is_from_before_the_first_day_of_use(begin, reach, build, signed_in):
    with transaction():
        db.session.get_one(Reach, reach.id).length_m = 2032.3
    client = signed_in(build.person("office"))

    def gaps():
        with clock.moved_clock(lambda: NOW):
            return client.get("duties/gaps").json["items"]

    [gap] = gaps()
    assert (gap["reach"]["id"], gap["needed_m"]) == (str(reach.id), 1219.4)
    assert begin("2026-11-19").exit_code == 0
    db.session.rollback()
    assert gaps() == []
    with clock.moved_clock(lambda: NOW + timedelta(days=14)):
        assert [row["reach"]["id"] for row in client.get("duties/gaps").json["items"]] == [str(reach.id)]


def test_who_has_patrolled_before_was_due_before(begin, missed, chief, reach):
    walked(chief, reach, "2026-11-03T08:00:00+08:00", (0, 1000))
    refused = begin("2026-11-09")
    assert refused.exit_code == 1
    assert "2026-11-03" in refused.output
    assert begin("2026-11-03").exit_code == 0
    assert missed(period="2026-10") in ([], [0, 0])


def test_a_row_that_was_over_by_then_does_not_come_back(begin, build):
    row = db.session.scalars(select(FrequencyPolicy).limit(1)).one()
    old = build.save(FrequencyPolicy(
        level="village", title=None, colour="none", months=list(range(1, 13)), weekdays=list(range(1, 8)), working_days_only=False, period="day",
        times=1, least_share=0.6, valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31), source_zh="旧", source_en="old", added_at=row.added_at))
    begin("2026-11-09")
    db.session.rollback()
    assert ("village", "", "none", "day", 1, date(2026, 11, 9), date(2025, 12, 31)) not in rows_in_force()
    assert db.session.get_one(FrequencyPolicy, old.id, populate_existing=True).withdrawn_at is not None

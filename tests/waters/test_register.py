"""The registers in memory: built once for each state, also by many threads, never from a state that was rolled back."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from patrol.foundation.database import db
from patrol.foundation.keeping import Keeper
from patrol.foundation.transaction import transaction
from patrol.waters import register
from patrol.waters.models import RegisterVersion
from patrol.waters.register import current_index, current_region_map, register_changed, warm_index


def test_the_index_is_kept_until_the_register_changes(build):
    build.reach()
    first = current_index(60)
    assert current_index(60) is first
    assert len(first) == 1
    build.register_changed()
    assert current_index(60) is not first


def test_another_default_tolerance_is_another_index(build):
    build.reach(tolerance_m=None)
    assert not current_index(10).near(29.601, 119.81, 10)
    assert current_index(200).near(29.601, 119.81, 10)


def test_an_unchanged_register_costs_one_query(build, queries):
    build.reach()
    current_index(60)
    queries.clear()
    current_index(60)
    assert len(queries) == 1


def test_without_a_register_nothing_is_taken_for_current(database):
    assert len(current_index(60)) == 0
    assert current_region_map() is not current_region_map()


def test_regions_and_reaches_change_apart(build):
    build.reach()
    index, regions = current_index(60), current_region_map()
    with transaction():
        register_changed(reaches=False, regions=True)
    assert current_index(60) is index
    assert current_region_map() is not regions
    with transaction():
        register_changed()
    assert current_index(60) is not index


def test_a_change_that_is_rolled_back_leaves_no_trace(build):
    build.reach()
    state = db.session.scalar(db.select(RegisterVersion.reaches))

    def change_and_fail():
        with transaction():
            register_changed()
            current_index(60)
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert db.session.scalar(db.select(RegisterVersion.reaches)) == state
    current_index(60)
    assert register.held_index(60)[1] == state


def test_many_threads_build_once():
    built, together = [], Barrier(8)
    keeper = Keeper(lambda: built.append(1) or object())

    def ask(_):
        together.wait()
        return keeper.get(7)

    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(ask, range(8)))
    assert len(built) == 1
    assert len(set(map(id, contents))) == 1


def test_warming_builds_what_requests_find(build, monkeypatch):
    build.reach()
    monkeypatch.setattr(type(db.engine), "dispose", lambda _engine: None, raising=False)
    warm_index(61)
    assert register.held_index(61)

"""The examination of a patrol: coverage and all findings of an hour and of a long day, in CPU time of the worker.

Once of facts that are ready, and once whole: read from the database, reckoned, and written in its transaction.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
from flask import Flask

from patrol.foundation.database import db
from patrol.foundation.transaction import transaction
from patrol.patrols.coverage import cover
from patrol.patrols.examination import examine_facts
from patrol.patrols.examining import examine_patrol
from patrol.patrols.facts import CheckInFact, OtherPatrol, PatrolFacts, PhotoFact
from patrol.patrols.integrity_policy import DEFAULT_POLICY
from patrol.patrols.mislabelling import mislabelled_datum
from patrol.patrols.track import Track
from patrol.patrols.track_marks import marks_of
from patrol.patrols.window import moment_of
from patrol.waters.models import Reach
from tests.bench.servers import site
from tests.bench.table import Row, measured
from tests.builders import Builders
from tests.patrols.on_patrol import begin, finish, send
from tests.patrols.walks import START_MS, Walker, meander, reach_of, to_degrees

ROUNDS, EARLIER, CHECK_INS, LONGEST_ONE_WAY = 15, 20, 12, 1_500
LINE = meander(5000.0)


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure coverage, findings and verdict of 720 and of 4,000 fixes on 5 km, with 20 earlier tracks to compare."""
    for fixes, target_ms in ((720, 80), (4_000, 400)):
        given = walked(fixes)
        taken = cpu_ms(partial(examined, given))
        yield Row(f"Coverage and all findings of {len(given.track):,} fixes on 5 km, CPU", measured(taken, "ms"), most=target_ms)
    for engine in engines:
        with site(engine) as place, place.application() as app:
            yield from whole(engine, app)


def whole(engine: str, app: Flask) -> Iterator[Row]:
    """Examine stored patrols as the worker does, with check-ins and 20 earlier patrols of the reach; photos are left out."""
    build = Builders()
    person, reach = build.person("chief"), build.reach([tuple(pair) for pair in to_degrees(LINE)])
    caller = Caller(app, build.token_of(person))
    for fixes in (720, 4_000):
        given = walked(fixes)
        for other in given.earlier:
            patrolled(caller, reach, other.track)
        patrol_id = patrolled(caller, reach, given.track, given.check_ins)
        waited: list[float] = []
        taken = cpu_ms(partial(examined_and_written, patrol_id), waited)
        note = f"{statistics.median(waited):.0f} ms of waiting time"
        yield Row(f"{engine}: whole examination of {len(given.track):,} stored fixes, CPU", measured(taken, "ms"), note=note)


class Caller:
    """Somebody signed in who asks the application in this process."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client, self.headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def put(self, path: str, **more: Any) -> Any:
        return self.client.put(f"/api/v1/{path}", headers=self.headers, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", headers=self.headers, **more)


def patrolled(caller: Caller, reach: Reach, track: Track, check_ins: Sequence[CheckInFact] = ()) -> str:
    """Send a patrol as a phone does, in batches of 500; return its id."""
    patrol_id = begin(caller, reach, track)
    for start in range(0, len(track), 500):
        send(caller, patrol_id, track.at(slice(start, start + 500)))
    for fact in check_ins:
        body = {"patrol_id": patrol_id, "recorded_at": fact.recorded_at.isoformat(), "latitude": fact.latitude, "longitude": fact.longitude}
        assert caller.put(f"check-ins/{fact.id}", json=body).status_code == 201
    finish(caller, patrol_id, track)
    return patrol_id


def examined_and_written(patrol_id: str) -> None:
    """Do what the worker does with a patrol's row of the outbox, although nothing has changed."""
    db.session.remove()
    write = examine_patrol({"patrol_id": patrol_id, "tries": 0, "again": True})
    with transaction():
        write()


def walked(fixes: int) -> PatrolFacts:
    """Return an honest walk of about so many fixes, with check-ins, photos and earlier walks on the same reach.

    An hour is one way along the reach, a long day goes there and back.
    """
    back = fixes > LONGEST_ONE_WAY
    walker = Walker(seed=1, sigma_m=10.0, speed_mps=(2 if back else 1) * 5000 / (fixes * 5.0))
    track = walker.walk(LINE, back=back)
    start, end = moment_of(START_MS), moment_of(int(track.recorded_ms[-1]))
    places = np.linspace(0, len(track) - 1, CHECK_INS).astype(int)
    check_ins = [
        CheckInFact(uuid4(), moment_of(int(track.recorded_ms[i])), float(track.latitude[i]), float(track.longitude[i]), 8.0, 20.0) for i in places
    ]
    photos = [PhotoFact(uuid4(), "0" * 64, row.id, row.recorded_at, "00ff00ff00ff00ff", row.recorded_at) for row in check_ins]
    earlier = []
    for number in range(EARLIER):
        days = timedelta(days=7 * (number + 1))
        other = Walker(seed=number + 2, sigma_m=10.0, speed_mps=walker.speed_mps).walk(LINE, from_s=-days.total_seconds(), back=back)
        earlier.append(OtherPatrol(uuid4(), uuid4(), start - days, end - days, other))
    return PatrolFacts(
        patrol_id=uuid4(), person_id=uuid4(), mode="walk", started_at=start, ended_at=end, received_at=start, now=end, track=track,
        reaches=[reach_of(LINE)], check_ins=check_ins, photos=photos, earlier=earlier, delays_s=[60.0],
    )  # fmt: skip


def examined(given: PatrolFacts) -> object:
    """Do what the worker does with loaded facts, coverage and datum included."""
    coverages = [cover(reach, given.track) for reach in given.reaches]
    more = {"coverages": coverages, "mislabelling": mislabelled_datum(given.track, given.reaches), "marks": marks_of(given.track)}
    facts = PatrolFacts(**vars(given) | more)
    return examine_facts(facts, DEFAULT_POLICY, {})


def cpu_ms(work: Callable[[], object], waited: list[float] | None = None) -> list[float]:
    """Return the CPU times of a piece of work in milliseconds, after one round to warm up; times passed go into `waited`."""
    work()
    taken = []
    for _ in range(ROUNDS):
        began, began_at = time.process_time(), time.perf_counter()
        work()
        taken.append((time.process_time() - began) * 1000)
        if waited is not None:
            waited.append((time.perf_counter() - began_at) * 1000)
    return taken

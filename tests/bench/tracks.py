"""Batches of fixes over HTTP beside a row a point, a day's queue, and 2,048 phones that come back at once."""

import os
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import shapely
from sqlalchemy import func, select

from patrol.foundation import clock, outbox, worker
from patrol.foundation.database import db, new_id
from patrol.foundation.outbox import OutboxRow
from patrol.patrols.examining import EXAMINE
from patrol.patrols.models import CheckIn, Patrol
from patrol.patrols.track_models import TrackBatch
from tests.bench.check_ins import bare_rows, check_in_body
from tests.bench.clients import request_bytes
from tests.bench.registers import CLIENTS, District, load_district, load_patrollers
from tests.bench.servers import Server, Site, site, web_server
from tests.bench.table import Row, alternating, measured

REACHES, ROUNDS, POINTS = 4_000, 5, 500
BATCHES_EACH, ROWS_EACH, QUEUES_EACH = 25, 60, 4
PHONES, PHONES_AT_ONCE = 2_048, 64
# For a sixteenth of the storm the worker is waited for, with BENCH_SIZE=full for all of it.
DRAINED, DRAINED_FULL, LONGEST_DRAIN_S = 128, 2_048, 1_800.0


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure on every engine of the run."""
    for engine in engines:
        with site(engine) as place:
            with place.application():
                district = load_district(REACHES)
                crew = load_patrollers(district, PHONES)
            with web_server(place) as ours, web_server(place, "tests.bench.bare_app:app") as bare:
                yield from _ingest(engine, place, district, ours, bare)
                yield from _day(engine, district, ours)
                yield from _drain(engine, place, district, crew, ours)
                yield from _storm(engine, place, district, crew, ours)


def walk(count: int, seed: int, begin: tuple[float, float] = (29.6, 119.8)) -> list[dict[str, Any]]:
    """Return believable points from `begin` (latitude, longitude) on: a fix every 5 s, a receiver's noise, values to the digits that phones send."""
    rng, began = np.random.default_rng(seed), clock.now() - timedelta(hours=2)
    north = begin[0] + np.cumsum(rng.normal(6, 1.5, count)) / 111_000 + rng.normal(0, 3, count) / 111_000
    east = begin[1] + np.cumsum(rng.normal(2, 1.5, count)) / 97_000 + rng.normal(0, 3, count) / 97_000
    columns = zip(north, east, rng.gamma(9, 0.8, count), 31 + np.cumsum(rng.normal(0, 0.3, count)), rng.normal(1.2, 0.2, count),
                  rng.normal(70, 12, count), strict=True)  # fmt: skip
    return [
        {"recorded_at": (began + timedelta(seconds=5 * step, milliseconds=int(rng.integers(0, 40)))).isoformat(timespec="milliseconds"),
         "latitude": round(lat, 7), "longitude": round(lon, 7), "accuracy_m": round(accuracy, 1), "altitude_m": round(altitude, 1),
         "speed_mps": round(abs(speed), 2), "bearing_deg": round(bearing % 360, 1), "mock": False}
        for step, (lat, lon, accuracy, altitude, speed, bearing) in enumerate(columns)
    ]  # fmt: skip


def _patrol_body(district: District, reach: int = 0) -> dict[str, Any]:
    return {"reach_ids": [str(district.reach_ids[reach])], "mode": "walk", "started_at": (clock.now() - timedelta(hours=3)).isoformat()}


def _batches(district: District, server: Server, each: int) -> list[list[bytes]]:
    """Return requests of `each` batches for every client; the patrols they belong to, one a batch, are begun first."""
    patrols = [[str(new_id()) for _ in range(each)] for _ in range(CLIENTS)]
    tokens = [district.tokens[f"patroller{client}"] for client in range(CLIENTS)]
    server.run([
        [request_bytes("PUT", f"/api/v1/patrols/{patrol_id}", json_body=_patrol_body(district), token=tokens[client]) for patrol_id in ids]
        for client, ids in enumerate(patrols)
    ])  # fmt: skip
    return [
        [request_bytes("POST", f"/api/v1/patrols/{patrol_id}/track", token=tokens[client], json_body={
            "batch_id": str(new_id()), "points": walk(POINTS, client * each + number)}) for number, patrol_id in enumerate(ids)]
        for client, ids in enumerate(patrols)
    ]  # fmt: skip


def _ingest(engine: str, place: Site, district: District, ours: Server, bare: Server) -> Iterator[Row]:
    ours.run(_batches(district, ours, 3)), bare.run(bare_rows(district, 20))
    made = iter([_batches(district, ours, BATCHES_EACH) for _ in range(ROUNDS)])
    found = alternating(ROUNDS, {
        "ours": lambda: ours.run(next(made)), "bare": lambda: bare.run(bare_rows(district, ROWS_EACH)),
    })  # fmt: skip
    yield Row(
        f"fixes in batches of {POINTS}, {engine}", measured((cost.rate * POINTS for cost in found["ours"]), "points/s"),
        measured((cost.rate for cost in found["bare"]), "points/s"), "bare view, a row and a request a point", least_ratio=50,
    )  # fmt: skip
    yield Row(f"fixes in batches of {POINTS}, {engine}: server CPU", measured((cost.cpu_ms for cost in found["ours"]), "ms a batch"))
    yield Row(f"fixes in batches of {POINTS}, {engine}: p99", measured((cost.p99_ms for cost in found["ours"]), "ms"))
    with place.application():
        stored = db.session.execute(select(func.sum(func.length(TrackBatch.points)), func.sum(TrackBatch.count))).one()
    yield Row(f"fixes, {engine}: stored", measured([stored[0] / stored[1]], "bytes a point"), most=12)


def queue(district: District, seed: int, *, points: int, check_ins: int, issues: int, reach: int = 0) -> dict[str, Any]:
    """Return what a phone sends to /sync after a day without signal on one of the district's reaches."""
    patrol_id, places = str(new_id()), iter(district.places(check_ins + issues, seed))
    longitude, latitude = shapely.get_coordinates(district.lines[reach])[0]
    items = [
        {"kind": "patrol", "id": patrol_id, "data": _patrol_body(district, reach)},
        {"kind": "track", "id": str(new_id()), "data": {"patrol_id": patrol_id, "points": walk(points, seed, (latitude, longitude))}},
        *({"kind": "check_in", "id": str(new_id()), "data": {**check_in_body(*next(places)), "patrol_id": patrol_id}} for _ in range(check_ins)),
        *({"kind": "issue", "id": str(new_id()), "data": {
            **dict(zip(("latitude", "longitude"), next(places), strict=True)), "patrol_id": patrol_id, "category": "C1",
            "description": "桥下漂着成片的生活垃圾"}} for _ in range(issues)),
        {"kind": "finish", "id": patrol_id, "data": {"ended_at": clock.now().isoformat(), "summary": "正常"}},
    ]  # fmt: skip
    return {"device": f"phone {seed}", "pending": len(items), "items": items}


def _sync(district: District, number: int, **size: int) -> bytes:
    token = district.tokens[f"patroller{number % CLIENTS}"]
    return request_bytes("POST", "/api/v1/sync", json_body=queue(district, number, **size), token=token)


def _returning(district: District, crew: Sequence[str], phones: int) -> list[list[bytes]]:
    """Return the queues of so many phones, each of another person on a reach of her own, for as many connections as come at once."""
    queues = (queue(district, 10_000 + number, points=120, check_ins=2, issues=0, reach=number) for number in range(phones))
    made = [request_bytes("POST", "/api/v1/sync", token=token, json_body=body) for token, body in zip(crew, queues, strict=False)]
    return [made[client::PHONES_AT_ONCE] for client in range(PHONES_AT_ONCE)]


def _day(engine: str, district: District, ours: Server) -> Iterator[Row]:
    """Let one phone alone send days' queues: what is measured is the server's time, not the waiting of many."""
    made = [[[_sync(district, turn * 10 + number, points=720, check_ins=12, issues=3) for number in range(QUEUES_EACH)]] for turn in range(ROUNDS + 1)]
    ours.run(made[0])
    costs = [ours.run(requests) for requests in made[1:]]
    what = f"a day's queue in one request (720 fixes, 12 check-ins, 3 issues), {engine}"
    yield Row(what, measured((cost.p50_ms for cost in costs), "ms"), most=60)
    yield Row(f"{what}: server CPU", measured((cost.cpu_ms for cost in costs), "ms"), most=60)


def _storm(engine: str, place: Site, district: District, crew: Sequence[str], ours: Server) -> Iterator[Row]:
    """Let all phones come back at once, as many connections as the machine's share of them; then count what is there."""
    before = _stored(place)
    cost, total = ours.run(_returning(district, crew, PHONES), expected=frozenset({200})), PHONES
    found = [after - there for there, after in zip(before, _stored(place), strict=True)]
    lost = sum(wanted - number for wanted, number in zip((total, total, 2 * total, 120 * total), found, strict=True))
    what = f"{total:,} phones at once, {engine}"
    yield Row(f"{what}: things lost", measured([lost], "things"), most=0)
    yield Row(f"{what}: phones served", measured([cost.rate], "/s"))
    yield Row(f"{what}: p99", measured([cost.p99_ms], "ms"), note=f"{PHONES_AT_ONCE} connections")
    yield Row(f"{what}: memory of the web processes", measured([ours.memory_mb()], "MiB"))


def _drain(engine: str, place: Site, district: District, crew: Sequence[str], ours: Server) -> Iterator[Row]:
    """Let some phones come back at once, and one worker examine all that they brought, and whom these examinations ask for."""
    phones = DRAINED_FULL if os.environ.get("BENCH_SIZE") == "full" else DRAINED
    with place.application():
        _worked_off()
    ours.run(_returning(district, crew, phones), expected=frozenset({200}))
    with place.application():
        before = _examinations()
        took_s = _worked_off()
        left, stuck = outbox.pending_and_stuck()
        asked = (_examinations() - before) / phones
    what = f"{phones:,} phones at once, {engine}: the worker's queue"
    yield Row(f"{what} is empty again after", measured([took_s], "s"), note=f"{took_s / phones * 1000:.0f} ms a phone; waited for {LONGEST_DRAIN_S:,.0f} s at most")
    yield Row(f"{what}: left in it", measured([left + stuck], "rows"), most=0)
    yield Row(f"{what}: examinations asked for by examinations", measured([asked], "a patrol"))


def _worked_off() -> float:
    """Let the worker do what is due until nothing is, or for so long; return the seconds."""
    began = time.monotonic()
    while worker.deliver_due(50) and time.monotonic() - began < LONGEST_DRAIN_S:
        pass
    return time.monotonic() - began


def _examinations() -> int:
    return db.session.scalar(select(func.count()).where(OutboxRow.kind == EXAMINE)) or 0


def _stored(place: Site) -> list[int]:
    """Return how many patrols, batches, check-ins and fixes there are."""
    with place.application():
        counts = [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (Patrol, TrackBatch, CheckIn)]
        return [*counts, db.session.scalar(select(func.sum(TrackBatch.count))) or 0]

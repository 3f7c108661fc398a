"""Suggestions of the same trouble among many issues: the public's before sending, and the office's search, as whole requests."""

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select

from patrol.foundation.database import db
from patrol.issues.models import Issue
from tests.bench.issue_lists import statements, write_plans
from tests.bench.issue_rows import load_issues
from tests.bench.registers import load_district
from tests.bench.servers import site
from tests.bench.table import Measure, Row, measured

REACHES, PLACES, ROUNDS = 4_000, 60, 5
SIZES = {"postgresql": (100_000,), "sqlite": (100_000,)}
FULL_SIZES = {"postgresql": (100_000, 1_000_000), "sqlite": (100_000,)}
MOST_MS = 10
# The most frequent one, one with a wide radius, a rare one.
CATEGORIES = ("C1", "B6", "A41")


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure both at every size on every engine; `BENCH_ISSUES` names other sizes, separated by commas."""
    named = tuple(int(size) for size in os.environ.get("BENCH_ISSUES", "").split(",") if size)
    usual = FULL_SIZES if os.environ.get("BENCH_SIZE") == "full" else SIZES
    for engine in sorted(engines):
        with site(engine) as place, place.application() as app:
            district = load_district(REACHES)
            for size in named or usual[engine]:
                started = time.monotonic()
                load_issues(district, size)
                print(f"{size:,} issues loaded into {engine} in {time.monotonic() - started:.0f} s", flush=True)
                yield from _measured(app, engine, size, district.tokens["office"])


def _measured(app: Flask, engine: str, size: int, token: str) -> Iterator[Row]:
    for category in CATEGORIES:
        # Where such a trouble is open already, so that there is something to find.
        there = select(Issue.latitude, Issue.longitude).where(Issue.state == "dispatched", Issue.category == category)
        places = db.session.execute(there.limit(PLACES)).all()
        addresses = [
            "/api/v1/public/nearby?" + urlencode({"latitude": latitude, "longitude": longitude, "category": category})
            for latitude, longitude in places
        ]
        what = f"{engine}, {size:,} issues: suggestions for {category}"
        yield _row(app, what, addresses, {}, most=MOST_MS if engine == "postgresql" else None)
    newest = select(Issue.id).where(Issue.state == "submitted").order_by(Issue.received_at.desc()).limit(PLACES)
    addresses = [f"/api/v1/issues/{issue_id}/duplicates" for issue_id in db.session.scalars(newest)]
    db.session.rollback()
    yield _row(
        app, f"{engine}, {size:,} issues: the office's search", addresses, {"Authorization": f"Bearer {token}"},
        most=None,
    )  # fmt: skip


def _row(app: Flask, what: str, addresses: Sequence[str], headers: dict[str, str], *, most: float | None) -> Row:
    client = app.test_client()

    def ask(address: str) -> Any:
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    found = statistics.mean(len(ask(address)["items"]) for address in addresses)
    times, cpu = [], []
    for address, _ in zip(cycle(addresses), range(ROUNDS * len(addresses)), strict=False):
        started, began = time.perf_counter(), time.process_time()
        ask(address)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - began) * 1000)
    with statements() as seen:
        ask(addresses[0])
    write_plans(what, seen)
    p99 = sorted(times)[int(len(times) * 0.99)]
    ours = Measure(statistics.median(times), min(times), p99, "ms")
    return Row(what, ours, most=most, note=f"to p99; {found:.1f} found on average, CPU {measured(cpu, 'ms').median:.1f} ms, {len(seen)} statements")

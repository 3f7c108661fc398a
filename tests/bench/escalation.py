"""The sweep that lets late issues climb: so many are due among growing numbers of issues, and then none is."""

import os
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import text

from patrol.foundation import clock
from patrol.foundation.database import db
from patrol.issues.due import CLOCK_RUNS
from patrol.issues.escalating import escalate_all_due
from tests.bench.issue_lists import statements, write_plans
from tests.bench.issue_rows import load_issues
from tests.bench.registers import load_district
from tests.bench.servers import site
from tests.bench.table import Measure, Row, measured

REACHES, DUE = 4_000, 10_000
SIZES = {"postgresql": (10_000, 100_000), "sqlite": (10_000,)}
FULL_SIZES = {"postgresql": (10_000, 100_000, 1_000_000), "sqlite": (10_000, 100_000)}
MOST_S, MOST_GROWTH, IDLE_ROUNDS = 10, 1.5, 11


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Sweep at every size; the target is PostgreSQL's at 1,000,000 issues, and that the cost grows with the due ones."""
    sizes = FULL_SIZES if os.environ.get("BENCH_SIZE") == "full" else SIZES
    for engine in sorted(engines):
        with site(engine) as place, place.application():
            district, least = load_district(REACHES), None
            for size in sizes[engine]:
                load_issues(district, size)
                _let_be_due(min(DUE, size))
                swept, asked = _sweep()
                least = least or swept
                yield Row(
                    f"{engine}, {size:,} issues, {min(DUE, size):,} due: the sweep", swept, least, f"at {sizes[engine][0]:,} issues",
                    most=MOST_S, most_ratio=MOST_GROWTH, note=f"{asked / min(DUE, size):.2f} statements a rung")
                yield Row(f"{engine}, {size:,} issues, none due: the sweep", _idle(f"{engine}-{size}"), most=20)


def _let_be_due(number: int) -> None:
    """Let so many issues be due since a minute; the other running ones climb later, and what has ended never."""
    now = clock.now()
    due, later = now - timedelta(minutes=1), now + timedelta(days=30)
    states = ", ".join(f"'{state.value}'" for state in CLOCK_RUNS)
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE issues SET next_escalation_at = :later WHERE state IN ({states})"), {"later": _as_stored(later)})
        # Every so many-th, so that they lie about the table as they would.
        connection.execute(text(
            "UPDATE issues SET state = 'in_progress', due_at = :due, next_escalation_at = :due, closed_at = NULL "
            "WHERE serial % ((SELECT count(*) FROM issues) / :number) = 0"), {"due": _as_stored(due), "number": number})
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if db.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def _as_stored(moment: object) -> object:
    return moment if db.engine.dialect.name != "sqlite" else f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _sweep() -> tuple[Measure, int]:
    with statements() as seen:
        began = time.perf_counter()
        escalate_all_due()
        return measured([time.perf_counter() - began], "s"), len(seen)


def _idle(name: str) -> Measure:
    times = []
    for _ in range(IDLE_ROUNDS):
        with statements() as seen:
            began = time.perf_counter()
            assert escalate_all_due() == 0
            times.append((time.perf_counter() - began) * 1000)
    write_plans(f"escalation-{name}", seen)
    return measured(times, "ms")

"""Lists of issues at growing sizes: whole requests in this process, first page and 200th, with each filter."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import event

from patrol.foundation import clock
from patrol.foundation.database import db
from tests.bench.issue_rows import RARE_WORD, load_issues
from tests.bench.registers import CODE, District, load_district
from tests.bench.servers import ROOT, site
from tests.bench.table import Measure, Row, measured

REACHES = 4_000
SIZES = {"postgresql": (10_000, 100_000), "sqlite": (100_000,)}
FULL_SIZES = {"postgresql": (10_000, 100_000, 1_000_000), "sqlite": (10_000, 100_000)}
PAGE, DEEP_PAGE, MOST_MS, MOST_GROWTH = 50, 200, 20, 1.5
# Each figure is repeated so often, but not longer than so many seconds.
REPEATS, PATIENCE_S, WALK_PATIENCE_S = 11, 0.8, 8.0


@dataclass(frozen=True)
class Page:
    """One page of a list: the time it takes, the CPU of this process, and how many rows it shows.

    `compared` is the time of what the page among the fewest issues is compared with: of a page of as many rows as that one.
    """

    time: Measure
    cpu: Measure
    n_rows: int
    compared: Measure


@dataclass(frozen=True)
class Asked:
    """One list in its two places, the row before the deep one, and the statements for a page of 1 and of 50."""

    first: Page
    deep: Page
    deep_row: int
    queries: tuple[int, int]


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure every size on every engine; PostgreSQL's growth between the smallest and the largest has a target."""
    sizes = FULL_SIZES if os.environ.get("BENCH_SIZE") == "full" else SIZES
    for engine in sorted(engines):
        with site(engine) as place, place.application() as app:
            district = load_district(REACHES)
            found: dict[int, dict[str, Asked]] = {}
            counted: dict[int, dict[str, tuple[Measure, Measure]]] = {}
            for size in sizes[engine]:
                started = time.monotonic()
                load_issues(district, size)
                print(f"{size:,} issues loaded into {engine} in {time.monotonic() - started:.0f} s", flush=True)
                least = found.get(min(found, default=size), {})
                found[size] = {name: ask(app, engine, size, name, least.get(name), *question) for name, question in questions(district).items()}
                counted[size] = {name: count(app, engine, size, name, token) for name, token in counters(district).items()}
            yield from _told(engine, found)
            yield from _told_counts(engine, counted)


def questions(district: District) -> dict[str, tuple[str, dict[str, str]]]:
    """Return by name who asks (a token) and with which filters: each of the contract, and what offices ask together."""
    office, township, chief = (district.tokens[name] for name in ("office", f"office{CODE}001", f"chief{CODE}001001"))
    now = clock.now()
    west, south = 119.0, 29.0
    filters = {
        "no filter": {}, "state": {"state": "submitted"}, "state=closed": {"state": "closed"},
        "open states": {"state": "submitted,accepted,dispatched,in_progress,rectified,verified"},
        "source": {"source": "cepi"}, "category": {"category": "B2"}, "category group": {"category": "A"},
        "severity": {"severity": "major"}, "region (township)": {"region": f"{CODE}002"},
        "region (village)": {"region": f"{CODE}002003"}, "reach": {"reach": "V000123"},
        "assigned_to": {"assigned_to": str(district.chief_ids[7])}, "overdue": {"overdue": "true"},
        "not overdue": {"overdue": "false"}, "due_before": {"due_before": now.isoformat()},
        "created_after": {"created_after": (now - timedelta(days=30)).isoformat()},
        "created_before": {"created_before": (now - timedelta(days=365)).isoformat()},
        "bbox": {"bbox": f"{west},{south},{west + 0.4},{south + 0.4}"}, "q (often)": {"q": "漂浮垃圾"},
        "q (rare)": {"q": RARE_WORD}, "q (number)": {"q": "XH0004711"}, "q (nothing)": {"q": "恐龙化石"},
        "order=oldest": {"order": "oldest"}, "order=due": {"order": "due"}, "order=-due": {"order": "-due"},
        "overdue by due": {"overdue": "true", "order": "due"},
    }  # fmt: skip
    asked = {name: (office, values) for name, values in filters.items()}
    return asked | {
        "a township's office": (township, {}),
        "a township's office, open": (township, filters["open states"]),
        "a township's office, category": (township, filters["category"]),
        "a village chief": (chief, {}), "a village chief, mine": (chief, {"assigned_to": "me"}),
        "a village chief, list=mine_today": (chief, {"list": "mine_today"}),
        "list=waiting_for_me": (office, {"list": "waiting_for_me"}), "list=late_below_me": (office, {"list": "late_below_me"}),
        "a township's office, list=waiting_for_me": (township, {"list": "waiting_for_me"}),
        "a township's office, list=late_below_me": (township, {"list": "late_below_me"}),
    }  # fmt: skip


def counters(district: District) -> dict[str, str]:
    """Return by name the tokens of those who ask for the counts of all their lists at once."""
    names = {"the district's office": "office", "a supervisor": "supervisor", "a township's office": f"office{CODE}001",
             "a township's chief": f"chief{CODE}001", "a village chief": f"chief{CODE}001001"}  # fmt: skip
    return {name: district.tokens[username] for name, username in names.items()}


def ask(app: Flask, engine: str, size: int, name: str, least: Asked | None, token: str, filters: dict[str, str]) -> Asked:
    """Measure one list beside what it was among the fewest issues; one that is too slow leaves its plan in the results folder."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def page(limit: int, cursor: str | None = None) -> dict[str, Any]:
        values = filters | {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/api/v1/issues?" + urlencode(values), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def taken(at: str | None, before: Page | None) -> Page:
        n_rows = len(page(PAGE, at)["items"])
        whole, cpu = _timed(page, PAGE, at)
        if whole.median > MOST_MS:
            with statements() as seen:
                page(PAGE, at)
            write_plans(f"{engine}-{size}-{name}-{'deep' if at else 'first'}", seen)
        # Among few issues a filter may leave three rows: three are compared with three, not with a page of fifty.
        compared = _timed(page, max(1, before.n_rows), at)[0] if before and before.n_rows != n_rows else whole
        return Page(whole, cpu, n_rows, compared)

    page(PAGE)
    counts = []
    for limit in (1, PAGE):
        with statements() as seen:
            page(limit)
        counts.append(len(seen))
    cursor, row = _walk(page)
    first = taken(None, least and least.first)
    return Asked(first, taken(cursor, least and least.deep) if cursor else first, row, (counts[0], counts[1]))


def count(app: Flask, engine: str, size: int, name: str, token: str) -> tuple[Measure, Measure]:
    """Measure the counts of all lists of somebody's roles, asked for at once: the time and the CPU of this process."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def ask_once() -> None:
        answer = client.get("/api/v1/issues/lists", headers=headers)
        assert answer.status_code == 200, answer.text

    ask_once()
    found = _timed(ask_once)
    if found[0].median > MOST_MS:
        with statements() as seen:
            ask_once()
        write_plans(f"{engine}-{size}-counts-{name}", seen)
    return found


def _timed(ask_once: Callable[..., Any], *args: Any) -> tuple[Measure, Measure]:
    times, cpu, end = [], [], time.monotonic() + PATIENCE_S
    while len(times) < REPEATS and (len(times) < 3 or time.monotonic() < end):
        started, began = time.perf_counter(), time.process_time()
        ask_once(*args)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - began) * 1000)
    return measured(times, "ms"), measured(cpu, "ms")


def _walk(page: Any) -> tuple[str | None, int]:
    """Return the cursor before row 9,950, or the last one that there is or that can be reached in the time."""
    cursor, row, end = None, 0, time.monotonic() + WALK_PATIENCE_S
    while row < (DEEP_PAGE - 1) * PAGE and time.monotonic() < end:
        following = page(min(200, (DEEP_PAGE - 1) * PAGE - row), cursor)
        if following["next"] is None:
            break
        cursor, row = following["next"], row + len(following["items"])
    return cursor, row


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements of the block with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "EXPLAIN")):
            seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def write_plans(name: str, seen: list[tuple[str, Any]]) -> None:
    """Leave the database's plans of statements in the results folder."""
    explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS) "
    parts = []
    for statement, parameters in seen:
        lines = db.session.connection().exec_driver_sql(explain + statement, parameters).all()
        parts += [statement, repr(parameters), *(str(line[-1]) for line in lines), ""]
    db.session.rollback()
    folder = ROOT / "bench-results" / "plans"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.replace(' ', '_').replace('/', '-')}.txt").write_text("\n".join(parts), encoding="utf-8")


def _told(engine: str, found: dict[int, dict[str, Asked]]) -> Iterator[Row]:
    smallest = min(found)
    for size, answers in found.items():
        for name, asked in answers.items():
            least, what = found[smallest][name], f"{engine}, {size:,} issues, {name}"
            end = "" if asked.deep_row >= (DEEP_PAGE - 1) * PAGE else f"; the list ends or was left after row {asked.deep_row:,}"
            yield from _page_rows(f"{what}: first page", asked.first, size > smallest and least.first, size)
            yield from _page_rows(f"{what}: 200th page", asked.deep, size > smallest and least.deep, size, end)
    for size, answers in found.items():
        differing = [name for name, asked in answers.items() if asked.queries[0] != asked.queries[1]]
        one, many = (measured([statistics.median(asked.queries[at] for asked in answers.values())], "queries") for at in (0, 1))
        yield Row(f"{engine}, {size:,} issues: statements for a page of 50", many, one, "for a page of 1", most_ratio=1,
                  note=f"not for {differing}" if differing else "")


def _told_counts(engine: str, counted: dict[int, dict[str, tuple[Measure, Measure]]]) -> Iterator[Row]:
    smallest = min(counted)
    for size, answers in counted.items():
        for name, (ours, cpu) in answers.items():
            what, least = f"{engine}, {size:,} issues, counts of all lists, {name}", size > smallest and counted[smallest][name][0]
            yield _list_row(what, ours, cpu, least, None)


def _page_rows(what: str, page: Page, least: Page | Literal[False], size: int, note: str = "") -> Iterator[Row]:
    growth = MOST_GROWTH if size == 1_000_000 else None
    is_like = least and least.n_rows == page.n_rows
    row = _list_row(what, page.time, page.cpu, is_like and least and least.time, growth)
    yield replace(row, note=f"{row.note}; {page.n_rows} rows{note}")
    if least and not is_like:
        yield Row(f"{what}, but {max(1, least.n_rows)} rows", page.compared, least.time, "at the smallest size, which has no more", most_ratio=growth)


def _list_row(what: str, ours: Measure, cpu: Measure, least: Measure | Literal[False], growth: float | None) -> Row:
    if least is False:
        return Row(what, ours, most=MOST_MS, note=f"CPU {cpu.median:.1f} ms")
    return Row(what, ours, least, "at the smallest size", most=MOST_MS, most_ratio=growth, note=f"CPU {cpu.median:.1f} ms")

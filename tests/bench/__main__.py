"""`make bench`: measure everything side by side in one run, and print one table.

`python -m tests.bench routing photos` runs only these parts. `BENCH_SIZE=full` adds the list of 1,000,000 issues.
"""

import importlib.metadata
import os
import platform
import sqlite3
import sys
import time

from tests.bench import (
    check_ins,
    coverage,
    duplicates,
    escalation,
    examination,
    exports,
    integrity,
    issue_lists,
    others,
    photos,
    requests,
    routing,
    tracks,
)
from tests.bench.servers import ROOT, SERVER_URL, engines
from tests.bench.table import Table

PARTS = {
    "routing": ("Routing", routing.rows),
    "check_ins": ("Check-ins over HTTP", check_ins.rows),
    "tracks": ("Tracks and phones' queues", tracks.rows),
    "coverage": ("Coverage of simulated walks", coverage.rows),
    "integrity": ("Integrity of patrols", integrity.rows),
    "examination": ("Examination of a patrol", examination.rows),
    "photos": ("Photos", photos.rows),
    "requests": ("Single requests over HTTP", requests.rows),
    "duplicates": ("Suggestions of duplicates", duplicates.rows),
    "issue_lists": ("Lists of issues", issue_lists.rows),
    "escalation": ("Escalation", escalation.rows),
    "exports": ("Exports", exports.rows),
    "others": ("Beside Signalen and ODK Central", others.rows),
}
# Needs servers that this program does not start: it runs only where it is named.
BY_NAME_ONLY = {"others"}


def facts(found: list[str]) -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    versions = ("flask", "sqlalchemy", "psycopg", "shapely", "pillow", "gunicorn", "marshmallow")
    told = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at start",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {importlib.metadata.version(name)}" for name in versions)]
        ),
        "databases": f"SQLite {sqlite3.sqlite_version}" + (f", {_server_version()}" if "postgresql" in found else ""),
    }
    return told | {"size": os.environ.get("BENCH_SIZE", "default")}


def _server_version() -> str:
    import psycopg

    with psycopg.connect(SERVER_URL) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"


def main(wanted: list[str]) -> int:
    """Run the wanted parts (default: all that need nothing else); figures below target are told, but are no error: a machine may be busy."""
    if unknown := set(wanted) - PARTS.keys():
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    found, started = engines(), time.monotonic()
    table = Table(facts(found))
    for name in wanted or [part for part in PARTS if part not in BY_NAME_ONLY]:
        heading, rows = PARTS[name]
        print(f"\n== {heading}", flush=True)
        table.add(heading, rows(found))
        table.write(ROOT / "bench-results")
    print(f"\n{table.as_markdown()}\n{time.monotonic() - started:.0f} s; written to bench-results/")
    if table.missed:
        print("below target:", *table.missed, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the proofs of what this software promises: one line each, exit 1 when one fails.

    python -m tests.soak [--scale 0.1] [--only R1,I1] [--engine sqlite] [--seed 1]
"""

import argparse
import os
import signal
import sys
import time
import traceback

import sqlalchemy as sa

from tests.soak import (  # noqa: F401 - they register themselves
    canary,
    crash,
    fuzz_api,
    history,
    images,
    json_bodies,
    naughty,
    racing,
    raw_http,
    sweeping,
    syncing,
    uploads,
    walk,
)
from tests.soak.proof import PROOFS, Outcome, Setup, prove, some

DEFAULT_POSTGRESQL = "postgresql://postgres@127.0.0.1/postgres"


def postgresql_url() -> str | None:
    """Return the server to use: the one set, else the one on this machine when it answers."""
    if url := os.environ.get("XUNHE_TEST_DATABASE_URL"):
        return url
    engine = sa.create_engine(DEFAULT_POSTGRESQL, connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return DEFAULT_POSTGRESQL
    except sa.exc.OperationalError:
        return None
    finally:
        engine.dispose()


def run(code: str, setup: Setup) -> bool:
    """Run one proof and print its line, and its faults below; return whether it holds."""
    began = time.monotonic()
    try:
        outcome = prove(code, setup)
    except Exception:  # noqa: BLE001 - a proof that cannot be carried out has failed, the others still run
        outcome = Outcome({"runs": 0}, [traceback.format_exc()])
    print(f"{outcome.line(code, setup.engine)} ({time.monotonic() - began:.0f} s)", flush=True)
    for fault in some(outcome.faults):
        print(f"    {fault}", flush=True)
    return not outcome.faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is the whole")
    parser.add_argument("--only", default="", help="codes, separated by commas")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="one engine; both by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--untimed", action="store_true", help="do not hold the proofs to their time limits")
    chosen = parser.parse_args()
    codes = [code for code in chosen.only.split(",") if code] or list(PROOFS)
    if unknown := [code for code in codes if code not in PROOFS]:
        parser.error(f"no such proofs: {unknown}; there are {list(PROOFS)}")
    server = postgresql_url()
    engines = [engine for engine in ("sqlite", "postgresql") if chosen.engine in {None, engine}]
    if "postgresql" in engines and server is None:
        print("postgresql: no server answers, set XUNHE_TEST_DATABASE_URL", flush=True)
        if os.environ.get("CI") == "true" or chosen.engine == "postgresql":
            return 1
        engines.remove("postgresql")
    # Told to stop, the proof under way still removes its processes and its database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    held = [
        run(code, Setup(engine, server or "", chosen.scale, chosen.seed, timed=not chosen.untimed))
        for code in codes for engine in engines
    ]
    print(f"{sum(held)} of {len(held)} held", flush=True)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())

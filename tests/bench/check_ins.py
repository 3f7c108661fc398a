"""Check-ins without photos over HTTP, beside a bare view that writes one row to the same kind of database."""

from collections.abc import Iterator, Sequence
from typing import Any

from patrol.foundation import clock
from patrol.foundation.database import new_id
from tests.bench.clients import request_bytes
from tests.bench.registers import CLIENTS, District, load_district
from tests.bench.servers import Cost, site, web_server
from tests.bench.table import Row, alternating, measured

REACHES, ROUNDS, REQUESTS_EACH = 4_000, 5, 150


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure on every engine of the run."""
    for engine in engines:
        yield from on_engine(engine)


def on_engine(engine: str) -> Iterator[Row]:
    """Let the two servers stand beside each other and work by turns."""
    with site(engine) as place:
        with place.application():
            district = load_district(REACHES)
        with web_server(place) as ours, web_server(place, "tests.bench.bare_app:app") as bare:
            ours.run(check_ins(district, 20)), bare.run(bare_rows(district, 20))
            found = alternating(ROUNDS, {
                "ours": lambda: ours.run(check_ins(district, REQUESTS_EACH)),
                "bare": lambda: bare.run(bare_rows(district, REQUESTS_EACH)),
            })  # fmt: skip
    yield from compared(f"check-in without photo, {engine}", found["ours"], found["bare"], "bare insert view")


def compared(what: str, ours: Sequence[Cost], bare: Sequence[Cost], against: str) -> Iterator[Row]:
    """Return the rows that the target of a check-in speaks of."""
    yield Row(
        f"{what}: requests", measured((cost.rate for cost in ours), "/s"), measured((cost.rate for cost in bare), "/s"),
        against, least_ratio=0.5,
    )  # fmt: skip
    yield Row(
        f"{what}: server CPU", measured((cost.cpu_ms for cost in ours), "ms"),
        measured((cost.cpu_ms for cost in bare), "ms"), against, most_ratio=2,
    )  # fmt: skip
    for name in ("p50_ms", "p99_ms"):
        yield Row(
            f"{what}: {name[:3]}", measured((getattr(cost, name) for cost in ours), "ms"),
            measured((getattr(cost, name) for cost in bare), "ms"), against,
        )  # fmt: skip


def check_in_body(latitude: float, longitude: float) -> dict[str, Any]:
    """Return what a phone sends."""
    return {
        "recorded_at": clock.now().isoformat(), "latitude": latitude, "longitude": longitude, "accuracy_m": 8.0,
        "datum": "wgs84", "checklist": {"water": "normal", "surface": "abnormal"}, "note": "桥下有少量漂浮物",
    }  # fmt: skip


def check_ins(district: District, each: int) -> list[list[bytes]]:
    """Return the requests of every client: one patroller each, places on any river, a new id for each check-in."""
    places = iter(district.places(CLIENTS * each, seed=new_id().int % 1_000_000))
    return [
        [
            request_bytes("PUT", f"/api/v1/check-ins/{new_id()}", json_body=check_in_body(*next(places)),
                          token=district.tokens[f"patroller{client}"])
            for _ in range(each)
        ]
        for client in range(CLIENTS)
    ]  # fmt: skip


def bare_rows(district: District, each: int) -> list[list[bytes]]:
    """Return the same content for the bare view."""
    places = iter(district.places(CLIENTS * each))
    return [
        [request_bytes("PUT", f"/rows/{new_id()}", json_body=check_in_body(*next(places))) for _ in range(each)]
        for _ in range(CLIENTS)
    ]

"""The requests of the main loop, one by one over HTTP: what each costs the server, and what the whole service holds."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from patrol.foundation.database import new_id
from tests.bench.check_ins import bare_rows
from tests.bench.clients import Caller, request_bytes
from tests.bench.issue_rows import load_issues
from tests.bench.registers import CLIENTS, District, load_district
from tests.bench.servers import Server, memory_mb, site, web_server
from tests.bench.table import Row, alternating, measured

REACHES, ISSUES, ROUNDS, REQUESTS_EACH = 4_000, 100_000, 5, 40
# About 1 % of the issues: a hundredth of the province's 4 × 4 degrees, over which they are spread evenly.
BOX = "119.2,28.8,119.6,29.2"
TARGETS_MS = {"issue": 7, "complaint": 7, "step": 6, "verify": 15, "box": 15, "show": 5, "responsible": 5}
NAMES = {
    "issue": "report an issue (JSON, routed, history, outbox)", "complaint": "send a complaint (JSON, routed, contact sealed)",
    "step": "one lifecycle step (accept)", "verify": "one verify (history, outbox)", "show": "GET /issues/{id}", "responsible": "GET /responsible",
    "box": "issues in a box as GeoJSON", "bare": "bare insert view",
}  # fmt: skip
Requests = list[list[bytes]]


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure on PostgreSQL when there, else on SQLite; the targets are PostgreSQL's."""
    engine = engines[-1]
    with site(engine) as place:
        with place.application():
            district = load_district(REACHES)
            load_issues(district, ISSUES)
        with web_server(place, XUNHE_BACKGROUND="1") as ours, web_server(place, "tests.bench.bare_app:app") as bare:
            yield from _costs(engine, district, ours, bare)
            own_mb = ", ".join(f"{process.name()} {memory_mb([process]):.0f}" for process in ours.family())
            yield Row(
                f"whole service after it: web master, 2 workers, background worker, {engine}", measured([ours.memory_mb()], "MiB"),
                most=350, note=f"each with its share: {own_mb} MiB",
            )  # fmt: skip


def _costs(engine: str, district: District, ours: Server, bare: Server) -> Iterator[Row]:
    made = Reports(district, ours)
    kinds: dict[str, Callable[[], Requests]] = {
        "issue": made.reports, "complaint": made.complaints, "step": made.steps, "verify": made.verifications, "show": made.reads,
        "responsible": made.questions, "box": made.boxes,
    }  # fmt: skip
    for make in kinds.values():
        ours.run(make())
    parts = {name: lambda make=make: ours.run(make()) for name, make in kinds.items()}
    found = alternating(ROUNDS, {**parts, "bare": lambda: bare.run(bare_rows(district, REQUESTS_EACH))})
    yardstick = measured((cost.cpu_ms for cost in found["bare"]), "ms")
    for name in kinds:
        note = f"{made.features} issues" if name == "box" else ""
        yield Row(f"{NAMES[name]}, {engine}: server CPU", measured((cost.cpu_ms for cost in found[name]), "ms"), yardstick,
                  NAMES["bare"], most=TARGETS_MS[name], note=note)
    for name in ("show", "responsible"):
        alone = [ours.run(kinds[name]()[:1]).p50_ms for _ in range(ROUNDS)]
        yield Row(f"{NAMES[name]}, {engine}: one client's waiting time", measured(alone, "ms"), most=TARGETS_MS[name])


class Reports:
    """Makes the requests; issues for steps and reads are reported beforehand, so that each is taken once."""

    def __init__(self, district: District, server: Server) -> None:
        self._district, self._server = district, server
        self._patroller, self._office = district.tokens["patroller0"], district.tokens["office"]
        self._seed, self.features = 0, 0

    def _places(self, count: int) -> Iterator[tuple[float, float]]:
        self._seed += 1
        return iter(self._district.places(count, seed=self._seed))

    def _each(self, make: Callable[[float, float], bytes]) -> Requests:
        places = self._places(CLIENTS * REQUESTS_EACH)
        return [[make(*next(places)) for _ in range(REQUESTS_EACH)] for _ in range(CLIENTS)]

    def reports(self) -> Requests:
        """Issues as a patroller raises them: general ones go straight to the chief."""
        return self._each(self._report)

    def _report(self, latitude: float, longitude: float, **more: Any) -> bytes:
        body = {"id": str(new_id()), **_trouble(latitude, longitude), **more}
        return request_bytes("POST", "/api/v1/issues", json_body=body, token=self._patroller)

    def complaints(self) -> Requests:
        """Complaints of citizens who leave a telephone number."""
        return self._each(lambda latitude, longitude: request_bytes("POST", "/api/v1/public/complaints", json_body={
            **_trouble(latitude, longitude), "contact": {"name": "李女士", "phone": "13800000000"}}))  # fmt: skip

    def _waiting(self) -> list[dict[str, Any]]:
        """Report issues that wait for the office, and return them."""
        caller, found = Caller(self._server.port), []
        for latitude, longitude in self._places(CLIENTS * REQUESTS_EACH):
            found.append(json.loads(caller.send(self._report(latitude, longitude, severity="serious"))[2]))
        caller.close()
        return found

    def steps(self) -> Requests:
        """The office accepts issues, each once."""
        return dealt(
            request_bytes("POST", f"/api/v1/issues/{issue['id']}/accept", json_body={"note": "情况属实,予以受理"},
                          token=self._office, If_Match=f'"{issue["version"]}"')
            for issue in self._waiting()
        )  # fmt: skip

    def verifications(self) -> Requests:
        """The office verifies what was rectified, each once: those that were leave the list."""
        found = self._listed(state="rectified")[:CLIENTS * REQUESTS_EACH // 4]
        return dealt(
            request_bytes("POST", f"/api/v1/issues/{issue['id']}/verify", json_body={"note": "现场已清理"},
                          token=self._office, If_Match=f'"{issue["version"]}"')
            for issue in found
        )  # fmt: skip

    def _listed(self, **filters: str) -> list[dict[str, Any]]:
        path = "/api/v1/issues?" + urlencode({"limit": 200, "order": "oldest", **filters})
        _, _, body = Caller(self._server.port).send(request_bytes("GET", path, token=self._office))
        found: list[dict[str, Any]] = json.loads(body)["items"]
        return found

    def reads(self) -> Requests:
        """The office opens issues."""
        ids = [issue["id"] for issue in self._listed()]
        return dealt(
            request_bytes("GET", f"/api/v1/issues/{ids[number % len(ids)]}", token=self._office)
            for number in range(CLIENTS * REQUESTS_EACH)
        )  # fmt: skip

    def questions(self) -> Requests:
        """Staff ask who answers for a place."""
        return self._each(lambda latitude, longitude: request_bytes(
            "GET", f"/api/v1/responsible?latitude={latitude}&longitude={longitude}&accuracy_m=8", token=self._office))

    def boxes(self) -> Requests:
        """The office looks at a part of the map."""
        request = request_bytes("GET", f"/api/v1/issues.geojson?bbox={BOX}", token=self._office)
        _, _, body = Caller(self._server.port).send(request)
        self.features = len(json.loads(body)["features"])
        return [[request] * (REQUESTS_EACH // 4) for _ in range(CLIENTS)]


def _trouble(latitude: float, longitude: float) -> dict[str, Any]:
    return {"category": "C1", "description": "桥下漂着成片的生活垃圾,约十平方米", "latitude": latitude, "longitude": longitude,
            "accuracy_m": 8.0, "datum": "wgs84"}  # fmt: skip


def dealt(requests: Iterable[bytes]) -> Requests:
    """Deal the requests out to the clients."""
    dealt: Requests = [[] for _ in range(CLIENTS)]
    for number, request in enumerate(requests):
        dealt[number % CLIENTS].append(request)
    return dealt

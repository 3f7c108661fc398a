"""Our server beside Signalen and ODK Central, by turns: a report, a change of its status, a page of the list, a box of the map.

Neither is started here. Whoever runs one (docs/benchmarks.md tells how) tells by the environment where it listens on this
machine, which token opens it and which processes do its work: BENCH_SIGNALEN=http://127.0.0.1:PORT, BENCH_SIGNALEN_TOKEN
and BENCH_SIGNALEN_PIDS=1,2; for ODK Central BENCH_ODK and so on. BENCH_REPORTS is how many reports lie in each beforehand.
"""

import json
import math
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import psutil

from patrol.foundation import clock
from patrol.foundation.database import new_id
from tests.bench.clients import Caller, request_bytes, run_clients
from tests.bench.issue_rows import load_issues
from tests.bench.registers import CLIENTS, District, load_district
from tests.bench.requests import REACHES, ROUNDS, Reports, Requests, dealt
from tests.bench.servers import Cost, Server, site, web_server
from tests.bench.table import Row, alternating, measured

REPORTS = int(os.environ.get("BENCH_REPORTS", "10000"))
WRITES_EACH, READS_EACH, PAGE, IN_BOX = 20, 10, 100, 1_000
TROUBLE = "桥下漂着成片的生活垃圾,约十平方米"
WHAT = {"report": "a report", "status": "a status change", "list": f"first {PAGE} of the list", "box": "a box as GeoJSON"}
Work = Mapping[str, Callable[[], Requests]]


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure beside each of the two that the environment tells of; without any there is nothing to measure."""
    told = {name: make for name, make in NEIGHBOURS.items() if _is_told(name)}
    if not told:
        return
    with site(engines[-1]) as place:
        with place.application():
            district = load_district(REACHES)
            load_issues(district, REPORTS)
        with web_server(place, XUNHE_BACKGROUND="1") as ours:
            yield from _beside(district, ours, {name: make(district) for name, make in told.items()})


def _is_told(name: str) -> bool:
    variables = (f"BENCH_{name}", f"BENCH_{name}_PIDS")
    if missing := [variable for variable in variables if not os.environ.get(variable)]:
        print(f"{name}'s rows are left out: {' and '.join(missing)} not set (docs/benchmarks.md)", flush=True)
    return not missing


def _beside(district: District, ours: Server, others: Mapping[str, "Neighbour"]) -> Iterator[Row]:
    works: dict[str, tuple[Server, Work]] = {"ours": (ours, our_work(district, ours))}
    works |= {name: (other, other.work()) for name, other in others.items()}
    parts = {f"{who} {kind}": partial(_once, server, work[kind]) for kind in WHAT for who, (server, work) in works.items()}
    # The first round fills caches and plans; that is nobody's cost.
    alternating(1, parts)
    found, points = alternating(ROUNDS, parts), {who: _points(*of) for who, of in works.items()}
    for name, other in others.items():
        for kind, what in WHAT.items():
            note = f"{points['ours']:,} and {points[name]:,} points" if kind == "box" else ""
            for figure, words in (("cpu_ms", "server CPU"), ("p50_ms", "p50 of 8 clients")):
                mine, theirs = (measured((getattr(cost, figure) for cost in found[f"{who} {kind}"]), "ms") for who in ("ours", name))
                yield Row(f"{what}, {REPORTS:,} and {other.count():,} reports: {words}", mine, theirs, other.title, note=note)


def _once(server: Server, make: Callable[[], Requests]) -> Cost:
    return server.run(make())


def _points(server: Server, work: Work) -> int:
    """Return how many points one answer to the question for a box holds."""
    return len(json.loads(Caller(server.port).send(work["box"]()[0][0])[2])["features"])


def our_work(district: District, server: Server) -> Work:
    """Return our own requests: a patroller reports, the office accepts, lists and looks at the map."""
    made, office = Reports(district, server), district.tokens["office"]
    page = request_bytes("GET", f"/api/v1/issues?limit={PAGE}", token=office)
    box = request_bytes("GET", f"/api/v1/issues.geojson?bbox={bounds()}", token=office)
    return {"report": made.reports, "status": made.steps, "list": lambda: same(page), "box": lambda: same(box)}


def bounds() -> str:
    """Return west, south, east and north of a square with about 1,000 of the reports, which lie on 4 × 4 degrees."""
    half = 2 * math.sqrt(min(1.0, IN_BOX / REPORTS))
    return ",".join(f"{middle + shift:.4f}" for shift in (-half, half) for middle in (120, 29))


def same(request: bytes) -> Requests:
    """Let every client ask the same."""
    return [[request] * READS_EACH for _ in range(CLIENTS)]


class Neighbour(Server, ABC):
    """A server of another product that runs on this machine already; `_counter` is where it tells its number of reports."""

    title, variable = "", ""
    _counter = ("", "")

    def __init__(self, district: District) -> None:
        self.port = urlsplit(os.environ[self.variable]).port or 80
        self._token = os.environ.get(f"{self.variable}_TOKEN")
        self._pids, self._district = [int(pid) for pid in os.environ[f"{self.variable}_PIDS"].split(",")], district

    def family(self) -> list[psutil.Process]:
        """Return the processes that do its work."""
        return [psutil.Process(pid) for pid in self._pids]

    def cpu_s(self) -> dict[int, float]:
        """Return the user and system seconds of each so far, by process id."""
        times = {process.pid: process.cpu_times() for process in self.family()}
        return {pid: spent.user + spent.system for pid, spent in times.items()}

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Return the answer's JSON; an error is told with what it says."""
        status, _, body = Caller(self.port).send(self.request(method, path, **more))
        if status not in {200, 201}:
            raise RuntimeError(f"{self.title} answers {status} to {path}: {body[:500].decode(errors='replace')}")
        return json.loads(body)

    def request(self, method: str, path: str, **more: Any) -> bytes:
        """Return a request of somebody who is signed in."""
        return request_bytes(method, path, token=self._token, **more)

    def count(self) -> int:
        """Return how many reports it holds."""
        path, name = self._counter
        return int(self.ask("GET", path)[name])

    @abstractmethod
    def work(self) -> Work:
        """Return its requests for the same work."""

    def _places(self, count: int = CLIENTS * WRITES_EACH) -> list[tuple[float, float]]:
        return self._district.places(count, seed=new_id().int % 1_000_000)


class Signalen(Neighbour):
    """Reports without an address, which would be looked up elsewhere; the map is the public one, which alone knows boxes."""

    title, variable, _path = "Signalen", "BENCH_SIGNALEN", "/signals/v1/private/signals/"
    _counter = (f"{_path}?page_size=1", "count")

    def work(self) -> Work:
        page = self.request("GET", f"{self._path}?page_size={PAGE}")
        box = self.request("GET", f"/signals/v1/public/signals/geography?bbox={bounds()}")
        return {"report": self._reports, "status": self._changes, "list": lambda: same(page), "box": lambda: same(box)}

    def _reports(self) -> Requests:
        category = "/signals/v1/public/terms/categories/overig/sub_categories/overig"
        return dealt([self.request("POST", self._path, json_body={
            "text": TROUBLE, "category": {"sub_category": category}, "reporter": {"email": "", "phone": "0123456789"},
            "location": {"geometrie": {"type": "Point", "coordinates": [longitude, latitude]}, "stadsdeel": "A"},
            "incident_date_start": clock.now().isoformat()}) for latitude, longitude in self._places()])  # fmt: skip

    def _changes(self) -> Requests:
        waiting = self.ask("GET", f"{self._path}?status=m&page_size={CLIENTS * WRITES_EACH}")["results"]
        body = {"status": {"state": "b", "text": "情况属实,予以受理"}}
        return dealt([self.request("PATCH", f"{self._path}{report['id']}", json_body=body) for report in waiting])


class Central(Neighbour):
    """Submissions of a form with as many questions; it knows no boxes, so as many of the newest are asked for as GeoJSON."""

    title, variable, _form = "ODK Central", "BENCH_ODK", f"bench{REPORTS}"

    def __init__(self, district: District) -> None:
        super().__init__(district)
        found = [project["id"] for project in self.ask("GET", "/v1/projects") if project["name"] == self._form]
        project = found[0] if found else self.ask("POST", "/v1/projects", json_body={"name": self._form})["id"]
        self._path = f"/v1/projects/{project}/forms/{self._form}"
        self._rows = f"{self._path}.svc/Submissions?"
        self._counter = (f"{self._rows}{urlencode({'$top': 0, '$count': 'true'})}", "@odata.count")
        if not found:
            self.ask("POST", f"/v1/projects/{project}/forms?publish=true", body=FORM.encode(), content_type="application/xml")
        if (missing := REPORTS - self.count()) > 0:
            run_clients(self.port, self._reports(missing), expected=frozenset({200}))
            sys.exit(f"ODK Central has got {missing:,} submissions: VACUUM ANALYZE its database once, and start this again")

    def work(self) -> Work:
        page = self.request("GET", f"{self._rows}{urlencode({'$top': PAGE, '$count': 'true'})}")
        newest = self.request("GET", f"{self._path}/submissions.geojson?limit={IN_BOX}")
        return {"report": self._reports, "status": self._changes, "list": lambda: same(page), "box": lambda: same(newest)}

    def _reports(self, count: int = CLIENTS * WRITES_EACH) -> Requests:
        return dealt([self.request("POST", f"{self._path}/submissions", content_type="text/xml", body=(
            f'<data id="{self._form}"><meta><instanceID>uuid:{new_id()}</instanceID></meta><category>C1</category>'
            f"<description>{TROUBLE}</description><place>{latitude} {longitude} 0 8</place></data>"
        ).encode()) for latitude, longitude in self._places(count)])  # fmt: skip

    def _changes(self) -> Requests:
        untouched = urlencode({"$filter": "__system/reviewState eq null", "$top": CLIENTS * WRITES_EACH})
        ids = [row["__id"] for row in self.ask("GET", f"{self._rows}{untouched}")["value"]]
        body = {"reviewState": "approved"}
        return dealt([self.request("PATCH", f"{self._path}/submissions/{quote(name)}", json_body=body) for name in ids])


FORM = f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>Report</h:title>
<model><instance><data id="{Central._form}"><meta><instanceID/></meta><category/><description/><place/></data></instance>
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" calculate="concat('uuid:', uuid())"/>
<bind nodeset="/data/category" type="string"/><bind nodeset="/data/description" type="string"/>
<bind nodeset="/data/place" type="geopoint"/></model></h:head><h:body>
<input ref="/data/category"><label>Category</label></input><input ref="/data/description"><label>What</label></input>
<input ref="/data/place"><label>Where</label></input></h:body></h:html>"""
NEIGHBOURS: Mapping[str, type[Neighbour]] = {"SIGNALEN": Signalen, "ODK": Central}

"""I3: a phone's queue through a bad connection: cut, unanswered, repeated, out of order, twice at once, workers killed."""

import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from tests.access.world import HERE
from tests.soak.proof import Outcome, Setup, histories_must_be_sound, proves
from tests.soak.server import Server
from tests.soak.web import NoAnswer

PHONES = 4
# One round in so many is one in which a web worker is killed, somewhere within so long after a request went out: on two
# busy cores a queue takes about as long.
KILL_EVERY, KILL_WITHIN_S = 10, 0.08
START = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
Item = dict[str, Any]
# What the rows of a queue are counted by, and in which table.
TABLES = {"patrol": "patrols", "track": "track_batches", "check_in": "check_ins", "issue": "issues", "pause": "patrol_pauses"}


def _at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def _point(step: int) -> Item:
    return {"recorded_at": _at(step * 5), "latitude": round(29.6 + step * 1e-5, 7), "longitude": 119.81, "accuracy_m": 6.5}


def new_queue(reach_id: str) -> list[Item]:
    """A small day: overlapping batches of 60 fixes in all, check-ins, an issue, a pause, a time without signal, the end."""
    patrol_id, mark = str(uuid4()), str(uuid4())
    tracks = [(0, 30), (20, 50), (45, 60)]
    return [
        {"kind": "patrol", "id": patrol_id, "data": {"reach_ids": [reach_id], "mode": "walk", "started_at": _at(0)}},
        *({"kind": "track", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "points": [_point(step) for step in range(*span)]}}
          for span in tracks),
        *({"kind": "check_in", "id": str(uuid4()), "data": {**HERE, "patrol_id": patrol_id, "recorded_at": _at(number), "note": f"{mark} {number}"}}
          for number in range(2)),
        {"kind": "issue", "id": str(uuid4()), "data": {**HERE, "patrol_id": patrol_id, "category": "C1", "description": mark}},
        {"kind": "pause", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "started_at": _at(50), "ended_at": _at(60)}},
        {"kind": "pause", "id": str(uuid4()), "data": {"patrol_id": patrol_id, "started_at": _at(70), "ended_at": _at(80), "cause": "no_signal"}},
        {"kind": "finish", "id": patrol_id, "data": {"ended_at": _at(59 * 5), "summary": mark}},
    ]


class Phone(threading.Thread):
    """Brings queue after queue home; what it was given a receipt for it deletes, and never sends as new again."""

    def __init__(self, server: Server, rounds: Sequence[int], seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.rounds, self.chance = server, rounds, Random(seed)
        self.callers = [server.caller("chief_of_this_reach", timeout_s=30) for _ in range(2)]
        self.queues: list[list[Item]] = []
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        for number in self.rounds:
            try:
                self._bring_home(new_queue(self.server.world.reaches["this"]), kill=number % KILL_EVERY == 0)
            except Exception as error:  # noqa: BLE001 - a phone that dies must be seen at the end
                self.faults.append(f"a phone stopped: {error!r}")
                return

    def _bring_home(self, queue: list[Item], *, kill: bool) -> None:
        self.queues.append(queue)
        left, sent_before = list(queue), []
        while left:
            sent = self.chance.sample(left, self.chance.randint(1, len(left)))
            sent += self.chance.sample(sent_before, min(len(sent_before), self.chance.randint(0, 2)))
            self.chance.shuffle(sent)
            under_a_kill = kill and not sent_before
            sent_before += [item for item in sent if item not in sent_before]
            settled = self._send_under_a_kill(sent) if under_a_kill else self._send(sent)
            left = [item for item in left if (item["kind"], item["id"]) not in settled]

    def _send(self, items: list[Item]) -> set[tuple[str, str]]:
        """Send items in one of the ways in which connections fail; return which of them have a receipt."""
        way = self.chance.choice(["whole", "cut", "unanswered", "twice at once"])
        self.counts[way] += 1
        body = {"device": self.name, "pending": len(items), "items": items}
        if way in {"cut", "unanswered"}:
            self._break_off(body, cut=way == "cut")
            return set()
        if way == "whole":
            return self._receipts(0, body)
        found: list[set[tuple[str, str]]] = []
        both = [threading.Thread(target=lambda place=place: found.append(self._receipts(place, body))) for place in (0, 1)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        return set().union(*found)

    def _send_under_a_kill(self, items: list[Item]) -> set[tuple[str, str]]:
        """Send items whole, and kill one of the two web workers while they are under way; count the requests that broke by it."""
        killer, broken = threading.Timer(self.chance.uniform(0, KILL_WITHIN_S), self._kill_a_worker), self.counts["broken"]
        killer.start()
        settled = self._receipts(0, {"device": self.name, "pending": len(items), "items": items})
        killer.join()
        self.counts["killed under a request"] += self.counts["broken"] - broken
        return settled

    def _receipts(self, place: int, body: Item) -> set[tuple[str, str]]:
        try:
            reply = self.callers[place].post("/sync", body)
        except NoAnswer:
            self.counts["broken"] += 1
            return set()
        if reply.status != 200:
            if reply.status != 503:
                self.faults.append(f"/sync answered {reply.status}: {reply.body[:300]!r}")
            return set()
        results = reply.json["results"]
        self.faults += [f"{result}" for result in results if result["status"] in {"conflict", "refused"}]
        return {(result["kind"], result["id"]) for result in results if result["status"] in {"accepted", "duplicate"}}

    def _break_off(self, body: Item, *, cut: bool) -> None:
        content = json.dumps(body).encode()
        token = self.server.world.tokens["chief_of_this_reach"]
        head = (f"POST /api/v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n").encode()
        request = head + content
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as connection:
            connection.sendall(request[:self.chance.randrange(len(request))] if cut else request)

    def _kill_a_worker(self) -> None:
        workers = self.server.web_workers()
        if len(workers) == 2:
            os.kill(self.chance.choice(workers).pid, signal.SIGKILL)
            self.counts["workers killed"] += 1


@proves("I3")
def a_queue_comes_home_whole_through_a_bad_connection(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Let phones bring their queues home; then every thing must be there once, and every fix of every track once."""
    rounds = setup.times(1000, least=8)
    phones = [Phone(server, range(number, rounds, PHONES), setup.seed + number) for number in range(PHONES)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
        outcome.faults += phone.faults
    queues = [queue for phone in phones for queue in phone.queues]
    requests = sum((phone.counts for phone in phones), Counter())
    outcome.counts |= {"rounds": len(queues), **{name: requests[name] for name in sorted(requests)}, "lost": 0, "doubled": 0}
    _count_rows(server, queues, outcome)
    _compare_tracks(server, queues, outcome)
    _send_all_again(server, queues, outcome)
    _count_rows(server, queues, outcome)
    histories_must_be_sound(server, setup, outcome)


def _count_rows(server: Server, queues: list[list[Item]], outcome: Outcome) -> None:
    """Every id must have a row, and what says a mark of its own must be there under no second id."""
    for kind, table in TABLES.items():
        there = {str(row[0]).replace("-", "") for row in server.query(f"SELECT id FROM {table}")}
        for item in (item for queue in queues for item in queue if item["kind"] == kind):
            _must_be_once(int(item["id"].replace("-", "") in there), f"{kind} {item['id']}", outcome)
    marks = {"check_in": ("note", "SELECT note FROM check_ins"), "issue": ("description", "SELECT description FROM issues"),
             "finish": ("summary", "SELECT summary FROM patrols")}
    for kind, (name, statement) in marks.items():
        times = Counter(row[0] for row in server.query(statement))
        for item in (item for queue in queues for item in queue if item["kind"] == kind):
            _must_be_once(times[item["data"][name]], f"{kind} with the mark {item['data'][name]}", outcome)


def _compare_tracks(server: Server, queues: list[list[Item]], outcome: Outcome) -> None:
    """Every fix must be there once with all it says, and each export must be that of a queue sent once, byte for byte."""
    caller, reference = server.caller("chief_of_this_reach"), new_queue(server.world.reaches["this"])
    caller.post("/sync", {"device": "reference", "items": reference})
    exports = {ending: _export(caller, reference, ending) for ending in (".geojson", ".gpx", "/line")}
    wanted = Counter((_at(step * 5), point["longitude"], point["latitude"], point["accuracy_m"]) for step in range(60) for point in [_point(step)])
    for queue in [reference, *queues]:
        found = _fixes_in(caller.get(f"/patrols/{queue[0]['id']}.geojson").json)
        if found != wanted:
            outcome.count("lost", (wanted - found).total())
            outcome.count("doubled", (found - wanted).total())
            outcome.faults.append(f"track of {queue[0]['id']}: {found.total()} fixes for {wanted.total()}")
        for ending, bytes_wanted in exports.items():
            outcome.must(_export(caller, queue, ending) == bytes_wanted, f"patrol {queue[0]['id']}{ending} is not that of a queue sent once")


def _fixes_in(feature: Item) -> Counter[tuple[Any, ...]]:
    said, places = feature["properties"], feature["geometry"]["coordinates"]
    times = [datetime.fromisoformat(text).isoformat() for text in said["recorded_at"]]
    return Counter((at, *place[:2], accuracy) for at, place, accuracy in zip(times, places, said["accuracy_m"], strict=True))


def _export(caller: Any, queue: list[Item], ending: str) -> bytes:
    """Return an export of a queue's patrol, without the patrol's own id."""
    body: bytes = caller.get(f"/patrols/{queue[0]['id']}{ending}").body
    return body.replace(queue[0]["id"].encode(), b"")


def _send_all_again(server: Server, queues: list[list[Item]], outcome: Outcome) -> None:
    caller = server.caller("chief_of_this_reach")
    for queue in queues:
        results = caller.post("/sync", {"device": "again", "items": queue}).json["results"]
        outcome.must(all(result["status"] == "duplicate" for result in results), f"sent again: {results}")


def _must_be_once(times: int, name: str, outcome: Outcome) -> None:
    if times != 1:
        outcome.count("lost" if times == 0 else "doubled")
        outcome.faults.append(f"{name} is there {times} times")

"""Clients who write without pause and remember what they were told: check-ins, photos, complaints and steps."""

import hashlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.access.world import HERE, picture
from tests.evidence.material import with_segment
from tests.soak.server import Server
from tests.soak.web import Caller, NoAnswer, Reply

RECORDED = "2026-05-01T08:30:00+08:00"
_COMMENT = 0xFE
_plain_photo = picture(1)


def new_photo() -> bytes:
    """A photo that nobody has sent yet: one picture with another comment in it each time."""
    return with_segment(_plain_photo, _COMMENT, uuid4().bytes)


@dataclass
class Deed:
    """One write under its client's own id (a step: its note), as often as it takes; `answers` are the whole ones."""

    kind: str
    id: str
    method: str
    path: str
    options: dict[str, Any]
    photo: bytes | None = None
    answers: list[int] = field(default_factory=list)
    broken: int = 0

    @property
    def digest(self) -> str | None:
        return hashlib.sha256(self.photo).hexdigest() if self.photo else None

    @property
    def acknowledged(self) -> bool:
        return any(200 <= status < 300 for status in self.answers)

    def send(self, caller: Caller) -> Reply:
        try:
            reply = caller.call(self.method, self.path, **self.options)
        except NoAnswer:
            self.broken += 1
            raise
        self.answers.append(reply.status)
        return reply


def check_in() -> Deed:
    deed_id, photo = str(uuid4()), new_photo()
    form = {**HERE, "id": deed_id, "recorded_at": RECORDED, "note": deed_id, "photos": photo}
    return Deed("check-in", deed_id, "POST", "/check-ins", {"form": form}, photo)


def plain_check_in() -> Deed:
    deed_id = str(uuid4())
    body = {**HERE, "recorded_at": RECORDED, "note": deed_id, "photos": [{"id": str(uuid4())}]}
    return Deed("check-in", deed_id, "PUT", f"/check-ins/{deed_id}", {"json_body": body})


def photo() -> Deed:
    deed_id, data = str(uuid4()), new_photo()
    return Deed("photo", deed_id, "PUT", f"/photos/{deed_id}", {"body": data, "headers": {"Content-Type": "image/jpeg"}}, data)


def complaint() -> Deed:
    deed_id, data = str(uuid4()), new_photo()
    form = {**HERE, "id": deed_id, "category": "C1", "description": deed_id, "photos": data}
    return Deed("complaint", deed_id, "POST", "/public/complaints", {"form": form}, data)


def issue() -> Deed:
    deed_id, data = str(uuid4()), new_photo()
    form = {**HERE, "id": deed_id, "category": "C1", "severity": "serious", "description": deed_id, "photos": data}
    return Deed("issue", deed_id, "POST", "/issues", {"form": form}, data)


MAKERS: tuple[Callable[[], Deed], ...] = (check_in, plain_check_in, photo, complaint, issue)


class Writer(threading.Thread):
    """One client: an issue of its own to take steps on, and writes of every kind until told to stop.

    A request whose answer never came is repeated under the same id until one comes, as a phone does.
    """

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True)
        self.chance, self.deeds, self.fault = random.Random(seed), [], ""
        self.chief = server.caller("chief_of_this_reach", timeout_s=20)
        self.anybody = server.caller(None, timeout_s=20)
        self.stopping = threading.Event()
        self.answered = 0
        reported = self.chief.post("/issues", {**HERE, "category": "C1", "severity": "general", "description": f"issue of {seed}"})
        assert reported.status == 201, reported.body
        self.issue_id = reported.json["id"]
        started = self.chief.post(f"/issues/{self.issue_id}/start", {}, headers={"If-Match": "*"})
        assert started.status == 200, started.body

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._step() if self.chance.random() < 0.2 else self._write(self.chance.choice(MAKERS)())
            except Exception as error:  # noqa: BLE001 - a client that dies must be seen at the end
                self.fault = repr(error)
                return

    def _write(self, deed: Deed) -> None:
        self.deeds.append(deed)
        caller = self.anybody if deed.kind == "complaint" else self.chief
        while not deed.acknowledged:
            try:
                reply = deed.send(caller)
            except NoAnswer:
                continue
            self.answered += 1
            if reply.status != 503 and not 200 <= reply.status < 300:
                self.fault = f"{deed.kind} {deed.id}: {reply.status} {reply.body[:300]!r}"
                return

    def _step(self) -> None:
        """Report progress with the ETag just read; without an answer, look whether it was taken before repeating it."""
        note = str(uuid4())
        deed = Deed("step", note, "POST", f"/issues/{self.issue_id}/progress", {"json_body": {"note": note}})
        self.deeds.append(deed)
        while not deed.acknowledged:
            try:
                seen = self.chief.get(f"/issues/{self.issue_id}/history")
                if any(entry["note"] == note for entry in seen.json["items"]):
                    deed.answers.append(200)
                    return
                etag = self.chief.get(f"/issues/{self.issue_id}").headers["etag"]
                deed.options["headers"] = {"If-Match": etag}
                reply = deed.send(self.chief)
            except NoAnswer:
                continue
            self.answered += 1
            if reply.status not in {200, 503}:
                self.fault = f"step: {reply.status} {reply.body[:300]!r}"
                return

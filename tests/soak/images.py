"""P1 and P2: whatever is sent as a photo, nothing falls over, nothing is slow, and bombs are refused from the header."""

import threading
import time
from collections.abc import Iterator
from random import Random
from uuid import uuid4

import psutil

from tests.evidence import material
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server
from tests.soak.web import NoAnswer

MOST_P99_S = 0.25
MOST_BOMB_S = 0.1
MOST_RSS_BYTES = 350 * 2**20
REFUSALS = {413, 415, 422}
_APP1, _APP2, _COMMENT = 0xE1, 0xE2, 0xFE


def hostile_files(chance: Random, times: int) -> Iterator[tuple[str, bytes]]:
    """Give whole photos of each sort, other files, and `times` broken ones: cut, flipped, spliced, with rubbish inside."""
    whole = material.whole_photos()
    yield from whole.items()
    yield from material.foreign_files().items()
    yield from material.polyglots().items()
    for name, block in material.exif_rubbish().items():
        yield f"exif {name}", material.with_segment(whole["jpeg bare"], _APP1, (b"Exif\0\0" + block)[:65_000])
    yield "a thousand comments", material.with_segment(whole["jpeg bare"], _COMMENT, b"x" * 100, times=1000)
    yield "a colour profile of noise", material.with_segment(whole["jpeg bare"], _APP2, b"ICC_PROFILE\0\1\1" + chance.randbytes(5000))
    yield "webp of many pieces", material.WEBP_OF_MANY_PIECES
    yield "12 megapixels", material.tall_jpeg(3000, 4000)
    yield "nothing", b""
    names = sorted(whole)
    for number in range(times):
        name = chance.choice(names)
        yield f"{name} broken {number}", broken(whole[name], whole[chance.choice(names)], chance)


def broken(photo: bytes, other: bytes, chance: Random) -> bytes:
    """Return `photo` damaged at random."""
    how, data = chance.randrange(6), bytearray(photo)
    if how == 0:
        return photo[:chance.randrange(len(photo))]
    if how == 1:
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(data)
    if how == 2:
        at = chance.randrange(len(data))
        return photo[:at] + chance.randbytes(chance.randint(1, 3000)) + photo[at:]
    if how == 3:
        return photo[:chance.randrange(len(photo))] + other[chance.randrange(len(other)):]
    if how == 4:
        begin = chance.randrange(len(data))
        return photo[:begin] + photo[min(len(photo), begin + chance.randint(1, 200)):]
    # The head, where the sizes stand, is where a flipped byte does most.
    for _ in range(chance.randint(1, 6)):
        data[chance.randrange(min(60, len(data)))] = chance.randrange(256)
    return bytes(data)


def bombs() -> dict[str, bytes]:
    """Small files that are huge when decoded, or say that they are."""
    small = material.jpeg(material.scene(4, (64, 48)), exif=None)
    return {
        "png header of 900 MP": material.png_of_zeros(30_000, 30_000, whole=False),
        "png of 39.7 MP": material.png_of_zeros(6_300, 6_300),
        "png that claims 4 billion": material.png_of_zeros(65_535, 65_535, whole=False),
        "jpeg that claims 4.2 billion": material.with_frame_size(small, 65_535, 65_535),
        "jpeg of 201 MP": material.with_frame_size(small, 20_100, 10_000),
        "webp canvas of 268 MP": material.webp_header(16_384, 16_384),
        "png one line wide": material.png_of_zeros(2**31 - 1, 1, whole=False),
    }


class Memory(threading.Thread):
    """Watches the largest resident memory of the processes of a server."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.largest, self.stopping = server, 0, threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.02):
            processes = self.server.web_workers()
            if self.server.worker is not None:
                processes.append(psutil.Process(self.server.worker.pid))
            for process in processes:
                try:
                    self.largest = max(self.largest, process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue


@proves("P1", with_worker=True)
def no_image_hurts(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send every sort of file as a photo: no 5xx, no dead process, p99 and memory within their limits."""
    outcome.counts = {"files": 0, "accepted": 0, "refused": 0}
    server.start_worker()
    caller, memory, before = server.caller("chief_of_this_reach"), Memory(server), _waiting(server)
    alive = {process.pid for process in server.web_workers()}
    memory.start()
    took = []
    files = list(hostile_files(setup.random, setup.times(3000)))
    for name, data in files if setup.alone else setup.sample(files, least=40):
        began = time.perf_counter()
        _send(server, caller, name, data, outcome)
        took.append(time.perf_counter() - began)
    _let_the_worker_finish(server, before, outcome)
    memory.stopping.set()
    outcome.must({process.pid for process in server.web_workers()} == alive, "a web worker died")
    outcome.must(server.worker is not None and server.worker.poll() is None, "the background worker died")
    p99_s = sorted(took)[int(len(took) * 0.99)]
    outcome.counts |= {"ms p99": round(p99_s * 1000), "MiB at most": memory.largest // 2**20}
    outcome.must(not setup.timed or p99_s < MOST_P99_S, f"p99 is {p99_s * 1000:.0f} ms")
    outcome.must(memory.largest <= MOST_RSS_BYTES, f"a process held {memory.largest // 2**20} MiB")


def _send(server: Server, caller: object, name: str, data: bytes, outcome: Outcome) -> None:
    outcome.count("files")
    try:
        reply = caller.call("POST", "/photos", form={"file": data})  # type: ignore[attr-defined]
    except NoAnswer as error:
        outcome.faults.append(f"{name}: no answer, {error}")
        return
    outcome.count("accepted" if reply.status in {200, 201} else "refused")
    outcome.must(reply.status in {200, 201} | REFUSALS, f"{name}: {reply.status} {reply.body[:200]!r}")


def _waiting(server: Server) -> dict[str, str | None]:
    """Return the rows of the outbox still to be delivered, with their errors."""
    return {str(row[0]): row[1] for row in server.query("SELECT id, last_error FROM outbox WHERE delivered_at IS NULL AND kind NOT LIKE 'notifications.%'")}


def _let_the_worker_finish(server: Server, before: dict[str, str | None], outcome: Outcome) -> None:
    """Wait until every photo accepted here is derived or known to be broken; none may stay in the queue for ever."""
    deadline, left = time.monotonic() + 300, {"": None}
    while any(error is None for error in left.values()) and time.monotonic() < deadline:
        time.sleep(0.2)
        left = {row: error for row, error in _waiting(server).items() if row not in before}
    outcome.must(not left, f"{len(left)} photos were neither derived nor marked broken: {list(left.values())[:3]}")


@proves("P2")
def bombs_are_refused_from_the_header(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send each bomb by form and as a raw body: refused, at once, without holding it."""
    outcome.counts = {"bombs": 0}
    caller, memory, slowest = server.caller("chief_of_this_reach"), Memory(server), 0.0
    _send(server, caller, "warming up", material.jpeg(material.scene(1, (64, 48))), Outcome())
    memory.start()
    for name, data in bombs().items():
        for _ in range(setup.times(20)):
            began = time.perf_counter()
            replies = [caller.call("POST", "/photos", form={"file": data}), caller.call(
                "PUT", f"/photos/{uuid4()}", body=data, headers={"Content-Type": "image/png"})]
            took = (time.perf_counter() - began) / 2
            slowest = max(slowest, took)
            outcome.count("bombs", 2)
            outcome.must({reply.status for reply in replies} <= REFUSALS, f"{name}: {[reply.status for reply in replies]}")
            outcome.must(not setup.timed or took < MOST_BOMB_S, f"{name} took {took * 1000:.0f} ms")
    memory.stopping.set()
    outcome.counts |= {"ms at most": round(slowest * 1000), "MiB at most": memory.largest // 2**20}
    outcome.must(memory.largest <= MOST_RSS_BYTES, f"a process held {memory.largest // 2**20} MiB")
    outcome.must(not server.query("SELECT count(*) FROM photos WHERE width * 1.0 * height > 200000000")[0][0], "a bomb was kept")

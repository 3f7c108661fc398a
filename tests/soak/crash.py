"""R1, W1 and W2: what a process that is killed at any moment leaves behind."""

import hashlib
import os
import signal
import time
from collections import Counter
from random import Random
from uuid import UUID

import psutil

from patrol.evidence.storage import original_key
from tests.soak.proof import Outcome, Setup, histories_must_be_sound, proves
from tests.soak.server import Server
from tests.soak.web import NoAnswer
from tests.soak.writing import Deed, Writer, new_photo

CLIENTS = 6
# A worker is killed at a random moment after so many more answers: without a pause none would ever be given.
ANSWERS_BETWEEN = 3
LATEST_S = 0.12
SETTLE_S = 60


@proves("R1", threads=4)
def nothing_acknowledged_is_lost(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Kill web workers again and again under load; then look for each acknowledged write, and send it once more."""
    writers = [Writer(server, seed) for seed in range(CLIENTS)]
    for writer in writers:
        writer.start()
    outcome.counts["trials"] = _kill_workers(server, writers, setup.times(1000), setup.random)
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(SETTLE_S)
        outcome.must(not writer.is_alive() and not writer.fault, f"a client stopped: {writer.fault or 'it hangs'}")
    deeds = [deed for writer in writers for deed in writer.deeds]
    done = [deed for deed in deeds if deed.acknowledged]
    outcome.counts |= {"acknowledged": len(done), "requests broken": sum(deed.broken for deed in deeds), "lost": 0, "doubled": 0}
    look_for(server, done, outcome)
    send_again(server, done, outcome)
    look_for(server, done, outcome)
    histories_must_be_sound(server, setup, outcome)


def _kill_workers(server: Server, writers: list[Writer], times: int, chance: Random) -> int:
    """Kill a random web worker `times`, each time at another moment, while all of them are up and answering."""
    killed = 0
    while killed < times:
        _wait_for_answers(writers, sum(writer.answered for writer in writers) + ANSWERS_BETWEEN)
        time.sleep(chance.uniform(0, LATEST_S))
        workers = server.web_workers()
        if server.gunicorn is None or server.gunicorn.poll() is not None:
            raise RuntimeError(f"gunicorn itself ended:\n{server.log()[-2000:]}")
        if len(workers) == 2:
            os.kill(chance.choice(workers).pid, signal.SIGKILL)
            killed += 1
        if not any(writer.is_alive() for writer in writers):
            break
    return killed


def _wait_for_answers(writers: list[Writer], wanted: int) -> None:
    deadline = time.monotonic() + 5
    while sum(writer.answered for writer in writers) < wanted and time.monotonic() < deadline:
        time.sleep(0.002)


def _counted(server: Server, statement: str) -> Counter[str]:
    return Counter(str(row[0]) for row in server.query(statement))


def look_for(server: Server, deeds: list[Deed], outcome: Outcome) -> None:
    """Note each deed that is not there, or more than once; and each photo whose file is missing or wrong."""
    tables = {
        "check-in": "SELECT note FROM check_ins", "photo": "SELECT id FROM photos",
        "complaint": "SELECT description FROM issues WHERE source = 'citizen'", "issue": "SELECT description FROM issues",
        "step": "SELECT note FROM issue_history WHERE verb = 'progress'",
    }
    found = {kind: _counted(server, statement) for kind, statement in tables.items()}
    found["photo"] = Counter({str(UUID(name)): times for name, times in found["photo"].items()})
    rows_of_photos = _counted(server, "SELECT sha256 FROM photos")
    for deed in deeds:
        _compare(deed, f"{deed.kind} {deed.id}", found[deed.kind][deed.id], outcome)
        if deed.digest is not None:
            _compare(deed, f"photo of {deed.kind} {deed.id}", rows_of_photos[deed.digest], outcome)
    complaints = server.query("SELECT (SELECT count(*) FROM complaints), (SELECT count(*) FROM issues WHERE source = 'citizen')")
    outcome.must(complaints[0][0] == complaints[0][1], f"complaints and their issues differ in number: {complaints[0]}")
    for sha256 in rows_of_photos:
        path = server.folder / "uploads" / original_key(sha256)
        if outcome.must(path.exists(), f"a row without its file: {sha256}"):
            outcome.must(hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"a file that is not what was sent: {sha256}")


def _compare(deed: Deed, name: str, times: int, outcome: Outcome) -> None:
    if times != 1:
        outcome.count("lost" if times == 0 else "doubled")
        outcome.faults.append(f"{name} ({deed.answers}) is there {times} times")


def send_again(server: Server, deeds: list[Deed], outcome: Outcome) -> None:
    """Send every acknowledged write once more under its id: 200, nothing new. A step out of date is refused."""
    chief, anybody = server.caller("chief_of_this_reach"), server.caller(None)
    for deed in deeds:
        wanted = {412} if deed.kind == "step" else {200}
        if deed.kind == "step" and "headers" not in deed.options:
            continue
        reply = deed.send(anybody if deed.kind == "complaint" else chief)
        outcome.must(reply.status in wanted, f"sent again, {deed.kind} {deed.id} got {reply.status}: {reply.body[:200]!r}")


@proves("W1")
def a_killed_worker_leaves_nothing_underived(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Kill the background worker in the middle of deriving; a new one finishes, and each photo is shown once."""
    outcome.counts = {"trials": 0, "photos": 0, "underived": 0, "doubled": 0}
    chief, chance, sent = server.caller("chief_of_this_reach"), setup.random, []
    for _ in range(setup.times(20)):
        sent += [_send_photo(chief, outcome) for _ in range(12)]
        before = _derived(server)
        server.start_worker()
        _wait(lambda before=before: _derived(server) > before)
        time.sleep(chance.uniform(0, 0.1))
        assert server.worker is not None
        server.worker.kill()
        server.worker.wait()
        outcome.count("trials")
    if not setup.alone:
        # What the last one held stays its own for half a minute, for which the ordinary suite has no time.
        server.change("UPDATE outbox SET claimed_until = created_at WHERE claimed_until IS NOT NULL")
    server.start_worker()
    _wait(lambda: not _waiting(server))
    outcome.counts["photos"] = len(sent)
    for photo_id, sha256 in sent:
        shown = chief.get(f"/photos/{photo_id}/thumb")
        whole = shown.status == 200 and shown.body.startswith(b"\xff\xd8") and shown.body.endswith(b"\xff\xd9")
        if not outcome.must(whole, f"photo {photo_id}: {shown.status}"):
            outcome.count("underived")
        rows = server.query("SELECT count(*) FROM photos WHERE sha256 = :sha256 AND derived_at IS NOT NULL", sha256=sha256)
        if not outcome.must(rows[0][0] == 1, f"photo {photo_id} has {rows[0][0]} rows"):
            outcome.count("doubled")


@proves("W2")
def what_is_killed_comes_back(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Kill web and background processes of one gunicorn: the rest goes on, a new one comes; Ctrl-C and its death end all."""
    outcome.counts, chance = {"trials": 0}, setup.random
    _end(server, signal.SIGTERM, outcome)
    server.environment["XUNHE_BACKGROUND"] = "1"
    server.start()
    for trial in range(setup.times(40, least=2)):
        _wait(lambda: _is_whole(server))
        web, background = server.web_workers(), server.background()
        victim = chance.choice(web) if trial % 2 else background[0]
        _send_photo(server.caller("chief_of_this_reach"), outcome)
        victim.kill()
        _wait(lambda victim=victim: _is_whole(server) and victim not in server.web_workers() + server.background())
        rest = {process for process in web + background if process != victim}
        outcome.must(rest <= {*server.web_workers(), *server.background()}, "more than the killed process ended")
        _wait(lambda: not _waiting(server))
        outcome.count("trials")
    for ending, goes_on in ((signal.SIGINT, "1"), (signal.SIGKILL, "0")):
        _end(server, ending, outcome)
        server.environment["XUNHE_BACKGROUND"] = goes_on
        server.start()


def _is_whole(server: Server) -> bool:
    return len(server.web_workers()) == int(server.environment["XUNHE_WORKERS"]) and len(server.background()) == 1


def _end(server: Server, ending: signal.Signals, outcome: Outcome) -> None:
    """Send gunicorn's master, and nobody else, a signal; all its processes must be gone then."""
    assert server.gunicorn is not None
    server.hang_up()
    family = server.web_workers() + server.background()
    server.gunicorn.send_signal(ending)
    server.gunicorn.wait(SETTLE_S)
    _, left = psutil.wait_procs(family, timeout=SETTLE_S)
    outcome.must(not left, f"after {ending.name} these go on: {left}")
    outcome.count("endings")


def _send_photo(chief: object, outcome: Outcome) -> tuple[str, str]:
    data = new_photo()
    try:
        reply = chief.call("POST", "/photos", form={"file": data})  # type: ignore[attr-defined]
    except NoAnswer as error:
        raise RuntimeError("the web part ended") from error
    outcome.must(reply.status == 201, f"photo refused: {reply.body[:200]!r}")
    return reply.json["id"], hashlib.sha256(data).hexdigest()


def _derived(server: Server) -> int:
    return int(server.query(
        "SELECT count(*) FROM outbox WHERE kind = 'evidence.derive' AND delivered_at IS NOT NULL")[0][0])


def _waiting(server: Server) -> int:
    # The world begins with a row that is stuck, which is another matter.
    return int(server.query("SELECT count(*) FROM outbox WHERE kind = 'evidence.derive' AND delivered_at IS NULL")[0][0])


def _wait(holds: object) -> None:
    deadline = time.monotonic() + SETTLE_S
    while not holds():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise RuntimeError("what was waited for did not come")
        time.sleep(0.01)

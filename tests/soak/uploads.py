"""U2: a photo of 3 MB arrives through a line that keeps breaking, and past web workers that are killed in the middle."""

import base64
import hashlib
import os
import signal
import time
from random import Random
from uuid import uuid4

from patrol.evidence.storage import original_key
from tests.soak.breaking_line import BreakingLine, budgets
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server
from tests.soak.web import Caller, NoAnswer
from tests.soak.writing import new_photo

SIZE, CHUNK = 3_000_000, 128 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
MOST_TRIES = 400
# Clients wait before they come back; one that does not meets its own broken request still on its way to the lock.
RETRY_DELAY_S = 0.2


@proves("U2")
def a_photo_comes_through_a_line_that_breaks(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send photos over lines cut 1 to 20 times, then while workers are killed; each arrives whole, none is sent much twice."""
    outcome.counts = {"trials": 0, "cuts": 0, "kills": 0, "bytes sent in percent of the photos": 0}
    chance, sent = setup.random, 0
    for _ in range(setup.times(100)):
        line = BreakingLine(server.port, budgets(chance.randint(1, 20), most=SIZE // 21, chance=chance))
        try:
            _arrives(server, _large_photo(chance), line.port, outcome)
        finally:
            line.close()
        outcome.must(line.sent <= 1.2 * SIZE, f"{line.sent} bytes were sent for {SIZE}, with {line.cuts} cuts")
        outcome.count("trials")
        outcome.count("cuts", line.cuts)
        sent += line.sent
    outcome.counts["bytes sent in percent of the photos"] = round(100 * sent / (SIZE * max(1, int(outcome.counts["trials"]))))
    for _ in range(setup.times(30)):
        _survives_a_kill(server, chance, outcome)


def _large_photo(chance: Random) -> bytes:
    picture = new_photo()
    return picture + chance.randbytes(SIZE - len(picture))


def _begin(caller: Caller, data: bytes) -> tuple[str, str]:
    photo_id = str(uuid4())
    told = {"photo_id": photo_id, "sha256": hashlib.sha256(data).hexdigest()}
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
    headers = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": pairs}
    for _ in range(MOST_TRIES):
        try:
            return photo_id, caller.call("POST", "/uploads", headers=headers).headers["location"]
        except NoAnswer:
            continue
    raise RuntimeError("an upload could not be begun")


def _offset(caller: Caller, address: str) -> int:
    for _ in range(MOST_TRIES):
        try:
            return int(caller.call("HEAD", address, headers=TUS).headers["upload-offset"])
        except NoAnswer:
            time.sleep(0.01)
    raise RuntimeError("HEAD got no answer")


def _add(caller: Caller, address: str, data: bytes, offset: int) -> int | None:
    """Send one chunk; return the status, None when there was no answer."""
    headers = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    try:
        return caller.call("PATCH", address, body=data[offset:offset + CHUNK], headers=headers).status
    except NoAnswer:
        return None


def _arrives(server: Server, data: bytes, port: int, outcome: Outcome) -> None:
    caller = Caller(port, server.world.tokens["chief_of_this_reach"])
    try:
        photo_id, address = _begin(caller, data)
        at = 0
        for _ in range(MOST_TRIES):
            status = _add(caller, address, data, at)
            if status == 204:
                at += len(data[at:at + CHUNK])
            else:
                time.sleep(RETRY_DELAY_S)
                at = _offset(caller, address)
            if at == len(data):
                break
        _must_be_whole(server, photo_id, data, outcome)
    finally:
        caller.close()


def _must_be_whole(server: Server, photo_id: str, data: bytes, outcome: Outcome) -> None:
    shown = server.caller("chief_of_this_reach").get(f"/photos/{photo_id}")
    sha256 = hashlib.sha256(data).hexdigest()
    path = server.folder / "uploads" / original_key(sha256)
    outcome.must(shown.status == 200 and shown.json["sha256"] == sha256 and path.read_bytes() == data, f"photo {photo_id} is not whole")


def _survives_a_kill(server: Server, chance: Random, outcome: Outcome) -> None:
    """Acknowledge some chunks, kill all web workers in the middle of another; HEAD tells the acknowledged bytes or more."""
    data, caller = _large_photo(chance), server.caller("chief_of_this_reach")
    photo_id, address = _begin(caller, data)
    acknowledged = 0
    for _ in range(chance.randint(1, 10)):
        if _add(caller, address, data, acknowledged) == 204:
            acknowledged += CHUNK
    headers = {
        **TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(acknowledged), "Content-Length": str(CHUNK)}
    _half_a_chunk(caller, address, headers, data[acknowledged:acknowledged + CHUNK // 2])
    partial = server.folder / "var" / "partial" / address.rsplit("/", maxsplit=1)[-1].replace("-", "")
    for _ in range(MOST_TRIES):
        if partial.stat().st_size > acknowledged:
            break
        time.sleep(0.005)
    for worker in server.web_workers():
        os.kill(worker.pid, signal.SIGKILL)
    outcome.count("kills")
    caller.close()
    there = _offset(caller, address)
    outcome.must(there == acknowledged, f"HEAD told {there} of {acknowledged} acknowledged bytes")
    while there < len(data):
        there = there + len(data[there:there + CHUNK]) if _add(caller, address, data, there) == 204 else _offset(caller, address)
    _must_be_whole(server, photo_id, data, outcome)


def _half_a_chunk(caller: Caller, address: str, headers: dict[str, str], half: bytes) -> None:
    """Send the head and half the body of a request on the caller's connection, and wait for nothing."""
    connection = caller.connection
    assert connection is not None
    connection.putrequest("PATCH", address)
    for name, value in {**headers, "Authorization": f"Bearer {caller.token}"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(half)

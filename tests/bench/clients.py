"""Clients that cost little: keep-alive sockets that send requests made beforehand. They share the machine with the server."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


def request_bytes(
    method: str, path: str, *, body: bytes = b"", json_body: Any = None, token: str | None = None, **headers: str
) -> bytes:
    """Return a whole HTTP/1.1 request; header names are written with underscores."""
    if json_body is not None:
        body, headers = json.dumps(json_body).encode(), {"content_type": "application/json", **headers}
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Caller:
    """One client with one connection, opened anew when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port, self._socket, self._rest = port, None, b""

    def send(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and body of the answer."""
        if self._socket is None:
            self._socket, self._rest = socket.create_connection(("127.0.0.1", self._port), timeout=120), b""
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        in_chunks = headers.get("transfer-encoding") == "chunked"
        body = self._chunks() if in_chunks else self._read(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(head[0].split(" ", 2)[1]), headers, body

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _more(self) -> None:
        piece = self._socket.recv(262_144)
        if not piece:
            raise ConnectionError("the server closed the connection inside an answer")
        self._rest += piece

    def _read_until(self, mark: bytes) -> bytes:
        while (at := self._rest.find(mark)) < 0:
            self._more()
        found, self._rest = self._rest[:at], self._rest[at + len(mark):]
        return found

    def _read(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._read_until(b"\r\n"), 16):
            body += self._read(size)
            self._read(2)
        self._read(2)
        return body


@dataclass(frozen=True)
class Run:
    """What one run of clients saw: seconds from the first request to the last answer, and each answer's milliseconds."""

    seconds: float
    latencies_ms: list[float]
    statuses: Counter[int]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies_ms) / self.seconds


def run_clients(port: int, requests: Sequence[Sequence[bytes]], *, expected: frozenset[int]) -> Run:
    """Let one client per list send its requests, all at once; any other status than the expected ones is an error."""
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    begin = threading.Barrier(len(requests) + 1)

    def work(own: Sequence[bytes]) -> None:
        caller, times, seen = Caller(port), [], Counter()
        begin.wait()
        try:
            for request in own:
                started = time.perf_counter()
                status, _, body = caller.send(request)
                times.append((time.perf_counter() - started) * 1000)
                seen[status] += 1
                if status not in expected:
                    faults.append(f"{status}: {body[:500].decode(errors='replace')}")
                    break
        except OSError as error:
            faults.append(repr(error))
        finally:
            caller.close()
            latencies.extend(times)
            statuses.update(seen)

    threads = [threading.Thread(target=work, args=(own,)) for own in requests]
    for thread in threads:
        thread.start()
    begin.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"{len(faults)} clients failed, the first with {faults[0]}")
    return Run(time.perf_counter() - started, latencies, statuses)

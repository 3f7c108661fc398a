"""P6: broken multipart and raw bytes over sockets: a refusal or a close, and the next request is answered."""

import socket
from random import Random

from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server
from tests.soak.web import NoAnswer

PATIENCE_S = 8
_HOST = b"Host: 127.0.0.1\r\n"
_FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
_PHOTO_PART = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\nxyz\r\n'


def _post(headers: bytes, body: bytes = b"", path: bytes = b"/api/v1/public/complaints") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + _HOST + headers + b"\r\n" + body


def _sized(headers: bytes, body: bytes, **more: bytes) -> bytes:
    return _post(headers + b"Content-Length: " + str(len(body)).encode() + b"\r\n", body, **more)


def _chunked(headers: bytes, body: bytes) -> bytes:
    return _post(headers + b"Transfer-Encoding: chunked\r\n", body)


def broken_forms() -> dict[str, bytes]:
    """Multipart bodies that are none, each as a whole request."""
    part = b'--b\r\nContent-Disposition: form-data; name="category"\r\n\r\nC1\r\n'
    bodies = {
        "no end": part, "no boundary in the body": b"nothing", "only an end": b"--b--\r\n", "empty": b"", "cut in a header": part[:20],
        "cut in a name": b'--b\r\nContent-Disposition: form-data; name="cat', "no disposition": b"--b\r\nX: 1\r\n\r\nC1\r\n--b--\r\n",
        "no name": b"--b\r\nContent-Disposition: form-data\r\n\r\nC1\r\n--b--\r\n", "no blank line": b"--b\r\nContent-Disposition: form-data",
        "another boundary": part.replace(b"--b", b"--c") + b"--c--\r\n", "bare line feeds": part.replace(b"\r\n", b"\n") + b"--b--\n",
        "a thousand parts": part * 1000 + b"--b--\r\n", "a thousand files": _PHOTO_PART * 1000 + b"--b--\r\n",
        "a field of 3 MB": part.replace(b"C1", b"x" * 3_000_000) + b"--b--\r\n", "nul in a name": part.replace(b"category", b"cat\0egory") + b"--b--\r\n",
        "a header of 100 kB": b"--b\r\nX: " + b"x" * 100_000 + b"\r\n" + part[5:] + b"--b--\r\n", "not UTF-8": part.replace(b"C1", b"\xff\xfe") + b"--b--\r\n",
        "a file where a text belongs": part.replace(b'"category"', b'"category"; filename="x"') + b"--b--\r\n",
        "a text where a file belongs": part.replace(b"category", b"photos") + b"--b--\r\n",
        "a path for a file name": _PHOTO_PART.replace(b"a.jpg", b"../../etc/passwd\\..\\x") + b"--b--\r\n",
        "broken JSON in a field": part.replace(b"category", b"contact").replace(b"C1", b"{") + b"--b--\r\n",
        "an encoding nobody knows": part.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--b--\r\n",
        "nested": b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
    }
    made = {f"form: {name}": _sized(_FORM, body) for name, body in bodies.items()}
    for name, kind in {
        "no boundary": b"multipart/form-data", "empty boundary": b"multipart/form-data; boundary=", "long boundary":
        b"multipart/form-data; boundary=" + b"b" * 5000, "strange boundary": b'multipart/form-data; boundary="\xff\xfe"',
        "charset": b"multipart/form-data; boundary=b; charset=nonsense", "two types": b"multipart/form-data, application/json",
    }.items():
        made[f"form: {name}"] = _sized(b"Content-Type: " + kind + b"\r\n", part + b"--b--\r\n")
    return made


def broken_requests() -> dict[str, bytes]:
    """Bytes that are no HTTP, or HTTP of the kind that confuses servers with each other."""
    json_body = b"Content-Type: application/json\r\n"
    return {
        "not HTTP": b"hello\r\n\r\n", "zeros": b"\0" * 1000, "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no version": b"GET /healthz\r\n\r\n", "HTTP/9.9": b"GET /healthz HTTP/9.9\r\n\r\n",
        "no path": b"GET  HTTP/1.1\r\n" + _HOST + b"\r\n", "a method of 10 kB": b"G" * 10_000 + b" / HTTP/1.1\r\n\r\n",
        "an address of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
        "a header of 100 kB": b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        "a thousand headers": b"GET /healthz HTTP/1.1\r\n" + b"X: 1\r\n" * 1000 + b"\r\n", "a header without colon": b"GET /healthz HTTP/1.1\r\nX\r\n\r\n",
        "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", "a folded header": b"GET /healthz HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
        "nul in a header": b"GET /healthz HTTP/1.1\r\nX: a\0b\r\n\r\n", "two lengths": _post(json_body + b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"),
        "a negative length": _post(json_body + b"Content-Length: -1\r\n", b"{}"), "a length that is none": _post(json_body + b"Content-Length: x\r\n", b"{}"),
        "a signed length": _post(json_body + b"Content-Length: +2\r\n", b"{}"), "a huge length": _post(json_body + b"Content-Length: " + b"9" * 30 + b"\r\n", b"{}"),
        "length and chunks": _post(json_body + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
        "chunked twice": _post(json_body + b"Transfer-Encoding: chunked, chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
        "an unknown coding": _post(json_body + b"Transfer-Encoding: nonsense\r\n", b"{}"), "a chunk size that is none": _chunked(json_body, b"xyz\r\n{}\r\n0\r\n\r\n"),
        "a negative chunk": _chunked(json_body, b"-1\r\n{}\r\n0\r\n\r\n"), "a chunk too short": _chunked(json_body, b"ff\r\n{}\r\n0\r\n\r\n"),
        "a chunk without end": _chunked(json_body, b"2\r\n{}"), "half a body": _post(json_body + b"Content-Length: 100\r\n", b"{"),
        "half a form": _post(_FORM + b"Content-Length: 100000\r\n", _PHOTO_PART), "100 MB announced": _post(json_body + b"Content-Length: 104857600\r\n", b"{}"),
        "a form of 100 MB announced": _post(_FORM + b"Content-Length: 104857600\r\n", _PHOTO_PART), "nul in the path": b"GET /api/v1/%00 HTTP/1.1\r\n" + _HOST + b"\r\n",
        "bad percent": b"GET /api/v1/%zz HTTP/1.1\r\n" + _HOST + b"\r\n", "bad UTF-8 in the path": b"GET /api/v1/public/boards/%ff%fe HTTP/1.1\r\n" + _HOST + b"\r\n",
        "bad UTF-8 in the query": b"GET /api/v1/responsible?latitude=%ff HTTP/1.1\r\n" + _HOST + b"\r\n", "dots": b"GET /../../etc/passwd HTTP/1.1\r\n" + _HOST + b"\r\n",
        "a full address": b"GET http://example.org/api/v1/me HTTP/1.1\r\n" + _HOST + b"\r\n", "CONNECT": b"CONNECT example.org:443 HTTP/1.1\r\n" + _HOST + b"\r\n",
        "TRACE": b"TRACE /api/v1/me HTTP/1.1\r\n" + _HOST + b"\r\n", "an unknown method": b"FROB /api/v1/me HTTP/1.1\r\n" + _HOST + b"\r\n",
        "a token that is not ASCII": b"GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        "a smuggled second request": _sized(json_body, b"GET /metrics HTTP/1.1\r\n\r\n"),
        "an unknown encoding": _sized(json_body + b"Content-Encoding: gzip\r\n", b"\x1f\x8b"),
        "a bad If-Match": _sized(json_body + b"If-Match: \"\xff\"\r\n", b"{}", path=b"/api/v1/issues/00000000-0000-0000-0000-000000000000/accept"),
    }


@proves("P6")
def raw_bytes_do_not_confuse(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Send each broken request on a socket of its own: 4xx, or a close without answer; then the service still answers."""
    outcome.counts = {"requests": 0, "refused": 0, "closed": 0}
    caller, alive = server.caller(None), {process.pid for process in server.web_workers()}
    cases, stored = {**broken_requests(), **broken_forms()}, _complaints(server)
    chance = setup.random
    for number in range(setup.times(200)):
        name = chance.choice(list(cases))
        cases[f"{name}, damaged {number}"] = _damaged(cases[name], chance)
    for name, data in cases.items():
        outcome.count("requests")
        answer = exchange(server.port, data)
        _judge(name, answer, outcome)
        try:
            outcome.must(caller.get("/healthz").status == 200, f"after {name}: the service is not alive")
        except NoAnswer as error:
            outcome.faults.append(f"after {name}: no answer: {error}")
    outcome.must({process.pid for process in server.web_workers()} == alive, "a web worker died")
    outcome.must(_complaints(server) == stored, "a broken request was taken for a complaint")


def _complaints(server: Server) -> int:
    return int(server.query("SELECT count(*) FROM complaints")[0][0])


def exchange(port: int, data: bytes) -> bytes:
    """Send raw bytes, end the sending side, and return whatever came back until the close."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                received += piece
        except OSError:
            # A server that closes while it is still being sent to resets the connection: a close like any other.
            return received
    return received


def _damaged(data: bytes, chance: Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if made:
            made[chance.randrange(min(len(made), 400))] = chance.randrange(256)
    return bytes(made[:chance.randint(1, len(made))] if chance.random() < 0.3 else made)


def _judge(name: str, answer: bytes, outcome: Outcome) -> None:
    if not answer:
        outcome.count("closed")
        return
    try:
        status = int(answer.split(b" ", 2)[1])
    except (IndexError, ValueError):
        # HTTP/0.9 and the like: no status line; anything but our own pages is fine.
        outcome.must(b"Traceback" not in answer, f"{name}: {answer[:200]!r}")
        return
    outcome.count("refused" if status >= 400 else "answered")
    outcome.must(status < 500 or status == 501, f"{name}: {answer[:300]!r}")
    outcome.must(b"Traceback" not in answer, f"{name}: {answer[:300]!r}")

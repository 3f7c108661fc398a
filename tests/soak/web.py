"""A small HTTP client: one kept connection, whole answers or NoAnswer, nothing repeated behind the caller's back."""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

# The server closes connections that are idle for 5 s; one that is nearly so old is not used again.
OLDEST_IDLE_S = 3


class NoAnswer(Exception):
    """The connection broke before a whole answer came: whether the request was carried out is not known."""


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


class Caller:
    """Somebody who talks to the server at `port`, signed in when there is a `token`. Not for several threads."""

    def __init__(self, port: int, token: str | None = None, *, timeout_s: float = 30) -> None:
        self.port, self.token, self.timeout_s = port, token, timeout_s
        self.connection: http.client.HTTPConnection | None = None
        self.used_at = 0.0

    def call(
        self, method: str, path: str, *, json_body: Any = None, form: dict[str, Any] | None = None, body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request; `form` values that are bytes become files. Raises NoAnswer."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if json_body is not None:
            body, sent["Content-Type"] = json.dumps(json_body).encode(), "application/json"
        if form is not None:
            body, sent["Content-Type"] = multipart(form)
        path = path if path.startswith(("/api/", "/openapi", "/healthz", "/readyz", "/metrics")) else f"/api/v1{path}"
        try:
            return self._exchange(method, path, body, sent | (headers or {}))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(repr(error)) from error

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if time.monotonic() - self.used_at > OLDEST_IDLE_S:
            self.close()
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
            self.connection.connect()
            # Head and body are two writes; without this the second waits for the first one's acknowledgement.
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        self.used_at = time.monotonic()
        reply = Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        if response.will_close:
            self.close()
        return reply

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path: str, **options: Any) -> Reply:
        return self.call("GET", path, **options)

    def post(self, path: str, json_body: Any = None, **options: Any) -> Reply:
        return self.call("POST", path, json_body=json_body, **options)

    def put(self, path: str, json_body: Any = None, **options: Any) -> Reply:
        return self.call("PUT", path, json_body=json_body, **options)


def multipart(fields: dict[str, Any]) -> tuple[bytes, str]:
    """Return a form's body and media type; bytes become files, lists several fields of one name."""
    boundary, parts = f"xunhe{uuid4().hex}", []
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            is_file = isinstance(each, bytes)
            disposition = f'form-data; name="{name}"' + ('; filename="photo.jpg"\r\nContent-Type: image/jpeg' if is_file else "")
            parts.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
                         + (each if is_file else str(each).encode()) + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"

"""Answers to requests so malformed that they never reach the application."""

import socket

import gunicorn.util
import orjson

from patrol.foundation.texts import Text

_UNREADABLE = Text("请求无法解析", "The request cannot be read")


def write_problem(sock: socket.socket, status_int: int, reason: str, _message: str) -> None:
    """Send a problem document, in both languages since nothing of the request could be read, and close."""
    detail = f"{_UNREADABLE.zh} / {_UNREADABLE.en}"
    body = orjson.dumps({"type": f"urn:xunhe:problem:http-{status_int}", "title": reason, "status": status_int, "detail": detail})
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    gunicorn.util.write_nonblock(sock, head.encode("latin-1") + body)

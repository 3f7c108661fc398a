"""Requests from this server to addresses that somebody typed: resolved once, never to the inside, never redirected, over in time."""

import ipaddress
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from threading import Timer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from patrol.foundation.errors import Invalid, Unavailable
from patrol.foundation.texts import Text

TIMEOUT_S = 10.0
"""How long to wait for a connection, and for each next byte."""
LONGEST_S = 30.0
"""How long a request may take as a whole: who gives a byte now and then would hold it for days."""
MOST_ANSWER_BYTES = 64 * 1024
_NOT_URL = Text("必须是 https:// 开头的完整地址", "It must be a whole address that begins with https://")
_INSIDE = Text("地址指向内部网络，已拒绝", "The address leads into the inner network and was refused")
_INNER_NOW = Text(
    "地址指向本机或内部网络，不会向其发送：请填写公网地址；确需内网推送的，由管理员设置 XUNHE_WEBHOOKS_INSIDE=1",
    "The address leads to this machine or into the inner network, where nothing is sent: give a public one. For an intranet the "
    "administrator sets XUNHE_WEBHOOKS_INSIDE=1",
)
NO_HOST = Text("找不到该地址的主机", "The host of this address cannot be found")


class Standing(StrEnum):
    """Where an address leads, as far as its name says now."""

    OUTSIDE = "outside"
    INNER = "inner"
    UNKNOWN = "unknown"


class Target(NamedTuple):
    """Where a request goes: one resolved address, and the name that the certificate must carry."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def refuse_bad_url(url: str, *, inside: bool, field: str = "url") -> None:
    """Raise Invalid (422) at `field` for what is no https address; `inside` also allows plain http (an intranet)."""
    parts = urlsplit(url)
    schemes = {"https", "http"} if inside else {"https"}
    try:
        parts.port  # noqa: B018 - reading it checks it
        good = parts.scheme in schemes and bool(parts.hostname) and not parts.username and not parts.fragment
    except ValueError:
        good = False
    if not good:
        raise Invalid(_NOT_URL, errors={field: [_NOT_URL]})


def standing_of(url: str) -> Standing:
    """Look up where an address leads, `UNKNOWN` for a host that cannot be found. It may take as long as the name server does."""
    try:
        parts = urlsplit(url)
        found = addresses_of(parts.hostname or "", parts.port or 443)
    except (OSError, ValueError):
        return Standing.UNKNOWN
    return Standing.INNER if _leads_inside(found) else Standing.OUTSIDE


def refuse_inner(standing: Standing, *, inside: bool, field: str = "url") -> None:
    """Raise Invalid (422) at `field` for an address that no request would be sent to, unless `inside`."""
    if standing is Standing.INNER and not inside:
        raise Invalid(_INNER_NOW, errors={field: [_INNER_NOW]})


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of a host, or raise OSError. The only place that asks the name server."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _leads_inside(addresses: Sequence[str]) -> bool:
    return not all(ipaddress.ip_address(address.split("%")[0]).is_global for address in addresses)


def resolve(url: str, *, inside: bool) -> Target:
    """Look the host up once and choose an address. Raises Unavailable for none, or for one in the inner network.

    Every address of the name must be public unless `inside`: a name that means both could be asked again until it fits.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = addresses_of(host, port)
    except OSError as error:
        raise Unavailable(NO_HOST) from error
    if not inside and _leads_inside(found):
        raise Unavailable(_INSIDE)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, found[0])


def post(url: str, body: bytes, headers: Mapping[str, str], *, inside: bool) -> int:
    """Post `body` and return the answer's status, or raise Unavailable / urllib3's errors. Redirects are not followed.

    What is not answered within `LONGEST_S` is cut off.
    """
    target = resolve(url, inside=inside)
    timeout = urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S)
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.address, target.port, timeout=timeout, server_hostname=target.host, assert_hostname=target.host
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout)
    host = target.host if target.port in {80, 443} else f"{target.host}:{target.port}"
    with pool, _over_in_time(pool):
        answer = pool.urlopen(
            "POST", target.path, body=body, headers={**headers, "Host": host}, redirect=False, retries=False, preload_content=False
        )
        # The status has said it: words that come slowly, or not all of them, change nothing.
        with suppress(urllib3.exceptions.HTTPError):
            answer.read(MOST_ANSWER_BYTES)
        answer.close()
        return answer.status


@contextmanager
def _over_in_time(pool: urllib3.HTTPConnectionPool) -> Iterator[None]:
    """Cut the pool's connections after `LONGEST_S`, whatever they are at."""
    lines: list[socket.socket] = []

    def cut() -> None:
        for line in lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    pool.ConnectionCls = _watched(pool.ConnectionCls, lines)
    timer = Timer(LONGEST_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for line in lines:
            line.close()


def _watched(kind: Any, lines: list[socket.socket]) -> type[HTTPConnection | HTTPSConnection]:
    class Watched(kind):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            line: socket.socket = super()._new_conn()
            # A second handle of the same connection: TLS takes the first one away, and a cut through either ends both.
            lines.append(line.dup())
            return line

    return Watched

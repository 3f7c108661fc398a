"""Requests from this server to addresses that somebody typed: resolved once, never to the inside, never redirected."""

import ipaddress
import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import urllib3

from patrol.foundation.errors import Invalid, Unavailable
from patrol.foundation.texts import Text

TIMEOUT_S = 10.0
MOST_ANSWER_BYTES = 64 * 1024
_NOT_URL = Text("必须是 https:// 开头的完整地址", "It must be a whole address that begins with https://")
_INSIDE = Text("地址指向内部网络，已拒绝", "The address leads into the inner network and was refused")
NO_HOST = Text("找不到该地址的主机", "The host of this address cannot be found")


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


def resolve(url: str, *, inside: bool) -> Target:
    """Look the host up once and choose an address. Raises Unavailable for none, or for one in the inner network.

    Every address of the name must be public unless `inside`: a name that means both could be asked again until it fits.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise Unavailable(NO_HOST) from error
    if not inside and not all(ipaddress.ip_address(str(address).split("%")[0]).is_global for address in found):
        raise Unavailable(_INSIDE)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, str(found[0]))


def post(url: str, body: bytes, headers: Mapping[str, str], *, inside: bool) -> int:
    """Post `body` and return the answer's status, or raise Unavailable / urllib3's errors. Redirects are not followed."""
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
    with pool:
        answer = pool.urlopen(
            "POST", target.path, body=body, headers={**headers, "Host": host}, redirect=False, retries=False, preload_content=False
        )
        answer.read(MOST_ANSWER_BYTES)
        answer.close()
        return answer.status

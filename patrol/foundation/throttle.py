"""Limits on what callers without an account may do, by address block and in total, without keeping any address."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from math import ceil
from threading import Timer
from time import monotonic
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits import parse_many
from limits.storage import MemoryStorage

from patrol.foundation import clock
from patrol.foundation.errors import TooMany
from patrol.foundation.problems import problem
from patrol.foundation.settings import Settings, UnusableSetting
from patrol.foundation.texts import Text

View = TypeVar("View", bound=Callable[..., Any])
SWEPT_EACH_S = 60.0
WRITE, READ = "write", "read"

# A household or an office usually shares one of these; a single IPv6 customer is often given a whole /48.
_IPV4_BITS, _IPV6_BITS = 24, 48
_TOO_MANY = Text("请求过于频繁，请在 {wait_s} 秒后再试", "Too many requests: wait {wait_s} seconds")
_SETTINGS = ("public_writes_per_block", "public_writes_total", "public_reads_per_block")


class _Resting:
    """A timer of the library's that counts as under way for a while after it has run."""

    def __init__(self, timer: Timer) -> None:
        self._timer, self._until_s = timer, monotonic() + SWEPT_EACH_S
        self.start = timer.start

    def is_alive(self) -> bool:
        return self._timer.is_alive() or monotonic() < self._until_s


class RestedMemory(MemoryStorage):
    """Counts in this process, swept of what has expired each `SWEPT_EACH_S` seconds.

    The library's own storage starts a thread for that with nearly each count, which cost a complaint a twentieth of its time.
    What has expired counts for nothing before it is swept.
    """

    STORAGE_SCHEME = ["rested-memory"]  # noqa: RUF012 - as the library has it

    def __setattr__(self, name: str, value: Any) -> None:
        # The library gives itself a new timer whenever the one it has is not alive.
        super().__setattr__(name, _Resting(value) if name == "timer" else value)


def public_write(view: View) -> View:
    """Count calls of this view as anonymous tries, and as writes when it accepts them. Stands directly below `room.route`, which must say `refuses=(429,)`."""
    view.throttled = WRITE  # type: ignore[attr-defined]
    return view


def public_read(view: View) -> View:
    """Count calls of this view as anonymous reads. Stands directly below `room.route`, which must say `refuses=(429,)`."""
    view.throttled = READ  # type: ignore[attr-defined]
    return view


def connect_throttle(app: Flask, settings: Settings) -> Limiter:
    """Give the app its limits, looked at before a body is read and before any statement.

    Reads count as they come. Writes count once they were accepted (2xx), so that junk uses up nobody's share; all tries
    to write count apart, against as many as a block may read.
    Counts live in Redis when it is set, else in each process. While Redis is away they are kept in the process.
    Raises UnusableSetting for a limit that cannot be read.
    """
    for name in _SETTINGS:
        _refuse_unreadable(name, getattr(settings, name))
    patience: dict[str, str | int] = {"socket_connect_timeout": 1, "socket_timeout": 1}
    limiter = Limiter(
        key_func=lambda: _caller_key(settings.secret_key),
        application_limits=[
            ApplicationLimit(settings.public_reads_per_block, scope="tries", exempt_when=lambda: _kind() != WRITE),
            ApplicationLimit(
                settings.public_writes_per_block, scope="writes", exempt_when=lambda: _kind() != WRITE, deduct_when=_accepted,
            ),
            ApplicationLimit(
                settings.public_writes_total, scope="all writes", key_function=lambda: "everybody",
                exempt_when=lambda: _kind() != WRITE, deduct_when=_accepted,
            ),
            ApplicationLimit(settings.public_reads_per_block, scope="reads", exempt_when=lambda: _kind() != READ),
        ],
        storage_uri=settings.redis_url or f"{RestedMemory.STORAGE_SCHEME[0]}://", key_prefix="xunhe", in_memory_fallback_enabled=True,
        storage_options=patience if settings.redis_url else {},
        # Redis may go away between the look and the count: what was accepted by then is answered as accepted.
        swallow_errors=True,
    )
    # Most calls count as nothing; said here, the limits are not even gathered for them.
    limiter.request_filter(lambda: _kind() is None)
    limiter.init_app(app)
    app.extensions["throttle"] = limiter
    app.register_error_handler(RateLimitExceeded, _refused)
    return limiter


def address_block(address: str | None) -> str:
    """Return the block that `address` lies in: /24 of IPv4 (mapped into IPv6 too), /48 of IPv6, "unknown" for others."""
    try:
        parsed = ipaddress.ip_address((address or "").strip())
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = _IPV4_BITS if parsed.version == 4 else _IPV6_BITS
    return str(ipaddress.ip_network((parsed.packed, bits), strict=False))


def block_key(address: str | None, *, day: str, secret: str) -> str:
    """Return the name under which a block's calls are counted: it says nothing of the address, and changes every day."""
    text = f"throttle\0{day}\0{address_block(address)}"
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256).hex()


def _caller_key(secret: str) -> str:
    return block_key(request.remote_addr, day=clock.now().date().isoformat(), secret=secret)


def _kind() -> str | None:
    """Return how this request counts: as its view does; asking what is allowed (OPTIONS) counts as nothing."""
    if request.method == "OPTIONS":
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "throttled", None)


def _accepted(response: Response) -> bool:
    return 200 <= response.status_code < 300


def _refuse_unreadable(name: str, limits: str) -> None:
    try:
        parse_many(limits)
    except ValueError as error:
        variable = f"XUNHE_{name.upper()}"
        raise UnusableSetting(f"{variable} cannot be used: {error} / 设置 {variable} 无效") from error


def _refused(_error: RateLimitExceeded) -> Response:
    limiter: Limiter = current_app.extensions["throttle"]
    breached = limiter.current_limit
    wait_s = max(1, ceil(breached.reset_at - clock.now().timestamp())) if breached else 60
    return problem(TooMany.status, TooMany.kind, TooMany.title, _TOO_MANY.format(wait_s=wait_s), retry_after_s=wait_s)

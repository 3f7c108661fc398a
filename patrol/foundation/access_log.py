"""gunicorn's logs as JSON lines. No address, user agent or query is written, and no tracking code: it is a key."""

import re
import sys
from datetime import timedelta
from typing import Any

import structlog
from gunicorn.glogging import Logger

from patrol.foundation.logs import json_lines

# Clients make these names up themselves (tus-js-client: a UUID), to find a request of theirs in our log.
LONGEST_REQUEST_ID = 100
_ADDRESS = re.compile(r"ip=\S+")
# Behind /t/ a slash is part of what somebody typed.
_TRACKING = re.compile(r"(/t/).+|(/complaints/|/tokens/|/subscriptions/|/u/)[^/]+")


class JsonLogger(Logger):
    """Writes one JSON object a request to standard output."""

    def setup(self, cfg: Any) -> None:
        """Take the error log's place too: JSON like everything else. What others hung onto that logger stays as it is."""
        others = list(self.error_log.handlers)
        super().setup(cfg)
        for handler in self.error_log.handlers:
            if handler not in others:
                handler.setFormatter(json_lines())
        self._lines = structlog.wrap_logger(structlog.WriteLogger(sys.stdout), processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.JSONRenderer(ensure_ascii=False)])

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Log one request."""
        self._lines.info(
            "request", method=req.method, path=without_tracking_code(environ.get("PATH_INFO", "")),
            status=int(resp.status_code), bytes=resp.sent, ms=round(request_time.total_seconds() * 1000, 1),
            **({"request_id": environ["HTTP_X_REQUEST_ID"][:LONGEST_REQUEST_ID]} if environ.get("HTTP_X_REQUEST_ID") else {}),
        )

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a warning without the address that gunicorn puts into some."""
        super().warning(_ADDRESS.sub("ip=*", msg), *args, **kwargs)


def without_tracking_code(path: str) -> str:
    """Return `path` with the tracking code of a complaint, or the key to somebody's messages, hidden."""
    return _TRACKING.sub(r"\1\2*", path)

"""Logs as one JSON object a line: no control character of a caller can start a line of its own."""

import logging
import sys
from typing import Any

import structlog

from patrol.foundation.settings import Settings

_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def json_lines() -> logging.Formatter:
    """Return the formatter that makes one JSON object, with a UTC time, of what is logged by whomever."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False)],
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
    )


def configure_logs(settings: Settings) -> None:
    """Send everything that is logged to standard error, as JSON lines with a UTC time."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_lines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("alembic", "huey.consumer", "huey"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # These write to whom something was sent, and the address of a gateway has the telephone number in it.
    for telling in ("apprise", "urllib3"):
        logging.getLogger(telling).setLevel(logging.CRITICAL + 1)

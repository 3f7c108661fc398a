"""A line of the access log: what it tells of a request."""

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config
from structlog.stdlib import ProcessorFormatter

from patrol.foundation.access_log import LONGEST_REQUEST_ID, JsonLogger, without_tracking_code


@pytest.mark.parametrize(
    ("sent", "logged"), [({"HTTP_X_REQUEST_ID": "a\n\"b"}, "a\n\"b"), ({}, None), ({"HTTP_X_REQUEST_ID": "x" * 999}, "x" * LONGEST_REQUEST_ID)],
)
def test_the_clients_name_of_a_request_is_logged(sent, logged):
    logger, lines = JsonLogger(Config()), []
    logger._lines = SimpleNamespace(info=lambda _event, **fields: lines.append(fields))
    logger.access(
        SimpleNamespace(status_code=204, sent=0), SimpleNamespace(method="PATCH"), {"PATH_INFO": "/api/v1/uploads/7", **sent}, timedelta(seconds=1)
    )
    [line] = lines
    assert line.get("request_id") == logged
    assert line["path"] == "/api/v1/uploads/7"


@pytest.mark.parametrize(("path", "logged"), [
    ("/t/7K3D-0V9M-W2QH-5TXA", "/t/*"), ("/t/7K3D/0V9M/W2QH/5TXA/", "/t/*"), ("/t", "/t"), ("/u/TOKEN/confirm", "/u/*/confirm"),
    ("/api/v1/public/complaints/7K3D-0V9M-W2QH-5TXA/photos", "/api/v1/public/complaints/*/photos"), ("/api/v1/issues", "/api/v1/issues"),
])  # fmt: skip
def test_no_key_of_a_citizen_is_logged(path, logged):
    assert without_tracking_code(path) == logged


def test_only_the_handlers_of_the_server_are_taken_over():
    other = logging.StreamHandler()
    logging.getLogger("gunicorn.error").addHandler(other)
    try:
        own = [handler for handler in JsonLogger(Config()).error_log.handlers if handler is not other]
        assert other.formatter is None
        assert any(isinstance(handler.formatter, ProcessorFormatter) for handler in own)
    finally:
        logging.getLogger("gunicorn.error").removeHandler(other)

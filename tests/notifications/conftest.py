"""The worker's part, run at once; and what went out, instead of sending it."""

import pytest

from patrol.foundation import channels, worker
from tests.issues.conftest import pictures, valley  # noqa: F401 - fixtures


@pytest.fixture
def work():
    """Return a function that delivers everything that is due."""

    def deliver_all():
        while worker.deliver_due():
            pass

    return deliver_all


class Sent(list):
    """What the senders were given: (address, title, body); `fails` lets them refuse."""

    fails = False

    def __call__(self, address, title, body):
        if not self.fails:
            self.append((address, title, body))
        return not self.fails


@pytest.fixture
def sent(monkeypatch, test_settings):
    found = Sent()
    monkeypatch.setattr(channels, "sender", [found])
    monkeypatch.setitem(test_settings._values, "mail_url", "mailto://127.0.0.1:25?from=river@example.org")
    return found

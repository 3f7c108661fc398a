"""Two workers beside each other, on rows that are really committed."""

from threading import Event, Thread, current_thread

import pytest
from sqlalchemy import delete

from patrol.foundation import outbox
from patrol.foundation.database import db
from patrol.foundation.outbox import OutboxRow
from patrol.foundation.transaction import transaction


@pytest.fixture
def beside(app, monkeypatch):
    """Two workers on committed rows: `put` one, let another thread `begin` to deliver it, and `end` that.

    What the deliverer gets is in `sent`; the other thread stays inside it until the end, and fails when told to. It takes
    along the rows that it is told to.
    """

    class Beside:
        def __init__(self):
            self.sent, self.inside, self.go_on, self.fails, self.other, self.along, self.taken = [], Event(), Event(), False, None, [], []

        def prepare(self, payload):
            self.sent.append(payload["word"])
            if current_thread() is self.other:
                self.taken = outbox.take_along(self.along)
                self.inside.set()
                assert self.go_on.wait(60)
                if self.fails:
                    raise RuntimeError("no route")
            return lambda: None

        def put(self, word="one"):
            with transaction():
                return outbox.put("test", word=word)

        def begin(self, row_id):
            self.other = Thread(target=in_own_context, args=(app, outbox.deliver, row_id))
            self.other.start()
            assert self.inside.wait(60)

        def end(self):
            self.go_on.set()
            self.other.join(60)

    workers = Beside()
    monkeypatch.setitem(outbox._deliverers, "test", workers.prepare)
    monkeypatch.setattr(outbox, "_hand_over", [])
    with app.app_context():
        yield workers
        with transaction():
            db.session.execute(delete(OutboxRow))


def in_own_context(app, function, *args):
    with app.app_context():
        try:
            return function(*args)
        finally:
            db.session.remove()

"""The background worker as one of gunicorn's processes: forked from the loaded application, it shares its memory."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

from flask import Flask
from gunicorn.workers.gthread import ThreadWorker

from patrol.foundation import worker

# What `top` and `ps` call the process; the kernel keeps 15 characters.
NAME = "xunhe-worker"
BEAT_S = 1.0
# A process that fails ends only so much later, so that one successor after another does not fail as fast as it can.
PAUSE_AFTER_FAILURE_S = 5.0
# Who presses Ctrl-C waits no longer for requests under way; what they have not committed nobody was told to be kept.
LAST_REQUESTS_S = 3.0


class Process(ThreadWorker):  # type: ignore[misc]
    """A web process, or the one that delivers the outbox: gunicorn starts, watches and stops both alike."""

    is_background = False

    def take_the_background_unless(self, others: Iterable["Process"]) -> None:
        """Become the background worker unless one of the `others` is it. To be called in the master, before the fork."""
        if not any(other.is_background for other in others):
            self.is_background = True
            # gunicorn stops the oldest processes when it has too many, and there is never too much of this one.
            self.age = float("inf")

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """End within seconds: a client that never finishes its request would hold the process until the master kills it."""
        end = Timer(LAST_REQUESTS_S, os._exit, (0,))
        end.daemon = True
        end.start()
        super().handle_quit(sig, frame)

    def run(self) -> None:
        """Serve requests or deliver the outbox, until told to stop or left alone by the master."""
        if not self.is_background:
            super().run()
            return
        try:
            self._deliver(self.wsgi)
        except Exception:
            time.sleep(PAUSE_AFTER_FAILURE_S)
            raise

    def _deliver(self, app: Flask) -> None:
        with suppress(OSError):  # Only Linux has it.
            Path("/proc/self/comm").write_text(NAME, encoding="ascii")
        # What nobody accepts here would keep the port taken after the others are gone.
        for listener in self.sockets:
            listener.close()
        consumer = worker.consumer_of(app)
        # Beside the loop below: it may take longer than the master bears with a process that gives no sign of life.
        worker.deliver_left_over_beside(app)
        consumer.start()
        # The consumer has put handlers of its own in the place of gunicorn's, whose signals the master sends.
        self.init_signals()
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            consumer.check_worker_health()
            time.sleep(BEAT_S)
        consumer.stop()

"""The service's own routes and commands: health, readiness, metrics, the worker, documents generated from tables."""

from collections.abc import Callable
from typing import Any

import click
import marshmallow as ma
from flask import Response, current_app, request
from flask.cli import with_appcontext
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from patrol.foundation import outbox, worker
from patrol.foundation.database import db
from patrol.foundation.errors import NotAllowed
from patrol.foundation.http import Room
from patrol.foundation.migrations import MIGRATIONS, applied_migration, newest_migration
from patrol.foundation.problems import problem
from patrol.foundation.settings import Settings, settings_document
from patrol.foundation.shell import CommandGroup
from patrol.foundation.sqlite import journal_mode
from patrol.foundation.texts import Text

room = Room("service", __name__, description="Health, readiness, metrics")
_checks: dict[str, Callable[[], bool]] = {}
_documents: dict[str, Callable[[], str]] = {"settings.md": settings_document}
_NOT_READY = Text("尚未就绪：{parts}", "Not ready: {parts}")
_NOT_READY_TITLE = Text("尚未就绪", "Not ready")
_METRICS_PRIVATE = Text("指标不公开", "Metrics are not public")


def ready_when(name: str) -> Callable[[Callable[[], bool]], Callable[[], bool]]:
    """Register the decorated function as a part of readiness: it says whether that part works."""

    def register(check: Callable[[], bool]) -> Callable[[], bool]:
        _checks[name] = check
        return check

    return register


def document_named(name: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register the decorated function as the source of `docs/<name>`."""

    def register(write: Callable[[], str]) -> Callable[[], str]:
        _documents[name] = write
        return write

    return register


def documents() -> dict[str, str]:
    """Return every generated document by its file name."""
    return {name: write() for name, write in sorted(_documents.items())}


@ready_when("migrations")
def migrations_current() -> bool:
    """Tell whether the database has all the migrations of this code."""
    return applied_migration() == newest_migration()


@ready_when("database")
def database_answers() -> bool:
    """Tell whether the database answers."""
    return bool(db.session.scalar(text("SELECT 1")) == 1)


@ready_when("queue")
def queue_answers() -> bool:
    """Tell whether the worker's queue can be reached."""
    return worker.queue_answers(current_app.extensions["queue"])


def works(check: Callable[[], bool]) -> bool:
    """Tell whether a check of readiness passes; one that raises anything does not."""
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever a part raises, the answer is that it does not work
        db.session.rollback()
        return False


class AliveOut(ma.Schema):
    status = ma.fields.String(required=True, metadata={"example": "alive"})


class ReadyOut(ma.Schema):
    status = ma.fields.String(required=True, metadata={"example": "ready"})
    database = ma.fields.String(required=True, metadata={"example": "postgresql"})
    journal_mode = ma.fields.String(metadata={"example": "TRUNCATE", "description": "Of SQLite."})


@room.route("/healthz", may=None)
@room.response(200, AliveOut)
def healthz() -> dict[str, Any]:
    """Say that the process is alive; asks nobody else."""
    return {"status": "alive"}


@room.route("/readyz", may=None)
@room.response(200, ReadyOut)
def readyz() -> Any:
    """Say whether everything that a request needs works: 503 with the names of what does not."""
    broken = sorted(name for name, check in _checks.items() if not works(check))
    engine = db.engine.dialect.name
    facts = {"database": engine} | ({"journal_mode": journal_mode()} if engine == "sqlite" else {})
    if broken:
        names = ", ".join(broken)
        return problem(503, "not-ready", _NOT_READY_TITLE, _NOT_READY.format(parts=names), extra={"broken": broken, **facts})
    return {"status": "ready", **facts}


@room.route("/metrics", may=None, refuses=(403,))
@room.response(200, {"type": "string"}, content_type="text/plain; version=1.0.0; charset=utf-8")
def metrics() -> Response:
    """Give Prometheus what the office cannot see elsewhere: work that waits, work that is stuck."""
    settings: Settings = current_app.extensions["settings"]
    wanted = f"Bearer {settings.metrics_token}"
    # A proxy on this machine would otherwise make the whole world look like this machine.
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    from_here = request.remote_addr in {"127.0.0.1", "::1"} and not forwarded
    allowed = request.headers.get("Authorization") == wanted if settings.metrics_token else from_here
    if not allowed:
        raise NotAllowed(_METRICS_PRIVATE)
    registry = CollectorRegistry()
    pending, stuck = outbox.pending_and_stuck()
    Gauge("xunhe_outbox_pending", "Rows of the outbox still to be delivered", registry=registry).set(pending)
    Gauge("xunhe_outbox_stuck", "Rows of the outbox that have used up their attempts", registry=registry).set(stuck)
    for name, check in sorted(_checks.items()):
        Gauge(f"xunhe_ready_{name}", f"Whether {name} works", registry=registry).set(works(check))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


commands = CommandGroup("service", help="The worker and generated documents.")


@commands.command("worker")
@with_appcontext
def run_worker() -> None:
    """Deliver the outbox until told to stop."""
    worker.run_worker(current_app._get_current_object())  # type: ignore[attr-defined]


@commands.command("deliver")
@with_appcontext
def deliver_now() -> None:
    """Deliver everything that is due now, then end."""
    total = 0
    while count := worker.deliver_due():
        total += count
    click.echo(f"{total} delivered")


@commands.command("documents")
@click.option("--check", is_flag=True, help="Change nothing; fail when one is stale.")
@with_appcontext
def write_documents(check: bool) -> None:
    """Write the generated documents into docs/."""
    stale = []
    for name, content in documents().items():
        path = MIGRATIONS.parent / "docs" / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if not check:
                path.write_text(content, encoding="utf-8")
    click.echo("\n".join(f"{'stale' if check else 'written'}: docs/{name}" for name in stale) or "documents are current")
    if check and stale:
        raise SystemExit(1)

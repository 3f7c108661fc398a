"""create_app: settings, database, rooms, commands. The only file that knows all rooms."""

import os
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix

import patrol.evidence.models
import patrol.issues.case_file_models
import patrol.issues.escalation_models
import patrol.issues.models
import patrol.issues.policy_models
import patrol.notifications.models
import patrol.patrols.models
import patrol.public.models
import patrol.supervision.models
import patrol.waters.models  # noqa: F401
from patrol.demo import commands as demo_commands
from patrol.evidence import commands as evidence_commands
from patrol.evidence import upload_api, upload_upkeep  # noqa: F401 - they register themselves
from patrol.evidence.api import room as evidence
from patrol.evidence.storage import open_store
from patrol.foundation import service
from patrol.foundation.database import database_config, db, prepare_postgresql
from patrol.foundation.headers import add_headers
from patrol.foundation.http import PatrolApi, Room, ShortAddresses
from patrol.foundation.json_safety import OrjsonProvider
from patrol.foundation.logs import configure_logs
from patrol.foundation.migrations import connect_migrations, tell_unmigrated
from patrol.foundation.settings import Settings, UnusableSetting, unknown_names
from patrol.foundation.sqlite import WriterQueue, prepare_sqlite
from patrol.foundation.throttle import connect_throttle
from patrol.foundation.unread import read_what_is_refused
from patrol.foundation.worker import connect_worker
from patrol.issues import (  # noqa: F401 - they register themselves
    case_file_api,
    counting,
    department_api,
    duplicate_api,
    escalating,
    examination,
    extension_api,
    figure_api,
    handing_over,
    milestone_api,
    order_api,
    photo_hiding_api,
    policy_api,
    policy_commands,
    recounting,
    step_api,
)
from patrol.issues import commands as issue_commands
from patrol.issues.api import room as issues
from patrol.issues.case_file_fonts import tell_font
from patrol.notifications import (  # noqa: F401 - they register themselves
    delivery,
    doubt_telling,
    duty_telling,
    judgement_telling,
    look_back_telling,
    outbox_api,
    telling,
    webhook_api,
)
from patrol.notifications import expiry as notifications_expiry  # noqa: F401 - it registers itself
from patrol.notifications.api import room as notifications
from patrol.patrols import (  # noqa: F401 - they register themselves
    checkpoint_api,
    delegation_api,
    device_api,
    duty_api,
    finding_api,
    reminding,
    sync_api,
    table_api,
    track_api,
    track_compaction,
)
from patrol.patrols import commands as patrol_commands
from patrol.patrols import policy_api as patrol_policy_api  # noqa: F401 - it registers itself
from patrol.patrols.api import room as patrols
from patrol.people import commands as people_commands
from patrol.people import expiry, retention_commands
from patrol.people.api import room as people
from patrol.people.door import refuse_without
from patrol.public import commands as public_commands
from patrol.public import expiry as public_expiry  # noqa: F401 - it registers itself
from patrol.public import nearby_api, notice_sending, reopening_api, subscription_api  # noqa: F401 - they register themselves
from patrol.public.api import room as public
from patrol.public.open311_api import room as open311
from patrol.supervision import look_backs  # noqa: F401 - it registers itself
from patrol.supervision import policy_api as look_back_policy_api  # noqa: F401 - it registers itself
from patrol.supervision.api import room as supervision
from patrol.waters import appointments_api, import_document, open_map  # noqa: F401 - they register themselves
from patrol.waters.api import room as waters
from patrol.waters.commands import import_command
from patrol.waters.register import warm_index
from patrol.web import pages

log = structlog.get_logger()
ROOMS = (service.room, people, waters, evidence, issues, patrols, public, open311, notifications, supervision)
COMMANDS = (
    service.commands, people_commands.commands, retention_commands.commands, import_command, evidence_commands.commands, issue_commands.commands,
    policy_commands.commands, patrol_commands.commands, public_commands.commands, demo_commands.commands,
)

DESCRIPTION = """The API of Xunhe (巡河), a platform for the River Chief System (河长制).

Times are RFC 3339 with offset, coordinates degrees in WGS 84, distances metres. Unknown fields are refused. Faults are
`application/problem+json` in Chinese or English by `Accept-Language`. Creates are idempotent by the client's id. Writes
that change a thing want its `ETag` as `If-Match`. Lists are paged by `cursor`."""


class PatrolFlask(Flask):
    """Flask without coroutines: there are none here, and asking each function of each request whether it is one took a twentieth of a check-in."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func`, which is no coroutine."""
        return func


def create_app(settings: Settings | None = None, **config: Any) -> Flask:
    """Build the application for `settings` (default: the environment's); `config` are Flask's own keys, for tests."""
    settings = settings or Settings()
    configure_logs(settings)
    for name, meant in unknown_names(os.environ).items():
        log.warning("setting_unknown", name=name, meant=meant)
    app = PatrolFlask("patrol", static_folder=None)
    app.json = OrjsonProvider(app)
    # An address with a slash too many is nothing here; werkzeug would answer with an HTML page that leads to another.
    app.url_map.merge_slashes = False
    app.config.from_mapping(
        API_TITLE="Xunhe 巡河", API_VERSION="v1", OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX="/",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        },
        MAX_CONTENT_LENGTH=settings.max_body_mb * 1024 * 1024, MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024, MAX_FORM_PARTS=200,
        **database_config(settings),
    )
    app.config.from_mapping(config)
    app.extensions["settings"] = settings
    app.wsgi_app = ShortAddresses(app.wsgi_app, ("/ingest/", "/uploads"), "/api/v1")  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    _open_database(app, settings)
    connect_worker(app, settings)
    try:
        app.extensions["photo_store"] = open_store(settings.uploads)
    except ValueError as error:
        raise UnusableSetting(f"XUNHE_UPLOADS cannot be used: {error} / 设置 XUNHE_UPLOADS 无效") from error
    connect_throttle(app, settings)
    add_headers(app)
    read_what_is_refused(app)
    api = PatrolApi(app)
    app.extensions["api"] = api
    Room.check = staticmethod(refuse_without)
    for room in ROOMS:
        api.register_blueprint(room)
    expiry.register_outbox()
    pages.register(app)
    for commands in COMMANDS:
        app.cli.add_command(commands)
    app.extensions["after_fork"] = lambda: _forget_connections(app)
    app.extensions["warm_up"] = lambda: _warm_up(app, settings)
    return app


def _warm_up(app: Flask, settings: Settings) -> None:
    with app.app_context():
        # Without tables there is nothing to build from; each process builds its own index when the first request needs it.
        try:
            if not tell_unmigrated():
                warm_index(settings.routing_tolerance_m)
        except OperationalError as error:
            log.error("database_away", error=str(error.orig))
    tell_font(settings.pdf_font)


def _forget_connections(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose(close=False)


def _open_database(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    connect_migrations(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine, WriterQueue(settings.data / "writers.lock"))
        else:
            prepare_postgresql(db.engine)

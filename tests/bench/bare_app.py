"""The yardstick over HTTP: the least Flask application that writes one row, or reads a body, and answers.

It is served with the same gunicorn settings, writes to the same kind of database with the same durability, and does
nothing else: no account, no check of what came, no explanation.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask, request
from sqlalchemy import JSON, Column, DateTime, Float, MetaData, String, Table, Uuid, create_engine, event

from patrol.foundation.database import engine_options
from patrol.foundation.settings import Settings
from patrol.foundation.sqlite import journal_mode

settings = Settings()
metadata = MetaData()
# As many columns as a check-in has, of the same kinds, and no more indexes than its primary key.
rows = Table(
    "bare_rows", metadata, Column("id", Uuid, primary_key=True), Column("patrol_id", Uuid), Column("person_id", Uuid),
    Column("region_id", Uuid), Column("reach_id", Uuid), Column("distance_m", Float), Column("recorded_at", DateTime),
    Column("sent_at", DateTime), Column("received_at", DateTime), Column("latitude", Float), Column("longitude", Float),
    Column("raw_latitude", Float), Column("raw_longitude", Float), Column("datum", String(8)), Column("accuracy_m", Float),
    Column("checklist", JSON), Column("note", String(2000)), Column("digest", String(64)),
)  # fmt: skip
url = settings.sqlalchemy_url.replace("xunhe.db", "bare.db")
options = engine_options(url, threads=8)
# The driver's own way: it prepares the one statement that there is.
options["connect_args"].pop("prepare_threshold", None)
engine = create_engine(url, **options)


if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def be_durable(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA journal_mode = {journal_mode()}")
        connection.execute("PRAGMA synchronous = FULL")


app = Flask("bare")
app.extensions["warm_up"] = lambda: metadata.create_all(engine)
app.extensions["after_fork"] = lambda: engine.dispose(close=False)


@app.get("/healthz")
def healthz() -> dict[str, Any]:
    return {"status": "alive"}


@app.put("/rows/<uuid:row_id>")
def add_row(row_id: UUID) -> tuple[dict[str, Any], int]:
    """Write what came as one row."""
    sent, now = request.get_json(), datetime.now(UTC).replace(tzinfo=None)
    with engine.begin() as connection:
        connection.execute(rows.insert().values(
            id=row_id, patrol_id=None, person_id=row_id, region_id=row_id, reach_id=None, distance_m=1.0, recorded_at=now,
            sent_at=None, received_at=now, latitude=sent["latitude"], longitude=sent["longitude"],
            raw_latitude=sent["latitude"], raw_longitude=sent["longitude"], datum="wgs84", accuracy_m=sent["accuracy_m"],
            checklist=sent["checklist"], note=sent["note"], digest="0" * 64,
        ))  # fmt: skip
    return {"id": str(row_id)}, 201


@app.put("/bodies/<uuid:_body_id>")
def read_body(_body_id: UUID) -> tuple[dict[str, Any], int]:
    """Receive a body to its end, and forget it."""
    return {"bytes": len(request.get_data())}, 201

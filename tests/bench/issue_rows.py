"""Issues by the hundred thousand, straight into the tables: three years of a district's or a province's work."""

import io
import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Table, delete, text

from patrol.evidence.models import Photo
from patrol.foundation import clock
from patrol.foundation.database import Base, db
from patrol.issues.categories import CATEGORIES, is_heading
from patrol.issues.models import CoHandler, Issue, IssuePhoto
from tests.bench.registers import District

YEARS = 3
# What large districts' yearly reports show, roughly: nearly everything is settled, the open rest is recent.
STATES = {"closed": 0.875, "rejected": 0.06, "merged": 0.01, "submitted": 0.008, "accepted": 0.006, "dispatched": 0.015,
          "in_progress": 0.016, "rectified": 0.006, "verified": 0.004}  # fmt: skip
OPEN_FROM = 3
SOURCES = {"patrol": 0.60, "citizen": 0.21, "hotline": 0.08, "superior": 0.04, "inspection": 0.03, "drone": 0.02,
           "sensor": 0.01, "media": 0.006, "cepi": 0.004}  # fmt: skip
SEVERITIES = {"general": 0.85, "serious": 0.11, "major": 0.02, "urgent": 0.02}
OFTEN = {"C1": 0.20, "C2": 0.15, "A31": 0.15, "B2": 0.07, "B1": 0.05, "D3": 0.05}
TROUBLES = ("水面漂浮垃圾", "岸边堆放生活垃圾", "河水发黑有异味", "排污口有污水直排", "公示牌破损", "水草过多", "护栏损坏", "违章搭建")
PLACES = ("桥下", "码头旁", "村口", "闸门上游", "泵站附近", "老樟树旁", "学校后面", "菜市场后门", "公园步道边", "河湾处")
RARE_WORD, RARE_EVERY = "废旧冰箱", 2_000
CLOSED_AFTER_S = 8 * 86_400
PHOTO_SHARE, CO_HANDLER_SHARE = 0.5, 0.03

ROUTING = {
    "rule": "nearest", "confidence": 0.93, "confidence_label": "high", "decided_by": None, "chief_id": None, "involved": [],
    "reasons": [{"code": "nearest", "zh": "最近的河段是清溪柳岸段,相距 12 米", "en": "The nearest reach is 12 m away"},
                {"code": "chief", "zh": "由村级河长负责", "en": "The chief of the village answers"}],
    "candidates": [], "reach_id": None, "region_id": None, "office_region_id": None, "on": "2026-05-01",
    "office": {"code": "990100", "name": "清溪区"}, "department": {"code": "urban_management", "zh": "城管局", "en": "Urban management"},
}  # fmt: skip
DUE_RULE = {
    "rule": "general_10_wd", "stage": "rectification", "since": "2026-05-01T00:00:00+00:00", "last_day": "2026-05-15", "days": [],
    "explanation": [{"zh": "一般问题 10 个工作日", "en": "Ten working days"}],
}  # fmt: skip


def load_issues(district: District, number: int, seed: int = 3) -> None:
    """Replace all issues by `number` new ones, with photos on half of them, and let the database take stock."""
    _empty()
    rng, ids = np.random.default_rng(seed), []
    _write(Issue.__table__, _issues(district, number, rng, ids))
    with_photo = [ids[at] for at in np.flatnonzero(rng.random(number) < PHOTO_SHARE).tolist()]
    photo_ids = [secrets.token_hex(16) for _ in with_photo]
    now = _plain(clock.now().timestamp())
    _write(Photo.__table__, (
        {"id": photo, "sha256": photo * 2, "media_type": "image/jpeg", "size_bytes": 3_000_000, "width": 4000, "height": 3000,
         "kind": "before", "received_at": now, "recorded_at": now, "derived_at": now} for photo in photo_ids
    ))  # fmt: skip
    _write(IssuePhoto.__table__, (
        {"issue_id": issue, "photo_id": photo, "kind": "before", "seq": 1, "position": 0}
        for issue, photo in zip(with_photo, photo_ids, strict=True)
    ))  # fmt: skip
    helpers = [person.hex for person in district.chief_ids]
    _write(CoHandler.__table__, (
        {"issue_id": ids[at], "person_id": helpers[at % len(helpers)]}
        for at in np.flatnonzero(rng.random(number) < CO_HANDLER_SHARE).tolist()
    ))  # fmt: skip
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not _is_sqlite():
            connection.execute(text("SELECT setval('issue_serials', :number)"), {"number": number})
        connection.execute(text("ANALYZE" if _is_sqlite() else "VACUUM ANALYZE"))


def _empty() -> None:
    """Take away all issues and photos, and whatever refers to them: SQLite has no TRUNCATE … CASCADE."""
    doomed = {Issue.__table__, Photo.__table__}
    while more := {table for table in db.metadata.sorted_tables if {key.column.table for key in table.foreign_keys} & doomed} - doomed:
        doomed |= more
    if _is_sqlite():
        for table in reversed([table for table in db.metadata.sorted_tables if table in doomed]):
            db.session.execute(delete(table))
    else:
        db.session.execute(text(f"TRUNCATE {', '.join(table.name for table in doomed)}"))
    db.session.commit()


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _issues(district: District, number: int, rng: np.random.Generator, ids: list[str]) -> Iterator[dict[str, Any]]:
    now = clock.now().timestamp()
    state = rng.choice(len(STATES), number, p=list(STATES.values()))
    ended, recent = rng.uniform(0, YEARS * 365, number), rng.exponential(9, number)
    age_days = np.where(state >= OPEN_FROM, np.minimum(recent, 60), ended)
    order = np.argsort(-age_days)
    codes = [code for code in CATEGORIES if not is_heading(code)]
    share = (1 - sum(OFTEN.values())) / (len(codes) - len(OFTEN))
    category = rng.choice(len(codes), number, p=[OFTEN.get(code, share) for code in codes])
    source, severity = (rng.choice(len(shares), number, p=list(shares.values())) for shares in (SOURCES, SEVERITIES))
    names = list(STATES), list(SOURCES), list(SEVERITIES)
    reach = rng.integers(0, len(district.reach_ids), number)
    places = shapely.get_coordinates(shapely.get_point(district.lines, 7))[reach] + rng.uniform(-0.004, 0.004, (number, 2))
    limit_days = rng.choice([3, 10, 15, 30], number, p=[0.1, 0.6, 0.2, 0.1])
    routing, due_rule = json.dumps(ROUTING, ensure_ascii=False), json.dumps(DUE_RULE, ensure_ascii=False)
    serial, supervisor = count(1), district.people["supervisor"].hex
    for at in order.tolist():
        received, village = now - age_days[at] * 86_400, district.reach_village[reach[at]]
        issue_id = f"{int(received * 1000):012x}7{secrets.token_hex(10)[:3]}8{secrets.token_hex(8)[:15]}"
        ids.append(issue_id)
        name = names[0][state[at]]
        led = name not in {"submitted", "accepted", "rejected"}
        words = RARE_WORD if at % RARE_EVERY == 0 else TROUBLES[at % len(TROUBLES)]
        longitude, latitude = places[at].tolist()
        moment = _plain(received)
        yield {
            "id": issue_id, "serial": next(serial), "state": name, "category": codes[category[at]],
            "severity": names[2][severity[at]], "source": names[1][source[at]],
            "description": f"{PLACES[at * 7 % len(PLACES)]}{words},约{at % 40 + 1}平方米,已持续{at % 9 + 1}天,请尽快派人处理",
            "latitude": latitude, "longitude": longitude, "raw_latitude": latitude, "raw_longitude": longitude, "datum": "wgs84",
            "accuracy_m": 8.0, "recorded_at": moment, "received_at": moment, "region_id": district.village_ids[village].hex,
            "reach_id": district.reach_ids[reach[at]].hex, "routing": routing, "due_rule": due_rule,
            "lead_id": district.chief_ids[village].hex if led else None, "due_at": _plain(received + int(limit_days[at]) * 86_400),
            "dispatched_at": moment if led else None,
            "closed_at": _plain(min(received + CLOSED_AFTER_S, now)) if name == "closed" else None, "returned_times": 0, "reopened_times": 0, "reporter_id": supervisor,
            "findings": "[]", "digest": "0" * 64, "version": 3, "history_hash": "0" * 64,
        }  # fmt: skip


def _plain(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _write(table: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Write plain values (hexadecimal ids, moments as text) as fast as the engine takes them."""
    assert isinstance(table, Table)
    assert table.metadata is Base.metadata
    raw = db.engine.raw_connection()
    try:
        if _is_sqlite():
            _write_sqlite(raw, table.name, rows)
        else:
            _write_postgresql(raw, table.name, rows)
        raw.commit()
    finally:
        raw.close()


def _write_sqlite(raw: Any, name: str, rows: Iterable[dict[str, Any]]) -> None:
    raw.execute("BEGIN IMMEDIATE")
    statement = ""
    for row in rows:
        statement = statement or f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        raw.execute(statement, tuple(row.values()))


def _write_postgresql(raw: Any, name: str, rows: Iterable[dict[str, Any]]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    with raw.cursor().copy(f"COPY {name} ({', '.join(first)}) FROM STDIN") as copy:
        block = io.StringIO()
        for row in chain([first], rows):
            block.write("\t".join("\\N" if value is None else str(value).replace("\\", "\\\\") for value in row.values()) + "\n")
            if block.tell() > 1_000_000:
                copy.write(block.getvalue())
                block = io.StringIO()
        copy.write(block.getvalue())

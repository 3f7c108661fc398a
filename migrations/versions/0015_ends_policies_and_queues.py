"""ends that were said of patrols, policies of examinations by kind, and the order of what phones tell"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What a new installation starts with; CoveragePolicy and DatumPolicy tell the source of each number.
COVERAGE = {
    "cell_m": 25.0, "inflation": 1.5, "least_accuracy_m": 10.0, "assumed_accuracy_m": 20.0, "worst_accuracy_m": 100.0,
    "base_radius_m": 30.0, "least_radius_m": 50.0, "most_radius_m": 120.0, "range_m": 20.0, "inside_m": 500.0,
    "longest_bridge_s": 180.0, "longest_bridge_m": 300.0, "stretch": 2.5, "most_pairs": 400, "fastest_mps": 40.0,
    "least_step_s": 1.0, "off_slack_m": 10.0, "along_slack_m": 15.0, "most_for_a_jump": 12.0, "other_part": 2.0,
}
DATUM = {
    "least_fixes": 30, "worst_accuracy_m": 100.0, "factor": 2.0, "margin_m": 10.0, "plausible_m": 60.0, "nine_of_ten_m": 70.0,
}
SOURCE = [
    "本系统起始值：由已知真实路线的模拟巡河校核（docs/coverage.md）；请按本地巡河数据修订",
    "Start values of this system, set by simulated walks of known truth (docs/coverage.md); to be tuned on local patrols",
]
_SINGLE = sa.text("members IS NULL AND points IS NOT NULL AND count <= 1")
_STANDS = sa.text("withdrawn_at IS NULL")
_OLD = sa.table(
    "integrity_policies", sa.column("version", sa.String), sa.column("valid_from", sa.Date), sa.column("data", sa.JSON),
    sa.column("trusted_receivers", sa.JSON), sa.column("source", sa.JSON),
)  # fmt: skip
_NEW = sa.table(
    "examination_policies", sa.column("kind", sa.String), sa.column("version", sa.String), sa.column("valid_from", sa.Date),
    sa.column("data", sa.JSON), sa.column("trusted_receivers", sa.JSON), sa.column("source_zh", sa.String),
    sa.column("source_en", sa.String), sa.column("withdrawn_at", sa.DateTime),
)  # fmt: skip


def upgrade() -> None:
    _ends()
    _policies()
    _likenesses()
    with op.batch_alter_table("track_batches") as batch_op:
        batch_op.add_column(sa.Column("members", sa.LargeBinary(), nullable=True))
        batch_op.create_index(
            "ix_track_batches_single", ["patrol_id", "source", "datum"], unique=False, postgresql_where=_SINGLE, sqlite_where=_SINGLE)
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.add_column(sa.Column("report", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sent_at", sa.DateTime(), nullable=True))


def _ends() -> None:
    op.create_table(
        "patrol_ends",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_patrol_ends_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_ends")),
    )
    with op.batch_alter_table("patrol_ends") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_ends_patrol_id"), ["patrol_id"], unique=False)
    with op.batch_alter_table("patrols") as batch_op:
        batch_op.add_column(sa.Column("recorded_until", sa.DateTime(), nullable=True))
    # When those ends were received was not kept; not before they lay in the past, as far as anybody can tell.
    op.execute(sa.text(
        "INSERT INTO patrol_ends (id, patrol_id, revision, ended_at, summary, reason, received_at) "
        "SELECT id, id, 0, ended_at, summary, NULL, CASE WHEN ended_at > received_at THEN ended_at ELSE received_at END "
        "FROM patrols WHERE ended_by = 'person' AND ended_at IS NOT NULL"
    ))
    op.execute(sa.text("UPDATE patrols SET recorded_until = ended_at WHERE ended_by = 'person'"))


def _likenesses() -> None:
    bands = op.create_table(
        "likeness_bands",
        sa.Column("band", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("band", "sha256", name=op.f("pk_likeness_bands")),
    )
    known = op.get_bind().execute(sa.text("SELECT DISTINCT sha256, likeness FROM photos WHERE likeness IS NOT NULL")).all()
    for start in range(0, len(known), 10_000):
        op.bulk_insert(bands, [{"band": band, "sha256": row.sha256} for row in known[start : start + 10_000] for band in _bands(row.likeness)])


def _bands(likeness: str) -> list[int]:
    """Return the five parts of a 64-bit hash, 13 bits each and the last 12, each with its number in front."""
    rest = int(likeness, 16)
    if rest.bit_count() <= 8:
        return []  # A picture of one colour.
    return [(number << 13) + (rest >> (13 * number) & ((1 << width) - 1)) for number, width in enumerate((13, 13, 13, 13, 12))]


def _policies() -> None:
    policies = op.create_table(
        "examination_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("trusted_receivers", sa.JSON(), nullable=False),
        sa.Column("source_zh", sa.String(length=500), nullable=False),
        sa.Column("source_en", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["added_by_id"], ["people.id"], name=op.f("fk_examination_policies_added_by_id_people")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["people.id"], name=op.f("fk_examination_policies_withdrawn_by_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examination_policies")),
        sa.UniqueConstraint("kind", "number", name=op.f("uq_examination_policies_kind_number")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_examination_policies_kind_version")),
    )
    with op.batch_alter_table("examination_policies") as batch_op:
        batch_op.create_index(
            "uq_examination_policies_day", ["kind", "valid_from"], unique=True, postgresql_where=_STANDS, sqlite_where=_STANDS)
    op.bulk_insert(policies, [*_moved(), *(
        {**_row(kind, 1, "2026-11", date(2026, 1, 1), data), "source_zh": SOURCE[0], "source_en": SOURCE[1]}
        for kind, data in (("coverage", COVERAGE), ("datum", DATUM))
    )])  # fmt: skip
    op.drop_table("integrity_policies")
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.add_column(sa.Column("policies", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.alter_column("policies", server_default=None)
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(), nullable=True))


def _row(kind: str, number: int, version: str, valid_from: date, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": uuid4(), "kind": kind, "number": number, "version": version, "valid_from": valid_from, "data": data, "trusted_receivers": [],
        "digest": "", "added_at": datetime.now(UTC).replace(tzinfo=None), "added_by_id": None, "withdrawn_at": None, "withdrawn_by_id": None,
    }  # fmt: skip


def _moved() -> list[dict[str, Any]]:
    """Return the integrity policies as rows of the new table; of two of one day the one of the later name was in force."""
    old = op.get_bind().execute(sa.select(_OLD).order_by(_OLD.c.valid_from, _OLD.c.version)).mappings().all()
    rows = []
    for number, row in enumerate(old, 1):
        made = _row("integrity", number, row["version"], row["valid_from"], row["data"])
        made |= {"trusted_receivers": row["trusted_receivers"], "source_zh": row["source"][0], "source_en": row["source"][-1]}
        overtaken = number < len(old) and old[number]["valid_from"] == row["valid_from"]
        rows.append(made | {"withdrawn_at": made["added_at"] if overtaken else None})
    return rows


def downgrade() -> None:
    op.drop_table("likeness_bands")
    # Rows that were compacted stay so: their fixes are all there, only a live app's repeated message makes a row of its own.
    with op.batch_alter_table("track_batches") as batch_op:
        batch_op.drop_index("ix_track_batches_single")
        batch_op.drop_column("members")
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.drop_column("withdrawn_at")
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.drop_column("policies")
    op.create_table(
        "integrity_policies",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("trusted_receivers", sa.JSON(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_integrity_policies")),
    )
    with op.batch_alter_table("integrity_policies") as batch_op:
        batch_op.create_index(batch_op.f("ix_integrity_policies_valid_from"), ["valid_from"], unique=False)
    kept = op.get_bind().execute(sa.select(_NEW).where(_NEW.c.kind == "integrity", _NEW.c.withdrawn_at.is_(None))).mappings().all()
    names = ("version", "valid_from", "data", "trusted_receivers")
    op.bulk_insert(_OLD, [
        {**{name: row[name] for name in names}, "source": [row["source_zh"], row["source_en"]]} for row in kept
    ])  # fmt: skip
    op.drop_table("examination_policies")
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.drop_column("sent_at")
        batch_op.drop_column("report")
    with op.batch_alter_table("patrols") as batch_op:
        batch_op.drop_column("recorded_until")
    op.drop_table("patrol_ends")

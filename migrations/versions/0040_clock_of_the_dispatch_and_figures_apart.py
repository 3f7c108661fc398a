"""by when the office puts somebody in charge; figures of days that count what was rejected, merged, suspended and verified apart"""

import uuid
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

NAMESPACE, FIRST_DAY = uuid.UUID("2d1a5b0e-8a3c-4c55-9a36-20c6b1f0d036"), date(2020, 1, 1)
# Severity, amount, unit, the end of the code, source.
LIMITS = (
    *((severity, 1, "working_days", "1_wd", ("各地公开规定的通行做法：受理后 1 个工作日内派单", "What most published local rules share: dispatched within 1 working day"))
      for severity in ("general", "serious", "major")),
    ("urgent", 2, "hours", "2_h", ("本系统起始值：与受理同为 2 小时，请按本地规定修订", "Start value of this system: 2 hours, as for the acceptance")),
)
rows = sa.table("deadline_policies", *(sa.column(name, kind) for name, kind in {
    "id": sa.Uuid(), "version": sa.Integer(), "enabled": sa.Boolean(), "digest": sa.String(), "added_at": sa.DateTime(),
    "valid_from": sa.Date(), "amount": sa.Integer(),
    **dict.fromkeys(("code", "stage", "severity", "category", "unit", "source_zh", "source_en"), sa.String()),
}.items()))
BEFORE = ("received", "dropped", "restored", "closed", "closed_in_time", "undone", "reopened", "relapsed", "called_not_fixed")
COUNTS = (*BEFORE, "rejected", "merged", "suspended", "resumed", "verified")


def upgrade() -> None:
    # What waits to be dispatched already gets its clock when it is next accepted; until then it waits as before.
    op.bulk_insert(rows, [
        {
            "id": uuid.uuid5(NAMESPACE, severity), "version": 1, "enabled": True, "digest": "", "added_at": datetime.now(UTC).replace(tzinfo=None),
            "valid_from": FIRST_DAY, "code": f"dispatch_{severity}_{ending}", "stage": "dispatch", "severity": severity, "category": "",
            "amount": amount, "unit": unit, "source_zh": source[0], "source_en": source[1],
        }
        for severity, amount, unit, ending, source in LIMITS
    ])
    make_figures(COUNTS)


def make_figures(counts: tuple[str, ...]) -> None:
    """Make the table anew and empty: within hours the worker counts every day again from the histories, where all of it stands."""
    op.drop_table("daily_figures")
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("counted_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_daily_figures_region_id_regions")),
        sa.PrimaryKeyConstraint("day", "region_id", name=op.f("pk_daily_figures")),
    )
    op.create_index(op.f("ix_daily_figures_region_id"), "daily_figures", ["region_id"])


def downgrade() -> None:
    make_figures(BEFORE)
    op.execute(rows.delete().where(rows.c.stage == "dispatch"))

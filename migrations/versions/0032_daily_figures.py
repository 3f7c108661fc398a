"""what was reported, closed and undone each day in each region"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COUNTS = ("received", "dropped", "restored", "closed", "closed_in_time", "undone", "reopened", "relapsed", "called_not_fixed")


def upgrade() -> None:
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("counted_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_daily_figures_region_id_regions")),
        sa.PrimaryKeyConstraint("day", "region_id", name=op.f("pk_daily_figures")),
    )
    op.create_index(op.f("ix_daily_figures_region_id"), "daily_figures", ["region_id"])


def downgrade() -> None:
    op.drop_table("daily_figures")

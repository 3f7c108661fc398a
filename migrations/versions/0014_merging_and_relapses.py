"""merging and relapses"""

import uuid
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NAMES = ("merged_into_id", "relapse_of_id", "relapsed_in_id")
# Asked for by who is named: what is merged into an original, whose cure did not hold, what brings it back.
INDEXED = {"ix_issues_merged_into": "merged_into_id", "ix_issues_relapsed_in": "relapsed_in_id", "ix_issues_relapse_of": "relapse_of_id"}


def upgrade() -> None:
    op.create_table(
        "relapse_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relapse_policies")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_relapse_policies_valid_from")),
    )
    for name in NAMES:
        add_reference(name)
    op.add_column("issues", sa.Column("merged_at", sa.DateTime(), nullable=True))
    op.add_column("issues", sa.Column("merged_from", sa.String(length=20), nullable=True))
    op.add_column("issues", sa.Column("also_reported", sa.Integer(), nullable=False, server_default="0"))
    for index, name in INDEXED.items():
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(index, "issues", [name], unique=False, postgresql_where=there, sqlite_where=there)
    policies = sa.table("relapse_policies", *(sa.column(name) for name in ("id", "days", "radius_m", "valid_from", "source")))
    op.execute(
        policies.insert().values(
            id=sa.literal(uuid.UUID(int=1), sa.Uuid()),
            days=90,
            radius_m=50,
            valid_from=sa.literal(date(2020, 1, 1), sa.Date()),
            source="DEFAULT: a new report within 50 m, of the same category, in 90 days is a new episode that links the old one",
        )
    )


def add_reference(name):
    """Add a column that names another issue; on SQLite without rebuilding the table, to which others refer."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE issues ADD COLUMN {name} CHAR(32) CONSTRAINT fk_issues_{name}_issues REFERENCES issues (id)")
    else:
        op.add_column("issues", sa.Column(name, sa.Uuid(), nullable=True))
        op.create_foreign_key(f"fk_issues_{name}_issues", "issues", "issues", [name], ["id"])


def downgrade() -> None:
    for index in INDEXED:
        op.drop_index(index, "issues")
    for name in ("also_reported", "merged_from", "merged_at", *NAMES):
        op.drop_column("issues", name)
    op.drop_table("relapse_policies")

"""the ownership matrix, parts of co-handlers, joint cases"""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WAITS = sa.text("state = 'open' AND told_late_at IS NULL AND due_at IS NOT NULL")
# What a new installation starts with: which bureau the national opinions and most districts name for each category.
DEFAULTS = (
    ("A", "water"), ("A17", "agriculture"), ("A22", "natural_resources"), ("A3", "urban_management"), ("A32", "ecology"), ("A33", "water"),
    ("B", "ecology"), ("B1", "housing"), ("B4", "agriculture"), ("B5", "agriculture"),
    ("C", "urban_management"), ("C3", "agriculture"), ("C4", "agriculture"), ("C5", "water"),
    ("D1", "water"), ("D2", "water"), ("D4", "emergency"), ("D5", "water"),
    ("E", "water"), ("E3", "agriculture"), ("E4", "forestry"),
)  # fmt: skip
SOURCE_ZH, SOURCE_EN = "系统默认：部门职责通行分工", "DEFAULT: the usual division of duties"


def upgrade() -> None:
    op.create_table(
        "ownership_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=True),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source_zh", sa.String(length=300), nullable=False),
        sa.Column("source_en", sa.String(length=300), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.String(length=2000), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["people.id"], name=op.f("fk_ownership_rows_created_by_id_people")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["people.id"], name=op.f("fk_ownership_rows_ended_by_id_people")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_ownership_rows_issue_id_issues")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_ownership_rows_region_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ownership_rows")),
    )
    op.create_index("ix_ownership_rows_category", "ownership_rows", ["category", "id"])
    op.create_index(op.f("ix_ownership_rows_issue_id"), "ownership_rows", ["issue_id"])
    op.create_table(
        "issue_parts",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("told_late_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ended_by_id"], ["people.id"], name=op.f("fk_issue_parts_ended_by_id_people")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_parts_issue_id_issues")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_issue_parts_person_id_people")),
        sa.PrimaryKeyConstraint("issue_id", "n", name=op.f("pk_issue_parts")),
    )
    op.create_index("ix_issue_parts_waiting", "issue_parts", ["due_at"], postgresql_where=WAITS, sqlite_where=WAITS)
    op.create_table(
        "issue_sides",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_sides_issue_id_issues")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_issue_sides_region_id_regions")),
        sa.PrimaryKeyConstraint("issue_id", "region_id", name=op.f("pk_issue_sides")),
    )
    op.create_index("ix_issue_sides_region", "issue_sides", ["region_id", "issue_id"])
    op.add_column("issues", sa.Column("is_joint", sa.Boolean(), nullable=False, server_default=sa.false()))
    _fill_matrix()


def _fill_matrix() -> None:
    kinds = {
        "id": sa.Uuid(), "category": sa.String(), "department": sa.String(), "part": sa.String(), "valid_from": sa.Date(),
        "source_zh": sa.String(), "source_en": sa.String(), "created_at": sa.DateTime(), "digest": sa.String(), "version": sa.Integer(),
    }  # fmt: skip
    table = sa.table("ownership_rows", *(sa.column(name, kind) for name, kind in kinds.items()))
    op.bulk_insert(table, [
        {"id": uuid.UUID(int=0x0015_0000 + number), "category": category, "department": department, "part": "lead",
         "valid_from": date(2020, 1, 1), "source_zh": SOURCE_ZH, "source_en": SOURCE_EN, "created_at": datetime(2020, 1, 1),  # noqa: DTZ001
         "digest": "", "version": 1}
        for number, (category, department) in enumerate(DEFAULTS, start=1)
    ])  # fmt: skip


def downgrade() -> None:
    op.drop_column("issues", "is_joint")
    op.drop_table("issue_sides")
    op.drop_table("issue_parts")
    op.drop_table("ownership_rows")

"""declining an issue, keeping one on the ledger, and more time"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ON_LEDGER = sa.text("review_on IS NOT NULL")


def upgrade() -> None:
    for name, kind in (
        ("declined_at", sa.DateTime()), ("suspended_at", sa.DateTime()), ("review_on", sa.Date()), ("milestones", sa.JSON()),
    ):  # fmt: skip
        op.add_column("issues", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_issues_review_on", "issues", ["review_on", "id"], postgresql_where=ON_LEDGER, sqlite_where=ON_LEDGER
    )
    op.create_table(
        "issue_extensions",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opening", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(length=4000), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("decision", sa.String(length=4000), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_extensions_issue_id_issues")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["people.id"], name=op.f("fk_issue_extensions_asked_by_id_people")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["people.id"], name=op.f("fk_issue_extensions_decided_by_id_people")),
        sa.PrimaryKeyConstraint("issue_id", "n", name=op.f("pk_issue_extensions")),
    )


def downgrade() -> None:
    op.drop_table("issue_extensions")
    op.drop_index("ix_issues_review_on", "issues", postgresql_where=ON_LEDGER, sqlite_where=ON_LEDGER)
    for name in ("milestones", "review_on", "suspended_at", "declined_at"):
        op.drop_column("issues", name)

"""entries of histories say the facts they set; case files that were given out are known by their digests"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("issue_history") as batch_op:
        batch_op.add_column(sa.Column("facts", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "issued_case_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issued_case_files_issue_id_issues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_case_files")),
    )
    op.create_index(op.f("ix_issued_case_files_issue_id"), "issued_case_files", ["issue_id"])
    op.create_index(op.f("ix_issued_case_files_sha256"), "issued_case_files", ["sha256"])


def downgrade() -> None:
    op.drop_table("issued_case_files")
    with op.batch_alter_table("issue_history") as batch_op:
        batch_op.drop_column("facts")

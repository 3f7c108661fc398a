"""the issue whose result a rating is about"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

OF_THE_COMPLAINT = """
    UPDATE ratings SET issue_id = (
        SELECT coalesce(issues.merged_into_id, issues.id) FROM complaints JOIN issues ON issues.id = complaints.issue_id
        WHERE complaints.id = ratings.complaint_id
    )
"""
# Of two ratings of one number the former schema can hold only one: the later.
LATER_OF_TWO = """
    DELETE FROM ratings WHERE EXISTS (
        SELECT 1 FROM ratings AS other WHERE other.complaint_id = ratings.complaint_id AND other.closing = ratings.closing
        AND (other.rated_at > ratings.rated_at OR (other.rated_at = ratings.rated_at AND other.id > ratings.id))
    )
"""


def upgrade() -> None:
    with op.batch_alter_table("ratings") as batch_op:
        batch_op.add_column(sa.Column("issue_id", sa.Uuid(), nullable=True))
    op.execute(OF_THE_COMPLAINT)
    with op.batch_alter_table("ratings") as batch_op:
        batch_op.alter_column("issue_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.create_foreign_key("fk_ratings_issue_id_issues", "issues", ["issue_id"], ["id"])
        batch_op.drop_constraint("uq_ratings_complaint_id_closing", type_="unique")
        batch_op.create_unique_constraint("uq_ratings_complaint_id_issue_id_closing", ["complaint_id", "issue_id", "closing"])
        batch_op.create_index("ix_ratings_issue_id", ["issue_id"])


def downgrade() -> None:
    op.execute(LATER_OF_TWO)
    with op.batch_alter_table("ratings") as batch_op:
        batch_op.drop_index("ix_ratings_issue_id")
        batch_op.drop_constraint("uq_ratings_complaint_id_issue_id_closing", type_="unique")
        batch_op.drop_constraint("fk_ratings_issue_id_issues", type_="foreignkey")
        batch_op.drop_column("issue_id")
        batch_op.create_unique_constraint("uq_ratings_complaint_id_closing", ["complaint_id", "closing"])

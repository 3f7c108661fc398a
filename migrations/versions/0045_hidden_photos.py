"""photos of issues that are hidden from the public"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("issue_photos") as batch_op:
        batch_op.add_column(sa.Column("hidden_seq", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("issue_photos") as batch_op:
        batch_op.drop_column("hidden_seq")

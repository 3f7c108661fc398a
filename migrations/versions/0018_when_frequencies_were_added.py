"""when each row on how often reaches are patrolled was added; of rows of old nobody kept it"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.add_column(sa.Column("added_at", sa.DateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.drop_column("added_at")

"""how much of what a phone said it held its own request brought"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.add_column(sa.Column("settled", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.alter_column("settled", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.drop_column("settled")

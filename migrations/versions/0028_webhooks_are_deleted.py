"""webhooks can be deleted, and what still rested for them says why it was given up"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhooks") as batch_op:
        batch_op.add_column(sa.Column("deleted_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("webhook_deliveries") as batch_op:
        batch_op.add_column(sa.Column("ended_by", sa.String(length=20), nullable=True))


def downgrade() -> None:
    # Without the mark a deleted webhook is one that is switched off, and what rested for it one that was dropped.
    with op.batch_alter_table("webhook_deliveries") as batch_op:
        batch_op.drop_column("ended_by")
    with op.batch_alter_table("webhooks") as batch_op:
        batch_op.drop_column("deleted_at")

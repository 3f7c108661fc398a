"""events of webhooks that are switched off are kept until these go on"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("delivered_at IS NULL AND dropped_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("webhook_deliveries") as batch_op:
        batch_op.add_column(sa.Column("dropped_at", sa.DateTime(), nullable=True))
        batch_op.alter_column("outbox_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.create_index(
            "ix_webhook_deliveries_open", ["webhook_id", "created_at", "id"], unique=False, postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN)
    # What a webhook at rest was not told counted as done, although it had never been sent.
    op.execute(
        "UPDATE webhook_deliveries SET outbox_id = NULL WHERE delivered_at IS NULL "
        "AND outbox_id IN (SELECT id FROM outbox WHERE delivered_at IS NOT NULL)")


def downgrade() -> None:
    # There is no row of the outbox to which what is paused or was dropped could go back.
    op.execute("DELETE FROM webhook_deliveries WHERE outbox_id IS NULL")
    with op.batch_alter_table("webhook_deliveries") as batch_op:
        batch_op.drop_index("ix_webhook_deliveries_open")
        batch_op.alter_column("outbox_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.drop_column("dropped_at")

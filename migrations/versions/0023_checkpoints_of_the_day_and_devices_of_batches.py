"""by what a seed draws its checkpoints, which photo a checkpoint shows, and which device sent a batch"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Phones hold the seeds of the days ahead, and patrols have answered by them: these go on drawing by the patrol's id.
    with op.batch_alter_table("checkpoint_seeds") as batch_op:
        batch_op.add_column(sa.Column("draws_by", sa.String(length=6), nullable=False, server_default="patrol"))
    with op.batch_alter_table("checkpoint_seeds") as batch_op:
        batch_op.alter_column("draws_by", existing_type=sa.String(length=6), server_default=None)
    with op.batch_alter_table("checkpoint_answers") as batch_op:
        batch_op.create_index(batch_op.f("ix_checkpoint_answers_photo_id"), ["photo_id"], unique=False)
    with op.batch_alter_table("track_batches") as batch_op:
        batch_op.add_column(sa.Column("device_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("track_batches") as batch_op:
        batch_op.drop_column("device_id")
    with op.batch_alter_table("checkpoint_answers") as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkpoint_answers_photo_id"))
    with op.batch_alter_table("checkpoint_seeds") as batch_op:
        batch_op.drop_column("draws_by")

"""times without signal, and names of devices"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("patrol_pauses") as batch_op:
        batch_op.add_column(sa.Column("cause", sa.String(length=10), nullable=False, server_default="person"))
    with op.batch_alter_table("patrol_pauses") as batch_op:
        batch_op.alter_column("cause", existing_type=sa.String(length=10), server_default=None)
    op.create_index("ix_patrols_device", "patrols", ["device", "person_id"])


def downgrade() -> None:
    op.drop_index("ix_patrols_device", table_name="patrols")
    # Without its cause a mark of the phone would be a pause of the person, in which nothing counts.
    op.execute("DELETE FROM patrol_pauses WHERE cause <> 'person'")
    with op.batch_alter_table("patrol_pauses") as batch_op:
        batch_op.drop_column("cause")

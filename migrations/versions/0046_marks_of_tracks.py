"""marks by which copies of a track are looked up"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "track_marks",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_track_marks_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("patrol_id", "mark", name=op.f("pk_track_marks")),
    )
    with op.batch_alter_table("track_marks") as batch_op:
        batch_op.create_index("ix_track_marks_mark", ["mark", "patrol_id"], unique=False)


def downgrade() -> None:
    op.drop_table("track_marks")

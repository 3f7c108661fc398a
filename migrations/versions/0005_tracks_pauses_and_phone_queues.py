"""tracks, pauses and phone queues"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STILL_OPEN = {"postgresql_where": sa.text("ended_at IS NULL"), "sqlite_where": sa.text("ended_at IS NULL")}


def upgrade() -> None:
    with op.batch_alter_table("patrols") as batch_op:
        batch_op.add_column(sa.Column("device_details", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("ended_by", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("end_reason", sa.String(length=40), nullable=True))
        batch_op.create_index("ix_patrols_open", ["received_at"], unique=False, **STILL_OPEN)
    op.execute("UPDATE patrols SET ended_by = 'person' WHERE ended_at IS NOT NULL")
    op.create_table(
        "track_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("datum", sa.String(length=8), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("outside", sa.Integer(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("first_recorded_at", sa.DateTime(), nullable=True),
        sa.Column("last_recorded_at", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("points", sa.LargeBinary(), nullable=True),
        sa.Column("quarantined", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_track_batches_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_track_batches")),
    )
    with op.batch_alter_table("track_batches") as batch_op:
        batch_op.create_index("ix_track_batches_patrol", ["patrol_id", "first_recorded_at"], unique=False)
        batch_op.create_index("ix_track_batches_received_at", ["received_at"], unique=False)
    op.create_table(
        "patrol_pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_patrol_pauses_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_pauses")),
    )
    with op.batch_alter_table("patrol_pauses") as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_pauses_patrol_id"), ["patrol_id"], unique=False)
    op.create_table(
        "phone_queues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.DateTime(), nullable=True),
        sa.Column("reported_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_phone_queues_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_queues")),
        sa.UniqueConstraint("person_id", "device", name=op.f("uq_phone_queues_person_id_device")),
    )
    with op.batch_alter_table("phone_queues") as batch_op:
        batch_op.create_index("ix_phone_queues_reported_at", ["reported_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("phone_queues")
    op.drop_table("patrol_pauses")
    op.drop_table("track_batches")
    with op.batch_alter_table("patrols") as batch_op:
        batch_op.drop_index("ix_patrols_open", **STILL_OPEN)
        batch_op.drop_column("end_reason")
        batch_op.drop_column("ended_by")
        batch_op.drop_column("device_details")

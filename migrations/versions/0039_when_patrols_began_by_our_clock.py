"""when patrols began by the server's clock, where the phone's ran ahead"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_AHEAD = timedelta(minutes=5)
patrols = sa.table("patrols", sa.column("id", sa.Uuid()), sa.column("started_at", sa.DateTime()), sa.column("received_at", sa.DateTime()))
examinations = sa.table("examinations", sa.column("patrol_id", sa.Uuid()), sa.column("input_hash", sa.String()))
outbox = sa.table(
    "outbox", sa.column("id", sa.Uuid()), sa.column("kind", sa.String()), sa.column("payload", sa.JSON()), sa.column("attempts", sa.Integer()),
    *(sa.column(name, sa.DateTime()) for name in ("created_at", "available_at")),
)


def upgrade() -> None:
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.add_column(sa.Column("began_at", sa.DateTime(), nullable=True))
    # What was examined before is looked at once more where it matters: whose clock ran ahead.
    rows = op.get_bind().execute(
        sa.select(patrols.c.id, patrols.c.started_at, patrols.c.received_at).join(examinations, examinations.c.patrol_id == patrols.c.id)
        .where(patrols.c.started_at > patrols.c.received_at)
    )
    ahead = [patrol_id for patrol_id, started_at, received_at in rows if started_at - received_at > _AHEAD]
    now = datetime.now(UTC).replace(tzinfo=None)
    for patrol_id in ahead:
        op.execute(sa.update(examinations).where(examinations.c.patrol_id == patrol_id).values(input_hash=""))
    if ahead:
        op.bulk_insert(outbox, [
            {"id": uuid4(), "kind": "patrols.examine", "payload": {"patrol_id": str(patrol_id), "tries": 0}, "attempts": 0,
             "created_at": now, "available_at": now} for patrol_id in ahead
        ])


def downgrade() -> None:
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.drop_column("began_at")

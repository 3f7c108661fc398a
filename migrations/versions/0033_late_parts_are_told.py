"""what could not be told of late parts, and waits for a person by now, is tried again"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

outbox = sa.table(
    "outbox", sa.column("kind", sa.String()), sa.column("last_error", sa.String()), sa.column("attempts", sa.Integer()),
    *(sa.column(name, sa.DateTime()) for name in ("created_at", "available_at", "delivered_at")),
)


def upgrade() -> None:
    failed = outbox.c.last_error.contains("planned_at", autoescape=True)
    untold = outbox.c.kind == "notifications.tell", outbox.c.delivered_at.is_(None), failed
    op.execute(sa.update(outbox).where(*untold).values(attempts=0, available_at=outbox.c.created_at))


def downgrade() -> None:
    # What was told stays told.
    pass

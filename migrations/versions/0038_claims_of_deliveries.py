"""who delivers a row of the outbox says so in columns of their own, apart from when it is due"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("claimed_by", sa.Uuid(), nullable=True))
    op.add_column("outbox", sa.Column("claimed_until", sa.DateTime(), nullable=True))


def downgrade() -> None:
    for name in ("claimed_until", "claimed_by"):
        op.drop_column("outbox", name)

"""the mark of an unchecked source is said in words only"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MARK = " [GK]"
policies = sa.table("frequency_policies", *(sa.column(name, sa.String()) for name in ("source_zh", "source_en")))
COLUMNS = (policies.c.source_zh, policies.c.source_en)


def upgrade() -> None:
    # Each of these sources says before the mark that it was not checked, or that it is this system's own.
    for column in COLUMNS:
        op.execute(sa.update(policies).where(column.like(f"%{MARK}")).values({column: sa.func.replace(column, MARK, "")}))


def downgrade() -> None:
    """Leave the words as they are: what the mark said stands in them."""

"""an index of the regions at the top"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

AT_THE_TOP = sa.text("parent_id IS NULL")


def upgrade() -> None:
    op.create_index("ix_regions_roots", "regions", ["parent_id"], postgresql_where=AT_THE_TOP, sqlite_where=AT_THE_TOP)


def downgrade() -> None:
    op.drop_index("ix_regions_roots", table_name="regions")

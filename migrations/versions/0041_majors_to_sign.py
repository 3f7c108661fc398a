"""an index of the major issues that wait for a signature"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TO_SIGN = sa.text("severity = 'major' AND state IN ('verified', 'suspended')")


def upgrade() -> None:
    op.create_index("ix_issues_to_sign", "issues", ["state"], postgresql_where=TO_SIGN, sqlite_where=TO_SIGN)


def downgrade() -> None:
    op.drop_index("ix_issues_to_sign", table_name="issues")

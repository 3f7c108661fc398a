"""\"not fixed\" is said once a closing of the issue"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

NAME = "uq_reopening_requests_complaint_id"
requests = sa.table("reopening_requests", *(sa.column(name) for name in ("id", "complaint_id", "asked_at")))


def upgrade() -> None:
    with op.batch_alter_table("reopening_requests") as batch_op:
        batch_op.drop_constraint(NAME, type_="unique")
        batch_op.create_unique_constraint(f"{NAME}_issue_id_closing", ["complaint_id", "issue_id", "closing"])


def downgrade() -> None:
    # One word of each complainant can be kept, the latest; the histories keep all.
    later = requests.alias()
    is_old = sa.exists().where(later.c.complaint_id == requests.c.complaint_id, later.c.asked_at > requests.c.asked_at)
    op.execute(sa.delete(requests).where(is_old))
    with op.batch_alter_table("reopening_requests") as batch_op:
        batch_op.drop_constraint(f"{NAME}_issue_id_closing", type_="unique")
        batch_op.create_unique_constraint(NAME, ["complaint_id"])

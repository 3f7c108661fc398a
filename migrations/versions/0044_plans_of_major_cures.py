"""by when the lead of a major issue reports a plan"""

import uuid
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

ROW, FIRST_DAY = uuid.UUID("2d1a5b0e-8a3c-4c55-9a36-20c6b1f0d043"), date(2020, 1, 1)
OWES_PLAN = sa.text("plan_due_at IS NOT NULL AND plan_reported_at IS NULL AND coalesce(state, '') IN ('dispatched', 'in_progress')")
rows = sa.table("deadline_policies", *(sa.column(name, kind) for name, kind in {
    "id": sa.Uuid(), "version": sa.Integer(), "enabled": sa.Boolean(), "digest": sa.String(), "added_at": sa.DateTime(),
    "valid_from": sa.Date(), "amount": sa.Integer(),
    **dict.fromkeys(("code", "stage", "severity", "category", "unit", "source_zh", "source_en"), sa.String()),
}.items()))


def upgrade() -> None:
    # What is in work already owes no plan until it next comes into work: nobody was told of one.
    op.add_column("issues", sa.Column("plan_due_at", sa.DateTime(), nullable=True))
    op.add_column("issues", sa.Column("plan_reported_at", sa.DateTime(), nullable=True))
    op.create_index("ix_issues_owing_plan", "issues", ["plan_due_at"], postgresql_where=OWES_PLAN, sqlite_where=OWES_PLAN)
    op.bulk_insert(rows, [{
        "id": ROW, "version": 1, "enabled": True, "digest": "", "added_at": datetime.now(UTC).replace(tzinfo=None), "valid_from": FIRST_DAY,
        "code": "plan_major_10_wd", "stage": "plan", "severity": "major", "category": "", "amount": 10, "unit": "working_days",
        "source_zh": "各地公开规定的通行做法：重大问题 10 个工作日内报整改方案", "source_en": "What most published local rules share: a plan within 10 working days for what is major",
    }])


def downgrade() -> None:
    op.execute(rows.delete().where(rows.c.stage == "plan"))
    op.drop_index("ix_issues_owing_plan", "issues")
    op.drop_column("issues", "plan_reported_at")
    op.drop_column("issues", "plan_due_at")

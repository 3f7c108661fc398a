"""escalation and orders"""

import uuid
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What a new installation starts with: the ladder that most published rules share.
LADDER = (
    ("half_time", "half", 0, None),
    ("day_before", "hours_before", 24, None),
    ("overdue", "working_days_after", 0, None),
    ("letter", "working_days_after", 3, "letter"),
    ("listed", "working_days_after", 10, "listed"),
    ("talk", "working_days_after", 20, "talk"),
)


def upgrade() -> None:
    op.create_table(
        "escalation_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("order_kind", sa.String(length=12), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_policies")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_escalation_policies_code_valid_from")),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_escalations_issue_id_issues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("issue_id", "code", "due_at", name=op.f("uq_escalations_issue_id_code_due_at")),
    )
    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.create_index("ix_escalations_at", ["at", "id"], unique=False)

    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.String(length=60), nullable=True),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(), nullable=True),
        sa.Column("answer", sa.String(length=4000), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["people.id"], name=op.f("fk_orders_answered_by_id_people")),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_orders_by_id_people")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_orders_issue_id_issues")),
        sa.ForeignKeyConstraint(["to_id"], ["people.id"], name=op.f("fk_orders_to_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_at", ["at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_issue_id"), ["issue_id"], unique=False)
        batch_op.create_index("ix_orders_to", ["to_id", "at", "id"], unique=False)

    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_escalation_at", sa.DateTime(), nullable=True))
        batch_op.create_index(
            "ix_issues_climbing",
            ["next_escalation_at"],
            unique=False,
            postgresql_where=sa.text("next_escalation_at IS NOT NULL"),
            sqlite_where=sa.text("next_escalation_at IS NOT NULL"),
        )

    policies = sa.table(
        "escalation_policies",
        *(sa.column(name) for name in ("id", "code", "basis", "amount", "order_kind", "enabled", "valid_from", "source")),
    )
    for number, (code, basis, amount, order_kind) in enumerate(LADDER, start=1):
        op.execute(
            policies.insert().values(
                id=sa.literal(uuid.UUID(int=number), sa.Uuid()),
                code=code,
                basis=basis,
                amount=amount,
                order_kind=order_kind,
                enabled=sa.true(),
                valid_from=sa.literal(date(2020, 1, 1), sa.Date()),
                source="DEFAULT",
            )
        )
    # What was open before climbs from its due date on; reminders of times past are not sent.
    op.execute("UPDATE issues SET next_escalation_at = due_at WHERE state IN ('submitted', 'accepted', 'dispatched', 'in_progress')")


def downgrade() -> None:
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_issues_climbing",
            postgresql_where=sa.text("next_escalation_at IS NOT NULL"),
            sqlite_where=sa.text("next_escalation_at IS NOT NULL"),
        )
        batch_op.drop_column("next_escalation_at")

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_to")
        batch_op.drop_index(batch_op.f("ix_orders_issue_id"))
        batch_op.drop_index("ix_orders_at")

    op.drop_table("orders")
    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.drop_index("ix_escalations_at")

    op.drop_table("escalations")
    op.drop_table("escalation_policies")

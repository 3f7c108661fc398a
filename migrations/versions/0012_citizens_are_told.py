"""citizens are told of each turn; followers can withdraw"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WAITS = sa.text("sent_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(), nullable=True))

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("follow_id", sa.Uuid(), nullable=True),
        sa.Column("way", sa.String(length=4), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("(complaint_id IS NULL) <> (follow_id IS NULL)", name=op.f("ck_subscriptions_one_case")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_subscriptions_complaint_id_complaints")),
        sa.ForeignKeyConstraint(["follow_id"], ["follows.id"], name=op.f("fk_subscriptions_follow_id_follows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("complaint_id", name=op.f("uq_subscriptions_complaint_id")),
        sa.UniqueConstraint("follow_id", name=op.f("uq_subscriptions_follow_id")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index("ix_subscriptions_address", ["address_key"], unique=False)

    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_notices_issue_id_issues")),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_notices_outbox_id_outbox")),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name=op.f("fk_notices_subscription_id_subscriptions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("subscription_id", "issue_id", "seq", name=op.f("uq_notices_subscription_id_issue_id_seq")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_issue_id"), ["issue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_outbox_id"), ["outbox_id"], unique=False)
        batch_op.create_index("ix_notices_waiting", ["subscription_id"], unique=False, postgresql_where=_WAITS, sqlite_where=_WAITS)
    # What was delivered is purged from now on: the purge looks for rows that name a row of the outbox.
    for table in ("deliveries", "webhook_deliveries"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(batch_op.f(f"ix_{table}_outbox_id"), ["outbox_id"], unique=False)


def downgrade() -> None:
    for table in ("webhook_deliveries", "deliveries"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_outbox_id"))
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index("ix_notices_waiting", postgresql_where=_WAITS, sqlite_where=_WAITS)
        batch_op.drop_index(batch_op.f("ix_notices_outbox_id"))
        batch_op.drop_index(batch_op.f("ix_notices_issue_id"))

    op.drop_table("notices")
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_subscriptions_address")

    op.drop_table("subscriptions")
    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.drop_column("withdrawn_at")

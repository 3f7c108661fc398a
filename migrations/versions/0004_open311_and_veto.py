"""partner systems, followers and reopening requests"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _id(name="id"):
    return sa.Column(name, sa.Uuid(), nullable=False)


def _reference(table, name, to, nullable=False):
    return [
        sa.Column(name, sa.Uuid(), nullable=nullable),
        sa.ForeignKeyConstraint([name], [f"{to}.id"], name=f"fk_{table}_{name}_{to}"),
    ]


def _primary(table, name="id"):
    return sa.PrimaryKeyConstraint(name, name=f"pk_{table}")


def _text(name, length, nullable=False):
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _moment(name, nullable=False):
    return sa.Column(name, sa.DateTime(), nullable=nullable)


def upgrade():
    op.create_index("ix_issue_history_at", "issue_history", ["at", "id"])
    op.create_table(
        "reopening_requests", _id(), *_reference("reopening_requests", "complaint_id", "complaints"),
        *_reference("reopening_requests", "issue_id", "issues"), sa.Column("closing", sa.Integer(), nullable=False),
        _text("reason", 1000), _text("digest", 64), _moment("asked_at"), _moment("decided_at", nullable=True),
        *_reference("reopening_requests", "decided_by_id", "people", nullable=True), sa.Column("granted", sa.Boolean()),
        _text("decision", 1000, nullable=True), sa.Column("version", sa.Integer(), nullable=False),
        _primary("reopening_requests"), sa.UniqueConstraint("complaint_id", name="uq_reopening_requests_complaint_id"),
    )
    op.create_index("ix_reopening_requests_asked_at", "reopening_requests", ["asked_at", "id"])
    op.create_index("ix_reopening_requests_issue_id", "reopening_requests", ["issue_id"])
    op.create_table(
        "follows", _id(), *_reference("follows", "issue_id", "issues"), _text("tracking_code", 24), _moment("received_at"),
        _text("digest", 64), _primary("follows"), sa.UniqueConstraint("tracking_code", name="uq_follows_tracking_code"),
    )
    op.create_index("ix_follows_issue_id", "follows", ["issue_id"])
    op.create_table(
        "follower_contacts", *_reference("follower_contacts", "follow_id", "follows"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False), _moment("created_at"), _primary("follower_contacts", "follow_id"),
    )
    op.create_table(
        "partner_keys", _id(), _text("name", 60), _text("digest", 64), _moment("created_at"),
        _moment("revoked_at", nullable=True), _primary("partner_keys"),
        sa.UniqueConstraint("name", name="uq_partner_keys_name"), sa.UniqueConstraint("digest", name="uq_partner_keys_digest"),
    )
    op.create_table(
        "partner_complaints", *_reference("partner_complaints", "complaint_id", "complaints"),
        *_reference("partner_complaints", "key_id", "partner_keys"), _primary("partner_complaints", "complaint_id"),
    )
    op.create_index("ix_partner_complaints_key_id", "partner_complaints", ["key_id"])
    op.create_table(
        "partner_updates", _id(), *_reference("partner_updates", "key_id", "partner_keys"), _text("update_id", 100),
        *_reference("partner_updates", "issue_id", "issues"), _text("status", 40), _moment("said_at"), _moment("received_at"),
        _text("digest", 64), _primary("partner_updates"),
        sa.UniqueConstraint("key_id", "update_id", name="uq_partner_updates_key_id_update_id"),
    )
    op.create_index("ix_partner_updates_issue_id", "partner_updates", ["issue_id"])


def downgrade():
    for table in (
        "partner_updates", "partner_complaints", "partner_keys", "follower_contacts", "follows", "reopening_requests",
    ):
        op.drop_table(table)
    op.drop_index("ix_issue_history_at", "issue_history")

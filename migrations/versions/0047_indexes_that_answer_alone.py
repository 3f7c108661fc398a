"""what lists ask of many issues stands in the index they walk"""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

BEFORE = {"ix_issues_received_at": ["received_at", "id"], "ix_issues_place": ["latitude", "longitude"]}
AFTER = {
    "ix_issues_received_at": ["received_at", "id", "due_at", "state", "accused_id"],
    "ix_issues_place": ["latitude", "longitude", "received_at", "id", "accused_id"],
}


def upgrade() -> None:
    _replace(AFTER)


def downgrade() -> None:
    _replace(BEFORE)


def _replace(indexes: dict[str, list[str]]) -> None:
    for name, columns in indexes.items():
        op.drop_index(name, table_name="issues")
        op.create_index(name, "issues", columns)

"""all chiefs whom a charge is about are kept, not only the first"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

issues = sa.table(
    "issues", sa.column("id", sa.Uuid()), sa.column("category", sa.String()), sa.column("accused_id", sa.Uuid()), sa.column("routing", sa.JSON()),
)
people = sa.table("people", sa.column("id", sa.Uuid()))


def upgrade() -> None:
    also = op.create_table(
        "issue_also_accused",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_also_accused_issue_id_issues")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_issue_also_accused_person_id_people")),
        sa.PrimaryKeyConstraint("issue_id", "person_id", name=op.f("pk_issue_also_accused")),
    )
    op.create_index(op.f("ix_issue_also_accused_person_id"), "issue_also_accused", ["person_id"])
    op.bulk_insert(also, others())


def others() -> list[dict]:
    """Return the chiefs on the sides of each charge's place who are not the one that its row names."""
    bind, found = op.get_bind(), []
    known = set(bind.scalars(sa.select(people.c.id)))
    charges = sa.select(issues.c.id, issues.c.accused_id, issues.c.routing).where(issues.c.category.like("F%"), issues.c.accused_id.is_not(None))
    for issue_id, accused_id, routing in bind.execute(charges):
        named = {UUID(side["chief"]["id"]) for side in routing.get("involved") or () if side.get("chief")}
        found += [{"issue_id": issue_id, "person_id": person_id} for person_id in sorted(named - {accused_id}) if person_id in known]
    return found


def downgrade() -> None:
    op.drop_table("issue_also_accused")

"""whom a charge against a chief is about; charges that are there move to the region above that chief"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COVERING = {
    "ix_issues_state": ["state", "received_at", "id", "due_at"],
    "ix_issues_region_state": ["region_id", "state", "received_at", "id"],
}

regions = sa.table("regions", sa.column("id", sa.Uuid()), sa.column("path", sa.String()), sa.column("code", sa.String()), sa.column("name", sa.String()))
people = sa.table("people", sa.column("id", sa.Uuid()), sa.column("region_id", sa.Uuid()))
reaches = sa.table("reaches", sa.column("id", sa.Uuid()), sa.column("region_id", sa.Uuid()))
sides = sa.table("issue_sides", sa.column("issue_id", sa.Uuid()))
issues = sa.table(
    "issues", sa.column("id", sa.Uuid()), sa.column("category", sa.String()), sa.column("region_id", sa.Uuid()),
    sa.column("reach_id", sa.Uuid()),
    sa.column("accused_id", sa.Uuid()), sa.column("is_joint", sa.Boolean()), sa.column("routing", sa.JSON()),
)


def index_again(last: list[str]) -> None:
    """Make the covering indexes of the lists anew, with these columns at their end."""
    for name, columns in COVERING.items():
        op.drop_index(name, "issues")
        op.create_index(name, "issues", [*columns, *last])


def above(path: str) -> str:
    """Return the path of the region above; the highest is above itself."""
    codes = path.strip("/").split("/")
    return "/" + "/".join(codes[:-1] or codes) + "/"


def accuse() -> None:
    """Name the accused of each charge that was routed to a chief, and give the charge to the region above."""
    bind = op.get_bind()
    places = {row.id: row for row in bind.execute(sa.select(regions.c.id, regions.c.path, regions.c.code, regions.c.name))}
    by_path = {row.path: row for row in places.values()}
    homes = {row.id: row.region_id for row in bind.execute(sa.select(people.c.id, people.c.region_id))}
    along = sa.select(reaches.c.region_id).where(reaches.c.id == issues.c.reach_id).scalar_subquery()
    charges = bind.execute(
        sa.select(issues.c.id, sa.func.coalesce(along, issues.c.region_id, type_=sa.Uuid()), issues.c.routing).where(issues.c.category.like("F%"))
    ).all()
    for issue_id, region_id, routing in charges:
        chief_id = UUID(routing["chief_id"]) if routing.get("chief_id") else None
        changes = {"is_joint": False}
        if chief_id in homes:
            # The higher of the two: where the chief works, and the place that he was found to answer for.
            path = min(places[homes[chief_id]].path, places[region_id].path, key=len)
            region = by_path.get(above(path), places[region_id])
            told = {"chief_id": None, "region_id": str(region.id), "office_region_id": str(region.id), "office": {"code": region.code, "name": region.name}}
            changes |= {"accused_id": chief_id, "region_id": region.id, "routing": routing | told}
        bind.execute(sa.update(issues).where(issues.c.id == issue_id).values(**changes))
        bind.execute(sa.delete(sides).where(sides.c.issue_id == issue_id))


def upgrade() -> None:
    # No batch: it would make the table of issues anew on SQLite, and lose the triggers of the index of words.
    op.add_column("issues", sa.Column("accused_id", sa.Uuid(), nullable=True))
    index_again(["accused_id"])
    accuse()


def downgrade() -> None:
    bind = op.get_bind()
    # The region stays above; the routing names the chief again, so that nothing is lost by going back and forth.
    for issue_id, accused_id, routing in bind.execute(
        sa.select(issues.c.id, issues.c.accused_id, issues.c.routing).where(issues.c.accused_id.is_not(None))
    ).all():
        bind.execute(sa.update(issues).where(issues.c.id == issue_id).values(routing=routing | {"chief_id": str(accused_id)}))
    index_again([])
    op.drop_column("issues", "accused_id")

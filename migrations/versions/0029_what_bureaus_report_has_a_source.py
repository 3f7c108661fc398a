"""the rows of dispatching that an installation began with know what bureaus report by themselves"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

NEW = "department"
EVERY_OTHER = {"patrol", "citizen", "hotline", "superior", "inspection", "cepi", "media", "drone", "sensor"}
policies = sa.table("dispatch_policies", sa.column("id", sa.Uuid()), sa.column("sources", sa.JSON()), sa.column("digest", sa.String()))
state = sa.table("policy_state", sa.column("state", sa.BigInteger()))
issues = sa.table("issues", sa.column("source", sa.String()))


def upgrade() -> None:
    # What an office wrote names the sources that it meant; what no row names goes to the office anyway.
    rewrite({policy_id: sorted([*sources, NEW]) for policy_id, sources in begun_with() if set(sources) == EVERY_OTHER})


def downgrade() -> None:
    rewrite({policy_id: [each for each in sources if each != NEW] for policy_id, sources in begun_with() if NEW in sources})
    # As such reports were called before. Their histories say what they were, so that the verification names them.
    op.execute(sa.update(issues).where(issues.c.source == NEW).values(source="inspection"))


def begun_with() -> list[tuple]:
    return [tuple(row) for row in op.get_bind().execute(sa.select(policies.c.id, policies.c.sources).where(policies.c.digest == ""))]


def rewrite(sources: dict) -> None:
    for policy_id, named in sources.items():
        op.execute(sa.update(policies).where(policies.c.id == policy_id).values(sources=named))
    op.execute(sa.update(state).values(state=secrets.randbits(62)))

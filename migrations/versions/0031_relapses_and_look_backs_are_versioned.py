"""what counts as a relapse and what is looked at again are versions like the other policies"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STANDS = sa.text("withdrawn_at IS NULL")
SUBJECTS = {"relapse_policies": [], "look_back_policies": ["severity"]}
OLD_UNIQUE = {"relapse_policies": "uq_relapse_policies_valid_from", "look_back_policies": "uq_look_back_policies_severity_valid_from"}
BEGUN = {
    "relapse_policies": (
        "本系统起始值：结案后 90 天内、50 米内、同类别的新问题视为反弹，另立新件并关联原件",
        "This system's start value: a new report within 50 m, of the same category, in 90 days is a new episode that links the old one",
    ),
    "look_back_policies": ("本系统起始值", "This system's start value"),
}


def table(name: str) -> sa.TableClause:
    kinds = {"id": sa.Uuid(), "valid_from": sa.Date(), "version": sa.Integer(), "enabled": sa.Boolean(), "added_at": sa.DateTime(),
             "withdrawn_at": sa.DateTime()}
    texts = ("severity", "source", "source_zh", "source_en", "digest")
    return sa.table(name, *(sa.column(column, kinds.get(column, sa.String())) for column in (*kinds, *texts)))


def upgrade() -> None:
    for name, subject in SUBJECTS.items():
        with op.batch_alter_table(name) as batch_op:
            batch_op.drop_constraint(OLD_UNIQUE[name], type_="unique")
            for column, kind in (
                ("version", sa.Integer()), ("enabled", sa.Boolean()), ("source_zh", sa.String(length=500)), ("source_en", sa.String(length=500)),
                ("digest", sa.String(length=64)), ("added_at", sa.DateTime()), ("withdrawn_at", sa.DateTime()), ("added_by_id", sa.Uuid()),
                ("withdrawn_by_id", sa.Uuid()),
            ):
                batch_op.add_column(sa.Column(column, kind, nullable=True))
        fill(name, subject)
        with op.batch_alter_table(name) as batch_op:
            for column in ("version", "enabled", "source_zh", "source_en", "digest", "added_at"):
                batch_op.alter_column(column, existing_type=table(name).c[column].type, nullable=False)
            batch_op.drop_column("source")
            batch_op.create_foreign_key(f"fk_{name}_added_by_id_people", "people", ["added_by_id"], ["id"])
            batch_op.create_foreign_key(f"fk_{name}_withdrawn_by_id_people", "people", ["withdrawn_by_id"], ["id"])
            batch_op.create_unique_constraint(f"uq_{name}_{'_'.join([*subject, 'version'])}", [*subject, "version"])
            batch_op.create_index(f"uq_{name}_day", [*subject, "valid_from"], unique=True, postgresql_where=STANDS, sqlite_where=STANDS)


def fill(name: str, subject: list[str]) -> None:
    """Number the rows that are there, and tell their source in both languages."""
    bind, rows, numbers = op.get_bind(), table(name), {}
    about = [rows.c[column] for column in subject]
    for row in bind.execute(sa.select(rows.c.id, rows.c.source, *about).order_by(*about, rows.c.valid_from)).all():
        key = tuple(row)[2:]
        numbers[key] = numbers.get(key, 0) + 1
        zh, en = BEGUN[name] if row.source.startswith("DEFAULT") else (row.source, row.source)
        bind.execute(sa.update(rows).where(rows.c.id == row.id).values(
            version=numbers[key], enabled=True, source_zh=zh, source_en=en, digest="", added_at=datetime.now(UTC).replace(tzinfo=None)))


def downgrade() -> None:
    bind = op.get_bind()
    for name, subject in SUBJECTS.items():
        rows = table(name)
        # Only what holds can be kept: a withdrawn version, and one that switches off, has no form there.
        bind.execute(sa.delete(rows).where(rows.c.withdrawn_at.is_not(None) | rows.c.enabled.is_(False)))
        with op.batch_alter_table(name) as batch_op:
            batch_op.drop_index(f"uq_{name}_day")
            batch_op.drop_constraint(f"uq_{name}_{'_'.join([*subject, 'version'])}", type_="unique")
            batch_op.drop_constraint(f"fk_{name}_added_by_id_people", type_="foreignkey")
            batch_op.drop_constraint(f"fk_{name}_withdrawn_by_id_people", type_="foreignkey")
            batch_op.add_column(sa.Column("source", sa.String(length=300), nullable=True))
        began = rows.c.source_zh == BEGUN[name][0]
        bind.execute(sa.update(rows).values(source=sa.case((began, "DEFAULT"), else_=sa.func.substr(rows.c.source_zh, 1, 300))))
        with op.batch_alter_table(name) as batch_op:
            batch_op.alter_column("source", existing_type=sa.String(length=300), nullable=False)
            for column in ("version", "enabled", "source_zh", "source_en", "digest", "added_at", "withdrawn_at", "added_by_id", "withdrawn_by_id"):
                batch_op.drop_column(column)
            batch_op.create_unique_constraint(OLD_UNIQUE[name], [*subject, "valid_from"])

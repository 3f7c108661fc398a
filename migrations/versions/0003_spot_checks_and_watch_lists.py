"""spot checks and watch lists"""

import uuid
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What a new installation starts with; our own values, every major case is looked at again.
LOOK_BACKS = (("general", 5, 14, 10), ("serious", 20, 14, 10), ("urgent", 20, 14, 10), ("major", 100, 30, 14))


def upgrade() -> None:
    op.create_table("look_back_policies",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("severity", sa.String(length=10), nullable=False),
    sa.Column("share_percent", sa.Double(), nullable=False),
    sa.Column("after_days", sa.Integer(), nullable=False),
    sa.Column("within_days", sa.Integer(), nullable=False),
    sa.Column("valid_from", sa.Date(), nullable=False),
    sa.Column("source", sa.String(length=300), nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_look_back_policies")),
    sa.UniqueConstraint("severity", "valid_from", name=op.f("uq_look_back_policies_severity_valid_from"))
    )
    op.create_table("spot_check_draws",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("kind", sa.String(length=10), nullable=False),
    sa.Column("period", sa.String(length=60), nullable=False),
    sa.Column("region_id", sa.Uuid(), nullable=True),
    sa.Column("seed", sa.String(length=64), nullable=False),
    sa.Column("facts", sa.JSON(), nullable=False),
    sa.Column("drawn_by_id", sa.Uuid(), nullable=True),
    sa.Column("drawn_at", sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(["drawn_by_id"], ["people.id"], name=op.f("fk_spot_check_draws_drawn_by_id_people")),
    sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_spot_check_draws_region_id_regions")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_check_draws")),
    sa.UniqueConstraint("kind", "period", name=op.f("uq_spot_check_draws_kind_period"))
    )
    with op.batch_alter_table("spot_check_draws", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_check_draws_region_id"), ["region_id"], unique=False)

    op.create_table("watches",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("person_id", sa.Uuid(), nullable=False),
    sa.Column("subject_kind", sa.String(length=10), nullable=False),
    sa.Column("subject_id", sa.Uuid(), nullable=False),
    sa.Column("note", sa.String(length=500), nullable=True),
    sa.Column("created_at", sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_watches_person_id_people")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
    sa.UniqueConstraint("person_id", "subject_id", name=op.f("uq_watches_person_id_subject_id"))
    )
    with op.batch_alter_table("watches", schema=None) as batch_op:
        batch_op.create_index("ix_watches_person", ["person_id", "created_at", "id"], unique=False)

    op.create_table("spot_checks",
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("kind", sa.String(length=10), nullable=False),
    sa.Column("state", sa.String(length=10), nullable=False),
    sa.Column("region_id", sa.Uuid(), nullable=False),
    sa.Column("reach_id", sa.Uuid(), nullable=True),
    sa.Column("issue_id", sa.Uuid(), nullable=True),
    sa.Column("draw_id", sa.Uuid(), nullable=True),
    sa.Column("reason", sa.String(length=1000), nullable=False),
    sa.Column("assigned_to_id", sa.Uuid(), nullable=True),
    sa.Column("due_on", sa.Date(), nullable=False),
    sa.Column("created_by_id", sa.Uuid(), nullable=True),
    sa.Column("created_at", sa.DateTime(), nullable=False),
    sa.Column("digest", sa.String(length=64), nullable=False),
    sa.Column("result", sa.String(length=20), nullable=True),
    sa.Column("sheet", sa.JSON(), nullable=True),
    sa.Column("note", sa.String(length=2000), nullable=True),
    sa.Column("latitude", sa.Double(), nullable=True),
    sa.Column("longitude", sa.Double(), nullable=True),
    sa.Column("raw_latitude", sa.Double(), nullable=True),
    sa.Column("raw_longitude", sa.Double(), nullable=True),
    sa.Column("datum", sa.String(length=8), nullable=True),
    sa.Column("accuracy_m", sa.Double(), nullable=True),
    sa.Column("distance_m", sa.Double(), nullable=True),
    sa.Column("recorded_at", sa.DateTime(), nullable=True),
    sa.Column("done_at", sa.DateTime(), nullable=True),
    sa.Column("done_by_id", sa.Uuid(), nullable=True),
    sa.Column("version", sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(["assigned_to_id"], ["people.id"], name=op.f("fk_spot_checks_assigned_to_id_people")),
    sa.ForeignKeyConstraint(["created_by_id"], ["people.id"], name=op.f("fk_spot_checks_created_by_id_people")),
    sa.ForeignKeyConstraint(["done_by_id"], ["people.id"], name=op.f("fk_spot_checks_done_by_id_people")),
    sa.ForeignKeyConstraint(["draw_id"], ["spot_check_draws.id"], name=op.f("fk_spot_checks_draw_id_spot_check_draws")),
    sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_spot_checks_issue_id_issues")),
    sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_spot_checks_reach_id_reaches")),
    sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_spot_checks_region_id_regions")),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_checks"))
    )
    with op.batch_alter_table("spot_checks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_checks_assigned_to_id"), ["assigned_to_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_checks_draw_id"), ["draw_id"], unique=False)
        batch_op.create_index("ix_spot_checks_due", ["due_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_checks_issue_id"), ["issue_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_checks_reach_id"), ["reach_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_spot_checks_region_id"), ["region_id"], unique=False)
        batch_op.create_index("ix_spot_checks_state", ["state", "due_on", "id"], unique=False)

    op.create_table("spot_check_photos",
    sa.Column("spot_check_id", sa.Uuid(), nullable=False),
    sa.Column("photo_id", sa.Uuid(), nullable=False),
    sa.Column("position", sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_spot_check_photos_photo_id_photos")),
    sa.ForeignKeyConstraint(["spot_check_id"], ["spot_checks.id"], name=op.f("fk_spot_check_photos_spot_check_id_spot_checks")),
    sa.PrimaryKeyConstraint("spot_check_id", "photo_id", name=op.f("pk_spot_check_photos"))
    )
    with op.batch_alter_table("spot_check_photos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spot_check_photos_photo_id"), ["photo_id"], unique=False)

    policies = sa.table("look_back_policies", *(sa.column(name) for name in (
        "id", "severity", "share_percent", "after_days", "within_days", "valid_from", "source")))
    for number, (severity, share, after, within) in enumerate(LOOK_BACKS, start=1):
        op.execute(policies.insert().values(
            id=sa.literal(uuid.UUID(int=number), sa.Uuid()), severity=severity, share_percent=share, after_days=after,
            within_days=within, valid_from=sa.literal(date(2020, 1, 1), sa.Date()), source="DEFAULT"))


def downgrade() -> None:
    with op.batch_alter_table("spot_check_photos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_check_photos_photo_id"))

    op.drop_table("spot_check_photos")
    with op.batch_alter_table("spot_checks", schema=None) as batch_op:
        batch_op.drop_index("ix_spot_checks_state")
        batch_op.drop_index(batch_op.f("ix_spot_checks_region_id"))
        batch_op.drop_index(batch_op.f("ix_spot_checks_reach_id"))
        batch_op.drop_index(batch_op.f("ix_spot_checks_issue_id"))
        batch_op.drop_index("ix_spot_checks_due")
        batch_op.drop_index(batch_op.f("ix_spot_checks_draw_id"))
        batch_op.drop_index(batch_op.f("ix_spot_checks_assigned_to_id"))

    op.drop_table("spot_checks")
    with op.batch_alter_table("watches", schema=None) as batch_op:
        batch_op.drop_index("ix_watches_person")

    op.drop_table("watches")
    with op.batch_alter_table("spot_check_draws", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spot_check_draws_region_id"))

    op.drop_table("spot_check_draws")
    op.drop_table("look_back_policies")

"""duties, delegations, checkpoints, and what examinations of patrols find"""

import uuid
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NATIONAL = (
    "《河长湖长履职规范（试行）》（水利部，2021年）所定最低次数，未核对原文 [GK]",
    "Least number of the national code of chiefs' duties (Ministry of Water Resources, 2021), not checked against its text [GK]",
)
WARNED = (
    "本系统起始值：按预警颜色加密，做法参照广州 2021 年差异化巡河，次数请按本地规定修改 [GK]",
    "Start value of this system: more often by warning colour, as Guangzhou does since 2021; set the number by local rules [GK]",
)
# Level, colour, times, period. Provincial and city chiefs have no reaches of their own to be warned about.
DEFAULTS = (
    ("province", "none", 1, "year", NATIONAL),
    ("city", "none", 1, "half_year", NATIONAL),
    ("county", "none", 1, "quarter", NATIONAL),
    ("township", "none", 1, "month", NATIONAL),
    ("village", "none", 1, "week", NATIONAL),
    ("county", "yellow", 1, "month", WARNED),
    ("township", "yellow", 1, "ten_days", WARNED),
    ("village", "yellow", 2, "week", WARNED),
    ("county", "orange", 1, "ten_days", WARNED),
    ("township", "orange", 1, "week", WARNED),
    ("village", "orange", 3, "week", WARNED),
    ("county", "red", 1, "week", WARNED),
    ("township", "red", 2, "week", WARNED),
    ("village", "red", 1, "day", WARNED),
)
NAMESPACE = uuid.UUID("6f0d6c0e-0f1d-5c51-9d0b-4d6f2f8a7b10")


def upgrade() -> None:
    make_tables()
    policies = sa.table(
        "frequency_policies", sa.column("id", sa.Uuid()), sa.column("level"), sa.column("colour"), sa.column("months", sa.JSON()),
        sa.column("weekdays", sa.JSON()), sa.column("working_days_only", sa.Boolean()), sa.column("period"), sa.column("times"),
        sa.column("least_share"), sa.column("valid_from", sa.Date()), sa.column("source_zh"), sa.column("source_en"), sa.column("version"),
    )
    op.bulk_insert(policies, [
        {
            "id": uuid.uuid5(NAMESPACE, f"{level} {colour}"), "level": level, "colour": colour, "months": list(range(1, 13)),
            "weekdays": list(range(1, 8)), "working_days_only": False, "period": period, "times": times, "least_share": 0.6,
            "valid_from": date(2021, 1, 1), "source_zh": source[0], "source_en": source[1], "version": 1,
        }
        for level, colour, times, period, source in DEFAULTS
    ])


def make_tables() -> None:
    op.create_table(
        "frequency_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=True),
        sa.Column("region_id", sa.Uuid(), nullable=True),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.Column("months", sa.JSON(), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("working_days_only", sa.Boolean(), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("least_share", sa.Double(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source_zh", sa.String(length=500), nullable=False),
        sa.Column("source_en", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_frequency_policies_region_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frequency_policies")),
    )
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.create_index("ix_frequency_policies_level", ["level", "id"], unique=False)

    op.create_table(
        "checkpoint_seeds",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_checkpoint_seeds_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", "day", name=op.f("pk_checkpoint_seeds")),
    )
    op.create_table(
        "delegations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["people.id"], name=op.f("fk_delegations_created_by_id_people")),
        sa.ForeignKeyConstraint(["deputy_id"], ["people.id"], name=op.f("fk_delegations_deputy_id_people")),
        sa.ForeignKeyConstraint(["principal_id"], ["people.id"], name=op.f("fk_delegations_principal_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    with op.batch_alter_table("delegations") as batch_op:
        batch_op.create_index(batch_op.f("ix_delegations_deputy_id"), ["deputy_id"], unique=False)
        batch_op.create_index("ix_delegations_pair", ["principal_id", "deputy_id", "valid_from"], unique=False)

    op.create_table(
        "duty_reminders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(length=12), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_duty_reminders_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_reminders")),
        sa.UniqueConstraint("person_id", "period", "first_day", "kind", name=op.f("uq_duty_reminders_person_id_period_first_day_kind")),
    )
    op.create_table(
        "reach_warnings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.String(length=10), nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_reach_warnings_by_id_people")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["people.id"], name=op.f("fk_reach_warnings_lifted_by_id_people")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_reach_warnings_reach_id_reaches")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reach_warnings")),
    )
    with op.batch_alter_table("reach_warnings") as batch_op:
        batch_op.create_index("ix_reach_warnings_reach", ["reach_id", "valid_from"], unique=False)

    op.create_table(
        "checkpoint_answers",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("raw_latitude", sa.Double(), nullable=False),
        sa.Column("raw_longitude", sa.Double(), nullable=False),
        sa.Column("datum", sa.String(length=8), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_checkpoint_answers_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("patrol_id", "number", name=op.f("pk_checkpoint_answers")),
    )
    op.create_table(
        "delegated_patrols",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("delegation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name=op.f("fk_delegated_patrols_delegation_id_delegations")),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_delegated_patrols_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("patrol_id", name=op.f("pk_delegated_patrols")),
    )
    with op.batch_alter_table("delegated_patrols") as batch_op:
        batch_op.create_index(batch_op.f("ix_delegated_patrols_delegation_id"), ["delegation_id"], unique=False)

    op.create_table(
        "delegation_reaches",
        sa.Column("delegation_id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delegation_id"], ["delegations.id"], name=op.f("fk_delegation_reaches_delegation_id_delegations")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_delegation_reaches_reach_id_reaches")),
        sa.PrimaryKeyConstraint("delegation_id", "reach_id", name=op.f("pk_delegation_reaches")),
    )
    op.create_table(
        "examinations",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("algorithm", sa.String(length=40), nullable=False),
        sa.Column("input_hash", sa.String(length=64), nullable=False),
        sa.Column("examined_at", sa.DateTime(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_examinations_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("patrol_id", name=op.f("pk_examinations")),
    )
    op.create_table(
        "finding_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("judgement", sa.String(length=10), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_finding_statements_patrol_id_patrols")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_finding_statements_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_statements")),
    )
    with op.batch_alter_table("finding_statements") as batch_op:
        batch_op.create_index("ix_finding_statements_patrol", ["patrol_id", "code", "at"], unique=False)

    op.create_table(
        "patrol_findings",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("threshold", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_patrol_findings_patrol_id_patrols")),
        sa.PrimaryKeyConstraint("patrol_id", "code", name=op.f("pk_patrol_findings")),
    )
    op.create_table(
        "reach_coverages",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("covered_m", sa.Double(), nullable=False),
        sa.Column("unobserved_m", sa.Double(), nullable=False),
        sa.Column("not_visited_m", sa.Double(), nullable=False),
        sa.Column("low_m", sa.Double(), nullable=False),
        sa.Column("high_m", sa.Double(), nullable=False),
        sa.Column("covered", sa.JSON(), nullable=False),
        sa.Column("unobserved", sa.JSON(), nullable=False),
        sa.Column("not_visited", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_reach_coverages_patrol_id_patrols")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_reach_coverages_reach_id_reaches")),
        sa.PrimaryKeyConstraint("patrol_id", "reach_id", name=op.f("pk_reach_coverages")),
    )
    with op.batch_alter_table("reach_coverages") as batch_op:
        batch_op.create_index(batch_op.f("ix_reach_coverages_reach_id"), ["reach_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("reach_coverages") as batch_op:
        batch_op.drop_index(batch_op.f("ix_reach_coverages_reach_id"))

    op.drop_table("reach_coverages")
    op.drop_table("patrol_findings")
    with op.batch_alter_table("finding_statements") as batch_op:
        batch_op.drop_index("ix_finding_statements_patrol")

    op.drop_table("finding_statements")
    op.drop_table("examinations")
    op.drop_table("delegation_reaches")
    with op.batch_alter_table("delegated_patrols") as batch_op:
        batch_op.drop_index(batch_op.f("ix_delegated_patrols_delegation_id"))

    op.drop_table("delegated_patrols")
    op.drop_table("checkpoint_answers")
    with op.batch_alter_table("reach_warnings") as batch_op:
        batch_op.drop_index("ix_reach_warnings_reach")

    op.drop_table("reach_warnings")
    op.drop_table("duty_reminders")
    with op.batch_alter_table("delegations") as batch_op:
        batch_op.drop_index("ix_delegations_pair")
        batch_op.drop_index(batch_op.f("ix_delegations_deputy_id"))

    op.drop_table("delegations")
    op.drop_table("checkpoint_seeds")
    with op.batch_alter_table("frequency_policies") as batch_op:
        batch_op.drop_index("ix_frequency_policies_level")

    op.drop_table("frequency_policies")

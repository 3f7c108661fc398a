"""the first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# The search for words in descriptions: Chinese words have two letters, which is too short for trigrams.
LETTER_PAIRS = """
CREATE FUNCTION letter_pairs(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(lower(said), at, 2)), '{}')
    FROM generate_series(1, length(lower(said)) - 1) AS at
$$
"""


def upgrade() -> None:
    on_postgresql = op.get_context().dialect.name == "postgresql"
    if on_postgresql:
        op.execute(sa.schema.CreateSequence(sa.Sequence("issue_serials")))
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("available_at", sa.DateTime(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_waiting",
            ["available_at"],
            unique=False,
            postgresql_where=sa.text("delivered_at IS NULL"),
            sqlite_where=sa.text("delivered_at IS NULL"),
        )

    op.create_table(
        "regions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["regions.id"], name=op.f("fk_regions_parent_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
        sa.UniqueConstraint("code", name=op.f("uq_regions_code")),
    )
    with op.batch_alter_table("regions", schema=None) as batch_op:
        batch_op.create_index("ix_regions_path", ["path"], unique=False, postgresql_ops={"path": "text_pattern_ops"})

    op.create_table(
        "register_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reaches", sa.BigInteger(), nullable=False),
        sa.Column("regions", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_version")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_failures")),
    )
    op.create_table(
        "spent_challenges",
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("signature", name=op.f("pk_spent_challenges")),
    )
    with op.batch_alter_table("spent_challenges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_challenges_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "water_bodies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("target_class", sa.String(length=8), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_water_bodies")),
        sa.UniqueConstraint("code", name=op.f("uq_water_bodies_code")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=True),
        sa.Column("department", sa.String(length=40), nullable=True),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("role_names", sa.JSON(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("disabled_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_people_region_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("username", name=op.f("uq_people_username")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_people_region_id"), ["region_id"], unique=False)

    op.create_table(
        "reaches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("water_body_id", sa.Uuid(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("bank", sa.String(length=10), nullable=False),
        sa.Column("tolerance_m", sa.Double(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_reaches_region_id_regions")),
        sa.ForeignKeyConstraint(
            ["water_body_id"], ["water_bodies.id"], name=op.f("fk_reaches_water_body_id_water_bodies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaches")),
        sa.UniqueConstraint("code", name=op.f("uq_reaches_code")),
    )
    with op.batch_alter_table("reaches", schema=None) as batch_op:
        batch_op.create_index("ix_reaches_box", ["west", "east", "south", "north"], unique=False)
        batch_op.create_index(batch_op.f("ix_reaches_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reaches_water_body_id"), ["water_body_id"], unique=False)

    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_appointments_person_id_people")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_appointments_reach_id_reaches")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
        sa.UniqueConstraint(
            "reach_id",
            "person_id",
            "title",
            "valid_from",
            name=op.f("uq_appointments_reach_id_person_id_title_valid_from"),
        ),
    )
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appointments_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appointments_reach_id"), ["reach_id"], unique=False)

    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_audit_entries_actor_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index("ix_audit_entries_at", ["at"], unique=False)

    op.create_table(
        "check_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patrol_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("raw_latitude", sa.Double(), nullable=False),
        sa.Column("raw_longitude", sa.Double(), nullable=False),
        sa.Column("datum", sa.String(length=8), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("checklist", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_check_ins_person_id_people")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_check_ins_reach_id_reaches")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_check_ins_region_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_ins")),
    )
    with op.batch_alter_table("check_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_ins_patrol_id"), ["patrol_id"], unique=False)
        batch_op.create_index("ix_check_ins_person", ["person_id", "recorded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_ins_reach_id"), ["reach_id"], unique=False)
        batch_op.create_index("ix_check_ins_recorded_at", ["recorded_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_ins_region_id"), ["region_id"], unique=False)

    op.create_table(
        "issues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=4000), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("raw_latitude", sa.Double(), nullable=False),
        sa.Column("raw_longitude", sa.Double(), nullable=False),
        sa.Column("datum", sa.String(length=8), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=True),
        sa.Column("routing", sa.JSON(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("department", sa.String(length=40), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("due_rule", sa.JSON(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(), nullable=True),
        sa.Column("rectified_at", sa.DateTime(), nullable=True),
        sa.Column("rectified_by_id", sa.Uuid(), nullable=True),
        sa.Column("verified_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("returned_times", sa.Integer(), nullable=False),
        sa.Column("reopened_times", sa.Integer(), nullable=False),
        sa.Column("public_summary", sa.String(length=2000), nullable=True),
        sa.Column("reporter_id", sa.Uuid(), nullable=True),
        sa.Column("patrol_id", sa.Uuid(), nullable=True),
        sa.Column("check_in_id", sa.Uuid(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("history_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["people.id"], name=op.f("fk_issues_lead_id_people")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_issues_reach_id_reaches")),
        sa.ForeignKeyConstraint(["rectified_by_id"], ["people.id"], name=op.f("fk_issues_rectified_by_id_people")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_issues_region_id_regions")),
        sa.ForeignKeyConstraint(["reporter_id"], ["people.id"], name=op.f("fk_issues_reporter_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issues")),
        sa.UniqueConstraint("serial", name=op.f("uq_issues_serial")),
    )
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.create_index("ix_issues_category", ["category", "received_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_check_in_id"), ["check_in_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_department"), ["department"], unique=False)
        batch_op.create_index("ix_issues_due_at", ["due_at", "id"], unique=False)
        batch_op.create_index("ix_issues_lead", ["lead_id", "received_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_patrol_id"), ["patrol_id"], unique=False)
        batch_op.create_index("ix_issues_place", ["latitude", "longitude"], unique=False)
        batch_op.create_index("ix_issues_reach", ["reach_id", "received_at", "id"], unique=False)
        batch_op.create_index("ix_issues_received_at", ["received_at", "id"], unique=False)
        batch_op.create_index("ix_issues_region", ["region_id", "received_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_issues_reporter_id"), ["reporter_id"], unique=False)
        batch_op.create_index(
            "ix_issues_running",
            ["due_at", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"),
            sqlite_where=sa.text("state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"),
        )
        batch_op.create_index("ix_issues_severity", ["severity", "received_at", "id"], unique=False)
        batch_op.create_index("ix_issues_source", ["source", "received_at", "id"], unique=False)
        batch_op.create_index("ix_issues_state", ["state", "received_at", "id"], unique=False)

    op.create_table(
        "patrols",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of_id", sa.Uuid(), nullable=True),
        sa.Column("region_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("summary", sa.String(length=2000), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["on_behalf_of_id"], ["people.id"], name=op.f("fk_patrols_on_behalf_of_id_people")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_patrols_person_id_people")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_patrols_region_id_regions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrols")),
    )
    with op.batch_alter_table("patrols", schema=None) as batch_op:
        batch_op.create_index("ix_patrols_person", ["person_id", "started_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_patrols_region_id"), ["region_id"], unique=False)
        batch_op.create_index("ix_patrols_started_at", ["started_at", "id"], unique=False)

    op.create_table(
        "photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("exif_local_time", sa.String(length=30), nullable=True),
        sa.Column("exif_taken_at", sa.DateTime(), nullable=True),
        sa.Column("exif_latitude", sa.Double(), nullable=True),
        sa.Column("exif_longitude", sa.Double(), nullable=True),
        sa.Column("exif_orientation", sa.Integer(), nullable=True),
        sa.Column("exif_camera", sa.String(length=200), nullable=True),
        sa.Column("exif_software", sa.String(length=200), nullable=True),
        sa.Column("likeness", sa.String(length=16), nullable=True),
        sa.Column("derived_at", sa.DateTime(), nullable=True),
        sa.Column("broken", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_photos_owner_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
    )
    with op.batch_alter_table("photos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_photos_likeness"), ["likeness"], unique=False)
        batch_op.create_index(batch_op.f("ix_photos_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_photos_sha256"), ["sha256"], unique=False)
        batch_op.create_index("ix_photos_waiting", ["derived_at", "received_at"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sign_ins_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_ins_person_id"), ["person_id"], unique=False)

    op.create_table(
        "signboards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_signboards_reach_id_reaches")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signboards")),
        sa.UniqueConstraint("code", name=op.f("uq_signboards_code")),
    )
    with op.batch_alter_table("signboards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signboards_reach_id"), ["reach_id"], unique=False)

    op.create_table(
        "check_in_photos",
        sa.Column("check_in_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_in_id"], ["check_ins.id"], name=op.f("fk_check_in_photos_check_in_id_check_ins")
        ),
        sa.PrimaryKeyConstraint("check_in_id", "photo_id", name=op.f("pk_check_in_photos")),
    )
    with op.batch_alter_table("check_in_photos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_in_photos_photo_id"), ["photo_id"], unique=False)

    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("tracking_code", sa.String(length=24), nullable=False),
        sa.Column("board_code", sa.String(length=40), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_complaints_issue_id_issues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("issue_id", name=op.f("uq_complaints_issue_id")),
        sa.UniqueConstraint("tracking_code", name=op.f("uq_complaints_tracking_code")),
    )
    op.create_table(
        "issue_co_handlers",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_co_handlers_issue_id_issues")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_issue_co_handlers_person_id_people")),
        sa.PrimaryKeyConstraint("issue_id", "person_id", name=op.f("pk_issue_co_handlers")),
    )
    with op.batch_alter_table("issue_co_handlers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_co_handlers_person_id"), ["person_id"], unique=False)

    op.create_table(
        "issue_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("from_state", sa.String(length=20), nullable=True),
        sa.Column("to_state", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=True),
        sa.Column("reason", sa.String(length=4000), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("photos", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_issue_history_actor_id_people")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_history_issue_id_issues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_history")),
        sa.UniqueConstraint("issue_id", "seq", name=op.f("uq_issue_history_issue_id_seq")),
    )
    op.create_table(
        "issue_photos",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("before_photo_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["before_photo_id"], ["photos.id"], name=op.f("fk_issue_photos_before_photo_id_photos")
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_photos_issue_id_issues")),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_issue_photos_photo_id_photos")),
        sa.PrimaryKeyConstraint("issue_id", "photo_id", name=op.f("pk_issue_photos")),
    )
    with op.batch_alter_table("issue_photos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_photos_photo_id"), ["photo_id"], unique=False)

    op.create_table(
        "patrol_reaches",
        sa.Column("patrol_id", sa.Uuid(), nullable=False),
        sa.Column("reach_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["patrol_id"], ["patrols.id"], name=op.f("fk_patrol_reaches_patrol_id_patrols")),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name=op.f("fk_patrol_reaches_reach_id_reaches")),
        sa.PrimaryKeyConstraint("patrol_id", "reach_id", name=op.f("pk_patrol_reaches")),
    )
    with op.batch_alter_table("patrol_reaches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_patrol_reaches_reach_id"), ["reach_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_ins.id"], name=op.f("fk_tokens_sign_in_id_sign_ins")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tokens")),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tokens_sign_in_id"), ["sign_in_id"], unique=False)

    op.create_table(
        "ratings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column("satisfied", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(length=1000), nullable=True),
        sa.Column("rated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_ratings_complaint_id_complaints")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("complaint_id", "closing", name=op.f("uq_ratings_complaint_id_closing")),
    )
    op.create_table(
        "reporter_contacts",
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaints.id"], name=op.f("fk_reporter_contacts_complaint_id_complaints")
        ),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_reporter_contacts")),
    )
    if on_postgresql:
        op.execute(LETTER_PAIRS)
        op.execute("CREATE INDEX ix_issues_words ON issues USING gin (letter_pairs(description))")


def downgrade() -> None:
    on_postgresql = op.get_context().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("DROP INDEX ix_issues_words")
        op.execute("DROP FUNCTION letter_pairs(text)")
    op.drop_table("reporter_contacts")
    op.drop_table("ratings")
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tokens_sign_in_id"))
        batch_op.drop_index(batch_op.f("ix_tokens_expires_at"))

    op.drop_table("tokens")
    with op.batch_alter_table("patrol_reaches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_patrol_reaches_reach_id"))

    op.drop_table("patrol_reaches")
    with op.batch_alter_table("issue_photos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_photos_photo_id"))

    op.drop_table("issue_photos")
    op.drop_table("issue_history")
    with op.batch_alter_table("issue_co_handlers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_co_handlers_person_id"))

    op.drop_table("issue_co_handlers")
    op.drop_table("complaints")
    with op.batch_alter_table("check_in_photos", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_in_photos_photo_id"))

    op.drop_table("check_in_photos")
    with op.batch_alter_table("signboards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signboards_reach_id"))

    op.drop_table("signboards")
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_ins_person_id"))

    op.drop_table("sign_ins")
    with op.batch_alter_table("photos", schema=None) as batch_op:
        batch_op.drop_index("ix_photos_waiting")
        batch_op.drop_index(batch_op.f("ix_photos_sha256"))
        batch_op.drop_index(batch_op.f("ix_photos_owner_id"))
        batch_op.drop_index(batch_op.f("ix_photos_likeness"))

    op.drop_table("photos")
    with op.batch_alter_table("patrols", schema=None) as batch_op:
        batch_op.drop_index("ix_patrols_started_at")
        batch_op.drop_index(batch_op.f("ix_patrols_region_id"))
        batch_op.drop_index("ix_patrols_person")

    op.drop_table("patrols")
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.drop_index("ix_issues_state")
        batch_op.drop_index("ix_issues_source")
        batch_op.drop_index("ix_issues_severity")
        batch_op.drop_index(
            "ix_issues_running",
            postgresql_where=sa.text("state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"),
            sqlite_where=sa.text("state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"),
        )
        batch_op.drop_index(batch_op.f("ix_issues_reporter_id"))
        batch_op.drop_index("ix_issues_region")
        batch_op.drop_index("ix_issues_received_at")
        batch_op.drop_index("ix_issues_reach")
        batch_op.drop_index("ix_issues_place")
        batch_op.drop_index(batch_op.f("ix_issues_patrol_id"))
        batch_op.drop_index("ix_issues_lead")
        batch_op.drop_index("ix_issues_due_at")
        batch_op.drop_index(batch_op.f("ix_issues_department"))
        batch_op.drop_index(batch_op.f("ix_issues_check_in_id"))
        batch_op.drop_index("ix_issues_category")

    op.drop_table("issues")
    with op.batch_alter_table("check_ins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_ins_region_id"))
        batch_op.drop_index("ix_check_ins_recorded_at")
        batch_op.drop_index(batch_op.f("ix_check_ins_reach_id"))
        batch_op.drop_index("ix_check_ins_person")
        batch_op.drop_index(batch_op.f("ix_check_ins_patrol_id"))

    op.drop_table("check_ins")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entries_at")
        batch_op.drop_index(batch_op.f("ix_audit_entries_actor_id"))

    op.drop_table("audit_entries")
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appointments_reach_id"))
        batch_op.drop_index(batch_op.f("ix_appointments_person_id"))

    op.drop_table("appointments")
    with op.batch_alter_table("reaches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reaches_water_body_id"))
        batch_op.drop_index(batch_op.f("ix_reaches_region_id"))
        batch_op.drop_index("ix_reaches_box")

    op.drop_table("reaches")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_region_id"))

    op.drop_table("people")
    op.drop_table("water_bodies")
    with op.batch_alter_table("spent_challenges", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spent_challenges_expires_at"))

    op.drop_table("spent_challenges")
    op.drop_table("sign_in_failures")
    op.drop_table("register_version")
    with op.batch_alter_table("regions", schema=None) as batch_op:
        batch_op.drop_index("ix_regions_path", postgresql_ops={"path": "text_pattern_ops"})

    op.drop_table("regions")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_waiting",
            postgresql_where=sa.text("delivered_at IS NULL"),
            sqlite_where=sa.text("delivered_at IS NULL"),
        )

    op.drop_table("outbox")
    if on_postgresql:
        op.execute(sa.schema.DropSequence(sa.Sequence("issue_serials")))

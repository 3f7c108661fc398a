"""the thresholds by which patrols are examined, and the words of findings"""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

VERSION = "2026-11"
# What a new installation starts with, by name; IntegrityPolicy tells the source of each.
THRESHOLDS = {
    "worst_accuracy_m": 100.0, "assumed_accuracy_m": 30.0, "mock_share_high": 0.2, "mock_near_check_in_s": 60.0,
    "walk_soft_mps": 3.0, "walk_hard_mps": 7.0, "ride_soft_mps": 15.0, "ride_hard_mps": 40.0, "speed_window_s": 60.0,
    "speed_longest_window_s": 180.0, "teleport_m": 500.0, "teleport_mps": 40.0, "teleport_return_s": 180.0,
    "teleport_least_fixes": 3.0, "mode_median_mps": 3.5, "mode_window_s": 300.0, "clock_future_s": 300.0,
    "clock_skew_noted_s": 120.0, "clock_skew_high_s": 86400.0, "clock_zone_slack_s": 180.0, "clock_zone_most_s": 50400.0,
    "clock_moved_s": 60.0, "clock_agree_s": 15.0, "overlap_s": 120.0, "overlap_m": 300.0, "clean_least_fixes": 30.0,
    "clean_step_s": 5.0, "clean_roughness_m": 0.25, "clean_on_line_m": 2.0, "replay_m": 5.0, "replay_least_m": 500.0,
    "replay_share": 0.95, "replay_identical_share": 0.5, "replay_together_s": 120.0, "photo_alike_bits": 4.0,
    "photo_alike_days": 0.5, "exif_place_m": 150.0, "exif_place_accuracies": 3.0, "exif_place_medium_m": 1000.0,
    "exif_time_s": 600.0, "photo_before_s": 300.0, "photo_before_high_s": 86400.0, "geofence_m": 100.0,
    "geofence_best_fix_s": 60.0, "off_track_m": 100.0, "off_track_s": 180.0, "gap_s": 600.0, "gap_m": 300.0,
    "planned_share": 0.8, "perfunctory_share": 0.4, "strolling_mps": 1.4, "shared_device_soft_s": 43200.0,
    "shared_device_medium_s": 600.0, "least_duration_s": 600.0, "least_distance_m": 1000.0, "least_distance_share": 0.6,
    "least_coverage_share": 0.6, "least_fixes_per_minute": 4.0, "most_accuracy_m": 50.0, "most_walking_p95_mps": 3.0,
    "most_gap_s": 300.0, "moving_mps": 0.5, "valid_score": 80.0,
}
SOURCE = [
    "本系统起始值：完整性检查清单与国家履职默认值，经标注样本校核；请按本地巡河数据修订",
    "Start values of this system: the integrity catalogue and the national defaults, checked on a labelled set; to be tuned on local patrols",
]


def upgrade() -> None:
    policies = op.create_table(
        "integrity_policies",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("trusted_receivers", sa.JSON(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_integrity_policies")),
    )
    with op.batch_alter_table("integrity_policies") as batch_op:
        batch_op.create_index(batch_op.f("ix_integrity_policies_valid_from"), ["valid_from"], unique=False)
    op.bulk_insert(policies, [
        {"version": VERSION, "valid_from": date(2026, 1, 1), "data": THRESHOLDS, "trusted_receivers": [], "source": SOURCE},
    ])

    # Examinations are derived: those written before there were words in them are made anew by the worker.
    for table in ("patrol_findings", "reach_coverages", "examinations"):
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand above
    with op.batch_alter_table("patrol_findings") as batch_op:
        batch_op.add_column(sa.Column("text", sa.JSON(), nullable=False))
        batch_op.add_column(sa.Column("innocent", sa.JSON(), nullable=False))
        batch_op.create_index("ix_patrol_findings_code", ["code", "patrol_id"], unique=False)
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.create_index("ix_examinations_verdict", ["verdict", "patrol_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("examinations") as batch_op:
        batch_op.drop_index("ix_examinations_verdict")
    with op.batch_alter_table("patrol_findings") as batch_op:
        batch_op.drop_index("ix_patrol_findings_code")
        batch_op.drop_column("innocent")
        batch_op.drop_column("text")
    with op.batch_alter_table("integrity_policies") as batch_op:
        batch_op.drop_index(batch_op.f("ix_integrity_policies_valid_from"))
    op.drop_table("integrity_policies")

"""versioned policies of issues: deadlines, the calendar, dispatching, escalation"""

import secrets
import uuid
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAMESPACE = uuid.UUID("5a1a4d0e-7d53-5b6e-9a53-3c1d8e0f4b21")
FIRST_DAY = date(2020, 1, 1)
STANDS = sa.text("withdrawn_at IS NULL")

_URGENT = ("参照北京市 12345 条例草案（2021 年）：网络来件 2 小时内处置", "After Beijing's draft rules for 12345 (2021): what comes by the web is taken up within 2 hours")
_ANSWER = ("参照福建 96133 等各地规定：1 个工作日内受理或不予受理", "After Fujian 96133 and other local rules: accepted or rejected within 1 working day")
_GENERAL = ("福建 96133、蠡县：一般问题 10 个工作日", "Fujian 96133 and Lixian county: ordinary issues 10 working days")
_SERIOUS = ("蠡县：较重问题 20 个工作日", "Lixian county: grave ones 20 working days")
_START = ("本系统起始值，请按本地规定修订", "Start value of this system: to be set by local rules")
# Code, stage, severity, amount, unit, source.
DEADLINES = (
    ("accept_urgent_2_h", "acceptance", "urgent", 2, "hours", _URGENT),
    ("accept_general_1_wd", "acceptance", "general", 1, "working_days", _ANSWER),
    ("accept_serious_1_wd", "acceptance", "serious", 1, "working_days", _ANSWER),
    ("accept_major_1_wd", "acceptance", "major", 1, "working_days", _ANSWER),
    ("urgent_24_h", "rectification", "urgent", 24, "hours", _START),
    ("general_10_wd", "rectification", "general", 10, "working_days", _GENERAL),
    ("serious_20_wd", "rectification", "serious", 20, "working_days", _SERIOUS),
    ("major_60_d", "rectification", "major", 60, "calendar_days", _START),
)

_EVERY_SOURCE = ["patrol", "citizen", "hotline", "superior", "inspection", "cepi", "media", "drone", "sensor"]
_COMPLAINTS = ["citizen", "hotline"]
_EVERY_SEVERITY, _ABOVE_GENERAL = ["general", "serious", "major", "urgent"], ["serious", "major", "urgent"]
# Code, sources, category, severities, confidence, straight, reason: asked in this order.
DISPATCH = (
    ("duty_to_office", _EVERY_SOURCE, "F", _EVERY_SEVERITY, None, False,
     ("涉及河长履职的问题由河长办先受理", "what concerns a chief's duty is received by the office first")),
    ("other_to_office", _EVERY_SOURCE, "Z", _EVERY_SEVERITY, None, False,
     ("建议和其他事项由河长办先受理", "advice and other matters are received by the office first")),
    ("grave_to_office", _EVERY_SOURCE, "", _ABOVE_GENERAL, None, False,
     ("一般以上的问题由河长办先受理", "what is more than general is received by the office first")),
    ("patrol_to_chief", ["patrol"], "", ["general"], None, True,
     ("巡河发现的一般问题直接派给河长", "a general issue found on patrol goes straight to the chief")),
    ("complaint_to_chief", _COMPLAINTS, "", ["general"], "high", True,
     ("位置明确的一般投诉直接派给河长", "a general complaint with a sure place goes straight to the chief")),
    ("unsure_to_office", _COMPLAINTS, "", ["general"], None, False,
     ("投诉位置不够明确，由河长办先行核实", "the place is not sure, so the office checks the complaint first")),
)

RUNGS = {
    "half_time": ("时限过半提醒", "Half of the time is over"), "day_before": ("到期前一天提醒", "One day is left"),
    "overdue": ("超期，报上级河长", "Overdue: the superior chief is told"), "letter": ("督办函", "Supervision letter"),
    "listed": ("挂牌督办", "Listed supervision"), "talk": ("约谈", "Admonitory talk"),
}
LADDER = (
    "各地公开规定的通行做法：半程与末日提醒，超期报上级，3、10、20 个工作日后逐级督办",
    "What most published local rules share: reminders at half time and on the last day, the superior when overdue, graver orders after 3, 10 and 20 working days",
)


def upgrade() -> None:
    make_tables()
    renew_ladder()
    now = datetime.now(UTC).replace(tzinfo=None)
    common = {"version": 1, "enabled": True, "digest": "", "added_at": now, "valid_from": FIRST_DAY}
    deadlines = described("deadline_policies", "code", "stage", "severity", "category", "unit", amount=sa.Integer())
    op.bulk_insert(deadlines, [
        {
            **common, "id": uuid.uuid5(NAMESPACE, code), "code": code, "stage": stage, "severity": severity, "category": "",
            "amount": amount, "unit": unit, "source_zh": source[0], "source_en": source[1],
        }
        for code, stage, severity, amount, unit, source in DEADLINES
    ])
    dispatch = described(
        "dispatch_policies", "code", "category", "confidence", "reason_zh", "reason_en", position=sa.Integer(), sources=sa.JSON(),
        severities=sa.JSON(), straight=sa.Boolean(),
    )
    op.bulk_insert(dispatch, [
        {
            **common, "id": uuid.uuid5(NAMESPACE, code), "code": code, "position": number * 10, "sources": sorted(sources),
            "category": category, "severities": severities, "confidence": confidence, "straight": straight, "reason_zh": reason[0],
            "reason_en": reason[1], "source_zh": _START[0], "source_en": _START[1],
        }
        for number, (code, sources, category, severities, confidence, straight, reason) in enumerate(DISPATCH, start=1)
    ])
    state = sa.table("policy_state", sa.column("id", sa.Integer()), sa.column("state", sa.BigInteger()))
    op.bulk_insert(state, [{"id": 1, "state": secrets.randbits(62)}])
    # What has ended waits for no rung, and only lengthens the index that each sweep walks.
    op.execute("UPDATE issues SET next_escalation_at = NULL WHERE state IN ('closed', 'rejected', 'merged')")


def described(name: str, *texts: str, **others: sa.types.TypeEngine) -> sa.TableClause:
    columns = {
        "id": sa.Uuid(), "version": sa.Integer(), "enabled": sa.Boolean(), "digest": sa.String(), "added_at": sa.DateTime(),
        "valid_from": sa.Date(), "source_zh": sa.String(), "source_en": sa.String(), **dict.fromkeys(texts, sa.String()), **others,
    }
    return sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))


def versioned(table: str) -> list[sa.schema.SchemaItem]:
    """Return the columns that every table of versions has."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("source_zh", sa.String(length=500), nullable=False),
        sa.Column("source_en", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("added_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["added_by_id"], ["people.id"], name=op.f(f"fk_{table}_added_by_id_people")),
        sa.ForeignKeyConstraint(["withdrawn_by_id"], ["people.id"], name=op.f(f"fk_{table}_withdrawn_by_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def one_for_each_day(table: str, *columns: str) -> None:
    with op.batch_alter_table(table) as batch_op:
        batch_op.create_index(
            f"uq_{table}_day", [*columns, "valid_from"], unique=True, postgresql_where=STANDS, sqlite_where=STANDS
        )


def make_tables() -> None:
    op.create_table(
        "deadline_policies",
        *versioned("deadline_policies"),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.UniqueConstraint(
            "stage", "severity", "category", "version", name=op.f("uq_deadline_policies_stage_severity_category_version")
        ),
    )
    one_for_each_day("deadline_policies", "stage", "severity", "category")
    op.create_table(
        "calendar_overrides",
        *versioned("calendar_overrides"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("name_zh", sa.String(length=100), nullable=False),
        sa.Column("name_en", sa.String(length=100), nullable=False),
        sa.UniqueConstraint("day", "version", name=op.f("uq_calendar_overrides_day_version")),
    )
    op.create_table(
        "dispatch_policies",
        *versioned("dispatch_policies"),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("category", sa.String(length=8), nullable=False),
        sa.Column("severities", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.String(length=10), nullable=True),
        sa.Column("straight", sa.Boolean(), nullable=False),
        sa.Column("reason_zh", sa.String(length=200), nullable=False),
        sa.Column("reason_en", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.UniqueConstraint("code", "version", name=op.f("uq_dispatch_policies_code_version")),
    )
    one_for_each_day("dispatch_policies", "code")
    op.create_table(
        "policy_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_state")),
    )
    op.create_table(
        "policy_applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ordered_at", sa.DateTime(), nullable=False),
        sa.Column("ordered_by_id", sa.Uuid(), nullable=True),
        sa.Column("last_issue_id", sa.Uuid(), nullable=True),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ordered_by_id"], ["people.id"], name=op.f("fk_policy_applications_ordered_by_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_applications")),
    )


def renew_ladder() -> None:
    """Give the rungs of escalation what every version has."""
    table = "escalation_policies"
    now = datetime.now(UTC).replace(tzinfo=None)
    with op.batch_alter_table(table) as batch_op:
        for name, kind in (
            ("version", sa.Integer()), ("source_zh", sa.String(length=500)), ("source_en", sa.String(length=500)),
            ("digest", sa.String(length=64)), ("added_at", sa.DateTime()), ("withdrawn_at", sa.DateTime()),
            ("added_by_id", sa.Uuid()), ("withdrawn_by_id", sa.Uuid()), ("name_zh", sa.String(length=100)),
            ("name_en", sa.String(length=100)), ("planned_at", sa.DateTime()),
        ):
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.drop_constraint(op.f(f"uq_{table}_code_valid_from"), type_="unique")
    rows = sa.table(
        table, sa.column("id", sa.Uuid()), sa.column("code"), sa.column("valid_from", sa.Date()), sa.column("source"),
        sa.column("version"), sa.column("source_zh"), sa.column("source_en"), sa.column("digest"), sa.column("added_at", sa.DateTime()),
        sa.column("name_zh"), sa.column("name_en"), sa.column("planned_at", sa.DateTime()),
    )
    seen: dict[str, int] = {}
    for row_id, code, source in op.get_bind().execute(
        sa.select(rows.c.id, rows.c.code, rows.c.source).order_by(rows.c.code, rows.c.valid_from)
    ).all():
        seen[code] = seen.get(code, 0) + 1
        zh, en = LADDER if source == "DEFAULT" else (source, source)
        name_zh, name_en = RUNGS.get(code, (code, code))
        op.execute(rows.update().where(rows.c.id == sa.literal(row_id, sa.Uuid())).values(
            version=seen[code], source_zh=zh, source_en=en, digest="", added_at=now, name_zh=name_zh, name_en=name_en,
            planned_at=now,
        ))
    with op.batch_alter_table(table) as batch_op:
        for name, kind in (
            ("version", sa.Integer()), ("source_zh", sa.String(length=500)), ("source_en", sa.String(length=500)),
            ("digest", sa.String(length=64)), ("added_at", sa.DateTime()), ("name_zh", sa.String(length=100)),
            ("name_en", sa.String(length=100)),
        ):
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        batch_op.drop_column("source")
        batch_op.create_unique_constraint(op.f(f"uq_{table}_code_version"), ["code", "version"])
        for name in ("added_by_id", "withdrawn_by_id"):
            batch_op.create_foreign_key(op.f(f"fk_{table}_{name}_people"), "people", [name], ["id"])
    one_for_each_day(table, "code")


def downgrade() -> None:
    table = "escalation_policies"
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_index(f"uq_{table}_day")
    # A version that was withdrawn never counted, and the older software would let it count.
    op.execute("DELETE FROM escalation_policies WHERE withdrawn_at IS NOT NULL")
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=300), nullable=True))
    op.execute("UPDATE escalation_policies SET source = substr(source_zh, 1, 300)")
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column("source", existing_type=sa.String(length=300), nullable=False)
        for name in ("added_by_id", "withdrawn_by_id"):
            batch_op.drop_constraint(op.f(f"fk_{table}_{name}_people"), type_="foreignkey")
        batch_op.drop_constraint(op.f(f"uq_{table}_code_version"), type_="unique")
        batch_op.create_unique_constraint(op.f(f"uq_{table}_code_valid_from"), ["code", "valid_from"])
        for name in (
            "version", "source_zh", "source_en", "digest", "added_at", "withdrawn_at", "added_by_id", "withdrawn_by_id", "name_zh",
            "name_en", "planned_at",
        ):
            batch_op.drop_column(name)
    for name in ("policy_applications", "policy_state", "dispatch_policies", "calendar_overrides", "deadline_policies"):
        op.drop_table(name)

"""by when the office decides: limits of check, closing and a word of not fixed; the least time after a return; the day before"""

import uuid
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAMESPACE, FIRST_DAY, NEXT_DAY = uuid.UUID("2d1a5b0e-8a3c-4c55-9a36-20c6b1f0d020"), date(2020, 1, 1), date(2020, 1, 2)
SEVERITIES = ("general", "serious", "major", "urgent")
# Stage, working days, source.
LIMITS = (
    ("return", 1, ("本系统起始值：退回后至少 1 个工作日，请按本地规定修订", "Start value of this system: at least 1 working day after a return")),
    ("review", 3, ("各地公开规定的通行做法：3 个工作日内复核", "What most published local rules share: checked within 3 working days")),
    ("closing", 5, ("各地公开规定的通行做法：5 个工作日内回访结案", "What most published local rules share: called back and closed within 5 working days")),
    ("reopening", 5, ("各地公开规定的通行做法：5 个工作日内回访核实", "What most published local rules share: called back within 5 working days")),
)
DAY_BEFORE = ("本系统起始值：到期前一个工作日提醒", "Start value of this system: a reminder on the working day before")


def upgrade() -> None:
    with op.batch_alter_table("issues") as batch_op:
        batch_op.add_column(sa.Column("decide_by", sa.DateTime(), nullable=True))
        waits = sa.text("decide_by IS NOT NULL")
        batch_op.create_index("ix_issues_decide_by", ["decide_by", "id"], postgresql_where=waits, sqlite_where=waits)
    now = datetime.now(UTC).replace(tzinfo=None)
    common = {"version": 1, "enabled": True, "digest": "", "added_at": now, "valid_from": FIRST_DAY}
    op.bulk_insert(deadlines(), [
        {
            **common, "id": uuid.uuid5(NAMESPACE, f"{stage} {severity}"), "code": f"{stage}_{severity}_{days}_wd", "stage": stage,
            "severity": severity, "category": "", "amount": days, "unit": "working_days", "source_zh": source[0], "source_en": source[1],
        }
        for stage, days, source in LIMITS for severity in SEVERITIES
    ])
    remind_the_day_before(common)


def remind_the_day_before(common: dict) -> None:
    """Follow the first row of `day_before` by one that lies on the working day before; a row that a district wrote stays."""
    connection, rungs = op.get_bind(), ladder()
    own = connection.scalar(sa.select(sa.func.count()).select_from(rungs).where(rungs.c.code == "day_before"))
    if own != 1:
        return
    # Where issues wait already, only moments from today on are looked at: nobody is reminded of times past.
    is_new = connection.scalar(sa.text("SELECT 1 FROM issues LIMIT 1")) is None
    op.bulk_insert(rungs, [{
        **common, "id": uuid.uuid5(NAMESPACE, "day_before"), "code": "day_before", "version": 2, "basis": "working_days_before", "amount": 1,
        "order_kind": None, "name_zh": "到期前一个工作日提醒", "name_en": "The working day before the last", "source_zh": DAY_BEFORE[0],
        "source_en": DAY_BEFORE[1], "valid_from": NEXT_DAY if is_new else common["added_at"].date(),
        "planned_at": common["added_at"] if is_new else None,
    }])


def deadlines() -> sa.TableClause:
    return described("deadline_policies", "stage", "severity", "category", "unit")


def ladder() -> sa.TableClause:
    return described("escalation_policies", "basis", "order_kind", "name_zh", "name_en", planned_at=sa.DateTime())


def described(name: str, *texts: str, **others: sa.types.TypeEngine) -> sa.TableClause:
    columns = {
        "id": sa.Uuid(), "version": sa.Integer(), "enabled": sa.Boolean(), "digest": sa.String(), "added_at": sa.DateTime(),
        "valid_from": sa.Date(), "source_zh": sa.String(), "source_en": sa.String(), "code": sa.String(), "amount": sa.Integer(),
        **dict.fromkeys(texts, sa.String()), **others,
    }
    return sa.table(name, *(sa.column(column, kind) for column, kind in columns.items()))


def downgrade() -> None:
    rows, rungs = deadlines(), ladder()
    op.execute(rows.delete().where(rows.c.stage.in_([stage for stage, _, _ in LIMITS])))
    op.execute(rungs.delete().where(rungs.c.basis == "working_days_before"))
    # Not as a batch: that would write the table's foreign keys anew, and older revisions could not drop their columns then.
    op.drop_index("ix_issues_decide_by", "issues")
    op.drop_column("issues", "decide_by")

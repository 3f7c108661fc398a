"""by when the office decides on a request for more time"""

import uuid
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NAMESPACE, FIRST_DAY = uuid.UUID("2d1a5b0e-8a3c-4c55-9a36-20c6b1f0d027"), date(2020, 1, 1)
SOURCE = (
    "本系统起始值：与派单同为 1 个工作日，请按本地规定修订", "Start value of this system: 1 working day, as for a dispatch",
)
rows = sa.table("deadline_policies", *(sa.column(name, kind) for name, kind in {
    "id": sa.Uuid(), "version": sa.Integer(), "enabled": sa.Boolean(), "digest": sa.String(), "added_at": sa.DateTime(),
    "valid_from": sa.Date(), "amount": sa.Integer(),
    **dict.fromkeys(("code", "stage", "severity", "category", "unit", "source_zh", "source_en"), sa.String()),
}.items()))


def upgrade() -> None:
    # Requests that wait already get their clock when work on their issues next begins anew; until then they wait as before.
    op.bulk_insert(rows, [
        {
            "id": uuid.uuid5(NAMESPACE, severity), "version": 1, "enabled": True, "digest": "", "added_at": datetime.now(UTC).replace(tzinfo=None),
            "valid_from": FIRST_DAY, "code": f"extension_{severity}_1_wd", "stage": "extension", "severity": severity, "category": "",
            "amount": 1, "unit": "working_days", "source_zh": SOURCE[0], "source_en": SOURCE[1],
        }
        for severity in ("general", "serious", "major", "urgent")
    ])


def downgrade() -> None:
    op.execute(rows.delete().where(rows.c.stage == "extension"))

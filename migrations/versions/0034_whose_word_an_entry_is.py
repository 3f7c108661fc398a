"""which complaint an entry of a history came from, or answers"""

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

requests = sa.table("reopening_requests", *(sa.column(name, kind) for name, kind in {
    "id": sa.Uuid(), "issue_id": sa.Uuid(), "complaint_id": sa.Uuid(), "asked_at": sa.DateTime(), "decided_at": sa.DateTime(),
    "granted": sa.Boolean(),
}.items()))
history = sa.table("issue_history", sa.column("issue_id", sa.Uuid()), sa.column("seq", sa.Integer()), sa.column("verb", sa.String()))
complaints = sa.table("complaints", sa.column("id", sa.Uuid()), sa.column("issue_id", sa.Uuid()))


def upgrade() -> None:
    entries = op.create_table(
        "complaint_entries",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaints.id"], name=op.f("fk_complaint_entries_complaint_id_complaints")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_complaint_entries_issue_id_issues")),
        sa.PrimaryKeyConstraint("issue_id", "seq", name=op.f("pk_complaint_entries")),
    )
    op.create_index(op.f("ix_complaint_entries_complaint_id"), "complaint_entries", ["complaint_id"])
    if found := known_entries():
        op.bulk_insert(entries, found)


def known_entries() -> list[dict]:
    """Return whose the entries are of which that can be told.

    Each "not fixed" has its entry, and so has each refusal, in the same order. Photos are the own complainant's until
    something was merged into the issue; who added later ones was not written down.
    """
    asked = _in_order(sa.select(requests.c.issue_id, requests.c.complaint_id).order_by(requests.c.asked_at, requests.c.id))
    refused = _in_order(
        sa.select(requests.c.issue_id, requests.c.complaint_id).where(requests.c.granted.is_(False))
        .order_by(requests.c.decided_at, requests.c.id)
    )
    own = dict(op.get_bind().execute(sa.select(complaints.c.issue_id, complaints.c.id)).all())
    said = sa.select(history.c.issue_id, history.c.seq, history.c.verb).order_by(history.c.issue_id, history.c.seq)
    verbs, taken_in, found = ("take_in", "add_photos", "ask_reopening", "refuse_reopening"), set(), []
    for issue_id, seq, verb in op.get_bind().execute(said.where(history.c.verb.in_(verbs))):
        complaint_id = None
        if verb == "take_in":
            taken_in.add(issue_id)
        elif verb == "add_photos":
            complaint_id = None if issue_id in taken_in else own.get(issue_id)
        else:
            waiting = (asked if verb == "ask_reopening" else refused)[issue_id]
            complaint_id = waiting.pop(0) if waiting else None
        if complaint_id is not None:
            found.append({"issue_id": issue_id, "seq": seq, "complaint_id": complaint_id})
    return found


def _in_order(statement: sa.Select) -> defaultdict[UUID, list[UUID]]:
    found = defaultdict(list)
    for issue_id, complaint_id in op.get_bind().execute(statement):
        found[issue_id].append(complaint_id)
    return found


def downgrade() -> None:
    op.drop_table("complaint_entries")

"""indexes of the lists of issues, and the index of words on SQLite"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

RUNNING = "state IN ('submitted', 'accepted', 'dispatched', 'in_progress')"
PARTIAL = (
    ("ix_issues_running_region", "issues", ["region_id", "due_at", "id"], RUNNING),
    ("ix_issues_led", "issues", ["lead_id", "due_at"], "state IN ('dispatched', 'in_progress')"),
    ("ix_issues_led_by_nobody", "issues", ["region_id"], "lead_id IS NULL AND state IN ('dispatched', 'in_progress')"),
    ("ix_issues_came_back", "issues", ["region_id"], "state = 'accepted' AND (declined_at IS NOT NULL OR reopened_times > 0)"),
    ("ix_issue_extensions_undecided", "issue_extensions", ["issue_id"], "decided_at IS NULL"),
)
WHOLE = (
    ("ix_issues_state_due", ["state", "due_at", "id"]),
    ("ix_issues_region_state", ["region_id", "state", "received_at", "id"]),
    ("ix_issues_reporter", ["reporter_id", "received_at", "id"]),
)


def pairs_of(row: str) -> str:
    """Return the pairs of letters of a row's description as hexadecimal words; json_each counts the places."""
    places = f"json_each('[' || substr(replace(hex(zeroblob(max(length({row}.description) - 1, 0))), '00', ',0'), 2) || ']')"
    # What is put into the text are the names below and nothing else.
    return f"(SELECT group_concat(hex(substr(lower({row}.description), key + 1, 2)), ' ') FROM {places})"  # noqa: S608


WORDS = (
    "CREATE VIRTUAL TABLE issue_words USING fts5(pairs, content='', detail='none', columnsize=0, tokenize='ascii')",
    f"INSERT INTO issue_words(rowid, pairs) SELECT issues.serial, {pairs_of('issues')} FROM issues",  # noqa: S608
    f"""CREATE TRIGGER issue_words_of_new AFTER INSERT ON issues BEGIN
        INSERT INTO issue_words(rowid, pairs) VALUES (new.serial, {pairs_of("new")});
    END""",  # noqa: S608
    f"""CREATE TRIGGER issue_words_of_changed AFTER UPDATE OF serial, description ON issues
        WHEN new.serial IS NOT old.serial OR new.description IS NOT old.description BEGIN
        INSERT INTO issue_words(issue_words, rowid, pairs) VALUES ('delete', old.serial, {pairs_of("old")});
        INSERT INTO issue_words(rowid, pairs) VALUES (new.serial, {pairs_of("new")});
    END""",  # noqa: S608
    f"""CREATE TRIGGER issue_words_of_gone AFTER DELETE ON issues BEGIN
        INSERT INTO issue_words(issue_words, rowid, pairs) VALUES ('delete', old.serial, {pairs_of("old")});
    END""",  # noqa: S608
)


def has_fts5() -> bool:
    """Tell whether this SQLite can keep an index of words; without it the search reads the descriptions."""
    return bool(op.get_bind().execute(sa.text("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'")).scalar())


def upgrade() -> None:
    op.drop_index("ix_issues_state", "issues")
    op.create_index("ix_issues_state", "issues", ["state", "received_at", "id", "due_at"])
    op.drop_index("ix_issues_reporter_id", "issues")
    for name, columns in WHOLE:
        op.create_index(name, "issues", columns)
    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    if op.get_context().dialect.name == "sqlite" and has_fts5():
        for statement in WORDS:
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for name in ("new", "changed", "gone"):
            op.execute(f"DROP TRIGGER IF EXISTS issue_words_of_{name}")
        op.execute("DROP TABLE IF EXISTS issue_words")
    for name, table, _columns, _where in PARTIAL:
        op.drop_index(name, table)
    for name, _columns in WHOLE:
        op.drop_index(name, "issues")
    op.create_index("ix_issues_reporter_id", "issues", ["reporter_id"])
    op.drop_index("ix_issues_state", "issues")
    op.create_index("ix_issues_state", "issues", ["state", "received_at", "id"])

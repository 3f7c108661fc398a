"""The search for words on SQLite: a full-text index over all pairs of letters, kept by the database's own triggers.

Chinese words have two letters and no spaces between them, so pairs are what is indexed, as on PostgreSQL. A pair is
written as the hexadecimal digits of its bytes, which no tokenizer takes apart. A SQLite that was built without FTS5 has
no such index: then descriptions are read one by one.
"""

from weakref import WeakSet

from sqlalchemy import Engine, Select, column, select, table, text

from patrol.foundation.database import db

_words = table("issue_words", column("rowid"), column("issue_words"))
_THERE = text(
    "SELECT count(*) FROM sqlite_master WHERE name = 'issue_words' AND EXISTS (SELECT 1 FROM pragma_module_list WHERE name = 'fts5')"
)
_known: WeakSet[Engine] = WeakSet()


def has_words() -> bool:
    """Tell whether this SQLite database has the index and this program's SQLite can read it."""
    engine = db.engine.engine
    if engine not in _known:
        found = db.session.scalar(_THERE)
        if not found:
            return False
        _known.add(engine)
    return True


def holding(word: str) -> Select[int]:
    """Select the running numbers of the issues whose description holds all pairs of letters of `word` (two or more)."""
    # As SQLite's own lower(), which the index is made with: A to Z only.
    low = "".join(letter.lower() if letter.isascii() else letter for letter in word)
    pairs = dict.fromkeys(low[at : at + 2].encode().hex().upper() for at in range(len(low) - 1))
    return select(_words.c.rowid).where(_words.c.issue_words.op("MATCH")(" ".join(pairs)))

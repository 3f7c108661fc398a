"""L1: whatever is done to stored histories, `flask issues verify` names the issue and the place, and fails.

What a history rewritten whole hides, the heads exported each day show.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from patrol.evidence.models import Photo
from patrol.issues.chain import entry_hash
from patrol.issues.escalation_models import Order
from patrol.issues.history import _entry_of
from patrol.issues.models import Extension, HistoryEntry, Issue, IssuePart, IssuePhoto
from tests.soak import histories
from tests.soak.proof import Outcome, Setup, proves
from tests.soak.server import Server, engine_beside

History, Issues, Photos, Links = HistoryEntry.__table__, Issue.__table__, Photo.__table__, IssuePhoto.__table__
Parts, Extensions, Orders = IssuePart.__table__, Extension.__table__, Order.__table__
_HEAD_LINE = re.compile(r"^([0-9a-f-]{36}): the entry (\d+) exported", re.MULTILINE)
_LINE = re.compile(r"^(XH\d+) (\S+): (\w+) at (\d+)", re.MULTILINE)
Rows = list[Any]
# Each tampers with one issue's history and returns the entry at which that must be found.
Tamper = Callable[[sa.Connection, UUID, Rows, Random], int]


def _flip(column: str, value: Callable[[Any], Any]) -> Tamper:
    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
        row = chance.choice(rows)
        connection.execute(sa.update(History).where(History.c.id == row.id).values({column: value(getattr(row, column))}))
        return int(row.seq)

    return tamper


def _other_text(text: str | None) -> str:
    return "0" if text is None else text[:-1] + ("0" if text[-1:] != "0" else "1")


def _other_digit(digest: str) -> str:
    return ("1" if digest[0] != "1" else "2") + digest[1:]


FLIPS: dict[str, Callable[[Any], Any]] = {
    "verb": _other_text, "from_state": _other_text, "to_state": _other_text, "actor_name": _other_text, "rule": _other_text,
    "note": _other_text, "reason": _other_text, "ground": _other_text, "hash": _other_digit, "previous_hash": _other_digit,
    "at": lambda at: at + timedelta(microseconds=1), "changes": lambda changes: {**changes, "faked": 1},
    "photos": lambda photos: [*photos, {"id": str(uuid4()), "sha256": "0" * 64, "kind": "after"}],
    "facts": lambda facts: {**facts, "faked": 1},
}


def _no_actor(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    row = chance.choice([row for row in rows if row.actor_id is not None])
    connection.execute(sa.update(History).where(History.c.id == row.id).values(actor_id=None))
    return int(row.seq)


def _delete(place: int) -> Tamper:
    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, _chance: Random) -> int:
        connection.execute(sa.delete(History).where(History.c.id == rows[place].id))
        return int(rows[place].seq)

    return tamper


def _delete_all(connection: sa.Connection, issue_id: UUID, _rows: Rows, _chance: Random) -> int:
    connection.execute(sa.delete(History).where(History.c.issue_id == issue_id))
    return 1


def _delete_and_close_the_gap(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    row = chance.choice(rows[:-1])
    connection.execute(sa.delete(History).where(History.c.id == row.id))
    for later in rows[row.seq:]:
        connection.execute(sa.update(History).where(History.c.id == later.id).values(seq=later.seq - 1))
    return int(row.seq)


def _shorten(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    """Take the last entry away and set the issue's count back as well, but not its hash."""
    connection.execute(sa.delete(History).where(History.c.id == rows[-1].id))
    connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values(version=len(rows) - 1))
    return len(rows) - 1


def _append(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    connection.execute(sa.insert(History).values({**rows[-1]._mapping, "id": uuid4(), "seq": len(rows) + 1}))
    return len(rows) + 1


def _insert_between(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    place = chance.randrange(1, len(rows))
    for later in reversed(rows[place:]):
        connection.execute(sa.update(History).where(History.c.id == later.id).values(seq=later.seq + 1))
    connection.execute(sa.insert(History).values({**rows[place - 1]._mapping, "id": uuid4(), "seq": place + 1}))
    return place + 1


def _swap(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    first, second = sorted(chance.sample(range(len(rows)), 2))
    for place, seq in ((first, -1), (second, first + 1), (first, second + 1)):
        connection.execute(sa.update(History).where(History.c.id == rows[place].id).values(seq=seq))
    return first + 1


def _swap_contents(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
    """Exchange everything but the number of two entries."""
    first, second = sorted(chance.sample(range(len(rows)), 2))
    kept = {"id", "seq", "issue_id"}
    for place, other in ((first, second), (second, first)):
        content = {name: value for name, value in rows[other]._mapping.items() if name not in kept}
        connection.execute(sa.update(History).where(History.c.id == rows[place].id).values(content))
    return first + 1


def _foreign_entry(connection: sa.Connection, issue_id: UUID, rows: Rows, chance: Random) -> int:
    """Put another issue's entry of the same number in the place of one's own; that other issue stays as it is."""
    row = chance.choice(rows[:3])
    other = connection.execute(sa.select(History).where(History.c.issue_id != issue_id, History.c.seq == row.seq)).first()
    content = {name: value for name, value in other._mapping.items() if name not in {"id", "seq", "issue_id"}}
    connection.execute(sa.update(History).where(History.c.id == row.id).values(content))
    return int(row.seq)


def _of_issue(column: str, value: Callable[[Rows], Any]) -> Tamper:
    def tamper(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
        connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values({column: value(rows)}))
        return len(rows)

    return tamper


def _of_row(column: str, value: Any) -> Tamper:
    """Change a column of the issue that its first entry said, or that no entry ever said."""

    def tamper(connection: sa.Connection, issue_id: UUID, _rows: Rows, _chance: Random) -> int:
        connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values({column: value}))
        return 1

    return tamper


def _drop_the_photos(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    connection.execute(sa.delete(Links).where(Links.c.issue_id == issue_id))
    return next(int(row.seq) for row in rows if row.photos)


def _other_photo(connection: sa.Connection, _issue_id: UUID, rows: Rows, _chance: Random) -> int:
    """Let the row of a photo in the history name other bytes."""
    row = next(row for row in rows if row.photos)
    connection.execute(sa.update(Photos).where(Photos.c.id == UUID(row.photos[0]["id"])).values(sha256="0" * 64))
    return int(row.seq)


def _photo_taken_elsewhere(connection: sa.Connection, _issue_id: UUID, rows: Rows, _chance: Random) -> int:
    """Let the row of a photo in the history say that it was taken elsewhere."""
    row = next(row for row in rows if row.photos)
    connection.execute(sa.update(Photos).where(Photos.c.id == UUID(row.photos[0]["id"])).values(exif_latitude=1.5, exif_longitude=1.5))
    return int(row.seq)


def _change_of(verb: str) -> Tamper:
    """Change the first thing that an entry of this kind says was changed."""

    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
        row = chance.choice([row for row in rows if row.verb == verb])
        name = sorted(row.changes)[0] if row.changes else "faked"
        content = {**row.changes, name: {"from": None, "to": "faked"}}
        connection.execute(sa.update(History).where(History.c.id == row.id).values(changes=content))
        return int(row.seq)

    return tamper


def _take_away(verb: str) -> Tamper:
    def tamper(connection: sa.Connection, _issue_id: UUID, rows: Rows, chance: Random) -> int:
        row = chance.choice([row for row in rows if row.verb == verb])
        connection.execute(sa.delete(History).where(History.c.id == row.id))
        return int(row.seq)

    return tamper


TAMPERS: dict[str, Tamper] = {
    **{f"flip {column}": _flip(column, value) for column, value in FLIPS.items()}, "no actor": _no_actor,
    "delete the first": _delete(0), "delete one": _delete(3), "delete the last": _delete(-1), "delete all": _delete_all,
    "delete and close the gap": _delete_and_close_the_gap, "shorten": _shorten, "append": _append, "insert": _insert_between,
    "swap": _swap, "swap contents": _swap_contents, "a foreign entry": _foreign_entry,
    "state of the issue": _of_issue("state", lambda rows: "closed" if rows[-1].to_state != "closed" else "accepted"),
    "head of the issue": _of_issue("history_hash", lambda _rows: "0" * 64),
    "version of the issue": _of_issue("version", lambda rows: len(rows) - 1), "another photo": _other_photo,
    "place of a photo": _photo_taken_elsewhere,
    "description of the issue": _of_row("description", "faked"), "place of the issue": _of_row("latitude", 1.5),
    "summary of the issue": _of_row("public_summary", "faked"), "photos of the issue": _drop_the_photos,
}


def _beside(table: sa.Table, told_by: str, **values: Any) -> Tamper:
    """Change a row beside the issue, or take it away when nothing is to stand there; `told_by` is the kind of entry that says what stands there."""

    def tamper(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
        change = sa.update(table).values(values) if values else sa.delete(table)
        connection.execute(change.where(table.c.issue_id == issue_id))
        return next(int(row.seq) for row in rows if row.verb == told_by)

    return tamper


def _order_too_many(connection: sa.Connection, issue_id: UUID, rows: Rows, _chance: Random) -> int:
    order = connection.execute(sa.select(Orders).where(Orders.c.issue_id == issue_id)).one()
    connection.execute(sa.insert(Orders).values({**order._mapping, "id": uuid4()}))
    return len(rows)


BESIDE: dict[str, Tamper] = {
    "a part is open": _beside(Parts, "report_part", state="open"), "a part is gone": _beside(Parts, "dispatch"),
    "more time was refused": _beside(Extensions, "grant_extension", granted=False),
    "more time was never asked for": _beside(Extensions, "ask_extension"),
    "another answer": _beside(Orders, "answer_order", answer="faked"), "an order too many": _order_too_many,
}
# Which history each is done to; entries of the newer kinds are each changed and each taken away besides.
ON = dict.fromkeys(TAMPERS, "plain") | dict.fromkeys(BESIDE, "seen")
TAMPERS |= BESIDE
for _maker, _verbs in histories.KINDS.items():
    for _verb in _verbs:
        TAMPERS |= {f"change {_verb}": _change_of(_verb), f"take away {_verb}": _take_away(_verb)}
        ON |= dict.fromkeys((f"change {_verb}", f"take away {_verb}"), _maker)


@proves("L1")
def tampering_is_found_and_located(server: Server, setup: Setup, outcome: Outcome) -> None:
    """Tamper with one issue after another in the stored rows; the command must name each, where, and no other."""
    outcome.counts = {"histories": 0, "tampered": 0, "found": 0, "located": 0, "rewritten whole": 0}
    # What only the worker can write takes two programs more, for which the ordinary suite has no time.
    known = [name for name in TAMPERS if setup.alone or ON[name] != "late"]
    names = [name for name in setup.sample(known, least=len(known) if setup.alone else 7) for _ in range(setup.times(6))]
    issues = [histories.MAKERS[ON[name]](server) for name in names]
    rewritten = [histories.seen(server) for _ in range(setup.times(6))] if setup.alone else []
    if setup.alone:
        histories.let_climb(server)
        histories.export_heads(server)
    sound = server.flask("issues", "verify")
    outcome.must(sound.returncode == 0, f"before anything was done: {sound.stdout[-400:]}{sound.stderr[-400:]}")
    wanted, chance = {}, setup.random
    engine = engine_beside(server.url)
    for name, issue_id in zip(names, issues, strict=True):
        with engine.begin() as connection:
            wanted[str(issue_id)] = (name, TAMPERS[name](connection, issue_id, _rows_of(connection, issue_id), chance))
    for issue_id in rewritten:
        with engine.begin() as connection:
            _rewrite(connection, issue_id, chance)
    engine.dispose()
    verified = server.flask("issues", "verify")
    outcome.must(verified.returncode not in {0, None}, f"the command ended with {verified.returncode}")
    outcome.must("Traceback" not in verified.stderr, verified.stderr[-500:])
    found = {issue_id: (kind, int(seq)) for _, issue_id, kind, seq in _LINE.findall(verified.stdout)}
    outcome.counts["histories"] = len(server.query("SELECT id FROM issues"))
    # A history that is sound by itself again may still say otherwise than a row beside it.
    _compare(wanted, {each: at for each, at in found.items() if UUID(each) not in rewritten}, outcome)
    lost = {issue_id for issue_id, _ in _HEAD_LINE.findall(verified.stdout)}
    for issue_id in rewritten:
        outcome.count("rewritten whole")
        outcome.must(str(issue_id) in lost, f"a history rewritten whole is not found by its head: {issue_id}")
    strange = lost - {str(issue_id) for issue_id in rewritten} - wanted.keys()
    outcome.must(not strange, f"heads said to be lost without cause: {sorted(strange)[:3]}")
    if setup.alone:
        _cut_the_heads(server, outcome)


def _rows_of(connection: sa.Connection, issue_id: UUID) -> Rows:
    return list(connection.execute(sa.select(History).where(History.c.issue_id == issue_id).order_by(History.c.seq)))


def _rewrite(connection: sa.Connection, issue_id: UUID, chance: Random) -> None:
    """Change an entry and hash everything from there on anew, the head on the issue too: sound by itself."""
    rows = [SimpleNamespace(**row._mapping) for row in _rows_of(connection, issue_id)]
    place = chance.randrange(len(rows))
    rows[place].note, previous = "rewritten", rows[place].previous_hash
    for row in rows[place:]:
        row.previous_hash = previous
        previous = row.hash = entry_hash(_entry_of(row, [photo["sha256"] for photo in row.photos]), previous)
        connection.execute(sa.update(History).where(History.c.id == row.id).values(
            note=row.note, previous_hash=row.previous_hash, hash=row.hash))
    connection.execute(sa.update(Issues).where(Issues.c.id == issue_id).values(history_hash=previous))


def _cut_the_heads(server: Server, outcome: Outcome) -> None:
    """Take a line out of the exported heads: the command must not believe them any more."""
    file = max((server.folder / "var" / "heads").glob("*.jsonl"), key=lambda path: path.stat().st_size)
    file.write_text(file.read_text().split("\n", 1)[1])
    verified = server.flask("issues", "verify")
    outcome.must(verified.returncode != 0 and "is not what was exported" in verified.stderr, f"cut heads were believed: {verified.stderr[-300:]}")


def _compare(wanted: dict[str, tuple[str, int]], found: dict[str, tuple[str, int]], outcome: Outcome) -> None:
    outcome.counts["tampered"] = len(wanted)
    for issue_id, (name, seq) in wanted.items():
        if not outcome.must(issue_id in found, f"not found: {name} at {seq}"):
            continue
        outcome.count("found")
        kind, at = found[issue_id]
        if outcome.must(at == seq, f"not located: {name} at {seq}, said to be {kind} at {at}"):
            outcome.count("located")
    outcome.must(not found.keys() - wanted.keys(), f"named without cause: {[found[each] for each in found.keys() - wanted.keys()]}")
